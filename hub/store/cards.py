"""Quality cards in the records: the facts they follow from, and the steps the ledger was told.

A card itself is kept nowhere: it is derived (`contracts.cards.deriving`). Kept are the facts that nobody can
derive (what people did about a card, since when a dataset is expected) and, as an outbox
(`hub.store.outbox`), every step with the ledger entry that tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.events import AuditEvent
from hub.store.attempts import Attempt, attempts
from hub.store.models import CardActRow, CardStepRow, WatchRow
from hub.store.outbox import Log, Outbox
from hub.store.records import Records

STEPS = Outbox(CardStepRow, {"card": "card", "step": "key"}, "quality:card:")


class ActKind(StrEnum):
    """What somebody can do about a card."""

    ACKNOWLEDGE = "acknowledge"
    APPEAL = "appeal"
    WAIVE = "waive"
    DECIDE = "decide"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did about a card.

    Args:
        id: its number in the records, 0 before it is recorded.
        by: the account or office that acts; never a person's name.
        until: the last day of the waiver that is asked for.
        granted: the decision, where it is one.
    """

    card: str
    kind: ActKind
    by: str
    reason: str
    at: datetime
    until: date | None = None
    granted: bool | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step that the ledger shall be told: its key is unique in the card's life."""

    card: str
    key: str
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything recorded that cards follow from.

    Args:
        since: dataset -> day from which its deliveries are expected.
    """

    attempts: tuple[Attempt, ...]
    acts: tuple[Act, ...] = ()
    since: Mapping[str, date] = field(default_factory=dict)


def facts(session: Session) -> Facts:
    """Return everything recorded that cards follow from."""
    return Facts(attempts(session), acts(session), watched(session))


def acts(session: Session) -> tuple[Act, ...]:
    """Return every act, in the order in which they were recorded."""
    rows = session.scalars(select(CardActRow).order_by(CardActRow.id))
    return tuple(
        Act(
            card=row.card,
            kind=ActKind(row.act),
            by=row.actor,
            reason=row.reason,
            at=row.at,
            until=row.until,
            granted=row.granted,
            id=row.id,
        )
        for row in rows
    )


def add_act(session: Session, act: Act) -> int:
    """Record an act; return its number."""
    row = CardActRow(
        card=act.card,
        act=act.kind.value,
        actor=act.by,
        reason=act.reason,
        until=act.until,
        granted=act.granted,
        at=act.at,
    )
    session.add(row)
    session.flush()
    return row.id


def watched(session: Session) -> dict[str, date]:
    """Return since when each dataset's deliveries are expected."""
    return {row.dataset: row.since for row in session.scalars(select(WatchRow))}


def watch(session: Session, datasets: Iterable[str], since: date) -> None:
    """Expect deliveries of datasets from a day on; of those already expected nothing changes."""
    known = watched(session)
    session.add_all(WatchRow(dataset=d, since=since) for d in datasets if d not in known)


def known_steps(session: Session) -> dict[str, frozenset[str]]:
    """Return the keys of every card's steps that are written down."""
    found: dict[str, set[str]] = {}
    for card, key in session.execute(select(CardStepRow.card, CardStepRow.key)):
        found.setdefault(card, set()).add(key)
    return {card: frozenset(keys) for card, keys in found.items()}


def add_steps(session: Session, steps: Iterable[NewStep], ledger_size: int) -> None:
    """Write down steps that the ledger is to be told next.

    Args:
        ledger_size: size of the ledger before anybody could have told them.
    """
    session.add_all(
        CardStepRow(card=s.card, key=s.key, body=s.event.body(), ledger_from=ledger_size)
        for s in steps
    )


def told(session: Session, card: str) -> dict[str, int | None]:
    """Return the ledger entry of each of a card's steps; None while it may not be there."""
    query = select(CardStepRow).where(CardStepRow.card == card).order_by(CardStepRow.id)
    return {row.key: row.entry for row in session.scalars(query)}


def tell(records: Records, log: Log) -> int:
    """Tell the ledger every step that it has not been told; return how many it now was told.

    Raises:
        LedgerError: when it cannot record; the steps stay written down and are told later.
    """
    return STEPS.tell(records, log)
