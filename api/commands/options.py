"""Options that every command shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.config import Settings, load_settings

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the hub; default $MINGJING_HOME or ./var."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_of(home: Path | None) -> Settings:
    """Return the settings of the hub in a folder."""
    return load_settings(home=home)
