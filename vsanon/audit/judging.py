"""From what is left of a target to a word for it, frame by frame and over time; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vsanon.audit.disguises import Disguise
from vsanon.audit.structure import COARSE, FINE, Likeness


class Level(StrEnum):
    """How much of a target is left in a frame."""

    BARE = "bare"
    """Its structure is there, also the fine one, in most of it."""
    PARTLY = "partly bare"
    """It is so in some of its blocks."""
    WEAK = "weak"
    """What identifies is softened or coarsened, and follows the original all the same."""
    COVERED = "covered"
    """Nothing that follows the original was found."""
    UNTOLD = "can't tell"
    """Too small or too flat, or the frame can't be compared."""


FAILING = (Level.BARE, Level.PARTLY, Level.WEAK)

BARE_CORRELATION, BARE_GAIN = (0.6, 0.85), (0.35, 0.5)
"""From which a block is bare, in the fine band or in the coarse one."""
MOST_BARE = 0.5
PARTLY_BARE_LETTERING, PARTLY_BARE = 0.06, 0.1
"""Share of the blocks told that may be bare: of lettering one letter is too much, of all else it is as much as the
coverage of faces allows."""
LEAST_BARE = 2
"""Blocks that must be bare before a box is partly so: one by itself can follow the original by chance."""
FAINT_CORRELATION, FAINT_GAIN = 0.75, 0.03
"""From which what is left of a band, though of little contrast, follows the original: a tint, an even blur ..."""
SOFT_CORRELATION, SOFT_SUM = 0.5, 1.0
"""... and from which, with the gain added, what is coarse does: a mosaic, whose edges are its own."""
TRACK_CORRELATION, TRACK_SUM, TRACK_FRAMES = 0.6, 0.8, 3
"""The same of the median frame of a target, which chance moves less, where it has so many frames."""
TRACK_LETTERING = 0.5, 0.65
"""Of a plate's or text's. Of 78 plates of 18 to 44 px at JPEG 85 and 40 no fill, mosaic of 4 cells or blur of a
third or a quarter of their height came up to it in a single frame, one mosaic of 5 cells did, and of blurs of a
sixteenth and mosaics of 14 cells at least 79 %."""
LETTERS = 0.65, 0.9
"""Correlation, and with the gain added, of lettering's strokes in the band of that name, from which they are left,
in a frame and in the median one; docs/audit.md says what is read of such plates. Of 80 real plates of 14 to 44 px
at JPEG 85 and 40, no fill, no blur of half their height and nothing interpolated from around came up to it."""
DISGUISED_GAIN = 0.5
"""From which what comes back in another guise is bare."""
CHROMA_FLAT_VARIANCE, CHROMA_RMS = 0.15, 0.35
"""Of chroma, which has less contrast, and less of the codec's noise: of faces of 30 px, 0.5 to 0.7 codes."""
CHROMA_CORRELATION, CHROMA_GAIN = 0.82, 0.1
"""The same of chroma, and of alpha: what is faint is made strong again with one slider."""
CHROMA_TRACK = 0.45
"""The correlation of chroma in the median frame of a target whose luma is even, as under a fill: there nothing
else may follow the original. Of honest fills it was 0.18 at most in the clip that this was set by, 0.34 in three
others."""
LEAST_RMS = 0.6
"""What follows the original must have at least this much contrast, in codes of 8 bits."""
OVER_NOISE = 3.0
"""Variance of the original, and of what follows it, in those of the codec's noise, that can be told."""
FLAT_VARIANCE = 1.0
"""Variance under which the original shows nothing in a band, in squared codes."""

DROWNED = "the picture outside the targets is changed as much"
"""Why nothing can be told of what the original shows: all of the picture is softened, or coarsely coded."""

CONTROL_CORRELATION = 0.7
"""A frame is comparable where the coarse band of what lies outside the targets has this correlation, typically."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The codec's noise at a size of box: variance of the difference outside the targets, fine and coarse."""

    fine: float = 0.0
    coarse: float = 0.0

    def of(self, band: int) -> float:
        """That of a band."""
        return (self.fine, self.coarse)[band]


@dataclass(frozen=True, slots=True)
class Left:
    """What a frame shows of a target.

    Args:
        level: the word.
        why: what it was told by: a plane, and the band or the share of blocks.
        correlation, gain: of the band that decided, of all of the box; None where nothing could be told.
        bare: the share of blocks that are bare, of those that could be told.
        chroma: by plane the correlation of chroma under even luma, where it could be told.
        letters: correlation and gain of lettering's strokes, where they could be told.
    """

    level: Level
    why: str = ""
    correlation: float | None = None
    gain: float | None = None
    bare: float = 0.0
    chroma: Mapping[str, float] = field(default_factory=dict)
    letters: tuple[float, float] | None = None


