"""A short list of persons; those outside the area leave no trace in the answer.

Whoever keeps to an area has the same number of documents opened by every search, so that its time
does not tell how many there are elsewhere. There is no wildcard: a search compares the keyed token
of the whole value, and a name comes with a birth date.
"""

from __future__ import annotations

from access import rendering
from access.answers import Answer, SearchQuery
from access.asking import Found, Means, ask, found, list_cap, nobody, reading, refused
from access.model import Action, Actor, Request
from access.plan import Plan
from access.recording import Prepared

LIST_CAP = 20
OPENED = 100  # documents; more people under one value than this are not looked at


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
    asked = reading(asked, snapshot)
    cap = _cap(asked.plan)
    most = cap + 1 if asked.decision.row_filter is None else OPENED
    keys: list[bytes | None] = [*snapshot.find(query.by, token, most)]
    if asked.decision.row_filter is not None:
        keys += [None] * (OPENED - len(keys))
    people: list[Found] = []
    for key in keys:
        document = means.finder.open(snapshot, key)
        if key is None or document is None:
            continue
        if rendering.may_see(document, asked.plan, actor.area):
            people.append((key, document))
    if not people:
        return nobody(means, asked, None)
    return found(means, asked, people[:cap], more=len(people) > cap)


def _cap(plan: Plan) -> int:
    return min(list_cap(plan) or LIST_CAP, LIST_CAP)
