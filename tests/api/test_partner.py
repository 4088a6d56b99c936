"""The partner's door: own batches only, feedback for the partner itself, the push of a file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator

import pytest

from api import deliveries
from api.wire.partner import BatchDetail, Batches, Cards, Dropped, WorklistFigures
from api.wire.public import Quality
from contracts.feedback import HEADER
from hub.store.drop import MANIFEST_SUFFIX
from tests.api.hub import Client, TinyHub

PUSH = "/v1/partner/deliveries/housing.tenancy"


def batch_of(hub: TinyHub, partner: str) -> str:
    return hub.services.records.batches_of(partner)[0].id


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def dropped(hub: TinyHub) -> set[str]:
    folder = hub.settings.drop / "housing" / "housing.tenancy"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_partner_sees_its_own_batches(hub: TinyHub, client: Client) -> None:
    headers = hub.bearer("partner.housing")
    body = client.get("/v1/partner/batches", headers=headers).json()
    Batches.model_validate(body)
    assert {batch["partner"] for batch in body["batches"]} == {"housing"}
    detail = client.get(f"/v1/partner/batches/{body['batches'][0]['id']}", headers=headers).json()
    BatchDetail.model_validate(detail)
    assert detail["status"] == "stopped"
    assert detail["key_accuracy"] == pytest.approx(93.1)
    assert detail["checks"][0]["failing_percent"] == pytest.approx(6.9)
    assert detail["feedback"]
    own = client.get("/v1/partner/quality", headers=headers).json()
    Quality.model_validate(own)
    assert {row["partner"] for row in own["rows"]} == {"housing"}


def test_feedback_is_the_partners_own(hub: TinyHub, client: Client) -> None:
    path = f"/v1/partner/batches/{batch_of(hub, 'housing')}/feedback"
    reply = client.get(path, headers=hub.bearer("partner.housing"))
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/csv")
    assert "17,tenant_id" in reply.text
    assert client.get(path, headers=hub.bearer("steward")).status_code == 404


def test_other_partners_batches_do_not_exist(hub: TinyHub, client: Client) -> None:
    other = batch_of(hub, "population")
    headers = hub.bearer("partner.housing")
    for path in (f"/v1/partner/batches/{other}", f"/v1/partner/batches/{other}/feedback"):
        reply = client.get(path, headers=headers)
        unknown = client.get(path.replace(other, "20260101-0000"), headers=headers)
        assert reply.status_code == unknown.status_code == 404
        assert reply.json() == unknown.json()


def test_the_steward_sees_all_batches_and_no_feedback(hub: TinyHub, client: Client) -> None:
    headers = hub.bearer("steward")
    body = client.get("/v1/partner/batches", headers=headers).json()
    assert {batch["partner"] for batch in body["batches"]} == {"housing", "population"}
    detail = client.get(f"/v1/partner/batches/{batch_of(hub, 'housing')}", headers=headers).json()
    assert detail["feedback"] is None


@pytest.mark.parametrize("actor", ["officer.east", "analyst", "oversight"])
def test_others_are_refused(hub: TinyHub, client: Client, actor: str) -> None:
    assert client.get("/v1/partner/batches", headers=hub.bearer(actor)).status_code == 403


def test_a_pushed_file_is_dropped_whole_with_its_digest(hub: TinyHub, client: Client) -> None:
    body = b"a,b\r\n" * 300_000
    headers = {**hub.bearer("partner.housing"), "Content-Digest": digest_of(body)}
    path = f"{PUSH}/tenancy-2026-06.csv"
    reply = client.request("PUT", path, content=body, headers={**headers, "Period": "2026-06"})
    assert reply.status_code == 202, reply.text
    Dropped.model_validate(reply.json())
    assert reply.json()["size_bytes"] == len(body)
    file = hub.settings.drop / "housing" / "housing.tenancy" / "tenancy-2026-06.csv"
    assert file.read_bytes() == body
    manifest = json.loads(file.with_name(file.name + MANIFEST_SUFFIX).read_bytes())
    assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    assert manifest["period"] == "2026-06"
    again = client.request("PUT", path, content=body, headers=headers)
    assert again.status_code == 400


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("wrong.csv", {"Content-Digest": digest_of(b"another")}),
        ("wrong.csv", {"Content-Digest": "md5=:abc:"}),
        ("wrong.csv", {"Content-Digest": "sha-256=:" + "A" * 44 + ":"}),
        ("wrong.csv", {"Period": "June"}),
        (".hidden.csv", {}),
        ("..%2Fup.csv", {}),
        ("a;b.csv", {}),
    ],
)
def test_a_push_that_does_not_fit_leaves_nothing(
    hub: TinyHub, client: Client, name: str, headers: dict[str, str]
) -> None:
    before = dropped(hub)
    all_headers = {**hub.bearer("partner.housing"), **headers}
    reply = client.request("PUT", f"{PUSH}/{name}", content=b"a,b\r\n", headers=all_headers)
    assert reply.status_code in (400, 404, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert dropped(hub) == before


@pytest.mark.parametrize("number", ["990106199003071234", "99010619900307123X", "19912345678"])
def test_a_file_named_after_a_person_is_not_taken(
    hub: TinyHub, client: Client, number: str
) -> None:
    before = dropped(hub)
    headers = hub.bearer("partner.housing")
    reply = client.request("PUT", f"{PUSH}/租赁{number}.csv", content=b"a,b\r\n", headers=headers)
    assert reply.status_code == 400
    assert reply.json()["detail"].startswith("文件名含身份号码或手机号码")
    assert number not in reply.text
    assert dropped(hub) == before


@pytest.mark.parametrize(
    ("actor", "dataset"),
    [
        ("partner.housing", "population.resident"),
        ("partner.housing", "housing.nothing"),
        ("steward", "housing.tenancy"),
        ("officer.east", "housing.tenancy"),
    ],
)
def test_only_the_owner_pushes(hub: TinyHub, client: Client, actor: str, dataset: str) -> None:
    path = f"/v1/partner/deliveries/{dataset}/x.csv"
    reply = client.request("PUT", path, content=b"x", headers=hub.bearer(actor))
    assert reply.status_code == 403
    assert not (hub.settings.drop / "population").exists()


def test_an_endless_push_is_cut_off(
    hub: TinyHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MAX_DELIVERY_BYTES", 100_000)
    before = dropped(hub)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 4096

    headers = hub.bearer("partner.housing")
    reply = client.request("PUT", f"{PUSH}/endless.csv", content=endless(), headers=headers)
    assert reply.status_code == 413
    assert dropped(hub) == before


def test_a_push_without_token_is_not_read(hub: TinyHub, client: Client) -> None:
    reply = client.request("PUT", f"{PUSH}/x.csv", content=b"x")
    assert reply.status_code == 401


def test_a_partner_sees_its_own_cards_with_what_to_do(hub: TinyHub, client: Client) -> None:
    body = client.get("/v1/partner/cards", headers=hub.bearer("partner.housing")).json()
    Cards.model_validate(body)
    (card,) = body["cards"]
    assert (card["kind"], card["colour"], card["state"]) == ("below_mark", "red", "issued")
    assert card["evidence"]["key_accuracy_percent"] == pytest.approx(93.1)
    assert card["remedy_by"] in card["what_to_do"]


def test_the_steward_sees_all_cards_and_others_none(hub: TinyHub, client: Client) -> None:
    path = "/v1/partner/cards?open=false"
    body = client.get(path, headers=hub.bearer("steward")).json()
    assert [card["department"] for card in body["cards"]] == ["housing"]
    assert client.get(path, headers=hub.bearer("analyst")).status_code == 403


def test_the_example_in_the_description_is_a_real_feedback_file(hub: TinyHub) -> None:
    path = hub.app.openapi()["paths"]["/v1/partner/batches/{batch_id}/feedback"]
    example = path["get"]["responses"]["200"]["content"]["text/csv"]["example"]
    assert example.splitlines()[0] == ",".join(HEADER)


def test_a_partner_sees_the_figures_of_its_own_worklist(hub: TinyHub, client: Client) -> None:
    own = client.get("/v1/partner/worklist", headers=hub.bearer("partner.housing")).json()
    WorklistFigures.model_validate(own)
    assert own["rows"] == [
        {
            "department": "housing",
            "kind": "name_conflict",
            "title": "姓名不一致",
            "state": "open",
            "items": 2,
            "oldest": "2026-06-05",
        }
    ]
    every = client.get("/v1/partner/worklist", headers=hub.bearer("steward")).json()
    assert {row["department"] for row in every["rows"]} == {"housing", "population"}
    assert client.get("/v1/partner/worklist", headers=hub.bearer("analyst")).status_code == 403
