"""Taking lines and columns out of policy files, with every other character left as it is.

Comments and order are what makes a policy readable; so its text is cut, not written anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import yaml

from access.purposes import NEEDS

_WIDTH = 100


def without_lines(text: str, lines: Collection[int]) -> str:
    """Return a text without the lines of these numbers, from 1."""
    kept = (
        line
        for number, line in enumerate(text.splitlines(keepends=True), start=1)
        if number not in lines
    )
    return "".join(kept)


def without_columns(text: str, needs: Iterable[tuple[str, str, str]]) -> str:
    """Return a register of purposes whose needs lack these (purpose, dataset, column).

    A dataset of which nothing is left stays, with empty lists: it is still the purpose's.
    """
    gone: dict[tuple[str, str], set[str]] = defaultdict(set)
    for purpose, dataset, column in needs:
        gone[purpose, dataset].add(column)
    lists = list(_lists(yaml.compose(text, Loader=yaml.SafeLoader)))
    for (purpose, dataset), node in reversed(lists):
        names = [item.value for item in node.value]
        left = [name for name in names if name not in gone[purpose, dataset]]
        if left != names:
            # What a block list ends with is the next line's; its last name ends it.
            end = (node if node.flow_style else node.value[-1]).end_mark.index
            start = node.start_mark
            text = text[: start.index] + _list(left, start.column) + text[end:]
    return text


def _lists(document: yaml.Node | None) -> Iterator[tuple[tuple[str, str], yaml.SequenceNode]]:
    """Yield ((purpose, dataset), list of columns) in the order of the text."""
    for purpose, entry in _pairs(document):
        for name, needs in _pairs(entry):
            if name == "needs":
                for dataset, columns in _pairs(needs):
                    for need, node in _pairs(columns):
                        if need in NEEDS and isinstance(node, yaml.SequenceNode):
                            yield (purpose, dataset), node


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value)


def _list(names: list[str], column: int) -> str:
    """Return names as a YAML list that begins at a column, in lines of a readable length."""
    lines, line = [], ""
    for place, name in enumerate(names):
        word = f"{name}," if place < len(names) - 1 else name
        if line and column + 1 + len(line) + 1 + len(word) >= _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "[" + f"\n{' ' * (column + 1)}".join([*lines, line]) + "]"
