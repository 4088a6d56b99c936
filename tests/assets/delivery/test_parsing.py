"""Parsing: every format and quirk gives the same rows; every file that does not fit is refused."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from hub.errors import DeliveryRefused
from tests.assets.delivery.samples import COLUMNS, HEADERS, ROWS, Hub, text, with_limits

MOMENT = datetime.datetime(2026, 1, 5, 8, 30)  # noqa: DTZ001  # a workbook knows no zones
NAMES = ("张三", "李𠮷", "王", "9901061990", "1200")


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip archive of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def workbook(
    rows: Sequence[Sequence[Any]], change: Callable[[Worksheet], None] | None = None
) -> bytes:
    """Return an xlsx of one sheet, changed before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    if change:
        change(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet(columns: dict[str, pa.Array]) -> bytes:
    """Return a Parquet file of these columns."""
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def page(rows: Sequence[Sequence[str | None]]) -> str:
    """Return an HTML table as exports write it."""
    lines = "".join(
        "<tr>" + "".join(f"<td>{cell or ''}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<html><body><table border=1>\n{lines}</table></body></html>"


def records(names: Sequence[str] = COLUMNS) -> list[dict[str, Any]]:
    """Return the sample rows as objects."""
    return [dict(zip(names, row, strict=True)) for row in ROWS]


def refusal(hub: Hub, name: str, data: bytes, **promises: Any) -> DeliveryRefused:
    """Return why a file is refused; the message names the file and nobody."""
    with pytest.raises(DeliveryRefused) as caught:
        hub.parsed(name, data, **promises)
    assert caught.value.message.startswith(f"{hub.records.batches()[0].file_name}: ")
    assert not any(value in str(caught.value) for value in NAMES)
    return caught.value


# -- formats


SAME: dict[str, tuple[str, bytes]] = {
    "utf-8": ("tenancy.csv", text().encode()),
    "utf-8-bom": ("tenancy.csv", text().encode("utf-8-sig")),
    "gb18030": ("tenancy.csv", text().encode("gb18030")),
    "lf": ("tenancy.csv", text().replace("\r\n", "\n").encode()),
    "no-last-line-end": ("tenancy.csv", text().removesuffix("\r\n").encode()),
    "all-quoted": (
        "tenancy.csv",
        "".join(
            ",".join(f'"{c or ""}"' for c in r) + "\r\n" for r in (HEADERS, *ROWS)
        ).encode(),
    ),
    "tab": (
        "tenancy.tsv",
        "".join(
            "\t".join(f'"{c}"' if c and "\n" in c else c or "" for c in r) + "\n"
            for r in (HEADERS, *ROWS)
        ).encode(),
    ),
    "semicolon": (
        "tenancy.txt",
        "".join(";".join(f'"{c or ""}"' for c in r) + "\n" for r in (HEADERS, *ROWS)).encode(),
    ),
    "column-names": ("tenancy.csv", text(header=COLUMNS).encode()),
    "titles-above": ("tenancy.csv", ("房屋租赁登记表,,,,,\r\n\r\n" + text()).encode("gb18030")),
    "xlsx": ("tenancy.xlsx", workbook((HEADERS, *ROWS))),
    "xls-is-xlsx": ("tenancy.xls", workbook((HEADERS, *ROWS))),
    "jsonl": ("tenancy.jsonl", json_lines(records())),
    "jsonl-titles": ("tenancy.ndjson", json_lines(records(HEADERS))),
    "parquet": (
        "tenancy.parquet",
        parquet({c: pa.array([r[i] for r in ROWS]) for i, c in enumerate(COLUMNS)}),
    ),
    "zip": ("tenancy.zip", zipped({"__MACOSX/._a": b"x", "data/a.csv": text().encode("gb18030")})),
    "gz": ("tenancy.csv.gz", gzip.compress(text().encode())),
    "zip-of-xlsx": ("tenancy.zip", zipped({"tenancy.xlsx": workbook((HEADERS, *ROWS))})),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAME)
def test_every_format_gives_the_same_rows(hub: Hub, kind: str) -> None:
    read = hub.parsed(*SAME[kind])
    assert read.rows == ROWS
    assert [number for number, _ in read.numbered] == [1, 2, 3]
    assert read.parsed.rows == 3
    assert read.parsed.missing == ()


def test_a_page_that_calls_itself_a_workbook_is_read(hub: Hub) -> None:
    flat = [[cell and cell.replace("\n", " ") for cell in row] for row in ROWS]
    read = hub.parsed("tenancy.xls", page([HEADERS, *flat]).encode("gb18030"))
    assert read.parsed.format == "html"
    assert read.parsed.encoding == "gb18030"
    assert [list(row) for row in read.rows] == flat


@pytest.mark.parametrize(
    ("kind", "encoding"), [("utf-8", "utf-8"), ("utf-8-bom", "utf-8"), ("gb18030", "gb18030")]
)
def test_the_encoding_is_found(hub: Hub, kind: str, encoding: str) -> None:
    assert hub.parsed(*SAME[kind]).parsed.encoding == encoding


@pytest.mark.parametrize("kind", ["utf-8", "xlsx"])
def test_a_home_with_an_awkward_name_is_no_pattern(tmp_path: Path, kind: str) -> None:
    for name in ("it's [a] *home?", "it's [a] *homes"):
        (tmp_path / name / "home").mkdir(parents=True)
    hub = Hub.in_folder(tmp_path / "it's [a] *home?")
    assert hub.parsed(*SAME[kind]).rows == ROWS
    hub.records.close()


def test_a_partners_own_headers_are_known(hub: Hub) -> None:
    header = [h.replace("租金", " 月\u3000租 ") for h in HEADERS]
    assert hub.parsed("t.csv", text(header=header).encode(), partner="market").rows == ROWS
    assert "column 4 is unknown" in str(refusal(hub, "t.csv", text(header=header).encode()))


def test_headers_are_compared_without_width_space_or_case(hub: Hub) -> None:
    header = ("ＴＥＮＡＮＣＹ＿ID", " 承租人 身份证号\u200b", *HEADERS[2:])
    assert hub.parsed("t.csv", text(header=header).encode()).rows == ROWS


def test_optional_columns_may_be_absent_and_in_any_order(hub: Hub) -> None:
    data = "承租人姓名,合同编号,承租人身份证号\n张三,T1,990106199003071234\n"
    read = hub.parsed("t.csv", data.encode())
    assert read.rows == (("T1", "990106199003071234", "张三", None, None, None),)
    assert read.parsed.missing == ("rent_yuan", "start_date", "note")


# -- delimited text


def test_rows_keep_the_order_and_number_of_the_file_across_blocks(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.delivery.text.BLOCK_BYTES", 300)
    rows = [
        (f"T{i}", "1", "名", "2", "3", 'a"b\nc,\r\nd' if i % 7 == 0 else "𠮷") for i in range(200)
    ]
    for encoding in ("utf-8", "gb18030"):
        read = hub.parsed("t.csv", text(rows).encode(encoding))
        wanted = [(*r[:5], r[5].replace("\r\n", "\n")) for r in rows]
        assert [list(r) for r in read.rows] == [list(r) for r in wanted]


def test_totals_signatures_and_empty_rows_at_the_end_are_dropped_and_counted(hub: Hub) -> None:
    tail = ",,,,,\r\n合 计,,,1280.5,,\r\n填表人：赵六\r\n\r\n,,,,,\r\n"
    read = hub.parsed("t.csv", (text() + tail).encode("gb18030"))
    assert read.rows == ROWS
    assert read.parsed.changes == (
        ("", "empty_row_dropped", 3),
        ("", "signature_row_dropped", 1),
        ("", "total_row_dropped", 1),
    )


def test_blank_lines_between_rows_are_dropped_and_counted(hub: Hub) -> None:
    read = hub.parsed("t.csv", text().replace("T2", "\r\n \r\nT2").encode())
    assert read.rows == ROWS
    assert read.parsed.changes == (("", "blank_line_dropped", 2),)


def test_the_line_of_the_first_row_is_known(hub: Hub) -> None:
    data = f"登记表\n\n{text()}".encode()
    assert hub.parsed("t.csv", data).parsed.first_line == 4


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda s: s.replace("T2,", "T2,,"), "line 3 has 7"),
        (lambda s: s.replace("T1,", ""), "line 2 has 5"),
        (lambda s: s + "T4,9901", "line 6 has 2"),
    ],
)
def test_a_row_of_another_width_is_refused_with_its_line(
    hub: Hub, spoil: Callable[[str], str], line: str
) -> None:
    error = refusal(hub, "t.csv", spoil(text()).encode())
    assert "fields of the header" in error.message
    assert error.findings == (line,)


def test_two_wrong_rows_do_not_make_up_for_each_other(hub: Hub) -> None:
    data = text().replace("T1,", "").replace("T2,", "T2,,")
    assert refusal(hub, "t.csv", data.encode()).findings == ("line 2 has 5", "line 3 has 7")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('说"好"的', "line 3 has a quotation mark inside a field"),
        ('"好"的', "line 3 has a quotation mark inside a field"),
        ('"没有结束', "line 3 does not end"),
    ],
)
def test_quotation_marks_that_do_not_fit_are_refused(hub: Hub, field: str, said: str) -> None:
    data = text(ROWS[:2]).replace('"含,逗号"', field)
    assert said in refusal(hub, "t.csv", data.encode()).message


