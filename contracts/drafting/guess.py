"""A first contract guessed from a sample: what each column is; every doubt said. Pure.

A guess errs on the side of protection: what is not understood is level 3 and sealed, and no level
lies below what the meaning of a column asks. A doubt names shares and counts, never a value of a
person.

Source: GB/T 43697-2024 (levels); ODCS v3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.drafting.glossary import Glossary, Known
from contracts.drafting.profile import Profile
from contracts.model import Severity
from hub.catalog import Classification

#: The level below which a column of that meaning never lies.
FLOORS = {
    "address": Classification.L4,
    "bank_account": Classification.L4,
    "birth_date": Classification.L3,
    "credit_code": Classification.L2,
    "disability_certificate": Classification.L4,
    "division_code": Classification.L2,
    "free_text": Classification.L4,
    "person_name": Classification.L3,
    "phone": Classification.L3,
    "resident_id": Classification.L4,
}
#: Meanings that a value proves by itself -> share from which they are believed.
_PROVEN = {"disability_certificate": 0.5, "resident_id": 0.5, "credit_code": 0.8, "phone": 0.8}
#: Meanings that values only look like -> (share alone, share with such a word in the header).
_LIKELY = {
    "bank_account": (0.95, 0.8, ("账号", "卡号", "account_no")),
    "person_name": (0.85, 0.5, ("姓名", "户主", "联系人", "当事人", "name")),
    "address": (0.7, 0.3, ("地址", "住址", "住所", "坐落", "address")),
    "free_text": (0.6, 0.2, ("详情", "经过", "案情", "简述", "备注", "说明", "detail")),
}
_COUNTED = ("数", "量", "次", "额", "金", "面积", "count", "num", "amount", "rooms", "members")
_BIRTH = ("出生", "生日", "birth")
#: Shares of the values from which a guess is sure, from which a column counts as filled.
SURE, FILLED = 0.98, 0.99
_TYPED = 0.9


@dataclass(frozen=True, slots=True)
class Column:
    """One column as guessed.

    Args:
        doubts: what somebody has to look at, with the evidence.
    """

    name: str
    title: str
    logical_type: str
    classification: Classification
    semantic: str | None = None
    role: str | None = None
    code_set: str | None = None
    values: tuple[str, ...] = ()
    required: bool = False
    key_position: int | None = None
    key_field: bool = False
    pattern: str | None = None
    max_length: int | None = None
    doubts: tuple[str, ...] = ()

    def doubting(self, *doubts: str) -> Column:
        """Return the column with further doubts."""
        return replace(self, doubts=(*self.doubts, *doubts))


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule of ours as guessed."""

    name: str
    arguments: dict[str, Any]
    severity: Severity = "error"
    doubts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name it gets in the contract."""
        columns = [str(value) for value in self.arguments.values()]
        return f"{self.name}_{columns[-1]}" if len(columns) == 1 else self.name + f"_{columns[0]}"


@dataclass(frozen=True, slots=True)
class Guess:
    """A dataset as guessed from a sample."""

    dataset: str
    owner: str
    rows: int
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    doubts: tuple[str, ...] = field(default=())

    @property
    def mode(self) -> str:
        """How it is delivered: without a key, rows can only be added."""
        return "full" if any(c.key_position for c in self.columns) else "append"


def guess_column(name: str, seen: Profile, glossary: Glossary) -> Column:
    """Return what one column is."""
    known = glossary.known(seen.header)
    title = " ".join(seen.header.split()) or name
    semantic, doubts = _meaning(seen, known)
    code_set, code_doubts = (None, ()) if semantic else _code_set(seen, known)
    kind, type_doubts = ("string", ()) if semantic or code_set else _type(seen, known)
    if kind == "date" and _hinted(seen.header, _BIRTH):
        semantic = "birth_date"
    level, level_doubts = _level(semantic, code_set, known, glossary)
    listed = kind == "string" and not (semantic or code_set)
    values = seen.values if listed and level < Classification.L4 else ()
    pattern = seen.shape if listed and not values else None
    return Column(
        name=name,
        title=title,
        logical_type=kind,
        classification=level,
        semantic=semantic,
        code_set=code_set,
        values=values,
        required=seen.filled_share >= FILLED,
        pattern=pattern,
        max_length=_roomy(seen.lengths[1])
        if kind == "string" and not (code_set or values)
        else None,
        doubts=(
            *doubts,
            *code_doubts,
            *type_doubts,
            *level_doubts,
            *_presence(seen),
            *_listed(seen, values, pattern),
        ),
    )


def _meaning(seen: Profile, known: Known | None) -> tuple[str | None, tuple[str, ...]]:
    """Return what the values mean: proven by themselves, else likely, else by a known header."""
    said = known.item.semantic if known else None
    for name, least in _PROVEN.items():
        share = seen.meanings[name]
        if share >= least or (said == name and share >= 0.2):
            doubt = f"{share:.1%} 的值符合 {name} / of the values are valid"
            return name, () if share >= SURE else (doubt,)
    if seen.known_divisions >= 0.8 or (said == "division_code" and seen.known_divisions >= 0.3):
        share = seen.known_divisions
        doubt = f"{share:.1%} 的值在区划表内 / of the values are known divisions"
        return "division_code", () if share >= SURE else (doubt,)
    if known and said is None and (known.item.code_set or known.item.logical_type != "string"):
        return None, ()
    for name, (alone, hinted, words) in _LIKELY.items():
        share = seen.meanings[name]
        by_name = said == name or _hinted(seen.header, words)
        if by_name and name == "bank_account":
            share = max(share, seen.meanings["long_number"])
        if share >= (hinted if by_name else alone) or said == name:
            by = "表头如此，" if said == name else ""
            doubt = f"{by}{share:.1%} 的值形似 {name} / of the values look like it"
            return name, (f"{doubt}{', the header says so' if by else ''}",)
    return None, ()


def _code_set(seen: Profile, known: Known | None) -> tuple[str | None, tuple[str, ...]]:
    said = known.item.code_set if known else None
    matches = {match.name: match for match in seen.codes}
    if said is not None and said in matches:
        share = matches[said].share
        doubt = f"{share:.1%} 的值在代码表 {said} 中 / of the values are in the code set"
        return said, () if share >= SURE else (doubt,)
    by_label = [match for match in seen.codes if match.by_label]
    if by_label and known is None:
        best = by_label[0]
        return best.name, (
            f"{best.share:.1%} 的值是代码表 {best.name} 的代码或名称 / are codes or labels of it",
        )
    maybe = [match.name for match in seen.codes][:3]
    if said is not None:
        return None, (
            f"表头通常取自代码表 {said}，此处不符 / the header is usually of that code set",
        )
    if maybe and known is None and seen.distinct > 1:
        return None, (f"可能取自代码表 {'、'.join(maybe)} / may be codes of one of these",)
    return None, ()


def _type(seen: Profile, known: Known | None) -> tuple[str, tuple[str, ...]]:
    """Return the strictest type that nearly every value has; numbers that are names stay text."""
    said = known.item.logical_type if known else None
    share = seen.types.get(said or "", 0.0)
    if said == "string":
        return "string", ()
    if said is not None and share >= _TYPED:
        return said, () if share >= SURE else (_typed(said, share),)
    for kind in ("date", "timestamp", "integer", "number"):
        share = seen.types[kind]
        if share >= _TYPED and not (kind in ("integer", "number") and _is_designation(seen)):
            return kind, () if share >= SURE and seen.filled >= 20 else (_typed(kind, share),)
    return "string", ()


def _is_designation(seen: Profile) -> bool:
    """Say whether digits name something instead of counting: padded, of one length, or codes."""
    if seen.types["integer"] < _TYPED:
        return False  # there are decimals
    of_one_length = seen.lengths[0] == seen.lengths[1] >= 6
    few_codes = bool(seen.values and seen.codes) and not _hinted(seen.header, _COUNTED)
    return seen.is_padded or of_one_length or seen.lengths[1] > 15 or few_codes


def _typed(kind: str, share: float) -> str:
    return f"{share:.1%} 的值是 {kind} / of the values are of that type"


def _level(
    semantic: str | None, code_set: str | None, known: Known | None, glossary: Glossary
) -> tuple[Classification, tuple[str, ...]]:
    floor = FLOORS.get(semantic or "")
    if known is not None:
        level = max(known.level, floor or known.level)
        doubt = f"级别 {level.name} 取自既有合同的同名列 / level as contracts give this header"
        return level, (doubt,)
    if floor is not None:
        return floor, ()
    by_codes = glossary.level_of(code_set) if code_set else None
    if by_codes is not None:
        return by_codes, (
            f"级别取自代码表 {code_set} 的既有用法 / level as that code set has elsewhere",
        )
    return Classification.L3, (
        "含义不明，按 L3 封存 / not understood: L3 and sealed until reviewed",
    )


def _presence(seen: Profile) -> Iterator[str]:
    if seen.filled == 0:
        yield "样本中全部为空 / empty in the whole sample"
    elif FILLED <= seen.filled_share < 1:
        missing = seen.rows - seen.filled
        yield f"按必填处理，{missing} 行为空 / taken as required, {missing} rows lack it"


def _listed(seen: Profile, values: tuple[str, ...], pattern: str | None) -> Iterator[str]:
    if values:
        rare = (
            f"，另有 {seen.rare} 个少见值未列入 / {seen.rare} rare ones left out"
            if seen.rare
            else ""
        )
        yield f"只有 {len(values)} 个常见值，列为提示级清单 / few values: a list that only warns{rare}"
    elif pattern:
        yield f"{seen.distinct} 个值格式相同 / values of one form"


def _hinted(header: str, words: Sequence[str]) -> bool:
    lower = header.casefold()
    return any(word in lower for word in words)


def _roomy(longest: int) -> int:
    """Return a length that leaves room: the next of 8, 16, 32 … that is twice the longest value."""
    room = 8
    while room < 2 * longest:
        room *= 2
    return room
