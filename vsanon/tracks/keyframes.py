"""Follow a region between key frames by the picture's own motion, once, when an edit is made.

Corners in the region are followed from frame to frame (pyramidal Lucas-Kanade, checked there and back), and a
shift with one scale is fitted to them (RANSAC). From each key frame this goes forward to the next and backward
to the one before; between two key frames both ways are mixed by nearness, so the result meets both.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.tracks.edit_kinds import KeyFrame
from vsanon.tracks.edits import place

Gray = NDArray[np.uint8]
_CORNERS = 80
_FEWEST = 6
_RETURN_PX = 1.0
_AROUND = 0.25
"""The region is searched with this much of its surroundings: a plain logo has few corners of its own."""


def follow(
    frames: Callable[[int], Gray], keys: Sequence[KeyFrame], *, tolerance_px: float = 0.5
) -> tuple[tuple[KeyFrame, ...], tuple[int, ...]]:
    """Key frames that follow the picture between the given ones.

    Args:
        frames: gives the (H, W) uint8 luma of a frame.
        keys: two or more, set by hand; they stay as they are.
        tolerance_px: key frames that linear interpolation meets this closely are left out.

    Returns:
        The key frames, and the frames in which the motion was lost from both sides: there the region is
        interpolated, and someone should look.
    """
    found: list[KeyFrame] = [keys[0]]
    lost: list[int] = []
    for a, b in pairwise(keys):
        if b.frame - a.frame > 1:
            between, gone = _between(frames, a, b)
            found += thin([found[-1], *between, b], tolerance_px)[1:-1]
            lost += gone
        found.append(b)
    return tuple(found), tuple(lost)


def follow_on(
    frames: Callable[[int], Gray], key: KeyFrame, stop: int, *, tolerance_px: float = 0.5
) -> tuple[KeyFrame, ...]:
    """Key frames that follow the picture from one on, up to where the motion can't be told any more.

    Args:
        frames: as for `follow`.
        key: where it begins.
        stop: the frame before which it ends, or after which, where it lies before the key frame.

    Returns:
        The key frames by rising frame, `key` among them: where they end before `stop`, someone should look.
    """
    boxes = _walk(frames, key, stop)
    keys = [KeyFrame(n, _box(box), key.points, tracked=True) for n, box in boxes.items()]
    return tuple(thin(sorted([key, *keys], key=lambda k: k.frame), tolerance_px))


def _between(frames: Callable[[int], Gray], a: KeyFrame, b: KeyFrame) -> tuple[list[KeyFrame], list[int]]:
    inner = np.arange(a.frame + 1, b.frame)
    forward = _walk(frames, a, b.frame)
    backward = _walk(frames, b, a.frame)
    _, points = place([a, b], inner)
    boxes = np.full((len(inner), 4), np.nan)
    for k, n in enumerate(inner):
        one, other = forward.get(int(n)), backward.get(int(n))
        share = (n - a.frame) / (b.frame - a.frame)
        if one is not None and other is not None:
            boxes[k] = one * (1 - share) + other * share
        elif one is not None or other is not None:
            boxes[k] = one if one is not None else other
    lost = np.isnan(boxes[:, 0])
    known = np.concatenate([[a.frame], inner[~lost], [b.frame]])
    values = np.concatenate([[a.box], boxes[~lost], [b.box]])
    for c in range(4):
        boxes[:, c] = np.interp(inner, known, values[:, c])
    keys = [
        KeyFrame(int(n), _box(boxes[k]), tuple((float(x), float(y)) for x, y in points[k]), tracked=True)
        for k, n in enumerate(inner)
    ]
    return keys, inner[lost].tolist()


def _walk(frames: Callable[[int], Gray], key: KeyFrame, stop: int) -> dict[int, NDArray[np.float64]]:
    """The box of each frame on the way to `stop`, as far as the motion can be told.

    Corners are kept as long as enough are left, and each box is fitted to where they started: fitting from
    frame to frame would add up its errors.
    """
    way = 1 if stop > key.frame else -1
    box = reference = np.array(key.box, np.float64)
    start = here = np.zeros((0, 2), np.float32)
    boxes: dict[int, NDArray[np.float64]] = {}
    before = frames(key.frame)
    for n in range(key.frame + way, stop, way):
        if len(here) < 2 * _FEWEST:
            start = here = _corners(before, box)
            reference = box
        after = frames(n)
        there, good = _flow(before, after, here)
        motion = _motion(start[good], there[good])
        if motion is None:
            break
        scale, shift, inliers = motion
        # The rotation is left out of the box, but its middle must land where the whole motion takes it.
        middle, half = (reference[:2] + reference[2:]) / 2, (reference[2:] - reference[:2]) / 2 * scale
        middle = shift @ [*middle, 1]
        box = np.concatenate([middle - half, middle + half])
        start, here = start[good][inliers], there[good][inliers]
        boxes[n] = box
        before = after
    return boxes


def _corners(picture: Gray, box: NDArray[np.float64]) -> NDArray[np.float32]:
    """(m, 2) corners in and around a box."""
    around = (box[2:] - box[:2]) * _AROUND
    height, width = picture.shape
    x0, y0 = (max(int(v), 0) for v in box[:2] - around)
    x1, y1 = min(int(box[2] + around[0]) + 1, width), min(int(box[3] + around[1]) + 1, height)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return np.zeros((0, 2), np.float32)
    found = cv2.goodFeaturesToTrack(np.ascontiguousarray(picture[y0:y1, x0:x1]), _CORNERS, 0.01, 3)
    corners = np.zeros((0, 2)) if found is None else np.add(np.asarray(found).reshape(-1, 2), (x0, y0))
    return corners.astype(np.float32)


def _flow(before: Gray, after: Gray, here: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where points go, and which of them come back to where they were."""
    if not len(here):
        return here, np.zeros(0, bool)
    options = {"winSize": (21, 21), "maxLevel": 4}
    there, seen, _ = cv2.calcOpticalFlowPyrLK(before, after, here, None, **options)  # type: ignore[call-overload]
    back, seen_back, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, **options)  # type: ignore[call-overload]
    good = (seen.ravel() == 1) & (seen_back.ravel() == 1)
    return there, good & (np.linalg.norm(back - here, axis=1) <= _RETURN_PX)


