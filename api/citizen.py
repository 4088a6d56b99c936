"""The citizen's door: what is held about me, who used it, and the proof of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import disclosures
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import Outcome, json_response
from api.services import Services
from api.tokens import Session
from api.wire.base import problems
from api.wire.citizen import ProofBundle, Uses
from api.wire.officer import Disclosure

router = APIRouter(prefix="/v1/me", tags=["citizen"])

UseIndex = Annotated[int, Path(ge=0, lt=2**53, examples=[41], description="Index of the use.")]


@router.get("/records", response_model=Disclosure, responses=problems(401, 403, 404, 429, 503))
async def records(session: CurrentSession, services: CurrentServices) -> Response:
    """Return what is held about you, from which department, since when (PIPL 45)."""
    return json_response(await disclosures.own_records(services, session))


@router.get("/uses", response_model=Uses, responses=problems(401, 403, 422))
def uses(
    session: CurrentSession,
    services: CurrentServices,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Return who used your records, for what and on what legal basis, newest first."""
    return json_response(disclosures.own_uses(services, session, limit))


@router.get("/uses/{index}/proof", response_model=ProofBundle, responses=problems(401, 404, 422))
def proof(index: UseIndex, session: CurrentSession, services: CurrentServices) -> Response:
    """Return the proof that one use stands in the ledger; check it offline with the verifier."""
    return proof_file(services, session, index)


def proof_file(services: Services, session: Session, index: int) -> Response:
    """Return the proof of one use as a file to keep."""
    response = json_response(disclosures.own_proof(services, session, index))
    response.headers["Content-Disposition"] = f'attachment; filename="mingjing-proof-{index}.json"'
    return response


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
