"""Privacy budgets in the records: what each analyst has spent on noised counts of each dataset.

Only ever added to. A charge is checked against the budget and written in one transaction that
holds the write lock, before any noise is drawn: two processes together never spend more than there
is, and whoever is killed in between has paid for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from hub.store.access_models import PrivacySpendRow
from hub.store.records import Records


@dataclass(frozen=True, slots=True)
class Charge:
    """What one query costs its asker.

    Args:
        actor: the account.
        period: name of the period whose budget pays, "2026-03" or "2026".
        epsilon: thousandths.
    """

    actor: str
    dataset: str
    period: str
    epsilon: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What an account has spent on a dataset in a period, in thousandths, by how many queries."""

    actor: str
    dataset: str
    period: str
    epsilon: int
    queries: int


class Budgets:
    """Charges in the records of one installation; safe for several processes at once."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def charge(self, charge: Charge, budget: int) -> int | None:
        """Write a charge down if the budget pays for it.

        Args:
            budget: thousandths that the period has.
        Returns:
            What is spent with it, in thousandths; None when the budget does not pay for it, and
            nothing was charged.
        """
        with self._records.writing() as session:
            same = (
                PrivacySpendRow.actor == charge.actor,
                PrivacySpendRow.dataset == charge.dataset,
                PrivacySpendRow.period == charge.period,
            )
            total = select(func.coalesce(func.sum(PrivacySpendRow.epsilon_millis), 0))
            spent = session.scalars(total.where(*same)).one() + charge.epsilon
            if spent > budget:
                return None
            session.add(
                PrivacySpendRow(
                    actor=charge.actor,
                    dataset=charge.dataset,
                    period=charge.period,
                    epsilon_millis=charge.epsilon,
                    at=charge.at,
                )
            )
            return int(spent)

    def spent(self) -> tuple[Spent, ...]:
        """Return what was spent, the newest period first, then by account and dataset."""
        row = PrivacySpendRow
        query = (
            select(
                row.actor, row.dataset, row.period, func.sum(row.epsilon_millis), func.count(row.id)
            )
            .group_by(row.actor, row.dataset, row.period)
            .order_by(row.period.desc(), row.actor, row.dataset)
        )
        with self._records.reading() as session:
            return tuple(Spent(*found) for found in session.execute(query))
