"""Does transcoded sound say what the source's does? Both are decoded and compared, sample by sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vsanon.encode import CopyPlan, SoundFit
from vsanon.encode.sound import LOSSY, encoded_rate, is_pcm, keeps_bytes, sample_bytes
from vsanon.errors import InputError
from vsanon.media.sound import SoundStart, blocks, sound_start

Row = tuple[str, bool, str, str]
"""The fields of a `Check`."""

LEAST_LIKENESS = 0.5
"""Least correlation of sound with what a lossy codec makes of it; of other sound it is near 0."""
_LEAST_RESAMPLED = 0.99
"""That of two resamplings of the same sound."""
_GAIN = 0.05
"""By how much sound may be louder or quieter, as a share of its amplitude."""
_PRIMING = 4096
"""Samples by which the length of what a lossy codec makes of a sound may differ from it: four frames of AAC."""

_MILLISECOND = Fraction(1, 1000)

_LISTEN_S = 2
"""So much sound tells how it lies, from where it is louder than this on: ..."""
_SILENT = 1e-3
"""... root mean square, full scale being 1."""


def compare_sound(
    source: Path,
    output: Path,
    plan: CopyPlan,
    was_first: Fraction,
    first: Fraction,
    fits: Mapping[int, SoundFit] = MappingProxyType({}),
) -> list[Row]:
    """The checks of the sound that is not the source's own packets.

    Args:
        source: the file that it comes from.
        output: the file that it went to.
        plan: what was to be carried.
        was_first: when the source's first frame is shown, seconds.
        first: when the output's is.
        fits: by the index of its stream, how sound was to be fitted to the picture.
    """
    checks: list[Row] = []
    sound = [(s, codec) for s, codec in plan.streams if s.kind == "audio"]
    for number, (stream, codec) in enumerate(sound):
        fit = fits.get(stream.index)
        rate = fit.rate if fit is not None else encoded_rate(stream, codec)
        if keeps_bytes(stream, codec, fit) or stream.index in plan.changes:
            continue
        name = f"audio {stream.index} as {codec}"
        try:
            was, now = sound_start(source, stream.index), sound_start(output, None, number)
            want = Fraction(0) if fit is not None else was.seconds - was_first
            lead, total = (0, None) if fit is None else (fit.lead, fit.total)
            checks.append(_begins(name, want, was, now, first, rate, lossy=codec in LOSSY))
            checks.append(_samples(name, want, was, now, first, _Wanted(codec, rate, lead, total)))
        except InputError as error:
            checks.append((f"{name}: samples", False, "readable to the end", str(error)))
    return checks


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a stream was to become; its samples as in `media.sound.blocks`."""

    codec: str
    rate: int
    lead: int
    total: int | None

    def span(self, ahead: int) -> tuple[int, int | None]:
        """The lead and total of the source, where the output lies `ahead` by so many samples."""
        early = min(ahead, 0)
        return self.lead + early, None if self.total is None else self.total + early


def step_of(codec: str, depth: int) -> float:
    """One step of the integers of a codec that loses nothing; of Apple Lossless and FLAC by the source's depth."""
    if is_pcm(codec):
        return 2.0 ** (1 - 8 * sample_bytes(codec)) if not codec.startswith("pcm_f") else 2.0**-24
    return 2.0**-15 if depth <= 16 else 2.0**-23


def scale_of(codec: str, depth: int) -> tuple[float, float]:
    """The least and the greatest sample that a codec holds; decoded AAC may be louder, and is cut off there."""
    if codec in LOSSY or codec.startswith("pcm_f"):
        return -np.inf, np.inf
    return -1.0, 1.0 - step_of(codec, depth)


def begins(
    name: str, was: SoundStart, now: SoundStart, was_first: Fraction, first: Fraction, *, lossy: bool
) -> Row:
    """Whether sound begins as long before or after the first frame as it did."""
    return _begins(name, was.seconds - was_first, was, now, first, was.rate, lossy=lossy)


def _begins(
    name: str, want: Fraction, was: SoundStart, now: SoundStart, first: Fraction, rate: int, *, lossy: bool
) -> Row:  # fmt: skip
    got = now.seconds - first
    room = was.time_base + now.time_base + _MILLISECOND + (Fraction(2048, now.rate) if lossy else 0)
    return (
        f"{name}: begins",
        abs(want - got) <= room and rate == now.rate,
        f"{float(want):.6f} s from the first frame, within {float(room) * 1e6:.0f} µs, {rate} Hz",
        f"{float(got):.6f} s, {now.rate} Hz",
    )


