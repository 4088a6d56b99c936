"""Counts: small ones hidden, codes explained, persons never."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from api.wire.statistics import Statistics
from tests.api.hub import Client, TinyHub

PATH = "/v1/statistics"


def test_counts_by_community_and_month(hub: TinyHub, client: Client) -> None:
    params = {"dataset": "police.case", "by": "community,month"}
    reply = client.get(PATH, params=params, headers=hub.bearer("analyst"))
    assert reply.status_code == 200, reply.text
    body = reply.json()
    Statistics.model_validate(body)
    rows = {(place, month): count for place, month, count in body["rows"]}
    assert rows["990106001001", "2026-01"] in (20, 30)
    assert all(count is None or count % 10 == 0 for count in rows.values())
    assert (body["threshold"], body["rounded_to"], body["noise"]) == (10, 10, None)
    assert rows["990106003001", "2026-02"] is None
    assert body["suppressed"] == 4
    assert body["labels"]["community"]["990106001001"] == "东门社区"
    assert [column["title"] for column in body["columns"]] == ["社区", "月份", "数量"]


def test_codes_have_labels(hub: TinyHub, client: Client) -> None:
    params = {"dataset": "police.case", "by": "category"}
    body = client.get(PATH, params=params, headers=hub.bearer("analyst")).json()
    assert set(body["labels"]["category"]) == {"theft", "telecom_fraud"}


def test_an_officer_may_not_count_what_is_not_theirs(hub: TinyHub, client: Client) -> None:
    params = {"dataset": "police.case", "by": "month"}
    reply = client.get(PATH, params=params, headers=hub.bearer("officer.west"))
    assert reply.status_code == 403
    assert reply.json()["receipt"]["index"] >= 0


def test_asked_again_or_otherwise_the_same_records_count_alike(
    hub: TinyHub, client: Client
) -> None:
    """East Street has one community with one grid: its cases are the same in every table."""

    def east(by: str, **more: str) -> int:
        params = {"dataset": "police.case", "by": by, "area": "990106001", **more}
        body = client.get(PATH, params=params, headers=hub.bearer("analyst")).json()
        return int(sum(row[-1] for row in body["rows"]))

    assert len({east(by) for by in ("street", "street", "community", "grid", "category")}) == 1
    months = ("2026-01", "2026-02", "2026-03")
    each = [east("street", first_month=month, last_month=month) for month in months]
    assert east("street", first_month=months[0], last_month=months[1]) == sum(each[:2])
    assert east("month") == sum(each)


def test_noise_is_asked_for_and_answered_with_what_it_cost(hub: TinyHub, client: Client) -> None:
    """With the library: counts and cost. Without it: a refusal with its reason, no counts."""
    params = {"dataset": "police.case", "by": "category", "protection": "noise"}
    reply = client.get(PATH, params=params, headers=hub.bearer("analyst"))
    body = reply.json()
    if find_spec("opendp") is None:
        assert reply.status_code == 403
        assert "library" in body["detail"]
        assert body["remedy"]
        assert "rows" not in body
        return
    Statistics.model_validate(body)
    assert body["protection"] == "noise"
    assert None not in [row[-1] for row in body["rows"]]
    assert body["noise"] == {
        "epsilon": 0.5, "spent": 0.5, "budget": 5.0, "left": 4.5, "period": "2026-06",
        "unit": "record",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"dataset": "police.case", "by": "suspect_name"}, 400),
        ({"dataset": "police.case", "by": "case_no"}, 400),
        ({"dataset": "police.case", "by": "month,grid,street,category"}, 422),
        ({"dataset": "police.case", "by": "month; drop table"}, 422),
        ({"dataset": "police.case", "by": "month", "area": "99'"}, 422),
        ({"dataset": "police.case", "by": "month", "first_month": "2026-13"}, 422),
        ({"dataset": "police.case"}, 422),
        ({"dataset": "police.case", "by": "_mark"}, 422),
        ({"dataset": "police.case", "by": "mark"}, 400),
        ({"dataset": "police.case", "by": "month", "protection": "none"}, 422),
        ({"dataset": "police.case", "by": "month", "person": "x"}, 422),
    ],
)
def test_what_cannot_be_counted_is_refused(
    hub: TinyHub, client: Client, params: dict[str, str], status: int
) -> None:
    reply = client.get(PATH, params=params, headers=hub.bearer("analyst"))
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("protection", ["rounding", "noise"])
def test_of_what_was_never_published_nothing_is_counted(
    hub: TinyHub, client: Client, protection: str
) -> None:
    params = {"dataset": "housing.tenancy", "by": "month", "protection": protection}
    reply = client.get(PATH, params=params, headers=hub.bearer("analyst"))
    assert reply.status_code == 404, reply.text
    assert "尚未发布" in reply.json()["detail"]
    assert "published yet" in reply.json()["detail"]
    page = client.get("/statistics", params=params, headers=hub.bearer("analyst"))
    assert page.status_code != 502
