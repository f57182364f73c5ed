"""Where the original lies in the redacted picture, by pairs of frames that show the same; pure."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.audit.alignment import UnalignedError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LIKE = 0.7
"""The least correlation of the typical tile."""


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
