"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contracts.versions.in_force import in_force
from hub.config import Settings, load_settings
from hub.errors import ConfigError, RequestError

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the hub; default $MINGJING_HOME or ./var."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Who = Annotated[
    str | None,
    typer.Option("--by", help="Account that acts; default that of this machine."),
]


def settings_of(home: Path | None) -> Settings:
    """Return the settings of the hub in a folder.

    Raises:
        ConfigError: when there is no hub; none is made by asking about it.
    """
    settings = load_settings(home=home)
    if not settings.keyring.exists():
        raise ConfigError(f"there is no hub in {settings.home}: run `hub init`, or name its --home")
    return settings


def require_department(settings: Settings, code: str | None) -> None:
    """Refuse a department that owns no dataset: a misspelt code must not read as "nothing there".

    Raises:
        RequestError: with the codes there are.
    """
    if code is None:
        return
    owners = sorted({contract.owner for contract in in_force(settings).contracts})
    if code not in owners:
        raise RequestError(
            f"没有部门 {code!r}，可用 / no such department: there are {', '.join(owners)}"
        )
