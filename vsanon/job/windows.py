"""Parts of a frame in small blocks, and the means of their blocks: of all parts at once, one below the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.media import PixelFormat

F32 = NDArray[np.float32]
Planes = Sequence[NDArray[Any]]
"""Per plane (rows, columns), in ffmpeg's order: Y, U, V or G, B, R, then alpha."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a frame in small blocks.

    Args:
        x, y: its left and top, pixels; multiples of `block`.
        columns, rows: blocks.
        block: side, pixels: 4, 8, 16 ...
    """

    x: int
    y: int
    columns: int
    rows: int
    block: int

    @classmethod
    def around(cls, x0: int, y0: int, x1: int, y1: int, most: int) -> "Window":
        """The least window of at most about `most` blocks a side that holds the pixels from x0 to x1, y0 to y1."""
        block = 4
        while max(x1 - x0, y1 - y0) > most * block:
            block *= 2
        left, top = x0 // block, y0 // block
        return cls(left * block, top * block, -(-x1 // block) - left, -(-y1 // block) - top, block)

    def cut(self, plane: NDArray[Any], step: tuple[int, int] = (1, 1)) -> NDArray[Any]:
        """The window's samples of a plane whose samples are of `step` pixels; at a frame's end its last row and
        column go on.
        """
        across, down = step
        x, y = self.x // across, self.y // down
        width, height = self.columns * self.block // across, self.rows * self.block // down
        found = plane[y : y + height, x : x + width]
        if found.shape != (height, width):
            more = (height - found.shape[0], width - found.shape[1])
            found = cv2.copyMakeBorder(np.ascontiguousarray(found), 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
        return found


class Stack:
    """Windows one below the other: on few blocks each call costs more than what it works out.

    Args:
        windows: at least one.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self.windows = windows
        ends = np.cumsum([window.rows for window in windows]).tolist()
        self.rows = [slice(end - window.rows, end) for end, window in zip(ends, windows, strict=True)]
        self.shape = (ends[-1], max(window.columns for window in windows))
        """Rows and columns of blocks; a narrower window leaves those at the right to anything."""

    def cores(self, cores: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """(rows, columns) of a (blocks,) array for each window; False where it has none."""
        laid = np.zeros(self.shape, bool)
        for window, rows, core in zip(self.windows, self.rows, cores, strict=True):
            laid[rows, : window.columns] = core.reshape(window.rows, window.columns)
        return laid

    def means(self, planes: Planes, found: PixelFormat, at: NDArray[np.intp]) -> list[F32]:
        """Means of some blocks of each plane.

        Args:
            planes: of a frame.
            found: its format.
            at: which blocks, counted row by row.
        """
        return [
            self._means(plane, found.chroma if p in (1, 2) and not found.rgb else (1, 1)).ravel()[at]
            for p, plane in enumerate(planes)
        ]

    def _means(self, plane: NDArray[Any], step: tuple[int, int]) -> F32:
        if plane.dtype.kind != "u":
            means = np.zeros(self.shape, np.float32)
            for window, rows in zip(self.windows, self.rows, strict=True):
                samples = window.cut(plane, step).astype(np.float64)
                small = cv2.resize(samples, (window.columns, window.rows), interpolation=cv2.INTER_AREA)
                means[rows, : window.columns] = small
            return means

        def lay(k: int, out: NDArray[Any]) -> None:
            out[:] = self.windows[k].cut(plane, step)

        # Whole numbers, and a share of a power of two: rounded once, where a mean becomes a float.
        return self.filled(lay, plane.dtype, step)

    def filled(
        self, lay: Callable[[int, NDArray[Any]], None], kind: np.dtype[Any], step: tuple[int, int] = (1, 1)
    ) -> F32:
        """(rows, columns) means of blocks of whole numbers.

        Args:
            lay: called with a window's number, and with zeros of its size to put its samples to.
            kind: of the samples.
            step: pixels a sample, across and down.
        """
        blocks = {window.block for window in self.windows}
        if len(blocks) == 1:
            return self._of_block(lay, kind, step, blocks.pop(), [*range(len(self.windows))])
        means = np.zeros(self.shape, np.float32)
        for block in blocks:
            alike = [k for k, window in enumerate(self.windows) if window.block == block]
            found, at = self._of_block(lay, kind, step, block, alike), 0
            for k in alike:
                window = self.windows[k]
                means[self.rows[k], : window.columns] = found[at : at + window.rows, : window.columns]
                at += window.rows
        return means

    def _of_block(
        self,
        lay: Callable[[int, NDArray[Any]], None],
        kind: np.dtype[Any],
        step: tuple[int, int],
        block: int,
        alike: Sequence[int],
    ) -> F32:
        """The same of those windows that have blocks of one size, one below the other."""
        across, down = block // step[0], block // step[1]
        windows = [self.windows[k] for k in alike]
        rows, columns = sum(window.rows for window in windows), max(window.columns for window in windows)
        laid, at = np.zeros((rows * down, columns * across), kind), 0
        for k, window in zip(alike, windows, strict=True):
            height = window.rows * down
            lay(k, laid[at : at + height, : window.columns * across])
            at += height
        holds = holding(laid, across * down)
        sums = np.add.reduce(laid.reshape(rows, down, -1), axis=1, dtype=holds)
        return np.asarray(in_pairs(sums, across.bit_length() - 1) * np.float32(1 / (across * down)), np.float32)


def holding(samples: NDArray[Any], count: int) -> Any:
    """The least type of whole numbers that holds sums of so many samples, which is the quickest."""
    return np.uint16 if samples.dtype == np.uint8 and count <= (2**16 - 1) // (2**8 - 1) else np.uint32


def in_pairs(sums: NDArray[Any], times: int) -> NDArray[Any]:
    """Sums of 2^times along the last axis."""
    for _ in range(times):
        sums = sums[..., 0::2] + sums[..., 1::2]
    return sums
