"""What only shows of a sample as a whole: whose each column is, the key, what accuracy counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from contracts.drafting.glossary import Glossary
from contracts.drafting.guess import FILLED, SURE, Column
from contracts.drafting.profile import Profile

_PERSONAL = ("resident_id", "disability_certificate", "person_name", "phone", "bank_account")


def assign_roles(columns: Sequence[Column], glossary: Glossary) -> tuple[Column, ...]:
    """Return the columns with the person of the row that each is about.

    Each identity number names a person. With one of them every personal column is about it; with
    several, those whose name begins alike.
    """
    roles = {c.name: _role(c.name) for c in columns if c.semantic == "resident_id"}
    done = []
    for column in columns:
        known = glossary.known(column.title)
        if column.name in roles:
            done.append(replace(column, role=roles[column.name]))
        elif column.semantic not in (*_PERSONAL, "birth_date", "address"):
            done.append(column)
        elif known and (known.item.role in roles.values() or known.is_third):
            by = "是谁的信息取自既有合同的同名列 / whose it is, as contracts give this header"
            done.append(replace(column, role=known.item.role).doubting(by))
        elif len(roles) == 1:
            done.append(replace(column, role=next(iter(roles.values()))))
        else:
            near = [role for role in roles.values() if column.name.startswith(f"{role}_")]
            doubt = "是谁的信息未能判断 / whose it is could not be told"
            by = "是谁的信息由列名推断 / whose it is, by the column's name"
            done.append(
                replace(column, role=near[0]).doubting(by) if near else column.doubting(doubt)
            )
    return tuple(done)


def _role(name: str) -> str:
    for ending in ("_resident_id", "_id", "_no"):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name


def mark_key(
    columns: Sequence[Column],
    profiles: Sequence[Profile],
    distinct_pairs: Callable[[str, str], float],
) -> tuple[Column, ...]:
    """Return the columns with a key: one that names each row, else a pair that does.

    Args:
        distinct_pairs: share of the rows that two columns together tell apart.
    """
    fit = {"string", "integer"}
    single = [
        (c.semantic == "resident_id", place, c.name, p.distinct / p.rows)
        for place, (c, p) in enumerate(zip(columns, profiles, strict=True))
        if c.logical_type in fit and c.semantic not in ("person_name", "address", "phone", "free_text")
        and p.rows and p.filled_share >= FILLED and p.distinct / p.rows >= SURE
    ]  # fmt: skip
    if single:
        _, _, name, share = min(single)
        return _keyed(columns, (name,), share)
    parts = [c for c in columns if c.required and c.semantic not in ("address", "free_text")][:8]
    for n, first in enumerate(parts):
        for second in parts[n + 1 :]:
            share = distinct_pairs(first.name, second.name)
            if share >= 0.999:
                return _keyed(columns, (first.name, second.name), share)
    return tuple(columns)


def _keyed(columns: Sequence[Column], key: tuple[str, ...], share: float) -> tuple[Column, ...]:
    doubt = f"作为主键：{share:.2%} 的行各不相同 / as key: that share of the rows is told apart"
    return tuple(
        replace(c.doubting(doubt), key_position=key.index(c.name) + 1, required=True, values=())
        if c.name in key
        else c
        for c in columns
    )


def mark_key_fields(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns with those marked that the accuracy figure counts."""
    counted = ("resident_id", "credit_code", "person_name", "birth_date")
    return tuple(
        replace(c, key_field=c.key_position is not None or (c.required and c.semantic in counted))
        for c in columns
    )
