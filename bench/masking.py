"""Masking a list of 100 persons: the cells of opened documents, as a search would show them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from access.decision import Decider
from access.demo import load_demo_actors
from access.model import Action, Request, Trait
from access.policy import load_policy
from access.rendering import render
from bench import invented
from bench.row import Mark, Row, allowance
from bench.settings import BenchSettings
from bench.turns import interleaved, medians
from contracts.loader import load_catalog, load_contracts

PERSONS = 100
LIMIT_MS = 2.0

_LISTS = 50  # in one run
_NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
_NO_TRAITS: frozenset[Trait] = frozenset()


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield the time of one list against its limit."""
    catalog = load_catalog(load_contracts())
    actor = load_demo_actors()["officer.east"]
    request = Request(actor, Action.SEARCH, None, "residence.verify", at=_NOW)
    plan = Decider(load_policy(catalog), catalog).plan(request)
    area = actor.area
    persons = (invented.person(serial) for serial in range(0, PERSONS * 4, 4))
    documents = [invented.document(who, bytes(16), catalog) for who in persons]
    shown = [render(document, plan, area, _NO_TRAITS) for document in documents]
    cells = sum(len(record.values) for each in shown for record in each.records)

    def measure() -> float:
        taken = []
        for _ in range(_LISTS):
            start = time.perf_counter()
            for document in documents:
                render(document, plan, area, _NO_TRAITS)
            taken.append(time.perf_counter() - start)
        return median(taken) * 1e3

    figures = medians(interleaved({"ours": measure}, settings.runs, settings.say))
    peer, limit = allowance(LIMIT_MS)
    yield Row(
        name="masking-list",
        measures="time of masking one list / allowance",
        size=f"{PERSONS} persons, {sum(len(s.records) for s in shown)} records, {cells:,} cells",
        runs=settings.runs,
        ours=figures["ours"],
        peer=peer,
        theirs=limit,
        unit="ms",
        ratio=figures["ours"] / limit,
        mark=Mark("<=", 1.0),
    )
