"""The main job on an invented district, end to end, told as it happens.

Nothing here is a short cut: files go through the drop folder, the Dagster job runs, the real web
server answers on loopback, and the proof is checked by the stand-alone verifier in a process that
knows nothing of the hub.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.rule import Rule

from access.registrar import Act, NewCase
from api.accuracy import compare_with_truth, true_accuracy_rows
from api.commands.quality import print_headlines
from api.console import Watch, out, print_rows
from api.demo_emergency import break_the_glass
from api.demo_ledger import check_proofs, lift_the_seal, publish, seal_a_use, witnessed
from api.demo_policy import change_the_policy
from api.quality import quality_rows
from api.registers import register_office
from api.running import run_delivery
from api.server import serving
from api.services import open_services
from api.setup import make_hub
from api.worklist import worklist_rows
from assets.demo.deliveries import (
    Summary,
    generate_correction,
    generate_first,
    generate_second,
    send,
)
from assets.demo.district import District
from assets.demo.truth import showcase
from contracts.accuracy.measures import cut_percent
from contracts.cards.board import listed
from contracts.model import Contract
from contracts.versions.in_force import in_force
from hub.clock import SystemClock
from hub.config import Settings, load_settings
from hub.errors import ConfigError, RequestError
from hub.store.drop import deliver
from hub.store.records import Records
from hub.store.snapshots import SnapshotStore

_SPOILED = "housing.tenancy"
_CARELESS = "housing.dwelling"
_CASE = "2026-0311"
#: Case -> the agency and purpose it is entered for.
_CASES: Mapping[str, tuple[str, str]] = {
    _CASE: ("civil_affairs", "assistance.review"),
    "2026-0312": ("police", "public_safety.investigation"),
}
_CASE_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demonstration is to do.

    Args:
        home: folder of its hub, made anew.
        residents: size of the invented district.
        also: real files to take down the same road.
        contract: the contract that describes them, or None without such files.
    """

    home: Path
    residents: int
    also: tuple[Path, ...] = ()
    contract: Path | None = None


def run_demo(plan: DemoPlan) -> None:
    """Run the whole story; raises the hub's own errors."""
    settings = _fresh_hub(plan)
    mail = settings.home / "departments"
    first = _invent(plan, settings, mail)
    start = time.monotonic()
    _run_all(settings, first, mail, plan)
    extra = _also(plan, settings)
    _enter_cases(settings)
    with serving(settings, _free_port(settings.host)) as base, httpx.Client(base_url=base) as web:
        _officers(web, mail)
        _chapter("The policy is changed, by two persons, while the server runs")
        change_the_policy(settings)
        _chapter("An emergency: at once, and reviewed afterwards by somebody else")
        break_the_glass(web, partial(_token, web), str(showcase(mail / "truth")["resident_id"]))
        _watched(web, settings, mail)
        if extra is not None:
            _count(web, extra)
        _ledger(settings)
    _accuracy(settings, mail)
    _to_do(settings)
    out.print(f"\nThe main job took {time.monotonic() - start:.1f} s (the invention apart).")
    _addresses(settings)


def _district(plan: DemoPlan) -> District:
    """Return the district as of two months ago, so that nothing in it lies in the future."""
    today = SystemClock().now()
    months = today.year * 12 + today.month - 1 - 2
    return District(residents=plan.residents, month=f"{months // 12}-{months % 12 + 1:02d}")


def _chapter(title: str) -> None:
    out.print()
    out.print(Rule(f"[bold]{title}", align="left"))


def _fresh_hub(plan: DemoPlan) -> Settings:
    settings = load_settings(home=plan.home, profile="demonstration")
    if plan.home.exists() and any(plan.home.iterdir()):
        mark = plan.home / "hub.toml"
        if not mark.exists() or 'profile = "demonstration"' not in mark.read_text():
            raise ConfigError(
                f"{plan.home} holds something that is not a demonstration: name another"
            )
        shutil.rmtree(plan.home)
    make_hub(settings)
    return settings


