from __future__ import annotations

from datetime import date

import numpy as np

from assets.demo.columns import day_of
from assets.demo.numbers import Issuer, credit_codes, phones
from hub.identifiers import CreditCode, ResidentId

BIRTH = np.repeat(day_of(date(1990, 3, 7)) + np.arange(4), 50)
SEX = np.tile([1, 2], 100)


def test_numbers_are_valid_say_birth_date_and_sex_and_belong_to_no_real_area() -> None:
    numbers = Issuer().residents(BIRTH, SEX).to_pylist()

    for number, birth, sex in zip(numbers, BIRTH.tolist(), SEX.tolist(), strict=True):
        parsed = ResidentId.parse(number)
        assert parsed is not None
        assert number.startswith("990106")
        assert day_of(parsed.birth_date) == birth
        assert parsed.sex == str(sex)


def test_no_number_is_dealt_out_twice_neither_to_residents_nor_to_outsiders() -> None:
    issuer = Issuer()
    dealt = [
        *issuer.residents(BIRTH, SEX).to_pylist(),
        *issuer.outsiders(BIRTH, SEX).to_pylist(),
        *issuer.residents(BIRTH, SEX).to_pylist(),
    ]

    assert len(set(dealt)) == len(dealt)


def test_nobody_gets_no_number() -> None:
    nobody = np.zeros(0, np.int64)

    assert Issuer().residents(nobody, nobody).to_pylist() == []


def test_credit_codes_are_valid_and_distinct() -> None:
    registrar = np.tile(np.frombuffer(b"91N2", np.uint8).reshape(2, 2), (500, 1))
    codes = credit_codes(np.arange(1_000), registrar).to_pylist()

    assert len(set(codes)) == 1_000
    assert all(CreditCode.parse(code) for code in codes)


def test_phones_are_of_one_range_and_distinct() -> None:
    numbers = phones(np.arange(5_000)).to_pylist()

    assert len(set(numbers)) == 5_000
    assert all(len(number) == 11 and number.startswith("154") for number in numbers)
