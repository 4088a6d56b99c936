"""Invented people of the test district: documents as publishing writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from access.ports import GuardKeys
from hub.documents import pack
from hub.errors import SourceError
from hub.identifiers import resident_check_character

EAST, WEST = "99010600100101", "99010600200101"


def invented_id(birth_date: str = "1990-03-07", sequence: int = 123) -> str:
    """Return a number with a right check character and an area code nobody has."""
    body = f"990106{birth_date.replace('-', '')}{sequence:03d}"
    return body + resident_check_character(body)


@dataclass(frozen=True)
class Person:
    """One invented person and what is held about them."""

    number: str
    name: str = "欧阳明日"
    birth_date: str = "1990-03-07"
    grid: str | None = EAST
    phone: str = "13812345678"
    home: tuple[str, str | None] = ("H0001", "A0000001")  # household and dwelling
    records: tuple[dict[str, Any], ...] = ()

    @property
    def key(self) -> bytes:
        """The subject key: any 16 bytes will do for a test."""
        return self.number.encode()[-16:]


def resident(person: Person) -> dict[str, Any]:
    """Return the person's record in the population register."""
    return record(
        "population.resident",
        "resident",
        {
            "sex": "1",
            "person_status": "0",
            "residence_type": "1",
            "household_id": person.home[0],
            "relation_to_head": "02",
            "education": "20",
            "division_code": "990106001001",
            "grid_code": person.grid,
            "collected_on": "2026-01-05",
        },
        {
            "resident_id": person.number,
            "name": person.name,
            "former_name": None,
            "ethnicity": "01",
            "birth_date": person.birth_date,
            "marital_status": "20",
            "phone": person.phone,
            "registered_address": "明镜区西街街道南门社区旧城路8号",
            "residence_address": "明镜区东街街道朝阳社区文化路12号3单元502室",
            "address_id": person.home[1],
            "workplace": "明镜纸业",
        },
    )


def record(
    dataset: str, role: str, clear: dict[str, Any], sealed: dict[str, Any]
) -> dict[str, Any]:
    """Return one record of a document."""
    return {
        "dataset": dataset,
        "record": "ab" * 16,
        "role": role,
        "batch": "B1",
        "since": "2026-01-06",
        "clear": clear,
        "sealed": sealed,
        "others": {},
    }


def document(person: Person) -> dict[str, Any]:
    """Return the opened document of a person."""
    records = [resident(person), *person.records]
    fields = {
        "resident_id": person.number,
        "name": person.name,
        "birth_date": person.birth_date,
        "sex": "1",
        "phone": person.phone,
        "residence_address": "明镜区东街街道朝阳社区文化路12号3单元502室",
    }
    golden = {
        name: {
            "value": value,
            "source": f"population.resident.{name}",
            "batch": "B1",
            "since": "2026-01-06",
            "why": "lead source",
            "title": name,
            "codes": "sex" if name == "sex" else None,
        }
        for name, value in fields.items()
    }
    return {
        "subject": person.key.hex(),
        "area": person.grid,
        "golden": golden,
        "records": records,
        "conflicts": [],
    }


@dataclass
class MemorySnapshot:
    """A published version held in memory."""

    keys: GuardKeys
    people: Sequence[Person]
    version: str = "20260301T000000Z"
    lake_snapshot: int = 7
    rows: list[dict[str, Any]] = field(default_factory=list)
    queries: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    reads: int = 0
    broken: bool = False

    def __post_init__(self) -> None:
        keys = self.keys
        self._documents = {
            p.key: keys.documents.seal(pack(document(p)), p.key) for p in self.people
        }
        self._identity = {keys.identifier.of(p.number): p.key for p in self.people}
        self._blind: dict[tuple[str, bytes], list[bytes]] = {}
        for p in self.people:
            address = "明镜区东街街道朝阳社区文化路12号3单元502室"
            for kind, token in (
                ("name_birth", keys.blind.name_birth(p.name, p.birth_date)),
                ("phone", keys.blind.phone(p.phone)),
                ("address", keys.blind.address(address)),
            ):
                self._blind.setdefault((kind, token), []).append(p.key)

    def current(self) -> MemorySnapshot:
        """Return itself: it is its own store."""
        return self

    def subject(self, subject_key: bytes) -> bytes | None:
        """Return the sealed document, counting the read."""
        if self.broken:
            raise SourceError("the snapshot cannot be read")
        self.reads += 1
        return self._documents.get(subject_key)

    def documents(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every sealed document, in key order."""
        yield from sorted(self._documents.items())

    def identity(self, identifier_key: bytes) -> bytes | None:
        """Return the subject key of an identifier key."""
        return self._identity.get(identifier_key)

    def find(self, kind: str, token: bytes, limit: int = 50) -> tuple[bytes, ...]:
        """Return the subject keys under a token."""
        return tuple(sorted(self._blind.get((kind, token), ()))[:limit])

    def also_known_as(self, number: str, key: bytes) -> None:
        """Have a second number stand for a subject, as after a correction."""
        self._identity[self.keys.identifier.of(number)] = key

    def has_counts(self, table: str) -> bool:
        """Say that it has every dataset."""
        return True

    def analytic(self, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows it was given, remembering the query."""
        self.queries.append((sql, tuple(params)))
        return self.rows