def test_a_mark_left_open_early_is_refused_near_its_line(hub: Hub) -> None:
    data = text().replace("T1", '"T1')
    assert "quotation mark" in refusal(hub, "t.csv", data.encode()).message


def test_a_row_that_never_ends_is_refused(hub: Hub) -> None:
    small = with_limits(hub, row_bytes=1000)
    data = text(ROWS[:1]) + 'T2,1,2,3,4,"' + "x\n" * 2000
    assert "does not end" in refusal(small, "t.csv", data.encode()).message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (text().encode() + "T4,1,王,,,\n".encode("gb18030"), "line 6 is not UTF-8"),
        (text().encode("gb18030") + b"T4,1,\xff\xff,,,\n", "line 6 is not GB18030"),
        (text().encode().replace(b"T2", b"T\x002"), "line 3 holds a NUL"),
        (text().encode().replace(b"T2", b"T\r2"), "line 3 holds a bare carriage return"),
    ],
)
def test_wrong_bytes_are_refused_with_their_line(hub: Hub, data: bytes, said: str) -> None:
    assert said in refusal(hub, "t.csv", data).message


@pytest.mark.parametrize(
    ("declared", "data", "said"),
    [
        ("utf-8", text().encode("gb18030"), "line 1 is not UTF-8 as the manifest says"),
        ("gb18030", text().encode("utf-8-sig"), "mend the manifest"),
    ],
)
def test_another_encoding_than_promised_is_refused(
    hub: Hub, declared: str, data: bytes, said: str
) -> None:
    assert said in refusal(hub, "t.csv", data, encoding=declared).message


