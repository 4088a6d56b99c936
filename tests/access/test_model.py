"""Actors as token claims, the demonstration's actors, and the registers they refer to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from access.demo import load_demo_actors
from access.lint import account_of, lint_accounts, read_sources
from access.model import Actor
from access.policy import Policy
from access.purposes import load_purposes
from access.roles import load_roles
from hub.catalog import Classification
from hub.errors import PolicyError, Unauthenticated

ACTOR = Actor(
    "officer.east", "东方晓", "population", "网格员", ("grid_officer",), ("990106001",),
    Classification.L4, binding=b"\x01" * 32,
)  # fmt: skip


def test_an_actor_survives_a_token() -> None:
    """Through JSON and back, with and without a binding."""
    assert Actor.from_claims(json.loads(json.dumps(ACTOR.claims()))) == ACTOR
    plain = Actor("a", "n", "bureau", "p", ("analyst",))
    assert "binding" not in plain.claims()
    assert Actor.from_claims(plain.claims()) == plain


def test_a_binding_is_not_written_into_logs() -> None:
    """It stands for an identity number."""
    assert "x01" not in repr(ACTOR)


@pytest.mark.parametrize(
    "change",
    [
        {"roles": None},
        {"roles": [1]},
        {"clearance": 9},
        {"clearance": None},
        {"sub": None},
        {"agency": 7},
        {"area": [990106001]},
        {"binding": "zz"},
        {"binding": 5},
    ],
)
def test_claims_of_another_kind_name_nobody(change: dict[str, Any]) -> None:
    """A token is believed whole or not at all."""
    with pytest.raises(Unauthenticated):
        Actor.from_claims(ACTOR.claims() | change)


@pytest.mark.parametrize(
    "missing", ["sub", "name", "agency", "post", "roles", "clearance", "active"]
)
def test_a_missing_claim_names_nobody(missing: str) -> None:
    """Nothing is filled in."""
    claims = ACTOR.claims()
    del claims[missing]
    with pytest.raises(Unauthenticated):
        Actor.from_claims(claims)


def test_only_the_word_true_makes_an_account_active() -> None:
    """A text is not a yes."""
    assert not Actor.from_claims(ACTOR.claims() | {"active": "true"}).active


def test_the_demonstration_actors_are_in_order(policy: Policy) -> None:
    """Invented, known roles and agencies, no separate duties together."""
    actors = load_demo_actors()
    assert lint_accounts(read_sources(), map(account_of, actors.values())) == ()
    assert {"officer.east", "officer.west", "window", "analyst", "steward", "partner.housing",
            "oversight", "citizen"} <= set(actors)  # fmt: skip
    assert all("invented" in actor.name for actor in actors.values())
    assert all(actor.binding is None for actor in actors.values())
    for actor in actors.values():
        assert all(actor.agency in policy.roles.roles[role].agencies for role in actor.roles)


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "- a",
        "a: {name: n}",
        "a: {name: n, agency: b, post: p, roles: r, area: [], clearance: L1}",
        "a: {name: n, agency: b, post: p, roles: [r], area: [], clearance: L9}",
        "a: 1\na: 2",
    ],
)
def test_a_malformed_actor_file_is_refused(text: str, tmp_path: Path) -> None:
    """With the file's name."""
    (tmp_path / "demo_actors.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="demo_actors"):
        load_demo_actors(tmp_path)


def test_registers_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, not UTF-8, not YAML, of another form."""
    with pytest.raises(PolicyError):
        load_roles(tmp_path / "nowhere")
    for data in (b"\xff\xfe", b"roles: 1", b"roles: {a: {}}", b"[]"):
        (tmp_path / "roles.yaml").write_bytes(data)
        with pytest.raises(PolicyError, match="roles"):
            load_roles(tmp_path)
    (tmp_path / "purposes.yaml").write_text("a: {}", encoding="utf-8")
    with pytest.raises(PolicyError, match="purpose"):
        load_purposes(tmp_path)


def test_every_purpose_says_what_it_rests_on() -> None:
    """No basis, no purpose; what is not verified says so."""
    for purpose in load_purposes().values():
        assert purpose.legal_basis
        assert purpose.title
        assert purpose.plain
        assert purpose.roles
        assert purpose.actions


def test_inheritance_in_circles_ends(policy: Policy) -> None:
    """A role holds itself and what it inherits, an unknown one nothing."""
    assert policy.roles.held("grid_officer") == {"grid_officer", "staff"}
    assert policy.roles.held("nobody") == frozenset()
    assert policy.roles.conflicts(()) == ()
