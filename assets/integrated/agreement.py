"""Agreement between departments: of whom do two of them say the same thing, and is it the same?

One row per person who is held by several departments: which datasets speak to which field, and
which pairs of them differ; no value. Rows are made anew with the person, so that an incremental
publication keeps the others; the figures are one GROUP BY over them, because persons with the same
pattern are many and patterns are few.

Source: agreement.yaml; GB/T 36344-2018 indicator 0401 (same-data consistency).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from assets.integrated.golden import latest
from assets.integrated.rules import GoldenField, GoldenSource, read_sources
from assets.integrated.subjects import Held, Subject
from hub.catalog import Catalog
from hub.errors import ConfigError
from hub.identifiers import normalise_address, normalise_name
from hub.store.facts import Agreement

AGREEMENT_RULES = Path(__file__).with_name("agreement.yaml")

_FORMS: Mapping[str, Callable[[str], str]] = {
    "name": normalise_name,
    "address": normalise_address,
    "as_it_stands": str,
}

#: Who speaks to which field, and which pairs differ, as text: equal patterns are equal texts.
Pattern = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field that departments are compared on.

    Args:
        form: brings a value to the form in which it is compared.
        by_construction: persons are linked by it, so that it agrees by itself.
    """

    name: str
    title: str
    sources: tuple[GoldenSource, ...]
    form: Callable[[str], str]
    by_construction: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    name: str
    form: Callable[[str], str]
    sources: Mapping[str, tuple[GoldenSource, ...]]  # dataset -> its sources


class Agreements:
    """Compares what departments say of one person; remembers which fields matter to whom."""

    def __init__(self, fields: Iterable[ComparedField], owners: Mapping[str, str]) -> None:
        self._fields = tuple(fields)
        self._owners = owners
        self._plans: dict[tuple[str, ...], tuple[_Planned, ...]] = {}
        self._spoken: dict[tuple[str, tuple[str, ...]], str] = {}

    def of(self, subject: Subject) -> Pattern | None:
        """Return who speaks to what and which pairs differ, None where nobody can be compared."""
        datasets = subject.datasets()
        plan = self._plans.get(datasets)
        if plan is None:
            plan = self._plans[datasets] = self._plan(frozenset(datasets))
        compared: list[str] = []
        differing: list[str] = []
        for field in plan:
            speakers, same = _at_a_glance(field, subject.records)
            if len(speakers) < 2:
                continue
            spoken = self._spoken_by(field.name, tuple(speakers))
            if spoken:
                compared.append(spoken)
                if not same:
                    differing.extend(self._differing(field.name, _said(field, subject.records)))
        return ("|".join(compared), "|".join(differing)) if compared else None

    def _plan(self, datasets: frozenset[str]) -> tuple[_Planned, ...]:
        """Return the fields that records of these datasets can be compared on at all."""
        plan = []
        for field in self._fields:
            sources: dict[str, tuple[GoldenSource, ...]] = {}
            for source in field.sources:
                if source.dataset in datasets:
                    sources[source.dataset] = (*sources.get(source.dataset, ()), source)
            if len({self._owners[name] for name in sources}) > 1:
                plan.append(_Planned(field.name, field.form, sources))
        return tuple(plan)

    def _spoken_by(self, field: str, datasets: tuple[str, ...]) -> str:
        key = (field, datasets)
        text = self._spoken.get(key)
        if text is None:
            several = len({self._owners[name] for name in datasets}) > 1
            text = f"{field}={','.join(sorted(datasets))}" if several else ""
            self._spoken[key] = text
        return text

    def _differing(self, field: str, said: Mapping[str, set[str]]) -> list[str]:
        return [
            f"{field}={one},{other}"
            for one, other in combinations(sorted(said), 2)
            if self._owners[one] != self._owners[other] and len(said[one] | said[other]) > 1
        ]


def _at_a_glance(field: _Planned, records: list[Held]) -> tuple[dict[str, None], bool]:
    """Return who speaks to a field, and whether all say it letter by letter alike.

    Nearly everybody does: values are brought to one form only where they do not.
    """
    speakers: dict[str, None] = {}
    first = None
    same = True
    for held in records:
        for source in field.sources.get(held.dataset, ()):
            column = source.column
            value = held.clear[column] if column in held.clear else held.sealed.get(column)
            if value is None or (source.latest_by and not _counts(records, held, source)):
                continue
            if not source.plain:
                value = source.meaning(value)
                if value is None:
                    continue
            speakers[held.dataset] = None
            if first is None:
                first = value
            elif value != first:
                same = False
    return speakers, same


