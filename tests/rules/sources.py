"""The repository's own files, read once, for the tests that check them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("hub", "contracts", "access", "assets", "api")
_TEXT = (
    ".cfg", ".conf", ".css", ".csv", ".html", ".ini", ".js", ".json", ".md", ".py", ".sh", ".svg",
    ".toml", ".txt", ".yaml", ".yml", "",
)  # fmt: skip
_OURS = (*PRODUCT, "bench", "tests", "docs", "deploy", ".ci")
_OTHERS = {"__pycache__", ".venvs"}  # folders in ours whose files are not


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: path from the root, dotted name, text and tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    def __str__(self) -> str:
        return self.path

    @property
    def package(self) -> str:
        """First part of the dotted name."""
        return self.name.partition(".")[0]


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Return the modules of the packages, of the whole product when none is named."""
    return tuple(_read(path) for package in packages or PRODUCT for path in _python(package))


def _python(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py") if not _OTHERS & set(p.parts))


def _read(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    return Module(str(relative), name, text, ast.parse(text))


def raised(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of every `raise` that names a class, `from` parts left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = _class_name(node.exc)
            if name:
                yield node.lineno, name


def _class_name(node: ast.expr) -> str | None:
    """Return the last part of a class name in `raise X`, `raise X(...)`, `except a.X`."""
    if isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
    return name if name and name.lstrip("_")[:1].isupper() else None


def caught(handler: ast.ExceptHandler) -> tuple[str, ...]:
    """Return the names a handler catches; ("",) for a bare one."""
    if handler.type is None:
        return ("",)
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return tuple(name for name in map(_class_name, kinds) if name)


def handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Yield every except clause."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def texts() -> Iterator[tuple[str, str]]:
    """Yield (path from the root, text) of every text file that is ours."""
    folders = [ROOT / name for name in _OURS]
    found = [p for folder in folders for p in folder.rglob("*")]
    for path in sorted([*found, *ROOT.iterdir()]):
        if path.is_file() and path.suffix in _TEXT and not _OTHERS & set(path.parts):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")


def document(name: str) -> str:
    """Return the text of a page of docs/."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def table_rows(text: str, header: str) -> dict[str, tuple[str, ...]]:
    """Return the rows of the Markdown table whose first column has that header.

    Returns:
        First cell without back-ticks -> all cells.
    """
    rows: dict[str, tuple[str, ...]] = {}
    inside = False
    for line in text.splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        if not line.startswith("|"):
            inside = False
        elif cells[0] == header:
            inside = True
        elif inside and set(line) - set("|-: "):
            rows[cells[0].strip("`")] = cells
    return rows
