"""A citizen's own uses in published forms, and the Data Tracker's questions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from access.model import Action
from api.pages.rendering import ROADS
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from tests.access.exports.goldens import schema, validator
from tests.access.exports.test_find_usage import answers
from tests.access.used import KINDS, USE
from tests.api.hub import EAST, NOW, WEST, Client, TinyHub
from tests.api.test_citizen import look_up

TRACKER = "/v1/me/data-tracker/v2"


@pytest.fixture
def used(hub: TinyHub, client: Client) -> dict[str, str]:
    """Headers of a citizen who was looked up, as was somebody else."""
    look_up(hub, client, EAST.number)
    look_up(hub, client, WEST.number)
    return hub.bearer("citizen", EAST.number)


def label_of(hub: TinyHub, number: str) -> str:
    services = hub.services
    key = services.snapshots.current().identity(services.guard.binding(number))
    keyring = Keyring.open(services.settings.keyring)
    return Pseudonymiser(keyring, "label").of(key or b"").hex()


def ask(client: Client, headers: dict[str, str], path: str) -> Any:
    return client.get(path, headers=headers)


@pytest.mark.parametrize(("form", "version"), [("fhir", "5.0.0"), ("fhir-r4", "4.0.1")])
def test_own_uses_are_a_fhir_bundle(
    client: Client, used: dict[str, str], form: str, version: str
) -> None:
    reply = ask(client, used, f"/v1/me/uses?format={form}&limit=1000")
    assert reply.headers["content-type"] == f"application/fhir+json; fhirVersion={version[:3]}"
    body = reply.json()
    validator(f"fhir_{version}_audit_event").validate(body)
    plain = ask(client, used, "/v1/me/uses?limit=1000").json()["uses"]
    assert [entry["resource"]["id"] for entry in body["entry"]] == [
        str(use["index"]) for use in plain
    ]


def test_own_uses_are_ocsf_events(client: Client, used: dict[str, str]) -> None:
    reply = ask(client, used, "/v1/me/uses?format=ocsf&limit=2")
    assert reply.headers["content-type"] == "application/x-ndjson"
    lines = reply.text.splitlines()
    assert 1 <= len(lines) <= 2
    for line in lines:
        validator("ocsf_1.8.0_api_activity").validate(json.loads(line))


@pytest.mark.parametrize("form", ["fhir", "fhir-r4", "ocsf"])
def test_nobody_else_is_in_it(
    hub: TinyHub, client: Client, used: dict[str, str], form: str
) -> None:
    """One's own label only; nobody's number, no case."""
    mine = ask(client, used, f"/v1/me/uses?format={form}&limit=1000").text
    theirs = ask(client, hub.bearer("citizen", WEST.number), f"/v1/me/uses?format={form}").text
    labels = {label_of(hub, person.number) for person in (EAST, WEST)}
    (own,) = [label for label in labels if label in mine]
    (other,) = labels - {own}
    assert other not in mine
    assert other in theirs
    assert own not in theirs
    for secret in (EAST.number, WEST.number, EAST.name):
        assert secret not in mine


def test_the_tracker_answers_as_it_publishes(client: Client, used: dict[str, str]) -> None:
    assert sorted(schema("find_usage_2.1.0")["paths"]) == [
        "/v2/findUsage",
        "/v2/heartbeat",
        "/v2/usagePeriod",
    ]
    for path, name in (
        ("findUsage", "FindUsageResponse"),
        ("usagePeriod", "UsagePeriodResponse"),
        ("heartbeat", "HeartbeatResponse"),
    ):
        reply = ask(client, used, f"{TRACKER}/{path}")
        assert reply.status_code == 200
        answers(name).validate(reply.json())


def test_the_total_is_of_the_period_and_the_page_a_part(
    hub: TinyHub, client: Client, used: dict[str, str]
) -> None:
    look_up(hub, client, EAST.number)
    whole = ask(client, used, f"{TRACKER}/findUsage").json()
    assert whole["totalUsages"] == len(whole["usages"]) >= 2
    part = ask(client, used, f"{TRACKER}/findUsage?offset=1&limit=1").json()
    assert part["totalUsages"] == whole["totalUsages"]
    assert part["usages"] == whole["usages"][1:2]
    times = [usage["logtime"] for usage in whole["usages"]]
    assert times == sorted(times, reverse=True)
    before = ask(client, used, f"{TRACKER}/findUsage?periodEnd=2026-06-05T01:02:02Z").json()
    assert before == {"totalUsages": 0, "usages": []}
    after = ask(client, used, f"{TRACKER}/findUsage?periodStart=2026-06-05T01:02:03Z").json()
    assert after == whole


def test_what_was_refused_is_no_use(hub: TinyHub, client: Client) -> None:
    """An officer of another area asked."""
    headers = hub.bearer("citizen", WEST.number)
    before = ask(client, headers, f"{TRACKER}/findUsage").json()["totalUsages"]
    question = {"by": "resident_id", "value": WEST.number, "purpose": "residence.verify"}
    client.post("/v1/officer/lookup", json=question, headers=hub.bearer("officer.east"))
    assert ask(client, headers, "/v1/me/uses").json()["uses"][0]["outcome"] == "refused"
    assert ask(client, headers, f"{TRACKER}/findUsage").json()["totalUsages"] == before


def test_a_number_in_the_address_is_refused_and_not_repeated(
    client: Client, used: dict[str, str]
) -> None:
    """Also one's own."""
    for number in (EAST.number, WEST.number):
        reply = ask(client, used, f"{TRACKER}/findUsage?userCode={number}")
        assert reply.status_code == 400
        assert number not in reply.text
        assert "userCode" in reply.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "/v1/me/uses?format=csv",
        f"{TRACKER}/findUsage?limit=0",
        f"{TRACKER}/findUsage?limit=1001",
        f"{TRACKER}/findUsage?offset=-1",
        f"{TRACKER}/findUsage?periodStart=2026-06-05",
        f"{TRACKER}/findUsage?periodEnd=2026-06-05T01:02:03",
    ],
)
def test_what_does_not_fit_is_refused(client: Client, used: dict[str, str], query: str) -> None:
    assert ask(client, used, query).status_code == 422


def test_without_a_sign_in_nothing_is_said(hub: TinyHub, client: Client) -> None:
    for path in ("findUsage", "usagePeriod", "heartbeat"):
        assert client.get(f"{TRACKER}/{path}").status_code == 401
    officer = hub.bearer("officer.east")
    assert ask(client, officer, f"{TRACKER}/findUsage").json()["totalUsages"] == 0
    assert "entry" not in ask(client, officer, "/v1/me/uses?format=fhir").json()


def test_the_page_says_why_one_is_in_it_and_what_was_read(hub: TinyHub) -> None:
    """Every road has its words, and who stands beside another is told so."""
    label = bytes.fromhex(label_of(hub, EAST.number))
    kinds = [replace(use, time=NOW, subject=label) for use in KINDS.values() if use.subject]
    hub.services.ledger.append([use.entry() for use in kinds])
    page = hub.browser("citizen", EAST.number).get("/citizen").text
    for words in (
        "另一个人",
        "在查询结果中列出了",
        "在部门数据核对清单中导出了",
        "您本人",
        "没有提供任何数据",
    ):
        assert words in page, words
    assert f"所用数据版本 <code>{USE.snapshot}</code>，历史库第 {USE.lake_snapshot} 版" in page
    assert f"<code>{USE.request}</code>" in page
    assert label.hex() not in page
    assert set(ROADS) | {"own", "aggregate"} == {road.value for road in Action}
