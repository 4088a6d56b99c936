"""What the log says of its own index: the last entry of a published tree, laid open.

It names the root of the index over all entries before it. Since it is an entry like any other,
whoever signed or cosigned the tree has signed that root.

    {"number": …, "position": …, "previous": …, "record": …, "salt": …, "tag": …}, bytes in base64

Source: this project's own; docs/ledger.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub.errors import RequestError
from hub.events import EventTag
from hub.ledger.entry import content_of, entry_of, link_of
from hub.ledger.lines import NUMBER_LIMIT, decode64, decode_hash

_FIELDS = {"number", "position", "previous", "record", "salt", "tag"}


@dataclass(frozen=True, slots=True)
class IndexOpening:
    """An index entry: where it stands, the 32 bytes its parts make, and what its record says.

    Attributes:
        size: number of entries that the index is over, None when the record is no index entry's.
        root: of that index.
    """

    position: int
    entry: bytes
    size: int | None
    root: bytes

    @classmethod
    def parse(cls, text: str) -> IndexOpening:
        """Read the file.

        Raises:
            RequestError: when it does not have this form.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise RequestError("the opening is not JSON") from None
        if not isinstance(document, dict) or set(document) != _FIELDS:
            raise RequestError("the opening does not have its fields, and only those")
        tag, previous, salt = (
            decode_hash(_text(document, name), f"the opening's {name}")
            for name in ("tag", "previous", "salt")
        )
        record = decode64(_text(document, "record"), "the opening's record")
        link = link_of(previous, _number(document, "number"), content_of(salt, record))
        size, root = _index(record)
        return cls(_number(document, "position"), entry_of(tag, link), size, root)


def _index(record: bytes) -> tuple[int | None, bytes]:
    try:
        body = json.loads(record)
        if (
            body["event"] == EventTag.HUB_INDEX_PUBLISHED.value
            and type(body["index"]["size"]) is int
        ):
            return body["index"]["size"], bytes.fromhex(body["index"]["root"])
    except (ValueError, RecursionError, TypeError, KeyError):
        pass
    return None, b""


def _text(document: dict[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str):
        raise RequestError(f"the opening's {name} is not text")
    return value


def _number(document: dict[str, Any], name: str) -> int:
    value = document[name]
    if type(value) is not int or not 0 <= value < NUMBER_LIMIT:
        raise RequestError(f"the opening's {name} is not a whole number from 0 to 2^63")
    return value