def _counts(records: list[Held], held: Held, source: GoldenSource) -> bool:
    return held is _newest(records, source)


def _said(field: _Planned, records: list[Held]) -> dict[str, set[str]]:
    """Return dataset -> every different value it gives of the field."""
    said: dict[str, set[str]] = {}
    for held in records:
        sources = field.sources.get(held.dataset)
        if sources is None:
            continue
        for source in sources:
            value = held.value(source.column)
            if value is None:
                continue
            if source.latest_by and not _counts(records, held, source):
                continue
            meaning = source.meaning(value)
            if meaning is not None:
                said.setdefault(held.dataset, set()).add(field.form(meaning))
    return said


def _newest(records: list[Held], source: GoldenSource) -> Held:
    same = [held for held in records if held.dataset == source.dataset]
    return same[0] if len(same) == 1 else latest(same, source.latest_by or "")


def load_compared_fields(
    catalog: Catalog, golden: Iterable[GoldenField], path: Path = AGREEMENT_RULES
) -> tuple[ComparedField, ...]:
    """Read the fields to compare that the catalogue can answer.

    Raises:
        ConfigError: when the file is not of the form it documents.
    """
    known = {field.name: field for field in golden}
    try:
        document = yaml.safe_load(path.read_text())
        return tuple(
            _field(str(name), body, catalog, known) for name, body in document["fields"].items()
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path.name} does not have the form its first lines describe") from exc


def _field(
    name: str, body: Mapping[str, Any], catalog: Catalog, golden: Mapping[str, GoldenField]
) -> ComparedField:
    sources = (
        golden[body["golden"]].sources
        if "golden" in body
        else read_sources(body["sources"], catalog)
    )
    form = _FORMS[body.get("form", "as_it_stands")]
    return ComparedField(name, body["title"], sources, form, body.get("by_construction") is True)


def tally(
    patterns: Iterable[tuple[str, str, int]],
    fields: Iterable[ComparedField],
    owners: Mapping[str, str],
    version: str,
) -> tuple[Agreement, ...]:
    """Return the figures of a publication from its patterns and how many persons show each.

    A person counts once for a dataset or department, however many fields are compared, and agrees
    when every field does. Fields that persons are linked by are counted per pair only.

    Args:
        patterns: (who speaks to what, which pairs differ, persons).
        owners: dataset -> department.
    """
    linking = {field.name for field in fields if field.by_construction}
    compared: Counter[tuple[str, str, str, str]] = Counter()
    differing: Counter[tuple[str, str, str, str]] = Counter()
    for spoken, differ, persons in patterns:
        for key in _keys(_pairs_spoken(spoken, owners), owners, linking):
            compared[key] += persons
        for key in _keys(_pairs(differ), owners, linking):
            differing[key] += persons
    return tuple(
        Agreement(version, *key, compared=count, agreeing=count - differing[key])
        for key, count in sorted(compared.items())
    )


def _keys(
    pairs: Iterable[tuple[str, str, str]], owners: Mapping[str, str], linking: set[str]
) -> set[tuple[str, str, str, str]]:
    """Return (scope, field, one, other) of everything that pairs of datasets count for."""
    found: set[tuple[str, str, str, str]] = set()
    for field, one, other in pairs:
        first, second = sorted((owners[one], owners[other]))
        found.add(("linked" if field in linking else "pair", field, first, second))
        if field not in linking:
            found.update(("dataset", "", name, "") for name in (one, other))
            found.update(("department", "", name, "") for name in (first, second))
    return found


def _pairs_spoken(text: str, owners: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    for part in text.split("|"):
        field, _, names = part.partition("=")
        for one, other in combinations(names.split(","), 2):
            if owners[one] != owners[other]:
                yield field, one, other


def _pairs(text: str) -> Iterable[tuple[str, str, str]]:
    for part in filter(None, text.split("|")):
        field, _, names = part.partition("=")
        one, _, other = names.partition(",")
        yield field, one, other
