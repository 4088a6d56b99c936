"""The contracts a hub goes by: those in its folders, weighed against the versions in use."""

from __future__ import annotations

from contracts.codes import CodeSets
from contracts.loader import load_contracts
from contracts.versions.adoption import Weighed, weigh
from hub.config import Settings
from hub.store.contract_versions import ContractVersions
from hub.store.records import Records


def load_in_force(settings: Settings, records: Records, code_sets: CodeSets) -> Weighed:
    """Load the contracts to go by, and what is refused of their changes.

    Whoever shows, hands out or judges what was loaded goes by these, never by the files alone: an
    edit that is refused for loading must not change what is shown either.

    Raises:
        ContractError: when a contract is not valid, with every finding.
    """
    contracts = load_contracts(settings.contract_folders, code_sets=code_sets)
    return weigh(contracts, ContractVersions(records).latest(), code_sets)
