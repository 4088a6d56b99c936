"""A field sample from drawing to result: the worksheet leaves through the guard, counts come back.

Decided by the policy, read and recorded by the guard, one ledger entry per person shown, and only
then written, for its owner alone, under HOME/samples. Where the ledger fails there is no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from access.answers import Answer, SampleQuery
from access.demo import load_demo_actors
from access.model import Actor
from access.ports import GuardKeys
from api.services import Services, open_services
from assets.reports import worksheet
from assets.reports.drawing import Drawing, draw, verified_columns
from assets.reports.worksheet import Line
from contracts.accuracy.measures import estimates
from hub.catalog import Classification, Dataset
from hub.clock import Clock
from hub.config import Settings
from hub.errors import AccessDenied, DeliveryRefused, RequestError, SourceError
from hub.events import AuditEvent, EventTag
from hub.files import write_new
from hub.keyring import Keyring
from hub.ledger.writer import Entry
from hub.sealing import Pseudonymiser
from hub.store import lake
from hub.store.facts import read_facts
from hub.store.samples import FieldSample, Samples, Stratum, seed_of

LEVELS = {"street": 9, "community": 12}
_SEED = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """What is asked for.

    Args:
        by: account of the department's steward.
        level: "street" or "community": the divisions that are the strata.
        seed: what the drawing follows from, 6 to 64 hexadecimal digits, or None for what the facts
            give; a sample of a chosen seed proves nothing.
    """

    dataset: str
    case: str
    by: str
    level: str = "community"
    seed: str | None = None


def draw_sample(settings: Settings, clock: Clock, order: SampleOrder) -> tuple[FieldSample, Path]:
    """Draw a sample and write its worksheet; everybody on it has it in the ledger before.

    Returns:
        The sample and its worksheet, mode 0600.

    Raises:
        AccessDenied: when the policy does not let the steward; the refusal is recorded.
        RequestError: when the dataset cannot be verified in the field, a word is unknown, or a
            sample of the same publication is still in the field or has its result.
        NotFound: before the first publication.
        LedgerError: when the uses could not be recorded; no file is written.
    """
    if order.level not in LEVELS:
        raise RequestError(f"strata are {' or '.join(LEVELS)}")
    if order.seed is not None and not _SEED.fullmatch(order.seed):
        raise RequestError("a seed is 6 to 64 hexadecimal digits, in lower case")
    services = open_services(settings, clock)
    try:
        return _draw(services, settings, order)
    finally:
        services.close()


def _draw(services: Services, settings: Settings, order: SampleOrder) -> tuple[FieldSample, Path]:
    dataset = services.vocabulary.catalog[order.dataset]
    verified_columns(dataset)
    actor = _actor(settings, order.by, dataset)
    snapshot, digits = services.snapshots.current(), LEVELS[order.level]
    seed = order.seed or seed_of(dataset.name, snapshot.version)
    Samples(services.records).require_drawable(dataset.name, snapshot.version, seed)
    con = lake.open_lake(settings)
    try:
        version = int(snapshot.manifest["lake_snapshot"])
        drawing = draw(con, dataset, version, digits=digits, seed=seed)
    finally:
        con.close()
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    sample = _sample(
        services, dataset, drawing, GuardKeys.of(keyring), order, actor, snapshot.version
    )
    subjects = tuple(record.subject_key for record in drawing.records)
    answer = services.guard.sample(actor, SampleQuery(dataset.name, subjects, order.case))
    if not answer.allowed:
        raise AccessDenied(answer.reason, findings=tuple(filter(None, (answer.remedy,))))
    if answer.snapshot_version != sample.version:
        raise SourceError("a publication came in between: draw again", retryable=True)
    lines = _lines(services, dataset, drawing, answer)
    services.ledger.append([Entry.of(_drawn(services, sample))])
    Samples(services.records).add(sample)
    mark = Pseudonymiser(keyring, "record").of
    path = settings.samples / f"{sample.id}.xlsx"
    _write(path, lambda file: worksheet.write_worksheet(file, sample.id, lines, mark))
    return sample, path


def _actor(settings: Settings, account: str, dataset: Dataset) -> Actor:
    """Return who asks. Whoever may run commands here holds the keys: the name is on their word."""
    if settings.profile == "demonstration":
        actors = load_demo_actors()
        if account not in actors:
            raise RequestError(f"no such actor; there are {', '.join(sorted(actors))}")
        return actors[account]
    if not account.strip() or len(account) > 64:
        raise RequestError("say who asks: the account of the department's data steward")
    roles = ("department_steward",)
    return Actor(account, account, dataset.owner, "数据专员", roles, clearance=Classification.L4)


def _sample(
    services: Services,
    dataset: Dataset,
    drawing: Drawing,
    keys: GuardKeys,
    order: SampleOrder,
    actor: Actor,
    version: str,
) -> FieldSample:
    now = services.clock.now()
    batches = [b for b in read_facts(services.records).batches if b.dataset == dataset.name]
    taken: dict[str, int] = {}
    for record in drawing.records:
        taken[record.stratum] = taken.get(record.stratum, 0) + 1
    return FieldSample(
        id=f"S{now:%Y%m%dT%H%M%S}-{drawing.seed[:6]}",
        dataset=dataset.name,
        department=dataset.owner,
        month=max((b.month for b in batches if b.is_accepted), default=f"{now:%Y-%m}"),
        version=version,
        digits=LEVELS[order.level],
        seed=drawing.seed,
        drawn_by=keys.actor.of(actor.id).hex(),
        case_ref=keys.case.of(order.case.strip()).hex(),
        population=drawing.population,
        size=len(drawing.records),
        drawn_at=now,
        strata=tuple(
            Stratum(name, count, taken.get(name, 0)) for name, count in drawing.strata.items()
        ),
    )


def _lines(services: Services, dataset: Dataset, drawing: Drawing, answer: Answer) -> list[Line]:
    columns = verified_columns(dataset)
    lines = []
    for drawn, subject in zip(drawing.records, answer.subjects, strict=True):
        wanted = drawn.record_key.hex()
        record = next((r for r in subject.records if r.record == wanted), None)
        if record is None:
            raise SourceError("the sample does not fit the snapshot in service: draw again")
        values = []
        for column in columns.values():
            value = record.values.get(column.name)
            label = services.vocabulary.code_label(column.code_set, value)
            values.append(f"{value} {label}" if label else str(value or ""))
        lines.append(Line(drawn.stratum, tuple(values)))
    return lines


def _drawn(services: Services, sample: FieldSample) -> AuditEvent:
    details = {
        "sample": sample.id,
        "dataset": sample.dataset,
        "version": sample.version,
        "seed": sample.seed,
        "seed_chosen": sample.has_chosen_seed,
        "size": sample.size,
        "population": sample.population,
        "actor": sample.drawn_by,
        "case": sample.case_ref,
    }
    return AuditEvent(EventTag.PARTNER_SAMPLE_DRAWN, services.clock.now(), details)


def _write(path: Path, write: Callable[[BinaryIO], None]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # whoever made it, and under whichever umask
    write_new(path, write)


def return_sample(settings: Settings, clock: Clock, file: Path) -> FieldSample:
    """Take a filled worksheet back: counts per stratum are kept, and nothing of anybody.

    The worksheet under HOME/samples is removed once its result is recorded.

    Raises:
        DeliveryRefused: with every finding and its cell; nothing is recorded.
        NotFound: when no sample of that id was drawn here.
        RequestError: when it was returned before.
        LedgerError: when the ledger could not be told; returned again, the result is told.
    """
    services = open_services(settings, clock)
    try:
        samples = Samples(services.records)
        sample = samples.of(worksheet.sample_named(file))
        if samples.is_untold(sample.id):  # written down before a crash: tell it, and be done
            return _tell(services, settings, sample)
        if sample.returned_at is not None:
            raise RequestError(f"sample {sample.id} was returned on {sample.returned_at:%Y-%m-%d}")
        mark = Pseudonymiser(Keyring.open(settings.keyring, settings.passphrase), "record").of
        checked = worksheet.read_worksheet(file, sample.id, sample.size, mark)
        strata, size = _strata(sample, checked), services.ledger.size
        return _tell(services, settings, samples.save_result(sample.id, strata, clock.now(), size))
    finally:
        services.close()


def _tell(services: Services, settings: Settings, found: FieldSample) -> FieldSample:
    """Tell the ledger of a result that is written down, and be rid of the worksheet."""
    Samples(services.records).tell_return(found.id, _returned(found), services.ledger)
    (settings.samples / f"{found.id}.xlsx").unlink(missing_ok=True)
    return found


def _strata(sample: FieldSample, checked: Sequence[worksheet.Checked]) -> list[Stratum]:
    counted = worksheet.counts(checked)
    strata = []
    for known in sample.strata:
        found = counted.get(known.stratum, {"right": 0, "wrong": 0, "unreachable": 0, "fields": {}})
        total = found["right"] + found["wrong"] + found["unreachable"]
        if total != known.drawn:
            raise DeliveryRefused(f"of {known.stratum}, {known.drawn} were issued, not {total}")
        strata.append(
            Stratum(
                known.stratum,
                known.population,
                known.drawn,
                found["right"],
                found["wrong"],
                found["unreachable"],
                found["fields"],
            )
        )
    return strata


def _returned(sample: FieldSample) -> AuditEvent:
    strict, strata = estimates(sample)[0], sample.strata
    details = {
        "sample": sample.id,
        "dataset": sample.dataset,
        "right": sum(s.agreed or 0 for s in strata),
        "wrong": sum(s.wrong or 0 for s in strata),
        "unreachable": sum(s.unreachable or 0 for s in strata),
        "lower_bound": None if strict.lower is None else f"{strict.lower:.6f}",
        "proven": strict.proven,
    }
    at = sample.returned_at or sample.drawn_at
    return AuditEvent(EventTag.PARTNER_SAMPLE_RETURNED, at, details)
