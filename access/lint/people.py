"""Separate duties among people: one person is one person, however many accounts they have.

What an account holds together with the other accounts of its person must not exclude each other,
and nobody is given a second account to decide what they began under the first. Accounts are named,
persons never.

Source: GB/T 22239-2019 (三员分立); NIST SP 800-53 AC-5 (separation of duties).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from access.files import read_text, read_yaml, words
from access.lint.finding import Finding, line_of
from access.lint.sources import Sources
from access.model import Action, Actor
from access.roles import RoleRegister
from hub.errors import PolicyError

#: Duty of beginning something -> duty of deciding on it. `unmask` is no duty but an action.
_DECIDES = (
    ("propose_policy", "approve_policy"),
    ("request_grant", "approve_grant"),
    ("order_seal", "approve_seal"),
    ("request_erasure", "approve_erasure"),
    (Action.UNMASK.value, "approve_unmask"),
    (Action.UNMASK.value, "review_emergency"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account and who is behind it.

    Args:
        person: whatever tells persons apart; the same for all accounts of one person.
        line: where it stands in its file, from 1.
    """

    id: str
    agency: str
    roles: tuple[str, ...]
    person: str
    line: int = 1


def read_accounts(path: Path) -> tuple[Account, ...]:
    """Return the accounts of a YAML file: name -> agency, roles, and person where one has several.

    Raises:
        PolicyError: when it cannot be read or an entry is no account.
    """
    text, found = read_text(path), []
    for name, entry in read_yaml(path).items():
        try:
            account = Account(
                id=str(name),
                agency=str(entry["agency"]),
                roles=words(entry["roles"]),
                person=str(entry.get("person", f"account {name}")),
                line=line_of(text, str(name)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise PolicyError(f"{path.name}: {name} is no account") from exc
        found.append(account)
    return tuple(found)


def account_of(actor: Actor) -> Account:
    """Return an actor's account; actors bound to one identity number are one person."""
    person = f"account {actor.id}" if actor.binding is None else actor.binding.hex()
    return Account(actor.id, actor.agency, actor.roles, person)


def lint_accounts(
    sources: Sources, accounts: Iterable[Account], file: str = "actors"
) -> tuple[Finding, ...]:
    """Return everything wrong with who holds what, in line order.

    Args:
        file: name of the file the accounts are from.
    """
    everybody = tuple(accounts)
    people: dict[str, list[Account]] = defaultdict(list)
    for account in everybody:
        people[account.person].append(account)
    found = [f for account in everybody for f in _alone(account, sources.roles, file)]
    for held in people.values():
        found += _together(held, sources.roles, file)
    found += _deciding(people, _duties(sources), sources.roles, file)
    return tuple(sorted(found, key=lambda f: (f.line, f.code, f.message)))


def _alone(account: Account, roles: RoleRegister, file: str) -> Iterator[Finding]:
    conflicts = roles.conflicts(account.roles)
    if conflicts:
        names = ", ".join(conflicts)
        message = (
            f"{account.id}: 兼有须分设的角色 {names} / holds {names}, which exclude each other"
        )
        yield Finding(file, account.line, "error", "separate-duties", message)
    for role in account.roles:
        if role not in roles.roles:
            message = f"{account.id}: 角色 {role!r} 不存在 / there is no role {role!r}"
            yield Finding(file, account.line, "error", "unknown-role", message)
    if account.agency not in roles.agencies:
        message = (
            f"{account.id}: 部门 {account.agency!r} 不存在 / there is no agency {account.agency!r}"
        )
        yield Finding(file, account.line, "error", "unknown-agency", message)


def _together(accounts: list[Account], roles: RoleRegister, file: str) -> Iterator[Finding]:
    """Yield what the accounts of one person must not hold together, and none holds alone."""
    held = tuple(dict.fromkeys(role for account in accounts for role in account.roles))
    alone = {role for account in accounts for role in roles.conflicts(account.roles)}
    conflicts = [role for role in roles.conflicts(held) if role not in alone]
    if len(accounts) > 1 and conflicts:
        names, mine = ", ".join(conflicts), ", ".join(account.id for account in accounts)
        message = (
            f"{mine}: 同一人的账号合计兼有须分设的角色 {names}"
            f" / accounts of one person hold {names}, which exclude each other"
        )
        yield Finding(file, accounts[-1].line, "error", "separate-duties", message)


def _duties(sources: Sources) -> dict[str, frozenset[str]]:
    """Return who has which duty; to lift masks is the duty of the roles that a rule lets."""
    unmasking = {
        role
        for rule in sources.rule_file.rules
        if rule.allows and Action.UNMASK in rule.actions
        for role in rule.roles
    }
    return {**sources.roles.duties, Action.UNMASK.value: frozenset(unmasking)}


def _deciding(
    people: Mapping[str, list[Account]],
    duties: Mapping[str, frozenset[str]],
    roles: RoleRegister,
    file: str,
) -> Iterator[Finding]:
    def those(accounts: Iterable[Account], duty: str) -> list[Account]:
        wanted = duties.get(duty, frozenset())
        return [a for a in accounts if not wanted.isdisjoint(_held(a, roles))]

    for begins, decides in _DECIDES:
        for accounts in people.values():
            for begun in those(accounts, begins):
                for deciding in those(accounts, decides):
                    if begun.id != deciding.id:
                        message = (
                            f"{begun.id}, {deciding.id}: 同一人可以一个账号提出（{begins}）、以另一个账号"
                            f"决定（{decides}） / accounts of one person: one begins ({begins}) what "
                            f"the other decides ({decides})"
                        )
                        yield Finding(file, deciding.line, "error", "own-decision", message)
        able = [accounts for accounts in people.values() if those(accounts, decides)]
        beginning = [accounts for accounts in people.values() if those(accounts, begins)]
        if len(able) == 1 and beginning == able:
            account = those(able[0], decides)[0]
            message = (
                f"{account.id}: 只有同一人可提出（{begins}）并决定（{decides}），什么也无法决定"
                f" / one person alone may begin ({begins}) and decide ({decides}): nothing can be "
                "decided"
            )
            yield Finding(file, account.line, "warning", "lone-decider", message)


def _held(account: Account, roles: RoleRegister) -> frozenset[str]:
    """Return the roles an account holds in its agency, with all they inherit."""
    return frozenset(
        name
        for role in account.roles
        if role in roles.roles and account.agency in roles.roles[role].agencies
        for name in roles.held(role)
    )
