"""Rules as people write them: one line of policy.csv each, read into values.

The head of policies/policy.csv explains every column; the words allowed in a cell are below.
A line that cannot be read as written is a finding, never a guess: an effect typed `Deny` would
otherwise deny nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from access.model import Action, Trait
from hub.catalog import Classification, Dataset

FILE = "policy.csv"

COLUMNS = (
    "rule", "effect", "role", "agency", "action", "dataset", "purpose", "area", "case", "subject",
    "show", "level", "lifts", "obligations", "because",
)  # fmt: skip

ANY = "*"
ANYBODY = "any"
OWNER, OTHERS = "@owner", "@others"
NOT_SHARED = "@not_shared"

EFFECTS = ("allow", "deny")
AREAS = ("any", "own")
CASES = ("required", "optional")
SUBJECTS = (ANYBODY, *(trait.value for trait in Trait))
SHOWS = ("clear", "masked")
LEVELS = tuple(level.name for level in Classification)
LIFTS = ("minors", "police_parties")

#: Obligation -> what whoever enforces the decision must do.
OBLIGATIONS = {
    "case_required": "a case reference is given and recorded",
    "list_cap": "no more than so many persons are listed",
    "min_cell": "counts below this are left out of a table",
    "one_person_per_request": "one question, one person",
    "record_use": "the use is in the ledger before anything is released",
    "review": "it is reviewed by a second person within so many working days",
    "second_person": "a second person approves it before anything is released",
}
_WITH_NUMBER = ("list_cap", "min_cell", "review")
_WRITABLE = ("list_cap", "min_cell", "one_person_per_request", "review", "second_person")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the policy.

    Args:
        id: the line's name.
        line: where it stands in the file, from 1.
        level: highest level an allowing rule opens; lowest level a denying rule closes.
        subject: trait of the persons that a denial is about, None for everybody.
        because: the reason, in plain words.
    """

    id: str
    line: int
    effect: Literal["allow", "deny"]
    roles: tuple[str, ...]
    agencies: tuple[str, ...]
    actions: tuple[str, ...]
    datasets: tuple[str, ...]
    purposes: tuple[str, ...]
    area: Literal["any", "own"]
    case: Literal["required", "optional"]
    show: Literal["clear", "masked"]
    level: Classification
    lifts: frozenset[str] = frozenset()
    obligations: tuple[str, ...] = ()
    because: str = ""
    subject: Trait | None = None

    @property
    def allows(self) -> bool:
        """Whether the rule opens something."""
        return self.effect == "allow"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What policy.csv says: rules in order, and every line that says nothing readable."""

    rules: tuple[Rule, ...]
    findings: tuple[tuple[int, str, str], ...] = field(default=())  # (line, code, message)


def covers(pattern: str, name: str) -> bool:
    """Say whether a pattern (`*`, `police.*`, `police.case`) covers a name.

    >>> covers("police.*", "police.case"), covers("police.*", "policeman")
    (True, False)
    """
    if pattern in (ANY, name):
        return True
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


def covers_dataset(pattern: str, name: str, sharing: str) -> bool:
    """Say whether a dataset pattern covers a dataset, by name or by its sharing type."""
    if pattern == NOT_SHARED:
        return sharing == "not_shared"
    return covers(pattern, name)


def serves(pattern: str, agency: str, owner: str) -> bool:
    """Say whether an agency pattern covers an agency asking for data of an owner."""
    if pattern == OWNER:
        return agency == owner
    if pattern == OTHERS:
        return agency != owner
    return pattern in (ANY, agency)


def rule_covers_dataset(rule: Rule, dataset: Dataset) -> bool:
    """Say whether one of a rule's dataset patterns covers a dataset."""
    return any(covers_dataset(p, dataset.name, dataset.sharing.value) for p in rule.datasets)


def parse_rules(text: str) -> RuleFile:
    """Return the rules of a policy text, with every unreadable line as a finding."""
    rules: dict[str, Rule] = {}
    findings: list[tuple[int, str, str]] = []
    header: list[str] | None = None
    for line, cells in _lines(text):
        if header is None:
            header = cells
            if tuple(cells) != COLUMNS:
                return RuleFile((), ((line, "header", _header_problem(cells)),))
            continue
        problems = list(_problems(cells))
        if not problems and cells[0] in rules:
            problems = [
                (
                    "duplicate-rule",
                    f"第 {rules[cells[0]].line} 行同名 / {cells[0]!r} is also line {rules[cells[0]].line}",
                )
            ]
        findings += [(line, code, message) for code, message in problems]
        if not problems:
            rules[cells[0]] = _rule(line, cells)
    if header is None:
        findings.append((1, "header", "策略文件为空 / the policy is empty"))
    return RuleFile(tuple(rules.values()), tuple(findings))


def _header_problem(cells: list[str]) -> str:
    wanted = f"应为这些列 / the columns are {','.join(COLUMNS)}"
    if tuple(cells) == tuple(name for name in COLUMNS if name != "subject"):
        return (
            f"缺少 subject 列 / the column subject is missing: put it after case, {ANYBODY} in every "
            f"line; {wanted}"
        )
    return wanted


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every line that is neither blank nor a comment."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            for cells in csv.reader([line]):
                yield number, [cell.strip() for cell in cells]


