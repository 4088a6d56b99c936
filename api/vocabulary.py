"""The words people read: titles of datasets, columns, agencies and purposes, labels of codes.

Built once when the server starts; a cell of an answer costs two dictionary reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from access.masking import kind
from access.model import CLEAR, Actor
from access.policy import Policy
from access.purposes import Purpose, PurposeRegister
from access.roles import RoleRegister
from contracts.codes import DIVISIONS, CodeSets
from hub.catalog import Catalog, Column, Dataset

_NO_CODES: Mapping[str, str] = {}
_Described = tuple[dict[str, Any], Mapping[str, str]]  # a cell without its value, its labels


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Titles and labels by code.

    Args:
        policy: returns the policy in force, whose purposes and roles have titles.
    """

    catalog: Catalog
    code_sets: CodeSets
    policy: Callable[[], Policy]
    _columns: dict[tuple[str, str], tuple[str, Mapping[str, str]]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _labelled: dict[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)
    _cells: dict[tuple[str, str, str], _Described] = field(
        default_factory=dict, compare=False, repr=False
    )
    _golden: dict[tuple[str, str, str], _Described] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def purposes(self) -> PurposeRegister:
        """Every purpose in force."""
        return self.policy().purposes

    @property
    def roles(self) -> RoleRegister:
        """Every role and agency in force."""
        return self.policy().roles

    def cell(self, dataset: str, column: str, value: Any, treatment: str) -> dict[str, Any]:
        """Return one shown value with what it is called and how it was treated."""
        known = self._cells.get((dataset, column, treatment))
        if known is None:
            known = self._describe_cell(dataset, column, treatment)
        described, labels = known
        shown = described.copy()
        shown["value"] = value
        if labels:
            shown["label"] = labels.get(value)
        return shown

    def golden_cell(self, field: str, cell: Mapping[str, Any]) -> dict[str, Any]:
        """Return one shown value of the merged person, with where it is from."""
        source, treatment = cell["source"], cell["treatment"]
        known = self._golden.get((field, source, treatment))
        if known is None:
            known = self._describe_golden(field, cell)
        described, labels = known
        shown = described.copy()
        shown["value"], shown["since"] = cell["value"], cell["since"]
        if labels:
            shown["label"] = labels.get(cell["value"])
        return shown

    def column_title(self, dataset: str, column: str) -> str:
        """Return what people call a column, its own name when nobody said."""
        return self._column(dataset, column)[0]

    def code_label(self, code_set: str | None, value: Any) -> str | None:
        """Return the label of a code of a code set, None when there is none."""
        found = self.code_sets.get(code_set) if code_set else None
        if found is None:
            return None
        return next((code.label for code in found.codes if code.code == value), None)

    def dataset(self, name: str) -> Dataset | None:
        """Return a dataset, or None when the catalogue no longer has it."""
        if name not in self.catalog:
            return None
        return self.catalog[name]

    def dataset_title(self, name: str) -> str:
        """Return what people call a dataset."""
        dataset = self.dataset(name)
        return dataset.title if dataset else name

    def agency(self, code: str) -> str:
        """Return what people call an agency."""
        return self.roles.agencies.get(code, code)

    def role_titles(self, actor: Actor) -> list[str]:
        """Return what people call the roles an actor holds."""
        known = self.roles.roles
        return [known[role].title if role in known else role for role in actor.roles]

    def purposes_of(self, actor: Actor) -> list[Purpose]:
        """Return the purposes the actor's roles, and what they inherit, may state."""
        held = {name for role in actor.roles for name in self.roles.held(role)}
        return [item for item in self.purposes.values() if held & set(item.roles)]

    def labels(self, dataset: str, column: str) -> Mapping[str, str]:
        """Return code -> label of a column, empty when it holds no codes."""
        return self._column(dataset, column)[1]

    def places(self) -> Mapping[str, str]:
        """Return division or grid code -> what people call the place."""
        return self._code_labels(DIVISIONS)

    def purpose(self, code: str) -> Purpose | None:
        """Return a purpose, or None when there is none of that code."""
        return self.purposes.get(code)

    def _describe_cell(self, dataset: str, column: str, treatment: str) -> _Described:
        title, labels = self._column(dataset, column)
        described = {
            "column": column,
            "title": title,
            "value": None,
            "label": None,
            "treatment": treatment,
            "how": kind(treatment),
        }
        made = (described, labels if treatment == CLEAR else _NO_CODES)
        self._cells[dataset, column, treatment] = made
        return made

    def _describe_golden(self, field: str, cell: Mapping[str, Any]) -> _Described:
        source, treatment = cell["source"], cell["treatment"]
        described = {
            "column": field,
            "title": cell["title"],
            "value": None,
            "label": None,
            "treatment": treatment,
            "how": kind(treatment),
            "source": source,
            "source_title": self.dataset_title(source.rpartition(".")[0]),
            "since": None,
        }
        labels = self._code_labels(cell["codes"]) if treatment == CLEAR else _NO_CODES
        made = self._golden[field, source, treatment] = (described, labels)
        return made

    def _column(self, dataset: str, column: str) -> tuple[str, Mapping[str, str]]:
        known = self._columns.get((dataset, column))
        if known is None:
            known = self._columns[dataset, column] = self._describe(dataset, column)
        return known

    def _describe(self, dataset: str, column: str) -> tuple[str, Mapping[str, str]]:
        entry = self.dataset(dataset)
        for item in entry.columns if entry else ():
            if item.name == column:
                return item.title, self._labels(item)
            if column in item.clear_as:
                return f"{item.title}（{_HOW[item.clear_as[column]]}）", _NO_CODES
        return column, _NO_CODES

    def _labels(self, column: Column) -> Mapping[str, str]:
        return self._code_labels(
            DIVISIONS if column.semantic == "division_code" else column.code_set
        )

    def _code_labels(self, code_set: str | None) -> Mapping[str, str]:
        if code_set is None or code_set not in self.code_sets:
            return _NO_CODES
        known = self._labelled.get(code_set)
        if known is None:
            codes = self.code_sets[code_set].codes
            known = self._labelled[code_set] = {code.code: code.label for code in codes}
        return known


_HOW = {"year": "年份", "month": "月份", "age_band": "年龄段"}
