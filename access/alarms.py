"""Alarms: who was shown many persons in a day, or asked for more than is allowed. Told once each.

Source: 法释〔2017〕10号 5(1)(3)-(5) and (8): from 50, 500 or 5,000 persons on it is a crime, half of
that for who has the data by office. That so many alarm in one day is this project's choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.charges import Charge
from access.ports import LedgerLog
from hub.catalog import Classification
from hub.events import AuditEvent, EventTag
from hub.ledger.log import LoggedEntry
from hub.ledger.writer import Entry
from hub.store.usage import Counters

#: What was shown in clear, at least -> different persons a day from which it is told.
ALARMS: Mapping[Classification, int] = {
    Classification.L4: 25,
    Classification.L3: 250,
    Classification.L1: 2_500,
}
#: How the events of alarms begin.
ALARM = "access:limit:"

_TAGS = (EventTag.ACCESS_LIMIT_EXCEEDED, EventTag.ACCESS_LIMIT_REACHED)
_ANY = "shown"
_CLAIM_SECONDS = 60.0  # longer than any wait for the ledger
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Alarm:
    """An entry that is told once an actor and day, and what it is counted as."""

    actor: str
    what: str
    slot: str
    entry: Entry


def see(counters: Counters, charge: Charge) -> dict[Classification, int]:
    """Count who is shown.

    Returns:
        Of each level at which somebody is new today, how many were shown that much by now.
    """
    actor, day, totals = charge.account, charge.day, {}
    shown, new = f"shown {charge.purpose}", 0
    for label, level in charge.persons.items():
        if not counters.level(actor, shown, day, label):
            counters.see(actor, shown, day, label)
            new += 1
        before = counters.level(actor, _ANY, day, label)
        if level > before:
            counters.see(actor, _ANY, day, label, level)
            for reached in ALARMS:
                if before < reached <= level:
                    totals[reached] = counters.add(actor, reached.name, day)
    in_file, level = charge.in_bulk
    if in_file:
        for reached in ALARMS:
            if reached <= level:
                totals[reached] = counters.add(actor, reached.name, day, in_file)
    if new + in_file:
        counters.add(actor, shown, day, new + in_file)
    return totals


def reached(counters: Counters, charge: Charge) -> list[Alarm]:
    """Count who is shown; return the alarms that are yet to be told of that."""
    totals = see(counters, charge)
    found = [
        _alarm(counters, charge, EventTag.ACCESS_LIMIT_REACHED, level.name, ALARMS[level], persons)
        for level, persons in totals.items()
        if persons >= ALARMS[level]
    ]
    return [alarm for alarm in found if alarm is not None]


def exceeded(counters: Counters, charge: Charge, limit: str, most: int) -> list[Alarm]:
    """Return the alarm of a limit that was exceeded, if it is yet to be told."""
    alarm = _alarm(counters, charge, EventTag.ACCESS_LIMIT_EXCEEDED, limit, most, None)
    return [alarm] if alarm is not None else []


def _alarm(
    counters: Counters, charge: Charge, tag: EventTag, limit: str, most: int, persons: int | None
) -> Alarm | None:
    """Return what has to be told, None when it was or somebody is about to."""
    now, actor = charge.at, charge.actor
    what = _told_as(tag, limit, charge.purpose)
    if not counters.claim(actor.id, what, charge.day, now.timestamp(), _CLAIM_SECONDS):
        return None
    details = {
        "actor": {"id": actor.id, "agency": actor.agency, "post": actor.post},
        "limit": limit,
        "threshold": most,
        "persons": persons,
        "purpose": charge.purpose,
        "request": charge.request,
    }
    return Alarm(actor.id, what, charge.day, Entry.of(AuditEvent(tag, now, details)))


def confirm(counters: Counters, body: Mapping[str, Any], day: str) -> None:
    """Remember that an alarm of the ledger was told; `body` is its entry's."""
    what = _told_as(body["event"], body["limit"], body["purpose"])
    counters.confirm(body["actor"]["id"], what, day)


def _told_as(event: str, limit: str, purpose: str) -> str:
    """Return what an alarm is told but once of: a level, or a limit of a purpose."""
    return limit if event == EventTag.ACCESS_LIMIT_REACHED else f"{limit} {purpose}"


def alarms(ledger: LedgerLog, since: str) -> Iterator[dict[str, Any]]:
    """Yield the alarms of a day and after, newest first.

    Args:
        since: ISO day.

    Yields:
        index, time, event, actor (pseudonym), agency, post, limit, threshold, persons, purpose.
    """
    stop = ledger.size
    while stop > 0:
        start = max(0, stop - _PAGE)
        for logged in reversed(ledger.entries(start, stop)):
            if logged.time < since:
                return
            if logged.event in _TAGS and logged.body is not None:
                yield _row(logged)
        stop = start


def _row(logged: LoggedEntry) -> dict[str, Any]:
    body = logged.body or {}
    actor = body["actor"]
    return {
        "index": logged.index,
        "time": logged.time,
        "event": logged.event,
        "actor": actor["id"],
        "agency": actor["agency"],
        "post": actor["post"],
        **{name: body[name] for name in ("limit", "threshold", "persons", "purpose")},
    }
