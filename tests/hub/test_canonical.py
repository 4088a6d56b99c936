"""Canonical JSON: the examples of RFC 8785 that ledger records depend on."""

from __future__ import annotations

import pytest

from hub.canonical import canonical_json
from hub.errors import RequestError


def test_members_are_sorted_by_utf16_and_text_is_not_escaped() -> None:
    assert canonical_json({"b": [1, True, None], "a": "明\u20ac\n"}) == (
        '{"a":"明€\\n","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize("value", [float("nan"), 2**60, {"a": float("inf")}])
def test_values_without_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(RequestError):
        canonical_json(value)
