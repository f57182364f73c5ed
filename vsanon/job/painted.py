"""What was painted, frame by frame, kept small: what an encoded file is compared with once it is there.

A frame is kept as the means of its grid's blocks and, of each region, as the means of the small blocks that lie in
its core, of the paint and of the source under it. It goes to a temporary file without a name, so that a long film
takes no memory.
"""

import contextlib
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.masks import PlaneMask
from vsanon.covering.ramps import STEPS
from vsanon.job.block_means import Grid, Scale
from vsanon.job.regions import Region
from vsanon.job.windows import F32, Planes, Stack, Window
from vsanon.scratch import room

REGION_BLOCKS = 40
"""Blocks across a region's longer side at most: what makes a face known scales with the face."""

_GRID_STEPS, _REGION_STEPS, _SLOPE_STEPS = 16, 32, 256
"""Steps of a code that values are kept in."""

_NO_NUMBER = -(2**15)
_RISE = struct.Struct("<fI")
_REGION = struct.Struct("<5iH")
_LENGTH = struct.Struct("<I")
_QUICK = 1
_KEPT = "what was painted could not be kept for the check of the file"


@dataclass(frozen=True, slots=True, eq=False)
class PaintedRegion:
    """A region's core as it was painted.

    Args:
        name: class and id.
        window: its blocks.
        core: (blocks,) those that lie wholly in the core.
    """

    name: str
    window: Window
    core: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PaintedFrame:
    """A frame as it was painted.

    Args:
        grid: (planes, blocks), in the one scale.
        slopes: (2, blocks) of the first plane, codes a pixel.
        rise: of the first plane at the scale of texture, in the direction in which it is least, codes a pixel.
        regions: what is covered.
        painted: (planes, blocks of all cores), one region after the other, in the one scale.
        source: the same of the source.
    """

    grid: F32
    slopes: F32
    rise: float
    regions: tuple[PaintedRegion, ...]
    painted: F32
    source: F32


