"""The witness's key file: private, never overwritten, whole or refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from hub.errors import ConfigError, RequestError
from hub.ledger.note import VerifierKey
from hub.witness.keys import create_keys, open_keys

NAME = "oversight.example/witness"


def test_keys_are_made_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    made = [str(VerifierKey.of(signer)) for signer in create_keys(path, NAME)]
    assert [str(VerifierKey.of(signer)) for signer in open_keys(path)] == made
    assert [VerifierKey.parse(key).algorithm.code for key in made] == [b"\x04", b"\x06"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held = path.read_bytes()
    with pytest.raises(ConfigError, match="never overwritten"):
        create_keys(path, NAME)
    assert path.read_bytes() == held


def test_two_witnesses_have_different_keys(tmp_path: Path) -> None:
    one, other = create_keys(tmp_path / "a", NAME), create_keys(tmp_path / "b", NAME)
    assert {s.public_key for s in one}.isdisjoint({s.public_key for s in other})


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b"])
def test_names_that_no_key_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="key name"):
        create_keys(tmp_path / "witness.key", name)
    assert not (tmp_path / "witness.key").exists()


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    create_keys(path, NAME)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_keys(path)


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    with pytest.raises(ConfigError, match="hub witness init"):
        open_keys(path)
    create_keys(path, NAME)
    document = json.loads(path.read_text())
    for change in (
        {"format": "other"},
        {"ed25519": "AAAA"},
        {"ed25519": "????"},
        {"ml-dsa-44": 7},
        {"ml-dsa-44": "AAAA"},
        {"name": None, "ed25519": None},
    ):
        path.write_text(json.dumps(document | change))
        with pytest.raises(ConfigError, match=r"format|damaged"):
            open_keys(path)
    for text in ("", "[]", "{}", "null", json.dumps(document)[:-5]):
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"read|damaged"):
            open_keys(path)
