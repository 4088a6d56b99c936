"""What may leave, said a second time: slowly, cell by cell, from the text of the policy.

Casbin is asked by its own evaluator with every rule; purposes and lifts are read from the files as
they stand; the masks are written from the table in docs/access.md. Nothing here is imported from the
code that decides, masks or renders. It answers with the most that may be shown: what is shown must
be among it, it need not all be shown.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from access.policy import Policy
from hub.catalog import Catalog, Column, Dataset

_LISTS = ("search", "list")
_NUMBERS = ("resident_id", "disability_certificate")
_PERSONAL = frozenset(
    {
        "address", "bank_account", "birth_date", "disability_certificate", "email", "person_name",
        "phone", "plate", "resident_id",
    }
)  # fmt: skip
_WORKING = ("clear", "masked", "generalised", "age_band", "pseudonym")


@dataclass(frozen=True)
class Held:
    """One record as one of its subjects finds it; `values` are of all its columns."""

    dataset: str
    role: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """One person: where they live, what is held, what about them closes something."""

    place: str
    records: tuple[Held, ...]
    traits: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """One question, with the actor as the register of actors has them."""

    actor: Mapping[str, Any]
    action: str
    purpose: str
    case: bool = False
    case_open: bool = False
    #: Other parties' columns too: a department reads its own record as a whole.
    whole: bool = False
    #: By the handle of an earlier search: numbers show 1+1.
    searched: bool = False
    #: "dataset.column" of what a second person let be seen in clear; None in any other question.
    lifted: frozenset[str] | None = None
    #: "dataset.column" of a grant in force, beside the rules; None where there is none.
    granted: frozenset[str] | None = None


@dataclass
class Reference:
    """Says what may leave under the policy of a folder."""

    policy: Policy
    catalog: Catalog
    folder: Path
    _known: dict[tuple[Any, ...], tuple[bool, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the files as text, and start plain Casbin."""
        self._casbin, self._noted = self.policy.plain_enforcer()
        read = (self.folder / "purposes.yaml").read_text("utf-8")
        self._purposes: dict[str, Any] = yaml.safe_load(read)
        self._roles = yaml.safe_load((self.folder / "roles.yaml").read_text("utf-8"))["roles"]
        lines = (self.folder / "policy.csv").read_text("utf-8").splitlines()
        rows = list(csv.DictReader(n for n in lines if n.strip() and not n.startswith("#")))
        self._lifts = {r["rule"]: set(r["lifts"].split()) for r in rows if r["effect"] == "allow"}
        self._obliges = {r["rule"]: r["obligations"] for r in rows}

    def grant(
        self, name: str, role: str, agency: str, action: str, dataset: str, purpose: str
    ) -> None:
        """Have a grant as one rule more, for anywhere and with any case."""
        self._casbin.add_policy(
            name, role, agency, action, dataset, purpose, "any", "optional", "any", "clear", "4",
            "allow",
        )  # fmt: skip
        self._known.clear()

    def may_leave(self, asked: Asked, people: Iterable[Subject]) -> frozenset[str]:
        """Return every text that may be shown of some persons."""
        if not self._may_state(asked):
            return frozenset()
        return frozenset(text for who in people for text in self._of(asked, who))

    def _may_state(self, asked: Asked) -> bool:
        purpose = self._purposes.get(asked.purpose)
        if purpose is None or asked.action not in purpose["actions"]:
            return False
        held = set(asked.actor["roles"])
        for role in tuple(held):
            held |= set(self._roles[role].get("inherits", ()))
        if not held & set(purpose["roles"]):
            return False
        wanted = purpose["case"]
        return asked.case_open if wanted in ("open", "member") else asked.case or wanted != "given"

    def _of(self, asked: Asked, who: Subject) -> Iterator[str]:
        if not self._may_be_found(asked, who):
            return
        cells = [cell for held in who.records for cell in self._cells(asked, who, held)]
        cells = list(_apart(cells, self.catalog))
        for _, _, text in cells:
            yield text

    def _may_be_found(self, asked: Asked, who: Subject) -> bool:
        """Somebody outside the area is nobody, unless something is open outside."""
        area = tuple(asked.actor["area"])
        if area and who.place.startswith(area):
            return True
        return any(
            self._allows(asked, who, self.catalog[held.dataset], "elsewhere", "masked", 1)[0]
            for held in who.records
            if self._need(asked, held.dataset, "*any*") is not None
        )

    def _cells(
        self, asked: Asked, who: Subject, held: Held
    ) -> Iterator[tuple[Dataset, Column, str]]:
        dataset = self.catalog[held.dataset]
        withheld = self._purposes[asked.purpose].get("withheld", ())
        if f"{held.dataset}.{held.role}" in withheld:
            return
        for column in dataset.columns:
            value = held.values.get(column.name)
            mine = asked.whole or column.role in (None, held.role)
            mine &= asked.granted is None or f"{held.dataset}.{column.name}" in asked.granted
            mine &= asked.lifted is None or f"{held.dataset}.{column.name}" in asked.lifted
            if value and mine:
                text = self._shown(asked, who, dataset, column, held, value)
                if text is not None:
                    yield dataset, column, text

    def _shown(
        self,
        asked: Asked,
        who: Subject,
        dataset: Dataset,
        column: Column,
        held: Held,
        value: str,
    ) -> str | None:
        need = self._need(asked, dataset.name, column.name)
        area = tuple(asked.actor["area"])
        place = held.values.get(dataset.area_column or "") or who.place
        word = "own" if area and place.startswith(area) else "elsewhere"
        level = int(column.classification)
        open_at_all, rules = self._allows(asked, who, dataset, word, "masked", level)
        if need is None or not open_at_all:
            return None
        if asked.action == "unmask" and not any(self._fits(asked, rule) for rule in rules):
            return None
        lifts = {lift for rule in rules for lift in self._lifts.get(rule, ())}
        sensitive = level >= 3 or column.semantic in _PERSONAL
        if "minor" in who.traits and sensitive and "minors" not in lifts:
            return None
        police = dataset.name.startswith("police.") and "police_parties" not in lifts
        party = column.role is not None or column.semantic in _PERSONAL
        if police and party and asked.action != "own":
            return None
        in_list = asked.action in _LISTS
        if column.semantic == "free_text" and (police or in_list or asked.action == "own"):
            return None
        if need in ("generalised", "age_band"):
            return value[:4] if need == "generalised" else None
        clear, _ = self._allows(asked, who, dataset, word, "clear", level)
        cleared = level <= _clearance(asked) or asked.action == "own"
        listed = in_list and (column.semantic in _PERSONAL or level > 2)
        if need == "clear" and clear and cleared and not listed:
            return value
        short = in_list or (asked.searched and column.semantic in _NUMBERS)
        return mask(column.semantic or "", value, in_list=short)

    def _fits(self, asked: Asked, rule: str) -> bool:
        """A second person before, or a review afterwards: as the rule obliges to."""
        eyes = "review=" if asked.lifted is None else "second_person"
        return eyes in self._obliges.get(rule, "")

    def _need(self, asked: Asked, dataset: str, column: str) -> str | None:
        needs = self._purposes[asked.purpose]["needs"]
        wanted = needs.get(dataset, needs.get("*"))
        if wanted is None:
            return None
        if column == "*any*":
            return "clear"
        if asked.lifted is not None and column in wanted.get("unmask", ()):
            return "clear"
        found = [how for how in _WORKING if {"*", column} & set(wanted.get(how, ()))]
        return found[0] if found else None

    def _allows(
        self, asked: Asked, who: Subject, dataset: Dataset, area: str, show: str, level: int
    ) -> tuple[bool, frozenset[str]]:
        """Ask Casbin of the person without traits and with each: one refusal is enough."""
        rules: set[str] = set()
        for subject in ("none", *sorted(who.traits)):
            question = (
                tuple(asked.actor["roles"]), asked.actor["agency"], dataset.owner, asked.action,
                dataset.name, dataset.sharing.value, asked.purpose, area,
                "given" if asked.case else "none", subject, show, level,
            )  # fmt: skip
            if question not in self._known:
                self._noted.clear()
                allowed = bool(self._casbin.enforce(*question))
                self._known[question] = (allowed, frozenset(self._noted))
            allowed, matched = self._known[question]
            if not allowed:
                return False, frozenset()
            rules |= matched
        return True, frozenset(rules)


