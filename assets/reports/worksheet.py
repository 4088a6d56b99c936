"""The worksheet of a field sample: written for people with pens, read back with distrust.

It is a guarded workbook (`assets.guarded`): a cover with the sample's id, and one row per record
with four answers, each chosen from a list. Whatever else a returned file holds (changed cells, rows
of another sample, other answers) refuses it whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from assets.delivery.limits import Limits
from assets.guarded.reading import Bounds, GivenRow, read_of, read_workbook
from assets.guarded.sheets import AnswerColumn, Mark, Seal, Sheet
from assets.guarded.writing import write_workbook
from assets.reports.drawing import VERIFIED
from hub.cells import plain

RIGHT, WRONG, UNREACHABLE = "一致", "不一致", "无法核实"
ANSWERS = (RIGHT, WRONG, UNREACHABLE)
SHEET = "核查表"
#: What the cover calls the id of the sample.
SAMPLE = "样本编号 sample"
HEADINGS = (
    "序号 no.", "区划 division", "姓名 name", "公民身份号码 number", "人员状态 status",
    "居住地址 residence",
)  # fmt: skip
COLUMNS = (
    AnswerColumn("姓名核查 name checked", ANSWERS),
    AnswerColumn("号码核查 number checked", ANSWERS),
    AnswerColumn("状态核查 status checked", ANSWERS),
    AnswerColumn("住址核查 residence checked", ANSWERS),
)
_COVER = (
    ("填写 how to answer", "请逐行实地核查，四个核查栏均从列表选择；其他栏请勿改动。"),
    ("", "Check every row on the spot; choose in the four answer columns and change nothing else."),
    (
        "保密 confidential",
        "含个人信息，限核查使用，用后删除。 / Personal data, for this check only.",
    ),
)
_REFUSED = (
    "核查表与发出时不符或未填完，整份退回 / the worksheet is not as it was issued, or not filled in: "
    "nothing of it is taken"
)

# A sample has at most 1,521 records; beside its cells a sheet may hold a few stray ones, each of
# which is a finding.
_MOST_ROWS, _MOST_COLUMNS, _STRAY = 2_000, len(HEADINGS) + len(COLUMNS) + 6, 50

#: What a worksheet may cost.
LIMITS = Limits(file_bytes=8 << 20, clear_bytes=8 << 20, cells=_MOST_ROWS * _MOST_COLUMNS)


@dataclass(frozen=True, slots=True)
class Line:
    """One record to verify: the values a field worker needs, in the order of `VERIFIED`."""

    stratum: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the field found of one record: the answer for each field of `VERIFIED`."""

    stratum: str
    answers: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """Right when everything agrees; wrong when anything does not; else unreachable."""
        if WRONG in self.answers:
            return "wrong"
        return "unreachable" if UNREACHABLE in self.answers else "right"


def write_worksheet(file: BinaryIO, sample: str, lines: Sequence[Line], mark: Mark) -> None:
    """Write the workbook of a sample. It holds personal data: record the disclosure first."""
    cover = (("实地抽查 field sample", f"{len(lines):,} 条 / records"), (SAMPLE, sample), *_COVER)
    rows = tuple(
        (str(number), *map(plain, (line.stratum, *line.values)))
        for number, line in enumerate(lines, start=1)
    )
    sheet = Sheet(SHEET, HEADINGS, rows, ("",) * len(rows))
    write_workbook(file, cover, (sheet,), COLUMNS, seal_of(sample, mark))


def seal_of(sample: str, mark: Mark) -> Seal:
    """Return the seal of a sample's worksheet."""
    return Seal(mark, f"field sample\0{sample}")


def sample_named(path: Path) -> str:
    """Return the id of the sample that a worksheet says it is of.

    Raises:
        DeliveryRefused: when it is no workbook of this kind, is too large or holds macros.
    """
    return read_of(path, SAMPLE, Bounds(LIMITS, _MOST_ROWS, _MOST_COLUMNS))


def read_worksheet(path: Path, sample: str, size: int, mark: Mark) -> tuple[Checked, ...]:
    """Return what the field found of every record of a sample, in the order of their numbers.

    Args:
        size: how many records the sample has.

    Raises:
        DeliveryRefused: with its first findings, each with its cell; none repeats a value.
    """
    bounds = Bounds(LIMITS, size + 1 + _STRAY, _MOST_COLUMNS)
    _, reading = read_workbook(path, SAMPLE, COLUMNS, lambda _: seal_of(sample, mark), bounds)
    is_edited = bool(reading.findings)
    found: dict[int, Checked] = {}
    for row in reading.rows:
        number = int(row.cells[0])  # it is as it was issued, says the seal
        if number in found:
            reading.findings.append(f"{row.place()}: 重复 / row {number} is here twice")
            continue
        reading.findings += _unanswered(row)
        found[number] = Checked(row.cells[1], row.answers)
    missing = [number for number in range(1, size + 1) if number not in found]
    if missing and not is_edited:
        reading.findings.append(f"缺 {len(missing)} 行 / rows are missing: no. {_spans(missing)}")
    reading.require_good(_REFUSED)
    return tuple(found[number] for number in sorted(found))


def _unanswered(row: GivenRow) -> Iterator[str]:
    for place, answer in enumerate(row.answers):
        if answer not in ANSWERS:
            yield f"{row.answer_place(place)}: 请选择 / choose {'、'.join(ANSWERS)}"


def _spans(numbers: Sequence[int]) -> str:
    """Return numbers as spans.

    >>> _spans([1, 2, 3, 7])
    '1–3, 7'
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}–{b}" if a != b else f"{a}" for a, b in spans)


def counts(checked: Sequence[Checked]) -> Mapping[str, Mapping[str, Any]]:
    """Return stratum -> right, wrong, unreachable, and wrong by field; no value, no person."""
    found: dict[str, dict[str, Any]] = {}
    for one in checked:
        stratum = found.setdefault(
            one.stratum, {"right": 0, "wrong": 0, "unreachable": 0, "fields": {}}
        )
        stratum[one.outcome] += 1
        for field, answer in zip(VERIFIED, one.answers, strict=True):
            if answer == WRONG:
                stratum["fields"][field] = stratum["fields"].get(field, 0) + 1
    return found
