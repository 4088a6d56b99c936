"""The partner's desk over HTTP: who may act on what, in whose name, and what the ledger has of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.demo import load_demo_actors
from api import uploads
from api.cards import account_of
from api.door import MAX_BODY_BYTES
from api.uploads import MOST_BYTES
from api.wire.desk import CardDetail, SampleList
from hub.errors import AccessDenied
from tests.api.hub import EAST, Client, TinyHub, make_home

ACTS: Mapping[str, Mapping[str, Any]] = {
    "acknowledge": {"reason": "已通知报送人员"},
    "appeal": {"reason": "规则有误"},
    "waive": {"reason": "系统迁移", "until": "2026-06-30"},
    "decide": {"reason": "核实属实", "granted": True},
    "close": {"reason": "已整改"},
}
WORK: Mapping[str, Mapping[str, Any]] = {
    "/v1/partner/worklist/export": {"json": {"case": "JH-1"}},
    "/v1/partner/worklist/return": {"content": b"PK"},
    "/v1/partner/samples": {"json": {"dataset": "population.resident", "case": "c"}},
    "/v1/partner/samples/return": {"content": b"PK"},
}
NOBODY = "0" * 16


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TinyHub]:
    """A hub of the test's own, with one red card of housing."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path / "hub"), runner)
        yield tiny
        tiny.services.close()


@pytest.fixture
def web(own: TinyHub) -> Iterator[Client]:
    """A client of that hub."""
    made = own.client()
    yield made
    made.close()


def card_of(hub: TinyHub) -> str:
    (card,) = hub.services.cards.cards(hub.services.clock.now())
    return f"/v1/partner/cards/{card.id}"


def do(hub: TinyHub, web: Client, act: str, actor: str, **more: Any) -> httpx.Response:
    body = {**ACTS[act], **more}
    return web.post(f"{card_of(hub)}/{act}", json=body, headers=hub.bearer(actor))


def told(hub: TinyHub) -> list[tuple[str, str | None]]:
    """Return (event, who acted) of every step of a card that the ledger has."""
    ledger = hub.services.ledger
    bodies = [dict(entry.body or {}) for entry in ledger.entries(0, ledger.size)]
    return [
        (str(b["event"]).removeprefix("quality:card:"), b.get("by"))
        for b in bodies
        if str(b["event"]).startswith("quality:card:")
    ]


def test_a_card_has_its_steps_and_what_its_department_could_do(
    hub: TinyHub, client: Client
) -> None:
    body = client.get(card_of(hub), headers=hub.bearer("partner.housing")).json()
    CardDetail.model_validate(body)
    assert [step["step"] for step in body["steps"]] == ["发出 / issued"]
    assert body["acts"] == ["acknowledge", "appeal", "waive"]
    assert body["marks"]["red_key_accuracy_percent"] == 97.0
    bureau = client.get(card_of(hub), headers=hub.bearer("steward")).json()
    assert bureau["acts"] == []
    assert {**bureau, "acts": body["acts"]} == body


@pytest.mark.parametrize("act", ACTS)
def test_another_departments_card_is_as_if_it_were_not(
    hub: TinyHub, client: Client, act: str
) -> None:
    headers, card, size = hub.bearer("partner.population"), card_of(hub), hub.services.ledger.size
    for path, options in ((card, None), (f"{card}/{act}", {"json": ACTS[act]})):
        unknown = path.replace(card.rpartition("/")[2], NOBODY)
        method = "POST" if options else "GET"
        found = client.request(method, path, headers=headers, **(options or {}))
        none = client.request(method, unknown, headers=headers, **(options or {}))
        assert (found.status_code, found.json()) == (404, none.json())
    assert hub.services.ledger.size == size


