"""Every contract of the hub, read and checked together; all findings at once, file and line.

Three judges in turn: the official ODCS JSON schema for the form, `contracts.reading` for the
meaning, and here what only shows across files: references, code sets, datasets given twice.

Source: ODCS v3.2 (JSON schema of the package `open-data-contract-standard`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jsonschema import Draft201909Validator

from contracts.checks import plan
from contracts.codes import DIVISIONS, CodeSets, load_code_sets
from contracts.document import Document, read_document
from contracts.model import Contract, Property
from contracts.reading import read_contract
from contracts.trial import refused
from hub.agencies import load_agencies
from hub.catalog import Catalog
from hub.errors import ContractError

BUILT_IN = Path(__file__).parent / "odcs"
_QUOTED = re.compile(r"'([^']*)'")
_LONGEST = 200  # characters of a schema message that are worth reading


def load_contracts(
    folders: Sequence[Path] = (),
    *,
    code_sets: CodeSets | None = None,
    agencies: Collection[str] | None = None,
    built_in: bool = True,
) -> tuple[Contract, ...]:
    """Return every contract of the built-in folder and of further folders, in name order.

    Args:
        folders: folders with `*.yaml`; one that does not exist holds none.
        code_sets: the code sets contracts may name; read from the same folders when not given.
        agencies: codes of the agencies that may own a dataset; the built-in register by default.
        built_in: False leaves the built-in contracts out.

    Raises:
        ContractError: when any contract is not valid; `findings` holds every finding.
    """
    places = [BUILT_IN, *folders] if built_in else list(folders)
    paths = [path for folder in places for path in sorted(folder.glob("*.y*ml"))]
    contracts, findings = read_contracts(paths, code_sets or load_code_sets(folders), agencies)
    if findings:
        raise ContractError("contracts are not valid", findings=findings)
    return contracts


def read_contracts(
    paths: Sequence[Path], code_sets: CodeSets, agencies: Collection[str] | None = None
) -> tuple[tuple[Contract, ...], tuple[str, ...]]:
    """Return what can be read of contract files, and every finding, file by file."""
    contracts: list[Contract] = []
    findings: list[str] = []
    for path in paths:
        contract, found = _read(path)
        if contract is not None:
            contracts.append(contract)
        findings += found
    known = load_agencies() if agencies is None else agencies
    findings += _across(contracts, code_sets, known)
    return tuple(sorted(contracts, key=lambda item: item.name)), tuple(findings)


def read_one(path: Path) -> Contract:
    """Return the contract of one file, judged by itself: what it refers to is not looked up.

    Raises:
        ContractError: with every finding.
    """
    contract, findings = _read(path)
    if contract is None or findings:
        raise ContractError(f"{path.name} is no valid contract", findings=findings)
    return contract


def _read(path: Path) -> tuple[Contract | None, tuple[str, ...]]:
    document = read_document(path)
    if not document.findings and isinstance(document.value, Mapping):
        _check_form(document)
    contract = read_contract(document) if isinstance(document.value, Mapping) else None
    if contract is None and not document.findings:
        document.find((), "holds no contract")
    return contract, tuple(dict.fromkeys(document.findings))


def load_catalog(contracts: Sequence[Contract]) -> Catalog:
    """Return the catalogue of the contracts' datasets."""
    return Catalog(tuple(contract.dataset for contract in contracts))


@cache
def _form() -> Draft201909Validator:
    schema = files("open_data_contract_standard").joinpath("schema.json")
    return Draft201909Validator(json.loads(schema.read_text("utf-8")))


def _check_form(document: Document) -> None:
    for error in _form().iter_errors(document.value):
        place = tuple(error.absolute_path)
        if error.validator in ("additionalProperties", "unevaluatedProperties"):
            for name in _QUOTED.findall(error.message):  # each at its own line, and once
                document.find((*place, name), f"not ODCS: {name!r} is no key here")
            continue
        message = error.message
        if len(message) > _LONGEST:
            message = f"{message[:_LONGEST]}…"
        document.find(place, f"not ODCS: {message}")


