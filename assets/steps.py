"""The steps of a run, each of them safe to repeat.

    land → (parse → check → gate → seal → load, per dataset) → resolve → publish
    → cards, worklist, report

Every step takes up what it finds in the operational records, so that a run that was killed is
finished by the next one. The clear text of a batch lives only inside `check_and_load`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from assets.cards import admitted, release_stopped
from assets.delivery import landing, parsing, verdicts, work
from assets.delivery.arrivals import scan
from assets.delivery.parsing import Parsed
from assets.identity.resolve import Resolved, resolve
from assets.registers.register import (
    Loaded,
    RegisterContext,
    forget_staged,
    is_loaded,
    load_batch,
    store_quarantine,
)
from assets.runtime import Runtime
from assets.serving.publish import PublishContext, Published, publish
from contracts.check import release, run_batch
from contracts.checks import plan
from contracts.compile import compile_batch
from contracts.feedback import write_feedback
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from contracts.versions.adoption import used
from hub.errors import ConfigError, ContractError, DeliveryRefused, LedgerError, SourceError
from hub.events import AuditEvent, EventTag
from hub.quoting import identifier
from hub.store import lake
from hub.store.contract_versions import ContractVersions
from hub.store.facts import save_agreements
from hub.store.records import Batch, BatchStatus

#: A batch whose check or load was begun so often and never came to an end is given up.
MOST_BEGINNINGS = 2


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one batch: its verdict and what it changed; None where it did not come so far."""

    batch: Batch
    verdict: BatchVerdict | None
    loaded: Loaded | None


def land(run: Runtime) -> tuple[Batch, ...]:
    """Take whole files out of the drop folder into landing.

    Returns:
        The batches that arrived, refused ones among them.
    """
    work.sweep(run.settings)
    arrived = []
    for landed in landing.land_all(
        run.settings, run.contracts, run.records, run.keyring, run.clock.now(), run.emit
    ):
        batch = landed.batch
        if landed.refusal is not None:
            run.progress.step("land", batch.dataset, landed.refusal.message, good=False)
        elif not landed.is_new:
            run.progress.step("land", batch.dataset, "the same bytes are here already")
        else:
            size = f"{batch.size_bytes / 1e6:,.1f} MB"
            run.progress.step("land", batch.dataset, f"{size} from {batch.partner}, sealed")
        arrived.append(batch)
    for unfit in scan(run.settings, run.contracts, run.clock.now()).unfit:
        run.progress.step("land", "drop folder", unfit.reason, good=False)
    return tuple(arrived)


def check_and_load(run: Runtime, dataset: str) -> tuple[Checked, ...]:
    """Check every waiting batch of a dataset; seal and load those that pass.

    A batch below its publish bar, or with a red card, is stopped: its rows go to quarantine and
    feedback, what was published before stays in service. One that twice brought its run down is
    refused.
    """
    release_stopped(run, dataset)
    waiting = run.records.pending(dataset, (BatchStatus.LANDED, BatchStatus.CHECKED))
    return tuple(_check_and_load_one(run, run.contract(dataset), batch) for batch in waiting)


def _check_and_load_one(run: Runtime, contract: Contract, batch: Batch) -> Checked:
    con = run.lake.open()
    begun = run.records.begin(batch.id)
    if begun > MOST_BEGINNINGS and not is_loaded(con, batch.id):
        release(con)
        return _given_up(run, batch)
    try:
        return _work(run, con, contract, batch)
    except DeliveryRefused as refusal:
        refused = landing.refuse(batch, refusal, run.records, run.clock.now(), run.emit)
        run.progress.step("parse", batch.dataset, refusal.message, good=False)
        return Checked(refused, None, None)
    except (ConfigError, LedgerError, KeyboardInterrupt):  # the next run may do better
        run.records.put_off(batch.id)
        raise
    except SourceError as exc:
        if exc.retryable:
            run.records.put_off(batch.id)
        raise
    finally:
        forget_staged(con)
        release(con)


