"""The steward's pages: cards and what to do about them, the worklist, field samples.

Each shows the body of its JSON twin under /v1/partner and posts to the same functions. What is
refused comes back on the page itself, with the reason; nothing that was typed is in an address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from api import cards, samples, worklist
from api.cards import Deed
from api.deliveries import partner_of
from api.dependencies import CurrentServices, PageActor
from api.desk import CardId
from api.outcome import Outcome, outcome_of
from api.pages.rendering import page
from api.services import Services
from api.tokens import Session
from api.uploads import Download, at_work, received, workbook_response
from api.wire.desk import ActBody, ActName, DecideBody, ExportBody, SampleBody, WaiveBody
from hub.errors import HubError, RequestError
from hub.store.cards import ActKind

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=600)]
_CHUNK_BYTES = 1 << 20


@router.get("/partner/cards")
def card_list(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show every card the reader may see, those first that ask for something."""
    found = cards.listing(services, session.actor, only_open=False).body["cards"]
    settled = ("remedied", "closed")
    context = {
        "open_cards": [card for card in found if card["state"] not in settled],
        "settled_cards": [card for card in found if card["state"] in settled],
        "own": partner_of(session.actor),
    }
    return page(request, "card_list.html", context)


@router.get("/partner/cards/{card_id}")
def card(
    card_id: CardId, request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Show one card: evidence, steps, and a form for each thing the reader could do."""
    return _card_page(request, services, session, card_id, None)


@router.post("/partner/cards/{card_id}/{act}")
def act(
    card_id: CardId,
    act: ActName,
    request: Request,
    session: PageActor,
    services: CurrentServices,
    reason: Text = "",
    until: Text = "",
    granted: Text = "",
) -> Response:
    """Do something about a card; a refusal comes back on its page."""
    filled = {"reason": reason.strip(), "until": until, "granted": granted}
    try:
        done = cards.act(services, session.actor, card_id, _deed(ActKind(act), filled))
    except (RequestError, ValidationError) as exc:
        done = outcome_of(exc)
    if done.is_problem:
        return _card_page(request, services, session, card_id, done)
    return RedirectResponse(f"/partner/cards/{card_id}", 303)


def _deed(kind: ActKind, filled: Mapping[str, str]) -> Deed:
    reason, until, granted = filled["reason"], filled["until"], filled["granted"]
    if kind is ActKind.WAIVE:
        waive = WaiveBody.model_validate({"reason": reason, "until": until})
        return Deed(kind, waive.reason, waive.until)
    if kind is ActKind.DECIDE:
        decide = DecideBody.model_validate({"reason": reason, "granted": granted})
        return Deed(kind, decide.reason, None, decide.granted)
    return Deed(kind, ActBody(reason=reason).reason)


def _card_page(
    request: Request,
    services: Services,
    session: Session,
    card_id: str,
    refused: Outcome | None,
) -> Response:
    found = cards.detail(services, session.actor, card_id)
    context = {
        "card": found.body,
        "agency": services.vocabulary.agency(found.body["department"]),
        "account": cards.account_of(session.actor) if found.body["acts"] else "",
        "problem": refused.body if refused else None,
    }
    return page(request, "card.html", context, refused.status if refused else 200)


@router.get("/partner/worklist")
def own_worklist(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show the figures of the worklist, and the forms that hand it out and take it back."""
    return _worklist_page(request, services, session, None)


@router.post("/partner/worklist/export")
async def export(
    request: Request, session: PageActor, services: CurrentServices, case: Text = ""
) -> Response:
    """Hand the worklist out as a workbook; a refusal comes back on the page."""

    def work() -> Download:
        body = ExportBody.model_validate({"case": case.strip()})
        return worklist.hand_out(services, session.actor, body.case, body.limit)

    show = partial(_worklist_page, request, services, session)
    return await _handed_out(services, work, show)


@router.post("/partner/worklist/return")
async def take_worklist_back(
    request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Take the filled workbook back and say what was taken."""
    take = partial(worklist.take_back, services, session.actor)
    done = await _taken_back(request, services, take)
    return await run_in_threadpool(_worklist_page, request, services, session, done)


def _worklist_page(
    request: Request, services: Services, session: Session, done: Outcome | None
) -> Response:
    context = {
        **_told(done),
        "rows": worklist.own_figures(services, session.actor).body["rows"],
        "agencies": services.vocabulary.roles.agencies,
        "own": partner_of(session.actor),
    }
    return page(request, "worklist.html", context, done.status if done else 200)


@router.get("/partner/samples")
def own_samples(request: Request, session: PageActor, services: CurrentServices) -> Response:
    """Show the field samples and what they prove, and the forms that draw and return one."""
    return _samples_page(request, services, session, None)


@router.post("/partner/samples")
async def draw(
    request: Request,
    session: PageActor,
    services: CurrentServices,
    dataset: Text = "",
    case: Text = "",
    level: Text = "community",
) -> Response:
    """Draw a sample and hand its worksheet out; a refusal comes back on the page."""

    def work() -> Download:
        filled = {"dataset": dataset, "case": case.strip(), "level": level}
        body = SampleBody.model_validate(filled)
        return samples.draw(services, session.actor, body.dataset, body.case, body.level)

    show = partial(_samples_page, request, services, session)
    return await _handed_out(services, work, show)


@router.post("/partner/samples/return")
async def take_sample_back(
    request: Request, session: PageActor, services: CurrentServices
) -> Response:
    """Take the filled worksheet back and say what it proves."""
    take = partial(samples.take_back, services, session.actor)
    done = await _taken_back(request, services, take)
    return await run_in_threadpool(_samples_page, request, services, session, done)


def _samples_page(
    request: Request, services: Services, session: Session, done: Outcome | None
) -> Response:
    context = {
        **_told(done),
        "samples": samples.listing(services, session.actor).body["samples"],
        "drawable": samples.drawable(services, session.actor),
        "own": partner_of(session.actor),
    }
    return page(request, "samples.html", context, done.status if done else 200)


def _told(done: Outcome | None) -> dict[str, Any]:
    failed = done is not None and done.is_problem
    return {
        "problem": done.body if done and failed else None,
        "taken": done.body if done and not failed else None,
    }


async def _handed_out(
    services: Services,
    work: Callable[[], Download],
    show: Callable[[Outcome | None], Response],
) -> Response:
    try:
        return workbook_response(await at_work(services, work))
    except (HubError, ValidationError) as exc:
        return await run_in_threadpool(show, outcome_of(exc))


async def _taken_back(
    request: Request, services: Services, take: Callable[[Path], Outcome]
) -> Outcome:
    """Return what came of the workbook in a form; who is not signed in was refused before."""
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        try:
            if not isinstance(file, UploadFile) or not file.size:
                raise RequestError("请选择文件。 / Choose the file first.")
            async with received(services.settings, _chunks(file)) as path:
                return await at_work(services, partial(take, path))
        except HubError as exc:
            return outcome_of(exc)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK_BYTES):
        yield chunk
