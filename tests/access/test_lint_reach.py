"""Unreachable and shadowed rules: what is called so can be taken away, and nothing changes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from access.gathering import Gathered, Gathering
from access.lint import Sources, read_sources
from access.lint.reach import rules_that_matter
from access.model import Action, Actor, Request
from access.policy import Policy
from access.rules import Rule, RuleFile
from hub.catalog import Catalog, Classification
from tests.access.conftest import NOW
from tests.access.test_policy import policy_of, random_rule

BASE = Rule(
    id="base", line=1, effect="allow", roles=("grid_officer",), agencies=("*",),
    actions=("lookup", "search"), datasets=("population.resident", "housing.dwelling"),
    purposes=("residence.verify",), area="any", case="optional", show="clear",
    level=Classification.L3,
)  # fmt: skip


def sources_of(*rules: Rule) -> Sources:
    """Return the shipped registers with these rules, in this order."""
    numbered = tuple(replace(rule, line=line) for line, rule in enumerate(rules, start=2))
    return replace(read_sources(), rule_file=RuleFile(numbered))


def found(catalog: Catalog, *rules: Rule) -> dict[str, str]:
    """Return rule -> code of what is found."""
    findings = rules_that_matter(sources_of(*rules), catalog)
    return {f.message.partition(":")[0]: f.code for f in findings}


def test_a_rule_that_others_say_together_is_shadowed(catalog: Catalog) -> None:
    """None of them says it alone."""
    by_action = [replace(BASE, id=f"only-{a}", actions=(a,)) for a in BASE.actions]
    assert found(catalog, *by_action, BASE) == {"base": "shadowed"}
    by_agency = [replace(BASE, id=f"at-{a}", agencies=(a,)) for a in ("@owner", "@others")]
    assert found(catalog, *by_agency, BASE) == {"base": "shadowed"}
    assert found(catalog, by_action[0], BASE) == {"only-lookup": "shadowed"}


def test_a_rule_is_shadowed_by_all_agencies_its_role_is_in(catalog: Catalog) -> None:
    """A grid officer is in three; the others need not be named."""
    agencies = [
        replace(BASE, id=f"in-{a.replace('_', '-')}", agencies=(a,))
        for a in ("civil_affairs", "police", "population")
    ]
    assert found(catalog, *agencies, BASE) == {"base": "shadowed"}
    assert "base" not in found(catalog, *agencies[:2], BASE)


@pytest.mark.parametrize(
    "more",
    [
        {"level": Classification.L4},
        {"lifts": frozenset({"minors"})},
        {"obligations": ("min_cell=10",)},
        {"obligations": ("list_cap=5",)},
        {"obligations": ("one_person_per_request",)},
        {"datasets": (*BASE.datasets, "housing.tenancy")},
    ],
)
def test_a_rule_that_adds_anything_is_not_shadowed(
    more: dict[str, object], catalog: Catalog
) -> None:
    """Neither what it opens nor what it obliges to may get lost."""
    wide = replace(BASE, id="wide", obligations=("list_cap=20",))
    assert "base" not in found(catalog, wide, replace(BASE, **more))  # type: ignore[arg-type]


def test_a_rule_denied_by_several_together_is_unreachable(catalog: Catalog) -> None:
    """One denies looking up, the other searching."""
    denial = replace(BASE, effect="deny", roles=("*",), datasets=("*",), purposes=("*",),
                     show="masked", level=Classification.L1)  # fmt: skip
    both = [replace(denial, id=f"no-{a}", actions=(a,)) for a in BASE.actions]
    assert found(catalog, BASE, *both) == {"base": "unreachable"}
    assert found(catalog, BASE, both[0]) == {}


def test_a_rule_that_nothing_meets_is_unreachable(catalog: Catalog) -> None:
    """There is no grid officer at the housing department, and no need for marriages."""
    assert found(catalog, replace(BASE, agencies=("housing",))) == {"base": "unreachable"}
    assert found(catalog, replace(BASE, datasets=("civil_affairs.marriage",))) == {
        "base": "unreachable"
    }


@pytest.mark.parametrize("seed", range(12))
def test_nothing_changes_without_the_rules_that_are_found(seed: int, catalog: Catalog) -> None:
    """Every question gets the same ceilings, lifts and obligations from what is left."""
    rng = random.Random(seed)
    rules = tuple(
        replace(
            rule,
            lifts=frozenset(rng.sample(("minors", "police_parties"), rng.randint(0, 1)))
            if rule.allows
            else frozenset(),
            obligations=tuple(rng.sample(("list_cap=5", "list_cap=9", "min_cell=5"), 1))
            if rule.allows
            else (),
        )
        for n in range(40)
        for rule in (random_rule(rng, n, catalog),)
    )
    names = found(catalog, *rules)
    whole, rest = policy_of(rules), policy_of(tuple(r for r in rules if r.id not in names))
    assert names
    for role in whole.roles.roles.values():
        for agency in role.agencies:
            actor = Actor("a", "", agency, "", (role.code,), ("990106",))
            for purpose in whole.purposes.values():
                for action in purpose.actions:
                    for case in ("given", "none"):
                        for name in catalog:
                            if purpose.covers(name):
                                one = gather(
                                    whole, catalog, actor, action, purpose.code, case, name
                                )
                                two = gather(rest, catalog, actor, action, purpose.code, case, name)
                                assert meaning(whole, one) == meaning(rest, two)


def gather(
    policy: Policy,
    catalog: Catalog,
    actor: Actor,
    action: Action,
    purpose: str,
    case: str,
    name: str,
) -> Gathered:
    """Return what a policy says about one dataset."""
    request = Request(actor, action, (name,), purpose, at=NOW)
    return Gathering(policy, actor, catalog[name], request, case).result()


def meaning(policy: Policy, gathered: Gathered) -> tuple[object, ...]:
    """Return what of it decides: not which rules said so."""
    words = {
        word for name in gathered.rules for word in policy.by_id[name].obligations
        if policy.by_id[name].allows and gathered.own.open
    }  # fmt: skip
    caps = min((int(w[9:]) for w in words if w.startswith("list_cap=")), default=None)
    cells = max((int(w[9:]) for w in words if w.startswith("min_cell=")), default=None)
    return gathered.own, gathered.elsewhere, dict(gathered.traits), caps, cells
