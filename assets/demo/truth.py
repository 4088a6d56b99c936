"""The truth kept aside: every planted error by file and row, and how much of it was caught.

One Parquet file per generated period; it holds the numbers of invented people and stays with
whoever measures, never with the hub.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One planted error.

    Args:
        row_number: data row in the file, from 1.
        kind: what was done.
        detectable_by: check, cross-source or none.
        rule: id of the rule, or name of the conflict, that should show it.
        record: key of the row as it should have been.
        subject: number of the person a conflict is about, or what a hidden error left, or "".
    """

    dataset: str
    period: str
    file: str
    row_number: int
    column: str
    kind: str
    detectable_by: str
    rule: str
    record: str
    subject: str


_SCHEMA = pa.schema(
    [(f.name, pa.int64() if f.name == "row_number" else pa.string()) for f in fields(TruthRow)]
)


def write_truth(folder: Path, name: str, rows: Iterable[TruthRow], showcase_person: Any) -> None:
    """Write FOLDER/NAME.parquet, and add its counts to summary.json."""
    folder.mkdir(parents=True, exist_ok=True)
    found = list(rows)
    columns = {f.name: [getattr(row, f.name) for row in found] for f in fields(TruthRow)}
    pq.write_table(pa.table(columns, schema=_SCHEMA), folder / f"{name}.parquet")
    summary = _read_json(folder / "summary.json")
    summary[name] = dict(sorted(Counter(row.kind for row in found).items()))
    _write_json(folder / "summary.json", summary)
    if showcase_person:
        _write_json(folder / "showcase.json", showcase_person)


def read_truth(folder: Path) -> tuple[TruthRow, ...]:
    """Return every planted error of every generated period, in file order."""
    rows: list[TruthRow] = []
    for path in sorted(folder.glob("*.parquet")):
        rows.extend(TruthRow(**row) for row in pq.read_table(path).to_pylist())
    return tuple(rows)


def showcase(folder: Path) -> dict[str, str]:
    """Return the person the demonstration looks up: numbers and keys, nothing planted on them."""
    found: dict[str, str] = json.loads((folder / "showcase.json").read_text("utf-8"))
    return found


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")


