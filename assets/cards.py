"""Quality cards in a run: the gate before a batch is loaded, the release of a waived one, the end.

`contracts.cards.gate` decides whether a batch may be published; it is asked once, when the batch
has been checked and before anything of it reaches the lake. What it said is recorded as the batch's
verdict, and publishing reads that record again (`assets.steps.publish_loaded`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from assets.runtime import Runtime
from contracts.cards.deriving import Card
from contracts.cards.desk import Evaluation
from contracts.verdict import BatchVerdict
from hub.store.attempts import Attempt
from hub.store.batches import Batch, BatchStatus


def admitted(run: Runtime, batch: Batch, verdict: BatchVerdict, now: datetime) -> BatchVerdict:
    """Return the verdict with the gate's decision: what was decided once about an attempt stands.

    A verdict that did not pass passes only where the gate names the waiver or appeal that does it.
    """
    if batch.status is BatchStatus.CHECKED:  # a killed run had decided; part of it may be loaded
        recorded = run.records.verdict(batch.id)
        reason = verdict.reason if recorded is None else recorded.reason
        return replace(verdict, passed=True, reason=reason)
    decided = run.cards.gate(_attempt(batch, verdict), now)
    if decided.allowed == verdict.passed or (decided.allowed and not decided.released):
        return verdict
    card = "" if decided.card is None else decided.card.id
    said = (
        f"凭黄红牌 {card} 的豁免或申诉决定放行 / let through by a waiver or appeal of card {card}"
        if decided.allowed
        else f"红牌 {card} 拦下本批 / red card {card} stops this batch"
        if card
        else "低于红线，拦下本批 / below the red line: this batch is stopped"
    )
    return replace(verdict, passed=decided.allowed, reason=f"{said}; {verdict.reason}")


def _attempt(batch: Batch, verdict: BatchVerdict) -> Attempt:
    return Attempt(
        batch=batch.id,
        attempt=batch.attempt,
        dataset=batch.dataset,
        partner=batch.partner,
        period=batch.period,
        landed_at=batch.landed_at if batch.attempt == 1 else batch.delivered_at,
        rows=verdict.rows,
        quarantined=verdict.quarantined,
        key_accuracy=verdict.key_accuracy,
        overall=verdict.overall,
        meets_contract=verdict.passed,
    )


def release_stopped(run: Runtime, dataset: str) -> None:
    """Take up stopped batches again that a waiver or a granted appeal lets through.

    A batch that a later one has overtaken stays stopped: it would put the past over the present.
    """
    stopped = run.records.pending(dataset, (BatchStatus.STOPPED,))
    if not stopped:
        return
    now = run.clock.now()
    released = run.cards.released(now)
    for batch in stopped:
        if (batch.id, batch.attempt) in released and not _is_overtaken(run, batch):
            run.records.advance(batch.id, BatchStatus.LANDED, now)
            run.progress.step(
                "cards", dataset, f"batch {batch.id} is let through and checked again"
            )


def _is_overtaken(run: Runtime, batch: Batch) -> bool:
    latest = run.records.latest_accepted(batch.dataset, batch.partner)
    return batch.mode == "full" and latest is not None and latest.landed_at > batch.landed_at


def evaluate_cards(run: Runtime) -> Evaluation:
    """Derive every card and tell the ledger what it was not told; cheap when nothing changed."""
    done = run.cards.evaluate(run.ledger, run.clock)
    if done.told:
        standing = [card for card in done.cards if card.is_open]
        red = sum(card.colour.value == "red" for card in standing)
        said = f"{done.told} steps recorded; open: {red} red, {len(standing) - red} yellow"
        run.progress.step("cards", "quality cards", said, good=not standing)
    return done


def cards_by_dataset(run: Runtime) -> Mapping[str, tuple[Card, ...]]:
    """Return the open cards of every dataset that has any, in the order of issue."""
    found: dict[str, list[Card]] = defaultdict(list)
    for card in run.cards.cards(run.clock.now()):
        if card.is_open:
            found[card.cause.dataset].append(card)
    return {dataset: tuple(cards) for dataset, cards in found.items()}
