"""Bodies of the embedded identity provider (demonstration only)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.wire.base import Wire, example

_ACTOR = {
    "id": "officer.east",
    "name": "（虚构）东街网格员",
    "agency": "east_street",
    "agency_title": "东街街道",
    "post": "网格员",
    "roles": ["grid_officer"],
    "role_titles": ["网格员"],
    "area": ["990106001"],
    "clearance": "L3",
}


class TokenBody(Wire):
    """Become an invented actor."""

    model_config = example(
        {"actor": "officer.east"}, {"actor": "citizen", "id_number": "99010619900307123X"}
    )

    actor: str = Field(min_length=1, max_length=60)
    id_number: str | None = Field(
        None,
        max_length=18,
        description="For the citizen: an invented number; only a keyed form of it is kept.",
    )


class DemoActor(Wire):
    """An invented actor."""

    id: str
    name: str
    agency: str
    agency_title: str
    post: str
    roles: list[str]
    role_titles: list[str]
    area: list[str]
    clearance: str


class DemoPerson(Wire):
    """An invented resident worth looking at."""

    id_number: str
    name: str
    birth_date: str
    grid_code: str
    note: str


class Token(Wire):
    """A signed token of an invented actor."""

    model_config = example(
        {
            "access_token": "eyJhbGciOiJFZERTQSIs…",
            "token_type": "Bearer",
            "expires_in": 28800,
            "expires": "2026-06-05T09:02:03Z",
            "actor": _ACTOR,
            "demonstration": True,
            "notice": "演示环境：人物和数据均为虚构，任何人都可以登录。",
        }
    )

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    expires: datetime
    actor: DemoActor
    demonstration: Literal[True]
    notice: str


class DemoActors(Wire):
    """The invented actors and some invented residents."""

    model_config = example(
        {
            "demonstration": True,
            "notice": "演示环境：人物和数据均为虚构，任何人都可以登录。",
            "actors": [_ACTOR],
            "people": [],
        }
    )

    demonstration: Literal[True]
    notice: str
    actors: list[DemoActor]
    people: list[DemoPerson]
