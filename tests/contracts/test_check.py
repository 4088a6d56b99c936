"""One batch through the engine: typed rows, quarantine with every reason, counts, verdict."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from contracts.check import release, run_batch
from contracts.checks import plan
from contracts.codes import load_code_sets
from contracts.compile import SourceRelation, compile_batch
from hub.errors import ConfigError
from tests.contracts.small import AS_OF, accepted, check, contract, engine, failed

TYPED = """
- {name: n, logicalType: integer, classification: L1, logicalTypeOptions: {minimum: 1, maximum: 9}}
- {name: x, logicalType: number, classification: L1}
- {name: b, logicalType: boolean, classification: L1}
- {name: d, logicalType: date, classification: L1, logicalTypeOptions: {minimum: "1900-01-01"}}
- {name: t, logicalType: timestamp, classification: L1}
- name: code
  logicalType: string
  classification: L1
  logicalTypeOptions: {pattern: "^[A-Z]{2}[0-9]$", maxLength: 3}
"""


def test_rows_are_typed(tmp_path: Path) -> None:
    of = contract(tmp_path, TYPED)
    row = ("k", "3", "2.5", "true", "2020-02-29", "2020-02-29 23:59:58", "AB1")
    with engine() as con:
        verdict = check(con, of, [row])
        assert accepted(con) == [
            (
                1,
                "k",
                3,
                2.5,
                True,
                date(2020, 2, 29),
                datetime.fromisoformat("2020-02-29 23:59:58"),
                "AB1",
            )
        ]
    assert (verdict.rows, verdict.accepted, verdict.quarantined, verdict.warnings) == (1, 1, 0, 0)
    assert verdict.passed
    assert verdict.changes == ()


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("thing_id", None, "required.thing_id"),
        ("thing_id", "不详", "required.thing_id"),
        ("n", "three", "type.n"),
        ("n", "1e0", "type.n"),
        ("n", "0", "range.n"),
        ("n", "10", "range.n"),
        ("n", "99999999999999999999", "type.n"),
        ("x", "nan", "type.x"),
        ("x", "inf", "type.x"),
        ("x", "0x10", "type.x"),
        ("b", "perhaps", "type.b"),
        ("d", "1990-02-30", "type.d"),
        ("d", "1990-13-01", "type.d"),
        ("d", "90-03-07", "type.d"),
        ("d", "1990-3", "type.d"),
        ("d", "infinity", "type.d"),
        ("d", "epoch", "type.d"),
        ("d", "10000-01-01", "type.d"),
        ("d", "0044-03-15 (BC)", "type.d"),
        ("d", "32874", "type.d"),
        ("d", "1899-12-31", "range.d"),
        ("t", "2020-02-30 00:00:00", "type.t"),
        ("t", "2020-02-20 25:00:00", "type.t"),
        ("code", "ab1", "pattern.code"),
        ("code", "AB1\nAB1", "pattern.code"),
    ],
)
def test_a_bad_value_is_quarantined_with_its_rule(
    tmp_path: Path, column: str, value: str | None, rule: str
) -> None:
    of = contract(tmp_path, TYPED)
    good = {"thing_id": "k", "n": "3", "x": "2", "b": "true", "d": "2020-01-01"}
    good |= {"t": "2020-01-01 00:00:00", "code": "AB1"}
    row = tuple((good | {column: value})[item.name] for item in of.properties)
    with engine() as con:
        verdict = check(con, of, [tuple((good | {"thing_id": "other"}).values()), row])
        assert list(failed(con)) == [2]
        [(number, rules)] = con.execute(
            "SELECT row_number, failed_rules FROM quarantine"
        ).fetchall()
    assert number == 2
    assert rule in rules
    assert verdict.result(rule).failing == 1


def test_every_reason_is_reported_and_the_cleaned_text_is_kept(tmp_path: Path) -> None:
    of = contract(tmp_path, TYPED)
    row = ("k", " x1 ", "y", "z", "1990.2.30", "never", "long text")
    with engine() as con:
        check(con, of, [row])
        kept = con.execute("SELECT * FROM quarantine").fetchone()
    assert kept is not None
    number, rules, *cells = kept
    assert number == 1
    assert cells == ["k", "x1", "y", "z", "1990-02-30", "never", "long text"]
    assert set(rules) == {
        "type.n", "type.x", "type.b", "type.d", "type.t", "pattern.code", "length.code"
    }  # fmt: skip


def test_rows_keep_their_numbers_on_several_threads(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: n, logicalType: integer, classification: L1}\n")
    path = tmp_path / "many.csv"
    with engine(threads=4) as con:
        con.execute(
            "COPY (SELECT 'k' || i AS thing_id, CASE WHEN i % 97 = 0 THEN 'bad' ELSE i::VARCHAR END "
            f"AS n FROM range(1, 400001) r(i)) TO '{path}' (HEADER)"
        )
        source = SourceRelation(
            f"SELECT * FROM read_csv('{path}', header = true, all_varchar = true)",
            ("thing_id", "n"),
        )
        compiled = compile_batch(of, plan(of), source, as_of=AS_OF, code_sets=load_code_sets())
        verdict = run_batch(con, compiled)
        wrong = con.execute("SELECT count(*) FROM accepted WHERE row_number <> n").fetchone()
        bad = con.execute("SELECT count(*) FROM quarantine WHERE row_number % 97 <> 0").fetchone()
    assert verdict.quarantined == 400_000 // 97
    assert (wrong, bad) == ((0,), (0,))


def test_given_row_numbers_are_used(tmp_path: Path) -> None:
    of = contract(tmp_path)
    sql = "SELECT 17::BIGINT AS row_number, 'a' AS thing_id UNION ALL SELECT 4, NULL"
    source = SourceRelation(sql, ("thing_id",), numbered=True)
    with engine() as con:
        run_batch(con, compile_batch(of, plan(of), source, as_of=AS_OF, code_sets=load_code_sets()))
        assert accepted(con) == [(17, "a")]
        assert failed(con) == {4: ["required.thing_id"]}


def test_an_engine_that_loses_the_order_is_refused(tmp_path: Path) -> None:
    of = contract(tmp_path)
    with engine() as con:
        con.execute("SET preserve_insertion_order = false")
        with pytest.raises(ConfigError, match="preserve_insertion_order"):
            check(con, of, [("a",)])


def test_a_column_that_was_not_delivered_counts_as_empty(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: a, logicalType: date, classification: L1, required: true}\n")
    with engine() as con:
        check(con, of, [("k",)], columns=["thing_id"])
        assert failed(con) == {1: ["required.a"]}


def test_no_rows_do_not_pass(tmp_path: Path) -> None:
    with engine() as con:
        verdict = check(con, contract(tmp_path), [])
    assert not verdict.passed
    assert verdict.key_accuracy is None
    assert verdict.overall is None
    assert "no rows" in verdict.reason


def test_all_rows_of_a_key_with_different_content_are_blamed(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: a, logicalType: string, classification: L1}\n")
    rows = [("k1", "x"), ("k2", "x"), ("k1", "y"), (None, "z"), (None, "z"), ("k1", "x")]
    with engine() as con:
        check(con, of, rows)
        assert failed(con) == {
            1: ["key_duplicate"],
            3: ["key_duplicate"],
            4: ["required.thing_id"],
            5: ["required.thing_id"],
            6: ["key_duplicate"],
        }


def test_of_rows_that_are_the_same_the_first_stays(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: a, logicalType: string, classification: L1}\n")
    with engine() as con:
        check(con, of, [("k1", "x"), (" k1", "x "), ("k1", "x")])
        assert accepted(con) == [(1, "k1", "x")]
        assert failed(con) == {2: ["key_duplicate"], 3: ["key_duplicate"]}


def test_a_unique_column_may_not_repeat(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: a, logicalType: string, classification: L1, unique: true}\n")
    with engine() as con:
        check(con, of, [("1", "x"), ("2", "x"), ("3", None), ("4", None)])
        assert failed(con) == {1: ["unique.a"], 2: ["unique.a"]}


WARNED = """
- name: starts_well
  type: custom
  engine: mingjing
  severity: warning
  implementation: {rule: expression, sql: "starts_with(a, 'x')"}
