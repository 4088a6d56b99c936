"""Canonical JSON bytes: one value, one byte string, on every machine.

Source: RFC 8785 (JSON Canonicalization Scheme).
"""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

from hub.errors import RequestError

_EXACT_INTEGER = 2**53 - 1
_TEXT = frozenset({str})
_SCALARS = frozenset({str, bool, type(None)})


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Raises:
        RequestError: when the value has no canonical form (NaN, integers beyond 2**53, bytes).

    >>> canonical_json({"b": 1, "a": "明"})
    b'{"a":"\\xe6\\x98\\x8e","b":1}'
    """
    try:
        if _is_plain(value):
            data: bytes = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
            return data
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, orjson.JSONEncodeError, UnicodeEncodeError) as exc:
        raise RequestError("value has no canonical JSON form (RFC 8785)") from exc


def _is_plain(value: Any) -> bool:
    """Say whether the fast serialiser writes a value exactly as RFC 8785 does.

    It does for everything but the forms of floating-point numbers and the order of keys beyond
    the Basic Multilingual Plane; anything unusual is left to the reference serialiser.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is int:
        return bool(-_EXACT_INTEGER <= value <= _EXACT_INTEGER)
    if kind is dict:
        if not (_TEXT.issuperset(map(type, value)) and "".join(value).isascii()):
            return False
        items = value.values()
    elif kind is list or kind is tuple:
        items = value
    else:
        return False
    # Most objects hold texts only: their types are compared without a step of Python for each.
    return _SCALARS.issuperset(map(type, items)) or all(map(_is_plain, items))
