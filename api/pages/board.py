"""The quality board and the partner's pages, over the same functions as the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import cards, catalogue, deliveries, worklist
from api.dependencies import CurrentServices, PageActor
from api.pages.chart import Line, trend
from api.pages.rendering import page
from api.partner import BatchId, feedback_file
from hub.store.worklist import WAITING

router = APIRouter(include_in_schema=False)

_MOST_BATCHES = 100


@router.get("/board")
def board(request: Request, services: CurrentServices) -> Response:
    """Show the quality of every dataset, what was stopped, and the catalogue."""
    found = services.scoreboard.board()
    context = {
        "board": found,
        "trends": _trends(found),
        "datasets": catalogue.datasets(services).body["datasets"],
    }
    return page(request, "board.html", context)


@router.get("/partner")
def partner(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show what the partner has to see to, its own board and its deliveries."""
    own = deliveries.partner_of(session.actor)
    found = services.scoreboard.board(own)
    context = {
        "board": found,
        "trends": _trends(found),
        "batches": deliveries.batches(services, session.actor, _MOST_BATCHES).body["batches"],
        "open_cards": cards.listing(services, session.actor, only_open=True).body["cards"],
        "waiting": sum(
            row["items"]
            for row in worklist.own_figures(services, session.actor).body["rows"]
            if row["state"] in WAITING
        ),
        "own": own,
    }
    return page(request, "partner.html", context)


def _trends(board: Mapping[str, Any]) -> dict[str, str]:
    """Return the drawing of each department's trend."""
    lines = (
        Line("目标", board["target"], "target"),
        Line("红线", board["red"], "red"),
    )
    return {
        row["department"]: trend(
            [(point["month"], point["percent"]) for point in row["trend"]],
            lines,
            title=f"{row['title']}：各月准确率 / accuracy by month, %",
        )
        for row in board["departments"]
        if row["trend"]
    }


@router.get("/partner/batches/{batch_id}")
def batch(
    batch_id: BatchId, request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Show one delivery rule by rule."""
    found = deliveries.batch(services, session.actor, batch_id)
    return page(request, "batch.html", {"batch": found.body})


@router.get("/partner/batches/{batch_id}/feedback")
def feedback(batch_id: BatchId, session: PageActor, services: CurrentServices) -> Response:
    """Return the feedback file of an own delivery."""
    return feedback_file(deliveries.feedback(services, session.actor, batch_id))
