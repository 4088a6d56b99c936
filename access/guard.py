"""The policy enforcement point: the only road from stored rows to a person outside.

Every road (`access.roads`) takes the same steps: decide, read the least, apply the decision, count,
record, release. What was prepared is released only with the ledger's receipt; if it cannot be
counted or recorded, the caller gets the error and nothing else. Refusals are recorded as well.

Source: XACML 3.0 (PEP, obligations); 个人信息保护法 45, 51, 55-56.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from access.answers import (
    Answer,
    EmergencyQuery,
    ExportAnswer,
    ExportQuery,
    LookupQuery,
    Receipt,
    SampleQuery,
    SearchQuery,
    StatsAnswer,
    StatsQuery,
    UnderQuery,
    UnmaskQuery,
    Use,
)
from access.asking import Means
from access.bulks import Bulks
from access.decision import Decider
from access.emergency import Standing
from access.emergency_desk import EmergencyDesk
from access.finding import Finder
from access.keeper import InForce
from access.limits import Limits
from access.model import Actor
from access.ports import GuardKeys, LedgerLog, PolicyKeeper, Proofs, RegisterSource, Snapshots
from access.privacy import Noise
from access.publicity import Publicity
from access.recording import Prepared, Recorder
from access.roads import counts, export, own, person, reconciliation, sample, search, unmask
from access.traits import Askers
from access.usage_record import UsageRecord
from hub.catalog import Catalog
from hub.clock import Clock
from hub.store.exports import ExportFile
from hub.store.usage import Usage


class Guard:
    """Answers actors' questions about persons, under the policy in force.

    Thread safe. Blocking parts of a request take about a third of a millisecond; the wait for the
    ledger is what the `_async` variants await. Every road raises, and releases nothing then:

    * RequestError: when the question is not well formed; nothing is recorded.
    * PolicyUnavailable, ClockDistrusted: when what is in force, or the time, cannot be known.
    * LedgerError: when the use could not be recorded.
    * SourceError, KeyMissing: when what is stored cannot be read.

    Args:
        emergencies: where masks are lifted and emergencies opened; without it none are.
        identify: makes the id of a request that comes without one.
        noise: what counts with noise need; without it they are refused.
        longest_lag: questions about persons are refused once uses wait longer to be made public.
        bulks: where files of persons lie, and who is in each; without it none are given.
    """

    def __init__(
        self,
        keeper: PolicyKeeper,
        catalog: Catalog,
        snapshots: Snapshots,
        ledger: LedgerLog,
        keys: GuardKeys,
        clock: Clock,
        usage: Usage,
        registers: RegisterSource,
        *,
        identify: Callable[[], str] = lambda: secrets.token_hex(8),
        noise: Noise | None = None,
        emergencies: EmergencyDesk | None = None,
        longest_lag: timedelta = timedelta(hours=24),
        proofs: Proofs | None = None,
        bulks: Bulks | None = None,
    ) -> None:
        self._finder = finder = Finder(keys, clock)
        self._keeper = keeper
        self._clock = clock
        askers = Askers(finder)
        publicity = Publicity(ledger, longest_lag)

        def means(force: InForce) -> Means:
            return Means(
                force=force,
                catalog=catalog,
                snapshots=snapshots,
                ledger=ledger,
                keys=keys,
                clock=clock,
                registers=registers,
                finder=finder,
                askers=askers,
                identify=identify,
                noise=noise,
                emergencies=emergencies,
                spend=keeper.spend,
                publicity=publicity,
                proofs=proofs,
                bulks=bulks,
            )

        self._make_means = means
        self._last: Means | None = None
        self._limits = Limits(usage, ledger, catalog, lambda: self.decider.policy.purposes, clock)
        self._recorder = Recorder(ledger, self._limits)

    @property
    def _means(self) -> Means:
        """What the roads stand on now."""
        force, last = self._keeper.current(self._clock.now()), self._last
        if last is None or last.force is not force:
            last = self._last = self._make_means(force)
        return last

    @property
    def decider(self) -> Decider:
        """What decides now by the policy alone; doors ask it what they may offer."""
        return self._means.decider

    def close(self) -> None:
        """Let go of the counters of use; the next question opens them again."""
        self._limits.close()

    def binding(self, id_number: str) -> bytes:
        """Return what binds a citizen's account to their identity number, without the number."""
        return self._finder.binding(id_number)

    def lookup(self, actor: Actor, query: LookupQuery) -> Answer:
        """Return what the actor may see of one person, once the use is recorded."""
        return self._recorder.release(self.prepare_lookup(actor, query))

    async def lookup_async(self, actor: Actor, query: LookupQuery) -> Answer:
        """Do as `lookup`, awaiting the ledger."""
        return await self._recorder.release_async(self.prepare_lookup(actor, query))

    def prepare_lookup(self, actor: Actor, query: LookupQuery) -> Prepared[Answer]:
        """Return the answer of a lookup still locked, for whoever records it by themselves."""
        return person.prepare(self._means, actor, query)

    def search(self, actor: Actor, query: SearchQuery) -> Answer:
        """Return a short list of persons, masked as lists are, once the uses are recorded."""
        return self._recorder.release(search.prepare(self._means, actor, query))

    async def search_async(self, actor: Actor, query: SearchQuery) -> Answer:
        """Do as `search`, awaiting the ledger."""
        return await self._recorder.release_async(search.prepare(self._means, actor, query))

    def sample(self, actor: Actor, query: SampleQuery) -> Answer:
        """Return what the actor may see of every person drawn, once each use is recorded."""
        return self._recorder.release(sample.prepare(self._means, actor, query))

    def export(self, actor: Actor, query: ExportQuery) -> ExportAnswer:
        """Make a file of persons, to be fetched once it is recorded; it takes minutes for millions."""
        return self._recorder.release(export.prepare(self._means, actor, query))

    def exported(self, actor: Actor, number: str) -> tuple[ExportFile, Iterator[bytes]]:
        """Return a file of the actor's own and its bytes; see `access.roads.export.fetch`."""
        return export.fetch(self._means, actor, number)

    def request_unmask(self, actor: Actor, query: UnmaskQuery) -> Standing | Answer:
        """Ask for a mask to be lifted; return where that stands, or the recorded refusal."""
        outcome = unmask.request(self._means, actor, query)
        if not isinstance(outcome, unmask.Wanted):
            return self._recorder.release(outcome)
        refusal = self._recorder.admit(outcome.counted)
        return outcome.ask() if refusal is None else refusal

    def open_emergency(self, actor: Actor, query: EmergencyQuery) -> Standing | Answer:
        """Open an emergency; return where it stands, or the recorded refusal."""
        return self._outcome(unmask.open_(self._means, actor, query))

    def unmasked(self, actor: Actor, query: UnderQuery) -> Answer:
        """Return one person under a lifted mask or an emergency, once the use is recorded."""
        return self._recorder.release(unmask.release(self._means, actor, query))

    def _outcome(self, outcome: unmask.Outcome) -> Standing | Answer:
        return outcome if isinstance(outcome, Standing) else self._recorder.release(outcome)

    def reconcile(
        self, actor: Actor, case: str, matters: Sequence[reconciliation.Matter]
    ) -> reconciliation.Reconciled:
        """Return what the actor's department may see of matters, once the uses are recorded."""
        prepared = reconciliation.prepare(self._means, actor, case, matters)
        if not prepared.records:  # nobody is shown: nothing was used
            return prepared.complete(Receipt(0, (), "", ""))
        return self._recorder.release(prepared, reconciliation.WAIT_SECONDS)

    def statistics(self, actor: Actor, query: StatsQuery) -> StatsAnswer:
        """Return counts with small cells suppressed, once the use is recorded."""
        return self._recorder.release(counts.prepare(self._means, actor, query))

    async def statistics_async(self, actor: Actor, query: StatsQuery) -> StatsAnswer:
        """Do as `statistics`, counting in a worker thread and awaiting the ledger."""
        prepared = await asyncio.to_thread(counts.prepare, self._means, actor, query)
        return await self._recorder.release_async(prepared)

    def own_records(self, actor: Actor, session: str, request_id: str = "") -> Answer:
        """Return everything held about the citizen, in clear, recorded once a session."""
        known, prepared = self._own(actor, session, request_id)
        if known is not None:
            return prepared.complete(known)
        return self._remember(actor, session, self._recorder.release(prepared))

    async def own_records_async(self, actor: Actor, session: str, request_id: str = "") -> Answer:
        """Do as `own_records`, awaiting the ledger."""
        known, prepared = self._own(actor, session, request_id)
        if known is not None:
            return prepared.complete(known)
        return self._remember(actor, session, await self._recorder.release_async(prepared))

    def own_usage(self, actor: Actor, limit: int | None = None) -> list[tuple[int, UsageRecord]]:
        """Return (position, record) of the uses that `own_uses` tells of, but for erased ones."""
        return own.records(self._means, actor, limit)

    def own_uses(self, actor: Actor, limit: int = 100) -> tuple[Use, ...]:
        """Return who used the citizen's data, newest first, as far as it may be told by now."""
        return own.uses(self._means, actor, limit)

    def own_proof(self, actor: Actor, index: int) -> str:
        """Return the proof of a use of the citizen's data; NotFound where they may see none."""
        return own.proof(self._means, actor, index)

    def own_statement(self, actor: Actor) -> bytes:
        """Return every public use of the citizen's data, and that none is missing; JSON.

        Raises:
            NotFound: when nothing is public yet, or nobody is held under who asks.
        """
        return own.statement(self._means, actor)

    def _own(
        self, actor: Actor, session: str, request_id: str
    ) -> tuple[Receipt | None, Prepared[Answer]]:
        """Return the receipt of this session, None where the opening is yet to be recorded."""
        allowed, prepared = own.prepare(self._means, actor, request_id)
        known = self._limits.receipt(self._session(actor, session)) if allowed else None
        return None if known is None else Receipt.parse(known), prepared

    def _remember(self, actor: Actor, session: str, answer: Answer) -> Answer:
        if answer.allowed and answer.subjects:
            self._limits.keep_receipt(self._session(actor, session), answer.receipt.text())
        return answer

    def _session(self, actor: Actor, session: str) -> bytes:
        """Return the keyed name of a session; one that is read by several processes has but one."""
        return self._means.keys.actor.of(f"{actor.id}\0{session}")
