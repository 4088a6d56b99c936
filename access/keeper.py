"""What is in force: the policy, and who is suspended, as the records have it.

Every worker asks here at every request. The records are looked at again after a fifth of a second
at the latest, by one small query; only when a step was taken, or an approved change comes due, is
anything read or built. A change that does not lint is not put in force, and the former one stays.
Records that cannot be read, or a clock behind the ledger, refuse everything.

Source: XACML 3.0 (PAP, PDP).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from access.changes import Course, Standing, StepKey, course, is_rollback
from access.decision import Decider
from access.escalation import escalate, overdue
from access.files import Texts, digest_of
from access.granting import Granting
from access.grants import GrantState, GrantStep, next_change, standings, too_wide
from access.grants import Standing as GrantStanding
from access.masking import Names
from access.policy import Policy, policy_of
from access.seals import Seals, seal_standings
from access.steady_clock import require_after
from hub.catalog import Catalog
from hub.errors import PolicyError, PolicyUnavailable
from hub.events import AuditEvent, EventTag
from hub.store.access_steps import STEPS, About, AccessStep, add_step, steps
from hub.store.grants import grants, take_use
from hub.store.outbox import Log
from hub.store.policies import (
    Change,
    Revision,
    add_change,
    changes,
    keep_version,
    looking,
    revision,
    version_texts,
    writing,
)
from hub.store.records import Records
from hub.store.seals import orders

_LOG = logging.getLogger("mingjing.access")
_LOOK_SECONDS = 0.2
_HUB = "hub"  # who acts when a stated time has come


@dataclass(frozen=True, slots=True)
class InForce:
    """What decides at one instant.

    Args:
        suspended: keyed names of the actors who may do nothing.
        until: when an approved change comes due, a grant or seal begins or ends, or a review is
            overdue; None for never.
        blocked: keyed names of the actors who may see nothing, and of the persons behind them ->
            number of the emergency that was not reviewed in time.
        seals: the orders under which uses are sealed.
    """

    granting: Granting
    digest: str
    suspended: frozenset[str]
    until: datetime | None
    blocked: Mapping[str, int] = field(default_factory=dict)
    seals: Seals = field(default_factory=Seals)

    @property
    def decider(self) -> Decider:
        """What decides by the policy alone."""
        return self.granting.base


class _UsedUp(Exception):
    """Carries the end of a grant out of the transaction that would have used it."""


class Keeper:
    """Knows what is in force; one in every process. Thread safe.

    Args:
        log: the ledger, which is told of every step before it counts.
        names: keyed names for recipients; without it no pseudonym is shown.
        elapsed: seconds of a counter that nobody sets.
    """

    def __init__(
        self,
        records: Records,
        catalog: Catalog,
        log: Log,
        *,
        names: Names | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._catalog = catalog
        self._log = log
        self._names = names
        self._elapsed = elapsed
        self._looking = Lock()  # guards all below
        self._looked = float("-inf")
        self._seen = Revision(-1, None)
        self._now: InForce | None = None

    @property
    def policy(self) -> Policy:
        """The policy that was last known to be in force, for the words of pages."""
        if self._now is None:
            raise PolicyUnavailable("no policy is in force yet")
        return self._now.decider.policy

    def current(self, now: datetime) -> InForce:
        """Return what is in force.

        Raises:
            PolicyUnavailable: when the records cannot be read.
            ClockDistrusted: when `now` is behind the ledger.
            LedgerError: when a step could not be told.
            PolicyError: when what is in force does not lint and this process has no former one.
        """
        known = self._now
        fresh = self._elapsed() - self._looked < _LOOK_SECONDS
        if known is not None and fresh and (known.until is None or now < known.until):
            return known
        return self.look(now)

    def look(self, now: datetime) -> InForce:
        """Do as `current`, looking at the records now whatever was known."""
        with self._looking:
            return self._look(now)

    def _look(self, now: datetime) -> InForce:
        _require_time(self._log, now)
        with looking(self._records) as session:
            seen = revision(session)
        known = self._now
        due = known is not None and known.until is not None and now >= known.until
        if known is None or due or seen != self._seen or seen.untold is not None:
            known = self._now = self._read(now, known)
        self._looked = self._elapsed()
        return known

    def _read(self, now: datetime, known: InForce | None) -> InForce:
        STEPS.tell(self._records, self._log)
        escalate(self._records, self._log, now)
        with looking(self._records) as session:
            way = course(changes(session), steps(session, About.CHANGE))
        for standing in way.due(now):
            self._activate(standing, now)
        with looking(self._records) as session:
            seen = revision(session)
            way = course(changes(session), steps(session, About.CHANGE))
            suspended = suspended_in(steps(session, About.ACTOR))
            granted = standings(grants(session), steps(session, About.GRANT), now)
            seals = Seals.of(seal_standings(orders(session), steps(session, About.SEAL), now))
        decider, digest = self._decider(way, known)
        granting = Granting(decider, tuple(self._fitting(decider, granted)))
        late = overdue(self._records, now)
        soon = (
            way.next_at(now), next_change(granted, now), late.next_at, seals.next_change(now),
        )  # fmt: skip
        times = [at for at in soon if at is not None]
        self._seen = seen
        until = min(times, default=None)
        return InForce(granting, digest, suspended, until, late.actors, seals)

    def _fitting(
        self, decider: Decider, granted: Sequence[GrantStanding]
    ) -> Iterator[GrantStanding]:
        """Yield the grants, but none that the policy in force would not let be given."""
        for standing in granted:
            lasting = standing.state in (GrantState.GIVEN, GrantState.WAITING)
            policy = decider.policy
            wide = too_wide(standing.grant, policy.sources, self._catalog) if lasting else ()
            if wide:
                _LOG.warning("grant %d does not hold any more: %s", standing.grant.id, wide[0])
                continue
            yield standing

    def spend(self, numbers: Sequence[int], now: datetime) -> bool:
        """Take a use of each of these grants, of all or none; say whether there was one of each.

        Raises:
            PolicyUnavailable: when the records cannot be written.
            LedgerError: when the end of a grant could not be told; it is told later.
        """
        size = self._log.size
        try:
            with writing(self._records) as session:
                for number in numbers:
                    self._take(session, number, now, size)
        except _UsedUp:
            return False
        STEPS.tell(self._records, self._log)
        return True

    def _take(self, session: Any, number: int, now: datetime, size: int) -> None:
        left = take_use(session, number)
        if left is None:
            raise _UsedUp
        if left == 0:
            event = AuditEvent(EventTag.ACCESS_GRANT_EXHAUSTED, now, {})
            step = AccessStep(
                About.GRANT, str(number), GrantStep.EXHAUSTED, _HUB, now, "the last use"
            )
            add_step(session, step, event, size)

    def _decider(self, way: Course, known: InForce | None) -> tuple[Decider, str]:
        """Return what decides, the one there is where it is the same or the new one does not lint."""
        if way.active is None:
            raise PolicyUnavailable("no policy was ever put in force: start the hub once")
        digest = way.active.change.digest
        if known is not None and known.digest == digest:
            return known.decider, digest
        try:
            policy = approved_policy(self._records, self._catalog, digest)
            return Decider(policy, self._catalog, self._names), digest
        except PolicyError as exc:
            if known is None:
                raise
            _LOG.error("the policy in force stays: %s", exc)
            return known.decider, known.digest

    def _activate(self, standing: Standing, now: datetime) -> None:
        """Put an approved change in force whose time has come, once in all processes."""
        number = standing.change.id
        try:
            approved_policy(self._records, self._catalog, standing.change.digest)
        except PolicyError as exc:
            _LOG.error("change %d is not put in force: %s", number, exc)
            return
        size = self._log.size
        with writing(self._records) as session:
            way = course(changes(session), steps(session, About.CHANGE))
            if all(due.change.id != number for due in way.due(now)):
                return
            back = is_rollback(way, number)
            tag = EventTag.ACCESS_POLICY_ROLLED_BACK if back else EventTag.ACCESS_POLICY_ACTIVATED
            event = AuditEvent(tag, now, {"digest": standing.change.digest})
            step = AccessStep(About.CHANGE, str(number), StepKey.ACTIVATED, _HUB, now, "due")
            add_step(session, step, event, size)
        STEPS.tell(self._records, self._log)


def _require_time(log: Log, now: datetime) -> None:
    size = log.size
    for entry in log.entries(max(0, size - 1), size):
        require_after(now, datetime.fromisoformat(entry.time))


def approved_policy(records: Records, catalog: Catalog, digest: str) -> Policy:
    """Return the policy of a stored version.

    Raises:
        PolicyError: when it does not lint with these contracts.
        PolicyUnavailable: when its texts cannot be read or are not those of the digest.
    """
    with looking(records) as session:
        texts = version_texts(session, digest)
    if texts is None or digest_of(texts) != digest:
        raise PolicyUnavailable("the texts of the policy in force are not what was approved")
    return policy_of(texts, catalog)


def active_policy(records: Records, catalog: Catalog) -> Policy | None:
    """Return the policy in force as it stands, None before one was adopted."""
    digest = active_digest(records)
    return None if digest is None else approved_policy(records, catalog, digest)


def active_digest(records: Records) -> str | None:
    """Return the digest of the policy in force, None before one was adopted."""
    with looking(records) as session:
        active = course(changes(session), steps(session, About.CHANGE)).active
    return None if active is None else active.change.digest


def suspended_in(done: tuple[AccessStep, ...]) -> frozenset[str]:
    """Return the actors, by keyed name, whose last step is a suspension."""
    last = {step.name: step.key for step in done}
    return frozenset(name for name, key in last.items() if key.startswith("suspended"))


def adopt(records: Records, catalog: Catalog, log: Log, texts: Texts, now: datetime) -> None:
    """Put the first policy of a hub in force; does nothing where one was.

    Raises:
        PolicyError: when it does not lint.
        ClockDistrusted: when `now` is behind the ledger.
        LedgerError: when the ledger cannot be told; it is told later.
    """
    with looking(records) as session:
        if changes(session):
            return
    _require_time(log, now)
    policy_of(texts, catalog)
    digest, size = digest_of(texts), log.size
    with records.writing() as session:
        if not changes(session):
            keep_version(session, digest, texts, now)
            number = add_change(session, Change(-1, digest, None, "the first policy", _HUB, now))
            event = AuditEvent(EventTag.ACCESS_POLICY_ADOPTED, now, {"digest": digest})
            step = AccessStep(About.CHANGE, str(number), StepKey.ADOPTED, _HUB, now, "first")
            add_step(session, step, event, size)
    STEPS.tell(records, log)
