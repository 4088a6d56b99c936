"""`hub access grant | grants | revoke`: permissions beyond the rules, for a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from access.grants import PREFIX, GrantStep, Standing
from api.commands.access.office import By, Reason, done, instant, number_of, office
from api.commands.options import Home, Json
from api.console import door, print_json, print_rows
from hub.errors import RequestError
from hub.store.grants import Grant

app = typer.Typer()

_DAYS = 30


@app.command()
def grant(
    by: By,
    reason: Reason,
    agency: Annotated[str, typer.Option(help="Agency it is for.")],
    role: Annotated[str, typer.Option(help="Role it is for.")],
    purpose: Annotated[str, typer.Option(help="Purpose it is for.")],
    column: Annotated[
        list[str], typer.Option(help="DATASET.COLUMN it opens; may be given several times.")
    ],
    basis: Annotated[str, typer.Option(help="Act or decision it rests on.")],
    action: Annotated[
        list[str] | None, typer.Option(help="lookup (default), search, or export alone.")
    ] = None,
    area: Annotated[
        list[str] | None, typer.Option(help="Division or grid code it is limited to.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="Case reference it is limited to.")] = None,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="When it begins; default now.")
    ] = None,
    valid_to: Annotated[
        str | None, typer.Option("--to", help="When it ends; default 30 days later.")
    ] = None,
    uses: Annotated[int | None, typer.Option(help="So many uses; default any number.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask for a grant; it counts once a second person has approved it."""
    with door(), office(home) as at:
        act = at.act(by, reason)
        begins, ends = _period(act.at, valid_from, valid_to)
        wanted = Grant(
            id=0,
            agency=agency,
            role=role,
            purpose=purpose,
            actions=tuple(dict.fromkeys(action or ["lookup"])),
            columns=_columns(column),
            area=tuple(area or ()),
            case_name=at.cases.of(case.strip()).hex() if case and case.strip() else None,
            basis=basis,
            valid_from=begins,
            valid_to=ends,
            uses_left=uses,
        )
        print_grant(done(at.grants.request(wanted, act)), as_json=as_json)


@app.command("grants")
def list_grants(home: Home = None, as_json: Json = False) -> None:
    """List grants and where they stand."""
    with door(), office(home) as at:
        rows = [grant_row(standing) for standing in at.grants.standings(at.clock.now())]
        print_rows("授权 / Grants", rows, as_json=as_json, empty="没有 / none")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="grant-N.")],
    by: By,
    reason: Reason,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take a grant back, from the next request on."""
    with door(), office(home) as at:
        number = number_of(name, PREFIX)
        print_grant(done(at.grants.revoke(number, at.act(by, reason))), as_json=as_json)


def _period(now: datetime, begins: str | None, ends: str | None) -> tuple[datetime, datetime]:
    start = instant(begins, "--from") or now
    return start, instant(ends, "--to") or start + timedelta(days=_DAYS)


def _columns(given: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for text in given:
        dataset, _, column = text.rpartition(".")
        if not dataset or not column:
            raise RequestError(f"--column {text}: 请写 数据集.字段 / write DATASET.COLUMN")
        found.setdefault(dataset, []).append(column)
    return {dataset: tuple(dict.fromkeys(columns)) for dataset, columns in found.items()}


def grant_row(standing: Standing) -> dict[str, Any]:
    """Return a grant as it is listed."""
    held = standing.grant
    given = standing.steps.get(GrantStep.GIVEN)
    asked = standing.steps.get(GrantStep.REQUESTED)
    return {
        "grant": f"{PREFIX}{held.id}",
        "state": standing.state.value,
        "agency": held.agency,
        "role": held.role,
        "purpose": held.purpose,
        "actions": list(held.actions),
        "columns": [f"{name}.{c}" for name, columns in held.columns.items() for c in columns],
        "area": list(held.area),
        "for_a_case": held.case_name is not None,
        "from": held.valid_from.isoformat(timespec="seconds"),
        "to": held.valid_to.isoformat(timespec="seconds"),
        "uses_left": held.uses_left,
        "requested_by": asked.by if asked else None,
        "given_by": given.by if given else None,
    }


def print_grant(standing: Standing, *, as_json: bool) -> None:
    """Print a grant and where it stands."""
    row = grant_row(standing)
    if as_json:
        print_json(row)
    else:
        print_rows("授权 / Grant", [row], as_json=False)