Bands = tuple[Likeness, Likeness]


def judge(
    planes: Mapping[str, Bands | None],
    noise: Mapping[str, Noise],
    lettering: bool = False,
    disguise: Disguise | None = None,
    letters: Likeness | None = None,
) -> Left:
    """The word for what is left of a target in one frame.

    Args:
        planes: by "luma", "blue", "red" and "alpha", what `structure.compare` said; luma is always there.
        noise: by the same names.
        lettering: the target is a plate or text.
        disguise: in which it comes back; None where it doesn't.
        letters: of lettering, what `structure.compare_letters` said.
    """
    luma = planes["luma"]
    if luma is None:
        if disguise is not None:
            return Left(Level.BARE, f"luma, {disguise.name}", disguise.correlation, disguise.gain)
        return Left(Level.UNTOLD, "too small")
    own = noise.get("luma", Noise())
    bare, told = _bare_blocks(luma, own)
    share = float(bare.sum() / told.sum()) if told.any() else 0.0
    fine, coarse = (_decided(luma[band], own.of(band)) for band in (FINE, COARSE))
    r, g = fine or coarse or _NOTHING
    if told.any() and share > MOST_BARE:
        return Left(Level.BARE, f"luma, {share:.0%} of its blocks", r, g, share)
    if bare.sum() >= LEAST_BARE and share > (PARTLY_BARE_LETTERING if lettering else PARTLY_BARE):
        return Left(Level.PARTLY, f"luma, {share:.0%} of its blocks", r, g, share)
    for name, decided, band in (("coarse", coarse, COARSE), ("fine", fine, FINE)):
        if decided is not None and _is_weak(luma[band]):
            return Left(Level.WEAK, f"luma, {name} structure", *decided, share)
    strokes = None if letters is None else _decided(letters, own.coarse)
    if strokes is not None and _shows(*strokes, *LETTERS):
        return Left(Level.WEAK, "luma, strokes of letters", *strokes, share, letters=strokes)
    if disguise is not None:
        level = Level.WEAK if disguise.gain < DISGUISED_GAIN else Level.BARE
        return Left(level, f"luma, {disguise.name}", disguise.correlation, disguise.gain, share)
    even = float(luma[COARSE].now[0]) < FLAT_VARIANCE
    chroma: dict[str, float] = {}
    for name in ("blue", "red", "alpha"):
        bands = planes.get(name)
        if bands is None:
            continue
        rest = noise.get(name, Noise())
        seen = _decided(bands[COARSE], rest.coarse, CHROMA_FLAT_VARIANCE)
        if seen is not None and _follows(bands[COARSE], CHROMA_CORRELATION, CHROMA_GAIN, CHROMA_RMS):
            return Left(Level.WEAK, f"{_PLANES[name]}, coarse structure", *seen, share)
        if seen is not None and even:
            chroma[name] = seen[0]
    if coarse is None and fine is None:
        shows = any(_decided(luma[band], 0.0) is not None for band in (FINE, COARSE))
        return Left(Level.UNTOLD, DROWNED if shows else "too flat")
    r, g = coarse or fine or _NOTHING
    return Left(Level.COVERED, "", r, g, share, chroma, strokes)


_NOTHING: tuple[float | None, float | None] = (None, None)
_PLANES = {"blue": "chroma (blue)", "red": "chroma (red)", "alpha": "alpha"}


def _told(likeness: Likeness, noise: float, flat: float = FLAT_VARIANCE) -> NDArray[np.bool_]:
    return np.asarray(likeness.was > max(OVER_NOISE * noise, flat))


def _decided(likeness: Likeness, noise: float, flat: float = FLAT_VARIANCE) -> tuple[float, float] | None:
    """Correlation and gain of the whole, where the original shows something above the noise."""
    if not _told(likeness, noise, flat)[0]:
        return None
    return float(likeness.correlation[0]), float(likeness.gain[0])


def _is_weak(band: Likeness) -> bool:
    """Whether what is left of luma follows the original."""
    total = abs(float(band.correlation[0])) + abs(float(band.gain[0]))
    return _follows(band, FAINT_CORRELATION, FAINT_GAIN) or (
        total >= SOFT_SUM and _follows(band, SOFT_CORRELATION, FAINT_GAIN)
    )


def _shows(correlation: float, gain: float, least: float, least_sum: float) -> bool:
    r, g = abs(correlation), abs(gain)
    return r >= least and r + g >= least_sum