@pytest.mark.parametrize(
    "actor", ["officer.east", "analyst", "oversight", "admin.system", "citizen"]
)
def test_who_is_no_steward_has_no_desk(hub: TinyHub, client: Client, actor: str) -> None:
    headers = hub.bearer(actor, EAST.number if actor == "citizen" else None)
    card, size = card_of(hub), hub.services.ledger.size
    assert client.get(card, headers=headers).status_code == 403
    assert client.get("/v1/partner/samples", headers=headers).status_code == 403
    for act, body in ACTS.items():
        assert client.post(f"{card}/{act}", json=body, headers=headers).status_code == 403
    for path, options in WORK.items():
        assert client.post(path, headers=headers, **options).status_code == 403, path
    assert hub.services.ledger.size == size


def test_without_a_token_nothing_is_done_and_no_workbook_is_read(
    hub: TinyHub, client: Client
) -> None:
    card = card_of(hub)
    for act, body in ACTS.items():
        assert client.post(f"{card}/{act}", json=body).status_code == 401
    for path, options in WORK.items():
        assert client.post(path, **options).status_code == 401
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 4096
            yield b"x" * 4096

    assert client.post("/v1/partner/worklist/return", content=endless()).status_code == 401
    assert read <= 4096


def test_an_act_stands_in_the_ledger_under_the_tokens_own_account(
    own: TinyHub, web: Client
) -> None:
    done = do(own, web, "acknowledge", "partner.housing")
    assert done.status_code == 200, done.text
    CardDetail.model_validate(done.json())
    assert done.json()["state"] == "acknowledged"
    step = done.json()["steps"][-1]
    assert step["by"] == "housing.partner.housing"
    entry = own.services.ledger.entry(step["ledger_entry"])
    assert dict(entry.body or {})["by"] == "housing.partner.housing"
    assert told(own) == [("issued", None), ("acknowledged", "housing.partner.housing")]
    again = do(own, web, "acknowledge", "partner.housing")
    assert (again.status_code, again.json()["code"]) == (409, "not-possible")
    assert "签收" in again.json()["detail"]


@pytest.mark.parametrize("more", [{"by": "bureau.steward"}, {"account": "x"}, {"card": NOBODY}])
def test_no_body_names_who_acts(own: TinyHub, web: Client, more: dict[str, str]) -> None:
    assert do(own, web, "acknowledge", "partner.housing", **more).status_code == 422
    assert told(own) == []


def test_an_appeal_is_decided_by_the_bureau_and_by_nobody_else(own: TinyHub, web: Client) -> None:
    early = do(own, web, "decide", "steward")
    assert (early.status_code, early.json()["code"]) == (409, "not-possible")
    assert do(own, web, "appeal", "steward").status_code == 403
    assert do(own, web, "appeal", "partner.housing").json()["acts"] == []
    refused = do(own, web, "decide", "partner.housing")
    assert (refused.status_code, refused.json()["code"]) == (403, "access-denied")
    assert "life.deciders" in refused.json()["detail"]
    waiting = web.get(card_of(own), headers=own.bearer("steward")).json()
    assert waiting["acts"] == ["decide"]
    done = do(own, web, "decide", "steward").json()
    assert (done["state"], done["acts"]) == ("closed", [])
    assert told(own)[1:] == [
        ("appealed", "housing.partner.housing"),
        ("appeal_decided", "bureau.steward"),
        ("closed", None),
    ]


def test_a_waiver_is_asked_until_a_day_in_reach_and_refused(own: TinyHub, web: Client) -> None:
    far = do(own, web, "waive", "partner.housing", until="2027-06-30")
    assert (far.status_code, far.json()["code"]) == (409, "not-possible")
    assert do(own, web, "waive", "partner.housing", until="soon").status_code == 422
    asked = do(own, web, "waive", "partner.housing").json()
    assert (asked["state"], asked["steps"][-1]["until"]) == ("waiver_requested", "2026-06-30")
    done = do(own, web, "decide", "steward", granted=False).json()
    assert (done["state"], done["steps"][-1]["granted"]) == ("acknowledged", False)


