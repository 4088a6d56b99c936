"""The purpose register: what data may be used for, on what basis, and which columns that needs.

Whoever asks states one of these purposes; what a purpose does not need is not shown, whatever
the role may see otherwise.

Source: policies/purposes.yaml; 个人信息保护法 5-9 (purpose limitation, minimum scope).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from access.files import POLICY_FOLDER, parse_yaml, policy_file, read_text, words
from access.model import Action
from access.seal_grounds import SEAL_GROUNDS
from hub.errors import PolicyError

FILE = "purposes.yaml"

Case = Literal["none", "optional", "given", "open", "member"]
CASES: tuple[Case, ...] = ("none", "optional", "given", "open", "member")
Need = Literal["clear", "masked", "generalised", "age_band", "pseudonym", "unmask"]
NEEDS: tuple[Need, ...] = ("clear", "masked", "generalised", "age_band", "pseudonym", "unmask")
#: Actions that find persons one by one: only these can leave out who or what does not belong.
_FINDING = frozenset({Action.LIST, Action.LOOKUP, Action.SEARCH, Action.UNMASK})
#: What one actor may ask in a minute, and be shown in a day, where a purpose does not say.
PER_MINUTE, PERSONS_A_DAY = 60, 250
_ROUNDING = 1e-6  # of a number written in decimal


@dataclass(frozen=True, slots=True)
class NoiseTerms:
    """What counts with noise cost, and how much of it an actor has for a dataset.

    Args:
        epsilon: thousandths that one query costs.
        budget: thousandths that a period has.
    """

    epsilon: int
    budget: int
    period: Literal["month", "year"]

    def period_of(self, time: datetime) -> str:
        """Return the name of the period that a time is in."""
        return f"{time:%Y-%m}" if self.period == "month" else f"{time:%Y}"


@dataclass(frozen=True, slots=True)
class SealTerms:
    """On what grounds uses for a purpose may be kept from their subjects, and for how long.

    Args:
        grounds: codes of `access.seal_grounds`.
        days: so far ahead of the act an order, or its renewal, may end at most.
    """

    grounds: frozenset[str]
    days: int

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.grounds))}: {self.days}"


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose.

    Args:
        legal_basis: law and article, as shown to the subject.
        basis_verified: False until the legal department has confirmed it.
        case: whether a case is `none`, `optional` or `given` as the asker says; or `open` by the
            register of cases, for the agency and purpose; or, besides, about the `member` shown.
        back_days: days back from which events are shown; None for all.
        needs: dataset (or "*") -> column (or "*") -> the most the purpose needs of it.
        withheld: "dataset.role" -> records of a subject in that role are never part of an answer.
        per_minute: requests of one actor in a minute, at most.
        persons_a_day: different persons shown to one actor in a day, at most.
        noise: what counts with noise cost; None where the purpose has none.
        seal: on what grounds, and for how long, its uses may be sealed; None for never.
    """

    code: str
    title: str
    plain: str
    legal_basis: str
    basis_verified: bool
    roles: tuple[str, ...]
    actions: tuple[Action, ...]
    case: Case
    retention_days: int
    needs: Mapping[str, Mapping[str, Need]] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    back_days: int | None = None
    per_minute: int = PER_MINUTE
    persons_a_day: int = PERSONS_A_DAY
    noise: NoiseTerms | None = None
    seal: SealTerms | None = None

    @property
    def needs_case(self) -> bool:
        """Whether a case reference must be given."""
        return self.case in ("given", "open", "member")

    @property
    def goes_by_register(self) -> bool:
        """Whether the register of cases must know the case as open."""
        return self.case in ("open", "member")

    def covers(self, dataset: str) -> bool:
        """Say whether the purpose needs anything of a dataset."""
        return dataset in self.needs or "*" in self.needs

    def only(self, columns: Iterable[str]) -> Purpose:
        """Return the purpose as one that needs no other columns ("dataset.column") than these."""
        needs: dict[str, dict[str, Need]] = {}
        for key in columns:
            dataset, _, column = key.rpartition(".")
            need = self.need(dataset, column)
            if need is not None:
                needs.setdefault(dataset, {})[column] = need
        return replace(self, needs=needs)

    def need(self, dataset: str, column: str) -> Need | None:
        """Return the most the purpose needs of a column, None for nothing."""
        columns = self.needs.get(dataset) or self.needs.get("*") or {}
        return columns.get(column) or columns.get("*")


class PurposeRegister(Mapping[str, Purpose]):
    """Every purpose by code."""

    def __init__(self, purposes: tuple[Purpose, ...]) -> None:
        self._purposes = {purpose.code: purpose for purpose in purposes}

    def __getitem__(self, code: str) -> Purpose:
        return self._purposes[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._purposes)

    def __len__(self) -> int:
        return len(self._purposes)


