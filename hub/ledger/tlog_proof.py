"""A proof that an entry is in a log, as a file; whoever gets it checks it with `hub.ledger.verify`.

Source: C2SP tlog-proof v1; RFC 9162 §2.1.3 (the proof's hashes).
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import RequestError
from hub.ledger.lines import decimal, decode64, decode_hash, encode64

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
DEPTH_LIMIT = 63
BYTES_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class TlogProof:
    """An entry's index, its inclusion proof, the checkpoint it leads to, and unproven extra data.

    Attributes:
        index: from 0.
        hashes: 32 bytes each, from the leaf's sibling upward.
        checkpoint: the signed note, verbatim.
        extra: what the application adds; nothing vouches for it but what is computed from it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> TlogProof:
        """Read a proof without verifying it.

        Raises:
            RequestError: names the line that does not fit.
        """
        if len(text) > BYTES_LIMIT:
            raise RequestError(f"the proof is longer than {BYTES_LIMIT} characters")
        head, separator, checkpoint = text.partition("\n\n")
        if not separator:
            raise RequestError("the proof has no blank line before its checkpoint")
        lines = head.split("\n")
        if lines.pop(0) != HEADER:
            raise RequestError(f"the proof does not begin with the line {HEADER}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode64(lines.pop(0).removeprefix("extra "), "the proof's extra data")
        if not lines or not lines[0].startswith("index "):
            raise RequestError("the proof has no index line")
        index = decimal(lines.pop(0).removeprefix("index "), "the proof's index")
        if len(lines) > DEPTH_LIMIT:
            raise RequestError("the proof has more hashes than any tree is deep")
        hashes = tuple(decode_hash(line, "a hash of the proof") for line in lines)
        return cls(index, hashes, checkpoint, extra)

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode64(self.extra)}")
        lines += [f"index {self.index}", *map(encode64, self.hashes), "", self.checkpoint]
        return "\n".join(lines)
