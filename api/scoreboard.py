"""The quality board: every department's light, its trend, its cards; what was stopped, and why.

Figures only; no record and no person. Nothing here judges: accuracy comes from
`contracts.accuracy.figures`, cards from `contracts.cards.desk`, thresholds from the same card rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Literal

from api.vocabulary import Vocabulary
from contracts.accuracy.figures import Figures
from contracts.accuracy.measures import Headline, cut_percent
from contracts.accuracy.sampling import TARGET
from contracts.cards.board import CardView, listed
from contracts.cards.desk import CardDesk
from hub.clock import Clock
from hub.store.batches import ACCEPTED, Batch, BatchStatus, Quality
from hub.store.facts import read_facts
from hub.store.records import Records

Light = Literal["green", "yellow", "red", "none"]

TARGET_PERCENT = 100 * TARGET
#: Anybody may ask for the board, so it is made anew at most this often.
FRESH = timedelta(seconds=15)
MONTHS = 12
WORST_RULES = 10

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


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Makes the board of one installation. Thread safe."""

    records: Records
    desk: CardDesk
    vocabulary: Vocabulary
    clock: Clock
    _made: dict[str | None, tuple[datetime, Mapping[str, Any]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def board(self, partner: str | None = None) -> Mapping[str, Any]:
        """Return the board, of one partner or of all, at most `FRESH` old.

        The rows show the latest check of every dataset; a stopped delivery is listed apart too,
        because what was published before it stays in service.
        """
        now = self.clock.now()
        with self._lock:
            made = self._made.get(partner)
            if made is None or now - made[0] >= FRESH:
                made = self._made[partner] = (now, self._make(partner, now))
            return made[1]

    def light(self, percent: float | None) -> Light:
        """Return the light of an accuracy in percent; red begins where the cards' red does."""
        if percent is None:
            return "none"
        if percent >= TARGET_PERCENT:
            return "green"
        return "yellow" if percent >= self.red_percent else "red"

    @property
    def red_percent(self) -> float:
        """The accuracy below which a light is red."""
        return self.desk.norms.rules.red.key_accuracy_percent

    def _make(self, partner: str | None, now: datetime) -> dict[str, Any]:
        batches = (
            self.records.batches(_LOOK_BACK)
            if partner is None
            else self.records.batches_of(partner, _LOOK_BACK)
        )
        found = self.desk.cards(now)
        cards = listed(found, self.desk.norms, department=partner, only_open=True)
        figures = Figures(read_facts(self.records))
        departments = figures.departments() if partner is None else (partner,)
        publication = next(iter(self.records.publications(1)), None)
        return {
            "target": TARGET_PERCENT,
            "red": self.red_percent,
            "snapshot": publication.version if publication else None,
            "published_at": publication.published_at if publication else None,
            "departments": [self._department(figures, code, cards) for code in departments],
            "rows": [
                self._row(quality, figures)
                for quality in self.records.quality()
                if partner in (None, quality.partner)
            ],
            "worst_rules": self._worst_rules(figures, partner),
            "cards": [asdict(card) for card in cards],
            "stopped": [
                _stopped(batch, batches, self.vocabulary)
                for batch in batches
                if batch.status in (BatchStatus.STOPPED, BatchStatus.REFUSED)
            ],
        }

    def _department(self, figures: Figures, code: str, cards: Sequence[CardView]) -> dict[str, Any]:
        own = [card.colour for card in cards if card.department == code]
        delivered = bool(figures.datasets(code))
        headline = figures.department(code) if delivered else None
        percent = cut_percent(headline.share, 4) if headline else None
        light = _worse(self.light(percent), own)
        return {
            "department": code,
            "title": self.vocabulary.agency(code),
            "light": light,
            "light_title": _light_title(light, percent, own),
            "headline": self._headline(headline) if headline else None,
            "yellow_cards": own.count("yellow"),
            "red_cards": own.count("red"),
            "trend": _trend(figures, code) if delivered else [],
        }

    def _headline(self, headline: Headline) -> dict[str, Any] | None:
        measure = headline.measure
        if measure is None:
            return None
        return {
            "percent": cut_percent(measure.share, 4),
            "measure": measure.code,
            "measure_title": measure.title,
            "dataset": headline.dataset,
            "dataset_title": self.vocabulary.dataset_title(headline.dataset),
            "month": headline.month,
        }

    def _row(self, quality: Quality, figures: Figures) -> dict[str, Any]:
        headline = figures.headline(quality.dataset)
        light = self.light(cut_percent(headline.share, 4))
        return {
            "dataset": quality.dataset,
            "title": self.vocabulary.dataset_title(quality.dataset),
            "partner": quality.partner,
            "partner_title": self.vocabulary.agency(quality.partner),
            "batch": quality.batch_id,
            "period": quality.period,
            "status": quality.status.value,
            "status_title": STATUS_TITLES[quality.status],
            "checked_at": quality.checked_at,
            "rows": quality.rows,
            "accepted": quality.accepted,
            "quarantined": quality.quarantined,
            "key_accuracy": cut_percent(quality.key_accuracy, 4),
            "overall": cut_percent(quality.overall, 4),
            "headline": self._headline(headline),
            "target": TARGET_PERCENT,
            "light": light,
            "light_title": LIGHT_TITLES[light],
            "reason": quality.reason,
        }

    def _worst_rules(self, figures: Figures, partner: str | None) -> list[dict[str, Any]]:
        own = None if partner is None else set(figures.datasets(partner))
        found = [r for r in figures.worst_rules(1_000) if own is None or r.dataset in own]
        return [
            {
                "dataset": rule.dataset,
                "dataset_title": self.vocabulary.dataset_title(rule.dataset),
                "rule": rule.rule,
                "title": rule.title,
                "severity": rule.severity,
                "failing": rule.failing,
                "evaluated": rule.evaluated,
                "percent": round(rule.percent, 4),
            }
            for rule in found[:WORST_RULES]
        ]


def _worse(light: Light, colours: Sequence[str]) -> Light:
    """Return a department's light: as bad as its figure and as its worst open card."""
    if "red" in colours:
        return "red"
    if "yellow" in colours and light in ("green", "none"):
        return "yellow"
    return light


def _light_title(light: Light, percent: float | None, colours: Sequence[str]) -> str:
    """Return what a department's light says: a card says more than a figure that is fine."""
    if colours and (light == "red" or percent is None or percent >= TARGET_PERCENT):
        return "有红牌" if "red" in colours else "有黄牌"
    return LIGHT_TITLES[light]


def _trend(figures: Figures, department: str) -> list[dict[str, Any]]:
    """Return a department's worst figure at the end of each of the last months it delivered for.

    What was not delivered in a month stands as it did before; the newest month is as of now.
    """
    rows = figures.history(department=department)  # newest first
    points = []
    for month in sorted({row.month for row in rows})[-MONTHS:]:
        standing = {row.dataset: row.headline.share for row in reversed(rows) if row.month <= month}
        known = [share for share in standing.values() if share is not None]
        points.append({"month": month, "percent": cut_percent(min(known, default=None), 4)})
    if points:
        points[-1]["percent"] = cut_percent(figures.department(department).share, 4)
    return points


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
