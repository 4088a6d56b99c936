"""The worklist's states: what a publication changes, what an answer changes, what stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.store.records import Records
from hub.store.worklist import Answer, Checked, Conclusion, FoundItem, ItemState, Worklist

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ONE = FoundItem(
    "W1", "name_conflict", "姓名不一致", "housing", "e1", ("population.resident", "housing.tenancy"), ("b1",)
)  # fmt: skip
TWO = replace(ONE, id="W2")


@pytest.fixture
def worklist() -> Iterator[Worklist]:
    with Records.connect("sqlite://") as records:
        records.upgrade()
        yield Worklist(records)


def check(worklist: Worklist, day: int, *items: FoundItem) -> Checked:
    return worklist.check(f"v{day}", {i.id: i for i in items}, NOW + timedelta(days=day))


def state(worklist: Worklist, name: str = "W1") -> ItemState:
    return worklist.named([name])[name].state


def answer(
    worklist: Worklist,
    conclusion: Conclusion,
    department: str = "housing",
    evidence: str | None = None,
) -> str:
    known = worklist.named(["W1"]).get("W1")
    about = evidence or (known.evidence if known else "")
    given = Answer("W1", department, conclusion, about, None, "population")
    ((said, _),) = worklist.conclude([given], "official", NOW).items()
    return said


def test_a_publication_is_checked_once(worklist: Worklist) -> None:
    first = check(worklist, 1, ONE, TWO)
    assert first == Checked(appeared=2, resolved=0, reopened=0, standing=2)
    assert check(worklist, 1) == first  # what it would find now does not matter
    assert state(worklist) is ItemState.OPEN
    assert worklist.checked("v1")
    assert not worklist.checked("v2")


def test_what_is_no_longer_found_is_resolved_and_found_again_reopened(worklist: Worklist) -> None:
    check(worklist, 1, ONE, TWO)
    assert check(worklist, 2, TWO) == Checked(0, 1, 0, 1)
    assert state(worklist) is ItemState.RESOLVED
    gone = worklist.named(["W1"])["W1"]
    assert (gone.resolved_at, gone.last_version) == (NOW + timedelta(days=2), "v1")
    assert check(worklist, 3, TWO) == Checked(0, 0, 0, 1)
    assert check(worklist, 4, ONE, TWO) == Checked(0, 0, 1, 2)
    back = worklist.named(["W1"])["W1"]
    assert (back.state, back.times_reopened, back.resolved_at) == (ItemState.REOPENED, 1, None)
    assert back.first_seen_at == NOW + timedelta(days=1)
    assert back.last_version == "v4"


def test_explained_stays_until_the_evidence_changes(worklist: Worklist) -> None:
    check(worklist, 1, ONE)
    answer(worklist, Conclusion.BOTH_RIGHT)
    check(worklist, 2, ONE)
    assert state(worklist) is ItemState.EXPLAINED
    check(worklist, 3, replace(ONE, evidence="e2", batches=("b2",)))
    item = worklist.named(["W1"])["W1"]
    assert (item.state, item.conclusion, item.batches) == (ItemState.REOPENED, None, ("b2",))


def test_an_answer_about_evidence_that_has_changed_changes_nothing(worklist: Worklist) -> None:
    check(worklist, 1, ONE)
    worklist.exported(["W1"], NOW)
    check(worklist, 2, replace(ONE, evidence="e2"))
    assert answer(worklist, Conclusion.BOTH_RIGHT, evidence="e1") == "gone"
    item = worklist.named(["W1"])["W1"]
    assert (item.state, item.conclusion) == (ItemState.IN_REVIEW, None)
    assert answer(worklist, Conclusion.BOTH_RIGHT, evidence="e2") == "both_right"


def test_new_evidence_of_an_open_item_is_only_noted(worklist: Worklist) -> None:
    check(worklist, 1, ONE)
    worklist.exported(["W1"], NOW)
    assert check(worklist, 2, replace(ONE, evidence="e2", batches=("b2",))).reopened == 0
    item = worklist.named(["W1"])["W1"]
    assert (item.state, item.batches) == (ItemState.IN_REVIEW, ("b2",))


def test_an_item_is_handed_over_once_then_disputed(worklist: Worklist) -> None:
    check(worklist, 1, ONE)
    assert answer(worklist, Conclusion.OTHER_WRONG) == "other_wrong"
    item = worklist.named(["W1"])["W1"]
    assert (item.department, item.state, item.handed_from) == (
        "population", ItemState.OPEN, "housing",
    )  # fmt: skip
    assert answer(worklist, Conclusion.OWN_WRONG) == "gone"  # housing is no longer asked
    assert answer(worklist, Conclusion.OTHER_WRONG, "population") == "disputed"
    assert state(worklist) is ItemState.IN_REVIEW
    check(worklist, 2, replace(ONE, evidence="e2"))
    assert worklist.named(["W1"])["W1"].department == "population"


@pytest.mark.parametrize("conclusion", [Conclusion.OWN_WRONG, Conclusion.UNVERIFIABLE])
def test_what_is_not_settled_stays_in_review(worklist: Worklist, conclusion: Conclusion) -> None:
    check(worklist, 1, ONE)
    answer(worklist, conclusion)
    assert state(worklist) is ItemState.IN_REVIEW


def test_an_answer_about_a_resolved_item_changes_nothing(worklist: Worklist) -> None:
    check(worklist, 1, ONE)
    check(worklist, 2)
    assert answer(worklist, Conclusion.BOTH_RIGHT) == "gone"
    assert state(worklist) is ItemState.RESOLVED


def test_figures_count_by_department_kind_and_state(worklist: Worklist) -> None:
    check(worklist, 1, ONE, TWO, replace(ONE, id="W3", department="population"))
    check(worklist, 2, TWO, replace(ONE, id="W3", department="population"))
    found = {(f.department, f.state.value): f.items for f in worklist.figures()}
    assert found == {("housing", "open"): 1, ("housing", "resolved"): 1, ("population", "open"): 1}
    assert [f.items for f in worklist.figures("housing", state=ItemState.OPEN)] == [1]
    assert worklist.figures(kind="no_such_kind") == ()


def test_many_items_are_checked_in_few_statements(worklist: Worklist) -> None:
    many = [replace(ONE, id=f"W{n}") for n in range(3_000)]
    assert check(worklist, 1, *many).appeared == 3_000
    assert check(worklist, 2, *many[:1_000]).resolved == 2_000
    assert len(worklist.items("housing", limit=10)) == 10
    assert len(worklist.items("housing")) == 1_000
