"""The matrix says what the decider decides, and nobody it should not."""

from __future__ import annotations

import json

import pytest

from access.decision import Decider
from access.masking import kind
from access.matrix import matrix, summary
from access.model import Action, Actor, CaseStanding, Request
from hub.catalog import Catalog, Classification
from tests.access.conftest import NOW


@pytest.fixture
def rows(decider: Decider) -> list[dict[str, object]]:
    """The matrix of the shipped policy."""
    return matrix(decider, NOW)


def test_rows_are_json(rows: list[dict[str, object]]) -> None:
    """For the command line and the page."""
    assert json.loads(json.dumps(rows)) == rows
    assert rows


def test_administrators_and_oversight_have_no_row(rows: list[dict[str, object]]) -> None:
    """They see no data at all."""
    roles = {row["role"] for row in rows}
    assert roles == {
        "grid_officer", "window_officer", "analyst", "data_steward", "department_steward",
        "citizen",
    }  # fmt: skip


def test_nobody_sees_police_parties_but_the_police_in_a_case(
    rows: list[dict[str, object]],
) -> None:
    """Everybody else counts, at most; the citizen sees the own part."""
    for row in rows:
        if str(row["dataset"]).startswith("police."):
            persons = row["action"] in ("lookup", "search", "list")
            assert not persons or (row["agency"] == "police" and row["case"] == "required")


def test_who_counts_sees_no_person(rows: list[dict[str, object]], catalog: Catalog) -> None:
    """Nothing sealed in a row of counting, nothing masked: masks are for persons."""
    for row in rows:
        if row["action"] == "aggregate":
            dataset = catalog[str(row["dataset"])]
            sealed = {c.name for c in dataset.columns if c.sealed}
            assert not sealed & set(row["clear"])  # type: ignore[call-overload]
            assert row["masked"] == row["generalised"] == {}


def test_every_row_is_a_decision(rows: list[dict[str, object]], decider: Decider) -> None:
    """Asked again for a made actor, each column comes out as the row says."""
    for row in rows[:60]:
        actor = Actor(
            "x", "", str(row["agency"]), "", (str(row["role"]),), ("990106",), Classification.L4
        )
        action, purpose = Action(str(row["action"])), str(row["purpose"])
        request = Request(actor, action, None, purpose, "c", CaseStanding.OPEN, at=NOW)
        fields = decider.decide(request).fields
        for column in row["clear"]:  # type: ignore[attr-defined]
            assert fields[f"{row['dataset']}.{column}"] == "clear"
        for column, mask in row["masked"].items():  # type: ignore[attr-defined]
            assert fields[f"{row['dataset']}.{column}"] == mask
            assert kind(mask) == "masked"


def test_the_summary_counts_what_the_rows_list(rows: list[dict[str, object]]) -> None:
    """One line each, for a terminal."""
    short = summary(rows)
    assert len(short) == len(rows)
    assert short[0]["who"] == "网格员/民警 · 民政局"
    assert short[0]["clear"] == len(rows[0]["clear"])  # type: ignore[arg-type]
