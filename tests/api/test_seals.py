"""Seals over HTTP and on pages; and that nobody can tell whether they have a sealed use."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.seal_release import GRACE, release_due
from api.wire.citizen import Uses
from api.wire.seals import Seal, SealedTotals, SealedUses, SealList
from hub.ledger.verify import Report, trust_of, verify_file
from hub.ledger.writer import Entry
from tests.api.hub import CASE, NOW, PEOPLE, Client, TinyHub, make_home
from tests.api.test_emergencies import as_

PURPOSE = "public_safety.investigation"
UNTIL = NOW + timedelta(days=60)
ORDER: dict[str, Any] = {
    "ground": "criminal_inquiry", "purposes": [PURPOSE], "case": CASE,
    "until": UNTIL.isoformat(), "reason": "告知可能导致证据毁灭",
}  # fmt: skip
WHY = {"reason": "已核对立案决定"}
#: Two residents of the police officer's own area.
ONE, OTHER = [p for p in PEOPLE if p.grid_code.startswith("990106001")][:2]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TinyHub]:
    """A hub of the test's own."""
    with asyncio.Runner() as runner:
        tiny = TinyHub(make_home(tmp_path / "hub"), runner)
        yield tiny
        tiny.services.close()


@pytest.fixture
def web(own: TinyHub) -> Iterator[Client]:
    made = own.client()
    yield made
    made.close()


def investigate(own: TinyHub, web: Client, number: str) -> httpx.Response:
    body = {"by": "resident_id", "value": number, "purpose": PURPOSE, "case": CASE}
    return as_(own, web, "officer.police")("/v1/officer/lookup", body)


def verify(own: TinyHub, web: Client, number: str) -> httpx.Response:
    body = {"by": "resident_id", "value": number, "purpose": "residence.verify", "case": "R-1"}
    answer = as_(own, web, "officer.east")("/v1/officer/lookup", body)
    assert answer.status_code == 200, answer.text
    return answer


def sealed(own: TinyHub, web: Client) -> int:
    """Order and approve; return the number."""
    asked = as_(own, web, "officer.police")("/v1/officer/seals", ORDER)
    assert asked.status_code == 201, asked.text
    number = Seal.model_validate(asked.json()).id
    done = as_(own, web, "oversight")(f"/v1/oversight/seals/{number}/approve", WHY)
    assert done.json()["state"] == "in_force", done.text
    return number


def uses_of(own: TinyHub, web: Client, number: str) -> httpx.Response:
    answer = web.get("/v1/me/uses", headers=own.bearer("citizen", number))
    assert answer.status_code == 200
    return answer


def test_an_order_from_its_asking_to_its_release(own: TinyHub, web: Client) -> None:
    police, oversight = as_(own, web, "officer.police"), as_(own, web, "oversight")
    asked = Seal.model_validate(police("/v1/officer/seals", ORDER).json())
    assert (asked.state, asked.acts, asked.begins) == ("requested", ["decline"], None)
    path = f"/v1/oversight/seals/{asked.id}"
    assert police(f"{path}/approve", WHY).status_code == 403
    (seen,) = SealList.model_validate(oversight("/v1/oversight/seals").json()).seals
    assert seen.acts == ["approve", "decline"]
    assert CASE not in str(seen)
    assert oversight(f"{path}/approve", WHY).json()["acts"] == ["lift"]
    assert investigate(own, web, ONE.number).status_code == 200
    assert uses_of(own, web, ONE.number).json() == {"uses": []}
    (mine,) = police("/v1/officer/seals").json()["seals"]
    assert mine["acts"] == ["renew", "lift"]
    (use,) = SealedUses.model_validate(oversight(f"{path}/uses").json()).uses
    assert (use.outcome, use.agency, use.released) == ("allowed", "police", None)
    assert ONE.number not in oversight(f"{path}/uses").text
    more = {"until": (NOW + timedelta(days=80)).isoformat(), "reason": "侦查尚未终结"}
    renewed = police(f"/v1/officer/seals/{asked.id}/renew", more)
    assert renewed.json()["asked_until"] is not None
    assert oversight(f"{path}/approve", WHY).json()["renewals"] == 1
    assert police(f"/v1/officer/seals/{asked.id}/lift", WHY).json()["state"] == "lifted"
    release_due(own.services.records, own.services.ledger, NOW)
    (told,) = Uses.model_validate(uses_of(own, web, ONE.number).json()).uses
    assert told.purpose == PURPOSE
    assert told.withheld is not None
    page = own.browser("citizen", ONE.number).get("/citizen").text
    assert "依法暂缓告知，现已公开" in page
    assert "第三十五条" in page
    assert oversight(path).json()["released"] is False
    release_due(own.services.records, own.services.ledger, NOW + GRACE)
    assert own.services.seals.find(asked.id, NOW + GRACE).released


