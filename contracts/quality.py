"""The `quality` lists of a contract: each entry understood or refused at its line.

Source: ODCS v3.2 data quality (library, sql, custom, text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contracts.document import Document, Place, listed, mapping
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
METRIC_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
}
TYPE_KEYS = {
    "library": ("metric", "arguments", "unit", *OPERATORS),
    "sql": ("query", "unit", *OPERATORS),
    "custom": ("engine", "implementation"),
}
COMMON_KEYS = (
    "id",
    "name",
    "type",
    "description",
    "dimension",
    "severity",
    "businessImpact",
    "tags",
    "authoritativeDefinitions",
)
DIMENSIONS = (
    "accuracy",
    "completeness",
    "conformity",
    "consistency",
    "coverage",
    "timeliness",
    "uniqueness",
)
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
    for n, column in enumerate(listed(entry.get("properties"))):
        for m, item in enumerate(listed(mapping(column).get("quality"))):
            name = str(mapping(column).get("name"))
            yield name, mapping(item), ("schema", 0, "properties", n, "quality", m)
    for m, item in enumerate(listed(entry.get("quality"))):
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
    for name in item:
        if name not in COMMON_KEYS and name not in TYPE_KEYS[str(kind)]:
            document.find((*place, name), f"{name!r} says nothing in a rule of type {kind}")
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
    problems = list(_metric_problems(metric, column, arguments))
    for argument, problem in problems:
        document.find((*place, "arguments", argument), problem)
    if problems:
        return None
    columns = (column,) if column else tuple(arguments.get("properties", ()))
    threshold = _threshold(document, item, place)
    if threshold is None:
        return None
    if metric == "rowCount" and threshold.unit == "percent":
        document.find((*place, "unit"), "rowCount is counted in rows, not in percent")
    columns = () if metric == "rowCount" else columns
    return _made(document, item, place, "library", metric, columns, arguments, threshold)


def _metric_problems(
    metric: str, column: str | None, arguments: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield (argument, what is wrong with it)."""
    for name, value in arguments.items():
        if name not in METRIC_ARGUMENTS.get(metric, ()):
            yield name, f"{metric} takes no argument {name!r}"
        elif name == "pattern":
            problem = pattern_problem(value) if isinstance(value, str) else "must be a text"
            if problem:
                yield name, f"pattern: {problem}"
        elif not isinstance(value, list) or any(isinstance(v, list | dict) for v in value):
            yield name, f"{name} must be a list of values"
        elif not value:
            yield name, f"{name} lists nothing"
    if metric == "invalidValues" and not {"validValues", "pattern"} & set(arguments):
        yield "", "invalidValues needs the argument validValues or pattern"
    if metric == "duplicateValues":
        yield from _key_problems(column, arguments)
    elif metric != "rowCount" and column is None:
        yield "", f"{metric} needs a column: write it under a property"


