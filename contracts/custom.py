"""Our custom properties: `custom_properties.schema.json` says what there is, and judges it.

What the schema refuses is a finding at its line and is not handed on, so that whoever reads a
property may rely on its form.

Source: ODCS v3.2 customProperties; JSON Schema 2019-09.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError

from contracts.document import Document, Place, listed, mapping

SCHEMA_FILE = Path(__file__).with_name("custom_properties.schema.json")
Where = Literal["onContract", "onColumn", "onServiceLevel"]


def custom_schema(where: Where) -> Mapping[str, Any]:
    """Return the schema of the custom properties of a contract, column or service level."""
    found: Mapping[str, Any] = _schema()["$defs"][where]
    return found


def read_custom(
    document: Document, entry: Mapping[str, Any], place: Place, where: Where
) -> dict[str, Any]:
    """Return an entry's customProperties as name -> value, only those that are as they must be.

    An unknown, repeated, missing or ill-formed property is a finding at its own line.
    """
    schema = custom_schema(where)
    found: dict[str, Any] = {}
    places: dict[str, Place] = {}
    for n, item in enumerate(listed(entry.get("customProperties"))):
        name, here = str(mapping(item).get("property")), (*place, "customProperties", n)
        if name not in schema["properties"]:
            known = ", ".join(schema["properties"])
            document.find(here, f"custom property {name!r} is not one of {known}")
        elif name in found:
            document.find(here, f"custom property {name!r} is given twice")
        else:
            found[name], places[name] = mapping(item).get("value"), here
            document.lines[("custom", *place, name)] = document.line(here)
    for name in schema.get("required", ()):
        if name not in found:
            document.find((*place, "customProperties"), f"custom property {name!r} is missing")
    for error in list(_validator(where).iter_errors(found)):
        if error.absolute_path:
            name = str(error.absolute_path[0])
            document.find((*places[name], "value", *_rest(error)), _message(name, error))
            found.pop(name, None)
    return found


def _rest(error: ValidationError) -> Place:
    return tuple(error.absolute_path)[1:]


def _message(name: str, error: ValidationError) -> str:
    at = "".join(f".{step}" for step in _rest(error))
    if error.validator == "enum":
        allowed: Any = error.validator_value
        wanted = f"must be one of {', '.join(map(str, allowed))}"
        return f"{name}{at} {error.instance!r} {wanted}"
    return f"{name}{at}: {error.message}"


@cache
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))
    return schema


@cache
def _validator(where: Where) -> Draft201909Validator:
    return Draft201909Validator({**_schema(), "$ref": f"#/$defs/{where}"})
