"""Publishing: documents, tokens, conflicts and the analytic database of one snapshot."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from assets.identity.resolve import Resolved, resolve
from assets.integrated.rules import LEAST_BELIEVED, PERSON_RULES, load_person_rules
from assets.registers.register import RegisterContext, load_batch
from assets.serving.publish import PublishContext, Published, publish
from contracts.loader import load_catalog, load_contracts
from hub.blind_index import BlindIndex
from hub.catalog import Catalog, Classification, Column, Dataset
from hub.documents import unpack
from hub.keyring import Keyring
from hub.sealing import Pseudonymiser, Sealer
from hub.store import lake
from hub.store.snapshots import Snapshot, SnapshotStore
from tests.factories import (
    NOW,
    accepted_table,
    id_number,
    marriage_dataset,
    resident_dataset,
    settings_in,
    tenancy_dataset,
)

RESIDENT, MARRIAGE, TENANCY = resident_dataset(), marriage_dataset(), tenancy_dataset()
L1, L3, L4 = Classification.L1, Classification.L3, Classification.L4
TENANCY = replace(
    TENANCY,
    columns=(
        *TENANCY.columns,
        Column("tenant_phone", "电话", "string", L3, "phone", "tenant", sealed=True),
        Column("dwelling_id", "房屋", "string", L1),
        Column("end_date", "到期", "date", L1),
    ),
)
DWELLING = replace(
    TENANCY,
    name="housing.dwelling",
    key=("dwelling_id",),
    columns=(
        Column("dwelling_id", "房屋", "string", L1),
        Column("owner_id", "业主", "string", L4, "resident_id", "owner", sealed=True),
        Column("is_rented", "出租", "string", L1),
    ),
    subjects={"owner": "owner_id"},
    area_column=None,
)
DEATH = replace(
    TENANCY,
    name="civil_affairs.death",
    owner="civil_affairs",
    mode="append",
    key=("cremation_no",),
    columns=(
        Column("cremation_no", "编号", "string", L1),
        Column("deceased_id", "死者", "string", L4, "resident_id", "deceased", sealed=True),
        Column("died_on", "日期", "date", L3, None, "deceased", sealed=True),
    ),
    subjects={"deceased": "deceased_id"},
    area_column=None,
)
CATALOG = Catalog((RESIDENT, MARRIAGE, TENANCY, DWELLING, DEATH))
HUSBAND, WIFE, STRANGER = id_number(1), id_number(2), id_number(3)


def person(number: str, name: str, **more: object) -> dict[str, object]:
    base = {"sex": "1", "birth_date": "1990-03-07", "person_status": "0", "marital_status": "20"}
    return {"resident_id": number, "name": name, "grid_code": "99010600100101", **base, **more}


class Hub:
    """A lake and its keys, with the steps of a run."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_in(folder)
        self.keyring = Keyring.create(self.settings.keyring)
        self.con = lake.open_lake(self.settings)
        self.day = 0

    def load(self, dataset: Dataset, batch: str, rows: list[dict[str, object]]) -> None:
        accepted_table(self.con, dataset, rows)
        context = RegisterContext(self.keyring, random.Random(1), NOW + timedelta(days=self.day))
        load_batch(self.con, dataset, batch, context)

    def resolve(self) -> Resolved:
        return resolve(self.con, CATALOG, self.keyring, now=NOW, rng=random.Random(1))

    def publish(self, *batches: str) -> Published:
        self.day += 1
        context = PublishContext(
            self.settings,
            self.keyring,
            CATALOG,
            NOW + timedelta(days=self.day),
            random.Random(1),
        )
        self.resolve()
        return publish(self.con, batches, context)

    def key(self, number: str) -> bytes:
        identifier = Pseudonymiser(self.keyring, "identifier").of(number)
        return Pseudonymiser(self.keyring, "subject").of(identifier)

    def snapshot(self) -> Snapshot:
        return SnapshotStore(self.settings).current()

    def document(self, number: str) -> dict[str, Any]:
        key = self.key(number)
        sealed = self.snapshot().subject(key)
        assert sealed is not None
        return unpack(Sealer(self.keyring, "document").open(sealed, key))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    made.load(
        RESIDENT,
        "r1",
        [
            person(HUSBAND, "张三", phone="13800000001"),
            person(WIFE, "李四", sex="2", marital_status="10"),
        ],
    )
    made.load(
        MARRIAGE,
        "m1",
        [
            {
                "registration_no": "M1",
                "man_id": HUSBAND,
                "man_name": "张三",
                "woman_id": WIFE,
                "woman_name": "李四",
                "op_type": "IA",
                "op_date": "2020-05-20",
            }
        ],
    )
    made.load(
        TENANCY,
        "t1",
        [
            {
                "tenancy_id": "T1",
                "tenant_id": STRANGER,
                "tenant_name": "王五",
                "start_date": "2026-01-01",
                "rent_yuan": 900.0,
                "grid_code": "99010600200101",
            }
        ],
    )
    yield made
    made.con.close()


