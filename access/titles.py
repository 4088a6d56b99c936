"""What people call the codes of a usage record: agencies, purposes, datasets, columns."""

from __future__ import annotations

from dataclasses import dataclass

from access.policy import Policy
from hub.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles by code, from the policy and catalogue of today; a code nobody knows is its own."""

    policy: Policy
    catalog: Catalog

    def agency(self, code: str) -> str:
        """Return the title of an agency."""
        return self.policy.roles.agencies.get(code, code)

    def purpose(self, code: str) -> str:
        """Return the title of a purpose."""
        purpose = self.policy.purposes.get(code)
        return purpose.title if purpose else code

    def dataset(self, name: str) -> str:
        """Return the title of a dataset."""
        return self.catalog[name].title if name in self.catalog else name

    def column(self, dataset: str, column: str) -> str:
        """Return the title of a column."""
        if dataset in self.catalog:
            for found in self.catalog[dataset].columns:
                if found.name == column:
                    return found.title
        return column
