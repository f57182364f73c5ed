"""Pictures as the means of their blocks, in one scale whatever their format, for a file to be compared with.

A mean goes through what an encode does to samples as a sample does: more bits, another range, another matrix and
coarser chroma are linear, and so commute with it. What was painted can be compared with what was encoded this way,
whatever formats the two have, and a frame is kept in some kilobytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.colour import MATRICES
from vsanon.encode import RawVideo, output_color
from vsanon.encode.presets import Preset
from vsanon.job.windows import F32, Planes, holding, in_pairs
from vsanon.media import PixelFormat, pixel_format

CODES = 255
"""Of the one scale: luma, R, G, B and alpha lie in 0 to 255, chroma in -127.5 to 127.5, whatever bits and range."""

GRID_BLOCKS = 40
"""Blocks across the longer side of a frame, about."""

RESAMPLED_BLOCK = 16
"""The least side of its blocks where chroma is resampled, pixels."""

TEXTURE_PX = 8
"""Side of the blocks whose means say how much texture a frame has."""

_MATRIX = {"bt709": "709", "smpte170m": "170m", "bt470bg": "470bg", "fcc": "fcc", "smpte240m": "240m",
           "bt2020nc": "2020ncl"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """From the codes of one kind of frame to the one scale, in the planes of the delivered file.

    Args:
        found: the frames' format.
        full_range: their samples span all codes.
        kept: the format of the delivered file.
        matrix: between RGB and YUV, where `found` is one and `kept` the other.
        leans: whether samples of coarser chroma lie with the first of their pixels, across and down, where that
            makes a difference: where chroma is resampled.
    """

    found: PixelFormat
    full_range: bool
    kept: PixelFormat
    matrix: str = "709"
    leans: tuple[bool, bool] = (False, False)

    def __call__(self, means: Sequence[F32]) -> F32:
        """(planes, n) in the one scale, of (n,) means of samples, a plane each."""
        found, kept = self.found, self.kept
        n = len(means) - found.alpha
        colours = [self._plain(m, p, is_alpha=p >= n) for p, m in enumerate(means)]
        alpha, colours = colours[n:], colours[:n]
        if found.rgb and not kept.rgb:
            colours = self._to_yuv(*colours)
        elif kept.rgb and not found.rgb:
            colours = self._to_rgb(colours)
        if kept.gray:
            colours = colours[:1]
        elif found.gray and not kept.rgb:
            colours = [colours[0], *(np.zeros_like(colours[0]),) * 2]
        if kept.alpha:
            colours += alpha or [np.full_like(colours[0], CODES)]
        return np.stack(colours)

    def beyond(self, planes: Planes) -> list[F32] | None:
        """By how much each pixel lies beyond what whole numbers of RGB hold; None where none does.

        YUV knows colours that RGB does not. Cutting off is not linear: the means of blocks lack the mean of this.

        Args:
            planes: of a frame, as `found` has them.

        Returns:
            (rows, columns) of G, B and R, in the one scale; chroma is taken between its samples linearly.
        """
        if not self.cuts:
            return None
        found = self.found
        rows, columns = planes[0].shape
        colours = [self._plain(plane.astype(np.float32), p, is_alpha=False)
                   for p, plane in enumerate(planes[: 1 if found.gray else 3])]  # fmt: skip
        near = [cv2.resize(c, (columns, rows), interpolation=cv2.INTER_LINEAR) for c in colours]
        rgb = self._to_rgb([np.asarray(c, np.float32) for c in near])
        over = [np.asarray(c - np.clip(c, 0, np.float32(CODES)), np.float32) for c in rgb]
        return over if any(c.any() for c in over) else None

    @property
    def cuts(self) -> bool:
        """Whether what is delivered can't hold all colours of what is found, see `beyond`."""
        return not self.found.rgb and self.kept.rgb and not self.kept.is_float

    @property
    def planes(self) -> int:
        """How many planes are compared."""
        return (1 if self.kept.gray else 3) + self.kept.alpha

    @property
    def least_block(self) -> int:
        """Side of the least blocks of a grid, pixels."""
        return RESAMPLED_BLOCK if resampled(self.found, self.kept) else 8

    @property
    def unit(self) -> float:
        """How much of the one scale a code of the first plane is."""
        found = self.found
        if found.is_float:
            return float(CODES)
        whole = found.rgb or self.full_range
        return CODES / ((1 << found.depth) - 1 if whole else 219 << found.depth - 8)

    def of(self, pix_fmt: str) -> "Scale":
        """The same for frames of another format: decoders may give more bits than were encoded."""
        return replace(self, found=pixel_format(pix_fmt))

    def _plain(self, means: F32, p: int, *, is_alpha: bool) -> F32:
        found = self.found
        chroma = p in (1, 2) and not found.rgb and not is_alpha
        if found.is_float:
            return means * np.float32(CODES)
        if found.rgb or is_alpha or self.full_range:
            peak, low, middle = (1 << found.depth) - 1, 0, 1 << found.depth - 1
        else:
            unit = 1 << found.depth - 8
            peak, low, middle = (224 if chroma else 219) * unit, 16 * unit, 128 * unit
        return (means - np.float32(middle if chroma else low)) * np.float32(CODES / peak)

    def _weights(self) -> tuple[float, float, float]:
        kr, kb = MATRICES[self.matrix]
        return kr, 1 - kr - kb, kb

    def _to_yuv(self, g: F32, b: F32, r: F32) -> list[F32]:
        kr, kg, kb = self._weights()
        y = np.float32(kr) * r + np.float32(kg) * g + np.float32(kb) * b
        return [y, (b - y) / np.float32(2 - 2 * kb), (r - y) / np.float32(2 - 2 * kr)]

    def _to_rgb(self, colours: Sequence[F32]) -> list[F32]:
        y, *chroma = colours
        if not chroma:
            return [y, y, y]
        kr, kg, kb = self._weights()
        r, b = y + np.float32(2 - 2 * kr) * chroma[1], y + np.float32(2 - 2 * kb) * chroma[0]
        return [(y - np.float32(kr) * r - np.float32(kb) * b) / np.float32(kg), b, r]