def test_a_card_that_stands_is_closed_by_nobody(own: TinyHub, web: Client) -> None:
    for actor in ("partner.housing", "steward"):
        assert do(own, web, "close", actor).status_code == 409
    assert told(own) == []


@pytest.mark.parametrize(
    "reason", ["请联系 13800138000", "", " ", "x" * 501, "１３８ ００１３ ８０００"]
)
def test_a_reason_that_could_name_somebody_is_not_taken(
    own: TinyHub, web: Client, reason: str
) -> None:
    reply = do(own, web, "acknowledge", "partner.housing", reason=reason)
    assert reply.status_code in (400, 422)
    assert not reason.strip() or reason not in reply.text
    assert told(own) == []


def test_an_account_that_no_card_can_hold_acts_on_none() -> None:
    actor = load_demo_actors()["partner.housing"]
    assert account_of(actor) == "housing.partner.housing"
    for name in ("王五", "Upper", "a b", "a.b.c.d", ""):
        with pytest.raises(AccessDenied):
            account_of(replace(actor, id=name))


def test_the_bureau_takes_no_departments_workbook_and_that_is_on_record(
    own: TinyHub, web: Client
) -> None:
    headers, before = own.bearer("steward"), own.services.ledger.size
    for path in ("/v1/partner/worklist/export", "/v1/partner/samples"):
        assert web.post(path, headers=headers, **WORK[path]).status_code == 403
    entries = own.services.ledger.entries(before, own.services.ledger.size)
    assert [entry.event for entry in entries] == ["officer:subject:refused"] * 2
    for path in ("/v1/partner/worklist/return", "/v1/partner/samples/return"):
        assert web.post(path, headers=headers, **WORK[path]).status_code == 403


def test_a_department_without_conflicts_gets_no_workbook(hub: TinyHub, client: Client) -> None:
    size = hub.services.ledger.size
    path = "/v1/partner/worklist/export"
    reply = client.post(path, headers=hub.bearer("partner.housing"), json={"case": "JH-1"})
    assert reply.status_code == 404
    assert hub.services.ledger.size == size


@pytest.mark.parametrize("case", ["", " ", "x" * 65])
def test_a_workbook_wants_a_case(hub: TinyHub, client: Client, case: str) -> None:
    headers = hub.bearer("partner.housing")
    for path, more in (
        ("/v1/partner/worklist/export", {}),
        ("/v1/partner/samples", {"dataset": "population.resident"}),
    ):
        reply = client.post(path, headers=headers, json={"case": case, **more})
        assert reply.status_code in (400, 403, 422), path


def test_no_sample_is_listed_before_one_is_drawn(hub: TinyHub, client: Client) -> None:
    body = client.get("/v1/partner/samples", headers=hub.bearer("partner.population")).json()
    SampleList.model_validate(body)
    assert body == {"samples": []}


@pytest.mark.parametrize("path", ["/v1/partner/worklist/return", "/v1/partner/samples/return"])
@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100, b"<html>" * 1000])
def test_what_is_no_workbook_is_refused_and_gone(
    hub: TinyHub, client: Client, path: str, data: bytes
) -> None:
    size = hub.services.ledger.size
    reply = client.post(path, headers=hub.bearer("partner.housing"), content=data)
    assert reply.status_code in (400, 422), reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert hub.services.ledger.size == size
    assert not list(hub.settings.work.glob("upload-*"))


@pytest.mark.parametrize("path", ["/v1/partner/worklist/return", "/partner/worklist/return"])
def test_an_announced_workbook_that_is_too_large_is_not_read(client: Client, path: str) -> None:
    headers = {"content-length": str(MOST_BYTES + MAX_BODY_BYTES + 1)}
    assert client.post(path, headers=headers, content=b"").status_code == 413


def test_an_endless_workbook_is_cut_off_and_gone(
    hub: TinyHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100_000)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 4096

    headers = hub.bearer("partner.housing")
    reply = client.post("/v1/partner/samples/return", headers=headers, content=endless())
    assert reply.status_code == 413
    assert not list(hub.settings.work.glob("upload-*"))


