"""Looking at what a log shows everybody, again and again, and comparing it with what was seen.

A look never blames the log for what may be the network's or a moment's doing: what cannot be read
is noted and tried again at the next look. How long a log was silent is counted in seconds of
watching, by a clock that cannot be set, so that neither a step of the machine's clock nor a pause
of the witness makes a log look stalled.

Source: C2SP tlog-checkpoint, tlog-tiles.
"""

from __future__ import annotations

from dataclasses import replace

from hub.clock import Clock, second_of
from hub.errors import RequestError, SourceError
from hub.ledger.note import Checkpoint, Note, verify_note
from hub.witness.alarms import Kind, Wrong
from hub.witness.comparing import compare
from hub.witness.files import LogFiles
from hub.witness.state import Head, Mode, Seen, WatchedLog, WitnessState
from hub.witness.witness import Connect, Patience, Witness

LOOKS_BACK = 2  # times in a row that an older tree is shown before it counts as a rollback


class Watcher:
    """Looks at the logs of one witness.

    Args:
        witness: reads logs in full.
        patience: its pause is kept before a second look at what seems wrong.
    """

    def __init__(
        self,
        state: WitnessState,
        witness: Witness,
        clock: Clock,
        connect: Connect = LogFiles,
        patience: Patience | None = None,
    ) -> None:
        self._state = state
        self._witness = witness
        self._clock = clock
        self._connect = connect
        self._patience = patience or Patience()
        self._looked: dict[str, float] = {}
        self._back: dict[str, int] = {}
        self._compared: dict[str, tuple[Head, Head]] = {}  # shown and cosigned, found consistent

    def look(self) -> None:
        """Look once at every log.

        Raises:
            LedgerError: when the state cannot be read or written.
        """
        for log in self._state.logs():
            self.look_at(log)

    def logs(self) -> tuple[WatchedLog, ...]:
        """Return every log under watch.

        Raises:
            LedgerError: when the state cannot be read.
        """
        return self._state.logs()

    def compare(self, note: str) -> tuple[Head, Wrong | None]:
        """Compare a checkpoint that somebody else was shown with what this witness knows.

        Returns:
            The tree, and what is wrong with it; that is an alarm from then on.

        Raises:
            NotFound: when it is of no log under watch.
            RequestError: when it is no checkpoint that the log has signed.
            SourceError: when the log's tiles cannot be read.
        """
        checkpoint = Checkpoint.parse(Note.parse(note).text)
        log = self._state.log(checkpoint.origin)
        verify_note(note, log.keys)
        tree = Head(checkpoint.size, checkpoint.root, note)
        seen = self._state.seen(log.origin)
        known = (self._state.head(log.origin), Head(seen.size, seen.root, seen.note))
        try:
            with self._connect(log.url) as files:
                self._compare_all(files, tree, known)
        except Wrong as wrong:
            self._state.raise_alarm(log.origin, wrong)
            return tree, wrong
        return tree, None

    def look_at(self, log: WatchedLog) -> None:
        """Look once at a log; at several logs at once, at each not twice.

        Raises:
            LedgerError: when the state cannot be read or written.
        """
        now = self._patience.elapsed()
        passed = now - self._looked.get(log.origin, now)
        self._looked[log.origin] = now
        seen = self._state.seen(log.origin)
        try:
            with self._connect(log.url) as files:
                shown = self._checked(log, files, seen)
        except SourceError as problem:
            self._silent(log, replace(seen, problem=problem.message), passed)
            return
        except Wrong as wrong:
            self._state.raise_alarm(log.origin, wrong)
            self._quiet(log, replace(seen, problem=f"{wrong.kind}: {wrong.what}"), passed)
            return
        self._state.end_passing(log.origin, Kind.UNREACHABLE)
        if (shown.size, shown.root) == (seen.size, seen.root):
            self._quiet(log, replace(seen, problem=shown.problem), passed)
        else:
            self._state.save_seen(log.origin, shown)
            self._state.end_passing(log.origin, Kind.STALLED)

    def _checked(self, log: WatchedLog, files: LogFiles, seen: Seen) -> Seen:
        """Return what the log shows, once it is consistent with what was seen and cosigned."""
        note, checkpoint = self._signed(log, files)
        head = self._state.head(log.origin)
        known = Head(seen.size, seen.root, seen.note)
        shown = Head(checkpoint.size, checkpoint.root, note)
        if (shown, head) != self._compared.get(log.origin):
            self._compare_all(files, shown, (known, head))
            self._compared[log.origin] = (shown, head)
        self._check_order(log, shown, known)
        time = second_of(self._clock.now())
        return Seen(shown.size, shown.root, note, time, problem=self._read(log, checkpoint, note))

    def _signed(self, log: WatchedLog, files: LogFiles) -> tuple[str, Checkpoint]:
        """Return the checkpoint shown, looked at twice before it counts as falsely signed."""
        try:
            return _opened(log, files.checkpoint())
        except Wrong:
            self._patience.pause()
            return _opened(log, files.checkpoint())

    def _compare_all(self, files: LogFiles, tree: Head, others: tuple[Head, ...]) -> None:
        """Compare a tree with others, with all of them though one cannot be compared.

        Those of its own size first: two roots of one size are proof whatever the tiles hold.
        """
        untold: list[SourceError] = []
        for other in sorted(others, key=lambda other: other.size != tree.size):
            try:
                compare(files, other, tree, self._patience.pause)
            except SourceError as problem:
                untold.append(problem)
        if untold:
            raise untold[0]

    def _check_order(self, log: WatchedLog, shown: Head, known: Head) -> None:
        """Check that the log does not show less than it has shown."""
        if shown.size >= known.size:
            self._back.pop(log.origin, None)
            return
        self._back[log.origin] = self._back.get(log.origin, 0) + 1
        if self._back[log.origin] < LOOKS_BACK:
            raise SourceError("the log shows an older tree than before", retryable=True)
        what = f"the log shows {shown.size} entries after it has shown {known.size}"
        raise Wrong(Kind.ROLLBACK, what, known.note, shown.note)

    def _read(self, log: WatchedLog, checkpoint: Checkpoint, note: str) -> str:
        """Read the log in full where that is asked for, and return what was in the way."""
        if log.mode is not Mode.FULL:
            return ""
        reading = self._state.reading(log.origin)
        if reading.size >= checkpoint.size:
            return ""
        try:
            with self._witness.turn(log.origin):
                self._witness.read(log, checkpoint, note)
        except SourceError as problem:
            return problem.message
        return ""

    def _silent(self, log: WatchedLog, seen: Seen, passed: float) -> None:
        """Keep that the log could not be looked at."""
        seen = replace(seen, unreachable=seen.unreachable + passed)
        self._state.save_seen(log.origin, seen)
        if seen.unreachable > log.stalled_seconds:
            what = f"nothing readable for more than {log.stalled_seconds} seconds of watching"
            self._state.raise_alarm(log.origin, Wrong(Kind.UNREACHABLE, what))

    def _quiet(self, log: WatchedLog, seen: Seen, passed: float) -> None:
        """Keep that the log answered, and for how long it has shown nothing new that holds."""
        seen = replace(seen, quiet=seen.quiet + passed, unreachable=0.0)
        self._state.save_seen(log.origin, seen)
        if seen.quiet > log.stalled_seconds:
            what = f"no new checkpoint for more than {log.stalled_seconds} seconds of watching"
            self._state.raise_alarm(log.origin, Wrong(Kind.STALLED, what, seen.note))


def _opened(log: WatchedLog, note: str) -> tuple[str, Checkpoint]:
    """Return a note and its checkpoint, signed by the log.

    Raises:
        SourceError: when the file is no checkpoint, as when it is being replaced.
        Wrong: when it is another log's, or not signed by this one.
    """
    try:
        checkpoint = Checkpoint.parse(Note.parse(note).text)
    except RequestError as refusal:
        message = f"the log's checkpoint cannot be read: {refusal.message}"
        raise SourceError(message, retryable=True) from refusal
    if checkpoint.origin != log.origin:
        raise Wrong(Kind.WRONG_ORIGIN, "the server shows a checkpoint of another origin", note)
    try:
        verify_note(note, log.keys)
    except RequestError as refusal:
        raise Wrong(Kind.BAD_SIGNATURE, refusal.message, note) from refusal
    if not checkpoint.is_possible:
        raise Wrong(Kind.WRONG_TILE, "an empty tree is signed with another root than it has", note)
    return note, checkpoint