def scales(video: RawVideo, preset: Preset) -> tuple[Scale, Scale]:
    """The scale of the frames that are handed to the encoder, and that of the frames that come out of its file."""
    have, kept = pixel_format(video.pix_fmt), pixel_format(preset.pix_fmt_for(video.pix_fmt))
    color, out = video.color, output_color(video, preset)
    was_full = have.rgb or color.range == "pc"
    moves = color.range is not None and out.range is not None and color.range != out.range
    is_full = kept.rgb or (out.range == "pc" if moves or have.rgb else was_full)
    tagged = out.matrix if have.rgb else color.matrix
    usual = "709" if video.size[1] >= 720 else "170m"
    matrix = _MATRIX.get(tagged or "", usual)
    leans = (False, False)
    if have.chroma != kept.chroma:
        place = color.chroma_location or "left"  # as zimg takes what is not told
        leans = ("left" in place, place.startswith("top") and not video.interlaced)
    return Scale(have, was_full, kept, matrix, leans), Scale(kept, is_full, kept, matrix, leans)


def resampled(have: PixelFormat, kept: PixelFormat) -> bool:
    """Whether chroma becomes coarser or finer."""
    return not (have.gray or kept.gray or have.chroma == kept.chroma)


@dataclass(frozen=True, slots=True)
class Grid:
    """A frame's blocks, which cover all of it: whole ones, and what is left of them at the right and the bottom.

    Args:
        size: (width, height), pixels.
        block: side, pixels; a multiple of 8.
    """

    size: tuple[int, int]
    block: int

    @classmethod
    def of(cls, size: tuple[int, int], least: int = 8) -> "Grid":
        """The grid for frames of `size`, of blocks of `least` pixels a side and more."""
        return cls(size, max(least, -(-max(size) // GRID_BLOCKS) // 8 * 8))

    @property
    def blocks(self) -> int:
        """How many there are."""
        return -(-self.size[0] // self.block) * -(-self.size[1] // self.block)

    def edges(self, axis: int, step: int) -> list[int]:
        """Where blocks begin along an axis (0: x), and its end, in samples of `step` pixels."""
        side = self.size[axis]
        return [*range(0, -(-side // step), self.block // step), -(-side // step)]

    def strips(self, first: NDArray[Any]) -> NDArray[Any] | None:
        """(rows, width) sums of each `TEXTURE_PX` rows of the first plane, which `bands` and `rise` are made of.

        None where samples are floats, whose sums hang on their order, or where such blocks don't fill the frame.
        """
        if first.dtype.kind != "u" or any(side % TEXTURE_PX for side in self.size):
            return None
        return _strips(first, TEXTURE_PX, holding(first, TEXTURE_PX**2))

    def bands(self, first: NDArray[Any], strips: NDArray[Any] | None = None) -> F32:
        """(rows of blocks, width) sums of the first plane down each row of blocks, for `means` and `slopes`.

        Args:
            first: the plane.
            strips: what `strips` gives.
        """
        if strips is None:
            return _bands(first, self.edges(1, 1))
        sums = _strips(strips, self.block // TEXTURE_PX, np.uint32)
        return np.asarray(sums, np.int32 if first.dtype == np.uint8 else np.float32)

    def means(
        self,
        planes: Planes,
        found: PixelFormat,
        leans: tuple[bool, bool] = (False, False),
        first: F32 | None = None,
    ) -> list[F32]:
        """(n,) means of each plane's blocks, row by row; `leans` as in `Scale`, `first` what `bands` gives."""
        out = []
        for p, (plane, edges, (across, down)) in enumerate(self._planes(planes, found)):
            bands = _bands(plane, edges[1]) if p or first is None else first
            means = _means(bands, edges)
            if leans[0] and across > 1:
                columns = bands[:, _firsts(edges[0])] / np.diff(edges[1])[:, None]
                means += _moved(np.diff(columns, axis=1), across, np.diff(edges[0])).ravel()
            if leans[1] and down > 1:
                rows = np.add.reduceat(plane[_firsts(edges[1])], edges[0][:-1], axis=1, dtype=np.float64)
                rises = np.diff(rows / np.diff(edges[0]), axis=0)
                means += _moved(rises, down, np.diff(edges[1])[:, None]).ravel()
            out.append(means)
        return out

    def slopes(self, planes: Planes, first: F32 | None = None) -> F32:
        """(2, n): how the first plane rises through each block, right and down, a pixel; `first` as for `means`."""
        plane = planes[0]
        xs, ys = self.edges(0, 1), self.edges(1, 1)
        across = self.bands(plane) if first is None else first
        heights, widths = np.diff(ys)[:, None], np.diff(xs)
        at, before = _edges(xs, self.size[0])
        columns = (across[:, at] + across[:, before]) / 2
        to_right = np.diff(columns, axis=1) / heights / widths
        at, before = _edges(ys, self.size[1])
        rows = np.asarray(plane[at], np.float32) / 2 + np.asarray(plane[before], np.float32) / 2
        lines = np.add.reduceat(rows, xs[:-1], axis=1) / widths
        down = np.diff(lines, axis=0) / heights
        return np.stack([to_right.ravel(), down.ravel()]).astype(np.float32)

    def rise(self, planes: Planes, strips: NDArray[Any] | None = None) -> float:
        """How steeply the first plane rises in the direction in which it rises least, codes a pixel.

        The root mean square of the slopes between means of `TEXTURE_PX` pixels a side: what a codec keeps of a
        texture and what it lets go is decided by such small blocks, however large the grid's are.

        Args:
            planes: of a frame.
            strips: what `strips` gives.
        """
        size = [max(2, side // TEXTURE_PX) for side in self.size]
        if strips is None or min(self.size) < 2 * TEXTURE_PX:
            small = cv2.resize(np.ascontiguousarray(planes[0]), size, interpolation=cv2.INTER_AREA).astype(
                np.float64
            )
        else:
            # Rounded as OpenCV rounds what it averages.
            small = np.rint(in_pairs(strips, 3) / np.float64(TEXTURE_PX**2))
        x = (small[:-1, 1:] - small[:-1, :-1]) * size[0] / self.size[0]
        y = (small[1:, :-1] - small[:-1, :-1]) * size[1] / self.size[1]
        xx, xy, yy = (float(np.einsum("ij,ij->", a, b)) / x.size for a, b in ((x, x), (x, y), (y, y)))
        return math.sqrt(max(0.0, (xx + yy) / 2 - math.hypot((xx - yy) / 2, xy)))

    def _planes(self, planes: Planes, found: PixelFormat) -> Any:
        for p, plane in enumerate(planes):
            across, down = found.chroma if p in (1, 2) and not found.rgb else (1, 1)
            yield plane, (self.edges(0, across), self.edges(1, down)), (across, down)


def _edges(edges: Sequence[int], length: int) -> tuple[list[int], list[int]]:
    """The samples on either side of each edge: their mean is what lies on it."""
    return [min(e, length - 1) for e in edges], [max(e - 1, 0) for e in edges]


def _firsts(edges: Sequence[int]) -> list[int]:
    """The first sample of each block, and for the one after the last block its own last."""
    return [min(e, edges[-1] - 1) for e in edges]


def _moved(rises: NDArray[Any], step: int, lengths: NDArray[Any]) -> F32:
    """What a block's mean gains where its samples lie with their first pixels, and so too early.

    Args:
        rises: (rows, columns) from the first sample of a block to that of the next.
        step: pixels a sample.
        lengths: of the blocks, in samples.
    """
    return np.asarray(rises * ((step - 1) / (2 * step)) / lengths, np.float32)


def _bands(plane: NDArray[Any], ys: Sequence[int]) -> F32:
    """(bands, width) sums of the rows from one edge to the next."""
    if plane.strides[1] != plane.itemsize:
        plane = np.ascontiguousarray(plane)
    if plane.dtype.kind == "u":
        # Sums of some hundred rows of 16 bits are whole numbers that a float holds.
        return np.asarray(_strips(plane, ys[1] - ys[0]), np.int32 if plane.dtype == np.uint8 else np.float32)
    return np.concatenate([cv2.reduce(plane[a:b], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F) for a, b in pairwise(ys)])


def _strips(plane: NDArray[Any], step: int, kind: Any = None) -> NDArray[Any]:
    """(strips, width) sums of whole numbers over each `step` rows, the last ones as far as they go.

    Args:
        kind: in what sums are made; None for the least that holds them.
    """
    rows, width = plane.shape
    whole, kind = rows // step, kind or holding(plane, step)
    sums = np.empty((-(-rows // step), width), kind)
    np.add.reduce(plane[: whole * step].reshape(whole, step, width), axis=1, dtype=kind, out=sums[:whole])
    if whole < len(sums):
        np.add.reduce(plane[whole * step :], axis=0, dtype=kind, out=sums[whole])
    return sums


def _means(bands: F32, edges: tuple[Sequence[int], Sequence[int]]) -> F32:
    xs, ys = edges
    sums = np.add.reduceat(bands, xs[:-1], axis=1, dtype=np.float64)
    return np.asarray((sums / np.diff(ys)[:, None] / np.diff(xs)).ravel(), np.float32)