def _motion(
    start: NDArray[np.float32], there: NDArray[np.float32]
) -> tuple[float, NDArray[np.float64], NDArray[np.bool_]] | None:
    """Scale, the (2, 3) motion and the points that agree with it; None where it can't be told."""
    if len(start) < _FEWEST:
        return None
    cv2.setRNGSeed(0)
    matrix, agree = cv2.estimateAffinePartial2D(start, there, ransacReprojThreshold=1.5)
    if matrix is None or agree.sum() < max(_FEWEST, len(start) / 3):
        return None
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 0.5 <= scale <= 2:
        return None
    return scale, np.asarray(matrix, np.float64), agree.ravel().astype(bool)


def thin(keys: list[KeyFrame], tolerance_px: float) -> list[KeyFrame]:
    """Leave out key frames that the kept ones around them imply (Ramer, Douglas and Peucker)."""
    kept = {0, len(keys) - 1}
    spans = [(0, len(keys) - 1)]
    while spans:
        i, j = spans.pop()
        if j - i < 2:
            continue
        at = np.array([key.frame for key in keys[i + 1 : j]])
        wanted = np.array([key.box for key in keys[i + 1 : j]])
        off = np.abs(place([keys[i], keys[j]], at)[0] - wanted).max(axis=1)
        worst = int(off.argmax())
        if off[worst] > tolerance_px:
            kept.add(i + 1 + worst)
            spans += [(i, i + 1 + worst), (i + 1 + worst, j)]
    return [keys[k] for k in sorted(kept)]


def _box(xyxy: NDArray[np.float64]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(float(v) * 8) / 8 for v in xyxy)
    return x0, y0, max(x1, x0 + 0.125), max(y1, y0 + 0.125)
