"""An invented log and everything it publishes, made the slow and simple way, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx

from hub.canonical import canonical_json
from hub.keyring import Key, NoteSigner
from hub.ledger.add_checkpoint import AddCheckpoint
from hub.ledger.algorithms import COSIGNATURE, ML_DSA_44
from hub.ledger.entry import NO_PREVIOUS, content_of, entry_of, link_of
from hub.ledger.index.runs import index_root, runs_of
from hub.ledger.lines import encode64
from hub.ledger.merkle import CompactRange, consistency_path, cover, fold, leaf_hash, node_hash
from hub.ledger.note import Checkpoint, VerifierKey, sign_checkpoint
from hub.ledger.tiles import Tile, encode_bundle, encode_tile, new_bundles, new_tiles, spell
from hub.witness.files import LogFiles
from hub.witness.state import Mode, WatchedLog, WitnessState
from hub.witness.watch import Watcher
from hub.witness.witness import Patience, Witness
from tests.hub.ledger.factories import ORIGIN, InventedSigner

URL = "http://log.example/ledger/"
WITNESS_KEYS = [Key("witness", 1, "intl", bytes([n]) * 32) for n in (1, 2)]
SIGNERS = (
    NoteSigner("oversight.example/witness", WITNESS_KEYS[0], COSIGNATURE),
    NoteSigner("oversight.example/witness", WITNESS_KEYS[1], ML_DSA_44),
)


def root_over(leaves: Sequence[bytes]) -> bytes:
    return CompactRange().extended(leaves)[0].root


@dataclass
class InventedLog:
    """A log that grows, and whose files lie in a dictionary by path."""

    signer: InventedSigner = field(default_factory=InventedSigner)
    files: dict[str, bytes] = field(default_factory=dict)
    rows: list[bytes] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    sizes: list[int] = field(default_factory=lambda: [0])
    word: str = ""

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def key(self) -> VerifierKey:
        return VerifierKey.of(self.signer)

    def append(self, tag: bytes, link: bytes) -> None:
        """Add one entry and every hash that it completes."""
        self.rows.append(tag + link)
        entry = entry_of(tag, link)
        self.entries.append(entry)
        hash_, level = leaf_hash(entry), 0
        while True:
            self.levels[level].append(hash_)
            if len(self.levels[level]) % 2:
                return
            hash_ = node_hash(*self.levels[level][-2:])
            level += 1
            if level == len(self.levels):
                self.levels.append([])

    def grow(self, count: int, index: bytes | None = None, named: int | None = None) -> str:
        """Add entries and the index entry, write the files, return the checkpoint.

        Args:
            index: a root to name instead of the true one.
            named: a size to name instead of the true one.
        """
        for number in range(self.size, self.size + count):
            seed = f"{self.word}{number}".encode()
            self.append(sha256(b"tag" + seed).digest(), sha256(b"link" + seed).digest())
        size = self.size
        self.close(
            {
                "event": "hub:index:published",
                "time": "2026-03-01T08:00:00.000Z",
                "index": {
                    "size": size if named is None else named,
                    "root": (index or self.index(size)).hex(),
                },
            }
        )
        return self.checkpoint()

    def close(self, body: object) -> None:
        """Add the last entry of a tree, open it to everybody, and write all files."""
        seed = f"{self.word}{self.size}".encode()
        tag, salt = sha256(b"tag" + seed).digest(), sha256(b"salt" + seed).digest()
        record = canonical_json(body)
        position, number = self.size, len(self.sizes) - 1
        opening = {
            "number": number,
            "position": position,
            "previous": encode64(NO_PREVIOUS),
            "record": encode64(record),
            "salt": encode64(salt),
            "tag": encode64(tag),
        }
        self.append(tag, link_of(NO_PREVIOUS, number, content_of(salt, record)))
        self.files[f"index/opening/{spell(position)}"] = canonical_json(opening)
        self.write(self.sizes[-1])
        self.sizes.append(self.size)

    def write(self, old: int) -> None:
        """Write the tiles, bundles and rows that a tree of the old size had not."""
        for tile in new_tiles(old, self.size):
            hashes = self.levels[8 * (tile.level or 0)][tile.start : tile.start + tile.width]
            self.files[tile.path] = encode_tile(hashes)
        for tile in new_bundles(old, self.size):
            held = slice(tile.start, tile.start + tile.width)
            self.files[tile.path] = encode_bundle(self.entries[held])
            self.files[rows_path(tile)] = b"".join(self.rows[held])

    def index(self, size: int) -> bytes:
        """Return the root of the index over the first entries, run by run."""
        roots = []
        for run in runs_of(size):
            rows = sorted(self.rows[n][:32] + n.to_bytes(8) for n in range(run.start, run.stop))
            roots.append(root_over([leaf_hash(row) for row in rows]))
        return index_root(size, roots)

    def root(self, size: int) -> bytes:
        return fold([self.levels[n.level][n.position] for n in cover(0, size)])

    def checkpoint(self, size: int | None = None) -> str:
        size = self.size if size is None else size
        return sign_checkpoint(Checkpoint(self.signer.name, size, self.root(size)), self.signer)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(
            fold([self.levels[n.level][n.position] for n in nodes])
            for nodes in consistency_path(old, new)
        )

    def request(self, old: int, note: str | None = None, size: int | None = None) -> bytes:
        """Return what the log sends a witness that has cosigned the old size."""
        size = self.size if size is None else size
        proof = self.proof(old, size) if 0 < old <= size else ()
        return str(AddCheckpoint(old, proof, note or self.checkpoint(size))).encode()

    def publish(self, note: str | None = None) -> None:
        self.files["checkpoint"] = (note or self.checkpoint()).encode()

    def transport(self) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            data = self.files.get(request.url.path.removeprefix("/ledger/"))
            if data is None:
                return httpx.Response(404)
            return httpx.Response(200, stream=httpx.ByteStream(data))

        return httpx.MockTransport(answer)

    def fork(self, at: int, word: str) -> InventedLog:
        """Return a log that begins alike and goes on otherwise."""
        other = InventedLog(self.signer, word=word)
        for row in self.rows[:at]:
            other.append(row[:32], row[32:])
        return other


def rows_path(tile: Tile) -> str:
    return f"index/{spell(tile.index, tile.width)}"


@dataclass
class Times:
    """A wall clock and a clock that only runs; both stand still unless moved."""

    wall: datetime = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    running: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def elapsed(self) -> float:
        return self.running

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.running += seconds


class Post:
    """A witness of one invented log, in a folder, with its watcher."""

    def __init__(
        self,
        folder: Path,
        log: InventedLog,
        mode: Mode = Mode.FULL,
        signers: Sequence[NoteSigner] = SIGNERS,
        patience: float = 5.0,
    ) -> None:
        self.log = log
        self.times = Times()
        self.transport: httpx.BaseTransport = log.transport()
        self.state = WitnessState(folder / "witness.sqlite", self.times)
        self.state.add_log(WatchedLog(ORIGIN, (log.key,), URL, mode, 100))
        waiting = Patience(patience, 0.0, self.times.elapsed, self.times.pass_)
        self.folder = folder / "index"
        self.witness = Witness(self.state, signers, self.folder, self.times, self._connect, waiting)
        self.watcher = Watcher(self.state, self.witness, self.times, self._connect, waiting)

    def _connect(self, url: str) -> LogFiles:
        return LogFiles(url, self.transport, self.times.elapsed)

    def ask(self, old: int, note: str | None = None, size: int | None = None) -> tuple[int, str]:
        reply = self.witness.add_checkpoint(self.log.request(old, note, size))
        return reply.status, reply.body

    def look(self, seconds: float = 10.0) -> None:
        self.times.pass_(seconds)
        self.watcher.look()

    @property
    def kinds(self) -> list[str]:
        """The kinds of the alarms that are open, each once."""
        return sorted({alarm.kind.value for alarm in self.state.alarms() if alarm.is_open})

    @property
    def cosigned(self) -> int:
        return self.state.head(ORIGIN).size


def grown(*counts: int) -> InventedLog:
    log = InventedLog()
    for count in counts:
        log.grow(count)
    return log


def kinds_of_file(path: str) -> Iterator[str]:
    """Yield the alarms that a false file of this name may raise."""
    if path.startswith("tile/entries/"):
        yield "wrong-entry"
    elif path.startswith("tile/"):
        yield "wrong-tile"
    elif path.startswith("index/opening/"):
        yield "wrong-index"
    else:
        yield "wrong-row"
