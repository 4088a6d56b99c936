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


def test_of_two_that_rotate_at_once_neither_loses_the_others_key(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    one, two = Keyring.create(path), Keyring.open(path)
    keys = [one.rotate("row"), two.rotate("row"), one.rotate("token")]
    again = Keyring.open(path)
    assert [key.version for key in keys] == [2, 3, 2]
    assert [again.key(key.purpose, key.version) for key in keys] == keys


def test_a_prepared_key_is_not_in_use_until_it_is_adopted(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring.create(path)
    running = Keyring.open(path)
    old, before = ring.key("ledger"), ring.versions()
    (new,) = ring.prepare("ledger", suite="intl")
    assert Keyring.open(path).prepare("ledger", suite="gm") == (new,)  # the same one
    assert (ring.key("ledger"), ring.versions()) == (old, before)
    assert not running.is_outdated("ledger")
    ring.adopt("ledger")
    assert Keyring.open(path).key("ledger") == new
    assert ring.key("ledger", 1) == old
    assert running.is_outdated("ledger")
    assert not running.is_outdated("row")
    with pytest.raises(KeyMissing, match="is prepared"):
        ring.adopt("ledger")


def test_the_keys_of_a_log_that_ended_are_kept_for_reading_only(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring.create(path)
    old = ring.key("index")
    with pytest.raises(KeyMissing, match="is prepared"):
        ring.succeed(1)
    assert ring.key("index") == old
    new = {key.purpose: key for key in ring.prepare("ledger", "index", suite="intl")}
    ring.succeed(1)
    again = Keyring.open(path)
    assert again.key("index").material == new["index"].material
    assert again.key("ledger").version == 1
    assert again.key("index.former1").material == old.material
    assert {key.purpose for key in again.versions()} == set(PURPOSES)


def test_a_missing_version_is_named(tmp_path: Path) -> None:
    ring = Keyring.create(tmp_path / "keyring.json")
    with pytest.raises(KeyMissing, match="'row' version 7"):
        ring.key("row", 7)


def test_keys_never_show_their_material(tmp_path: Path) -> None:
    key = Keyring.create(tmp_path / "keyring.json").key("row")
    assert key.material.hex() not in repr(key)
    assert repr(key.material) not in repr(key)