def _given_up(run: Runtime, batch: Batch) -> Checked:
    """Refuse a batch whose check or load never came to an end; others must not wait behind it."""
    refusal = DeliveryRefused(
        f"核查或入库 {MOST_BEGINNINGS} 次未能完成，不再重试；原始文件已保留，"
        f"请检查文件后重新报送 / given up: its check or load did not end {MOST_BEGINNINGS} times; "
        "the raw bytes are kept; look at the file and send it again"
    )
    refused = landing.refuse(batch, refusal, run.records, run.clock.now(), run.emit)
    run.progress.step("check", batch.dataset, refusal.message, good=False)
    return Checked(refused, None, None)


def _work(run: Runtime, con: lake.Connection, contract: Contract, batch: Batch) -> Checked:
    with (
        lake.guarded(f"the check of batch {batch.id}"),
        parsing.parse(batch, contract, run.settings, run.keyring) as parsed,
    ):
        verdict = _check(run, con, contract, batch, parsed)
    context = RegisterContext(run.keyring, run.rng, run.clock.now())
    store_quarantine(con, contract.dataset, batch.id, context)
    if not verdict.passed:
        return Checked(run.records.batch(batch.id), verdict, None)
    loaded = _load(run, con, contract, batch, context)
    run.records.advance(
        batch.id,
        BatchStatus.LOADED,
        context.now,
        format=parsed.format,
        encoding=parsed.encoding,
    )
    return Checked(batch, verdict, loaded)


def _check(
    run: Runtime, con: lake.Connection, contract: Contract, batch: Batch, parsed: Parsed
) -> BatchVerdict:
    specs = plan(contract)
    now = run.clock.now()
    compiled = compile_batch(
        contract,
        specs,
        parsed.source,
        as_of=batch.landed_at.date(),  # the same verdict whenever it is repeated
        references=references(con, contract),
        code_sets=run.code_sets,
        partner=batch.partner,
    )
    found = run_batch(con, compiled, sql_seconds=run.settings.sql_rule_seconds)
    verdict = admitted(run, batch, found, now)
    path = feedback_path(run, batch)
    write_feedback(con, contract, specs, verdict, path, first_line=parsed.first_line)
    tag = EventTag.PARTNER_BATCH_CHECKED if verdict.passed else EventTag.PARTNER_BATCH_STOPPED
    details = {
        "batch": batch.id,
        "dataset": batch.dataset,
        "partner": batch.partner,
        "rows": verdict.rows,
        "quarantined": verdict.quarantined,
        "passed": verdict.passed,
    }
    run.emit(AuditEvent(tag, now, details))
    record = verdicts.to_record(verdict, parsed.changes)
    run.records.save_verdict(batch.id, replace(record, met=found.passed), now)
    share = f"{verdict.overall:.2%}" if verdict.overall is not None else "no rows"
    said = f"{verdict.rows:,} rows, {share} accepted"
    if not verdict.passed:
        said = f"stopped: {verdict.reason}"
    run.progress.step("check", batch.dataset, said, good=verdict.passed)
    return verdict


def _load(
    run: Runtime, con: lake.Connection, contract: Contract, batch: Batch, context: RegisterContext
) -> Loaded:
    _adopt(run, contract)
    with lake.guarded(f"the load of batch {batch.id}"):
        loaded = load_batch(con, contract.dataset, batch.id, context)
    details = {
        "batch": batch.id,
        "dataset": batch.dataset,
        "added": loaded.added,
        "changed": loaded.changed,
        "closed": loaded.closed,
    }
    run.emit(AuditEvent(EventTag.PARTNER_BATCH_LOADED, context.now, details))
    run.progress.step(
        "load",
        batch.dataset,
        f"{loaded.added:,} new, {loaded.changed:,} changed, {loaded.closed:,} ended",
    )
    return loaded


def _adopt(run: Runtime, contract: Contract) -> None:
    """Remember the contract that data is about to be loaded under; the ledger hears of it first.

    Killed in between, the next run says it to the ledger again. A contract under which nothing was
    ever loaded may be mended freely.
    """
    versions = ContractVersions(run.records)
    now = used(contract, run.code_sets, run.clock.now())
    before = versions.latest().get(contract.name)
    if before is not None and (before.version, before.digest) == (now.version, now.digest):
        return
    details = {
        "dataset": now.dataset,
        "version": now.version,
        "digest": now.digest,
        "previous": before.version if before else None,
    }
    run.emit(AuditEvent(EventTag.HUB_CONTRACT_ADOPTED, now.first_used_at, details))
    versions.adopt(now)


