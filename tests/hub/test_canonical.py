"""Canonical JSON: the examples of RFC 8785 that ledger records depend on."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(JSON)
def test_it_writes_what_the_reference_serialiser_writes_or_refuses_alike(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError:
        with pytest.raises(RequestError):
            canonical_json(value)
    else:
        assert canonical_json(value) == expected


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff"]}, {"\ud800": 1}, b"", {1: 2}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(RequestError):
        canonical_json(value)
