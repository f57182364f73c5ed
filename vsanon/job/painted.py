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

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.masks import STEPS, PlaneMask
from vsanon.errors import CheckError
from vsanon.job.block_means import F32, Grid, Planes, Scale, Window
from vsanon.job.regions import Region

REGION_BLOCKS = 40
"""Blocks across a region's longer side at most: what makes a face known scales with the face."""

_GRID_STEPS, _REGION_STEPS, _SLOPE_STEPS = 16, 32, 256
"""Steps of a code that values are kept in."""

_NO_NUMBER = -(2**15)
_RISE = struct.Struct("<f")
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
        painted: (planes, blocks of the core), in the one scale.
        source: the same of the source.
    """

    name: str
    window: Window
    core: NDArray[np.bool_]
    painted: F32
    source: F32


@dataclass(frozen=True, slots=True, eq=False)
class PaintedFrame:
    """A frame as it was painted.

    Args:
        grid: (planes, blocks), in the one scale.
        slopes: (2, blocks) of the first plane, codes a pixel.
        rise: of the first plane at the scale of texture, in the direction in which it is least, codes a pixel.
        regions: what is covered.
    """

    grid: F32
    slopes: F32
    rise: float
    regions: tuple[PaintedRegion, ...]


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
        means = self.scale(self.grid.means(painted, found, self.scale.leans))
        if (over := self.scale.beyond(painted)) is not None:
            means[:3] -= np.stack(self.grid.means(over, self.scale.kept))
        grid = _steps(means, _GRID_STEPS).ravel()
        # Still parts of a picture become zeros, which take no space.
        before = self._before if len(self._before) else np.zeros_like(grid)
        parts = [
            (grid - before).tobytes(),
            _steps(self._slopes(painted), _SLOPE_STEPS).tobytes(),
            _RISE.pack(self.grid.rise(painted) * self.scale.unit),
        ]
        self._before = grid
        for region in regions:
            parts += self._region(region, painted, source)
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
            (rise,) = _RISE.unpack(reader.take(_RISE.size))
            regions = []
            while reader.left:
                *window, name = _REGION.unpack(reader.take(_REGION.size))
                at = Window(*window)
                core = reader.array(np.uint8, -(-at.columns * at.rows // 8))
                core = np.unpackbits(core, count=at.columns * at.rows).astype(bool)
                n = int(core.sum())
                both = _values(reader.array(np.int16, 2 * planes * n), _REGION_STEPS).reshape(2, planes, n)
                regions.append(PaintedRegion(reader.take(name).decode(), at, core, both[0], both[1]))
            yield PaintedFrame(grid, slopes, rise, tuple(regions))

    @property
    def bytes_kept(self) -> int:
        """What the frames take so far."""
        return self._file.tell()

    def _slopes(self, painted: Planes) -> F32:
        """In codes of the one scale a pixel; of RGB those of G, which is near enough to luma."""
        return self.grid.slopes(painted) * np.float32(self.scale.unit)

    def _region(self, region: Region, painted: Planes, source: Planes) -> list[bytes]:
        mask = region.masks[0]
        found = _core(mask, self.size)
        if found is None:
            self.too_small += 1
            return []
        window, core = found
        both = [self._means(window, planes)[:, core] for planes in (painted, source)]
        name = region.name.encode()
        return [
            _REGION.pack(window.x, window.y, window.columns, window.rows, window.block, len(name)),
            np.packbits(core).tobytes(),
            _steps(np.stack(both), _REGION_STEPS).tobytes(),
            name,
        ]

    def _means(self, window: Window, planes: Planes) -> F32:
        """(planes, blocks) of a window, as RGB holds them where that is delivered."""
        found = self.scale.found
        means = self.scale(window.means(planes, found))
        steps = [found.chroma if p in (1, 2) and not found.rgb else (1, 1) for p in range(len(planes))]
        near = [window.cut(plane, step) for plane, step in zip(planes, steps, strict=True)]
        if (over := self.scale.beyond(near)) is not None:
            means[:3] -= np.stack([window.resample(plane).ravel() for plane in over])
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


def _core(mask: PlaneMask, size: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]] | None:
    """The window of a mask's core, and which of its blocks lie wholly in it; None where none does."""
    core = mask.steps == STEPS
    rows, columns = np.flatnonzero(core.any(axis=1)), np.flatnonzero(core.any(axis=0))
    if not len(rows):
        return None
    x0, y0 = mask.x + int(columns[0]), mask.y + int(rows[0])
    x1, y1 = mask.x + int(columns[-1]) + 1, mask.y + int(rows[-1]) + 1
    window = Window.around(x0, y0, x1, y1, REGION_BLOCKS)
    whole = np.zeros((window.rows * window.block, window.columns * window.block), np.uint8)
    top, left = y0 - window.y, x0 - window.x
    whole[top : top + y1 - y0, left : left + x1 - x0] = core[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
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
