"""Audit events: what the ledger is told, `source:subject:action`, past facts.

An event's details never hold a direct identifier: a data subject appears only as the
ledger's label, an actor as a pseudonym. docs/events.md lists every tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hub.clock import stamp_of
from hub.identifiers import Label


class EventTag(StrEnum):
    """Every kind of event the ledger knows, alphabetical."""

    ACCESS_ACTOR_RESUMED = "access:actor:resumed"
    ACCESS_ACTOR_SUSPENDED = "access:actor:suspended"
    ACCESS_CASE_CLOSED = "access:case:closed"
    ACCESS_CASE_EXTENDED = "access:case:extended"
    ACCESS_CASE_OPENED = "access:case:opened"
    ACCESS_EMERGENCY_ESCALATED = "access:emergency:escalated"
    ACCESS_EMERGENCY_OPENED = "access:emergency:opened"
    ACCESS_EMERGENCY_REVIEWED = "access:emergency:reviewed"
    ACCESS_EMERGENCY_USED = "access:emergency:used"
    ACCESS_ERASURE_APPROVED = "access:erasure:approved"
    ACCESS_ERASURE_DECLINED = "access:erasure:declined"
    ACCESS_ERASURE_DONE = "access:erasure:done"
    ACCESS_ERASURE_REQUESTED = "access:erasure:requested"
    ACCESS_GRANT_DECLINED = "access:grant:declined"
    ACCESS_GRANT_EXHAUSTED = "access:grant:exhausted"
    ACCESS_GRANT_GIVEN = "access:grant:given"
    ACCESS_GRANT_REQUESTED = "access:grant:requested"
    ACCESS_GRANT_REVOKED = "access:grant:revoked"
    ACCESS_LIMIT_EXCEEDED = "access:limit:exceeded"
    ACCESS_LIMIT_REACHED = "access:limit:reached"
    ACCESS_POLICY_ACTIVATED = "access:policy:activated"
    ACCESS_POLICY_ADOPTED = "access:policy:adopted"
    ACCESS_POLICY_APPROVED = "access:policy:approved"
    ACCESS_POLICY_DECLINED = "access:policy:declined"
    ACCESS_POLICY_PROPOSED = "access:policy:proposed"
    ACCESS_POLICY_ROLLED_BACK = "access:policy:rolled_back"
    ACCESS_PROTECTED_ADDED = "access:protected:added"
    ACCESS_PROTECTED_REMOVED = "access:protected:removed"
    ACCESS_SEAL_APPROVED = "access:seal:approved"
    ACCESS_SEAL_DECLINED = "access:seal:declined"
    ACCESS_SEAL_ENDED = "access:seal:ended"
    ACCESS_SEAL_LIFTED = "access:seal:lifted"
    ACCESS_SEAL_ORDERED = "access:seal:ordered"
    ACCESS_SEAL_RELEASED = "access:seal:released"
    ACCESS_UNMASK_APPROVED = "access:unmask:approved"
    ACCESS_UNMASK_DECLINED = "access:unmask:declined"
    ACCESS_UNMASK_RELEASED = "access:unmask:released"
    ACCESS_UNMASK_REQUESTED = "access:unmask:requested"
    CITIZEN_RECORD_OPENED = "citizen:record:opened"
    HUB_BULK_COMMITTED = "hub:bulk:committed"
    HUB_CONTRACT_ADOPTED = "hub:contract:adopted"
    HUB_ENTRY_ERASED = "hub:entry:erased"
    HUB_INDEX_PUBLISHED = "hub:index:published"
    HUB_KEY_ROTATED = "hub:key:rotated"
    HUB_LEDGER_OPENED = "hub:ledger:opened"
    HUB_LEDGER_READ = "hub:ledger:read"
    HUB_LEDGER_SUCCEEDED = "hub:ledger:succeeded"
    HUB_LEDGER_VERIFIED = "hub:ledger:verified"
    HUB_SERVICE_STARTED = "hub:service:started"
    HUB_SNAPSHOT_PUBLISHED = "hub:snapshot:published"
    OFFICER_BULK_DISCLOSED = "officer:bulk:disclosed"
    OFFICER_BULK_REFUSED = "officer:bulk:refused"
    OFFICER_STATISTICS_DISCLOSED = "officer:statistics:disclosed"
    OFFICER_STATISTICS_REFUSED = "officer:statistics:refused"
    OFFICER_SUBJECT_DISCLOSED = "officer:subject:disclosed"
    OFFICER_SUBJECT_REFUSED = "officer:subject:refused"
    PARTNER_BATCH_CHECKED = "partner:batch:checked"
    PARTNER_BATCH_LANDED = "partner:batch:landed"
    PARTNER_BATCH_LOADED = "partner:batch:loaded"
    PARTNER_BATCH_REFUSED = "partner:batch:refused"
    PARTNER_BATCH_STOPPED = "partner:batch:stopped"
    PARTNER_SAMPLE_DRAWN = "partner:sample:drawn"
    PARTNER_SAMPLE_RETURNED = "partner:sample:returned"
    PARTNER_WORKLIST_CHECKED = "partner:worklist:checked"
    PARTNER_WORKLIST_EXPORTED = "partner:worklist:exported"
    PARTNER_WORKLIST_RETURNED = "partner:worklist:returned"
    QUALITY_CARD_ACKNOWLEDGED = "quality:card:acknowledged"
    QUALITY_CARD_APPEALED = "quality:card:appealed"
    QUALITY_CARD_APPEAL_DECIDED = "quality:card:appeal_decided"
    QUALITY_CARD_CLOSED = "quality:card:closed"
    QUALITY_CARD_ESCALATED = "quality:card:escalated"
    QUALITY_CARD_ISSUED = "quality:card:issued"
    QUALITY_CARD_REINSTATED = "quality:card:reinstated"
    QUALITY_CARD_REMEDIED = "quality:card:remedied"
    QUALITY_CARD_WAIVER_DECIDED = "quality:card:waiver_decided"
    QUALITY_CARD_WAIVER_EXPIRED = "quality:card:waiver_expired"
    QUALITY_CARD_WAIVER_REQUESTED = "quality:card:waiver_requested"
    QUALITY_CARD_WITHDRAWN = "quality:card:withdrawn"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that happened.

    Args:
        tag: what happened.
        time: when, time zone aware.
        details: JSON values; no direct identifier.
        label: the ledger's pseudonym of the data subject, or None when it is about no person.
    """

    tag: EventTag
    time: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    label: Label | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON object the ledger records."""
        body: dict[str, Any] = {
            "event": self.tag.value,
            "time": stamp_of(self.time),
            **self.details,
        }
        if self.label is not None:
            body["subject"] = self.label.hex()
        return body
