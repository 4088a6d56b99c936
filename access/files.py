"""Reading the policy folder: text files a non-programmer edits, every failure a `PolicyError`.

A folder of one's own replaces the built-in files by name; what it lacks is the built-in one.
"""

from __future__ import annotations

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
    """Return the mapping a YAML policy file holds.

    Raises:
        PolicyError: names file and line when it is missing, not YAML, no mapping, or has a key
            twice.
    """
    try:
        document = yaml.load(read_text(path), Loader=_UniqueKeys)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise PolicyError(f"{path.name}:{line}: {exc.problem}") from exc
    except yaml.YAMLError as exc:
        raise PolicyError(f"{path.name}: not YAML") from exc
    if not isinstance(document, dict):
        raise PolicyError(f"{path.name}:1: a mapping is expected")
    return document


def words(value: Any) -> tuple[str, ...]:
    """Return a list of words from YAML as a tuple.

    Raises:
        ValueError: when it is not a list of texts.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"a list of words is expected, not {value!r}")
    return tuple(value)
