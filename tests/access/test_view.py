"""Views: purpose, level, clearance - and the combinations that would give back what they hide."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import product

import pytest

from access.model import Action
from access.purposes import Need, Purpose
from access.view import (
    CLOSED,
    Ceiling,
    compile_view,
    decide_fields,
    harden_for_minor,
    is_countable,
)
from hub.catalog import Catalog, Classification

OPEN = Ceiling(4, 4)
LIFTED = Ceiling(4, 4, frozenset({"minors", "police_parties"}))


def purpose(**needs: dict[str, Need]) -> Purpose:
    """Return a purpose with needs; double underscores stand for dots."""
    return Purpose(
        code="test",
        title="",
        plain="",
        legal_basis="",
        basis_verified=True,
        roles=(),
        actions=(),
        case="none",
        retention_days=0,
        needs={name.replace("__", "."): columns for name, columns in needs.items()},
    )


def view(
    catalog: Catalog,
    needs: dict[str, dict[str, Need]],
    ceilings: dict[str, Ceiling],
    action: Action = Action.LOOKUP,
) -> dict[str, str]:
    """Return the fields decided for datasets under ceilings."""
    shown = [(catalog[name], ceiling) for name, ceiling in ceilings.items()]
    return decide_fields(shown, purpose(**needs), action, Classification.L4)


def test_number_6_4_beside_a_birth_date_leaves_the_year(catalog: Catalog) -> None:
    """The trap of the guide, in one dataset."""
    needs: dict[str, dict[str, Need]] = {
        "population.resident": {"resident_id": "masked", "birth_date": "clear"}
    }
    fields = view(catalog, needs, {"population.resident": OPEN})
    assert fields["population.resident.resident_id"] == "id_6_4"
    assert fields["population.resident.birth_date"] == "generalised_year"


def test_the_birth_date_may_come_from_another_dataset(catalog: Catalog) -> None:
    """A marriage record holds the birth date; a disability certificate the number."""
    needs: dict[str, dict[str, Need]] = {
        "civil_affairs.marriage": {"man_birth_date": "clear", "woman_birth_date": "clear"},
        "civil_affairs.disability": {"certificate_no": "masked"},
    }
    fields = view(catalog, needs, dict.fromkeys(needs, OPEN))
    assert fields["civil_affairs.disability.certificate_no"] == "id_6_4"
    assert fields["civil_affairs.marriage.man_birth_date"] == "generalised_year"
    assert fields["civil_affairs.marriage.woman_birth_date"] == "generalised_year"


def test_a_clear_certificate_does_not_undo_a_masked_number(catalog: Catalog) -> None:
    """All numbers of a view are as strict as the strictest."""
    needs: dict[str, dict[str, Need]] = {
        "population.resident": {"resident_id": "masked"},
        "civil_affairs.disability": {"certificate_no": "clear", "holder_id": "clear"},
    }
    fields = view(catalog, needs, dict.fromkeys(needs, OPEN))
    assert fields["civil_affairs.disability.certificate_no"] == "id_6_4"
    assert fields["civil_affairs.disability.holder_id"] == "id_6_4"


def test_a_clear_number_does_not_undo_a_generalised_birth_date(catalog: Catalog) -> None:
    """The number contains the date."""
    needs: dict[str, dict[str, Need]] = {
        "population.resident": {"resident_id": "clear", "birth_date": "generalised"}
    }
    fields = view(catalog, needs, {"population.resident": OPEN})
    assert fields["population.resident.resident_id"] == "id_6_4"
    assert fields["population.resident.birth_date"] == "generalised_year"


def test_number_and_birth_date_may_both_be_clear(catalog: Catalog) -> None:
    """What is meant to be seen is seen."""
    needs: dict[str, dict[str, Need]] = {
        "population.resident": {"resident_id": "clear", "birth_date": "clear"}
    }
    fields = view(catalog, needs, {"population.resident": OPEN})
    shown = {fields[f"population.resident.{c}"] for c in needs["population.resident"]}
    assert shown == {"clear"}


def test_masked_addresses_close_the_way_to_the_standard_address(catalog: Catalog) -> None:
    """The address code leads to the full text, which anybody may look up."""
    for needs, code in (
        ({"residence_address": "masked", "address_id": "clear"}, "hidden"),
        ({"residence_address": "clear", "address_id": "clear"}, "clear"),
        ({"address_id": "clear"}, "clear"),
    ):
        fields = view(catalog, {"population.resident": needs}, {"population.resident": OPEN})  # type: ignore[dict-item]
        assert fields["population.resident.address_id"] == code


def test_police_parties_are_masked_whole(catalog: Catalog) -> None:
    """Names, numbers, phones, addresses, narrative of police matters, whatever the level allows."""
    columns: Iterable[str] = (c.name for c in catalog["police.incident"].columns)
    needs: dict[str, dict[str, Need]] = {"police.incident": dict.fromkeys(columns, "clear")}
    fields = view(catalog, needs, {"police.incident": OPEN})
    for column in ("reporter_id", "reporter_name", "reporter_phone", "address"):
        assert fields[f"police.incident.{column}"] == "full"
    assert fields["police.incident.detail"] == "hidden"
    assert fields["police.incident.category"] == "clear"
    lifted = view(catalog, needs, {"police.incident": LIFTED})
    assert lifted["police.incident.reporter_name"] == "clear"
    assert lifted["police.incident.detail"] == "clear"


def test_a_protected_police_matter_is_not_shown_beside_who_it_is(catalog: Catalog) -> None:
    """A fully masked party next to the person's name is no mask at all."""
    columns = (c.name for c in catalog["police.incident"].columns)
    needs: dict[str, dict[str, Need]] = {
        "police.incident": dict.fromkeys(columns, "clear"),
        "population.resident": {"name": "masked", "sex": "clear"},
    }
    fields = view(catalog, needs, dict.fromkeys(needs, OPEN))
    assert fields["population.resident.name"] == "name"
    assert {t for k, t in fields.items() if k.startswith("police.")} == {"hidden"}


