"""A first contract from a sample: every format, the invented district, real records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.delivery.sample import Draft, Task, draft_contract
from assets.demo.deliveries import Summary, generate_first
from assets.demo.district import District
from contracts.codes import load_code_sets
from contracts.drafting.draft import MARK
from contracts.drafting.guess import FLOORS
from contracts.loader import load_contracts
from contracts.model import Contract, header_form
from hub.errors import DeliveryRefused
from tests.factories import id_number, settings_in

SETS = load_code_sets()
REAL_CONTRACTS = {c.name: c for c in load_contracts()}
TODAY = date(2026, 7, 20)
HEADERS = ("证照号", "公民身份号码", "姓名", "性别", "出生日期", "发放金额")
SURNAMES = "张李王赵陈周吴郑"
ROWS = [
    (
        f"ZZ{n:06d}",
        id_number(n, f"19{60 + n % 40}{1 + n % 12:02d}{1 + n % 28:02d}"),
        f"{SURNAMES[n % 8]}某{'甲乙丙丁戊'[n % 5]}",
        "12"[id_number(n)[16] in "02468"],
        f"19{60 + n % 40}-{1 + n % 12:02d}-{1 + n % 28:02d}",
        f"{n * 7 % 90}.5",
    )
    for n in range(100, 300)
]


def made(file: Path, known: Sequence[Contract], dataset: str = "sample.grant") -> Draft:
    """Draft a contract from a file."""
    settings = settings_in(file.parent / "work-of-sample")
    return draft_contract(file, Task(dataset, "housing", TODAY), known, SETS, settings)


def _csv(path: Path, encoding: str, delimiter: str = ",") -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([HEADERS, *ROWS])
    path.write_bytes(text.getvalue().encode(encoding))


def _xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["发放名册"])
    for row in (HEADERS, *ROWS):
        sheet.append(list(row))
    book.save(path)


def _jsonl(path: Path) -> None:
    lines = [json.dumps(dict(zip(HEADERS, row, strict=True)), ensure_ascii=False) for row in ROWS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _parquet(path: Path) -> None:
    columns = list(zip(*ROWS, strict=True))
    pq.write_table(pa.table({h: list(c) for h, c in zip(HEADERS, columns, strict=True)}), path)


def _html(path: Path) -> None:
    rows = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in (HEADERS, *ROWS))
    path.write_text(f"<html><body><table>{rows}</table></body></html>", encoding="utf-8")


FORMATS: dict[str, Callable[[Path], None]] = {
    "a.csv": lambda path: _csv(path, "utf-8-sig"),
    "b.csv": lambda path: _csv(path, "gb18030"),
    "c.tsv": lambda path: _csv(path, "utf-8", "\t"),
    "d.xlsx": _xlsx,
    "e.jsonl": _jsonl,
    "f.parquet": _parquet,
    "g.xls": _html,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_contract(tmp_path: Path, name: str) -> None:
    FORMATS[name](tmp_path / name)
    draft = made(tmp_path / name, list(REAL_CONTRACTS.values()))
    found = {p.name: (p.logical_type, p.semantic, p.role) for p in draft.contract.properties}
    assert list(found.values()) == [
        ("string", None, None),
        ("string", "resident_id", "resident"),
        ("string", "person_name", "resident"),
        ("string", None, None),
        ("date", "birth_date", "resident"),
        ("number", None, None),
    ]
    assert list(found) == ["column_1", "resident_id", "name", "sex", "birth_date", "column_6"]
    assert draft.contract.key == ("column_1",)
    assert draft.contract.column("sex").code_set == "sex"
    rules = {rule.rule: rule.severity for rule in draft.contract.rules}
    assert rules["resident_id_matches_birth_date"] == "error"
    assert draft.verdict.passed
    assert draft.verdict.rows == len(ROWS)
    assert not (tmp_path / "work-of-sample" / "work").is_dir() or not list(
        (tmp_path / "work-of-sample" / "work").iterdir()
    )


def test_the_draft_loads_among_the_others_and_shows_nobody(tmp_path: Path) -> None:
    _csv(tmp_path / "a.csv", "utf-8")
    draft = made(tmp_path / "a.csv", list(REAL_CONTRACTS.values()))
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "sample.grant.yaml").write_text(draft.text, encoding="utf-8")
    assert "sample.grant" in {c.name for c in load_contracts([folder])}
    assert MARK in draft.text
    for row in ROWS:
        assert not any(row[place] in draft.text for place in (1, 2))


def test_a_dirty_sample_softens_its_contract_until_it_passes(tmp_path: Path) -> None:
    rows = [list(row) for row in ROWS]
    for row in rows[:40]:
        row[1] = row[1][:17] + ("1" if row[1][17] != "1" else "2")
    text = io.StringIO()
    csv.writer(text).writerows([HEADERS, *rows])
    (tmp_path / "a.csv").write_text(text.getvalue(), encoding="utf-8")
    draft = made(tmp_path / "a.csv", list(REAL_CONTRACTS.values()))
    assert draft.verdict.passed
    severities = {r.rule: r.severity for r in draft.contract.rules}
    assert severities["resident_id_check_digit"] == "warning"
    assert "40 / 200" in draft.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("张三,李四\n王五,赵六\n", "no header row"),
        ("张三,990106199003071234\n李四,990106199003071242\n", "no header row"),
        ("姓名,姓名\n张三,李四\n", "no header row"),
        ("", "empty"),
        ("姓名,性别\n", "no data rows"),
    ],
)
def test_a_file_without_beyond_doubt_a_header_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DeliveryRefused, match=said) as refused:
        made(tmp_path / "a.csv", list(REAL_CONTRACTS.values()))
    assert "990106" not in str(refused.value)
    assert "张三" not in str(refused.value)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The first month of a small invented district."""
    folder = tmp_path_factory.mktemp("district")
    return generate_first(District(residents=2_000, month="2026-06"), folder)


