"""Text of a delivery as UTF-8, block by block, with the line where it stops being text.

UTF-8 with or without byte order mark, and GB18030 (which contains GBK and GB2312). A file is one
of them as a whole: the first bytes beyond ASCII decide, unless the manifest has said it.

Source: RFC 3629 (UTF-8), GB 18030-2022.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import DeliveryRefused

BLOCK_BYTES = 4 << 20

_BOM = b"\xef\xbb\xbf"
_UTF8, _GB18030 = "utf-8", "gb18030"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of UTF-8, each ended by LF; `line` is the number of the first one."""

    line: int
    data: bytes


class TextReader:
    """Reads a file of text as blocks of whole lines.

    Args:
        declared: the encoding the manifest promises, or None.
        line_bytes: the longest line that is read.
    """

    def __init__(self, path: Path, declared: str | None, line_bytes: int) -> None:
        self._path = path
        self._declared = declared
        self._line_bytes = line_bytes
        self._encoding: str | None = declared

    @property
    def encoding(self) -> str:
        """The encoding found so far; pure ASCII is UTF-8."""
        return self._encoding or _UTF8

    def blocks(self) -> Iterator[Block]:
        """Yield the file's lines.

        Raises:
            DeliveryRefused: names the first line that is not text of the file's encoding, holds
                a NUL or a bare carriage return, or is too long.
        """
        line = 1
        for raw in self._raw_blocks():
            data = self._ends(self._text(raw, line), line)
            yield Block(line, data)
            line += data.count(b"\n")

    def _raw_blocks(self) -> Iterator[bytes]:
        """Yield bytes cut after line feeds, which no multi-byte character contains."""
        with self._path.open("rb") as file:
            rest = self._bom(file.read(len(_BOM)))
            while chunk := file.read(BLOCK_BYTES):
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    yield rest + chunk[:cut]
                    rest = chunk[cut:]
                else:
                    rest += chunk
                if len(rest) > self._line_bytes + BLOCK_BYTES:
                    raise DeliveryRefused(
                        "a line is longer than any row can be: end every row with a line feed"
                    )
            if rest:
                yield rest + b"\n"

    def _bom(self, head: bytes) -> bytes:
        if head != _BOM:
            return head
        if self._declared == _GB18030:
            raise DeliveryRefused(
                "the manifest says gb18030 and the file begins with the mark of UTF-8: "
                "mend the manifest"
            )
        self._encoding = _UTF8
        return b""

    def _text(self, raw: bytes, line: int) -> bytes:
        """Return the block as UTF-8."""
        if raw.isascii():
            return raw
        candidates = (self._encoding,) if self._encoding else (_UTF8, _GB18030)
        failures = []
        for encoding in candidates:
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError as exc:
                failures.append((exc.start, encoding))
            else:
                self._encoding = encoding
                return raw if encoding == _UTF8 else text.encode()
        start, encoding = max(failures)
        raise _not_text(encoding, line + raw.count(b"\n", 0, start), self._declared)

    def _ends(self, data: bytes, line: int) -> bytes:
        """Return the block with every line ended by a single LF."""
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        for unfit, what in ((b"\r", "a bare carriage return"), (b"\0", "a NUL character")):
            if (place := data.find(unfit)) >= 0:
                number = line + data.count(b"\n", 0, place)
                raise DeliveryRefused(
                    f"line {number} holds {what}: export the data again, with rows ended by LF or "
                    "CR LF"
                )
        return data


def _not_text(encoding: str, line: int, declared: str | None) -> DeliveryRefused:
    promise = " as the manifest says" if declared else " as the lines before it"
    return DeliveryRefused(
        f"line {line} is not {encoding.upper()}{promise}: "
        "save the whole file in one encoding, UTF-8 or GB18030; the last line may be cut off"
    )
