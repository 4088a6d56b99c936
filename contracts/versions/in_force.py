"""The contracts a hub goes by: those in its folders, weighed against the versions in use."""

from __future__ import annotations

from contracts.codes import CodeSets, load_code_sets
from contracts.loader import load_contracts
from contracts.model import Contract
from contracts.versions.adoption import Weighed, weigh
from hub.agencies import load_agencies
from hub.config import Settings
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records


def load_filed(settings: Settings, code_sets: CodeSets | None = None) -> tuple[Contract, ...]:
    """Load the contracts of a hub as they lie in its folders, not yet weighed.

    Raises:
        ContractError: when a contract is not valid, with every finding.
        PolicyError: when the register of agencies does not fit.
    """
    return load_contracts(
        settings.contract_folders,
        code_sets=code_sets or load_code_sets(settings.contract_folders),
        agencies=load_agencies(settings.policy_folder),
    )


def in_force(settings: Settings, code_sets: CodeSets | None = None) -> Weighed:
    """Load the contracts to go by; where there is no hub yet, nothing was used.

    Raises:
        ContractError: when a contract is not valid, with every finding.
    """
    sets = code_sets or load_code_sets(settings.contract_folders)
    if not settings.records.exists():
        return weigh(load_filed(settings, sets), {}, sets)
    with Records.open(settings) as records:
        return load_in_force(settings, records, sets)


def load_in_force(settings: Settings, records: Records, code_sets: CodeSets) -> Weighed:
    """Load the contracts to go by, and what is refused of their changes.

    Whoever shows, hands out or judges what was loaded goes by these, never by the files alone: an
    edit that is refused for loading must not change what is shown either.

    Raises:
        ContractError: when a contract is not valid, with every finding.
    """
    return weigh(load_filed(settings, code_sets), ContractVersions(records).latest(), code_sets)
