"""What a policy opens and nobody uses, by the ledger; and the narrower policy that follows.

A rule, purpose or column is used when a question of the time was allowed by it. What is everybody's
right is no privilege: rules by which citizens see their own are never called unused. Denials are
not permissions.

The narrower policy is the same text without the rules and columns that nobody used. It never opens
anything: where leaving a rule out would loosen something for others (a larger smallest count, say),
it stays, which is found by comparing both policies in full.

Source: NIST SP 800-53 AC-6(7) (review of user privileges).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from access import purposes as purposes_file
from access import rules as rules_file
from access.decision import Decider
from access.diff import Difference, difference
from access.history import LedgerReader, Lost, first_since, uses
from access.model import Action, Decision
from access.narrowing import without_columns, without_lines
from access.policy import Policy, policy_of
from access.posts import reading_decider
from access.rules import ANY, Rule, covers
from access.simulate import decide_again, question_of
from access.usage_record import UsageRecord
from hub.errors import PolicyError
from hub.progress import Progress

_REPORT_EVERY = 500

#: (purpose, dataset, column)
Need = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a time.

    Args:
        entries: uses that were counted; `lost` those that could not be, by why.
        rules, grants, purposes: name -> in how many of them.
        needs: every column that was shown, for which purpose.
        questions: one use for every kind of question that the policy in force allows.
    """

    entries: int
    lost: Mapping[Lost, int]
    rules: Mapping[str, int]
    grants: Mapping[str, int]
    purposes: Mapping[str, int]
    needs: frozenset[Need]
    questions: tuple[UsageRecord, ...]


@dataclass(frozen=True, slots=True)
class Unused:
    """What was not."""

    rules: tuple[Rule, ...]
    grants: tuple[str, ...]
    purposes: tuple[str, ...]
    needs: tuple[Need, ...]


def used_since(
    ledger: LedgerReader,
    decider: Decider,
    since: datetime,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Used:
    """Return what was used, by the entries since a time.

    The rules are those that the entries name, and those by which the policy in force allows the
    same questions: a rule may have another name today.
    """
    start, stop = first_since(ledger, since), ledger.size
    decided: dict[tuple[object, ...], tuple[UsageRecord, Decision]] = {}
    lost: Counter[Lost] = Counter()
    rules: Counter[str] = Counter()
    grants: Counter[str] = Counter()
    purposes: Counter[str] = Counter()
    needs: set[Need] = set()
    entries = 0
    for position, use in uses(ledger, start, stop):
        if position % _REPORT_EVERY == 0:
            progress(position - start, stop - start)
        if isinstance(use, Lost):
            lost[use] += 1
            continue
        entries += 1
        key = question_of(use)
        if key not in decided:
            decided[key] = (use, decide_again(decider, use, now))
        _, decision = decided[key]
        named = use.rules if use.shown else ()
        if use.shown or decision.allowed:
            rules.update({*named, *(decision.rules if decision.allowed else ())})
            purposes[use.purpose] += 1
        grants.update(use.grants)
        needs.update((use.purpose, *_split(column)) for column in use.fields)
    progress(stop - start, stop - start)
    questions = tuple(use for use, decision in decided.values() if decision.allowed)
    return Used(entries, lost, rules, grants, purposes, frozenset(needs), questions)


def _split(key: str) -> tuple[str, str]:
    dataset, _, column = key.rpartition(".")
    return dataset, column


def unused(policy: Policy, used: Used, grants: Collection[str] = ()) -> Unused:
    """Return what a policy opens and was not used.

    Args:
        grants: ids of the grants in force.
    """
    return Unused(
        rules=tuple(
            rule
            for rule in policy.rules
            if rule.allows and set(rule.actions) != {Action.OWN} and rule.id not in used.rules
        ),
        grants=tuple(name for name in grants if name not in used.grants),
        purposes=tuple(
            purpose.code
            for purpose in policy.purposes.values()
            if set(purpose.actions) != {Action.OWN} and purpose.code not in used.purposes
        ),
        needs=tuple(
            (purpose.code, dataset, column)
            for purpose in policy.purposes.values()
            if purpose.code in used.purposes
            for dataset, columns in purpose.needs.items()
            for column in columns
            if ANY not in (dataset, column)
            if (purpose.code, dataset, column) not in used.needs
        ),
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A narrower policy.

    Args:
        texts: every policy file by name.
        rules, needs: what was left out.
        kept: unused rules that stay, because without them something would be looser.
        change: what it closes.
    """

    texts: Mapping[str, str]
    rules: tuple[str, ...]
    needs: tuple[Need, ...]
    kept: tuple[str, ...]
    change: Difference


def propose(
    texts: Mapping[str, str], before: Decider, used: Used, found: Unused, now: datetime
) -> Proposal:
    """Return a policy without what was not used.

    It opens nothing that the present one does not, and allows every question that was allowed.

    Args:
        texts: the present policy's files by name.
        found: what was not used; grants stand in no file and are not touched.

    Raises:
        PolicyError: when what is left does not lint.
    """
    rules, needs = list(found.rules), list(found.needs)
    while True:
        narrower = {
            **texts,
            rules_file.FILE: without_lines(texts[rules_file.FILE], {rule.line for rule in rules}),
            purposes_file.FILE: without_columns(texts[purposes_file.FILE], needs),
        }
        after = reading_decider(policy_of(narrower, before.catalog), before.catalog)
        change = difference(before, after, now)
        wrong = _loosened(change) | {
            use.purpose for use in used.questions if not decide_again(after, use, now).allowed
        }
        if not wrong:
            break
        left = [rule for rule in rules if not _serves(rule, wrong)]
        rest = [need for need in needs if need[0] not in wrong]
        if (left, rest) == (rules, needs):
            raise PolicyError(
                "the policy cannot be narrowed: what is left would be looser, or refuse what was used"
            )
        rules, needs = left, rest
    names = tuple(rule.id for rule in rules)
    kept = tuple(rule.id for rule in found.rules if rule.id not in names)
    return Proposal(narrower, names, tuple(needs), kept, change)


def _loosened(change: Difference) -> set[str]:
    """Return the purposes for which something is shown more, or bound less."""
    cells = {(c.purpose, t.way) for held in change.cells.values() for c, t in held.items()}
    terms = {(c.purpose, t.way) for held in change.terms.values() for c, t in held.items()}
    return {purpose for purpose, way in cells | terms if way != "closes"}


def _serves(rule: Rule, purposes: Iterable[str]) -> bool:
    return any(covers(pattern, code) for pattern in rule.purposes for code in purposes)
