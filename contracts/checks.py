"""From a contract to the list of its checks, in the order of their bits; pure.

A check either blames rows (it has a bit in the row's mask) or judges the batch (a measured
number against a threshold). Checks implied by the schema come first, in column order, then the
contract's quality rules in file order.

Source: ODCS v3.2 data quality (dimensions, library metrics, operators).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.model import Contract, Property, QualityRule, Severity, Threshold
from contracts.rules import NAMED_RULES

ROW_METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues")


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One check.

    Args:
        id: stable, snake_case, unique in its contract: `<kind>.<column>` or the rule's name.
        kind: type, required, pattern, length, range, codes, key_duplicate, unique, a library
            metric, "sql", or the name of a named rule.
        columns: columns it is about; empty for the whole dataset.
        severity: an error quarantines the row (or stops the batch), a warning only counts.
        title: what it demands, in words.
        remedy: what the partner is asked to do.
        bit: place in the row mask, or None when it judges the batch as a whole.
        key_field: True when any of its columns is a key field of the accuracy figure.
        arguments: what the rule takes, JSON-able.
        threshold: what the measured number must satisfy, for checks without a bit.
    """

    id: str
    kind: str
    columns: tuple[str, ...]
    dimension: str
    severity: Severity
    title: str
    remedy: str
    bit: int | None
    key_field: bool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threshold: Threshold | None = None


def is_accuracy_rule(spec: CheckSpec) -> bool:
    """Say whether a check counts for rule accuracy: does a key field say something wrong?

    Its dimension is accuracy (0301 of GB/T 36344, content) or conformity (0302, form). A missing
    or repeated key field is an error too, but of completeness or uniqueness: that counts for the
    stricter key accuracy, which knows every error on a key field.

    Source: GB/T 36344-2018 indicators 0301 and 0302; that key fields count is this project's choice.
    """
    said_wrong = spec.dimension in ("accuracy", "conformity")
    return spec.severity == "error" and spec.key_field and spec.bit is not None and said_wrong


def plan(contract: Contract) -> tuple[CheckSpec, ...]:
    """Return the checks of a contract; bits are 0, 1, 2… over those that blame rows."""
    critical = {item.name for item in contract.properties if item.key_field}
    specs = [*_implied(contract), *(_explicit(contract, rule) for rule in contract.rules)]
    planned, bit = [], 0
    for spec in specs:
        own = None if spec.threshold is not None else bit
        bit += own is not None
        touched = any(column in critical for column in spec.columns)
        planned.append(replace(spec, bit=own, key_field=touched))
    return tuple(planned)


def _implied(contract: Contract) -> Iterator[CheckSpec]:
    for item in contract.properties:
        yield from _implied_by(item)
    explicit = {(rule.rule, rule.columns[:1]) for rule in contract.rules}
    for item in contract.properties:
        kind = {
            "resident_id": "resident_id_check_digit",
            "credit_code": "credit_code_check_digit",
        }.get(item.semantic or "")
        if kind and (kind, (item.name,)) not in explicit:
            rule = NAMED_RULES[kind]
            arguments = {"column": item.name}
            yield _spec(
                f"{kind}.{item.name}",
                kind,
                (item.name,),
                rule.dimension,
                rule.title((item.title,)),
                rule.remedy,
                arguments,
            )
    if contract.key:
        titles = "、".join(contract.column(name).title for name in contract.key)
        yield _spec(
            "key_duplicate",
            "key_duplicate",
            contract.key,
            "uniqueness",
            f"{titles}不得重复 / key occurs once",
            "同一主键出现多行且内容不同：请核实保留哪一行，合并或删除其余后重报。"
            " / Several rows share this key: keep the right one, remove the others.",
        )


