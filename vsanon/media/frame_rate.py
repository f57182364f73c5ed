"""The rate of a clip and the times of its frames, even or variable: what streams say, mended where that is safe."""

import logging
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from vsanon.errors import InputError
from vsanon.media.advice import REMUX
from vsanon.timing import Timeline

log = logging.getLogger(__name__)

NO_PTS = -(2**63)
"""What stands for a timestamp that is not there, as in ffmpeg."""

FASTEST = 1000
"""Frames a second."""


def nominal_rate(*rates: Fraction | None) -> Fraction | None:
    """The rate of a stream, which for one of variable rate is its average; None where nobody knows one.

    Args:
        rates: what the container says of it, from the one to trust most: average, guessed, base.
    """
    # Raw DV has ticks of 1/60000 s, and the average rate is one of them.
    likely = (rate for rate in rates if rate and rate <= FASTEST)
    return next((rate for rate in (*likely, *rates) if rate and rate > 0), None)


def timeline_of(path: Path, pts: list[int], base: Fraction, rate: Fraction) -> tuple[Timeline, bool]:
    """The timeline, and whether its rate is a guess."""
    if all(p == NO_PTS for p in pts):
        log.warning("%s: the stream has no timestamps; assuming %s frames a second", path, rate)
        return Timeline(tuple(range(len(pts))), 1 / rate, rate), True
    rising = risen(_filled(path, pts, 1 / (rate * base)))
    if rising is None:
        n = next(n for n, (a, b) in enumerate(pairwise(pts)) if b <= a)
        raise InputError(
            f"{path}: the timestamp of frame {n + 1} does not rise, and where it belongs can't be told: are these "
            "two recordings in one file? Split them first, or re-encode the file with even times "
            "(ffmpeg -i IN -vf setpts=N/FRAME_RATE/TB -c:v ffv1 -c:a copy OUT.mkv) and see whether sound still fits"
        )
    return Timeline(tuple(rising), base, rate), False


def risen(pts: Sequence[int]) -> list[int] | None:
    """Timestamps in the order of their frames; None where it can't be told which belongs to which.

    A muxer that knows nothing of B-frames gives them the times of their packets: the same times, another order, off
    by as few frames as a decoder holds. Two frames of one time, as screen recorders write, become one tick apart.

    Args:
        pts: of the frames as a decoder gives them, which is the order in which they are shown.
    """
    order = sorted(range(len(pts)), key=lambda n: pts[n])
    if any(abs(n - at) > _MOST_HELD for at, n in enumerate(order)):
        return None
    rising: list[int] = []
    for value in sorted(pts):
        rising.append(value if not rising else max(value, rising[-1] + 1))
    moved = max(a - b for a, b in zip(rising, sorted(pts), strict=True))
    return rising if moved <= _MOST_NUDGED else None


_MOST_HELD = 16
"""Frames that a decoder holds to put them in order: max_num_reorder_frames of H.264 and HEVC."""

_MOST_NUDGED = 2
"""Ticks by which a frame may be moved off one of the same time."""


def _filled(path: Path, pts: Sequence[int], step: Fraction) -> list[int]:
    """Stamp what a program stream left unstamped (ISO/IEC 13818-1, 2.7.4), where the frames around leave no choice.

    Args:
        pts: in ticks, `NO_PTS` where there is none.
        step: a frame of the nominal rate, in ticks.
    """
    filled = list(pts)
    for n, value in enumerate(filled):
        if value != NO_PTS:
            continue
        if n == 0:
            raise InputError(f"{path}: frame 0 has no timestamp: {REMUX}")
        later = next((k for k in range(n + 1, len(filled)) if filled[k] != NO_PTS), None)
        if later is not None:
            mean = Fraction(filled[later] - filled[n - 1], later - n + 1)
            if abs(mean - step) > 1:
                raise InputError(f"{path}: frame {n} has no timestamp: {REMUX}")
            step = mean
        filled[n] = filled[n - 1] + round(step)
    return filled
