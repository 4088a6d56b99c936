"""Drawing a stratified random sample from what is in service, so that it can be drawn again.

Within a stratum, records are ordered by a hash of seed and record key, and the first are taken:
the same version, seed and size give the same persons, and nobody can choose them.

Source: `contracts.accuracy.sampling`; strata are the division codes that records lie in (社区, 派出所).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.accuracy.sampling import allocate, sample_size
from hub.catalog import Column, Dataset
from hub.errors import RequestError
from hub.quoting import identifier, literal
from hub.store import lake

#: What a field worker verifies; a record is right only if all of it agrees.
VERIFIED = ("name", "number", "status", "residence")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One record that was drawn: where it lies, its key, and whom it is about."""

    stratum: str
    record_key: bytes
    subject_key: bytes


@dataclass(frozen=True, slots=True)
class Drawing:
    """A sample.

    Args:
        strata: stratum -> records it holds.
        records: in order of stratum, and in no meaningful order within it.
    """

    seed: str
    strata: Mapping[str, int]
    records: tuple[Drawn, ...]

    @property
    def population(self) -> int:
        """How many records the sample was drawn from."""
        return sum(self.strata.values())


def verified_columns(dataset: Dataset) -> dict[str, Column]:
    """Return name, number, status and residence -> the dataset's column of it.

    Raises:
        RequestError: when the dataset does not hold all four of one person, with the missing ones.
    """
    found: dict[str, Column] = {}
    number = next(iter(dataset.subjects.values()), "")
    for column in dataset.columns:
        kind = {"person_name": "name", "address": "residence"}.get(column.semantic or "")
        if column.name == number:
            kind = "number"
        elif column.name == "person_status":
            kind = "status"
        elif kind == "residence" and not column.name.startswith("residence"):
            kind = None
        if kind is not None and column.role is not None:
            found.setdefault(kind, column)
    missing = [kind for kind in VERIFIED if kind not in found]
    if missing or dataset.area_column is None:
        raise RequestError(
            f"a record is right only if {', '.join(VERIFIED)} all agree; "
            f"{dataset.name} does not hold {', '.join(missing) or 'a place'} of a person"
        )
    return {kind: found[kind] for kind in VERIFIED}


def draw(
    con: lake.Connection, dataset: Dataset, snapshot: int, *, digits: int, seed: str
) -> Drawing:
    """Draw a sample of a dataset's records as of a lake snapshot.

    Args:
        digits: length of the division codes that make the strata.

    Raises:
        RequestError: when the dataset has no record there.
    """
    role = next(iter(dataset.subjects))
    at = f"AT (VERSION => {int(snapshot)})"
    records = (
        f"SELECT coalesce(left({identifier(dataset.area_column or '')}, {int(digits)}), '?') "
        f"AS stratum, record_key, subject_key FROM {lake.register_table(dataset.name)} r {at} "
        f"JOIN lake.identity.map m {at} ON m.identifier_key = r.{identifier(f'{role}_key')} "
        "WHERE r.valid_to IS NULL"
    )
    with lake.guarded("the drawing of a sample"):
        held = con.execute(f"SELECT stratum, count(*) FROM ({records}) GROUP BY stratum").fetchall()
        strata = {str(name): int(count) for name, count in sorted(held)}
        quotas = allocate(strata, sample_size(sum(strata.values())))
        if not quotas:
            raise RequestError(f"{dataset.name} has no record in service to draw from")
        wanted = ", ".join(f"({literal(n)}, {count})" for n, count in quotas.items())
        order = f"sha256({literal(seed)} || hex(record_key)), record_key"
        rows = con.execute(
            f"SELECT stratum, record_key, subject_key FROM (SELECT *, row_number() OVER "
            f"(PARTITION BY stratum ORDER BY {order}) AS place FROM ({records})) "
            f"JOIN (VALUES {wanted}) quota(stratum, quota) USING (stratum) WHERE place <= quota "
            "ORDER BY stratum, place"
        ).fetchall()
    return Drawing(seed, strata, tuple(Drawn(str(s), bytes(r), bytes(k)) for s, r, k in rows))
