"""Is edited sound silent, or the tone, where it should be, and the source's everywhere else? Sample by sample."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon.encode import SoundChange, is_lossless
from vsanon.encode.sound_changes import LEVEL, ROOM_S, TONE_HZ
from vsanon.errors import InputError
from vsanon.job.sound_checks import LEAST_LIKENESS, Row, begins, scale_of, step_of
from vsanon.media.sound import SoundStart, blocks, sound_start

F64 = NDArray[np.float64]

_SPREAD = 4096
"""Samples by which a lossy codec carries what was near a span into it, from either end."""

_NEAR = 0.01
"""Greatest root mean square of what a lossy codec leaves beside silence or the tone, full scale being 1."""

_FEWEST = 96
"""Samples of a span from which a tone is told by its level: two periods at 48 kHz."""


def check_edited(
    source: tuple[Path, int],
    output: tuple[Path, int],
    codec: str,
    changes: Sequence[SoundChange],
    firsts: tuple[Fraction, Fraction],
    lead: int | None,
) -> list[Row]:
    """The checks of one sound track that edits change.

    Args:
        source: the file, and the index of its stream.
        output: the file, and which of its sound tracks, from 0.
        codec: of the output.
        changes: what edits change.
        firsts: when the source's first frame is shown, and the output's, seconds.
        lead: silent samples that the output has before the source's, below 0 what it lacks; None where it begins
            as the source does.
    """
    name = f"audio {source[1]} as {codec}, edited"
    lossy = not is_lossless(codec)
    try:
        was, now = sound_start(source[0], source[1]), sound_start(output[0], None, output[1])
        rows = [] if lead is not None else [begins(name, was, now, *firsts, lossy=lossy)]
        ahead = lead or 0
        if lead is None and lossy:
            ahead = round((was.seconds - firsts[0] - now.seconds + firsts[1]) * now.rate)
        found = _Found(was, changes, codec, lossy=lossy)
        dropped = max(-ahead, 0)
        at = dropped
        for a, b in zip_longest(blocks(was, -dropped), blocks(now, -max(ahead, 0))):
            found.add(at, a, b)
            at += 0 if a is None else a.shape[1]
        return [*rows, *found.rows(name, fitted=lead is not None)]
    except InputError as error:
        return [(f"{name}: samples", False, "readable to the end", str(error))]


class _Found:
    """What is heard in a track, block by block."""

    def __init__(self, was: SoundStart, changes: Sequence[SoundChange], codec: str, *, lossy: bool) -> None:
        self._was, self._changes, self._lossy = was, changes, lossy
        self._step, self._ends = step_of(codec, was.depth), scale_of(codec, was.depth)
        self._counts = [0, 0]
        self._rest, self._edited = 0.0, 0
        self._wrong: list[str] = []
        self._sums = np.zeros(3)

    def add(self, at: int, a: F64 | None, b: F64 | None) -> None:
        """Look at a block that begins with the source's sample `at`."""
        self._counts[0] += 0 if a is None else a.shape[1]
        self._counts[1] += 0 if b is None else b.shape[1]
        if a is None or b is None:
            return
        if a.shape[0] != b.shape[0]:
            self._wrong.append(f"{b.shape[0]} channels in place of {a.shape[0]}")
            return
        n = min(a.shape[1], b.shape[1])
        a, b = np.clip(a[:, :n], *self._ends), b[:, :n]
        wide = [self._within(change, at, n, 2 * ROOM_S) for change in self._changes]
        rest = ~np.logical_or.reduce(wide)
        if rest.any():
            off = np.abs(a[:, rest] - b[:, rest])
            self._rest = max(self._rest, float(off.max()) if np.isfinite(off).all() else np.inf)
            self._sums += [float((a[:, rest] * b[:, rest]).sum()), float((a[:, rest] ** 2).sum()),
                           float((b[:, rest] ** 2).sum())]  # fmt: skip
        loud = [self._within(c, at, n, 2 * ROOM_S) for c in self._changes if c.kind == "bleep"]
        less = Fraction(_SPREAD, self._was.rate) if self._lossy else Fraction(0)
        for change in self._changes:
            inside = self._within(change, at, n, -less)
            if change.kind == "mute" and loud:
                inside &= ~np.logical_or.reduce(loud)
            self._edited += int(inside.sum())
            if inside.any():
                self._hear(change.kind, at, b[:, inside])

    def _within(self, change: SoundChange, at: int, n: int, more: Fraction) -> NDArray[np.bool_]:
        """(n,) which samples from `at` on lie in a span, grown by `more` seconds at either end."""
        rate, start = self._was.rate, self._was.seconds
        low = 0 if change.start is None else max(-(-(change.start - more - start) * rate // 1) - at, 0)
        high = n if change.stop is None else min(-(-(change.stop + more - start) * rate // 1) - at, n)
        inside = np.zeros(n, bool)
        inside[int(low) : max(int(high), int(low))] = True
        return inside

    def _hear(self, kind: str, at: int, heard: F64) -> None:
        if not np.isfinite(heard).all():
            self._wrong.append(f"samples that are no number near sample {at}")
            return
        left = heard
        if kind == "bleep":
            # One level and phase for all channels: what carries something else differs.
            time = 2 * np.pi * TONE_HZ * np.arange(heard.shape[1]) / self._was.rate
            waves = np.stack([np.sin(time), np.cos(time)])
            if heard.shape[1] >= _FEWEST:
                weights = heard.mean(axis=0) @ waves.T @ np.linalg.inv(waves @ waves.T)
                left = heard - weights @ waves
                if abs(float(np.hypot(*weights)) - LEVEL) > LEVEL / 10:
                    self._wrong.append(f"a tone of {float(np.hypot(*weights)):.4f} near sample {at}")
            else:
                left = np.maximum(np.abs(heard) - LEVEL, 0)
        much = float(np.sqrt(np.mean(left**2))) if self._lossy else float(np.abs(left).max())
        if much > (_NEAR if self._lossy else 0 if kind == "mute" else 2 * self._step):
            self._wrong.append(f"{kind}: {much:.5f} of something else near sample {at}")

    def rows(self, name: str, *, fitted: bool) -> list[Row]:
        """What was seen."""
        alike = float(self._sums[0] / max(np.sqrt(self._sums[1] * self._sums[2]), 1e-12)) if self._sums[1] else 1.0
        if self._lossy:
            same = bool(alike >= LEAST_LIKENESS or self._sums[1:].max() < 1e-3)
            many = abs(self._counts[0] - self._counts[1]) <= _SPREAD
            rest = (f"likeness of {LEAST_LIKENESS} and more", f"likeness {alike:.3f}")
        else:
            same = self._rest <= self._step
            many = fitted or self._counts[0] == self._counts[1]
            rest = ("the source's, to one step of the codec", f"{self._rest / self._step:.2f} steps off at most")
        return [
            (f"{name}: spans", not self._wrong, "silence or a tone of 1 kHz, and nothing else",
             self._wrong[0] if self._wrong else f"{self._edited} samples"),
            (f"{name}: the rest", same and many, f"{self._counts[0]} samples, {rest[0]}",
             f"{self._counts[1]}, {rest[1]}"),
        ]  # fmt: skip
