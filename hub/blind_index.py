"""Blind indexes: finding a subject by a value that nobody can read out of the index.

The token of a value is a keyed hash of its kind and its normalised form; publishing writes the
tokens, the guard asks for them, and both take them from here. Identity numbers need none: the
identity map finds a subject by its identifier key.

Source: GB/T 39786-2021 wants stored identifiers confidential; a keyed hash allows equality only.
"""

from __future__ import annotations

from datetime import date

from hub.identifiers import normalise_address, normalise_name, normalise_phone
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser


class BlindIndex:
    """Makes the tokens of each kind."""

    def __init__(self, keyring: Keyring) -> None:
        self._names = Pseudonymiser(keyring, "blind")

    def name_birth(self, name: str, birth_date: date | str) -> bytes:
        """Return the token of a name with a birth date (a date or its ISO text)."""
        return self._names.of(f"name_birth\0{normalise_name(name)}\0{birth_date}")

    def phone(self, number: str) -> bytes:
        """Return the token of a telephone number."""
        return self._names.of(f"phone\0{normalise_phone(number)}")

    def address(self, text: str) -> bytes:
        """Return the token of a full address."""
        return self._names.of(f"address\0{normalise_address(text)}")
