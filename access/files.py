"""Reading the policy folder: text files a non-programmer edits, every failure a `PolicyError`.

A folder of one's own replaces the built-in files by name; what it lacks is the built-in one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hub import agencies
from hub.errors import PolicyError

#: The policy that comes with the product.
POLICY_FOLDER = Path(__file__).parent / "policies"
#: The files that are the policy, in name order; `demo_actors.yaml` may stand beside them.
FILES = (agencies.FILE, "model.conf", "policy.csv", "purposes.yaml", "roles.yaml")


#: A policy as text: name of every one of `FILES` -> what it says.
Texts = Mapping[str, str]


def read_folder(folder: Path = POLICY_FOLDER) -> dict[str, str]:
    """Return the policy of a folder as text, what it lacks taken from the built-in one.

    Raises:
        PolicyError: when there is no such folder, a file cannot be read, or one has a name that
            nothing reads.
    """
    texts = {name: read_text(policy_file(folder, name)) for name in FILES}
    stray = stray_files(folder)
    if stray:
        raise PolicyError(f"{', '.join(stray)}: no policy file has that name; it would be ignored")
    return texts


def digest_of(texts: Texts) -> str:
    """Return the SHA-256 of a policy's texts, hexadecimal; its first 16 digits are the version."""
    digest = hashlib.sha256()
    for name in FILES:
        data = texts[name].encode()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def policy_file(folder: Path, name: str) -> Path:
    """Return the file of that name in a policy folder, or the built-in one where it has none.

    Raises:
        PolicyError: when there is no such folder: nobody's own policy is quietly left out.
    """
    if not folder.is_dir():
        raise PolicyError(f"there is no policy folder {folder.name}: make it, or unset the setting")
    own = folder / name
    if own.exists():
        return own
    return agencies.BUILT_IN if name == agencies.FILE else POLICY_FOLDER / name


def stray_files(folder: Path) -> tuple[str, ...]:
    """Return the names in a policy folder that look like policy files and are none, sorted."""
    known = (*FILES, "demo_actors.yaml")
    names = (path.name for path in folder.glob("*") if path.suffix in (".conf", ".csv", ".yaml"))
    return tuple(sorted(name for name in names if name not in known))


def read_text(path: Path) -> str:
    """Return the text of a policy file.

    Raises:
        PolicyError: when it is missing or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise PolicyError(f"{path.name}: cannot be read as UTF-8 text") from exc


class _UniqueKeys(yaml.SafeLoader):
    """A YAML reader that refuses a key written twice, where plain YAML keeps the last."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"{key!r} is written twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Return the mapping a YAML file holds.

    Raises:
        PolicyError: when it is missing, or as `parse_yaml`.
    """
    return parse_yaml(path.name, read_text(path))


def parse_yaml(name: str, text: str) -> Mapping[str, Any]:
    """Return the mapping a YAML text holds.

    Raises:
        PolicyError: names file and line when it is not YAML, no mapping, or has a key twice.
    """
    try:
        document = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise PolicyError(f"{name}:{line}: {exc.problem}") from exc
    except yaml.YAMLError as exc:
        raise PolicyError(f"{name}: not YAML") from exc
    if not isinstance(document, dict):
        raise PolicyError(f"{name}:1: a mapping is expected")
    return document


def words(value: Any) -> tuple[str, ...]:
    """Return a list of words from YAML as a tuple.

    Raises:
        ValueError: when it is not a list of texts.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"a list of words is expected, not {value!r}")
    return tuple(value)
