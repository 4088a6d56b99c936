"""The invented district's truth, held against the hub: what was caught of what was planted, and how
near the measured accuracy comes to the true one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assets.demo.truth import TrueAccuracy, compare, true_accuracy
from contracts.accuracy.measures import cut_percent
from contracts.checks import plan
from contracts.versions.in_force import in_force
from hub.config import Settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store import lake
from hub.store.records import BatchStatus, Records


def _names_by_digest(mail: Path) -> dict[str, str]:
    """Return digest -> name of every file the departments sent, from their manifests."""
    manifests = mail.glob("*/*/*.manifest.json")
    return {
        json.loads(path.read_bytes())["sha256"]: path.name.removesuffix(".manifest.json")
        for path in manifests
    }


def compare_with_truth(settings: Settings, truth: Path) -> list[dict[str, Any]]:
    """Return one row per dataset and kind of planted error: planted, caught, rate, what found it.

    Caught means quarantined at that row, or found as a conflict of that person in any publication.
    """
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    identifier, subject = Pseudonymiser(keyring, "identifier"), Pseudonymiser(keyring, "subject")
    with Records.open(settings) as records:
        sent = _names_by_digest(truth.parent)
        batches = [b for b in records.batches(limit=10_000) if b.sha256 in sent]
        files = {b.id: sent[b.sha256] for b in batches}
        served = {files[b.id] for b in batches if b.status is BatchStatus.PUBLISHED}
        snapshots = [p.lake_snapshot for p in records.publications(limit=1_000)]
    con = lake.open_lake(settings)
    try:
        quarantined = con.execute(
            "SELECT dataset, batch_id, row_number FROM lake.quarantine.row"
        ).fetchall()
        conflicts = {
            (kind, key)
            for version in snapshots
            for kind, key in con.execute(
                "SELECT kind, hex(subject_key) FROM lake.integrated.conflict "
                f"AT (VERSION => {int(version or 0)})"
            ).fetchall()
        }
    finally:
        con.close()
    caught = [(dataset, files[batch], row) for dataset, batch, row in quarantined if batch in files]

    def token(number: str) -> str:
        return subject.of(identifier.of(number)).hex().upper()

    known = sorted(conflicts)
    whole = compare(truth, caught, known, files=files.values(), token=token)
    # Between departments only what was published can be compared; a stopped batch never was.
    joined = compare(truth, caught, known, files=served, token=token)
    rows = [r for r in whole.rows if r.detectable_by != "cross-source"]
    rows += [r for r in joined.rows if r.detectable_by == "cross-source"]
    return [
        {
            "dataset": row.dataset,
            "kind": row.kind,
            "found_by": row.detectable_by,
            "planted": row.planted,
            "caught": row.caught,
            "rate_%": round(row.rate * 100, 2),
            "known_miss": row.known_miss,
        }
        for row in sorted(rows, key=lambda r: (r.dataset, r.kind))
    ]


def caught_by_kind(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per kind of planted error over all datasets, of `compare_with_truth`."""
    kinds: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        found = kinds.setdefault(
            (row["found_by"], row["kind"]),
            {
                "kind": row["kind"], "found_by": row["found_by"], "planted": 0, "caught": 0,
            },
        )  # fmt: skip
        found["planted"] += row["planted"]
        found["caught"] += row["caught"]
    return [
        {**found, "rate_%": round(100 * found["caught"] / found["planted"], 2)}
        for _, found in sorted(kinds.items())
        if found["planted"]
    ]


def true_accuracies(settings: Settings, truth: Path) -> tuple[TrueAccuracy, ...]:
    """Return, per dataset, the true accuracy of the key fields delivered against the measured one.

    Measured wrong is a row with an error on a key field, as `key_accuracy` counts it; over all
    deliveries of the dataset, the stopped ones among them.
    """
    sent = _names_by_digest(truth.parent)
    with Records.open(settings) as records:
        batches = [b for b in records.batches(limit=10_000) if b.sha256 in sent and b.rows]
    files = {b.id: sent[b.sha256] for b in batches}
    rows: dict[str, int] = {}
    for batch in batches:
        rows[batch.dataset] = rows.get(batch.dataset, 0) + (batch.rows or 0)
    contracts = [c for c in in_force(settings).contracts if c.name in rows]
    rules = {
        (c.name, spec.id)
        for c in contracts
        for spec in plan(c)
        if spec.key_field and spec.severity == "error"
    }
    keys = {c.name: [p.name for p in c.properties if p.key_field] for c in contracts}
    con = lake.open_lake(settings)
    try:
        quarantined = con.execute(
            "SELECT dataset, batch_id, row_number, failed_rules FROM lake.quarantine.row"
        ).fetchall()
    finally:
        con.close()
    measured = [
        (dataset, files[batch], row)
        for dataset, batch, row, failed in quarantined
        if batch in files and any((dataset, rule) in rules for rule in failed)
    ]
    return true_accuracy(truth, rows, measured, keys, files=files.values())


def true_accuracy_rows(settings: Settings, truth: Path) -> list[dict[str, Any]]:
    """Return true against measured accuracy as rows: the difference, and what explains it."""
    return [
        {
            "dataset": found.dataset,
            "rows": found.rows,
            "true_%": cut_percent(found.true_share, 3),
            "measured_%": cut_percent(found.measured_share, 3),
            "too_high_by": round(100 * (found.measured_share - found.true_share), 3),
            "no_rule_can_see": _named(found.unseen),
            "blamed_for_another_field": _named(found.beside),
            "unexplained": found.unexplained,
        }
        for found in true_accuracies(settings, truth)
    ]


def _named(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "–"
