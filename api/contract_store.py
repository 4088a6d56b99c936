"""The contracts of a hub as its commands need them: loaded, with the versions that were used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.codes import CodeSets, load_code_sets
from contracts.loader import read_one
from contracts.model import Contract
from contracts.versions.adoption import Weighed, against, last_change, weigh
from contracts.versions.diff import Comparison, compare
from contracts.versions.in_force import load_filed
from hub.config import Settings
from hub.errors import NotFound, RequestError
from hub.store.contract_versions import ContractVersion, ContractVersions
from hub.store.records import Records


@dataclass(frozen=True, slots=True)
class Known:
    """Contracts as they lie in their folders.

    Args:
        history: dataset -> the versions that data was loaded under, newest first.
    """

    contracts: tuple[Contract, ...]
    code_sets: CodeSets
    history: Mapping[str, tuple[ContractVersion, ...]]

    def contract(self, dataset: str) -> Contract:
        """Return the contract of a dataset.

        Raises:
            NotFound: when there is none.
        """
        for contract in self.contracts:
            if contract.name == dataset:
                return contract
        raise NotFound(f"no contract for dataset {dataset!r}: `hub contract list` names them")

    def change(self, contract: Contract) -> Comparison | None:
        """Return what is new in a contract since the version used before it, if any was."""
        return last_change(self.history.get(contract.name, ()), contract, self.code_sets)

    @property
    def weighed(self) -> Weighed:
        """The contracts against the versions in use."""
        latest = {dataset: versions[0] for dataset, versions in self.history.items()}
        return weigh(self.contracts, latest, self.code_sets)


def known(settings: Settings) -> Known:
    """Load the contracts of a hub; where there is no hub yet, nothing was used.

    Raises:
        ContractError: when a contract is not valid, with every finding.
    """
    code_sets = load_code_sets(settings.contract_folders)
    contracts = load_filed(settings, code_sets)
    history: dict[str, tuple[ContractVersion, ...]] = {}
    if settings.records.exists():
        with Records.open(settings) as records:
            versions = ContractVersions(records)
            history = {name: versions.history(name) for name in versions.latest()}
    return Known(contracts, code_sets, history)


def compared(old: str, new: Path | None, settings: Settings) -> Comparison:
    """Compare two files, or the version of a dataset in use with its file.

    Raises:
        ContractError: when a file is no valid contract.
        NotFound: when there is no such file or dataset, or the dataset was never loaded.
        RequestError: when one file is given alone.
    """
    if new is not None:
        if not Path(old).is_file():
            raise NotFound(f"no file {old!r}: name two contract files, or one dataset")
        return compare(read_one(Path(old)), read_one(new))
    if Path(old).is_file():
        raise RequestError("name the second file, too, or a dataset alone")
    found = known(settings)
    contract = found.contract(old)
    history = found.history.get(old, ())
    if not history:
        raise NotFound(f"nothing was ever loaded under a contract of {old}: any change is free")
    return against(history[0], contract, found.code_sets)
