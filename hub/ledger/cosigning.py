"""Asking witnesses to cosign a checkpoint, as the publisher does before it makes one public.

Nothing a witness answers is taken over unverified, and no witness holds up the others: each is
asked in a thread of its own and has so many seconds.

Source: C2SP tlog-witness (`add-checkpoint`), tlog-cosignature, tlog-policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic

import httpx

from hub.errors import ConfigError, RequestError, TamperDetected
from hub.ledger.add_checkpoint import AddCheckpoint
from hub.ledger.lines import decimal
from hub.ledger.note import (
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    open_checkpoint,
    parse_signatures,
)
from hub.ledger.policy import Policy, PolicyWitness
from hub.ledger.publisher import Cosigned, Cosigner, NoWitness

ANSWER_LIMIT = 1 << 18
SECONDS = 30.0  # for one answer: a witness that reads the log in full takes its time
EXCHANGES = 3  # with one witness at most: asked, asked again, and shown its larger tree

_SIZE_TYPE = "text/x.tlog.size"
_LATE = "it did not answer in time"

Prove = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one witness said.

    Attributes:
        witness: its name in the policy.
        signatures: cosignatures that hold, none when it refused.
        size: of the last tree it has cosigned now, None when it did not say.
        refusal: why there is no cosignature, empty when there is.
        larger: the checkpoint of a larger tree, signed by this very log, that it has shown.
    """

    witness: str
    signatures: tuple[Signature, ...] = ()
    size: int | None = None
    refusal: str = ""
    larger: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A checkpoint with the cosignatures that were to be had.

    Attributes:
        note: the checkpoint as it was, with every cosignature that holds.
        has_quorum: whether they are enough under the policy.
    """

    note: str
    has_quorum: bool
    answers: tuple[Answer, ...]

    @property
    def rolled_back(self) -> dict[str, str]:
        """Larger checkpoints signed by this log, by the witness that has shown each.

        Where there is one, the log has lost entries, and must sign nothing more.
        """
        return {a.witness: a.larger for a in self.answers if a.larger}

    @property
    def sizes(self) -> dict[str, int]:
        """The last tree size of each witness that said it; to begin with the next time."""
        return {a.witness: a.size for a in self.answers if a.size is not None}


class PolicyCosigner:
    """Has checkpoints cosigned by the witnesses of a policy, and remembers where each stands.

    Args:
        keys: the log's own, former ones too.
        transport: how requests travel; the network's own unless said.
    """

    def __init__(
        self,
        policy: Policy,
        keys: Sequence[VerifierKey],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._transport = transport
        self._sizes: dict[str, int] = {}

    def cosign(self, note: str, consistency: Prove) -> Cosigned:
        """Have a checkpoint cosigned by as many witnesses as will.

        Raises:
            TamperDetected: when a witness shows a larger tree that this log has signed.
            LedgerError: as `consistency` does.
        """
        gathered = gather(note, self._policy, self._keys, consistency, self._sizes, self._transport)
        self._sizes |= gathered.sizes
        for witness, larger in gathered.rolled_back.items():
            size = Checkpoint.parse(Note.parse(larger).text).size
            raise TamperDetected(
                f"the witness {witness!a} shows a checkpoint of {size} entries that this log "
                "has signed: an old backup was restored"
            )
        answers = tuple((ascii(a.witness)[1:-1], a.refusal or "cosigned") for a in gathered.answers)
        return Cosigned(gathered.note, gathered.has_quorum, answers)

    def is_enough(self, note: str) -> bool:
        """Say whether the cosignatures that a checkpoint has are a quorum of the policy.

        Raises:
            RequestError: when it is no note.
        """
        parsed = Note.parse(note)
        names = {
            witness.name
            for witness in self._policy.witnesses
            for one in parsed.signatures
            if one.is_of(witness.key) and witness.key.time_of(parsed.text, one.signature)
        }
        return self._policy.is_quorum(names)


def policy_of(path: Path) -> Policy | None:
    """Return the policy of witnesses in a file, None when there is no file.

    Raises:
        ConfigError: when the file cannot be read or breaks a rule.
    """
    try:
        return Policy.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, RequestError) as exc:
        raise ConfigError(f"the witness policy {path.name} cannot be used: {exc}") from exc


def cosigner_of(path: Path, keys: Sequence[VerifierKey]) -> Cosigner:
    """Return who has checkpoints cosigned: by the policy of a file, by nobody when there is none.

    Raises:
        ConfigError: when the file cannot be read, breaks a rule, names other logs than this one,
            or asks for witnesses that it gives no address of.
    """
    policy = policy_of(path)
    if policy is None:
        return NoWitness()
    if policy.logs and not any(log.key in keys for log in policy.logs):
        raise ConfigError(f"the witness policy {path.name} does not name this ledger's key")
    if not policy.is_quorum({witness.name for witness in policy.witnesses if witness.url}):
        raise ConfigError(
            f"the witness policy {path.name} asks for witnesses that have no address in it"
        )
    return PolicyCosigner(policy, keys)


def gather(
    note: str,
    policy: Policy,
    keys: Sequence[VerifierKey],
    prove: Prove,
    sizes: Mapping[str, int],
    transport: httpx.BaseTransport | None = None,
) -> Gathered:
    """Ask every witness of a policy that has an address, all at once.

    Args:
        note: the checkpoint, signed by the log.
        keys: the log's own, former ones too.
        prove: returns the consistency proof from a smaller tree to the checkpoint's.
        sizes: the tree each witness is known to have cosigned last, by name; 0 where unknown.
        transport: how requests travel; the network's own unless said.

    Raises:
        RequestError: when the note is no checkpoint.
        LedgerError: as `prove` does.
    """
    parsed = Note.parse(note)
    asked = [witness for witness in policy.witnesses if witness.url]
    with _client(transport) as client:
        answers = _asked(_Exchange(client, note, keys, prove), asked, sizes)
    cosignatures = tuple(s for answer in answers for s in answer.signatures)
    names = {answer.witness for answer in answers if answer.signatures}
    cosigned = Note(parsed.text, parsed.signatures + cosignatures)
    return Gathered(str(cosigned), policy.is_quorum(names), answers)


def _asked(
    exchange: _Exchange, witnesses: Sequence[PolicyWitness], sizes: Mapping[str, int]
) -> tuple[Answer, ...]:
    """Return what each witness answered in time.

    The timeouts of a request begin anew with every byte, so that one which drips its answer could
    go on for days. It is left alone instead; its thread ends with the connection.
    """
    pool = ThreadPoolExecutor(max(len(witnesses), 1), thread_name_prefix="cosigning")
    try:
        asked = {w: pool.submit(exchange.ask, w, sizes.get(w.name, 0)) for w in witnesses}
        in_time = wait(asked.values(), EXCHANGES * SECONDS).done
    finally:
        pool.shutdown(wait=False)
    return tuple(
        future.result() if future in in_time else Answer(witness.name, refusal=_LATE)
        for witness, future in asked.items()
    )


class _Exchange:
    """One checkpoint, to be put to several witnesses."""

    def __init__(
        self, client: httpx.Client, note: str, keys: Sequence[VerifierKey], prove: Prove
    ) -> None:
        self._client = client
        self._note = note
        self._text = Note.parse(note).text
        self._checkpoint = Checkpoint.parse(self._text)
        self._keys = keys
        self._prove = prove

    def ask(self, witness: PolicyWitness, size: int) -> Answer:
        """Ask one witness, once more when it says that it stands elsewhere than was thought."""
        try:
            status, body = self._post(witness, min(size, self._checkpoint.size))
            if status == 409:
                size = decimal(body.removesuffix("\n"), "the witness's tree size")
                if size > self._checkpoint.size:
                    return self._ahead(witness, size)
                status, body = self._post(witness, size)
            return self._answer(witness, status, body)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return Answer(witness.name, refusal=f"it cannot be reached: {type(exc).__name__}")
        except RequestError as refusal:
            return Answer(witness.name, refusal=refusal.message)

    def _answer(self, witness: PolicyWitness, status: int, body: str) -> Answer:
        if status != 200:
            return Answer(witness.name, refusal=f"it answered {status}: {_shown(body)}")
        signatures = tuple(s for s in parse_signatures(body) if s.is_of(witness.key))
        if not signatures:
            return Answer(witness.name, refusal="it did not sign with the key of the policy")
        if not all(witness.key.time_of(self._text, s.signature) for s in signatures):
            return Answer(witness.name, refusal="its cosignature is false, or says no time")
        return Answer(witness.name, signatures[:1], self._checkpoint.size)

    def _ahead(self, witness: PolicyWitness, size: int) -> Answer:
        """Return what it means that a witness says it knows a larger tree: whether it shows one.

        Its word alone would let one witness stop a log.
        """
        origin = self._checkpoint.origin
        path = f"{sha256(origin.encode()).hexdigest()}/checkpoint"
        refusal = f"it says it has cosigned {size} entries"
        try:
            status, shown, _ = self._exchange("GET", witness, path, None)
            if status == 200 and open_checkpoint(shown, self._keys, origin).size > (
                self._checkpoint.size
            ):
                return Answer(witness.name, size=size, refusal=refusal, larger=shown)
        except (httpx.HTTPError, RequestError):
            pass
        return Answer(witness.name, refusal=f"{refusal}, and does not show them signed by this log")

    def _post(self, witness: PolicyWitness, size: int) -> tuple[int, str]:
        """Return status and body of a request that goes on from a size.

        Raises:
            RequestError: when the answer is too long, is no text, or names no size where it should.
        """
        proof = tuple(self._prove(size)) if 0 < size < self._checkpoint.size else ()
        request = str(AddCheckpoint(size, proof, self._note)).encode()
        status, body, kind = self._exchange("POST", witness, "add-checkpoint", request)
        if status == 409 and kind != _SIZE_TYPE:
            raise RequestError("it answered 409 without the size it stands at")
        return status, body

    def _exchange(
        self, method: str, witness: PolicyWitness, path: str, content: bytes | None
    ) -> tuple[int, str, str]:
        """Return status, body and type of an answer."""
        url = f"{(witness.url or '').rstrip('/')}/{path}"
        answer, deadline = bytearray(), monotonic() + SECONDS
        with self._client.stream(method, url, content=content) as response:
            for piece in response.iter_raw():
                answer += piece
                if len(answer) > ANSWER_LIMIT or monotonic() > deadline:
                    raise RequestError("its answer is too long")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        try:
            return response.status_code, answer.decode(), kind
        except UnicodeDecodeError:
            raise RequestError("its answer is not text") from None


def _client(transport: httpx.BaseTransport | None) -> httpx.Client:
    return httpx.Client(
        transport=transport,
        follow_redirects=False,
        trust_env=False,
        timeout=SECONDS,
        headers={"Accept-Encoding": "identity", "Content-Type": "text/plain; charset=utf-8"},
    )


def _shown(body: str) -> str:
    """Return the beginning of an answer, fit to be printed."""
    return ascii(body.strip()[:200])
