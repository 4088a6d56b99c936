"""docs/ against the code, both ways: whatever exists is described, whatever is described exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from access.policy import load_policy
from api import app as application
from api import identity_provider
from api.cli import app
from api.problems import known_codes
from bench.registry import BENCHES
from contracts.cleaning import transforms
from contracts.codes import load_code_sets
from contracts.custom import custom_schema
from contracts.loader import load_catalog, load_contracts
from contracts.quality import METRICS, OPERATORS
from contracts.rules import NAMED_RULES
from hub.config import Settings
from hub.errors import HubError
from hub.events import EventTag
from tests.rules.sources import ROOT, document, modules, table_rows

PAGES = sorted(p.name for p in (ROOT / "docs").glob("*.md"))
CONTRACTS = load_contracts()


def commands(command: Any, path: tuple[str, ...] = ("hub",)) -> Iterator[tuple[str, Any]]:
    """Yield ("hub ledger verify", command) for every command that does something."""
    groups = getattr(command, "commands", None)
    if groups is None or command.invoke_without_command:
        yield " ".join(path), command
    for name, inner in (groups or {}).items():
        yield from commands(inner, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_events_page_lists_every_tag_and_no_other() -> None:
    described = set(table_rows(document("events.md"), "tag"))
    assert described == {tag.value for tag in EventTag}


def test_every_tag_is_emitted_somewhere() -> None:
    used = {
        name
        for module in modules()
        if module.name != "hub.events"
        for name in re.findall(r"EventTag\.([A-Z_]+)", module.text)
    }
    assert used == {tag.name for tag in EventTag}


def test_settings_page_lists_every_setting_with_its_default() -> None:
    table = table_rows(document("settings.md"), "setting")
    assert set(table) == set(Settings.model_fields)
    for name, setting in Settings.model_fields.items():
        default = "none" if setting.default is None else str(setting.default)
        assert table[name][1].strip("`") == default, name
        assert f"MINGJING_{name.upper()}" in table[name][2], name


def test_errors_page_lists_every_code_as_it_is() -> None:
    table = table_rows(document("errors.md"), "code")
    exits = {kind.code: str(kind.exit_code) for kind in _kinds(HubError)}
    for known in known_codes():
        code = known["code"]
        assert code in table, f"docs/errors.md lacks {code}"
        assert table[code][1:3] == (str(known["status"]), exits.get(code, "–")), code
    assert set(table) == {known["code"] for known in known_codes()}


def test_codes_are_distinct() -> None:
    codes = [kind.code for kind in _kinds(HubError)]
    assert len(codes) == len(set(codes))


def test_commands_page_has_every_command_and_option() -> None:
    text = document("commands.md")
    described = set(re.findall(r"^### `(hub [a-z -]+?)`?$", text, re.MULTILINE))
    assert described == set(COMMANDS)
    sections = dict(
        re.findall(r"^### `(hub [^`]+)`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    )
    for name, command in COMMANDS.items():
        for parameter in command.params:
            wanted = parameter.opts[0] if parameter.param_type_name == "option" else parameter.name
            assert (wanted and f"`{wanted}" in sections[name]) or wanted == "--help", (
                f"{name} {wanted}"
            )


def test_benchmarks_page_names_every_bench() -> None:
    assert set(table_rows(document("benchmarks.md"), "bench")) == set(BENCHES)


@pytest.mark.parametrize(
    "words",
    [
        [*custom_schema("onContract")["properties"], *custom_schema("onColumn")["properties"]],
        custom_schema("onColumn")["properties"]["semanticType"]["enum"],
        list(NAMED_RULES),
        [*METRICS, *OPERATORS],
    ],
    ids=["custom properties", "semantic types", "named rules", "metrics"],
)
def test_contracts_page_explains(words: list[str]) -> None:
    text = document("contracts.md")
    assert [word for word in words if f"`{word}`" not in text] == []


def _kinds(kind: type[HubError]) -> Iterator[type[HubError]]:
    if kind.__module__ == "hub.errors":
        yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_contracts_page_explains_every_transform() -> None:
    """Transforms are told by name to departments, so each name has a meaning written down."""
    named = set()
    for contract in CONTRACTS:
        for column in contract.properties:
            sets = load_code_sets()
            code_set = sets[column.code_set] if column.code_set else None
            named |= {step.name for step in transforms(column, code_set, {"x": "y"})}
    text = document("contracts.md")
    assert sorted(name for name in named if f"`{name}`" not in text) == []


def test_contracts_page_lists_every_code_set() -> None:
    text = document("contracts.md")
    assert [name for name in load_code_sets() if f"`{name}`" not in text] == []


def test_access_page_names_every_role_purpose_and_mask() -> None:
    policy = load_policy(load_catalog(CONTRACTS))
    text = document("access.md")
    names = [*policy.roles.roles, *policy.purposes, *(rule.id for rule in policy.rules)]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_examples_exist(page: str) -> None:
    """A `hub …` line of a shell block names a command and options that there are."""
    wrong = [line for line in _shell_lines(document(page)) if not _runs(line)]
    assert wrong == []


def test_code_names_commands_that_exist() -> None:
    """A message that says "run `hub …`" must not send people to nothing."""
    wrong = [
        f"{module}: {name}"
        for module in modules()
        for name in re.findall(r"`(hub [a-z][a-z |]*)", module.text)
        if not _is_command(name)
    ]
    assert wrong == []


def test_pages_name_commands_that_exist() -> None:
    readme = ROOT / "README.md"
    pages = {page: document(page) for page in PAGES}
    pages |= {"README": readme.read_text(encoding="utf-8")} if readme.exists() else {}
    wrong = [f"{page}: {name}" for page, text in pages.items() for name in _named(text)]
    assert [name for name in wrong if not _is_command(name.partition(": ")[2])] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_somewhere(page: str) -> None:
    text = document(page)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    files = re.findall(r"`((?:hub|contracts|access|assets|api|bench|docs|tests)/[\w./-]*\w)`", text)
    lost = [name for name in links if not (ROOT / "docs" / name).exists()]
    lost += [name for name in files if not (ROOT / name).exists()]
    assert lost == []


def test_pages_name_addresses_that_exist() -> None:
    """`GET /v1/me/uses/INDEX/proof` and `/board` are routes of the application."""
    routers = (*application._DOORS, *application._PAGES, identity_provider)
    paths = {route.path for module in routers for route in module.router.routes} | {"/openapi.json"}
    known = [re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)) for path in paths]
    named = {
        f"{page}: {address}"
        for page in PAGES
        for address in re.findall(
            r"`(?:[A-Z]+ )?(/(?:v1/[^`?#\s]+|[a-z]+(?=[`?#])))", document(page)
        )
    }
    assert named
    lost = [n for n in named if not any(k.fullmatch(n.partition(": ")[2]) for k in known)]
    assert lost == []


def test_readme_names_make_targets_and_pages_that_exist() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    text = readme.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = re.findall(r"(?:^\s*|`)make ([a-z]+)", text, re.MULTILINE)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [name for name in made if name not in targets] == []
    assert [name for name in links if not (ROOT / name).exists()] == []


def _named(text: str) -> Iterator[str]:
    """Yield every `hub …` in back-ticks or at the beginning of a line of a block."""
    yield from re.findall(r"`(hub [a-z][a-z |-]*)", text)
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^ *(?:\$ )?(hub [a-z].*)", block, re.MULTILINE):
            yield from re.findall(
                r"hub [a-z|]+(?: [a-z|]+(?:-[a-z]+)*)?", re.split(r" {2,}", line)[0]
            )


def _is_command(name: str) -> bool:
    """Say whether "hub ledger verify|key …" or "hub ledger" names only what there is."""
    _, first, *rest = name.split()
    names = {command.split()[1] for command in COMMANDS}
    groups = {command.split()[1] for command in COMMANDS if len(command.split()) > 2}
    if not set(first.split("|")) <= names:
        return False
    if first not in groups or not rest:
        return True
    return all(_is_in_group(f"hub {first} {word}", rest[1:]) for word in rest[0].split("|"))


def _is_in_group(name: str, rest: list[str]) -> bool:
    """Say whether a name is a command, or a group that has what follows it."""
    if name in COMMANDS:
        return True
    inner = {command for command in COMMANDS if command.startswith(f"{name} ")}
    return bool(inner) and (not rest or all(f"{name} {w}" in inner for w in rest[0].split("|")))


def _shell_lines(text: str) -> Iterator[str]:
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            line = line.strip().removeprefix("$ ")
            if line.startswith("hub "):
                yield line.split("  #")[0].split(" | ")[0].split(" > ")[0]


def _runs(line: str) -> bool:
    words = shlex.split(line, comments=True)
    found = [n for n in COMMANDS if words[: len(n.split())] == n.split()]
    if not found:
        return False
    name = max(found, key=len)  # `hub quality show` is not `hub quality`
    options = {opt for p in COMMANDS[name].params for opt in (*p.opts, *p.secondary_opts)}
    return all(w.split("=")[0] in {*options, "--help"} for w in words if w.startswith("--"))
