"""A citizen's own uses in the forms of published standards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.responses import Response

from access.exports import fhir, fhir_r4, ocsf
from access.exports.source import Source
from access.titles import Titles
from access.usage_record import UsageRecord
from api.services import Services
from api.tokens import Session

_Answer = Callable[[Services, Session, int], Response]
_Make = Callable[[int, UsageRecord, Source], dict[str, Any]]


def source_of(services: Services) -> Source:
    """Return what is needed to say of which ledger a record is, and what its codes are called."""
    words = services.vocabulary
    return Source(services.settings.origin, Titles(words.policy(), words.catalog))


def as_fhir(services: Services, session: Session, limit: int) -> Response:
    """Return the newest uses as a FHIR Bundle of AuditEvents."""
    return _bundle(services, session, limit, fhir.audit_event, fhir.MEDIA_TYPE)


def as_fhir_r4(services: Services, session: Session, limit: int) -> Response:
    """Return the newest uses as a FHIR Bundle of AuditEvents in the form of R4."""
    return _bundle(services, session, limit, fhir_r4.audit_event, fhir_r4.MEDIA_TYPE)


def as_ocsf(services: Services, session: Session, limit: int) -> Response:
    """Return the newest uses as OCSF events, a line each."""
    source = source_of(services)
    found = services.guard.own_usage(session.actor, limit)
    return Response(
        b"".join([_line(ocsf.event(index, use, source)) for index, use in found]),
        media_type=ocsf.MEDIA_TYPE,
    )


#: Name of a form -> what answers in it.
FORMS: dict[str, _Answer] = {"fhir": as_fhir, "fhir-r4": as_fhir_r4, "ocsf": as_ocsf}


def _bundle(
    services: Services, session: Session, limit: int, make: _Make, media_type: str
) -> Response:
    source = source_of(services)
    found = services.guard.own_usage(session.actor, limit)
    events = [make(index, use, source) for index, use in found]
    body = fhir.bundle(events, source, services.clock.now())
    return Response(orjson.dumps(body), media_type=media_type)


def _line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
