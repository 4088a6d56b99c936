"""Bodies of the officer's door."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.wire.base import (
    RECEIPT_EXAMPLE,
    CaseReference,
    DatasetName,
    PurposeCode,
    Receipt,
    Wire,
    example,
)

AreaCode = Annotated[str, Field(pattern=r"^[0-9]{6,14}$", description="Division or grid code.")]

_CASE = {"purpose": "residence.verify", "case": "2026-0311"}


class LookupBody(Wire):
    """Ask for one person."""

    model_config = example({"by": "resident_id", "value": "99010619900307123X", **_CASE})

    by: Literal["resident_id", "handle"] = Field(
        description="`resident_id`: an identity number; `handle`: of a person a search has shown."
    )
    value: str = Field(min_length=1, max_length=400)
    purpose: PurposeCode
    case: CaseReference | None = None
    datasets: tuple[DatasetName, ...] | None = Field(
        None, max_length=20, description="Only these datasets; default: all the purpose covers."
    )


class SearchBody(Wire):
    """Ask who is held under a name and birth date, a telephone number or an address."""

    model_config = example(
        {"by": "name_birth", "value": "李明镜", "birth_date": "1990-03-07", **_CASE},
        {"by": "phone", "value": "19900000001", **_CASE},
        {"by": "address", "value": "明镜区东街街道朝阳社区文化路12号3单元502室", **_CASE},
    )

    by: Literal["name_birth", "phone", "address"]
    value: str = Field(min_length=1, max_length=200)
    birth_date: date | None = Field(None, description="Wanted with `name_birth`.")
    purpose: PurposeCode
    case: CaseReference | None = None
    datasets: tuple[DatasetName, ...] | None = Field(None, max_length=20)


class ExportBody(Wire):
    """Ask for a file of all persons of an area, under a grant."""

    model_config = example(
        {
            "dataset": "population.resident",
            "purpose": "sharing.supply",
            "case": "GX-2026-5",
            "area": ["990106001"],
            "format": "csv",
        }
    )

    dataset: DatasetName
    purpose: PurposeCode
    case: CaseReference | None = None
    area: tuple[AreaCode, ...] = Field(
        (), max_length=100, description="Of whom; default: the whole area of your post."
    )
    format: Literal["csv", "jsonl"] = "csv"


class Export(Wire):
    """A file of persons that may be fetched for a day."""

    model_config = example(
        {
            "number": "5f1c0ad7a9b0e3f2c4d58c1b7f1f6a0e",
            "dataset": "population.resident",
            "purpose": "sharing.supply",
            "format": "csv",
            "persons": 41000,
            "rows": 41000,
            "size_bytes": 3100000,
            "sha256": "5f1c0ad7a9b0e3f2c4d58c1b7f1f6a0e9d3b2c4a5e6f708192a3b4c5d6e7f809",
            "expires": "2026-06-06T01:02:03Z",
            "file": "/v1/officer/exports/5f1c0ad7a9b0e3f2c4d58c1b7f1f6a0e/file",
            "reason": "允许：共享供数 / allowed for sharing.supply",
            "grants": ["grant-3"],
            "request_id": "9f0c2d4b6a8e1357",
            "time": "2026-06-05T01:02:03Z",
            "policy": "0a1b2c3d4e5f6071",
            "snapshot": "20260602T030000Z",
            "receipt": RECEIPT_EXAMPLE,
        }
    )

    number: str
    dataset: str
    purpose: str
    format: Literal["csv", "jsonl"]
    persons: int = Field(description="Everybody whom it says something of.")
    rows: int
    size_bytes: int
    sha256: str
    expires: datetime
    file: str = Field(description="Where it is fetched, by the same account.")
    reason: str
    grants: list[str]
    request_id: str
    time: datetime
    policy: str
    snapshot: str
    receipt: Receipt


class Cell(Wire):
    """One shown value."""

    column: str
    title: str = Field(description="What people call the column.")
    value: Any = Field(description="As released: clear, masked or generalised.")
    label: str | None = Field(description="What a code means; null where it is not a code.")
    treatment: str = Field(description="The mask or generalisation by name, or `clear`.")
    how: Literal["clear", "masked", "generalised"]


class GoldenCell(Cell):
    """One value of the merged person, with where it is from."""

    source: str
    source_title: str
    since: datetime | str | None


class Record(Wire):
    """One record of a department about the person."""

    dataset: str
    title: str
    owner: str
    owner_title: str
    role: str = Field(description="As what the person stands in the record.")
    record: str = Field(description="Keyed name of the record.")
    batch: str
    since: datetime | str | None
    cells: list[Cell]


class Subject(Wire):
    """One person."""

    handle: str | None = Field(
        description="In a list: for a look-up by the same actor within the hour."
    )
    fields: list[GoldenCell]
    records: list[Record]


class PurposeName(Wire):
    """The purpose an answer was given for."""

    code: str
    title: str


_CELL = {
    "column": "name",
    "title": "姓名",
    "value": "李明镜",
    "label": None,
    "treatment": "clear",
    "how": "clear",
}
_ID_CELL = {
    "column": "resident_id",
    "title": "公民身份号码",
    "value": "990106********123X",
    "label": None,
    "treatment": "id_6_4",
    "how": "masked",
}
_SINCE = "2026-06-02T03:00:00Z"


class Disclosure(Wire):
    """What was released, why, and the receipt of it."""

    model_config = example(
        {
            "allowed": True,
            "reason": "网格员为居住核实查询本人负责区域内的人员。",
            "reasons": [],
            "purpose": {"code": "residence.verify", "title": "居住核实"},
            "obligations": ["one_person_per_request"],
            "rules": ["p12"],
            "subjects": [
                {
                    "handle": None,
                    "fields": [
                        {
                            **_CELL,
                            "source": "population.resident.name",
                            "source_title": "实有人口",
                            "since": _SINCE,
                        }
                    ],
                    "records": [
                        {
                            "dataset": "population.resident",
                            "title": "实有人口",
                            "owner": "population",
                            "owner_title": "人口管理部门",
                            "role": "resident",
                            "record": "5e1f…",
                            "batch": "b-20260602-population",
                            "since": _SINCE,
                            "cells": [_CELL, _ID_CELL],
                        }
                    ],
                }
            ],
            "more": False,
            "request_id": "9f0c2d4b6a8e1357",
            "time": "2026-06-05T01:02:03Z",
            "policy": "2026-06-01.1",
            "snapshot": "20260602T030000Z",
            "receipt": RECEIPT_EXAMPLE,
        }
    )

    allowed: Literal[True]
    reason: str
    reasons: list[str]
    purpose: PurposeName
    obligations: list[str]
    rules: list[str]
    subjects: list[Subject]
    more: bool = Field(description="True when more were found than are listed.")
    request_id: str
    time: datetime
    policy: str
    snapshot: str | None
    receipt: Receipt


class PurposeNeeds(Wire):
    """One purpose the actor may state, and what stating it takes."""

    code: str
    title: str
    plain: str
    legal_basis: str
    case: Literal["none", "optional", "given", "open", "member"]
    actions: list[str]
    datasets: list[dict[str, str]]


class Purposes(Wire):
    """The purposes the actor may state."""

    model_config = example(
        {
            "purposes": [
                {
                    "code": "residence.verify",
                    "title": "居住核实",
                    "plain": "Check on the spot, or at a counter, who lives at an address.",
                    "legal_basis": "个人信息保护法 13(1)(3), 34",
                    "case": "optional",
                    "actions": ["lookup", "search"],
                    "datasets": [{"dataset": "population.resident", "title": "实有人口"}],
                }
            ]
        }
    )

    purposes: list[PurposeNeeds]
