"""The publisher beside the server: it goes on whatever happens, and says once what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from api.publishing import Publication, follow, publication
from hub.errors import LedgerError, PolicyUnavailable, TamperDetected
from hub.ledger.publisher import Turn
from tests.api.hub import EAST, TinyHub
from tests.hub.ledger.factories import CLOCK


@dataclass
class Scripted:
    """A publisher that does what is written, turn by turn, and then ends the loop."""

    script: list[Turn | Exception]
    ended: Event = field(default_factory=Event)
    turns: int = 0

    def turn(self, progress: object = None) -> Turn:
        self.turns += 1
        step = self.script.pop(0)
        if not self.script:
            self.ended.set()
        if isinstance(step, Exception):
            raise step
        return step


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line]


def hub_of(scripted: Any, release: Callable[[], int] = lambda: 0) -> Publication:
    return Publication(scripted, release)


def test_what_is_wrong_is_said_once_and_when_it_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waiting = Turn(3, published=False, waiting="not enough witnesses have cosigned")
    sound = Turn(5, published=True)
    scripted = Scripted([sound, waiting, waiting, LedgerError("disk full"), sound, sound])
    follow(hub_of(scripted), 0.001, scripted.ended)
    assert scripted.turns == 6
    assert said(capsys) == [
        "the ledger is not made public: not enough witnesses have cosigned",
        "the ledger is not made public: disk full",
        "the ledger is made public again",
    ]


def test_tampering_does_not_end_it_so_that_it_is_said_where_people_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripted = Scripted([TamperDetected("an old backup was restored")] * 3)
    follow(hub_of(scripted), 0.001, scripted.ended)
    assert said(capsys) == ["the ledger is not made public: an old backup was restored"]


def test_what_cannot_be_released_does_not_keep_the_rest_from_being_public() -> None:
    def fails() -> int:
        raise PolicyUnavailable("the records cannot be read")

    scripted = Scripted([Turn(1, published=True)])
    with pytest.raises(PolicyUnavailable):
        hub_of(scripted, fails).turn()
    assert scripted.turns == 1


def test_a_hub_is_made_public_with_everything_recorded(hub: TinyHub) -> None:
    hub.client().get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    with publication(hub.settings, CLOCK) as opened:
        opened.turn()
    published = hub.services.ledger.published()
    assert published is not None
    assert published.size == hub.services.ledger.size
