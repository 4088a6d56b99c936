"""Golden and conflict rules, read from `person.yaml`.

A rule about a dataset or column that the catalogue does not have is left out, so that a hub with
fewer departments works; a malformed rule is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hub.catalog import Catalog
from hub.errors import ConfigError

PERSON_RULES = Path(__file__).with_name("person.yaml")


@dataclass(frozen=True, slots=True)
class GoldenSource:
    """One source of a golden field.

    Args:
        value: what the presence of the column means, instead of its value.
        codes: source value -> golden value; a value that is not listed says nothing.
        latest_by: date column that chooses among several records.
    """

    dataset: str
    column: str
    value: str | None
    codes: Mapping[str, str] | None
    latest_by: str | None

    @property
    def name(self) -> str:
        """The source's name, dataset.column."""
        return f"{self.dataset}.{self.column}"

    @property
    def plain(self) -> bool:
        """Say whether the source's value is the golden value as it stands."""
        return self.value is None and self.codes is None

    def meaning(self, raw: object) -> str | None:
        """Return what a value of the source says, None when it says nothing."""
        if self.value is not None:
            return self.value
        return self.codes.get(str(raw)) if self.codes is not None else str(raw)


@dataclass(frozen=True, slots=True)
class GoldenField:
    """One field of a person and its sources, the most believed first."""

    name: str
    title: str
    codes: str | None
    sources: tuple[GoldenSource, ...]

    def columns_of(self, dataset: str) -> list[str]:
        """Return the columns of a dataset that speak to this field."""
        return [s.column for s in self.sources if s.dataset == dataset]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A record that a person has, or must not have."""

    dataset: str
    role: str | None
    latest_by: str | None
    where: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ConflictRule:
    """What several records of one person cannot all be right about."""

    kind: str
    title: str
    has: tuple[Pattern, ...]
    lacks: tuple[Pattern, ...]
    differs: GoldenField | None
    likely_wrong: str


@dataclass(frozen=True, slots=True)
class PersonRules:
    """All rules of integration."""

    golden: tuple[GoldenField, ...]
    conflicts: tuple[ConflictRule, ...]


def load_person_rules(catalog: Catalog, path: Path = PERSON_RULES) -> PersonRules:
    """Read the rules that the catalogue can answer.

    Raises:
        ConfigError: when the file is not of the form it documents.
    """
    try:
        document = yaml.safe_load(path.read_text())
        golden = tuple(_golden(n, body, catalog) for n, body in document["golden"].items())
        conflicts = tuple(
            rule
            for body in document["conflicts"]
            if (rule := _conflict(body, catalog, golden)) is not None
        )
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        StopIteration,
        yaml.YAMLError,
    ) as exc:
        raise ConfigError(f"{path.name} does not have the form its first lines describe") from exc
    return PersonRules(golden, conflicts)


def _golden(name: str, body: Mapping[str, Any], catalog: Catalog) -> GoldenField:
    sources = read_sources(body["sources"], catalog)
    return GoldenField(name, body["title"], body.get("codes"), sources)


def read_sources(body: Sequence[Mapping[str, Any]], catalog: Catalog) -> tuple[GoldenSource, ...]:
    """Return the sources that the catalogue has, in the order in which they are written."""
    sources = []
    for source in body:
        dataset, column = source["column"].rsplit(".", 1)
        if dataset in catalog and any(c.name == column for c in catalog[dataset].columns):
            sources.append(
                GoldenSource(
                    dataset, column, source.get("value"), source.get("map"), source.get("latest_by")
                )
            )
    return tuple(sources)


def _conflict(
    body: Mapping[str, Any], catalog: Catalog, golden: tuple[GoldenField, ...]
) -> ConflictRule | None:
    has = tuple(_pattern(p) for p in body.get("has", ()))
    lacks = tuple(_pattern(p) for p in body.get("lacks", ()))
    if any(p.dataset not in catalog for p in (*has, *lacks)):
        return None
    differs = None
    if "differs" in body:
        differs = next(f for f in golden if f.name == body["differs"])
    return ConflictRule(body["kind"], body["title"], has, lacks, differs, body["likely_wrong"])


def _pattern(body: Mapping[str, Any]) -> Pattern:
    where = {k: tuple(map(str, v)) for k, v in body.get("where", {}).items()}
    return Pattern(body["dataset"], body.get("role"), body.get("latest_by"), where)
