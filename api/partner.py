"""The partner's door: my batches, my quality, and the push of a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import FileResponse, Response

from api import cards, deliveries, worklist
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import Outcome, json_response
from api.wire.base import problems
from api.wire.partner import BatchDetail, Batches, Cards, Dropped, WorklistFigures
from api.wire.public import Quality
from contracts.feedback import feedback_example

router = APIRouter(prefix="/v1/partner", tags=["partner"])

BatchId = Annotated[
    str, Path(pattern=r"^[0-9A-Za-z-]{1,80}$", examples=["20260602-5e1f00aa11bb22cc"])
]


@router.get("/batches", response_model=Batches, responses=problems(401, 403, 422))
def batches(
    session: CurrentSession,
    services: CurrentServices,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """List your deliveries, newest first, with what became of each."""
    return json_response(deliveries.batches(services, session.actor, limit))


@router.get(
    "/batches/{batch_id}", response_model=BatchDetail, responses=problems(401, 403, 404, 422)
)
def batch(batch_id: BatchId, session: CurrentSession, services: CurrentServices) -> Response:
    """Return one delivery rule by rule: how many rows broke it and what to do."""
    return json_response(deliveries.batch(services, session.actor, batch_id))


@router.get(
    "/batches/{batch_id}/feedback",
    response_class=Response,
    responses={
        200: {
            "description": "Row number, column, rule, severity, what to do; no values.",
            "content": {"text/csv": {"example": feedback_example()}},
        },
        **problems(401, 403, 404, 422),
    },
)
def feedback(batch_id: BatchId, session: CurrentSession, services: CurrentServices) -> Response:
    """Return the feedback file of an own delivery."""
    return feedback_file(deliveries.feedback(services, session.actor, batch_id))


def feedback_file(path: object) -> Response:
    """Return a feedback file as a download."""
    return FileResponse(str(path), media_type="text/csv; charset=utf-8", filename="feedback.csv")


@router.get("/quality", response_model=Quality, responses=problems(401, 403))
def own_quality(session: CurrentSession, services: CurrentServices) -> Response:
    """Return your own quality board."""
    own = services.scoreboard.board(deliveries.partner_of(session.actor))
    return json_response(Outcome(200, own))


@router.get("/cards", response_model=Cards, responses=problems(401, 403, 422))
def own_cards(
    session: CurrentSession,
    services: CurrentServices,
    only_open: Annotated[
        bool, Query(alias="open", description="Only those that still ask for something.")
    ] = True,
) -> Response:
    """List your quality cards, red ones first: why, what to do and by when."""
    return json_response(cards.listing(services, session.actor, only_open=only_open))


@router.get("/worklist", response_model=WorklistFigures, responses=problems(401, 403))
def own_worklist(session: CurrentSession, services: CurrentServices) -> Response:
    """Count what you and other departments contradict each other about."""
    return json_response(worklist.own_figures(services, session.actor))


@router.put(
    "/deliveries/{dataset}/{file_name}",
    status_code=202,
    response_model=Dropped,
    responses=problems(400, 401, 403, 413, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary"},
                    "example": "the bytes of a CSV, XLSX, JSON Lines or Parquet file",
                }
            },
        }
    },
)
async def push(
    dataset: Annotated[str, Path(max_length=100, examples=["housing.tenancy"])],
    file_name: Annotated[str, Path(max_length=100, examples=["tenancy-2026-06.csv"])],
    request: Request,
    session: CurrentSession,
    services: CurrentServices,
    content_digest: Annotated[
        str | None, Header(description="`sha-256=:BASE64:` (RFC 9530); the file must fit it.")
    ] = None,
    period: Annotated[
        str | None, Header(max_length=10, description="What the data is about, e.g. 2026-06.")
    ] = None,
) -> Response:
    """Deliver a file over HTTPS into your drop folder; the next run lands and checks it."""
    promised = {"content-digest": content_digest, "period": period}
    headers = {name: value for name, value in promised.items() if value is not None}
    outcome = await deliveries.push(
        services, session.actor, dataset, file_name, request.stream(), headers
    )
    return json_response(outcome)
