"""Counts: small ones hidden, codes explained, persons never."""

from __future__ import annotations

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
    assert rows["990106001001", "2026-01"] == 27
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
        ({"dataset": "police.case", "by": "month", "person": "x"}, 422),
    ],
)
def test_what_cannot_be_counted_is_refused(
    hub: TinyHub, client: Client, params: dict[str, str], status: int
) -> None:
    reply = client.get(PATH, params=params, headers=hub.bearer("analyst"))
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