def references(con: lake.Connection, contract: Contract) -> dict[str, str]:
    """Return "dataset.column" -> relation for every register that a contract may refer to."""
    present = lake.registers(con)
    found = {}
    for dataset, column in contract.references:
        if dataset in present:
            table = lake.register_table(dataset)
            found[f"{dataset}.{column}"] = (
                f"(SELECT {identifier(column)} FROM {table} WHERE valid_to IS NULL)"
            )
    return found


def feedback_path(run: Runtime, batch: Batch) -> Path:
    """Return where a partner finds the feedback about a batch."""
    return run.settings.feedback / batch.partner / f"{batch.id}.csv"


def resolve_identities(run: Runtime) -> Resolved:
    """Give every identifier that a loaded batch has brought a subject key."""
    if not run.records.pending(None, (BatchStatus.LOADED,)):
        return Resolved(0, 0)
    return resolve(run.lake.open(), run.catalog, run.keyring, now=run.clock.now(), rng=run.rng)


def publish_loaded(run: Runtime) -> Published | None:
    """Publish a snapshot when batches have been loaded since the last one.

    The verdicts are read again here: a check that only stopped an earlier run protects nothing.

    Returns:
        What was published, or None when there was nothing new.

    Raises:
        ContractError: when a loaded batch has no passing verdict.
    """
    loaded = run.records.pending(None, (BatchStatus.LOADED,))
    if not loaded:
        return None
    for batch in loaded:
        verdict = run.records.verdict(batch.id)
        if verdict is None or not verdict.passed:
            raise ContractError(f"batch {batch.id} of {batch.dataset} was loaded without passing")
    now = run.clock.now()
    context = PublishContext(
        run.settings,
        run.keyring,
        run.catalog,
        now,
        run.rng,
        lambda done: run.progress.count("publish", done),
    )
    published = publish(run.lake.open(), tuple(b.id for b in loaded), context)
    _record_publication(run, published, loaded)
    return published


def _record_publication(run: Runtime, published: Published, loaded: tuple[Batch, ...]) -> None:
    now = run.clock.now()
    details = {
        "version": published.version,
        "batches": [b.id for b in loaded],
        "subjects": published.subjects,
        "sha256": dict(published.manifest["sha256"]),
        "lake_snapshot": published.manifest["lake_snapshot"],
    }
    run.emit(AuditEvent(EventTag.HUB_SNAPSHOT_PUBLISHED, now, details))
    save_agreements(run.records, published.version, published.agreements)
    run.records.add_publication(
        published.version,
        tuple(b.id for b in loaded),
        now,
        lake_snapshot=published.manifest["lake_snapshot"],
    )
    run.progress.step(
        "publish", published.version, f"{published.subjects:,} subjects, pointer switched"
    )


def write_reports(run: Runtime) -> Path | None:
    """Have Great Expectations write suites, results and Data Docs of the latest verdicts.

    Returns:
        The index page, or None when no verdict is newer than the pages or none are wanted.
    """
    if not run.settings.reports:
        return None
    marker = run.settings.data_docs / "written.json"
    written: dict[str, str] = orjson.loads(marker.read_bytes()) if marker.exists() else {}
    latest = {q.dataset: q.batch_id for q in run.records.quality()}
    news = {name: batch for name, batch in latest.items() if written.get(name) != batch}
    found = [run.records.verdict(batch) for batch in news.values()]
    fresh = [BatchVerdict.from_json(v.document) for v in found if v is not None]
    if not fresh:
        return None
    # Importing Great Expectations costs seconds; a run without news must not pay for it.
    from contracts.expectations import write_data_docs

    docs = write_data_docs(fresh, run.settings.data_docs)
    marker.write_bytes(orjson.dumps(written | news))
    run.progress.step("report", "data docs", f"{len(fresh)} suites validated")
    return docs.index
