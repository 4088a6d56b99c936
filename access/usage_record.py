"""The one usage record: what the ledger is told of a use of data, and what is read back from it.

`access.disclosure` makes it; everybody who reads the ledger's uses reads it from here. It names
actor and case by keyed pseudonym, the person by the ledger's label, and holds no value that was
shown. docs/events.md has the table of its members.

Source: 个人信息保护法 55-56 (processing records).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from access.model import Action, Actor
from hub.catalog import Classification
from hub.clock import stamp_of
from hub.errors import LedgerError
from hub.events import EventTag
from hub.ledger.log import LoggedEntry
from hub.ledger.writer import Entry

_NOT_A_USE = "an entry of the ledger does not say what a use of data says"


class UsageAction(StrEnum):
    """What was done with the data, alphabetical."""

    BULK = "bulk"
    COUNTED = "counted"
    EMERGENCY = "emergency"
    EXPORTED = "exported"
    LISTED = "listed"
    OPENED = "opened"
    OWN = "own"
    REFUSED = "refused"
    UNMASKED = "unmasked"


class SubjectRole(StrEnum):
    """Why a person is in a use: they were asked about, or stand in what was shown of another."""

    ASKED_ABOUT = "asked_about"
    INCIDENTAL = "incidental"


_RELEASED: Mapping[Action, UsageAction] = {
    Action.AGGREGATE: UsageAction.COUNTED,
    Action.EXPORT: UsageAction.BULK,
    Action.LIST: UsageAction.LISTED,
    Action.LOOKUP: UsageAction.OPENED,
    Action.OWN: UsageAction.OWN,
    Action.RECONCILE: UsageAction.EXPORTED,
    Action.SAMPLE: UsageAction.EXPORTED,
    Action.SEARCH: UsageAction.LISTED,
    Action.UNMASK: UsageAction.UNMASKED,
}
_EVENTS: Mapping[Action, tuple[EventTag, EventTag]] = {
    Action.AGGREGATE: (EventTag.OFFICER_STATISTICS_DISCLOSED, EventTag.OFFICER_STATISTICS_REFUSED),
    Action.EXPORT: (EventTag.OFFICER_BULK_DISCLOSED, EventTag.OFFICER_BULK_REFUSED),
    Action.OWN: (EventTag.CITIZEN_RECORD_OPENED, EventTag.CITIZEN_RECORD_OPENED),
}
_ABOUT_PERSONS = (EventTag.OFFICER_SUBJECT_DISCLOSED, EventTag.OFFICER_SUBJECT_REFUSED)
#: Every event that is about a use of data.
USES = frozenset((*_ABOUT_PERSONS, *(tag for tags in _EVENTS.values() for tag in tags)))


def released(road: Action) -> UsageAction:
    """Return what a road does with data that it shows."""
    return _RELEASED[road]


@dataclass(frozen=True, slots=True)
class RecordedActor:
    """Who asked, as the ledger has them.

    Args:
        id: keyed pseudonym, hexadecimal.
        post: empty for a citizen.
    """

    id: str
    agency: str
    post: str
    roles: tuple[str, ...]
    area: tuple[str, ...]
    clearance: Classification

    @classmethod
    def of(cls, actor: Actor, name: str) -> RecordedActor:
        """Return an actor under the pseudonym of their account."""
        post = "" if actor.agency == "public" else actor.post
        return cls(name, actor.agency, post, actor.roles, actor.area, actor.clearance)

    def as_actor(self) -> Actor:
        """Return somebody the policy says the same to; the id is the pseudonym."""
        return Actor(self.id, "", self.agency, self.post, self.roles, self.area, self.clearance)

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "id": self.id,
            "agency": self.agency,
            "post": self.post,
            "roles": list(self.roles),
            "area": list(self.area),
            "clearance": self.clearance.name,
        }

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> RecordedActor:
        """Return what `body` wrote."""
        return cls(
            body["id"],
            body["agency"],
            body["post"],
            tuple(body["roles"]),
            tuple(body["area"]),
            Classification[body["clearance"]],
        )


@dataclass(frozen=True, slots=True)
class Tabulated:
    """How counts were broken down and protected.

    Args:
        epsilon: thousandths, None without noise; `period` is the budget's.
    """

    by: tuple[str, ...]
    cells: int
    suppressed: int
    rounded_to: int
    epsilon: int | None = None
    period: str | None = None

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        noise = {"epsilon_thousandths": self.epsilon, "period": self.period}
        return {
            "by": list(self.by),
            "cells": self.cells,
            "suppressed": self.suppressed,
            "rounded_to": self.rounded_to,
            **(noise if self.epsilon is not None else {}),
        }

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Tabulated | None:
        """Return what `body` wrote, None where nothing was counted."""
        if "by" not in body:
            return None
        return cls(
            by=tuple(body["by"]),
            cells=body["cells"],
            suppressed=body["suppressed"],
            rounded_to=body["rounded_to"],
            epsilon=body.get("epsilon_thousandths"),
            period=body.get("period"),
        )


@dataclass(frozen=True, slots=True)
class Bulk:
    """A file of persons; who they are, the entry right after it commits to.

    Args:
        id: 16 bytes that name it; the tokens of its persons hang on them.
        persons: everybody whom it says something of.
        sha256: of the file, hexadecimal.
        area: division or grid codes the persons live in; none is everywhere.
    """

    id: bytes
    persons: int
    rows: int
    form: str
    sha256: str
    area: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "id": self.id.hex(),
            "persons": self.persons,
            "rows": self.rows,
            "format": self.form,
            "sha256": self.sha256,
            "area": list(self.area),
        }

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Bulk | None:
        """Return what `body` wrote into a record, None where it is of no file of persons."""
        said = body.get("bulk")
        if said is None:
            return None
        return cls(
            bytes.fromhex(said["id"]),
            said["persons"],
            said["rows"],
            said["format"],
            said["sha256"],
            tuple(said["area"]),
        )


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One use of data, or the refusal of one.

    Args:
        road: which of the guard's roads was taken, by what was asked for.
        asked: datasets asked for, `unknown` for what the catalogue lacks; None for all.
        datasets: what was shown; `fields`: "dataset.column" -> clear, masked or generalised.
        case: keyed commitment to the case reference, hexadecimal, or None.
        snapshot: serving version that was read, empty when nothing was.
        lake_snapshot: number of the lake snapshot it was made of, None when nothing was read.
        subject: the ledger's label of the person, None where it is about none; `role` goes with it.
        emergency: number of the lifted mask or emergency it is under.
        seal: number of the order that keeps it out of its subject's sight, None for none.
        nobody: whether the question was allowed and nobody was shown.
        limit: the limit it was refused for.
    """

    time: datetime
    actor: RecordedActor
    action: UsageAction
    road: Action
    asked: tuple[str, ...] | None
    datasets: tuple[str, ...]
    fields: Mapping[str, str]
    purpose: str
    legal_basis: str
    case: str | None
    decision: Literal["allowed", "refused"]
    reason: str
    policy: str
    rules: tuple[str, ...]
    grants: tuple[str, ...]
    snapshot: str
    lake_snapshot: int | None
    request: str
    subject: bytes | None = None
    role: SubjectRole | None = None
    emergency: int | None = None
    seal: int | None = None
    nobody: bool = False
    limit: str | None = None
    counted: Tabulated | None = None
    bulk: Bulk | None = None

    @property
    def event(self) -> EventTag:
        """The tag of its entry."""
        disclosed, refused = _EVENTS.get(self.road, _ABOUT_PERSONS)
        return refused if self.action is UsageAction.REFUSED else disclosed

    @property
    def shown(self) -> bool:
        """Whether something was shown."""
        return self.action is not UsageAction.REFUSED and bool(self.datasets)

    @property
    def incidental(self) -> bool:
        """Whether it is about somebody who was not asked about."""
        return self.role is SubjectRole.INCIDENTAL

    def body(self) -> dict[str, Any]:
        """Return the JSON object that the ledger keeps; `parse` reads it back."""
        body: dict[str, Any] = {
            "event": self.event.value,
            "time": stamp_of(self.time),
            "actor": self.actor.body(),
            "action": self.action.value,
            "road": self.road.value,
            "asked": None if self.asked is None else list(self.asked),
            "dataset": list(self.datasets),
            "fields": dict(self.fields),
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "case": self.case,
            "decision": self.decision,
            "reason": self.reason,
            "policy": self.policy,
            "rules": list(self.rules),
            "grants": list(self.grants),
            "snapshot": self.snapshot,
            "lake_snapshot": self.lake_snapshot,
            "request": self.request,
        }
        if self.subject is not None and self.role is not None:
            body["subject"], body["role"] = self.subject.hex(), self.role.value
        if self.emergency is not None:
            body["emergency"] = self.emergency
        if self.seal is not None:
            body["seal"] = self.seal
        if self.nobody:
            body["nobody"] = True
        if self.limit is not None:
            body["limit"] = self.limit
        if self.counted is not None:
            body.update(self.counted.body())
        if self.bulk is not None:
            body["bulk"] = self.bulk.body()
        return body

    def entry(self) -> Entry:
        """Return its entry."""
        return Entry(self.subject, self.body(), sealed=self.seal is not None)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> UsageRecord:
        """Return the record that `body` wrote.

        Raises:
            LedgerError: when it is none, or a member is missing or of the wrong kind.
        """
        try:
            record = cls._read(body)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise LedgerError(_NOT_A_USE) from None
        if record.event.value != body.get("event"):
            raise LedgerError(_NOT_A_USE)
        return record

    @classmethod
    def _read(cls, body: Mapping[str, Any]) -> UsageRecord:
        subject, role = body.get("subject"), body.get("role")
        if (subject is None) != (role is None) or body["decision"] not in ("allowed", "refused"):
            raise LedgerError(_NOT_A_USE)
        return cls(
            time=datetime.fromisoformat(body["time"]),
            actor=RecordedActor.parse(body["actor"]),
            action=UsageAction(body["action"]),
            road=Action(body["road"]),
            asked=None if body["asked"] is None else tuple(body["asked"]),
            datasets=tuple(body["dataset"]),
            fields=dict(body["fields"]),
            purpose=body["purpose"],
            legal_basis=body["legal_basis"],
            case=body["case"],
            decision=body["decision"],
            reason=body["reason"],
            policy=body["policy"],
            rules=tuple(body["rules"]),
            grants=tuple(body["grants"]),
            snapshot=body["snapshot"],
            lake_snapshot=body["lake_snapshot"],
            request=body["request"],
            subject=None if subject is None else bytes.fromhex(subject),
            role=None if role is None else SubjectRole(role),
            emergency=body.get("emergency"),
            seal=body.get("seal"),
            nobody=body.get("nobody", False),
            limit=body.get("limit"),
            counted=Tabulated.parse(body),
            bulk=Bulk.parse(body),
        )


def is_use(logged: LoggedEntry) -> bool:
    """Say whether an entry is about a use of data, erased or not."""
    return logged.event in USES


def usage_of(logged: LoggedEntry) -> UsageRecord | None:
    """Return the use an entry is about, None where it is about none or was erased.

    Raises:
        LedgerError: when an entry about a use does not say what a use says.
    """
    body = logged.body if is_use(logged) else None
    return None if body is None else UsageRecord.parse(body)