@dataclass(frozen=True, slots=True)
class KindRow:
    """How many errors of one kind were planted in a dataset and how many were caught."""

    dataset: str
    kind: str
    detectable_by: str
    planted: int
    caught: int

    @property
    def rate(self) -> float:
        """Share that was caught."""
        return self.caught / self.planted

    @property
    def known_miss(self) -> bool:
        """Whether nobody could have found it from the data alone."""
        return self.detectable_by == "none"

    def to_json(self) -> dict[str, Any]:
        """Return the row with its rate."""
        return {**asdict(self), "rate": self.rate, "known_miss": self.known_miss}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was caught of what was planted.

    Args:
        rows: one per dataset and kind, in that order.
        false_alarms: (dataset, file, row) stopped although nothing was planted there.
        unplanted_conflicts: (kind, person) reported although nothing was planted on the person.
    """

    rows: tuple[KindRow, ...]
    false_alarms: tuple[tuple[str, str, int], ...]
    unplanted_conflicts: tuple[tuple[str, str], ...]

    @property
    def missed(self) -> tuple[KindRow, ...]:
        """Rows of kinds that can be found and were not all found."""
        return tuple(r for r in self.rows if not r.known_miss and r.caught < r.planted)


@dataclass(frozen=True, slots=True)
class TrueAccuracy:
    """The true accuracy of a dataset's key fields as delivered, and what a measure makes of it.

    Args:
        wrong: rows with an error planted in a key field, whoever could find it.
        measured: rows that the measure calls wrong in a key field.
        unseen: kind -> rows that are wrong and not measured, because no rule can see it.
        beside: kind -> rows measured wrong for an error planted in another field, which a rule
            over both cannot tell apart.
        unexplained: rows for which neither is so: checks that failed, or alarms for nothing.
    """

    dataset: str
    rows: int
    wrong: int
    measured: int
    unseen: Mapping[str, int]
    beside: Mapping[str, int]
    unexplained: int

    @property
    def true_share(self) -> float:
        """Share of the rows whose key fields are all right."""
        return 1 - self.wrong / self.rows

    @property
    def measured_share(self) -> float:
        """Share of the rows that the measure calls right."""
        return 1 - self.measured / self.rows


def true_accuracy(
    folder: Path,
    rows: Mapping[str, int],
    measured: Iterable[tuple[str, str, int]],
    key_columns: Mapping[str, Collection[str]],
    *,
    files: Iterable[str],
) -> tuple[TrueAccuracy, ...]:
    """Return true against measured accuracy of the key fields, per dataset, row by row.

    Args:
        folder: the truth folder.
        rows: dataset -> rows delivered in those files.
        measured: (dataset, file name, row number from 1) of every row measured wrong.
        key_columns: dataset -> its key fields.
        files: names of the files that were delivered.
    """
    wanted = set(files)
    called: dict[str, set[tuple[str, int]]] = {name: set() for name in rows}
    for dataset, file, row_number in measured:
        called[dataset].add((file, row_number))
    planted: dict[str, dict[tuple[str, int], list[TruthRow]]] = {name: {} for name in rows}
    for row in read_truth(folder):
        if row.file in wanted and row.dataset in planted:
            planted[row.dataset].setdefault((row.file, row.row_number), []).append(row)
    return tuple(
        _true_accuracy(name, count, called[name], planted[name], frozenset(key_columns[name]))
        for name, count in sorted(rows.items())
        if count
    )


def _true_accuracy(
    dataset: str,
    rows: int,
    called: set[tuple[str, int]],
    planted: Mapping[tuple[str, int], list[TruthRow]],
    keys: frozenset[str],
) -> TrueAccuracy:
    wrong = {
        place: error
        for place, errors in planted.items()
        if (error := next((e for e in errors if e.column in keys), None)) is not None
    }
    unseen: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    unexplained = 0
    for place, error in wrong.items():
        if place not in called:
            hidden = error.detectable_by != "check"
            unseen[error.kind] += hidden
            unexplained += not hidden
    for place in called - set(wrong):
        errors = planted.get(place)
        if errors:
            beside[errors[0].kind] += 1
        else:
            unexplained += 1
    return TrueAccuracy(dataset, rows, len(wrong), len(called), +unseen, +beside, unexplained)


def compare(
    folder: Path,
    caught: Iterable[tuple[str, str, int]],
    conflicts: Iterable[tuple[str, str]] = (),
    *,
    files: Iterable[str] | None = None,
    token: Callable[[str], str] = str,
) -> Comparison:
    """Return how much of the planted errors was caught, per dataset and kind.

    Args:
        folder: the truth folder.
        caught: (dataset, file name, row number from 1) of every quarantined row.
        conflicts: (kind, token of the person) of every conflict found between sources.
        files: names of the files that were delivered; None means all that were generated.
        token: how the caller names a person instead of by number, e.g. by a keyed hash.
    """
    stopped, found = set(caught), set(conflicts)
    wanted = None if files is None else set(files)
    planted: Counter[tuple[str, str, str]] = Counter()
    hits: Counter[tuple[str, str, str]] = Counter()
    places, persons = set(), set()
    for row in read_truth(folder):
        if wanted is not None and row.file not in wanted:
            continue
        key = (row.dataset, row.kind, row.detectable_by)
        place, person = (row.dataset, row.file, row.row_number), (row.rule, token(row.subject))
        planted[key] += 1
        crossing = row.detectable_by == "cross-source"
        hits[key] += (person in found) if crossing else (place in stopped)
        places.add(place)
        persons.add(person[1])
    unplanted = {(kind, person) for kind, person in found if person not in persons}
    rows = tuple(KindRow(*key, planted[key], hits[key]) for key in sorted(planted))
    return Comparison(rows, tuple(sorted(stopped - places)), tuple(sorted(unplanted)))
