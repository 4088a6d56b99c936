"""What anyone may have: the ledger's key, proofs of growth, the verifier, quality, catalogue, health."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, PlainTextResponse, Response

import hub.ledger.verify as verifier
from api import catalogue, seals
from api.dependencies import CurrentServices
from api.outcome import Outcome, json_response
from api.problems import known_codes
from api.publicity import publicity
from api.wire.base import problems
from api.wire.public import Datasets, HashProof, Health, ProblemCodes, Quality
from api.wire.seals import SealedTotals
from hub.errors import NotFound

router = APIRouter(prefix="/v1", tags=["public"])

_Count = Annotated[int, Query(ge=0, lt=2**53, examples=[42])]


def _text(description: str, example: str) -> dict[int | str, dict[str, Any]]:
    content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": description, "content": content}}


@router.get(
    "/public/key",
    response_class=PlainTextResponse,
    responses=_text("Verifier key (C2SP).", "mingjing.example/ledger+1a2b3c4d+AQ…=\n"),
)
def key(services: CurrentServices) -> Response:
    """Return the key that checkpoints are verified with; compare it with a printed copy."""
    return PlainTextResponse(f"{services.ledger.key}\n")


@router.get("/public/consistency", response_model=HashProof, responses=problems(400, 422))
def consistency(services: CurrentServices, old: _Count, new: _Count) -> Response:
    """Return the hashes that prove that the ledger has only grown between two sizes."""
    hashes = services.ledger.consistency(old, new)
    return json_response(Outcome(200, {"hashes": [value.hex() for value in hashes]}))


@router.get(
    "/public/verifier",
    response_class=PlainTextResponse,
    responses=_text("A Python program of one file.", '"""Checks a proof from a ledger…"""\n'),
)
def stand_alone_verifier() -> Response:
    """Return the program that checks a proof with nothing else of the hub."""
    return PlainTextResponse(
        Path(verifier.__file__).read_text(encoding="utf-8"),
        headers={"Content-Disposition": 'attachment; filename="verify.py"'},
    )


@router.get(
    "/public/verifier-page",
    response_class=HTMLResponse,
    responses={
        200: {
            "description": "A page that checks, from disk and without a network.",
            "content": {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>…"}},
        }
    },
)
def verifier_page() -> Response:
    """Return the page that checks what the ledger gave, to be kept and opened from disk."""
    return HTMLResponse(
        Path(verifier.__file__).with_name("verifier.html").read_text(encoding="utf-8"),
        headers={"Content-Disposition": 'attachment; filename="mingjing-verifier.html"'},
    )


@router.get("/public/quality", response_model=Quality)
def quality_board(services: CurrentServices) -> Response:
    """Return the quality of every dataset against the target, and what was stopped."""
    return json_response(Outcome(200, services.scoreboard.board()))


@router.get("/public/datasets", response_model=Datasets)
def datasets(services: CurrentServices) -> Response:
    """Return the catalogue: owner, sharing type, legal basis, update cycle, levels."""
    return json_response(catalogue.datasets(services))


@router.get("/public/sealed", response_model=SealedTotals, responses=problems(503))
def sealed(services: CurrentServices) -> Response:
    """Return how many uses were kept from their subjects, by ground and closed year.

    Counts below the threshold are left out, whether there were any or none.
    """
    return json_response(seals.totals(services))


@router.get("/public/problems", response_model=ProblemCodes)
async def problem_codes() -> Response:
    """Return every error code with what can be done about it."""
    return json_response(Outcome(200, {"problems": known_codes()}))


@router.get("/health", response_model=Health, responses=problems(503))
def health(services: CurrentServices) -> Response:
    """Say whether the hub is well: the ledger answers and a snapshot is in service."""
    ledger = publicity(services)
    try:
        snapshot = services.snapshots.current().version
    except NotFound:
        snapshot = None
    profile = services.settings.profile
    body = {
        "status": "ok" if snapshot else "unpublished",
        "profile": profile,
        "demonstration": profile == "demonstration",
        "snapshot": snapshot,
        "ledger_size": ledger.recorded,
        "ledger_published": ledger.public,
        "ledger_lag_seconds": ledger.lag_seconds,
        "ledger_late": ledger.late,
    }
    return json_response(Outcome(200, body))
