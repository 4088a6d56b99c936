"""Decisions under the shipped policy: who may, what is shown, and what a refusal says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from access.decision import Decider
from access.explaining import explain
from access.model import Action, Actor, CaseStanding, Decision, Request
from hub.catalog import Classification
from tests.access.conftest import NOW

Ask = Callable[..., Decision]

RESIDENT = ("population.resident",)


@pytest.fixture
def ask(decider: Decider, actors: dict[str, Actor]) -> Ask:
    """Decide for a demonstration actor by name."""

    def decide(
        who: str | Actor,
        action: str = "lookup",
        purpose: str = "residence.verify",
        datasets: tuple[str, ...] | None = RESIDENT,
        case: str | None = None,
    ) -> Decision:
        actor = actors[who] if isinstance(who, str) else who
        open_case = CaseStanding.OPEN
        request = Request(actor, Action(action), datasets, purpose, case, open_case, at=NOW)
        return decider.decide(request)

    return decide


def test_a_grid_officer_sees_residents_of_the_own_area(ask: Ask) -> None:
    """The example of the design: name clear, number 6+4, therefore birth date as year."""
    decision = ask("officer.east")
    fields = {key.rpartition(".")[2]: how for key, how in decision.fields.items()}
    assert decision.allowed
    assert decision.row_filter == ("990106001",)
    assert decision.elsewhere is None
    assert fields["name"] == fields["sex"] == fields["residence_address"] == "clear"
    assert fields["resident_id"] == "id_6_4"
    assert fields["birth_date"] == "generalised_year"
    assert fields["phone"] == "phone_3_4"
    assert fields["registered_address"] == "address_community"
    for needless in ("marital_status", "ethnicity", "former_name", "workplace", "education"):
        assert fields[needless] == "hidden"
    assert set(decision.obligations) >= {"record_use", "one_person_per_request"}
    assert decision.rules == ("grid-residence",)


def test_a_list_shows_less_than_a_look_at_one_person(ask: Ask) -> None:
    """Names masked, numbers 1+1, addresses to the community."""
    fields = {k.rpartition(".")[2]: v for k, v in ask("officer.east", "search").fields.items()}
    assert fields["name"] == "name"
    assert fields["resident_id"] == "id_1_1"
    assert fields["phone"] == "phone_2"
    assert fields["residence_address"] == "address_community"
    assert fields["address_id"] == "hidden"  # it would give the address back


def test_clearance_caps_what_is_clear(ask: Ask, actors: dict[str, Actor]) -> None:
    """An officer cleared to level 2 sees masks where the post's rule would show more."""
    low = replace(actors["officer.east"], clearance=Classification.L2)
    fields = {k.rpartition(".")[2]: v for k, v in ask(low).fields.items()}
    assert fields["sex"] == "clear"
    assert fields["name"] == "name"
    assert fields["residence_address"] == "address_community"
    assert fields["address_id"] == "hidden"


