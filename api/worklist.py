"""The worklist in figures: how many conflicts wait for whom. Never a person."""

from __future__ import annotations

from typing import Any

from access.model import Actor
from api.deliveries import partner_of
from api.outcome import Outcome
from api.services import Services
from hub.errors import RequestError
from hub.store.records import Records
from hub.store.worklist import ItemState, Worklist


def worklist_rows(
    records: Records,
    department: str | None = None,
    kind: str | None = None,
    state: str | None = None,
) -> list[dict[str, Any]]:
    """Return one row per department, kind and state: how many items, and since when.

    Raises:
        RequestError: when there is no such state.
    """
    if state is not None and state not in list(ItemState):
        raise RequestError(f"no such state; there are {', '.join(ItemState)}")
    wanted = ItemState(state) if state is not None else None
    return [
        {
            "department": figure.department,
            "kind": figure.kind,
            "title": figure.title,
            "state": figure.state.value,
            "items": figure.items,
            "oldest": figure.oldest.date().isoformat(),
        }
        for figure in Worklist(records).figures(department, kind, wanted)
    ]


def own_figures(services: Services, actor: Actor) -> Outcome:
    """Return the figures of the actor's department, of all for the data bureau.

    Raises:
        AccessDenied: when the actor is neither a partner's steward nor the bureau's.
    """
    return Outcome(200, {"rows": worklist_rows(services.records, partner_of(actor))})
