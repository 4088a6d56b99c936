"""The keyring: every secret of the hub, in one file, by purpose and version.

Keys are only ever added; a sealed value names the version it needs, so rotating a key never
makes older values unreadable. With a passphrase the secrets are wrapped (scrypt, AES-256-GCM);
without one the file's mode 0600 is their only guard.

Source: RFC 7914 (scrypt), NIST SP 800-57 (key separation by purpose), RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.errors import ConfigError, KeyMissing
from hub.file_lock import FileLock
from hub.files import whole, write_new, write_over
from hub.ledger.algorithms import COSIGNATURE, ED25519, ML_DSA_44, SM2, Algorithm
from hub.ledger.sm2 import Sm2Key

Suite = Literal["intl", "gm"]

#: What each key is for. One key never serves two purposes.
PURPOSES: Mapping[str, str] = {
    "landing": "raw bytes of deliveries",
    "row": "sealed fields of a row in the lake",
    "document": "sealed document of a subject in a snapshot",
    "export": "files of persons until they are fetched",
    "identifier": "keyed hash of identity numbers",
    "subject": "first subject key of an identifier",
    "record": "keyed hash of a record's key and content",
    "blind": "blind indexes for lookup",
    "label": "subject labels in the ledger",
    "actor": "actor pseudonyms in the ledger",
    "case": "commitments to case references",
    "protected": "persons in the registers of cases and of protected persons",
    "recipient": "pseudonyms of values, for one recipient and purpose each",
    "release": "marks of the records that a published count is of",
    "ledger": "signing of ledger checkpoints",
    "ledger-sm2": "further signature of ledger checkpoints in suite gm",
    "index": "tags that the ledger's index finds entries by",
    "token": "signing of the embedded identity provider's tokens",
}

#: Purposes whose keys have successors; of the others every value would have to be made anew.
ROTATED = ("landing", "row", "document", "ledger", "token")

#: The keys that a log has for life, but for the first, which may be rotated.
OF_A_LOG = ("ledger", "index")

_SCRYPT_N = 2**15
_NEXT = ".next"  # purpose of a key that is prepared, and not in use yet


@dataclass(frozen=True, slots=True)
class Key:
    """One secret: purpose, version (1, 2, ...), suite and 32 bytes of material."""

    purpose: str
    version: int
    suite: Suite
    material: bytes

    def __repr__(self) -> str:
        return f"Key({self.purpose} v{self.version}, {self.suite})"


class NoteSigner:
    """A signer with a name, as C2SP signed notes and token issuers want it.

    Args:
        algorithm: the one signature type this key is for.
    """

    def __init__(self, name: str, key: Key, algorithm: Algorithm = ED25519) -> None:
        self.name = name
        self.version = key.version
        self.algorithm = algorithm
        self.public_key, self._sign = _PRIVATE[algorithm.code](key.material)

    def sign(self, message: bytes) -> bytes:
        """Return the bare signature of the message."""
        return self._sign(message)


def _ed25519(seed: bytes) -> _KeyPair:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), private.sign


def _ml_dsa_44(seed: bytes) -> _KeyPair:
    private = MLDSA44PrivateKey.from_seed_bytes(seed)
    return private.public_key().public_bytes_raw(), private.sign


def _sm2(seed: bytes) -> _KeyPair:
    private = Sm2Key(seed)
    return private.public_key, private.sign


#: From the 32 secret bytes: the public key, and what signs a message.
_KeyPair: TypeAlias = tuple[bytes, Callable[[bytes], bytes]]
_PRIVATE: Mapping[bytes, Callable[[bytes], _KeyPair]] = {
    ED25519.code: _ed25519,
    COSIGNATURE.code: _ed25519,
    ML_DSA_44.code: _ml_dsa_44,
    SM2.code: _sm2,
}


class Keyring:
    """Every key, by purpose and version; the highest version is the current one."""

    def __init__(self, keys: tuple[Key, ...], path: Path, passphrase: str | None) -> None:
        self._keys = {(k.purpose, k.version): k for k in keys}
        self._path = path
        self._passphrase = passphrase

    @classmethod
    def create(cls, path: Path, suite: Suite = "intl", passphrase: str | None = None) -> Keyring:
        """Make a keyring with version 1 of every purpose and write it, mode 0600.

        Raises:
            ConfigError: when the file exists; keys are never overwritten.
        """
        if path.exists():
            raise ConfigError(f"keyring {path.name} exists; keys are never overwritten")
        keys = tuple(Key(p, 1, suite, secrets.token_bytes(32)) for p in PURPOSES)
        ring = cls(keys, path, passphrase)
        ring._write(exclusive=True)
        return ring

    @classmethod
    def open(cls, path: Path, passphrase: str | None = None) -> Keyring:
        """Read a keyring.

        Raises:
            ConfigError: when it is missing, open to other users, damaged, or the passphrase
                is wrong.
        """
        try:
            mode = path.stat().st_mode
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise ConfigError("no keyring yet: run `hub init` once") from None
        except (OSError, ValueError) as exc:
            raise ConfigError(f"keyring {path.name} cannot be read: restore it") from exc
        if mode & 0o077:
            raise ConfigError(f"keyring {path.name} is open to other users: chmod 600 it")
        return cls(_unwrap(document, passphrase), path, passphrase)

    def key(self, purpose: str, version: int | None = None) -> Key:
        """Return a key, the current one unless a version is named.

        Raises:
            KeyMissing: names the purpose and version that is not here.
        """
        if version is None:
            version = max((v for p, v in self._keys if p == purpose), default=0)
        try:
            return self._keys[purpose, version]
        except KeyError:
            raise KeyMissing(
                f"the keyring has no key {purpose!r} version {version}: "
                "restore the keyring that was in use when the value was sealed"
            ) from None

    def versions(self) -> tuple[Key, ...]:
        """Return every key that is or was in use, by purpose and version."""
        return tuple(self._keys[k] for k in sorted(self._keys) if k[0] in PURPOSES)

    def signer(
        self,
        purpose: str,
        name: str,
        version: int | None = None,
        algorithm: Algorithm = ED25519,
    ) -> NoteSigner:
        """Return the signer of a purpose under a public name, the current one if not said.

        Raises:
            KeyMissing: when there is no such key.
        """
        return NoteSigner(name, self.key(purpose, version), algorithm)

    def rotate(self, purpose: str, suite: Suite | None = None) -> Key:
        """Add the next version of a sealing or signing key and write the keyring.

        Raises:
            ConfigError: for keyed hashes, whose rotation would break every join.
        """
        if purpose not in ROTATED:
            raise ConfigError(f"key {purpose!r} cannot be rotated in place")
        with self._alone():
            new = self._successor(purpose, suite or self.key(purpose).suite)
            self._keys[purpose, new.version] = new
            self._write()
        return new

    def prepare(self, *purposes: str, suite: Suite) -> tuple[Key, ...]:
        """Make the next versions of keys, for what has to be done before they are in use.

        They are kept, and another call returns the same ones, until `adopt` puts them in use.

        Args:
            purposes: of `OF_A_LOG`.
        """
        with self._alone():
            for purpose in purposes:
                if self._prepared(purpose) is None:
                    new = self._successor(purpose, suite)
                    name = purpose + _NEXT
                    self._keys[name, new.version] = replace(new, purpose=name)
            self._write()
            return tuple(filter(None, map(self._prepared, purposes)))

    def adopt(self, *purposes: str) -> None:
        """Put prepared versions of keys in use, all at once.

        Raises:
            KeyMissing: when one is not prepared.
        """
        with self._alone():
            for purpose in purposes:
                new = self._prepared(purpose)
                if new is None:
                    raise KeyMissing(f"no next version of the key {purpose!r} is prepared")
                del self._keys[purpose + _NEXT, new.version]
                self._keys[purpose, new.version] = new
            self._write()

    def is_prepared(self, *purposes: str) -> bool:
        """Say whether next versions of all these keys are prepared and not in use yet."""
        return all(self._prepared(purpose) is not None for purpose in purposes)

    def succeed(self, number: int) -> None:
        """Put the prepared keys of a new log in use, and keep those of the log before for reading.

        Args:
            number: of the former log; its keys are kept as `PURPOSE.formerNUMBER`.
        Raises:
            KeyMissing: when one is not prepared.
        """
        with self._alone():
            for purpose in OF_A_LOG:
                new = self._prepared(purpose)
                if new is None:
                    raise KeyMissing(f"no next version of the key {purpose!r} is prepared")
                for name, version in list(self._keys):
                    if name in (purpose, purpose + _NEXT):
                        old = self._keys.pop((name, version))
                        if name == purpose:
                            kept = f"{purpose}.former{number}"
                            self._keys[kept, version] = replace(old, purpose=kept)
                self._keys[purpose, 1] = replace(new, version=1)
            self._write()

    def is_outdated(self, purpose: str) -> bool:
        """Say whether the file has another current key than this keyring, which was read once.

        Raises:
            ConfigError: when the file cannot be read any more.
        """
        return Keyring.open(self._path, self._passphrase).key(purpose) != self.key(purpose)

    def _successor(self, purpose: str, suite: Suite) -> Key:
        version = max((v for p, v in self._keys if p == purpose), default=0)
        return Key(purpose, version + 1, suite, secrets.token_bytes(32))

    def _prepared(self, purpose: str) -> Key | None:
        kept = next((key for (p, _), key in self._keys.items() if p == purpose + _NEXT), None)
        return None if kept is None else replace(kept, purpose=purpose)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the keyring's lock and have its newest content, so that no other change is lost."""
        lock = FileLock(self._path)
        try:
            with lock.held():
                self._keys = Keyring.open(self._path, self._passphrase)._keys
                yield
        finally:
            lock.close()

    def _write(self, *, exclusive: bool = False) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        keys = tuple(self._keys[k] for k in sorted(self._keys))
        body = json.dumps(_wrap(keys, self._passphrase), indent=1).encode()
        if not exclusive:
            write_over(self._path, body)
            return
        try:
            write_new(self._path, whole(body))
        except FileExistsError:  # another process was first
            raise ConfigError("keyring exists; keys are never overwritten") from None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _wrapping_key(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=8, p=1).derive(passphrase.encode()))


