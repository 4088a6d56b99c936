"""What an operation came to, before a door dresses it: JSON and page show the same body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from api.problems import MEDIA_TYPE, problem_of, validation_problem
from hub.errors import HubError


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status and a body; from 400 on the body is a problem details object.

    Args:
        headers: what the answer says beside its body.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_problem(self) -> bool:
        """Say whether the body is a problem details object."""
        return self.status >= 400


def outcome_of(error: HubError | ValidationError) -> Outcome:
    """Return what an operation that raised comes to; of what did not fit nothing is repeated."""
    body = (
        problem_of(error)
        if isinstance(error, HubError)
        else validation_problem(error.errors(include_url=False, include_input=False))
    )
    return Outcome(int(body["status"]), body)


def tried(do: Callable[[], Outcome]) -> Outcome:
    """Return what an operation came to, a problem when it raised or what it was given did not fit."""
    try:
        return do()
    except (HubError, ValidationError) as exc:
        return outcome_of(exc)


def json_response(outcome: Outcome) -> Response:
    """Return an outcome as JSON."""
    media_type = MEDIA_TYPE if outcome.is_problem else "application/json"
    return Response(
        orjson.dumps(outcome.body, option=_OPTIONS), outcome.status, outcome.headers, media_type
    )


_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
