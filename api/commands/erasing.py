"""`hub ledger erase | erasures | erasure | decide`: forgetting uses, with a second person.

What is shown of an entry is its number, event and time: nothing of a person.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from access.erasing import ERASURE_TITLES, ErasureStanding, ErasureStep
from access.erasure_desk import ErasureDesk
from api.commands.access.office import By, Reason, done, instant, number_of, office
from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from hub.errors import RequestError
from hub.ledger.log import LoggedEntry

app = typer.Typer()

Number = Annotated[str, typer.Argument(help="Number of the request.")]


@app.command()
def erase(
    by: By,
    reason: Reason,
    ground: Annotated[str, typer.Option(help="court_order, deletion_request or retention_ended.")],
    index: Annotated[
        list[int] | None, typer.Argument(help="Entries to forget, by number.", min=0)
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="In place of numbers: all from before that day.")
    ] = None,
    event: Annotated[str | None, typer.Option(help="With --before: only this event.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask for uses to be forgotten; they are once a second person has approved it."""
    with door(), office(home) as at:
        if (before is None) == (not index) or (event is not None and before is None):
            raise RequestError("请写编号，或 --before / name entries by number, or --before")
        act = at.act(by, reason)
        left: dict[str, int] = {}
        entries = tuple(index or ())
        until = instant(before, "--before")
        if until is not None:
            entries, out_of_it = at.erasures.select(ground, until, event, act.at)
            left = dict(out_of_it)
            if not entries:
                raise RequestError(at.erasures.why_none(ground, until, event, act.at))
        official = done(at.second(act))
        found = done(at.erasures.request(entries, ground, official, act))
        _print(at.erasures, found, as_json=as_json, left=left)


@app.command()
def erasures(home: Home = None, as_json: Json = False) -> None:
    """List what was asked to be forgotten, the oldest first."""
    with door(), office(home) as at:
        rows = [_row(one) for one in at.erasures.standings()]
        print_rows("删除申请 / Erasures", rows, as_json=as_json, empty="没有 / none")


@app.command()
def erasure(number: Number, home: Home = None, as_json: Json = False) -> None:
    """Show a request: exactly which entries are forgotten by it, and its steps."""
    with door(), office(home) as at:
        _print(at.erasures, at.erasures.find(number_of(number)), as_json=as_json)


@app.command()
def decide(
    number: Number,
    by: By,
    reason: Reason,
    approve: Annotated[bool, typer.Option("--approve", help="Erase them; or")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="let them stay.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Approve and carry out, as the second person, or decline; again to go on where it stopped."""
    with door(), office(home) as at:
        if approve == decline:
            raise RequestError("二者选一 / say either --approve or --decline")
        desk, act = at.erasures, at.act(by, reason)
        official = done(at.second(act))
        do = desk.approve if approve else desk.decline
        _print(desk, done(do(number_of(number), official, act)), as_json=as_json)


def _row(one: ErasureStanding) -> dict[str, Any]:
    asked = one.steps[ErasureStep.REQUESTED]
    decided = one.steps.get(ErasureStep.APPROVED) or one.steps.get(ErasureStep.DECLINED)
    return {
        "id": one.erasure.id,
        "state": ERASURE_TITLES[one.state],
        "ground": one.erasure.ground,
        "entries": len(one.erasure.entries),
        "asked_by": asked.by,
        "asked_at": asked.at.isoformat(timespec="seconds"),
        "decided_by": decided.by if decided else None,
    }


def _print(
    desk: ErasureDesk,
    one: ErasureStanding,
    *,
    as_json: bool,
    left: dict[str, int] | None = None,
) -> None:
    entries = desk.entries(one.erasure.entries)
    if as_json:
        listed = [
            {"index": e.index, "event": e.event, "time": e.time, "erased": e.erased_by is not None}
            for e in entries
        ]
        steps = [
            {
                "at": s.at.isoformat(timespec="seconds"),
                "step": s.key,
                "by": s.by,
                "reason": s.reason,
            }
            for s in one.steps.values()
        ]
        print_json({**_row(one), "forgets": listed, "left_out": left or {}, "steps": steps})
        return
    for name, value in _row(one).items():
        out.print(f"{name}: {value}", markup=False, soft_wrap=True)
    print_rows("将被遗忘 / Forgotten by it", _summary(entries), as_json=False)
    for why, count in (left or {}).items():
        out.print(f"{count:,} 条不可删除 / are left out: {why}", markup=False, soft_wrap=True)


def _summary(entries: list[LoggedEntry]) -> list[dict[str, Any]]:
    counts = Counter((entry.event, entry.time[:7]) for entry in entries)
    return [
        {"event": event, "month": month, "entries": count}
        for (event, month), count in sorted(counts.items())
    ]
