"""One pass over two aligned clips: what is left of each target, and what is known of the rest of the frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.audit.disguises import Disguise, disguise_of
from vsanon.audit.judging import CONTROL_CORRELATION, FLAT_VARIANCE, Bands, Left, Level, Noise, judge, over_track
from vsanon.audit.structure import COARSE, FINE, LEAST_SIDE_PX, Likeness, compare, compare_letters
from vsanon.audit.targets import is_lettering
from vsanon.validation.truth.boxes import Truth

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
PLANES = ("luma", "blue", "red")

AROUND = 0.6
"""How far around a target nothing serves as a control, as a share of its size: a cover may reach so far."""
CONTROLS = 6
"""Windows outside the targets by which the codec's noise is known, a frame and size."""
LEAST_ALIKE = 1 / 3
"""Of a frame's controls that must show the original: others may be covered as well."""
LARGE_SIDES = (64, 128)
"""Windows of these sides say as well whether a frame shows the original: of small ones a strong codec leaves too
little, as of 19 px at CRF 36."""
_GRID = (6, 5)
_TILE = 16
_WORST = (Level.BARE, Level.PARTLY, Level.WEAK, Level.UNTOLD, Level.COVERED)
CHANGED_RMS, CHANGED_OVER_NOISE = 6.0, 4.0
"""From which a tile outside the targets was changed: codes, and deviations of the typical tile."""


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """What a window outside the targets says: the size it stands for, likeness, and the difference's variances.

    It is `even` where the redacted picture shows nothing at all, as where a whole frame is covered.
    """

    side: int
    alike: float
    even: bool
    noise: Mapping[str, Noise]


@dataclass(slots=True)
class Meter:
    """Takes the frames of both clips in pairs, and answers with the levels of all targets.

    Args:
        truth: the targets, in the original's frames and pixels.
        boxes: (n, 4) the same in pixels of the redacted picture.
    """

    truth: Truth
    boxes: F64
    _seen: list[tuple[int, int, Mapping[str, Bands | None], Disguise | None, Likeness | None]] = field(
        init=False, default_factory=list
    )
    _controls: dict[int, list[Control]] = field(init=False, default_factory=dict)
    _changed: dict[int, float] = field(init=False, default_factory=dict)

    def add(self, n: int, k: int, raw: Sequence[F32], redacted: Sequence[F32], alpha: F32 | None = None) -> None:
        """Look at a pair.

        Args:
            n: frame of the original.
            k: frame of the redacted clip that shows it.
            raw, redacted: luma, blue and red difference, (H, W), in codes of 8 bits, of the redacted size.
            alpha: of the redacted frame, where it has one.
        """
        rows = range(*self.truth.rows(n).indices(len(self.truth)))
        boxes = self.boxes[rows.start : rows.stop]
        for i in rows:
            if self.truth.ignore[i]:
                continue
            box = self.boxes[i].tolist()
            lettering = is_lettering(str(self.truth.classes[i]), box)
            # Of chroma there are half as many samples each way.
            told = PLANES if min(box[2] - box[0], box[3] - box[1]) >= 2 * LEAST_SIDE_PX else PLANES[:1]
            found = {
                name: compare(a, b, box, whole=lettering)
                for name, a, b in zip(PLANES, raw, redacted, strict=True)
                if name in told
            }
            if alpha is not None:
                found["alpha"] = compare(raw[0], alpha, box, whole=lettering)
            letters = compare_letters(raw[0], redacted[0], box) if lettering else None
            self._seen.append((i, k, found, disguise_of(raw[0], redacted[0], box), letters))
        sides = {_octave(box) for box in boxes} | set(LARGE_SIDES)
        self._controls[k] = [c for side in sorted(sides) for c in _controls(raw, redacted, boxes, side)]
        self._changed[k] = _changed(raw[0], redacted[0], boxes)

    def incomparable(self) -> list[int]:
        """Redacted frames in which what lies outside the targets shows something else than the original.

        In windows of every size, that is.
        """
        lost = []
        for k, controls in self._controls.items():
            of_sides = [[c.alike for c in controls if c.side == side] for side in {c.side for c in controls}]
            alike = any(
                sum(v >= CONTROL_CORRELATION for v in found) >= LEAST_ALIKE * len(found) for found in of_sides
            )
            if controls and not alike and not all(c.even for c in controls):
                lost.append(k)
        return lost

    def has_controls(self) -> bool:
        """Whether in any frame anything outside the targets shows the original."""
        return any(c.alike >= CONTROL_CORRELATION for controls in self._controls.values() for c in controls)

    def noise(self) -> dict[int, dict[str, Noise]]:
        """The codec's noise by size of box: the median of all controls that show the original."""
        found: dict[int, dict[str, Noise]] = {}
        good = [c for controls in self._controls.values() for c in controls if c.alike >= CONTROL_CORRELATION]
        for side in {c.side for c in good}:
            own = [c for c in good if c.side == side]
            found[side] = {
                name: Noise(
                    float(np.median([c.noise[name].fine for c in own])),
                    float(np.median([c.noise[name].coarse for c in own])),
                )
                for name in PLANES
            }
        return found

    def levels(self) -> dict[int, Left]:
        """By row of the truth what is left, at its worst where a frame is shown again; absent where it is not."""
        noise, lost = self.noise(), set(self.incomparable())
        found: dict[int, Left] = {}
        for i, k, planes, disguise, letters in self._seen:
            if k in lost:
                left = Left(Level.UNTOLD, "the frame does not show the original")
            else:
                side = _octave(self.boxes[i])
                near = min(noise, key=lambda s: abs(np.log2(s / side)), default=None)
                lettering = is_lettering(str(self.truth.classes[i]), self.boxes[i].tolist())
                left = judge(planes, {} if near is None else noise[near], lettering, disguise, letters)
            if i not in found or _WORST.index(left.level) < _WORST.index(found[i].level):
                found[i] = left
        keys = list(zip(self.truth.classes.tolist(), self.truth.ids.tolist(), strict=True))
        for key in sorted(set(keys)):
            rows = [i for i in found if keys[i] == key]
            wide = [is_lettering(key[0], self.boxes[i].tolist()) for i in rows]
            lettering = 2 * sum(wide) > len(wide)
            found.update(zip(rows, over_track([found[i] for i in rows], lettering), strict=True))
        return found

    def changed(self) -> dict[int, float]:
        """By redacted frame the share of what lies outside the targets that was changed beyond the noise."""
        return dict(self._changed)


