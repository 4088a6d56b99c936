"""A difference in plain words: who may see what from now on, and what no longer.

What follows from a line about everybody (that a minor's value is closed along with all others) is
not said again; the lines themselves, for programs, leave nothing out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from access.cells import ANYBODY, AREAS, ASKED, CASES, PERSONS
from access.diff import Difference, Line, TermLine, Turn, Way, lines, term_lines
from access.masking import FULL, kind
from access.model import HIDDEN, Action
from access.policy import Policy
from access.posts import Post
from hub.catalog import Catalog

_KINDS = {
    "clear": ("明文", "clear"),
    "masked": ("遮盖", "masked"),
    "generalised": ("概括", "generalised"),
    "hidden": ("不可见", "hidden"),
}
ACTIONS = {
    "aggregate": "统计", "export": "导出", "list": "列出", "lookup": "查询", "own": "查阅本人信息",
    "reconcile": "比对", "sample": "抽样", "search": "搜索", "unmask": "解除遮盖",
}  # fmt: skip
_WHERE = {
    ("area", "own"): ("限本辖区", "in the own area"),
    ("area", "elsewhere"): ("限辖区以外", "outside the own area"),
    ("case", "given"): ("限填写事项编号时", "with a case"),
    ("case", "none"): ("限不填事项编号时", "without a case"),
    ("asked", "alone"): ("限单独查询该数据集时", "when the dataset is asked for alone"),
    ("asked", "together"): ("限与其他数据集同查时", "when it is asked for together with others"),
}
_TRAITS = {
    "minor": ("未成年人", "minors"),
    "own_household": ("本人家庭", "the own household"),
    "own_record": ("本人", "the own record"),
    "protected": ("受保护人员", "protected persons"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """Puts a difference into words, with the titles of both policies.

    Args:
        policies: the newer one last; its titles win.
    """

    policies: tuple[Policy, ...]
    catalog: Catalog

    def of(self, difference: Difference) -> dict[Way, list[str]]:
        """Return sentences, Chinese first, by what they tell of."""
        said: dict[Way, list[str]] = {"opens": [], "closes": [], "changes": []}
        made = lines(difference)
        for key, group in _together(line for line in made if not _implied(line, made)).items():
            said[key[0]].append(self._sentence(group))
        for term in term_lines(difference):
            said[term.turn.way].append(self._term(term))
        for code, entry, before, after in difference.purposes:
            said["changes"].append(
                f"目的 {code}：{entry} 由“{before}”改为“{after}”"
                f" / purpose {code}: {entry} from {before or '-'} to {after or '-'}"
            )
        return said

    def _sentence(self, group: list[Line]) -> str:
        line = group[0]
        actions = sorted({str(one.action) for one in group})
        columns: dict[Turn, dict[str, None]] = defaultdict(dict)
        for one in group:
            columns[one.turn] |= dict.fromkeys(one.columns)
        zh, en = _circumstances(line)
        said = [("、".join(names), ", ".join(names), *_turned(t)) for t, names in columns.items()]
        dataset = self.catalog[line.dataset].title
        purpose, acting = self._purpose(line.purpose), "、".join(ACTIONS[a] for a in actions)
        who_zh, who_en = self._who(line.posts)
        return (
            f"{who_zh}为“{purpose}”{acting}{dataset}"
            f"{f'（{zh}）' if zh else ''}：{'；'.join(f'{names} {how}' for names, _, how, _ in said)}"
            f" / {who_en} for {line.purpose}, {' and '.join(actions)} of {line.dataset}"
            f"{f', {en}' if en else ''}: {'; '.join(f'{names} {how}' for _, names, _, how in said)}"
        )

    def _term(self, line: TermLine) -> str:
        who_zh, who_en = self._who(line.posts)
        before, after = (" ".join(sorted(words)) for words in line.turn)
        action = str(line.action)
        titles = "、".join(self.catalog[name].title for name in line.datasets)
        return (
            f"{who_zh}为“{self._purpose(line.purpose)}”{ACTIONS[action]}{titles}：义务由 "
            f"{before} 改为 {after} / {who_en} for {line.purpose}, {action} of "
            f"{', '.join(line.datasets)}: obligations from {before} to {after}"
        )

    def _who(self, posts: Iterable[Post]) -> tuple[str, str]:
        agencies: dict[str, list[str]] = defaultdict(list)
        for post in posts:
            agencies[post.role].append(post.agency)
        zh, en = [], []
        for role, held in agencies.items():
            titles = "、".join(self._agency(code) for code in held)
            zh.append(f"{self._role(role)}（{titles}）")
            en.append(f"{role} ({', '.join(held)})")
        return "、".join(zh), ", ".join(en)

    def _role(self, code: str) -> str:
        found = (p.roles.roles[code].title for p in self.policies if code in p.roles.roles)
        return next(reversed((code, *found)))

    def _agency(self, code: str) -> str:
        return next(reversed([p.roles.agencies.get(code, code) for p in self.policies]))

    def _purpose(self, code: str) -> str:
        found = (p.purposes[code].title for p in self.policies if code in p.purposes)
        return next(reversed((code, *found)))


_Key = tuple[Way, tuple[Any, ...]]


def _together(found: Iterable[Line]) -> Mapping[_Key, list[Line]]:
    """Return lines by what their sentences have in common."""
    by_action: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    for line in found:
        rest = (line.posts, line.purpose, line.dataset, line.areas, line.cases, line.persons)
        by_action[line.turn.way, (*rest, line.asked), line.action].append(line)
    groups: dict[_Key, list[Line]] = defaultdict(list)
    said: dict[tuple[Any, ...], _Key] = {}
    for (way, rest, action), group in by_action.items():
        what = (way, rest, frozenset((line.columns, line.turn) for line in group))
        key = said.setdefault(what, (way, (*rest, action)))
        groups[key] += group
    return groups


def _implied(line: Line, made: Iterable[Line]) -> bool:
    """Say whether lines about everybody, going the same way, say as much of every column."""
    if ANYBODY in line.persons:
        return False
    wider = [
        other
        for other in made
        if ANYBODY in other.persons
        and (other.turn.way, other.purpose, other.action, other.dataset)
        == (line.turn.way, line.purpose, line.action, line.dataset)
        and set(line.posts) <= set(other.posts)
        and set(line.areas) <= set(other.areas)
        and set(line.cases) <= set(other.cases)
        and set(line.asked) <= set(other.asked)
    ]
    return set(line.columns) <= {column for other in wider for column in other.columns}


def _circumstances(line: Line) -> tuple[str, str]:
    found = [
        _WHERE[name, held[0]]
        for name, held, every in (
            ("area", line.areas, AREAS),
            ("case", line.cases, CASES),
            ("asked", line.asked, ASKED),
        )
        if len(held) < len(every) and (line.action, name) != (Action.AGGREGATE, "asked")
    ]
    if ANYBODY not in line.persons:
        traits = [_TRAITS[person] for person in line.persons]
        found.append(
            ("仅涉" + "、".join(z for z, _ in traits), "of " + ", ".join(e for _, e in traits))
        )
    elif 1 < len(line.persons) < len(PERSONS):
        traits = [_TRAITS[person] for person in PERSONS if person not in line.persons]
        zh, en = "、".join(z for z, _ in traits), ", ".join(e for _, e in traits)
        found.append((f"{zh}另计", f"otherwise for {en}"))
    return "；".join(z for z, _ in found), ", ".join(e for _, e in found)


def _turned(turn: Turn) -> tuple[str, str]:
    (before_zh, before_en), (after_zh, after_en) = how(turn.before), how(turn.after)
    return f"{before_zh}→{after_zh}", f"{before_en} to {after_en}"


def how(treatment: str) -> tuple[str, str]:
    """Return what a treatment amounts to, in Chinese and in English."""
    if treatment == FULL:
        return "全遮盖", "fully masked"
    zh, en = _KINDS[kind(treatment)]
    if kind(treatment) in ("clear", HIDDEN):
        return zh, en
    return f"{zh}[{treatment}]", f"{en} [{treatment}]"
