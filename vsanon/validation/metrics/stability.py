"""How steadily boxes and masks follow what they cover: errors against truth, and flicker without it.

Against truth, per identity k over its t_k frames (Zhang and Wang 2017, arXiv 1611.06467), at one IoU threshold:

* fragment error: changes between matched and missed / (t_k − 1);
* centre error: std of (x − x*) / w* plus std of (y − y*) / h*;
* scale and ratio error: std of sqrt(w h / w* h*) plus std of (w / h) / (w* / h*);

each the mean over identities. A constant offset or margin costs nothing: only its change does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, center_size
from vsanon.validation.metrics.detection import match
from vsanon.validation.metrics.observed import Observed, both
from vsanon.validation.metrics.tracking import without_ignored

Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Stability:
    """The errors, 0 at best; None where no identity has what the error needs.

    Args:
        fragment: mean over the identities of two frames or more.
        center: mean over the identities that are matched at all.
        scale_ratio: the same.
    """

    fragment: float | None
    center: float | None
    scale_ratio: float | None

    @property
    def total(self) -> float | None:
        """Their sum."""
        if self.fragment is None or self.center is None or self.scale_ratio is None:
            return None
        return self.fragment + self.center + self.scale_ratio


@dataclass(frozen=True, slots=True)
class Switching:
    """How often identities go off and on again between their first and last frame.

    Args:
        identities: how many there are.
        switches: changes from on to off and from off to on.
        seconds: the sum of their spans.
    """

    identities: int
    switches: int
    seconds: float

    @property
    def per_identity_second(self) -> float | None:
        """Switches per identity and second; None without any identity."""
        return self.switches / self.seconds if self.identities else None


def stability(truth: Observed, predicted: Observed, threshold: float = 0.5) -> Stability:
    """The errors of one class.

    Args:
        truth: the true boxes; ignored ones are left out.
        predicted: what was tracked; its identities don't matter here.
        threshold: IoU from which a pair may match.
    """
    truth, predicted = without_ignored(truth, predicted, threshold)
    found = np.zeros(len(truth), np.bool_)
    errors = np.full((len(truth), 4), np.nan)
    for _, own, other in both(truth, predicted):
        pairs = match(truth.xyxy[own], predicted.xyxy[other], threshold)
        rows = own.start + pairs.truth
        found[rows] = True
        errors[rows] = box_errors(truth.xyxy[rows], predicted.xyxy[other][pairs.predicted])
    fragment: list[float] = []
    center: list[float] = []
    scale_ratio: list[float] = []
    for i in np.unique(truth.ids):
        own_found, own_errors = found[truth.ids == i], errors[truth.ids == i]
        if len(own_found) > 1:
            fragment.append(np.count_nonzero(np.diff(own_found)) / (len(own_found) - 1))
        if own_found.any():
            spread = own_errors[own_found].std(axis=0)
            center.append(float(spread[0] + spread[1]))
            scale_ratio.append(float(spread[2] + spread[3]))
    return Stability(_mean(fragment), _mean(center), _mean(scale_ratio))


def box_errors(truth: F32, predicted: F32) -> NDArray[np.float64]:
    """Centre x, centre y, scale and ratio of each pair, (n, 4) float64.

    Args:
        truth: (n, 4) float32, pixels, each with an area.
        predicted: (n, 4) float32, the box matched to each.
    """
    own, other = center_size(truth).astype(np.float64), center_size(predicted).astype(np.float64)
    shift = (other[:, :2] - own[:, :2]) / own[:, 2:]
    scale = np.sqrt(other[:, 2] * other[:, 3] / (own[:, 2] * own[:, 3]))
    ratio = (other[:, 2] / other[:, 3]) / (own[:, 2] / own[:, 3])
    return np.column_stack([shift, scale, ratio])


def switching(found: Observed, fps: Fraction) -> Switching:
    """How often each identity flickers, without truth: by its own first and last frame."""
    switches, frames = 0, 0
    ids = np.unique(found.ids)
    for i in ids:
        seen = found.frames[found.ids == i]
        switches += 2 * int((np.diff(seen) > 1).sum())
        frames += int(seen[-1] - seen[0] + 1)
    return Switching(len(ids), switches, float(frames / fps))


def motion(luma: Sequence[NDArray[np.uint8]]) -> F32:
    """Where each pixel of the second frame comes from in the first, (H, W, 2) float32, as x and y offsets.

    Dense inverse search (Kroeger et al. 2016).

    Args:
        luma: two (H, W) uint8 frames in a row.
    """
    before, after = luma
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    empty = np.zeros((*after.shape, 2), np.float32)
    return np.asarray(search.calc(after, before, empty), np.float32)


def mask_flicker(before: Bool, after: Bool, flow: F32 | None = None) -> float:
    """1 − IoU of the masks of two frames in a row, once the first has moved along; 0 where both are empty.

    Args:
        before: (H, W) bool.
        after: (H, W) bool.
        flow: (H, W, 2) float32 as of `motion`; None: nothing moves.
    """
    moved = before
    if flow is not None:
        height, width = after.shape
        x = flow[..., 0] + np.arange(width, dtype=np.float32)
        y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
        shown = cv2.remap(before.view(np.uint8), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        moved = np.asarray(shown, np.uint8).view(np.bool_)
    union = np.count_nonzero(moved | after)
    return 1 - np.count_nonzero(moved & after) / union if union else 0.0


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
