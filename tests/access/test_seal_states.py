"""Orders through any lawful history: they hold once, without a gap, and never longer than allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from access.seals import (
    LIFTED,
    Seals,
    SealState,
    approved_key,
    asked_key,
    declined_key,
    seal_standings,
)
from hub.store.access_steps import About, AccessStep
from hub.store.seals import SealOrder, Term

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONGEST = 90 * 24  # hours
PURPOSE, CASE = "public_safety.investigation", "c" * 64

#: What somebody tries so many hours after the last try, with a term of so many hours.
TRIES = st.lists(
    st.tuples(
        st.sampled_from(["approve", "decline", "renew", "lift", "wait"]),
        st.integers(0, 60 * 24),
        st.integers(1, LONGEST),
    ),
    max_size=12,
)


class History:
    """An order and its steps; does what the desk lets be done, and keeps what that should mean."""

    def __init__(self, begins: int, lasts: int) -> None:
        term = Term(0, "p", START + begins * HOUR, START + (begins + lasts) * HOUR)
        self.order = SealOrder(1, "criminal_inquiry", "police", (PURPOSE,), CASE, (term,))
        self.steps: list[AccessStep] = []
        self.holds: tuple[datetime, datetime] | None = None  # what it should come to
        self.now = START
        self._step(asked_key(0))

    def attempt(self, act: str, wait: int, lasts: int) -> None:
        """Let time pass, then try something."""
        self.now += wait * HOUR
        (one,) = seal_standings([self.order], self.steps, self.now)
        live = self.holds is not None and self.now < self.holds[1]
        if act == "approve" and one.open_term is not None:
            term = one.open_term
            self._step(approved_key(term.number))
            if self.holds is None:
                self.holds = (max(term.valid_from, self.now), term.valid_to)
            else:
                self.holds = (self.holds[0], max(self.holds[1], term.valid_to))
        elif act == "decline" and one.open_term is not None:
            self._step(declined_key(one.open_term.number))
        elif act == "renew" and one.state is SealState.IN_FORCE and one.open_term is None:
            assert one.ends is not None
            until = self.now + lasts * HOUR
            term = Term(len(self.order.terms), "p", one.ends, until)
            if term.valid_from < term.valid_to:
                self.order = replace(self.order, terms=(*self.order.terms, term))
                self._step(asked_key(term.number))
        elif act == "lift" and live and self.holds is not None:
            self._step(LIFTED)
            self.holds = (self.holds[0], self.now)

    def _step(self, key: str) -> None:
        by, why = "officer.police", "why"
        self.steps.append(AccessStep(About.SEAL, "1", key, by, self.now, why))


@given(st.integers(0, 24), st.integers(1, LONGEST - 24), TRIES)
def test_an_order_holds_exactly_as_long_as_it_was_approved_for(
    begins: int, lasts: int, tries: list[tuple[str, int, int]]
) -> None:
    history = History(begins, lasts)
    for act, wait, length in tries:
        history.attempt(act, wait, length)
        (one,) = seal_standings([history.order], history.steps, history.now)
        expected = history.holds
        in_force = expected is not None and expected[0] <= history.now < expected[1]
        assert (one.state is SealState.IN_FORCE) == in_force
        number = Seals.of([one]).covering("police", PURPOSE, CASE, history.now)
        assert number == (1 if in_force else None)
        if expected is not None:
            assert one.ends == expected[1]
            approvals = [s.at for s in history.steps if s.key.startswith("approved-")]
            assert one.ends <= approvals[-1] + (LONGEST + 24) * HOUR
            assert one.begins is not None
            assert one.begins >= approvals[0]


@given(st.integers(0, 24), st.integers(1, LONGEST - 24), TRIES)
def test_what_has_ended_never_holds_again(
    begins: int, lasts: int, tries: list[tuple[str, int, int]]
) -> None:
    history, over = History(begins, lasts), False
    for act, wait, length in tries:
        history.attempt(act, wait, length)
        (one,) = seal_standings([history.order], history.steps, history.now)
        assert not (over and one.state is SealState.IN_FORCE)
        over = over or one.state in (SealState.EXPIRED, SealState.LIFTED, SealState.DECLINED)


@given(st.integers(0, 24), st.integers(1, LONGEST - 24), TRIES, st.integers(0, 5000))
def test_nothing_but_its_own_agency_purpose_and_case_is_covered(
    begins: int, lasts: int, tries: list[tuple[str, int, int]], hours: int
) -> None:
    history, at = History(begins, lasts), START + hours * HOUR
    for attempt in tries:
        history.attempt(*attempt)
    seals = Seals.of(seal_standings([history.order], history.steps, at))
    for asked in (
        ("population", PURPOSE, CASE),
        ("police", "residence.verify", CASE),
        ("police", PURPOSE, "d" * 64),
        ("police", PURPOSE, None),
    ):
        assert seals.covering(*asked, at) is None
