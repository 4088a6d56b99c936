"""A department's workbooks over HTTP: handed out on the record, filled in, taken back, or refused."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from api.app import create_app
from api.services import Services, open_services
from api.wire.desk import Sample, SampleList, WorklistReturned
from assets.reconciliation.sheets import ANSWERS, CONCLUSION
from assets.reports.worksheet import RIGHT, SHEET
from hub.errors import LedgerError
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.sealing import Pseudonymiser
from tests.api.hub import ORIGIN, Client
from tests.journeys.test_worklist import ALIVE, DEAD, NAMES, Town, column_of

pytestmark = pytest.mark.journey

EXPORT, RETURN = "/v1/partner/worklist/export", "/v1/partner/worklist/return"
SAMPLES, SAMPLE_RETURN = "/v1/partner/samples", "/v1/partner/samples/return"
ORDER = {"dataset": "population.resident", "case": "2026-77"}
OURS_IS_WRONG = next(iter(ANSWERS))


class Office:
    """The application over a town's hub, asked by its stewards."""

    def __init__(self, town: Town, services: Services, runner: asyncio.Runner) -> None:
        self.town, self.services = town, services
        self.app = create_app(town.settings, services)
        self.client = Client(self.app, runner)
        self._runner = runner

    def post(self, path: str, actor: str = "partner.population", **options: Any) -> httpx.Response:
        assert self.services.provider is not None
        token = self.services.provider.token(actor)
        return self.client.post(path, headers={"Authorization": f"Bearer {token}"}, **options)

    def get(self, path: str, actor: str = "partner.population") -> httpx.Response:
        assert self.services.provider is not None
        token = self.services.provider.token(actor)
        return self.client.get(path, headers={"Authorization": f"Bearer {token}"})

    def browser(self, actor: str) -> Client:
        made = Client(self.app, self._runner)
        made.http.headers.update({"accept": "text/html", "origin": ORIGIN})
        assert made.post("/demo/sign-in", data={"actor": actor}).status_code == 303
        return made

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        ledger = self.services.ledger
        return [dict(e.body or {}) for e in ledger.entries(since, ledger.size)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Somebody is deceased with civil affairs and active among the residents."""
    town = Town(tmp_path)
    town.residents("0")
    town.deaths()
    town.run()
    services = open_services(town.settings)
    with asyncio.Runner() as runner:
        made = Office(town, services, runner)
        yield made
        made.client.close()
    services.close()


def filled(data: bytes, change: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def conclude(book: openpyxl.Workbook) -> None:
    (name,) = [n for n in book.sheetnames if n.startswith("死亡未注销")]
    book[name].cell(2, column_of(book[name], CONCLUSION)).value = OURS_IS_WRONG


def rename(book: openpyxl.Workbook) -> None:
    (name,) = [n for n in book.sheetnames if n.startswith("死亡未注销")]
    book[name]["B2"] = "改过"


def pseudonym(office: Office, account: str) -> str:
    keyring = Keyring.open(office.town.settings.keyring)
    return Pseudonymiser(keyring, "actor").of(account).hex()


def test_a_worklist_leaves_on_the_record_and_its_answers_come_back(office: Office) -> None:
    before = office.services.ledger.size
    reply = office.post(EXPORT, json={"case": "JH-1"})
    assert reply.status_code == 200, reply.text
    disposition = reply.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="worklist-population-')
    assert reply.headers["cache-control"] == "no-store"
    shown = office.events(before)
    assert {e["event"] for e in shown[:-1]} == {"officer:subject:disclosed"}
    assert len({e["subject"] for e in shown[:-1]}) == len(shown) - 1
    assert {e["purpose"] for e in shown[:-1]} == {"quality.reconcile"}
    exported = shown[-1]
    assert exported["event"] == "partner:worklist:exported"
    assert exported["persons"] == len(shown) - 1
    assert exported["by"] == pseudonym(office, "partner.population")
    assert office.town.states() == [("population", "dead_but_active", "in_review", 1)]
    back = office.post(RETURN, content=filled(reply.content, conclude))
    assert back.status_code == 200, back.text
    WorklistReturned.model_validate(back.json())
    assert back.json()["answers"] == {"own_wrong": 1}
    assert office.events()[-1]["event"] == "partner:worklist:returned"
    assert office.events()[-1]["by"] == exported["by"]
    told = str(office.events())
    assert not [name for name in (*NAMES.values(), DEAD, ALIVE) if name in told]


def test_a_workbook_that_was_edited_or_is_anothers_changes_nothing(office: Office) -> None:
    data = office.post(EXPORT, json={"case": "JH-1"}).content
    size, state = office.services.ledger.size, office.town.states()
    edited = office.post(RETURN, content=filled(data, rename))
    assert edited.status_code == 422
    (finding,) = edited.json()["findings"]
    assert finding == "死亡未注销-实有人口!B2: 此栏不得修改 / not to be edited"
    other = office.post(RETURN, "partner.housing", content=filled(data, conclude))
    assert other.status_code == 404
    assert (office.services.ledger.size, office.town.states()) == (size, state)
    assert not list(office.town.settings.work.glob("upload-*"))


def test_without_the_ledger_no_workbook_leaves(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    for method in ("submit", "append"):
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, method, broken)
            for path, body in ((EXPORT, {"case": "JH-1"}), (SAMPLES, ORDER)):
                reply = office.post(path, json=body)
                assert reply.status_code == 503
                assert reply.json()["code"] == "ledger"
    assert office.town.states()[0][2] == "open"
    assert not list(office.town.settings.samples.glob("*"))


def test_the_page_hands_the_workbook_out_and_takes_it_back(office: Office) -> None:
    browser = office.browser("partner.population")
    assert "待核对 / open" in browser.get("/partner/worklist").text
    got = browser.post("/partner/worklist/export", data={"case": "JH-1"})
    assert got.status_code == 200
    assert "attachment" in got.headers["content-disposition"]
    form = {"file": ("清单.xlsx", filled(got.content, rename))}
    refused = browser.post("/partner/worklist/return", files=form)
    assert refused.status_code == 422
    assert "B2" in refused.text
    form = {"file": ("清单.xlsx", filled(got.content, conclude))}
    taken = browser.post("/partner/worklist/return", files=form)
    assert taken.status_code == 200
    assert "本方有误 1" in taken.text
    browser.close()
    bureau = office.browser("steward")
    refused = bureau.post("/partner/worklist/export", data={"case": "JH-1"})
    assert refused.status_code == 403
    assert "不看个人" in refused.text
    bureau.close()


def answer(book: openpyxl.Workbook) -> None:
    sheet: Any = book[SHEET]
    for row in range(2, sheet.max_row + 1):
        for column in "GHIJ":
            sheet[f"{column}{row}"] = RIGHT


def test_a_sample_is_drawn_filled_in_and_proves_what_it_can(office: Office) -> None:
    before = office.services.ledger.size
    reply = office.post(SAMPLES, json=ORDER)
    assert reply.status_code == 200, reply.text
    shown = office.events(before)
    assert [e["event"] for e in shown] == [
        *["officer:subject:disclosed"] * len(NAMES),
        "partner:sample:drawn",
    ]
    assert shown[-1]["actor"] == pseudonym(office, "partner.population")
    again = office.post(SAMPLES, json=ORDER)
    assert again.status_code == 400
    assert "in the field" in again.json()["detail"]
    other = office.post(SAMPLE_RETURN, "partner.housing", content=reply.content)
    assert other.status_code == 404
    early = office.post(SAMPLE_RETURN, content=reply.content)
    assert early.status_code == 422
    assert any("!G2:" in finding for finding in early.json()["findings"])
    back = office.post(SAMPLE_RETURN, content=filled(reply.content, answer))
    assert back.status_code == 200, back.text
    Sample.model_validate(back.json())
    assert (back.json()["right_percent"], back.json()["proven"]) == (100.0, False)
    listed = office.get(SAMPLES).json()
    SampleList.model_validate(listed)
    assert listed["samples"] == [back.json()]
    assert office.get(SAMPLES, "partner.housing").json() == {"samples": []}
    assert len(office.get(SAMPLES, "steward").json()["samples"]) == 1
    assert not list(office.town.settings.samples.glob("*"))


@pytest.mark.parametrize(
    ("actor", "body", "status"),
    [
        ("partner.housing", ORDER, 403),
        ("steward", ORDER, 403),
        ("officer.east", ORDER, 403),
        ("partner.population", {**ORDER, "dataset": "no.dataset"}, 404),
        ("partner.population", {**ORDER, "dataset": "civil_affairs.death"}, 400),
        ("partner.population", {**ORDER, "level": "planet"}, 422),
        ("partner.population", {**ORDER, "seed": "a0b1c2"}, 422),
    ],
)
def test_whom_the_policy_does_not_let_draws_nothing(
    office: Office, actor: str, body: dict[str, str], status: int
) -> None:
    assert office.post(SAMPLES, actor, json=body).status_code == status
    assert not list(office.town.settings.samples.glob("*"))


def test_the_command_line_draws_for_a_known_actor_only(office: Office) -> None:
    def sample(actor: str) -> int:
        words = ("quality", "sample", ORDER["dataset"], "--case", "c", "--actor", actor)
        return int(office.town.hub(*words).exit_code)

    assert [sample(a) for a in ("nobody.known", "partner.housing", "partner.population")] == [
        64,
        77,
        0,
    ]
    assert len(office.get(SAMPLES).json()["samples"]) == 1


def test_the_samples_page_draws_and_tells(office: Office) -> None:
    browser = office.browser("partner.population")
    got = browser.post("/partner/samples", data=ORDER)
    assert got.status_code == 200
    form = {"file": ("核查表.xlsx", filled(got.content, answer))}
    taken = browser.post("/partner/samples/return", files=form)
    assert taken.status_code == 200
    assert "99 % 未得到证明" in taken.text
    again = browser.post("/partner/samples/return", files=form)
    assert again.status_code == 400
    browser.close()
