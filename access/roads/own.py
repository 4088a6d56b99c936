"""A citizen's own: everything held about them, who used it, and the proof of each use.

Source: 个人信息保护法 45 (access by the data subject).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice

from access.answers import Answer, Use
from access.asking import OWN_DATA, Means, ask, nobody, reading, refused
from access.bulks import holding, says_of
from access.model import Action, Actor, Request
from access.ports import Proofs
from access.recording import Prepared
from access.releasing import found
from access.titles import Titles
from access.usage_record import UsageRecord
from access.uses import Told, told, use_of
from hub.errors import NotFound
from hub.ledger.entry import Chain, ChainKind
from hub.ledger.log import LoggedEntry

_NONE_OF_YOURS = "没有这条记录 / there is no such entry of yours"  # whoever's it is, if anybody's


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

    Nothing is read but the citizen's own entries, sealed ones being none of them, and of files of
    persons the tokens.
    """
    shown = _told(means, actor, limit)
    titles, standings = Titles(means.decider.policy, means.catalog), _standings(means, shown)
    return tuple([use_of(found, titles, standings) for found in shown])


def _told(means: Means, actor: Actor, limit: int | None) -> list[Told]:
    label = _label(means, actor)
    if label is None:
        return []
    found = merge(
        told(_entries(means, label)),
        _in_bulk(means, label),
        key=lambda one: -one.logged.index,
    )
    return list(islice(found, limit))


def _in_bulk(means: Means, label: bytes) -> Iterator[Told]:
    """Yield the files of persons that the citizen is in, newest first."""
    if means.bulks is not None:
        for logged, use in holding(means.ledger, means.bulks.tokens, label):
            yield Told(logged, use)


def records(means: Means, actor: Actor, limit: int | None) -> list[tuple[int, UsageRecord]]:
    """Return (position, record) of each use of the citizen's data that was not erased.

    Newest first, of the newest uses up to a limit; None for all of them.
    """
    return [
        (found.logged.index, found.use)
        for found in _told(means, actor, limit)
        if found.use is not None
    ]


def proof(means: Means, actor: Actor, index: int) -> str:
    """Return the proof of one use of the citizen's data, a C2SP tlog-proof, to be checked offline.

    Raises:
        NotFound: when there is no such entry, or it is none of the citizen's own.
    """
    label = _label(means, actor)
    if label is None or not 0 <= index < means.ledger.size:
        raise NotFound(_NONE_OF_YOURS)
    if not _is_own(means, label, means.ledger.entry(index)):
        raise NotFound(_NONE_OF_YOURS)
    return str(_proofs(means).proof(index))


def statement(means: Means, actor: Actor) -> bytes:
    """Return every use of the citizen's data that is public, and that none is missing; JSON.

    Raises:
        NotFound: before anything is public, or when nobody is held under who asks.
    """
    label = _label(means, actor)
    if label is None:
        raise NotFound("没有您的身份信息可供出具证明 / nobody is held under your identity")
    return _proofs(means).statement(Chain(ChainKind.SUBJECT, label))


def _proofs(means: Means) -> Proofs:
    if means.proofs is None:
        raise NotFound("the ledger is not made public here")
    return means.proofs


def _is_own(means: Means, label: bytes, logged: LoggedEntry) -> bool:
    """Say whether an entry is of the citizen's own chain, or of a file of persons they are in."""
    if logged.label == label:
        return True
    bulks = means.bulks
    return bulks is not None and says_of(logged, lambda one: bulks.tokens.holds(one, label))


def _standings(means: Means, shown: Iterable[Told]) -> dict[int, str]:
    """Return where every lifted mask and emergency stands by now, by number, if one was used."""
    uses = (found.use for found in shown)
    if means.emergencies is None or all(use is None or use.emergency is None for use in uses):
        return {}
    standings = means.emergencies.standings(means.clock.now())
    return {standing.emergency.id: standing.state.value for standing in standings}


def _request(means: Means, actor: Actor) -> Request:
    return Request(actor, Action.OWN, None, OWN_DATA, at=means.clock.now())


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
