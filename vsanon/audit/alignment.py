"""Which frame of the original a redacted frame shows, by the pictures alone; pure. Where it lies in it: `place`.

Time is found by small grey pictures of all frames: the hypothesis of an offset and rate that fits best must fit
better than every other by more than chance, in every part of the clip. What can't be told for certain is said to
be so; nothing is taken from the names, counts or times of the files.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

REACH = 250
"""Frames by which the redacted clip may lie off."""
_SAMPLED = 160
"""Frames that offsets are tried with."""
_LIKE = 0.7
"""The least correlation of the typical tile of the typical frame."""
_ERRORS = 4.0
"""Standard errors by which the best offset must beat any other ..."""
_BETTER = 0.002
"""... and its mean distance."""
_OFF = 0.03
"""By which a part of the clip must fit better elsewhere to speak against the rest."""
_BLOCK = 12
"""Frames of a part that must agree by itself."""
_TILE = 8


class UnalignedError(Exception):
    """The pictures do not say for certain how the two clips lie to each other; the message says why."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Which frame of the original each redacted frame shows.

    Args:
        shown: (m,) int64; -1 where a frame shows none of the original's.
        offset: frame of the original that the first frame shows.
        rate: frames of the original for each redacted one.
        like: correlation of the typical tile.
        sure: whether the content says so; else the user has stated it.
    """

    shown: I64
    offset: int
    rate: Fraction
    like: float
    sure: bool


def find_timing(
    raw: F32, redacted: F32, rates: tuple[Fraction, ...] = (Fraction(1),), stated: int | None = None
) -> Timing:
    """How two clips lie to each other in time.

    Args:
        raw, redacted: (n, h, w) and (m, h, w) small grey pictures of all frames, in codes of 8 bits.
        rates: frames of the original for each redacted one that are thought of, the likeliest first.
        stated: the offset as the user knows it; then content must only not speak against it.

    Raises:
        UnalignedError: no offset fits, or several do.
    """
    raw, redacted = tiles_of(raw), tiles_of(redacted)
    best: tuple[float, Timing] | None = None
    why = {}
    for rate in rates:
        try:
            found = _at_rate(raw, redacted, rate, stated)
        except UnalignedError as error:
            why[f"with {rate} {'frames' if rate > 1 else 'frame'} of the original for each redacted one"] = str(
                error
            )
            continue
        if best is None or found.like > best[1].like + 0.02:
            best = (found.like, found)
    if best is None:
        raise UnalignedError(
            "; ".join(f"{tried}: {said}" for tried, said in why.items()) if len(why) > 1 else "".join(why.values())
        )
    return best[1]


def _at_rate(raw: F32, redacted: F32, rate: Fraction, stated: int | None) -> Timing:
    count = len(redacted)
    sampled = np.unique(np.linspace(0, count - 1, min(count, _SAMPLED)).astype(int))
    base = np.array([_shown(int(n), rate) for n in range(count)], np.int64)
    reach = min(REACH, max(len(raw), count) - 1)
    candidates = [d for d in range(-reach, reach + 1) if np.mean(_inside(base[sampled] + d, raw)) >= 0.8]
    if stated is not None and stated not in candidates:
        raise UnalignedError(f"an offset of {stated} was stated, and most frames would lie outside the original")
    if not candidates:
        raise UnalignedError(f"{count} redacted frames can't be among the {len(raw)} of the original")
    distances = {d: _distances(raw, redacted, sampled, base[sampled] + d) for d in candidates}
    best = min(candidates, key=lambda d: (np.nanmean(distances[d]), abs(d)))
    if stated is not None:
        if best != stated and _beats(distances[best], distances[stated]):
            raise UnalignedError(f"an offset of {stated} frames was stated, and the pictures speak for {best}")
        best = stated
    like = _likeness(raw, redacted, sampled, base[sampled] + best)
    if like < _LIKE:
        raise UnalignedError(
            f"the pictures are not those of the original: likeness {like:.2f}, {_LIKE} was expected; where they "
            "were turned or mirrored (as a phone's are, by its metadata), audit a copy that is turned back, of FFV1"
        )
    shown, own = base + best, distances[best]
    if rate == 1:
        _require_steady(raw, redacted, shown)
    else:
        # Each frame is at the expected one or beside it, so that the offset beside the best is right for some.
        shown = _refined(raw, redacted, shown)
        own = _distances(raw, redacted, sampled, shown[sampled])
    if stated is None:
        rivals = [d for d in candidates if d != best and not _beats(own, distances[d])]
        if rivals:
            raise UnalignedError(
                f"offsets of {best} and of {min(rivals, key=lambda d: abs(d - best))} frames fit alike: the "
                "picture outside the covers hardly moves, or there are too few frames to tell"
            )
    shown = np.where(_inside(shown, raw), shown, -1)
    return Timing(shown, int(shown[0]) if shown[0] >= 0 else best, rate, like, stated is None)


def _shown(n: int, rate: Fraction) -> int:
    """The last frame of the original that has begun by the middle of redacted frame n (ffmpeg's fps filter)."""
    if rate == 1:
        return n
    at = (n + Fraction(1, 2)) * rate
    return max(-(-at.numerator // at.denominator) - 1, 0)


def _inside(shown: I64, raw: F32) -> NDArray[np.bool_]:
    return (shown >= 0) & (shown < len(raw))


def tiles_of(pictures: F32) -> F32:
    """Pictures as tiles of no brightness or contrast of their own, so that no grade tells two of them apart.

    Args:
        pictures: (n, h, w), in codes of 8 bits.

    Returns:
        (n, k, samples), each tile of length 1; 0 where it is flat.
    """
    count = len(pictures)
    height, width = (side // _TILE * _TILE for side in pictures.shape[1:])
    cut = pictures[:, :height, :width].reshape(count, height // _TILE, _TILE, width // _TILE, _TILE)
    tiles = cut.swapaxes(2, 3).reshape(count, -1, _TILE**2).astype(np.float32)
    tiles -= tiles.mean(axis=2, keepdims=True)
    length = np.linalg.norm(tiles, axis=2, keepdims=True)
    return np.asarray(np.where(length > 2 * _TILE, tiles / np.maximum(length, 1e-6), 0), np.float32)


def _distances(raw: F32, redacted: F32, frames: I64, shown: I64) -> F64:
    """(k,) one less the mean correlation of the tiles of each frame; NaN where it would lie outside."""
    found = np.full(len(frames), np.nan)
    inside = _inside(shown, raw)
    alike = np.einsum("nkt,nkt->nk", redacted[frames[inside]], raw[shown[inside]])
    found[inside] = 1 - alike.mean(axis=1)
    return found


def _beats(one: F64, other: F64) -> bool:
    """Whether a hypothesis fits better than another beyond chance, by the means of neighbouring frames."""
    gain = other - one
    gain = gain[np.isfinite(gain)]
    if not len(gain):
        return True
    parts = np.array([part.mean() for part in np.array_split(gain, max(min(len(gain) // 4, 40), 1))])
    if len(parts) < 3:
        return bool(gain.mean() > 10 * _BETTER)
    error = parts.std(ddof=1) / np.sqrt(len(parts))
    return bool(parts.mean() > max(_BETTER, min(_ERRORS * error, 10 * _BETTER)))


def _likeness(raw: F32, redacted: F32, frames: I64, shown: I64) -> float:
    """The correlation of the typical tile of the typical frame, of those tiles that show something."""
    inside = _inside(shown, raw)
    a, b = raw[shown[inside]], redacted[frames[inside]]
    alike, told = np.einsum("nkt,nkt->nk", a, b), np.any(a != 0, axis=2)
    per_frame = [np.median(one[seen]) for one, seen in zip(alike, told, strict=True) if seen.any()]
    return float(np.median(per_frame)) if per_frame else 0.0


def _refined(raw: F32, redacted: F32, shown: I64) -> I64:
    """Of frames around the expected one that which fits best, never going back."""
    found, last = shown.copy(), -1
    frames = np.arange(len(shown))
    near = np.stack([_distances(raw, redacted, frames, shown + k) for k in (-1, 0, 1)])
    for n in frames:
        options = [(near[i, n], shown[n] + k) for i, k in ((1, 0), (0, -1), (2, 1)) if np.isfinite(near[i, n])]
        options = [o for o in options if o[1] >= last]
        if options:
            found[n] = last = min(options, key=lambda o: o[0])[1]
    return found


def _require_steady(raw: F32, redacted: F32, shown: I64) -> None:
    """Each part of the clip must agree with the whole: no frame dropped or repeated on the way."""
    frames = np.arange(len(shown))
    away = [k for k in range(-5, 6) if k]
    own = _distances(raw, redacted, frames, shown)
    others = {k: _distances(raw, redacted, frames, shown + k) for k in away}
    for start in range(0, len(frames), _BLOCK):
        part = slice(start, start + _BLOCK)
        for k in away:
            gain = own[part] - others[k][part]
            gain = gain[np.isfinite(gain)]
            if len(gain) < 4:
                continue
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            if gain.mean() > max(_OFF, 3 * error):
                raise UnalignedError(
                    f"around frame {start} the redacted clip lies {k:+d} frames off the rest: frames were dropped, "
                    "repeated or put in another order"
                )