def test_utf8_promised_as_gb18030_is_refused_not_garbled(hub: Hub) -> None:
    refusal(hub, "t.csv", text().encode(), encoding="gb18030")


# -- headers


def test_every_finding_about_the_columns_is_named(hub: Hub) -> None:
    header = ("合同编号", "承租人姓名", "承租人姓名", "租金", "开始", "备注")
    error = refusal(hub, "t.csv", text(header=header).encode())
    assert error.findings == (
        "column 5 is unknown to the contract (开始)",
        "column tenant_name (承租人姓名) is there 2 times: columns 2, 3",
        "column tenant_id (承租人身份证号) is missing",
    )


def test_the_same_column_under_two_names_is_doubled(hub: Hub) -> None:
    header = ("合同编号", "承租人身份证号", "承租人姓名", "tenant_name", "起始日期", "备注")
    assert "2 times" in str(refusal(hub, "t.csv", text(header=header).encode()))


@pytest.mark.parametrize("unknown", ["990106199003071234", "王小明13900000000的电话", "x" * 40])
def test_an_unknown_header_that_may_be_data_is_not_repeated(hub: Hub, unknown: str) -> None:
    error = refusal(hub, "t.csv", text(header=(*HEADERS[:5], unknown)).encode())
    assert error.findings == ("column 6 is unknown to the contract",)


