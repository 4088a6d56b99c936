"""Subject documents: everything held about one person, sealed, findable by blind token.

Form of the opened document (JSON):
    {"subject": hex, "area": grid code or null,
     "golden": {field: {"value", "source", "batch", "since", "why"}},
     "records": [{"dataset", "record": hex, "role", "batch", "since",
                  "clear": {column: value}, "sealed": {column: value}, "others": [role]}],
     "conflicts": [kind]}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from assets.integrated.conflicts import find_conflicts
from assets.integrated.golden import golden_record
from assets.integrated.rules import PersonRules
from assets.integrated.subjects import Held, Subject
from hub.blind_index import BlindIndex
from hub.catalog import Catalog


def document(subject: Subject, rules: PersonRules, catalog: Catalog) -> dict[str, Any]:
    """Return the document of one subject."""
    golden = golden_record(subject, rules.golden)
    return {
        "subject": subject.key.hex(),
        "area": area_of(subject, catalog),
        "golden": golden,
        "records": [_record(held) for held in subject.records],
        "conflicts": [rule.kind for rule, _ in find_conflicts(subject, rules.conflicts)],
    }


def encode(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document."""
    return orjson.dumps(body)


def area_of(subject: Subject, catalog: Catalog) -> str | None:
    """Return the grid code of the residence, else of the first record that has a place."""
    lead, other = None, None
    for held in subject.records:
        column = catalog[held.dataset].area_column
        place = held.values.get(column) if column else None
        if place is not None:
            if held.dataset == "population.resident":
                lead = lead or place
            other = other or place
    return lead or other


def _record(held: Held) -> dict[str, Any]:
    clear = {c: held.values.get(c) for c in held.clear}
    return {
        "dataset": held.dataset,
        "record": held.record_key.hex(),
        "role": held.role,
        "batch": held.batch,
        "since": held.since.date().isoformat(),
        "clear": clear,
        "sealed": {c: v for c, v in held.values.items() if c not in clear},
        "others": list(held.others),
    }


def tokens(
    key: bytes, golden: Mapping[str, Mapping[str, Any]], index: BlindIndex
) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the (kind, token, subject key) rows by which a subject can be found."""

    def value(field: str) -> str | None:
        cell = golden.get(field)
        return None if cell is None else str(cell["value"])

    number, name, birth = value("resident_id"), value("name"), value("birth_date")
    phone, address = value("phone"), value("residence_address")
    if number is not None:
        yield "resident_id", index.resident_id(number), key
    if name is not None and birth is not None:
        yield "name_birth", index.name_birth(name, birth), key
    if phone is not None:
        yield "phone", index.phone(phone), key
    if address is not None:
        yield "address", index.address(address), key
