"""Reading policy.csv: every line that cannot be read as written is refused."""

from __future__ import annotations

import pytest

from access.model import Trait
from access.rules import COLUMNS, covers, covers_dataset, parse_rules, serves

HEADER = ",".join(COLUMNS)
GOOD = (
    "grid,allow,grid_officer,*,lookup search,police.case police.*,residence.verify,own,"
    "optional,any,clear,L4,-,one_person_per_request,because"
)


def codes(*lines: str) -> set[str]:
    """Return the codes of what is wrong with a policy of these lines."""
    return {code for _, code, _ in parse_rules("\n".join((HEADER, *lines))).findings}


def changed(**cells: str) -> str:
    """Return the good line with other cells."""
    whole = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    return ",".join((whole | cells).values())


def test_a_good_line() -> None:
    """Words of a cell are separated by spaces; comments and blank lines say nothing."""
    (rule,) = parse_rules(f"# a comment\n\n{HEADER}\n# another\n{GOOD}\n").rules
    assert rule.actions == ("lookup", "search")
    assert rule.datasets == ("police.case", "police.*")
    assert rule.line == 5
    assert rule.allows


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"effect": "Deny"}, "unknown-effect"),
        ({"effect": "deny "}, "narrow-denial"),
        ({"effect": "permit"}, "unknown-effect"),
        ({"effect": ""}, "empty"),
        ({"role": ""}, "empty"),
        ({"because": ""}, "empty"),
        ({"action": "lookup delete"}, "unknown-action"),
        ({"area": "everywhere"}, "unknown-area"),
        ({"case": "maybe"}, "unknown-case"),
        ({"subject": "child"}, "unknown-subject"),
        ({"subject": "minor"}, "subject"),
        ({"show": "all"}, "unknown-show"),
        ({"level": "L5"}, "unknown-level"),
        ({"level": "4"}, "unknown-level"),
        ({"lifts": "everything"}, "unknown-lift"),
        ({"obligations": "list_cap"}, "unknown-obligation"),
        ({"obligations": "list_cap=many"}, "unknown-obligation"),
        ({"obligations": "one_person_per_request=2"}, "unknown-obligation"),
        ({"obligations": "record_nothing"}, "unknown-obligation"),
        ({"obligations": "review"}, "unknown-obligation"),
        ({"obligations": "second_person"}, "unmask"),
        ({"obligations": "review=3"}, "unmask"),
        ({"action": "unmask"}, "unmask"),
        ({"action": "unmask", "case": "required"}, "unmask"),
        ({"action": "unmask", "obligations": "second_person"}, "unmask"),
        (
            {"action": "unmask", "case": "required", "obligations": "second_person review=3"},
            "unmask",
        ),
        ({"dataset": "eval(r.dataset)"}, "eval"),
        ({"because": "Eval (True)"}, "eval"),
        ({"rule": "Grid Officer"}, "rule"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_finding(cells: dict[str, str], code: str) -> None:
    """Nothing is guessed."""
    assert code in codes(changed(**cells))
    assert parse_rules(f"{HEADER}\n{changed(**cells)}").rules == ()


@pytest.mark.parametrize(
    "cells",
    [{"area": "own"}, {"case": "required"}, {"lifts": "minors"}, {"obligations": "list_cap=5"}],
)
def test_a_denial_that_could_be_dodged_is_refused(cells: dict[str, str]) -> None:
    """Leaving out the case, or asking from outside, must not open anything."""
    plain = {"effect": "deny", "area": "any", "lifts": "-", "obligations": "-"}
    assert codes(changed(**plain)) == set()
    assert "narrow-denial" in codes(changed(**(plain | cells)))


def test_only_a_denial_of_persons_is_about_a_trait() -> None:
    """A trait never opens anything, and a count has no person who could have one."""
    plain = {"effect": "deny", "area": "any", "lifts": "-", "obligations": "-"}
    about = plain | {"subject": "protected"}
    (rule,) = parse_rules(f"{HEADER}\n{changed(**about)}").rules
    assert rule.subject is Trait.PROTECTED
    for action in ("aggregate", "lookup aggregate", "*"):
        assert codes(changed(**about, action=action)) == {"subject"}
        assert codes(changed(**plain, action=action)) == set()


def test_a_policy_from_before_traits_says_what_to_do() -> None:
    """The column is asked for by name and place; nothing is guessed."""
    before = ",".join(name for name in COLUMNS if name != "subject")
    (finding,) = parse_rules(f"{before}\n{GOOD}\n").findings
    assert finding[1] == "header"
    assert "subject is missing: put it after case, any in every line" in finding[2]


def test_wrong_columns() -> None:
    """Too few cells, another header, no header at all."""
    assert codes(GOOD.rpartition(",")[0]) == {"columns"}
    assert parse_rules("rule,effect\n").findings[0][1] == "header"
    assert parse_rules("# nothing\n").findings[0][1] == "header"


def test_a_name_is_used_once() -> None:
    """The second line of a name is refused and the first kept."""
    text = f"{HEADER}\n{GOOD}\n{GOOD}\n"
    assert [code for _, code, _ in parse_rules(text).findings] == ["duplicate-rule"]
    assert len(parse_rules(text).rules) == 1


def test_patterns() -> None:
    """Families end in `.*`; nothing else is a wildcard."""
    assert covers("*", "police.case")
    assert covers("police.*", "police.case")
    assert not covers("police.*", "police")
    assert not covers("police*", "police.case")
    assert not covers("police.ca.*", "police.case")
    assert not covers("", "police.case")
    assert covers_dataset("@not_shared", "police.case", "not_shared")
    assert not covers_dataset("@not_shared", "police.dispute", "conditional")
    assert serves("@owner", "police", "police")
    assert not serves("@owner", "housing", "police")
    assert serves("@others", "housing", "police")
    assert not serves("@others", "police", "police")
    assert not serves("housing", "police", "housing")