@pytest.mark.parametrize("actor", ["officer.east", "steward", "analyst", "admin.security"])
def test_others_neither_order_nor_see_nor_decide(own: TinyHub, web: Client, actor: str) -> None:
    number, call = sealed(own, web), as_(own, web, actor)
    assert call("/v1/officer/seals", ORDER).status_code == 403
    for path in ("", f"/{number}", f"/{number}/uses"):
        assert call(f"/v1/oversight/seals{path}").status_code == 403
    for act in ("approve", "decline", "lift"):
        assert call(f"/v1/oversight/seals/{number}/{act}", WHY).status_code == 403
    listed = call("/v1/officer/seals")
    assert listed.status_code == 403 or listed.json() == {"seals": []}


def test_what_does_not_fit_is_said_without_its_value(own: TinyHub, web: Client) -> None:
    police = as_(own, web, "officer.police")
    for change, status in (
        ({"until": "2026-08-01T00:00:00"}, 400),
        ({"until": "soon"}, 422),
        ({"reason": f"电话 {ONE.number}"}, 400),
        ({"case": ONE.number}, 403),
        ({"purposes": []}, 422),
        ({"ground": "convenience"}, 403),
    ):
        answer = police("/v1/officer/seals", {**ORDER, **change})
        assert answer.status_code == status, answer.text
        assert ONE.number not in answer.text
    assert (
        police("/v1/officer/seals/9/renew", {"until": UNTIL.isoformat(), **WHY}).status_code == 404
    )


def test_the_pages_do_what_the_doors_do(own: TinyHub, web: Client) -> None:
    police, oversight = own.browser("officer.police"), own.browser("oversight")
    form = {
        "ground": "criminal_inquiry", "purpose": PURPOSE, "case": CASE, "until": "2026-07-01",
        "reason": "告知可能导致证据毁灭",
    }  # fmt: skip
    assert "申请延期" not in police.get("/officer/seals").text
    assert "第 1 号命令" in police.post("/officer/seals", data=form).text
    assert police.post("/officer/seals", data={**form, "until": ""}).status_code == 422
    assert "/oversight/seals/1" in oversight.get("/oversight/seals").text
    assert "有效" in oversight.post("/oversight/seals/1/approve", data=WHY).text
    assert "申请延期" in police.get("/officer/seals").text
    investigate(own, web, ONE.number)
    assert "东街派出所社区民警" in oversight.get("/oversight/seals/1/uses").text
    renewal = {**WHY, "until": "2026-08-01"}
    assert police.post("/officer/seals/1/renew", data=renewal).status_code == 200
    assert "待批准至" in oversight.get("/oversight/seals").text
    assert oversight.post("/oversight/seals/1/decline", data=WHY).status_code == 200
    assert "已提前解除" in police.post("/officer/seals/1/lift", data=WHY).text
    assert own.browser("analyst").get("/oversight/seals").status_code == 403
    assert own.browser("analyst").get("/officer/seals").status_code == 403
    assert "第一个完整年度结束后公布" in web.get("/", headers={"accept": "text/html"}).text


