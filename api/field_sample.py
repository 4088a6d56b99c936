"""A field sample from drawing to result: the worksheet leaves through the guard, counts come back.

Decided by the policy, read and recorded by the guard, one ledger entry per person shown, and only
then written, for its owner alone, under HOME/samples. Where the ledger fails there is no file.
Command line, API and pages all come through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from access.answers import Answer, SampleQuery
from access.model import Action, Actor, Request
from access.ports import GuardKeys
from api.services import Services
from assets.reports import worksheet
from assets.reports.drawing import Drawing, draw, verified_columns
from assets.reports.worksheet import Line
from contracts.accuracy.measures import estimates
from hub.catalog import Dataset
from hub.errors import AccessDenied, DeliveryRefused, NotFound, RequestError, SourceError
from hub.events import AuditEvent, EventTag
from hub.files import write_new
from hub.keyring import Keyring
from hub.ledger.writer import Entry
from hub.sealing import Pseudonymiser
from hub.store import lake
from hub.store.facts import read_facts
from hub.store.samples import NO_SAMPLE, FieldSample, Samples, Stratum, seed_of

LEVELS = {"street": 9, "community": 12}
_SEED = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """What is asked for.

    Args:
        actor: who asks: the department's steward.
        level: "street" or "community": the divisions that are the strata.
        seed: what the drawing follows from, 6 to 64 hexadecimal digits, or None for what the facts
            give; a sample of a chosen seed proves nothing.
    """

    dataset: str
    case: str
    actor: Actor
    level: str = "community"
    seed: str | None = None


def draw_sample(services: Services, order: SampleOrder) -> tuple[FieldSample, Path]:
    """Draw a sample and write its worksheet; everybody on it has it in the ledger before.

    Returns:
        The sample and its worksheet, mode 0600.

    Raises:
        AccessDenied: when the policy does not let the actor; the refusal is recorded.
        RequestError: when the dataset cannot be verified in the field, a word is unknown, or a
            sample of the same publication is still in the field or has its result.
        NotFound: before the first publication.
        LedgerError: when the uses could not be recorded; no file is written.
    """
    if order.level not in LEVELS:
        raise RequestError(f"分层：{' / '.join(LEVELS)}。 / Strata are {' or '.join(LEVELS)}.")
    if order.seed is not None and not _SEED.fullmatch(order.seed):
        raise RequestError("a seed is 6 to 64 hexadecimal digits, in lower case")
    dataset = services.vocabulary.catalog[order.dataset]
    verified_columns(dataset)
    _require_allowed(services, order)
    snapshot, digits = services.snapshots.current(), LEVELS[order.level]
    seed = order.seed or seed_of(dataset.name, snapshot.version)
    Samples(services.records).require_drawable(dataset.name, snapshot.version, seed)
    con = lake.open_lake(services.settings)
    try:
        version = int(snapshot.manifest["lake_snapshot"])
        drawing = draw(con, dataset, version, digits=digits, seed=seed)
    finally:
        con.close()
    keyring = Keyring.open(services.settings.keyring, services.settings.passphrase)
    keys = GuardKeys.of(keyring)
    sample = _sample(services, dataset, drawing, keys, order, snapshot.version)
    subjects = tuple(record.subject_key for record in drawing.records)
    answer = services.guard.sample(order.actor, SampleQuery(dataset.name, subjects, order.case))
    if not answer.allowed:
        raise _denied(answer)
    if answer.snapshot_version != sample.version:
        raise SourceError(
            "抽样期间数据已更新，请重新抽取。 / A publication came in between: draw again.",
            retryable=True,
        )
    lines = _lines(services, dataset, drawing, answer)
    services.ledger.append([Entry.of(_drawn(services, sample))])
    Samples(services.records).add(sample)
    mark = Pseudonymiser(keyring, "record").of
    path = services.settings.samples / f"{sample.id}.xlsx"
    _write(path, lambda file: worksheet.write_worksheet(file, sample.id, lines, mark))
    return sample, path


def _require_allowed(services: Services, order: SampleOrder) -> None:
    """Refuse whom the policy refuses before anything is drawn, on the record like any refusal."""
    query = SampleQuery(order.dataset, (), order.case)
    asked = Request(
        order.actor,
        Action.SAMPLE,
        (order.dataset,),
        query.purpose,
        order.case,
        at=services.clock.now(),
    )
    if not services.guard.decider.plan(asked).decision.allowed:
        raise _denied(services.guard.sample(order.actor, query))


def _denied(answer: Answer) -> AccessDenied:
    return AccessDenied(answer.reason, findings=tuple(filter(None, (answer.remedy,))))


def _sample(
    services: Services,
    dataset: Dataset,
    drawing: Drawing,
    keys: GuardKeys,
    order: SampleOrder,
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
        drawn_by=keys.actor.of(order.actor.id).hex(),
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


def return_sample(services: Services, file: Path, department: str | None = None) -> FieldSample:
    """Take a filled worksheet back: counts per stratum are kept, and nothing of anybody.

    The worksheet under HOME/samples is removed once its result is recorded.

    Args:
        department: whose sample it must be; None for anybody's.

    Raises:
        DeliveryRefused: with every finding and its cell; nothing is recorded.
        NotFound: when no sample of that id was drawn here, or it is another department's.
        RequestError: when it was returned before.
        LedgerError: when the ledger could not be told; returned again, the result is told.
    """
    samples, settings = Samples(services.records), services.settings
    sample = samples.of(worksheet.sample_named(file))
    if department not in (None, sample.department):
        raise NotFound(NO_SAMPLE)
    if samples.is_untold(sample.id):  # written down before a crash: tell it, and be done
        return _tell(services, sample)
    if sample.returned_at is not None:
        day = f"{sample.returned_at:%Y-%m-%d}"
        raise RequestError(
            f"样本 {sample.id} 已于 {day} 退回。 / Sample {sample.id} was returned on {day}."
        )
    mark = Pseudonymiser(Keyring.open(settings.keyring, settings.passphrase), "record").of
    checked = worksheet.read_worksheet(file, sample.id, sample.size, mark)
    strata, size = _strata(sample, checked), services.ledger.size
    now = services.clock.now()
    return _tell(services, samples.save_result(sample.id, strata, now, size))


def _tell(services: Services, found: FieldSample) -> FieldSample:
    """Tell the ledger of a result that is written down, and be rid of the worksheet.

    Returns:
        The sample as it is once the ledger has its result.
    """
    samples = Samples(services.records)
    samples.tell_return(found.id, _returned(found), services.ledger)
    (services.settings.samples / f"{found.id}.xlsx").unlink(missing_ok=True)
    return samples.of(found.id)


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
