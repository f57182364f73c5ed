"""Which frame of the original a redacted frame shows, and where in it, by the pictures alone; pure.

Time is found by small grey pictures of all frames: the hypothesis of an offset and rate that fits best must fit
better than every other by more than chance, in every part of the clip. Place is found between one pair of frames.
What can't be told for certain is said to be so; nothing is taken from the names, counts or times of the files.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import cv2
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where the original lies in the redacted picture: x' = x · scale + shift, in pixels of each."""

    scale: tuple[float, float]
    shift: tuple[float, float]

    def boxes(self, xyxy: F64) -> F64:
        """Boxes of the original in the redacted picture."""
        return np.asarray(xyxy * np.tile(self.scale, 2) + np.tile(self.shift, 2))


def whole(raw: tuple[int, int], redacted: tuple[int, int]) -> Place:
    """All of the original fills the redacted picture; sizes are (width, height)."""
    return Place((redacted[0] / raw[0], redacted[1] / raw[1]), (0.0, 0.0))


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
    why = ""
    for rate in rates:
        try:
            found = _at_rate(raw, redacted, rate, stated)
        except UnalignedError as error:
            why = why or str(error)
            continue
        if best is None or found.like > best[1].like + 0.02:
            best = (found.like, found)
    if best is None:
        raise UnalignedError(why)
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
            f"the pictures are not those of the original: likeness {like:.2f}, {_LIKE} was expected"
        )
    shown = base + best
    if rate == 1:
        _require_steady(raw, redacted, shown)
    if stated is None:
        rivals = [d for d in candidates if d != best and not _beats(distances[best], distances[d])]
        if rivals:
            raise UnalignedError(
                f"offsets of {best} and of {min(rivals, key=lambda d: abs(d - best))} frames fit alike: the "
                "picture outside the covers hardly moves"
            )
    if rate != 1:
        shown = _refined(raw, redacted, shown)
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


def find_place(pairs: list[tuple[F32, F32]], raw: tuple[int, int], redacted: tuple[int, int]) -> tuple[Place, str]:
    """Where the original lies in the redacted picture.

    Args:
        pairs: grey pictures (H, W) of frames that show the same, the original's and the redacted one's, in codes
            of 8 bits and in the sizes of their clips.
        raw, redacted: (width, height).

    Returns:
        The place, and words for it.

    Raises:
        UnalignedError: none is certain.
    """
    plain = whole(raw, redacted)
    if _fits(pairs, plain, redacted):
        same = raw == redacted
        return plain, "same size" if same else f"scaled to {redacted[0]}x{redacted[1]} from {raw[0]}x{raw[1]}"
    for one, other in pairs:
        found = _by_features(one, other)
        if found is not None and _fits(pairs, found, redacted):
            return found, (
                f"cropped or moved: scale {found.scale[0]:.4f} x {found.scale[1]:.4f}, "
                f"shift {found.shift[0]:+.2f}, {found.shift[1]:+.2f} px"
            )
    raise UnalignedError("where the original lies in the redacted picture can't be told: cropped, turned or warped")


def warped(picture: F32, place: Place, size: tuple[int, int]) -> F32:
    """A picture of the original as it would lie in a redacted one of `size`."""
    (sx, sy), shift = place.scale, place.shift
    return _laid(picture, np.array([[sx, 0, shift[0]], [0, sy, shift[1]]]), size)


def _laid(picture: F32, matrix: F64, size: tuple[int, int]) -> F32:
    """A picture as it lies in one of `size`: x' = matrix · (x, 1), in pixels of each."""
    sx, sy = matrix[0, 0], matrix[1, 1]
    if min(sx, sy) < 1:  # a picture made smaller must lose what does not fit
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / sx, sigmaY=0.4 / sy), np.float32)
    # Pixel i has its middle at i + 0.5.
    matrix = np.asarray(matrix, np.float64).copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC), np.float32)


_SHIFT_PX = 0.35
_AWAY_PX = (2.8, 8.4)
"""By which the picture's edges lie elsewhere in the places that a place must fit better than; so an edge may be
off by half of the first."""


