"""Tokens: only what this hub signed, for itself, and only while it lasts."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.model import Actor
from api.tokens import AUDIENCE, HubTokenVerifier, TokenIssuer
from hub.clock import FixedClock
from hub.errors import Unauthenticated
from hub.keyring import Keyring

NOW = datetime(2026, 6, 5, 1, 2, 3, tzinfo=UTC)
CLOCK = FixedClock(NOW)
HOUR = timedelta(hours=1)
ISSUER = "hub.test"
ACTOR = Actor("officer.east", "东方晓", "population", "网格员", ("grid_officer",), ("990106001",))
CITIZEN = Actor("citizen", "市民", "public", "", ("citizen",), binding=b"\x01" * 32)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keyring.json")


def issued(keyring: Keyring, actor: Actor = ACTOR, issuer: str = ISSUER) -> str:
    return TokenIssuer(keyring, CLOCK, issuer, HOUR).issue(actor)[0]


def later(keyring: Keyring, after: timedelta) -> HubTokenVerifier:
    return HubTokenVerifier(keyring, FixedClock(NOW + after), ISSUER)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("actor", [ACTOR, CITIZEN])
def test_a_token_stands_for_its_actor(keyring: Keyring, actor: Actor) -> None:
    token, session = TokenIssuer(keyring, CLOCK, ISSUER, HOUR).issue(actor)
    found = HubTokenVerifier(keyring, CLOCK, ISSUER).verify(token)
    assert found == session
    assert found.actor == actor
    assert found.expires == NOW + HOUR


def test_a_token_ends_even_when_it_is_remembered(keyring: Keyring) -> None:
    class Moving:
        instant = NOW

        def now(self) -> datetime:
            return self.instant

    clock = Moving()
    verifier = HubTokenVerifier(keyring, clock, ISSUER)
    token = issued(keyring)
    assert verifier.verify(token).actor == ACTOR
    clock.instant = NOW + HOUR
    with pytest.raises(Unauthenticated, match="ended"):
        verifier.verify(token)


def test_tokens_of_a_former_key_hold_until_they_end(keyring: Keyring) -> None:
    token = issued(keyring)
    keyring.rotate("token")
    assert later(keyring, timedelta(minutes=1)).verify(token).actor == ACTOR
    assert later(keyring, timedelta(minutes=1)).verify(issued(keyring)).actor == ACTOR


def test_another_issuer_is_refused(keyring: Keyring) -> None:
    token = issued(keyring, issuer="hub.test#demonstration")
    with pytest.raises(Unauthenticated):
        later(keyring, timedelta(0)).verify(token)


def test_another_hub_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    other = Keyring.create(tmp_path / "other.json")
    with pytest.raises(Unauthenticated):
        later(keyring, timedelta(0)).verify(issued(other))


def test_a_token_from_the_future_is_refused(keyring: Keyring) -> None:
    with pytest.raises(Unauthenticated, match="future"):
        later(keyring, -timedelta(minutes=5)).verify(issued(keyring))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_part_is_refused(keyring: Keyring, place: int) -> None:
    parts = issued(keyring).split(".")
    middle = len(parts[place]) // 2
    swap = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + swap + parts[place][middle + 1 :]
    with pytest.raises(Unauthenticated):
        later(keyring, timedelta(0)).verify(".".join(parts))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "eddsa"])
def test_another_algorithm_is_refused(keyring: Keyring, algorithm: str) -> None:
    _, body, signature = issued(keyring).split(".")
    header = part({"alg": algorithm, "kid": "1"})
    for token in (f"{header}.{body}.{signature}", f"{header}.{body}."):
        with pytest.raises(Unauthenticated):
            later(keyring, timedelta(0)).verify(token)


@pytest.mark.parametrize("missing", ["sub", "jti", "exp", "iat", "roles", "clearance", "aud"])
def test_a_token_that_lacks_a_claim_is_refused(keyring: Keyring, missing: str) -> None:
    claims = {
        **ACTOR.claims(),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "jti": "x",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + HOUR).timestamp()),
    }
    del claims[missing]
    signer = keyring.signer("token", ISSUER)
    signed = f"{part({'alg': 'EdDSA', 'kid': '1'})}.{part(claims)}"
    signature = base64.urlsafe_b64encode(signer.sign(signed.encode())).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        later(keyring, timedelta(0)).verify(f"{signed}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 10_000, "\udce4.\u5f20.z"])
def test_anything_else_is_refused(keyring: Keyring, text: str) -> None:
    with pytest.raises(Unauthenticated):
        later(keyring, timedelta(0)).verify(text)
