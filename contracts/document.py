"""A YAML file as plain values that remember the line each came from.

Dates stay texts (ODCS is JSON underneath) and a key written twice is a finding, not a silent loss.

Source: YAML 1.1 as PyYAML reads it; JSON Pointer paths as tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
_SCALARS = ("null", "bool", "int", "float")


@dataclass(slots=True)
class Document:
    """One file: its value, the line of every place in it, and what is wrong with it so far."""

    file: str
    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the nearest one above it that is written down."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def find(self, place: Place, message: str) -> None:
        """Record a finding at a place."""
        self.findings.append(f"{self.file}:{self.line(place)}: {message}")


def read_document(path: Path) -> Document:
    """Return a YAML file as a document; what cannot be read is a finding in it."""
    document = Document(path.name)
    try:
        root = yaml.compose(path.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        document.findings.append(f"{path.name}:{line}: not YAML: {exc.problem}")
        return document
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        document.findings.append(f"{path.name}:1: not YAML in UTF-8: {type(exc).__name__}")
        return document
    if root is not None:
        document.value = _build(document, root, ())
    return document


def _build(document: Document, node: Any, place: Place) -> Any:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_build(document, item, (*place, n)) for n, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        inner = (*place, key)
        document.lines[inner] = key_node.start_mark.line + 1
        if key in built:
            document.find(inner, f"key {key!r} is written twice")
        built[key] = _build(document, value_node, inner)
    return built


def _scalar(node: Any) -> Any:
    kind = node.tag.rpartition(":")[2]
    if kind not in _SCALARS:
        return node.value
    constructor = yaml.constructor.SafeConstructor()
    return constructor.construct_object(node)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> Sequence[Any]:
    """Return a value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()
