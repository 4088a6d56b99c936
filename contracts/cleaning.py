"""What is changed in a value before it is checked: named steps, each counted.

Nothing is mended silently: a step is one SQL expression with a name, and every cell it changed
is found again under that name in the batch's `changes`. A step that would have to guess (a
two-digit year, a lost digit) does not exist; such a value stays as it is and fails its check.

Source: GB 11643-1989 (15-digit numbers), GB/T 15835 (numerals).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.arithmetic import check_character
from contracts.codes import CodeSet
from contracts.model import Property
from contracts.shapes import BLANK, HAN, INVISIBLE, NULL_WORDS
from hub.quoting import literal, literals

_WIDE = "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000"
_NARROW = "".join(chr(code) for code in range(0x21, 0x7F)) + " "
_TEXTUAL = ("person_name", "address", "free_text")
_MULTIPLE = 10_000  # 万
_MOST_REPEATS = 4


@dataclass(frozen=True, slots=True)
class Transform:
    """One named change. `template` is SQL over `{x}`; a value it does not concern comes back."""

    name: str
    template: str

    def apply(self, x: str) -> str:
        """Return the SQL of this change on an SQL value."""
        return self.template.replace("{x}", x)

    @property
    def uses(self) -> int:
        """How often the value is evaluated."""
        return self.template.count("{x}")


def transforms(
    item: Property, code_set: CodeSet | None, code_map: Mapping[str, str]
) -> tuple[Transform, ...]:
    """Return the steps of a column in the order they are applied.

    Args:
        code_set: the column's code set; its labels are accepted in place of codes.
        code_map: the delivering partner's own values -> codes.
    """
    steps = [_INVISIBLE, _TRIM, _APOSTROPHE]
    if item.semantic == "person_name":
        steps += _NAME
    elif item.logical_type != "string" or item.semantic not in (None, *_TEXTUAL) or item.is_code:
        steps.append(_FULL_WIDTH)
    if code_map:
        steps.append(_mapping("code_map", {_narrow(raw): code for raw, code in code_map.items()}))
    if code_set is not None:
        steps += _code_steps(code_set)
    steps += _BY_SEMANTIC.get(item.semantic or "", ())
    steps += _typed_steps(item)
    return (*steps, _NULL_WORD)


def stages(steps: tuple[Transform, ...]) -> tuple[tuple[Transform, ...], ...]:
    """Group steps into stages that are evaluated one after the other; the last makes '' NULL.

    Within a stage expressions nest, and a step that evaluates its value more than once repeats
    everything before it; a new stage begins before that exceeds a few times.
    """
    grouped: list[list[Transform]] = [[]]
    repeats = 1
    for step in (*steps, _EMPTY):
        repeats *= step.uses
        if repeats > _MOST_REPEATS and grouped[-1]:
            grouped.append([])
            repeats = 1
        grouped[-1].append(step)
    return tuple(tuple(stage) for stage in grouped)


def _replace(regex: str, by: str = "", flags: str = "") -> str:
    tail = f", {literal(flags)}" if flags else ""
    return f"regexp_replace({{x}}, {literal(regex)}, {literal(by)}{tail})"


def _narrow(text: str) -> str:
    """Return a text as the step before leaves it, so that the two can be compared."""
    return text.translate(str.maketrans(_WIDE, _NARROW))


def _chain(*pairs: tuple[str, str]) -> str:
    """SQL of one replacement after another; in RE2 a group's number is a single digit."""
    sql = "{x}"
    for regex, by in pairs:
        sql = f"regexp_replace({sql}, {literal(regex)}, {literal(by)})"
    return sql


def _mapping(name: str, pairs: Mapping[str, str]) -> Transform:
    return Transform(name, f"coalesce({_looked_up(pairs)}, {{x}})")


