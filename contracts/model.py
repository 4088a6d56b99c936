"""A data contract as one frozen value: what a department promises about a dataset.

Words are those of the Open Data Contract Standard 3.1; what the standard leaves to custom
properties (sharing type, legal basis, subject roles, publish bar, source maps) is ours and is
read by `contracts.reading`.

Source: ODCS v3.2 (bitol.io), GB/T 43697-2024 (levels).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.catalog import Classification, Column, Dataset, SharingType
from hub.errors import NotFound

Severity = Literal["error", "warning"]
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class PublishBar:
    """What a batch must reach to be published, in percent of its rows."""

    key_accuracy_percent: float = 97.0
    overall_percent: float = 90.0


@dataclass(frozen=True, slots=True)
class SourceMap:
    """How one partner's file differs: header text -> column, column -> raw value -> code."""

    partner: str
    headers: Mapping[str, str] = field(default_factory=dict)
    code_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TypeOptions:
    """ODCS logicalTypeOptions: lengths in characters, bounds inclusive unless exclusive."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    exclusive_minimum: Scalar | None = None
    exclusive_maximum: Scalar | None = None

    @property
    def has_range(self) -> bool:
        """Say whether any bound is set."""
        bounds = (self.minimum, self.maximum, self.exclusive_minimum, self.exclusive_maximum)
        return any(bound is not None for bound in bounds)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of another dataset whose values ours must be among."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True, slots=True)
class Property:
    """One column as the contract promises it.

    Args:
        key_position: place in the primary key from 1, or None.
        key_field: ODCS criticalDataElement; the accuracy figure counts errors in these.
        references: what its ODCS relationships point to.
        line: where it starts in the contract file.
    """

    name: str
    title: str
    logical_type: str
    classification: Classification
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    key_field: bool = False
    options: TypeOptions = TypeOptions()
    semantic: str | None = None
    role: str | None = None
    code_set: str | None = None
    clear_as: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False
    references: tuple[Reference, ...] = ()
    description: str = ""
    line: int = 0

    @property
    def is_code(self) -> bool:
        """Say whether it holds codes or keys, where a full-width character is a slip."""
        return bool(
            self.code_set
            or self.references
            or self.options.pattern
            or self.key_position is not None
        )

    def column(self) -> Column:
        """Return the column as the catalogue shows it."""
        return Column(
            name=self.name,
            title=self.title,
            logical_type=self.logical_type,
            classification=self.classification,
            semantic=self.semantic,
            role=self.role,
            sealed=self.sealed,
            clear_as=self.clear_as,
            code_set=self.code_set,
            description=self.description,
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison a measured number must satisfy.

    Args:
        operator: the ODCS operator, e.g. "mustBeLessThan".
        values: one number, or two for the between operators (smaller first, both inclusive).
        unit: "rows", "percent" of the rows, or "days" before the day of delivery.
    """

    operator: str
    values: tuple[float, ...]
    unit: Literal["rows", "percent", "days"] = "rows"

    def holds(self, measured: float) -> bool:
        """Say whether a measured number satisfies the comparison."""
        first, last = self.values[0], self.values[-1]
        return {
            "mustBe": measured == first,
            "mustNotBe": measured != first,
            "mustBeGreaterThan": measured > first,
            "mustBeGreaterOrEqualTo": measured >= first,
            "mustBeLessThan": measured < first,
            "mustBeLessOrEqualTo": measured <= first,
            "mustBeBetween": first <= measured <= last,
            "mustNotBeBetween": not first <= measured <= last,
        }[self.operator]

    @property
    def tolerates_none(self) -> bool:
        """Say whether a single failing row already breaks it, so that each row can be blamed."""
        return self.holds(0) and (
            (self.operator in ("mustBe", "mustBeLessOrEqualTo") and self.values[0] == 0)
            or (self.operator == "mustBeBetween" and self.values == (0, 0))
            or (self.operator == "mustBeLessThan" and self.unit == "rows" and self.values[0] <= 1)
        )

    def __str__(self) -> str:
        words = {
            "mustBe": "=",
            "mustNotBe": "≠",
            "mustBeGreaterThan": ">",
            "mustBeGreaterOrEqualTo": "≥",
            "mustBeLessThan": "<",
            "mustBeLessOrEqualTo": "≤",
            "mustBeBetween": "within",
            "mustNotBeBetween": "outside",
        }
        numbers = " to ".join(f"{value:g}" for value in self.values)
        return f"{words[self.operator]} {numbers} {self.unit}"


