"""Reads a department's workbook back: its answers, or everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assets.delivery.limits import Limits
from assets.delivery.returned import capped
from assets.guarded.reading import Bounds, GivenRow, read_workbook
from assets.reconciliation.sheets import ANSWERS, COLUMNS, DEPARTMENT, LONGEST_REMARK, seal_of
from hub.errors import DeliveryRefused
from hub.keyring import Keyring
from hub.store.worklist import Conclusion

LIMITS = Limits(file_bytes=64 << 20, clear_bytes=512 << 20, ratio=100, cells=5_000_000)
_EDITED = (
    "只能填写“结论”和“说明”两栏，整份退回 / only the two answer columns may be filled in: "
    "nothing was taken; mend the cells named and return the workbook again"
)
_OUTDATED = (
    "导出后记录已变动，整份退回 / records have changed since the workbook was handed out: nothing "
    "was taken; clear the answers named, or export again and answer there"
)


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a department says of one item.

    Args:
        place: sheet and cell of the item's name.
        seal: the seal of its row, which knows the evidence that was shown.
    """

    item: str
    conclusion: Conclusion
    remark: str
    place: str
    seal: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A workbook that came back whole: whose it is, its answers, and how many rows have none."""

    department: str
    answers: tuple[GivenAnswer, ...]
    unanswered: int


def read_answers(path: Path, keyring: Keyring, limits: Limits = LIMITS) -> Returned:
    """Return the answers of a workbook that the hub has handed out.

    Args:
        limits: what it may cost.

    Raises:
        DeliveryRefused: when it is no such workbook, or a cell that is not an answer was changed, or
            an answer is none of those offered; its first findings and their number.
    """
    department, reading = read_workbook(
        path, DEPARTMENT, COLUMNS, partial(seal_of, keyring), Bounds(limits)
    )
    answers: dict[str, GivenAnswer] = {}
    unanswered = 0
    for row in reading.rows:
        item, problem = row.cells[0], _problem(row)
        if item in answers:
            problem = f"{row.place()}: 重复 / the same item twice"
        if problem is not None:
            reading.findings.append(problem)
        elif not row.answers[0]:
            unanswered += 1
        else:
            conclusion, remark = row.answers
            answers[item] = GivenAnswer(item, ANSWERS[conclusion], remark, row.place(), row.seal)
    reading.require_good(_EDITED)
    return Returned(department, tuple(answers.values()), unanswered)


def refuse_outdated(returned: Returned, evidence: Mapping[str, str], keyring: Keyring) -> None:
    """Refuse answers about other evidence than an item has now.

    Args:
        evidence: item -> fingerprint of its evidence; items that are not in it are let pass.

    Raises:
        DeliveryRefused: names the cell of each such item.
    """
    seal = seal_of(keyring, returned.department)
    findings = [
        f"{one.place}: 该项已有变动，请重新导出 / this conflict has changed since: export again"
        for one in returned.answers
        if one.item in evidence and not seal.stands_on(one.seal, evidence[one.item])
    ]
    if findings:
        raise DeliveryRefused(_OUTDATED, findings=capped(findings))


def _problem(row: GivenRow) -> str | None:
    """Return what is wrong with an answer and where, None when nothing is."""
    conclusion, remark = row.answers
    if not conclusion:
        if remark:
            return f"{row.answer_place(0)}: 有说明、无结论 / a remark without a conclusion"
        return None
    if conclusion not in ANSWERS:
        return f"{row.answer_place(0)}: 请选择 / choose one of: {'; '.join(ANSWERS)}"
    if len(remark) > LONGEST_REMARK:
        return f"{row.answer_place(1)}: 说明过长 / at most {LONGEST_REMARK} characters"
    if ANSWERS[conclusion] is Conclusion.BOTH_RIGHT and not remark:
        return f"{row.answer_place(1)}: 请写明理由 / say why both are right"
    return None
