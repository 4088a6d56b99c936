"""A guessed contract against its own sample: what it demands too much of, it demands less of. Pure.

The sample is checked by the real check. A first contract that its own sample cannot pass would
only stop the first delivery; so the demand that most rows fail is softened, and that is said.

Source: ODCS v3.2 (severity).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.drafting.guess import Column, Guess, Rule
from contracts.verdict import BatchVerdict, CheckResult

MOST_ROUNDS = 12


def softened(guess: Guess, verdict: BatchVerdict) -> Guess | None:
    """Return the guess without the demand that most rows fail, None when none can be softened."""
    failing = sorted(
        (r for r in verdict.results if r.failing and r.spec.severity == "error"),
        key=lambda r: -r.failing,
    )
    for result in failing:
        changed = _softer(guess, result)
        if changed is not None:
            return changed
    return None


def remarks(verdict: BatchVerdict) -> Iterator[str]:
    """Yield what the sample's own check has shown, in counts."""
    share = "–" if verdict.overall is None else f"{verdict.overall:.2%}"
    key = "–" if verdict.key_accuracy is None else f"{verdict.key_accuracy:.2%}"
    yield (
        f"样本自检：合格 {share}，关键项准确 {key}"
        f" / its own sample: {share} of the rows accepted, key fields {key}"
    )
    if not verdict.passed:
        yield "样本本身达不到发布门槛 / the sample itself stays below the bar"
    for result in verdict.results:
        if result.failing:
            yield f"{result.spec.id}: {result.failing} / {verdict.rows} ({result.spec.severity})"


def _softer(guess: Guess, result: CheckResult) -> Guess | None:
    kind, columns = result.spec.kind, result.spec.columns
    doubt = (
        f"样本中 {result.failing} 行不符合 {kind}，已放宽 / rows of the sample fail it: softened"
    )
    if kind == "key_duplicate":
        return _with_columns(
            guess, columns, lambda c: replace(c.doubting(doubt), key_position=None)
        )
    change = {
        "required": lambda c: replace(c, required=False),
        "pattern": lambda c: replace(c, pattern=None),
        "length": lambda c: replace(c, max_length=None),
        "codes": lambda c: replace(c, code_set=None),
        "type": lambda c: replace(c, logical_type="string", semantic=None),
    }.get(kind)
    if change is not None:
        column = next(c for c in guess.columns if c.name == columns[0])
        if kind == "required" and column.key_position is not None:
            return None
        left = _with_columns(guess, columns, lambda c: change(c).doubting(doubt))
        return _without_rules_of(left, columns[0]) if kind in ("codes", "type") else left
    rules = list(guess.rules)
    for place, rule in enumerate(rules):
        if rule.id == result.spec.id and rule.severity == "error":
            rules[place] = replace(rule, severity="warning", doubts=(*rule.doubts, doubt))
            return replace(guess, rules=tuple(rules))
    if kind in ("resident_id_check_digit", "credit_code_check_digit"):
        rule = Rule(kind, {"column": columns[0]}, "warning", (doubt,))
        return replace(guess, rules=(*guess.rules, rule))
    return None


def _with_columns(guess: Guess, names: tuple[str, ...], change: object) -> Guess:
    assert callable(change)
    columns: list[Column] = [change(c) if c.name in names else c for c in guess.columns]
    return replace(guess, columns=tuple(columns))


def _without_rules_of(guess: Guess, column: str) -> Guess:
    kept = tuple(r for r in guess.rules if column not in r.arguments.values())
    return replace(guess, rules=kept)