class PaintedFrames:
    """The painted frames of a job, written once in order, and read once in order; use with `with`.

    Args:
        size: (width, height).
        scale: of the frames as painted.
    """

    def __init__(self, size: tuple[int, int], scale: Scale) -> None:
        self.size, self.grid, self.scale = size, Grid.of(size, scale.least_block), scale
        self.frames = self.too_small = 0
        self._before = np.zeros(0, np.int16)
        self._begins: set[int] = set()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # What is thrown away need not reach a disk that is full.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, painted: Planes, source: Planes, regions: Sequence[Region], codes: Sequence[int] = ()) -> None:
        """Keep the next frame.

        Args:
            painted, source: planes in ffmpeg's order.
            regions: what was to be covered.
            codes: of each plane the value that all samples of all cores were seen to have, whose means that is;
                empty where there is none.

        Raises:
            CheckError: the disk of temporary files is full.
        """
        found = self.scale.found
        strips = self.grid.strips(painted[0])
        bands = self.grid.bands(painted[0], strips)
        means = self.scale(self.grid.means(painted, found, self.scale.leans, bands))
        if (over := self.scale.beyond(painted)) is not None:
            means[:3] -= np.stack(self.grid.means(over, self.scale.kept))
        grid = _steps(means, _GRID_STEPS).ravel()
        # Still parts of a picture become zeros, which take no space.
        before = self._before if len(self._before) else np.zeros_like(grid)
        parts = [
            (grid - before).tobytes(),
            _steps(self._slopes(painted, bands), _SLOPE_STEPS).tobytes(),
        ]
        self._before = grid
        cores, stack, at = self._cores(regions)
        parts.append(_RISE.pack(self.grid.rise(painted, strips) * self.scale.unit, len(cores)))
        for core in cores:
            window, name = core.window, core.name.encode()
            parts.append(_REGION.pack(window.x, window.y, window.columns, window.rows, window.block, len(name)))
            parts += [np.packbits(core.core).tobytes(), name]
        if stack is not None:
            if codes and not self.scale.cuts:
                even = self.scale([np.full(1, code, np.float32) for code in codes])
                parts.append(np.repeat(_steps(even, _REGION_STEPS), len(at), axis=1).tobytes())
            else:
                parts.append(_steps(self._means(stack, at, painted), _REGION_STEPS).tobytes())
            parts.append(_steps(self._means(stack, at, source), _REGION_STEPS).tobytes())
        content = zlib.compress(b"".join(parts), _QUICK)
        with room(_KEPT):
            self._file.write(_LENGTH.pack(len(content)) + content)
        self.frames += 1

    def save(self, path: Path) -> None:
        """Write the frames to a file, for `append` elsewhere.

        Raises:
            OSError: it can't be written.
        """
        with room(_KEPT):
            self._file.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(self._file, file)

    def append(self, path: Path, frames: int, too_small: int) -> None:
        """Add frames that `save` wrote, of the same size and scale.

        Args:
            path: the file.
            frames, too_small: as they were of those saved.

        Raises:
            CheckError: the disk of temporary files is full.
            OSError: the file can't be read.
        """
        with path.open("rb") as file, room(_KEPT):
            shutil.copyfileobj(file, self._file)
        self._begins.add(self.frames)
        self.frames += frames
        self.too_small += too_small

    def __iter__(self) -> Iterator[PaintedFrame]:
        with room(_KEPT):
            self._file.seek(0)  # writes what is still in memory
        planes, blocks = self.scale.planes, self.grid.blocks
        before = np.zeros(planes * blocks, np.int16)
        for n in range(self.frames):
            if n in self._begins:
                before = np.zeros_like(before)
            (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
            reader = _Reader(zlib.decompress(self._file.read(length)))
            before = before + reader.array(np.int16, planes * blocks)
            grid = _values(before, _GRID_STEPS).reshape(planes, blocks)
            slopes = _values(reader.array(np.int16, 2 * blocks), _SLOPE_STEPS).reshape(2, blocks)
            rise, count = _RISE.unpack(reader.take(_RISE.size))
            regions = []
            for _ in range(count):
                *window, length = _REGION.unpack(reader.take(_REGION.size))
                at = Window(*window)
                core = reader.array(np.uint8, -(-at.columns * at.rows // 8))
                core = np.unpackbits(core, count=at.columns * at.rows).astype(bool)
                regions.append(PaintedRegion(reader.take(length).decode(), at, core))
            inside = sum(int(np.count_nonzero(region.core)) for region in regions)
            both = _values(reader.array(np.int16, 2 * planes * inside), _REGION_STEPS).reshape(2, planes, inside)
            yield PaintedFrame(grid, slopes, rise, tuple(regions), both[0], both[1])

    @property
    def bytes_kept(self) -> int:
        """What the frames take so far."""
        return self._file.tell()

    def _slopes(self, painted: Planes, bands: NDArray[Any]) -> F32:
        """In codes of the one scale a pixel; of RGB those of G, which is near enough to luma."""
        return self.grid.slopes(painted, bands) * np.float32(self.scale.unit)

    def _cores(self, regions: Sequence[Region]) -> tuple[list[PaintedRegion], Stack | None, NDArray[np.intp]]:
        """The cores of regions, their windows and which blocks those are; what is less than a block is counted."""
        found = [(region.name, core) for region in regions if (core := _core(region.masks[0])) is not None]
        cores, none = [], np.zeros(0, np.intp)
        if found:
            laid = _within([core for _, core in found], self.size)
            for (name, (window, *_)), inside in zip(found, laid, strict=True):
                if inside.any():
                    cores.append(PaintedRegion(name, window, inside))
        self.too_small += len(regions) - len(cores)
        if not cores:
            return [], None, none
        stack = Stack([core.window for core in cores])
        return cores, stack, np.flatnonzero(stack.cores([core.core for core in cores]))

    def _means(self, stack: Stack, at: NDArray[np.intp], planes: Planes) -> F32:
        """(planes, blocks of all cores), as RGB holds them where that is delivered."""
        scale = self.scale
        means = scale(stack.means(planes, scale.found, at))
        if scale.cuts:
            beyond = np.zeros((3, *stack.shape), np.float32)
            for window, rows in zip(stack.windows, stack.rows, strict=True):
                steps = [scale.found.chroma if p in (1, 2) else (1, 1) for p in range(len(planes))]
                near = [window.cut(plane, step) for plane, step in zip(planes, steps, strict=True)]
                if (over := scale.beyond(near)) is not None:
                    size = (window.columns, window.rows)
                    for p, plane in enumerate(over):
                        beyond[p, rows, : window.columns] = cv2.resize(
                            plane.astype(np.float64), size, interpolation=cv2.INTER_AREA
                        )
            means[:3] -= beyond.reshape(3, -1)[:, at]
        return means


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def take(self, count: int) -> bytes:
        self._at += count
        return self._content[self._at - count : self._at]

    def array(self, kind: Any, count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize), kind)


_Core = tuple[Window, NDArray[np.uint8], int, int]
"""A window, the core of a mask as ones and zeros, and the row and column of the window where that begins."""


def _core(mask: PlaneMask) -> _Core | None:
    """The core of a mask in the window around it; None where there is none."""
    core = (mask.steps == STEPS).view(np.uint8)
    left, top, width, height = cv2.boundingRect(core)
    if not width:
        return None
    x, y = mask.x + left, mask.y + top
    window = Window.around(x, y, x + width, y + height, REGION_BLOCKS)
    return window, core[top : top + height, left : left + width], y - window.y, x - window.x


def _within(cores: Sequence[_Core], size: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """For each core (blocks,) which blocks of its window lie wholly in it."""

    def lay(k: int, out: NDArray[np.uint8]) -> None:
        window, core, y, x = cores[k]
        out[y : y + core.shape[0], x : x + core.shape[1]] = core
        # Beyond the frame's end its last row and column go on, as in the means.
        right, bottom = size[0] - window.x, size[1] - window.y
        if right < out.shape[1]:
            out[:, right:] = out[:, right - 1 : right]
        if bottom < out.shape[0]:
            out[bottom:] = out[bottom - 1 : bottom]

    stack = Stack([window for window, *_ in cores])
    inside = stack.filled(lay, np.dtype(np.uint8)) == 1
    windows = zip(stack.windows, stack.rows, strict=True)
    return [inside[rows, : window.columns].ravel() for window, rows in windows]


def _steps(values: F32, steps: int) -> NDArray[np.int16]:
    """Values in whole steps; what is no number keeps being none, and what is too great stops at the greatest."""
    whole = values * np.float32(steps)
    np.clip(np.rint(whole, out=whole), 1 - 2**15, 2**15 - 1, out=whole)
    if (finite := np.isfinite(values)).all():
        return whole.astype(np.int16)
    return np.where(finite, np.nan_to_num(whole), np.float32(_NO_NUMBER)).astype(np.int16)


def _values(steps: NDArray[np.int16], count: int) -> F32:
    values = steps.astype(np.float32) / np.float32(count)
    values[steps == _NO_NUMBER] = np.nan
    return values
