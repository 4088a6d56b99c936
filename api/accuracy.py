"""What was caught against what was planted: the invented district's truth, held against the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from assets.demo.truth import compare
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
