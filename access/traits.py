"""What about a person changes what may be seen of them: known only once the document is open.

Whether somebody asks about themselves follows from the account's binding: whose record it is, and
who lives in the same home. A home is a household in a dwelling: a dormitory is one household in
many rooms, and its people answer for each other as little as neighbours do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from access.finding import Finder
from access.kept import Kept
from access.masking import is_minor
from access.model import Actor, Trait
from access.ports import SnapshotReader

_ASKERS = 10_000
_HOUSEHOLD, _DWELLING = "household_id", "address_id"

#: Household and dwelling, None where the record does not say.
Home = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as a person of the snapshot; nobody, where the account is bound to no number."""

    key: bytes | None = None
    homes: frozenset[Home] = frozenset()


class Askers:
    """Finds the person behind an account, once a publication."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._kept: Kept[Asker] = Kept(_ASKERS)

    def of(self, snapshot: SnapshotReader, actor: Actor, at: datetime) -> Asker:
        """Return the person behind an account.

        Raises:
            SourceError, KeyMissing: when their document cannot be opened.
        """
        if actor.binding is None:
            return Asker()
        kept = self._kept.get((actor.binding, snapshot.version), at)
        if kept is None:
            kept = self._find(snapshot, actor.binding)
            self._kept.put((actor.binding, snapshot.version), kept)
        return kept

    def _find(self, snapshot: SnapshotReader, binding: bytes) -> Asker:
        key = snapshot.identity(binding)
        document = self._finder.open(snapshot, key) if key is not None else None
        return Asker(key, homes(document) if document is not None else frozenset())


def homes(document: Mapping[str, Any]) -> frozenset[Home]:
    """Return where the person of a document lives, by every record that says so."""
    held = ({**record["clear"], **record["sealed"]} for record in document["records"])
    return frozenset(
        (str(values[_HOUSEHOLD]), values.get(_DWELLING))
        for values in held
        if values.get(_HOUSEHOLD)
    )


def traits_of(
    key: bytes, document: Mapping[str, Any], today: date, asker: Asker, *, protected: bool
) -> frozenset[Trait]:
    """Return the traits of a person on a day, towards who asks.

    Args:
        key: the person's subject key.
        protected: whether the register of protected persons has them.
    """
    own = asker.key == key
    found = {
        Trait.MINOR: _is_minor(document, today),
        Trait.PROTECTED: protected,
        Trait.OWN_RECORD: own,
        Trait.OWN_HOUSEHOLD: not own and _live_together(asker.homes, document),
    }
    return frozenset(trait for trait, holds in found.items() if holds)


def _live_together(one: frozenset[Home], document: Mapping[str, Any]) -> bool:
    """Say whether two share a household and, as far as is known of both, the dwelling."""
    return bool(one) and any(
        household == other and (dwelling is None or there is None or dwelling == there)
        for household, dwelling in one
        for other, there in homes(document)
    )


def _is_minor(document: Mapping[str, Any], today: date) -> bool:
    """Say whether the person is under fourteen. Who has no readable birth date counts as such."""
    golden = document.get("golden", {})
    birth = golden.get("birth_date", {}).get("value")
    if birth is None:
        number = golden.get("resident_id", {}).get("value")
        birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}" if number else ""
    try:
        return is_minor(date.fromisoformat(birth[:10]), today)
    except (TypeError, ValueError):
        return True
