"""`hub quality`: accuracy against the 99 % target, what it is made of, its history, field samples."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from access.model import Actor
from api import quality as rows
from api.commands.options import Home, Json, require_department, settings_of
from api.console import door, out, print_json, print_rows
from api.field_sample import SampleOrder, draw_sample, return_sample
from api.services import Services, open_services
from hub.catalog import Classification
from hub.config import Settings
from hub.errors import RequestError
from hub.store.records import Records

app = typer.Typer(help="Quality: headlines, measures, history, field samples.")

Month = Annotated[str | None, typer.Option(help="YYYY-MM; default the newest delivered for.")]
_HEADLINE = ("dataset", "month", "accuracy_%", "target_99_%", "which", "right", "of")
_MEASURES = ("measure", "right", "of", "share_%", "target_99_%", "note")
_RULES = ("rule", "title", "severity", "failing", "percent")
_SAMPLES = ("sample", "month", "size", "of", "right_%", "lower_bound_%", "99_%_proven")
_HISTORY = ("month", "rows", "stopped", "accuracy_%", "which")


@app.callback(invoke_without_command=True)
def headlines(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    """Show the accuracy of every dataset against the 99 % target: its worst measure, and which."""
    if context.invoked_subcommand is not None:
        return
    with door():
        print_headlines(settings_of(home), as_json=as_json)


def print_headlines(settings: Settings, *, as_json: bool = False) -> None:
    """Print the headline of every dataset."""
    with Records.open(settings) as records:
        table = [rows.headline_row(headline) for headline in rows.figures(records).headlines()]
        _print(
            "Accuracy against the 99 % target: the worst measure speaks", table, as_json, _HEADLINE
        )


@app.command()
def show(
    dataset: Annotated[str, typer.Argument(help="Dataset, as in its contract.")],
    month: Month = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show all measures of a dataset, the six dimensions, its worst rules, its months."""
    with door(), Records.open(settings_of(home)) as records:
        found = rows.figures(records)
        headline = found.headline(dataset, month)
        department = found.standing(dataset, month)[-1].department
        parts: dict[str, Any] = {
            "measures": rows.measure_rows(found.measures(dataset, month)),
            "dimensions": rows.indicator_rows(found.dimensions(dataset, month=month)),
            "worst_rules": rows.rule_rows(found.worst_rules(10, dataset=dataset)),
            "agreement": rows.agreement_rows(found, department),
            "samples": [rows.sample_row(sample) for sample in found.samples(dataset)],
            "history": rows.month_rows(found.history(dataset=dataset)),
        }
        if as_json:
            print_json({"headline": rows.headline_row(headline), **parts})
            return
        said = rows.headline_row(headline)
        out.print(
            f"[bold]{dataset}[/] {said['month']}: {said['accuracy_%']} % ({said['target_99_%']}), "
            f"by {said['which']}, {said['right']:,} of {said['of']:,}",
            soft_wrap=True,
        )
        _print("Measures of accuracy", parts["measures"], False, _MEASURES)
        print_rows("The six dimensions, X = A / B", parts["dimensions"], as_json=False)
        _print("Rules that most rows fail", parts["worst_rules"], False, _RULES)
        print_rows(f"{department} and other departments", parts["agreement"], as_json=False)
        if parts["samples"]:
            _print("Field samples, newest first", parts["samples"], False, _SAMPLES)
        _print("Months, newest first", parts["history"], False, _HISTORY)


@app.command()
def history(
    department: Annotated[
        str | None, typer.Option(help="Only this department; its worst dataset speaks for it.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the figures of every month: per department, and per dataset behind it."""
    with door(), Records.open(settings_of(home)) as records:
        require_department(settings_of(home), department)
        found = rows.figures(records)
        months = found.history(department=department)
        departments = rows.department_rows(found, months)
        if as_json:
            print_json({"departments": departments, "datasets": rows.month_rows(months)})
            return
        picked = ("department", *_HEADLINE)
        _print("Departments by month: the worst dataset speaks", departments, False, picked)
        _print("Datasets by month", rows.month_rows(months), False, ("dataset", *_HISTORY))


@app.command()
def sample(
    dataset: Annotated[str, typer.Argument(help="Dataset of persons, as in its contract.")],
    case: Annotated[str, typer.Option(help="Case reference of the field check.")],
    actor: Annotated[str, typer.Option(help="Who asks: account of the department's data steward.")],
    level: Annotated[str, typer.Option(help="Strata: community or street.")] = "community",
    seed: Annotated[
        str | None,
        typer.Option(help="6 to 64 hex digits; a sample of a chosen seed proves nothing."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Draw a stratified sample to be verified in the field; write its worksheet.

    Everybody on it has the disclosure in the ledger before the file is written.
    """
    with door():
        with closing(open_services(settings_of(home))) as services:
            asker = _asker(services, actor, dataset)
            drawn, path = draw_sample(services, SampleOrder(dataset, case, asker, level, seed))
        if as_json:
            print_json({**rows.sample_row(drawn), "worksheet": str(path)})
            return
        out.print(
            f"sample {drawn.id}: {drawn.size:,} of {drawn.population:,} records in "
            f"{len(drawn.strata)} strata, seed {drawn.seed}; each person is in the ledger"
        )
        out.print(f"worksheet (personal data, mode 0600): {path}", soft_wrap=True)
        out.print("fill in the four answer columns, then: hub quality sample-return FILE")


@app.command("sample-return")
def sample_return(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Filled worksheet.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take a filled worksheet back and say what it proves; refused whole when it was changed."""
    with door():
        with closing(open_services(settings_of(home))) as services:
            found = return_sample(services, file)
        said, strata = rows.sample_row(found), rows.stratum_rows(found)
        if as_json:
            print_json({**said, "strata": strata})
            return
        print_rows(f"Sample {found.id}: what the field found", strata, as_json=False)
        for prefix, who in (
            ("", "unreachable counted as wrong"),
            ("reached_", "of those reached only"),
        ):
            proven = "proven" if said[f"{prefix}99_%_proven"] else "NOT proven"
            out.print(
                f"{who}: {said[f'{prefix}right_%']} % right, Wilson lower bound "
                f"{said[f'{prefix}lower_bound_%']} %: 99 % is {proven}"
            )


def _asker(services: Services, account: str, dataset: str) -> Actor:
    """Return who asks. Whoever may run commands here holds the keys: the name is on their word."""
    if services.provider is not None:
        actors = services.provider.actors
        if account not in actors:
            raise RequestError(
                f"没有此账号，可用 / no such actor; there are {', '.join(sorted(actors))}"
            )
        return actors[account]
    if not account.strip() or len(account) > 64:
        raise RequestError("say who asks: the account of the department's data steward (--actor)")
    owner, roles = services.vocabulary.catalog[dataset].owner, ("department_steward",)
    return Actor(account, account, owner, "数据专员", roles, clearance=Classification.L4)


def _print(title: str, found: list[dict[str, Any]], as_json: bool, picked: tuple[str, ...]) -> None:
    """Print rows: all members for programs, those that fit a line for people."""
    shown = found if as_json else [{name: row[name] for name in picked} for row in found]
    print_rows(title, shown, as_json=as_json)
