"""The arithmetic of ID numbers and credit codes as SQL expressions.

An ID number is turned into one integer of 17 digits; its weighted sum then comes from six
lookup lists, one per slice of three digits, so that no digit is cut out of a text.

Source: GB 11643-1999 (ISO 7064 MOD 11-2, date of birth, sequence), GB 32100-2015 (MOD 31-3).
"""

from __future__ import annotations

from functools import cache

_ID_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_ID_CHECK = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_character(body: str) -> str:
    """Return the SQL of the 18th character for a BIGINT of the first 17 digits."""
    return f"substr('{_ID_CHECK}', 1 + CAST(({_weighted_sum(body)}) % 11 AS INTEGER), 1)"


def has_check_character(body: str, text: str) -> str:
    """Return the SQL that says whether an ID number of the right form ends as it has to.

    The weighted sum of all 18 digits, X counting 10, leaves 1 when divided by 11.
    """
    last = f"CASE WHEN ends_with({text}, 'X') THEN 10 ELSE unicode(substr({text}, 18, 1)) - 48 END"
    return f"({_weighted_sum(body)} + {last}) % 11 = 1"


def birth_number(body: str) -> str:
    """Return the SQL of the birth date as the integer YYYYMMDD for a BIGINT of 17 digits."""
    return f"(({body}) // 1000) % 100000000"


def has_birth_date(body: str) -> str:
    """Return the SQL that says whether the digits of birth are a day of the calendar."""
    day = f"(({body}) // 1000) % 10000"
    year = f"(({body}) // 10000000) % 10000"
    leap = f"(({year}) % 4 = 0 AND (({year}) % 100 <> 0 OR ({year}) % 400 = 0))"
    return f"(CASE WHEN {day} = 229 THEN {leap} ELSE list_extract({_days()}, 1 + {day}) END)"


def credit_is_wrong(text: str) -> str:
    """Return the SQL that says whether a credit code's form or check character is wrong."""
    total = " + ".join(
        f"{weight} * (strpos('{_CREDIT_ALPHABET}', substr({text}, {place}, 1)) - 1)"
        for place, weight in enumerate(_CREDIT_WEIGHTS, start=1)
    )
    check = f"substr('{_CREDIT_ALPHABET}', 1 + (31 - ({total}) % 31) % 31, 1)"
    form = f"regexp_full_match({text}, '[{_CREDIT_ALPHABET}]{{18}}')"
    return f"NOT {form} OR {check} <> substr({text}, 18, 1)"


def _weighted_sum(body: str) -> str:
    """SQL of Σ weight x digit: the last slice has two digits and is looked up with a zero."""
    parts = [
        f"list_extract({_slice_sums(place)}, 1 + ({body}) // {10 ** (14 - place)} % 1000)"
        for place in range(0, 15, 3)
    ]
    return " + ".join([*parts, f"list_extract({_slice_sums(15)}, 1 + ({body}) % 100 * 10)"])


@cache
def _slice_sums(place: int) -> str:
    """Constant list: at index 1 + slice the weighted sum, modulo 11, of three digits."""
    weights = (*_ID_WEIGHTS, 0)[place : place + 3]
    sums = (sum(w * int(d) for w, d in zip(weights, f"{n:03}", strict=True)) for n in range(1000))
    return f"'[{','.join(str(total % 11) for total in sums)}]'::TINYINT[]"


@cache
def _days() -> str:
    """Constant list: at index 1 + MMDD whether that day exists in a leap year; beyond it NULL."""
    real = {
        100 * month + day for month in range(1, 13) for day in range(1, _LAST_DAY[month - 1] + 1)
    }
    return f"'[{','.join('1' if n in real else '0' for n in range(1232))}]'::BOOLEAN[]"
