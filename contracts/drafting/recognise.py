"""What a text looks like: the logical types and meanings a value can be recognised by. Pure.

A value is looked at as cleaning would leave it. Whatever has a check character is believed by that;
names and addresses only look like it.

Source: GB 11643-1999, GB 32100-2015, GB/T 2260; ISO/IEC 7812-1 (Luhn).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from contracts.shapes import NULL_WORDS
from hub.identifiers import CreditCode, ResidentId

_DAY = re.compile(r"([0-9]{4})(?:[-./年]([0-9]{1,2})[-./月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))")
_TIME = re.compile(r"[ T]([01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?")
_MIDNIGHT = re.compile(r"[ T]0?0:00(?::00(?:\.0+)?)?")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,12})?")
_UNIT = re.compile(r"(?<=[0-9]) *(?:㎡|平方米|m2|元/月|元|万元|万|人|间|户|套|口)$")
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{9,11}")
_HAN_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]{2,4}")
_DOTTED_NAME = re.compile(r"[\u3400-\u9fff]{1,10}(?:·[\u3400-\u9fff]{1,10}){1,3}")
_PLACE = "省市区县旗镇乡村路街道巷弄号栋幢楼室单元社区小里苑园组屯"
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚"
    "卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "欧司上诸东皇尉公令慕"
)
_INVISIBLE = {"Cc", "Cf"}


def clean(text: str | None) -> str | None:
    """Return a value without what cleaning removes from every column, None for no value.

    >>> clean("\\ufeff '１２ "), clean("无"), clean(None)
    ('12', None, None)
    """
    if text is None:
        return None
    plain = "".join(
        c for c in text if unicodedata.category(c) not in _INVISIBLE or c in "\t\n"
    ).strip()
    plain = plain.lstrip("'’`").strip()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain).strip()
    return None if not plain or plain in NULL_WORDS else plain


def day_of(text: str) -> date | None:
    """Return the day a value names in one of the forms that are read, None when it is none.

    >>> day_of("1990年3月7日"), day_of("19900307"), day_of("90-3-7")
    (datetime.date(1990, 3, 7), datetime.date(1990, 3, 7), None)
    """
    found = _DAY.match(text)
    if found is None or not (found.end() == len(text) or _MIDNIGHT.fullmatch(text, found.end())):
        return None
    return _day(found)


def _day(found: re.Match[str]) -> date | None:
    year, month, day = found[1], found[2] or found[4], found[3] or found[5]
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _is_moment(text: str) -> bool:
    found = _DAY.match(text)
    if found is None or _day(found) is None:
        return False
    return found.end() == len(text) or _TIME.fullmatch(text, found.end()) is not None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(_UNIT.sub("", re.sub(",(?=[0-9]{3})", "", text))) is not None


def _is_integer(text: str) -> bool:
    return _is_number(text) and "." not in re.sub(r"\.0+$", "", text) and "万" not in text


def id_of(text: str) -> ResidentId | None:
    """Return the identity number a value is, None when it is none."""
    plain = text.translate({ord(c): "X" for c in "x×Хх"}).replace(" ", "").replace("-", "")
    return ResidentId.parse(plain)


def _is_certificate(text: str) -> bool:
    return 20 <= len(text) <= 22 and text[18:].isdigit() and id_of(text[:18]) is not None


def _is_credit_code(text: str) -> bool:
    return CreditCode.parse(text.upper()) is not None


def _is_phone(text: str) -> bool:
    first = re.split("[,;/、|]", text)[0]
    return _PHONE.fullmatch(re.sub(r"[ ()\-.—–]|^\+?86(?=1)", "", first)) is not None


def _is_long_number(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    return 12 <= len(digits) <= 19 and digits.isascii() and digits.isdigit()


def _is_account(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    if not _is_long_number(digits):
        return False
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def is_name(text: str) -> bool:
    """Say whether a value looks like a person's name: short, Chinese, begins with a surname."""
    plain = re.sub(r"\s", "", text)
    if _DOTTED_NAME.fullmatch(plain):
        return True
    return plain[:1] in _SURNAMES and _HAN_NAME.fullmatch(plain) is not None


def _is_address(text: str) -> bool:
    marks = sum(c in _PLACE for c in text)
    return len(text) >= 8 and marks >= 3 and not text.isascii()


def _is_free_text(text: str) -> bool:
    return len(text) >= 12 and not text.isascii() and any(c in text for c in ",。;!,:、")


def _is_division(text: str) -> bool:
    return len(text) in (6, 9, 12, 14) and text.isascii() and text.isdigit()


Recogniser = Callable[[str], bool]
TYPES: Mapping[str, Recogniser] = {
    "integer": _is_integer,
    "number": _is_number,
    "date": lambda text: day_of(text) is not None,
    "timestamp": _is_moment,
}
#: Meanings, the ones that can prove themselves first; `long_number` is only the form of one.
MEANINGS: Mapping[str, Recogniser] = {
    "disability_certificate": _is_certificate,
    "resident_id": lambda text: id_of(text) is not None,
    "credit_code": _is_credit_code,
    "phone": _is_phone,
    "bank_account": _is_account,
    "long_number": _is_long_number,
    "division_code": _is_division,
    "person_name": is_name,
    "address": _is_address,
    "free_text": _is_free_text,
}
