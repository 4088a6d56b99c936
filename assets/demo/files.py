"""Text and Parquet files as departments send them, and the manifest that goes with each.

Writers take columns block after block and hold no more than one. The same rows give the same
bytes: no clock, no names, no order that depends on the machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.demo.columns import Column, join

Columns = Mapping[str, Column]


class Writer(Protocol):
    """Appends blocks of rows to one file."""

    def write(self, columns: Columns) -> None:
        """Append the rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def run_together(column: Column) -> memoryview | bytes:
    """Return the values of a column without nulls, run together."""
    if not len(column):
        return b""
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    first, last = offsets[column.offset], offsets[column.offset + len(column)]
    data: memoryview = memoryview(column.buffers()[2])
    return data[first:last]


def holds(column: Column, *marks: bytes) -> bool:
    """Say whether any mark occurs anywhere in a column without nulls."""
    data = bytes(run_together(column))
    return any(mark in data for mark in marks)


def _quoted(column: Column) -> Column:
    """Return values as CSV cells: quoted where they hold a comma, a quote or a line break."""
    cell = column.fill_null("")
    if not holds(cell, b",", b'"', b"\n", b"\r"):
        return cell
    inside = join('"', pc.replace_substring(cell, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(cell, '[,"\r\n]'), inside, cell)


class CsvFile:
    """Comma-separated text with a header line; line ends as spreadsheets write them."""

    def __init__(self, path: Path, headers: Mapping[str, str], encoding: str) -> None:
        self._out = path.open("wb")
        self._names = tuple(headers)
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        if encoding == "utf-8-sig":
            self._out.write(b"\xef\xbb\xbf")
        self._put((",".join(headers.values()) + "\r\n").encode())

    def write(self, columns: Columns) -> None:
        """Append the rows."""
        cells = [_quoted(columns[name]) for name in self._names]
        line = pc.binary_join_element_wise(*cells, ",")
        self._put(run_together(join(line, "\r\n")))

    def _put(self, data: bytes | memoryview) -> None:
        if self._encoding != "utf-8":
            data = str(data, "utf-8").encode(self._encoding)
        self._out.write(data)

    def close(self) -> None:
        """Finish the file."""
        self._out.close()


NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"


class JsonLinesFile:
    """One JSON object a line; columns said to be numbers are written as numbers where they are."""

    def __init__(self, path: Path, headers: Mapping[str, str], numeric: Sequence[str]) -> None:
        self._out = path.open("wb")
        self._headers = dict(headers)
        self._numeric = frozenset(numeric)

    def write(self, columns: Columns) -> None:
        """Append the rows."""
        parts: list[Column | str] = []
        for place, (name, header) in enumerate(self._headers.items()):
            start = "{" if place == 0 else ","
            parts += [
                f"{start}{json.dumps(header, ensure_ascii=False)}:",
                self._value(name, columns[name]),
            ]
        self._out.write(run_together(join(*parts, "}\n")))

    def _value(self, name: str, column: Column) -> Column:
        safe = column
        for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
            if holds(column.fill_null(""), raw.encode()):
                safe = pc.replace_substring(safe, raw, escaped)
        value = join('"', safe, '"')
        if name in self._numeric:
            value = pc.if_else(pc.match_substring_regex(column, NUMBER), column, value)
        return value.fill_null("null")

    def close(self) -> None:
        """Finish the file."""
        self._out.close()


class ParquetFile:
    """Apache Parquet with dates as dates."""

    def __init__(self, path: Path, headers: Mapping[str, str], dates: Sequence[str]) -> None:
        self._names = dict(headers)
        self._dates = frozenset(dates)
        fields = [(h, pa.date32() if n in self._dates else pa.string()) for n, h in headers.items()]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, columns: Columns) -> None:
        """Append the rows as one row group."""
        data = [
            columns[n].cast(pa.date32()) if n in self._dates else columns[n] for n in self._names
        ]
        self._writer.write_table(pa.table(data, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(path: Path, facts: Mapping[str, Any]) -> Path:
    """Write FILE.manifest.json next to the file and return its path."""
    manifest = path.with_name(f"{path.name}.manifest.json")
    manifest.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return manifest
