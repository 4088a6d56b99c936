"""From an ODCS document to a `Contract`: what the standard says, then what we add to it.

The official JSON schema judges the form; here the meaning is read, and everything that cannot
be meant is a finding at its line. Unknown custom properties are findings too: a misspelt
`sharingType` must not leave a dataset without one.

Source: ODCS v3.1 JSON schema; docs of our custom properties in the contract guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.document import Document, Place, mapping
from contracts.model import (
    Contract,
    Property,
    PublishBar,
    Reference,
    ServiceLevel,
    SourceMap,
    TypeOptions,
)
from contracts.quality import read_rules
from contracts.shapes import pattern_problem
from hub.catalog import Classification, SharingType

LOGICAL_TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")
UPDATE_CYCLES = ("realtime", "daily", "weekly", "monthly", "quarterly", "yearly")
MODES = ("full", "append")
GENERALISATIONS = ("year", "month", "age_band")
SEMANTICS = (
    "address",
    "bank_account",
    "birth_date",
    "credit_code",
    "disability_certificate",
    "division_code",
    "free_text",
    "person_name",
    "phone",
    "resident_id",
)
CONTRACT_PROPERTIES = (
    "title",
    "ownerDepartment",
    "sharingType",
    "legalBasis",
    "legalBasisNotes",
    "purposes",
    "updateCycle",
    "deliveryMode",
    "areaColumn",
    "timeColumn",
    "breakdown",
    "publishBar",
    "sources",
    "secrecyReviewed",
    "secrecyRemark",
)
REQUIRED_PROPERTIES = (
    "title",
    "ownerDepartment",
    "sharingType",
    "legalBasis",
    "updateCycle",
    "deliveryMode",
)
COLUMN_PROPERTIES = ("semanticType", "subjectRole", "codeSet", "clearAs", "sealed")
OPTIONS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
}
RESERVED = ("row_number", "rowid", "failed_rules", "aside")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DATASET = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_PERSONAL = (Classification.L3, Classification.L4)


def read_contract(document: Document) -> Contract | None:
    """Return the contract of a document, or None when its findings leave none to speak of."""
    root = mapping(document.value)
    objects = root.get("schema")
    if not isinstance(objects, list) or len(objects) != 1:
        document.find(
            ("schema",), "one contract describes one dataset: give exactly one schema object"
        )
        return None
    custom = _custom(document, root, (), CONTRACT_PROPERTIES)
    for name in REQUIRED_PROPERTIES:
        if name not in custom:
            document.find(("customProperties",), f"custom property {name!r} is missing")
    place: Place = ("schema", 0, "properties")
    entries = mapping(objects[0]).get("properties")
    properties = tuple(
        read
        for n, entry in enumerate(entries if isinstance(entries, list) else [])
        if (read := _property(document, mapping(entry), (*place, n))) is not None
    )
    _check_names(document, properties, keyless=custom.get("deliveryMode") == "append")
    description = mapping(root.get("description"))
    contract = Contract(
        name=_dataset_name(document, root),
        version=str(root.get("version", "")),
        title=str(custom.get("title", "")),
        owner=str(custom.get("ownerDepartment", "")),
        sharing=_choice(document, "sharingType", custom, [*SharingType], SharingType.NOT_SHARED),
        legal_basis=str(custom.get("legalBasis", "")),
        update_cycle=_choice(document, "updateCycle", custom, UPDATE_CYCLES, "yearly"),
        mode=_choice(document, "deliveryMode", custom, MODES, "full"),
        properties=properties,
        purposes=tuple(str(item) for item in _list(document, "purposes", custom)),
        bar=_bar(document, custom),
        sources=_sources(document, custom, properties),
        service_levels=tuple(
            ServiceLevel(
                str(item.get("property")), item.get("value", ""), str(item.get("unit", ""))
            )
            for item in map(mapping, root.get("slaProperties") or ())
        ),
        stewards=tuple(
            str(member["username"])
            for member in map(mapping, mapping(root.get("team")).get("members") or ())
            if member.get("role") == "steward" and "username" in member
        ),
        area_column=_column_name(document, "areaColumn", custom, properties),
        time_column=_column_name(document, "timeColumn", custom, properties),
        description=str(description.get("purpose", "")),
        file=document.file,
        custom=custom,
        document=root,
    )
    return read_rules(document, contract, mapping(objects[0]))


def _property(document: Document, entry: Mapping[str, Any], place: Place) -> Property | None:
    name = str(entry.get("name", ""))
    if not _NAME.fullmatch(name) or name in RESERVED:
        document.find(
            place, f"column name {name!r} must be snake_case and none of {', '.join(RESERVED)}"
        )
        return None
    kind = str(entry.get("logicalType", "string"))
    if kind not in LOGICAL_TYPES:
        document.find(
            (*place, "logicalType"),
            f"logicalType {kind!r} is not one of {', '.join(LOGICAL_TYPES)}",
        )
        return None
    custom = _custom(document, entry, place, COLUMN_PROPERTIES)
    level = _level(document, entry, place)
    semantic = custom.get("semanticType")
    if semantic is not None and semantic not in SEMANTICS:
        document.find(place, f"semanticType {semantic!r} is not one of {', '.join(SEMANTICS)}")
    return Property(
        name=name,
        title=str(entry.get("businessName") or name),
        logical_type=kind,
        classification=level,
        required=bool(entry.get("required", False)),
        unique=bool(entry.get("unique", False)),
        key_position=_key_position(entry),
        key_field=bool(entry.get("criticalDataElement", False)),
        options=_options(document, entry, kind, (*place, "logicalTypeOptions")),
        semantic=semantic,
        role=custom.get("subjectRole"),
        code_set=custom.get("codeSet"),
        clear_as=_clear_as(document, custom, kind, place),
        sealed=bool(custom.get("sealed", level in _PERSONAL)),
        references=_references(document, entry, place),
        description=str(entry.get("description", "")),
        line=document.line(place),
    )


def _custom(
    document: Document, entry: Mapping[str, Any], place: Place, known: Sequence[str]
) -> dict[str, Any]:
    """Return customProperties as a mapping; an unknown or repeated name is a finding."""
    found: dict[str, Any] = {}
    listed = entry.get("customProperties")
    for n, item in enumerate(listed if isinstance(listed, list) else []):
        name = str(mapping(item).get("property"))
        here = (*place, "customProperties", n)
        if name not in known:
            document.find(here, f"custom property {name!r} is not one of {', '.join(known)}")
        elif name in found:
            document.find(here, f"custom property {name!r} is given twice")
        else:
            found[name] = mapping(item).get("value")
            document.lines[("custom", *place, name)] = document.line(here)
    return found


def _level(document: Document, entry: Mapping[str, Any], place: Place) -> Classification:
    text = str(entry.get("classification", ""))
    if text in Classification.__members__:
        return Classification[text]
    document.find((*place, "classification"), f"classification {text!r} must be L1, L2, L3 or L4")
    return Classification.L4


def _key_position(entry: Mapping[str, Any]) -> int | None:
    if not entry.get("primaryKey"):
        return None
    position = entry.get("primaryKeyPosition", 1)
    return position if isinstance(position, int) and position > 0 else 1


def _options(document: Document, entry: Mapping[str, Any], kind: str, place: Place) -> TypeOptions:
    given = mapping(entry.get("logicalTypeOptions"))
    for name in given:
        if name not in OPTIONS and name not in (
            "format",
            "timezone",
            "defaultTimezone",
            "multipleOf",
        ):
            document.find((*place, name), f"logicalTypeOptions {name!r} is not supported")
    values = {ours: given[name] for name, ours in OPTIONS.items() if name in given}
    pattern = values.get("pattern")
    if pattern is not None and (problem := pattern_problem(str(pattern))):
        document.find((*place, "pattern"), f"pattern {pattern!r}: {problem}")
        values.pop("pattern")
    for low, high in (("min_length", "max_length"), ("minimum", "maximum")):
        if low in values and high in values and not values[low] <= values[high]:
            document.find(place, f"{low} {values[low]} lies above {high} {values[high]}")
    numeric = {n: v for n, v in values.items() if "imum" in n}
    wrong = [n for n, v in numeric.items() if not _fits(v, kind)]
    for name in wrong:
        document.find(place, f"{name} {values.pop(name)!r} is no {kind}")
    return TypeOptions(**values)


def _fits(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("date", "timestamp"):
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?", str(value)))
    return kind == "string"


def _clear_as(
    document: Document, custom: Mapping[str, Any], kind: str, place: Place
) -> dict[str, str]:
    given = {str(name): str(how) for name, how in mapping(custom.get("clearAs")).items()}
    for name, how in given.items():
        if how not in GENERALISATIONS or kind not in ("date", "timestamp"):
            document.find(
                place,
                f"clearAs {name!r}: {how!r} must be one of {', '.join(GENERALISATIONS)}, of a date",
            )
    return given


def _references(
    document: Document, entry: Mapping[str, Any], place: Place
) -> tuple[Reference, ...]:
    found = []
    listed = entry.get("relationships")
    for n, item in enumerate(listed if isinstance(listed, list) else []):
        dataset, dot, column = str(mapping(item).get("to", "")).rpartition(".")
        if not dot or not _DATASET.fullmatch(dataset):
            document.find(
                (*place, "relationships", n), "relationship must point to domain.dataset.column"
            )
        else:
            found.append(Reference(dataset, column))
    return tuple(found)


def _check_names(document: Document, properties: Sequence[Property], *, keyless: bool) -> None:
    """Find names given twice, and a missing key where rows have to be merged by it."""
    seen: set[str] = set()
    titles: set[str] = set()
    for item in properties:
        if item.name in seen or item.title in titles:
            document.findings.append(
                f"{document.file}:{item.line}: column {item.name!r} or its title is there twice"
            )
        seen.add(item.name)
        titles.add(item.title)
    positions = [item.key_position for item in properties if item.key_position is not None]
    if not positions and not keyless:
        document.find(
            ("schema", 0), "no primaryKey: only a dataset that is appended to can do without one"
        )
    elif len(set(positions)) != len(positions):
        document.find(("schema", 0), "primaryKeyPosition is given twice")


def _dataset_name(document: Document, root: Mapping[str, Any]) -> str:
    name = str(root.get("name") or "")
    if not _DATASET.fullmatch(name):
        document.find(("name",), f"name {name!r} must be domain.dataset in snake_case")
    return name


def _choice(
    document: Document, name: str, custom: Mapping[str, Any], allowed: Sequence[Any], fallback: Any
) -> Any:
    value = custom.get(name, fallback)
    if value in allowed:
        return allowed[list(allowed).index(value)]
    document.find(
        ("custom", name), f"{name} {value!r} must be one of {', '.join(map(str, allowed))}"
    )
    return fallback


def _list(document: Document, name: str, custom: Mapping[str, Any]) -> list[Any]:
    value = custom.get(name, [])
    if isinstance(value, list):
        return value
    document.find(("custom", name), f"{name} must be a list")
    return []


def _bar(document: Document, custom: Mapping[str, Any]) -> PublishBar:
    given = mapping(custom.get("publishBar"))
    names = {"keyAccuracyPercent": "key_accuracy_percent", "overallPercent": "overall_percent"}
    values: dict[str, float] = {}
    for name, value in given.items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in names or not numeric or not 0 <= value <= 100:
            document.find(
                ("custom", "publishBar"), f"publishBar {name}: {value!r} must be a percentage"
            )
        else:
            values[names[name]] = float(value)
    return PublishBar(**values)


def _sources(
    document: Document, custom: Mapping[str, Any], properties: Sequence[Property]
) -> tuple[SourceMap, ...]:
    columns = {item.name for item in properties}
    sources = []
    for partner, given in mapping(custom.get("sources")).items():
        headers = {str(k): str(v) for k, v in mapping(mapping(given).get("headers")).items()}
        maps = {
            str(column): {str(raw): str(code) for raw, code in mapping(pairs).items()}
            for column, pairs in mapping(mapping(given).get("codeMaps")).items()
        }
        for unknown in sorted((set(headers.values()) | set(maps)) - columns):
            document.find(("custom", "sources"), f"sources.{partner} names no column: {unknown!r}")
        for unknown in sorted(set(mapping(given)) - {"headers", "codeMaps"}):
            document.find(("custom", "sources"), f"sources.{partner}.{unknown} is not known")
        sources.append(SourceMap(str(partner), headers, maps))
    return tuple(sources)


def _column_name(
    document: Document, name: str, custom: Mapping[str, Any], properties: Sequence[Property]
) -> str | None:
    value = custom.get(name)
    if value is not None and value not in {item.name for item in properties}:
        document.find(("custom", name), f"{name} {value!r} names no column")
        return None
    return value
