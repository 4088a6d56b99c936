"""No cell leaves that the decision did not clear: compared, cell by cell, with a slow reference."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from access.decision import Decider
from access.model import Action, Actor, CaseStanding, Decision, Request, Trait
from access.plan import Plan
from access.rendering import render
from access.traits import Asker, traits_of
from access.view import harden_for_minor
from hub.catalog import Catalog, Column
from tests.access.conftest import NOW
from tests.access.masks import apply
from tests.access.people import EAST, WEST, invented_id

Cell = tuple[int, str, str, Any]  # position of the record, dataset, column, value

#: Days of events: the last two are more than five years before the tests' day.
DAYS = ("2026-01-03", "2021-03-09T10:00:00", "2021-03-07", "1999-12-31")
PURPOSES = (
    ("officer.east", "lookup", "residence.verify"),
    ("officer.east", "search", "residence.verify"),
    ("officer.east", "lookup", "housing.rental_check"),
    ("officer.east", "lookup", "elderly.service"),
    ("officer.police", "lookup", "public_safety.investigation"),
    ("window", "lookup", "residence.verify"),
    ("window", "lookup", "assistance.review"),
    ("citizen", "own", "own.data"),
)


def secret(column: Column, rng: random.Random, birth: str) -> Any:
    """Return a value that can be recognised wherever it turns up."""
    mark = f"{rng.getrandbits(48):012x}"
    return {
        "resident_id": invented_id(birth, rng.randint(100, 999)),
        "disability_certificate": invented_id(birth, rng.randint(100, 999)) + "43",
        "person_name": f"王{mark}",
        "phone": f"138{rng.randint(10**7, 10**8 - 1)}",
        "address": f"明镜区东街街道朝阳社区{mark}路12号",
        "birth_date": birth,
        "bank_account": f"62220212{rng.randint(10**10, 10**11 - 1)}",
    }.get(column.semantic or "", f"秘{mark}")


def random_document(rng: random.Random, catalog: Catalog) -> dict[str, Any]:
    """Return a document with records of any datasets and roles, in either street."""
    birth = rng.choice(("1990-03-07", "1956-11-30", "2015-06-01"))
    records: list[dict[str, Any]] = []
    for name in rng.sample([n for n in catalog if catalog[n].subjects], rng.randint(1, 5)):
        dataset = catalog[name]
        role = rng.choice(tuple(dataset.subjects))
        values = {
            c.name: secret(c, rng, birth)
            for c in dataset.columns
            if c.role in (None, role) and rng.random() < 0.9
        }
        if dataset.area_column:
            values[dataset.area_column] = rng.choice((EAST, EAST, WEST))
        if dataset.mode == "append" and rng.random() < 0.9:
            values[str(dataset.time_column)] = rng.choice(DAYS)
        sealed = {c.name for c in dataset.columns if c.sealed}
        records.append(
            {
                "dataset": name,
                "record": f"{rng.getrandbits(64):016x}",
                "role": role,
                "batch": "B1",
                "since": "2026-01-06",
                "clear": {k: v for k, v in values.items() if k not in sealed},
                "sealed": {k: v for k, v in values.items() if k in sealed},
                "others": {},
            }
        )
    golden = {"birth_date": cell_of(birth, "population.resident.birth_date")}
    for record in records:
        for column, value in record["sealed"].items():
            if rng.random() < 0.3:
                golden[f"{record['dataset']}:{column}"] = cell_of(
                    value, f"{record['dataset']}.{column}"
                )
    return {"subject": "00", "area": EAST, "golden": golden, "records": records, "conflicts": []}


def cell_of(value: Any, source: str) -> dict[str, Any]:
    """Return a field of the integrated person."""
    return {
        "value": value,
        "source": source,
        "batch": "B1",
        "since": "2026-01-06",
        "why": "",
        "title": "",
        "codes": None,
    }


def age_of(document: Mapping[str, Any]) -> frozenset[Trait]:
    """Return whether the person of a document is a child: what there is to know of them here."""
    return traits_of(b"", document, NOW.date(), Asker(), protected=False)


def too_old(record: Mapping[str, Any], since: date | None, catalog: Catalog) -> bool:
    """Say whether a record is an event of before a day, the slow way."""
    dataset = catalog[record["dataset"]]
    if since is None or dataset.mode != "append":
        return False
    day = {**record["clear"], **record["sealed"]}.get(str(dataset.time_column))
    return day not in DAYS or date.fromisoformat(day[:10]) < since


def inside(record: Mapping[str, Any], catalog: Catalog, area: tuple[str, ...]) -> bool:
    """Say whether a record lies in an area, the slow way."""
    column = catalog[record["dataset"]].area_column
    place = record["clear"].get(column) if column else None
    return any(str(place or EAST).startswith(code) for code in area)


def reference(
    document: Mapping[str, Any], decision: Decision, actor: Actor, catalog: Catalog, plan: Plan
) -> set[Cell]:
    """Return the cells that may leave, from the decision's fields alone, one at a time."""
    child = document["golden"]["birth_date"]["value"].startswith("2015")
    known = [r for r in document["records"] if r["dataset"] in decision.datasets]
    everything_inside = all(inside(r, catalog, actor.area) for r in known)
    fields, lifts = decision.fields, decision.lifts
    if decision.elsewhere is not None and not everything_inside:
        fields, lifts = decision.elsewhere, plan.outside_lifts
    if child:
        fields = harden_for_minor(fields, plan.datasets, lifts)
    cells: set[Cell] = set()
    for position, record in enumerate(document["records"]):
        name = record["dataset"]
        own_suspicion = actor.agency == "public" and record["role"] == "suspect"
        if name not in decision.datasets or own_suspicion:
            continue
        if decision.elsewhere is None and not inside(record, catalog, actor.area):
            continue
        if too_old(record, decision.since, catalog):
            continue
        for column, value in {**record["clear"], **record["sealed"]}.items():
            treatment = fields.get(f"{name}.{column}", "hidden")
            if treatment != "hidden":
                cells.add((position, name, column, apply(treatment, value)))
    return cells


