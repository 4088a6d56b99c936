"""Who may change what is in force: duties of roles, and the second pair of eyes.

Which roles have which duty stands in roles.yaml (`duties`) of the policy in force, so that it is
changed as the policy is. Two accounts of one person are one person.

Source: GB/T 22239-2019 (三员分立); NIST SP 800-53 AC-5 (separation of duties).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from access.admission import titles_of
from access.files import read_yaml, words
from access.roles import RoleRegister
from hub.errors import PolicyError


class Duty(StrEnum):
    """What only some roles may do, alphabetical."""

    APPROVE_ERASURE = "approve_erasure"
    APPROVE_GRANT = "approve_grant"
    APPROVE_POLICY = "approve_policy"
    APPROVE_SEAL = "approve_seal"
    APPROVE_UNMASK = "approve_unmask"
    ORDER_SEAL = "order_seal"
    PROPOSE_POLICY = "propose_policy"
    READ_LEDGER = "read_ledger"
    REQUEST_ERASURE = "request_erasure"
    REQUEST_GRANT = "request_grant"
    REVIEW_EMERGENCY = "review_emergency"
    SUSPEND_ACTOR = "suspend_actor"


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody with duties.

    Args:
        account: name of the account.
        person: number of the person behind it among the staff; one for all their accounts.
    """

    account: str
    agency: str
    roles: tuple[str, ...]
    person: str


Officials = Mapping[str, Official]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done, and what to do."""

    reason: str


def load_officials(path: Path) -> dict[str, Official]:
    """Return the officials a YAML file names, by account.

    Raises:
        PolicyError: when it is missing or an entry is no official.
    """
    found: dict[str, Official] = {}
    for account, entry in read_yaml(path).items():
        try:
            person = str(entry.get("person", account))
            found[str(account)] = Official(
                str(account), str(entry["agency"]), words(entry["roles"]), person
            )
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise PolicyError(f"{path.name}: {account} is no official") from exc
    return found


def unfit(official: Official | None, duty: Duty, roles: RoleRegister) -> Refusal | None:
    """Return why somebody may not do this, None when they may."""
    allowed = roles.duties.get(duty.value, frozenset())
    titles = "、".join(titles_of(roles, tuple(sorted(allowed)))) or "—"
    wanted = f"只有 {titles} 可以 / only {titles} may do this ({duty})"
    if official is None:
        return Refusal(f"没有登记此账号；{wanted}; the account is not registered")
    held = {
        name
        for role in official.roles
        if role in roles.roles and official.agency in roles.roles[role].agencies
        for name in roles.held(role)
    }
    if roles.conflicts(official.roles):
        return Refusal("该账号兼有须分设的职责 / the account holds duties that must be separate")
    return None if held & allowed else Refusal(wanted)


def same_person(first: str, second: Official, officials: Officials) -> Refusal | None:
    """Return why a second person is not a second person, None when they are.

    Args:
        first: account of who began; somebody no longer registered cannot be told from the second.
    """
    began = officials.get(first)
    if began is None:
        return Refusal(
            "提出人已不在登记册中，请重新提出 / who proposed it is not registered any more: "
            "propose it again"
        )
    if second.account == first or second.person == began.person:
        return Refusal(
            "须由另一人批准 / it takes a second person: nobody approves what they proposed, under "
            "no account"
        )
    return None


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Tells whether who decides is another person than who asked, whatever door each came by.

    A door knows a person by their own number, the register of officials by that among the staff:
    that one of the two is the same is enough.

    Args:
        name_of: keyed name of an account or person.
    """

    name_of: Callable[[bytes | str], bytes]
    officials: Officials

    def name(self, person: str) -> str:
        """Return what is kept of the person who asks; hexadecimal."""
        return self.name_of(person).hex()

    def refusal(self, asked_by: str, asked_person: str, second: Official) -> Refusal | None:
        """Return why a second person is none, None when they are.

        Args:
            asked_by: account of who asked.
            asked_person: what was kept of the person behind it.
        """
        first = {asked_person} | self._registered(asked_by)
        other = {self.name(second.person)} | self._registered(second.account)
        if second.account == asked_by or first & other:
            return Refusal(
                "须由另一人批准 / it takes a second person: nobody approves what they asked for, "
                "under no account"
            )
        return None

    def _registered(self, account: str) -> set[str]:
        official = self.officials.get(account)
        return set() if official is None else {self.name(official.person)}
