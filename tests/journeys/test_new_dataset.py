"""A department nobody has heard of, a dataset no Python knows: added by files alone, at run time."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from access.files import POLICY_FOLDER
from api.console import Watch
from api.running import run_delivery
from hub.agencies import load_agencies
from hub.clock import SystemClock
from hub.config import Settings
from hub.store.drop import deliver
from hub.store.records import Batch, BatchStatus, Records
from tests.api.hub import TinyHub
from tests.factories import id_number
from tests.journeys.conftest import change_policy, new_hub
from tests.rules.sources import modules

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("new dataset")]

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: health.vaccination
name: health.vaccination
version: 1.0.0
status: active
domain: health
description: {purpose: "预防接种记录。 / Vaccinations given."}
team:
  name: 卫生健康局
  members: [{username: health.steward, role: steward}]
slaProperties:
  - {property: frequency, value: 1, unit: m}
  - {property: latency, value: 5, unit: workingDays}
customProperties:
  - {property: title, value: 预防接种}
  - {property: ownerDepartment, value: health}
  - {property: sharingType, value: conditional}
  - {property: legalBasis, value: 《中华人民共和国个人信息保护法》第十三条第一款第三项}
  - {property: purposes, value: [vaccination.check, own.data]}
  - {property: updateCycle, value: monthly}
  - {property: deliveryMode, value: append}
  - {property: areaColumn, value: grid_code}
  - {property: timeColumn, value: given_on}
  - property: sources
    value:
      health:
        headers: {接种者身份证: person_id, 苗种: vaccine}
        codeMaps: {vaccine: {流感苗: "21", 乙肝苗: "11"}}
schema:
  - name: vaccination
    businessName: 预防接种
    properties:
      - {name: vaccination_no, businessName: 接种编号, logicalType: string, classification: L2,
         required: true, primaryKey: true, criticalDataElement: true,
         logicalTypeOptions: {pattern: "^V[0-9]{6}$"}}
      - name: person_id
        businessName: 公民身份号码
        logicalType: string
        classification: L4
        required: true
        criticalDataElement: true
        customProperties:
          - {property: semanticType, value: resident_id}
          - {property: subjectRole, value: vaccinated}
      - name: person_name
        businessName: 姓名
        logicalType: string
        classification: L3
        required: true
        customProperties:
          - {property: semanticType, value: person_name}
          - {property: subjectRole, value: vaccinated}
      - name: vaccine
        businessName: 疫苗
        logicalType: string
        classification: L3
        required: true
        customProperties:
          - {property: subjectRole, value: vaccinated}
          - {property: codeSet, value: vaccine}
      - {name: dose, businessName: 剂次, logicalType: integer, classification: L2,
         logicalTypeOptions: {minimum: 1, maximum: 9}}
      - {name: given_on, businessName: 接种日期, logicalType: date, classification: L2, required: true}
      - name: grid_code
        businessName: 网格代码
        logicalType: string
        classification: L2
        required: true
        customProperties: [{property: semanticType, value: division_code}]
    quality:
      - name: place_known_then
        type: custom
        engine: mingjing
        implementation: {rule: division_known, column: grid_code, on_date: given_on}
        dimension: consistency
        description: "接种当日网格代码有效。 / The grid was in force on the day."
"""
CODES = "code,label,note\n11,乙型肝炎疫苗,\n21,流行性感冒疫苗,\n"
PURPOSE = """
vaccination.check:
  title: 接种核实
  plain: Check at a counter which vaccinations a person has had.
  legal_basis: 《个人信息保护法》第十三条第一款第三项、第三十四条
  basis_verified: true
  roles: [window_officer]
  actions: [lookup]
  case: given
  retention_days: 30
  needs:
    health.vaccination:
      clear: [vaccination_no, person_name, vaccine, dose, given_on]
      masked: [person_id]
"""
RULE = (
    "window-vaccination,allow,window_officer,health,lookup,health.vaccination,vaccination.check,"
    'any,required,any,clear,L4,minors,one_person_per_request,"Children are brought to the counter"\n'
)
OFFICER = """
window.health:
  name: 卫康 (invented)
  agency: health
  post: 预防接种窗口
  roles: [window_officer]
  area: []
  clearance: L4
"""
PERSON, OTHER = id_number(13), id_number(24)
WRONG = PERSON[:17] + ("0" if PERSON[17] != "0" else "1")
ASKED = {"by": "resident_id", "value": PERSON, "purpose": "vaccination.check", "case": "2026-0311"}


def _built_in(name: str) -> str:
    return (POLICY_FOLDER / name).read_text(encoding="utf-8")