def test_a_closed_ceiling_hides_everything(catalog: Catalog) -> None:
    """Even what the purpose needs."""
    needs: dict[str, dict[str, Need]] = {"population.resident": {"*": "clear"}}
    fields = view(catalog, needs, {"population.resident": CLOSED})
    assert set(fields.values()) == {"hidden"}


@pytest.mark.parametrize("action", [Action.LOOKUP, Action.SEARCH])
def test_no_view_ever_gives_a_number_back(action: Action, catalog: Catalog) -> None:
    """Over random purposes and ceilings: never 6+4 with a date finer than a year, never one
    number clear beside another masked."""
    rng = random.Random(11)
    names = [n for n in catalog if catalog[n].subjects]
    for _ in range(400):
        chosen = rng.sample(names, rng.randint(1, 4))
        needs: dict[str, dict[str, Need]] = {
            name: {
                c.name: rng.choice(("clear", "masked", "generalised"))
                for c in catalog[name].columns
                if rng.random() < 0.6
            }
            for name in chosen
        }
        ceilings = {
            name: Ceiling(rng.randint(0, 4), 4, LIFTED.lifts if rng.random() < 0.5 else frozenset())
            for name in chosen
        }
        fields = view(catalog, needs, ceilings, action)
        numbers, dates = set(), set()
        for name in chosen:
            for column in catalog[name].columns:
                how = fields[f"{name}.{column.name}"]
                if column.semantic in ("resident_id", "disability_certificate"):
                    numbers.add(how)
                if column.semantic == "birth_date":
                    dates.add(how)
        shown = numbers - {"hidden", "full"}
        assert len(shown) <= 1
        if "id_6_4" in shown:
            assert dates <= {"generalised_year", "full", "hidden"}
        if "clear" in shown:
            assert "generalised_year" not in dates
        if action is Action.SEARCH:
            assert not shown & {"clear", "id_6_4"}


def test_nothing_is_clearer_than_level_purpose_or_clearance_allow(catalog: Catalog) -> None:
    """Over every column of every dataset and every ceiling."""
    everything = {name: {"*": "clear"} for name in catalog}
    for clear, clearance in product(range(5), Classification):
        ceilings = {name: Ceiling(clear, 4, LIFTED.lifts) for name in catalog}
        shown = [(catalog[name], c) for name, c in ceilings.items()]
        fields = decide_fields(shown, purpose(**everything), Action.LOOKUP, clearance)  # type: ignore[arg-type]
        for name, dataset in catalog.items():
            for column in dataset.columns:
                if fields[f"{name}.{column.name}"] == "clear":
                    assert column.classification <= min(clear, clearance)


def test_children_are_masked_whole_unless_lifted(catalog: Catalog) -> None:
    """Level 3 and above, and whatever tells who it is."""
    needs: dict[str, dict[str, Need]] = {"population.resident": {"*": "clear"}}
    fields = view(catalog, needs, {"population.resident": OPEN})
    datasets = {"population.resident": catalog["population.resident"]}
    child = harden_for_minor(fields, datasets, {})
    for column in ("name", "resident_id", "birth_date", "phone", "residence_address", "workplace"):
        assert child[f"population.resident.{column}"] == "full"
    assert child["population.resident.sex"] == "clear"
    lifted = harden_for_minor(fields, datasets, {"population.resident": frozenset({"minors"})})
    assert lifted == fields


def test_columns_for_counting(catalog: Catalog) -> None:
    """Codes, places, dates, amounts; never a key, a name or anything sealed."""
    countable = {
        name: {c.name for c in d.columns if is_countable(d, c)} for name, d in catalog.items()
    }
    assert {"category", "status", "filed_on", "grid_code"} <= countable["police.case"]
    assert {"sex", "education", "grid_code"} <= countable["population.resident"]
    for name, columns in countable.items():
        sealed = {c.name for c in catalog[name].columns if c.sealed}
        assert not columns & (sealed | set(catalog[name].key))
    assert "household_id" not in countable["population.resident"]


def test_a_compiled_view_shows_only_what_it_knows() -> None:
    """A typing error in a treatment, an unknown dataset or column shows nothing."""
    compiled = compile_view({"a.b.x": "clear", "a.b.y": "claer", "a.b.z": "name"})
    clear, sealed = {"x": 1, "extra": 2}, {"y": "张三", "z": "张三", "more": "李四"}
    assert compiled.values("a.b", clear, sealed) == {"x": 1, "z": "张**"}
    assert compiled.values("a.c", clear, sealed) == {}
    assert compiled.values("a.b", {}, {}) == {}
    assert compiled.values("a.b", {"x": None}, {"z": None}) == {"x": None, "z": None}
