"""`hub access export`: a file of persons, under a grant, for whom the grant was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from access.answers import ExportQuery
from access.model import Actor
from access.roads.export import FORMS
from api.bulk import outcome_of
from api.commands.options import Home, Json, settings_of
from api.console import door, out, print_json
from api.services import Services, open_services
from hub.catalog import Classification
from hub.errors import AccessDenied, RequestError
from hub.files import write_new
from hub.plain import ACCOUNT

app = typer.Typer()


@app.command()
def export(
    dataset: Annotated[str, typer.Argument(help="Dataset, as in its contract.")],
    actor: Annotated[str, typer.Option(help="Account of the data steward it is for.")],
    purpose: Annotated[str, typer.Option(help="Purpose of the grant.")],
    case: Annotated[str, typer.Option(help="Reference of the application.")],
    to: Annotated[Path, typer.Option(help="File to write; must not exist.")],
    agency: Annotated[
        str | None, typer.Option(help="The steward's agency, where accounts are not the hub's.")
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(
            help="Division or grid code; may be given several times. Default: the post's."
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a file of all persons of an area; each of them can see that and who got it."""
    with door():
        if form not in FORMS:
            raise RequestError(f"--format: 可用 / there are {', '.join(FORMS)}")
        if to.exists() or not to.parent.is_dir():
            raise RequestError("--to names a file that exists, or a folder that does not")
        with closing(open_services(settings_of(home))) as services:
            asker = _asker(services, actor, agency)
            query = ExportQuery(dataset, purpose, case, tuple(area or ()), form)
            answer = services.guard.export(asker, query)
            if answer.file is None:
                said = answer.answer
                raise AccessDenied(said.reason, findings=tuple(filter(None, (said.remedy,))))
            file, pieces = services.guard.exported(asker, answer.file.number)
            _put(to, pieces)
        if as_json:
            print_json(dict(outcome_of(answer).body))
            return
        out.print(
            f"{file.persons:,} 人、{file.rows:,} 行已写入 / persons and rows written to {to.name}, "
            f"SHA-256 {file.sha256}"
        )


def _asker(services: Services, account: str, agency: str | None) -> Actor:
    """Return who asks. Whoever may run commands here holds the keys: the name is on their word."""
    if services.provider is not None:
        actors = services.provider.actors
        if account not in actors:
            raise RequestError(
                f"没有此账号，可用 / no such actor; there are {', '.join(sorted(actors))}"
            )
        return actors[account]
    if not ACCOUNT.fullmatch(account) or not agency:
        raise RequestError("say who asks: the steward's account (--actor) and agency (--agency)")
    roles = ("department_steward",)
    return Actor(account, account, agency, "数据专员", roles, clearance=Classification.L4)


def _put(path: Path, pieces: Iterator[bytes]) -> None:
    def fill(file: BinaryIO) -> None:
        file.writelines(pieces)

    try:
        write_new(path, fill)
    except OSError as exc:
        raise RequestError("--to cannot be written: name a new file in your own folder") from exc
