"""The worklist for API, pages and commands: in figures, handed out, taken back.

Figures never name a person. What is handed out does: `api.exchange` has policy and ledger decide,
for the department that the actor is of and no other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from access.model import Actor
from api.deliveries import partner_of
from api.outcome import Outcome
from api.services import Services
from api.uploads import Download
from hub.errors import AccessDenied, NotFound, RequestError
from hub.store.records import Records
from hub.store.worklist import ItemState, Worklist

#: Items of one workbook that leaves over HTTP; the next one has the rest.
MOST_ITEMS = 5_000


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
        raise RequestError(f"没有此状态，可用 / no such state; there are {', '.join(ItemState)}")
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


def hand_out(services: Services, actor: Actor, case: str, limit: int = MOST_ITEMS) -> Download:
    """Return the worklist of the actor's department as a workbook.

    Raises:
        AccessDenied: when the actor is no steward, or policy refuses; that refusal is recorded.
        NotFound: when nothing waits.
        LedgerError: when the disclosure could not be recorded; there is no workbook then.
    """
    from api.exchange import Order, hand_out  # reads and writes workbooks: only when asked for

    partner_of(actor)
    parts: list[bytes] = []
    done = hand_out(services, Order(actor, case, limit), parts.append)
    if not done.items:
        raise NotFound("没有待核对的事项。 / Nothing waits for your department.")
    day = services.clock.now().date().isoformat()
    return Download(f"worklist-{actor.agency}-{day}.xlsx", b"".join(parts))


def take_back(services: Services, actor: Actor, path: Path) -> Outcome:
    """Take the answers of the actor's department back, all of them or none.

    Raises:
        AccessDenied: when the actor is no department's steward.
        DeliveryRefused: with the cells that were edited in the wrong place; nothing is taken.
        NotFound: when it is another department's workbook.
        LedgerError: when the return could not be recorded; nothing is taken then.
    """
    from api.exchange import UPLOADED, take_back  # reads workbooks: only when one comes

    if partner_of(actor) is None:
        raise AccessDenied(
            "由收到清单的部门退回。 / The department that it was handed to returns it."
        )
    back = take_back(services, path, actor.id, actor.agency, UPLOADED)
    body = {
        "department": back.department,
        "answers": dict(back.answers),
        "unanswered": back.unanswered,
    }
    return Outcome(200, body)
