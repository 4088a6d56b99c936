"""`hub access diff`: what a change of policy opens and closes, and whom it touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from access.demo import load_demo_actors, read_actors
from access.diff import Difference, Way, difference, lines, term_lines
from access.diff_words import Words
from access.model import Actor
from access.posts import reading_decider
from access.touched import SMALL, Reached, Touched, persons_reached, reached, touched
from api.commands.access.sources import catalog_of, policy_folder_of, policy_named
from api.commands.options import Home, Json
from api.console import door, err, out, print_json
from hub.catalog import Catalog
from hub.clock import SystemClock
from hub.config import Settings, load_settings
from hub.errors import NotFound
from hub.store.snapshots import SnapshotStore

app = typer.Typer()

_HEADS: Mapping[Way, str] = {
    "opens": "开放 / Opens",
    "closes": "收窄 / Closes",
    "changes": "变更 / Changes otherwise",
}
_FEW = f"<{SMALL}"
_WHICH = "Folder of a policy, in-force for the one that decides, or a version of the records."


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help=_WHICH)],
    after: Annotated[str, typer.Argument(help=_WHICH)],
    accounts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Actors to count, as demo_actors.yaml."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what a policy opens and closes against another, and how many actors and records it touches."""
    with door():
        settings = load_settings(home=home)
        catalog, now = catalog_of(settings), SystemClock().now()
        old, new = (
            reading_decider(policy_named(name, settings, catalog), catalog)
            for name in (before, after)
        )
        with err.status("comparing"):
            found = difference(old, new, now)
            change = touched(old, new, _actors(settings, accounts), now)
            records = _reached(settings, change, catalog)
        words = Words((old.policy, new.policy), catalog).of(found)
        if as_json:
            print_json(
                {
                    "before": old.policy.version,
                    "after": new.policy.version,
                    **{str(way): said for way, said in words.items()},
                    "lines": list(_rows(found)),
                    "actors": {
                        "touched": change.actors,
                        "opens": change.opens,
                        "closes": change.closes,
                        "of": change.of,
                    },
                    "records": None if records is None else [_count(r) for r in records[0]],
                    "persons_at_most": None if records is None else records[1],
                }
            )
            return
        for way, head in _HEADS.items():
            out.print(f"[bold]{head}[/] ({len(words[way])})")
            for sentence in words[way]:
                out.print(f"  • {sentence}", markup=False, soft_wrap=True)
        _print_touched(change, records)


def _actors(settings: Settings, accounts: Path | None) -> Iterable[Actor]:
    found = read_actors(accounts) if accounts else load_demo_actors(policy_folder_of(settings))
    return found.values()


def _reached(
    settings: Settings, change: Touched, catalog: Catalog
) -> tuple[tuple[Reached, ...], str | int] | None:
    """Return how many records and persons a change reaches, None where nothing is published."""
    try:
        snapshot = SnapshotStore(settings).current()
    except NotFound:
        return None
    try:
        persons = persons_reached(change, snapshot, catalog)
        return reached(change, snapshot, catalog), _FEW if persons is None else persons
    finally:
        snapshot.close()


def _rows(found: Difference) -> Iterable[dict[str, Any]]:
    for line in lines(found):
        yield {
            "way": line.turn.way,
            "posts": [{"role": p.role, "agency": p.agency} for p in line.posts],
            "purpose": line.purpose,
            "action": line.action,
            "dataset": line.dataset,
            "columns": list(line.columns),
            "before": line.turn.before,
            "after": line.turn.after,
            "area": list(line.areas),
            "case": list(line.cases),
            "person": list(line.persons),
            "asked": list(line.asked),
        }
    for term in term_lines(found):
        yield {
            "way": term.turn.way,
            "posts": [{"role": p.role, "agency": p.agency} for p in term.posts],
            "purpose": term.purpose,
            "action": term.action,
            "datasets": list(term.datasets),
            "obligations_before": sorted(term.turn.before),
            "obligations_after": sorted(term.turn.after),
        }


def _count(found: Reached) -> dict[str, Any]:
    return {
        "dataset": found.dataset,
        "records": found.records if found.records is not None else _FEW,
        "persons_a_record": found.roles,
    }


def _print_touched(change: Touched, records: tuple[tuple[Reached, ...], str | int] | None) -> None:
    out.print(
        f"[bold]涉及账号 / Actors[/]: {change.actors}/{change.of}"
        f"（开放 {change.opens}，收窄 {change.closes} / opened to {change.opens}, "
        f"closed to {change.closes}）"
    )
    if records is None:
        out.print("涉及记录：尚无发布 / records: nothing is published yet")
        return
    found_records, persons = records
    out.print(f"涉及人员至多 / persons at most: {persons}")
    for found in found_records:
        number = _FEW if found.records is None else f"{found.records:,}"
        about = (
            f"每条至多 {found.roles} 人 / at most {found.roles} person(s) each"
            if found.roles
            else "不涉及个人 / about no person"
        )
        out.print(f"  • {found.dataset}: {number} 条记录 / records, {about}", markup=False)