def _wrap(keys: tuple[Key, ...], passphrase: str | None) -> dict[str, Any]:
    entries = [
        {"purpose": k.purpose, "version": k.version, "suite": k.suite, "key": _b64(k.material)}
        for k in keys
    ]
    if passphrase is None:
        return {"format": "mingjing-keyring-1", "keys": entries}
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = _wrapping_key(passphrase, salt).encrypt(nonce, json.dumps(entries).encode(), None)
    return {
        "format": "mingjing-keyring-1",
        "kdf": "scrypt",
        "salt": _b64(salt),
        "nonce": _b64(nonce),
        "sealed": _b64(sealed),
    }


def _unwrap(document: Any, passphrase: str | None) -> tuple[Key, ...]:
    try:
        if document["format"] != "mingjing-keyring-1":
            raise ConfigError("keyring has a format this version does not know")
        entries = document.get("keys")
        if entries is None:
            if passphrase is None:
                raise ConfigError("the keyring wants its passphrase: set MINGJING_PASSPHRASE")
            wrapping = _wrapping_key(passphrase, base64.b64decode(document["salt"]))
            entries = json.loads(
                wrapping.decrypt(
                    base64.b64decode(document["nonce"]), base64.b64decode(document["sealed"]), None
                )
            )
        return tuple(
            Key(e["purpose"], e["version"], e["suite"], base64.b64decode(e["key"])) for e in entries
        )
    except InvalidTag:
        raise ConfigError("the keyring's passphrase is wrong") from None
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ConfigError("keyring is damaged: restore it from the backup") from exc