def _problems(cells: list[str]) -> Iterator[tuple[str, str]]:
    """Yield (code, message) for everything in a line that cannot be read."""
    if len(cells) != len(COLUMNS):
        yield (
            "columns",
            f"{len(cells)} 格，应为 {len(COLUMNS)} 格 / {len(cells)} cells where {len(COLUMNS)} are wanted",
        )
        return
    cell = dict(zip(COLUMNS, cells, strict=True))
    for name in COLUMNS:
        if not cell[name]:
            yield "empty", f"{name} 为空 / {name} is empty; write * for all, - for none"
        if "eval" in cell[name].replace(" ", "").lower() and "(" in cell[name]:
            yield "eval", f"{name} 含有代码 / {name} holds code; a policy is words only"
    if cell["rule"] and not _NAME.fullmatch(cell["rule"]):
        yield (
            "rule",
            "规则名只用小写字母、数字和连字符 / a rule's name is small letters, digits and hyphens",
        )
    for name, allowed in _VOCABULARY.items():
        if cell[name] and cell[name] not in allowed:
            yield (
                f"unknown-{name}",
                f"{name} {cell[name]!r} 不在其列 / is none of {', '.join(allowed)}",
            )
    for action in cell["action"].split():
        if action not in (*Action, ANY):
            yield (
                "unknown-action",
                f"action {action!r} 不在其列 / is none of {', '.join(Action)}, *",
            )
    yield from _list_problems(cell)


_VOCABULARY = {
    "effect": EFFECTS, "area": AREAS, "case": CASES, "subject": SUBJECTS,
    "show": SHOWS, "level": LEVELS,
}  # fmt: skip


def _list_problems(cell: dict[str, str]) -> Iterator[tuple[str, str]]:
    for lift in _words(cell["lifts"]):
        if lift not in LIFTS:
            yield "unknown-lift", f"lifts {lift!r} 不在其列 / is none of {', '.join(LIFTS)}"
    for obligation in _words(cell["obligations"]):
        name, sign, number = obligation.partition("=")
        good = name in _WRITABLE and (number.isdigit() if name in _WITH_NUMBER else not sign)
        if not good:
            yield (
                "unknown-obligation",
                f"不识别此义务 / obligation {obligation!r} is not known in this form",
            )
    if cell["effect"] == "deny":
        yield from _denial_problems(cell)
    yield from _subject_problems(cell)
    yield from _unmask_problems(cell)
    yield from _export_problems(cell)


def _denial_problems(cell: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A denial that depends on area or case could be dodged by leaving them out."""
    if cell["area"] != "any":
        yield "narrow-denial", "禁止须处处有效 / a denial holds everywhere: area is any"
    if cell["case"] != "optional":
        yield (
            "narrow-denial",
            "禁止与有无事项无关 / a denial holds with and without a case: case is optional",
        )
    if cell["lifts"] != "-" or cell["obligations"] != "-":
        yield (
            "narrow-denial",
            "禁止不解除保护、不附义务 / a denial lifts nothing and obliges to nothing: write -",
        )


def _subject_problems(cell: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Who a person is shows only once they are found: it can close something, and only of a person."""
    if cell["subject"] == ANYBODY:
        return
    if cell["effect"] == "allow":
        yield (
            "subject",
            f"只有禁止可限于某类人员 / only a denial is about {cell['subject']} persons: subject is {ANYBODY}",
        )
    if {Action.AGGREGATE.value, ANY} & set(cell["action"].split()):
        yield (
            "subject",
            "计数不涉及个人 / a count is about no person: name the actions, without aggregate and *",
        )


def _unmask_problems(cell: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Lifting a mask always has a second pair of eyes and a case; nothing else has these eyes."""
    if cell["effect"] != "allow":
        return
    obligations = {word.partition("=")[0] for word in _words(cell["obligations"])}
    eyes = obligations & {"review", "second_person"}
    if Action.UNMASK.value in cell["action"].split():
        if len(eyes) != 1 or cell["case"] != "required":
            yield "unmask", "unmask takes a case, and either second_person or review=DAYS"
    elif eyes:
        yield "unmask", f"{', '.join(sorted(eyes))} is for the action unmask"


def _export_problems(cell: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Files of persons leave on an approved application, and a grant is what one is."""
    if cell["effect"] == "allow" and Action.EXPORT.value in cell["action"].split():
        yield "export", "文件只凭授权提供 / only a grant allows export: `hub access grant`"


def _words(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split())


def _rule(line: int, cells: list[str]) -> Rule:
    cell = dict(zip(COLUMNS, cells, strict=True))
    return Rule(
        id=cell["rule"],
        line=line,
        effect="allow" if cell["effect"] == "allow" else "deny",
        roles=tuple(cell["role"].split()),
        agencies=tuple(cell["agency"].split()),
        actions=tuple(cell["action"].split()),
        datasets=tuple(cell["dataset"].split()),
        purposes=tuple(cell["purpose"].split()),
        area="own" if cell["area"] == "own" else "any",
        case="required" if cell["case"] == "required" else "optional",
        show="masked" if cell["show"] == "masked" else "clear",
        level=Classification[cell["level"]],
        lifts=frozenset(_words(cell["lifts"])),
        obligations=_words(cell["obligations"]),
        because=cell["because"],
        subject=None if cell["subject"] == ANYBODY else Trait(cell["subject"]),
    )
