"""Subject documents: everything held about one person, sealed, findable by blind token.

Form of the opened document (JSON):
    {"subject": hex, "area": grid code or null,
     "golden": {field: {"value", "source", "record": hex, "batch", "since", "why", "title", "codes"}},
     "records": [{"dataset", "record": hex, "role", "batch", "since",
                  "clear": {column: value}, "sealed": {column: value}, "others": {role: identifier key hex}}],
     "conflicts": [kind]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assets.integrated.persons import Person
from assets.integrated.subjects import Held
from hub.blind_index import BlindIndex
from hub.identifiers import ResidentId


def document(person: Person) -> dict[str, Any]:
    """Return the document of one person."""
    return {
        "subject": person.subject.key.hex(),
        "area": person.area,
        "golden": person.golden,
        "records": [_record(held) for held in person.subject.records],
        "conflicts": [conflict.rule.kind for conflict in person.conflicts],
    }


def _record(held: Held) -> dict[str, Any]:
    return {
        "dataset": held.dataset,
        "record": held.record_key.hex(),
        "role": held.role,
        "batch": held.batch,
        "since": held.since,
        "clear": held.clear,
        "sealed": held.sealed,
        "others": held.others,
    }


def tokens(person: Person, index: BlindIndex) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the (kind, token, subject key) rows by which a person can be found."""
    key = person.subject.key
    name, birth = person.value("name"), person.value("birth_date") or _birth_by_number(person)
    phone, address = person.value("phone"), person.value("residence_address")
    if name is not None and birth is not None:
        yield "name_birth", index.name_birth(name, birth), key
    if phone is not None:
        yield "phone", index.phone(phone), key
    if address is not None:
        yield "address", index.address(address), key


def _birth_by_number(person: Person) -> str | None:
    """Return the birth date that the number carries: some departments keep no other."""
    number = ResidentId.parse(str(person.value("resident_id") or ""))
    return number.birth_date.isoformat() if number else None
