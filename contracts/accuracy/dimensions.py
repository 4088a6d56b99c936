"""The six dimensions of GB/T 36344 as X = A / B, from what was recorded of each rule; pure.

Every kind of rule feeds exactly one indicator: `BY_KIND` says which; a kind it does not know goes
by the dimension its contract states. Indicators that no recorded fact speaks to are listed with
the reason, never left out in silence. B = 0 is not applicable, never 100 %. Duplicate rate and
dirty rate count bad items: lower is better.

Source: GB/T 36344-2018 indicators 0101-0602. Which rule feeds which indicator is this project's
choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.store.batches import CheckRow
from hub.store.facts import BatchFacts

DIMENSIONS: Mapping[str, str] = {
    "01": "规范性 conformity",
    "02": "完整性 completeness",
    "03": "准确性 accuracy",
    "04": "一致性 consistency",
    "05": "时效性 timeliness",
    "06": "可访问性 accessibility",
}

#: Code -> title. The first two digits are the dimension.
INDICATORS: Mapping[str, str] = {
    "0101": "数据标准 data standard",
    "0102": "数据模型 data model",
    "0103": "元数据 metadata",
    "0104": "业务规则 business rules",
    "0105": "权威参考数据 authoritative reference data",
    "0106": "安全规范 security rules",
    "0201": "数据元素完整性 element completeness",
    "0202": "数据记录完整性 record completeness",
    "0301": "数据内容正确性 content correctness",
    "0302": "数据格式合规性 format compliance",
    "0303": "数据重复率 duplicate rate",
    "0304": "数据唯一性 uniqueness",
    "0305": "脏数据出现率 dirty data rate",
    "0401": "相同数据一致性 same-data consistency",
    "0402": "关联数据一致性 related-data consistency",
    "0501": "基于时间段的正确性 correct period",
    "0502": "基于时间点的及时性 timely instant",
    "0503": "时序性 chronological order",
    "0601": "可访问 accessible",
    "0602": "可用性 usable",
}

LOWER_IS_BETTER = frozenset({"0303", "0305"})

#: Kind of a check (contracts.checks) -> the one indicator it feeds.
BY_KIND: Mapping[str, str] = {
    "expression": "0104",
    "codes": "0105",
    "division_known": "0105",
    "resident_id_area_known": "0105",
    "required": "0201",
    "nullValues": "0201",
    "missingValues": "0201",
    "rowCount": "0202",
    "resident_id_check_digit": "0301",
    "resident_id_matches_birth_date": "0301",
    "resident_id_matches_sex": "0301",
    "credit_code_check_digit": "0301",
    "type": "0302",
    "pattern": "0302",
    "length": "0302",
    "range": "0302",
    "invalidValues": "0302",
    "key_duplicate": "0303",
    "unique": "0304",
    "duplicateValues": "0304",
    "resident_id_float_damage": "0305",
    "disability_certificate_matches": "0401",
    "reference": "0402",
    "not_future": "0501",
    "freshness": "0502",
    "ordered": "0503",
    "one_household_head": "0402",
}

#: ODCS dimension of a rule whose kind is not listed above -> indicator.
BY_DIMENSION: Mapping[str, str] = {
    "accuracy": "0301",
    "completeness": "0201",
    "conformity": "0302",
    "consistency": "0402",
    "coverage": "0202",
    "timeliness": "0501",
    "uniqueness": "0304",
}

#: Indicators that no rule feeds, and why they have no figure.
NOT_RECORDED: Mapping[str, str] = {
    "0101": "what cleaning had to change is recorded by count, not out of how many",
    "0102": "a file whose columns are not the contract's is refused whole and has no figures",
    "0103": "metadata is the contract itself, which is refused at load when it is not whole",
    "0106": "sealing is not optional: there is nothing to count",
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of a set of deliveries.

    Args:
        conforming: A; of an indicator where lower is better, the bad items.
        evaluated: B.
        share: A / B, None when B = 0: not applicable.
        note: why there is no figure, or "".
    """

    code: str
    dimension: str
    title: str
    conforming: int
    evaluated: int
    share: float | None
    lower_is_better: bool
    note: str = ""

    @property
    def goodness(self) -> float | None:
        """The share with more meaning better: 1 - A / B where A counts bad items."""
        if self.share is None:
            return None
        return 1 - self.share if self.lower_is_better else self.share


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its indicators, and the worst of those that apply.

    Args:
        share: goodness of the worst indicator, None when none applies.
        worst: code of that indicator, or "".
    """

    code: str
    title: str
    share: float | None
    worst: str
    indicators: tuple[Indicator, ...]


def indicator_of(check: CheckRow) -> str:
    """Return the indicator that a recorded check feeds.

    A check recorded before kinds were kept has its kind in front of its id, or goes by dimension.
    """
    kind = check.kind or check.rule.partition(".")[0]
    return BY_KIND.get(kind) or BY_DIMENSION.get(check.dimension, "0104")


def counts_of(check: CheckRow) -> tuple[int, int]:
    """Return (A, B) of one check, A counting what conforms.

    A check that judges the batch as a whole conforms whole while its threshold holds; beyond it,
    the rows it counted do not conform, or no row does where it counts none.
    """
    if check.by_row or check.passed is None:
        return max(check.evaluated - check.failing, 0), check.evaluated
    if check.passed:
        return check.evaluated, check.evaluated
    return (max(check.evaluated - check.failing, 0) if check.failing else 0), check.evaluated


def dimensions_of(batches: Sequence[BatchFacts]) -> tuple[Dimension, ...]:
    """Return the six dimensions over deliveries, in code order: all their A over all their B."""
    totals = dict.fromkeys(INDICATORS, (0, 0))
    for code, good, seen in _facts(batches):
        a, b = totals[code]
        totals[code] = (a + (seen - good if code in LOWER_IS_BETTER else good), b + seen)
    indicators = [_indicator(code, *totals[code]) for code in INDICATORS]
    return tuple(
        _dimension(code, title, tuple(i for i in indicators if i.dimension == code))
        for code, title in DIMENSIONS.items()
    )


def _facts(batches: Iterable[BatchFacts]) -> Iterable[tuple[str, int, int]]:
    """Yield (indicator, conforming, evaluated) of every fact."""
    for batch in batches:
        yield "0601", int(batch.is_readable), 1
        yield "0602", batch.accepted if batch.is_accepted else 0, batch.rows
        for check in batch.checks:
            yield indicator_of(check), *counts_of(check)


def _indicator(code: str, a: int, b: int) -> Indicator:
    note = "" if b else NOT_RECORDED.get(code, "not applicable: nothing was evaluated")
    share = a / b if b else None
    return Indicator(code, code[:2], INDICATORS[code], a, b, share, code in LOWER_IS_BETTER, note)


def _dimension(code: str, title: str, indicators: tuple[Indicator, ...]) -> Dimension:
    applicable = [(g, i.code) for i in indicators if (g := i.goodness) is not None]
    share, worst = min(applicable, default=(None, ""))
    return Dimension(code, title, share, worst, indicators)
