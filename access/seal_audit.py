"""Whether every seal in the ledger was approved, and every sealed use released in time.

Whoever can write the records' tables could have an order without approver, one without an end, or
none of it left; what is in the ledger they cannot change. So this asks the ledger alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from access.seal_release import GRACE, SealedLog, SealedUse, releases, sealed_uses, since
from hub.events import EventTag
from hub.ledger.checks.findings import Finding
from hub.ledger.entry import SYSTEM

#: After the end of an order: a publisher that stood still for so long is no tampering.
PATIENCE = timedelta(days=1)


class _Told:
    """What the ledger was told of one order: when it was first approved, and its end."""

    def __init__(self) -> None:
        self.approved: datetime | None = None
        self.until: dict[int, datetime] = {}  # term -> its end
        self.lifted: datetime | None = None

    @property
    def ends(self) -> datetime | None:
        """The first instant at which it no longer holds, None while it was not approved."""
        ends = max(self.until.values(), default=None)
        return ends if ends is None or self.lifted is None else min(ends, self.lifted)


def seal_findings(log: SealedLog, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the seals of a ledger.

    Raises:
        LedgerError: when a sealed entry does not say what a use says.
    """
    uses = sealed_uses(log)
    if not uses:
        return
    orders, released = _orders(log), releases(log, uses)
    for use in uses:
        problem = _problem(use, orders.get(use.order, _Told()), now, use.index in released)
        if problem:
            yield Finding(use.index, "seal", f"order {use.order} {problem}")


def _problem(use: SealedUse, order: _Told, now: datetime, is_released: bool) -> str | None:
    time = use.use.time
    if now < time + GRACE:  # an approval that is known is told within seconds
        return None
    if order.approved is None or order.ends is None or time < order.approved:
        return "was not approved when it sealed this use"
    if time >= order.ends + GRACE:  # other processes know within seconds that it was lifted
        return f"held until {order.ends.isoformat()}, and this use was made after that"
    if not is_released and now >= order.ends + GRACE + PATIENCE:
        return f"ended at {order.ends.isoformat()}, and this use is not released to its subject"
    return None


def _orders(log: SealedLog) -> dict[int, _Told]:
    """Return what the ledger was told of each order, by number."""
    found: dict[int, _Told] = defaultdict(_Told)
    for entry in since(log, SYSTEM, 0):  # the newest first
        body = entry.body if entry.event in _STEPS else None
        if body is None:
            continue
        order = found[int(body["name"])]
        if entry.event == EventTag.ACCESS_SEAL_LIFTED:
            order.lifted = datetime.fromisoformat(body["time"])
        else:
            order.approved = datetime.fromisoformat(body["time"])
            order.until[int(body["term"])] = datetime.fromisoformat(body["until"])
    return dict(found)


_STEPS = frozenset({EventTag.ACCESS_SEAL_APPROVED, EventTag.ACCESS_SEAL_LIFTED})
