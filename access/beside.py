"""Who stands beside the persons that were asked about, in what is shown of them.

A document holds, of a record about several persons, only the columns about its own person and those
about the record as a whole (`assets.integrated.subjects`). The latter are about the others as much:
that a marriage was registered, when, and where; that a dispute was reported. So whoever is another
party of a record that is shown gets a usage record too, of these columns alone.

Two cases leave the others out. Who reads their own data sees what is theirs, and the other party
shall not learn when they do. And of a protected person nobody learns where they are dealt with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from access.model import Action, Trait

#: Identifier key of another party -> how the columns about the record as a whole were shown.
Shared = Mapping[bytes, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Beside:
    """Gathers, over one answer, who stands beside those who were asked about."""

    action: Action
    _asked_about: set[bytes] = field(default_factory=set)
    _others: dict[bytes, dict[str, str]] = field(default_factory=dict)

    def see(self, key: bytes, traits: frozenset[Trait], shared: Shared) -> None:
        """Note what is shown of a person that was asked about.

        Args:
            key: their subject key.
        """
        self._asked_about.add(key)
        if self.action is Action.OWN or Trait.PROTECTED in traits:
            return
        for identifier_key, fields in shared.items():
            if fields:
                self._others.setdefault(identifier_key, {}).update(fields)

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
