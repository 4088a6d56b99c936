"""The citizen's page: what is held, who used it, and each use's proof to keep."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import disclosures
from api.citizen import UseIndex, by_department, proof_file, statement_file
from api.dependencies import CurrentServices, PageActor
from api.pages.rendering import page
from hub.config import Settings
from hub.errors import ConfigError
from hub.ledger.cosigning import policy_of
from hub.ledger.note import VerifierKey
from hub.ledger.succession import formers

router = APIRouter(include_in_schema=False)

_MOST_USES = 100


@router.get("/citizen")
async def mine(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show what is held about the reader and every use of it."""
    held = await disclosures.own_records(services, session)
    used = await run_in_threadpool(disclosures.own_uses, services, session, _MOST_USES)
    witnesses, quorum = _witnesses(services.settings)
    context = {
        "answer": None if held.is_problem else held.body,
        "problem": held.body if held.is_problem else None,
        "departments": by_department(held),
        "uses": used.body["uses"],
        "key": str(services.ledger.key),
        "witnesses": [str(key) for key in witnesses],
        "quorum": quorum,
        "formers": await run_in_threadpool(formers, services.settings),
    }
    return page(request, "citizen.html", context, held.status)


@router.get("/citizen/uses/{index}/proof")
def proof(index: UseIndex, session: PageActor, services: CurrentServices) -> Response:
    """Return the proof of one use as a file."""
    return proof_file(services, session, index)


@router.get("/citizen/statement")
def statement(session: PageActor, services: CurrentServices) -> Response:
    """Return the statement of all uses as a file."""
    return statement_file(services, session)


def _witnesses(settings: Settings) -> tuple[tuple[VerifierKey, ...], int]:
    """Return whose cosignatures a reader can ask for, and how many; nobody's where none are asked.

    A policy that is just being mended must not take the page from its reader.
    """
    try:
        policy = policy_of(settings.witness_policy)
    except ConfigError:
        return (), 0
    return ((), 0) if policy is None else policy.plainly()
