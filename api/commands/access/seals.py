"""`hub access seal order|approve|decline|renew|lift|uses` and `seals`: uses kept from their subjects.

Who orders is of the agency whose uses are sealed; who approves is another person. No command takes
an order away.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from access.duties import Official, Refusal
from access.seal_desk import SealDesk, WantedSeal
from access.seal_release import SealedUse
from access.seals import SEAL_TITLES, SealStanding
from api.commands.access.office import By, Office, Reason, done, instant, number_of, office
from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from hub.clock import stamp_of
from hub.errors import RequestError

app = typer.Typer()
seal = typer.Typer(
    no_args_is_help=True, help="Keep uses from their subjects for a time, with a second person."
)

Number = Annotated[str, typer.Argument(help="Number of the order.")]
Until = Annotated[str, typer.Option(help="The first instant at which it no longer holds.")]


@seal.command("order")
def order(
    by: By,
    reason: Reason,
    ground: Annotated[str, typer.Option(help="Code of a ground, such as criminal_inquiry.")],
    purpose: Annotated[
        list[str], typer.Option(help="Purpose it covers; may be given several times.")
    ],
    case: Annotated[str, typer.Option(help="Case reference it covers.")],
    until: Until,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="When it begins; default now.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask for an order; it holds once a second person has approved it."""
    with door(), office(home) as at:
        act = at.act(by, reason)
        begins, ends = instant(valid_from, "--from"), instant(until, "--until")
        if ends is None:
            raise RequestError("--until")
        wanted = WantedSeal(ground, tuple(purpose), case, begins or act.at, ends)
        _print(done(at.seals.order(wanted, _official(at, by, reason), act)), as_json=as_json)


@seal.command("approve")
def approve(
    number: Number, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Approve, as the second person, an order or the renewal that waits."""
    with door(), office(home) as at:
        official, act = _official(at, by, reason), at.act(by, reason)
        _print(done(at.seals.approve(number_of(number), official, act)), as_json=as_json)


@seal.command("decline")
def decline(
    number: Number, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Decline an order or the renewal that waits; who asked may take it back."""
    with door(), office(home) as at:
        official, act = _official(at, by, reason), at.act(by, reason)
        _print(done(at.seals.decline(number_of(number), official, act)), as_json=as_json)


@seal.command("renew")
def renew(
    number: Number,
    by: By,
    reason: Reason,
    until: Until,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask for an order to hold longer; without an approval in time it ends as it would have."""
    with door(), office(home) as at:
        official, act = _official(at, by, reason), at.act(by, reason)
        ends = instant(until, "--until") or act.at
        _print(done(at.seals.renew(number_of(number), ends, official, act)), as_json=as_json)


@seal.command("lift")
def lift(number: Number, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """End an order at once; what it sealed is then shown to its subjects."""
    with door(), office(home) as at:
        official, act = _official(at, by, reason), at.act(by, reason)
        _print(done(at.seals.lift(number_of(number), official, act)), as_json=as_json)


@seal.command("uses")
def uses(number: Number, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """List what an order sealed; the reading is recorded first."""
    with door(), office(home) as at:
        official, act = _official(at, by, reason), at.act(by, reason)
        found, released = done(at.seals.uses(number_of(number), official, act))
        rows = [_use_row(use, released.get(use.index)) for use in found]
        print_rows("暂缓告知的使用 / Sealed uses", rows, as_json=as_json, empty="没有 / none")


@app.command("seals")
def list_seals(home: Home = None, as_json: Json = False) -> None:
    """List every order there ever was, the oldest first; they name no person and no case."""
    with door(), office(home) as at:
        desk: SealDesk = at.seals
        rows = [_row(one) for one in desk.standings(at.clock.now())]
        print_rows("暂缓告知命令 / Orders to seal", rows, as_json=as_json, empty="没有 / none")


def _official(at: Office, by: str, reason: str) -> Official:
    found: Official | Refusal = at.second(at.act(by, reason))
    return done(found)


def _row(one: SealStanding) -> dict[str, Any]:
    order = one.order
    return {
        "id": order.id,
        "state": SEAL_TITLES[one.state],
        "ground": order.ground,
        "by": one.began.by,
        "agency": order.agency,
        "purposes": list(order.purposes),
        "begins": _text(one.begins),
        "ends": _text(one.ends),
        "asked_until": _text(one.open_term.valid_to if one.open_term else None),
        "renewals": one.renewals,
        "released": one.released,
    }


def _use_row(sealed: SealedUse, released: int | None) -> dict[str, Any]:
    use = sealed.use
    return {
        "index": sealed.index,
        "time": stamp_of(use.time),
        "decision": use.decision,
        "agency": use.actor.agency,
        "post": use.actor.post,
        "purpose": use.purpose,
        "action": use.action.value,
        "datasets": list(use.datasets),
        "released": released,
    }


def _print(one: SealStanding, *, as_json: bool) -> None:
    steps = [
        {"at": _text(step.at), "step": step.key, "by": step.by, "reason": step.reason}
        for step in one.steps.values()
    ]
    if as_json:
        print_json({**_row(one), "steps": steps})
        return
    for name, value in _row(one).items():
        out.print(f"{name}: {value}", markup=False, soft_wrap=True)
    print_rows("Steps", steps, as_json=False)


def _text(at: Any) -> str | None:
    return None if at is None else str(at.isoformat(timespec="seconds"))
