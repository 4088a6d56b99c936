"""A short list of persons; those who may not be shown leave no trace in the answer.

Every search opens the same number of documents, so that its time does not tell how many there are
elsewhere, or are protected. There is no wildcard: a search compares the keyed token
of the whole value, and a name comes with a birth date.
"""

from __future__ import annotations

from access.answers import Answer, SearchQuery
from access.asking import Found, Means, ask, list_cap, nobody, reading, refused
from access.model import Action, Actor, Request
from access.plan import Plan
from access.recording import Prepared
from access.releasing import found
from access.showing import may_show

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
    asked = reading(means, asked, snapshot)
    cap = _cap(asked.plan)
    keys: list[bytes | None] = [*snapshot.find(query.by, token, OPENED)]
    keys += [None] * (OPENED - len(keys))
    people: list[Found] = []
    for key in keys:
        document = means.finder.open(snapshot, key)
        if key is None or document is None:
            continue
        if may_show(means, asked, key, document):
            people.append((key, document))
    if not people:
        return nobody(means, asked, None)
    return found(means, asked, people[:cap], more=len(people) > cap)


def _cap(plan: Plan) -> int:
    return min(list_cap(plan) or LIST_CAP, LIST_CAP)
