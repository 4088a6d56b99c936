"""A short list of persons; those who may not be shown leave no trace in the answer."""

from __future__ import annotations

from access.answers import Answer, SearchQuery
from access.asking import Found, Means, ask, found, list_cap, nobody, reading, refused
from access.model import Action, Actor, Request
from access.plan import Plan
from access.recording import Prepared
from access.showing import may_show

LIST_CAP = 20
READ_CAP = 200


def prepare(means: Means, actor: Actor, query: SearchQuery) -> Prepared[Answer]:
    """Decide and read for a search.

    Raises:
        RequestError: when the value or case is not well formed; nothing is to be recorded.
        SourceError, KeyMissing: when a document cannot be read.
    """
    token = means.finder.token(query)
    request = Request(
        actor, Action.SEARCH, query.datasets, query.purpose, query.case, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    if not asked.decision.allowed:
        return refused(means, asked)
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    cap = _cap(asked.plan)
    people: list[Found] = []
    for key in snapshot.find(query.by, token, READ_CAP):
        document = means.finder.open(snapshot, key)
        if document is not None and may_show(means, asked, key, document):
            people.append((key, document))
        if len(people) > cap:
            break
    if not people:
        return nobody(means, asked, None)
    return found(means, asked, people[:cap], more=len(people) > cap)


def _cap(plan: Plan) -> int:
    return min(list_cap(plan) or LIST_CAP, LIST_CAP)
