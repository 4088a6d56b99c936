"""The matrix as a workbook, read back: what the table says, nothing that is taken for a formula."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest

from access.decision import Decider
from access.matrix import matrix
from access.policy import load_policy
from api.matrix_book import write_matrix
from contracts.loader import load_catalog, load_contracts
from hub.catalog import Catalog

NOW = datetime(2026, 3, 7, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(load_contracts())


@pytest.fixture(scope="module")
def rows(catalog: Catalog) -> list[dict[str, Any]]:
    return matrix(Decider(load_policy(catalog), catalog), NOW)


def read_back(rows: list[dict[str, Any]], catalog: Catalog) -> Any:
    """Return the workbook that is written, opened again."""
    file = io.BytesIO()
    write_matrix(file, rows, catalog, {"策略版本 / policy version": "=1+1"})
    return openpyxl.load_workbook(io.BytesIO(file.getvalue()))


def test_every_column_somebody_sees_has_a_row(rows: list[dict[str, Any]], catalog: Catalog) -> None:
    """As many as the table counts, each treated as it says."""
    book = read_back(rows, catalog)
    sheet = book["字段 Columns"]
    listed = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    wanted = sum(len(r["clear"]) + len(r["masked"]) + len(r["generalised"]) for r in rows)
    assert len(listed) == wanted
    treated = {(line[0].split()[-1], line[4].split()[-1], line[5], line[9]) for line in listed}
    for row in rows:
        for column, mask in row["masked"].items():
            assert (row["role"], row["dataset"], column, mask) in treated
    assert {line[7] for line in listed} <= {"L1", "L2", "L3", "L4"}


def test_roles_by_datasets(rows: list[dict[str, Any]], catalog: Catalog) -> None:
    """A row for each role in an agency, a column for each dataset; empty where nothing is open."""
    sheet = read_back(rows, catalog)["角色与数据集 Roles"]
    heads = [cell.value.split("\n")[-1] for cell in sheet[1]]
    assert heads[2:] == [name for name in catalog if any(r["dataset"] == name for r in rows)]
    posts = {(line[0].value, line[1].value): line for line in sheet.iter_rows(min_row=2)}
    assert len(posts) == len({(row["role"], row["agency"]) for row in rows})
    police = posts["网格员/民警\ngrid_officer", "公安分局\npolice"]
    case = police[heads.index("police.case")].value
    assert "公安调查·查询（本辖区，须事项）" in case
    analyst = next(line for who, line in posts.items() if who[0].endswith("analyst"))
    assert "统计" in analyst[heads.index("police.case")].value
    citizen = next(line for who, line in posts.items() if who[0].endswith("citizen"))
    assert "查阅本人信息" in citizen[heads.index("police.case")].value


def test_it_is_easy_to_read(rows: list[dict[str, Any]], catalog: Catalog) -> None:
    """The head stays, filters are on, rows are as high as their text."""
    book = read_back(rows, catalog)
    for sheet in book.worksheets[:2]:
        assert sheet.freeze_panes in ("C2", "B2")
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.alignment.wrap_text for cell in sheet[2])
    first = book.worksheets[0]
    tallest = max(cell.value.count("\n") for cell in first[2] if cell.value)
    assert first.row_dimensions[2].height >= 15 * (tallest + 1)


def test_nothing_is_a_formula(rows: list[dict[str, Any]], catalog: Catalog) -> None:
    """Whatever a title begins with."""
    row = {**rows[0], "role_title": "=HYPERLINK(1)", "purpose_title": "+1"}
    book = read_back([row], catalog)
    kinds = {cell.data_type for sheet in book for line in sheet.iter_rows() for cell in line}
    assert kinds <= {"s", "n"}  # n where a cell is empty
    assert book["说明 About"]["B2"].value == "=1+1"