def load_purposes(folder: Path = POLICY_FOLDER) -> PurposeRegister:
    """Return the purpose register of a policy folder.

    Raises:
        PolicyError: when the file is missing, or as `parse_purposes`.
    """
    return parse_purposes(read_text(policy_file(folder, FILE)))


def parse_purposes(text: str) -> PurposeRegister:
    """Return the purpose register of a text.

    Raises:
        PolicyError: every entry that has not the form the file's head explains.
    """
    document = parse_yaml(FILE, text)
    purposes, findings = [], []
    for code, entry in document.items():
        try:
            purposes.append(_purpose(str(code), entry))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            findings.append(f"{FILE}: {code}: {type(exc).__name__}: {exc}")
    if findings:
        raise PolicyError("the purpose register is not valid", findings=tuple(findings))
    return PurposeRegister(tuple(purposes))


_KNOWN = frozenset(Purpose.__dataclass_fields__) - {"code"}


def _purpose(code: str, entry: Mapping[str, Any]) -> Purpose:
    unknown = sorted(set(entry) - _KNOWN)
    if unknown:
        raise ValueError(f"unknown entries {unknown}")
    case, back_days = entry["case"], entry.get("back_days")
    if case not in CASES:
        raise ValueError(f"case is {', '.join(CASES)}, not {case!r}")
    actions = tuple(Action(action) for action in words(entry["actions"]))
    if (case == "member" or back_days is not None) and not _FINDING.issuperset(actions):
        raise ValueError(f"case member and back_days are for {', '.join(sorted(_FINDING))} only")
    return Purpose(
        code=code,
        title=str(entry["title"]),
        plain=str(entry["plain"]),
        legal_basis=str(entry["legal_basis"]),
        basis_verified=entry["basis_verified"] is True,
        roles=words(entry["roles"]),
        actions=actions,
        case=case,
        retention_days=_days(entry["retention_days"]),
        needs={str(name): _needs(columns) for name, columns in entry["needs"].items()},
        withheld=frozenset(words(entry.get("withheld", ()))),
        back_days=None if back_days is None else _days(back_days),
        per_minute=_most(entry.get("per_minute", PER_MINUTE)),
        persons_a_day=_most(entry.get("persons_a_day", PERSONS_A_DAY)),
        noise=_noise(entry["noise"]) if "noise" in entry else None,
        seal=_seal(entry["seal"], case, actions) if "seal" in entry else None,
    )


def _days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"days are a whole number, not {value!r}")
    return value


def _most(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"a limit is a whole number from 1, not {value!r}")
    return value


def _noise(entry: Any) -> NoiseTerms:
    if not isinstance(entry, Mapping) or set(entry) != {"epsilon", "budget", "period"}:
        raise ValueError("noise has epsilon, budget and period")
    if entry["period"] not in ("month", "year"):
        raise ValueError("a period is month or year")
    epsilon, budget = _thousandths(entry["epsilon"]), _thousandths(entry["budget"])
    if epsilon > budget:
        raise ValueError("one query costs more than the budget")
    return NoiseTerms(epsilon, budget, entry["period"])


def _seal(entry: Any, case: Case, actions: tuple[Action, ...]) -> SealTerms:
    if not isinstance(entry, Mapping) or set(entry) != {"grounds", "days"}:
        raise ValueError("seal has grounds and days")
    if case in ("none", "optional") or not _FINDING.issuperset(actions):
        raise ValueError("only where persons are looked up for a case can a use be sealed")
    grounds = words(entry["grounds"])
    if not grounds or not SEAL_GROUNDS.keys() >= set(grounds):
        raise ValueError(f"grounds of a seal are {', '.join(SEAL_GROUNDS)}")
    return SealTerms(frozenset(grounds), _most(entry["days"]))


def _thousandths(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"epsilon is a number, not {value!r}")
    found = round(value * 1000)
    if found < 1 or abs(found - value * 1000) > _ROUNDING:
        raise ValueError(f"epsilon is above 0 with at most three decimals, not {value}")
    return found


def _needs(columns: Mapping[str, Any]) -> dict[str, Need]:
    needs: dict[str, Need] = {}
    unknown = sorted(set(columns) - set(NEEDS))
    if unknown:
        raise ValueError(f"needs are {', '.join(NEEDS)}, not {unknown}")
    for need in NEEDS:
        for column in words(columns.get(need, ())):
            if need == "unmask" and needs.get(column) != "masked":
                raise ValueError(f"unmask names masked columns, and {column!r} is none")
            if need != "unmask" and column in needs:
                raise ValueError(f"column {column!r} is named twice")
            needs[column] = need
    return needs
