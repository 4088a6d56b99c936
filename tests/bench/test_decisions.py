"""What the benches of decisions and masking measure. Nothing is timed here."""

from __future__ import annotations

from pathlib import Path

import pytest

from access.decision import Decider
from bench import decisions, masking, peers
from bench.invented_policy import Shape, invented
from bench.settings import BenchSettings
from hub.errors import SourceError


@pytest.fixture
def settings(tmp_path: Path) -> BenchSettings:
    return BenchSettings(residents=120, runs=1, folder=tmp_path, say=lambda _: None)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small policy, and one where rules lie close."""
    monkeypatch.setattr(decisions, "SIZES", (100,))
    monkeypatch.setattr(decisions, "REQUESTS", 200)
    monkeypatch.setattr(decisions, "DENSE", Shape(400, datasets=2, purposes=1))


def test_engines_that_cannot_be_installed_give_rows_that_say_so(
    small: None, settings: BenchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(engine: peers.Engine) -> Path:
        raise SourceError(f"{engine.title} cannot be installed here")

    monkeypatch.setattr(peers, "environment", refused)
    found = {row.name: row for row in decisions.rows(settings)}
    assert list(found) == [
        "decisions-cold-100",
        "decisions-cold-100-cedar",
        "decisions-cold-100-rego",
        "decisions-cached-100",
        "decisions-cold-dense",
    ]
    for engine in peers.DECIDERS:
        row = found[f"decisions-cold-100-{engine.folder}"]
        assert row.theirs is None
        assert row.ratio is None
        assert row.holds is None
        assert "cannot be installed here" in row.size


def test_a_peer_that_decides_otherwise_is_not_measured(
    small: None, settings: BenchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figure would be about other work."""

    def contrary(
        engine: peers.Engine, cases: list[dict[str, list[object]]], folder: Path
    ) -> list[peers.Decided]:
        count = len(cases[0]["requests"])
        return [peers.Decided(((True, frozenset()),) * count, (1.0,) * count)]

    monkeypatch.setattr(peers, "decided", contrary)
    with pytest.raises(AssertionError, match="cedar does not decide as we do"):
        list(decisions.rows(settings))


def test_requests_differ_and_some_of_each_answer_come_up() -> None:
    """What was kept about one must not help with the next."""
    given = invented(Shape(400, datasets=4, purposes=1), 300)
    kinds = {(q.roles, q.agency, q.action, q.dataset, q.purpose) for q in given.questions}
    assert len(kinds) == len(given.requests) == 300
    decider = Decider(given.policy, given.catalog)
    allowed = sum(decider.decide(request).allowed for request in given.requests)
    assert 0 < allowed < 300
    again = invented(Shape(400, datasets=4, purposes=1), 300)
    assert again.policy.rules == given.policy.rules
    assert again.questions == given.questions


def test_the_list_that_is_masked_holds_a_hundred_persons(settings: BenchSettings) -> None:
    (row,) = masking.rows(settings)
    assert row.name == "masking-list"
    assert row.size.startswith("100 persons, 200 records, ")