def _octave(box: F64) -> int:
    side = max(float(min(box[2] - box[0], box[3] - box[1])), 16.0)
    return int(2 ** round(np.log2(side)))


def _controls(raw: Sequence[F32], redacted: Sequence[F32], boxes: F64, side: int) -> list[Control]:
    """Windows of a size that no target comes near, those with the most to see first."""
    height, width = raw[0].shape
    if side > min(height, width):
        return []
    reach = np.tile(AROUND * (boxes[:, 2:] - boxes[:, :2]), 2) * (-1, -1, 1, 1)
    kept = boxes + reach
    places = []
    for y in np.linspace(0, height - side, _GRID[1]).astype(int).tolist():
        for x in np.linspace(0, width - side, _GRID[0]).astype(int).tolist():
            apart = (kept[:, 2] <= x) | (kept[:, 0] >= x + side) | (kept[:, 3] <= y) | (kept[:, 1] >= y + side)
            if apart.all():
                places.append((float(raw[0][y : y + side, x : x + side].std()), (x, y, x + side, y + side)))
    found = []
    for _, box in sorted(places, reverse=True)[:CONTROLS]:
        both = {name: compare(a, b, box, whole=True) for name, a, b in zip(PLANES, raw, redacted, strict=True)}
        luma = both["luma"]
        if luma is None or luma[COARSE].was[0] < 4 * FLAT_VARIANCE:
            continue
        noise = {
            name: Noise(bands[FINE].apart, bands[COARSE].apart) for name, bands in both.items() if bands is not None
        }
        even = bool(luma[COARSE].now[0] < FLAT_VARIANCE / 4 and luma[FINE].now[0] < FLAT_VARIANCE / 4)
        found.append(Control(side, float(luma[COARSE].correlation[0]), even, noise))
    return found


def _changed(raw: F32, redacted: F32, boxes: F64) -> float:
    """The share of tiles outside the targets whose difference is not the codec's."""
    height, width = (length // _TILE * _TILE for length in raw.shape)
    if not height or not width:
        return 0.0
    apart = redacted[:height, :width] - raw[:height, :width]
    small = (width // _TILE, height // _TILE)
    square = cv2.resize(apart * apart, small, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(apart, small, interpolation=cv2.INTER_AREA)
    outside = np.ones(square.shape, bool)
    for x0, y0, x1, y1 in np.clip(boxes / _TILE, 0, None):
        outside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = False
    if not outside.any():
        return 0.0
    middle = float(np.median(mean[outside]))  # a grade of the whole picture
    rms = np.sqrt(np.maximum(square - 2 * middle * mean + middle**2, 0))[outside]
    return float(np.mean(rms > max(CHANGED_RMS, CHANGED_OVER_NOISE * float(np.median(rms)))))


def planes8(planes: Sequence[NDArray[np.uint16]]) -> tuple[F32, ...]:
    """Planes of 16 bits in codes of 8."""
    return tuple(np.asarray(p, np.float32) / np.float32(256) for p in planes)