# The pages


def test_the_card_page_offers_what_is_possible_and_an_act_leads_back_to_it(own: TinyHub) -> None:
    browser, path = own.browser("partner.housing"), card_of(own).removeprefix("/v1")
    text = browser.get(path).text
    assert f'action="{path}/acknowledge"' in text
    assert f'action="{path}/decide"' not in text
    assert "93.10 %" in text
    done = browser.post(f"{path}/acknowledge", data={"reason": "已通知"})
    assert (done.status_code, done.headers["location"]) == (303, path)
    text = browser.get(path).text
    assert "housing.partner.housing" in text
    assert f'action="{path}/acknowledge"' not in text
    assert f'action="{path}/appeal"' in text
    browser.close()
    assert told(own)[-1] == ("acknowledged", "housing.partner.housing")


@pytest.mark.parametrize(
    ("act", "data", "status", "says"),
    [
        ("acknowledge", {"reason": "电话 13800138000"}, 400, "不含身份号码"),
        ("acknowledge", {"reason": ""}, 422, "请修改后重试"),
        ("waive", {"reason": "迁移", "until": "soon"}, 422, "until"),
        ("decide", {"reason": "同意", "granted": "true"}, 403, "life.deciders"),
        ("close", {"reason": "好了"}, 409, "已整改"),
    ],
)
def test_a_refused_act_comes_back_on_the_page(
    own: TinyHub, act: str, data: dict[str, str], status: int, says: str
) -> None:
    browser, path = own.browser("partner.housing"), card_of(own).removeprefix("/v1")
    reply = browser.post(f"{path}/{act}", data=data)
    browser.close()
    assert reply.status_code == status
    assert says in reply.text
    assert "13800138000" not in reply.text
    assert told(own) == []


def test_the_bureaus_page_shows_every_department_and_decides(own: TinyHub, web: Client) -> None:
    do(own, web, "appeal", "partner.housing")
    bureau, path = own.browser("steward"), card_of(own).removeprefix("/v1")
    assert path in bureau.get("/partner").text
    assert f'action="{path}/decide"' in bureau.get(path).text
    assert bureau.post(f"{path}/decide", data={**ACTS["decide"], "granted": "false"}).is_redirect
    assert "领取清单（XLSX）" not in bureau.get("/partner/worklist").text
    bureau.close()
    assert told(own)[-1] == ("appeal_decided", "bureau.steward")


def test_pages_and_json_agree(hub: TinyHub, client: Client) -> None:
    browser, headers = hub.browser("partner.housing"), hub.bearer("partner.housing")
    body = client.get(card_of(hub), headers=headers).json()
    text = browser.get(card_of(hub).removeprefix("/v1")).text
    for shown in (body["state_title"], body["remedy_by"], body["evidence"]["reason"]):
        assert shown in text
    listed = browser.get("/partner/cards").text
    assert body["id"] in listed
    figures = client.get("/v1/partner/worklist", headers=headers).json()["rows"]
    text = browser.get("/partner/worklist").text
    assert all(row["title"] in text for row in figures)
    browser.close()


def test_another_departments_card_page_is_not_there(hub: TinyHub) -> None:
    browser, path = hub.browser("partner.population"), card_of(hub).removeprefix("/v1")
    assert browser.get(path).status_code == 404
    assert browser.post(f"{path}/acknowledge", data={"reason": "x"}).status_code == 404
    browser.close()


@pytest.mark.parametrize("path", ["/partner/worklist/return", "/partner/samples/return"])
def test_a_form_without_a_workbook_says_so(hub: TinyHub, path: str) -> None:
    browser = hub.browser("partner.housing")
    for files in ({}, {"file": ("a.xlsx", b"")}, {"file": ("../../a.xlsx", b"no workbook")}):
        reply = browser.post(path, data={"other": "x"}, files=files or None)
        assert reply.status_code in (400, 422)
        assert "请修改后重试" in reply.text
    browser.close()
