"""`hub access explain`: asking the policy why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from access.decision import Decider
from access.demo import load_demo_actors
from access.explaining import explain
from access.model import Action, Actor, CaseStanding, Request
from api.commands.access.sources import catalog_of, policy_folder_of, policy_of_hub
from api.commands.options import Home, Json
from api.console import door, out, print_json, print_rows
from hub.catalog import Classification
from hub.clock import SystemClock
from hub.config import load_settings
from hub.errors import RequestError

app = typer.Typer()


@app.command("explain")
def explain_decision(
    dataset: Annotated[str, typer.Argument(help="Dataset that is asked for.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. residence.verify.")],
    action: Annotated[
        str, typer.Option(help="lookup, search, list, aggregate, export, reconcile.")
    ] = "lookup",
    actor: Annotated[str | None, typer.Option(help="One of the demonstration's actors.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Role, instead of --actor.")] = None,
    agency: Annotated[str, typer.Option(help="Agency, with --role.")] = "bureau",
    area: Annotated[list[str] | None, typer.Option(help="Area prefix, with --role.")] = None,
    case: Annotated[str | None, typer.Option(help="Case reference, taken as an open one.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what an actor would be allowed to see, by which rules, and why not the rest."""
    with door():
        settings = load_settings(home=home)
        catalog, folder = catalog_of(settings), policy_folder_of(settings)
        decider = Decider(policy_of_hub(settings, catalog), catalog)
        asking = _actor(actor, role, agency, area, folder)
        now = SystemClock().now()
        standing = CaseStanding.OPEN if case else CaseStanding.UNKNOWN
        request = Request(asking, _action(action), (dataset,), purpose, case, standing, at=now)
        answer = explain(decider, request)
        if as_json:
            print_json(answer)
        else:
            _show(answer)


def _actor(
    name: str | None, role: list[str] | None, agency: str, area: list[str] | None, folder: Path
) -> Actor:
    if name is not None:
        actors = load_demo_actors(folder)
        if name not in actors:
            raise RequestError(
                f"没有此账号，可用 / no such actor; there are {', '.join(sorted(actors))}"
            )
        return actors[name]
    if not role:
        raise RequestError("say who asks: --actor NAME, or --role ROLE")
    return Actor("cli", "cli", agency, "cli", tuple(role), tuple(area or ()), Classification.L4)


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError:
        raise RequestError(f"no such action; there are {', '.join(Action)}") from None


def _show(answer: dict[str, Any]) -> None:
    for name, value in answer.items():
        if name == "fields":
            print_rows("fields", _field_rows(value), as_json=False)
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            print_rows(name, value, as_json=False)
        elif isinstance(value, dict):
            rows = [{"what": k, "how": v} for k, v in value.items()]
            print_rows(name, rows, as_json=False)
        elif value not in (None, [], ()):
            text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            out.print(f"[bold]{name}[/]: ", end="")
            out.print(text, markup=False, soft_wrap=True)


def _field_rows(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row per column that is shown, in dataset order."""
    return [
        {
            "dataset": dataset,
            "column": column,
            **{k: v for k, v in cell.items() if k != "treatment"},
        }
        for dataset, found in fields.items()
        for column, cell in found["shown"].items()
    ]
