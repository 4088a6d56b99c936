"""Statements as a log makes them, judged by the stand-alone verifier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import LedgerError, NotFound
from hub.ledger.entry import SYSTEM
from hub.ledger.verify import Trust, trust_of, verify_file
from tests.hub.ledger.invented_log import LOG_KEY, WITNESS_KEYS, InventedLog, person

DISCLOSED = "officer:subject:disclosed"


def trust() -> Trust:
    return trust_of([LOG_KEY], WITNESS_KEYS)


@pytest.fixture
def log(tmp_path: Path) -> InventedLog:
    return InventedLog(tmp_path)


def test_everything_about_a_person_is_in_it_and_nothing_else(log: InventedLog) -> None:
    for n in range(700):
        log.add(person(n % 7), DISCLOSED, request=f"request-{n}")
    log.publish()
    report = verify_file(log.statement(person(3)), trust())
    assert report.valid, (report.where, report.why)
    assert [use.position for use in report.uses] == list(range(3, 700, 7))
    assert [use.number for use in report.uses] == list(range(100))
    assert all(use.record for use in report.uses)
    assert (report.indexed, report.size) == (700, 701)
    assert report.proven[0].startswith("100 entries about you stand in the first 700 entries")


def test_nobody_looked_a_person_up(log: InventedLog) -> None:
    log.add(person(1), DISCLOSED)
    log.publish()
    report = verify_file(log.statement(person(2)), trust())
    assert report.valid, (report.where, report.why)
    assert report.uses == ()
    assert report.proven[0].startswith("nobody looked you up in the first 1 entries of the log")


def test_the_first_statement_of_a_new_log(log: InventedLog) -> None:
    log.publish()
    report = verify_file(log.statement(person(2)), trust())
    assert report.valid, (report.where, report.why)
    assert report.indexed == 0


def test_what_comes_after_the_publication_is_in_the_next(log: InventedLog) -> None:
    log.add(person(1), DISCLOSED)
    log.publish()
    log.add(person(1), DISCLOSED)
    assert len(verify_file(log.statement(person(1)), trust()).uses) == 1
    with pytest.raises(NotFound, match="within seconds"):
        log.proof(2)
    with pytest.raises(NotFound, match="no entry 9999"):
        log.proof(9999)
    log.publish()
    assert len(verify_file(log.statement(person(1)), trust()).uses) == 2


def test_an_erased_entry_is_said_to_be_erased_by_whom(log: InventedLog) -> None:
    first = log.add(person(1), DISCLOSED)
    log.add(person(2), DISCLOSED)
    log.erase(first)
    log.publish()
    report = verify_file(log.statement(person(1)), trust())
    assert report.valid, (report.where, report.why)
    assert report.uses[0].record is None
    assert report.uses[0].erased == report.uses[1].record
    assert report.uses[0].erased is not None
    assert report.uses[0].erased["by"] == "office-7"
    with pytest.raises(NotFound, match="erased; the statement says by whom"):
        log.proof(first)


def test_an_erasure_that_is_not_published_yet_is_waited_for(log: InventedLog) -> None:
    first = log.add(person(1), DISCLOSED)
    log.publish()
    log.erase(first)
    with pytest.raises(LedgerError, match="erased by one that is not public yet"):
        log.statement(person(1))
    log.publish()
    assert verify_file(log.statement(person(1)), trust()).valid


def test_bulk_disclosures_say_to_each_whether_they_were_in_it(log: InventedLog) -> None:
    everybody = [person(n) for n in range(40)]
    log.disclose(b"a" * 16, everybody)
    log.add(SYSTEM, "hub:started")
    log.disclose(b"b" * 16, everybody[:1])
    log.disclose(b"c" * 16, everybody[1:])
    log.publish()
    for number, included in ((0, [True, True, False]), (9, [True, False, True]), (41, [False] * 3)):
        report = verify_file(log.statement(person(number)), trust())
        assert report.valid, (report.where, report.why)
        assert [bulk.included for bulk in report.bulk] == included
        assert [bulk.count for bulk in report.bulk] == [40, 1, 39]
        assert f"you are in {sum(included)} of the 3 bulk disclosures" in report.proven[-2]


def test_an_entry_that_commits_to_other_persons_than_are_kept_is_not_proven(
    log: InventedLog,
) -> None:
    log.disclose(b"a" * 16, [person(1)], count=2)
    log.publish()
    with pytest.raises(LedgerError, match="does not commit to the persons kept"):
        log.statement(person(1))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_history_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    log = InventedLog(tmp_path_factory.mktemp("log"))
    people = data.draw(st.lists(st.integers(0, 4), max_size=320))
    for number in people:
        log.add(person(number), DISCLOSED)
    alive = data.draw(st.sets(st.sampled_from(range(len(people))))) if people else set()
    for position in sorted(alive):
        log.erase(position)
    log.publish()
    for number in range(6):
        report = verify_file(log.statement(person(number)), trust())
        assert report.valid, (report.where, report.why)
        mine = [position for position, of in enumerate(people) if of == number]
        assert [use.position for use in report.uses][: len(mine)] == mine
        erased = [use.position for use in report.uses if use.record is None]
        assert erased == [position for position in mine if position in alive]


def test_a_proof_is_a_c2sp_file_that_says_one_use(log: InventedLog) -> None:
    positions = [log.add(person(n % 3), DISCLOSED, request=f"r{n}") for n in range(20)]
    log.publish()
    for position in positions:
        report = verify_file(log.proof(position), trust())
        assert report.valid, (report.where, report.why)
        (use,) = report.uses
        assert (use.position, use.number) == (position, position // 3)
        assert use.record is not None
        assert use.record["request"] == f"r{position}"


def test_it_is_one_canonical_line(log: InventedLog) -> None:
    log.add(person(1), DISCLOSED)
    log.publish()
    data = log.statement(person(1))
    again = json.dumps(json.loads(data), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert again.encode() == data
