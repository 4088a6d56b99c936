"""`hub worklist`: conflicts between departments, counted, handed out, answers taken back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from access.model import Actor
from api.commands.options import Home, Json, require_department, settings_of
from api.console import door, out, print_json, print_rows
from api.services import open_services
from api.worklist import worklist_rows
from assets.integrated.rules import load_person_rules
from contracts.loader import load_catalog
from contracts.versions.in_force import in_force
from hub.catalog import Classification
from hub.config import Settings
from hub.errors import RequestError
from hub.files import write_new
from hub.store.records import Records

app = typer.Typer(no_args_is_help=True, help="Worklist: list, export, return.")
Official = Annotated[
    str,
    typer.Option(help="Who it is handed to, or who answers; the ledger keeps a pseudonym."),
]


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
        settings = settings_of(home)
        require_department(settings, department)
        _require_kind(settings, kind)
        rows = worklist_rows(records, department, kind, state)
        print_rows("Worklist", rows, as_json=as_json, empty="no conflicts")


@app.command()
def export(
    department: Annotated[str, typer.Option(help="Code of the department it is for.")],
    official: Official,
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
        if to.exists() or not to.parent.is_dir():
            raise RequestError("--out names a file that exists, or a folder that does not")
        order = Order(_steward(department, official), case, limit)
        with closing(open_services(settings)) as services:
            done = hand_out(services, order, partial(_put, to))
        if as_json:
            print_json(asdict(done))
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
    official: Official,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take a department's answers back; a workbook edited elsewhere is refused, cell by cell."""
    from api.exchange import take_back  # reads workbooks

    with door():
        _require_named(official)
        with closing(open_services(settings_of(home))) as services:
            back = take_back(services, file, official)
        if as_json:
            print_json({**asdict(back), "answers": dict(back.answers)})
            return
        rows = [{"conclusion": name, "items": n} for name, n in sorted(back.answers.items())]
        print_rows(f"Answers of {back.department}", rows, as_json=False, empty="no answers")
        out.print(f"{back.unanswered:,} rows without an answer")


def _steward(department: str, official: str) -> Actor:
    """Return the official it is handed to; whoever runs commands here vouches for them."""
    _require_named(official)
    roles = ("department_steward",)
    return Actor(official, official, department, "数据专员", roles, clearance=Classification.L4)


def _require_named(official: str) -> None:
    if not official.strip():
        raise RequestError("say who it is handed to, or who answers (--official)")


def _put(path: Path, data: bytes) -> None:
    try:
        write_new(path, lambda file: _fill(file, data))
    except OSError as exc:
        raise RequestError("--out cannot be written: name a new file in a folder of yours") from exc


def _fill(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def _require_kind(settings: Settings, kind: str | None) -> None:
    # A misspelt kind must not read as "no conflicts".
    if kind is None:
        return
    rules = load_person_rules(load_catalog(in_force(settings).contracts))
    kinds = sorted({rule.kind for rule in rules.conflicts})
    if kind not in kinds:
        raise RequestError(f"没有此类冲突，可用 / no such kind; there are {', '.join(kinds)}")