def _write(settings: Settings) -> None:
    """Write what an operator writes, contract, code set and policy files, and have them approved."""
    (folder,) = settings.contract_folders
    (folder / "health.vaccination.yaml").write_text(CONTRACT, encoding="utf-8")
    (folder / "codes").mkdir()
    (folder / "codes" / "vaccine.csv").write_text(CODES, encoding="utf-8")
    roles = (
        _built_in("roles.yaml")
        .replace(
            "agencies: [address, bureau, civil_affairs, housing, market, oversight, police, population]",
            "agencies: [address, bureau, civil_affairs, health, housing, market, oversight, police, "
            "population]",
        )
        .replace(
            "agencies: [civil_affairs, housing, population]",
            "agencies: [civil_affairs, health, housing, population]",
        )
    )
    own = settings.home / "policies"
    own.mkdir()
    agencies = {**load_agencies(), "health": "卫生健康局"}
    lines = ["code,title", *(f"{code},{title}" for code, title in agencies.items())]
    (own / "agencies.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (own / "roles.yaml").write_text(roles, encoding="utf-8")
    (own / "purposes.yaml").write_text(_built_in("purposes.yaml") + PURPOSE, encoding="utf-8")
    (own / "policy.csv").write_text(_built_in("policy.csv") + RULE, encoding="utf-8")
    (own / "demo_actors.yaml").write_text(_built_in("demo_actors.yaml") + OFFICER, encoding="utf-8")
    change_policy(settings)


def _deliver(settings: Settings, folder: Path) -> None:
    """Deliver 41 vaccinations in the department's own words; one number is wrong."""
    rows = [
        ["V000001", PERSON, "明晓", "流感苗", "1", "2025-10-09", "99010600100101"],
        ["V000002", PERSON, "明晓", "乙肝苗", "2", "2025年11月3日", "99010600100101"],
        ["V000003", OTHER, "镜宁", "21", "1", "2025-11-04", "99010600100101"],
        ["V000004", WRONG, "明晓", "21", "1", "2025-11-04", "99010600100101"],
    ]
    rows += [
        [f"V0001{n:02}", id_number(100 + n), "清和", "11", "1", "2025-11-05", "99010600100101"]
        for n in range(37)
    ]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["接种编号", "接种者身份证", "姓名", "苗种", "剂次", "接种日期", "网格代码"])
    writer.writerows(rows)
    path = folder / "接种.csv"
    path.write_bytes(text.getvalue().encode("gb18030"))
    deliver(
        path,
        name=path.name,
        partner="health",
        dataset="health.vaccination",
        settings=settings,
        encoding="gb18030",
        format="csv",
    )


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyHub]:
    """A hub that holds nothing but the new dataset, delivered, checked and published."""
    folder = tmp_path_factory.mktemp("vaccination")
    settings = new_hub(folder / "hub")
    _write(settings)
    _deliver(settings, folder)
    run_delivery(settings, SystemClock(), Watch(Console(file=io.StringIO())))
    with asyncio.Runner() as runner:
        tiny = TinyHub(settings, runner, SystemClock())
        yield tiny
        tiny.services.close()


def _cells(fields: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {cell["column"]: cell for cell in fields}


def test_no_python_knows_the_dataset() -> None:
    assert [m.name for m in modules() if "vaccin" in m.text.casefold()] == []


def test_the_delivery_is_checked_by_the_contract_and_published(hub: TinyHub) -> None:
    with Records.open(hub.settings) as records:
        batches: tuple[Batch, ...] = tuple(records.batches(limit=10))
    (batch,) = batches
    assert batch.status is BatchStatus.PUBLISHED
    (row,) = (q for q in hub.services.records.quality() if q.dataset == "health.vaccination")
    assert (row.rows, row.accepted) == (41, 40)
    feedback = hub.settings.feedback / "health" / f"{batch.id}.csv"
    lines = feedback.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "resident_id_check_digit.person_id" in lines[1]


def test_an_officer_of_the_new_department_is_answered_under_policy(hub: TinyHub) -> None:
    client = hub.client()
    reply = client.post("/v1/officer/lookup", json=ASKED, headers=hub.bearer("window.health"))
    assert reply.status_code == 200, reply.text
    (subject,) = reply.json()["subjects"]
    (record, *more) = subject["records"]
    assert record["dataset"] == "health.vaccination"
    assert len(more) == 1
    cells = _cells(record["cells"])
    assert cells["person_id"]["how"] == "masked"
    assert PERSON not in reply.text
    assert cells["vaccine"]["label"] in ("流行性感冒疫苗", "乙型肝炎疫苗")
    assert "grid_code" not in {name for name, cell in cells.items() if cell["how"] == "clear"}
    client.close()


@pytest.mark.parametrize("actor", ["window", "officer.east", "analyst"])
def test_nobody_else_is(hub: TinyHub, actor: str) -> None:
    client = hub.client()
    reply = client.post("/v1/officer/lookup", json=ASKED, headers=hub.bearer(actor))
    assert reply.status_code == 403
    assert "明晓" not in reply.text
    client.close()


def test_the_citizen_sees_it_with_title_and_labels_and_who_used_it(hub: TinyHub) -> None:
    client = hub.client()
    client.post("/v1/officer/lookup", json=ASKED, headers=hub.bearer("window.health"))
    me = hub.bearer("citizen", PERSON)
    held = client.get("/v1/me/records", headers=me).json()
    (subject,) = held["subjects"]
    assert {record["title"] for record in subject["records"]} == {"预防接种"}
    shown = [_cells(record["cells"]) for record in subject["records"]]
    assert {c["vaccine"]["label"] for c in shown} == {"流行性感冒疫苗", "乙型肝炎疫苗"}
    assert {c["vaccine"]["title"] for c in shown} == {"疫苗"}
    uses = client.get("/v1/me/uses", headers=me).json()["uses"]
    assert "vaccination.check" in {use["purpose"] for use in uses}
    page = hub.browser("citizen", PERSON).get("/citizen")
    assert page.status_code == 200
    for text in ("预防接种", "流行性感冒疫苗", "卫生健康局"):
        assert text in page.text
    client.close()
