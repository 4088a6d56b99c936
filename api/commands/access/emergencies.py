"""`hub access unmask | emergency | review | emergencies`: the second pair of eyes.

Nobody is shown here: masks are lifted and emergencies opened and used at the officer's door only.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from access.emergency import TITLES, Standing, State
from api.commands.access.office import By, Office, Reason, done, number_of, office
from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from hub.store.emergencies import Kind

app = typer.Typer()

Number = Annotated[str, typer.Argument(help="Its number.")]

_REVIEWED = (State.JUSTIFIED, State.NOT_JUSTIFIED)


@app.command()
def unmask(
    number: Number,
    by: By,
    reason: Reason,
    approve: Annotated[bool, typer.Option("--approve/--decline", help="What is decided.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Approve or decline, as the second person, that a mask is lifted."""
    with door(), office(home) as at:
        act, asked = at.act(by, reason), number_of(number)
        second = done(at.second(act))
        do = at.emergencies.approve if approve else at.emergencies.decline
        _print(done(do(asked, second, act)), as_json=as_json)


@app.command()
def emergency(number: Number, home: Home = None, as_json: Json = False) -> None:
    """Show an emergency or a lifted mask, and everything that was done about it."""
    with door(), office(home) as at:
        _print(at.emergencies.find(number_of(number), at.clock.now()), as_json=as_json)


@app.command()
def review(
    number: Number,
    by: By,
    reason: Reason,
    justified: Annotated[
        bool, typer.Option("--justified/--not-justified", help="What the review found.")
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Review an emergency as the second person; lifts the block of an overdue one."""
    with door(), office(home) as at:
        act, opened = at.act(by, reason), number_of(number)
        second = done(at.second(act))
        found = at.emergencies.review(opened, second, act, justified=justified)
        _print(done(found), as_json=as_json)


@app.command()
def emergencies(
    only_open: Annotated[
        bool, typer.Option("--open", help="Only emergencies that nobody has reviewed.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List emergencies and lifted masks, the oldest first; they name nobody."""
    with door(), office(home) as at:
        rows = [_row(standing) for standing in _found(at, only_open=only_open)]
        print_rows("紧急访问和解除遮盖 / Emergencies", rows, as_json=as_json, empty="none")


def _found(at: Office, *, only_open: bool) -> list[Standing]:
    return [
        standing
        for standing in at.emergencies.standings(at.clock.now())
        if not only_open
        or (standing.emergency.kind is Kind.EMERGENCY and standing.state not in _REVIEWED)
    ]


def _row(standing: Standing) -> dict[str, Any]:
    one = standing.emergency
    return {
        "id": one.id,
        "kind": one.kind.value,
        "state": TITLES[standing.state],
        "by": standing.began.by,
        "agency": one.agency,
        "purpose": one.purpose,
        "persons": f"{standing.persons}/{one.persons_max}",
        "opened_at": _text(one.opened_at),
        "review_by": _text(one.review_by) if one.kind is Kind.EMERGENCY else None,
    }


def _print(standing: Standing, *, as_json: bool) -> None:
    steps = [
        {"at": _text(step.at), "step": step.key.partition("-")[0], "by": step.by,
         "reason": step.reason}
        for step in standing.steps.values()
    ]  # fmt: skip
    if as_json:
        print_json({**_row(standing), "steps": steps})
        return
    for name, value in _row(standing).items():
        out.print(f"{name}: {value}", markup=False, soft_wrap=True)
    print_rows("Steps", steps, as_json=False)


def _text(at: Any) -> str:
    return str(at.isoformat(timespec="seconds"))