def test_every_identifier_gets_one_subject_key_once(hub: Hub) -> None:
    assert hub.resolve() == Resolved(known=0, new=3)
    assert hub.resolve() == Resolved(known=3, new=0)


def test_a_document_holds_everything_about_its_subject_and_nothing_about_others(hub: Hub) -> None:
    assert hub.publish("r1", "m1", "t1").subjects == 3
    document = hub.document(WIFE)
    assert [(r["dataset"], r["role"]) for r in document["records"]] == [
        ("civil_affairs.marriage", "woman"),
        ("population.resident", "resident"),
    ]
    marriage = document["records"][0]
    assert marriage["clear"] == {"registration_no": "M1", "op_type": "IA"}
    assert marriage["sealed"] == {
        "woman_id": WIFE,
        "woman_name": "李四",
        "op_date": "2020-05-20",
    }
    identifiers = Pseudonymiser(hub.keyring, "identifier")
    assert marriage["others"] == {"man": identifiers.of(HUSBAND).hex()}
    assert HUSBAND not in orjson.dumps(document).decode()
    assert document["area"] == "99010600100101"


def test_golden_fields_say_where_they_come_from(hub: Hub) -> None:
    hub.publish("r1")
    golden = hub.document(WIFE)["golden"]
    assert golden["name"] == {
        "value": "李四",
        "source": "population.resident.name",
        "record": hub.document(WIFE)["records"][1]["record"],
        "batch": "r1",
        "since": "2026-06-01",
        "why": "lead source",
        "title": "姓名",
        "codes": None,
    }
    assert golden["marital_status"]["value"] == "20"
    assert golden["marital_status"]["source"] == "civil_affairs.marriage.op_type"
    stranger = hub.document(STRANGER)["golden"]
    assert stranger["name"]["source"] == "housing.tenancy.tenant_name"
    assert stranger["name"]["why"].startswith("source ")


def test_conflicts_between_departments_are_found(hub: Hub) -> None:
    published = hub.publish("r1")
    assert published.conflicts == {"marital_conflict": 1, "tenant_not_resident": 1}
    assert hub.document(WIFE)["conflicts"] == ["marital_conflict"]
    rows = hub.con.execute(
        "SELECT kind, subject_key, likely_wrong, datasets FROM lake.integrated.conflict ORDER BY 1"
    ).fetchall()
    assert rows == [
        (
            "marital_conflict",
            hub.key(WIFE),
            "population",
            ["civil_affairs.marriage", "population.resident"],
        ),
        ("tenant_not_resident", hub.key(STRANGER), "population", ["housing.tenancy"]),
    ]


def test_a_corrected_delivery_ends_the_conflict(hub: Hub) -> None:
    hub.publish("r1")
    hub.load(
        RESIDENT,
        "r2",
        [person(HUSBAND, "张三"), person(WIFE, "李四", sex="2"), person(STRANGER, "王五")],
    )
    assert hub.publish("r2").conflicts == {}


