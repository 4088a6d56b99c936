"""One person, by identity number or by the handle of an earlier answer."""

from __future__ import annotations

from access.answers import Answer, LookupQuery
from access.asking import Means, ask, nobody, reading, refused
from access.model import Action, Actor, Request
from access.recording import Prepared
from access.releasing import found
from access.showing import may_show, own_refusal


def prepare(means: Means, actor: Actor, query: LookupQuery) -> Prepared[Answer]:
    """Decide and read for a lookup.

    Raises:
        RequestError: when the value or case is not well formed; nothing is to be recorded.
        SourceError, KeyMissing: when the document cannot be read.
    """
    find = means.finder.of(actor, query)
    request = Request(
        actor, Action.LOOKUP, query.datasets, query.purpose, query.case, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    if not asked.decision.allowed:
        return refused(means, asked)
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    key = find(snapshot)
    document = means.finder.open(snapshot, key)
    if key is None or document is None:
        return nobody(means, asked, None)
    if not may_show(means, asked, key, document):
        return own_refusal(means, asked, key, document) or nobody(means, asked, key)
    searched = query.by == "handle"
    return found(means, asked, [(key, document)], more=False, searched=searched)
