"""What two versions of a contract say differently about quality: rules, bar, deadlines; pure.

A rule that blames more rows than before breaks the provider. One that blames fewer breaks nobody:
what a consumer may rely on are columns and codes, not what was once refused.

Source: ODCS v3.2 (data quality, service levels).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from contracts.model import Contract, QualityRule, ServiceLevel
from contracts.versions.columns import listed, renames
from contracts.versions.difference import BOTH, CONSUMER, NOBODY, PROVIDER, Bump, Difference, Party

#: Service levels whose longer time a consumer notices.
_AWAITED = ("frequency", "latency")
_HOURS = {"h": 1.0, "hours": 1.0, "hour": 1.0, "d": 24.0, "days": 24.0, "day": 24.0,
          "w": 168.0, "weeks": 168.0, "week": 168.0, "m": 730.0, "months": 730.0, "month": 730.0,
          "y": 8766.0, "years": 8766.0, "year": 8766.0}  # fmt: skip


def compare_rules(old: Contract, new: Contract) -> Iterator[Difference]:
    """Yield what differs between the quality rules, matched by name and then by content."""
    moved = {was: now for now, was in renames(old, new).items()}
    before = {rule.name: _moved(rule, moved) for rule in old.rules}
    after = {rule.name: rule for rule in new.rules}
    gone = {name: rule for name, rule in before.items() if name not in after}
    for name, rule in after.items():
        if name in before:
            yield from _compare(before[name], rule)
            continue
        twin = next((key for key, other in gone.items() if _content(other) == _content(rule)), None)
        if twin is not None:
            del gone[twin]
            text = f"规则 {twin} 改名为 {name} / rule {twin} is called {name} now"
            yield Difference("rule_renamed", name, NOBODY, text, line=rule.line)
        else:
            yield _added(rule)
    for name in gone:
        text = f"规则 {name} 已取消 / rule {name} is gone"
        yield Difference("rule_removed", name, NOBODY, text)


def _moved(rule: QualityRule, names: Mapping[str, str]) -> QualityRule:
    """Return a rule with the columns called as they are called now."""
    arguments = {
        key: names.get(value, value) if isinstance(value, str) else value
        for key, value in rule.arguments.items()
    }
    if isinstance(columns := arguments.get("columns"), list):
        arguments["columns"] = [names.get(name, name) for name in columns]
    return replace(
        rule, columns=tuple(names.get(name, name) for name in rule.columns), arguments=arguments
    )


def _content(rule: QualityRule) -> tuple[object, ...]:
    return rule.type, rule.rule, rule.columns, rule.severity, rule.arguments, rule.threshold


def _added(rule: QualityRule) -> Difference:
    if rule.severity == "error":
        text = f"新增错误级规则 {rule.name} / new error rule"
        return Difference("error_rule_added", rule.name, PROVIDER, text, line=rule.line)
    text = f"新增提示级规则 {rule.name} / new warning rule"
    return Difference("warning_rule_added", rule.name, NOBODY, text, line=rule.line)


def _compare(old: QualityRule, new: QualityRule) -> Iterator[Difference]:
    def told(
        kind: str, breaks: tuple[Party, ...], text: str, least: Bump = Bump.MINOR
    ) -> Difference:
        return Difference(kind, new.name, breaks, f"规则 {new.name} {text}", least, new.line)

    if old.severity != new.severity:
        if new.severity == "error":
            text = "由提示改为错误 / was a warning, is an error"
            yield told("severity_raised", PROVIDER, text)
        else:
            text = "由错误改为提示 / was an error, is a warning"
            yield told("severity_lowered", NOBODY, text)
    was, now = _valid_values(old), _valid_values(new)
    if was is not None and now is not None and was != now:
        if gone := was - now:
            breaks = BOTH if new.severity == "error" else CONSUMER
            yield told("values_removed", breaks, f"不再允许 {listed(gone)} / allows fewer values")
        if fresh := now - was:
            yield told("values_added", NOBODY, f"增加允许 {listed(fresh)} / allows more values")
    elif _demand(old) != _demand(new):
        breaks = PROVIDER if new.severity == "error" else NOBODY
        yield told("rule_changed", breaks, "的要求已改变 / demands something else")
    if old.threshold != new.threshold:
        yield _threshold(old, new)
    if (old.dimension, old.remedy) != (new.dimension, new.remedy):
        yield told("wording", NOBODY, "的说明已修改 / is worded otherwise", Bump.PATCH)


def _valid_values(rule: QualityRule) -> set[str] | None:
    values = rule.arguments.get("validValues")
    return set(map(str, values)) if isinstance(values, list) else None


def _demand(rule: QualityRule) -> tuple[object, ...]:
    return rule.type, rule.rule, rule.columns, rule.arguments


_LOW = ("mustBeGreaterThan", "mustBeGreaterOrEqualTo")
_HIGH = ("mustBeLessThan", "mustBeLessOrEqualTo")


def _threshold(old: QualityRule, new: QualityRule) -> Difference:
    """Tell a changed threshold; one that cannot be compared counts as tighter."""
    was, now = old.threshold, new.threshold
    looser = now is None and was is not None
    if was is not None and now is not None and (was.operator, was.unit) == (now.operator, now.unit):
        if was.operator in _LOW:
            looser = now.values < was.values
        elif was.operator in _HIGH:
            looser = now.values > was.values
        elif was.operator == "mustBeBetween":
            looser = now.values[0] <= was.values[0] and now.values[1] >= was.values[1]
        elif was.operator == "mustNotBeBetween":
            looser = now.values[0] >= was.values[0] and now.values[1] <= was.values[1]
    breaks = NOBODY if looser or new.severity == "warning" else PROVIDER
    kind = "threshold_loosened" if looser else "threshold_tightened"
    text = f"规则 {new.name} 的界限由 {was} 改为 {now} / threshold changed"
    return Difference(kind, new.name, breaks, text, line=new.line)


def compare_bar(old: Contract, new: Contract) -> Iterator[Difference]:
    """Yield what differs in the publish bar."""
    for name, was, now in (
        ("keyAccuracyPercent", old.bar.key_accuracy_percent, new.bar.key_accuracy_percent),
        ("overallPercent", old.bar.overall_percent, new.bar.overall_percent),
    ):
        if now > was:
            text = f"发布门槛 {name} 由 {was:g} 提高到 {now:g} / a higher bar"
            yield Difference("bar_raised", name, PROVIDER, text)
        elif now < was:
            text = f"发布门槛 {name} 由 {was:g} 降到 {now:g} / a lower bar"
            yield Difference("bar_lowered", name, NOBODY, text)


def compare_service_levels(old: Contract, new: Contract) -> Iterator[Difference]:
    """Yield what differs in the promises about time."""
    before = {item.property: item for item in old.service_levels}
    after = {item.property: item for item in new.service_levels}
    for name, was in before.items():
        if name not in after:
            breaks = CONSUMER if name in _AWAITED else NOBODY
            text = f"时限 {name} 已取消 / the promise on {name} is gone"
            yield Difference("service_level_removed", name, breaks, text)
        elif (was.value, was.unit) != (after[name].value, after[name].unit):
            yield _service_level(was, after[name])
    for name in after.keys() - before.keys():
        text = f"新增时限 {name}：{_told(after[name])} / a new promise on {name}"
        yield Difference("service_level_added", name, PROVIDER, text)


def _service_level(was: ServiceLevel, now: ServiceLevel) -> Difference:
    text = f"时限 {was.property} 由 {_told(was)} 改为 {_told(now)}"
    before, after = _hours(was), _hours(now)
    if was.unit == now.unit:
        before, after = _number(was), _number(now)
    if before is None or after is None:
        text += "，无法比较长短 / which is longer cannot be told"
        return Difference("service_level_changed", was.property, BOTH, text)
    if after < before:
        text += "，更短 / shorter"
        return Difference("deadline_shortened", was.property, PROVIDER, text)
    breaks = CONSUMER if was.property in _AWAITED else NOBODY
    return Difference("deadline_extended", was.property, breaks, f"{text}，更长 / longer")


def _number(level: ServiceLevel) -> float | None:
    value = level.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _hours(level: ServiceLevel) -> float | None:
    number, unit = _number(level), _HOURS.get(level.unit)
    return None if number is None or unit is None else number * unit


def _told(level: ServiceLevel) -> str:
    return f"{level.value} {level.unit}".strip()
