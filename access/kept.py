"""Answers kept for the next time, no longer than they hold and no more than there is room for."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")

_MOST = 50_000


class Kept(Generic[V]):
    """Values by key. When it is full the oldest tenth goes, so that no request pays for all.

    Thread safe: reading takes no lock, since a value is only ever put in or taken out whole.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._values: dict[Hashable, tuple[V, datetime | None]] = {}
        self._writing = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, at: datetime) -> V | None:
        """Return what is kept under a key, None where nothing is that still holds at an instant."""
        found = self._values.get(key)
        if found is None or (found[1] is not None and at >= found[1]):
            return None
        return found[0]

    def put(self, key: Hashable, value: V, until: datetime | None = None) -> None:
        """Keep a value.

        Args:
            until: the first instant at which it no longer holds; None when it always does.
        """
        with self._writing:
            self._values.pop(key, None)  # what is renewed is young again
            if len(self._values) >= self._most:
                for oldest in list(islice(self._values, max(1, self._most // 10))):
                    del self._values[oldest]
            self._values[key] = (value, until)
