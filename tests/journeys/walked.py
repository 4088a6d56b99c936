"""The hub that is walked: planted persons, taken down the real road, and its doors."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import re
import zipfile
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastapi import FastAPI
from fastapi.routing import APIRoute
from rich.console import Console
from starlette.routing import Mount, Route

from access.desk import Act, Desk
from access.duties import Official
from access.emergency import REVIEWS
from access.files import POLICY_FOLDER
from access.grant_desk import GrantDesk
from access.grants import Standing
from access.policy import load_policy
from access.ports import GuardKeys
from access.registrar import Persons
from api.app import create_app
from api.console import Watch
from api.running import run_delivery
from api.services import officials_of, open_services
from contracts.loader import load_catalog, load_contracts
from hub.clock import SystemClock
from hub.config import Settings
from hub.errors import LedgerError
from hub.keyring import Keyring
from hub.ledger.composition import publisher_of
from hub.sealing import Pseudonymiser
from hub.store import registers
from hub.store.drop import deliver
from hub.store.emergencies import Kind
from hub.store.grants import Grant
from hub.store.records import Records
from hub.store.registers import CaseFile, Protection
from hub.store.snapshots import SnapshotStore
from tests.access.reference import Asked, Reference
from tests.api.hub import ORIGIN, Client
from tests.factories import id_number
from tests.journeys.conftest import new_hub
from tests.journeys.planted import Planted, secrets

EAST = Planted(0)
MINOR = Planted(1, born="2018-05-09", traits=frozenset({"minor"}))
PROTECTED = Planted(2, traits=frozenset({"protected"}))
WEST = Planted(3, street=2)
OFFICER = Planted(4)
FAMILY = Planted(5, home=4)
PEOPLE = (EAST, MINOR, PROTECTED, WEST, OFFICER, FAMILY)
#: Delivered later, in a batch that the gate stops: of this row nothing is ever published.
SPOILED = Planted(6)
#: Account -> the person behind it.
BOUND = {"officer.east": OFFICER, "officer.police": OFFICER, "citizen": EAST}
#: Reference of a case -> agency and purpose it is open for.
CASES = {
    "AJ-1": ("police", "public_safety.investigation"),
    "AJ-2": ("civil_affairs", "assistance.review"),
}
ACTORS: dict[str, dict[str, Any]] = yaml.safe_load(
    (POLICY_FOLDER / "demo_actors.yaml").read_text("utf-8")
)
#: Columns of residents that are granted to be given in a file, and how one is asked for.
GRANTED = frozenset(
    {"resident_id", "name", "birth_date", "phone", "residence_address", "grid_code"}
)
SUPPLY = {"dataset": "population.resident", "purpose": "sharing.supply", "case": "GX-1"}
NOBODY = "nobody"
OVERSIGHT = Official("oversight", "oversight", ("oversight",), "")
REVIEWED = frozenset(map(str, REVIEWS))

_LONG_TEXT = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass
class Ticking:
    """A clock that the walk moves on by hand, so that no limit of a minute is in its way."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=1))

    def now(self) -> datetime:
        """Return the instant it stands at."""
        return self.at


