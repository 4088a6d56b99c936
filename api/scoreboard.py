"""The quality board: the latest verdict per dataset against the target, and what was stopped.

Figures only; no record and no person. Lights follow DOMAIN's cards: green from the target on,
yellow below it, red below the publish bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.outcome import Outcome
from api.services import Services
from api.vocabulary import Vocabulary
from hub.store.batches import ACCEPTED, Batch, BatchStatus, Quality

TARGET_PERCENT = 99.0
RED_PERCENT = 97.0

STATUS_TITLES: Mapping[str, str] = {
    BatchStatus.LANDED: "已接收",
    BatchStatus.CHECKED: "已核查",
    BatchStatus.STOPPED: "已拦下",
    BatchStatus.REFUSED: "已退回",
    BatchStatus.LOADED: "已入库",
    BatchStatus.PUBLISHED: "已发布",
}
LIGHT_TITLES: Mapping[str, str] = {
    "green": "达标",
    "yellow": "低于目标",
    "red": "低于红线",
    "none": "尚无数据",
}

_LOOK_BACK = 500


def board(services: Services, partner: str | None = None) -> Outcome:
    """Return the board, of one partner or of all.

    The rows show the latest check of every dataset; a stopped delivery is listed apart too,
    because what was published before it stays in service.
    """
    batches = (
        services.records.batches(_LOOK_BACK)
        if partner is None
        else services.records.batches_of(partner, _LOOK_BACK)
    )
    latest = [
        quality
        for quality in services.records.quality()
        if partner is None or quality.partner == partner
    ]
    publication = next(iter(services.records.publications(1)), None)
    vocabulary = services.vocabulary
    return Outcome(
        200,
        {
            "target": TARGET_PERCENT,
            "snapshot": publication.version if publication else None,
            "published_at": publication.published_at if publication else None,
            "rows": [_row(quality, vocabulary) for quality in latest],
            "stopped": [
                _stopped(batch, batches, vocabulary)
                for batch in batches
                if batch.status in (BatchStatus.STOPPED, BatchStatus.REFUSED)
            ],
        },
    )


def in_percent(share: float | None) -> float | None:
    """Return a share of rows, 0 to 1, in percent, None for no rows."""
    return None if share is None else round(100 * share, 4)


def light(key_accuracy_percent: float | None) -> str:
    """Return the light of an accuracy in percent.

    >>> [light(value) for value in (99.0, 98.99, 96.9, None)]
    ['green', 'yellow', 'red', 'none']
    """
    if key_accuracy_percent is None:
        return "none"
    if key_accuracy_percent >= TARGET_PERCENT:
        return "green"
    return "yellow" if key_accuracy_percent >= RED_PERCENT else "red"


def _row(quality: Quality, vocabulary: Vocabulary) -> dict[str, Any]:
    key_accuracy = in_percent(quality.key_accuracy)
    shown = light(key_accuracy)
    return {
        "dataset": quality.dataset,
        "title": vocabulary.dataset_title(quality.dataset),
        "partner": quality.partner,
        "partner_title": vocabulary.agency(quality.partner),
        "batch": quality.batch_id,
        "period": quality.period,
        "status": quality.status.value,
        "status_title": STATUS_TITLES[quality.status],
        "checked_at": quality.checked_at,
        "rows": quality.rows,
        "accepted": quality.accepted,
        "quarantined": quality.quarantined,
        "key_accuracy": key_accuracy,
        "overall": in_percent(quality.overall),
        "target": TARGET_PERCENT,
        "light": shown,
        "light_title": LIGHT_TITLES[shown],
        "reason": quality.reason,
    }


def _stopped(batch: Batch, batches: tuple[Batch, ...], vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "batch": batch.id,
        "dataset": batch.dataset,
        "title": vocabulary.dataset_title(batch.dataset),
        "partner_title": vocabulary.agency(batch.partner),
        "period": batch.period,
        "status": batch.status.value,
        "status_title": STATUS_TITLES[batch.status],
        "at": batch.checked_at or batch.delivered_at,
        "reason": batch.reason,
        "superseded": any(
            later.dataset == batch.dataset
            and later.partner == batch.partner
            and later.status in ACCEPTED
            and later.delivered_at > batch.delivered_at
            for later in batches
        ),
    }
