"""The two spellings that every C2SP text format is made of: base64 and plain decimals.

Each value has one right spelling and every other is refused, so that a text read and written again
is the same text, byte for byte.

Source: RFC 4648 §4 (base64 with padding); C2SP signed-note, tlog-checkpoint, tlog-witness.
"""

from __future__ import annotations

import base64
import binascii
import re

from hub.errors import RequestError

NUMBER_LIMIT = 1 << 63

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def encode64(data: bytes) -> str:
    """Return data in base64."""
    return base64.b64encode(data).decode()


def decode64(text: str, what: str) -> bytes:
    """Return what base64 stands for.

    Args:
        what: what is being read, as the refusal shall call it.

    Raises:
        RequestError: when it is not base64, or not in its one canonical spelling.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(f"{what} is not base64") from None
    if encode64(data) != text:
        raise RequestError(f"{what} is not in canonical base64")
    return data


def decode_hash(text: str, what: str) -> bytes:
    """Return the 32 bytes of a SHA-256 hash in base64.

    Raises:
        RequestError: when it is not base64, or of another length.
    """
    data = decode64(text, what)
    if len(data) != 32:
        raise RequestError(f"{what} has {len(data)} bytes, not 32")
    return data


def decimal(text: str, what: str) -> int:
    """Return a number written in ASCII decimals without sign or leading zeros.

    Raises:
        RequestError: when it is spelled otherwise, or is 2^63 or more.
    """
    if not _DECIMAL.fullmatch(text) or int(text) >= NUMBER_LIMIT:
        raise RequestError(f"{what} is not a plain decimal below 2^63")
    return int(text)