def test_a_trailing_delimiter_is_a_column_without_header(hub: Hub) -> None:
    data = text().replace("\r\n", ",\r\n")
    assert "column 7 is unknown to the contract (it has no header)" in str(
        refusal(hub, "t.csv", data.encode())
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_without_header_is_refused_and_its_first_row_not_shown(hub: Hub, kind: str) -> None:
    data = (
        text(ROWS[1:], header=[c or "" for c in ROWS[0]]).encode()
        if kind == "csv"
        else workbook(ROWS)
    )
    error = refusal(hub, f"t.{kind}", data)
    assert "no header row" in error.message
    assert error.findings == (", ".join(HEADERS),)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", text(()).encode()),
        ("t.csv", (text(()) + "合计,,,0,,\n").encode()),
        ("t.xlsx", workbook([HEADERS])),
        ("t.parquet", parquet({c: pa.array([], pa.string()) for c in COLUMNS})),
    ],
    ids=("header", "total", "sheet", "columns"),
)
def test_zero_rows_are_refused(hub: Hub, name: str, data: bytes) -> None:
    assert "no data rows" in refusal(hub, name, data).message


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.jsonl", "t.zip"])
def test_an_empty_file_is_refused(hub: Hub, name: str) -> None:
    assert "the file is empty" in refusal(hub, name, b"").message


@pytest.mark.parametrize("kind", ["utf-8", "xlsx", "jsonl", "parquet"])
def test_another_number_of_rows_than_promised_is_refused(hub: Hub, kind: str) -> None:
    name, data = SAME[kind]
    error = refusal(hub, name, data, rows=4)
    assert error.findings == ("rows: the manifest says 4, the file has 3",)


def test_the_promised_number_of_rows_is_kept(hub: Hub) -> None:
    assert hub.parsed("t.csv", text().encode(), rows=3, format="csv", encoding="utf-8").rows == ROWS


# -- what a file claims


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("t.csv", "xlsx", "claims to be .csv and is an Excel workbook"),
        ("t.csv", "parquet", "claims to be .csv and is a Parquet file"),
        ("t.csv", "jsonl", "claims to be .csv and is JSON Lines"),
        ("t.xlsx", "utf-8", "claims to be .xlsx and is delimited text"),
        ("t.parquet", "utf-8", "claims to be .parquet and is delimited text"),
        ("t.jsonl", "utf-8", "claims to be .jsonl and is delimited text"),
        ("t.zip", "utf-8", "claims to be .zip and is delimited text"),
        ("t.csv", "zip", "claims to be .csv and is a zip archive"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(
    hub: Hub, name: str, kind: str, said: str
) -> None:
    assert said in refusal(hub, name, SAME[kind][1]).message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7 ...", "a PDF document"),
        (text().encode("utf-16"), "UTF-16"),
        (b"\x00\x01\x02" * 50, "binary data"),
        (b"[{}]", "one JSON array"),
        (b"<?xml version='1.0'?><Workbook/>", "an XML document"),
        (b"PARE" + b"\0" * 20, "an encrypted Parquet file"),
    ],
)
def test_what_cannot_be_read_is_refused_by_kind(hub: Hub, data: bytes, said: str) -> None:
    assert said in refusal(hub, "t.data", data).message


def test_another_format_than_promised_is_refused(hub: Hub) -> None:
    assert "format" in str(refusal(hub, "t.xlsx", SAME["xlsx"][1], format="parquet"))


# -- archives