@pytest.mark.parametrize(
    ("who", "action", "purpose", "datasets", "case", "word"),
    [
        ("officer.east", "lookup", "curiosity", RESIDENT, None, "purpose register"),
        ("officer.east", "lookup", "assistance.review", RESIDENT, "c", "窗口人员"),
        ("officer.east", "aggregate", "residence.verify", RESIDENT, None, "not for aggregate"),
        ("officer.east", "export", "residence.verify", RESIDENT, "c", "not for export"),
        ("officer.east", "unmask", "elderly.service", RESIDENT, "c", "not for unmask"),
        ("officer.east", "lookup", "residence.verify", ("civil_affairs.assistance",), None, "need"),
        ("officer.east", "lookup", "residence.verify", ("police.case",), "c", "does not need"),
        ("officer.east", "lookup", "residence.verify", ("no.such",), None, "catalogue"),
        ("officer.east", "lookup", "residence.verify", (), None, "no dataset"),
        ("officer.east", "lookup", "public_safety.investigation", RESIDENT, "c", "no rule"),
        (
            "officer.east",
            "lookup",
            "public_safety.investigation",
            ("police.case",),
            "c",
            "不予共享",
        ),
        ("officer.east", "own", "own.data", None, None, "市民"),
        ("officer.police", "lookup", "public_safety.investigation", RESIDENT, None, "case"),
        ("officer.police", "lookup", "public_safety.investigation", RESIDENT, "", "case"),
        ("window", "lookup", "residence.verify", RESIDENT, None, "no rule"),
        ("window", "lookup", "assistance.review", RESIDENT, None, "case"),
        ("window", "search", "residence.verify", RESIDENT, "c", "no rule"),
        ("window", "lookup", "elderly.service", RESIDENT, "c", "网格员"),
        ("analyst", "lookup", "residence.verify", RESIDENT, "c", "never a person"),
        ("analyst", "lookup", "statistics.publish", RESIDENT, "c", "not for lookup"),
        ("analyst", "own", "own.data", None, None, "市民"),
        ("steward", "lookup", "residence.verify", RESIDENT, "c", "never a person"),
        ("partner.housing", "aggregate", "statistics.publish", RESIDENT, None, "no rule"),
        ("partner.housing", "lookup", "housing.rental_check", ("housing.dwelling",), "c", "for"),
        ("oversight", "aggregate", "statistics.publish", RESIDENT, None, "not the data"),
        ("oversight", "lookup", "residence.verify", RESIDENT, "c", "not the data"),
        ("admin.system", "aggregate", "statistics.publish", RESIDENT, None, "no data"),
        ("admin.system", "lookup", "residence.verify", RESIDENT, "c", "no data"),
        ("citizen", "lookup", "residence.verify", RESIDENT, None, "for"),
        ("citizen", "aggregate", "statistics.publish", RESIDENT, None, "for"),
        ("citizen", "lookup", "own.data", RESIDENT, None, "not for lookup"),
    ],
)
def test_refusals_say_why_and_what_to_do(
    ask: Ask,
    who: str,
    action: str,
    purpose: str,
    datasets: tuple[str, ...] | None,
    case: str | None,
    word: str,
) -> None:
    """Each with a reason a person understands, a remedy, and nothing shown."""
    decision = ask(who, action, purpose, datasets, case)
    assert not decision.allowed
    assert word in decision.reason
    assert decision.remedy
    assert decision.fields == {}
    assert decision.elsewhere is None
    assert decision.row_filter == ()
    assert decision.obligations == ("record_use",)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"active": False}, "not active"),
        ({"roles": ()}, "no role"),
        ({"roles": ("grid_officer", "root")}, "no role"),
        ({"agency": "ministry"}, "agency"),
        ({"agency": "housing"}, "网格员"),  # the role does not exist in that agency
        ({"area": ()}, "area"),
        ({"area": ("99010600",)}, "not a division"),
        ({"area": ("",)}, "not a division"),
        ({"roles": ("grid_officer", "analyst")}, "never a person"),
        ({"roles": ("grid_officer", "system_admin")}, "separate"),
        ({"roles": ("oversight", "data_steward"), "agency": "bureau"}, "separate"),
    ],
)
def test_an_actor_who_is_not_in_order_is_refused(
    ask: Ask, actors: dict[str, Actor], change: dict[str, Any], word: str
) -> None:
    """Whatever the rules would say."""
    decision = ask(replace(actors["officer.east"], **change))
    assert not decision.allowed
    assert word in decision.reason


def test_one_refused_dataset_refuses_a_request_that_names_it(ask: Ask) -> None:
    """What is named is meant; what is left open is narrowed to what may be seen."""
    named = ask("window", datasets=(*RESIDENT, "housing.dwelling"), case="c")
    assert not named.allowed
    assert "housing.dwelling" not in ask("window", datasets=None, case="c").datasets


