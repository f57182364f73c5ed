"""Is an encode its master, encoded? Frames that slipped, another picture, another light: told from small pictures.

An encode, however hard, changes neither how bright a picture is as a whole nor which frame it shows; a preset that
filters, drops or flips does, and then the truth belongs to something else. Compared are pictures so small that what
an encode does to them hardly shows. The steps are chosen: the presets here at CRF 51 stay below half of each.
"""

from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

MOST_LIGHT = 8.0
"""Codes of 255 by which the mean may differ."""
LEAST_CONTRAST, MOST_CONTRAST = 0.88, 1.14
"""Between which the spread of an encode may lie, as a share of its master's, of areas so large that a blur leaves
it as it is; full range taken for limited is 0.86."""
LEAST_LIKE = 0.7
"""The least correlation of two pictures that are the same one."""
MOST_COLOUR_DB, COLOUR_GAP_DB = 22.0, 6.0
"""Chroma this far off, and so much farther than luma, has other colours."""
MOST_RATE = 0.01
"""How far the frame rate may be off, as a share."""
SHIFTS = (-3, -2, -1, 1, 2, 3)
_MOVES, _EVEN = 1.0, 5.0
_COARSE, _IN_PROPORTION = 8, 0.99
_LEAST_FRAMES, _AGREE, _NEARER = 5, 0.8, 0.6


def unlike(master: U8, encoded: U8) -> str | None:
    """How an encode differs from its master as no encode does; None where it does not, or where nothing can tell.

    Args:
        master, encoded: (n, h, w) uint8 luma, the same frames of both.
    """
    a, b = (pictures.reshape(len(pictures), -1).astype(np.float32) for pictures in (master, encoded))
    spread = a.std(axis=1)
    uneven = spread >= _EVEN
    if uneven.any():
        like = float(
            np.median(
                [np.corrcoef(x, y)[0, 1] if y.std() > 0 else 0.0 for x, y in zip(a[uneven], b[uneven], strict=True)]
            )
        )
        if like < LEAST_LIKE:
            return f"its pictures are others than its master's: they correlate by {like:.2f}"
    light = float(np.median(b.mean(axis=1) - a.mean(axis=1)))
    if abs(light) > MOST_LIGHT:
        return f"it is {'brighter' if light > 0 else 'darker'} than its master by {abs(light):.0f} codes of 255"
    contrast = _contrast(*(np.stack([_coarse(p) for p in pictures]) for pictures in (master, encoded)))
    if not LEAST_CONTRAST <= contrast <= MOST_CONTRAST:
        return f"its contrast is {contrast:.2f} times that of its master"
    slipped = _slip(a, b)
    return None if not slipped else f"its frame n shows what frame n{slipped:+d} of its master shows"


def other_colours(y_db: float, u_db: float, v_db: float) -> str | None:
    """Whether the colours of an encode are others than its master's, by the PSNR of its planes; None: no."""
    worst = min(u_db, v_db)
    if worst < MOST_COLOUR_DB and worst < y_db - COLOUR_GAP_DB:
        return f"its colours are others than its master's: PSNR {worst:.1f} dB in chroma, and {y_db:.1f} dB in luma"
    return None


def _contrast(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The spread of one over that of the other, by the frames that are alike but for it; 1 where most are not.

    An encode that leaves next to nothing of a picture takes contrast from it, but not from all of it alike.
    """
    telling = a.std(axis=1) >= _EVEN
    alike = np.array([y.std() > 0 and np.corrcoef(x, y)[0, 1] >= _IN_PROPORTION for x, y in zip(a, b, strict=True)])
    kept = telling & alike
    return float(np.median(b[kept].std(axis=1) / a[kept].std(axis=1))) if 2 * kept.sum() > telling.sum() else 1.0


def _coarse(picture: U8) -> NDArray[np.float32]:
    size = (_COARSE, max(1, round(_COARSE * picture.shape[0] / picture.shape[1])))
    return np.asarray(
        cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA).ravel(), np.float32
    )


def _slip(a: NDArray[np.float32], b: NDArray[np.float32]) -> int:
    """By how many frames later the master shows what the encode shows, by most frames that move; 0: none.

    A hard encode shows what stood there before where little moves, so that the frame before is nearer by a little;
    another frame than the one that should be there is nearer by far.
    """
    reach = max(SHIFTS)
    votes: Counter[int] = Counter()
    sums: Counter[int] = Counter()
    for n in range(reach, len(a) - reach):
        around = {s: float(np.abs(b[n] - a[n + s]).mean()) for s in (0, *SHIFTS)}
        moves = min(float(np.abs(a[n] - a[n + s]).mean()) for s in (-1, 1))
        if moves >= _MOVES:
            votes[min(around, key=lambda s: (around[s], abs(s)))] += 1
            sums.update(around)
    if sum(votes.values()) < _LEAST_FRAMES:
        return 0
    best, count = votes.most_common(1)[0]
    return best if count >= _AGREE * sum(votes.values()) and sums[best] <= _NEARER * sums[0] else 0