@pytest.mark.parametrize("kind", ["zip", "gz", "zip-of-xlsx", "xlsx", "parquet"])
def test_a_file_that_was_cut_off_is_refused(hub: Hub, kind: str) -> None:
    name, data = SAME[kind]
    assert "cut off" in refusal(hub, name, data[: len(data) * 2 // 3]).message


def test_a_damaged_byte_in_an_archive_is_found(hub: Hub) -> None:
    data = bytearray(zipped({"a.csv": text().encode() * 20}))
    data[60] ^= 0xFF
    assert "damaged" in refusal(hub, "t.zip", bytes(data)).message


@pytest.mark.parametrize("members", [{}, {"a.csv": b"x", "b.csv": b"y"}])
def test_an_archive_holds_one_file(hub: Hub, members: dict[str, bytes]) -> None:
    said = refusal(hub, "t.zip", zipped(members)).message
    assert f"holds {len(members)} files" in said


def test_an_archive_with_a_password_is_refused_with_the_remedy(hub: Hub) -> None:
    data = bytearray(zipped({"a.csv": text().encode()}))
    data[6] |= 1  # general purpose flag of the member
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "password: deliver it without" in refusal(hub, "t.zip", bytes(data)).message


def test_an_archive_in_an_archive_is_refused(hub: Hub) -> None:
    inner = zipped({"a.csv": text().encode()})
    assert "inside the archive" in refusal(hub, "t.zip", zipped({"b.zip": inner})).message


@pytest.mark.parametrize("name", ["t.zip", "t.csv.gz"])
def test_a_bomb_is_stopped_while_it_unpacks(hub: Hub, name: str) -> None:
    small = with_limits(hub, clear_bytes=1 << 20)
    bomb = text().encode() + b"0" * (8 << 20)
    data = zipped({"a.csv": bomb}) if name == "t.zip" else gzip.compress(bomb)
    assert "unpacks to more than 1 MiB" in refusal(small, name, data).message


def test_a_workbook_that_would_unpack_to_too_much_is_refused(hub: Hub) -> None:
    small = with_limits(hub, clear_bytes=1 << 10)
    assert "unpacks to more than" in refusal(small, *SAME["xlsx"]).message


def test_names_inside_an_archive_lead_nowhere(hub: Hub) -> None:
    data = zipped({"../../../outside.csv": text().encode()})
    assert hub.parsed("t.zip", data).rows == ROWS
    assert not list(hub.settings.home.parent.glob("**/outside.csv"))


# -- workbooks


def test_titles_second_header_and_totals_of_a_workbook_are_passed_over(hub: Hub) -> None:
    rows = [
        ("房屋租赁登记表",), (), ("基本信息", None, None, "合同", None, None), HEADERS,
        *ROWS[:2], ("小计", None, None, 1280.5), *ROWS[2:], ("合计", None, None, 1280.5), (),
    ]  # fmt: skip
    read = hub.parsed("t.xlsx", workbook(rows))
    assert read.rows == ROWS
    assert [number for number, _ in read.numbered] == [1, 2, 4]
    assert read.parsed.first_line == 5
    assert read.parsed.changes == (("", "total_row_dropped", 2),)


def test_cells_are_read_as_text_without_damage(hub: Hub) -> None:
    row = ("T1", 990106199003071, "张三", 1200.5, datetime.date(2026, 1, 5), True)
    later = (2.0, "990106199003071234", "李四", 3, MOMENT, "0012")
    read = hub.parsed("t.xlsx", workbook([HEADERS, row, later]))
    assert read.rows == (
        ("T1", "990106199003071", "张三", "1200.5", "2026-01-05", "true"),
        ("2", "990106199003071234", "李四", "3", "2026-01-05 08:30:00", "0012"),
    )


def test_an_id_number_typed_as_a_number_comes_through_as_what_is_left_of_it(hub: Hub) -> None:
    read = hub.parsed("t.xlsx", workbook([HEADERS, ("T1", 990106199003071234, "张三")]))
    assert read.rows[0][1] == "990106199003071232"  # a 64-bit float has no 1234 here


def test_merged_cells_are_filled_down_and_counted(hub: Hub) -> None:
    rows = [HEADERS, ("T1", "1", "张三"), ("T2", "2", None), ("T3", "3", None), ("T4", "4", "李四")]
    read = hub.parsed("t.xlsx", workbook(rows, lambda sheet: sheet.merge_cells("C2:C4")))
    assert [row[2] for row in read.rows] == ["张三", "张三", "张三", "李四"]
    assert read.parsed.changes == (("tenant_name", "merged_cell_filled", 2),)


def test_cells_of_a_page_that_span_rows_are_filled_down_and_counted(hub: Hub) -> None:
    body = "<tr><td>T1<td>1<td rowspan=2>张三<td><td><td></tr><tr><td>T2<td>2<td>5<td><td></tr>"
    head = "".join(f"<th>{h}</th>" for h in HEADERS)
    data = f"<table><tr><td colspan=6>登记表</td></tr><tr>{head}</tr>{body}</table>"
    read = hub.parsed("t.xls", data.encode())
    assert [row[:4] for row in read.rows] == [("T1", "1", "张三", None), ("T2", "2", "张三", "5")]
    assert read.parsed.changes == (("tenant_name", "merged_cell_filled", 1),)


def test_error_cells_come_through_for_the_check_to_find(hub: Hub) -> None:
    def spoil(sheet: Worksheet) -> None:
        sheet["D2"] = "#DIV/0!"
        sheet["D2"].data_type = "e"

    read = hub.parsed("t.xlsx", workbook([HEADERS, *ROWS], spoil))
    assert read.rows[0][3] == "#DIV/0!"
    assert read.rows[1:] == ROWS[1:]


def test_hidden_sheets_are_not_read(hub: Hub) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden"
        shown = sheet.parent.create_sheet("shown")
        for row in (HEADERS, ROWS[0]):
            shown.append(row)

    assert hub.parsed("t.xlsx", workbook([HEADERS, *ROWS], hide)).rows == ROWS[:1]


def test_two_sheets_with_the_header_are_refused(hub: Hub) -> None:
    def add(sheet: Worksheet) -> None:
        second = sheet.parent.create_sheet("二月")
        for row in (HEADERS, ROWS[0]):
            second.append(row)

    assert "2 visible sheets" in refusal(hub, "t.xlsx", workbook([HEADERS, *ROWS], add)).message


def test_a_value_right_of_the_header_is_refused_with_its_row(hub: Hub) -> None:
    rows = [HEADERS, ROWS[0], (*ROWS[1], "多出来的")]
    assert "row 2 under the header" in refusal(hub, "t.xlsx", workbook(rows)).message


def test_a_workbook_with_a_password_is_refused_with_the_remedy(hub: Hub) -> None:
    data = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    )
    assert "password: save it without" in refusal(hub, "t.xls", data + b"\0" * 600).message


# -- JSON Lines


def test_numbers_in_json_are_exact(hub: Hub) -> None:
    row = {"tenancy_id": 7, "tenant_id": 990106199003071234, "tenant_name": "张", "rent_yuan": 80.5}
    assert hub.parsed("t.jsonl", json_lines([row])).rows == (
        ("7", "990106199003071234", "张", "80.5", None, None),
    )


def test_members_may_be_left_out_where_they_are_null(hub: Hub) -> None:
    rows = [{k: v for k, v in row.items() if v is not None} for row in records()]
    assert hub.parsed("t.jsonl", json_lines(rows)).rows == ROWS


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (json_lines(records())[:-16], "line 3 is not a JSON object"),
        (json_lines(records()) + b"[1]\n", "line 4 is not a JSON object"),
        (json_lines([{**records()[0], "note": {"a": 1}}]), "line 1 has a nested member"),
        (json_lines([*records(), {"gender": 1}]), "column 7 is unknown to the contract (gender)"),
        (json_lines([{"tenancy_id": "T1", "tenant_id": "1"}]), "tenant_name"),
    ],
)
def test_lines_that_do_not_fit_are_refused(hub: Hub, data: bytes, said: str) -> None:
    assert said in str(refusal(hub, "t.jsonl", data))


