"""The partner's desk: what stewards do about cards, worklists and field samples.

The same acts as `hub cards`, `hub worklist` and `hub quality sample`, over the same functions; who
acts is whoever the token is of.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api import cards, samples, worklist
from api.cards import Deed
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import json_response
from api.services import Services
from api.tokens import Session
from api.uploads import XLSX, at_work, received, workbook_response
from api.wire.base import problems
from api.wire.desk import (
    ActBody,
    CardDetail,
    DecideBody,
    ExportBody,
    Sample,
    SampleBody,
    SampleList,
    WaiveBody,
    WorklistReturned,
)
from hub.store.cards import ActKind

router = APIRouter(prefix="/v1/partner", tags=["partner"])

CardId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", examples=["5e1f00aa11bb22cc"])]

_ACT_PROBLEMS = problems(400, 401, 403, 404, 409, 422, 503)
_RELEASE_PROBLEMS = problems(400, 401, 403, 404, 422, 502, 503)
_RETURN_PROBLEMS = problems(400, 401, 403, 404, 413, 422, 503)
_WORKBOOK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The workbook. It holds personal data; everybody in it is in the ledger.",
        "content": {XLSX: {"example": "the bytes of an XLSX file"}},
    }
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            XLSX: {
                "schema": {"type": "string", "format": "binary"},
                "example": "the bytes of the XLSX file that was handed out, filled in",
            }
        },
    }
}


@router.get("/cards/{card_id}", response_model=CardDetail, responses=problems(401, 403, 404, 422))
def card(card_id: CardId, session: CurrentSession, services: CurrentServices) -> Response:
    """Return one card: evidence, every step, and what you could do about it now."""
    return json_response(cards.detail(services, session.actor, card_id))


@router.post("/cards/{card_id}/acknowledge", response_model=CardDetail, responses=_ACT_PROBLEMS)
def acknowledge(
    card_id: CardId, body: ActBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Say that your department has the card and sees to it."""
    return _act(services, session, card_id, Deed(ActKind.ACKNOWLEDGE, body.reason))


@router.post("/cards/{card_id}/appeal", response_model=CardDetail, responses=_ACT_PROBLEMS)
def appeal(
    card_id: CardId, body: ActBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Dispute a card, once; until it is decided the card does not turn red."""
    return _act(services, session, card_id, Deed(ActKind.APPEAL, body.reason))


@router.post("/cards/{card_id}/waive", response_model=CardDetail, responses=_ACT_PROBLEMS)
def waive(
    card_id: CardId, body: WaiveBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Ask that a card be waived until a day; the data bureau decides."""
    return _act(services, session, card_id, Deed(ActKind.WAIVE, body.reason, body.until))


@router.post("/cards/{card_id}/decide", response_model=CardDetail, responses=_ACT_PROBLEMS)
def decide(
    card_id: CardId, body: DecideBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Decide the appeal or waiver that is open; only a named decider, never about their own."""
    return _act(services, session, card_id, Deed(ActKind.DECIDE, body.reason, None, body.granted))


@router.post("/cards/{card_id}/close", response_model=CardDetail, responses=_ACT_PROBLEMS)
def close(
    card_id: CardId, body: ActBody, session: CurrentSession, services: CurrentServices
) -> Response:
    """Close a remedied card before it closes by itself."""
    return _act(services, session, card_id, Deed(ActKind.CLOSE, body.reason))


def _act(services: Services, session: Session, card_id: str, deed: Deed) -> Response:
    return json_response(cards.act(services, session.actor, card_id, deed))


@router.post(
    "/worklist/export",
    response_class=Response,
    responses={**_WORKBOOK, **_RELEASE_PROBLEMS},
)
async def export(body: ExportBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Take your department's conflicts as a workbook.

    A disclosure: policy decides what is shown, and everybody shown is in the ledger before the
    workbook reaches you.
    """
    work = partial(worklist.hand_out, services, session.actor, body.case, body.limit)
    return workbook_response(await at_work(services, work))


@router.post(
    "/worklist/return",
    response_model=WorklistReturned,
    responses=_RETURN_PROBLEMS,
    openapi_extra=_UPLOAD,
)
async def take_worklist_back(
    request: Request, session: CurrentSession, services: CurrentServices
) -> Response:
    """Return the filled workbook; edited elsewhere it is refused whole, every cell named."""
    async with received(services.settings, request.stream()) as path:
        work = partial(worklist.take_back, services, session.actor, path)
        return json_response(await at_work(services, work))


@router.get("/samples", response_model=SampleList, responses=problems(401, 403))
def own_samples(session: CurrentSession, services: CurrentServices) -> Response:
    """List your department's field samples and what they prove, newest first."""
    return json_response(samples.listing(services, session.actor))


@router.post("/samples", response_class=Response, responses={**_WORKBOOK, **_RELEASE_PROBLEMS})
async def draw(body: SampleBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Draw a stratified sample of your dataset and take its worksheet.

    A disclosure, as the worklist is. While it is in the field no other is drawn of the same
    publication.
    """
    work = partial(samples.draw, services, session.actor, body.dataset, body.case, body.level)
    return workbook_response(await at_work(services, work))


@router.post(
    "/samples/return", response_model=Sample, responses=_RETURN_PROBLEMS, openapi_extra=_UPLOAD
)
async def take_sample_back(
    request: Request, session: CurrentSession, services: CurrentServices
) -> Response:
    """Return the filled worksheet; changed elsewhere it is refused whole, every cell named."""
    async with received(services.settings, request.stream()) as path:
        work = partial(samples.take_back, services, session.actor, path)
        return json_response(await at_work(services, work))
