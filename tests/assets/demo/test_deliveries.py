from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from assets.demo.deliveries import MONTHLY, generate, generate_first, generate_second
from assets.demo.district import District
from assets.demo.outbox import FORMS, Delivery
from assets.demo.truth import read_truth, showcase
from contracts.cards.rules import load_card_rules
from contracts.model import header_form
from hub.identifiers import ResidentId
from tests.assets.demo.conftest import Generated
from tests.assets.demo.reading import contracts, rows_of


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, residents=2_000, seed=3)

    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_another_seed_gives_other_people(tmp_path: Path) -> None:
    one = generate(tmp_path / "one", residents=500, seed=3)
    two = generate(tmp_path / "two", residents=500, seed=4)

    assert one.deliveries[1].sha256 != two.deliveries[1].sha256


def test_the_first_month_brings_every_dataset_in_an_order_that_loads(generated: Generated) -> None:
    names = [delivery.dataset for delivery in generated.first.deliveries]

    assert sorted(names) == sorted(contracts())
    for earlier, later in (
        ("address.standard_address", "housing.dwelling"),
        ("housing.dwelling", "housing.tenancy"),
        ("address.standard_address", "population.resident"),
    ):
        assert names.index(earlier) < names.index(later)


def test_files_lie_where_a_partner_drops_them_with_a_true_manifest(generated: Generated) -> None:
    deliveries = (*generated.first.deliveries, *generated.second.deliveries)
    for item in deliveries:
        facts = json.loads(item.manifest.read_text("utf-8"))

        assert item.path.parent == generated.folder / item.partner / item.dataset
        assert item.manifest.name == f"{item.path.name}.manifest.json"
        assert facts["sha256"] == hashlib.sha256(item.path.read_bytes()).hexdigest()
        assert facts["dataset"] == item.dataset
        assert set(facts) == {"dataset", "period", "format", "encoding", "sha256", "rows", "mode"}
        assert facts["rows"] == item.rows == len(rows_of(item))


def test_formats_and_encodings_are_those_departments_use(generated: Generated) -> None:
    forms = {(d.format, d.encoding) for d in generated.first.deliveries}

    assert forms == {
        ("csv", "gb18030"),
        ("csv", "utf-8-sig"),
        ("jsonl", "utf-8"),
        ("parquet", "binary"),
        ("xlsx", "binary"),
    }
    residents = _delivery(generated, "population.resident").path.read_bytes()
    with pytest.raises(UnicodeDecodeError):
        residents.decode("utf-8")
    with pytest.raises(UnicodeDecodeError):
        residents.decode("gbk")  # rare characters need GB18030


def _delivery(generated: Generated, dataset: str) -> Delivery:
    return next(d for d in generated.first.deliveries if d.dataset == dataset)


def test_every_header_is_one_the_contract_foresees(generated: Generated) -> None:
    for item in generated.first.deliveries:
        if item.format != "csv":
            continue
        contract = contracts()[item.dataset]
        header = item.path.read_bytes().decode(item.encoding).splitlines()[0].split(",")
        known = contract.headers(item.partner)

        named = {known[header_form(text)] for text in header}
        assert named == {column.name for column in contract.properties}


def test_every_number_is_of_the_area_that_does_not_exist(tmp_path: Path) -> None:
    summary = generate_first(District(2_000, seed=8, errors=False), tmp_path)
    columns = {
        c.name: [p.name for p in c.properties if p.semantic == "resident_id"]
        for c in contracts().values()
    }
    seen = 0
    for item in summary.deliveries:
        for row in rows_of(item):
            for column in columns[item.dataset]:
                number = row[column]
                if number is not None:
                    assert number.startswith("990106")
                    assert ResidentId.parse(number) is not None
                    seen += 1
    assert seen > 4_000


def test_without_errors_nothing_is_planted_and_nothing_is_odd(tmp_path: Path) -> None:
    summary = generate_first(District(1_000, seed=8, errors=False), tmp_path)

    assert summary.planted == {}
    assert read_truth(tmp_path / "truth") == ()
    names = [row["name"] for row in rows_of(summary.deliveries[1])]
    assert not any(" " in str(name) or "\u3000" in str(name) for name in names)


