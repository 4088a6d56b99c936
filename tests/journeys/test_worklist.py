"""A conflict's life: found, handed out, answered, resolved by the next delivery, found again."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner

from access.files import POLICY_FOLDER
from api.cli import app
from api.commands.ledger import open_ledger
from api.setup import make_hub
from assets import steps
from assets.guarded.sheets import COVER
from assets.reconciliation.sheets import ANSWERS, CONCLUSION, REMARK
from assets.reconciliation.step import check_worklist
from assets.runtime import Promises, Quiet, open_runtime
from contracts.loader import load_contracts
from hub.clock import SystemClock
from hub.config import Settings, load_settings
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser
from hub.store.contract_versions import ContractVersions
from hub.store.drop import deliver
from hub.store.records import Records
from hub.store.worklist import ItemState, Worklist
from tests.factories import id_number

pytestmark = pytest.mark.journey

DEAD, ALIVE = id_number(2), id_number(4)
NAMES = {DEAD: "王逝", ALIVE: "李在"}
RESIDENT = {
    "sex": "2",
    "birth_date": "1990-03-07",
    "residence_type": "1",
    "relation_to_head": "02",
    "residence_address": "虚设市明镜区东街街道东门社区学士路1号1幢1单元101室",
    "division_code": "990106001001",
    "grid_code": "99010600100101",
    "collected_on": "2025-05-01",
}
OURS_IS_WRONG = next(iter(ANSWERS))


class Town:
    """A hub and the small files of two of its departments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: Settings = load_settings(
            home=folder / "hub", profile="demonstration", memory_limit="256MB"
        )
        make_hub(self.settings)
        contracts = load_contracts(self.settings.contract_folders)
        self.titles = {c.name: {p.name: p.title for p in c.properties} for c in contracts}
        self.sent = 0

    def send(self, dataset: str, rows: Sequence[Mapping[str, str]]) -> None:
        self.sent += 1
        path = self.folder / f"{self.sent}.csv"
        titles = self.titles[dataset]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(titles.values())
            writer.writerows([row.get(column, "") for column in titles] for row in rows)
        deliver(
            path,
            name=path.name,
            partner=dataset.split(".")[0],
            dataset=dataset,
            settings=self.settings,
            rows=len(rows),
        )

    def residents(self, status_of_the_dead: str, **more: str) -> None:
        self.send(
            "population.resident",
            [
                {
                    **RESIDENT,
                    "resident_id": number,
                    "name": NAMES[number],
                    "household_id": f"H{number}",
                    "person_status": status_of_the_dead if number == DEAD else "0",
                    "workplace": "=HYPERLINK(1)",
                    **more,
                }
                for number in NAMES
            ],
        )

    def deaths(self) -> None:
        self.send(
            "civil_affairs.death",
            [
                {
                    "cremation_no": "HH1",
                    "deceased_id": DEAD,
                    "deceased_name": NAMES[DEAD],
                    "sex": "2",
                    "birth_date": "1990-03-07",
                    "died_on": "2025-05-20",
                    "cremated_at": "2025-05-22 10:00:00",
                    "funeral_home_name": "虚设殡仪馆",
                    "funeral_home_code": "BYG1",
                }
            ],
        )

    def run(self) -> None:
        promises = Promises.of(self.settings)
        with open_runtime(self.settings, SystemClock(), Quiet(), promises) as run:
            for batch in steps.land(run):
                steps.check_and_load(run, batch.dataset)
            steps.resolve_identities(run)
            steps.publish_loaded(run)
            check_worklist(run)
            assert check_worklist(run) is None  # once per publication
        with Records.open(self.settings) as records:
            assert {b.status.value for b in records.batches()} == {"published"}

    def hub(self, *arguments: str) -> Any:
        return CliRunner().invoke(app, [*arguments, "--home", str(self.settings.home)])

    def states(self) -> list[tuple[str, str, str, int]]:
        with Records.open(self.settings) as records:
            figures = Worklist(records).figures(kind="dead_but_active")
            return [(f.department, f.kind, f.state.value, f.items) for f in figures]

    def export(self, name: str = "list.xlsx", department: str = "population") -> Path:
        out = self.folder / name
        done = self.hub(
            "worklist", "export", "--department", department, "--official", "李科长",
            "--case", "JH-2026-1", "--out", str(out),
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        return out

    def events(self) -> list[dict[str, Any]]:
        with open_ledger(self.settings) as ledger:
            return [dict(ledger.entry(i).body or {}) for i in range(ledger.size)]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Somebody is deceased with civil affairs and active among the residents."""
    made = Town(tmp_path)
    made.residents("0")
    made.deaths()
    made.run()
    return made


def sheet_of(path: Path) -> tuple[openpyxl.Workbook, Worksheet]:
    book = openpyxl.load_workbook(path)
    (name,) = [n for n in book.sheetnames if n.startswith("死亡未注销")]
    return book, book[name]


def column_of(sheet: Worksheet, title: str) -> int:
    return 1 + [cell.value for cell in sheet[1]].index(title)


def answer(path: Path, conclusion: str, remark: str = "") -> None:
    book, sheet = sheet_of(path)
    sheet.cell(2, column_of(sheet, CONCLUSION)).value = conclusion
    sheet.cell(2, column_of(sheet, REMARK)).value = remark
    book.save(path)


def test_a_conflict_is_found_answered_resolved_and_found_again(town: Town) -> None:
    assert town.states() == [("population", "dead_but_active", "open", 1)]
    path = town.export()
    assert town.states() == [("population", "dead_but_active", "in_review", 1)]
    answer(path, OURS_IS_WRONG, "已核实")
    back = town.hub("worklist", "return", str(path), "--official", "李科长", "--json")
    assert back.exit_code == 0, back.output
    told = json.loads(back.output)
    assert told["department"] == "population"
    assert told["answers"] == {"own_wrong": 1}
    town.residents("9")
    town.run()
    assert town.states() == [("population", "dead_but_active", "resolved", 1)]
    checked = [e for e in town.events() if e["event"] == "partner:worklist:checked"]
    assert [(e["appeared"], e["resolved"], e["standing"]) for e in checked] == [
        (3, 0, 3),  # as many kinds of conflict were found of the same person
        (0, 2, 1),
    ]
    town.residents("0", collected_on="2025-05-03")
    town.run()
    assert town.states() == [("population", "dead_but_active", "reopened", 1)]
    with Records.open(town.settings) as records:
        (item,) = [i for i in Worklist(records).items("population") if i.kind == "dead_but_active"]
    assert (item.times_reopened, item.conclusion) == (1, None)


def test_the_workbook_shows_the_own_record_whole_and_of_the_other_one_field(town: Town) -> None:
    path = town.export()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    _, sheet = sheet_of(path)
    row = {str(h.value): str(c.value) for h, c in zip(sheet[1], sheet[2], strict=True)}
    assert row["公民身份号码 resident_id"] == DEAD
    other = row["对方 the other side"]
    assert "民政局" in other
    assert "2025-05-20" in other
    assert DEAD not in other
    assert "虚设殡仪馆" not in other
    assert row["服务处所 workplace"] == "'=HYPERLINK(1)"
    assert all(cell.data_type != "f" for line in sheet for cell in line)
    (choice,) = sheet.data_validations.dataValidation
    assert OURS_IS_WRONG in choice.formula1


def test_each_person_shown_has_one_entry_before_the_file(town: Town) -> None:
    town.export()
    keyring = Keyring.open(town.settings.keyring)
    subject = Pseudonymiser(keyring, "subject")
    identifier = Pseudonymiser(keyring, "identifier")
    label = Pseudonymiser(keyring, "label").of(subject.of(identifier.of(DEAD))).hex()
    events = town.events()
    shown = [e for e in events if e["event"] == "officer:subject:disclosed"]
    assert label in [e["subject"] for e in shown]
    assert len({e["subject"] for e in shown}) == len(shown)
    entry = next(e for e in shown if e["subject"] == label)
    assert (entry["road"], entry["purpose"]) == ("reconcile", "quality.reconcile")
    assert entry["fields"]["civil_affairs.death.died_on"] == "clear"
    assert "civil_affairs.death" in entry["asked"] == entry["dataset"]
    assert "steward-reconcile-own" in entry["rules"]
    assert any(rule.startswith("steward-reconcile-others") for rule in entry["rules"])
    assert "civil_affairs.death.deceased_id" not in entry["fields"]
    assert events[-1]["event"] == "partner:worklist:exported"
    assert "李科长" not in json.dumps(events, ensure_ascii=False)


def test_without_ledger_there_is_no_file_and_no_item_moves(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.errors import LedgerError
    from hub.ledger.log import Ledger

    def refuse(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Ledger, "submit", refuse)
    out = town.folder / "none.xlsx"
    done = town.hub(
        "worklist", "export", "--department", "population", "--official", "x", "--case", "y",
        "--out", str(out),
    )  # fmt: skip
    assert done.exit_code == 70
    assert not list(town.folder.glob("*.xlsx*"))
    assert not list(town.folder.glob(".*"))
    assert town.states()[0][2] == "open"


def test_a_department_that_says_it_is_the_other_hands_the_item_over(town: Town) -> None:
    path = town.export()
    answer(path, next(text for text in ANSWERS if text.startswith("对方")), "本人到场")
    assert town.hub("worklist", "return", str(path), "--official", "x").exit_code == 0
    assert town.states() == [("civil_affairs", "dead_but_active", "open", 1)]
    theirs = town.export("theirs.xlsx", "civil_affairs")
    _, sheet = sheet_of(theirs)
    row = {str(h.value): str(c.value) for h, c in zip(sheet[1], sheet[2], strict=True)}
    assert "对方有误" in row["对方答复 their answer"]
    assert "can be asked for" in row["对方答复 their answer"]
    assert not any("本人到场" in text for text in row.values())
    assert "HH1" in row.values()
    answer(theirs, next(text for text in ANSWERS if text.startswith("对方")))
    assert town.hub("worklist", "return", str(theirs), "--official", "y").exit_code == 0
    assert town.states() == [("civil_affairs", "dead_but_active", "in_review", 1)]
    with Records.open(town.settings) as records:
        (item,) = Worklist(records).items("civil_affairs")
    assert item.conclusion == "disputed"


def test_explained_holds_until_a_record_changes(town: Town) -> None:
    path = town.export()
    answer(path, next(text for text in ANSWERS if text.startswith("均正确")), "登记在途")
    assert town.hub("worklist", "return", str(path), "--official", "x").exit_code == 0
    assert town.states()[0][2] == "explained"
    with Records.open(town.settings) as records:
        (item,) = [
            i
            for i in Worklist(records).items("population", (ItemState.EXPLAINED,))
            if i.kind == "dead_but_active"
        ]
    assert item.remark is not None
    assert "登记在途".encode() not in item.remark
    town.deaths()  # the same bytes: nothing changes
    town.run()
    assert town.states()[0][2] == "explained"
    town.residents("0", collected_on="2025-05-02")
    town.run()
    assert town.states()[0][2] == "reopened"


def test_an_answer_to_a_workbook_of_old_evidence_is_refused(town: Town) -> None:
    old = town.export()
    answer(old, next(text for text in ANSWERS if text.startswith("均正确")), "登记在途")
    assert town.hub("worklist", "return", str(old), "--official", "x").exit_code == 0
    town.residents("0", collected_on="2025-05-02")
    town.run()
    assert town.states()[0][2] == "reopened"
    before = len(town.events())
    done = town.hub("worklist", "return", str(old), "--official", "x")
    assert done.exit_code == 65
    said = " ".join(done.output.split())
    assert f"{sheet_of(old)[1].title}!A2" in said
    assert "changed since: export again" in said
    assert len(town.events()) == before
    with Records.open(town.settings) as records:
        (item,) = [i for i in Worklist(records).items("population") if i.kind == "dead_but_active"]
    assert (item.state, item.conclusion, item.remark) == (ItemState.REOPENED, None, None)
    new = town.export("new.xlsx")
    answer(new, OURS_IS_WRONG)
    assert town.hub("worklist", "return", str(new), "--official", "x").exit_code == 0


def test_what_is_handed_out_goes_by_the_hubs_own_policy_and_the_contracts_in_use(
    town: Town,
) -> None:
    (contract,) = [c for c in load_contracts() if c.name == "population.resident"]
    with Records.open(town.settings) as records:
        versions = ContractVersions(records)
        in_use = versions.latest()[contract.name]
        document = json.loads(
            json.dumps(dict(in_use.document), ensure_ascii=False).replace("服务处所", "工作单位")
        )
        document["contract"]["version"] = "9.0.0"
        later = replace(in_use, version="9.0.0", digest="0" * 64, document=document)
        versions.adopt(replace(later, first_used_at=SystemClock().now()))
    _, sheet = sheet_of(town.export())
    assert "工作单位 workplace" in [cell.value for cell in sheet[1]]
    policies = town.settings.home / "policies"
    policies.mkdir()
    lines = (POLICY_FOLDER / "policy.csv").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("steward-reconcile-")]
    (policies / "policy.csv").write_text("".join(kept), "utf-8")
    for step in (("propose", "--by", "admin.system"), ("approve", "1", "--by", "admin.security")):
        changed = town.hub("access", *step, "--reason", "no reconciliation any more")
        assert changed.exit_code == 0, changed.output
    out = town.folder / "refused.xlsx"
    done = town.hub(
        "worklist", "export", "--department", "population", "--official", "x", "--case", "y",
        "--out", str(out),
    )  # fmt: skip
    assert done.exit_code == 77, done.output
    assert not out.exists()


def test_an_edited_workbook_is_refused_with_every_cell_named(town: Town) -> None:
    path = town.export()
    book, sheet = sheet_of(path)
    conclusion = column_of(sheet, CONCLUSION)
    sheet.cell(2, 5).value = "990106199003070000"
    sheet.cell(2, conclusion).value = "不知道"
    sheet.cell(3, conclusion).value = OURS_IS_WRONG
    other = next(s for s in book if s.title not in (COVER, sheet.title))
    other.cell(1, 2).value = "changed"
    book.save(path)
    done = town.hub("worklist", "return", str(path), "--official", "x")
    assert done.exit_code == 65
    said = " ".join(done.output.split())
    assert f"{sheet.title}!E2" in said
    assert f"{sheet.title}!" in said
    assert f"{other.title}!B1" in said
    assert "990106199003070000" not in said
    assert "不知道" not in said
    assert town.states()[0][2] == "in_review"