def _looked_up(pairs: Mapping[str, str]) -> str:
    """SQL of the value a text is mapped to, NULL when it is not; a MAP is rebuilt per row."""
    place = f"list_position([{literals(pairs)}]::VARCHAR[], {{x}})"
    return f"list_extract([{literals(pairs.values())}]::VARCHAR[], {place})"


def _code_steps(code_set: CodeSet) -> list[Transform]:
    codes = [item.code for item in code_set.codes]
    labels = {_narrow(item.label): item.code for item in code_set.codes}
    labels = {label: code for label, code in labels.items() if label and label not in codes}
    steps = [Transform("code_label", _with_label(labels))] if labels else []
    widths = {len(code) for code in codes}
    if len(widths) == 1 and widths != {1} and all(code.isdigit() for code in codes):
        width = widths.pop()
        padded = f"lpad({{x}}, {width}, '0')"
        short = "|".join(code.lstrip("0") or "0" for code in codes if code.startswith("0"))
        needed = f"regexp_full_match({{x}}, {literal(short)})"
        if short:
            steps.append(
                Transform("code_padding", f"CASE WHEN {needed} THEN {padded} ELSE {{x}} END")
            )
    return steps


def _with_label(labels: Mapping[str, str]) -> str:
    """SQL for `男`, `1-男`, `1 男`, `1:男` -> `1`; a code with another's label stays as it is."""
    pairs = "|".join(
        f"{re.escape(code)}[-—_:. ]?{re.escape(label)}" for label, code in labels.items()
    )
    codes = "|".join(re.escape(code) for code in sorted(labels.values(), key=len, reverse=True))
    return (
        f"CASE WHEN regexp_full_match({{x}}, {literal(pairs)}) "
        f"THEN regexp_extract({{x}}, {literal(f'^(?:{codes})')}) "
        f"ELSE coalesce({_looked_up(labels)}, {{x}}) END"
    )


def _typed_steps(item: Property) -> tuple[Transform, ...]:
    if item.logical_type == "date":
        return _DATE
    if item.logical_type == "timestamp":
        return _TIMESTAMP
    if item.logical_type == "boolean":
        return (_BOOLEAN,)
    if item.logical_type in ("integer", "number"):
        wan = _WAN_UNIT if item.name.endswith("_wan") else _WAN
        integral = (_INTEGRAL,) if item.logical_type == "integer" else ()
        return (_GROUPS, _UNIT, wan, *integral)
    return ()


