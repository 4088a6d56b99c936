"""A guessed contract as YAML: valid ODCS, every doubt a comment beside the line it is about.

Written by hand and not dumped, because the comments are the point. Texts are JSON strings, which
YAML reads as they are.

Source: ODCS v3.2; YAML 1.2 §10.2 (JSON is YAML).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from contracts.drafting.guess import Column, Guess, Rule
from contracts.rules import NAMED_RULES

MARK = "# 请核实 / to confirm:"


def draft(guess: Guess, remarks: Iterable[str] = ()) -> str:
    """Return the text of a contract file.

    Args:
        remarks: what the check of the sample itself has shown, for the head of the file.
    """
    lines = [*_head(guess, remarks), *_facts(guess), *_schema(guess), *_quality(guess)]
    return "\n".join(lines) + "\n"


def _head(guess: Guess, remarks: Iterable[str]) -> Iterator[str]:
    yield f"# {guess.dataset} — 由样本（{guess.rows:,} 行）推断的数据合同初稿，须逐项核实后使用。"
    yield f"# A first contract inferred from a sample of {guess.rows:,} rows: confirm it line by line."
    for text in (*remarks, *guess.doubts):
        yield f"{MARK} {text}"


def _facts(guess: Guess) -> Iterator[str]:
    domain, _, name = guess.dataset.partition(".")
    yield from (
        "apiVersion: v3.2.0",
        "kind: DataContract",
        f"id: {guess.dataset}",
        f"name: {guess.dataset}",
        "version: 1.0.0",
        "status: draft",
        f"domain: {domain}",
        f"description:  {MARK} 用途 / what the data is for",
        f"  purpose: {_text(f'{guess.dataset}：用途待补 / purpose to be stated')}",
        f"team:  {MARK} 谁负责更正 / who answers for the data",
        f"  name: {_text(guess.owner)}",
        "  members:",
        f"    - {{username: {guess.owner}.steward, role: steward}}",
        f"slaProperties:  {MARK} 各项时限 / every deadline",
        "  - {property: frequency, value: 1, unit: m}",
        "  - {property: latency, value: 5, unit: workingDays}",
        "  - {property: correction, value: 10, unit: workingDays}",
        "customProperties:",
    )
    append = "，样本中未找到主键 / no key was found" if guess.mode == "append" else ""
    for prop, value, doubt in (
        ("title", _text(name), "中文名称 / the Chinese title"),
        ("ownerDepartment", _text(guess.owner), ""),
        ("sharingType", "not_shared", "最严的类型，待定 / the strictest, until decided"),
        ("legalBasis", _text("待补 / to be stated"), "法律依据 / the legal basis"),
        ("updateCycle", "monthly", "更新周期 / how often it comes"),
        ("deliveryMode", guess.mode, f"全量或增量 / full or append{append}"),
        ("publishBar", "{keyAccuracyPercent: 97, overallPercent: 90}", ""),
    ):
        yield f"  - property: {prop}"
        yield f"    value: {value}" + (f"  {MARK} {doubt}" if doubt else "")
    area = next((c.name for c in guess.columns if c.semantic == "division_code"), None)
    if area is not None:
        yield "  - property: areaColumn"
        yield f"    value: {area}  {MARK} 记录所在区域 / the area a record lies in"


def _schema(guess: Guess) -> Iterator[str]:
    yield from (
        "schema:",
        f"  - name: {guess.dataset.partition('.')[2]}",
        "    logicalType: object",
    )
    yield "    properties:"
    for column in guess.columns:
        yield from _column(column)


def _column(column: Column) -> Iterator[str]:
    yield f"      - name: {column.name}"
    yield from (f"        {MARK} {doubt}" for doubt in column.doubts)
    yield f"        businessName: {_text(column.title)}"
    yield f"        logicalType: {column.logical_type}"
    yield f"        classification: {column.classification.name}"
    if column.key_position is not None:
        yield "        primaryKey: true"
        yield f"        primaryKeyPosition: {column.key_position}"
    if column.required:
        yield "        required: true"
    if column.key_field:
        yield "        criticalDataElement: true"
    options = {"maxLength": column.max_length, "pattern": column.pattern}
    if any(value is not None for value in options.values()):
        given = {name: value for name, value in options.items() if value is not None}
        yield f"        logicalTypeOptions: {json.dumps(given, ensure_ascii=False)}"
    custom = {
        "semanticType": column.semantic,
        "subjectRole": column.role,
        "codeSet": column.code_set,
    }
    given_custom = {name: value for name, value in custom.items() if value is not None}
    if given_custom:
        yield "        customProperties:"
        for name, value in given_custom.items():
            yield f"          - {{property: {name}, value: {_text(value)}}}"
    if column.values:
        yield from _listed(column)


def _listed(column: Column) -> Iterator[str]:
    values = json.dumps(list(column.values), ensure_ascii=False)
    yield from (
        "        quality:",
        f"          - name: {column.name}_listed",
        "            type: library",
        "            metric: invalidValues",
        "            mustBe: 0",
        "            dimension: conformity",
        "            severity: warning",
        f"            arguments: {{validValues: {values}}}",
        f"            description: {_text('不在常见值清单内：请核实。 / Not among the usual values: verify it.')}",
    )


def _quality(guess: Guess) -> Iterator[str]:
    yield from (
        "    quality:",
        "      - name: has_rows",
        "        type: library",
        "        metric: rowCount",
        "        mustBeGreaterThan: 0",
        "        dimension: coverage",
        "        severity: error",
        f"        description: {_text('文件没有数据行：请检查导出条件。 / The file has no rows: check the export.')}",
    )
    for rule in guess.rules:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    named = NAMED_RULES[rule.name]
    implementation = {"rule": rule.name, **rule.arguments}
    yield f"      - name: {rule.id}"
    yield from (f"        {MARK} {doubt}" for doubt in rule.doubts)
    yield from (
        "        type: custom",
        "        engine: mingjing",
        f"        implementation: {json.dumps(implementation, ensure_ascii=False)}",
        f"        dimension: {named.dimension}",
        f"        severity: {rule.severity}",
        f"        description: {_text(named.remedy)}",
    )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
