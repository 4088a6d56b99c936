"""Who makes usage records: of one disclosure or refusal, one record for each person.

What the requests of one question share is in its `Context`. Traits of the person are no part of a
record: that somebody is protected would stand beside them for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from access.model import Decision
from access.purposes import PurposeRegister
from access.usage_record import (
    Bulk,
    RecordedActor,
    SubjectRole,
    Tabulated,
    UsageAction,
    UsageRecord,
    released,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What all records of one request share.

    Args:
        case_name: keyed commitment to the case reference, hexadecimal, or None.
        snapshot: version that was read, empty when nothing was; `lake_snapshot` likewise None.
        asked: datasets that were asked for, None for all that the purpose covers.
        under: number of the lifted mask or emergency it is under, None for none.
        is_emergency: whether that is an emergency.
        seal: number of the order in force that seals it, None for none.
    """

    actor: RecordedActor
    decision: Decision
    case_name: str | None
    request_id: str
    time: datetime
    asked: tuple[str, ...] | None
    snapshot: str = ""
    lake_snapshot: int | None = None
    under: int | None = None
    is_emergency: bool = False
    seal: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one record says beside its context.

    Args:
        label: the ledger's label of the person, None where it is about none.
        reason: of a refusal that is not the decision's; else empty.
        refused: whether it was refused; a question that found nobody is not.
        nobody, limit: as in the record.
    """

    label: bytes | None = None
    role: SubjectRole = SubjectRole.ASKED_ABOUT
    datasets: Iterable[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    refused: bool = False
    nobody: bool = False
    limit: str | None = None
    counted: Tabulated | None = None
    bulk: Bulk | None = None


def record(context: Context, purposes: PurposeRegister, part: Part, *, shows: bool) -> UsageRecord:
    """Return the record of one disclosure or refusal.

    Args:
        shows: whether it is of something that is shown.
    """
    decision = context.decision
    purpose = purposes.get(decision.purpose)
    return UsageRecord(
        time=context.time,
        actor=context.actor,
        action=_action(context) if shows else UsageAction.REFUSED,
        road=decision.action,
        asked=context.asked,
        datasets=tuple(part.datasets),
        fields=part.fields,
        purpose=purpose.code if purpose else "unknown",
        legal_basis=purpose.legal_basis if purpose else "",
        case=context.case_name,
        decision="refused" if part.refused else "allowed",
        reason=part.reason or decision.reason,
        policy=decision.policy_version,
        rules=decision.rules,
        grants=decision.grants,
        snapshot=context.snapshot,
        lake_snapshot=context.lake_snapshot,
        request=context.request_id,
        subject=part.label,
        role=None if part.label is None else part.role,
        emergency=context.under,
        seal=None if part.label is None else context.seal,
        nobody=part.nobody,
        limit=part.limit,
        counted=part.counted,
        bulk=part.bulk,
    )


def _action(context: Context) -> UsageAction:
    return UsageAction.EMERGENCY if context.is_emergency else released(context.decision.action)
