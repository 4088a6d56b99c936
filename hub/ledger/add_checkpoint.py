"""What a log sends a witness to have a checkpoint cosigned.

Source: C2SP tlog-witness, `add-checkpoint`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import RequestError
from hub.ledger.lines import decimal, decode_hash, encode64

PROOF_LIMIT = 63
BODY_LIMIT = 1 << 18  # a hundred signatures, one or another of them post-quantum


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The tree size last cosigned, the consistency proof from it, and the new checkpoint.

    Attributes:
        old_size: 0 when the witness cosigned nothing yet.
        proof: 32-byte hashes.
        checkpoint: the signed note, verbatim and not verified.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Read a request's body; the checkpoint is not looked into.

        Raises:
            RequestError: names the line that does not fit.
        """
        if len(body) > BODY_LIMIT:
            raise RequestError(f"the request is longer than {BODY_LIMIT} bytes")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise RequestError("the request is not valid UTF-8") from None
        head, separator, checkpoint = text.partition("\n\n")
        if not separator:
            raise RequestError("the request has no blank line before its checkpoint")
        first, *lines = head.split("\n")
        if not first.startswith("old "):
            raise RequestError("the request does not begin with an old size")
        if len(lines) > PROOF_LIMIT:
            raise RequestError(f"the request has more than {PROOF_LIMIT} hashes")
        proof = tuple(decode_hash(line, "a hash of the consistency proof") for line in lines)
        return cls(decimal(first.removeprefix("old "), "the old size"), proof, checkpoint)

    def __str__(self) -> str:
        return "\n".join((f"old {self.old_size}", *map(encode64, self.proof), "", self.checkpoint))