def test_a_near_miss_is_told_but_another_purpose_is_no_remedy(ask: Ask) -> None:
    """The case is offered; picking whichever purpose fits is not."""
    missing_case = ask("window")
    assert "case reference" in missing_case.remedy
    assert any("grid_officer" in near for near in missing_case.near_misses)
    wrong_purpose = ask("officer.east", purpose="public_safety.investigation", case="c")
    assert any("purpose" in near for near in wrong_purpose.near_misses)
    assert "purpose" not in wrong_purpose.remedy


def test_the_window_sees_clear_to_level_three_and_masks_above(ask: Ask) -> None:
    """Two rules of one role, in any area, with a case."""
    decision = ask("window", case="2026-0311")
    fields = {k.rpartition(".")[2]: v for k, v in decision.fields.items()}
    assert decision.row_filter is None
    assert "case_required" in decision.obligations
    assert fields["name"] == "clear"
    assert fields["residence_address"] == "address_community"
    assert decision.elsewhere == decision.fields


def test_statistics_clear_only_columns_that_count(ask: Ask) -> None:
    """Nothing sealed, no key, no code of a single thing; police counts need larger cells."""
    decision = ask("analyst", "aggregate", "statistics.publish")
    clear = {k.rpartition(".")[2] for k, v in decision.fields.items() if v == "clear"}
    assert {"sex", "birth_year", "grid_code"} <= clear
    assert not clear & {"resident_id", "name", "birth_date", "marital_status", "household_id"}
    assert "min_cell=5" in decision.obligations
    police = ask("analyst", "aggregate", "statistics.publish", ("police.case",))
    assert "min_cell=10" in police.obligations
    assert "min_cell=5" not in police.obligations


def test_a_department_counts_its_own_data_only(ask: Ask) -> None:
    """The owner of a dataset is an agency like any other elsewhere."""
    own = ask("partner.housing", "aggregate", "statistics.publish", ("housing.dwelling",))
    assert own.allowed
    everything = ask("partner.housing", "aggregate", "statistics.publish", None)
    assert set(everything.datasets) == {"housing.dwelling", "housing.tenancy"}


def test_decisions_are_remembered_by_what_decides_and_nothing_else(
    decider: Decider, actors: dict[str, Actor]
) -> None:
    """Another name is the same answer; another area, role, case or activity is another one."""
    east = actors["officer.east"]
    request = Request(east, Action.LOOKUP, RESIDENT, "residence.verify", at=NOW)
    first = decider.decide(request)
    assert decider.decide(replace(request, actor=replace(east, id="z", name="z"))) is first
    changes: tuple[dict[str, Any], ...] = (
        {"area": ("990106002",)},
        {"active": False},
        {"clearance": Classification.L1},
    )
    for change in changes:
        assert decider.decide(replace(request, actor=replace(east, **change))) != first
    assert decider.decide(replace(request, case="c")) is not first
    assert decider.decide(replace(request, case="")) is first


def test_explain_is_the_same_decision_in_words(decider: Decider, actors: dict[str, Actor]) -> None:
    """Allowed: fields and rules. Refused: reason, remedy, near misses, no fields."""
    yes = explain(
        decider, Request(actors["officer.east"], Action.LOOKUP, None, "residence.verify", at=NOW)
    )
    assert yes["answer"] == "allowed"
    assert yes["area"] == ["990106001"]
    shown = yes["fields"]["population.resident"]["shown"]
    assert shown["resident_id"] == {
        "title": "公民身份号码",
        "treatment": "id_6_4",
        "how": "masked",
        "elsewhere": "hidden",
    }
    assert yes["rules"][0]["rule"] == "grid-residence"
    assert yes["purpose"]["legal_basis"]
    no = explain(
        decider, Request(actors["analyst"], Action.LOOKUP, None, "residence.verify", at=NOW)
    )
    assert no["answer"] == "refused"
    assert no["fields"] == {}
    assert no["reason"]
    assert no["remedy"]