@dataclass(frozen=True, slots=True)
class QualityRule:
    """One entry of an ODCS `quality` list, understood.

    Args:
        name: stable rule id, snake_case.
        rule: library metric, named rule of ours, or "sql".
        columns: the columns it is about; empty for the whole dataset.
        arguments: what the rule takes, as the contract gave it.
        remedy: what the partner is asked to do (ODCS description).
    """

    name: str
    type: Literal["library", "sql", "custom"]
    rule: str
    columns: tuple[str, ...]
    dimension: str
    severity: Severity
    remedy: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threshold: Threshold | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """One ODCS slaProperties entry: a promise about time, e.g. latency 5 workingDays."""

    property: str
    value: Scalar
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset's contract, whole.

    Args:
        name: dataset name, "domain.object".
        status: ODCS's status; a `retired` dataset takes no deliveries and promises none.
        file: name of the file it was read from.
        owner_line: line of its ownerDepartment there.
        custom: every contract-level custom property as it was written.
        document: the ODCS document that it was read from, as JSON values.
    """

    name: str
    version: str
    title: str
    owner: str
    sharing: SharingType
    legal_basis: str
    update_cycle: str
    mode: str
    properties: tuple[Property, ...]
    rules: tuple[QualityRule, ...] = ()
    purposes: tuple[str, ...] = ()
    bar: PublishBar = PublishBar()
    sources: tuple[SourceMap, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
    stewards: tuple[str, ...] = ()
    area_column: str | None = None
    time_column: str | None = None
    description: str = ""
    file: str = ""
    owner_line: int = field(default=1, compare=False)
    status: str = "active"
    custom: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def column(self, name: str) -> Property:
        """Return the column of that name.

        Raises:
            NotFound: when the contract has none.
        """
        for item in self.properties:
            if item.name == name:
                return item
        raise NotFound(f"contract {self.name} has no column {name!r}")

    @property
    def is_retired(self) -> bool:
        """Whether nothing is delivered any more; what is published stays under the contract."""
        return self.status == "retired"

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the primary key's columns, in key order."""
        keyed = [item for item in self.properties if item.key_position is not None]
        return tuple(p.name for p in sorted(keyed, key=lambda item: item.key_position or 0))

    @property
    def subjects(self) -> dict[str, str]:
        """Subject role -> column with that subject's identity number, in column order."""
        return {
            item.role: item.name
            for item in self.properties
            if item.semantic == "resident_id" and item.role
        }

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """Columns of other datasets that the rules read: (dataset, column), sorted.

        A SQL rule reads those that the contract's relationships point to.
        """
        found = {
            (str(rule.arguments["dataset"]), str(rule.arguments["reference_column"]))
            for rule in self.rules
            if rule.rule == "reference"
        }
        read = {name for rule in self.rules for name in rule.arguments.get("reads", ())}
        pointed = {ref for item in self.properties for ref in item.references}
        found |= {(ref.dataset, ref.column) for ref in pointed if ref.dataset in read}
        return tuple(sorted(found))

    @property
    def dataset(self) -> Dataset:
        """The dataset as the catalogue shows it."""
        return Dataset(
            name=self.name,
            title=self.title,
            owner=self.owner,
            version=self.version,
            sharing=self.sharing,
            legal_basis=self.legal_basis,
            update_cycle=self.update_cycle,
            mode=self.mode,
            key=self.key,
            columns=tuple(item.column() for item in self.properties),
            subjects=self.subjects,
            area_column=self.area_column,
            time_column=self.time_column,
            description=self.description,
        )

    def source(self, partner: str | None) -> SourceMap:
        """Return that partner's source map; an empty one when the contract has none for it."""
        for item in self.sources:
            if item.partner == partner:
                return item
        return SourceMap(partner or "")

    def headers(self, partner: str | None) -> dict[str, str]:
        """Return every header text accepted from a partner -> column.

        Column names, Chinese names and the partner's own headers, each as `header_form` gives
        it; the partner's own win.
        """
        names = {header_form(item.name): item.name for item in self.properties}
        titles = {header_form(item.title): item.name for item in self.properties}
        own = {header_form(k): v for k, v in self.source(partner).headers.items()}
        return {**titles, **names, **own}


def header_form(text: str) -> str:
    """Return a header as it is compared: NFKC, lower case, no white or invisible characters.

    >>> header_form("\\ufeff 公民 身份号码 ")
    '公民身份号码'
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")