def _implied_by(item: Property) -> Iterator[CheckSpec]:
    name, title, options = item.name, item.title, item.options
    if item.required:
        yield _spec(
            f"required.{name}",
            "required",
            (name,),
            "completeness",
            f"{title}必填 / is required",
            "此项为空：请补填后重报。 / The value is missing: fill it in.",
        )
    if item.logical_type != "string":
        form = _FORMS[item.logical_type]
        yield _spec(
            f"type.{name}",
            "type",
            (name,),
            "conformity",
            f"{title}须为{form[0]} / must be {form[1]}",
            f"内容不是有效的{form[0]}：请按规定格式改正。 / Not a valid {form[1]}: correct it.",
        )
    if options.pattern:
        yield _spec(
            f"pattern.{name}",
            "pattern",
            (name,),
            "conformity",
            f"{title}格式须符合约定 / must have the agreed form",
            "格式不符合约定：请对照数据合同改正。 / The form is not the agreed one: see the contract.",
            {"pattern": options.pattern},
        )
    if options.min_length is not None or options.max_length is not None:
        fewest, most = options.min_length or 0, options.max_length
        span = f"{fewest}–{most}" if most is not None else f"≥ {fewest}"
        yield _spec(
            f"length.{name}",
            "length",
            (name,),
            "conformity",
            f"{title}长度 {span} 个字符 / has {span} characters",
            f"长度应为 {span} 个字符：请核对是否缺位或多填。 / Length must be {span}: check it.",
            {"min": fewest, "max": most},
        )
    if options.has_range:
        yield _range(item)
    if item.code_set:
        yield _spec(
            f"codes.{name}",
            "codes",
            (name,),
            "conformity",
            f"{title}须取自代码表 {item.code_set} / must be a code of {item.code_set}",
            f"不在代码表 {item.code_set} 中：请改用代码表中的代码。"
            f" / Not in code set {item.code_set}: use one of its codes.",
            {"code_set": item.code_set},
        )
    if item.unique and item.key_position is None:
        yield _spec(
            f"unique.{name}",
            "unique",
            (name,),
            "uniqueness",
            f"{title}不得重复 / occurs once",
            "同一内容出现在多行：请核实并改正。 / The same value is on several rows: correct it.",
        )


def _range(item: Property) -> CheckSpec:
    options = item.options
    bounds = {
        "≥": options.minimum,
        ">": options.exclusive_minimum,
        "≤": options.maximum,
        "<": options.exclusive_maximum,
    }
    span = ", ".join(f"{sign} {bound}" for sign, bound in bounds.items() if bound is not None)
    return _spec(
        f"range.{item.name}",
        "range",
        (item.name,),
        "conformity",
        f"{item.title} {span}",
        f"超出允许范围（{span}）：请核实。 / Outside the allowed range ({span}): verify it.",
        {sign: bound for sign, bound in bounds.items() if bound is not None},
    )


def _explicit(contract: Contract, rule: QualityRule) -> CheckSpec:
    titles = tuple(contract.column(name).title for name in rule.columns)
    threshold = rule.threshold
    if rule.type == "library" and rule.rule in ROW_METRICS and threshold is not None:
        threshold = None if threshold.tolerates_none else threshold
    named = NAMED_RULES.get(rule.rule)
    title = named.title(titles) if named else f"{rule.rule} {'、'.join(titles)}".strip()
    if threshold is not None:
        title = f"{title} {threshold}"
    return CheckSpec(
        id=rule.name,
        kind=rule.rule,
        columns=rule.columns,
        dimension=rule.dimension,
        severity=rule.severity,
        title=title,
        remedy=rule.remedy,
        bit=None,
        key_field=False,
        arguments=rule.arguments,
        threshold=threshold,
    )


def _spec(
    check_id: str,
    kind: str,
    columns: tuple[str, ...],
    dimension: str,
    title: str,
    remedy: str,
    arguments: Mapping[str, Any] | None = None,
) -> CheckSpec:
    return CheckSpec(
        check_id, kind, columns, dimension, "error", title, remedy, None, False, arguments or {}
    )


_FORMS = {
    "integer": ("整数", "whole number"),
    "number": ("数字", "number"),
    "boolean": ("是/否", "true or false"),
    "date": ("日期（YYYY-MM-DD）", "date (YYYY-MM-DD)"),
    "timestamp": ("时间（YYYY-MM-DD HH:MM:SS）", "time (YYYY-MM-DD HH:MM:SS)"),
}