def _key_problems(column: str | None, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    listed_columns = arguments.get("properties")
    if column is not None and "properties" in arguments:
        yield "properties", "properties belongs to a rule of the schema object, not of a column"
    elif column is None and not isinstance(listed_columns, list):
        yield "", "duplicateValues needs a column, or the argument properties"
    elif isinstance(listed_columns, list):
        if not all(isinstance(name, str) for name in listed_columns):
            yield "properties", "properties must name columns"
        elif len(set(listed_columns)) != len(listed_columns):
            yield "properties", "properties names a column twice"


def _sql(
    document: Document,
    contract: Contract,
    column: str | None,
    item: Mapping[str, Any],
    place: Place,
) -> QualityRule | None:
    text = item.get("query", "")
    if not isinstance(text, str):
        document.find((*place, "query"), "SQL is refused: query must be a text")
        return None
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
    if problem is None:
        problem = _column_problem(contract, rule, arguments)
    if problem:
        document.find((*place, "implementation"), f"rule {name!r}: {problem}")
        return None
    columns = rule.columns(arguments)
    threshold = rule.limit(contract, arguments) if rule.limit else None
    return _made(document, item, place, "custom", name, columns, arguments, threshold)


def _implementation(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return {"rule": value.strip()}
    return mapping(value)


def _argument_problem(rule: NamedRule, arguments: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a named rule's arguments, or None."""
    known = {**rule.parameters, **rule.optional}
    if not set(rule.parameters) <= set(arguments) <= set(known):
        also = f", and {', '.join(rule.optional)} if wanted" if rule.optional else ""
        return f"takes exactly {', '.join(rule.parameters)}{also}"
    for name, value in arguments.items():
        problem = _PROBLEMS.get(known[name], _text_problem)(value)
        if problem:
            return f"{name} {problem}" if not problem.startswith("SQL") else problem
    return None


def _text_problem(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _columns_problem(value: Any) -> str | None:
    several = isinstance(value, list) and len(value) > 1
    if several and all(isinstance(name, str) for name in value):
        return None
    return "must list at least two columns"


def _codes_problem(value: Any) -> str | None:
    if isinstance(value, list) and value and all(isinstance(code, str) for code in value):
        return None
    return "must list at least one code, each as a text in quotes"


def _count_problem(value: Any) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if whole else "must be a whole number from 1"


def _sql_problem(value: Any) -> str | None:
    try:
        row_expression(value if isinstance(value, str) else "")
    except UnsafeSql as exc:
        return f"SQL is refused: {exc}"
    return None


_PROBLEMS: Mapping[str, Callable[[Any], str | None]] = {
    "columns": _columns_problem,
    "codes": _codes_problem,
    "count": _count_problem,
    "sql": _sql_problem,
}
_COMPARABLE = (("date", "timestamp"), ("integer", "number"))


def _column_problem(
    contract: Contract, rule: NamedRule, arguments: Mapping[str, Any]
) -> str | None:
    """Return why a rule cannot run on the columns it names, or None; unknown ones come later."""
    kinds = {entry.name: entry.logical_type for entry in contract.properties}
    semantics = {entry.name: entry.semantic for entry in contract.properties}
    first = rule.columns(arguments)[0]
    if rule.semantic and semantics.get(first, rule.semantic) != rule.semantic:
        return f"column {first!r} must have semanticType {rule.semantic}"
    for name, kind in {**rule.parameters, **rule.optional}.items():
        value = arguments.get(name)
        if kind == "date" and kinds.get(str(value), "date") not in ("date", "timestamp"):
            return f"column {value!r} must be a date or timestamp"
        if kind == "columns":
            of = {kinds[item] for item in value or () if item in kinds}
            if not any(of <= set(group) for group in _COMPARABLE):
                return f"{name} must all be dates, or all be numbers"
    return None


def _threshold(document: Document, item: Mapping[str, Any], place: Place) -> Threshold | None:
    given = [name for name in OPERATORS if name in item]
    if len(given) != 1:
        document.find(place, "needs exactly one must… operator")
        return None
    operator, unit = given[0], item.get("unit", "rows")
    value = item[operator]
    several = operator.endswith("Between")
    values = value if several and isinstance(value, list) else [value]
    here = (*place, operator)
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric or len(values) != (2 if several else 1):
        document.find(here, f"{operator} must be {'two numbers' if several else 'one number'}")
        return None
    if unit not in ("rows", "percent"):
        document.find((*place, "unit"), f"unit {unit!r} must be rows or percent")
        return None
    highest = 100 if unit == "percent" else float("inf")
    if any(not 0 <= v <= highest or v == float("inf") for v in values):
        document.find(here, f"{operator} {value} lies outside its range: 0 to {highest:g} {unit}")
        return None
    if values != sorted(values):
        document.find(here, f"{operator} {value} lies outside its range: the smaller comes first")
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
    if item.get("dimension", DIMENSIONS[0]) not in DIMENSIONS:
        return None  # the standard's own schema has found it
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
