"""Which version of each contract the hub has loaded data under, and what it said.

Kept in the operational records. A dataset's last entry is what a changed contract is compared
with; the document is kept whole, so that the comparison needs no old file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.store.models import ContractVersionRow
from hub.store.records import Records


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version as it was used.

    Args:
        digest: SHA-256 of the canonical JSON of the document, hexadecimal.
        document: the contract and the codes of its lists, as JSON values.
    """

    dataset: str
    version: str
    digest: str
    document: Mapping[str, Any]
    first_used_at: datetime


class ContractVersions:
    """The versions of one installation."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def latest(self) -> dict[str, ContractVersion]:
        """Return the version last used of every dataset."""
        with self._records.reading() as session:
            rows = session.scalars(select(ContractVersionRow).order_by(ContractVersionRow.id))
            return {row.dataset: _version(row) for row in rows}

    def history(self, dataset: str) -> tuple[ContractVersion, ...]:
        """Return every version of a dataset that was used, newest first."""
        query = select(ContractVersionRow).where(ContractVersionRow.dataset == dataset)
        with self._records.reading() as session:
            rows = session.scalars(query.order_by(ContractVersionRow.id.desc()))
            return tuple(_version(row) for row in rows)

    def adopt(self, used: ContractVersion) -> bool:
        """Record that a version is used; return whether that was news.

        The same version with another digest (its code lists have grown) takes the former's place.
        """
        query = select(ContractVersionRow).where(
            ContractVersionRow.dataset == used.dataset, ContractVersionRow.version == used.version
        )
        with self._records.writing() as session:
            row = session.scalars(query.with_for_update()).one_or_none()
            if row is None:
                session.add(
                    ContractVersionRow(
                        dataset=used.dataset,
                        version=used.version,
                        digest=used.digest,
                        document=dict(used.document),
                        first_used_at=used.first_used_at,
                    )
                )
                return True
            if row.digest == used.digest:
                return False
            row.digest, row.document = used.digest, dict(used.document)
            return True


def _version(row: ContractVersionRow) -> ContractVersion:
    return ContractVersion(row.dataset, row.version, row.digest, row.document, row.first_used_at)
