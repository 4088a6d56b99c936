"""How far publication is behind what is recorded, as pages and programs are told."""

from __future__ import annotations

from dataclasses import dataclass

from api.services import Services

_PATIENCE_SECONDS = 60.0  # a turn of the publisher may wait this long for slow witnesses


@dataclass(frozen=True, slots=True)
class Publicity:
    """What is recorded, what of it is public, and since when the rest has waited.

    Args:
        recorded, public: numbers of entries.
        lag_seconds: how long the oldest entry that is not public has waited.
        late: whether that is longer than a working publisher takes.
    """

    recorded: int
    public: int
    lag_seconds: int
    late: bool


def publicity(services: Services) -> Publicity:
    """Return how publication stands.

    Raises:
        LedgerError: when the ledger cannot be read.
    """
    published = services.ledger.published()
    lag = services.ledger.lag(services.clock.now()).total_seconds()
    usual = services.settings.publish_seconds + _PATIENCE_SECONDS
    return Publicity(
        recorded=services.ledger.size,
        public=0 if published is None else published.size,
        lag_seconds=round(lag),
        late=lag > usual,
    )