def test_subjects_are_found_by_blind_tokens_only(hub: Hub) -> None:
    hub.publish("r1")
    snapshot, index = hub.snapshot(), BlindIndex(hub.keyring)
    husband = (hub.key(HUSBAND),)
    assert snapshot.identity(Pseudonymiser(hub.keyring, "identifier").of(HUSBAND)) == husband[0]
    assert snapshot.find("name_birth", index.name_birth("张 三", "1990-03-07")) == husband
    assert snapshot.find("phone", index.phone("138 0000 0001")) == husband
    assert snapshot.find("phone", index.phone("13800000002")) == ()


def test_the_snapshot_gives_no_identifier_away(hub: Hub) -> None:
    hub.publish("r1")
    folder = hub.settings.serving / hub.snapshot().version
    secrets = [HUSBAND, WIFE, "张三", "13800000001"]
    secrets_raw = [s.encode() for s in secrets] + [hub.key(HUSBAND)]
    data = (folder / "subjects.sqlite").read_bytes()
    assert not [s for s in secrets_raw[:-1] if s in data]
    analytic = (folder / "analytic.duckdb").read_bytes()
    assert not [s for s in secrets_raw if s in analytic]
    columns = hub.snapshot().analytic(
        "SELECT DISTINCT column_name AS c FROM information_schema.columns"
    )
    names = {row["c"] for row in columns}
    sealed = {c.name for d in CATALOG.values() for c in d.columns if c.sealed}
    assert not names & (sealed | {"record_key", "subject_key", "content_mac", "tenant_key"})
    assert {"birth_year", "op_month", "life_status"} <= names


def test_statistics_count_current_records_only(hub: Hub) -> None:
    hub.publish("r1")
    hub.load(TENANCY, "t2", [])
    hub.publish("t2")
    assert hub.snapshot().analytic('SELECT count(*) AS n FROM "housing.tenancy"') == [{"n": 0}]
    assert hub.snapshot().subject(hub.key(STRANGER)) is None
    former = hub.con.execute(
        'SELECT count(*) FROM lake.register."housing.tenancy" WHERE valid_to IS NOT NULL'
    ).fetchone()
    assert former == (1,)


def _marks(hub: Hub, dataset: str) -> set[int]:
    rows = hub.snapshot().analytic(f'SELECT _mark FROM "{dataset}"')
    assert len({row["_mark"] for row in rows}) == len(rows)
    return {row["_mark"] for row in rows}


def test_every_counted_record_has_a_mark_that_it_keeps(hub: Hub) -> None:
    """A later publication marks what has changed and what is new as well as what has not."""
    hub.publish("r1")
    first = _marks(hub, RESIDENT.name)
    assert len(first) == 2
    hub.load(RESIDENT, "r2", [person(HUSBAND, "张三丰"), person(STRANGER, "王五")])
    hub.publish("r2")
    second = _marks(hub, RESIDENT.name)
    assert len(second) == 2
    assert len(first & second) == 1
    (hub.settings.serving / "current").unlink()
    hub.publish()
    assert _marks(hub, RESIDENT.name) == second


def test_a_mark_is_no_part_of_a_key_that_somebody_has(hub: Hub) -> None:
    """Not of the record key, which answers show, nor under the key that made it."""
    hub.publish("r1")
    rows = hub.con.execute(
        f"SELECT record_key FROM {lake.register_table(RESIDENT.name)} WHERE valid_to IS NULL"
    ).fetchall()
    marks = {mark.to_bytes(8, "big") for mark in _marks(hub, RESIDENT.name)}
    release = Pseudonymiser(hub.keyring, "release")
    assert marks == {release.of(key)[:8] for (key,) in rows}
    assert not [mark for mark in marks for (key,) in rows if mark in key]
    record = Pseudonymiser(hub.keyring, "record")
    assert not marks & {record.of(key)[:8] for (key,) in rows}


def test_the_lake_remembers_what_it_said_before(hub: Hub) -> None:
    """What did the hub say on that day has an answer: lake snapshots."""
    first = hub.publish("r1")
    hub.load(RESIDENT, "r2", [person(HUSBAND, "张三")])
    hub.publish("r2")
    version = first.manifest["lake_snapshot"]
    ((count,),) = hub.con.execute(
        f"SELECT count(*) FROM lake.integrated.person AT (VERSION => {version})"
    ).fetchall()
    assert count == 3


