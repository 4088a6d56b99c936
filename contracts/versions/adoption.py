"""Contracts against the versions the hub last loaded data under; pure.

A contract may change when its version says so: any later version for a change that breaks nobody,
a new major version for one that does. Until then the hub goes on with the version in use.

Source: Semantic Versioning 2.0.0; RFC 8785 (what the digest is over).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.codes import DIVISIONS, CodeSets
from contracts.document import Document, mapping
from contracts.model import Contract
from contracts.reading import read_contract
from contracts.versions.diff import Comparison, compare
from contracts.versions.difference import Bump
from hub.canonical import canonical_json
from hub.errors import ContractError
from hub.store.contract_versions import ContractVersion

Adopted = Mapping[str, ContractVersion]


@dataclass(frozen=True, slots=True)
class Weighed:
    """Contracts weighed against those in use.

    Args:
        contracts: what is in force: each new version that is admissible, else the one in use.
        refused: the changes that are not taken, with the contract that asks for them.
        vanished: the versions in use whose contract is in no file any more; they stay in force.
    """

    contracts: tuple[Contract, ...]
    refused: tuple[tuple[Contract, Comparison], ...]
    vanished: tuple[ContractVersion, ...] = ()

    @property
    def error(self) -> ContractError | None:
        """The refusal of everything that is not taken, None when all of it is."""
        if not self.refused and not self.vanished:
            return None
        told = [line for pair in self.refused for line in findings(*pair)]
        return ContractError(
            "合同的改动与版本号不符或合同文件缺失，未予采用；已在用的版本和已发布的数据不受影响"
            " / contracts have changed more than their versions say, or are gone; "
            "the versions in use and what is published stay",
            findings=(*told, *map(missing, self.vanished)),
        )


def used(contract: Contract, code_sets: CodeSets, at: datetime) -> ContractVersion:
    """Return a contract as it is remembered: its document and the codes of its lists.

    Divisions are left out: that list is a register with dates of its own.
    """
    names = {item.code_set for item in contract.properties if item.code_set} - {DIVISIONS}
    codes = {
        name: sorted(code.code for code in code_sets[name].codes)
        for name in sorted(names)
        if name in code_sets
    }
    document = {"contract": dict(contract.document), "codes": codes}
    digest = hashlib.sha256(canonical_json(document)).hexdigest()
    return ContractVersion(contract.name, contract.version, digest, document, at)


def recall(version: ContractVersion) -> Contract:
    """Return the contract of a remembered version.

    Raises:
        ContractError: when it cannot be read any more.
    """
    document = Document(f"{version.dataset}.yaml", mapping(version.document.get("contract")))
    contract = read_contract(document)
    if contract is None:
        raise ContractError(
            f"the version of {version.dataset} in use ({version.version}) cannot be read any more",
            findings=tuple(document.findings),
        )
    return contract


def codes_of(version: ContractVersion) -> Mapping[str, Sequence[str]]:
    """Return the codes of a remembered version's lists."""
    return mapping(version.document.get("codes"))


def against(version: ContractVersion, contract: Contract, code_sets: CodeSets) -> Comparison:
    """Compare the version in use with a contract as it is now."""
    now: Mapping[str, Any] = used(contract, code_sets, version.first_used_at).document["codes"]
    return compare(recall(version), contract, codes_of(version), now)


def last_change(
    history: Sequence[ContractVersion], contract: Contract, code_sets: CodeSets
) -> Comparison | None:
    """Return what is new in a contract since the version before it, None when none is known.

    Args:
        history: the versions used, newest first.
    """
    before = next((v for v in history if v.version != contract.version), None)
    return None if before is None else against(before, contract, code_sets)


def weigh(contracts: Sequence[Contract], adopted: Adopted, code_sets: CodeSets) -> Weighed:
    """Return which contracts are in force, and which changes are refused."""
    in_force: list[Contract] = []
    refused: list[tuple[Contract, Comparison]] = []
    for contract in contracts:
        version = adopted.get(contract.name)
        if version is not None and not _is_same(version, contract, code_sets):
            comparison = against(version, contract, code_sets)
            if not comparison.is_admissible:
                refused.append((contract, comparison))
                in_force.append(recall(version))
                continue
        in_force.append(contract)
    filed = {contract.name for contract in contracts}
    vanished = tuple(version for name, version in sorted(adopted.items()) if name not in filed)
    in_force += map(recall, vanished)
    in_force.sort(key=lambda contract: contract.name)
    return Weighed(tuple(in_force), tuple(refused), vanished)


def _is_same(version: ContractVersion, contract: Contract, code_sets: CodeSets) -> bool:
    return used(contract, code_sets, version.first_used_at).digest == version.digest


def findings(contract: Contract, comparison: Comparison) -> tuple[str, ...]:
    """Return why a change is refused, each with file and line, the remedy last."""
    old, new = comparison.old_version, comparison.new_version
    shown = comparison.breaking or comparison.differences
    told = [f"{contract.file}:{item.line}: {item.text}" for item in shown]
    give = comparison.remedy or "MAJOR.MINOR.PATCH"
    if comparison.needed is Bump.MAJOR:
        reason = f"不兼容的改动须用新的主版本号 / a breaking change: give it version {give}"
    else:
        reason = f"内容已改而版本号未升 / it has changed: give it a new version, {give}"
    last = f"{contract.file}:1: {contract.name} {old} → {new}：{reason}，或撤回改动 / or undo it"
    return (*told, last)


def missing(version: ContractVersion) -> str:
    """Return what is wrong when the contract of data that was loaded is in no file, and the remedy."""
    name = version.dataset
    return (
        f"{name}.yaml:1: {name} {version.version} 已在用而合同文件不见了：请放回文件；不再交付的，"
        "保留文件并写 status: retired，版本号加一 / its file is gone while data was loaded under it: "
        "put the file back; when nothing is delivered any more, keep it with `status: retired` and "
        "a new patch version"
    )
