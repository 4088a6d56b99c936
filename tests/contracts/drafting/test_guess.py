"""What a sample's columns are taken for: types, meanings, levels, keys, and what is doubted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import load_code_sets
from contracts.drafting.glossary import Glossary, snake_case
from contracts.drafting.guess import FLOORS, Column, guess_column
from contracts.drafting.profile import RARE, profile
from contracts.drafting.recognise import clean, day_of
from contracts.drafting.whole import assign_roles, mark_key
from contracts.loader import load_contracts
from contracts.reading import RESERVED
from hub.catalog import Classification
from tests.factories import id_number

SETS = load_code_sets()
CONTRACTS = load_contracts()
EMPTY = Glossary(())
KNOWN = Glossary(CONTRACTS)
NAMES = ("张三", "李小四", "王五", "赵六六", "欧阳七", "陈八", "周九", "吴十一")


def guess(header: str, cells: Sequence[str | None], glossary: Glossary = EMPTY) -> Column:
    return guess_column("column_1", profile(header, cells, SETS), glossary)


def many(*cells: str | None, times: int = 30) -> list[str | None]:
    return list(cells) * times


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (many("1990-03-07", "1990.3.7", "1990年3月7日", "19900307"), "date"),
        (many("1990-02-30", "1990-13-01"), "string"),
        (many("2026-01-05 08:30:00", "2026/1/5 8:30"), "timestamp"),
        (many("3", "1,200", "-7", "14"), "integer"),
        (many("3.5", "1200", "80㎡"), "number"),
        (many("0012", "0345", "1200"), "string"),
        (many("990106", "990107", "880001"), "string"),
        ([f"{n:018d}" for n in range(50)], "string"),
        (many("red", "7", "blue"), "string"),
        (many(None, "", "无", "/"), "string"),
    ],
)
def test_a_type_is_believed_when_nearly_every_value_has_it(
    cells: Sequence[str | None], kind: str
) -> None:
    assert guess("x", cells).logical_type == kind


@pytest.mark.parametrize(
    ("cells", "semantic"),
    [
        ([id_number(n) for n in range(100, 150)], "resident_id"),
        ([f"{id_number(n)}43" for n in range(100, 150)], "disability_certificate"),
        ([f"1381234{n:04d}" for n in range(50)], "phone"),
        (many("91350100M000100Y43", "91330106673959654P"), "credit_code"),
        (many("99010600100101", "990106001001"), "division_code"),
        (many(*NAMES), "person_name"),
        ([f"虚设市明镜区东街街道朝阳社区文化路{n}号3单元" for n in range(50)], "address"),
        ([f"报警人称第{n}次发生争执，已到场处理，双方和解。" for n in range(50)], "free_text"),
    ],
)
def test_a_meaning_is_recognised_and_never_graded_below_its_floor(
    cells: Sequence[str], semantic: str
) -> None:
    found = guess("x", cells)
    assert found.semantic == semantic
    assert found.classification >= FLOORS[semantic]
    assert found.logical_type == "string"
    assert found.values == ()


def test_a_partly_wrong_column_keeps_its_meaning_and_says_so() -> None:
    wrong = [f"{id_number(n)[:17]}{'1' if id_number(n)[17] != '1' else '2'}" for n in range(30)]
    found = guess("x", [*(id_number(n) for n in range(100, 170)), *wrong])
    assert found.semantic == "resident_id"
    assert any("70.0%" in doubt for doubt in found.doubts)


def test_what_is_not_understood_is_sealed_and_doubted() -> None:
    found = guess("x", [f"q{n * 7919 % 1000:x}z" for n in range(60)])
    assert found.classification is Classification.L3
    assert found.doubts


def test_few_words_become_a_list_and_rare_ones_stay_out_of_it() -> None:
    cells = [*many("east", "west", times=40), "somebody's own remark"]
    found = guess("side", cells)
    assert found.values == ("east", "west")
    assert any("1" in doubt for doubt in found.doubts)
    assert not any("remark" in doubt for doubt in found.doubts)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=200))
def test_names_are_never_listed(cells: list[str]) -> None:
    assert guess("经办", cells).values == ()
    assert profile("经办", cells, SETS).values == ()


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=80))
def test_a_listed_word_is_frequent(cells: list[str]) -> None:
    for value in profile("x", cells, SETS).values:
        assert cells.count(value) >= RARE


def test_labels_find_their_code_set_and_bare_codes_only_a_doubt() -> None:
    assert guess("x", many("男", "女", "1-男")).code_set == "sex"
    bare = guess("x", many("1", "2"))
    assert bare.code_set is None
    assert bare.logical_type == "string"
    assert any("代码表" in doubt for doubt in bare.doubts)


def test_a_known_header_brings_its_meaning_when_the_values_agree() -> None:
    found = guess("性别", many("1", "2"), KNOWN)
    assert (found.code_set, found.classification) == ("sex", Classification.L2)
    strange = guess("性别", many("rot", "grün"), KNOWN)
    assert strange.code_set is None
    assert any("sex" in doubt for doubt in strange.doubts)


@pytest.mark.parametrize("header", ["居住地址", "姓名", "联系电话"])
def test_what_the_header_alone_says_is_marked(header: str) -> None:
    found = guess(header, many("甲乙", "丙丁"), KNOWN)
    assert any("contracts give this header" in doubt for doubt in found.doubts), found.doubts


def test_whose_a_column_is_by_its_header_is_marked() -> None:
    named = [
        Column("resident_id", "公民身份号码", "string", Classification.L4, "resident_id"),
        Column("residence_address", "居住地址", "string", Classification.L4, "address"),
    ]
    found = assign_roles(named, KNOWN)
    assert [c.role for c in found] == ["resident", "resident"]
    assert any("whose it is" in doubt for doubt in found[1].doubts)


def test_headers_become_names() -> None:
    names = KNOWN.names(["公民身份号码", "姓名", "某种未见过的栏目", "Crime ID", "row number"])
    assert names == ("resident_id", "name", "column_3", "crime_id", "column_5")
    assert not set(names) & set(RESERVED)
    assert KNOWN.names(["姓名", "姓名 "]) == ("name", "column_2")
    assert Glossary(CONTRACTS, "housing").names(["承租人证件号码"]) == ("tenant_id",)


@given(st.text(max_size=30))
def test_a_name_is_always_a_column_name(header: str) -> None:
    name = snake_case(header)
    assert name == "" or (name[0].isalpha() and name.isascii() and name == name.lower())


def test_a_person_of_the_row_is_told_by_the_name() -> None:
    l4 = Classification.L4
    columns = [
        Column("man_id", "a", "string", l4, "resident_id"),
        Column("man_name", "b", "string", l4, "person_name"),
        Column("woman_id", "c", "string", l4, "resident_id"),
        Column("witness", "d", "string", l4, "person_name"),
    ]
    found = assign_roles(columns, EMPTY)
    assert [c.role for c in found] == ["man", "man", "woman", None]
    assert found[3].doubts
    assert [c.role for c in assign_roles(columns[:2], EMPTY)] == ["man", "man"]


def test_the_first_column_that_names_each_row_is_the_key() -> None:
    cells = {
        "area": many("1", "2"),
        "number": [str(n) for n in range(60)],
        "other": [f"x{n}" for n in range(60)],
    }
    profiles = [profile(name, values, SETS) for name, values in cells.items()]
    columns = [Column(name, name, "string", Classification.L1) for name in cells]
    keyed = mark_key(columns, profiles, lambda _a, _b: 0.0)
    assert [c.key_position for c in keyed] == [None, 1, None]
    assert keyed[1].required
    assert keyed[1].doubts


def test_two_columns_make_a_key_where_none_does_alone() -> None:
    cells = {"a": many("1", "2", times=50), "b": [str(n // 2) for n in range(100)]}
    profiles = [profile(name, values, SETS) for name, values in cells.items()]
    columns = [Column(n, n, "string", Classification.L1, required=True) for n in cells]
    assert [c.key_position for c in mark_key(columns, profiles, lambda _a, _b: 1.0)] == [1, 2]
    assert [c.key_position for c in mark_key(columns, profiles, lambda _a, _b: 0.5)] == [None] * 2


def test_values_are_read_as_cleaning_would_leave_them() -> None:
    assert clean("  '１２３　") == "123"
    assert clean("不详") is None
    assert day_of("2026-02-29") is None
