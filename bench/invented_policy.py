"""Policies of any size over invented roles, purposes and datasets, and requests to them.

Nothing is read from policies/: only its model, which is the one that Casbin always runs with. One
seed, one policy.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from access.lint import read_sources
from access.model import Action, Actor, Request, Trait
from access.policy import Policy, Question
from access.purposes import Purpose, PurposeRegister
from access.roles import Role, RoleRegister
from access.rules import Rule, RuleFile
from contracts.loader import load_catalog, load_contracts
from hub.catalog import Catalog, Classification

ROLES = 40
AGENCIES = tuple(f"agency{number}" for number in range(4))
ACTIONS = (Action.LOOKUP, Action.SEARCH)
FAMILIES = 20
AREA = ("990106",)
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
_DENIALS = 50  # every so many rules one denies


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a policy is, and how close its rules lie.

    Args:
        datasets, purposes: how many there are for the rules to be about; the fewer, the more
            rules can matter to one request.
    """

    rules: int
    datasets: int = 500
    purposes: int = 10

    def __str__(self) -> str:
        return (
            f"{self.rules:,} rules about {self.datasets} datasets, {ROLES} roles in "
            f"{len(AGENCIES)} agencies and {self.purposes} purposes"
        )


@dataclass(frozen=True, slots=True)
class Invented:
    """A policy and requests to it, no two alike.

    Args:
        questions: for each request, the first that Casbin is asked about it.
    """

    policy: Policy
    catalog: Catalog
    requests: tuple[Request, ...]
    questions: tuple[Question, ...]


def invented(shape: Shape, requests: int) -> Invented:
    """Return the policy of a shape and so many requests."""
    rng = random.Random(f"{shape}")
    catalog = _catalog(shape)
    roles = _roles()
    purposes = _purposes(shape, roles)
    rules = tuple(_rule(rng, number, tuple(catalog), shape) for number in range(shape.rules))
    shipped = read_sources()
    sources = replace(shipped, roles=roles, purposes=purposes, rule_file=RuleFile(rules))
    policy = Policy(sources, shipped.model_text, rules, "invented")
    asked: dict[tuple[str, ...], Request] = {}
    while len(asked) < requests:
        request = _request(rng, tuple(catalog), shape)
        key = (*request.actor.roles, request.actor.agency, request.action, request.purpose)
        asked[(*key, *(request.datasets or ()))] = request
    found = tuple(asked.values())
    return Invented(policy, catalog, found, tuple(_question(catalog, r) for r in found))


def _catalog(shape: Shape) -> Catalog:
    known = tuple(load_catalog(load_contracts()).values())
    return Catalog(
        replace(known[number % len(known)], name=f"family{number % FAMILIES}.dataset{number}")
        for number in range(shape.datasets)
    )


def _roles() -> RoleRegister:
    """Every other role inherits the one before, the rest the role of all."""
    roles = {"staff": Role("staff", "工作人员", "Anybody.", AGENCIES)}
    for number in range(ROLES):
        parent = f"role{number - 1}" if number % 2 else "staff"
        code = f"role{number}"
        roles[code] = Role(code, f"角色{number}", "Invented.", AGENCIES, (parent,))
    return RoleRegister(roles, {agency: agency for agency in AGENCIES})


def _purposes(shape: Shape, roles: RoleRegister) -> PurposeRegister:
    return PurposeRegister(
        tuple(
            Purpose(
                code=f"invented.purpose{number}",
                title=f"目的{number}",
                plain="Invented.",
                legal_basis="invented 1",
                basis_verified=False,
                roles=tuple(roles.roles),
                actions=ACTIONS,
                case="optional",
                retention_days=0,
                needs={"*": {"*": "clear"}},
            )
            for number in range(shape.purposes)
        )
    )


def _rule(rng: random.Random, number: int, datasets: tuple[str, ...], shape: Shape) -> Rule:
    denies = number % _DENIALS == 0
    dataset = rng.choice(datasets)
    family = f"{dataset.partition('.')[0]}.*"
    return Rule(
        id=f"rule-{number}",
        line=number + 1,
        effect="deny" if denies else "allow",
        roles=(f"role{rng.randrange(ROLES)}",),
        agencies=(rng.choice((*AGENCIES, "*")),),
        actions=(rng.choice(ACTIONS).value,),
        datasets=(dataset if rng.random() < 0.95 else family,),
        purposes=("*" if denies else f"invented.purpose{rng.randrange(shape.purposes)}",),
        area="any" if denies else rng.choice(("any", "own")),
        case="optional" if denies else rng.choice(("required", "optional")),
        show="masked" if denies else rng.choice(("clear", "masked")),
        level=Classification(rng.randint(1, 4)),
        subject=rng.choice((None, *Trait)) if denies else None,
    )


def _request(rng: random.Random, datasets: tuple[str, ...], shape: Shape) -> Request:
    actor = Actor(
        id="invented",
        name="",
        agency=rng.choice(AGENCIES),
        post="",
        roles=(f"role{rng.randrange(ROLES)}",),
        area=AREA,
        clearance=Classification.L4,
    )
    purpose = f"invented.purpose{rng.randrange(shape.purposes)}"
    return Request(actor, rng.choice(ACTIONS), (rng.choice(datasets),), purpose, "case 1", at=NOW)


def _question(catalog: Catalog, request: Request) -> Question:
    dataset = catalog[(request.datasets or ())[0]]
    return Question(
        roles=request.actor.roles,
        agency=request.actor.agency,
        owner=dataset.owner,
        action=request.action.value,
        dataset=dataset.name,
        sharing=dataset.sharing.value,
        purpose=request.purpose,
        area="own",
        case="given",
        show="masked",
        level=1,
    )
