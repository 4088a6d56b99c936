"""The embedded identity provider's people: invented, for the demonstration profile only.

Anyone may become any of them; that is the point of a demonstration and the reason why nothing of
this exists in production. A citizen is only ever bound to an identity number whose area code
(99....) cannot be on a living person's card.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from access.demo import load_demo_actors
from access.files import POLICY_FOLDER
from access.model import Actor
from api.tokens import Session, TokenIssuer
from hub.config import Settings
from hub.errors import NotFound, RequestError, SourceError

NOTICE = (
    "演示环境：人物和数据均为虚构，任何人都可以登录。 / "
    "Demonstration: people and data are invented and anyone may sign in."
)

_INVENTED_AREA = "99"


@dataclass(frozen=True, slots=True)
class Person:
    """An invented resident worth looking at."""

    id_number: str
    name: str
    birth_date: str
    grid_code: str
    note: str


class DemonstrationProvider:
    """Issues tokens to invented actors who only have to be named."""

    def __init__(
        self,
        actors: Mapping[str, Actor],
        people: tuple[Person, ...],
        tokens: TokenIssuer,
        bind: Callable[[str], bytes],
    ) -> None:
        self.actors = actors
        self.people = people
        self._tokens = tokens
        self._bind = bind

    @classmethod
    def load(
        cls, settings: Settings, tokens: TokenIssuer, bind: Callable[[str], bytes]
    ) -> DemonstrationProvider:
        """Return the provider with the built-in actors and the people the demo has noted."""
        people = _read_people(settings.home / "demo" / "people.json")
        return cls(load_demo_actors(settings.policy_folder or POLICY_FOLDER), people, tokens, bind)

    def sign_in(self, name: str, id_number: str | None = None) -> tuple[str, Session]:
        """Return a token and its session.

        Args:
            name: one of `actors`.
            id_number: the invented identity number to be bound to; a citizen needs one, of staff
                it tells which records are their own.

        Raises:
            NotFound: no such actor.
            RequestError: a citizen without number, or with one that may be a real person's.
        """
        actor = self.actors.get(name)
        if actor is None:
            raise NotFound("no such invented actor: see /demo/actors")
        if "citizen" in actor.roles or id_number:
            actor = dataclasses.replace(actor, binding=self._binding(id_number))
        return self._tokens.issue(actor)

    def token(self, name: str, id_number: str | None = None) -> str:
        """Return only the token; see `sign_in`."""
        return self.sign_in(name, id_number)[0]

    def _binding(self, id_number: str | None) -> bytes:
        if not id_number:
            raise RequestError("a citizen signs in with an invented identity number: id_number")
        if not id_number.startswith(_INVENTED_AREA):
            raise RequestError(
                "the demonstration binds invented identity numbers only (area code 99....)"
            )
        return self._bind(id_number)


def _read_people(path: Path) -> tuple[Person, ...]:
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_bytes())
        return tuple(Person(**{key: str(entry[key]) for key in _KEYS}) for entry in entries)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SourceError(f"{path.name} of the demonstration cannot be read: remove it") from exc


_KEYS = tuple(field.name for field in dataclasses.fields(Person))
