"""Usage records as OCSF API Activity events, class 6003, for a security operations centre.

Every use of data is an API call that reads; which word the hub has for it is the event code. Of a
citizen's own record nothing else is said than of anybody's.

Source: OCSF schema 1.8.0, class `api_activity`, objects as named there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.exports.source import SYSTEM, Source, by_dataset
from access.usage_record import UsageAction, UsageRecord

VERSION = "1.8.0"
MEDIA_TYPE = "application/x-ndjson"

_CATEGORY, _CLASS, _READ = 6, 6003, 2
_SEVERITIES: Mapping[UsageAction, tuple[int, str]] = {
    UsageAction.BULK: (2, "Low"),
    UsageAction.EMERGENCY: (3, "Medium"),
    UsageAction.REFUSED: (2, "Low"),
    UsageAction.UNMASKED: (2, "Low"),
}


def event(index: int, use: UsageRecord, source: Source) -> dict[str, Any]:
    """Return a usage record as an event; `index` is its position in the ledger."""
    refused = use.decision == "refused"
    severity, severity_name = _SEVERITIES.get(use.action, (1, "Informational"))
    found: dict[str, Any] = {
        "activity_id": _READ,
        "activity_name": "Read",
        "category_name": "Application Activity",
        "category_uid": _CATEGORY,
        "class_name": "API Activity",
        "class_uid": _CLASS,
        "type_uid": _CLASS * 100 + _READ,
        "type_name": "API Activity: Read",
        "time": _milliseconds(use),
        "timezone_offset": 0,
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 2 if refused else 1,
        "status": "Failure" if refused else "Success",
        "status_detail": use.reason,
        "message": f"{source.titles.purpose(use.purpose)}: {use.action.value}",
        "metadata": _metadata(index, use, source),
        "actor": _actor(use, source),
        "api": {
            "operation": use.road.value,
            "service": {"name": SYSTEM, "uid": source.origin},
            "request": {"uid": use.request},
        },
        "src_endpoint": {
            "name": source.titles.agency(use.actor.agency),
            "uid": use.actor.agency,
        },
        "unmapped": _unmapped(use),
    }
    resources = _resources(use, source)
    return {**found, "resources": resources} if resources else found


def _milliseconds(use: UsageRecord) -> int:
    return round(use.time.timestamp() * 1000)


def _metadata(index: int, use: UsageRecord, source: Source) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": {"name": SYSTEM, "vendor_name": "Mingjing"},
        "uid": f"{source.origin}/{index}",
        "event_code": use.action.value,
        "correlation_uid": use.request,
        "log_name": source.origin,
        "sequence": index,
        "logged_time": _milliseconds(use),
    }


def _actor(use: UsageRecord, source: Source) -> dict[str, Any]:
    actor = use.actor
    user: dict[str, Any] = {
        "uid": actor.id,
        "type_id": 1,
        "type": "User",
        "org": {"uid": actor.agency, "name": source.titles.agency(actor.agency)},
        "groups": [{"name": role} for role in actor.roles],
    }
    if actor.post:
        user["display_name"] = actor.post
    policies = [{"uid": use.policy, "name": "policy", "is_applied": True}]
    policies += [{"uid": grant, "name": "grant", "is_applied": True} for grant in use.grants]
    return {
        "user": user,
        "authorizations": [{"decision": use.decision, "policy": policy} for policy in policies],
    }


def _resources(use: UsageRecord, source: Source) -> list[dict[str, Any]]:
    """Return a resource for each dataset, with how each of its columns was shown."""
    resources = []
    for dataset, columns in by_dataset(use):
        resource: dict[str, Any] = {
            "uid": dataset,
            "name": source.titles.dataset(dataset),
            "type": "dataset",
            "data": {"columns": columns},
        }
        if use.snapshot:
            resource["version"] = use.snapshot
        resources.append(resource)
    return resources


def _unmapped(use: UsageRecord) -> dict[str, Any]:
    """Return what the schema has no attribute for, under the names of the record."""
    told: dict[str, Any] = {
        "purpose": use.purpose,
        "legal_basis": use.legal_basis,
        "case": use.case,
        "asked": None if use.asked is None else list(use.asked),
        "rules": list(use.rules),
        "area": list(use.actor.area),
        "clearance": use.actor.clearance.name,
        "snapshot": use.snapshot,
        "lake_snapshot": use.lake_snapshot,
        "subject": None if use.subject is None else use.subject.hex(),
        "role": None if use.role is None else use.role.value,
        "emergency": use.emergency,
        "seal": use.seal,
        "nobody": use.nobody or None,
        "limit": use.limit,
        "counted": None if use.counted is None else use.counted.body(),
        "bulk": None if use.bulk is None else use.bulk.body(),
    }
    return {name: value for name, value in told.items() if value is not None}