_EMPTY = Transform("empty", "CASE WHEN {x} = '' THEN NULL ELSE {x} END")
_INVISIBLE = Transform("invisible", _replace(f"[{INVISIBLE}]+", "", "g"))
_TRIM = Transform("trim", _replace(f"^[{BLANK}]+|[{BLANK}]+$", "", "g"))
_APOSTROPHE = Transform("apostrophe", _replace(f"^['`’][{BLANK}]*"))
_FULL_WIDTH = Transform(  # translate builds its table anew for every row, so only where needed
    "full_width",
    f"CASE WHEN regexp_matches({{x}}, '[{_WIDE[0]}-{_WIDE[-2]}\u3000]') "
    f"THEN translate({{x}}, {literal(_WIDE)}, {literal(_NARROW)}) ELSE {{x}} END",
)
_NULL_WORD = Transform("null_word", _replace(f"^(?:{'|'.join(NULL_WORDS)})$"))
_NAME = (
    Transform("middle_dot", "translate({x}, '•・‧．・∙⋅', '·······')"),
    Transform("name_spaces", _replace(rf"([{HAN}·])[{BLANK}]+", r"\1", "g")),
)
_ID_CHARACTERS = Transform("id_characters", "translate({x}, 'x×ХхΧχ', 'XXXXXX')")
_SEPARATORS = Transform("id_separators", _replace(rf"[{BLANK}—–-]+", "", "g"))
_UPGRADE = Transform(
    "id_upgrade",
    "CASE WHEN regexp_full_match({x}, '[0-9]{15}') THEN list_transform("
    "[concat(substr({x}, 1, 6), '19', substr({x}, 7))], "
    f"lambda b: concat(b, {check_character('CAST(b AS BIGINT)')}))[1] ELSE {{x}} END",
)
_UPPER = Transform("upper_case", "upper({x})")
_BY_SEMANTIC: dict[str, tuple[Transform, ...]] = {
    "resident_id": (_ID_CHARACTERS, _SEPARATORS, _UPGRADE),
    "disability_certificate": (_ID_CHARACTERS, _SEPARATORS),
    "credit_code": (_UPPER, _SEPARATORS),
    "division_code": (_SEPARATORS,),
    "bank_account": (_SEPARATORS,),
    "phone": (
        Transform(
            "phone_first",
            _replace(r"^([^,，;；/、|]*[0-9]{7}[^,，;；/、|]*)[,，;；/、|].*$", r"\1"),
        ),
        Transform("phone_separators", _replace(rf"[{BLANK}()（）.—–-]+", "", "g")),
        Transform("phone_country", _replace(r"^(?:\+|00)?86(1[0-9]{10})$", r"\1")),
    ),
}
_YMD = r"([0-9]{4})[-./年]([0-9]{1,2})[-./月]([0-9]{1,2})日?"
_LONG = r"([0-9]{4})-0?([0-9]{2})-0?([0-9]{2})"  # after a 0 was put before month and day
_DATE = (
    Transform("date_midnight", _replace(r"^(.*[0-9日])[ T]+0?0:00(?::00(?:\.0+)?)?$", r"\1")),
    Transform(
        "date_format",
        _chain(
            (f"^{_YMD}$", r"\1-0\2-0\3"),
            (f"^{_LONG}$", r"\1-\2-\3"),
            ("^([0-9]{4})([0-9]{2})([0-9]{2})$", r"\1-\2-\3"),
        ),
    ),
)
_TIMESTAMP = (
    Transform(
        "time_format",
        _chain(
            (f"^{_YMD}([T ]|$)", r"\1-0\2-0\3\4"),
            (f"^{_LONG}([T ]|$)", r"\1-\2-\3\4"),
            ("^([0-9]{4})([0-9]{2})([0-9]{2})([T ]|$)", r"\1-\2-\3\4"),
            ("^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]+([0-9])", r"\1 \2"),
            ("^([0-9]{4}-[0-9]{2}-[0-9]{2} )([0-9]:)", r"\10\2"),
            ("^([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2})$", r"\1:00"),
        ),
    ),
)
_BOOLEAN = _mapping(
    "boolean_word",
    {
        **dict.fromkeys(("是", "1", "Y", "y", "yes", "YES", "True", "TRUE"), "true"),
        **dict.fromkeys(("否", "0", "N", "n", "no", "NO", "False", "FALSE"), "false"),
    },
)
_GROUPS = Transform("number_separators", _replace(",([0-9]{3})", r"\1", "g"))
_UNIT = Transform(
    "number_unit",
    _replace(rf"([0-9])[{BLANK}]*(?:㎡|平方米|平米|m²|m2|元/月|元|人|间|户|套|口)$", r"\1"),
)
_WAN_UNIT = Transform("number_unit", _replace(rf"([0-9])[{BLANK}]*万元?$", r"\1"))
_WAN = Transform(
    "number_wan",
    r"CASE WHEN regexp_full_match({x}, '-?[0-9]+(\.[0-9]+)?[ ]*万元?') THEN "
    r"regexp_replace(regexp_replace(CAST(CAST(regexp_extract({x}, '^[-0-9.]+') "
    f"AS DECIMAL(24, 6)) * {_MULTIPLE} AS VARCHAR), '0+$', ''), '\\.$', '') ELSE {{x}} END",
)
_INTEGRAL = Transform("number_integral", _replace(r"^(-?[0-9]+)\.0+$", r"\1"))