def _invent(plan: DemoPlan, settings: Settings, mail: Path) -> Summary:
    _chapter(
        f"Inventing a district of {plan.residents:,} residents (明镜区 990106: nobody is real)"
    )
    start = time.monotonic()
    with out.status("inventing") as status:
        summary = generate_first(
            _district(plan),
            mail,
            lambda done, total: status.update(f"inventing: {done:,} of {total:,} persons"),
        )
    rows = [
        {
            "from": d.partner,
            "dataset": d.dataset,
            "file": d.path.name,
            "rows": d.rows,
            "as": d.encoding,
        }
        for d in summary.deliveries
    ]
    print_rows("What the departments send", rows, as_json=False)
    planted = sum(summary.planted.values())
    out.print(
        f"{planted:,} errors of {len(summary.planted)} kinds planted, the truth kept aside; "
        f"{time.monotonic() - start:.1f} s."
    )
    person = showcase(mail / "truth")
    people = [
        {
            **{k: person[k] for k in ("name", "birth_date", "grid_code")},
            "id_number": person["resident_id"],
            "note": "the resident of the story / 演示中的居民",
        }
    ]
    (settings.home / "demo").mkdir(mode=0o700)
    (settings.home / "demo" / "people.json").write_text(json.dumps(people, ensure_ascii=False))
    return summary


def _run_all(settings: Settings, first: Summary, mail: Path, plan: DemoPlan) -> None:
    _chapter("Delivery, check, seal, lake, integrate, publish")
    _deliver_and_run(settings, first)
    before = SnapshotStore(settings).current().manifest
    out.print("\n[bold]A month later.[/] One department has opened its files in a spreadsheet.")
    district = _district(plan)
    spoiled = frozenset({_SPOILED, _CARELESS})
    _deliver_and_run(settings, generate_second(district, mail, spoiled))
    _say_what_stands(settings, before)
    out.print("\n[bold]The department corrects its file and delivers again.[/]")
    _deliver_and_run(settings, generate_correction(district, mail, frozenset({_SPOILED})))


def _deliver_and_run(settings: Settings, summary: Summary) -> None:
    send(summary.deliveries, settings)
    with Watch(out) as watch:
        run_delivery(settings, SystemClock(), watch)


def _say_what_stands(settings: Settings, before: Mapping[str, Any]) -> None:
    with Records.open(settings) as records:
        stopped = next(q for q in records.quality() if q.dataset == _SPOILED)
        served = records.latest_accepted(_SPOILED)
        batch = records.batch(stopped.batch_id)
    feedback = settings.feedback / batch.partner / f"{batch.id}.csv"
    lines = feedback.read_text(encoding="utf-8-sig").splitlines()
    out.print(f"  {_SPOILED} was stopped: {stopped.reason}")
    if served is not None:
        out.print(f"  what was published before stays in service: its batch of {served.period}")
    out.print(f"  the department's feedback, {len(lines) - 1:,} lines in {feedback}:")
    for line in lines[:3]:
        out.print(f"    {line}", markup=False)
    now = SnapshotStore(settings).current().manifest
    out.print(f"  snapshot in service: {before['version']} → {now['version']}")


def _also(plan: DemoPlan, settings: Settings) -> Contract | None:
    if not plan.also or plan.contract is None:
        return None
    _chapter("Real records, onboarded with nothing but a contract file")
    (folder,) = settings.contract_folders
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(plan.contract, folder / plan.contract.name)
    contracts = in_force(settings).contracts
    contract = next((c for c in contracts if Path(c.file).name == plan.contract.name), None)
    if contract is None:
        raise RequestError(f"{plan.contract.name} is not a contract")
    for path in plan.also:
        deliver(
            path,
            name=path.name,
            partner=contract.owner,
            dataset=contract.name,
            settings=settings,
        )
    with Watch(out) as watch:
        run_delivery(settings, SystemClock(), watch)
    return contract


def _enter_cases(settings: Settings) -> None:
    _chapter("The cases that two purposes go by")
    act = Act("demo.office", "invented for the demonstration")
    with register_office(settings) as office:
        closes_at = SystemClock().now() + _CASE_LIFE
        for reference, (agency, purpose) in _CASES.items():
            case = NewCase(reference, agency, (purpose,), closes_at)
            office.registrar.open_case(case, act, office.policy.purposes, office.policy.roles)
            out.print(f"  {reference} of {agency}, for {purpose}, open until {closes_at:%Y-%m-%d}")


