"""Lifted masks and emergencies over HTTP and on pages: who asks, who decides, who sees what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.wire.oversight import Emergency, EmergencyList
from tests.api.hub import EAST, Client, TinyHub, make_home

CASE = "R-7"
ID = "population.resident.resident_id"
UNMASK: dict[str, Any] = {
    "by": "resident_id", "value": EAST.number, "columns": [ID],
    "purpose": "residence.verify", "case": CASE, "reason": "证件与登记不一致",
}  # fmt: skip
RESCUE: dict[str, Any] = {"purpose": "emergency.rescue", "case": CASE, "reason": "老人昏迷"}
WHO: dict[str, Any] = {"by": "resident_id", "value": EAST.number, "case": CASE}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TinyHub]:
    """A hub of the test's own."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path / "hub"), runner)
        yield tiny
        tiny.services.close()


@pytest.fixture
def web(own: TinyHub) -> Iterator[Client]:
    made = own.client()
    yield made
    made.close()


def as_(own: TinyHub, web: Client, actor: str) -> Any:
    """Return what posts JSON, or gets where there is none, as an invented actor."""

    def call(path: str, body: Any = None) -> httpx.Response:
        headers = own.bearer(actor)
        if body is None:
            return web.get(path, headers=headers)
        return web.post(path, json=body, headers=headers)

    return call


