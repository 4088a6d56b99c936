"""From a contract's checks to the SQL of one batch; pure text, no connection.

ONE scan (`contracts.ladder`) makes the table `checked`; a GROUP BY over hashes sets the bits of
duplicates; accepted rows are a view on `checked`, quarantine and changes are small tables.

Source: ODCS v3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.checks import CheckSpec
from contracts.cleaning import transforms
from contracts.codes import CodeSets
from contracts.conditions import DUPLICATE_KINDS, Condition, condition
from contracts.frame import Frame
from contracts.ladder import Rung, scan
from contracts.lists import LONGEST
from contracts.masks import Masks
from contracts.metrics import Measure, measure, repeated_table
from contracts.model import Contract, Property, PublishBar
from contracts.outcome import (
    blame,
    changes_of,
    duplicates,
    failures,
    look_up,
    repeated,
    results,
    totals,
    touched_columns,
)
from contracts.rules import NAMED_RULES, is_grouped
from contracts.shapes import shape_of

NOT_PUBLISHED = "not evaluated: nothing is published yet in {}"
NO_LIST = "not evaluated: there is no code list for it"


@dataclass(frozen=True, slots=True)
class SourceRelation:
    """Where a batch's rows come from.

    Args:
        sql: SELECT of all-VARCHAR columns named by contract column, in the order of the file.
        columns: which contract columns it gives; the others count as empty.
        numbered: True when it also gives `row_number` BIGINT. Otherwise rows are numbered from 1
            in the order of the file, which is faster: the scan stays parallel.
    """

    sql: str
    columns: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class CompiledBatch:
    """Everything needed to run one batch, as SQL text, in the order of its fields.

    Args:
        scan: creates `checked`.
        afterwards: set the bits of checks that look at other rows or other tables.
        results: create `accepted`, `flawed`, `findings`, `quarantine`, `touched`.
        touched: one row: per column, whether any cell was off shape.
        changes: per column the SELECT of its changes, in the order of `touched`.
        totals: one row: rows, then per spec the rows it was evaluated on.
        failures: one row: see `contracts.outcome.failures`.
        leftovers: drop what only the run itself needs.
        measures: spec id -> how a batch-level number is measured.
        skipped: spec id -> why it cannot be evaluated now.
        numbered: False when row numbers rely on the engine keeping the order of the file.
    """

    dataset: str
    specs: tuple[CheckSpec, ...]
    bar: PublishBar
    scan: str
    afterwards: tuple[str, ...]
    results: tuple[str, ...]
    touched: str
    changes: tuple[str, ...]
    totals: str
    failures: str
    leftovers: tuple[str, ...]
    measures: Mapping[str, Measure] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False


def compile_batch(
    contract: Contract,
    specs: Sequence[CheckSpec],
    source: SourceRelation,
    *,
    as_of: date,
    code_sets: CodeSets,
    references: Mapping[str, str] | None = None,
    partner: str | None = None,
) -> CompiledBatch:
    """Return the SQL that checks one batch.

    Args:
        as_of: day of the delivery; dates after it lie in the future.
        references: "dataset.column" -> SQL relation with the published values in a column of
            that name; a rule whose reference is absent is reported as not evaluated.
        partner: whose code maps apply.
    """
    frame = Frame(contract, code_sets, as_of, references or {})
    rungs = tuple(_rung(frame, item, source, partner) for item in contract.properties)
    conditions = _conditions(frame, specs, rungs)
    measures = {spec.id: measure(frame, spec) for spec in specs if spec.bit is None}
    masks = Masks(tuple(specs))
    kept = {name: found for name, found in conditions.items() if found is not None}
    inside = {name: found for name, found in kept.items() if not found.looks_up}
    counted = dict.fromkeys(spec.columns for spec in specs if spec.kind in DUPLICATE_KINDS)
    skipped = [spec for spec in specs if {**conditions, **measures}.get(spec.id, "") is None]
    return CompiledBatch(
        dataset=contract.name,
        specs=tuple(specs),
        bar=contract.bar,
        scan=scan(frame, rungs, masks, inside, (source.sql, source.numbered)),
        afterwards=(
            *(repeated(columns) for columns in counted),
            *(
                look_up(frame, spec, masks, kept[spec.id].fails)
                for spec in specs
                if spec.id in kept and kept[spec.id].looks_up
            ),
            *(
                duplicates(contract, spec, masks)
                for spec in specs
                if spec.bit is not None and spec.kind in DUPLICATE_KINDS
            ),
            *(
                blame(spec, masks, str(NAMED_RULES[spec.kind].fails(frame, spec.arguments)))
                for spec in specs
                if is_grouped(spec.kind)
            ),
        ),
        results=results(contract, rungs, masks, numbered=source.numbered),
        touched=touched_columns(rungs),
        changes=tuple(changes_of(rungs, rung) for rung in rungs),
        totals=totals(specs),
        failures=failures(specs, masks),
        leftovers=(
            "DROP TABLE touched",
            *(f"DROP TABLE {repeated_table(columns)}" for columns in counted),
        ),
        measures={name: found for name, found in measures.items() if found is not None},
        skipped={spec.id: _why(spec) for spec in skipped},
        numbered=source.numbered,
    )


def _rung(frame: Frame, item: Property, source: SourceRelation, partner: str | None) -> Rung:
    code_set = frame.code_sets.get(item.code_set) if item.code_set else None
    code_map = frame.contract.source(partner).code_maps.get(item.name, {})
    shape = shape_of(item, _listed(frame, item), code_map)
    return Rung(item, shape, transforms(item, code_set, code_map), item.name in source.columns)


def _listed(frame: Frame, item: Property) -> tuple[str, ...] | None:
    """Return the codes a clean value of the column must be among, when a list says so."""
    if item.code_set and item.code_set in frame.code_sets:
        codes = frame.code_sets[item.code_set].valid_on(frame.as_of)
    elif any(
        r.rule == "division_known" and r.columns == (item.name,) for r in frame.contract.rules
    ):
        fewest, most = item.options.min_length or 0, item.options.max_length or 99
        codes = tuple(code for code in frame.divisions() if fewest <= len(code) <= most)
    else:
        return None
    return codes if 0 < len(codes) <= LONGEST else None


def _conditions(
    frame: Frame, specs: Sequence[CheckSpec], rungs: Sequence[Rung]
) -> dict[str, Condition | None]:
    shapes = {rung.item.name: rung.shape for rung in rungs}
    return {
        spec.id: condition(frame, spec, shapes)
        for spec in specs
        if spec.bit is not None and spec.kind not in DUPLICATE_KINDS and not is_grouped(spec.kind)
    }


def _why(spec: CheckSpec) -> str:
    if spec.kind == "reference":
        return NOT_PUBLISHED.format(spec.arguments["dataset"])
    if spec.kind == "sql":
        return NOT_PUBLISHED.format(", ".join(spec.arguments["reads"]))
    return NO_LIST