"""


def test_a_warning_counts_and_does_not_quarantine(tmp_path: Path) -> None:
    of = contract(tmp_path, "- {name: a, logicalType: string, classification: L1}\n", WARNED)
    with engine() as con:
        verdict = check(con, of, [("1", "x"), ("2", "y"), ("3", None)])
        assert len(accepted(con)) == 3
        assert failed(con) == {2: ["starts_well"]}
    assert (verdict.quarantined, verdict.warnings) == (0, 1)
    assert verdict.result("starts_well").evaluated == 2


def test_key_accuracy_counts_rows_with_an_error_on_a_key_field_once(tmp_path: Path) -> None:
    columns = """
    - {name: a, logicalType: integer, classification: L1, criticalDataElement: true}
    - {name: b, logicalType: integer, classification: L1, criticalDataElement: true}
    - {name: c, logicalType: integer, classification: L1}
    """
    rows = [("1", "x", "x", "x"), ("2", "1", "1", "x"), ("3", "1", "1", "1"), ("4", "1", "1", "1")]
    with engine() as con:
        verdict = check(con, contract(tmp_path, columns), rows)
    assert verdict.key_accuracy == 0.75
    assert verdict.overall == 0.5
    assert not verdict.passed
    assert "75.00 %" in verdict.reason


def test_many_checks_need_several_mask_words(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(70)]
    columns = "".join(f"- {{name: {n}, logicalType: integer, classification: L1}}\n" for n in names)
    row = ["k", *("1" for _ in names)]
    bad = ["l", *("no" if n % 30 == 9 else "1" for n in range(70))]
    with engine() as con:
        verdict = check(con, contract(tmp_path, columns), [row, bad])
        assert failed(con) == {2: ["type.c39", "type.c69", "type.c9"]}
        assert len(accepted(con)) == 1
    assert verdict.result("type.c69").failing == 1


def test_the_separator_itself_in_a_cell_changes_nothing_else(tmp_path: Path) -> None:
    columns = """
    - {name: a, logicalType: string, classification: L1}
    - {name: b, logicalType: string, classification: L1}
    """
    with engine() as con:
        verdict = check(con, contract(tmp_path, columns), [("k", "x\x1fy\x1fz", " t ")])
        assert accepted(con) == [(1, "k", "xyz", "t")]
    assert verdict.changes == (("a", "invisible", 1), ("b", "trim", 1))


def test_release_leaves_nothing_behind(tmp_path: Path) -> None:
    with engine() as con:
        check(con, contract(tmp_path), [("a",)])
        release(con)
        con.execute("DROP TABLE delivered")
        assert con.execute("SHOW ALL TABLES").fetchall() == []
