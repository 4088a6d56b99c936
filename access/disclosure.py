"""What the ledger is told of a use: the entry of one disclosure or refusal.

One entry per person shown. It names the actor and the case by keyed pseudonym only, the person by
the ledger's own label, and no value that was shown.

Source: DOMAIN §3 of the project's guide (audit row); 个人信息保护法 55-56 (processing records).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.model import Action, Actor, Decision
from access.purposes import PurposeRegister
from hub.events import AuditEvent, EventTag
from hub.identifiers import Label
from hub.ledger.writer import Entry


@dataclass(frozen=True, slots=True)
class Context:
    """What all entries of one request share.

    Args:
        actor_name: the actor's pseudonym, hexadecimal.
        case_name: keyed commitment to the case reference, hexadecimal, or None.
        snapshot: version that was read, empty when nothing was.
        asked: datasets that were asked for, None for all that the purpose covers.
        emergency: number of the lifted mask or emergency it is under, None for none.
        seal: number of the order in force that seals it, None for none.
    """

    actor: Actor
    actor_name: str
    decision: Decision
    case_name: str | None
    request_id: str
    snapshot: str
    time: datetime
    asked: tuple[str, ...] | None
    emergency: int | None = None
    seal: int | None = None


def entry(
    context: Context,
    purposes: PurposeRegister,
    tag: EventTag,
    *,
    label: bytes | None = None,
    datasets: Iterable[str] = (),
    fields: Mapping[str, str] | None = None,
    outcome: str = "allowed",
    reason: str = "",
    more: Mapping[str, Any] | None = None,
) -> Entry:
    """Return the ledger entry of one disclosure or refusal.

    It says enough to put the same question to another policy. Traits of the person are no part of
    it: that somebody is protected would stand beside them for ever.
    """
    decision, actor = context.decision, context.actor
    purpose = purposes.get(decision.purpose)
    details: dict[str, Any] = {
        "actor": {
            "id": context.actor_name,
            "agency": actor.agency,
            "post": actor.post,
            "roles": list(actor.roles),
            "area": list(actor.area),
            "clearance": actor.clearance.name,
        },
        "action": decision.action.value,
        "asked": None if context.asked is None else list(context.asked),
        "dataset": list(datasets),
        "fields": dict(fields or {}),
        "purpose": purpose.code if purpose else "unknown",
        "legal_basis": purpose.legal_basis if purpose else "",
        "case": context.case_name,
        "decision": outcome,
        "reason": reason or decision.reason,
        "policy": decision.policy_version,
        "rules": list(decision.rules),
        "grants": list(decision.grants),
        "snapshot": context.snapshot,
        "request": context.request_id,
        **(more or {}),
    }
    if context.emergency is not None:
        details["emergency"] = context.emergency
    if actor.agency == "public":
        details["actor"]["post"] = ""
    sealed = label is not None and context.seal is not None
    if sealed:
        details["seal"] = context.seal
    event = AuditEvent(tag, context.time, details, None if label is None else Label(label))
    return Entry(event.label, event.body(), sealed=sealed)


def disclosed(action: Action) -> EventTag:
    """Return the event of a disclosure by an action."""
    if action is Action.OWN:
        return EventTag.CITIZEN_RECORD_OPENED
    if action is Action.AGGREGATE:
        return EventTag.OFFICER_STATISTICS_DISCLOSED
    return EventTag.OFFICER_SUBJECT_DISCLOSED


def refused(action: Action) -> EventTag:
    """Return the event of a refusal, or of a question that found nobody."""
    if action is Action.OWN:
        return EventTag.CITIZEN_RECORD_OPENED
    if action is Action.AGGREGATE:
        return EventTag.OFFICER_STATISTICS_REFUSED
    return EventTag.OFFICER_SUBJECT_REFUSED
