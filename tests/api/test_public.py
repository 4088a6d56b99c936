"""What anyone may have: and that it is true."""

from __future__ import annotations

import html
from datetime import timedelta
from pathlib import Path

import pytest

from api.wire.public import Datasets, Health, ProblemCodes, Quality
from hub.errors import NotFound
from hub.ledger import verify
from hub.ledger.entry import entry_of
from hub.ledger.public_files import index_path, opening_path
from hub.ledger.tiles import TileReader, new_bundles
from hub.ledger.verify import read_checkpoint, trust_of, verify_file
from tests.api.hub import EAST, Client, TinyHub
from tests.hub.ledger.factories import entries_of
from tests.hub.ledger.invented_log import WITNESS_KEYS


def test_the_ledger_can_be_watched_from_outside(hub: TinyHub, client: Client) -> None:
    key = client.get("/v1/public/key").text.strip()
    hub.publish()
    old = client.get("/ledger/checkpoint")
    assert old.headers["content-type"].startswith("text/plain")
    assert old.headers["cache-control"] == "no-cache"
    client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    assert client.get("/ledger/checkpoint").text == old.text
    hub.publish()
    new = client.get("/ledger/checkpoint")
    trust = trust_of([key])
    sizes = {
        "old": read_checkpoint(old.text, trust).size,
        "new": read_checkpoint(new.text, trust).size,
    }
    assert sizes["new"] > sizes["old"]
    growth = client.get("/v1/public/consistency", params=sizes).content
    report = verify_file(new.content, trust, old.content, growth)
    assert report.valid, report.why
    assert report.grown_from == sizes["old"]
    assert client.get("/ledger/keys").text == f"{key}\n"


def test_tiles_and_bundles_are_served_and_lead_to_the_public_root(
    hub: TinyHub, client: Client
) -> None:
    client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    hub.publish()
    key = client.get("/v1/public/key").text.strip()
    head = read_checkpoint(client.get("/ledger/checkpoint").text, trust_of([key]))
    reader = TileReader(lambda tile: client.get(f"/ledger/{tile.path}").content, head.size)
    assert reader.root() == head.root
    (bundle,) = new_bundles(0, head.size)
    entries = entries_of(client.get(f"/ledger/{bundle.path}").content, head.size)
    pairs = client.get(f"/ledger/{index_path(bundle)}")
    assert "immutable" in pairs.headers["cache-control"]
    for number, entry in enumerate(entries):
        tag, link = (pairs.content[64 * number + at :][:32] for at in (0, 32))
        assert entry_of(tag, link) == entry
    opening = client.get(f"/ledger/{opening_path(head.size - 1)}").json()
    assert opening["position"] == head.size - 1


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/999", "tile/0/00", "tile/9/000", "tile/0/000.p/0",
        "index/999", "index/opening/999", "index/opening", ".checkpoint.draft", "public.lock",
        "../keyring.json", "..%2fkeyring.json", "%2e%2e/ledger.sqlite", "checkpoint/", "keys%00", "tile/entries/000.p/1/..",
    ],
)  # fmt: skip
def test_nothing_else_of_the_folder_is_served(hub: TinyHub, client: Client, path: str) -> None:
    hub.publish()
    reply = client.get(f"/ledger/{path}")
    assert reply.status_code == 404, reply.text


def test_health_says_how_far_publication_is_behind(hub: TinyHub, client: Client) -> None:
    hub.publish()
    before = client.get("/v1/health").json()
    assert before["ledger_published"] == before["ledger_size"]
    assert before["ledger_lag_seconds"] == 0
    client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    after = client.get("/v1/health").json()
    assert after["ledger_published"] < after["ledger_size"]
    assert after["ledger_lag_seconds"] >= 0
    assert after["ledger_late"] is False


@pytest.mark.parametrize(("waited", "late"), [(65, False), (66, True), (3 * 3600, True)])
def test_who_waits_too_long_for_witnesses_is_told(
    hub: TinyHub, monkeypatch: pytest.MonkeyPatch, waited: int, late: bool
) -> None:
    client = hub.client()
    monkeypatch.setattr(
        type(hub.services.ledger), "lag", lambda _self, _now: timedelta(seconds=waited)
    )
    body = client.get("/v1/health").json()
    assert (body["ledger_lag_seconds"], body["ledger_late"]) == (waited, late)
    text = client.get("/").text
    assert ("见证人没有应答" in text) == late
    client.close()


def test_the_verifier_is_the_program_itself(client: Client) -> None:
    reply = client.get("/v1/public/verifier")
    assert 'filename="verify.py"' in reply.headers["content-disposition"]
    compile(reply.text, "verify.py", "exec")
    assert "import hub" not in reply.text
    assert "from hub" not in reply.text


def test_the_verifier_page_is_kept_and_not_opened_here(client: Client) -> None:
    reply = client.get("/v1/public/verifier-page")
    assert reply.headers["content-disposition"] == 'attachment; filename="mingjing-verifier.html"'
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.text == Path(verify.__file__).with_name("verifier.html").read_text("utf-8")


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


def test_the_policy_of_witnesses_is_public_without_addresses(hub: TinyHub, client: Client) -> None:
    browser = hub.browser("citizen", EAST.number)
    path = hub.services.settings.witness_policy
    assert client.get("/ledger/witnesses").status_code == 404
    assert "--witness" not in browser.get("/citizen").text
    one, two = WITNESS_KEYS
    try:
        path.write_text(
            f"witness a {one} https://a.example\nwitness b {two}\ngroup g any a b\nquorum g\n",
            encoding="utf-8",
        )
        reply = client.get("/ledger/witnesses")
        assert reply.headers["content-type"].startswith("text/plain")
        assert reply.text == f"witness a {one}\nwitness b {two}\ngroup g 1 a b\nquorum g\n"
        told = html.unescape(browser.get("/citizen").text)
        assert f'--witness "{one}" --witness "{two}" --quorum 1</pre>' in told
        assert f"<code>{one}</code>" in told
        path.write_text("quorum nowhere\n", encoding="utf-8")
        mended = browser.get("/citizen")
        assert (mended.status_code, "--witness" in mended.text) == (200, False)
    finally:
        path.unlink()
        browser.close()
