"""Bodies of the citizen's door."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.wire.base import Wire, example


class UsedField(Wire):
    """One field that a use showed, and how."""

    dataset: str
    dataset_title: str
    column: str
    title: str
    how: Literal["clear", "masked", "generalised"]


class Withheld(Wire):
    """That a use was lawfully kept from its subject, and why; it shows since `until`."""

    until: datetime
    ground: str
    legal_basis: str


class Erased(Wire):
    """That the record of a use was erased, when, by which agency, and on which ground."""

    at: datetime | Literal[""]
    by: str
    by_title: str
    ground: str
    ground_title: str


class Use(Wire):
    """One use of the citizen's records, one attempt that was refused, or one that was erased."""

    index: int = Field(ge=0, description="Index of its leaf in the ledger.")
    time: datetime | str
    outcome: Literal["allowed", "refused", "erased"]
    agency: str
    agency_title: str
    post: str
    purpose: str
    purpose_title: str
    legal_basis: str
    action: str = Field(
        description="What was done: opened, listed, unmasked, exported, bulk, emergency, own, refused …"
    )
    road: str = Field(
        description="By what question: lookup, search, sample, reconcile, export, own …"
    )
    role: Literal["asked_about", "incidental", ""] = Field(
        description="incidental where another person was asked about, of whom a record is yours too."
    )
    datasets: list[str]
    fields: list[UsedField]
    with_case: bool = Field(description="Whether the asking agency named a case.")
    under: str = Field(
        description="Where the lifted mask or emergency it rests on stands; empty for none."
    )
    under_title: str
    reason: str
    snapshot: str = Field(description="Version of the data that was read; empty for none.")
    lake_snapshot: int | None = Field(description="The history it was made of, to show it again.")
    request: str = Field(description="Id of the request.")
    withheld: Withheld | None = Field(
        description="Until when and why it was kept from you; null where it was not."
    )
    erased: Erased | None = Field(
        description="When, by whom and why it was erased; of such a use only the time is left."
    )
    persons: int | None = Field(
        description="How many persons are in the file it was given in; null where in none."
    )
    proof: str = Field(description="Where the proof of this use is had; empty once it is erased.")
    public: bool = Field(description="Whether it is public yet, so that its proof can be had.")


class Uses(Wire):
    """Who used the citizen's records, newest first."""

    model_config = example(
        {
            "uses": [
                {
                    "index": 41,
                    "time": "2026-06-05T01:02:03Z",
                    "outcome": "allowed",
                    "agency": "east_street",
                    "agency_title": "东街街道",
                    "post": "网格员",
                    "purpose": "residence.verify",
                    "purpose_title": "居住核实",
                    "legal_basis": "个人信息保护法 13(1)(3), 34",
                    "action": "opened",
                    "road": "lookup",
                    "role": "asked_about",
                    "datasets": ["实有人口"],
                    "fields": [
                        {
                            "dataset": "population.resident",
                            "dataset_title": "实有人口",
                            "column": "name",
                            "title": "姓名",
                            "how": "clear",
                        }
                    ],
                    "with_case": True,
                    "under": "",
                    "under_title": "",
                    "reason": "网格员为居住核实查询本人负责区域内的人员。",
                    "snapshot": "20260605T000000.000000Z",
                    "lake_snapshot": 12,
                    "request": "9f0c2d4b6a8e1357",
                    "withheld": None,
                    "erased": None,
                    "persons": None,
                    "proof": "/v1/me/uses/41/proof",
                    "public": True,
                }
            ]
        }
    )

    uses: list[Use]
