"""A witness's own keys, in one file of mode 0600 that holds nothing else.

It signs with two: Ed25519, which every log and verifier knows, and ML-DSA-44, which outlasts
quantum computers. Both cosignatures go out together; who reads a checkpoint knows one or the other.

Source: C2SP tlog-cosignature; RFC 8032; FIPS 204.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from hub.errors import ConfigError, RequestError
from hub.files import whole, write_new
from hub.keyring import Key, NoteSigner
from hub.ledger.algorithms import COSIGNATURE, ML_DSA_44
from hub.ledger.lines import decode64, encode64
from hub.ledger.note import check_name

FORMAT = "mingjing-witness-key-1"

_KINDS = {"ed25519": COSIGNATURE, "ml-dsa-44": ML_DSA_44}


def create_keys(path: Path, name: str) -> tuple[NoteSigner, ...]:
    """Make a witness's keys and write their file.

    Args:
        name: what the witness signs as; a URL without scheme is usual.

    Raises:
        ConfigError: when the file exists: keys are never overwritten.
        RequestError: when the name cannot be a key's.
    """
    check_name(name)
    seeds = {kind: secrets.token_bytes(32) for kind in _KINDS}
    document = {
        "format": FORMAT,
        "name": name,
        **{kind: encode64(seed) for kind, seed in seeds.items()},
    }
    body = json.dumps(document, ensure_ascii=False, indent=1).encode()
    try:
        write_new(path, whole(body))
    except FileExistsError:
        raise ConfigError(f"the key file {path.name} exists; keys are never overwritten") from None
    return _signers(name, seeds)


def open_keys(path: Path) -> tuple[NoteSigner, ...]:
    """Return a witness's signers.

    Raises:
        ConfigError: when the file is missing, open to other users or damaged.
    """
    try:
        mode = path.stat().st_mode
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError("there is no witness here: run `hub witness init`") from None
    except (OSError, ValueError) as exc:
        raise ConfigError(f"the key file {path.name} cannot be read: restore it") from exc
    if mode & 0o077:
        raise ConfigError(f"the key file {path.name} is open to other users: chmod 600 it")
    try:
        if document["format"] != FORMAT:
            raise ConfigError("the key file has a format this version does not know")
        seeds = {kind: decode64(document[kind], "the key file") for kind in _KINDS}
        return _signers(str(document["name"]), seeds)
    except (KeyError, TypeError, ValueError, RequestError) as exc:
        raise ConfigError("the key file is damaged: restore it from the backup") from exc


def _signers(name: str, seeds: dict[str, bytes]) -> tuple[NoteSigner, ...]:
    return tuple(
        NoteSigner(name, Key("witness", 1, "intl", seeds[kind]), algorithm)
        for kind, algorithm in _KINDS.items()
    )