def _across(
    contracts: Sequence[Contract], code_sets: CodeSets, agencies: Collection[str]
) -> Iterator[str]:
    """Yield what is wrong between contracts, and between contracts and registers."""
    columns = {item.name: {p.name: p for p in item.properties} for item in contracts}
    seen: dict[str, str] = {}
    for contract in contracts:
        if contract.name in seen:
            yield f"{contract.file}:1: {contract.name} is defined in {seen[contract.name]} too"
        seen[contract.name] = contract.file
        if contract.owner and contract.owner not in agencies:
            known = ", ".join(sorted(agencies))
            yield (
                f"{contract.file}:{contract.owner_line}: ownerDepartment {contract.owner!r} is not "
                f"in the register of agencies (agencies.csv): {known}"
            )
        yield from _references(contract, columns)
        yield from _lists(contract, code_sets)
        yield from _heads(contract, code_sets)
        yield from _twice(contract)
    yield from _circles(contracts)
    yield from refused(contracts)


def _circles(contracts: Sequence[Contract]) -> Iterator[str]:
    """Yield references that go round: none of those datasets could be the first to be checked."""
    needs = {c.name: {d for d, _ in c.references} - {c.name} for c in contracts}
    while free := {name for name, needed in needs.items() if not needed & set(needs)}:
        needs = {name: needed for name, needed in needs.items() if name not in free}
    for contract in contracts:
        for rule in contract.rules:
            if contract.name in needs and rule.arguments.get("dataset") in needs:
                others = ", ".join(sorted(needs))
                yield f"{contract.file}:{rule.line}: references go round in a circle: {others}"


def _heads(contract: Contract, code_sets: CodeSets) -> Iterator[str]:
    """Yield what a rule calls a head of household and the relation's code set does not hold."""
    for rule in contract.rules:
        if rule.rule == "one_household_head":
            named = contract.column(rule.arguments["relation"]).code_set
            known = code_sets.get(named or "")
            codes = {code.code for code in known.codes} if known else set(rule.arguments["heads"])
            for code in rule.arguments["heads"]:
                if code not in codes:
                    yield f"{contract.file}:{rule.line}: head {code!r} is no code of {named}"


def _references(contract: Contract, columns: Mapping[str, Mapping[str, Property]]) -> Iterator[str]:
    pointed = [
        (p.line, ref.dataset, ref.column) for p in contract.properties for ref in p.references
    ]
    pointed += [
        (rule.line, rule.arguments["dataset"], rule.arguments["reference_column"])
        for rule in contract.rules
        if rule.rule == "reference"
    ]
    for line, dataset, column in pointed:
        if column not in columns.get(dataset, set()):
            yield f"{contract.file}:{line}: reference to nothing: {dataset}.{column}"
    for dataset, column in contract.references:
        there = columns.get(dataset, {}).get(column)
        if there is not None and there.sealed:
            yield (
                f"{contract.file}:1: {dataset}.{column} is sealed: a rule can only look up "
                "a column that stays in the clear"
            )


def _lists(contract: Contract, code_sets: CodeSets) -> Iterator[str]:
    for item in contract.properties:
        if item.code_set is not None and item.code_set not in code_sets:
            yield f"{contract.file}:{item.line}: no code set {item.code_set!r}"
            continue
        for source in contract.sources:
            known = (
                {code.code for code in code_sets[item.code_set].codes} if item.code_set else None
            )
            for raw, code in source.code_maps.get(item.name, {}).items():
                if known is not None and code not in known:
                    yield (
                        f"{contract.file}:{item.line}: sources.{source.partner}.codeMaps."
                        f"{item.name}: {raw!r} maps to {code!r}, which is no code of {item.code_set}"
                    )
    for rule in contract.rules:
        if rule.rule in ("division_known", "resident_id_area_known") and DIVISIONS not in code_sets:
            yield f"{contract.file}:{rule.line}: {rule.rule} needs the code set {DIVISIONS!r}"


def _twice(contract: Contract) -> Iterator[str]:
    seen: set[str] = set()
    for spec in plan(contract):
        if spec.id in seen:
            yield f"{contract.file}:1: check id {spec.id!r} is there twice; name the rule differently"
        seen.add(spec.id)
