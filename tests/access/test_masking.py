"""Masks: what each leaves, and that none leaves what it hides."""

from __future__ import annotations

import doctest
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import masking
from access.masking import BY_SEMANTIC, MASKS, STARS, is_minor, kind
from access.surnames import COMPOUND_SURNAMES
from tests.access.masks import apply

NUMBERS = st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True)
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=6)


def test_doctests() -> None:
    """Every example in the module is true."""
    assert doctest.testmod(masking).failed == 0


@pytest.mark.parametrize(
    ("treatment", "value", "left"),
    [
        ("name", "张三", "张**"),
        ("name", "诸葛孔明", "诸葛**"),
        ("name", "诸葛", "诸**"),
        ("name", "买买提·吐尔逊", "买**"),
        ("name", "欧阳·明日", "欧**"),
        ("name", "John Smith", "J**"),
        ("name", "", STARS),
        ("id_6_4", "99010620150307123X", "990106********123X"),
        ("id_6_4", "990106150307123", STARS),
        ("id_1_1", "99010620150307123X", "9****************X"),
        ("id_6_4", "99010620150307123X1143", "990106********123X**"),
        ("id_1_1", "99010620150307123X11", "9****************X**"),
        ("phone_3_4", "13912345678", "139****5678"),
        ("phone_3_4", "057188886666", "0571****66"),
        ("phone_3_4", "12345", STARS),
        ("phone_2", "13912345678", "*********78"),
        ("bank_last_4", "6222021234567890123", "************0123"),
        ("bank_last_4", "1234", STARS),
        ("email", "zhang@example.org", "z***@example.org"),
        ("email", "z@example.org", STARS),
        ("plate", "浙A12345", "浙A1***5"),
        ("plate", "A1", STARS),
        ("generalised_year", "1990-03-07", "1990"),
        ("generalised_month", "1990-03-07T10:00:00", "1990-03"),
        ("generalised_age_band", "1990-03-07", "30–39"),
        ("generalised_year", "19900307", STARS),
        ("full", "anything", STARS),
    ],
)
def test_each_mask(treatment: str, value: str, left: str) -> None:
    """The table of masks, and values that have not the form a mask expects."""
    assert apply(treatment, value) == left


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("明镜区东街街道朝阳社区文化路12号3单元502室", "明镜区东街街道朝阳社区***"),
        ("东街街道文化路12号", "东街街道***"),
        ("某县石桥镇李家村5组", "某县石桥镇李家村***"),
        ("明镜区文化路12号", "明镜区***"),
        ("文化路12号3单元502室", STARS),
        ("十二号楼东街街道", STARS),
        ("东街街道文化路三号楼幸福社区", "东街街道***"),
        ("", STARS),
    ],
)
def test_an_address_keeps_street_and_community_by_their_words(value: str, left: str) -> None:
    """House, road and room go, however they are written."""
    assert apply("address_community", value) == left


@given(st.text(max_size=60))
def test_no_digit_of_an_address_remains(value: str) -> None:
    """A number belongs to a house."""
    assert not re.search(r"[0-9０-９]", apply("address_community", value).replace(STARS, ""))


@given(NUMBERS)
def test_an_identity_number_loses_its_birth_date(number: str) -> None:
    """What 6+4 leaves is the same for every birth date."""
    other = f"{number[:6]}19001231{number[14:]}"
    assert apply("id_6_4", number) == apply("id_6_4", other)
    assert apply("id_1_1", number) == apply("id_1_1", f"{number[0]}{'0' * 16}{number[-1]}")


@given(NUMBERS, st.from_regex(r"[1-7][1-4][0-9]{0,2}", fullmatch=True))
def test_a_disability_certificate_shows_no_more_than_the_number_in_it(
    number: str, kind_and_grade: str
) -> None:
    """The certificate is the holder's number and more; the more is hidden."""
    for treatment in ("id_6_4", "id_1_1"):
        shown = apply(treatment, number + kind_and_grade)
        assert shown == apply(treatment, number) + "**"


@given(HAN)
def test_a_masked_name_never_tells_its_length(name: str) -> None:
    """Two stars, whatever stood there, and never a whole name."""
    masked = apply("name", name)
    assert masked.endswith("**")
    assert masked.rstrip("*") != name
    assert len(masked.rstrip("*")) in ((0, 1, 2) if name[:2] in COMPOUND_SURNAMES else (0, 1))


@given(st.sampled_from(sorted(MASKS)), st.text(max_size=40))
def test_masks_take_any_text(treatment: str, value: str) -> None:
    """No input makes a mask fail, or return nothing."""
    assert isinstance(apply(treatment, value), str)


def test_an_unknown_treatment_hides() -> None:
    """A typing error shows nothing instead of everything."""
    assert apply("claer", "张三") is None
    assert apply("hidden", "张三") is None
    assert apply("clear", "张三") == "张三"
    assert apply("full", None) is None


def test_a_number_is_masked_like_its_text() -> None:
    """Values that are not text are masked too."""
    assert apply("full", 4200.5) == STARS
    assert apply("bank_last_4", 6222021234567890123) == "************0123"


def test_every_meaning_has_masks_that_exist() -> None:
    """The table by meaning names masks only."""
    assert {mask for pair in BY_SEMANTIC.values() for mask in pair} <= set(MASKS)


@pytest.mark.parametrize(
    ("treatment", "word"),
    [
        ("clear", "clear"),
        ("hidden", "hidden"),
        ("full", "masked"),
        ("generalised_year", "generalised"),
    ],
)
def test_kind(treatment: str, word: str) -> None:
    """The ledger knows four words."""
    assert kind(treatment) == word


def test_minors_are_under_fourteen_until_the_birthday() -> None:
    """PIPL 31: not yet fourteen."""
    today = date(2026, 3, 7)
    assert is_minor(date(2012, 3, 8), today)
    assert not is_minor(date(2012, 3, 7), today)
    assert not is_minor(date(1990, 1, 1), today)
    assert is_minor(date(2027, 1, 1), today)  # born in the future: not believed to be of age
