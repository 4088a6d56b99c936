"""The citizen's door: what is held about me, who used it, and the proof of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import PlainTextResponse, Response

from api import disclosures, exports
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import Outcome, json_response
from api.services import Services
from api.tokens import Session
from api.wire.base import problems
from api.wire.citizen import Uses
from api.wire.officer import Disclosure
from hub.ledger.tlog_proof import SUFFIX

router = APIRouter(prefix="/v1/me", tags=["citizen"])

_PROOF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A proof file (C2SP tlog-proof).",
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "c2sp.org/tlog-proof@v1\nextra eyJu…\nindex 41\nq7hV…=\n\n…",
            }
        },
    }
}
_USES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/fhir+json": {
                "schema": {"type": "object"},
                "example": {"resourceType": "Bundle", "type": "collection"},
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"class_uid":6003,"activity_id":2}\n',
            },
        }
    }
}
_STATEMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A statement, canonical JSON; docs/ledger.md names its members.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"format": "mingjing-statement-1", "origin": "mingjing.example/ledger"},
            }
        },
    }
}

UseIndex = Annotated[int, Path(ge=0, lt=2**53, examples=[41], description="Index of the use.")]


@router.get("/records", response_model=Disclosure, responses=problems(401, 403, 404, 429, 503))
async def records(session: CurrentSession, services: CurrentServices) -> Response:
    """Return what is held about you, from which department, since when (PIPL 45)."""
    return json_response(await disclosures.own_records(services, session))


@router.get("/uses", response_model=Uses, responses={**_USES, **problems(401, 403, 422)})
def uses(
    session: CurrentSession,
    services: CurrentServices,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    form: Annotated[
        Literal["fhir", "fhir-r4", "ocsf"] | None,
        Query(
            alias="format", description="A published form in place of this one: docs/exports.md."
        ),
    ] = None,
) -> Response:
    """Return who used your records, for what and on what legal basis, newest first."""
    if form is not None:
        return exports.FORMS[form](services, session, limit)
    return json_response(disclosures.own_uses(services, session, limit))


@router.get(
    "/uses/{index}/proof",
    response_class=PlainTextResponse,
    responses={**_PROOF, **problems(401, 404, 422)},
)
def proof(index: UseIndex, session: CurrentSession, services: CurrentServices) -> Response:
    """Return the proof that one use stands in the ledger; check it offline with the verifier."""
    return proof_file(services, session, index)


@router.get(
    "/statement",
    response_class=Response,
    responses={**_STATEMENT, **problems(401, 404, 503)},
)
def statement(session: CurrentSession, services: CurrentServices) -> Response:
    """Return every use of your records up to the public checkpoint, and that none is missing."""
    return statement_file(services, session)


def proof_file(services: Services, session: Session, index: int) -> Response:
    """Return the proof of one use as a file to keep."""
    text = services.guard.own_proof(session.actor, index)
    return PlainTextResponse(text, headers=_kept_as(f"mingjing-proof-{index}{SUFFIX}"))


def statement_file(services: Services, session: Session) -> Response:
    """Return the statement of all uses as a file to keep."""
    data = services.guard.own_statement(session.actor)
    return Response(
        data, headers=_kept_as("mingjing-statement.json"), media_type="application/json"
    )


def _kept_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def by_department(held: Outcome) -> list[dict[str, object]]:
    """Return the records of a disclosure grouped by owner, then dataset, in first-seen order."""
    if held.is_problem:
        return []
    departments: dict[str, dict[str, list[object]]] = {}
    for subject in held.body["subjects"]:
        for record in subject["records"]:
            datasets = departments.setdefault(record["owner_title"], {})
            datasets.setdefault(record["title"], []).append(record)
    return [
        {"title": owner, "datasets": [{"title": t, "records": r} for t, r in datasets.items()]}
        for owner, datasets in departments.items()
    ]
