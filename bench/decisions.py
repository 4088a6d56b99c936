"""Decisions by policies of 100 to 10,000 rules, against engines that look through every rule.

Ours is a whole decision: every column's treatment, the reasons, or what a refusal lacked. Cold means
that the policy is loaded and nothing about the request is kept; cached, that the same kind of
request was decided before. A peer answers one yes-or-no question of those that make up ours, with
the same rules read beforehand. Ahead of the clock, every peer and ours must give the same answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from access.decision import Decider
from access.policy import Question
from access.roles import RoleRegister
from access.rules import Rule
from bench import cedar, peers, rego
from bench.invented_policy import Invented, Shape, invented
from bench.machine import installed
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from bench.turns import interleaved, medians
from hub.errors import SourceError

SIZES = (100, 1_000, 10_000)
#: Hundreds of rules about every dataset and one purpose for all: as close as rules can lie.
DENSE = Shape(10_000, datasets=12, purposes=1)
REQUESTS = 1_000
COLD_US = 500.0
CACHED_US = 2.0

_OURS, _CASBIN = "ours", "plain Casbin"

#: By number of rules, how many of the requests are put to the peers; they take that long.
_ASKED = {100: 200, 1_000: 40, 10_000: 10}
Case = Callable[[Sequence[Rule], RoleRegister, Sequence[Question]], dict[str, Any]]
#: Name -> the engine, what makes its case, and of how many of the peers' requests it gets one.
_ENGINES: Mapping[str, tuple[peers.Engine, Case, int]] = {
    "cedar": (peers.CEDAR, cedar.case, 1),
    "rego": (peers.REGO, rego.case, 5),
}


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield cold and cached decisions at every size, and cold ones where rules lie closest."""
    for size in SIZES:
        shape = Shape(size)
        settings.say(f"inventing {shape}")
        given = invented(shape, REQUESTS)
        yield from _cold(settings, given, shape)
        yield _cached(settings, given, shape)
    yield _dense(settings)


def _cold(settings: BenchSettings, given: Invented, shape: Shape) -> Iterator[Row]:
    asked = given.questions[: _ASKED[shape.rules]]
    sides: dict[str, Callable[[], float]] = {
        _OURS: lambda: _ours(given),
        _CASBIN: _plain(given, asked),
    }
    size = f"{shape}; median of {REQUESTS:,} requests"
    sizes: dict[str, str] = {}
    for name, (engine, case_of, one_of) in _ENGINES.items():
        fewer = asked[::one_of]
        case = case_of(given.policy.rules, given.policy.roles, fewer)
        sizes[name] = f"{size}, of {len(fewer)} for the peer"
        try:
            _agree(given, fewer, peers.decided(engine, [case], settings.folder)[0].answers, name)
        except SourceError as exc:
            why = "; ".join((exc.message, *exc.findings[-1:]))
            sizes[name] = f"{size}; {why}"
            settings.say(why)
            continue
        sides[name] = _engine(settings, engine, case)
    figures = medians(interleaved(sides, settings.runs, settings.say))
    row = Row(
        name=f"decisions-cold-{shape.rules}",
        measures="time of the peer for one question / time of ours for the whole decision",
        size=f"{size}, of {len(asked)} for the peer",
        runs=settings.runs,
        ours=figures[_OURS],
        peer=Peer(_CASBIN, installed("pycasbin")),
        theirs=figures[_CASBIN],
        unit="µs",
        ratio=figures[_CASBIN] / figures[_OURS],
        mark=Mark("<=", COLD_US, "ours"),
    )
    yield row
    for name, (engine, _, _) in _ENGINES.items():
        theirs = figures.get(name)
        yield replace(
            row,
            name=f"{row.name}-{name}",
            size=sizes[name],
            peer=Peer(engine.title, engine.version),
            theirs=theirs,
            ratio=theirs / figures[_OURS] if theirs is not None else None,
            mark=None,
        )


def _cached(settings: BenchSettings, given: Invented, shape: Shape) -> Row:
    decider = Decider(given.policy, given.catalog)
    for request in given.requests:
        decider.decide(request)
    figures = medians(
        interleaved({_OURS: lambda: _timed(decider, given)}, settings.runs, settings.say)
    )
    peer, limit = allowance(CACHED_US)
    return Row(
        name=f"decisions-cached-{shape.rules}",
        measures="time of a decision that was made before / allowance",
        size=f"{shape}; median of {REQUESTS:,} requests",
        runs=settings.runs,
        ours=figures[_OURS],
        peer=peer,
        theirs=limit,
        unit="µs",
        ratio=figures[_OURS] / limit,
        mark=Mark("<=", 1.0),
    )


def _dense(settings: BenchSettings) -> Row:
    settings.say(f"inventing {DENSE}")
    given = invented(DENSE, REQUESTS)
    figures = medians(interleaved({_OURS: lambda: _ours(given)}, settings.runs, settings.say))
    peer, limit = allowance(COLD_US)
    return Row(
        name="decisions-cold-dense",
        measures="time of ours for the whole decision / allowance",
        size=f"{DENSE}; median of {REQUESTS:,} requests",
        runs=settings.runs,
        ours=figures[_OURS],
        peer=peer,
        theirs=limit,
        unit="µs",
        ratio=figures[_OURS] / limit,
        mark=Mark("<=", 1.0),
    )


def _ours(given: Invented) -> float:
    """Return the median time of a decision by a decider that has decided nothing yet, µs."""
    return _timed(Decider(given.policy, given.catalog), given)


def _timed(decider: Decider, given: Invented) -> float:
    taken = []
    for request in given.requests:
        start = time.perf_counter()
        decider.decide(request)
        taken.append(time.perf_counter() - start)
    return median(taken) * 1e6


def _plain(given: Invented, asked: Sequence[Question]) -> Callable[[], float]:
    enforcer, _ = given.policy.plain_enforcer()
    _agree(given, asked, [(enforcer.enforce(*q.values()), frozenset()) for q in asked], _CASBIN)

    def measure() -> float:
        taken = []
        for question in asked:
            start = time.perf_counter()
            enforcer.enforce(*question.values())
            taken.append(time.perf_counter() - start)
        return median(taken) * 1e6

    return measure


def _engine(
    settings: BenchSettings, engine: peers.Engine, case: Mapping[str, Any]
) -> Callable[[], float]:
    return lambda: median(peers.decided(engine, [case], settings.folder)[0].seconds) * 1e6


def _agree(
    given: Invented,
    asked: Sequence[Question],
    answers: Sequence[tuple[bool, frozenset[str]]],
    whose: str,
) -> None:
    """Make sure that the peer does the same work: its answers are ours."""
    ours = [given.policy.ask(question).allowed for question in asked]
    if ours != [allowed for allowed, _ in answers]:
        raise AssertionError(f"{whose} does not decide as we do")
