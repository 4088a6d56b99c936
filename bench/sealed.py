"""Whether the time of a citizen's answer tells that they have sealed uses: a permutation test.

Persons are paired; chance says which of each pair is given sealed uses beside the same visible
ones. Every round asks for both of every pair, in an order that chance gives. Of each pair the
difference of the two medians counts. Were there no effect, its sign would be a matter of chance: the
p-value is the share of random signs under which the mean difference is at least as large.

Source: E. J. G. Pitman, Significance tests which may be applied to samples from any populations
(1937); paired permutation test, two-sided.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from statistics import fmean, median

from access.answers import LookupQuery
from access.demo import load_demo_actors
from access.guard import Guard
from access.model import Actor
from api.services import Services, open_services
from bench import invented
from bench.lookup import make_home
from bench.row import Mark, Peer, Row, allowance
from bench.settings import BenchSettings
from hub.config import load_settings
from hub.ledger.writer import Entry

PAIRS = 100
VISIBLE = 5
SEALED = 50
ROUNDS = 40
PERMUTATIONS = 20_000
#: The test is failed by chance once in a thousand runs.
LEAST_P = 0.001

_SEED = 20_260_605  # which of each pair, and in which order: the same every time


def rows(settings: BenchSettings) -> Iterator[Row]:
    """Yield the p-value, and the times of both sides."""
    chance = random.Random(_SEED)
    home = settings.scratch("sealed") / "hub"
    make_home(home, 2 * PAIRS)
    with closing(open_services(load_settings(home=home, profile="demonstration"))) as services:
        settings.say(f"recording {PAIRS * (2 * VISIBLE + SEALED):,} uses")
        pairs = _recorded(services, chance)
        settings.say(f"asking {2 * PAIRS * ROUNDS:,} times")
        sealed, plain = _timed(services.guard, pairs, chance)
    differences = [median(one) - median(other) for one, other in zip(sealed, plain, strict=True)]
    size = f"{PAIRS} pairs of persons, {VISIBLE} visible uses each, {SEALED} sealed ones of one"
    peer, least = allowance(LEAST_P)
    p = p_value(differences, PERMUTATIONS, chance)
    yield Row(
        name="sealed-p-value",
        measures="p-value of a difference in time / least allowed",
        size=size,
        runs=ROUNDS,
        ours=p,
        peer=peer,
        theirs=least,
        unit="p",
        ratio=p / least,
        mark=Mark(">=", LEAST_P, "ours"),
    )
    ours, theirs = (1000 * fmean(median(times) for times in side) for side in (sealed, plain))
    yield Row(
        name="sealed-time",
        measures="time of an answer with sealed uses / without",
        size=size,
        runs=ROUNDS,
        ours=ours,
        peer=Peer("the other of the pair"),
        theirs=theirs,
        unit="ms",
        ratio=ours / theirs,
        mark=None,
    )


def p_value(differences: Sequence[float], permutations: int, chance: random.Random) -> float:
    """Return how likely a mean at least as far from 0 is, were every sign a matter of chance."""
    found = abs(sum(differences))
    as_far = sum(
        abs(sum(d if chance.getrandbits(1) else -d for d in differences)) >= found
        for _ in range(permutations)
    )
    return (as_far + 1) / (permutations + 1)


def _recorded(services: Services, chance: random.Random) -> list[tuple[Actor, Actor]]:
    """Record everybody's uses; return the citizens of each pair, the one with sealed uses first."""
    actors, guard = load_demo_actors(), services.guard
    pairs, entries = [], []
    for number in range(PAIRS):
        who = [invented.person(2 * number), invented.person(2 * number + 1)]
        chance.shuffle(who)
        citizens = []
        for person, count in zip(who, (SEALED, 0), strict=True):
            entry = _use(guard, actors["officer.police"], person.number)
            entries += [entry] * VISIBLE
            body = {**entry.body, "seal": 1}
            entries += [Entry(entry.label, body, sealed=True)] * count
            citizens.append(replace(actors["citizen"], binding=guard.binding(person.number)))
        pairs.append((citizens[0], citizens[1]))
    chance.shuffle(entries)  # nobody's stand together
    for first in range(0, len(entries), 100):
        services.ledger.append(entries[first : first + 100])
    return pairs


def _use(guard: Guard, officer: Actor, number: str) -> Entry:
    """Return the entry of a look-up of somebody, unsealed."""
    query = LookupQuery("resident_id", number, "residence.verify", case="bench")
    (record,) = guard.prepare_lookup(replace(officer, agency="population"), query).records
    return record.entry()


def _timed(
    guard: Guard, pairs: Sequence[tuple[Actor, Actor]], chance: random.Random
) -> tuple[list[list[float]], list[list[float]]]:
    """Return the seconds of every answer, by pair: those with sealed uses, those without."""
    found: tuple[list[list[float]], list[list[float]]] = ([[] for _ in pairs], [[] for _ in pairs])
    turns = [(number, side) for number in range(len(pairs)) for side in (0, 1)]
    for round_ in range(ROUNDS + 1):
        chance.shuffle(turns)
        for number, side in turns:
            start = time.perf_counter()
            uses = guard.own_uses(pairs[number][side])
            taken = time.perf_counter() - start
            if len(uses) != VISIBLE:
                raise RuntimeError(f"{len(uses)} uses are shown in place of {VISIBLE}")
            if round_:  # the first round fills caches
                found[side][number].append(taken)
    return found
