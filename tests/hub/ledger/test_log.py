"""The ledger as its callers meet it: recording, reading, proving, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hub.canonical import canonical_json
from hub.errors import LedgerError, NotFound, RequestError, TamperDetected
from hub.events import AuditEvent, EventTag
from hub.identifiers import Label
from hub.ledger.entry import (
    BULK,
    NO_PREVIOUS,
    SEALED,
    SYSTEM,
    Chain,
    ChainKind,
    content_of,
    entry_of,
    link_of,
    tag_of,
)
from hub.ledger.log import Ledger
from hub.ledger.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from hub.ledger.note import Checkpoint, VerifierKey, open_checkpoint
from hub.ledger.store import StoredPublication
from hub.ledger.writer import Entry
from tests.hub.ledger.factories import (
    CLOCK,
    KIND,
    LABEL,
    ORIGIN,
    InventedSigner,
    entry,
    filled,
    identity_of,
    open_ledger,
    publish_in,
    report_of,
    statements_in,
)

pytestmark = pytest.mark.usefixtures("kind")

OTHER = bytes(16)


def test_a_new_ledger_signs_the_empty_tree(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        checkpoint = open_checkpoint(ledger.head(), [ledger.key], ORIGIN)
        assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)
        assert ledger.size == 0
        assert ledger.verify_all().intact


def test_a_receipt_names_place_leaf_and_a_checkpoint_that_covers_them(tmp_path: Path) -> None:
    with filled(tmp_path, 2) as ledger:
        receipt = ledger.append([entry(2), entry(3, OTHER), entry(4, None)])
        assert receipt.indexes == range(2, 5)
        head = open_checkpoint(receipt.checkpoint, [ledger.key], ORIGIN)
        assert head.size == 5
        for index, leaf in zip(receipt.indexes, receipt.leaves, strict=True):
            proof = ledger.inclusion(index, 5)
            assert verify_inclusion(leaf, index, 5, proof, head.root)
        assert ledger.head() == receipt.checkpoint


def test_the_record_is_the_canonical_body_with_its_subject(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(7, reason="明")])
        logged = ledger.entry(0)
        expected = {**entry(7).body, "reason": "明", "subject": LABEL.hex()}
        assert logged.record == canonical_json(expected)
        assert logged.body == expected
        assert (logged.label, logged.event, logged.time) == (
            LABEL,
            "officer:subject:disclosed",
            "2026-03-01T08:00:00.000Z",
        )


def test_an_audit_event_is_recorded_as_it_says(tmp_path: Path) -> None:
    event = AuditEvent(
        EventTag.OFFICER_SUBJECT_DISCLOSED, CLOCK.now(), {"purpose": "own.data"}, Label(LABEL)
    )
    with open_ledger(tmp_path) as ledger:
        ledger.append([Entry.of(event)])
        assert ledger.entry(0).body == event.body()


def test_salts_differ_so_that_equal_records_have_unlike_leaves(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        first, second = ledger.append([entry(), entry()]).leaves
        assert first != second


@pytest.mark.parametrize(
    "unfit",
    [
        Entry(None, {"time": "t"}),
        Entry(None, {"event": "e"}),
        Entry(None, {"event": 1, "time": "t"}),
        Entry(LABEL, {"event": "e", "time": "t", "subject": OTHER.hex()}),
        Entry(None, {"event": "e", "time": "t", "subject": LABEL.hex()}),
        Entry(None, {"event": "e", "time": "t", "bytes": b""}),
        Entry(None, {"event": "e", "time": "t", "number": float("nan")}),
        Entry(None, {"event": "e", "time": "t", "text": "\ud800"}),
    ],
)
def test_what_is_not_fit_to_record_is_refused_and_nothing_is_recorded(
    tmp_path: Path, unfit: Entry
) -> None:
    with open_ledger(tmp_path) as ledger:
        with pytest.raises(RequestError):
            ledger.append([entry(), unfit])
        with pytest.raises(RequestError):
            ledger.submit([unfit])
        with pytest.raises(RequestError, match="nothing to record"):
            ledger.append([])
        assert ledger.size == 0


def test_entries_of_a_label_newest_first_by_pages_and_no_one_elses(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        for number in range(6):
            ledger.append([entry(number, LABEL if number % 2 else OTHER), entry(number, None)])
        assert [e.index for e in ledger.entries_of(LABEL)] == [10, 6, 2]
        assert [e.index for e in ledger.entries_of(LABEL, limit=2)] == [10, 6]
        assert [e.index for e in ledger.entries_of(LABEL, before=6)] == [2]
        assert ledger.entries_of(b"nobody") == []
        assert {e.label for e in ledger.entries_of(LABEL)} == {LABEL}
        assert [e.index for e in ledger.entries(3, 6)] == [3, 4, 5]


def test_every_proof_of_a_small_log_verifies_in_every_tree_it_stands_in(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        heads = [open_checkpoint(ledger.head(), [ledger.key], ORIGIN)]
        leaves: list[bytes] = []
        for number in range(17):
            receipt = ledger.append([entry(number)])
            leaves += receipt.leaves
            heads.append(open_checkpoint(receipt.checkpoint, [ledger.key], ORIGIN))
        for new in range(18):
            for index in range(new):
                proof = ledger.inclusion(index, new)
                assert verify_inclusion(leaves[index], index, new, proof, heads[new].root)
            for old in range(new + 1):
                growth = ledger.consistency(old, new)
                assert verify_consistency(old, new, growth, heads[old].root, heads[new].root)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 4), (2, 2), (1 << 70, 1 << 71)])
def test_places_outside_the_log_have_no_inclusion_proof(
    tmp_path: Path, index: int, size: int
) -> None:
    with filled(tmp_path, 3) as ledger, pytest.raises(RequestError, match="no entry"):
        ledger.inclusion(index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (2, 1), (0, 4), (1, 1 << 70)])
def test_sizes_outside_the_log_have_no_consistency_proof(
    tmp_path: Path, old: int, new: int
) -> None:
    with filled(tmp_path, 3) as ledger, pytest.raises(RequestError, match="not in order"):
        ledger.consistency(old, new)


@pytest.mark.parametrize("index", [-1, 3, 1 << 70])
def test_entries_that_do_not_exist_are_not_found(tmp_path: Path, index: int) -> None:
    with filled(tmp_path, 3) as ledger:
        with pytest.raises(NotFound):
            ledger.entry(index)
        with pytest.raises(NotFound):
            ledger.opening(index)


def test_every_entry_laid_open_makes_its_leaf(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        leaves = ledger.append([entry(number) for number in range(5)]).leaves
        for index, leaf in enumerate(leaves):
            opened = ledger.opening(index)
            assert leaf_hash(opened.entry) == leaf
            assert opened.record == ledger.entry(index).record


def test_reopening_continues_where_it_ended(tmp_path: Path) -> None:
    with filled(tmp_path, 3) as ledger:
        before = ledger.head()
    with open_ledger(tmp_path) as ledger:
        assert ledger.head() == before
        assert ledger.append([entry()]).index == 3
        assert ledger.verify_all().intact


def test_many_threads_each_get_their_own_places(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger, ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda n: ledger.append([entry(n), entry(n)]), range(64)))
        places = sorted(i for receipt in receipts for i in receipt.indexes)
        assert places == list(range(128))
        for receipt in receipts:
            first, second = (ledger.entry(i).record for i in receipt.indexes)
            assert first == second
        assert ledger.verify_all().intact


def test_submitting_does_not_wait_and_each_future_has_its_receipt(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        futures = [ledger.submit([entry(n)]) for n in range(200)]
        receipts = [future.result() for future in futures]
        assert [receipt.index for receipt in receipts] == list(range(200))
        assert len({receipt.checkpoint for receipt in receipts}) < 200


def test_closing_commits_what_was_submitted_and_refuses_what_comes_after(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    futures = [ledger.submit([entry(n)]) for n in range(50)]
    ledger.close()
    ledger.close()
    assert [future.result().index for future in futures] == list(range(50))
    for refused in (ledger.submit, ledger.append):
        with pytest.raises(LedgerError, match="closed"):
            refused([entry()])
    with pytest.raises(LedgerError, match="closed"):
        ledger.erase(0, "office", "ground")


@pytest.mark.parametrize("origin", ["", "two\nlines"])
def test_an_origin_is_one_line(tmp_path: Path, origin: str) -> None:
    with pytest.raises(LedgerError, match="origin"):
        Ledger(lambda: KIND.store(tmp_path / "x"), identity_of(origin=origin), CLOCK)


def test_another_logs_file_or_a_strangers_key_is_not_appended_to(tmp_path: Path) -> None:
    filled(tmp_path, 2).close()
    with (
        open_ledger(tmp_path, origin="mingjing.example/other") as other,
        pytest.raises(TamperDetected, match="of log"),
    ):
        other.append([entry()])
    with open_ledger(tmp_path, InventedSigner(seed="two")) as stranger:
        with pytest.raises(TamperDetected, match="not its own"):
            stranger.append([entry()])
        with pytest.raises(TamperDetected, match="not its own"):
            assert stranger.size
    with open_ledger(tmp_path) as ledger:
        assert ledger.size == 2


def test_a_rotated_key_signs_from_then_on_and_the_former_still_counts(tmp_path: Path) -> None:
    with filled(tmp_path, 3) as ledger:
        former = ledger.key
    new = InventedSigner(seed="two")
    with open_ledger(tmp_path, new, former=(former,)) as ledger:
        assert open_checkpoint(ledger.head(), [VerifierKey.of(new)], ORIGIN).size == 3
        ledger.append([entry()])
        assert ledger.verify_all().intact


def test_an_erased_record_is_gone_and_every_proof_holds(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(0, reason="remember-me-not"), entry(1), entry(2)])
        publish_in(tmp_path, ledger)
        old = str(statements_in(tmp_path, ledger).proof(0))
        receipt = ledger.erase(0, "oversight", "court order 7")
        assert receipt.index == 4
        erased = ledger.entry(0)
        assert (erased.record, erased.body, erased.erased_by, erased.label) == (
            None,
            None,
            4,
            LABEL,
        )
        assert [e.index for e in ledger.entries_of(LABEL)] == [4, 2, 1, 0]
        with pytest.raises(NotFound, match="was erased"):
            statements_in(tmp_path, ledger).proof(0)
        publish_in(tmp_path, ledger)
        assert report_of(str(statements_in(tmp_path, ledger).proof(4)), ledger.key).valid
        assert report_of(old, ledger.key).valid
        audit = ledger.verify_all()
        assert (audit.intact, audit.size, audit.erased) == (True, 6, 1)
        assert ledger.append([entry(4)]).index == 6


def test_the_erasure_says_what_was_erased_by_whom_and_why(tmp_path: Path) -> None:
    with filled(tmp_path, 1) as ledger:
        ledger.erase(0, "oversight", "court order 7")
        assert ledger.entry(1).body == {
            "event": "hub:entry:erased",
            "time": "2026-03-01T08:00:00.000Z",
            "entry": 0,
            "of": {"event": "officer:subject:disclosed", "time": "2026-03-01T08:00:00.000Z"},
            "by": "oversight",
            "ground": "court order 7",
            "subject": LABEL.hex(),
        }


def test_nothing_is_erased_twice_nor_an_erasure_at_all(tmp_path: Path) -> None:
    with filled(tmp_path, 1) as ledger:
        ledger.erase(0, "oversight", "ground")
        for index in (0, 1):
            with pytest.raises(RequestError, match="erased already or records an erasure"):
                ledger.erase(index, "oversight", "ground")
        with pytest.raises(NotFound):
            ledger.erase(9, "oversight", "ground")
        assert ledger.size == 2


def kept_by(note: str) -> Callable[[], Checkpoint]:
    """Return what gives a checkpoint that was kept elsewhere."""
    return lambda: open_checkpoint(note, [VerifierKey.of(InventedSigner())], ORIGIN)


def test_a_store_behind_what_was_made_public_signs_nothing(tmp_path: Path) -> None:
    with filled(tmp_path / "whole", 5) as ledger:
        kept = kept_by(ledger.head())
    filled(tmp_path / "short", 3).close()
    filled(tmp_path / "rewritten", 7).close()
    for folder, words in (
        ("short", "old backup"),
        ("rewritten", "not those that were made public"),
    ):
        with open_ledger(tmp_path / folder, kept=kept) as ledger:
            before = ledger.head()
            with pytest.raises(TamperDetected, match=words):
                ledger.append([entry()])
            with pytest.raises(TamperDetected, match=words):
                ledger.append_last(lambda _size, _tags: entry())
            assert ledger.head() == before
    with open_ledger(tmp_path / "whole", kept=kept) as ledger:
        assert ledger.append([entry()]).index == 5


def test_the_last_entry_is_made_of_all_before_it(tmp_path: Path) -> None:
    with filled(tmp_path, 3) as ledger:
        seen: list[tuple[int, list[bytes]]] = []

        def build(size: int, tags: Callable[[int, int], Sequence[bytes]]) -> Entry:
            seen.append((size, list(tags(0, size))))
            return entry(9, None, size=size)

        assert ledger.append_last(build).index == 3
        ((size, tags),) = seen
        keys = identity_of().chains.of(Chain(ChainKind.SUBJECT, LABEL))
        assert (size, tags) == (3, [tag_of(keys, number) for number in range(3)])
        assert ledger.verify_all().intact


def test_entries_stand_in_the_chain_of_their_subject_the_sealed_or_the_systems(
    tmp_path: Path,
) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry(0), replace(entry(1), sealed=True), entry(2, None), entry(3)])
        ledger.append(
            [Entry(None, entry(4, None).body, chain=BULK), replace(entry(5), sealed=True)]
        )
        places = {
            chain.kind: [e.index for e in ledger.chain(chain)]
            for chain in (Chain(ChainKind.SUBJECT, LABEL), SEALED, SYSTEM, BULK)
        }
        assert list(places.values()) == [[3, 0], [5, 1], [2], [4]]
        assert [e.index for e in ledger.entries_of(LABEL)] == [3, 0]
        sealed = ledger.entry(1)
        assert (sealed.label, sealed.body and sealed.body["subject"]) == (None, LABEL.hex())
        assert ledger.verify_all().intact


@pytest.mark.parametrize(
    "unfit",
    [
        replace(entry(0, None), sealed=True),
        Entry(None, entry(0, None).body, chain=Chain(ChainKind.SUBJECT, LABEL)),
    ],
)
def test_what_is_about_nobody_is_in_nobodys_chain(tmp_path: Path, unfit: Entry) -> None:
    with open_ledger(tmp_path) as ledger, pytest.raises(RequestError, match="no person's chain"):
        ledger.append([unfit])


def test_the_leaf_is_over_tag_and_link_of_salt_and_record(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        first, second = ledger.append([entry(0), entry(1)]).leaves
        key = identity_of().chains.of(Chain(ChainKind.SUBJECT, LABEL))
        previous = NO_PREVIOUS
        for number, leaf in enumerate((first, second)):
            opened = ledger.opening(number)
            assert len(opened.salt) == 32
            link = link_of(previous, number, content_of(opened.salt, opened.record))
            previous = entry_of(tag_of(key, number), link)
            assert leaf == leaf_hash(previous)


def test_a_sealed_entry_is_forgotten_only_once_its_subject_was_shown_it(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([replace(entry(0), sealed=True), entry(1)])
        release = {"event": "access:seal:released", "time": "2026-03-02T08:00:00.000Z"}
        for other in ({"entry": 7}, {"entry": 1}):
            ledger.append([Entry(LABEL, {**release, **other})])
        ledger.append([Entry(OTHER, {**release, "entry": 0})])  # shown to somebody else
        with pytest.raises(RequestError, match="is sealed"):
            ledger.erase(0, "oversight", "ground")
        ledger.append([Entry(LABEL, {**release, "entry": 0})])
        ledger.erase(0, "oversight", "ground")
        assert ledger.entry(0).record is None
        assert ledger.verify_all().intact


@pytest.mark.parametrize(
    ("note", "size"),
    [
        (lambda note: note, 99),
        (lambda note: note.replace("\n2\n", "\n3\n"), 3),
        (lambda _note: "words\n", 2),
    ],
)
def test_what_is_remembered_to_be_public_is_believed_only_when_signed(
    tmp_path: Path, note: Callable[[str], str], size: int
) -> None:
    with open_ledger(tmp_path) as ledger:
        ledger.append([entry()])
        publish_in(tmp_path, ledger)
        published = ledger.checkpoint()
        ledger.publish(StoredPublication(note(published.note), size, published.time))
        for read in (ledger.published, ledger.checkpoint, lambda: ledger.lag(CLOCK.now())):
            with pytest.raises(TamperDetected):
                read()