def test_police_files_keep_the_proportions_to_the_last_yuan(tmp_path: Path) -> None:
    summary = generate_first(District(12_000, seed=2, errors=False), tmp_path)
    crimes = next(rows_of(d) for d in summary.deliveries if d.dataset == "police.case")
    quarrels = next(rows_of(d) for d in summary.deliveries if d.dataset == "police.dispute")
    kinds = Counter(row["category"] for row in crimes)
    lost = sum(int(row["loss_yuan"] or 0) for row in crimes if row["category"] == "telecom_fraud")

    assert (len(crimes), kinds["theft"], kinds["telecom_fraud"], lost) == (58, 24, 13, 560_000)
    assert Counter(row["category"] for row in quarrels).most_common(3) == [
        ("neighbour", 14),
        ("labour", 8),
        ("enterprise", 5),
    ]
    assert len(quarrels) == 32


def test_the_showcase_resident_is_sound_and_known_to_four_departments(generated: Generated) -> None:
    person = showcase(generated.folder / "truth")
    number = person["resident_id"]

    assert ResidentId.parse(number) is not None
    assert person["grid_code"].startswith("990106001")
    assert person["street_code"] == "990106001"
    for dataset, key in (
        ("population.resident", "resident_id"),
        ("housing.tenancy", "tenancy_id"),
        ("civil_affairs.assistance", "assistance_no"),
        ("civil_affairs.marriage", "registration_no"),
        ("police.incident", "incident_no"),
    ):
        rows = rows_of(_delivery(generated, dataset))
        assert any(row[key] == person[key] and number in row.values() for row in rows), dataset
    assert all(
        number not in (row.record, row.subject) for row in read_truth(generated.folder / "truth")
    )


def test_the_showcase_resident_is_in_every_district(tmp_path: Path) -> None:
    for seed in range(4):
        generate(tmp_path / str(seed), residents=400, seed=seed)
        person = showcase(tmp_path / str(seed) / "truth")

        assert all(person.values())
        assert len(person) == 14


def test_the_second_month_brings_four_datasets_and_one_is_spoilt(generated: Generated) -> None:
    second = {d.dataset: d for d in generated.second.deliveries}
    planted = Counter(
        (row.dataset, row.kind)
        for row in read_truth(generated.folder / "truth")
        if row.file == second["housing.tenancy"].path.name
    )

    assert set(second) == set(MONTHLY)
    assert generated.second.period == "2026-07"
    share = planted["housing.tenancy", "float_damage"] / second["housing.tenancy"].rows
    assert 0.11 < share < 0.13


@pytest.mark.parametrize("residents", [2_000, 6_000])
def test_careless_dwellings_are_published_with_a_yellow_card(
    tmp_path: Path, residents: int
) -> None:
    rules = load_card_rules()
    careless = frozenset({"housing.tenancy", "housing.dwelling"})
    second = generate_second(District(residents), tmp_path, careless)
    (delivery,) = [d for d in second.deliveries if d.dataset == "housing.dwelling"]
    wrong = sum(
        row.file == delivery.path.name and row.detectable_by == "check"
        for row in read_truth(tmp_path / "truth")
    )
    right = 100 * (1 - wrong / delivery.rows)
    assert rules.red.key_accuracy_percent < right < rules.yellow.key_accuracy_percent
    assert {d.dataset for d in second.deliveries} == {*MONTHLY, "housing.dwelling"}


def test_the_correction_is_the_same_delivery_with_the_usual_errors(generated: Generated) -> None:
    (correction,) = generated.correction.deliveries
    spoilt = next(d for d in generated.second.deliveries if d.dataset == "housing.tenancy")
    sound = {row["tenancy_id"] for row in rows_of(correction)}

    assert correction.path.name == "housing-tenancy-2026-07-r2.csv"
    assert correction.path.parent == spoilt.path.parent
    assert sound == {row["tenancy_id"] for row in rows_of(spoilt)}
    assert sum(generated.correction.planted.values()) < correction.rows * 0.02


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    generate_first(District(50_000, errors=False), tmp_path, lambda *done: seen.append(done))

    assert seen == sorted(seen)
    assert len(seen) > 1
    assert seen[-1] == (50_000, 50_000)


def test_a_hamlet_is_a_district_too(tmp_path: Path) -> None:
    summary = generate(tmp_path, residents=100, seed=1)

    assert {d.dataset for d in summary.deliveries} == set(FORMS)
