"""The quality board: the worst figure speaks, cards colour the light, nothing is made too often."""

from __future__ import annotations

from datetime import datetime

from api.scoreboard import FRESH, Scoreboard
from api.wire.public import Quality
from tests.api.hub import NOW, Client, TinyHub


def test_a_department_is_as_bad_as_its_worst_open_card(hub: TinyHub, client: Client) -> None:
    board = client.get("/v1/public/quality").json()
    Quality.model_validate(board)
    lights = {row["department"]: row for row in board["departments"]}
    assert (lights["housing"]["light"], lights["housing"]["red_cards"]) == ("red", 1)
    assert lights["population"]["light"] in ("green", "yellow")
    assert [card["department"] for card in board["cards"]] == ["housing"]


def test_the_headline_is_never_better_than_the_key_fields(client: Client) -> None:
    board = client.get("/v1/public/quality").json()
    for row in board["rows"]:
        if row["headline"] and row["status"] == "published":
            assert row["headline"]["percent"] <= row["key_accuracy"] + 1e-9


def test_the_newest_point_of_a_trend_is_the_headline_of_now(client: Client) -> None:
    for row in client.get("/v1/public/quality").json()["departments"]:
        if row["trend"] and row["headline"]:
            assert row["trend"][-1]["percent"] == row["headline"]["percent"]


def test_a_partner_sees_only_its_own_side(hub: TinyHub, client: Client) -> None:
    own = client.get("/v1/partner/quality", headers=hub.bearer("partner.housing")).json()
    assert [row["department"] for row in own["departments"]] == ["housing"]
    assert {row["partner"] for row in own["rows"]} == {"housing"}
    assert all(rule["dataset"].startswith("housing.") for rule in own["worst_rules"])


def test_the_board_is_drawn_on_its_page(client: Client) -> None:
    page = client.get("/board").text
    assert page.count('<svg class="chart"') >= 1
    assert "红牌" in page


class Ticking:
    """A clock that a test sets on."""

    instant = NOW

    def now(self) -> datetime:
        return self.instant


def test_many_readers_cost_one_reading(hub: TinyHub) -> None:
    services, clock = hub.services, Ticking()
    board = Scoreboard(services.records, services.cards, services.vocabulary, clock)
    first = board.board()
    assert board.board() is first
    assert board.board("housing") is not first
    clock.instant += FRESH
    assert board.board() is not first
