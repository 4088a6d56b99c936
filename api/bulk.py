"""The data steward's door to files of persons: made under a grant, fetched for a day."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from access.answers import ExportAnswer, ExportQuery
from access.roads.export import MEDIA_TYPES
from api import disclosures
from api.dependencies import CurrentServices, CurrentSession
from api.outcome import Outcome, json_response
from api.wire.base import problems
from api.wire.officer import Export, ExportBody

router = APIRouter(prefix="/v1/officer", tags=["officer"])

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file: CSV in UTF-8 with a byte order mark, or a JSON object a line.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "role,name,grid_code\r\nresident,李明镜,99010600100101\r\n",
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"role":"resident","name":"李明镜"}\n',
            },
        },
    }
}

Number = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{32}$",
        examples=["5f1c0ad7a9b0e3f2c4d58c1b7f1f6a0e"],
        description="Its number.",
    ),
]


@router.post(
    "/exports",
    response_model=Export,
    status_code=201,
    responses=problems(400, 401, 403, 404, 413, 422, 429, 502, 503),
)
async def make(body: ExportBody, session: CurrentSession, services: CurrentServices) -> Response:
    """Make a file of all persons of an area, with the columns that an approved grant opens.

    It is on the record, and each person in it can see that, before it may be fetched. A million
    persons take minutes; one file is made at a time.
    """
    query = ExportQuery(
        dataset=body.dataset,
        purpose=body.purpose,
        case=body.case,
        area=body.area,
        form=body.format,
        request_id=services.new_request_id(),
    )
    answer = await anyio.to_thread.run_sync(
        services.guard.export, session.actor, query, limiter=services.exports
    )
    return json_response(outcome_of(answer))


@router.get(
    "/exports/{number}/file",
    response_class=StreamingResponse,
    responses={**_FILE, **problems(401, 403, 404, 422, 502)},
)
def fetch(number: Number, session: CurrentSession, services: CurrentServices) -> Response:
    """Fetch a file that you had made, within a day; under no other account."""
    file, pieces = services.guard.exported(session.actor, number)
    name = f"mingjing-export-{file.number}.{file.form}"
    return StreamingResponse(
        pieces,
        media_type=MEDIA_TYPES[file.form],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(file.size_bytes),
        },
    )


def outcome_of(answer: ExportAnswer) -> Outcome:
    """Return what was made, or why nothing was, as a body."""
    file, whole = answer.file, answer.answer
    if file is None:
        return disclosures.refusal(whole)
    decision = whole.decision
    return Outcome(
        201,
        {
            "number": file.number,
            "dataset": decision.datasets[0],
            "purpose": decision.purpose,
            "format": file.form,
            "persons": file.persons,
            "rows": file.rows,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "expires": file.expires,
            "file": f"/v1/officer/exports/{file.number}/file",
            "reason": whole.reason,
            "grants": decision.grants,
            **disclosures.trace(whole),
        },
    )
