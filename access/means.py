"""What every road from stored rows to a person works with, and how its entries are made.

The guard and the reconciler decide by the same policy, read the same snapshot, name actors and
cases by the same keys, and tell the same ledger.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from access import disclosure
from access.decision import Decider
from access.disclosure import Context
from access.model import Actor, Decision
from access.ports import GuardKeys, LedgerLog, Snapshots
from hub.clock import Clock
from hub.ledger.writer import Entry


def request_id() -> str:
    """Return an id for a request that comes without one."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Means:
    """Policy, snapshots, ledger, keys and clock of one installation.

    Args:
        identify: makes the id of a request that comes without one.
    """

    decider: Decider
    snapshots: Snapshots
    ledger: LedgerLog
    keys: GuardKeys
    clock: Clock
    identify: Callable[[], str] = request_id

    def context(
        self,
        actor: Actor,
        decision: Decision,
        case: str | None,
        *,
        request_id: str = "",
        snapshot: str = "",
    ) -> Context:
        """Return what all entries of one request share; actor and case as pseudonyms."""
        return Context(
            actor=actor,
            actor_name=self.keys.actor.of(actor.id).hex(),
            decision=decision,
            case_name=self.keys.case.of(case.strip()).hex() if case else None,
            request_id=request_id or self.identify(),
            snapshot=snapshot,
            time=self.clock.now(),
        )

    def entry(self, context: Context, released: bool, **parts: Any) -> Entry:
        """Return the entry of one disclosure or refusal."""
        action = context.decision.action
        tag = disclosure.disclosed(action) if released else disclosure.refused(action)
        return disclosure.entry(context, self.decider.policy.purposes, tag, **parts)
