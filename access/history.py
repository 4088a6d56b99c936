"""The ledger's uses as questions that can be put again: to another policy, or to count what is used.

An entry names the actor and the case by pseudonym and the person by a label; nothing here goes
beyond that. An entry that does not say what was asked cannot be put again: it is counted, and said
why.

Source: `access.disclosure.entry`, which writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from access.model import Action, Actor
from hub.catalog import Classification
from hub.events import EventTag
from hub.ledger.log import LoggedEntry

_AT_ONCE = 1_000
_SHOWN = frozenset({
    EventTag.CITIZEN_RECORD_OPENED, EventTag.OFFICER_STATISTICS_DISCLOSED,
    EventTag.OFFICER_SUBJECT_DISCLOSED,
})  # fmt: skip
_USES = _SHOWN | {EventTag.OFFICER_STATISTICS_REFUSED, EventTag.OFFICER_SUBJECT_REFUSED}


class Lost(StrEnum):
    """Why an entry cannot be put again, alphabetical."""

    ERASED = "erased"
    OLDER = "older"  # from before entries said what was asked
    UNKNOWN = "unknown"  # the purpose or a dataset was none of the registers


@dataclass(frozen=True, slots=True)
class Use:
    """One entry about a use of data, or its refusal.

    Args:
        actor: with the ledger's pseudonym for an id, and no name.
        asked: datasets asked for, None for all that the purpose covers.
        shown: whether something was shown.
        datasets, fields: what was shown; field -> clear, masked or generalised.
        request: id that the entries of one request share.
    """

    time: datetime
    actor: Actor
    action: Action
    asked: tuple[str, ...] | None
    purpose: str
    case: bool
    shown: bool
    datasets: tuple[str, ...]
    fields: Mapping[str, str]
    rules: tuple[str, ...]
    grants: tuple[str, ...]
    request: str


class LedgerReader(Protocol):
    """A ledger, read in order."""

    @property
    def size(self) -> int:
        """Number of entries."""
        ...

    def entries(self, start: int, stop: int) -> list[LoggedEntry]:
        """Return the entries at positions [start, stop)."""
        ...


def first_since(ledger: LedgerReader, since: datetime) -> int:
    """Return the position of the first entry of that time or later; entries are in order of time."""
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        (entry,) = ledger.entries(middle, middle + 1)
        if instant(entry.time) < since:
            low = middle + 1
        else:
            high = middle
    return low


def uses(ledger: LedgerReader, start: int, stop: int) -> Iterator[tuple[int, Use | Lost]]:
    """Yield (position, use) of every entry about a use at positions [start, stop), in order.

    Entries about anything else are passed over.
    """
    for first in range(start, stop, _AT_ONCE):
        for logged in ledger.entries(first, min(first + _AT_ONCE, stop)):
            if logged.event in _USES:
                yield logged.index, use_of(logged)


def use_of(logged: LoggedEntry) -> Use | Lost:
    """Return an entry about a use as a question, or why it is none."""
    body = logged.body
    if body is None:
        return Lost.ERASED
    actor = body.get("actor", {})
    if not {"asked", "rules"} <= body.keys() or not {"area", "clearance"} <= actor.keys():
        return Lost.OLDER
    if body["purpose"] == "unknown" or "unknown" in (body["asked"] or ()):
        return Lost.UNKNOWN
    return Use(
        time=instant(body["time"]),
        actor=_actor(actor),
        action=Action(body["action"]),
        asked=None if body["asked"] is None else tuple(body["asked"]),
        purpose=body["purpose"],
        case=body["case"] is not None,
        shown=body["decision"] == "allowed" and bool(body["dataset"]),
        datasets=tuple(body["dataset"]),
        fields=body["fields"],
        rules=tuple(body["rules"]),
        grants=tuple(body.get("grants", ())),
        request=body["request"],
    )


def _actor(actor: Mapping[str, Any]) -> Actor:
    return Actor(
        id=actor["id"],
        name="",
        agency=actor["agency"],
        post=actor["post"],
        roles=tuple(actor["roles"]),
        area=tuple(actor["area"]),
        clearance=Classification[actor["clearance"]],
    )


def instant(text: str) -> datetime:
    """Return a time of the ledger."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