def _token(web: httpx.Client, actor: str, **more: str) -> dict[str, str]:
    reply = web.post("/demo/token", json={"actor": actor, **more}).raise_for_status()
    return {"Authorization": f"Bearer {reply.json()['access_token']}"}


def _officers(web: httpx.Client, mail: Path) -> None:
    _chapter("Who may see what")
    person = showcase(mail / "truth")
    question = {
        "by": "resident_id",
        "value": person["resident_id"],
        "purpose": "residence.verify",
        "case": _CASE,
    }
    for actor in ("officer.east", "officer.west"):
        out.print(f"\n[bold]{actor}[/] looks the resident up for residence.verify, case {_CASE}:")
        reply = web.post("/v1/officer/lookup", json=question, headers=_token(web, actor)).json()
        _show_answer(reply)
    out.print("\n[bold]analyst[/] asks for the same person:")
    _show_answer(
        web.post("/v1/officer/lookup", json=question, headers=_token(web, "analyst")).json()
    )
    out.print("\n[bold]analyst[/] asks for statistics:")
    reply = web.get(
        "/v1/statistics",
        params={"dataset": "police.case", "by": "category", "purpose": "statistics.publish"},
        headers=_token(web, "analyst"),
    ).json()
    _show_statistics(reply)


def _show_answer(reply: Mapping[str, Any]) -> None:
    if not reply.get("allowed"):
        out.print(f"  [red]{reply['status']} refused[/]: {reply['detail']}", soft_wrap=True)
        if reply.get("remedy"):
            out.print(f"  what to do: {reply['remedy']}", soft_wrap=True)
        _show_receipt(reply)
        return
    cells = [
        {
            "field": c["title"],
            "value": c.get("label") or c["value"],
            "shown": c["how"],
            "source": c["source"],
        }
        for subject in reply["subjects"]
        for c in subject["fields"]
        if c["how"] != "hidden"
    ]
    print_rows("", cells, as_json=False)
    out.print(f"  allowed: {reply['reason']}", soft_wrap=True)
    _show_receipt(reply)


def _show_receipt(reply: Mapping[str, Any]) -> None:
    receipt = reply.get("receipt")
    if receipt:
        out.print(f"  receipt: ledger entry {receipt['index']}, leaf {receipt['leaf'][:16]}…")


