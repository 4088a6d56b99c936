"""A tiny real hub for the doors' tests: real snapshot, real ledger, real guard, invented people."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.services import Services, open_services
from bench import invented
from contracts.loader import load_catalog, load_contracts
from hub.clock import Clock, FixedClock
from hub.config import Settings, load_settings
from hub.keyring import Keyring
from hub.ledger.composition import create_ledger, publisher_of
from hub.sealing import Pseudonymiser
from hub.store.batches import Arrival, BatchStatus, ChangeRow, CheckRow, Verdict
from hub.store.records import Records
from hub.store.registers import CaseFile, add_case
from hub.store.worklist import FoundItem, Worklist

NOW = datetime(2026, 6, 5, 1, 2, 3, tzinfo=UTC)
CLOCK = FixedClock(NOW)
ORIGIN = "http://hub.test"
CASE = "2026-0311"
PEOPLE = tuple(invented.person(serial) for serial in range(24))
EAST = next(p for p in PEOPLE if p.grid_code.startswith("990106001"))
WEST = next(p for p in PEOPLE if p.grid_code.startswith("990106002"))

#: The small cell hides three more, so that it cannot be found by subtraction; the first row stays.
_CASES = [
    ("99010600100101", "2026-01-10", "theft", 27),
    ("99010600100101", "2026-02-11", "theft", 28),
    ("99010600100101", "2026-03-12", "theft", 29),
    ("99010600200101", "2026-01-12", "telecom_fraud", 30),
    ("99010600200101", "2026-02-13", "telecom_fraud", 26),
    ("99010600200101", "2026-03-14", "telecom_fraud", 26),
    ("99010600300101", "2026-01-15", "theft", 32),
    ("99010600300101", "2026-02-16", "theft", 2),
    ("99010600300101", "2026-03-17", "theft", 26),
]


def make_home(folder: Path, profile: str = "demonstration") -> Settings:
    """Return the settings of a hub with keys, ledger, records and a published snapshot."""
    settings = load_settings(home=folder, profile=profile, memory_limit="256MB", threads=1)
    keyring = Keyring.create(settings.keyring)
    create_ledger(settings, keyring, CLOCK).close()
    catalog = load_catalog(load_contracts(settings.contract_folders))
    invented.publish(settings, keyring, catalog, PEOPLE, analytic=_cases())
    with Records.open(settings) as records:
        _deliveries(records, settings)
        _enter_case(records, keyring)
    return settings


def _cases() -> list[str]:
    found = [case[:3] for case in _CASES for _ in range(case[3])]
    rows = ", ".join(
        f"('{grid}', DATE '{day}', '{category}', hash({number}))"
        for number, (grid, day, category) in enumerate(found)
    )
    return [
        (
            'CREATE TABLE analytic."police.case" AS SELECT * FROM '
            f"(VALUES {rows}) AS t(grid_code, filed_on, category, _mark)"
        )
    ]


def _deliveries(records: Records, settings: Settings) -> None:
    """One good delivery of population, one of housing that was stopped, with its feedback."""
    good = Arrival("population.resident", "population", "resident.csv", "a" * 64, 1000, "full")
    batch = records.register_batch(good, NOW - timedelta(hours=3)).batch
    records.save_verdict(batch.id, _verdict(0.995, passed=True), NOW - timedelta(hours=2))
    records.advance(batch.id, BatchStatus.LOADED, NOW - timedelta(hours=2))
    records.add_publication("20260601T000000Z", [batch.id], NOW - timedelta(hours=1))
    found = [
        FoundItem(f"W{n}", "name_conflict", "姓名不一致", who, "e", ("housing.tenancy",), ("b",))
        for n, who in enumerate(("housing", "housing", "population"))
    ]
    Worklist(records).check("20260601T000000Z", {item.id: item for item in found}, NOW)
    bad = Arrival("housing.tenancy", "housing", "tenancy.csv", "b" * 64, 2000, "full")
    batch = records.register_batch(bad, NOW - timedelta(hours=3)).batch
    records.save_verdict(batch.id, _verdict(0.931, passed=False), NOW - timedelta(hours=2))
    feedback = settings.feedback / "housing" / f"{batch.id}.csv"
    feedback.parent.mkdir(parents=True)
    feedback.write_text("row,column,rule\r\n17,tenant_id,check_digit\r\n", encoding="utf-8-sig")


def _enter_case(records: Records, keyring: Keyring) -> None:
    """The police have opened the case; other purposes take its reference as it is given."""
    name = Pseudonymiser(keyring, "case").of(CASE).hex()
    purposes = frozenset({"public_safety.investigation"})
    with records.writing() as session:
        add_case(session, CaseFile(name, "police", purposes, NOW, NOW + timedelta(days=365)))


def _verdict(share: float, *, passed: bool) -> Verdict:
    failing = round(1000 * (1 - share))
    check = CheckRow(
        rule="resident_id_check_digit",
        columns=("tenant_id",),
        severity="error",
        dimension="accuracy",
        title="身份号码校验位",
        remedy="请与证件核对后更正",
        failing=failing,
        evaluated=1000,
    )
    return Verdict(
        rows=1000,
        accepted=1000 - failing,
        quarantined=failing,
        key_accuracy=share,
        overall=share,
        passed=passed,
        reason="" if passed else "关键字段准确率 93.1 % 低于 97 %",
        checks=(check,),
        changes=(ChangeRow("tenant_phone", "phone_separators_removed", 12),),
    )


class Client:
    """A browser or program that talks to the application without a socket."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self.http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def close(self) -> None:
        self._runner.run(self.http.aclose())


class TinyHub:
    """Services and application over a tiny home, and tokens of its people."""

    def __init__(self, settings: Settings, runner: asyncio.Runner, clock: Clock = CLOCK) -> None:
        self.settings = settings
        self.services: Services = open_services(settings, clock)
        self.app = create_app(settings, self.services)
        self._runner = runner

    def publish(self) -> None:
        """Make public what the ledger holds, as the publisher beside the server does."""
        with closing(publisher_of(self.settings, self.services.ledger, CLOCK)) as publisher:
            assert not publisher.turn().waiting

    def client(self, app: FastAPI | None = None) -> Client:
        """Return a client with an empty cookie jar."""
        return Client(app or self.app, self._runner)

    def bearer(self, actor: str, id_number: str | None = None) -> dict[str, str]:
        """Return the headers of an invented actor."""
        assert self.services.provider is not None
        return {"Authorization": f"Bearer {self.services.provider.token(actor, id_number)}"}

    def browser(self, actor: str, id_number: str | None = None) -> Client:
        """Return a client that has signed in on the page and asks for pages."""
        client = self.client()
        client.http.headers["accept"] = "text/html"
        client.http.headers["origin"] = ORIGIN
        form = {"actor": actor, **({"id_number": id_number} if id_number else {})}
        assert client.post("/demo/sign-in", data=form).status_code == 303
        return client
