"""Usage records as FHIR AuditEvent resources (R5).

Persons, accounts and cases are named by logical references, an identifier with a system of the
hub's own, because there is no FHIR server that holds them. FHIR calls whoever data is about a
patient; here it is the data subject.

Source: HL7 FHIR 5.0.0, AuditEvent, Bundle; DICOM PS3.15 A.5 (event and participant codes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from access.exports.source import SYSTEM, Source, by_dataset
from access.model import Action
from access.usage_record import RecordedActor, UsageAction, UsageRecord
from hub.clock import stamp_of

VERSION = "5.0.0"
MEDIA_TYPE = "application/fhir+json; fhirVersion=5.0"

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_CATEGORIES: Mapping[UsageAction, tuple[str, str]] = {
    UsageAction.BULK: ("110106", "Export"),
    UsageAction.COUNTED: ("110112", "Query"),
    UsageAction.EXPORTED: ("110106", "Export"),
    UsageAction.LISTED: ("110112", "Query"),
}
_PATIENT_RECORD = ("110110", "Patient Record")
_SEVERITIES: Mapping[UsageAction, str] = {
    UsageAction.EMERGENCY: "warning",
    UsageAction.REFUSED: "notice",
    UsageAction.UNMASKED: "notice",
}
_QUERIES = (Action.AGGREGATE, Action.LIST, Action.SEARCH)


def audit_event(index: int, use: UsageRecord, source: Source) -> dict[str, Any]:
    """Return a usage record as an AuditEvent.

    Args:
        index: its position in the ledger, which is its id.
    """
    time = stamp_of(use.time)
    code, display = _CATEGORIES.get(use.action, _PATIENT_RECORD)
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(index),
        "category": [_concept(_DICOM, code, display)],
        "code": _concept(source.names("usage-action"), use.action.value),
        "action": "E" if use.road in _QUERIES else "R",
        "severity": _SEVERITIES.get(use.action, "informational"),
        "occurredDateTime": time,
        "recorded": time,
        "outcome": _outcome(use),
        "authorization": [_purpose(use, source)],
    }
    if use.subject is not None:
        event["patient"] = _subject(use.subject, source)
    event["agent"] = _agents(use, source)
    event["source"] = {
        "observer": _logical("Device", source.names("system"), source.origin, SYSTEM),
        "type": [_concept(f"{_HL7}/security-source-type", "4", "Application Server")],
    }
    event["entity"] = [*_data(use, source), _question(use, source)]
    return event


def bundle(events: Iterable[Mapping[str, Any]], source: Source, now: datetime) -> dict[str, Any]:
    """Return AuditEvents as one Bundle, in their order.

    Args:
        now: when it is made.
    """
    entries = [
        {"fullUrl": f"{source.names('AuditEvent')}/{event['id']}", "resource": event}
        for event in events
    ]
    whole: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": stamp_of(now),
    }
    return {**whole, "entry": entries} if entries else whole  # nor an empty list


def _outcome(use: UsageRecord) -> dict[str, Any]:
    code, display = ("4", "Minor failure") if use.decision == "refused" else ("0", "Success")
    outcome: dict[str, Any] = {
        "code": {"system": f"{_HL7}/audit-event-outcome", "code": code, "display": display}
    }
    return {**outcome, "detail": [{"text": use.reason}]} if use.reason else outcome


def _purpose(use: UsageRecord, source: Source) -> dict[str, Any]:
    title = source.titles.purpose(use.purpose)
    concept = _concept(source.names("purpose"), use.purpose, title)
    return {**concept, "text": f"{title}：{use.legal_basis}"} if use.legal_basis else concept


def _subject(label: bytes, source: Source) -> dict[str, Any]:
    return _logical("Patient", source.names("subject"), label.hex())


def _agents(use: UsageRecord, source: Source) -> list[dict[str, Any]]:
    """Return who asked and received, and for which organisation; a citizen has none."""
    actor = use.actor
    policy = [
        f"{source.names('policy')}/{use.policy}",
        *(f"{source.names('grant')}/{grant}" for grant in use.grants),
    ]
    citizen = use.road is Action.OWN
    who = _logical(
        "Patient" if citizen else "PractitionerRole",
        source.names("actor"),
        actor.id,
        _post(actor, source),
    )
    asker: dict[str, Any] = {
        "type": _concept(_DICOM, "110152", "Destination Role ID"),
        "who": who,
        "requestor": True,
        "policy": policy,
    }
    if actor.roles:
        asker["role"] = [_concept(source.names("role"), role) for role in actor.roles]
    if citizen:
        return [asker]
    agency = _logical(
        "Organization",
        source.names("agency"),
        actor.agency,
        source.titles.agency(actor.agency),
    )
    return [asker, {"who": agency, "requestor": False}]


def _post(actor: RecordedActor, source: Source) -> str:
    title = source.titles.agency(actor.agency)
    return f"{title}，{actor.post}" if actor.post else title


def _data(use: UsageRecord, source: Source) -> list[dict[str, Any]]:
    """Return an entity for each dataset, with how each of its columns was shown."""
    entities = []
    for dataset, columns in by_dataset(use):
        title = source.titles.dataset(dataset)
        entity: dict[str, Any] = {
            "what": {
                "identifier": {"system": source.names("dataset"), "value": dataset},
                "display": title,
            },
            "role": _concept(f"{_HL7}/object-role", "4", "Domain Resource"),
        }
        if columns:
            entity["detail"] = [
                {
                    "type": _concept(
                        source.names("column"), column, source.titles.column(dataset, column)
                    ),
                    "valueString": how,
                }
                for column, how in columns.items()
            ]
        entities.append(entity)
    return entities


def _question(use: UsageRecord, source: Source) -> dict[str, Any]:
    """Return the entity of the question, with all that the elements have no place for."""
    told: dict[str, Any] = {
        "road": use.road.value,
        "role": use.role.value if use.role else None,
        "case": use.case,
        "asked": None if use.asked is None else " ".join(use.asked),
        "snapshot": use.snapshot,
        "lake_snapshot": use.lake_snapshot,
        "rules": " ".join(use.rules),
        "emergency": use.emergency,
        "seal": use.seal,
        "nobody": use.nobody or None,
        "limit": use.limit,
    }
    if use.counted is not None:
        told.update(use.counted.body())
        told["by"] = " ".join(use.counted.by)
    if use.bulk is not None:
        told.update({f"bulk.{name}": value for name, value in use.bulk.body().items()})
        told["bulk.area"] = " ".join(use.bulk.area)
    return {
        "what": {"identifier": {"system": source.names("request"), "value": use.request}},
        "role": _concept(f"{_HL7}/object-role", "24", "Query"),
        "detail": [
            {"type": _concept(source.names("usage-record"), name), **_value(value)}
            for name, value in told.items()
            if value not in (None, "")  # FHIR knows no empty text
        ],
    }


def _value(value: str | int | bool) -> dict[str, str | int | bool]:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    return {"valueInteger": value} if isinstance(value, int) else {"valueString": value}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {"coding": [coding]}


def _logical(kind: str, system: str, value: str, display: str = "") -> dict[str, Any]:
    named = {"type": kind, "identifier": {"system": system, "value": value}}
    return {**named, "display": display} if display else named
