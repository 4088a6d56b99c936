"""From an ODCS document to a `Contract`: what the standard says, then what we add to it.

The official JSON schema judges the form; here the meaning is read, and everything that cannot
be meant is a finding at its line. Unknown custom properties are findings too: a misspelt
`sharingType` must not leave a dataset without one.

Source: ODCS v3.2 JSON schema; docs of our custom properties in the contract guide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from contracts.custom import read_custom
from contracts.document import Document, Place, listed, mapping
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
OPTIONS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
}
#: Names of the check's own columns and of the register's, which stand beside a contract's.
RESERVED = (
    *("row_number", "rowid", "failed_rules", "aside", "plain"),
    *("record_key", "content_mac", "batch_id", "valid_from", "valid_to", "ended_by", "sealed"),
)
_BOUNDS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?"),
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DATASET = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
SEMANTIC_TYPES = {"birth_date": "date"}  # every other meaning is of a string
SERVICE_LEVELS = {
    "frequency": ("h", "d", "w", "m", "q", "y"),
    "latency": ("workingDays", "h", "d"),
    "correction": ("workingDays", "h", "d"),
    "retention": ("d", "m", "y"),
}
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
PLACES_AND_TIMES = ("month", "street", "community", "grid")
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
    custom = read_custom(document, root, (), "onContract")
    status = root.get("status")
    if status not in STATUSES:
        document.find(("status",), f"status {status!r} is not one of {', '.join(STATUSES)}")
    place: Place = ("schema", 0, "properties")
    properties = tuple(
        read
        for n, entry in enumerate(listed(mapping(objects[0]).get("properties")))
        if (read := _property(document, mapping(entry), (*place, n))) is not None
    )
    _check_names(document, properties, keyless=custom.get("deliveryMode") == "append")
    _check_breakdown(document, custom, properties)
    description = mapping(root.get("description"))
    contract = Contract(
        name=_dataset_name(document, root),
        version=str(root.get("version", "")),
        status=str(status),
        title=str(custom.get("title", "")),
        owner=str(custom.get("ownerDepartment", "")),
        sharing=SharingType(custom.get("sharingType", SharingType.NOT_SHARED)),
        legal_basis=str(custom.get("legalBasis", "")),
        update_cycle=custom.get("updateCycle", "yearly"),
        mode=custom.get("deliveryMode", "full"),
        properties=properties,
        purposes=tuple(custom.get("purposes", ())),
        bar=_bar(custom),
        sources=_sources(document, custom, properties),
        service_levels=_service_levels(document, root),
        stewards=_stewards(document, root),
        area_column=_column_name(document, "areaColumn", custom, properties),
        time_column=_column_name(document, "timeColumn", custom, properties),
        description=str(description.get("purpose", "")),
        owner_line=document.line(("custom", "ownerDepartment")),
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
    custom = read_custom(document, entry, place, "onColumn")
    level = _level(document, entry, place)
    semantic = custom.get("semanticType")
    if semantic is not None and kind != SEMANTIC_TYPES.get(semantic, "string"):
        wanted = SEMANTIC_TYPES.get(semantic, "string")
        document.find(place, f"semanticType {semantic!r} needs logicalType {wanted}, not {kind}")
        semantic = None
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
        sealed=custom.get("sealed", level in _PERSONAL),
        references=_references(document, entry, place),
        description=str(entry.get("description", "")),
        line=document.line(place),
    )


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
    values: dict[str, Any] = {}
    for name, value in mapping(entry.get("logicalTypeOptions")).items():
        problem = _option_problem(name, value, kind)
        if problem:
            document.find((*place, name), problem)
        else:
            values[OPTIONS[name]] = value
    for low, high in (("min_length", "max_length"), ("minimum", "maximum")):
        if low in values and high in values and not values[low] <= values[high]:
            document.find(place, f"{low} {values[low]} lies above {high} {values[high]}")
    return TypeOptions(**values)


def _option_problem(name: str, value: Any, kind: str) -> str | None:
    """Return what is wrong with one of logicalTypeOptions, or None."""
    if name not in OPTIONS:
        return f"logicalTypeOptions {name!r} is not supported"
    if name in ("minLength", "maxLength", "pattern") and kind != "string":
        return f"{name} is for a string, not for a {kind}"
    if name == "pattern":
        problem = pattern_problem(value) if isinstance(value, str) else "not a text"
        return f"pattern {value!r}: {problem}" if problem else None
    if name in ("minLength", "maxLength"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and 0 <= value < 2**31 else f"{name} {value!r} is no length"
    return None if _fits(value, kind) else f"{name} {value!r} is no {kind}"


def _fits(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value) and abs(value) < 2**63
    if not isinstance(value, str) or kind == "boolean":
        return False
    form = _BOUNDS.get(kind)
    if form is None:
        return True
    try:
        return form.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _clear_as(
    document: Document, custom: Mapping[str, Any], kind: str, place: Place
) -> dict[str, str]:
    given: dict[str, str] = custom.get("clearAs", {})
    if given and kind not in ("date", "timestamp"):
        document.find(("custom", *place, "clearAs"), f"clearAs: a {kind} has no year or month")
        return {}
    return given


def _references(
    document: Document, entry: Mapping[str, Any], place: Place
) -> tuple[Reference, ...]:
    found = []
    for n, item in enumerate(listed(entry.get("relationships"))):
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
    for item in properties:
        for name in item.clear_as:
            if name in seen:
                document.findings.append(
                    f"{document.file}:{item.line}: clearAs {name!r} is the name of another column"
                )
            if name in RESERVED:
                document.findings.append(
                    f"{document.file}:{item.line}: clearAs {name!r} is a name the hub keeps itself"
                )
            seen.add(name)
    for item in properties:
        if item.role and f"{item.role}_key" in seen:
            document.findings.append(
                f"{document.file}:{item.line}: {item.role}_key is the hub's own name for the "
                f"subject {item.role!r}: name that column differently"
            )
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


def _bar(custom: Mapping[str, Any]) -> PublishBar:
    names = {"keyAccuracyPercent": "key_accuracy_percent", "overallPercent": "overall_percent"}
    given = custom.get("publishBar", {})
    return PublishBar(**{names[name]: float(value) for name, value in given.items()})


def _service_levels(document: Document, root: Mapping[str, Any]) -> tuple[ServiceLevel, ...]:
    levels: dict[str, ServiceLevel] = {}
    for n, entry in enumerate(listed(root.get("slaProperties"))):
        place: Place = ("slaProperties", n)
        item = mapping(entry)
        read_custom(document, item, place, "onServiceLevel")
        name, value, unit = str(item.get("property")), item.get("value"), item.get("unit", "")
        if name not in SERVICE_LEVELS:
            document.find(place, f"sla {name!r} is not one of {', '.join(SERVICE_LEVELS)}")
        elif (
            not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 10_000
        ):
            document.find((*place, "value"), f"sla {name}: {value!r} must be a number above 0")
        elif unit not in SERVICE_LEVELS[name]:
            units = ", ".join(SERVICE_LEVELS[name])
            document.find((*place, "unit"), f"sla {name}: unit {unit!r} must be one of {units}")
        elif name in levels:
            document.find(place, f"sla {name!r} is given twice")
        else:
            levels[name] = ServiceLevel(name, value, unit)
    return tuple(levels.values())


def _stewards(document: Document, root: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who answers for the data; nobody is a finding."""
    members = map(mapping, listed(mapping(root.get("team")).get("members")))
    found = tuple(
        str(member["username"])
        for member in members
        if member.get("role") == "steward" and member.get("username")
    )
    if not found:
        document.find(("team",), "team has no member of role steward: who answers for the data?")
    return found


