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

from vsanon.covering.masks import STEPS, PlaneMask
from vsanon.errors import CheckError
from vsanon.job.block_means import F32, Grid, Planes, Scale, Window, means_within
from vsanon.job.regions import Region

REGION_BLOCKS = 40
"""Blocks across a region's longer side at most: what makes a face known scales with the face."""

_GRID_STEPS, _REGION_STEPS, _SLOPE_STEPS = 16, 32, 256
"""Steps of a code that values are kept in."""

_NO_NUMBER = -(2**15)
_RISE = struct.Struct("<fI")
_REGION = struct.Struct("<5iH")
_LENGTH = struct.Struct("<I")
_QUICK = 1


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


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Say what to do where temporary files find no room."""
    try:
        yield
    except OSError as error:
        raise CheckError(
            f"what was painted could not be kept for the check of the file: {error.strerror}: free space for "
            "temporary files, or name another folder in TMPDIR"
        ) from error


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

    def add(self, painted: Planes, source: Planes, regions: Sequence[Region]) -> None:
        """Keep the next frame.

        Args:
            painted, source: planes in ffmpeg's order.
            regions: what was to be covered.

        Raises:
            CheckError: the disk of temporary files is full.
        """
        found = self.scale.found
        bands = self.grid.bands(painted[0])
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
        cores = self._cores(regions)
        parts.append(_RISE.pack(self.grid.rise(painted) * self.scale.unit, len(cores)))
        for core in cores:
            at, name = core.window, core.name.encode()
            parts.append(_REGION.pack(at.x, at.y, at.columns, at.rows, at.block, len(name)))
            parts += [np.packbits(core.core).tobytes(), name]
        if cores:
            both = np.stack([self._means(cores, planes) for planes in (painted, source)])
            parts.append(_steps(both, _REGION_STEPS).tobytes())
        content = zlib.compress(b"".join(parts), _QUICK)
        with _room():
            self._file.write(_LENGTH.pack(len(content)) + content)
        self.frames += 1

    def save(self, path: Path) -> None:
        """Write the frames to a file, for `append` elsewhere.

        Raises:
            OSError: it can't be written.
        """
        with _room():
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
        with path.open("rb") as file, _room():
            shutil.copyfileobj(file, self._file)
        self._begins.add(self.frames)
        self.frames += frames
        self.too_small += too_small

    def __iter__(self) -> Iterator[PaintedFrame]:
        with _room():
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

    def _cores(self, regions: Sequence[Region]) -> list[PaintedRegion]:
        """The cores of regions; those that are smaller than a block are counted."""
        cores = [(region.name, _core(region.masks[0], self.size)) for region in regions]
        found = [PaintedRegion(name, *core) for name, core in cores if core is not None]
        self.too_small += len(regions) - len(found)
        return found

    def _means(self, regions: Sequence[PaintedRegion], planes: Planes) -> F32:
        """(planes, blocks of all cores), as RGB holds them where that is delivered."""
        scale, windows = self.scale, [region.window for region in regions]
        means, at = means_within(windows, planes, scale), 0
        for window in windows if scale.cuts else ():
            steps = [scale.found.chroma if p in (1, 2) else (1, 1) for p in range(len(planes))]
            near = [window.cut(plane, step) for plane, step in zip(planes, steps, strict=True)]
            if (over := scale.beyond(near)) is not None:
                blocks = slice(at, at + window.rows * window.columns)
                means[:3, blocks] -= np.stack([window.resample(plane).ravel() for plane in over])
            at += window.rows * window.columns
        return means[:, np.concatenate([region.core for region in regions])]


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


def _core(mask: PlaneMask, size: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]] | None:
    """The window of a mask's core, and which of its blocks lie wholly in it; None where none does."""
    core = (mask.steps == STEPS).view(np.uint8)
    left, top, width, height = cv2.boundingRect(core)
    if not width:
        return None
    x0, y0 = mask.x + left, mask.y + top
    x1, y1 = x0 + width, y0 + height
    window = Window.around(x0, y0, x1, y1, REGION_BLOCKS)
    whole = np.zeros((window.rows * window.block, window.columns * window.block), np.uint8)
    y, x = y0 - window.y, x0 - window.x
    whole[y : y + height, x : x + width] = core[top : top + height, left : left + width]
    # Beyond the frame's end its last row and column go on, as in the means.
    right, bottom = size[0] - window.x, size[1] - window.y
    if right < whole.shape[1]:
        whole[:, right:] = whole[:, right - 1 : right]
    if bottom < whole.shape[0]:
        whole[bottom:] = whole[bottom - 1 : bottom]
    inside = (window.resample(whole) == 1).ravel()
    return (window, inside) if inside.any() else None


def _steps(values: F32, steps: int) -> NDArray[np.int16]:
    """Values in whole steps; what is no number keeps being none, and what is too great stops at the greatest."""
    whole = np.clip(np.nan_to_num(np.rint(values * np.float32(steps))), 1 - 2**15, 2**15 - 1).astype(np.int16)
    whole[~np.isfinite(values)] = _NO_NUMBER
    return whole


def _values(steps: NDArray[np.int16], count: int) -> F32:
    values = steps.astype(np.float32) / np.float32(count)
    values[steps == _NO_NUMBER] = np.nan
    return values
