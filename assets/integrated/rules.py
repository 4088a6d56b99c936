"""Golden and conflict rules, read from `person.yaml`.

A rule about a dataset or column that the catalogue does not have is left out, so that a hub with
fewer departments works; a malformed rule is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hub.catalog import Catalog
from hub.errors import ConfigError

PERSON_RULES = Path(__file__).with_name("person.yaml")
LEAST_BELIEVED = "@least_believed"


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
    """A record that a person has, or must not have.

    Args:
        missing: columns that hold nothing.
        until: column with the day the record ends, open while empty.
    """

    dataset: str
    role: str | None
    latest_by: str | None
    where: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...] = ()
    until: str | None = None


@dataclass(frozen=True, slots=True)
class ConflictRule:
    """What several records of one person, or of two, cannot all be right about.

    The first lines of `person.yaml` say what each part means. A rule has one of: `has` (with
    `lacks`, `after`), `differs`, `joined` (with `same`), `same_person`.

    Args:
        shows: (dataset, column) of the disagreement.
    """

    kind: str
    title: str
    says: str
    remedy: str
    likely_wrong: str
    has: tuple[Pattern, ...] = ()
    lacks: tuple[Pattern, ...] = ()
    after: tuple[tuple[str, str], ...] = ()
    differs: GoldenField | None = None
    joined: tuple[Pattern, ...] = ()
    same: str = ""
    same_person: GoldenField | None = None
    shows: tuple[tuple[str, str], ...] = ()

    @property
    def between_two(self) -> bool:
        """Whether the conflict is between the records of two persons."""
        return bool(self.joined) or self.same_person is not None

    @property
    def field(self) -> GoldenField | None:
        """The golden field whose order of sources says who is believed, if the rule has one."""
        return self.differs or self.same_person

    def asked_first(self, datasets: Iterable[str], catalog: Catalog) -> str:
        """Return the department that is asked first about records of these datasets."""
        if self.likely_wrong != LEAST_BELIEVED or self.field is None:
            return self.likely_wrong
        order = [source.dataset for source in self.field.sources]
        return catalog[max(datasets, key=order.index)].owner


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
        dataset, column = _named(source["column"])
        if _has_column(catalog, dataset, column):
            sources.append(
                GoldenSource(
                    dataset, column, source.get("value"), source.get("map"), source.get("latest_by")
                )
            )
    return tuple(sources)


def _conflict(
    body: Mapping[str, Any], catalog: Catalog, golden: tuple[GoldenField, ...]
) -> ConflictRule | None:
    """Return a rule, None where the catalogue lacks a dataset or column that it needs."""
    fields = {field.name: field for field in golden}
    has, lacks, joined = (
        tuple(_pattern(p) for p in body.get(part, ())) for part in ("has", "lacks", "joined")
    )
    after = tuple(_named(name) for name in body.get("after", ()))
    same = str(body.get("same", ""))
    differs = fields[body["differs"]] if "differs" in body else None
    same_person = fields[body["same_person"]] if "same_person" in body else None
    needed = [*after, *((p.dataset, same) for p in joined)]
    needed += [(p.dataset, column) for p in (*has, *lacks, *joined) for column in _columns_of(p)]
    if any(p.dataset not in catalog for p in (*has, *lacks, *joined)):
        return None
    if any(not _has_column(catalog, *name) for name in needed):
        return None
    if sum(map(bool, (has, differs, joined, same_person))) != 1:
        raise ValueError("one of has, differs, joined, same_person")
    shows = tuple(_named(name) for name in body.get("shows", ()))
    if differs is not None:
        shows = tuple((source.dataset, source.column) for source in differs.sources)
    if same_person is not None:
        shows = tuple(
            (s.dataset, s.column) for f in (same_person, fields["name"]) for s in f.sources
        )
    return ConflictRule(
        kind=body["kind"],
        title=body["title"],
        says=body["says"],
        remedy=body["remedy"],
        likely_wrong=body["likely_wrong"],
        has=has,
        lacks=lacks,
        after=after,
        differs=differs,
        joined=joined,
        same=same,
        same_person=same_person,
        shows=tuple(name for name in shows if _has_column(catalog, *name)),
    )


def _pattern(body: Mapping[str, Any]) -> Pattern:
    where = {k: tuple(map(str, v)) for k, v in body.get("where", {}).items()}
    return Pattern(
        body["dataset"],
        body.get("role"),
        body.get("latest_by"),
        where,
        tuple(body.get("missing", ())),
        body.get("until"),
    )


def _columns_of(pattern: Pattern) -> list[str]:
    return [*pattern.where, *pattern.missing, *filter(None, (pattern.latest_by, pattern.until))]


def _named(text: str) -> tuple[str, str]:
    dataset, column = text.rsplit(".", 1)
    return dataset, column


def _has_column(catalog: Catalog, dataset: str, column: str) -> bool:
    return dataset in catalog and any(c.name == column for c in catalog[dataset].columns)
