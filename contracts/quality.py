"""The `quality` lists of a contract: each entry understood or refused at its line.

Source: ODCS v3.1 data quality (library, sql, custom, text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.document import Document, Place, mapping
from contracts.model import Contract, QualityRule, Severity, Threshold
from contracts.rules import NAMED_RULES, NamedRule
from contracts.shapes import pattern_problem
from contracts.sql_guard import UnsafeSql, query, row_expression

ENGINE = "mingjing"
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
DEFAULT_DIMENSIONS = {
    "nullValues": "completeness",
    "missingValues": "completeness",
    "invalidValues": "conformity",
    "duplicateValues": "uniqueness",
    "rowCount": "coverage",
}
METRIC_ARGUMENTS = {
    "missingValues": {"missingValues"},
    "invalidValues": {"validValues", "pattern"},
    "duplicateValues": {"properties"},
}
_RULE_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?")


def read_rules(document: Document, contract: Contract, entry: Mapping[str, Any]) -> Contract:
    """Return the contract with its quality rules; what is wrong with them becomes findings."""
    rules: list[QualityRule] = []
    seen: set[str] = set()
    for column, item, place in _entries(entry):
        rule = _rule(document, contract, column, item, place)
        if rule is None:
            continue
        if rule.name in seen:
            document.find(place, f"quality rule {rule.name!r} is there twice")
        seen.add(rule.name)
        rules.append(rule)
    return replace(contract, rules=tuple(rules))


def _entries(entry: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any], Place]]:
    for n, column in enumerate(entry.get("properties") or ()):
        for m, item in enumerate(mapping(column).get("quality") or ()):
            name = str(mapping(column).get("name"))
            yield name, mapping(item), ("schema", 0, "properties", n, "quality", m)
    for m, item in enumerate(entry.get("quality") or ()):
        yield None, mapping(item), ("schema", 0, "quality", m)


def _rule(
    document: Document,
    contract: Contract,
    column: str | None,
    item: Mapping[str, Any],
    place: Place,
) -> QualityRule | None:
    kind = item.get("type", "library")
    if kind == "text":
        return None
    reader = {"library": _library, "sql": _sql, "custom": _named}.get(str(kind))
    if reader is None:
        document.find(place, f"quality type {kind!r} is not library, sql, custom or text")
        return None
    rule = reader(document, contract, column, item, place)
    if rule is None:
        return None
    names = {entry.name for entry in contract.properties}
    unknown = [name for name in rule.columns if name not in names]
    if unknown:
        document.find(place, f"quality rule {rule.name!r} names no column: {', '.join(unknown)}")
        return None
    if not _RULE_ID.fullmatch(rule.name):
        document.find(place, f"quality rule {rule.name!r}: name must be snake_case")
        return None
    return rule


def _library(
    document: Document,
    contract: Contract,  # noqa: ARG001 - one signature for every kind of rule
    column: str | None,
    item: Mapping[str, Any],
    place: Place,
) -> QualityRule | None:
    metric = str(item.get("metric"))
    if metric not in METRICS:
        document.find(place, f"metric {metric!r} is not one of {', '.join(METRICS)}")
        return None
    arguments = dict(mapping(item.get("arguments")))
    for name in sorted(set(arguments) - METRIC_ARGUMENTS.get(metric, set())):
        document.find((*place, "arguments", name), f"{metric} takes no argument {name!r}")
    columns = (column,) if column else tuple(map(str, arguments.get("properties") or ()))
    if metric != "rowCount" and not columns:
        document.find(place, f"{metric} needs a column: write it under a property")
        return None
    if metric == "invalidValues" and not {"validValues", "pattern"} & set(arguments):
        document.find(place, "invalidValues needs the argument validValues or pattern")
        return None
    if "pattern" in arguments and (problem := pattern_problem(str(arguments["pattern"]))):
        document.find((*place, "arguments", "pattern"), f"pattern: {problem}")
        return None
    threshold = _threshold(document, item, place)
    if threshold is None:
        return None
    if metric == "rowCount" and threshold.unit == "percent":
        document.find((*place, "unit"), "rowCount is counted in rows, not in percent")
    columns = () if metric == "rowCount" else columns
    return _made(document, item, place, "library", metric, columns, arguments, threshold)


def _sql(
    document: Document,
    contract: Contract,
    column: str | None,
    item: Mapping[str, Any],
    place: Place,
) -> QualityRule | None:
    text = str(item.get("query", ""))
    readable = {ref.dataset: '"t"' for entry in contract.properties for ref in entry.references}
    try:
        guarded = query(text, column, readable)
    except UnsafeSql as exc:
        document.find((*place, "query"), f"SQL is refused: {exc}")
        return None
    names = {entry.name for entry in contract.properties}
    unknown = sorted(set(guarded.columns) - names)
    if unknown and len(guarded.tables) == 1 and "WITH" not in guarded.sql.split("SELECT")[0]:
        document.find((*place, "query"), f"SQL names no column: {', '.join(unknown)}")
    threshold = _threshold(document, item, place)
    if threshold is None:
        return None
    reads = [name for name in dict.fromkeys(guarded.tables) if name in readable]
    columns = (column,) if column else ()
    return _made(
        document, item, place, "sql", "sql", columns, {"query": text, "reads": reads}, threshold
    )


def _named(
    document: Document,
    contract: Contract,
    column: str | None,
    item: Mapping[str, Any],
    place: Place,
) -> QualityRule | None:
    if item.get("engine") != ENGINE:
        document.find(
            (*place, "engine"), f"engine {item.get('engine')!r} is not run here; ours is {ENGINE!r}"
        )
        return None
    given = _implementation(item.get("implementation"))
    name = str(given.get("rule"))
    rule = NAMED_RULES.get(name)
    if rule is None:
        document.find(
            (*place, "implementation"), f"rule {name!r} is not one of {', '.join(NAMED_RULES)}"
        )
        return None
    arguments = {key: value for key, value in given.items() if key != "rule"}
    if column and "column" in rule.parameters:
        arguments.setdefault("column", column)
    problem = _argument_problem(rule, arguments)
    if problem:
        document.find((*place, "implementation"), f"rule {name!r}: {problem}")
        return None
    columns = rule.columns(arguments)
    semantics = {entry.name: entry.semantic for entry in contract.properties}
    if rule.semantic and semantics.get(columns[0], rule.semantic) != rule.semantic:
        document.find(
            place, f"rule {name!r}: column {columns[0]!r} must have semanticType {rule.semantic}"
        )
        return None
    return _made(document, item, place, "custom", name, columns, arguments, None)


def _implementation(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return {"rule": value.strip()}
    return mapping(value)


def _argument_problem(rule: NamedRule, arguments: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a named rule's arguments, or None."""
    if set(arguments) != set(rule.parameters):
        return f"takes exactly {', '.join(rule.parameters)}"
    for name, kind in rule.parameters.items():
        value = arguments[name]
        if kind == "columns":
            if not isinstance(value, list) or len(value) < 2:
                return f"{name} must list at least two columns"
        elif not isinstance(value, str):
            return f"{name} must be a text"
        elif kind == "sql":
            try:
                row_expression(value)
            except UnsafeSql as exc:
                return f"SQL is refused: {exc}"
    return None


