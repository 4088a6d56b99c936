"""Canonical JSON bytes: one value, one byte string, on every machine.

Source: RFC 8785 (JSON Canonicalization Scheme).
"""

from __future__ import annotations

from typing import Any

import rfc8785

from hub.errors import RequestError


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Raises:
        RequestError: when the value has no canonical form (NaN, integers beyond 2**53, bytes).

    >>> canonical_json({"b": 1, "a": "明"})
    b'{"a":"\\xe6\\x98\\x8e","b":1}'
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as exc:
        raise RequestError("value has no canonical JSON form (RFC 8785)") from exc
