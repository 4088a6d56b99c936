"""The main job, end to end: real files, the real Dagster job, the real server, a proof offline."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from api.accuracy import caught_by_kind, compare_with_truth
from api.server import environment
from assets.demo.deliveries import generate_first, send
from hub.ledger import verify as verifier
from hub.store.drop import deliver
from hub.store.records import BatchStatus, Records
from hub.store.snapshots import SnapshotStore
from tests.factories import id_number
from tests.journeys.conftest import (
    DISTRICT,
    Story,
    batches,
    headers,
    hub_command,
    new_hub,
    run,
)
from tests.rules.sources import document

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("story")]

LOOKUP = {"by": "resident_id", "purpose": "residence.verify", "case": "2026-0311"}


def test_every_dataset_is_published(story: Story) -> None:
    with Records.open(story.settings) as records:
        rows = records.quality()
    assert len(rows) == 12
    assert {q.status for q in rows} == {BatchStatus.PUBLISHED}


def test_the_spoiled_batch_is_stopped_and_the_former_stays_in_service(story: Story) -> None:
    first, spoiled, corrected = batches(story.settings, "housing.tenancy")
    assert [b.status for b in (first, spoiled, corrected)] == [
        BatchStatus.PUBLISHED,
        BatchStatus.STOPPED,
        BatchStatus.PUBLISHED,
    ]
    assert story.served_after_second == first.period
    assert "housing.tenancy" in story.second
    assert "stopped" in story.second


def test_feedback_names_rows_and_rules_and_no_value(story: Story) -> None:
    _, spoiled, _ = batches(story.settings, "housing.tenancy")
    path = story.settings.feedback / "housing" / f"{spoiled.id}.csv"
    text = path.read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) > 1
    assert "990106" not in text  # no identity number, no grid code, nothing of a row


def test_the_same_file_is_recognised_and_not_loaded_twice(story: Story) -> None:
    before = len(batches(story.settings, "police.case"))
    source = next((story.mail / "police" / "police.case").glob("*.csv"))
    deliver(
        source,
        name=source.name,
        partner="police",
        dataset="police.case",
        settings=story.settings,
        period=DISTRICT.month,
        rows=None,
        encoding="gb18030",
        format="csv",
        mode="append",
    )
    said = run(story.settings)
    assert "the same bytes are here already" in said
    assert len(batches(story.settings, "police.case")) == before


def test_every_planted_error_is_caught_or_a_known_miss(story: Story) -> None:
    rows = compare_with_truth(story.settings, story.mail / "truth")
    assert rows
    missed = [r for r in rows if not r["known_miss"] and r["caught"] < r["planted"]]
    assert missed == []


def test_officer_of_the_area_sees_some_fields_clear_and_some_masked(
    story: Story, web: httpx.Client
) -> None:
    reply = web.post(
        "/v1/officer/lookup",
        json={**LOOKUP, "value": story.person["resident_id"]},
        headers=headers(web, "officer.east"),
    )
    assert reply.status_code == 200, reply.text
    (subject,) = reply.json()["subjects"]
    cells = {c["column"]: c for c in subject["fields"]}
    assert cells["name"]["value"] == story.person["name"]
    assert cells["name"]["how"] == "clear"
    assert cells["resident_id"]["how"] == "masked"
    assert cells["birth_date"]["how"] == "generalised"
    assert story.person["resident_id"] not in reply.text
    assert story.person["birth_date"] not in reply.text
    assert reply.json()["receipt"]["index"] >= 0


def test_officer_of_another_area_is_told_why_not(story: Story, web: httpx.Client) -> None:
    reply = web.post(
        "/v1/officer/lookup",
        json={**LOOKUP, "value": story.person["resident_id"]},
        headers=headers(web, "officer.west"),
    )
    assert reply.status_code in (403, 404)
    problem = reply.json()
    assert problem["detail"]
    assert problem["receipt"]["index"] >= 0
    assert story.person["name"] not in reply.text


def test_analyst_gets_statistics_and_never_a_person(story: Story, web: httpx.Client) -> None:
    analyst = headers(web, "analyst")
    lookup = web.post(
        "/v1/officer/lookup",
        json={**LOOKUP, "value": story.person["resident_id"]},
        headers=analyst,
    )
    assert lookup.status_code == 403
    table = web.get(
        "/v1/statistics",
        params={"dataset": "population.resident", "by": "community,sex"},
        headers=analyst,
    )
    assert table.status_code == 200, table.text
    assert sum(row[-1] or 0 for row in table.json()["rows"]) > 2_000


def test_the_resident_sees_what_is_held_and_who_looked_and_can_prove_it(
    story: Story, web: httpx.Client, tmp_path: Path
) -> None:
    officer = headers(web, "officer.east")
    looked = web.post(
        "/v1/officer/lookup", json={**LOOKUP, "value": story.person["resident_id"]}, headers=officer
    ).json()
    me = headers(web, "citizen", id_number=story.person["resident_id"])
    held = web.get("/v1/me/records", headers=me).json()
    datasets = {r["dataset"] for s in held["subjects"] for r in s["records"]}
    assert {"population.resident", "housing.tenancy", "civil_affairs.marriage"} <= datasets
    uses = web.get("/v1/me/uses", headers=me).json()["uses"]
    use = next(u for u in uses if u["index"] == looked["receipt"]["index"])
    assert use["purpose"] == "residence.verify"
    published = hub_command(story.settings, "ledger", "publish")
    assert published.returncode == 0, published.stdout + published.stderr
    proof = web.get(use["proof"], headers=me).text
    (tmp_path / "use.tlog-proof").write_text(proof)
    shutil.copyfile(verifier.__file__, tmp_path / "verify.py")
    key = web.get("/v1/public/key").text.strip()
    command = [sys.executable, "-I", "verify.py", "use.tlog-proof", "--key", key]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stdout + good.stderr
    index = use["index"]
    forged = proof.replace(f"index {index}\n", f"index {index + 1}\n")
    (tmp_path / "use.tlog-proof").write_text(forged)
    bad = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert bad.returncode != 0


def test_another_citizen_does_not_get_that_proof(story: Story, web: httpx.Client) -> None:
    me = headers(web, "citizen", id_number=story.person["resident_id"])
    web.get("/v1/me/records", headers=me).raise_for_status()  # a use of one's own
    uses = web.get("/v1/me/uses", headers=me).json()["uses"]
    other = headers(web, "citizen", id_number=id_number(7))
    assert web.get(uses[0]["proof"], headers=other).status_code == 404


def test_the_ledger_verifies_and_notices_a_change(story: Story, tmp_path: Path) -> None:
    good = hub_command(story.settings, "ledger", "verify", "--json")
    assert json.loads(good.stdout)["intact"] is True


def test_no_personal_data_in_what_runs_say_or_in_names(story: Story) -> None:
    said = story.first + story.second + story.correction
    names = "\n".join(str(p) for p in story.settings.home.rglob("*"))
    for value in (story.person["resident_id"], story.person["name"], story.person["phone"]):
        assert value not in said
        assert value not in names


def test_no_clear_personal_data_stays_on_disk(story: Story) -> None:
    needle = story.person["resident_id"].encode()
    found = [
        path
        for path in story.settings.home.rglob("*")
        if path.is_file() and needle in path.read_bytes()
    ]
    assert found == []
    assert not list(story.settings.work.glob("*/*"))


def test_the_board_and_the_pages_answer(story: Story, web: httpx.Client) -> None:
    for path in ("/", "/board", "/demo/sign-in", "/v1/public/quality", "/v1/public/datasets"):
        reply = web.get(path)
        assert reply.status_code == 200, path
        assert story.person["name"] not in reply.text or path == "/demo/sign-in"


def test_data_docs_are_written_and_show_no_value(story: Story) -> None:
    index = story.settings.data_docs / "index.html"
    assert index.exists() or list(story.settings.data_docs.rglob("index.html"))
    for page in story.settings.data_docs.rglob("*.html"):
        assert story.person["resident_id"] not in page.read_text()


def test_a_killed_run_is_finished_by_the_next(tmp_path: Path) -> None:
    settings, mail = new_hub(tmp_path / "hub"), tmp_path / "mail"
    send(generate_first(DISTRICT, mail).deliveries, settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "run"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:  # kill it in the middle of loading
        if "load" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    run(settings)
    with Records.open(settings) as records:
        assert {q.status for q in records.quality()} == {BatchStatus.PUBLISHED}
        assert len(records.quality()) == 12
    clean, mail2 = new_hub(tmp_path / "clean"), tmp_path / "mail2"
    send(generate_first(DISTRICT, mail2).deliveries, clean)
    run(clean)
    counts = [
        {
            row["t"]: row["n"]
            for row in SnapshotStore(s)
            .current()
            .analytic(
                "SELECT table_name AS t, estimated_size AS n FROM duckdb_tables() "
                "WHERE database_name = current_database()"
            )
        }
        for s in (settings, clean)
    ]
    assert counts[0] == counts[1]


def test_the_page_shows_what_was_caught_of_every_kind(story: Story) -> None:
    """The table of docs/quality.md is this very run's: paste what the failure shows."""
    rows = caught_by_kind(compare_with_truth(story.settings, story.mail / "truth"))
    lines = [
        f"| {r['kind']} | {r['found_by']} | {r['planted']} | {r['caught']} | {r['rate_%']:.2f} "
        f"| {'–' if r['caught'] == r['planted'] else 'no rule can see it'} |"
        for r in rows
    ]
    head = "| kind | found by | planted | caught | % | why not all |\n|---|---|--:|--:|--:|---|\n"
    table = head + "\n".join(lines) + "\n"
    assert table in document("quality.md"), table
