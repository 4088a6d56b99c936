"""Two versions of a contract: every kind of change, both ways, for both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.loader import load_contracts
from contracts.model import (
    Contract,
    Property,
    PublishBar,
    QualityRule,
    Reference,
    ServiceLevel,
    SourceMap,
    Threshold,
    TypeOptions,
)
from contracts.versions.diff import Comparison, compare
from contracts.versions.difference import Bump, next_version, parse_version, step
from hub.catalog import Classification, SharingType

L1, L2, L3, L4 = Classification
KEY = Property("thing_id", "编号", "string", L1, required=True, key_position=1)
STATUS = Property("status", "状态", "string", L2, code_set="status")
BORN = Property("born_on", "出生日期", "date", L3, semantic="birth_date", role="holder",
                sealed=True, clear_as={"birth_year": "year"})  # fmt: skip
AMOUNT = Property(
    "amount", "金额", "number", L2, options=TypeOptions(minimum=0, maximum=100, max_length=9)
)
RULE = QualityRule("late", "custom", "not_future", ("born_on",), "timeliness", "error", "x",
                   {"column": "born_on"})  # fmt: skip
SHARE = QualityRule("mostly", "library", "missingValues", ("amount",), "completeness", "error",
                    "x", {}, Threshold("mustBeLessThan", (10.0,), "percent"))  # fmt: skip
VALUES = QualityRule("kinds", "library", "invalidValues", ("amount",), "conformity", "error", "x",
                     {"validValues": ["1", "2", "3"]}, Threshold("mustBe", (0.0,)))  # fmt: skip
BASE = Contract(
    name="test.thing",
    version="1.4.2",
    title="测试",
    owner="housing",
    sharing=SharingType.CONDITIONAL,
    legal_basis="test",
    update_cycle="monthly",
    mode="full",
    properties=(KEY, STATUS, BORN, AMOUNT),
    rules=(RULE, SHARE, VALUES),
    purposes=("a", "b"),
    bar=PublishBar(95.0, 90.0),
    sources=(SourceMap("housing", {"状况": "status"}, {"status": {"好": "1", "坏": "2"}}),),
    service_levels=(ServiceLevel("latency", 5, "workingDays"), ServiceLevel("frequency", 1, "m"),
                    ServiceLevel("correction", 10, "workingDays")),
    stewards=("someone",),
    area_column="status",
)  # fmt: skip
CODES = {"status": ["1", "2", "3"]}


def column(name: str, /, **changes: Any) -> Callable[[Contract], Contract]:
    """Return what changes one column of a contract."""

    def change(of: Contract) -> Contract:
        found = tuple(replace(p, **changes) if p.name == name else p for p in of.properties)
        return replace(of, properties=found)

    return change


def options(**changes: Any) -> Callable[[Contract], Contract]:
    """Return what changes the limits of the column `amount`."""
    return column("amount", options=replace(AMOUNT.options, **changes))


def rule(name: str, /, **changes: Any) -> Callable[[Contract], Contract]:
    """Return what changes one rule of a contract."""

    def change(of: Contract) -> Contract:
        return replace(
            of, rules=tuple(replace(r, **changes) if r.name == name else r for r in of.rules)
        )

    return change


def whole(**changes: Any) -> Callable[[Contract], Contract]:
    """Return what changes the contract itself."""
    return lambda of: replace(of, **changes)


def threshold(value: float) -> Callable[[Contract], Contract]:
    """Return what changes the limit of the rule `mostly`."""
    return rule("mostly", threshold=Threshold("mustBeLessThan", (value,), "percent"))


def told(comparison: Comparison) -> set[tuple[str, str]]:
    """Return (kind, whom it breaks) of every difference; c consumer, p provider, s data subjects, - nobody."""
    return {(d.kind, "".join(side[0] for side in d.breaks) or "-") for d in comparison.differences}


def renamed(of: Contract) -> Contract:
    """Return the contract with another name for the column `amount`, in its rules too."""
    names = {"amount": "sum"}
    rules = tuple(replace(r, columns=tuple(names.get(c, c) for c in r.columns)) for r in of.rules)
    return replace(column("amount", name="sum")(of), rules=rules)


NEW = Property("extra", "附加", "string", L1)
LEVELS = BASE.service_levels
#: what changes -> (kind, whom it breaks) one way -> the same the other way round
CHANGES: dict[str, tuple[Callable[[Contract], Contract], set[tuple[str, str]], set[tuple[str, str]]]] = {
    "column": (
        whole(properties=(*BASE.properties, NEW)), {("column_added", "-")}, {("column_removed", "cp")},
    ),
    "required column": (
        whole(properties=(*BASE.properties, replace(NEW, required=True))),
        {("required_column_added", "p")}, {("column_removed", "cp")},
    ),
    "column name": (
        renamed, {("column_renamed", "c")}, {("column_renamed", "c")},
    ),
    "title that was a header": (
        column("amount", title="数额"), {("title_changed", "-"), ("header_removed", "p")},
        {("title_changed", "-"), ("header_removed", "p")},
    ),
    "wider type": (
        column("amount", logical_type="integer", options=TypeOptions()),
        {("type_changed", "cp"), ("range_widened", "-"), ("length_widened", "-")},
        {("type_changed", "c"), ("range_tightened", "p"), ("length_tightened", "p")},
    ),
    "anything for a number": (
        column("amount", logical_type="string"), {("type_changed", "c")}, {("type_changed", "cp")},
    ),
    "level": (
        column("status", classification=L3), {("classification_raised", "c")},
        {("classification_lowered", "cs")},
    ),
    "sealed": (
        column("status", sealed=True), {("column_sealed", "c")}, {("column_unsealed", "cs")},
    ),
    "semantic type with a check": (
        column("status", semantic="resident_id"), {("semantic_changed", "cp")},
        {("semantic_changed", "c")},
    ),
    "subject": (
        column("born_on", role="owner"), {("subject_role_changed", "c")},
        {("subject_role_changed", "c")},
    ),
    "required": (
        column("amount", required=True), {("required_added", "p")}, {("required_dropped", "c")},
    ),
    "unique": (column("amount", unique=True), {("unique_added", "p")}, {("unique_dropped", "c")}),
    "key field": (
        column("amount", key_field=True), {("key_field_added", "p")}, {("key_field_dropped", "-")},
    ),
    "generalised column": (
        column("born_on", clear_as={}), {("generalised_column_removed", "c")},
        {("generalised_column_added", "s")},
    ),
    "how it is generalised": (
        column("born_on", clear_as={"birth_year": "age_band"}),
        {("generalised_column_changed", "c")}, {("generalised_column_changed", "c")},
    ),
    "lower bound": (options(minimum=1), {("range_tightened", "p")}, {("range_widened", "-")}),
    "upper bound": (options(maximum=99), {("range_tightened", "p")}, {("range_widened", "-")}),
    "exclusive bound": (
        options(exclusive_maximum=100), {("range_tightened", "p")}, {("range_widened", "-")},
    ),
    "bound of a date": (
        column("born_on", options=TypeOptions(minimum="1900-01-01")),
        {("range_tightened", "p")}, {("range_widened", "-")},
    ),
    "length": (options(max_length=8), {("length_tightened", "p")}, {("length_widened", "-")}),
    "pattern": (options(pattern="^1$"), {("pattern_changed", "p")}, {("pattern_dropped", "-")}),
    "code set": (
        column("amount", code_set="status"), {("code_set_added", "p")}, {("code_set_dropped", "c")},
    ),
    "another code set": (
        column("status", code_set="sex"), {("code_set_replaced", "cp")},
        {("code_set_replaced", "cp")},
    ),
    "relationship": (
        column("amount", references=(Reference("a.b", "c"),)), {("relationship_added", "-")},
        {("relationship_removed", "c")},
    ),
    "description": (column("amount", description="new"), {("wording", "-")}, {("wording", "-")}),
    "owner": (whole(owner="police"), {("owner_changed", "p")}, {("owner_changed", "p")}),
    "sharing": (
        whole(sharing=SharingType.NOT_SHARED), {("sharing_narrowed", "c")},
        {("sharing_widened", "s")},
    ),
    "purpose": (whole(purposes=("a",)), {("purpose_withdrawn", "c")}, {("purpose_added", "s")}),
    "legal basis": (
        whole(legal_basis="other"), {("legal_basis_changed", "s")}, {("legal_basis_changed", "s")},
    ),
    "update cycle": (
        whole(update_cycle="weekly"), {("update_cycle_shortened", "p")},
        {("update_cycle_extended", "c")},
    ),
    "delivery mode": (
        whole(mode="append"), {("delivery_mode_changed", "cp")}, {("delivery_mode_changed", "cp")},
    ),
    "key": (column("amount", key_position=2), {("key_changed", "cp")}, {("key_changed", "cp")}),
    "area column": (
        whole(area_column=None), {("statistics_column_changed", "c")},
        {("statistics_column_added", "-")},
    ),
    "bar": (whole(bar=PublishBar(97.0, 90.0)), {("bar_raised", "p")}, {("bar_lowered", "-")}),
    "error rule": (
        whole(rules=(*BASE.rules, replace(RULE, name="more", columns=("status",)))),
        {("error_rule_added", "p")}, {("rule_removed", "-")},
    ),
    "warning rule": (
        whole(rules=(*BASE.rules, replace(RULE, name="more", severity="warning"))),
        {("warning_rule_added", "-")}, {("rule_removed", "-")},
    ),
    "rule's name": (rule("late", name="later"), {("rule_renamed", "-")}, {("rule_renamed", "-")}),
    "severity": (
        rule("late", severity="warning"), {("severity_lowered", "-")}, {("severity_raised", "p")},
    ),
    "what a rule demands": (
        rule("late", arguments={"column": "amount"}), {("rule_changed", "p")},
        {("rule_changed", "p")},
    ),
    "threshold": (threshold(5), {("threshold_tightened", "p")}, {("threshold_loosened", "-")}),
    "listed values": (
        rule("kinds", arguments={"validValues": ["1", "2"]}), {("values_removed", "cp")},
        {("values_added", "-")},
    ),
    "wording of a rule": (rule("late", remedy="y"), {("wording", "-")}, {("wording", "-")}),
    "header of a partner": (
        whole(sources=(replace(BASE.sources[0], headers={}),)), {("header_removed", "p")},
        {("header_added", "-")},
    ),
    "code map": (
        whole(sources=(replace(BASE.sources[0], code_maps={"status": {"好": "1"}}),)),
        {("code_map_removed", "p")}, {("code_map_added", "-")},
    ),
    "deadline": (
        whole(service_levels=(LEVELS[0], LEVELS[1], ServiceLevel("correction", 5, "workingDays"))),
        {("deadline_shortened", "p")}, {("deadline_extended", "-")},
    ),
    "latency in another unit": (
        whole(service_levels=(ServiceLevel("latency", 5, "d"), *LEVELS[1:])),
        {("service_level_changed", "cp")}, {("service_level_changed", "cp")},
    ),
    "frequency in another unit": (
        whole(service_levels=(LEVELS[0], ServiceLevel("frequency", 1, "d"), LEVELS[2])),
        {("deadline_shortened", "p")}, {("deadline_extended", "c")},
    ),
    "service level": (
        whole(service_levels=LEVELS[1:]), {("service_level_removed", "c")},
        {("service_level_added", "p")},
    ),
    "steward": (whole(stewards=("another",)), {("wording", "-")}, {("wording", "-")}),
    "title": (whole(title="另名"), {("wording", "-")}, {("wording", "-")}),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_classified_both_ways(what: str) -> None:
    change, there, back = CHANGES[what]
    changed = change(BASE)
    assert told(compare(BASE, changed, CODES, CODES)) == there
    assert told(compare(changed, BASE, CODES, CODES)) == back


@pytest.mark.parametrize("what", CHANGES)
def test_a_sentence_says_it_in_two_languages_and_names_its_subject(what: str) -> None:
    for item in compare(BASE, CHANGES[what][0](BASE)).differences:
        assert any("\u4e00" <= c <= "\u9fff" for c in item.text)
        assert any(c.isascii() and c.isalpha() for c in item.text)
        assert item.subject


def test_nothing_differs_from_itself() -> None:
    assert compare(BASE, BASE, CODES, CODES).differences == ()
    for contract in load_contracts():
        comparison = compare(contract, contract)
        assert comparison.differences == ()
        assert comparison.is_admissible
        assert comparison.is_honest


def test_codes_that_go_break_and_codes_that_come_ask_for_no_version() -> None:
    fewer = {"status": ["1", "2"]}
    narrowed = compare(BASE, BASE, CODES, fewer)
    assert told(narrowed) == {("codes_removed", "cp")}
    assert not narrowed.is_admissible
    grown = compare(BASE, BASE, fewer, CODES)
    assert told(grown) == {("codes_added", "-")}
    assert grown.needed is Bump.NONE
    assert grown.is_admissible


@given(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6, unique=True))
def test_several_changes_ask_for_the_largest_step_of_any(names: list[str]) -> None:
    changed = BASE
    for name in names:
        changed = CHANGES[name][0](changed)
    comparison = compare(BASE, changed, CODES, CODES)
    assert comparison.needed is max((d.bump for d in comparison.differences), default=Bump.NONE)
    assert (comparison.needed is Bump.MAJOR) == bool(comparison.breaking)


@given(st.sets(st.sampled_from(["status", "born_on", "amount"]), min_size=1))
def test_what_breaks_when_it_goes_is_compatible_when_it_comes(names: set[str]) -> None:
    bare = replace(BASE, rules=(), sources=(), area_column=None)
    without = replace(bare, properties=tuple(p for p in bare.properties if p.name not in names))
    gone = compare(bare, without).differences
    come = compare(without, bare).differences
    assert {d.subject for d in gone if d.is_breaking} == names
    assert {d.subject for d in come} == names
    assert not any(d.is_breaking for d in come)


@pytest.mark.parametrize(
    ("version", "admissible", "honest"),
    [
        ("1.4.2", False, False),
        ("1.4.3", True, False),
        ("1.5.0", True, True),
        ("2.0.0", True, True),
        ("1.4.1", False, False),
        ("next", False, False),
    ],
)
def test_a_compatible_change_needs_a_later_version(
    version: str, admissible: bool, honest: bool
) -> None:
    changed = replace(BASE, properties=(*BASE.properties, NEW), version=version)
    comparison = compare(BASE, changed)
    assert (comparison.is_admissible, comparison.is_honest) == (admissible, honest)


@pytest.mark.parametrize(("version", "admissible"), [("1.5.0", False), ("2.0.0", True)])
def test_a_breaking_change_needs_a_new_major_version(version: str, admissible: bool) -> None:
    changed = replace(BASE, sharing=SharingType.NOT_SHARED, version=version)
    assert compare(BASE, changed).is_admissible is admissible


WIDER: dict[str, Callable[[Contract], Contract]] = {
    "sharing type": whole(sharing=SharingType.UNCONDITIONAL),
    "purpose": whole(purposes=("a", "b", "c")),
    "legal basis": whole(legal_basis="other"),
    "generalised column": column("born_on", clear_as={"birth_year": "year", "band": "age_band"}),
    "no longer sealed": column("born_on", sealed=False),
    "level": column("born_on", classification=L2),
}


@pytest.mark.parametrize("what", WIDER)
def test_wider_access_needs_a_new_major_version_for_the_data_subjects(what: str) -> None:
    wider = WIDER[what](BASE)
    for version, admissible in (("1.4.3", False), ("1.5.0", False), ("2.0.0", True)):
        comparison = compare(BASE, replace(wider, version=version))
        assert comparison.is_admissible is admissible
        assert comparison.needed is Bump.MAJOR
        (affected,) = (d for d in comparison.breaking if "subject" in d.breaks)
        assert "数据主体" in affected.text
        assert "data subjects" in affected.text


def test_a_generalised_column_of_what_lay_in_the_clear_widens_nothing() -> None:
    clear = column("born_on", sealed=False)(BASE)
    more = column("born_on", clear_as={"birth_year": "year", "band": "age_band"})(clear)
    assert told(compare(clear, more)) == {("generalised_column_added", "-")}


def test_parts_that_the_hub_does_not_read_count_as_wording() -> None:
    old = replace(BASE, document={"version": "1.4.2", "tags": ["a"], "schema": []})
    new = replace(BASE, document={"version": "1.4.3", "tags": ["b"], "schema": []})
    assert told(compare(old, new)) == {("wording", "-")}
    assert (
        compare(old, replace(old, document={**old.document, "version": "9.0.0"})).differences == ()
    )
    assert compare(old, new).needed is Bump.PATCH


def test_versions_are_steps_on_a_ladder() -> None:
    assert parse_version("01.2.3") is None
    assert step("1.9.0", "1.10.0") is Bump.MINOR
    assert step("1.9.0", "next") is None
    assert next_version("1.4.2", Bump.MINOR) == "1.5.0"
    assert next_version("draft", Bump.MINOR) is None


def test_a_comparison_is_json() -> None:
    found = compare(BASE, replace(BASE, purposes=("a",), version="1.5.0")).to_json()
    assert found["needed"] == "major"
    assert found["given"] == "minor"
    assert found["version_to_give"] == "2.0.0"
    assert [d["kind"] for d in found["differences"]] == ["purpose_withdrawn"]
