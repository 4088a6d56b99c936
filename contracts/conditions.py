"""When a row fails a check, as SQL over the names of `contracts.frame`; pure.

Source: ODCS v3.2 logicalTypeOptions and library metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from contracts.checks import CheckSpec
from contracts.codes import CodeSet
from contracts.frame import Frame
from contracts.lists import alternation, is_long, none_of
from contracts.rules import NAMED_RULES
from contracts.shapes import Shape, bare
from hub.quoting import literal

DUPLICATE_KINDS = ("key_duplicate", "unique", "duplicateValues")


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL under which a row fails.

    Args:
        clear: cheap SQL that is true only for rows that cannot fail; None when there is none.
            All such tests of a word are put together, so that most rows are asked nothing else.
        looks_up: True when it reads another table. A join inside the scan would lose the order
            of the file, so such a check sets its bit afterwards.
    """

    fails: str
    clear: str | None = None
    looks_up: bool = False


def condition(frame: Frame, spec: CheckSpec, shapes: Mapping[str, Shape]) -> Condition | None:
    """Return when a row fails a check, or None when that cannot be evaluated now."""
    if spec.kind in NAMED_RULES:
        rule = NAMED_RULES[spec.kind]
        fails = rule.fails(frame, spec.arguments)
        if fails is None:
            return None
        clear = rule.clear(frame, spec.arguments) if rule.clear else None
        if spec.kind == "division_known" and shapes[spec.columns[0]].proves_codes:
            # a listed code is in force today; whether it was on the row's own date is asked
            clear = None if "on_date" in spec.arguments else frame.plain(spec.columns[0])
        return Condition(fails, clear, rule.looks_up(frame, spec.arguments))
    return _KINDS[spec.kind](frame, spec, shapes[spec.columns[0]])


def _required(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:  # noqa: ARG001
    column = spec.columns[0]  # an empty cell of a required column is not plain
    return Condition(f"{frame.text(column)} IS NULL", frame.plain(column))


def _type(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:  # noqa: ARG001
    typed, text = frame.typed(spec.columns[0]), frame.text(spec.columns[0])
    return Condition(
        f"{typed} IS NULL AND {text} IS NOT NULL", f"({typed} IS NOT NULL OR {text} IS NULL)"
    )


def _pattern(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:
    column = spec.columns[0]
    fails = (
        f"NOT regexp_full_match({frame.text(column)}, {literal(bare(spec.arguments['pattern']))})"
    )
    return Condition(fails, frame.plain(column) if shape.proves_pattern else None)


def _length(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:
    column, fewest, most = spec.columns[0], spec.arguments["min"], spec.arguments["max"]
    text = frame.text(column)
    tests = [f"length({text}) < {fewest}"] if fewest else []
    tests += [f"length({text}) > {most}"] if most is not None else []
    proven = shape.lengths is not None and (
        fewest <= shape.lengths[0] and (most is None or shape.lengths[1] <= most)
    )
    clear = frame.plain(column) if proven else None
    if not proven and not fewest:  # bytes are counted faster, and never fewer than characters
        clear = f"({text} IS NULL OR strlen({text}) <= {most})"
    return Condition(" OR ".join(tests) or "false", clear)


def _range(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:  # noqa: ARG001
    column = spec.columns[0]
    kind = frame.contract.column(column).logical_type
    value = frame.typed(column)
    against = {"≥": "<", ">": "<=", "≤": ">", "<": ">="}
    tests = [
        f"{value} {against[sign]} {_bound(kind, bound)}" for sign, bound in spec.arguments.items()
    ]
    return Condition(" OR ".join(tests))


def _bound(kind: str, bound: object) -> str:
    if kind in ("date", "timestamp"):
        return f"{kind.upper()} {literal(str(bound))}"
    return literal(str(bound)) if kind == "string" else str(bound)


def _codes(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition | None:
    column = spec.columns[0]
    known: CodeSet | None = frame.code_sets.get(spec.arguments["code_set"])
    if known is None:
        return None
    codes = known.valid_on(frame.as_of)
    fails = none_of(frame.text(column), codes)
    return Condition(fails, frame.plain(column) if shape.proves_codes else None, is_long(codes))


def _missing(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:  # noqa: ARG001
    return Condition(missing_sql(frame, spec))


def _invalid(frame: Frame, spec: CheckSpec, shape: Shape) -> Condition:  # noqa: ARG001
    return Condition(invalid_sql(frame, spec))


def missing_sql(frame: Frame, spec: CheckSpec) -> str:
    """SQL: the value is NULL or one of the metric's `missingValues`."""
    text = frame.text(spec.columns[0])
    words = [
        str(word) for word in spec.arguments.get("missingValues", ()) if word not in (None, "")
    ]
    return f"{text} IS NULL" + (
        f" OR regexp_full_match({text}, {literal(alternation(words))})" if words else ""
    )


def invalid_sql(frame: Frame, spec: CheckSpec) -> str:
    """SQL: the value is there and not among `validValues`, or not of the `pattern`."""
    text = frame.text(spec.columns[0])
    tests = []
    if "validValues" in spec.arguments:
        tests.append(none_of(text, [str(value) for value in spec.arguments["validValues"]]))
    if "pattern" in spec.arguments:
        tests.append(f"NOT regexp_full_match({text}, {literal(bare(spec.arguments['pattern']))})")
    return " OR ".join(tests)


_KINDS: Mapping[str, Callable[[Frame, CheckSpec, Shape], Condition | None]] = {
    "required": _required,
    "type": _type,
    "pattern": _pattern,
    "length": _length,
    "range": _range,
    "codes": _codes,
    "nullValues": _missing,
    "missingValues": _missing,
    "invalidValues": _invalid,
}
