"""Identifiers: valid ones parse to one form, all others are refused."""

from __future__ import annotations

from datetime import date

import pytest

from hub.identifiers import (
    CreditCode,
    DivisionCode,
    ResidentId,
    credit_check_character,
    normalise_name,
    normalise_phone,
    resident_check_character,
)

BODY = "99010619900307123"
NUMBER = BODY + resident_check_character(BODY)


def test_a_valid_number_carries_birth_date_and_sex() -> None:
    parsed = ResidentId.parse(NUMBER)
    assert parsed is not None
    assert parsed.birth_date == date(1990, 3, 7)
    assert parsed.sex == "1"


def test_the_published_example_of_the_standard_is_valid() -> None:
    assert ResidentId.parse("11010519491231002X") is not None


def test_a_fifteen_digit_number_is_upgraded() -> None:
    old = "990106" + "900307123"
    assert ResidentId.parse(old) == ResidentId.parse(NUMBER)


@pytest.mark.parametrize("position", range(18))
def test_any_single_wrong_digit_is_refused(position: int) -> None:
    wrong = str((int(NUMBER[position], 36) + 1) % 10)
    assert ResidentId.parse(NUMBER[:position] + wrong + NUMBER[position + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "1", NUMBER + "0", NUMBER.lower() + " ", "９" * 18, "99010619900231123X", "x" * 18]
)
def test_other_text_is_refused(text: str) -> None:
    assert ResidentId.parse(text) is None


def test_credit_codes() -> None:
    body = "91990106MA0000001"
    code = body + credit_check_character(body)
    assert CreditCode.parse(code) == CreditCode(code)
    assert CreditCode.parse("91350100M000100Y43") is not None  # GB 32100-2015, annex
    assert CreditCode.parse(code[:-1] + ("0" if code[-1] != "0" else "1")) is None
    assert CreditCode.parse(code.replace("M", "I")) is None


def test_divisions_contain_what_lies_in_them() -> None:
    street, grid = DivisionCode.parse("990106001"), DivisionCode.parse("99010600100102")
    assert street is not None
    assert grid is not None
    assert street.contains(grid)
    assert not grid.contains(street)
    assert DivisionCode.parse("9901060") is None
    assert DivisionCode.parse("99010６") is None


def test_normal_forms_for_lookup() -> None:
    assert normalise_phone("+86 138-0000-0000") == "13800000000"
    assert normalise_name("阿依古丽 • 买买提") == normalise_name("阿依古丽·买买提")