def _follows(likeness: Likeness, correlation: float, gain: float, rms: float = LEAST_RMS) -> bool:
    """Whether the redacted follows the original as a whole; its negative does so, too."""
    r, g = abs(float(likeness.correlation[0])), abs(float(likeness.gain[0]))
    return r >= correlation and g >= gain and r * r * float(likeness.now[0]) >= rms**2


def _bare_blocks(luma: Bands, noise: Noise) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(k,) blocks that are bare, and those that can be told at all, in one of the bands."""
    bare, told = np.zeros(len(luma[0].was) - 1, bool), np.zeros(len(luma[0].was) - 1, bool)
    for band in (FINE, COARSE):
        likeness = luma[band]
        seen = _told(likeness, noise.of(band))[1:]
        r, g = np.abs(likeness.correlation[1:]), np.abs(likeness.gain[1:])
        strong = r * r * likeness.now[1:] >= LEAST_RMS**2
        bare |= seen & strong & (r >= BARE_CORRELATION[band]) & (g >= BARE_GAIN[band])
        told |= seen
    return bare, told


def over_track(lefts: Sequence[Left], lettering: bool = False) -> list[Left]:
    """What is left of one target in its frames; those called covered are weak where the median frame is.

    Args:
        lefts: of each frame.
        lettering: the target is a plate or text.
    """
    why = _median_shows(lefts, *(TRACK_LETTERING if lettering else (TRACK_CORRELATION, TRACK_SUM)))
    if why is None:
        return list(lefts)
    return [
        replace(k, level=Level.WEAK, why=why) if k.level is Level.COVERED and k.correlation is not None else k
        for k in lefts
    ]


def _median_shows(lefts: Sequence[Left], correlation: float, total: float) -> str | None:
    """By what the median frame follows the original; None where it doesn't."""
    told = [(k.correlation, k.gain or 0.0) for k in lefts if k.correlation is not None]
    strokes = [k.letters for k in lefts if k.letters is not None]
    for values, least, what in ((told, (correlation, total), ""), (strokes, LETTERS, "strokes of letters, ")):
        if len(values) >= TRACK_FRAMES:
            r, g = (float(v) for v in np.median(np.abs(np.array(values)), axis=0))
            if _shows(r, g, *least):
                return f"luma, {what}the median of its {len(values)} frames"
    for name in ("blue", "red", "alpha"):
        seen = [k.chroma[name] for k in lefts if name in k.chroma]
        if len(seen) >= TRACK_FRAMES and abs(float(np.median(seen))) >= CHROMA_TRACK:
            return f"{_PLANES[name]}, the median of its {len(seen)} frames"
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """Frames in a row in which a target has one level: `start <= n < stop`, of the original."""

    start: int
    stop: int
    level: Level


def runs_of(frames: Sequence[int], levels: Sequence[Level]) -> list[Run]:
    """The runs of a target, in order; where it is absent in between, a run ends."""
    runs: list[Run] = []
    for n, level in zip(frames, levels, strict=True):
        if runs and runs[-1].stop == n and runs[-1].level is level:
            runs[-1] = Run(runs[-1].start, n + 1, level)
        else:
            runs.append(Run(n, n + 1, level))
    return runs


def faults_of(frames: Sequence[int], levels: Sequence[Level]) -> list[str]:
    """What is wrong with a target over time, in words; empty where nothing is.

    Frames that can't be told are taken out first: they neither begin nor end anything.
    """
    told = [(n, level) for n, level in zip(frames, levels, strict=True) if level is not Level.UNTOLD]
    if not told:
        return []
    if all(level in FAILING for _, level in told):
        if all(level is Level.BARE for _, level in told):
            return [f"left out: bare in all of its {len(told)} frames that can be told"]
        worst = max((level for _, level in told), key=lambda v: sum(level is v for _, level in told))
        return [f"never covered: mostly {worst} in its {len(told)} frames that can be told"]
    faults = []
    groups: list[tuple[bool, list[tuple[int, Level]]]] = []
    for n, level in told:
        if groups and groups[-1][0] == (level in FAILING):
            groups[-1][1].append((n, level))
        else:
            groups.append((level in FAILING, [(n, level)]))
    for i, (failing, found) in enumerate(groups):
        if not failing:
            continue
        words = " and ".join(dict.fromkeys(level.value for _, level in found))
        where = f"{len(found)} frame{'s' if len(found) > 1 else ''} from {found[0][0]} on ({words})"
        kind = "late start" if i == 0 else "early end" if i == len(groups) - 1 else "flicker"
        faults.append(f"{kind}: {where}")
    return faults
