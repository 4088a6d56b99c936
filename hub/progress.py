"""How far something long is: what it tells whoever waits, now and then while it lasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Told how much is done, of how much.
Progress: TypeAlias = Callable[[int, int], None]

#: Told which part is being done, how much of it is done, of how much.
PartProgress: TypeAlias = Callable[[str, int, int], None]
