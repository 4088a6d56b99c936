"""A proof that an entry is in a log, in a file that anyone can check offline.

Source: C2SP tlog-proof v1; RFC 9162 §2.1.3 (the proof's hashes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import RequestError
from hub.ledger.lines import NUMBER_LIMIT, decimal, decode64, decode_hash, encode64
from hub.ledger.merkle import root_of_inclusion
from hub.ledger.note import Checkpoint, VerifierKey, open_checkpoint
from hub.ledger.policy import Judgement, Policy

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

    def verify(self, leaf: bytes, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
        """Return the checkpoint once the log signed it and the leaf is in its tree.

        Args:
            leaf: the leaf's hash, computed from what the reader holds of the entry.
            keys: the log's.

        Raises:
            RequestError: names what does not hold.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys, origin)
        self._check_place(leaf, checkpoint)
        return checkpoint

    def verify_under(self, leaf: bytes, policy: Policy) -> Judgement:
        """Return what a policy makes of the checkpoint, once the leaf is in its tree.

        Raises:
            RequestError: names what does not hold, the quorum included.
        """
        judgement = policy.require(self.checkpoint)
        self._check_place(leaf, judgement.checkpoint)
        return judgement

    def _check_place(self, leaf: bytes, checkpoint: Checkpoint) -> None:
        if not 0 <= self.index < min(checkpoint.size, NUMBER_LIMIT):
            raise RequestError(f"there is no entry {self.index} among {checkpoint.size}")
        root = root_of_inclusion(leaf, self.index, checkpoint.size, self.hashes)
        if root is None:
            raise RequestError(
                f"the proof does not have as many hashes as entry {self.index} of "
                f"{checkpoint.size} needs"
            )
        if root != checkpoint.root:
            raise RequestError("the proof is of another entry or another tree: the roots differ")
