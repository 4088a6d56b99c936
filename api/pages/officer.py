"""The officer's page: one form, one answer, over the same functions as /v1/officer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.responses import Response

from api import disclosures
from api.dependencies import CurrentServices, PageActor
from api.outcome import Outcome, outcome_of
from api.pages.rendering import page
from api.services import Services
from api.tokens import Session
from api.wire.officer import LookupBody, SearchBody
from hub.errors import LedgerError, RequestError

router = APIRouter(include_in_schema=False)

_EMPTY = {"by": "resident_id", "value": "", "birth_date": "", "case": "", "purpose": ""}
_SEARCHES = ("name_birth", "phone", "address")

Text = Annotated[str, Form(max_length=400)]


@router.get("/officer")
async def form(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show the empty form."""
    return _page(request, services, session, _EMPTY, None)


@router.post("/officer")
async def ask(
    request: Request,
    session: PageActor,
    services: CurrentServices,
    by: Text,
    value: Text,
    purpose: Text = "",
    birth_date: Text = "",
    case: Text = "",
) -> Response:
    """Answer the form on the page itself, so that nothing personal is ever in an address."""
    filled = {
        "by": by,
        "value": value.strip(),
        "birth_date": birth_date.strip(),
        "case": case.strip(),
        "purpose": purpose,
    }
    outcome = await _answer(services, session, filled)
    return _page(request, services, session, filled, outcome)


async def _answer(services: Services, session: Session, filled: Mapping[str, str]) -> Outcome:
    wanted = {key: text for key, text in filled.items() if text}
    try:
        if filled["by"] in _SEARCHES:
            return await disclosures.search(services, session, SearchBody(**wanted))  # type: ignore[arg-type]
        wanted.pop("birth_date", None)
        return await disclosures.look_up(services, session, LookupBody(**wanted))  # type: ignore[arg-type]
    except (ValidationError, RequestError, LedgerError) as exc:
        return outcome_of(exc)


def _page(
    request: Request,
    services: Services,
    session: Session,
    filled: Mapping[str, str],
    outcome: Outcome | None,
) -> Response:
    answered = outcome is not None and not outcome.is_problem
    context: dict[str, Any] = {
        "form": filled,
        "purposes": disclosures.purposes_of(services, session).body["purposes"],
        "people": services.provider.people if services.provider else (),
        "answer": outcome.body if outcome and answered else None,
        "problem": outcome.body if outcome and not answered else None,
        "listed": answered and filled["by"] in _SEARCHES,
    }
    outcome = outcome or Outcome(200)
    return page(request, "officer.html", context, outcome.status, outcome.headers)
