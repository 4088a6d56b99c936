"""Keep-alive HTTP load from a process of its own: `python -m bench.http_load FILE`.

FILE is JSON: host, port, connections, seconds, requests (list of texts, sent in turn). Prints one
JSON object: completed, statuses, seconds, p50_ms, p99_ms. Each connection has one request on its
way at a time; latency runs from writing the request to the last byte of the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import uvloop

_WARM_UP_SECONDS = 0.5


@dataclass(slots=True)
class Tally:
    """What came back, from the end of the warm-up on."""

    start: float
    end: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def note(self, status: int, sent: float, now: float) -> None:
        """Count an answer that came back within the measured time."""
        if self.start <= sent and now <= self.end:
            self.latencies.append(now - sent)
            self.statuses[status] += 1

    def summary(self) -> dict[str, Any]:
        """Return the figures of the run."""
        ordered = sorted(self.latencies)
        return {
            "completed": len(ordered),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "seconds": self.end - self.start,
            "p50_ms": _quantile(ordered, 0.50) * 1000,
            "p99_ms": _quantile(ordered, 0.99) * 1000,
        }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends its next request when an answer is complete."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._buffer = b""
        self._wanted = -1
        self._status = 0
        self._sent = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read on; when the answer is whole, note it and send the next request."""
        self._buffer += data
        if self._wanted < 0:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._status, self._buffer = int(head[9:12]), rest
            self._wanted = _content_length(head)
        if len(self._buffer) >= self._wanted:
            now = time.perf_counter()
            self._tally.note(self._status, self._sent, now)
            self._buffer, self._wanted = b"", -1
            if now < self._tally.end:
                self._send()
            elif self._transport is not None:
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits: that all is done, or that the server let go too early."""
        if exc is not None or time.perf_counter() < self._tally.end:
            self.closed.set_exception(exc or ConnectionError("the server closed the connection"))
        elif not self.closed.done():
            self.closed.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("the answer has no content-length")


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of one run of a plan (see the module)."""
    start = time.perf_counter() + _WARM_UP_SECONDS
    tally = Tally(start, start + plan["seconds"])
    requests = cycle([text.encode() for text in plan["requests"]])
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda: Connection(requests, tally), plan["host"], plan["port"]
        )
        for _ in range(plan["connections"])
    ]
    await asyncio.gather(*(protocol.closed for _, protocol in opened))
    return tally.summary()


if __name__ == "__main__":
    figures = uvloop.run(drive(json.loads(Path(sys.argv[1]).read_bytes())))
    json.dump(figures, sys.stdout)