@pytest.mark.parametrize(
    ("who", "types", "semantics", "keys"),
    [
        # every contract known: what a department gets that sends what others send, too
        ("all", 1.0, 0.98, 12),
        # no header known at all: the values alone
        ("none", 0.92, 0.97, 10),
    ],
)
def test_how_often_the_guess_is_right_on_the_district(
    district: Summary, who: str, types: float, semantics: float, keys: int
) -> None:
    columns = right_type = right_semantic = right_key = 0
    for delivery in district.deliveries:
        real = REAL_CONTRACTS[delivery.dataset]
        known = list(REAL_CONTRACTS.values()) if who == "all" else []
        draft = made(delivery.path, known, f"sample.{delivery.dataset.partition('.')[2]}")
        assert draft.verdict.passed, delivery.dataset
        headers = real.headers(delivery.partner)
        truth = {
            p.name: real.column(headers[header_form(p.title)]) for p in draft.contract.properties
        }
        for item in draft.contract.properties:
            columns += 1
            right_type += item.logical_type == truth[item.name].logical_type
            right_semantic += item.semantic == truth[item.name].semantic
            assert item.classification >= FLOORS.get(item.semantic or "", item.classification)
            if who == "all":
                assert item.classification >= truth[item.name].classification
        right_key += tuple(truth[name].name for name in draft.contract.key) == real.key
    assert right_type / columns >= types
    assert right_semantic / columns >= semantics
    assert right_key >= keys


REAL = sorted((Path(__file__).parents[4] / "shared" / "data" / "real").glob("*-street.csv"))


@pytest.mark.skipif(not REAL, reason="the published police records are not beside this folder")
def test_real_records_get_a_contract_that_they_pass(tmp_path: Path) -> None:
    draft = made(REAL[0], list(REAL_CONTRACTS.values()), "sample.street")
    types = {p.name: p.logical_type for p in draft.contract.properties}
    assert types["longitude"] == types["latitude"] == "number"
    assert {kind for name, kind in types.items() if name not in ("longitude", "latitude")} == {
        "string"
    }
    assert draft.contract.mode == "append"
    assert draft.verdict.passed
    assert "crime_type_listed" in {rule.name for rule in draft.contract.rules}