def test_an_unchanged_subject_keeps_its_document_and_a_changed_one_is_made_anew(hub: Hub) -> None:
    hub.publish("r1", "m1", "t1")
    before = {n: hub.snapshot().subject(hub.key(n)) for n in (HUSBAND, WIFE, STRANGER)}
    hub.load(
        RESIDENT,
        "r2",
        [
            person(HUSBAND, "张三", phone="13900000009"),
            person(WIFE, "李四", sex="2", marital_status="10"),
        ],
    )
    published = hub.publish("r2")
    after = {n: hub.snapshot().subject(hub.key(n)) for n in (HUSBAND, WIFE, STRANGER)}
    assert published.subjects == 3
    assert after[WIFE] == before[WIFE]
    assert after[STRANGER] == before[STRANGER]
    assert after[HUSBAND] != before[HUSBAND]
    index = BlindIndex(hub.keyring)
    assert hub.snapshot().find("phone", index.phone("13800000001")) == ()
    assert hub.snapshot().find("phone", index.phone("13900000009")) == (hub.key(HUSBAND),)


def test_a_publication_after_others_equals_one_from_nothing(hub: Hub) -> None:
    hub.publish("r1")
    hub.load(RESIDENT, "r2", [person(HUSBAND, "张三丰"), person(STRANGER, "王五")])
    hub.load(TENANCY, "t2", [])
    step_by_step = hub.publish("r2", "t2")
    documents = {n: hub.document(n) for n in (HUSBAND, WIFE, STRANGER)}
    (hub.settings.serving / "current").unlink()
    from_nothing = hub.publish()
    assert from_nothing.subjects == step_by_step.subjects
    assert from_nothing.conflicts == step_by_step.conflicts
    assert {n: hub.document(n) for n in (HUSBAND, WIFE, STRANGER)} == documents
    counts = "SELECT count(*) AS n FROM person"
    assert hub.snapshot().analytic(counts) == [{"n": 3}]


def test_a_pointer_set_back_by_hand_does_not_lose_later_batches(hub: Hub) -> None:
    first = hub.publish("r1")
    hub.load(RESIDENT, "r2", [person(HUSBAND, "张三丰"), person(WIFE, "李四", sex="2")])
    hub.publish("r2")
    (hub.settings.serving / "current").write_text(first.version)
    hub.publish()
    assert hub.document(HUSBAND)["golden"]["name"]["value"] == "张三丰"


