"""Code sets: the lists that give a code its meaning, one CSV file each.

A code set file is UTF-8 with the header `code,label,note`; `division.csv` holds places with
`code,label,level,valid_from,valid_to` and is the only one whose codes come and go.

Source: GB/T 2261.1, GB/T 2261.2, GB/T 3304, GB/T 4658, GB/T 4761, GB/T 2260.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.errors import ContractError

BUILT_IN = Path(__file__).parent / "codes"
DIVISIONS = "division"


@dataclass(frozen=True, slots=True)
class Code:
    """One code: what is stored, what people read, and when it was valid (None: always)."""

    code: str
    label: str
    note: str = ""
    level: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str = ""

    def is_valid_on(self, day: date) -> bool:
        """Say whether the code was in force on that day; `valid_to` is its last day."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)


@dataclass(frozen=True, slots=True)
class CodeSet:
    """One list of codes, in file order."""

    name: str
    codes: tuple[Code, ...]

    def valid_on(self, day: date) -> tuple[str, ...]:
        """Return the codes in force on that day, in file order."""
        return tuple(code.code for code in self.codes if code.is_valid_on(day))

    def label(self, code: str) -> str | None:
        """Return the label of a code, or None when the set does not hold it."""
        return next((item.label for item in self.codes if item.code == code), None)


class CodeSets(Mapping[str, CodeSet]):
    """Every code set by name, in name order."""

    def __init__(self, sets: Sequence[CodeSet]) -> None:
        self._sets = {item.name: item for item in sorted(sets, key=lambda s: s.name)}

    def __getitem__(self, name: str) -> CodeSet:
        return self._sets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)


def load_code_sets(folders: Sequence[Path] = ()) -> CodeSets:
    """Read every `*.csv` of the built-in folder and of `codes/` in further contract folders.

    A later folder's file replaces an earlier one of the same name.

    Raises:
        ContractError: every finding with file and line.
    """
    findings: list[str] = []
    sets: dict[str, CodeSet] = {}
    for folder in (BUILT_IN, *(folder / "codes" for folder in folders)):
        for path in sorted(folder.glob("*.csv")):
            sets[path.stem] = _read_set(path, findings)
    if findings:
        raise ContractError("code sets are not valid", findings=tuple(findings))
    return CodeSets(tuple(sets.values()))


def _read_set(path: Path, findings: list[str]) -> CodeSet:
    codes: list[Code] = []
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = {"code", "label"} - set(reader.fieldnames or ())
            if missing:
                findings.append(f"{path.name}:1: header lacks {', '.join(sorted(missing))}")
                return CodeSet(path.stem, ())
            for row in reader:
                _take(row, f"{path.name}:{reader.line_num}", seen, codes, findings)
    except UnicodeDecodeError:
        findings.append(f"{path.name}:1: not UTF-8; save it as UTF-8")
    return CodeSet(path.stem, tuple(codes))


def _take(
    row: dict[str, str | None],
    place: str,
    seen: set[str],
    codes: list[Code],
    findings: list[str],
) -> None:
    cells = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
    if not cells["code"] or cells["code"] in seen:
        findings.append(f"{place}: code {cells['code']!r} is empty or listed twice")
        return
    seen.add(cells["code"])
    try:
        codes.append(
            Code(
                cells["code"],
                cells["label"],
                cells.get("note", ""),
                cells.get("level", ""),
                _day(cells.get("valid_from", "")),
                _day(cells.get("valid_to", "")),
                cells.get("successor", ""),
            )
        )
    except ValueError:
        findings.append(f"{place}: valid_from and valid_to are dates YYYY-MM-DD or empty")


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
