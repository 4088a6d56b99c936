"""Who stands beside the persons that were asked about, in what is shown of them.

A document holds, of a record about several persons, only the columns about its own person and those
about the record as a whole (`assets.integrated.subjects`). The latter are about the others as much:
that a marriage was registered, when, and where; that a dispute was reported. So whoever is another
party of a record that is shown gets a usage record too, of these columns alone.

Three cases leave the others out. Who reads their own data sees what is theirs, and the other party
shall not learn when they do. Of a protected person nobody learns where they are dealt with. And who
may not see a record in their own data, such as the suspect of a case, shall not learn of it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from access.model import Action, Trait
from hub.catalog import Dataset


@dataclass(frozen=True, slots=True)
class Party:
    """Another party of a record that is shown.

    Args:
        role: "dataset.role" of them in it.
        identifier_key: names them.
        fields: how the columns about the record as a whole were shown.
    """

    role: str
    identifier_key: bytes
    fields: Mapping[str, str]


def parties(
    dataset: Dataset,
    others: Mapping[str, str],
    shown: Iterable[str],
    kinds: Mapping[str, str],
) -> list[Party]:
    """Return the other parties of a record of which columns are shown.

    Args:
        others: role -> identifier key, hexadecimal.
        kinds: "dataset.column" -> clear, masked or generalised.
    """
    whole = {column.name for column in dataset.columns if column.role is None}
    names = [f"{dataset.name}.{column}" for column in shown if column in whole]
    fields = {name: kinds[name] for name in names if name in kinds}
    if not fields:
        return []
    return [
        Party(f"{dataset.name}.{role}", bytes.fromhex(key), fields) for role, key in others.items()
    ]


@dataclass(frozen=True, slots=True)
class Beside:
    """Gathers, over one answer, who stands beside those who were asked about.

    Args:
        withheld: "dataset.role" of the records that are not shown to that person themselves.
    """

    action: Action
    withheld: frozenset[str]
    _asked_about: set[bytes] = field(default_factory=set)
    _others: dict[bytes, dict[str, str]] = field(default_factory=dict)

    def see(self, key: bytes, traits: frozenset[Trait], found: Iterable[Party]) -> None:
        """Note what is shown of a person that was asked about.

        Args:
            key: their subject key.
            found: the other parties of their records.
        """
        self._asked_about.add(key)
        if self.action is Action.OWN or Trait.PROTECTED in traits:
            return
        for party in found:
            if party.role not in self.withheld:
                self._others.setdefault(party.identifier_key, {}).update(party.fields)

    def others(
        self, identity: Callable[[bytes], bytes | None]
    ) -> Iterator[tuple[bytes, Mapping[str, str]]]:
        """Yield (subject key, fields) of each other person, once each.

        Who was asked about has a record of their own; who has no subject key is nobody the hub
        could tell.

        Args:
            identity: identifier key -> subject key of the snapshot that was read.
        """
        found: dict[bytes, dict[str, str]] = {}
        for identifier_key, fields in self._others.items():
            key = identity(identifier_key)
            if key is not None and key not in self._asked_about:
                found.setdefault(key, {}).update(fields)
        yield from found.items()
