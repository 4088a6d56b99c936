"""Duties that must be separate are separate by person, not by account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.lint import Account, Sources, account_of, lint_accounts, read_sources
from access.model import Action, Actor

SYSTEM = Account("sys", "operations", ("system_admin",), "one")
SECURITY = Account("sec", "operations", ("security_admin",), "two")


@pytest.fixture
def sources() -> Sources:
    """The shipped policy, with duties and a rule by which masks can be lifted."""
    read = read_sources()
    rules = tuple(
        replace(rule, actions=(*rule.actions, Action.UNMASK))
        if rule.id == "police-investigation"
        else rule
        for rule in read.rule_file.rules
    )
    duties = {
        "propose_policy": frozenset({"system_admin", "security_admin"}),
        "approve_policy": frozenset({"security_admin"}),
        "review_emergency": frozenset({"oversight"}),
    }
    return replace(
        read,
        rule_file=replace(read.rule_file, rules=rules),
        roles=replace(read.roles, duties=duties),
    )


def codes(sources: Sources, *accounts: Account) -> list[str]:
    """Return the codes found, in order."""
    return [f.code for f in lint_accounts(sources, accounts)]


def test_one_account_with_roles_that_exclude_each_other(sources: Sources) -> None:
    """三员分立, also through what a role inherits."""
    for roles, agency in (
        (("system_admin", "audit_admin"), "operations"),
        (("system_admin", "grid_officer"), "bureau"),
        (("oversight", "data_steward"), "bureau"),
    ):
        assert codes(sources, Account("x", agency, roles, "x")) == ["separate-duties"]


def test_two_accounts_of_one_person_are_one_person(sources: Sources) -> None:
    """Each alone is in order; two persons may hold them."""
    audit = Account("aud", "operations", ("audit_admin",), "one")
    second = replace(SECURITY, id="sec2", person="three")
    assert codes(sources, SYSTEM, audit, SECURITY, second)[:1] == ["separate-duties"]
    apart = replace(audit, person="four")
    assert codes(sources, SYSTEM, apart, SECURITY, second) == []


def test_actors_bound_to_one_number_are_one_person(sources: Sources) -> None:
    """As tokens bind them; the number is in no finding."""
    first = Actor("a", "", "operations", "", ("system_admin",), binding=b"0123456789abcdef")
    second = replace(first, id="b", roles=("audit_admin",))
    found = lint_accounts(sources, map(account_of, (first, second)))
    assert [f.code for f in found] == ["separate-duties"]
    assert first.binding is not None
    assert first.binding.hex() not in found[0].message
    third = replace(second, binding=b"another.person..")
    assert lint_accounts(sources, map(account_of, (first, third))) == ()


def test_nobody_decides_under_a_second_account_what_they_began(sources: Sources) -> None:
    """Neither a change of policy nor their own emergency."""
    both = [replace(SECURITY, id=name, person="one") for name in ("s1", "s2")]
    other = replace(SECURITY, id="s3", person="nine")
    assert codes(sources, *both, other) == ["own-decision", "own-decision"]
    police = Account("pol", "police", ("grid_officer",), "p")
    watch = Account("ov", "oversight", ("oversight",), "p")
    assert "own-decision" in codes(sources, police, watch)
    assert "own-decision" not in codes(sources, police, replace(watch, person="q"))


def test_one_person_alone_can_decide_nothing(sources: Sources) -> None:
    """A second person with either duty is missing; no error, since nothing wrong can happen."""
    (found,) = lint_accounts(sources, (SECURITY,))
    assert (found.code, found.severity) == ("lone-decider", "warning")
    assert codes(sources, SYSTEM, SECURITY) == []
    assert codes(sources, SECURITY, replace(SECURITY, id="x", person="x")) == []


def test_words_that_do_not_exist(sources: Sources) -> None:
    """Roles and agencies of the registers."""
    assert codes(sources, Account("x", "nowhere", ("root",), "x")) == [
        "unknown-agency",
        "unknown-role",
    ]