def _threshold(document: Document, item: Mapping[str, Any], place: Place) -> Threshold | None:
    given = [name for name in OPERATORS if name in item]
    if len(given) != 1:
        document.find(place, "needs exactly one must… operator")
        return None
    operator, unit = given[0], item.get("unit", "rows")
    value = item[operator]
    values = value if isinstance(value, list) else [value]
    here = (*place, operator)
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric or len(values) != (2 if operator.endswith("Between") else 1):
        document.find(here, f"{operator} must be given as numbers")
        return None
    if unit not in ("rows", "percent"):
        document.find((*place, "unit"), f"unit {unit!r} must be rows or percent")
        return None
    highest = 100 if unit == "percent" else float("inf")
    if any(not 0 <= v <= highest for v in values) or values != sorted(values):
        document.find(here, f"{operator} {value} lies outside its range")
        return None
    return Threshold(operator, tuple(float(v) for v in values), unit)


def _made(
    document: Document,
    item: Mapping[str, Any],
    place: Place,
    kind: Any,
    rule: str,
    columns: tuple[str, ...],
    arguments: Mapping[str, Any],
    threshold: Threshold | None,
) -> QualityRule | None:
    severity = item.get("severity", "error")
    if severity not in ("error", "warning"):
        document.find((*place, "severity"), f"severity {severity!r} must be error or warning")
        return None
    named = NAMED_RULES.get(rule)
    fallback = named.dimension if named else DEFAULT_DIMENSIONS.get(rule, "conformity")
    chosen: Severity = severity
    return QualityRule(
        name=str(item.get("name") or ".".join((rule.lower(), *columns[:1]))),
        type=kind,
        rule=rule,
        columns=columns,
        dimension=str(item.get("dimension") or fallback),
        severity=chosen,
        remedy=str(item.get("description") or (named.remedy if named else "")),
        arguments=arguments,
        threshold=threshold,
        line=document.line(place),
    )