def agreeing(published: Published) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (scope, field or name) -> (compared, agreeing)."""
    return {
        (a.scope, a.field or a.one): (a.compared, a.agreeing)
        for a in published.agreements
        if a.scope != "linked"
    }


def test_agreement_between_departments_is_counted_and_follows_corrections(hub: Hub) -> None:
    first = agreeing(hub.publish("r1"))
    assert first["pair", "name"] == (2, 2)
    assert first["pair", "marital_status"] == (2, 1)
    assert first["dataset", "population.resident"] == (2, 1)
    assert ("dataset", "housing.tenancy") not in first  # its tenant is held by nobody else
    hub.load(
        RESIDENT,
        "r2",
        [person(HUSBAND, "张三"), person(WIFE, "李四", sex="2"), person(STRANGER, "王六")],
    )
    second = hub.publish("r2")
    assert agreeing(second)["pair", "marital_status"] == (2, 2)
    assert agreeing(second)["dataset", "housing.tenancy"] == (1, 0)
    (hub.settings.serving / "current").unlink()
    assert agreeing(hub.publish()) == agreeing(second)  # step by step or from nothing


def conflicts(hub: Hub, kind: str) -> list[tuple[bytes, bytes | None, str, list[str]]]:
    return hub.con.execute(
        "SELECT subject_key, other_key, likely_wrong, datasets FROM lake.integrated.conflict "
        f"WHERE kind = '{kind}' ORDER BY 1, 2"
    ).fetchall()


def test_two_numbers_of_one_person_are_found_by_tokens(hub: Hub) -> None:
    """Same name, birth date by the number, same phone: the number housing has is asked about."""
    twin, namesake = id_number(7), id_number(8)
    row = {"tenancy_id": "T2", "tenant_name": "张 三", "start_date": "2024-01-01"}
    phones = {"T2": "13800000001", "T3": "13900000009"}
    rows = [
        {**row, "tenancy_id": "T2", "tenant_id": twin, "tenant_phone": phones["T2"]},
        {**row, "tenancy_id": "T3", "tenant_id": namesake, "tenant_phone": phones["T3"]},
    ]
    hub.load(TENANCY, "t2", rows)
    hub.publish("r1", "m1", "t2")
    found = conflicts(hub, "two_ids_one_person")
    resident, tenancy = "population.resident", "housing.tenancy"
    assert found == [(hub.key(twin), hub.key(HUSBAND), "housing", [tenancy, resident])]
    rows[0]["tenant_id"] = HUSBAND  # only the tenant's record changes; both sides are looked at
    hub.load(TENANCY, "t3", rows)
    hub.publish("t3")
    assert conflicts(hub, "two_ids_one_person") == []


def test_a_home_that_is_let_and_not_flagged_is_found(hub: Hub) -> None:
    home = {"dwelling_id": "D1", "owner_id": HUSBAND, "is_rented": "0"}
    hub.load(DWELLING, "d1", [home, {"dwelling_id": "D2", "owner_id": None, "is_rented": "0"}])
    over = (NOW - timedelta(days=400)).date().isoformat()
    hub.load(
        TENANCY,
        "t2",
        [
            {"tenancy_id": "T2", "tenant_id": WIFE, "dwelling_id": "D1"},
            {"tenancy_id": "T3", "tenant_id": STRANGER, "dwelling_id": "D1", "end_date": over},
            {"tenancy_id": "T4", "tenant_id": STRANGER, "dwelling_id": "D2"},
        ],
    )
    hub.publish("d1", "t2")
    both = ["housing.dwelling", "housing.tenancy"]
    expected = [(hub.key(HUSBAND), hub.key(WIFE), "housing", both)]
    expected += [(hub.key(STRANGER), None, "housing", both)]  # nobody owns the second home
    assert conflicts(hub, "let_but_not_flagged") == sorted(expected)
    hub.load(DWELLING, "d2", [{**home, "is_rented": "1"}])
    hub.publish("d2")
    assert conflicts(hub, "let_but_not_flagged") == []


def test_what_is_dated_after_the_death_is_found(hub: Hub) -> None:
    def marriages() -> list[bytes]:
        return [key for key, *_ in conflicts(hub, "act_after_death")]

    hub.load(DEATH, "x1", [{"cremation_no": "X1", "deceased_id": WIFE, "died_on": "2020-05-20"}])
    hub.publish("x1")
    assert marriages() == []  # on the very day is not after it
    hub.load(DEATH, "x2", [{"cremation_no": "X1", "deceased_id": WIFE, "died_on": "2020-05-19"}])
    hub.publish("x2")
    assert marriages() == [hub.key(WIFE)]


def test_a_name_is_asked_of_the_least_believed(hub: Hub) -> None:
    """The marriage office and the residents agree; the tenancy says another name."""
    row = {"tenancy_id": "T2", "tenant_id": HUSBAND, "tenant_name": "张山"}
    hub.load(TENANCY, "t2", [row])
    hub.publish("t2")
    ((_, _, wrong, datasets),) = conflicts(hub, "name_conflict")
    assert (wrong, datasets) == ("housing", ["population.resident", "housing.tenancy"])


def test_every_rule_is_in_force_with_the_built_in_contracts() -> None:
    """A rule about a column that there is not would be left out without a word."""
    written = yaml.safe_load(PERSON_RULES.read_text())["conflicts"]
    catalog = load_catalog(load_contracts())
    rules = load_person_rules(catalog).conflicts
    assert [rule.kind for rule in rules] == [rule["kind"] for rule in written]
    for rule, body in zip(rules, written, strict=True):
        assert len(rule.shows) >= len(body.get("shows", ()))
        owners = {dataset.owner for dataset in catalog.values()}
        assert rule.likely_wrong in (*owners, LEAST_BELIEVED)
        for pattern in rule.joined:
            column = catalog[pattern.dataset].column(rule.same)
            assert not column.sealed
