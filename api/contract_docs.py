"""Contracts as pages to read and print: one file each and an index, no script, nothing external.

Every page carries its style within it, so that it can be sent, filed and opened years later.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from api.contract_store import Known
from api.contract_view import Registers, described
from api.pages.rendering import FOLDER, environment
from hub.config import Settings

_STYLES = ("mingjing.css", "contract.css")


def write_docs(found: Known, settings: Settings, folder: Path) -> Path:
    """Write the pages of every contract and return the index.

    Pages of datasets that are no longer there stay: the folder may be an archive.
    """
    registers = Registers.load(found.code_sets, settings)
    told = [described(c, registers, found.change(c)) for c in found.contracts]
    folder.mkdir(parents=True, exist_ok=True)
    for contract in told:
        _write(
            folder / _file(contract), "contract.html", {"c": contract, "counts": _counts(contract)}
        )
    rows = [{**contract, "file": _file(contract), "counts": _counts(contract)} for contract in told]
    index = folder / "index.html"
    _write(index, "contracts.html", {"contracts": rows})
    return index


def _file(contract: dict[str, Any]) -> str:
    return f"{contract['dataset']}.html"


def _counts(contract: dict[str, Any]) -> dict[str, int]:
    """Return how many checks there are of each severity, and how many columns are sealed."""
    severities = Counter(check["severity"] for check in contract["checks"])
    sealed = sum(column["sealed"] for column in contract["columns"])
    return {"errors": severities["error"], "warnings": severities["warning"], "sealed": sealed}


def _write(path: Path, template: str, context: dict[str, Any]) -> None:
    style = "\n".join((FOLDER / "static" / name).read_text("utf-8") for name in _STYLES)
    page = environment().get_template(template).render(style=style, **context)
    path.write_text(page, encoding="utf-8")