def values(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (subject,) = answer.json()["subjects"]
    return {
        f"{record['dataset']}.{cell['column']}": cell["value"]
        for record in subject["records"]
        for cell in record["cells"]
    }


def test_a_mask_is_lifted_by_a_second_person(own: TinyHub, web: Client) -> None:
    east, steward = as_(own, web, "officer.east"), as_(own, web, "partner.population")
    asked = east("/v1/officer/unmask", UNMASK)
    assert asked.status_code == 201, asked.text
    one = Emergency.model_validate(asked.json())
    assert (one.state, one.acts) == ("requested", ["decline"])
    path = f"/v1/officer/unmask/{one.id}"
    assert east(f"{path}/release", WHO).status_code == 403
    assert east(f"{path}/approve", {"reason": "好"}).status_code == 403
    (seen,) = EmergencyList.model_validate(steward("/v1/officer/unmask").json()).emergencies
    assert seen.acts == ["approve", "decline"]
    assert EAST.number not in str(seen)
    assert as_(own, web, "partner.housing")("/v1/officer/unmask").json() == {"emergencies": []}
    approved = steward(f"{path}/approve", {"reason": "确有必要"})
    assert approved.json()["state"] == "approved"
    assert values(east(f"{path}/release", WHO)) == {ID: EAST.number}
    assert east(f"{path}/release", WHO).status_code == 403


def test_oversight_sees_an_emergency_at_once_and_reviews_it(own: TinyHub, web: Client) -> None:
    east, oversight = as_(own, web, "officer.east"), as_(own, web, "oversight")
    opened = Emergency.model_validate(east("/v1/officer/emergency", RESCUE).json())
    (seen,) = oversight("/v1/oversight/emergencies?open=true").json()["emergencies"]
    assert (seen["id"], seen["state"], seen["acts"]) == (opened.id, "open", ["review"])
    assert values(east(f"/v1/officer/emergency/{opened.id}/lookup", WHO))[ID] == EAST.number
    path = f"/v1/oversight/emergencies/{opened.id}"
    assert oversight(path).json()["persons"] == 1
    assert EAST.number not in oversight(path).text
    done = oversight(f"{path}/review", {"justified": True, "reason": "属实"})
    assert done.json()["state"] == "justified"
    assert oversight("/v1/oversight/emergencies?open=true").json() == {"emergencies": []}
    again = oversight(f"{path}/review", {"justified": False, "reason": "改判"})
    assert again.status_code == 403
    assert east(f"/v1/officer/emergency/{opened.id}/lookup", WHO).status_code == 403


@pytest.mark.parametrize(
    "actor", ["officer.east", "steward", "partner.population", "analyst", "admin.security"]
)
def test_only_oversight_sees_and_reviews_them(own: TinyHub, web: Client, actor: str) -> None:
    as_(own, web, "officer.east")("/v1/officer/emergency", RESCUE)
    call = as_(own, web, actor)
    assert call("/v1/oversight/emergencies").status_code == 403
    assert call("/v1/oversight/emergencies/1").status_code == 403
    answer = call("/v1/oversight/emergencies/1/review", {"justified": True, "reason": "好"})
    assert answer.status_code == 403


@pytest.mark.parametrize("actor", ["oversight", "analyst", "steward", "admin.system", "citizen"])
def test_who_sees_no_person_opens_nothing(own: TinyHub, web: Client, actor: str) -> None:
    headers = own.bearer(actor, EAST.number if actor == "citizen" else None)
    for path, body in (("unmask", UNMASK), ("emergency", RESCUE)):
        answer = web.post(f"/v1/officer/{path}", json=body, headers=headers)
        assert answer.status_code == 403
        assert EAST.number not in answer.text


def test_what_does_not_fit_is_said_without_its_value(own: TinyHub, web: Client) -> None:
    east = as_(own, web, "officer.east")
    number = f"电话 {EAST.number}"
    for path, body, status in (
        ("unmask", {**UNMASK, "reason": number}, 400),
        ("unmask", {**UNMASK, "columns": ["x"]}, 422),
        ("emergency", {**RESCUE, "minutes": 61}, 422),
        ("emergency/99/lookup", WHO, 404),
        ("unmask/99/approve", {"reason": "好"}, 404),
    ):
        answer = east(f"/v1/officer/{path}", body)
        assert answer.status_code == status, (path, answer.text)
        assert EAST.number not in answer.text


def test_the_person_sees_it_and_what_came_of_it(own: TinyHub, web: Client) -> None:
    east, oversight = as_(own, web, "officer.east"), as_(own, web, "oversight")
    number = east("/v1/officer/emergency", RESCUE).json()["id"]
    east(f"/v1/officer/emergency/{number}/lookup", WHO)
    headers = own.bearer("citizen", EAST.number)
    uses = web.get("/v1/me/uses", headers=headers).json()["uses"]
    use = next(one for one in uses if one["action"] == "emergency")
    assert (use["purpose"], use["under"]) == ("emergency.rescue", "open")
    body = {"justified": False, "reason": "无此事"}
    oversight(f"/v1/oversight/emergencies/{number}/review", body)
    page = own.browser("citizen", EAST.number).get("/citizen").text
    assert "紧急访问" in page
    assert "复核认为不正当" in page
    assert "老人昏迷" not in page


def test_the_pages_do_what_the_doors_do(own: TinyHub) -> None:
    east, steward = own.browser("officer.east"), own.browser("partner.population")
    oversight = own.browser("oversight")
    form = {**UNMASK, "columns": [ID]}
    form.pop("by")
    assert "第 1 号" in east.post("/officer/unmask", data=form).text
    assert "批准 Approve" in steward.get("/officer/unmask").text
    done = steward.post("/officer/unmask/1/approve", data={"reason": "确有必要"})
    assert "已批准" in done.text
    shown = east.post("/officer/unmask/1/release", data={"value": EAST.number, "case": CASE})
    assert EAST.number in shown.text
    refused = east.post("/officer/unmask", data={**form, "reason": "电话 13812345678"})
    assert refused.status_code == 400
    assert "第 2 号" in east.post("/officer/emergency", data={**RESCUE, "minutes": "30"}).text
    assert "/oversight/emergencies/2" in oversight.get("/oversight").text
    assert own.browser("analyst").get("/oversight").status_code == 403
    missing = oversight.post("/oversight/emergencies/2/review", data={"reason": "属实"})
    assert missing.status_code == 422
    done = oversight.post(
        "/oversight/emergencies/2/review", data={"reason": "属实", "justified": "true"}
    )
    assert "复核认为正当" in done.text
