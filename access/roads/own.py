"""A citizen's own: everything held about them, who used it, and the proof of each use.

Source: 个人信息保护法 45 (access by the data subject).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from access.answers import Answer, Use
from access.asking import Means, ask, found, nobody, reading, refused
from access.model import Action, Actor, Request
from access.recording import Prepared
from access.usage_record import UsageRecord, usage_of
from access.uses import is_due, use_of
from hub.errors import NotFound
from hub.ledger.log import LoggedEntry

_PURPOSE = "own.data"


def prepare(means: Means, actor: Actor, request_id: str) -> tuple[bool, Prepared[Answer]]:
    """Decide and read everything held about the citizen, in clear.

    Returns:
        Whether it was allowed, and so need be recorded but once a session; and the answer.

    Raises:
        SourceError, KeyMissing: when the document cannot be read.
    """
    asked = ask(means, _request(means, actor), request_id)
    if not asked.decision.allowed:
        return False, refused(means, asked)
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    key = snapshot.identity(actor.binding) if actor.binding is not None else None
    document = means.finder.open(snapshot, key) if key is not None else None
    if key is None or document is None:
        return True, nobody(means, asked, None)
    return True, found(means, asked, [(key, document)], more=False)


def uses(means: Means, actor: Actor, limit: int) -> tuple[Use, ...]:
    """Return who used the citizen's data, newest first.

    Uses whose showing is lawfully delayed are left out without a gap or a count.
    """
    found = records(means, actor, limit)
    policy, standings = means.decider.policy, _standings(means, found)
    return tuple([use_of(index, use, policy, means.catalog, standings) for index, use in found])


def records(means: Means, actor: Actor, limit: int) -> list[tuple[int, UsageRecord]]:
    """Return (position, record) of each use of the citizen's data that `uses` tells of."""
    label = _label(means, actor)
    if label is None:
        return []
    purposes, now = means.decider.policy.purposes, means.clock.now()
    mine = ((entry.index, usage_of(entry)) for entry in _entries(means, label))
    due = ((n, use) for n, use in mine if use is not None and is_due(use, purposes, now))
    return list(islice(due, limit))


def proof(means: Means, actor: Actor, index: int) -> dict[str, Any]:
    """Return the proof of one use of the citizen's data, to be checked offline.

    Raises:
        NotFound: when there is no such entry, it is not about the citizen, or not yet due.
    """
    label = _label(means, actor)
    logged = means.ledger.entry(index) if label is not None and index >= 0 else None
    use = usage_of(logged) if logged is not None and logged.label == label else None
    purposes, now = means.decider.policy.purposes, means.clock.now()
    if use is None or not is_due(use, purposes, now):
        raise NotFound(f"the ledger has no entry {index}")
    return means.ledger.proof_bundle(index)


def _standings(means: Means, found: Iterable[tuple[int, UsageRecord]]) -> dict[int, str]:
    """Return where every lifted mask and emergency stands by now, by number, if one was used."""
    if means.emergencies is None or all(use.emergency is None for _, use in found):
        return {}
    standings = means.emergencies.standings(means.clock.now())
    return {standing.emergency.id: standing.state.value for standing in standings}


def _request(means: Means, actor: Actor) -> Request:
    return Request(actor, Action.OWN, None, _PURPOSE, at=means.clock.now())


def _label(means: Means, actor: Actor) -> bytes | None:
    decision = means.decider.decide(_request(means, means.seen_as(actor)))
    if not decision.allowed or actor.binding is None:
        return None
    key = means.snapshots.current().identity(actor.binding)
    return None if key is None else means.keys.label.of(key)


def _entries(means: Means, label: bytes) -> Iterator[LoggedEntry]:
    before: int | None = None
    while page := means.ledger.entries_of(label, before=before, limit=200):
        yield from page
        before = page[-1].index