@pytest.mark.parametrize(("who", "action", "purpose"), PURPOSES)
def test_what_leaves_is_what_the_decision_cleared(
    who: str,
    action: str,
    purpose: str,
    decider: Decider,
    actors: dict[str, Actor],
    catalog: Catalog,
) -> None:
    """Cell by cell, over random documents, and no hidden value anywhere in what leaves."""
    rng = random.Random(f"{who}{action}{purpose}")
    actor = actors[who]
    plan = decider.plan(
        Request(actor, Action(action), None, purpose, "case", CaseStanding.OPEN, at=NOW)
    )
    assert plan.decision.allowed
    for _ in range(60):
        document = random_document(rng, catalog)
        shown = render(document, plan, actor.area, age_of(document))
        positions = {r["record"]: i for i, r in enumerate(document["records"])}
        left = {
            (positions[view.record], view.dataset, column, value)
            for view in shown.records
            for column, value in view.values.items()
        }
        assert left == reference(document, plan.decision, actor, catalog, plan)
        check_golden(document, shown.golden, left)
        assert set(shown.fields) == {f"{name}.{column}" for _, name, column, _ in left}
        leaving = {str(value) for *_, value in left}
        text = repr(shown)
        for record in document["records"]:
            for value in record["sealed"].values():
                if str(value) not in leaving:
                    assert not unmistakable(value) or str(value) not in text


def unmistakable(value: Any) -> bool:
    """Say whether a value cannot turn up by chance."""
    return len(str(value)) > 10 or str(value).startswith(("王", "秘"))


def check_golden(
    document: Mapping[str, Any], golden: Mapping[str, Mapping[str, Any]], left: set[Cell]
) -> None:
    """An integrated field shows what its source column shows, of a dataset that is shown."""
    datasets = {name for _, name, _, _ in left}
    for field, cell in golden.items():
        original = document["golden"][field]
        assert cell["value"] == apply(str(cell["treatment"]), original["value"])
        assert original["source"].rpartition(".")[0] in datasets


def test_a_field_whose_own_record_is_left_out_is_left_out_too(
    decider: Decider, actors: dict[str, Actor]
) -> None:
    """Two tenancies, one outside the area: a field that came from that one tells of it."""
    actor = actors["officer.east"]
    plan = decider.plan(Request(actor, Action.LOOKUP, None, "residence.verify", "case", at=NOW))
    source = "housing.tenancy.tenant_name"

    def tenancy(record: str, grid: str, name: str) -> dict[str, Any]:
        return {
            "dataset": "housing.tenancy",
            "record": record,
            "role": "tenant",
            "batch": "B1",
            "since": "2026-01-06",
            "clear": {"grid_code": grid, "tenancy_id": record},
            "sealed": {"tenant_name": name},
            "others": {},
        }

    records = [tenancy("aa", EAST, "王东"), tenancy("bb", WEST, "王西")]
    birth = cell_of("1980-01-01", "population.resident.birth_date")
    for winner, name, shown_name in (("aa", "王东", "王东"), ("bb", "王西", None)):
        cell = cell_of(name, source) | {"record": winner}
        golden = {"name": cell, "birth_date": birth}
        document = {"area": EAST, "golden": golden, "records": records, "conflicts": []}
        shown = render(document, plan, actor.area, age_of(document))
        assert [view.record for view in shown.records] == ["aa"]
        assert shown.golden.get("name", {}).get("value") == shown_name
    older = {"name": cell_of("王东", source), "birth_date": birth}
    document = {"area": EAST, "golden": older, "records": records, "conflicts": []}
    assert render(document, plan, actor.area, age_of(document)).golden["name"]["value"] == "王东"
