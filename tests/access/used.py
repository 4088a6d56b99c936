"""Usage records of nobody who exists, to be changed with `replace`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from access.model import Action
from access.usage_record import (
    RecordedActor,
    SubjectRole,
    Tabulated,
    UsageAction,
    UsageRecord,
    released,
)
from hub.catalog import Classification
from tests.access.conftest import NOW

OFFICER = RecordedActor(
    id="ab" * 16,
    agency="population",
    post="东街街道网格员",
    roles=("grid_officer",),
    area=("990106001",),
    clearance=Classification.L3,
)

#: A resident looked up: the name in clear, the number masked.
USE = UsageRecord(
    time=NOW,
    actor=OFFICER,
    action=UsageAction.OPENED,
    road=Action.LOOKUP,
    asked=None,
    datasets=("population.resident",),
    fields={
        "population.resident.name": "clear",
        "population.resident.resident_id": "masked",
        "population.resident.birth_date": "generalised",
    },
    purpose="residence.verify",
    legal_basis="个人信息保护法 13(1)(3), 34",
    case="cd" * 16,
    decision="allowed",
    reason="网格员为居住核实查询本人辖区内的人员",
    policy="0123456789abcdef",
    rules=("grid-residence",),
    grants=(),
    snapshot="20260307T000000.000000Z",
    lake_snapshot=7,
    request="r1",
    subject=bytes(range(16)),
    role=SubjectRole.ASKED_ABOUT,
)

#: Any text that JSON can hold, and words such as the registers have.
ANY_WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
WORDS = st.sampled_from(
    (
        "residence.verify",
        "population.resident",
        "housing.dwelling.owner_id",
        "own.data",
        "x",
        "居住",
    )
)
TIMES = st.integers(0, 10**12).map(
    lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms % 10**11)
)
COUNTS = st.integers(0, 2**31 - 1)


@st.composite
def records(draw: st.DrawFn, words: st.SearchStrategy[str]) -> UsageRecord:
    """Draw any record that can be made of some words."""
    lists = st.lists(words, max_size=3).map(tuple)
    actors = st.builds(
        RecordedActor, words, words, words, lists, lists, st.sampled_from(Classification)
    )
    tables = st.builds(Tabulated, lists, COUNTS, COUNTS, COUNTS) | st.builds(
        Tabulated, lists, COUNTS, COUNTS, COUNTS, COUNTS, words
    )
    road = draw(st.sampled_from(Action))
    action = draw(st.sampled_from([released(road), UsageAction.REFUSED, UsageAction.EMERGENCY]))
    subject = draw(st.none() | st.binary(min_size=16, max_size=32))
    return UsageRecord(
        time=draw(TIMES),
        actor=draw(actors),
        action=action,
        road=road,
        asked=draw(st.none() | lists),
        datasets=draw(lists),
        fields=draw(
            st.dictionaries(
                st.tuples(words, words).map(".".join),
                st.sampled_from(["clear", "masked", "generalised"]),
            )
        ),
        purpose=draw(words),
        legal_basis=draw(words),
        case=draw(st.none() | words),
        decision=draw(st.sampled_from(["allowed", "refused"])),
        reason=draw(words),
        policy=draw(words),
        rules=draw(lists),
        grants=draw(lists),
        snapshot=draw(words),
        lake_snapshot=draw(st.none() | COUNTS),
        request=draw(words),
        subject=subject,
        role=None if subject is None else draw(st.sampled_from(SubjectRole)),
        emergency=draw(st.none() | COUNTS),
        seal=draw(st.none() | COUNTS),
        nobody=draw(st.booleans()),
        limit=draw(st.none() | words),
        counted=draw(st.none() | tables),
    )


#: One of each kind: what is done, who is meant, what is refused.
KINDS = {
    "opened": USE,
    "incidental": replace(
        USE,
        datasets=("civil_affairs.marriage",),
        fields={"civil_affairs.marriage.op_date": "clear"},
        role=SubjectRole.INCIDENTAL,
    ),
    "listed": replace(USE, road=Action.SEARCH, action=UsageAction.LISTED, asked=USE.datasets),
    "refused": replace(
        USE,
        action=UsageAction.REFUSED,
        datasets=(),
        fields={},
        case=None,
        decision="refused",
        reason="不在该岗位的辖区 / not in the actor's area",
        lake_snapshot=None,
        snapshot="",
        nobody=True,
    ),
    "over": replace(
        USE,
        action=UsageAction.REFUSED,
        datasets=(),
        fields={},
        decision="refused",
        subject=None,
        role=None,
        limit="per_minute",
    ),
    "emergency": replace(
        USE,
        road=Action.UNMASK,
        action=UsageAction.EMERGENCY,
        purpose="emergency.rescue",
        grants=("grant-3",),
        emergency=3,
    ),
    "exported": replace(
        USE, road=Action.RECONCILE, action=UsageAction.EXPORTED, purpose="quality.reconcile"
    ),
    "own": replace(
        USE,
        road=Action.OWN,
        action=UsageAction.OWN,
        actor=RecordedActor("ef" * 16, "public", "", ("citizen",), (), Classification.L4),
        purpose="own.data",
        case=None,
    ),
    "counted": replace(
        USE,
        road=Action.AGGREGATE,
        action=UsageAction.COUNTED,
        purpose="statistics.publish",
        fields={},
        subject=None,
        role=None,
        case=None,
        counted=Tabulated(("sex", "grid"), 12, 2, 1, 500, "2026"),
    ),
}
