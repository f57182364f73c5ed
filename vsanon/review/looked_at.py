"""What a person has looked at in this session: frames, seconds, covers lifted, moments ticked off."""

import threading
from collections.abc import Sequence

import numpy as np

from vsanon.review.document import Document, State
from vsanon.review.second_opinion import doubtful, opinions
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import Edit, Opinion, Review, Tick

WORTH_A_LOOK = 1
"""Moments up to this rank are to be ticked off."""

UNFINISHED, FINISHED = "looked through in the browser", "looked through in the browser, and finished"


class Look:
    """Gathers what is shown; writes it into the track file as one review, and again when more is added.

    What lifts a cover and what is ticked off is written at once. Frames that were only shown since may be lost with
    the process: then less stands in the record than was seen, never more.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lock = threading.RLock()
        frames = len(document.state().raw)
        self._seen, self._revealed = np.zeros(frames, bool), np.zeros(frames, bool)
        self._seconds = 0.0
        self._ticked: set[Tick] = set()
        self._opinions: tuple[Opinion, ...] = ()
        self._written: Edit | None = None
        self._news = self._settled = False
        self.revealing = False

    def saw(self, spans: Sequence[tuple[int, int]], seconds: float) -> None:
        """Note frames `start <= n < stop` that were shown, and for how long in all."""
        with self._lock:
            for start, stop in spans:
                self._seen[start:stop] = True
                if self.revealing:
                    self._revealed[start:stop] = True
            self._seconds += seconds
            self._news = self._news or bool(len(spans))

    def reveal(self, on: bool, frame: int) -> None:
        """Lift the covers, or put them back; written before the first frame is shown without them.

        Raises:
            TrackFileError: it can't be written; the covers stay.
        """
        with self._lock:
            if on and not self.revealing:
                self._revealed[frame : frame + 1] = True
                self._write(UNFINISHED)
            self.revealing = on

    def showed(self, n: int) -> None:
        """Note that the server has handed out frame `n` without its covers."""
        with self._lock:
            self._revealed[n] = True
            self._news = True

    def tick(self, tick: Tick, on: bool) -> None:
        """Tick a moment off, or take that back."""
        with self._lock:
            if on:
                self._ticked.add(tick)
            else:
                self._ticked.discard(tick)
            self._write(UNFINISHED)

    def heard(self, opinion: Opinion) -> None:
        """Note a second opinion, and what it found."""
        with self._lock:
            self._opinions = (*self._opinions, opinion)
            self._write(UNFINISHED)

    def flush(self) -> None:
        """Write what is new, if anything is, and the tracks are not to stay as they were rendered."""
        with self._lock:
            if self._news and not self._settled:
                self._write(UNFINISHED)

    def settle(self) -> None:
        """Write what is new, and from now on nothing that was only shown, until something is done.

        What is rendered now is verified by this very track file later; whoever looks at the result, and closes the
        page, must not change it.

        Raises:
            TrackFileError: it can't be written.
        """
        with self._lock:
            self.flush()
            self._settled = True

    def finish(self) -> Edit:
        """State that the review is finished, and return what stands in the file now."""
        with self._lock:
            return self._write(FINISHED)

    def ticked(self) -> set[Tick]:
        """All that was ticked off, in this session and in others that the file tells of."""
        with self._lock:
            before = ticked_in(self._document.state(), without=self._written)
            return before | self._ticked

    def _write(self, reason: str) -> Edit:
        def make(state: State) -> Review:
            done = ticked_in(state, without=self._written) | self._ticked
            own = None if self._written is None else self._written.number
            heard = (*opinions(state, without=own), *self._opinions)  # those of now are in no state yet
            left = sum(
                Tick(m.frame, m.track, m.kind) not in done for m in doubtful(state, heard) if m.rank <= WORTH_A_LOOK
            )
            return Review(
                _spans(self._seen), round(self._seconds, 1), _spans(self._revealed),
                tuple(sorted(self._ticked, key=lambda t: (t.frame, t.track, t.kind))), left,
                self._opinions,
            )  # fmt: skip

        self._written = self._document.record(self._written, make, reason)
        self._news = self._settled = False
        return self._written


def ticked_in(state: State, *, without: Edit | None = None) -> set[Tick]:
    """What the reviews of a file have ticked off."""
    return {
        tick
        for edit in state.edits
        if isinstance(edit.change, Review) and (without is None or edit.number != without.number)
        for tick in edit.change.ticked
    }


def _spans(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[FrameRange, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return tuple(FrameRange(int(a), int(b)) for a, b in edges.reshape(-1, 2))
