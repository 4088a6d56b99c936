"""Masks: what is left of a value when it may not be seen whole. Pure functions of one value.

A treatment is what happens to a column: `clear`, `hidden`, `pseudonym`, a mask named here, or
`generalised_year`, `generalised_month`, `generalised_age_band`. Which one applies is decided by
`access.view`. Every mask writes a fixed number of stars, so that it does not tell a length, and
gives up (`***`) on a value that has not the form it expects.

Source: ISO/IEC 20889:2018 (masking, generalisation, pseudonymisation), GB/T 37964-2019.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal

from access.model import CLEAR, HIDDEN
from access.surnames import COMPOUND_SURNAMES

AGE_BAND = "generalised_age_band"
FULL = "full"
PSEUDONYM = "pseudonym"
STARS = "***"

Mask = Callable[[str], str]
#: Keyed name of bytes.
Names = Callable[[bytes], bytes]
Kind = Literal["clear", "masked", "generalised", "hidden"]

_MOBILE = re.compile(r"1[0-9]{10}")
_LANDLINE = re.compile(r"[0-9]{3,5}-?[0-9]{7,8}|[0-9]{10,13}")
_ID_LENGTH = 18
_LAST_BAND = 90  # so old are so few that a band of ten years could name one
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-[0-9]{2})?(?:[T ].*)?")
# Characters that belong to a house and its road: no kept part of an address holds one.
_HOUSE = "0-9０-９#＃号栋幢楼室弄巷"
# The shortest run that ends in a street's word, then the shortest that ends in a community's.
_STREET = re.compile(rf"[^{_HOUSE}]*?(?:街道办事处|街道|乡|镇)")
_COMMUNITY = re.compile(
    rf"[^{_HOUSE}路]{{1,12}}?(?:社区居委会|居民委员会|村民委员会|社区|居委会|村委会|村)"
)
_COUNTY = re.compile(rf"[^{_HOUSE}路]*?(?:自治县|自治旗|区|县|旗|市)")


def full(_value: str) -> str:
    """Return stars, whatever the value is.

    >>> full("张三")
    '***'
    """
    return STARS


def name(value: str) -> str:
    """Return the surname, or the first character of a name of several segments.

    >>> name("张三丰"), name("欧阳明日"), name("阿卜杜·克里木"), name("张")
    ('张**', '欧阳**', '阿**', '***')
    """
    text = value.strip()
    if len(text) < 2:
        return STARS
    if "·" not in text and len(text) > 2 and text[:2] in COMPOUND_SURNAMES:
        return text[:2] + "**"
    return text[0] + "**"


def id_6_4(value: str) -> str:
    """Return an identity number without its birth date: what staff may compare.

    A disability certificate begins with its holder's number: what follows is hidden too.

    >>> id_6_4("99010619900307123X"), id_6_4("99010619900307123X43"), id_6_4("E1234")
    ('990106********123X', '990106********123X**', '***')
    """
    if len(value) < _ID_LENGTH:
        return STARS
    tail = "**" if len(value) > _ID_LENGTH else ""
    return f"{value[:6]}********{value[14:18]}{tail}"


def id_1_1(value: str) -> str:
    """Return first and last character of an identity number: what a list may show.

    >>> id_1_1("99010619900307123X"), id_1_1("99010619900307123X43")
    ('9****************X', '9****************X**')
    """
    if len(value) < _ID_LENGTH:
        return STARS
    tail = "**" if len(value) > _ID_LENGTH else ""
    return f"{value[0]}****************{value[17]}{tail}"


def phone(value: str) -> str:
    """Return 3+4 digits of a mobile number, 4+2 characters of a landline.

    >>> phone("13812345678"), phone("0571-88886666"), phone("110")
    ('138****5678', '0571****66', '***')
    """
    if _MOBILE.fullmatch(value):
        return f"{value[:3]}****{value[-4:]}"
    if _LANDLINE.fullmatch(value):
        return f"{value[:4]}****{value[-2:]}"
    return STARS


def phone_2(value: str) -> str:
    """Return the last two digits of a telephone number: what a list may show.

    >>> phone_2("13812345678")
    '*********78'
    """
    return f"*********{value[-2:]}" if len(value) > 6 else STARS


def address(value: str) -> str:
    """Return an address down to street and community, by its words, never by counting.

    No digit ever remains: a number belongs to a house.

    >>> address("明镜区东街街道朝阳社区文化路12号3单元502室")
    '明镜区东街街道朝阳社区***'
    >>> address("文化路12号")
    '***'
    """
    text = "".join(value.split())
    street = _STREET.match(text)
    if street is None:
        county = _COUNTY.match(text)
        return (county.group() if county else "") + STARS
    community = _COMMUNITY.match(text, street.end())
    return text[: community.end() if community else street.end()] + STARS


def bank_last_4(value: str) -> str:
    """Return the last four digits of an account number.

    >>> bank_last_4("6222021234567890123")
    '************0123'
    """
    return f"************{value[-4:]}" if len(value) > 8 else STARS


def email(value: str) -> str:
    """Return the first character and the domain.

    >>> email("zhang@example.org"), email("nobody")
    ('z***@example.org', '***')
    """
    box, at, domain = value.partition("@")
    return f"{box[0]}***@{domain}" if at and len(box) > 1 and domain else STARS


def plate(value: str) -> str:
    """Return the first three and the last character of a number plate.

    >>> plate("浙A12345")
    '浙A1***5'
    """
    return f"{value[:3]}***{value[-1]}" if len(value) > 5 else STARS


def year(value: str) -> str:
    """Return the year of a date or timestamp.

    >>> year("1990-03-07"), year("nonsense")
    ('1990', '***')
    """
    found = _DAY.fullmatch(value)
    return found.group(1) if found else STARS


def month(value: str) -> str:
    """Return year and month of a date or timestamp.

    >>> month("1990-03-07")
    '1990-03'
    """
    found = _DAY.fullmatch(value)
    return f"{found.group(1)}-{found.group(2)}" if found else STARS


def age_band(value: str, today: date) -> str:
    """Return the ten years of age somebody is in, by the age reached in this calendar year.

    Counted by the year, it changes for all on one day: one that changed on the birthday would tell
    the birthday to whoever asks every day.

    >>> age_band("1987-03-07", date(2026, 1, 1)), age_band("1930-03-07", date(2026, 1, 1))
    ('30–39', '90+')
    """
    found = _DAY.fullmatch(value)
    age = today.year - int(found.group(1)) if found else -1
    if age < 0:
        return STARS
    return f"{_LAST_BAND}+" if age >= _LAST_BAND else f"{age // 10 * 10}–{age // 10 * 10 + 9}"


def pseudonym(names: Names, agency: str, purpose: str) -> Mask:
    """Return the mask that gives a value a keyed name of its own for one recipient and purpose.

    The same value has the same name in all that an agency is shown for a purpose, and another name
    towards any other agency or purpose, so that what two of them were shown cannot be joined.
    """
    recipient = f"{agency}\0{purpose}\0".encode()
    return lambda value: names(recipient + value.encode()).hex()


#: Treatment -> mask, of those that depend on nothing but the value.
MASKS: Mapping[str, Mask] = {
    "address_community": address,
    "bank_last_4": bank_last_4,
    "email": email,
    FULL: full,
    "generalised_month": month,
    "generalised_year": year,
    "id_1_1": id_1_1,
    "id_6_4": id_6_4,
    "name": name,
    "phone_2": phone_2,
    "phone_3_4": phone,
    "plate": plate,
}


def masks_of(
    today: date, agency: str, purpose: str, names: Names | None = None
) -> Mapping[str, Mask]:
    """Return every mask as it is on a day towards a recipient; without a key, no pseudonym."""
    masks = {**MASKS, AGE_BAND: lambda value: age_band(value, today)}
    if names is not None:
        masks[PSEUDONYM] = pseudonym(names, agency, purpose)
    return masks


#: Meaning of a column -> (mask for staff, mask for lists). A meaning not named here has no mask:
#: where it may not be clear it is hidden.
BY_SEMANTIC: Mapping[str, tuple[str, str]] = {
    "address": ("address_community", "address_community"),
    "bank_account": ("bank_last_4", FULL),
    "birth_date": ("generalised_year", "generalised_year"),
    "disability_certificate": ("id_6_4", "id_1_1"),
    "email": ("email", FULL),
    "person_name": ("name", "name"),
    "phone": ("phone_3_4", "phone_2"),
    "plate": ("plate", FULL),
    "resident_id": ("id_6_4", "id_1_1"),
}


def kind(treatment: str) -> Kind:
    """Return what a treatment amounts to, in the ledger's four words.

    >>> kind("id_6_4"), kind("generalised_year"), kind("clear"), kind("hidden"), kind("pseudonym")
    ('masked', 'generalised', 'clear', 'hidden', 'masked')
    """
    if treatment == CLEAR:
        return "clear"
    if treatment == HIDDEN:
        return "hidden"
    return "generalised" if treatment.startswith("generalised_") else "masked"


def is_minor(birth: date, today: date) -> bool:
    """Say whether somebody is under fourteen (PIPL 31).

    >>> is_minor(date(2012, 3, 7), date(2026, 3, 6)), is_minor(date(2012, 3, 7), date(2026, 3, 7))
    (True, False)
    """
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return age < 14
