"""The checks of a contract for engines that take SQL: when a delivered row fails, as one condition.

Over the delivered text, uncleaned, in DuckDB's dialect; the arithmetic of identity numbers is the
product's own, so that no engine is slow for want of a good formula. What an engine says in its own
words (missing, valid values, duplicates, row count) it is given as such besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.residents import AS_OF
from contracts.arithmetic import has_birth_date, has_check_character
from contracts.checks import CheckSpec, plan
from contracts.codes import CodeSets
from contracts.model import Contract
from contracts.shapes import ISO_DATE, RESIDENT_ID
from hub.quoting import identifier, literals


def rules(contract: Contract, code_sets: CodeSets) -> list[dict[str, Any]]:
    """Return every check as a JSON object for a peer.

    Returns:
        id, kind, columns, arguments (`values`, `pattern`, `min`, `max`, `percent` as the kind
        needs) and `fails`, the SQL condition; null for checks that judge the whole file.
    """
    return [
        {
            "id": spec.id,
            "kind": spec.kind,
            "columns": list(spec.columns),
            "arguments": _arguments(spec, code_sets),
            "fails": _fails(spec, code_sets),
        }
        for spec in plan(contract)
    ]


def _arguments(spec: CheckSpec, code_sets: CodeSets) -> Mapping[str, Any]:
    values = _values(spec, code_sets)
    if values is not None:
        return {"values": values}
    if spec.threshold is not None:
        return {"percent": spec.threshold.values[0]}
    return dict(spec.arguments)


def _values(spec: CheckSpec, code_sets: CodeSets) -> list[str] | None:
    if spec.kind == "codes":
        return list(code_sets[spec.arguments["code_set"]].valid_on(AS_OF))
    if spec.kind == "division_known":
        return list(code_sets["division"].valid_on(AS_OF))
    return None


def _fails(spec: CheckSpec, code_sets: CodeSets) -> str | None:
    cell, *others = map(identifier, spec.columns or ("",))
    values = _values(spec, code_sets)
    if values is not None:
        return f"{cell} NOT IN ({literals(values)})"
    match spec.kind:
        case "required":
            return f"{cell} IS NULL"
        case "length":
            return f"length({cell}) NOT BETWEEN {spec.arguments['min']} AND {spec.arguments['max']}"
        case "pattern":
            return f"NOT regexp_matches({cell}, '{spec.arguments['pattern']}')"
        case "type":
            formed = f"regexp_full_match({cell}, '{ISO_DATE}')"
            return f"{cell} IS NOT NULL AND (NOT {formed} OR TRY_CAST({cell} AS DATE) IS NULL)"
        case "range":
            return f"TRY_CAST({cell} AS DATE) < DATE '{spec.arguments['≥']}'"
        case "ordered":
            return f"TRY_CAST({cell} AS DATE) > TRY_CAST({others[0]} AS DATE)"
        case "resident_id_check_digit":
            return _wrong_number(cell)
        case "resident_id_matches_birth_date":
            return f"substr({cell}, 7, 8) <> replace({others[0]}, '-', '')"
        case "resident_id_matches_sex":
            digit = f"TRY_CAST(substr({cell}, 17, 1) AS INTEGER)"
            return f"{others[0]} IN ('1', '2') AND {others[0]} <> CASE {digit} % 2 WHEN 1 THEN '1' ELSE '2' END"
    return None


def _wrong_number(cell: str) -> str:
    body = f"TRY_CAST(left({cell}, 17) AS BIGINT)"
    right = f"{has_check_character(body, cell)} AND {has_birth_date(body)}"
    return (
        f"{cell} IS NOT NULL AND NOT (CASE WHEN regexp_full_match({cell}, '{RESIDENT_ID}') "
        f"THEN coalesce({right}, false) ELSE false END)"
    )
