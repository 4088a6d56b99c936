"""A drawn sample, to be verified on the spot: all who were drawn, or nobody."""

from __future__ import annotations

from access import rendering
from access.answers import Answer, SampleQuery
from access.asking import Found, Means, ask, list_cap, reading, refused
from access.model import Action, Actor, Request
from access.recording import Prepared
from access.releasing import found
from hub.errors import RequestError, SourceError


def prepare(means: Means, actor: Actor, query: SampleQuery) -> Prepared[Answer]:
    """Decide and read for a drawn sample; subjects come in the order of the question.

    Raises:
        RequestError: when more are drawn than the policy lets be shown at once; nothing is to be
            recorded.
        SourceError: when a person drawn is not in the snapshot in service.
    """
    request = Request(
        actor, Action.SAMPLE, (query.dataset,), query.purpose, query.case, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    if not asked.decision.allowed:
        return refused(means, asked)
    if not query.subjects:
        raise RequestError("nobody was drawn: the dataset holds no record in service")
    most = list_cap(asked.plan)
    if most is None or len(query.subjects) > most:
        raise RequestError(f"a sample has at most {most or 0:,} persons by the policy")
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    people: list[Found] = []
    for key in query.subjects:
        document = means.finder.open(snapshot, key)
        if document is None or not rendering.may_see(document, asked.plan, actor.area):
            raise SourceError("the sample does not fit the snapshot in service: draw again")
        people.append((key, document))
    return found(means, asked, people, more=False)
