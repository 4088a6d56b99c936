"""The officer's door: what is released, what is masked, what is refused, what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from api.wire.officer import Disclosure, Purposes
from tests.api.hub import CASE, EAST, WEST, Client, TinyHub

LOOKUP = "/v1/officer/lookup"
SEARCH = "/v1/officer/search"


def question(value: str, **more: Any) -> dict[str, Any]:
    return {
        "by": "resident_id",
        "value": value,
        "purpose": "residence.verify",
        "case": CASE,
        **more,
    }


def test_own_area_is_shown_with_masks_and_receipt(hub: TinyHub, client: Client) -> None:
    reply = client.post(LOOKUP, json=question(EAST.number), headers=hub.bearer("officer.east"))
    assert reply.status_code == 200
    body = reply.json()
    Disclosure.model_validate(body)
    cells = {cell["column"]: cell for cell in body["subjects"][0]["fields"]}
    assert cells["name"]["value"] == EAST.name
    assert cells["name"]["how"] == "clear"
    assert cells["resident_id"]["how"] == "masked"
    assert cells["sex"]["label"] in ("男", "女")
    assert EAST.number not in reply.text
    entry = hub.services.ledger.entry(body["receipt"]["index"])
    assert entry.event == "officer:subject:disclosed"


def test_other_area_gets_the_answer_of_nobody_with_a_receipt(hub: TinyHub, client: Client) -> None:
    reply = client.post(LOOKUP, json=question(WEST.number), headers=hub.bearer("officer.east"))
    body = reply.json()
    assert reply.status_code in (403, 404)
    assert reply.headers["content-type"] == "application/problem+json"
    assert hub.services.ledger.entry(body["receipt"]["index"]).event == "officer:subject:refused"
    assert WEST.name not in reply.text


def test_analyst_is_refused_with_reason_and_remedy(hub: TinyHub, client: Client) -> None:
    reply = client.post(LOOKUP, json=question(EAST.number), headers=hub.bearer("analyst"))
    body = reply.json()
    assert reply.status_code == 403
    assert body["code"] == "access-denied"
    assert body["detail"]
    assert body["remedy"]
    assert body["receipt"]["index"] >= 0


@pytest.mark.parametrize(
    ("by", "value", "birth_date"),
    [
        ("name_birth", EAST.name, EAST.birth_date),
        ("phone", EAST.phone, None),
        ("address", EAST.address, None),
    ],
)
def test_search_lists_and_a_handle_shows_more(
    hub: TinyHub, client: Client, by: str, value: str, birth_date: str | None
) -> None:
    headers = hub.bearer("officer.east")
    asked = {**question(value), "by": by, "birth_date": birth_date}
    found = client.post(SEARCH, json=asked, headers=headers)
    assert found.status_code == 200, found.text
    Disclosure.model_validate(found.json())
    handle = found.json()["subjects"][0]["handle"]
    shown = client.post(LOOKUP, json=question(handle, by="handle"), headers=headers)
    assert shown.status_code == 200
    other = client.post(
        LOOKUP, json=question(handle, by="handle"), headers=hub.bearer("officer.west")
    )
    assert other.status_code == 400


def test_purposes_say_what_each_needs(hub: TinyHub, client: Client) -> None:
    body = client.get("/v1/officer/purposes", headers=hub.bearer("officer.east")).json()
    Purposes.model_validate(body)
    assert "residence.verify" in {purpose["code"] for purpose in body["purposes"]}
    assert client.get("/v1/officer/purposes", headers=hub.bearer("analyst")).json() == {
        "purposes": []
    }


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"value": "990106199003070011"}, 400),
        ({"value": "张三的号码"}, 400),
        ({"by": "name"}, 422),
        ({"value": ""}, 422),
        ({"value": 990106}, 422),
        ({"purpose": "Residence Verify!"}, 422),
        ({"datasets": ["population"]}, 422),
        ({"张三": 1}, 422),
    ],
)
def test_bad_input_is_named_and_never_repeated(
    hub: TinyHub, client: Client, change: dict[str, Any], status: int
) -> None:
    before = hub.services.ledger.size
    asked = {**question(EAST.number), **change}
    reply = client.post(LOOKUP, json=asked, headers=hub.bearer("officer.east"))
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert EAST.number not in reply.text
    assert "张三" not in reply.text
    assert "990106199003070011" not in reply.text
    assert hub.services.ledger.size == before


def test_an_unknown_purpose_is_a_recorded_refusal(hub: TinyHub, client: Client) -> None:
    asked = question(EAST.number, purpose="curiosity")
    reply = client.post(LOOKUP, json=asked, headers=hub.bearer("officer.east"))
    assert reply.status_code == 403
    assert "receipt" in reply.json()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Basic YTpi"])
def test_without_a_valid_token_nothing_is_asked(
    hub: TinyHub, client: Client, header: str | None
) -> None:
    before = hub.services.ledger.size
    headers = {} if header is None else {"Authorization": header}
    reply = client.post(LOOKUP, json=question(EAST.number), headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert hub.services.ledger.size == before


def test_the_page_cookie_is_no_way_into_the_api(hub: TinyHub) -> None:
    browser = hub.browser("officer.east")
    assert browser.post(LOOKUP, json=question(EAST.number)).status_code == 401
    browser.close()


def test_an_officer_sees_their_own_record_at_the_citizens_door_only(
    hub: TinyHub, client: Client
) -> None:
    """The account is bound to a number; the refusal says where to go."""
    refused = client.post(
        LOOKUP, json=question(EAST.number), headers=hub.bearer("officer.east", EAST.number)
    )
    assert refused.status_code == 403
    assert "own record" in refused.json()["detail"]
    assert "citizen" in refused.json()["remedy"]
    assert EAST.name not in refused.text
    others = hub.bearer("officer.east", WEST.number)
    assert client.post(LOOKUP, json=question(EAST.number), headers=others).status_code == 200
    citizen = hub.bearer("citizen", EAST.number)
    assert EAST.name in client.get("/v1/me/records", headers=citizen).text


def test_an_investigation_wants_a_case_of_the_register(hub: TinyHub, client: Client) -> None:
    """What is no open case of the police is refused with the way to enter one."""
    asked = {**question(EAST.number), "purpose": "public_safety.investigation"}
    police = hub.bearer("officer.police")
    opened = client.post(LOOKUP, json={**asked, "case": CASE}, headers=police)
    assert opened.status_code == 200, opened.text
    refused = client.post(LOOKUP, json={**asked, "case": "2026-9999"}, headers=police)
    assert refused.status_code == 403
    assert "hub access case open" in refused.json()["remedy"]
    page = client.get("/v1/officer/purposes", headers=police).json()["purposes"]
    assert {p["code"]: p["case"] for p in page}["public_safety.investigation"] == "open"


def test_too_much_in_a_minute_says_when_to_ask_again(hub: TinyHub, client: Client) -> None:
    """429 with Retry-After, the reason and the receipt of the refusal; on the page as well."""
    asked = question(EAST.number, purpose="housing.rental_check")
    headers = hub.bearer("officer.police")
    for _ in range(60):
        assert client.post(LOOKUP, json=asked, headers=headers).status_code == 200
    reply = client.post(LOOKUP, json=asked, headers=headers)
    body = reply.json()
    assert reply.status_code == body["status"] == 429
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["retry-after"] == "57"
    assert body["code"] == "too-much"
    assert "57" in body["remedy"]
    assert body["receipt"]["checkpoint"]
    assert EAST.name not in reply.text
    page = hub.browser("officer.police")
    shown = page.post("/officer", data=asked)
    assert (shown.status_code, shown.headers["retry-after"]) == (429, "57")
    assert EAST.name not in shown.text
    page.close()