def _samples(name: str, want: Fraction, was: SoundStart, now: SoundStart, first: Fraction, wanted: _Wanted) -> Row:
    """What loses nothing is the same to one step; AAC and Opus are alike, and as long to four of AAC's frames.

    A lossy encoder writes some samples before the first, by which the output may be `ahead`; a resampler of another
    version differs in the last bits.
    """
    lossy, resampled = wanted.codec in LOSSY, wanted.rate != was.rate
    ahead = 0
    if lossy:
        ahead = round((want - now.seconds + first) * now.rate)
        ahead += _shift(was, now, ahead, wanted)
    lead, total = wanted.span(ahead)
    counts, worst, energy, other, cross = [0, 0], 0.0, 0.0, 0.0, 0.0
    ends = scale_of(wanted.codec, was.depth)
    for a, b in zip_longest(blocks(was, lead, total, wanted.rate), blocks(now, -max(ahead, 0))):
        counts[0] += 0 if a is None else a.shape[1]
        counts[1] += 0 if b is None else b.shape[1]
        if a is None or b is None or a.shape[0] != b.shape[0]:
            if a is not None and b is not None:
                return (f"{name}: samples", False, f"{a.shape[0]} channels", f"{b.shape[0]} channels")
            continue
        n = min(a.shape[1], b.shape[1])
        a, b = np.clip(a[:, :n], *ends), b[:, :n]
        worst = max(worst, float(np.abs(a - b).max(initial=0.0)))
        energy, other, cross = (
            energy + float((a * a).sum()),
            other + float((b * b).sum()),
            cross + float((a * b).sum()),
        )
    if not lossy and not resampled:
        step = step_of(wanted.codec, was.depth)
        passed = counts[0] == counts[1] and worst <= step
        return (f"{name}: samples", passed, f"{counts[0]}, to one step of the codec",
                     f"{counts[1]}, {worst / step:.2f} steps off at most")  # fmt: skip
    alike = (
        cross / (energy * other) ** 0.5 if energy and other else float(energy == other or max(energy, other) < 1e-3)
    )
    least, room = (LEAST_LIKENESS, _PRIMING) if lossy else (_LEAST_RESAMPLED, 0)
    # What a codec leaves out makes the one smaller, and the noise that it adds the other greater: a change of
    # loudness lies between them.
    least_gain, most_gain = (cross / energy, other / cross) if energy and cross > 0 else (1.0, 1.0)
    louder, quieter = least_gain > 1 + _GAIN, most_gain < 1 - _GAIN
    passed = abs(counts[0] - counts[1]) <= room and alike >= least and not (louder or quieter)
    changed = f", {most_gain if quieter else least_gain:.2f} times as loud" if louder or quieter else ""
    return (f"{name}: samples", passed, f"{counts[0]} within {room}, likeness of {least} and more, as loud",
                 f"{counts[1]}, likeness {alike:.3f}{changed}")  # fmt: skip


def _shift(was: SoundStart, now: SoundStart, ahead: int, wanted: _Wanted) -> int:
    """By how many samples the output lies further ahead than its time says, in which Matroska has milliseconds.

    Looked for no farther than both times are known, which `begins` allows as well.
    """
    reach = round((was.time_base + now.time_base + _MILLISECOND) * now.rate)
    heard: list[list[np.ndarray]] = [[], []]
    count = 0
    pairs = zip(blocks(was, *wanted.span(ahead), wanted.rate), blocks(now, -max(ahead, 0)), strict=False)
    for a, b in pairs:
        n = min(a.shape[1], b.shape[1])
        if a.shape[0] != b.shape[0] or not n:
            return 0
        if count or float(np.sqrt((a[:, :n] ** 2).mean())) > _SILENT:
            heard[0].append(a[:, :n])
            heard[1].append(b[:, :n])
            count += n
        if count >= _LISTEN_S * now.rate:
            break
    if count <= 2 * reach:
        return 0
    one, other = (np.concatenate(parts, axis=1) for parts in heard)
    middle = one[:, reach : count - reach]
    shifts = sorted(range(-reach, reach + 1), key=abs)  # of equals the nearest
    likeness = [_like(middle, other[:, reach + k : count - reach + k]) for k in shifts]
    return shifts[int(np.argmax(likeness))]


def _like(one: np.ndarray, other: np.ndarray) -> float:
    return float((one * other).sum() / max(np.sqrt((one * one).sum() * (other * other).sum()), 1e-12))
