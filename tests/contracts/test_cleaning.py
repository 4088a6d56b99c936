"""What is changed before the checks: every step by name, and nothing that was clean already."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.cleaning import stages, transforms
from contracts.codes import Code, CodeSet, CodeSets, load_code_sets
from contracts.model import Contract, Property
from contracts.shapes import NULL_WORDS, shape_of
from hub.catalog import Classification
from hub.quoting import identifier
from tests.contracts.small import accepted, check, contract, engine
from tests.factories import id_number

SEX = CodeSet("sex", (Code("1", "男"), Code("2", "女")))
RELATION = CodeSet("relation", (Code("01", "本人"), Code("02", "户主"), Code("10", "配偶（妻）")))
SETS = CodeSets((SEX, RELATION))
COLUMNS = """
- {name: text, logicalType: string, classification: L1}
- {name: born, logicalType: date, classification: L1}
- {name: at, logicalType: timestamp, classification: L1}
- {name: amount, logicalType: number, classification: L1}
- {name: capital_wan, logicalType: number, classification: L1}
- {name: count, logicalType: integer, classification: L1}
- {name: flag, logicalType: boolean, classification: L1}
- {name: sex, logicalType: string, classification: L1, customProperties: [{property: codeSet, value: sex}]}
- {name: relation, logicalType: string, classification: L1, customProperties: [{property: codeSet, value: relation}]}
- {name: person, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: person_name}]}
- {name: number, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: resident_id}]}
- {name: phone, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: phone}]}
- {name: credit, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: credit_code}]}
- {name: certificate, logicalType: string, classification: L1, customProperties: [{property: semanticType, value: disability_certificate}]}
"""
SOURCES = """
- {property: sources, value: {housing: {codeMaps: {sex: {男性: "1", M: "1", 无: "2"}}}}}
"""
VALID = id_number(7)


@pytest.fixture
def of(tmp_path: Path) -> Contract:
    return contract(tmp_path, COLUMNS, custom=SOURCES)


@pytest.mark.parametrize(
    ("column", "raw", "clean", "steps"),
    [
        ("text", "  东街 8 号\t", "东街 8 号", ["trim"]),
        ("text", "\ufeff东街\u200b\u00a08号", "东街8号", ["invisible"]),
        ("text", "\u3000东街\u3000", "东街", ["trim"]),
        ("text", "'0012", "0012", ["apostrophe"]),
        *(("text", word, None, ["null_word"]) for word in NULL_WORDS),
        ("text", " 无 ", None, ["null_word", "trim"]),
        ("text", "   ", None, ["trim"]),
        ("text", "", None, []),
        ("text", "（东街）１号", "（东街）１号", []),
        ("thing_id", "Ａ１－２", "A1-2", ["full_width"]),
        ("born", "19900307", date(1990, 3, 7), ["date_format"]),
        ("born", "1990.3.7", date(1990, 3, 7), ["date_format"]),
        ("born", "1990/3/17", date(1990, 3, 17), ["date_format"]),
        ("born", "1990年3月7日", date(1990, 3, 7), ["date_format"]),
        ("born", "1990-3-7", date(1990, 3, 7), ["date_format"]),
        ("born", "１９９０－０３－０７", date(1990, 3, 7), ["full_width"]),
        ("born", "1990-03-07 00:00:00", date(1990, 3, 7), ["date_midnight"]),
        ("born", "1990/3/7 0:00", date(1990, 3, 7), ["date_format", "date_midnight"]),
        ("at", "2026/1/2 3:04", datetime.fromisoformat("2026-01-02 03:04:00"), ["time_format"]),
        ("at", "2026-01-02T03:04:05", datetime.fromisoformat("2026-01-02 03:04:05"), ["time_format"]),
        ("at", "20260102 03:04:05", datetime.fromisoformat("2026-01-02 03:04:05"), ["time_format"]),
        ("at", "2026年1月2日 13:04:05", datetime.fromisoformat("2026-01-02 13:04:05"), ["time_format"]),
        ("amount", "80㎡", 80.0, ["number_unit"]),
        ("amount", "80.5 平方米", 80.5, ["number_unit"]),
        ("amount", "1,234,567.5元", 1234567.5, ["number_separators", "number_unit"]),
        ("amount", "1.25万元", 12500.0, ["number_wan"]),
        ("amount", "３万", 30000.0, ["full_width", "number_wan"]),
        ("capital_wan", "500万元", 500.0, ["number_unit"]),
        ("count", "3人", 3, ["number_unit"]),
        ("count", "3.0", 3, ["number_integral"]),
        ("count", "2万", 20000, ["number_wan"]),
        ("flag", "是", True, ["boolean_word"]),
        ("flag", "N", False, ["boolean_word"]),
        ("sex", "男", "1", ["code_label"]),
        ("sex", "2-女", "2", ["code_label"]),
        ("sex", "2 女", "2", ["code_label"]),
        ("sex", "１", "1", ["full_width"]),
        ("relation", "1", "01", ["code_padding"]),
        ("relation", "02户主", "02", ["code_label"]),
        ("relation", "配偶（妻）", "10", ["code_label", "full_width"]),
        ("person", "张　三", "张三", ["name_spaces"]),
        ("person", "张 三 丰", "张三丰", ["name_spaces"]),
        ("person", "买买提•艾力", "买买提·艾力", ["middle_dot"]),
        ("person", "买买提．艾力", "买买提·艾力", ["middle_dot"]),
        ("person", "John Smith", "John Smith", []),
        ("person", "不详", None, ["null_word"]),
        ("number", VALID[:17] + "Ｘ", VALID[:17] + "X", ["full_width"]),
        ("number", VALID[:17] + "×", VALID[:17] + "X", ["id_characters"]),
        ("number", VALID[:17] + "Х", VALID[:17] + "X", ["id_characters"]),
        ("number", VALID[:17] + "x", VALID[:17] + "X", ["id_characters"]),
        ("number", f"{VALID[:6]} {VALID[6:14]}-{VALID[14:]}", VALID, ["id_separators"]),
        ("number", f"'{VALID}", VALID, ["apostrophe"]),
        ("number", f"\t{VALID}", VALID, ["trim"]),
        ("number", VALID[:6] + VALID[8:17], VALID, ["id_upgrade"]),
        ("phone", "13900000001/13900000002", "13900000001", ["phone_first"]),
        ("phone", "139 0000 0001", "13900000001", ["phone_separators"]),
        ("phone", "+86-139-0000-0001", "13900000001", ["phone_country", "phone_separators"]),
        ("phone", "(010)8888-0000", "01088880000", ["phone_separators"]),
        ("credit", "91110000600037341l", "91110000600037341L", ["upper_case"]),
        ("certificate", f"{VALID[:17]}x11", f"{VALID[:17]}X11", ["id_characters"]),
    ],
)  # fmt: skip
def test_each_step_does_what_it_says_and_is_recorded(
    of: Contract, column: str, raw: str, clean: object, steps: list[str]
) -> None:
    names = [column] if column == "thing_id" else ["thing_id", column]
    row = [raw] if column == "thing_id" else ["k", raw]
    with engine() as con:
        verdict = check(con, of, [row], columns=names, code_sets=SETS)
        held = con.execute(f"SELECT {identifier(column)} FROM checked").fetchall()
    assert held == [(clean,)]
    assert verdict.changes == tuple((column, step, 1) for step in steps)


@pytest.mark.parametrize(
    ("column", "raw"),
    [("sex", "1-女"), ("sex", "3"), ("born", "90-3-7"), ("born", "长期"), ("amount", "一百")],
)
def test_nothing_is_guessed(of: Contract, column: str, raw: str) -> None:
    with engine() as con:
        verdict = check(con, of, [["k", raw]], columns=["thing_id", column], code_sets=SETS)
        kept = con.execute(f"SELECT {identifier(column)} FROM quarantine").fetchall()
    assert kept == [(raw,)]
    assert verdict.quarantined == 1


def test_a_partners_code_map_applies_to_that_partner_only(of: Contract) -> None:
    rows = [["a", "男性"], ["b", "M"], ["c", "无"], ["d", "女"]]
    with engine() as con:
        ours = check(con, of, rows, columns=["thing_id", "sex"], code_sets=SETS, partner="housing")
        assert accepted(con, "sex") == [(1, "1"), (2, "1"), (3, "2"), (4, "2")]
        theirs = check(con, of, rows, columns=["thing_id", "sex"], code_sets=SETS)
    assert ours.changes == (("sex", "code_label", 1), ("sex", "code_map", 3))
    assert theirs.quarantined == 2


def test_a_code_the_partner_means_otherwise_is_mapped_too(tmp_path: Path) -> None:
    column = COLUMNS.splitlines()[9] + "\n"
    sources = "- {property: sources, value: {housing: {codeMaps: {relation: {'01': '02'}}}}}\n"
    of = contract(tmp_path, column, custom=sources)
    with engine() as con:
        verdict = check(con, of, [["a", "01"], ["b", "10"]], code_sets=SETS, partner="housing")
        assert accepted(con, "relation") == [(1, "02"), (2, "10")]
    assert verdict.changes == (("relation", "code_map", 1),)


def test_a_stage_never_repeats_work_many_times() -> None:
    item = Property("a", "a", "string", Classification.L1, code_set="relation")
    for stage in stages(transforms(item, RELATION, {"x": "01"})):
        repeats = 1
        for step in stage[:-1]:
            repeats *= step.uses
        assert repeats <= 4


TRICKY = st.text(
    alphabet=st.sampled_from(
        "0123456789XxabNULnul.-/ \t\n'`’×Х１Ｘ－．　\u00a0\u200b\ufeff·•・张三不详无空—男女年月日,，元万㎡+()"
    ),
    max_size=20,
)
PIECES = st.sampled_from(
    [VALID, "1990-03-07", "19900307", "2026-01-02 03:04:05", "1", "01", "男", "13900000001", "12.5"]
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(st.one_of(TRICKY, st.builds(lambda a, b: a + b, PIECES, TRICKY)), max_size=60)
)
def test_a_value_of_its_columns_shape_is_left_alone_by_every_step(
    of: Contract, values: list[str]
) -> None:
    with engine(1) as con:
        con.execute("CREATE TABLE v (x VARCHAR)")
        if values:
            con.executemany(
                "INSERT INTO v VALUES (?)", [[value] for value in [*values, *NULL_WORDS]]
            )
        for item in of.properties:
            code_set = SETS.get(item.code_set) if item.code_set else None
            codes = [code.code for code in code_set.codes] if code_set else None
            text = "x"
            for step in transforms(item, code_set, {}):
                text = step.apply(text) if step.uses == 1 else f"({step.apply(text)})"
                if len(text) > 20_000:
                    con.execute(f"CREATE OR REPLACE TABLE w AS SELECT x, {text} AS y FROM v")
                    changed = con.execute(
                        f"SELECT x, y FROM w WHERE {shape_of(item, codes).test('x')} AND y <> x"
                    ).fetchall()
                    assert changed == [], (item.name, step.name)
                    text = "x"
            changed = con.execute(
                f"SELECT x, {text} FROM v WHERE {shape_of(item, codes).test('x')} AND {text} <> x"
            ).fetchall()
            assert changed == [], item.name


def test_the_built_in_code_sets_are_clean_as_they_are() -> None:
    for code_set in load_code_sets().values():
        for code in code_set.codes:
            assert code.code.strip() == code.code
            assert code.code not in NULL_WORDS
