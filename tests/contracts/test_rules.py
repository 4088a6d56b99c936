"""The named rules, each on values that keep it, break it, and do not concern it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.codes import Code, CodeSet, CodeSets
from contracts.loader import load_contracts
from contracts.rules import NAMED_RULES
from hub.identifiers import CreditCode, ResidentId, credit_check_character
from tests.contracts.small import (
    check,
    contract,
    contract_text,
    engine,
    failed,
    write_contract,
)
from tests.factories import id_number

PLACES = CodeSets(
    (
        CodeSet(
            "division",
            (
                Code("990106", "区"),
                Code("990106001001", "社区"),
                Code("990106001002", "旧社区", valid_to=date(2020, 1, 1)),
            ),
        ),
    )
)
COLUMNS = """
- {name: number, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: resident_id}]}
- {name: born, logicalType: date, classification: L1}
- {name: sex, logicalType: string, classification: L1}
- {name: credit, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: credit_code}]}
- {name: place, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: division_code}]}
- {name: start, logicalType: date, classification: L1}
- {name: finish, logicalType: timestamp, classification: L1}
- {name: category, logicalType: string, classification: L1}
- {name: grade, logicalType: string, classification: L1}
- {name: certificate, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: disability_certificate}]}
- {name: other, logicalType: string, classification: L1}
"""


def quality(rule: str) -> str:
    """Return a quality list with one named rule."""
    return (
        "- name: the_rule\n  type: custom\n  engine: mingjing\n"
        f"  implementation: {{rule: {rule}}}\n"
    )


GOOD = id_number(13)  # the sequence number 013 is odd: male
WRONG = GOOD[:17] + ("0" if GOOD[17] != "0" else "1")
BODY = "91990106MA0000001"
CREDIT = BODY + credit_check_character(BODY)
LETTER = "N2990106MF0000001"
LETTERED = LETTER + credit_check_character(LETTER)


@pytest.mark.parametrize(
    ("rule", "cells", "fails"),
    [
        ("resident_id_check_digit, column: number", {"number": GOOD}, False),
        ("resident_id_check_digit, column: number", {"number": WRONG}, True),
        ("resident_id_check_digit, column: number", {"number": GOOD[:16]}, True),
        ("resident_id_check_digit, column: number", {"number": "A" + GOOD[1:]}, True),
        ("resident_id_check_digit, column: number", {"number": id_number(5, "19900230")}, True),
        ("resident_id_check_digit, column: number", {"number": id_number(5, "19000229")}, True),
        ("resident_id_check_digit, column: number", {"number": id_number(5, "20000229")}, False),
        ("resident_id_check_digit, column: number", {"number": id_number(5, "19901301")}, True),
        ("resident_id_check_digit, column: number", {"number": None}, False),
        ("resident_id_float_damage, column: number", {"number": "9.90106199003071E+17"}, True),
        ("resident_id_float_damage, column: number", {"number": GOOD[:15] + "000"}, True),
        ("resident_id_float_damage, column: number", {"number": WRONG}, False),
        ("resident_id_float_damage, column: number", {"number": GOOD}, False),
        ("resident_id_matches_birth_date, id: number, birth_date: born", {"number": GOOD, "born": "1990-03-07"}, False),
        ("resident_id_matches_birth_date, id: number, birth_date: born", {"number": GOOD, "born": "1990-03-08"}, True),
        ("resident_id_matches_birth_date, id: number, birth_date: born", {"number": GOOD, "born": None}, False),
        ("resident_id_matches_birth_date, id: number, birth_date: born", {"number": "x", "born": "1990-03-08"}, False),
        ("resident_id_matches_sex, id: number, sex: sex", {"number": GOOD, "sex": "1"}, False),
        ("resident_id_matches_sex, id: number, sex: sex", {"number": GOOD, "sex": "2"}, True),
        ("resident_id_matches_sex, id: number, sex: sex", {"number": GOOD, "sex": "9"}, False),
        ("resident_id_area_known, column: number", {"number": GOOD}, False),
        ("resident_id_area_known, column: number", {"number": "110105194912310025"}, True),
        ("credit_code_check_digit, column: credit", {"credit": CREDIT}, False),
        ("credit_code_check_digit, column: credit", {"credit": LETTERED}, False),
        ("credit_code_check_digit, column: credit", {"credit": CREDIT[:17] + "%"}, True),
        ("credit_code_check_digit, column: credit", {"credit": CREDIT[:10]}, True),
        ("credit_code_check_digit, column: credit", {"credit": None}, False),
        ("division_known, column: place", {"place": "990106001001"}, False),
        ("division_known, column: place", {"place": "990106001009"}, True),
        ("division_known, column: place", {"place": "990106001002"}, True),
        ("division_known, column: place", {"place": None}, False),
        ("ordered, columns: [start, finish]", {"start": "2020-01-02", "finish": "2020-01-02 00:00:00"}, False),
        ("ordered, columns: [start, finish]", {"start": "2020-01-03", "finish": "2020-01-02 23:00:00"}, True),
        ("ordered, columns: [start, finish]", {"start": "2020-01-03", "finish": None}, False),
        ("ordered, columns: [born, start, finish]", {"born": "2021-01-01", "finish": "2020-01-02 23:00:00"}, True),
        ("not_future, column: start", {"start": "2026-01-15"}, False),
        ("not_future, column: start", {"start": "2026-01-16"}, True),
        ("not_future, column: finish", {"finish": "2026-01-15 23:59:59"}, False),
        ("not_future, column: finish", {"finish": "2026-01-16 00:00:00"}, True),
        ('expression, sql: "category <> grade"', {"category": "1", "grade": "1"}, True),
        ('expression, sql: "category <> grade"', {"category": "1", "grade": "2"}, False),
        ('expression, sql: "category <> grade"', {"category": "1", "grade": None}, False),
        ("disability_certificate_matches, certificate: certificate, id: number, category: category, grade: grade",
         {"certificate": GOOD + "43", "number": GOOD, "category": "4", "grade": "3"}, False),
        ("disability_certificate_matches, certificate: certificate, id: number, category: category, grade: grade",
         {"certificate": GOOD + "43", "number": GOOD, "category": "4", "grade": "2"}, True),
        ("disability_certificate_matches, certificate: certificate, id: number, category: category, grade: grade",
         {"certificate": GOOD + "43", "number": id_number(9), "category": "4", "grade": "3"}, True),
    ],
)  # fmt: skip
def test_named_rule(tmp_path: Path, rule: str, cells: dict[str, str | None], fails: bool) -> None:
    of = contract(tmp_path, COLUMNS, quality(rule))
    with engine() as con:
        check(con, of, [["k", *cells.values()]], columns=["thing_id", *cells], code_sets=PLACES)
        assert ("the_rule" in failed(con).get(1, [])) is fails


@pytest.mark.parametrize("known", [["A1", "A2"], [f"A{n}" for n in range(1, 2000)]])
def test_reference_to_published_values(tmp_path: Path, known: list[str]) -> None:
    other = contract_of_other(tmp_path)
    rule = "reference, column: other, dataset: test.other, reference_column: code"
    write_contract(other, contract_text(COLUMNS, quality(rule)))
    of = load_contracts([other], built_in=False)[1]
    rows: list[list[str | None]] = [["a", "A1"], ["b", "B1"], ["c", None]]
    with engine() as con:
        con.execute("CREATE TABLE published AS SELECT unnest(?::VARCHAR[]) AS code", [known])
        con.execute("INSERT INTO published VALUES (NULL)")
        verdict = check(
            con,
            of,
            rows,
            columns=["thing_id", "other"],
            references={"test.other.code": "published"},
        )
        assert failed(con) == {2: ["the_rule"]}
        assert verdict.result("the_rule").evaluated == 2
        absent = check(con, of, rows, columns=["thing_id", "other"])
    result = absent.result("the_rule")
    assert (result.evaluated, result.passed) == (0, True)
    assert "test.other" in result.note


def contract_of_other(folder: Path) -> Path:
    """Write a second dataset that may be referred to."""
    text = contract_text("- {name: code, logicalType: string, classification: L1}\n")
    return write_contract(folder, text.replace("test.thing", "test.other"), "other.yaml")


def test_an_identity_number_is_checked_even_when_no_rule_says_so(tmp_path: Path) -> None:
    of = contract(tmp_path, COLUMNS)
    with engine() as con:
        check(con, of, [["k", WRONG, "X" * 18]], columns=["thing_id", "number", "credit"])
        assert failed(con)[1] == [
            "credit_code_check_digit.credit",
            "resident_id_check_digit.number",
        ]


def test_long_lists_are_looked_up(tmp_path: Path) -> None:
    codes = CodeSets(
        (
            CodeSet(
                "division", tuple(Code(f"{n:012}", "") for n in range(990106000000, 990106000900))
            ),
        )
    )
    of = contract(tmp_path, COLUMNS, quality("division_known, column: place"))
    with engine() as con:
        rows = [["a", "990106000899"], ["b", "990106000900"]]
        check(con, of, rows, columns=["thing_id", "place"], code_sets=codes)
        assert failed(con) == {2: ["the_rule"]}


def test_a_country_of_areas_is_looked_up(tmp_path: Path) -> None:
    areas = tuple(Code(f"{n:06}", "") for n in range(990001, 990107))
    codes = CodeSets(
        (CodeSet("division", (*areas, *(Code(f"{n}", "") for n in range(110000, 111000)))),)
    )
    of = contract(tmp_path, COLUMNS, quality("resident_id_area_known, column: number"))
    rows: list[list[str | None]] = [
        ["a", id_number(3)],
        ["b", "12" + id_number(3)[2:]],
        ["c", "1x"],
        ["d", None],
    ]
    with engine() as con:
        check(con, of, rows, columns=["thing_id", "number"], code_sets=codes)
        assert [number for number, rules in failed(con).items() if "the_rule" in rules] == [2]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bodies=st.lists(
        st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}", fullmatch=True)
    ),
    credits_=st.lists(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17)),
    last=st.sampled_from("0123456789X"),
)
def test_numbers_are_valid_exactly_when_the_kernel_says_so(
    tmp_path: Path, bodies: list[str], credits_: list[str], last: str
) -> None:
    of = contract(tmp_path, COLUMNS)
    numbers = [body + last for body in bodies] + [id_number(n) for n in range(3)]
    codes = [body + last for body in credits_] + [CREDIT]
    rows: list[list[str | None]] = [[f"n{i}", number, None] for i, number in enumerate(numbers)]
    rows += [[f"c{i}", None, code] for i, code in enumerate(codes)]
    with engine(1) as con:
        check(con, of, rows, columns=["thing_id", "number", "credit"])
        blamed = failed(con)
    expected = [ResidentId.parse(n) is None for n in numbers]
    expected += [CreditCode.parse(code) is None for code in codes]
    assert [number in blamed for number in range(1, len(rows) + 1)] == expected


def test_every_rule_explains_itself() -> None:
    for rule in NAMED_RULES.values():
        assert " / " in rule.demand
        assert " / " in rule.remedy
