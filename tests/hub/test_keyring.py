"""The keyring: made once, private, versioned, and clear about what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ConfigError, KeyMissing
from hub.keyring import PURPOSES, Keyring


def test_create_holds_one_private_key_for_every_purpose(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring.create(path)
    assert {k.purpose for k in ring.versions()} == set(PURPOSES)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.open(path).versions() == ring.versions()


def test_no_two_purposes_share_a_secret(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "keyring.json")
    assert len({k.material for k in ring.versions()}) == len(PURPOSES)


def test_create_never_overwrites(tmp_path: Path) -> None:
    Keyring.create(tmp_path / "keyring.json")
    with pytest.raises(ConfigError, match="never overwritten"):
        Keyring.create(tmp_path / "keyring.json")


def test_open_refuses_a_file_other_users_can_read(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    Keyring.create(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.open(path)


def test_open_without_a_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="hub init"):
        Keyring.open(tmp_path / "keyring.json")


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format":"mingjing-keyring-1","keys":[{}]}']
)
def test_open_refuses_a_damaged_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        Keyring.open(path)


def test_passphrase_wraps_every_secret(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring.create(path, passphrase="a long one")
    assert ring.key("row").material.hex() not in path.read_text()
    assert Keyring.open(path, "a long one").versions() == ring.versions()
    with pytest.raises(ConfigError, match="MINGJING_PASSPHRASE"):
        Keyring.open(path)
    with pytest.raises(ConfigError, match="wrong"):
        Keyring.open(path, "another one")


def test_rotation_adds_a_version_and_keeps_the_old(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring.create(path)
    old = ring.key("row")
    new = ring.rotate("row", suite="gm")
    again = Keyring.open(path)
    assert (new.version, new.suite) == (2, "gm")
    assert again.key("row") == new
    assert again.key("row", 1) == old


def test_keyed_names_cannot_be_rotated_in_place(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "keyring.json")
    with pytest.raises(ConfigError, match="cannot be rotated"):
        ring.rotate("identifier")


def test_a_missing_version_is_named(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "keyring.json")
    with pytest.raises(KeyMissing, match="'row' version 7"):
        ring.key("row", 7)


def test_keys_never_show_their_material(tmp_path: Path) -> None:
    key = Keyring.create(tmp_path / "keyring.json").key("row")
    assert key.material.hex() not in repr(key)
    assert repr(key.material) not in repr(key)
