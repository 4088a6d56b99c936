"""Quality cards as bodies, and what people do about them: one function for API, pages and commands.

A department sees its own cards and acts for itself; the data bureau's steward sees all of them and
decides. Who acts follows from the token and nothing else. Another department's card is
indistinguishable from none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from access.model import Actor
from api.deliveries import partner_of
from api.outcome import Outcome
from api.problems import problem
from api.services import Services
from contracts.cards.board import listed, view_of
from contracts.cards.causes import CardKind
from contracts.cards.deriving import Card
from contracts.cards.desk import CardDesk, Refused, find
from contracts.cards.words import CAUSE_TITLES, COLOUR_TITLES, STEP_TITLES
from hub.clock import second_of
from hub.errors import AccessDenied
from hub.plain import ACCOUNT
from hub.store.cards import Act, ActKind, told


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody wants to do about a card; see `hub.store.cards.Act`."""

    kind: ActKind
    reason: str
    until: date | None = None
    granted: bool | None = None


def account_of(actor: Actor) -> str:
    """Return the account an actor acts on cards by: agency and account, `bureau.steward`.

    The agency comes from the token like the rest of it, so nobody acts in another one's name.

    Raises:
        AccessDenied: when the account's name is none that a card can hold.
    """
    account = f"{actor.agency}.{actor.id}"
    if not ACCOUNT.fullmatch(account):
        raise AccessDenied(
            "账号名须为小写字母、数字和下划线，才能办理黄红牌。 / Cards are acted on by accounts of "
            "lower-case letters, digits and underscores: ask your administrator."
        )
    return account


def listing(services: Services, actor: Actor, *, only_open: bool) -> Outcome:
    """Return the cards an actor sees, red ones first.

    Raises:
        AccessDenied: when the actor is neither a partner's steward nor the bureau's.
    """
    partner = partner_of(actor)
    found = services.cards.cards(services.clock.now())
    views = listed(found, services.cards.norms, department=partner, only_open=only_open)
    return Outcome(200, {"cards": [asdict(view) for view in views]})


def detail(services: Services, actor: Actor, card_id: str) -> Outcome:
    """Return one card with its steps, and what the actor could do about it now.

    Raises:
        AccessDenied: as `listing`.
        NotFound: when there is no such card, or it is another department's.
    """
    return Outcome(200, _body(services, actor, _visible(services, actor, card_id)))


def act(services: Services, actor: Actor, card_id: str, deed: Deed) -> Outcome:
    """Do something about a card; return it as it then stands, or why that is not possible.

    Raises:
        AccessDenied, NotFound: as `detail`.
        RequestError: when the reason could hold a person's number.
        LedgerError: when the ledger cannot record; the act stands and is told later.
    """
    _visible(services, actor, card_id)
    wanted = Act(
        card=card_id,
        kind=deed.kind,
        by=account_of(actor),
        reason=deed.reason,
        at=services.clock.now(),
        until=deed.until,
        granted=deed.granted,
    )
    done = services.cards.act(services.ledger, services.clock, wanted)
    if isinstance(done, Refused):
        return _refusal(done)
    return Outcome(200, _body(services, actor, done))


def _visible(services: Services, actor: Actor, card_id: str) -> Card:
    partner = partner_of(actor)
    found = services.cards.cards(services.clock.now())
    return find((c for c in found if partner in (None, c.cause.partner)), card_id)


def _body(services: Services, actor: Actor, card: Card) -> dict[str, Any]:
    desk = services.cards
    return {
        **asdict(view_of(card, desk.norms)),
        "marks": _marks(desk, card),
        "steps": steps(desk, card),
        "acts": [kind.value for kind in _open_to(services, actor, card)],
    }


def _marks(desk: CardDesk, card: Card) -> dict[str, float] | None:
    """Return below which shares a batch gets which colour, of a card that is about that."""
    if card.cause.kind is not CardKind.BELOW_MARK:
        return None
    rules = desk.norms.rules
    return {
        f"{colour}_{name}": getattr(marks, name)
        for colour, marks in (("yellow", rules.yellow), ("red", rules.red))
        for name in ("key_accuracy_percent", "overall_percent")
    }


def _open_to(services: Services, actor: Actor, card: Card) -> tuple[ActKind, ...]:
    try:
        account = account_of(actor)
    except AccessDenied:  # it may look all the same
        return ()
    return services.cards.open_to(card, account, services.clock.now())


def _refusal(refused: Refused) -> Outcome:
    if refused.denied:
        return Outcome(403, problem(403, AccessDenied.code, AccessDenied.title, refused.reason))
    return Outcome(409, problem(409, "not-possible", "Not possible as it stands", refused.reason))


def steps(desk: CardDesk, card: Card) -> list[dict[str, Any]]:
    """Return every step of a card, oldest first, with the ledger entry that tells it.

    `ledger_entry` is None of a step that nobody has told yet: the next evaluation does.
    """
    with desk.records.reading() as session:
        entries = told(session, card.id)
    return [
        {
            "at": second_of(step.at),
            "step": STEP_TITLES[step.kind],
            "colour": COLOUR_TITLES[step.colour],
            "why": CAUSE_TITLES[step.cause] if step.act is None else step.act.reason,
            "by": step.act.by if step.act else None,
            "until": step.act.until.isoformat() if step.act and step.act.until else None,
            "granted": step.act.granted if step.act else None,
            "ledger_entry": entries.get(step.key),
        }
        for step in card.steps
    ]