def _clearance(asked: Asked) -> int:
    return int(asked.actor["clearance"].removeprefix("L"))


def _apart(
    cells: list[tuple[Dataset, Column, str]], catalog: Catalog
) -> Iterator[tuple[Dataset, Column, str]]:
    """Leave out what gives a mask back: a birth date beside a 6+4 number, an address's own code."""
    numbers = [t for _, c, t in cells if c.semantic in _NUMBERS]
    masked = any("*" in number for number in numbers)
    for dataset, column, text in cells:
        if masked and column.semantic == "birth_date" and len(text) > 4:
            continue
        addresses = [t for d, c, t in cells if d is dataset and c.semantic == "address"]
        if column.name == "address_id" and addresses and all("*" in t for t in addresses):
            continue
        yield dataset, column, text


def mask(semantic: str, value: str, *, in_list: bool = False) -> str | None:
    """Return what that table leaves of a value; None where it knows no mask: nothing is shown."""
    if semantic == "person_name":
        return value[0] + "**"
    if semantic in ("resident_id", "disability_certificate"):
        more = "**" if len(value) > 18 else ""
        if in_list:
            return value[0] + 16 * "*" + value[17] + more
        return value[:6] + 8 * "*" + value[14:18] + more
    if semantic == "phone":
        return 9 * "*" + value[-2:] if in_list else value[:3] + "****" + value[-4:]
    if semantic == "address":
        return value[: value.index("社区") + 2] + "***"
    if semantic == "bank_account" and not in_list:
        return 12 * "*" + value[-4:]
    return value[:4] if semantic == "birth_date" else None
