"""Invented persons, published straight into a hub: what a look-up needs, without the road there.

The documents have the form that `assets.serving` gives them. Every identity number has the area
code 990106, which exists nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from hub.blind_index import BlindIndex
from hub.catalog import Catalog, Dataset
from hub.config import Settings
from hub.documents import pack
from hub.identifiers import resident_check_character
from hub.keyring import Keyring
from hub.quoting import literal
from hub.sealing import Pseudonymiser, Sealer
from hub.store import lake
from hub.store.snapshots import SnapshotStore, SubjectsWriter

BATCH = "20260601-invented"
SINCE = "2026-06-01"

_AT_ONCE = 10_000

_GOLDEN = {
    "resident_id": "公民身份号码",
    "name": "姓名",
    "sex": "性别",
    "birth_date": "出生日期",
    "phone": "联系电话",
    "residence_address": "现住地址",
}
_FIRST_BIRTH = date(1940, 1, 1)
_SURNAMES = "赵钱孙李周吴郑王冯陈"
_GIVEN = "明镜清正和安宁远山川"


@dataclass(frozen=True, slots=True)
class Person:
    """One invented resident who owns the home they live in."""

    serial: int
    number: str
    name: str
    birth_date: str
    phone: str
    grid_code: str
    address: str


def person(serial: int) -> Person:
    """Return the invented resident of a number; the same one each time."""
    birth = _FIRST_BIRTH + timedelta(days=serial // 1000)
    body = f"990106{birth:%Y%m%d}{serial % 1000:03d}"
    street, community = serial % 4 + 1, serial % 3 + 1
    name = _SURNAMES[serial % 10] + _GIVEN[serial // 10 % 10] + _GIVEN[serial // 100 % 10]
    return Person(
        serial=serial,
        number=body + resident_check_character(body),
        name=name,
        birth_date=birth.isoformat(),
        phone=f"199{serial:08d}",
        grid_code=f"99010600{street}00{community}{serial % 7 + 1:02d}",
        address=f"明镜区东街街道朝阳社区文化路{serial}号",
    )


def records(who: Person) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (dataset, role, values) of the records about a person."""
    yield (
        "population.resident",
        "resident",
        {
            "resident_id": who.number,
            "name": who.name,
            "former_name": None,
            "sex": "1" if int(who.number[16]) % 2 else "2",
            "ethnicity": "01",
            "birth_date": who.birth_date,
            "person_status": "0",
            "residence_type": "1",
            "household_id": f"H{who.serial}",
            "relation_to_head": "02",
            "marital_status": "20",
            "education": "20",
            "phone": who.phone,
            "registered_address": who.address,
            "residence_address": who.address,
            "address_id": f"A{who.serial}",
            "division_code": who.grid_code[:9],
            "grid_code": who.grid_code,
            "workplace": "虚构工厂",
            "collected_on": SINCE,
        },
    )
    yield "housing.dwelling", "owner", {
        "dwelling_id": f"D{who.serial}",
        "address_id": f"A{who.serial}",
        "category": "1",
        "ownership": "1",
        "usage": "1",
        "rooms": 3,
        "area_sqm": 88.5,
        "certificate_no": f"Z{who.serial}",
        "owner_id": who.number,
        "owner_name": who.name,
        "owner_phone": who.phone,
        "is_rented": "0",
        "address": who.address,
        "grid_code": who.grid_code,
        "updated_on": SINCE,
    }  # fmt: skip


def document(who: Person, key: bytes, catalog: Catalog) -> dict[str, Any]:
    """Return the subject document of a person."""
    held = list(records(who))
    resident = held[0][2]
    golden = {
        field: {
            "value": resident[field],
            "source": f"population.resident.{field}",
            "batch": BATCH,
            "since": SINCE,
            "why": "only source",
            "title": title,
            "codes": "sex" if field == "sex" else None,
        }
        for field, title in _GOLDEN.items()
    }
    return {
        "subject": key.hex(),
        "area": who.grid_code,
        "golden": golden,
        "records": [_record(catalog[name], role, values) for name, role, values in held],
        "conflicts": [],
    }


def _record(dataset: Dataset, role: str, values: Mapping[str, Any]) -> dict[str, Any]:
    sealed = {column.name for column in dataset.columns if column.sealed}
    named = f"{dataset.name} {values[dataset.key[0]]}".encode()
    return {
        "dataset": dataset.name,
        "record": hashlib.sha256(named).hexdigest()[:32],
        "role": role,
        "batch": BATCH,
        "since": SINCE,
        "clear": {c: value for c, value in values.items() if c not in sealed},
        "sealed": {c: value for c, value in values.items() if c in sealed},
        "others": {},
    }


def publish(
    settings: Settings,
    keyring: Keyring,
    catalog: Catalog,
    persons: Iterable[Person],
    *,
    version: str = "20260601T000000Z",
    analytic: Iterable[str] = (),
) -> None:
    """Publish persons as a snapshot.

    Args:
        analytic: SQL statements that fill the schema `analytic`, whose clear tables are counted.
    """
    store = SnapshotStore(settings)
    folder = store.begin(version)
    keys = _Keys(keyring)
    writer = SubjectsWriter(folder / "subjects.sqlite")
    identities: list[bytes] = []
    everybody = iter(persons)
    while some := list(islice(everybody, _AT_ONCE)):
        found = [(keys.subject_of(who.number), who) for who in some]
        writer.documents((key, keys.sealed(key, document(who, key, catalog))) for key, who in found)
        writer.tokens(row for key, who in found for row in keys.tokens(key, who))
        identities += [keys.identifiers.of(who.number) + key for key, who in found]
    identities.sort()  # a table that is filled in the order of its keys is filled once
    writer.identities((both[:16], both[16:]) for both in identities)
    writer.close()
    con = lake.open_workspace(settings)
    con.execute(f"ATTACH {literal(str(folder / 'analytic.duckdb'))} AS analytic")
    for statement in analytic:
        con.execute(statement)
    con.execute("DETACH analytic")
    con.close()
    store.publish(version, 0, {"made_from": "invented persons"})


class _Keys:
    """The keyed names and the seal of a hub."""

    def __init__(self, keyring: Keyring) -> None:
        self.identifiers = Pseudonymiser(keyring, "identifier")
        self._subjects = Pseudonymiser(keyring, "subject")
        self._sealer = Sealer(keyring, "document")
        self._index = BlindIndex(keyring)

    def subject_of(self, number: str) -> bytes:
        return self._subjects.of(self.identifiers.of(number))

    def sealed(self, key: bytes, body: Mapping[str, Any]) -> bytes:
        return self._sealer.seal(pack(body), key)

    def tokens(self, key: bytes, who: Person) -> Iterator[tuple[str, bytes, bytes]]:
        yield "name_birth", self._index.name_birth(who.name, who.birth_date), key
        yield "phone", self._index.phone(who.phone), key
        yield "address", self._index.address(who.address), key
