"""Counts of a dataset's records, small cells suppressed; a refusal counts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from access import statistics
from access.answers import Receipt, StatsAnswer, StatsQuery
from access.asking import Asked, Means, ask, entry, known, reading, too_much
from access.limits import Over
from access.model import Action, Actor, Request
from access.recording import Prepared


def prepare(means: Means, actor: Actor, query: StatsQuery) -> Prepared[StatsAnswer]:
    """Decide and count.

    Raises:
        RequestError: when a dimension is unknown or not for counting; nothing is to be recorded.
        SourceError: when the counts cannot be read.
    """
    request = Request(
        actor, Action.AGGREGATE, (query.dataset,), query.purpose, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    decision = asked.decision
    datasets = known(means, (query.dataset,))

    def over(what: Over) -> Prepared[StatsAnswer]:
        return Prepared((too_much(means, asked, what),), _Table(asked, query, over=what))

    if not decision.allowed:
        told = entry(means, asked, False, datasets=datasets, outcome="refused")
        return Prepared((told,), _Table(asked, query), over)
    plan = statistics.plan_statistics(means.catalog[query.dataset], query, decision)
    snapshot = means.snapshots.current()
    asked = reading(asked, snapshot)
    rows = snapshot.analytic(plan.sql, plan.parameters)
    table = statistics.tabulate(rows, plan, statistics.threshold_of(decision))
    more = {"by": list(query.by), "cells": len(table.rows), "suppressed": table.suppressed}
    told = entry(means, asked, True, datasets=datasets, more=more)
    return Prepared((told,), _Table(asked, query, table.rows, table.suppressed), over)


@dataclass(frozen=True, slots=True, repr=False)  # no representation shows what is still locked
class _Table:
    """Makes the answer of a receipt."""

    asked: Asked
    query: StatsQuery
    rows: tuple[tuple[Any, ...], ...] = ()
    suppressed: int = 0
    over: Over | None = None

    def __call__(self, receipt: Receipt) -> StatsAnswer:
        decision, over = self.asked.decision, self.over
        return StatsAnswer(
            allowed=decision.allowed and over is None,
            reason=decision.reason if over is None else over.reason,
            remedy=decision.remedy if over is None else over.remedy,
            decision=decision,
            columns=(*self.query.by, "count"),
            rows=self.rows,
            threshold=statistics.threshold_of(decision),
            suppressed=self.suppressed,
            receipt=receipt,
            request_id=self.asked.context.request_id,
            time=self.asked.time,
            policy_version=decision.policy_version,
            snapshot_version=self.asked.context.snapshot,
            wait_seconds=None if over is None else over.seconds,
        )
