"""Usage records as FHIR AuditEvent resources (R4), which audit record repositories still ask for.

The same event as in R5, in the elements that R4 has for it: the person is an entity, the outcome a
bare code, codes of an entity are no concepts, and every detail is a text.

Source: HL7 FHIR 4.0.1, AuditEvent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from access.exports import fhir
from access.exports.source import Source
from access.usage_record import UsageRecord

VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json; fhirVersion=4.0"

_PATIENT = {
    "system": "http://terminology.hl7.org/CodeSystem/object-role",
    "code": "1",
    "display": "Patient",
}


def audit_event(index: int, use: UsageRecord, source: Source) -> dict[str, Any]:
    """Return a usage record as an AuditEvent.

    Args:
        index: its position in the ledger, which is its id.
    """
    newer = fhir.audit_event(index, use, source)
    outcome = newer["outcome"]
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": newer["id"],
        "type": _coding(newer["category"][0]),
        "subtype": [_coding(newer["code"])],
        "action": newer["action"],
        "recorded": newer["recorded"],
        "outcome": outcome["code"]["code"],
    }
    if "detail" in outcome:
        event["outcomeDesc"] = outcome["detail"][0]["text"]
    event["purposeOfEvent"] = newer["authorization"]
    event["agent"] = newer["agent"]
    event["source"] = {
        "observer": newer["source"]["observer"],
        "type": [_coding(kind) for kind in newer["source"]["type"]],
    }
    event["entity"] = list(_entities(newer))
    return event


def _entities(newer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "patient" in newer:
        yield {"what": newer["patient"], "role": _PATIENT}
    for entity in newer["entity"]:
        older = {"what": entity["what"], "role": _coding(entity["role"])}
        details = [_detail(detail) for detail in entity.get("detail", ())]
        yield {**older, "detail": details} if details else older


def _detail(detail: Mapping[str, Any]) -> dict[str, str]:
    (value,) = (told for name, told in detail.items() if name != "type")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"type": _coding(detail["type"])["code"], "valueString": text}


def _coding(concept: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = concept["coding"][0]
    return found
