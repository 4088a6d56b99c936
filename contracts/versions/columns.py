"""What two versions of a contract say differently about its columns; pure.

A column that goes breaks both sides: consumers miss it, and a file that still brings it is refused
as having an unknown column. What is promised more loosely breaks consumers, what is demanded more
tightly breaks the provider, what is protected less breaks the data subjects.

Source: ODCS v3.2 (schema); GB/T 43697-2024 (levels).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.model import Contract, Property, Scalar, TypeOptions
from contracts.versions.difference import (
    BOTH,
    CONSUMER,
    NOBODY,
    PROVIDER,
    SUBJECTS,
    Bump,
    Difference,
    Party,
)

Codes = Mapping[str, Collection[str]]
SHOWN = 12
#: Types that take every value of another: from -> to.
_WIDER = {("integer", "number"), ("date", "timestamp")}
_CHECKED = ("resident_id", "credit_code")
_HOW = {"year": "年份 year", "month": "年月 month", "age_band": "年龄段 age band"}


@dataclass(frozen=True, slots=True)
class _Change:
    """A difference of one column, before it is told whose it is."""

    kind: str
    breaks: tuple[Party, ...]
    text: str
    least: Bump = Bump.MINOR


def compare_columns(
    old: Contract, new: Contract, old_codes: Codes, new_codes: Codes
) -> Iterator[Difference]:
    """Yield what differs between the columns: gone, renamed, new, then column by column.

    Args:
        old_codes, new_codes: code set -> its codes; a set that either lacks is not compared.
    """
    renamed = renames(old, new)
    known = {item.name: item for item in old.properties}
    present = {item.name for item in new.properties} | set(renamed.values())
    for item in old.properties:
        if item.name not in present:
            text = "不再提供；仍报送此列的文件将被退回 / is gone; files that bring it are refused"
            yield Difference("column_removed", item.name, BOTH, f"{called(item)}{text}")
    for item in new.properties:
        before = known.get(renamed.get(item.name, item.name))
        changes = (
            _added(item)
            if before is None
            else (c for compare in _COMPARED for c in compare(before, item))
        )
        for change in (*changes, *_codes(before, item, old_codes, new_codes)):
            text = f"{called(item)}{change.text}"
            yield Difference(change.kind, item.name, change.breaks, text, change.least, item.line)


def renames(old: Contract, new: Contract) -> dict[str, str]:
    """Return new column name -> old one, for columns that kept their title but not their name."""
    before, after = {p.name for p in old.properties}, {p.name for p in new.properties}
    gone = {p.title: p.name for p in old.properties if p.name not in after}
    return {
        p.name: gone[p.title] for p in new.properties if p.name not in before and p.title in gone
    }


def called(item: Property) -> str:
    """Return a column as a sentence begins with it."""
    return f"列 {item.name}（{item.title}）" if item.title != item.name else f"列 {item.name} "


def listed(values: Collection[object]) -> str:
    """Return a few values and how many more there are."""
    shown = "、".join(map(str, sorted(map(str, values))[:SHOWN]))
    return shown if len(values) <= SHOWN else f"{shown} … ({len(values)})"


def _added(item: Property) -> Iterator[_Change]:
    if item.required or item.key_position is not None:
        text = "为新增必填列，不带此列的文件将被退回 / is new and required: files without it are refused"
        yield _Change("required_column_added", PROVIDER, text)
    else:
        yield _Change("column_added", NOBODY, "为新增选填列 / is new and optional")


def _name(old: Property, new: Property) -> Iterator[_Change]:
    if old.name != new.name:
        text = f"原名 {old.name}，已改名 / was called {old.name}"
        yield _Change("column_renamed", CONSUMER, text)


def _type(old: Property, new: Property) -> Iterator[_Change]:
    was, now = old.logical_type, new.logical_type
    if was != now:
        breaks = CONSUMER if (was, now) in _WIDER or now == "string" else BOTH
        yield _Change("type_changed", breaks, f"类型由 {was} 改为 {now} / type was {was}, is {now}")


def _level(old: Property, new: Property) -> Iterator[_Change]:
    was, now = old.classification, new.classification
    if now > was:
        text = (
            f"级别由 {was.name} 升为 {now.name}：原先能看到原值的人可能只见遮盖值或不再可见"
            f" / was {was.name}, is {now.name}: some who saw it will see a mask or nothing"
        )
        yield _Change("classification_raised", CONSUMER, text)
    elif now < was:
        text = (
            f"级别由 {was.name} 降为 {now.name}：更多人将看到原值，影响数据主体，请先复核既有授权 / was"
            f" {was.name}, is {now.name}: more people will see it, affects data subjects; review grants"
        )
        yield _Change("classification_lowered", (*CONSUMER, *SUBJECTS), text)


def _protection(old: Property, new: Property) -> Iterator[_Change]:
    if old.sealed != new.sealed:
        text = (
            "改为封存：不再能用于统计和筛选 / is sealed now: no longer there for counts and filters"
            if new.sealed
            else "不再封存：原值将以明文存放，影响数据主体"
            " / is no longer sealed: its value lies in the clear, affects data subjects"
        )
        if new.sealed:
            yield _Change("column_sealed", CONSUMER, text)
        else:
            yield _Change("column_unsealed", (*CONSUMER, *SUBJECTS), text)
    if old.semantic != new.semantic:
        breaks = BOTH if new.semantic in _CHECKED else CONSUMER
        was, now = old.semantic or "–", new.semantic or "–"
        text = (
            f"语义类型由 {was} 改为 {now}，遮盖方式随之改变 / means {now}, was {was}: masks change"
        )
        yield _Change("semantic_changed", breaks, text)
    if old.role != new.role:
        was, now = old.role or "–", new.role or "–"
        text = f"所指的人由 {was} 改为 {now} / is about {now}, was about {was}"
        yield _Change("subject_role_changed", CONSUMER, text)


def _presence(old: Property, new: Property) -> Iterator[_Change]:
    flags: tuple[tuple[str, str, str, Callable[[Property], bool]], ...] = (
        ("required", "必填", "required", lambda p: p.required),
        ("unique", "不得重复", "unique", lambda p: p.unique),
    )
    for name, chinese, english, flag in flags:
        if flag(new) and not flag(old):
            yield _Change(f"{name}_added", PROVIDER, f"改为{chinese} / is {english} now")
        elif flag(old) and not flag(new):
            text = f"不再{chinese} / is no longer {english}"
            yield _Change(f"{name}_dropped", CONSUMER, text)
    if new.key_field and not old.key_field:
        text = "计入准确率，达标更难 / counts in the accuracy figure now"
        yield _Change("key_field_added", PROVIDER, text)
    elif old.key_field and not new.key_field:
        text = "不再计入准确率 / no longer counts in the accuracy figure"
        yield _Change("key_field_dropped", NOBODY, text)


def _generalised(old: Property, new: Property) -> Iterator[_Change]:
    for name, how in old.clear_as.items():
        now = new.clear_as.get(name)
        if now is None:
            text = f"的概括列 {name} 不再提供 / no longer gives the generalised column {name}"
            yield _Change("generalised_column_removed", CONSUMER, text)
        elif now != how:
            text = f"的概括列 {name} 由{_HOW[how]}改为{_HOW[now]} / generalised column changed"
            yield _Change("generalised_column_changed", CONSUMER, text)
    for name in new.clear_as.keys() - old.clear_as.keys():
        text = f"新增概括列 {name} / gives a new generalised column {name}"
        if old.sealed or new.sealed:
            text = (
                f"由封存值新增明文概括列 {name}，影响数据主体"
                f" / gives {name} in the clear out of a sealed value: affects data subjects"
            )
        breaks = SUBJECTS if old.sealed or new.sealed else NOBODY
        yield _Change("generalised_column_added", breaks, text)


_BOUNDS: tuple[tuple[str, str, bool, Callable[[TypeOptions], Scalar | None]], ...] = (
    ("length", "最短长度 minLength", True, lambda o: o.min_length),
    ("length", "最大长度 maxLength", False, lambda o: o.max_length),
    ("range", "下限 minimum", True, lambda o: o.minimum),
    ("range", "上限 maximum", False, lambda o: o.maximum),
    ("range", "下限（不含）exclusiveMinimum", True, lambda o: o.exclusive_minimum),
    ("range", "上限（不含）exclusiveMaximum", False, lambda o: o.exclusive_maximum),
)


def _options(old: Property, new: Property) -> Iterator[_Change]:
    for kind, words, is_low, bound in _BOUNDS:
        was, now = bound(old.options), bound(new.options)
        if was == now:
            continue
        tighter = now is not None and (was is None or not _is_wider(was, now, is_low=is_low))
        text = f"{words} {_said(was)} → {_said(now)}"
        text += " 收紧 / tighter" if tighter else " 放宽 / wider"
        how = "tightened" if tighter else "widened"
        yield _Change(f"{kind}_{how}", PROVIDER if tighter else NOBODY, f"的{text}")
    if old.options.pattern != new.options.pattern:
        if new.options.pattern is None:
            yield _Change("pattern_dropped", NOBODY, "不再限定格式 / no longer has a pattern")
        else:
            text = f"的格式改为 {new.options.pattern} / has another pattern"
            yield _Change("pattern_changed", PROVIDER, text)


def _is_wider(was: Scalar, now: Scalar, *, is_low: bool) -> bool:
    """Say whether a bound lets more values through than before; of unlike kinds it does not."""
    if isinstance(was, int | float) and isinstance(now, int | float):
        return now < was if is_low else now > was
    try:
        before, after = (datetime.fromisoformat(str(bound)) for bound in (was, now))
    except ValueError:
        return False
    return after < before if is_low else after > before


def _said(bound: Scalar | None) -> str:
    return "–" if bound is None else str(bound)


def _references(old: Property, new: Property) -> Iterator[_Change]:
    before, after = set(map(str, old.references)), set(map(str, new.references))
    if gone := before - after:
        text = f"不再关联 {listed(gone)} / no longer refers to it"
        yield _Change("relationship_removed", CONSUMER, text)
    if fresh := after - before:
        text = f"新关联 {listed(fresh)} / refers to it now"
        yield _Change("relationship_added", NOBODY, text)


def _words(old: Property, new: Property) -> Iterator[_Change]:
    if old.title != new.title:
        text = f"的名称由“{old.title}”改为“{new.title}” / title changed"
        yield _Change("title_changed", NOBODY, text, Bump.PATCH)
    if old.description != new.description:
        yield _Change("wording", NOBODY, "的说明已修改 / description changed", Bump.PATCH)


def _codes(
    old: Property | None, new: Property, old_codes: Codes, new_codes: Codes
) -> Iterator[_Change]:
    """Yield what differs in the values a column may take from a list."""
    if old is None or (old.code_set is None and new.code_set is None):
        return
    if old.code_set is None:
        text = f"须取自代码表 {new.code_set} / must be a code of {new.code_set} now"
        yield _Change("code_set_added", PROVIDER, text)
    elif new.code_set is None:
        text = f"不再限于代码表 {old.code_set} / may hold anything, not only {old.code_set}"
        yield _Change("code_set_dropped", CONSUMER, text)
    elif old.code_set != new.code_set:
        text = f"代码表由 {old.code_set} 换为 {new.code_set} / has another code set"
        yield _Change("code_set_replaced", BOTH, text)
    elif old.code_set in old_codes and new.code_set in new_codes:
        yield from _listed_codes(
            new.code_set, set(old_codes[old.code_set]), set(new_codes[new.code_set])
        )


def _listed_codes(name: str, before: set[str], after: set[str]) -> Iterator[_Change]:
    if gone := before - after:
        text = f"的代码表 {name} 删去 {listed(gone)} / codes are gone from {name}"
        yield _Change("codes_removed", BOTH, text)
    if fresh := after - before:
        # A list grows on its own; built-in contracts could not be given a version for it.
        text = f"的代码表 {name} 增加 {listed(fresh)} / {name} has new codes"
        yield _Change("codes_added", NOBODY, text, Bump.NONE)


_COMPARED: tuple[Callable[[Property, Property], Iterator[_Change]], ...] = (
    _name,
    _type,
    _level,
    _protection,
    _presence,
    _generalised,
    _options,
    _references,
    _words,
)
