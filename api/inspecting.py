"""Verifying the ledger at a door: with progress, recorded, and said exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from access.seal_audit import seal_findings
from api.console import counted_parts, err, out, print_json
from hub.clock import Clock
from hub.config import Settings
from hub.errors import LedgerError, NotFound
from hub.keyring import Keyring
from hub.ledger.checks.findings import Findings
from hub.ledger.composition import inspector_of
from hub.ledger.inspection import Inspection, Inspector, Places
from hub.ledger.log import Ledger
from hub.ledger.succession import formers, open_former
from hub.ledger.writer import Entry
from hub.progress import PartProgress

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Desk:
    """What a verification needs of a hub.

    Attributes:
        by: keyed pseudonym of who asks for it.
        folder: of a former ledger; the hub's own unless said.
    """

    settings: Settings
    keyring: Keyring
    ledger: Ledger
    clock: Clock
    by: str
    folder: Path | None = None

    def inspect(self, run: Callable[[Inspector, PartProgress], Inspection]) -> Inspection:
        """Run a verification and show how far it is.

        Raises:
            LedgerError: when it cannot be run; what is wrong with the ledger is no error.
        """
        with counted_parts("verifying") as told:
            return self._with_seals(run(self._inspector(), told))

    def _with_seals(self, found: Inspection) -> Inspection:
        """Return what was found, and what is wrong with the ledger's seals.

        They are looked through in a ledger that is intact: another may not even be readable.
        """
        if not found.intact:
            return found
        wrong = Findings()
        for one in seal_findings(self.ledger, self.clock.now()):
            wrong.add(one.index, one.field, one.problem)
        return replace(found, findings=tuple(wrong.kept), total=wrong.total)

    def _inspector(self) -> Inspector:
        if self.folder is None:
            return inspector_of(self.settings, self.ledger, self.clock)
        folder = self.folder
        places = Places(folder / "public", folder / "runs", folder / "verify.json", folder / "bulk")
        return Inspector(self.ledger, places, self.clock)

    def record(self, found: Inspection) -> None:
        """Record in the ledger that it was verified; say so where it takes no entry.

        A ledger that was tampered with takes none. What was found is shown all the same.
        """
        try:
            self.ledger.append([Entry.of(found.event(self.by, self.clock.now()))])
        except LedgerError as exc:
            err.print(f"[yellow]this verification is not recorded[/]: {exc.message}")


@contextmanager
def former_desk(desk: Desk, number: int) -> Iterator[Desk]:
    """Give what a verification of a former ledger needs.

    Raises:
        NotFound: when there is none of that number.
    """
    found = next((one for one in formers(desk.settings) if one.number == number), None)
    if found is None:
        raise NotFound(f"this hub has no former ledger {number}")
    with open_former(found, desk.keyring, desk.clock) as ledger:
        yield replace(desk, ledger=ledger, folder=found.folder)


def finish(desk: Desk, found: Inspection, as_json: bool) -> None:
    """Record a verification and say what it found.

    Raises:
        typer.Exit: with code 70 when something is wrong.
    """
    desk.record(found)
    say(found, as_json)


def say(found: Inspection, as_json: bool) -> None:
    """Say what a verification found.

    Raises:
        typer.Exit: with code 70 when something is wrong.
    """
    if as_json:
        print_json(
            {
                "intact": found.intact,
                "from": found.start,
                "entries": found.size,
                "erased": found.erased,
                "public": found.public,
                "resumed": found.resumed,
                "wrong": found.total,
                "findings": [{**asdict(one), "text": str(one)} for one in found.findings],
            }
        )
    else:
        _say(found)
    if not found.intact:
        raise typer.Exit(70)


def _say(found: Inspection) -> None:
    if found.resumed is not None:
        out.print(f"went on at entry {found.resumed:,}, where an earlier one was stopped")
    read = (
        f"entries {found.start:,} to {found.size:,}" if found.start else f"{found.size:,} entries"
    )
    public = f", {found.public:,} of them public" if found.public else ""
    if found.intact:
        out.print(f"[green]intact[/]: {read}{public}; tree, index and checkpoint agree")
        return
    out.print(f"[red]NOT INTACT[/]: {found.total:,} findings in {read}{public}")
    for finding in found.findings[:_SHOWN]:
        out.print(f"  • {finding}", markup=False, soft_wrap=True)