class Walked:
    """A home with planted persons, its application, and somebody to ask it as."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.settings = new_hub(folder / "hub")
        self.folder, self.runner = folder, runner
        self.catalog = load_catalog(load_contracts(self.settings.contract_folders))
        self.said = _take_down_the_road(self.settings, folder)
        _enter_registers(self.settings)
        self.clock = Ticking()
        self.services = open_services(self.settings, self.clock)
        self.app = create_app(self.settings, self.services)
        self.reference = Reference(
            load_policy(self.catalog, POLICY_FOLDER), self.catalog, POLICY_FOLDER
        )
        self._grant()
        self.secrets = secrets((*PEOPLE, SPOILED), self.catalog)
        self.sealed = secrets((*PEOPLE, SPOILED), self.catalog, sealed=True)
        self._clients: dict[tuple[str, bool], tuple[datetime, Client]] = {}

    def ask(self, actor: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask as somebody: pages with a cookie, the API with a token. A limit is waited for."""
        reply = self._client(actor, path).request(method, path, **options)
        if reply.status_code == 429:
            self.clock.at += timedelta(seconds=int(reply.headers["retry-after"]) + 1)
            reply = self._client(actor, path).request(method, path, **options)
        return reply

    def publish(self) -> None:
        """Make public what the ledger holds."""
        publisher = publisher_of(self.settings, self.services.ledger, self.clock)
        with closing(publisher):
            assert not publisher.turn().waiting

    def sign_out_all(self) -> None:
        """Have everybody sign in again: what is their own is recorded once a session."""
        for _, client in self._clients.values():
            client.close()
        self._clients.clear()

    def asked(
        self, actor: str, action: str, purpose: str, case: str | None, **more: Any
    ) -> Asked | None:
        """Return the question for the reference; nobody asks nothing."""
        if actor == NOBODY:
            return None
        told = ACTORS[actor]
        is_open = CASES.get(case or "") == (told["agency"], purpose)
        return Asked(told, action, purpose, bool(case), is_open, **more)

    def handles(self, actor: str, found_by: dict[str, str], purpose: str) -> list[str]:
        """Return the handles of those whom a search shows to somebody."""
        body = {**found_by, "purpose": purpose, "case": "AJ-1"}
        reply = self.ask(actor, "POST", "/v1/officer/search", json=body)
        return [s["handle"] for s in reply.json().get("subjects", ()) if s["handle"]]

    def lifted(self, actor: str, who: Planted, purpose: str, case: str, columns: list[str]) -> int:
        """Return the number of a lifted mask, asked for and approved; 0 where there is none."""
        body = {"by": "resident_id", "value": who.number, "purpose": purpose, "case": case}
        wanted = {**body, "columns": columns, "reason": "核对号码"}
        reply = self.ask(actor, "POST", "/v1/officer/unmask", json=wanted)
        if reply.status_code != 201:
            return 0
        number = int(reply.json()["id"])
        second = Official("steward", ACTORS[actor]["agency"], ("department_steward",), "")
        self.services.emergencies.approve(number, second, self._act(second))
        return number

    def opened(self, actor: str) -> int:
        """Return the number of an emergency that is open now; 0 where there is none."""
        body = {"purpose": "emergency.rescue", "case": "AJ-1", "reason": "老人昏迷"}
        reply = self.ask(actor, "POST", "/v1/officer/emergency", json=body)
        return int(reply.json()["id"]) if reply.status_code == 201 else 0

    def exported(self, actor: str) -> str:
        """Return the number of a file of everybody that somebody had made; zeros where none is."""
        reply = self.ask(actor, "POST", "/v1/officer/exports", json=SUPPLY)
        return str(reply.json()["number"]) if reply.status_code == 201 else "0" * 32

    def _grant(self) -> None:
        """Have a file of residents granted to the data steward of population."""
        services = self.services
        name_of = Pseudonymiser(Keyring.open(self.settings.keyring), "actor").of
        officials = officials_of(self.settings) or {}
        desk = GrantDesk(
            Desk(
                services.records, services.ledger, self.catalog, services.keeper, officials, name_of
            )
        )
        now = self.clock.now()
        wanted = Grant(
            id=0,
            agency="population",
            role="department_steward",
            purpose="sharing.supply",
            actions=("export",),
            columns={"population.resident": tuple(sorted(GRANTED))},
            area=(),
            case_name=None,
            basis="共享申请",
            valid_from=now,
            valid_to=now + timedelta(days=300),
            uses_left=None,
        )
        asked = desk.request(wanted, Act("steward", "民政核对", now))
        assert isinstance(asked, Standing), asked
        given = desk.give(asked.grant.id, Act("admin.security", "已核对", now))
        assert isinstance(given, Standing), given
        post = ("department_steward", "population")
        self.reference.grant("grant-1", *post, "export", "population.resident", "sharing.supply")

    def review_all(self) -> None:
        """Have every emergency reviewed: what is overdue would hide everything from who opened it."""
        desk, second = self.services.emergencies, OVERSIGHT
        for standing in desk.standings(self.clock.now()):
            if standing.emergency.kind is Kind.EMERGENCY and not REVIEWED & standing.steps.keys():
                with suppress(LedgerError):  # a broken ledger is told later
                    desk.review(standing.emergency.id, second, self._act(second), justified=True)

    def _act(self, second: Official) -> Act:
        return Act(second.account, "核对无误", self.clock.now())

    def traits(self, actor: str, who: Planted) -> frozenset[str]:
        """Return what somebody is to who asks."""
        behind = BOUND.get(actor)
        if behind is who:
            return frozenset({"own_record"})
        return frozenset({"own_household"} if {behind, who} == {OFFICER, FAMILY} else ())

    def batches(self) -> list[str]:
        """Return the id of every batch."""
        return [batch.id for batch in self.services.records.batches(100)]

    def close(self) -> None:
        """Let go of everything."""
        self.sign_out_all()
        self.services.close()

    def _client(self, actor: str, path: str) -> Client:
        """Return who is signed in, and signs in again before the token ends."""
        by_token = path.startswith(("/v1/", "/demo/"))
        since, client = self._clients.get((actor, by_token), (None, None))
        if client is None or since is None or self.clock.at - since > timedelta(hours=6):
            client = (self._door if by_token else self._page)(actor)
            self._clients[actor, by_token] = (self.clock.at, client)
        return client

    def _token(self, name: str) -> str:
        assert self.services.provider is not None
        behind = BOUND.get(name)
        return self.services.provider.token(name, behind.number if behind else None)

    def _door(self, name: str) -> Client:
        client = Client(self.app, self.runner)
        if name != NOBODY:
            client.http.headers["authorization"] = f"Bearer {self._token(name)}"
        return client

    def _page(self, name: str) -> Client:
        client = Client(self.app, self.runner)
        client.http.headers.update({"accept": "text/html", "origin": ORIGIN})
        if name != NOBODY:
            behind = BOUND.get(name)
            form = {"actor": name, **({"id_number": behind.number} if behind else {})}
            assert client.post("/demo/sign-in", data=form).status_code == 303
        return client


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Return every (method, path) that the application answers; what it is made of must be known."""
    found: set[tuple[str, str]] = set()
    waiting = list(app.routes)
    while waiting:
        route: Any = waiting.pop()
        if hasattr(route, "original_router"):
            waiting += route.original_router.routes
        elif isinstance(route, Mount):
            assert not any(hasattr(part, "path") for part in route.routes or ())
            found.add(("GET", route.path))
        else:
            assert isinstance(route, APIRoute | Route), f"what is {route!r}?"
            found |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    return found


def all_text(data: bytes) -> str:
    """Return everything that bytes say: as they are, unpacked, and where they hold base64, that."""
    parts = [data]
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts += [book.read(name) for name in book.namelist()]
    for run in _LONG_TEXT.findall(data):
        stripped = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        padded = stripped[: len(stripped) // 4 * 4]
        parts.append(base64.b64decode(padded))
    texts = [part.decode("utf-8", "replace") for part in parts]
    if b"\\u" in data:
        texts.append(re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), texts[0]))
    return "\n".join(texts)


def leaked(said: str, secret: frozenset[str], cleared: frozenset[str] = frozenset()) -> list[str]:
    """Return the secrets that are said and are part of nothing that was cleared."""
    hits = [text for text in secret if text in said]
    return sorted(text for text in hits if not any(text in clear for clear in cleared))


def _take_down_the_road(settings: Settings, folder: Path) -> str:
    """Deliver everybody, then a batch that is stopped; return what the runs said."""
    console = Console(file=io.StringIO())
    rows: dict[str, list[dict[str, str]]] = {"address.standard_address": []}
    for who in PEOPLE:
        for name, values in who.records().items():
            rows.setdefault(name, []).append(values)
        rows["address.standard_address"] += [_address(who)] if who.home is None else []
    rows["civil_affairs.death"] = [_death(EAST)]
    _send(settings, folder, rows, "first")
    run_delivery(settings, SystemClock(), Watch(console))
    wrong = SPOILED.records()["housing.tenancy"]
    broken = {**wrong, "tenant_id": wrong["tenant_id"][:-1] + "A", "grid_code": "990106999"}
    _send(settings, folder, {"housing.tenancy": [broken]}, "second")
    run_delivery(settings, SystemClock(), Watch(console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _send(
    settings: Settings, folder: Path, rows: dict[str, list[dict[str, str]]], label: str
) -> None:
    contracts = {c.name: c for c in load_contracts(settings.contract_folders)}
    owners = load_catalog(tuple(contracts.values()))
    for name, some in rows.items():
        titles = {p.name: p.title for p in contracts[name].properties}
        path = folder / f"{label}-{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(titles.values())
            writer.writerows([row.get(column, "") for column in titles] for row in some)
        deliver(
            path,
            name=path.name,
            partner=owners[name].owner,
            dataset=name,
            settings=settings,
            rows=len(some),
        )


def _address(who: Planted) -> dict[str, str]:
    home = who.records()["housing.dwelling"]
    return {
        "address_id": home["address_id"],
        "name": "虚设市明镜区某处",
        "division_code": who.community,
        "grid_code": who.grid,
        "longitude": "120.1",
        "latitude": "30.1",
        "status": "1",
        "updated_on": "2025-05-01",
    }


def _death(who: Planted) -> dict[str, str]:
    """A death of somebody else planted nowhere: the dataset is delivered, and small."""
    return {
        "cremation_no": "HH1",
        "deceased_id": id_number(999, "19400101"),
        "deceased_name": who.name("death"),
        "sex": "1",
        "birth_date": "1940-01-01",
        "died_on": "2025-05-20",
        "cremated_at": "2025-05-22 10:00:00",
        "funeral_home_name": "虚设殡仪馆",
        "funeral_home_code": "BYG1",
    }


def _enter_registers(settings: Settings) -> None:
    keyring, now = Keyring.open(settings.keyring), datetime.now(UTC)
    keys = GuardKeys.of(keyring)
    persons = Persons(keys, Pseudonymiser(keyring, "subject"), SnapshotStore(settings))
    with Records.open(settings) as records, records.writing() as session:
        for reference, (agency, purpose) in CASES.items():
            name = keys.case.of(reference).hex()
            until = now + timedelta(days=30)
            registers.add_case(session, CaseFile(name, agency, frozenset({purpose}), now, until))
        protected = Protection(persons.named(PROTECTED.number), now, None, "admin")
        registers.protect(session, protected)
