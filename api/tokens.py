"""Tokens: who is asking, proven by a signature.

A `TokenVerifier` turns the text of a bearer token into a session. The hub's own verifier takes
JWTs under its token keys; a verifier of an outside identity provider (OIDC) has the same shape.

Source: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8037 (EdDSA), RFC 9068 (access tokens).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import jwt
import orjson

from access.model import Actor
from hub.clock import Clock
from hub.errors import Unauthenticated
from hub.keyring import Keyring, NoteSigner

AUDIENCE = "mingjing"

_ALGORITHM = "EdDSA"
_REQUIRED = ("iss", "aud", "sub", "jti", "iat", "exp")
_SKEW = timedelta(seconds=30)
_CACHE_SIZE = 4096
_MAX_TOKEN_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Session:
    """An actor who has signed in: until when, and under which token id."""

    actor: Actor
    id: str
    expires: datetime


class TokenVerifier(Protocol):
    """Establishes the actor behind a bearer token."""

    def verify(self, token: str) -> Session:
        """Return the session a token stands for.

        Raises:
            Unauthenticated: when the token is not valid now; never says more than what to do.
        """
        ...


class TokenIssuer:
    """Issues tokens under the hub's current token key."""

    def __init__(
        self,
        keyring: Keyring,
        clock: Clock,
        issuer: str,
        lifetime: timedelta,
        new_id: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._signer = keyring.signer("token", issuer)
        self._clock = clock
        self._lifetime = lifetime
        self._new_id = new_id

    def issue(self, actor: Actor) -> tuple[str, Session]:
        """Return a fresh token of an actor and the session it stands for."""
        now = self._clock.now().replace(microsecond=0)
        session = Session(actor, self._new_id(), now + self._lifetime)
        claims = {
            **actor.claims(),
            "iss": self._signer.name,
            "aud": AUDIENCE,
            "jti": session.id,
            "iat": int(now.timestamp()),
            "exp": int(session.expires.timestamp()),
        }
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": str(self._signer.version)}
        signed = f"{_base64url(orjson.dumps(header))}.{_base64url(orjson.dumps(claims))}"
        return f"{signed}.{_base64url(self._signer.sign(signed.encode()))}", session


class HubTokenVerifier:
    """Verifies tokens of one issuer under any version of the hub's token key.

    A token that was verified once is remembered by its digest until it expires, so that a
    request costs one hash and not one signature check.
    """

    def __init__(self, keyring: Keyring, clock: Clock, issuer: str) -> None:
        self._keys = _public_keys(keyring, issuer)
        self._clock = clock
        self._issuer = issuer
        self._known: OrderedDict[bytes, Session] = OrderedDict()

    def verify(self, token: str) -> Session:
        """Return the session a token stands for.

        Raises:
            Unauthenticated: when it is damaged, of another issuer, or no longer valid.
        """
        raw = token.encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(raw).digest()
        session = self._known.get(digest)
        if session is None:
            session = self._check(token, len(raw))
            self._known[digest] = session
            while len(self._known) > _CACHE_SIZE:
                self._known.popitem(last=False)
        if session.expires <= self._clock.now():
            self._known.pop(digest, None)
            raise Unauthenticated("the session has ended: sign in again")
        return session

    def _check(self, token: str, size_bytes: int) -> Session:
        if size_bytes > _MAX_TOKEN_BYTES:
            raise Unauthenticated("the token is not one of this hub: sign in again")
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key=key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": list(_REQUIRED),
                    "verify_exp": False,  # both are compared with the hub's own clock
                    "verify_iat": False,
                },
            )
            return self._session(claims)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
            raise Unauthenticated("the token is not one of this hub: sign in again") from None

    def _session(self, claims: Mapping[str, Any]) -> Session:
        issued = datetime.fromtimestamp(int(claims["iat"]), UTC)
        if issued > self._clock.now() + _SKEW:
            raise Unauthenticated("the token is from the future: check both clocks")
        expires = datetime.fromtimestamp(int(claims["exp"]), UTC)
        return Session(Actor.from_claims(claims), str(claims["jti"]), expires)


class StandingVerifier:
    """Lets nobody in who is suspended, whatever their token says."""

    def __init__(self, verifier: TokenVerifier, is_suspended: Callable[[str], bool]) -> None:
        self._verifier = verifier
        self._is_suspended = is_suspended

    def verify(self, token: str) -> Session:
        """Return the session a token stands for.

        Raises:
            Unauthenticated: when the token is not valid, or its account is suspended by now.
            PolicyUnavailable, ClockDistrusted: when that cannot be known.
        """
        session = self._verifier.verify(token)
        if self._is_suspended(session.actor.id):
            raise Unauthenticated(
                "账号已停用，请联系安全管理员 / the account is suspended: ask the security administrator"
            )
        return session


def _public_keys(keyring: Keyring, issuer: str) -> dict[str, jwt.PyJWK]:
    signers = (NoteSigner(issuer, key) for key in keyring.versions() if key.purpose == "token")
    return {
        str(signer.version): jwt.PyJWK.from_dict(
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": _ALGORITHM,
                "x": _base64url(signer.public_key),
            }
        )
        for signer in signers
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
