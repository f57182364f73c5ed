"""Does transcoded sound say what the source's does? Both are decoded and compared, sample by sample."""

from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import numpy as np

from vsanon.encode import CopyPlan
from vsanon.errors import InputError
from vsanon.media.sound import SoundStart, blocks, sound_start

Row = tuple[str, bool, str, str]
"""The fields of a `Check`."""

_STEPS = {
    "pcm_u8": 2.0**-7, "pcm_s16le": 2.0**-15, "pcm_s16be": 2.0**-15, "pcm_s24le": 2.0**-23, "pcm_s24be": 2.0**-23,
    "pcm_s32le": 2.0**-31, "pcm_s32be": 2.0**-31, "pcm_f32le": 2.0**-24, "pcm_f32be": 2.0**-24,
}  # fmt: skip
"""One step of the integers of a codec that loses nothing, full scale being 1."""

LEAST_LIKENESS = 0.5
"""Least correlation of sound with what a lossy codec makes of it; of other sound it is near 0."""

_MILLISECOND = Fraction(1, 1000)


def compare_sound(source: Path, output: Path, plan: CopyPlan, was_first: Fraction, first: Fraction) -> list[Row]:
    """The checks of the sound that was not copied.

    Args:
        source: the file that it comes from.
        output: the file that it went to.
        plan: what was to be carried.
        was_first: when the source's first frame is shown, seconds.
        first: when the output's is.
    """
    checks: list[Row] = []
    sound = [(s, codec) for s, codec in plan.streams if s.kind == "audio"]
    for number, (stream, codec) in enumerate(sound):
        if codec == stream.codec or stream.index in plan.changes:
            continue
        name = f"audio {stream.index} as {codec}"
        try:
            was, now = sound_start(source, stream.index), sound_start(output, None, number)
            checks.append(begins(name, was, now, was_first, first, lossy=codec == "aac"))
            ahead = round((was.seconds - was_first - now.seconds + first) * now.rate) if codec == "aac" else 0
            checks.append(_samples(name, was, now, codec, ahead))
        except InputError as error:
            checks.append((f"{name}: samples", False, "readable to the end", str(error)))
    return checks


def step_of(codec: str, depth: int) -> float:
    """One step of the integers of a codec that loses nothing; of Apple Lossless and FLAC by the source's depth."""
    return _STEPS.get(codec, 2.0**-15 if depth <= 16 else 2.0**-23)


def begins(
    name: str, was: SoundStart, now: SoundStart, was_first: Fraction, first: Fraction, *, lossy: bool
) -> Row:
    """Whether sound begins as long before or after the first frame as it did."""
    want, got = was.seconds - was_first, now.seconds - first
    room = was.time_base + now.time_base + _MILLISECOND + (Fraction(2048, now.rate) if lossy else 0)
    return (
        f"{name}: begins",
        abs(want - got) <= room and was.rate == now.rate,
        f"{float(want):.6f} s from the first frame, within {float(room) * 1e6:.0f} µs, {was.rate} Hz",
        f"{float(got):.6f} s, {now.rate} Hz",
    )


def _samples(name: str, was: SoundStart, now: SoundStart, codec: str, ahead: int) -> Row:
    """What loses nothing is the same to one step; AAC is alike, and as long to four of its frames.

    An encoder of AAC writes some samples before the first, by which the output may be `ahead`.
    """
    counts, worst, energy, other, cross = [0, 0], 0.0, 0.0, 0.0, 0.0
    for a, b in zip_longest(blocks(was, max(-ahead, 0)), blocks(now, max(ahead, 0))):
        counts[0] += 0 if a is None else a.shape[1]
        counts[1] += 0 if b is None else b.shape[1]
        if a is None or b is None or a.shape[0] != b.shape[0]:
            if a is not None and b is not None:
                return (f"{name}: samples", False, f"{a.shape[0]} channels", f"{b.shape[0]} channels")
            continue
        n = min(a.shape[1], b.shape[1])
        a, b = a[:, :n], b[:, :n]
        worst = max(worst, float(np.abs(a - b).max(initial=0.0)))
        energy, other, cross = (
            energy + float((a * a).sum()),
            other + float((b * b).sum()),
            cross + float((a * b).sum()),
        )
    if codec != "aac":
        step = step_of(codec, was.depth)
        passed = counts[0] == counts[1] and worst <= step
        return (f"{name}: samples", passed, f"{counts[0]}, to one step of the codec",
                     f"{counts[1]}, {worst / step:.2f} steps off at most")  # fmt: skip
    alike = (
        cross / (energy * other) ** 0.5 if energy and other else float(energy == other or max(energy, other) < 1e-3)
    )
    passed = abs(counts[0] - counts[1]) <= 4096 and alike >= LEAST_LIKENESS
    return (f"{name}: samples", passed, f"{counts[0]} within 4096, likeness of {LEAST_LIKENESS} and more",
                 f"{counts[1]}, likeness {alike:.3f}")  # fmt: skip
