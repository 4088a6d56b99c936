"""What anyone may have: and that it is true."""

from __future__ import annotations

import pytest

from api.wire.public import Datasets, Health, ProblemCodes, Quality
from hub.errors import NotFound
from hub.ledger.verify import read_checkpoint, verify_growth
from tests.api.hub import EAST, Client, TinyHub


def test_the_ledger_can_be_watched_from_outside(hub: TinyHub, client: Client) -> None:
    key = client.get("/v1/public/key").text.strip()
    old = client.get("/v1/public/checkpoint")
    assert old.headers["content-type"].startswith("text/plain")
    client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    new = client.get("/v1/public/checkpoint")
    sizes = {
        "old": read_checkpoint(old.text, key).size,
        "new": read_checkpoint(new.text, key).size,
    }
    assert sizes["new"] > sizes["old"]
    hashes = client.get("/v1/public/consistency", params=sizes).json()["hashes"]
    proof = [bytes.fromhex(value) for value in hashes]
    if sizes["old"]:
        assert verify_growth(old.text, new.text, proof, key).valid


def test_inclusion_hashes_have_bounds(hub: TinyHub, client: Client) -> None:
    client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    size = hub.services.ledger.size
    ok = client.get("/v1/public/inclusion", params={"index": 0, "size": size})
    assert ok.status_code == 200
    for params in ({"index": size, "size": size}, {"index": 0, "size": size + 1}):
        assert client.get("/v1/public/inclusion", params=params).status_code == 400


def test_the_verifier_is_the_program_itself(client: Client) -> None:
    reply = client.get("/v1/public/verifier")
    assert 'filename="verify.py"' in reply.headers["content-disposition"]
    compile(reply.text, "verify.py", "exec")
    assert "import hub" not in reply.text
    assert "from hub" not in reply.text


def test_the_board_shows_targets_and_what_was_stopped(client: Client) -> None:
    body = client.get("/v1/public/quality").json()
    Quality.model_validate(body)
    lights = {row["dataset"]: row["light"] for row in body["rows"]}
    assert lights == {"population.resident": "green", "housing.tenancy": "red"}
    assert [row["dataset"] for row in body["stopped"]] == ["housing.tenancy"]
    assert body["stopped"][0]["superseded"] is False


def test_the_catalogue_names_owner_sharing_and_levels(client: Client) -> None:
    body = client.get("/v1/public/datasets").json()
    Datasets.model_validate(body)
    entries = {entry["dataset"]: entry for entry in body["datasets"]}
    assert len(entries) == 12
    assert entries["population.resident"]["level"] == "L4"
    assert entries["police.case"]["sharing"] != "unconditional"


def test_health_tells_the_version_in_service(
    hub: TinyHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = client.get("/v1/health").json()
    Health.model_validate(body)
    assert body["status"] == "ok"
    assert body["demonstration"] is True

    def nothing() -> None:
        raise NotFound("nothing is published yet")

    monkeypatch.setattr(hub.services.snapshots, "current", nothing)
    assert client.get("/v1/health").json()["status"] == "unpublished"


def test_problem_codes_are_listed(client: Client) -> None:
    ProblemCodes.model_validate(client.get("/v1/public/problems").json())