# -- nobody can tell


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TinyHub, list[str]]]:
    """A hub, and every SQL statement that its databases run, bound values and all."""
    statements: list[str] = []
    connect = sqlite3.connect

    def tracing(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        connection.set_trace_callback(statements.append)
        return connection

    settings = make_home(tmp_path / "hub")
    monkeypatch.setattr(sqlite3, "connect", tracing)
    # Whether the keeper looks again hangs on how long a request took; acts on orders make it look.
    monkeypatch.setattr("access.keeper._LOOK_SECONDS", float("inf"))
    with asyncio.Runner() as runner:
        tiny = TinyHub(settings, runner)
        yield tiny, statements
        tiny.services.close()


def same_past(own: TinyHub, web: Client) -> list[int]:
    """Give two people the same uses, and one of them sealed ones between; return those's indexes."""
    sealed(own, web)
    filler = Entry(None, {"event": "hub:key:rotated", "time": NOW.isoformat()})
    own.services.ledger.append([filler] * 100)  # so that all positions have as many digits
    indexes = []
    for _ in range(3):
        verify(own, web, ONE.number)
        indexes += [investigate(own, web, ONE.number).json()["receipt"]["index"] for _ in range(4)]
        verify(own, web, OTHER.number)
    return indexes


def test_answers_reads_and_sizes_are_those_of_one_without_sealed_uses(
    traced: tuple[TinyHub, list[str]],
) -> None:
    """Every statement and its order, the bytes of every answer, and what a wrong proof gets."""
    own, statements = traced
    web = own.client()
    sealed_at = same_past(own, web)
    assert len(sealed_at) == 12
    seen = []
    for who in (ONE, OTHER):
        headers = own.bearer("citizen", who.number)
        web.get("/v1/me/records", headers=headers)  # recorded once a session: not part of it
        web.get("/v1/me/uses", headers=headers)
        statements.clear()
        answer = web.get("/v1/me/uses", headers=headers)
        seen.append((answer, [_shape(sql) for sql in statements]))
    (with_, reads), (without, other_reads) = seen
    assert reads == other_reads
    assert any("FROM entry" in sql for sql in reads)
    assert len(with_.json()["uses"]) == 4  # three, and the opening of the own record
    assert len(with_.content) == len(without.content)
    assert _leveled(with_.text) == _leveled(without.text)
    assert with_.headers == without.headers


@pytest.mark.parametrize(
    "path",
    ["/v1/me/uses?format=fhir", "/v1/me/uses?format=ocsf", "/v1/me/data-tracker/v2/findUsage"],
)
def test_the_forms_of_others_have_no_more_than_the_list(
    traced: tuple[TinyHub, list[str]], path: str
) -> None:
    """FHIR, OCSF and the Data Tracker's answer: read alike, and as long."""
    own, statements = traced
    web = own.client()
    same_past(own, web)
    seen = []
    for who in (ONE, OTHER):
        headers = own.bearer("citizen", who.number)
        web.get(path, headers=headers)
        statements.clear()
        answer = web.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        assert '"seal"' not in answer.text.replace('"seal":null', "")
        seen.append((len(answer.content), [_shape(sql) for sql in statements]))
    assert seen[0] == seen[1]


def test_a_statement_is_complete_without_what_is_sealed_until_it_is_released(
    own: TinyHub, web: Client
) -> None:
    """The verifier finds nothing missing before, and the release beside the rest after."""
    same_past(own, web)
    own.publish()
    trust = trust_of([web.get("/v1/public/key").text.strip()])

    def statement(number: str) -> Report:
        reply = web.get("/v1/me/statement", headers=own.bearer("citizen", number))
        assert reply.status_code == 200
        return verify_file(reply.content, trust)

    one, other = statement(ONE.number), statement(OTHER.number)
    assert one.valid, one.why
    assert [len(report.uses) for report in (one, other)] == [3, 3]
    assert (one.proven, len(one.not_said)) == (other.proven, len(other.not_said))
    release_due(own.services.records, own.services.ledger, UNTIL)
    own.publish()
    after = statement(ONE.number)
    assert after.valid, after.why
    records = [use.record for use in after.uses if use.record is not None]
    assert [record["event"] for record in records].count("access:seal:released") == 12
    assert len(statement(OTHER.number).uses) == 3


def test_a_proof_of_a_sealed_use_is_that_of_another_s_entry(
    traced: tuple[TinyHub, list[str]],
) -> None:
    own, statements = traced
    web = own.client()
    index = same_past(own, web)[0]
    foreign = index + 4  # the other's own, visible one
    found = []
    headers = own.bearer("citizen", ONE.number)
    web.get(f"/v1/me/uses/{index}/proof", headers=headers)
    for asked in (index, foreign):
        statements.clear()
        answer = web.get(f"/v1/me/uses/{asked}/proof", headers=headers)
        assert answer.status_code == 404
        body = re.sub(rf"\b{asked}\b", "N", answer.text)
        found.append((body, [_shape(sql) for sql in statements]))
    assert found[0] == found[1]


def test_receipts_do_not_say_whether_a_use_is_sealed(own: TinyHub, web: Client) -> None:
    """Who looks somebody up gets the same before and after an order."""
    before = investigate(own, web, ONE.number).json()
    sealed(own, web)
    after = investigate(own, web, ONE.number).json()
    assert before.keys() == after.keys()
    assert before["receipt"].keys() == after["receipt"].keys()
    varying = {"receipt", "request_id", "time"}
    strip = lambda body: {k: v for k, v in body.items() if k not in varying}  # noqa: E731
    assert strip(before) == strip(after)


def test_what_is_public_does_not_move_with_a_sealed_use(own: TinyHub, web: Client) -> None:
    """Only the whole log's size does, as with any other entry."""
    sealed(own, web)
    paths = ("/v1/public/sealed", "/v1/public/quality", "/v1/public/datasets", "/")
    before = [_sizeless(web.get(path).text) for path in paths]
    investigate(own, web, ONE.number)
    assert [_sizeless(web.get(path).text) for path in paths] == before


def _shape(sql: str) -> str:
    """Return a statement without what differs by person: blobs by length, numbers by digits."""
    blobs = re.sub(r"[xX]'([0-9a-fA-F]*)'", lambda m: f"<{len(m[1])}>", sql)
    return re.sub(r"\b\d+\b", lambda m: "9" * len(m[0]), blobs)


def _leveled(text: str) -> str:
    """Return an answer without positions of entries and names of requests."""
    named = re.sub(r'("index":|/uses/)\d+', r"\1N", text)
    return re.sub(r'("request":)"[0-9a-f]{18}"', r"\1N", named)


def _sizeless(text: str) -> str:
    return re.sub(r"[\d,]+ 条记录", "N 条记录", text)


# -- totals


def test_totals_are_of_closed_years_and_leave_small_counts_out(tmp_path: Path) -> None:
    """Six uses are told, four are not, none is as four; a year that runs is not there."""
    with asyncio.Runner() as runner:
        settings = make_home(tmp_path / "hub")
        own = TinyHub(settings, runner)
        web = own.client()
        sealed(own, web)
        for _ in range(6):
            assert investigate(own, web, ONE.number).status_code == 200
        assert web.get("/v1/public/sealed").json()["totals"] == []
        totals = own.services.seal_totals
        year = timedelta(days=365)
        assert totals.until(datetime.fromisoformat("2026-12-31T23:00:00+00:00")) == ()
        assert totals.until(datetime.fromisoformat("2027-01-01T15:59:59+00:00")) == ()
        found = {t.ground: t for t in totals.until(NOW + year)}
        assert {t.year for t in found.values()} == {2026}
        assert (found["criminal_inquiry"].orders, found["criminal_inquiry"].uses) == (None, 6)
        assert (found["confidential_by_law"].orders, found["confidential_by_law"].uses) == (
            None,
            None,
        )
        # released and done with, it counts the same
        release_due(own.services.records, own.services.ledger, UNTIL + GRACE)
        again = {t.ground: t for t in totals.until(NOW + 2 * year) if t.year == 2026}
        assert again == found
        later = [t for t in totals.until(NOW + 2 * year) if t.year == 2027]
        assert all(t.uses is None for t in later)
        assert SealedTotals.model_validate(web.get("/v1/public/sealed").json()).threshold == 5
        own.services.close()
