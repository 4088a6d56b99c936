"""From what an actor knows of a person to the person's document: blind tokens, handles, opening.

Opening does the same work for a person who is not there: it looks for one whom there never was, and
unseals a document of nobody. So the time it takes does not tell who is held.

A handle names a person towards one actor for an hour: the subject key, sealed and bound to the
actor, so that it tells nothing and serves nobody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta

from access.answers import LookupQuery, SearchQuery
from access.model import Actor
from access.ports import GuardKeys, SnapshotReader
from access.rendering import Document
from hub.clock import Clock
from hub.documents import pack, unpack
from hub.errors import RequestError, SourceError
from hub.identifiers import ResidentId

HANDLE_LIFE = timedelta(hours=1)
KEY_BYTES = 16
_LONGEST_VALUE = 256


class Finder:
    """Finds and opens the documents of persons."""

    def __init__(self, keys: GuardKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._nobody = keys.documents.seal(pack(_document_of_nobody()), _NOBODY)

    def binding(self, id_number: str) -> bytes:
        """Return the identifier key of an identity number, 16 bytes.

        Raises:
            RequestError: when it is not a valid number.
        """
        parsed = ResidentId.parse("".join(id_number.split()).upper())
        if parsed is None:
            raise RequestError("this is not a valid identity number: check its 18 characters")
        return self._keys.identifier.of(parsed.number)

    def of(self, actor: Actor, query: LookupQuery) -> Callable[[SnapshotReader], bytes | None]:
        """Return what finds the subject key of a lookup in a snapshot.

        Raises:
            RequestError: when the value is malformed, or the handle not the actor's or expired.
        """
        if query.by == "handle":
            key = self._handled(actor, query.value)
            return lambda _snapshot: key
        if query.by != "resident_id":
            raise RequestError("look up by resident_id or handle")
        binding = self.binding(query.value)
        return lambda snapshot: snapshot.identity(binding)

    def token(self, query: SearchQuery) -> bytes:
        """Return the blind token of a search.

        Raises:
            RequestError: when the value is empty, too long, or a name comes without birth date.
        """
        if not query.value.strip() or len(query.value) > _LONGEST_VALUE:
            raise RequestError(f"give a value to search for, at most {_LONGEST_VALUE} characters")
        if query.by == "name_birth":
            try:
                birth = date.fromisoformat(query.birth_date or "")
            except ValueError:
                raise RequestError("a search by name needs a birth date, YYYY-MM-DD") from None
            return self._keys.blind.name_birth(query.value, birth)
        if query.by == "phone":
            return self._keys.blind.phone(query.value)
        if query.by == "address":
            return self._keys.blind.address(query.value)
        raise RequestError("search by name_birth, phone or address")

    def open(self, snapshot: SnapshotReader, key: bytes | None) -> Document | None:
        """Return the opened document of a subject, None when there is none; the work is the same.

        Args:
            key: subject key, None where it is known already that there is none.

        Raises:
            SourceError, KeyMissing: when it cannot be opened.
        """
        place = secrets.token_bytes(KEY_BYTES) if key is None else key
        blob = snapshot.subject(place)
        if blob is not None:
            return unpack(self._keys.documents.open(blob, place))
        unpack(self._keys.documents.open(self._nobody, _NOBODY))
        return None

    def handle(self, actor: Actor, key: bytes, now: datetime) -> str:
        """Return a name of a subject for this actor, good for an hour."""
        until = int((now + HANDLE_LIFE).timestamp()).to_bytes(8, "big")
        return self._keys.documents.seal(key + until, _place(actor)).hex()

    def _handled(self, actor: Actor, handle: str) -> bytes:
        try:
            plain = self._keys.documents.open(bytes.fromhex(handle), _place(actor))
        except (ValueError, SourceError):
            raise RequestError("the handle is not one of yours: search again") from None
        if int.from_bytes(plain[KEY_BYTES:], "big") < self._clock.now().timestamp():
            raise RequestError("the handle has expired: search again")
        return plain[:KEY_BYTES]


_NOBODY = b"nobody"


def _document_of_nobody() -> Document:
    """Return a document of the size of an ordinary person's: a home, and who lives there."""
    values = {f"column_{number:02d}": secrets.token_hex(8) for number in range(18)}
    record = {"clear": values, "sealed": values, "others": []}
    return {"golden": {name: {"value": text} for name, text in values.items()}, "records": [record]}


def _place(actor: Actor) -> bytes:
    return b"handle\0" + actor.id.encode()
