"""`hub worklist`: conflicts between departments, counted, handed out, answers taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.ledger import open_ledger
from api.commands.options import Home, Json, require_department, settings_of
from api.console import door, out, print_json, print_rows
from api.worklist import worklist_rows
from hub.clock import SystemClock
from hub.store.records import Records

app = typer.Typer(no_args_is_help=True, help="Worklist: list, export, return.")
By = Annotated[str, typer.Option(help="The official concerned; the ledger keeps a pseudonym.")]


@app.command("list")
def list_items(
    department: Annotated[str | None, typer.Option(help="Only this department's.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of conflict.")] = None,
    state: Annotated[
        str | None, typer.Option(help="open, in_review, explained, resolved, reopened.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Count the conflicts between departments: whose, which kind, where they stand."""
    with door(), Records.open(settings_of(home)) as records:
        require_department(settings_of(home), department)
        rows = worklist_rows(records, department, kind, state)
        print_rows("Worklist", rows, as_json=as_json, empty="no conflicts")


@app.command()
def export(
    department: Annotated[str, typer.Option(help="Code of the department it is for.")],
    by: By,
    case: Annotated[str, typer.Option(help="Reference of the review.")],
    to: Annotated[Path, typer.Option("--out", help="Workbook to write; must not exist.")],
    limit: Annotated[int, typer.Option(min=1, max=50_000, help="Items, the oldest first.")] = 5_000,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Hand a department its conflicts as a workbook. A disclosure: recorded person by person."""
    from api.exchange import Order, hand_out  # reads and writes workbooks

    with door():
        settings = settings_of(home)
        require_department(settings, department)
        with open_ledger(settings) as ledger:
            order = Order(department, by, case, to, limit)
            done = hand_out(settings, SystemClock(), ledger, order)
        if as_json:
            print_json(
                {
                    "items": done.items,
                    "persons": done.persons,
                    "sheets": done.sheets,
                    "left": done.left,
                }
            )
        elif not done.items:
            out.print(f"nothing waits for {department}")
        else:
            out.print(
                f"{done.items:,} items about {done.persons:,} persons on {done.sheets} sheets; "
                f"{done.left:,} left for the next workbook"
            )


@app.command("return")
def take(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    by: By,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take a department's answers back; a workbook edited elsewhere is refused, cell by cell."""
    from api.exchange import take_back

    with door():
        settings = settings_of(home)
        with open_ledger(settings) as ledger:
            department, taken, unanswered = take_back(settings, SystemClock(), ledger, file, by)
        rows = [{"conclusion": name, "items": count} for name, count in sorted(taken.items())]
        if as_json:
            print_json({"department": department, "answers": dict(taken), "unanswered": unanswered})
        else:
            print_rows(f"Answers of {department}", rows, as_json=False, empty="no answers")
            out.print(f"{unanswered:,} rows without an answer")
