"""Fetching from a server that may do anything: bounded, never elsewhere, never unpacked."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest

from hub.errors import RequestError, SourceError
from hub.ledger.tiles import Tile
from hub.witness.files import CHECKPOINT_LIMIT, OPENING_LIMIT, LogFiles, base_url
from tests.hub.witness.invented import URL, Times


def files(
    answer: Callable[[httpx.Request], httpx.Response], times: Times | None = None
) -> LogFiles:
    return LogFiles(URL, httpx.MockTransport(answer), (times or Times()).elapsed)


def with_body(body: bytes, status: int = 200, **headers: str) -> LogFiles:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return files(lambda _: httpx.Response(status, headers=named, stream=httpx.ByteStream(body)))


def test_only_paths_under_the_address_are_asked() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        assert request.headers["Accept-Encoding"] == "identity"
        return httpx.Response(200, stream=httpx.ByteStream(bytes(512)))

    one = files(answer)
    one.checkpoint()
    one.opening(1234067)
    one.tile(Tile(0, 5, 16))
    with pytest.raises(SourceError):
        one.bundle(Tile(None, 5, 16))
    one.rows(Tile(None, 5, 8))
    assert asked == [
        URL + "checkpoint",
        URL + "index/opening/x001/x234/067",
        URL + "tile/0/005.p/16",
        URL + "tile/entries/005.p/16",
        URL + "tile/entries/005",
        URL + "index/005.p/8",
    ]


def test_a_redirect_is_not_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "log.example"
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

    with pytest.raises(SourceError, match="answered 302"):
        files(answer).checkpoint()


@pytest.mark.parametrize("status", [204, 206, 301, 400, 404, 500, 503])
def test_only_200_is_an_answer(status: int) -> None:
    with pytest.raises(SourceError, match=f"answered {status}"):
        with_body(b"", status).checkpoint()


@pytest.mark.parametrize(
    ("limit", "read"),
    [
        (CHECKPOINT_LIMIT, lambda one: one.checkpoint()),
        (OPENING_LIMIT, lambda one: one.opening(1)),
        (8192, lambda one: one.tile(Tile(0, 0))),
        (256 * 34, lambda one: one.bundle(Tile(None, 0))),
        (256 * 64, lambda one: one.rows(Tile(None, 0))),
    ],
)
def test_endless_files_are_cut_off(limit: int, read: Callable[[LogFiles], object]) -> None:
    sent = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal sent
            while True:
                sent += 4096
                yield bytes(4096)

    with pytest.raises(SourceError, match=f"longer than {limit} bytes"):
        read(files(lambda _: httpx.Response(200, stream=Endless())))
    assert sent <= limit + 4096


def test_slow_files_are_cut_off() -> None:
    times = Times()

    class Slow(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                times.pass_(3)
                yield b"."

    with pytest.raises(SourceError, match="longer than 10 seconds"):
        files(lambda _: httpx.Response(200, stream=Slow()), times).checkpoint()
    assert times.running < 1020


def test_packed_files_are_not_unpacked() -> None:
    bomb = gzip.compress(bytes(1 << 20))
    with pytest.raises(SourceError, match="packed"):
        with_body(bomb, Content_Encoding="gzip").checkpoint()


def test_what_is_not_text() -> None:
    with pytest.raises(SourceError, match="not text"):
        with_body(b"\xff").checkpoint()


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_a_broken_connection(error: type[httpx.TransportError]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("broken")

    with pytest.raises(SourceError, match=error.__name__) as caught:
        files(answer).tile(Tile(0, 0))
    assert caught.value.retryable


@pytest.mark.parametrize("length", [0, 1, 31, 33, 8191])
def test_a_file_of_another_length_is_not_there_yet(length: int) -> None:
    with pytest.raises(SourceError, match=f"has {length} bytes and not 8192"):
        with_body(bytes(length)).tile(Tile(0, 0))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://hub.example/ledger", "https://hub.example/ledger/"),
        ("http://127.0.0.1:8020/ledger/", "http://127.0.0.1:8020/ledger/"),
        ("http://[::1]:8020", "http://[::1]:8020/"),
    ],
)
def test_addresses(given: str, kept: str) -> None:
    assert base_url(given) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hub.example/ledger",
        "file:///etc/passwd",
        "ftp://hub.example/",
        "http://",
        "http://hub.example:port/",
        "http://hub.example:99999/",
        "http://user:secret@hub.example/",
        "http://hub.example/?a=b",
        "http://hub.example/#a",
        "http://[::1/",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match="address"):
        base_url(text)