def _sources(
    document: Document, custom: Mapping[str, Any], properties: Sequence[Property]
) -> tuple[SourceMap, ...]:
    columns = {item.name for item in properties}
    sources = []
    for partner, given in custom.get("sources", {}).items():
        headers = given.get("headers", {})
        maps = {
            column: {raw: str(code) for raw, code in pairs.items()}
            for column, pairs in given.get("codeMaps", {}).items()
        }
        for unknown in sorted((set(headers.values()) | set(maps)) - columns):
            document.find(("custom", "sources"), f"sources.{partner} names no column: {unknown!r}")
        sources.append(SourceMap(partner, headers, maps))
    return tuple(sources)


def _check_breakdown(
    document: Document, custom: Mapping[str, Any], properties: Sequence[Property]
) -> None:
    known = {*PLACES_AND_TIMES, *(item.name for item in properties)}
    known |= {name for item in properties for name in item.clear_as}
    for name in custom.get("breakdown", ()):
        if name not in known:
            document.find(("custom", "breakdown"), f"breakdown {name!r} names no column")


def _column_name(
    document: Document, name: str, custom: Mapping[str, Any], properties: Sequence[Property]
) -> str | None:
    value = custom.get(name)
    if value is not None and value not in {item.name for item in properties}:
        document.find(("custom", name), f"{name} {value!r} names no column")
        return None
    return value
