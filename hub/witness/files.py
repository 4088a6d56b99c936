"""Fetching a log's public files from its server, which is taken to be hostile.

Only the configured address is ever asked: no redirect is followed, no proxy of the environment
used. A file is read up to the length it must have, within a time, and never unpacked. Whatever
keeps a file from being read, its absence and a wrong length included, is a `SourceError` to be
tried again; whether what was read is true is for others to judge.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from hub.errors import RequestError, SourceError
from hub.ledger.merkle import HASH_BYTES
from hub.ledger.tiles import WIDTH, Tile, spell

CHECKPOINT_LIMIT = 1 << 18
OPENING_LIMIT = 1 << 16
ENTRY_BYTES = 32
ROW_BYTES = 64  # tag and link

_SECONDS = 10.0  # for one file, and for any one wait within


class LogFiles:
    """The public files of one log.

    Args:
        url: what they stand under, as `base_url` returns it.
        transport: how requests travel; the network's own unless said.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.BaseTransport | None = None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._elapsed = elapsed
        self._client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=_SECONDS,
            headers={"Accept-Encoding": "identity", "Cache-Control": "no-cache"},
        )

    def __enter__(self) -> LogFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def checkpoint(self) -> str:
        """Return the published checkpoint, not verified."""
        return self._text("checkpoint", CHECKPOINT_LIMIT)

    def opening(self, position: int) -> str:
        """Return the opening of the index entry that a tree ends with, not verified."""
        return self._text(f"index/opening/{spell(position)}", OPENING_LIMIT)

    def tile(self, tile: Tile) -> bytes:
        """Return a tile of hashes, of the right length."""
        return self._items(tile, lambda one: one.path, HASH_BYTES)

    def bundle(self, tile: Tile) -> bytes:
        """Return an entry bundle, of the right length for entries of 32 bytes."""
        return self._items(tile, lambda one: one.path, 2 + ENTRY_BYTES)

    def rows(self, tile: Tile) -> bytes:
        """Return the tags and links of a bundle's entries, of the right length."""
        return self._items(tile, lambda one: f"index/{spell(one.index, one.width)}", ROW_BYTES)

    def _items(self, tile: Tile, path_of: Callable[[Tile], str], length: int) -> bytes:
        """Return a file of fixed items; a partial one that is gone out of the full one."""
        try:
            return self._exactly(path_of(tile), tile.width * length)
        except SourceError:
            if tile == tile.full:
                raise
            try:
                whole = self._exactly(path_of(tile.full), WIDTH * length)
            except SourceError:
                whole = b""
            if not whole:
                raise
            return whole[: tile.width * length]

    def _exactly(self, path: str, length: int) -> bytes:
        data = self._get(path, length)
        if len(data) != length:
            raise _unreadable(path, f"it has {len(data)} bytes and not {length}")
        return data

    def _text(self, path: str, limit: int) -> str:
        try:
            return self._get(path, limit).decode()
        except UnicodeDecodeError:
            raise _unreadable(path, "it is not text") from None

    def _get(self, path: str, limit: int) -> bytes:
        deadline = self._elapsed() + _SECONDS
        data = bytearray()
        try:
            with self._client.stream("GET", self._url + path) as response:
                if response.status_code != 200:
                    raise _unreadable(path, f"the server answered {response.status_code}")
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise _unreadable(path, "it is packed, which was not asked for")
                for piece in response.iter_raw():
                    data += piece
                    if len(data) > limit:
                        raise _unreadable(path, f"it is longer than {limit} bytes")
                    if self._elapsed() > deadline:
                        raise _unreadable(path, f"it took longer than {_SECONDS:.0f} seconds")
        except httpx.HTTPError as exc:
            raise _unreadable(path, type(exc).__name__) from exc
        return bytes(data)


def base_url(text: str) -> str:
    """Return a log's address with a slash at the end.

    Raises:
        RequestError: when it is not a plain address of http or https.
    """
    try:
        parts = urlsplit(text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        raise RequestError("the log's address cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits:
        raise RequestError("the log's address does not begin with http:// or https:// and a host")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise RequestError("the log's address holds more than a host and a path")
    return text if text.endswith("/") else f"{text}/"


def _unreadable(path: str, problem: str) -> SourceError:
    return SourceError(f"the log's file {path} cannot be read: {problem}", retryable=True)
