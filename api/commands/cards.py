"""`hub cards`: the quality cards, and what people do about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cards import steps
from api.commands.ledger import open_ledger
from api.commands.options import Home, Json, require_department, settings_of
from api.console import door, out, print_json, print_rows
from contracts.cards.board import listed, view_of
from contracts.cards.deriving import Card
from contracts.cards.desk import CardDesk, Refused, find
from contracts.codes import load_code_sets
from contracts.versions.in_force import load_in_force
from hub.clock import Clock, SystemClock
from hub.config import Settings
from hub.errors import RequestError
from hub.store.cards import Act, ActKind
from hub.store.records import Records

app = typer.Typer(no_args_is_help=True, help="Quality cards: list, show, act, decide.")

CardId = Annotated[str, typer.Argument(help="Id of the card.")]
Account = Annotated[
    str, typer.Option("--account", help="Account or office that acts; no person's name.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; no person's number.")]


@dataclass(frozen=True, slots=True)
class _Office:
    """What a command about cards works with."""

    settings: Settings
    clock: Clock
    desk: CardDesk


@contextmanager
def _office(home: Path | None) -> Iterator[_Office]:
    settings = settings_of(home)
    code_sets = load_code_sets(settings.contract_folders)
    with Records.open(settings) as records:
        contracts = load_in_force(settings, records, code_sets).contracts
        yield _Office(settings, SystemClock(), CardDesk.of(records, contracts, settings))


@app.command("list")
def list_cards(
    only_open: Annotated[bool, typer.Option("--open", help="Only cards that stand.")] = False,
    department: Annotated[str | None, typer.Option(help="Only this department's.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List quality cards, red ones first: why, what to do and by when."""
    with door(), _office(home) as office:
        require_department(office.settings, department)
        found = office.desk.cards(office.clock.now())
        views = listed(found, office.desk.norms, department=department, only_open=only_open)
        rows = [
            asdict(view)
            if as_json
            else {
                "card": view.id,
                "colour": view.colour_title,
                "state": view.state_title,
                "kind": view.kind_title,
                "dataset": view.dataset,
                "period": view.period,
                "remedy_by": view.remedy_by,
            }
            for view in views
        ]
        print_rows("Quality cards", rows, as_json=as_json, empty="none")


@app.command()
def show(card_id: CardId, home: Home = None, as_json: Json = False) -> None:
    """Show one card: evidence, what to do, and every step with its ledger entry."""
    with door(), _office(home) as office:
        card = find(office.desk.cards(office.clock.now()), card_id)
        _print(office, card, as_json=as_json)


@app.command()
def acknowledge(
    card_id: CardId, account: Account, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Say that the department has the card and sees to it."""
    _act(home, Act(card_id, ActKind.ACKNOWLEDGE, account, reason, _now()), as_json)


@app.command()
def appeal(
    card_id: CardId, account: Account, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Dispute a card, once; until it is decided the card does not turn red."""
    _act(home, Act(card_id, ActKind.APPEAL, account, reason, _now()), as_json)


@app.command()
def waive(
    card_id: CardId,
    account: Account,
    reason: Reason,
    until: Annotated[str, typer.Option(help="Last day of the waiver, YYYY-MM-DD.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask that a card be waived until a day; somebody else decides (`hub cards decide`)."""
    with door():
        day = _day(until)
    _act(home, Act(card_id, ActKind.WAIVE, account, reason, _now(), until=day), as_json)


@app.command()
def decide(
    card_id: CardId,
    account: Account,
    reason: Reason,
    grant: Annotated[bool, typer.Option("--grant/--refuse", help="The decision.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Decide the appeal or waiver that is open; never one's own, nor one's department's."""
    act = Act(card_id, ActKind.DECIDE, account, reason, _now(), granted=grant)
    _act(home, act, as_json)


@app.command()
def close(
    card_id: CardId, account: Account, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Close a remedied card before it closes by itself."""
    _act(home, Act(card_id, ActKind.CLOSE, account, reason, _now()), as_json)


def _now() -> datetime:
    return SystemClock().now()


def _act(home: Path | None, act: Act, as_json: bool) -> None:
    with door(), _office(home) as office, open_ledger(office.settings) as ledger:
        done = office.desk.act(ledger, office.clock, act)
        if isinstance(done, Refused):
            raise RequestError(done.reason)
        _print(office, done, as_json=as_json)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RequestError("--until: 请写 YYYY-MM-DD / a day is wanted, as YYYY-MM-DD") from None


def _print(office: _Office, card: Card, *, as_json: bool) -> None:
    view = asdict(view_of(card, office.desk.norms))
    taken = steps(office.desk, card)
    if as_json:
        print_json({**view, "steps": taken})
        return
    for name, value in view.items():
        if value is not None:
            out.print(f"[bold]{name.replace('_', ' ')}[/]: ", end="")
            out.print(str(value), markup=False, soft_wrap=True)
    print_rows("Steps", taken, as_json=False)
