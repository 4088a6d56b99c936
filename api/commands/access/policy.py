"""`hub access propose | changes | approve | decline | rollback | suspend | resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from access.changes import Standing, StepKey, difference
from access.files import POLICY_FOLDER, Texts, read_folder
from access.grants import PREFIX
from api.commands.access.grants import print_grant
from api.commands.access.office import By, Office, Reason, done, instant, number_of, office
from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from api.services import files_differ

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="Number of a change, or grant-N for a grant.")]


@app.command()
def propose(
    by: By,
    reason: Reason,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of policy files; default HOME/policies.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put the policy files forward for approval; shows what they would change."""
    with door(), office(home) as at:
        texts = read_folder(folder or at.settings.policy_folder or POLICY_FOLDER)
        number = done(at.desk.propose(texts, at.act(by, reason)))
        _print_change(at, at.desk.course().standings[number], as_json=as_json)


@app.command("changes")
def list_changes(
    number: Annotated[
        str | None, typer.Argument(help="Number of one change, to see what it changes.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List changes of the policy and where they stand; one with what it adds and takes away."""
    with door(), office(home) as at:
        at.desk.keeper.look(at.clock.now())
        way = at.desk.course()
        if number is not None:
            _print_change(at, at.desk.find(way, number_of(number)), as_json=as_json)
            return
        rows = [_change_row(standing) for standing in way.standings.values()]
        print_rows("策略变更 / Changes of the policy", rows, as_json=as_json)
        says = files_differ(at.settings, at.desk.keeper, at.clock.now())
        if says is not None and not as_json:
            out.print(says, soft_wrap=True)


@app.command()
def approve(
    name: Name,
    by: By,
    reason: Reason,
    active_at: Annotated[
        str | None, typer.Option("--at", help="When a change takes effect; default at once.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Approve a change or a grant as the second person."""
    with door(), office(home) as at:
        act = at.act(by, reason)
        if name.startswith(PREFIX):
            print_grant(done(at.grants.give(number_of(name, PREFIX), act)), as_json=as_json)
            return
        when = instant(active_at, "--at")
        _print_change(at, done(at.desk.approve(number_of(name), act, when)), as_json=as_json)


@app.command()
def decline(name: Name, by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """Decline a change or a grant that is not in force; who proposed it may take it back."""
    with door(), office(home) as at:
        act = at.act(by, reason)
        if name.startswith(PREFIX):
            print_grant(done(at.grants.decline(number_of(name, PREFIX), act)), as_json=as_json)
            return
        _print_change(at, done(at.desk.decline(number_of(name), act)), as_json=as_json)


@app.command()
def rollback(
    number: Annotated[str, typer.Argument(help="Number of the change to go back to.")],
    by: By,
    reason: Reason,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Propose the policy of an earlier change again; approved as every other proposal."""
    with door(), office(home) as at:
        made = done(at.desk.roll_back(number_of(number), at.act(by, reason)))
        _print_change(at, at.desk.course().standings[made], as_json=as_json)


Account = Annotated[str, typer.Argument(help="Account of the actor.")]


@app.command()
def suspend(
    account: Account, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Let an actor do nothing more, from the next request on, signed in or not."""
    with door(), office(home) as at:
        done(at.desk.suspend(account, at.act(by, reason)))
        _print_actor(account, "suspended", as_json=as_json)


@app.command()
def resume(
    account: Account, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Let a suspended actor work again."""
    with door(), office(home) as at:
        done(at.desk.resume(account, at.act(by, reason)))
        _print_actor(account, "resumed", as_json=as_json)


_STATES = {"suspended": "已停用", "resumed": "已恢复"}


def _print_actor(account: str, state: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"account": account, "state": state})
    else:
        out.print(f"{account} {_STATES[state]} / {state}")


def _change_row(standing: Standing) -> dict[str, Any]:
    approved = standing.steps.get(StepKey.APPROVED)
    active_at = standing.active_at
    return {
        "change": standing.change.id,
        "state": standing.state.value,
        "version": standing.change.digest[:16],
        "proposed_by": standing.change.by,
        "approved_by": approved.by if approved else None,
        "active_at": active_at.isoformat(timespec="seconds") if active_at else None,
        "why": standing.change.why,
    }


def _print_change(at: Office, standing: Standing, *, as_json: bool) -> None:
    base = standing.change.base
    old: Texts = at.desk.texts(base) if base is not None else {}
    lines = difference(old, at.desk.texts(standing.change.digest)) if base else ()
    row = _change_row(standing)
    if as_json:
        print_json({**row, "difference": list(lines)})
        return
    print_rows("策略变更 / Change of the policy", [row], as_json=False)
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