def _show_statistics(reply: Mapping[str, Any], limit: int = 12) -> None:
    names = [c["title"] for c in reply["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in reply["rows"]]
    print_rows(reply["title"], rows[:limit], as_json=False)
    if len(rows) > limit:
        out.print(f"  … {len(rows) - limit} more rows")
    out.print(
        f"  every count is rounded to {reply['rounded_to']}; "
        f"cells under {reply['threshold']} are suppressed: {reply['suppressed']}"
    )
    _show_receipt(reply)


def _citizen(web: httpx.Client, mail: Path) -> int:
    _chapter("What that resident sees")
    person = showcase(mail / "truth")
    headers = _token(web, "citizen", id_number=person["resident_id"])
    held = web.get("/v1/me/records", headers=headers).raise_for_status().json()
    rows = [
        {
            "dataset": r["title"],
            "from": r["owner_title"],
            "as": r["role"],
            "since": r["since"],
            "fields": len(r["cells"]),
        }
        for subject in held["subjects"]
        for r in subject["records"]
    ]
    print_rows("Held about me", rows, as_json=False)
    uses = web.get("/v1/me/uses", headers=headers).raise_for_status().json()["uses"]
    print_rows("Who used it", [_use_row(u) for u in uses], as_json=False)
    looked = next(u for u in uses if u["outcome"] == "allowed" and u["action"] == "opened")
    return int(looked["index"])


def _use_row(use: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entry": use["index"],
        "when": use["time"][:19].replace("T", " "),
        "who": f"{use['agency_title']} {use['post']}",
        "purpose": use["purpose_title"],
        "outcome": use["under_title"] or use["outcome"],
        "fields": len(use["fields"]),
    }


def _watched(web: httpx.Client, settings: Settings, mail: Path) -> None:
    """What concerns the resident, while a witness of the oversight body watches the ledger."""
    number, token = str(showcase(mail / "truth")["resident_id"]), partial(_token, web)
    _chapter("The oversight body's witness")
    with witnessed(settings, web, _free_port(settings.host)) as witness:
        _chapter("A use that is sealed: not shown for a time, by an order of two persons")
        seal_a_use(settings, web, token, number)
        index = _citizen(web, mail)
        publish(settings)
        check_proofs(settings, web, token("citizen", id_number=number), index, witness)
        _chapter("The inquiry is over")
        lift_the_seal(settings, web, token, number)


def _count(web: httpx.Client, contract: Contract) -> None:
    out.print(f"\n[bold]{contract.title}[/], counted by the analyst:")
    by = breakdown(contract)
    reply = web.get(
        "/v1/statistics",
        params={"dataset": contract.name, "by": ",".join(by), "purpose": "statistics.publish"},
        headers=_token(web, "analyst"),
    )
    _show_statistics(reply.json(), limit=60)


def breakdown(contract: Contract) -> tuple[str, ...]:
    """Return what a count of a dataset is broken down by.

    The contract's own wish (custom property breakdown), else the month and the first required
    clear text that names no single record.
    """
    wish = contract.custom.get("breakdown")
    if isinstance(wish, list) and wish:
        return tuple(map(str, wish))
    kinds = [
        p.name
        for p in contract.properties
        if p.logical_type == "string"
        and p.required
        and not p.sealed
        and p.key_position is None
        and p.name not in (contract.time_column, contract.area_column)
    ]
    return (*(["month"] if contract.time_column else []), *kinds[:1])


def _ledger(settings: Settings) -> None:
    from api.commands.ledger import open_ledger

    _chapter("The ledger, and the quality of each dataset")
    with open_ledger(settings) as ledger:
        result = ledger.verify_all()
        if not result.intact:
            raise RequestError(
                "the ledger does not verify", findings=tuple(map(str, result.findings))
            )
        out.print(f"ledger intact: {result.size:,} entries read again, tree and checkpoint agree")
    with Records.open(settings) as records:
        print_rows("Quality against the 99 % target", quality_rows(records), as_json=False)


def _accuracy(settings: Settings, mail: Path) -> None:
    rows: Sequence[Mapping[str, Any]] = compare_with_truth(settings, mail / "truth")
    print_rows("Planted errors against what was caught", rows, as_json=False)
    compared = true_accuracy_rows(settings, mail / "truth")
    print_rows("Measured accuracy against the true one, key fields", compared, as_json=False)
    print_headlines(settings)


def _to_do(settings: Settings) -> None:
    _chapter("What is left for the departments")
    now = SystemClock().now()
    with closing(open_services(settings)) as services:
        views = listed(
            services.cards.cards(now), services.cards.norms, department=None, only_open=True
        )
        rows = [
            {
                "card": view.id,
                "colour": view.colour_title,
                "dataset": view.dataset,
                "period": view.period,
                "key_accuracy_%": _cut(view.evidence.get("key_accuracy_percent")),
                "remedy_by": view.remedy_by,
            }
            for view in views
        ]
        print_rows("Open quality cards", rows, as_json=False, empty="none")
        print_rows("Worklist", worklist_rows(services.records), as_json=False, empty="none")
    out.print(
        "Sign in as partner.housing on /demo/sign-in to acknowledge, appeal or ask a waiver of the "
        "card and to take the worklist; as steward, of the data bureau, to decide."
    )


def _cut(percent: float | None) -> float | None:
    return None if percent is None else cut_percent(percent / 100)


def _addresses(settings: Settings) -> None:
    base = f"http://{settings.host}:{settings.port}"
    out.print("\n[bold]Open next[/]")
    out.print(f"  hub up --home {settings.home}    starts the pages, the API and Dagster, then:")
    for path, what in (
        ("/", "the doors"),
        ("/demo/sign-in", "sign in as an invented officer or citizen"),
        ("/board", "quality board"),
        ("/partner", "cards, worklist, field samples, once signed in as a steward"),
        ("/reference", "the API"),
    ):
        out.print(f"  {base}{path:<16}{what}")
    out.print(f"  http://127.0.0.1:{settings.dagster_port}/               Dagster")
    out.print(f"  {settings.data_docs / 'site' / 'index.html'}    Great Expectations' Data Docs")


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
