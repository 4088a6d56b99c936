"""JSON Lines: one object a line, members named like the contract's columns or headers.

Numbers are taken exactly; nothing nested is read.

Source: RFC 8259 (JSON), jsonlines.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from assets.delivery.headers import HeaderReader
from assets.delivery.limits import Limits
from assets.delivery.table import BATCH_ROWS, Table, write_batches
from assets.delivery.text import TextReader
from hub.errors import DeliveryRefused

_SHOWN_LINES = 5


def read_lines(
    path: Path, target: Path, headers: HeaderReader, declared: str | None, limits: Limits
) -> tuple[Table, str]:
    """Write the objects as a table; return it and the encoding found.

    Raises:
        DeliveryRefused: names the lines that are no flat object, and every member that is
            unknown, doubled or missing.
    """
    reader = TextReader(path, declared, limits.row_bytes)
    members = _members(path, declared, limits)
    columns = headers.resolve(members)
    blank = 0

    def batches() -> Iterator[tuple[Sequence[int], Sequence[Sequence[str | None]]]]:
        nonlocal blank
        for line, objects in _objects(reader):
            numbers = [line + i for i, item in enumerate(objects) if item is not None]
            present = [item for item in objects if item is not None]
            blank += len(objects) - len(present)
            yield numbers, [_texts([o.get(m) for o in present]) for m in members]

    rows = write_batches(target, columns, batches())
    changes = {("", "blank_line_dropped"): blank} if blank else {}
    return Table(target, columns, rows, 1, changes), reader.encoding


def _members(path: Path, declared: str | None, limits: Limits) -> list[str]:
    """Return every member name of the file, in the order of its first appearance."""
    names: dict[str, None] = {}
    ragged: list[str] = []
    for line, objects in _objects(TextReader(path, declared, limits.row_bytes)):
        for offset, item in enumerate(objects):
            if item is None:
                continue
            if any(isinstance(value, dict | list) for value in item.values()):
                ragged.append(f"line {line + offset} has a nested member")
            if not names.keys() >= item.keys():
                names.update(dict.fromkeys(item))
    if ragged:
        raise DeliveryRefused(
            f"{len(ragged)} lines are not flat objects: write plain values only",
            findings=tuple(ragged[:_SHOWN_LINES]),
        )
    return list(names)


def _objects(reader: TextReader) -> Iterator[tuple[int, list[dict[str, Any] | None]]]:
    """Yield (number of the first line, the objects of these lines); None for a blank line."""
    for block in reader.blocks():
        lines = block.data.split(b"\n")[:-1]
        for start in range(0, len(lines), BATCH_ROWS):
            part = lines[start : start + BATCH_ROWS]
            yield block.line + start, _parsed(part, block.line + start)


def _parsed(lines: list[bytes], first: int) -> list[dict[str, Any] | None]:
    objects: list[dict[str, Any] | None] = []
    for number, line in enumerate(lines, first):
        try:
            item = orjson.loads(line) if line.strip() else None
        except orjson.JSONDecodeError:
            item = ()
        if item is not None and not isinstance(item, dict):
            raise DeliveryRefused(
                f"line {number} is not a JSON object: write one object a line; the last line may "
                "be cut off"
            )
        objects.append(item)
    return objects


def _texts(values: list[Any]) -> list[str | None]:
    """Return the values as text."""
    return [v if v is None or isinstance(v, str) else _text(v) for v in values]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
