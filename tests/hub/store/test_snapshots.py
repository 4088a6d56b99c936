"""Snapshots: published in one step, readers never left without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.config import Settings
from hub.errors import NotFound, SourceError
from hub.store import lake
from hub.store.snapshots import SnapshotStore, SubjectsWriter
from tests.factories import settings_in

KEY, OTHER = b"k" * 16, b"o" * 16


def make(settings: Settings, version: str, sealed: bytes = b"document") -> SnapshotStore:
    store = SnapshotStore(settings)
    folder = store.begin(version)
    writer = SubjectsWriter(folder / "subjects.sqlite")
    writer.documents([(KEY, sealed), (OTHER, b"other")])
    writer.tokens([("phone", b"t", KEY), ("phone", b"t", OTHER), ("address", b"t", KEY)])
    writer.identities([(b"i" * 16, KEY)])
    writer.close()
    con = lake.open_workspace(settings)
    con.execute(f"ATTACH '{folder / 'analytic.duckdb'}' AS a")
    con.execute("CREATE TABLE a.person AS SELECT 'x' AS grid_code, 3 AS n")
    con.close()
    return store


def test_nothing_is_served_before_the_first_publication(tmp_path: Path) -> None:
    store = make(settings_in(tmp_path), "v1")
    assert store.version() is None
    with pytest.raises(NotFound, match="nothing is published"):
        store.current()


def test_a_published_version_answers(tmp_path: Path) -> None:
    store = make(settings_in(tmp_path), "v1")
    manifest = store.publish("v1", 5, {"batches": ["b1"]})
    snapshot = store.current()
    assert snapshot.version == "v1"
    assert snapshot.manifest == manifest
    assert snapshot.lake_snapshot == manifest["lake_snapshot"] == 5
    assert snapshot.subject(KEY) == b"document"
    assert snapshot.subject(b"?" * 16) is None
    assert snapshot.identity(b"i" * 16) == KEY
    assert snapshot.find("phone", b"t") == (KEY, OTHER)
    assert snapshot.find("phone", b"t", limit=1) == (KEY,)
    assert snapshot.find("phone", b"?") == ()
    assert snapshot.analytic("SELECT n FROM person WHERE grid_code = ?", ["x"]) == [{"n": 3}]


def test_everybody_is_read_in_key_order_beside_look_ups(tmp_path: Path) -> None:
    store = make(settings_in(tmp_path), "v1")
    store.publish("v1", 5, {})
    snapshot = store.current()
    everybody = snapshot.documents()
    assert next(everybody) == (KEY, b"document")
    assert snapshot.subject(OTHER) == b"other"
    assert list(everybody) == [(OTHER, b"other")]
    (tmp_path / "serving" / "v1" / "subjects.sqlite").unlink()
    with pytest.raises(SourceError):
        next(snapshot.documents())


def test_the_manifest_holds_the_digests_of_what_is_served(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    make(settings, "v1").publish("v1", 5, {})
    manifest = json.loads((settings.serving / "v1" / "manifest.json").read_text())
    assert set(manifest["sha256"]) == {"analytic.duckdb", "subjects.sqlite"}
    assert all(len(digest) == 64 for digest in manifest["sha256"].values())


def test_readers_follow_the_pointer_and_the_old_version_finishes(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    store = make(settings, "v1")
    store.publish("v1", 5, {})
    old = store.current()
    make(settings, "v2", b"newer").publish("v2", 5, {})
    assert store.current().version == "v2"
    assert store.current().subject(KEY) == b"newer"
    assert old.subject(KEY) == b"document"


def test_a_version_that_cannot_be_opened_leaves_the_former_in_use(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    store = make(settings, "v1")
    store.publish("v1", 5, {})
    former = store.current()
    (settings.serving / "current").write_text("v9")
    with pytest.raises(SourceError, match="v9"):
        store.current()
    assert former.subject(KEY) == b"document"


def test_a_killed_publication_is_invisible_and_begun_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    make(settings, "v1").publish("v1", 5, {})
    make(settings, "v2")  # killed before the pointer moved
    assert SnapshotStore(settings).current().version == "v1"
    make(settings, "v2").publish("v2", 5, {})
    assert SnapshotStore(settings).current().version == "v2"


def test_old_versions_go_but_not_the_one_in_service(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for i in range(5):
        make(settings, f"v{i}").publish(f"v{i}", 5, {})
    assert sorted(p.name for p in settings.serving.iterdir() if p.is_dir()) == ["v2", "v3", "v4"]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (i INTEGER)",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/x.duckdb' AS x",
        "SET enable_external_access = true",
        "no sql",
    ],
)
def test_the_analytic_database_only_answers_questions(tmp_path: Path, sql: str) -> None:
    store = make(settings_in(tmp_path), "v1")
    store.publish("v1", 5, {})
    with pytest.raises(SourceError):
        store.current().analytic(sql)
