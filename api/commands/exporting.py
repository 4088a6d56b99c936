"""`hub ledger export`: the uses of a period in the form of a published standard, for oversight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from access.exports.source import Source
from access.exports.writing import Format, Period, Written, write
from access.history import first_since
from access.titles import Titles
from api.administration import Reading
from api.commands.access.sources import catalog_of, policy_of_hub
from api.commands.ledger import reading
from api.commands.options import Home, Json, Who, settings_of
from api.console import counted, door, out, print_json
from hub.errors import RequestError
from hub.files import write_new

app = typer.Typer()

_DAY = timedelta(days=1)


@app.command()
def export(
    form: Annotated[Format, typer.Option("--format", help="fhir, fhir-r4, find-usage or ocsf.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day, UTC.")],
    to: Annotated[Path, typer.Option(help="File to write; must not exist.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day, UTC; default today.")
    ] = None,
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Export the uses of a period, sealed ones too; that they were read is recorded."""
    with door(), reading(home, by) as (ledger, reader):
        if until is not None and until < since:
            raise RequestError("--until is before --since")
        if to.exists() or not to.parent.is_dir():
            raise RequestError("--to names a file that exists, or a folder that does not")
        settings = settings_of(home)
        catalog = catalog_of(settings)
        source = Source(settings.origin, Titles(policy_of_hub(settings, catalog), catalog))
        start = first_since(ledger, since.replace(tzinfo=UTC))
        stop = ledger.size
        if until is not None:
            stop = max(start, first_since(ledger, until.replace(tzinfo=UTC) + _DAY))
        days = {"since": _day(since), "until": None if until is None else _day(until)}
        counts: list[Written] = []

        def fill(file: BinaryIO) -> None:
            with counted("exporting") as told:
                counts.append(write(Period(ledger, start, stop, told), form, source, file))
            reader.read(ledger, Reading.EXPORT, counts[0].uses, format=form.value, **days)

        try:
            digest = write_new(to, fill)  # there is a file once the reading is recorded
        except OSError as exc:
            raise RequestError(
                "--to cannot be written: name a new file in your own folder"
            ) from exc
        (written,) = counts
        if as_json:
            print_json({"uses": written.uses, "erased": written.erased, "sha256": digest})
            return
        out.print(
            f"{written.uses:,} 条使用记录已写入 / uses written to {to.name}, SHA-256 {digest}"
        )
        if written.erased:
            out.print(f"{written.erased:,} 条已删除，未写入 / are erased and left out")


def _day(at: datetime) -> str:
    return at.isoformat()[:10]
