"""All that a policy opens to somebody: every column, in every circumstance that makes a difference.

Asked of the decider as the guard asks it, so that it says what will happen and not what the rules
look like. What is hidden has no cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from access.decision import Decider
from access.masking import FULL
from access.model import CLEAR, HIDDEN, Action, Actor, Request, Trait
from access.plan import Plan
from access.posts import request_of
from access.purposes import Purpose

ANYBODY = "anybody"
#: Who a record may be about: somebody without traits, or with one.
PERSONS = (ANYBODY, *(trait.value for trait in Trait))
AREAS = ("own", "elsewhere")
CASES = ("given", "none")
ASKED = ("alone", "together")
#: Treatments of one kind, from those that show less to those that show more.
_CHAINS = (
    ("id_1_1", "id_6_4"),
    ("phone_2", "phone_3_4"),
    ("generalised_age_band", "generalised_year", "generalised_month"),
)


class Circumstance(NamedTuple):
    """What else decides: where, with a case or without, about whom, and asked with what.

    Args:
        area: whether the record lies in the actor's own area; an actor without one has none there.
        asked: whether the dataset is asked for alone, or with all that the purpose covers.
    """

    area: str
    case: str
    person: str
    asked: str


class Cell(NamedTuple):
    """One column, for one purpose and action, in one circumstance."""

    purpose: str
    action: str
    dataset: str
    column: str
    circumstance: Circumstance


class Term(NamedTuple):
    """One kind of request that is allowed, with what it obliges to."""

    purpose: str
    action: str
    dataset: str
    case: str


@dataclass(frozen=True, slots=True)
class Opened:
    """All that is open to somebody.

    Args:
        cells: cell -> treatment; what is hidden is left out.
        terms: allowed request for one dataset -> its obligations.
    """

    cells: Mapping[Cell, str]
    terms: Mapping[Term, frozenset[str]]


def opened(decider: Decider, actor: Actor, at: datetime) -> Opened:
    """Return all that is open to an actor."""
    cells: dict[Cell, str] = {}
    terms: dict[Term, frozenset[str]] = {}
    for purpose in decider.policy.purposes.values():
        for action in purpose.actions:
            for case in CASES:
                for asked, request in _requests(decider, actor, purpose, action, case, at):
                    plan = decider.plan(request)
                    if not plan.decision.allowed:
                        continue
                    cells.update(_cells(plan, actor, case, asked))
                    if asked == "alone":
                        (name,) = plan.decision.datasets
                        term = Term(purpose.code, action.value, name, case)
                        terms[term] = frozenset(plan.decision.obligations)
    return Opened(cells, terms)


def shows_no_more(one: str, other: str) -> bool:
    """Say whether a treatment shows no more of a value than another.

    >>> shows_no_more("full", "id_6_4"), shows_no_more("clear", "id_6_4")
    (True, False)
    >>> shows_no_more("id_1_1", "id_6_4"), shows_no_more("id_6_4", "phone_2")
    (True, False)
    """
    if one in (other, HIDDEN) or other == CLEAR:
        return True
    if one == FULL:
        return other != HIDDEN
    return any(
        one in chain and other in chain and chain.index(one) <= chain.index(other)
        for chain in _CHAINS
    )


Asked = Literal["alone", "together"]


def _requests(
    decider: Decider, actor: Actor, purpose: Purpose, action: Action, case: str, at: datetime
) -> Iterator[tuple[Asked, Request]]:
    def request(datasets: tuple[str, ...] | None) -> Request:
        return request_of(actor, action, datasets, purpose.code, case=case == "given", at=at)

    covered = [name for name in decider.catalog if purpose.covers(name)]
    for name in covered:
        yield "alone", request((name,))
    if action is not Action.AGGREGATE:  # a count is of one dataset
        yield "together", request(None)


def _cells(plan: Plan, actor: Actor, case: str, asked: Asked) -> Iterator[tuple[Cell, str]]:
    decision = plan.decision
    about_nobody = decision.action is Action.AGGREGATE
    for area in AREAS if actor.area else AREAS[1:]:
        for person in PERSONS[:1] if about_nobody else PERSONS:
            traits = frozenset() if person == ANYBODY else frozenset({Trait(person)})
            view = plan.view(in_area=area == "own", traits=traits)
            for key, (dataset, treatment, _) in view.cells.items() if view is not None else ():
                circumstance = Circumstance(area, case, person, asked)
                column = key.removeprefix(f"{dataset}.")
                cell = Cell(decision.purpose, decision.action, dataset, column, circumstance)
                yield cell, treatment
