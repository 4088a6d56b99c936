"""The drop folder: a file appears whole, with its manifest, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.config import Settings
from hub.errors import RequestError
from hub.store.drop import Manifest, deliver, manifest_path
from tests.factories import settings_in

DIGEST = hashlib.sha256(b"rows").hexdigest()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a hub in a folder."""
    return settings_in(tmp_path)


def send(settings: Settings, data: bytes = b"rows", **changes: Any) -> Path:
    """Deliver bytes as an upload would."""
    place = {"name": "a.csv", "partner": "housing", "dataset": "housing.tenancy"}
    return deliver(io.BytesIO(data), settings=settings, **{**place, **changes})


def test_a_file_appears_with_a_manifest_that_fits(settings: Settings) -> None:
    path = send(settings, period="2026-05", rows=3)
    assert path == settings.drop / "housing" / "housing.tenancy" / "a.csv"
    assert path.read_bytes() == b"rows"
    assert Manifest.parse(manifest_path(path).read_bytes()) == Manifest(
        "housing.tenancy", "housing", "2026-05", DIGEST, 3
    )
    assert path.stat().st_mode & 0o077 == 0
    assert {p.name for p in path.parent.iterdir()} == {"a.csv", "a.csv.manifest.json"}


def test_a_file_on_disk_is_copied_and_stays(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "out.csv"
    source.write_bytes(b"rows")
    path = deliver(
        source, name="b.csv", partner="housing", dataset="housing.tenancy", settings=settings
    )
    assert path.read_bytes() == source.read_bytes() == b"rows"


def test_another_digest_than_promised_leaves_nothing(settings: Settings) -> None:
    with pytest.raises(RequestError, match="digest"):
        send(settings, sha256="0" * 64)
    assert not [p for p in settings.drop.rglob("*") if p.is_file()]


def test_a_waiting_file_is_not_replaced(settings: Settings) -> None:
    path = send(settings)
    with pytest.raises(RequestError, match="waits"):
        send(settings, b"other")
    assert path.read_bytes() == b"rows"
    assert DIGEST.encode() in manifest_path(path).read_bytes()


def test_deliveries_at_once_under_one_name_leave_one_whole(settings: Settings) -> None:
    def attempt(number: int) -> bool:
        try:
            send(settings, str(number).encode() * 50_000)
        except RequestError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    path = settings.drop / "housing" / "housing.tenancy" / "a.csv"
    manifest = Manifest.parse(manifest_path(path).read_bytes())
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(list(path.parent.iterdir())) == 2


def test_a_broken_upload_leaves_nothing(settings: Settings) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionError("gone")
            return super().read(2)

    with pytest.raises(ConnectionError):
        deliver(
            Broken(b"rows"),
            name="a.csv",
            partner="housing",
            dataset="housing.tenancy",
            settings=settings,
        )
    assert not [p for p in settings.drop.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a.manifest.json", "a\n.csv", "x" * 201, "/", ".."]
)
def test_a_name_that_cannot_be_a_file_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(RequestError, match="name"):
        send(settings, name=name)


@pytest.mark.parametrize(
    "name",
    [
        "99010619900307123x.csv", "居民990106199003071234.csv", "990106900307123.csv",
        "99010619900307123X43.xlsx", "990106 19900307 1234.csv", "９９０１０６１９９００３０７１２３４.csv",
        "19912345678.csv", "a_199-1234-5678_b.csv", "+8619912345678.csv",
    ],
)  # fmt: skip
def test_a_name_that_holds_a_persons_number_is_refused_and_not_repeated(
    settings: Settings, name: str
) -> None:
    with pytest.raises(RequestError, match="文件名含身份号码") as caught:
        send(settings, name=name)
    assert name[:6] not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "20260605010203.csv", "20260605010203123.xlsx", "20260101-20260131.csv",
        "2026-01-13_2026-01-31.csv", "housing.tenancy-1999-12-31.csv", "9901060010010112.csv",
    ],
)  # fmt: skip
def test_dates_times_and_codes_in_a_name_are_no_persons_number(
    settings: Settings, name: str
) -> None:
    assert send(settings, name=name).name == name


@pytest.mark.parametrize("name", ["../../a.csv", "/etc/a.csv", "C:\\data\\a.csv"])
def test_a_path_as_name_leads_nowhere(settings: Settings, name: str) -> None:
    assert send(settings, name=name).parent == settings.drop / "housing" / "housing.tenancy"


@pytest.mark.parametrize(
    ("promise", "said"),
    [
        ({"partner": "../x"}, "partner"),
        ({"partner": "Housing"}, "partner"),
        ({"dataset": "housing"}, "dataset"),
        ({"dataset": "housing.tenancy/.."}, "dataset"),
        ({"period": "2026-13"}, "period"),
        ({"sha256": "ABC"}, "sha256"),
        ({"rows": -1}, "rows"),
        ({"rows": True}, "rows"),
        ({"encoding": "latin-1"}, "encoding"),
        ({"format": "docx"}, "format"),
        ({"mode": "some"}, "mode"),
    ],
)
def test_a_promise_that_does_not_fit_is_refused(
    settings: Settings, promise: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError) as caught:
        send(settings, **promise)
    assert caught.value.findings[0].startswith(said)
    assert not settings.drop.exists()


@pytest.mark.parametrize("period", ["2026", "2026-05", "2026-05-31", "2026Q2", "2026-Q2"])
def test_periods_are_years_months_days_and_quarters(period: str) -> None:
    assert Manifest("a.b", "a", period).period == period


@pytest.mark.parametrize(
    ("name", "kept"),
    [("UTF-8", "utf-8"), ("utf-8-sig", "utf-8"), ("GBK", "gb18030"), ("gb2312", "gb18030")],
)
def test_other_names_of_an_encoding_are_known(name: str, kept: str) -> None:
    assert Manifest("a.b", "a", encoding=name).encoding == kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"dataset": "a.b"}',
        b'{"dataset": "a.b", "partner": "a", "more": 1}',
        b'{"dataset": 1, "partner": "a"}',
        b'{"dataset": "a.b", "partner": "a", "rows": "3"}',
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_manifest_are_refused(data: bytes) -> None:
    with pytest.raises(RequestError, match="manifest"):
        Manifest.parse(data)


def test_a_manifest_comes_back_as_it_was_written() -> None:
    manifest = Manifest("a.b", "a", "2026Q1", DIGEST, 7, "gb18030", "csv", "full")
    assert Manifest.parse(manifest.to_json()) == manifest
    assert Manifest.parse(b"\xef\xbb\xbf" + manifest.to_json()) == manifest
    assert json.loads(Manifest("a.b", "a").to_json()) == {"dataset": "a.b", "partner": "a"}
