"""Who may import whom; the contracts themselves are in pyproject.toml."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain

import pytest
from importlinter.cli import lint_imports

from tests.rules.sources import PRODUCT, ROOT, Module, modules

#: Packages that are part of another's public interface and come with it.
PART_OF = {"starlette": "fastapi", "anyio": "fastapi"}
COMMAND_LINE = ("api.cli", "api.commands", "api.demo")  # `hub --help` must not wait for Dagster


def test_layers_and_sole_importers_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert code == 0, capsys.readouterr().out


def test_the_linter_looks_at_every_package() -> None:
    folders = {p.parent.name for p in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert folders == set(PRODUCT)


def test_only_the_records_make_engines() -> None:
    makers = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _called(node) in ("create_engine", "create_async_engine")
    }
    assert makers == {"hub.store.records"}


def test_what_is_imported_is_declared() -> None:
    """A package that is only there because another needs it can be gone tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {_normal(re.split(r"[^\w.-]", text)[0]) for text in texts}
    owners = packages_distributions()
    undeclared = {
        f"{module}: {name}"
        for module in modules()
        for name in _foreign(module)
        if not declared & {_normal(owner) for owner in owners.get(PART_OF.get(name, name), [name])}
    }
    assert undeclared == set()


def test_imports_inside_functions_say_why() -> None:
    """A deferred import is either a heavy one with its reason beside it, or it hides a cycle."""
    silent = [
        f"{module}:{line}"
        for module in modules()
        if not module.name.startswith(COMMAND_LINE)
        for line in _unexplained(module)
    ]
    assert silent == []


def _foreign(module: Module) -> Iterator[str]:
    """Yield the top-level names of foreign packages that a module imports."""
    for node in ast.walk(module.tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in (full.partition(".")[0] for full in names):
            if name not in sys.stdlib_module_names and name not in PRODUCT:
                yield name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _called(node: ast.Call) -> str | None:
    return (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    )


def _unexplained(module: Module) -> Iterator[int]:
    lines = module.text.splitlines()
    for function in ast.walk(module.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                near = lines[max(node.lineno - 3, 0) : node.lineno]
                if not any("#" in line for line in near):
                    yield node.lineno
