"""Every file of the repository: what it must hold and what it must never hold."""

from __future__ import annotations

import ast
import re

import pytest

from tests.rules.sources import PRODUCT, ROOT, document, modules, texts

#: What would tie the product to one machine or one package index, or give a person away.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:home|Users|root|work|mnt|media)/[\w.-]+|[A-Z]:\\\\Users"
    ),
    "a package index": re.compile(
        r"--(?:extra-)?index-url|pypi\.|pythonhosted\.org|/simple/|[\w.-]+/artifactory|mirrors?\.\w+\.\w+"
    ),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY"),
}
#: Tests build hostile input; this file has to spell what it forbids.
EXEMPT = ("tests/rules/test_files.py",)
_ID = re.compile(
    r"(?<![0-9A-Za-z])([1-9][0-9]{5})(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path}: {match.group(0)}"
        for path, text in texts()
        if path not in EXEMPT
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert found == []


def test_identity_numbers_are_invented() -> None:
    """An 18-digit number in a file is in area 99, which no real card can have."""
    real = [
        f"{path}: area {match.group(1)}"
        for path, text in texts()
        if not path.startswith(("requirements", "tests/"))
        for match in _ID.finditer(text)
        if not match.group(1).startswith("99")
    ]
    assert real == []


def test_no_lock_file_with_addresses() -> None:
    names = {p.name for p in ROOT.iterdir()}
    assert names & {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"} == set()
    assert "://" not in (ROOT / "requirements.txt").read_text()


def test_every_requirement_is_pinned_with_a_digest() -> None:
    text = (ROOT / "requirements.txt").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    loose = [
        e.split()[0]
        for e in entries
        if e.strip() and not re.search(r"==.*--hash=sha256:", e, re.DOTALL)
    ]
    assert loose == []


def test_every_module_says_what_it_owns() -> None:
    silent = [
        m.path
        for m in modules(*PRODUCT, "bench")
        if m.text.strip() and not ast.get_docstring(m.tree)
    ]
    assert silent == []


def test_public_functions_say_what_the_caller_gets() -> None:
    silent = [
        f"{module}:{node.lineno} {node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and node.col_offset == 0
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_names_say_something() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    found = [m.path for m in modules(*PRODUCT, "bench") if set(m.name.split(".")) & vague]
    assert found == []


def test_values_are_frozen() -> None:
    """A dataclass is a value; the few that change are listed with their reason."""
    changing = {
        "access.plan.Plan",  # remembers the views it has compiled
        "assets.integrated.subjects.Held",  # millions are made: freezing them costs seconds
        "assets.integrated.subjects.Subject",
        "assets.integrated.persons.Person",
        "contracts.document.Document",  # gathers findings while a file is read
    }
    loose = {
        f"{module.name}.{node.name}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and not _is_frozen(node)
    }
    assert loose <= changing


def test_every_test_folder_is_a_package() -> None:
    """Without it `import hub` would find tests/hub."""
    folders = {p.parent for p in (ROOT / "tests").rglob("*.py")}
    assert [str(f) for f in folders if not (f / "__init__.py").exists()] == []


def test_pages_of_docs_are_reachable_from_the_first() -> None:
    first = document("README.md")
    pages = {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"({name})" not in first} == set()


def _is_frozen(node: ast.ClassDef) -> bool:
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
        if name == "dataclass":
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            return any(k.arg == "frozen" and getattr(k.value, "value", False) for k in keywords)
    return True
