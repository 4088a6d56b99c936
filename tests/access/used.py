"""Usage records of nobody who exists, to be changed with `replace`."""

from __future__ import annotations

from access.model import Action
from access.usage_record import RecordedActor, SubjectRole, UsageAction, UsageRecord
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