# -- Parquet


def test_typed_columns_of_parquet_become_plain_text(hub: Hub) -> None:
    data = parquet(
        {
            "tenancy_id": pa.array([1, 2]),
            "tenant_id": pa.array([b"990106199003071234", b"x"]),
            "tenant_name": pa.array(["张", "李"]).dictionary_encode(),
            "rent_yuan": pa.array([1200.0, 80.5]),
            "start_date": pa.array([datetime.date(2026, 1, 5), None]),
            "note": pa.array([True, None]),
        }
    )
    assert hub.parsed("t.parquet", data).rows == (
        ("1", "990106199003071234", "张", "1200", "2026-01-05", "true"),
        ("2", "x", "李", "80.5", None, None),
    )


def test_nested_columns_of_parquet_are_refused(hub: Hub) -> None:
    data = parquet({c: pa.array([["x"]]) if c == "note" else pa.array(["x"]) for c in COLUMNS})
    assert "columns 6 are nested" in refusal(hub, "t.parquet", data).message


def test_a_damaged_page_of_parquet_is_found_before_the_check(hub: Hub) -> None:
    data = bytearray(SAME["parquet"][1])
    data[4:40] = b"\xff" * 36
    assert "damaged" in refusal(hub, "t.parquet", bytes(data)).message
