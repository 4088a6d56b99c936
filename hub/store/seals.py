"""Orders to seal uses, in the records: what each is about, and its terms.

Nothing here takes an order or a term away. What state an order is in follows from its steps
(`hub.store.access_steps`) and the clock.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.store.access_models import AccessStepRow, SealOrderRow, SealTermRow
from hub.store.access_steps import About


@dataclass(frozen=True, slots=True)
class Term:
    """From when until before when an order is to hold; the steps say whether it was approved.

    Args:
        person: keyed name of the person who asked for it.
    """

    number: int
    person: str
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class SealOrder:
    """That uses by an agency for some purposes and one case are kept from their subjects.

    Args:
        id: its number, 0 before it is recorded.
        ground: code of the closed register of grounds.
        case_name: keyed name of the case, hexadecimal.
        terms: in order of number, from 0; each later one is a renewal.
    """

    id: int
    ground: str
    agency: str
    purposes: tuple[str, ...]
    case_name: str
    terms: tuple[Term, ...]

    @property
    def name(self) -> str:
        """What its steps call it."""
        return str(self.id)


def add_order(session: Session, order: SealOrder) -> int:
    """Record an order that is asked for, with its first term; return its number."""
    row = SealOrderRow(
        ground=order.ground,
        agency=order.agency,
        purposes=list(order.purposes),
        case_name=order.case_name,
    )
    session.add(row)
    session.flush()
    for term in order.terms:
        add_term(session, row.id, term)
    return row.id


def add_term(session: Session, order: int, term: Term) -> None:
    """Record a term that is asked for."""
    session.add(
        SealTermRow(
            seal=order,
            number=term.number,
            person=term.person,
            valid_from=term.valid_from,
            valid_to=term.valid_to,
        )
    )
    session.flush()


def orders(session: Session) -> tuple[SealOrder, ...]:
    """Return every order there ever was, in the order in which they were asked for."""
    terms: dict[int, list[Term]] = defaultdict(list)
    for row in session.scalars(select(SealTermRow).order_by(SealTermRow.number)):
        terms[row.seal].append(Term(row.number, row.person, row.valid_from, row.valid_to))
    return tuple(
        SealOrder(
            row.id, row.ground, row.agency, tuple(row.purposes), row.case_name, tuple(terms[row.id])
        )
        for row in session.scalars(select(SealOrderRow).order_by(SealOrderRow.id))
    )


def ledger_size_before(session: Session, order: SealOrder) -> int:
    """Return a position of the ledger before which no entry can be sealed under an order."""
    ours = AccessStepRow.about == About.SEAL.value, AccessStepRow.name == order.name
    first = select(AccessStepRow.ledger_from).where(*ours).order_by(AccessStepRow.id).limit(1)
    return session.scalar(first) or 0


def told_of(session: Session, order: SealOrder, key: str) -> dict[str, Any]:
    """Return what the ledger is told of a step about an order; empty where it was not taken."""
    row = select(AccessStepRow.body).where(
        AccessStepRow.about == About.SEAL.value,
        AccessStepRow.name == order.name,
        AccessStepRow.key == key,
    )
    return session.scalar(row) or {}