def _fits(pairs: list[tuple[F32, F32]], place: Place, size: tuple[int, int]) -> bool:
    """Whether the typical tile shows the same at the same spot, and no place near by fits all of it better."""
    seen = []
    step = 64 if min(size) >= 256 else 32
    window = cv2.createHanningWindow((step, step), cv2.CV_32F)
    for one, other in pairs:
        a, b = _tiles(warped(one, place, size), step), _tiles(other, step)
        kept = (a.std(axis=(1, 2)) >= 4) & (b.std(axis=(1, 2)) >= 1)
        likes = _alike(a, b)
        shifts = [cv2.phaseCorrelate(*both, window)[0] for both in zip(a[kept], b[kept], strict=True)]
        if len(shifts) < 4 or np.median(likes[kept]) < _LIKE or np.abs(np.median(shifts, axis=0)).max() > _SHIFT_PX:
            return False
        seen.append(kept & (likes >= _LIKE))

    def like(matrix: F64) -> float:
        """The mean correlation of what is not covered, over all pairs: single tiles of a strong codec lie off."""
        found = [
            _alike(_tiles(_laid(one, matrix, size), step)[kept], _tiles(other, step)[kept]).mean()
            for (one, other), kept in zip(pairs, seen, strict=True)
        ]
        return float(np.mean(found))

    own = np.column_stack([np.diag(place.scale), place.shift])
    return bool(pairs) and like(own) > max(like(near) for near in _near(own, size))


def _near(matrix: F64, size: tuple[int, int]) -> Iterator[F64]:
    """Places near by: zoomed or sheared along one axis, about the middle, which stays where it is."""
    middle = np.array(size) / 2
    for px in _AWAY_PX:
        for k, along, sign in itertools.product((0, 1), (0, 1), (-1, 1)):
            more = np.eye(2)
            more[k, along] += sign * px / middle[along]
            yield np.column_stack([more @ matrix[:, :2], more @ (matrix[:, 2] - middle) + middle])


def _tiles(picture: F32, step: int) -> F32:
    """(n, step, step) the whole tiles of a picture."""
    height, width = (side // step * step for side in picture.shape)
    cut = picture[:height, :width].reshape(height // step, step, width // step, step)
    return np.ascontiguousarray(cut.swapaxes(1, 2).reshape(-1, step, step))


def _alike(one: F32, other: F32) -> F64:
    """(n,) the correlation of each pair of tiles, 0 where one is flat."""
    a, b = (t.reshape(len(t), -1).astype(np.float64) for t in (one, other))
    a, b = (t - t.mean(axis=1, keepdims=True) for t in (a, b))
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray(np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 1e-6))


def _by_features(one: F32, other: F32) -> Place | None:
    """The place by features that both have (ORB, Rublee et al. 2011), made exact by ECC (Evangelidis 2008)."""
    orb = cv2.ORB_create(2000)  # type: ignore[attr-defined]
    a, b = (np.clip(p, 0, 255).astype(np.uint8) for p in (one, other))
    (ka, da), (kb, db) = orb.detectAndCompute(a, None), orb.detectAndCompute(b, None)
    if da is None or db is None:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(da, db)
    if len(matches) < 12:
        return None
    src = np.array([ka[m.queryIdx].pt for m in matches], np.float32)
    dst = np.array([kb[m.trainIdx].pt for m in matches], np.float32)
    matrix, inliers = cv2.estimateAffine2D(src, dst, ransacReprojThreshold=2.0)
    if matrix is None or int(inliers.sum()) < 12:
        return None
    sx, sy = matrix[0, 0], matrix[1, 1]
    if min(sx, sy) <= 0.1 or max(abs(matrix[0, 1]), abs(matrix[1, 0])) > 0.01 * max(sx, sy):
        return None
    height, width = other.shape
    seed = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2].astype(np.float32)
    try:
        _, seed = cv2.findTransformECC(b, a, seed, cv2.MOTION_AFFINE, (3, 60, 1e-5), None, 5)  # type: ignore[call-overload]
        matrix = np.linalg.inv(np.vstack([seed, [0, 0, 1]]))[:2]
    except cv2.error:
        return None  # it found nothing to hold on to
    sx, sy = float(matrix[0, 0]), float(matrix[1, 1])
    if max(abs(matrix[0, 1]) * height, abs(matrix[1, 0]) * width) > 1.5:
        return None  # turned
    return Place((sx, sy), (float(matrix[0, 2]) + 0.5 - 0.5 * sx, float(matrix[1, 2]) + 0.5 - 0.5 * sy))
