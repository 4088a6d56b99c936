"""`hub access lint | matrix`: whether the policy holds together, and who can see what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from access.demo import FILE as ACCOUNTS
from access.lint import Finding, lint_accounts, lint_sources, read_accounts, read_sources
from access.matrix import matrix as matrix_rows
from access.matrix import summary
from access.posts import reading_decider
from api.commands.access.sources import catalog_of, policy_folder_of, policy_of_hub
from api.commands.options import Home, Json
from api.console import door, out, print_rows
from hub.catalog import Catalog
from hub.clock import SystemClock
from hub.config import load_settings
from hub.errors import RequestError
from hub.files import write_new

app = typer.Typer()

_MOST = (
    "该角色最多能看到的内容：最高密级、填写事项编号、同时查询该目的所需的全部数据集；没有的行即不可见。"
    " / The most that anybody in the role can see: of the highest clearance, with a case, asking for"
    " all that the purpose covers; what has no row is not seen."
)

PolicyFolder = Annotated[
    Path | None,
    typer.Option("--policy", exists=True, file_okay=False, help="Folder of another policy."),
]


@app.command()
def lint(
    policy: PolicyFolder = None,
    accounts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Accounts: who holds what, and who is who."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check the policy files and who holds what; every finding at once. Exit 65 on an error."""
    with door():
        settings = load_settings(home=home)
        findings = _findings(policy or policy_folder_of(settings), accounts, catalog_of(settings))
        rows = [
            {
                "at": f"{f.file}:{f.line}",
                "severity": f.severity,
                "code": f.code,
                "finding": f.message,
            }
            for f in findings
        ]
        print_rows("Policy findings", rows, as_json=as_json, empty="none")
        if any(f.severity == "error" for f in findings):
            raise typer.Exit(65)


def _findings(folder: Path, accounts: Path | None, catalog: Catalog) -> tuple[Finding, ...]:
    """Return what is wrong with a folder, and with who holds what where a file says so."""
    sources = read_sources(folder)
    beside = folder / ACCOUNTS
    file = accounts or (beside if beside.exists() else None)
    found = lint_sources(sources, catalog)
    return (*found, *lint_accounts(sources, read_accounts(file), file.name)) if file else found


@app.command()
def matrix(
    role: Annotated[str | None, typer.Option(help="Only this role.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Workbook to write; must not exist.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List who can see what: role, purpose, dataset, and how each column is shown."""
    with door():
        settings = load_settings(home=home)
        catalog = catalog_of(settings)
        policy, now = policy_of_hub(settings, catalog), SystemClock().now()
        rows = [
            row
            for row in matrix_rows(reading_decider(policy, catalog), now)
            if role in (None, row["role"]) and dataset in (None, row["dataset"])
        ]
        if xlsx is not None:
            about = {
                "策略版本 / policy version": policy.version,
                "制表时间 / made at": f"{now:%Y-%m-%d %H:%M} UTC",
                "行的含义 / what a row means": _MOST,
                "仅限角色 / only role": role or "—",
                "仅限数据集 / only dataset": dataset or "—",
            }
            _write(xlsx, rows, catalog, about)
            return
        shown = rows if as_json else summary(rows)
        print_rows("Who can see what", shown, as_json=as_json, empty="no such role or dataset")


def _write(path: Path, rows: list[dict[str, Any]], catalog: Catalog, about: dict[str, str]) -> None:
    from api.matrix_book import write_matrix  # writes workbooks: only when asked for

    if path.exists() or not path.parent.is_dir():
        raise RequestError("--xlsx names a file that exists, or a folder that does not")
    try:
        write_new(path, lambda file: write_matrix(file, rows, catalog, about))
    except OSError as exc:
        raise RequestError("--xlsx cannot be written: name a new file in your own folder") from exc
    out.print(f"{len(rows):,} rows written to {path.name}")
