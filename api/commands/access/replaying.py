"""`hub access unused | simulate`: the policy held against what the ledger says was asked.

Numbers, rules and columns only: entries hold pseudonyms, and not even those are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from access.history import Lost
from access.policy import load_policy
from access.posts import reading_decider
from access.simulate import Simulation, replay
from access.unused import Proposal, Unused, Used, propose, unused, used_since
from api.administration import Reading, administrator
from api.commands.access.sources import catalog_of, grants_of, policy_of_hub, policy_texts_of
from api.commands.ledger import open_ledger
from api.commands.options import Home, Json, Who, settings_of
from api.console import counted, door, err, out, print_json, print_rows
from hub.clock import SystemClock
from hub.errors import RequestError

app = typer.Typer()

_LOST = {
    Lost.ERASED: "已删除 / erased",
    Lost.UNKNOWN: "目的或数据集未登记 / purpose or dataset was none of the registers",
}
_CHANGES = {
    "refused": "新拒绝 / newly refused",
    "allowed": "新允许 / newly allowed",
    "narrowed": "字段收窄 / fields narrowed",
    "widened": "字段放宽 / fields widened",
    "obligations": "义务不同 / other obligations",
}


@app.command("unused")
def list_unused(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="Not used in so many days.")] = 90,
    proposal: Annotated[
        Path | None,
        typer.Option("--propose", help="Folder for a narrower policy; must not exist."),
    ] = None,
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List rules, grants, purposes and columns that nobody used, by the ledger."""
    with door():
        if proposal is not None and (proposal.exists() or not proposal.parent.is_dir()):
            raise RequestError("--propose names a folder that exists, or one inside none")
        settings = settings_of(home)
        catalog, now = catalog_of(settings), SystemClock().now()
        decider = reading_decider(policy_of_hub(settings, catalog), catalog)
        reader, since = administrator(settings, by), now - timedelta(days=days)
        with open_ledger(settings) as ledger, counted("reading") as told:
            used = used_since(ledger, decider, since, now, told)
            reader.read(ledger, Reading.UNUSED, used.entries, since=since.isoformat()[:10])
        found = unused(decider.policy, used, grants_of(settings, now))
        made = None
        if proposal is not None:
            with err.status("narrowing"):
                made = propose(policy_texts_of(settings), decider, used, found, now)
            _write(proposal, made)
        if as_json:
            print_json(_unused_json(days, used, found, made))
            return
        print_rows(
            f"Not used in {days} days", list(_unused_rows(found)), as_json=False, empty="none"
        )
        _print_counts(used.entries, used.lost)
        if made is not None:
            out.print(
                f"建议已写入 / proposal written: {len(made.rules)} 条规则、{len(made.needs)} 个字段"
                f"不再开放 / rules and columns left out; {len(made.kept)} 条未用规则保留，否则会放宽"
                " / unused rules stay, since without them something would be looser"
            )


@app.command()
def simulate(
    policy: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder of the proposed policy.")
    ],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day, UTC.")],
    by: Who = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put the ledger's requests to a proposed policy: what it would refuse, allow, narrow, widen."""
    with door():
        settings = settings_of(home)
        catalog, now = catalog_of(settings), SystemClock().now()
        before = reading_decider(policy_of_hub(settings, catalog), catalog)
        after = reading_decider(load_policy(catalog, policy), catalog)
        reader = administrator(settings, by)
        with open_ledger(settings) as ledger, counted("replaying") as told:
            found = replay(ledger, before, after, since.replace(tzinfo=UTC), now, told)
            day = since.isoformat()[:10]
            reader.read(ledger, Reading.SIMULATION, found.replayed, since=day)
        rows = list(_rows(found))
        if as_json:
            print_json(
                {
                    "before": before.policy.version,
                    "after": after.policy.version,
                    "replayed": found.replayed,
                    "not_replayed": {why.value: n for why, n in found.lost.items()},
                    "less_than_shown": found.less_than_shown,
                    "consequences": rows,
                }
            )
            return
        table = [
            {
                "change": _CHANGES[row["change"]],
                "by rules": ", ".join(row["rules"]),
                "who": f"{', '.join(row['roles'])} ({row['agency']})",
                "what": f"{row['action']}: {row['purpose']}",
                "columns": len(row["columns"]),
                "why": row["reason"],
                **{name: row[name] for name in ("entries", "requests", "shown", "actors")},
            }
            for row in rows
        ]
        print_rows("What would change", table, as_json=False, empty="nothing")
        _print_counts(found.replayed, found.lost)
        out.print(
            f"当时所示会减少的记录 / entries that would have shown less: {found.less_than_shown:,}"
        )


def _rows(found: Simulation) -> Iterator[dict[str, Any]]:
    order = list(_CHANGES)
    for one, tally in sorted(
        found.consequences.items(), key=lambda item: (order.index(item[0].change), -item[1].entries)
    ):
        yield {
            "change": one.change,
            "rules": list(one.rules),
            "purpose": one.purpose,
            "action": one.action,
            "agency": one.agency,
            "roles": list(one.roles),
            "columns": list(one.columns),
            "reason": one.reason,
            "entries": tally.entries,
            "requests": tally.requests,
            "shown": tally.shown,
            "actors": len(tally.actors),
        }


def _unused_rows(found: Unused) -> Iterator[dict[str, str]]:
    for rule in found.rules:
        yield {"what": "规则 / rule", "name": rule.id, "about": rule.because}
    for name in found.grants:
        yield {"what": "授权 / grant", "name": name, "about": ""}
    for name in found.purposes:
        yield {"what": "目的 / purpose", "name": name, "about": ""}
    columns: dict[tuple[str, str], list[str]] = {}
    for purpose, dataset, column in found.needs:
        columns.setdefault((purpose, dataset), []).append(column)
    for (purpose, dataset), names in columns.items():
        yield {"what": "字段 / columns", "name": f"{purpose}: {dataset}", "about": ", ".join(names)}


def _unused_json(days: int, used: Used, found: Unused, made: Proposal | None) -> dict[str, Any]:
    def needs(listed: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
        return [dict(zip(("purpose", "dataset", "column"), need, strict=True)) for need in listed]

    return {
        "days": days,
        "entries": used.entries,
        "not_counted": {why.value: n for why, n in used.lost.items()},
        "rules": [rule.id for rule in found.rules],
        "grants": list(found.grants),
        "purposes": list(found.purposes),
        "columns": needs(found.needs),
        "proposal": None
        if made is None
        else {
            "rules": list(made.rules),
            "columns": needs(made.needs),
            "kept": list(made.kept),
        },
    }


def _print_counts(counted: int, lost: Mapping[Lost, int]) -> None:
    out.print(f"依据的记录 / entries gone by: {counted:,}")
    for why, number in sorted(lost.items()):
        out.print(f"未计入 / left out: {number:,} {_LOST[why]}", markup=False)


def _write(folder: Path, made: Proposal) -> None:
    folder.mkdir(mode=0o700)
    for name, text in made.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
