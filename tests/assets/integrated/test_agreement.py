"""Agreement between departments: who is compared on what, and how it is counted."""

from __future__ import annotations

from typing import Any

import pytest

from assets.integrated.agreement import Agreements, load_compared_fields, tally
from assets.integrated.rules import load_person_rules
from assets.integrated.subjects import Held, Subject
from contracts.loader import load_catalog, load_contracts
from hub.errors import ConfigError
from hub.store.facts import Agreement

CATALOG = load_catalog(load_contracts())
FIELDS = load_compared_fields(CATALOG, load_person_rules(CATALOG).golden)
OWNERS = {name: dataset.owner for name, dataset in CATALOG.items()}
RESIDENT, TENANCY, DWELLING, MARRIAGE, DEATH = (
    "population.resident", "housing.tenancy", "housing.dwelling", "civil_affairs.marriage",
    "civil_affairs.death",
)  # fmt: skip


def held(dataset: str, role: str, **values: Any) -> Held:
    return Held(dataset, role, b"r", "B1", "2026-01-01", values, {}, [])


def resident(**values: Any) -> Held:
    return held(RESIDENT, "resident", **{"name": "欧阳明日", "person_status": "0", **values})


def wedding(op_type: str, op_date: str) -> Held:
    return held(MARRIAGE, "man", man_name="欧阳明日", op_type=op_type, op_date=op_date)


def figures(*people: list[Held]) -> dict[tuple[str, str, str, str], tuple[int, int]]:
    """Return (scope, field, one, other) -> (compared, agreeing) over some persons."""
    agreements = Agreements(FIELDS, OWNERS)
    patterns = [agreements.of(Subject(b"k", list(records))) for records in people]
    found = tally([(*p, 1) for p in patterns if p is not None], FIELDS, OWNERS, "v")
    return {(a.scope, a.field, a.one, a.other): (a.compared, a.agreeing) for a in found}


def test_two_departments_that_say_the_same_agree() -> None:
    found = figures([resident(), held(TENANCY, "tenant", tenant_name="欧阳 明日")])
    assert found[("pair", "name", "housing", "population")] == (1, 1)
    assert found[("dataset", "", RESIDENT, "")] == (1, 1)
    assert found[("department", "", "housing", "")] == (1, 1)


def test_another_name_disagrees_for_both_sides() -> None:
    found = figures([resident(), held(TENANCY, "tenant", tenant_name="司马明日")])
    assert found[("pair", "name", "housing", "population")] == (1, 0)
    assert found[("dataset", "", TENANCY, "")] == (1, 0)
    assert found[("department", "", "population", "")] == (1, 0)


def test_one_department_alone_is_compared_with_nobody() -> None:
    alone = held(TENANCY, "tenant", tenant_name="欧阳明日")
    assert figures([alone, held(DWELLING, "owner", owner_name="司马明日")]) == {}
    assert figures([resident()]) == {}


def test_the_side_that_agrees_with_everybody_else_is_not_blamed_for_a_third() -> None:
    found = figures(
        [resident(), held(TENANCY, "tenant", tenant_name="错名"), wedding("IA", "2020-01-01")]
    )
    assert found[("pair", "name", "civil_affairs", "population")] == (1, 1)
    assert found[("pair", "name", "housing", "population")] == (1, 0)
    assert found[("pair", "name", "civil_affairs", "housing")] == (1, 0)


def test_the_latest_wedding_counts_and_widowhood_is_none_of_its_business() -> None:
    pair = ("pair", "marital_status", "civil_affairs", "population")
    twice = [wedding("IA", "2010-01-01"), wedding("IB", "2020-01-01")]
    assert figures([resident(marital_status="40"), *twice])[pair] == (1, 1)
    assert figures([resident(marital_status="21"), *twice])[pair] == (1, 0)
    assert figures([resident(marital_status="21"), wedding("IA", "2010-01-01")])[pair] == (1, 1)
    assert pair not in figures([resident(marital_status="30"), wedding("IA", "2010-01-01")])


def test_the_dead_are_compared_where_both_speak() -> None:
    death = held(DEATH, "deceased", deceased_name="欧阳明日", died_on="2026-01-01")
    pair = ("pair", "life_status", "civil_affairs", "population")
    assert figures([resident(), death])[pair] == (1, 0)
    assert figures([resident(person_status="9"), death])[pair] == (1, 1)
    assert pair not in figures([resident(person_status="9"), wedding("IA", "2020-01-01")])


def test_the_number_that_links_them_is_no_measure() -> None:
    found = figures(
        [resident(resident_id="a"), held(TENANCY, "tenant", tenant_id="a", tenant_name=None)]
    )
    assert found == {("linked", "resident_id", "housing", "population"): (1, 1)}


def test_a_missing_value_says_nothing() -> None:
    assert figures([resident(name=None), held(TENANCY, "tenant", tenant_name="某")]) == {}


def test_patterns_hold_no_value() -> None:
    found = Agreements(FIELDS, OWNERS).of(
        Subject(b"k", [resident(), held(TENANCY, "tenant", tenant_name="司马明日")])
    )
    assert found is not None
    assert "明日" not in "".join(found)


def test_counts_are_of_persons() -> None:
    same = [resident(), held(TENANCY, "tenant", tenant_name="欧阳明日")]
    other = [resident(), held(TENANCY, "tenant", tenant_name="错名")]
    assert figures(same, same, other)[("department", "", "housing", "")] == (3, 2)
    assert tally((), FIELDS, OWNERS, "v") == ()
    assert Agreement("v", "pair", "name", "a", "b", 3, 2).agreeing == 2


def test_a_malformed_file_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "agreement.yaml"
    for text in ("fields: {name: {}}", "[]", "fields: {n: {title: t, golden: name, form: odd}}"):
        path.write_text(text)
        with pytest.raises(ConfigError):
            load_compared_fields(CATALOG, load_person_rules(CATALOG).golden, path)
