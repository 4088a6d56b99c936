"""`hub access case …` and `hub access protect …`: whom a case is about, and who is protected.

Identity numbers are read from standard input, so that none stands in a shell's history or in the
list of processes.
"""

from __future__ import annotations

import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from access.registrar import Act, NewCase
from api.commands.access.office import By, Reason
from api.commands.options import Home, Json, settings_of
from api.console import door, out, print_json, print_rows
from api.registers import register_office
from hub.calendar import SHANGHAI
from hub.clock import SystemClock
from hub.errors import RequestError
from hub.store.records import Records
from hub.store.registers import CaseFile, Registers, read_registers

cases = typer.Typer(no_args_is_help=True, help="Cases: open, add, close, list.")
protected = typer.Typer(no_args_is_help=True, help="Protected persons: add, remove, list.")

Reference = Annotated[str, typer.Argument(help="Reference of the case.")]
Until = Annotated[str, typer.Option("--until", help="Last day, YYYY-MM-DD.")]


@cases.command("open")
def open_case(
    reference: Reference,
    agency: Annotated[str, typer.Option(help="Agency whose case it is.")],
    purpose: Annotated[list[str], typer.Option(help="Purpose; may be given several times.")],
    until: Until,
    by: By,
    reason: Reason,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Enter a case; until it ends, its agency may refer to it for its purposes."""
    with door(), register_office(settings_of(home)) as office:
        case = NewCase(reference, agency, tuple(purpose), _end_of(until))
        entered = office.registrar.open_case(
            case, Act(by, reason), office.policy.purposes, office.policy.roles
        )
        _print_done({"case": entered.name, "closes_at": _text(entered.closes_at)}, as_json)


@cases.command("add")
def add_persons(
    reference: Reference, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """Enter the persons a case is about: identity numbers from standard input, one a line."""
    with door(), register_office(settings_of(home)) as office:
        subjects = [office.persons.named(number) for number in _numbers()]
        added = office.registrar.add_members(reference, subjects, Act(by, reason))
        _print_done({"added": added}, as_json)


@cases.command("close")
def close_case(
    reference: Reference, by: By, reason: Reason, home: Home = None, as_json: Json = False
) -> None:
    """End a case now: nobody may refer to it any more."""
    with door(), register_office(settings_of(home)) as office:
        office.registrar.close_case(reference, Act(by, reason))
        _print_done({"closed": True}, as_json)


@cases.command("list")
def list_cases(
    only_open: Annotated[bool, typer.Option("--open", help="Only open cases.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the cases by their keyed names, the oldest first."""
    with door():
        now = SystemClock().now()
        rows = [
            {
                "case": case.name,
                "agency": case.agency,
                "purposes": ", ".join(sorted(case.purposes)),
                "opened_at": _text(case.opened_at),
                "closes_at": _text(case.closes_at),
                "open": _is_open(case, now),
                "persons": len(case.members),
            }
            for case in _read(home).cases.values()
            if not only_open or _is_open(case, now)
        ]
        print_rows("Cases", rows, as_json=as_json, empty="none")


@protected.command("add")
def protect(
    by: By,
    reason: Reason,
    until: Annotated[
        str | None, typer.Option("--until", help="Last day, YYYY-MM-DD; default no end.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Protect the person whose identity number comes from standard input."""
    with door(), register_office(settings_of(home)) as office:
        end = None if until is None else _end_of(until)
        subject = office.persons.named(_number())
        office.registrar.protect(subject, end, Act(by, reason))
        _print_done({"protected": subject.hex()}, as_json)


@protected.command("remove")
def release(by: By, reason: Reason, home: Home = None, as_json: Json = False) -> None:
    """End the protection of the person whose identity number comes from standard input."""
    with door(), register_office(settings_of(home)) as office:
        subject = office.persons.named(_number())
        office.registrar.release(subject, Act(by, reason))
        _print_done({"released": subject.hex()}, as_json)


@protected.command("list")
def list_protected(home: Home = None, as_json: Json = False) -> None:
    """List the protected persons by their keyed names, the oldest first."""
    with door():
        now = SystemClock().now()
        rows = [
            {
                "person": protection.subject.hex(),
                "since": _text(protection.since),
                "until": _text(protection.until) if protection.until else None,
                "holds": protection.holds(now),
                "by": protection.by,
            }
            for protection in _read(home).protected.values()
        ]
        print_rows("Protected persons", rows, as_json=as_json, empty="none")


def _read(home: Path | None) -> Registers:
    with Records.open(settings_of(home)) as records, records.reading() as session:
        return read_registers(session)


def _is_open(case: CaseFile, now: datetime) -> bool:
    return case.opened_at <= now < case.closes_at


def _numbers() -> list[str]:
    """Return the lines of standard input; at a terminal, one number that is not shown."""
    if sys.stdin.isatty():
        return [typer.prompt("身份号码 / identity number", hide_input=True)]
    return [line for line in sys.stdin.read().splitlines() if line.strip()]


def _number() -> str:
    numbers = _numbers()
    if len(numbers) != 1:
        raise RequestError(
            "请从标准输入给出一个身份号码 / give one identity number on standard input"
        )
    return numbers[0]


def _end_of(day: str) -> datetime:
    """Return the first instant after a day."""
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), SHANGHAI)
    except (ValueError, OverflowError):
        raise RequestError("--until: 请写 YYYY-MM-DD / a day is wanted, as YYYY-MM-DD") from None


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _print_done(done: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    for name, value in done.items():
        out.print(f"{name}: {value}", markup=False, soft_wrap=True)
