"""Does the encoded file show what was painted? Compares its decoded frames with what was kept of the painted ones.

* Inside the regions, each small block, in luma and in each chroma plane, must be the painted one within the
  preset's tolerance, and a region as a whole, as each part of it, must be nearer to the paint than to the source
  under it: by the projected share of the way from the one to the other (a matched filter), noise adds up to little.
* Summed up over all frames of a track, and of all tracks, no part of a region may hold the source's detail, however
  little contrast that has: see `vsanon.job.leaks`.
* Over the whole frame, each block of a grid must be the painted one within a tolerance of its own, and the frame
  must be nearer to its own painted one than to those before and after it.
* The frame must not be displaced: its shift against the painted one is estimated by least squares from how the
  painted frame's luma rises (Lucas and Kanade 1981, with one shift for the frame), and must be under half a pixel.

What a codec's noise hides can't be seen; how much that is is counted and said.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.encode.presets import Tolerance
from vsanon.job.block_means import Scale
from vsanon.job.checks import Check
from vsanon.job.leaks import LEAK_CORRELATION, LEAK_SHARE, Sums, TrackSums, sums_of
from vsanon.job.painted import PaintedFrame, PaintedFrames
from vsanon.job.windows import F32, Stack
from vsanon.media import Picture

SHOWN = "covered regions show what was painted"
HIDDEN = "covered regions are nearer to the paint than to the source"
KEPT_OUT = "regions hold none of the source's detail, over all frames"
WHOLE = "the whole picture is what was painted"
IN_TIME = "each frame is nearest to its own painted one"
IN_PLACE = "frames are in their place, to half a pixel"

REGION_SHARE = 0.25
"""Greatest share of the way from the paint to the source at which a region may lie; bare it is 1."""

GROUP_SHARE = 0.5
"""The same of a part of it, `GROUP` blocks a side."""

GROUP = 4

LAG_SHARE = 0.5
"""Greatest share of the way from a painted frame to the one before or after it."""
_FAINT_LAG_SHARE = 0.75
"""Where no block changes by as much as the codec may be off, it may leave a part of the change, and frames up to
here can't be told from those beside them. Seen: 0.55 with AV1, of a film whose blocks change by 7 codes of 10.5
allowed. A frame that comes late lies at 1."""

SHIFT_PX = 0.5
_SHIFT_ERROR_PX = 0.1
"""Greatest standard error of a shift that is judged, where a codec's noise is white ..."""
_SHIFT_CODES, _SHIFT_NOISE = 0.5, 0.1
"""... which it is not on a flat picture: what moves there by less than the quantiser shows, a codec may leave where
it was in the frame before. A frame is judged where a move by `SHIFT_PX` moves the means of small blocks by so many
codes (root mean square), or by this share of the tolerance of the grid, where that is less. Seen in honest encodes
of drawn films, most of them nearly flat, 4,000 frames: shifts that change them by 0.30 codes at most, with x265, by
0.13 with x264, by 0.014 with ProRes and DNxHR."""


class _Worst:
    """The greatest of many values, and where it was; what is no number is the greatest of all."""

    def __init__(self) -> None:
        self.value, self.where = 0.0, ""

    def add(self, values: NDArray[np.floating[Any]], where: str | Callable[[int], str]) -> None:
        """Take values; `where` tells of one that is the greatest yet, by its place among them."""
        if values.size:
            finite = np.isfinite(values)
            most = float(values.max()) if finite.all() else math.inf
            if most > self.value:
                at = int((values if math.isfinite(most) else ~finite).argmax())
                self.value, self.where = most, where if isinstance(where, str) else where(at)

    def told(self, unit: str) -> str:
        return f"{self.value:.2f} {unit} at most" + (f" ({self.where})" if self.where else "")


class PictureLook:
    """Looks at every frame of the encoded file, in order.

    Args:
        kept: what was painted.
        scale: of the delivered frames.
        tolerance: of the preset.
        luma_grid: that of the first plane of the grid, where it is another one.
        sharp: the paint is a picture, with edges of its own.
    """

    def __init__(
        self,
        kept: PaintedFrames,
        scale: Scale,
        tolerance: Tolerance,
        luma_grid: float | None = None,
        *,
        sharp: bool = False,
    ) -> None:
        self._sharp = sharp
        self._kept, self._scale, self._tolerance = kept, scale, tolerance
        self._luma_grid = tolerance.grid if luma_grid is None else luma_grid
        self._frames: Iterator[PaintedFrame] = iter(kept)
        self._seen = self._regions = self._blocks = self._planes = self._untold = self._judged = self._moving = 0
        self._inside, self._share, self._part, self._along = _Worst(), _Worst(), _Worst(), _Worst()
        self._grid, self._luma, self._lag, self._shift = _Worst(), _Worst(), _Worst(), _Worst()
        self._before: tuple[F32, F32] | None = None
        self._sums = TrackSums()

    def __call__(self, picture: Picture) -> None:
        """Look at the next frame."""
        n = self._seen
        self._seen += 1
        painted = next(self._frames, None)
        if painted is None:
            return
        scale, kept = self._scale.of(picture.pix_fmt), self._kept
        off = scale(kept.grid.means(picture.planes, scale.found, scale.leans)) - painted.grid
        at = partial(_at, n, kept)
        self._grid.add(np.abs(off), at)
        self._luma.add(np.abs(off[0]), at)
        self._place(n, off[0], painted)
        self._in_time(n, off, painted.grid)
        if painted.regions:
            stack = Stack([region.window for region in painted.regions])
            blocks = np.flatnonzero(stack.cores([region.core for region in painted.regions]))
            found = scale(stack.means(picture.planes, scale.found, blocks))
            self._nearer(n, painted, found - painted.painted)
            for region, sums in zip(painted.regions, sums_of(painted, found, sharp=self._sharp), strict=True):
                self._sums.add(region.name, sums)
            self._blocks += found.shape[1]
            self._regions += len(painted.regions)

    @property
    def worst(self) -> dict[str, tuple[float, str]]:
        """The greatest differences so far, in codes of 255, shares and pixels, and where they were."""
        found = {
            "region": self._inside,
            "grid": self._grid,
            "way": self._along,
            "share": self._share,
            "part": self._part,
            "lag": self._lag,
            "shift": self._shift,
        }
        return {name: (worst.value, worst.where) for name, worst in found.items()}

    def checks(self) -> list[Check]:
        """What was seen; all failed where a frame was not looked at."""
        tolerance, n = self._tolerance, self._kept.frames
        short = "" if self._seen == n else f"{self._seen} frames to look at, not {n}"
        small = f"; {self._kept.too_small} regions are smaller than a block" if self._kept.too_small else ""
        untold = f"; {self._untold} of {self._planes} planes of regions could not be told from the source"
        still = f"; {n - self._moving} of {n} frames could not be told from those beside them"
        untextured = f"; {n - self._judged} of {n} frames have too little texture to tell"
        rows = [
            (SHOWN, True, self._inside.value <= tolerance.region,
             f"each block within {tolerance.region:g} codes of 255",
             f"{self._blocks} blocks of {self._regions} regions, {self._inside.told('codes')}{small}"),
            (HIDDEN, not self._planes or self._untold < self._planes,
             self._share.value <= REGION_SHARE and self._part.value <= GROUP_SHARE,
             f"regions at most {REGION_SHARE:.0%} of the way to the source, parts of them {GROUP_SHARE:.0%}",
             f"regions {self._share.told('of the way')}, parts {self._part.told('of the way')}{untold}"),
            self._kept_out(),
            (WHOLE, True, self._grid.value <= tolerance.grid and self._luma.value <= self._luma_grid,
             f"each block within {tolerance.grid:g} codes of 255{self._luma_told}",
             f"{n} frames of {self._kept.grid.blocks} blocks, {self._grid.told('codes')}"
             + (f", of luma {self._luma.told('codes')}" if self._luma_told else "")),
            (IN_TIME, self._moving > 0, self._lag.value <= LAG_SHARE,
             f"at most {LAG_SHARE:.0%} of the way to those beside it",
             f"{self._lag.told('of the way')}{still}"),
            (IN_PLACE, self._judged > 0, self._shift.value <= SHIFT_PX, f"each within {SHIFT_PX} px",
             f"{self._shift.told('px')}{untextured}"),
        ]  # fmt: skip
        return [
            Check(name, passed and not short, expected, short or found, seen or bool(short))
            for name, seen, passed, expected, found in rows
        ]

    @property
    def _luma_told(self) -> str:
        return "" if self._luma_grid == self._tolerance.grid else f", of luma {self._luma_grid:g}"

    def _nearer(self, n: int, painted: PaintedFrame, off: F32) -> None:
        """Judge each plane of each region on its own: bare chroma may lie under a filled luma.

        All regions at once: on few blocks each call costs more than what it works out.
        """
        groups: list[NDArray[np.intp]] = []
        first = [0]
        for region in painted.regions:
            columns = region.window.columns
            at = np.flatnonzero(region.core)
            group = at // columns // GROUP * (-(-columns // GROUP)) + at % columns // GROUP
            groups.append(group + first[-1])
            first.append(int(groups[-1].max()) + 1)
        starts, group, way_least = first[:-1], np.concatenate(groups), self._tolerance.way
        of_group = np.repeat(np.arange(len(groups)), np.diff(first))

        def at_group(k: int) -> str:
            p, k = divmod(k, len(of_group))
            return f"frame {n}, {painted.regions[of_group[k]].name}, plane {p}"

        def at_region(k: int) -> str:
            p, k = divmod(k, len(groups))
            return f"frame {n}, {painted.regions[k].name}, plane {p}"

        self._inside.add(
            np.abs(off), lambda k: f"frame {n}, {painted.regions[of_group[group[k % len(group)]]].name}"
        )
        way = painted.source - painted.painted
        along, length = (
            np.array([np.bincount(group, plane) for plane in product]) for product in (off * way, way * way)
        )
        self._along.add(along / np.sqrt(np.maximum(length, 1)), at_group)
        # Noise within the tolerance goes no further than half of such a way.
        told = ~(length < (2 * way_least) ** 2)
        self._part.add(np.divide(along, length, out=np.zeros_like(along), where=told), at_group)
        along, length = (np.add.reduceat(values, starts, axis=1) for values in (along, length))
        judged = ~(length < (4 * way_least) ** 2)
        self._share.add(np.divide(along, length, out=np.zeros_like(along), where=judged), at_region)
        self._planes += judged.size
        self._untold += int((~judged & ~np.logical_or.reduceat(told, starts, axis=1)).sum())

    def _kept_out(self) -> tuple[str, bool, bool, str, str]:
        """Judge each track in its parts, and all of them together, plane by plane."""
        worst, told, total = _Worst(), 0, Sums.none(self._sums.planes)

        def judge(name: str, sums: Sums) -> None:
            both = np.where(sums.clear, np.minimum(sums.share, sums.correlation), 0)
            for p in range(len(both)):
                worst.add(both[p][sums.told[p]], f"{name}, plane {p}")

        for name, sums in self._sums.items():
            judge(name, sums)
            told += int(sums.told.any())
            total.add(sums)
        judge("all regions", total)
        untold = f"; {len(self._sums) - told} of {len(self._sums)} tracks have too little detail or too few frames"
        return (
            KEPT_OUT, not len(self._sums) or told > 0, worst.value <= min(LEAK_SHARE, LEAK_CORRELATION),
            f"at most {LEAK_SHARE:.0%} of it, or no correlation over {LEAK_CORRELATION:g}",
            worst.told("of it") + untold * (told < len(self._sums)),
        )  # fmt: skip

    def _in_time(self, n: int, off: F32, painted: F32) -> None:
        """Judge the frame against the one before, and the one before against this one."""
        told = False
        if self._before is not None:
            way = np.nan_to_num(self._before[1] - painted)
            length = float((way * way).sum())
            if length >= (4 * self._tolerance.grid) ** 2:
                back, on = np.nan_to_num(off), np.nan_to_num(self._before[0])
                lags = np.array([(back * way).sum(), -(on * way).sum()]) / length
                most = np.abs(way).max(axis=1)
                faint = most[0] < self._luma_grid and (most[1:] < self._tolerance.grid).all()
                told = not (faint and LAG_SHARE < lags.max() <= _FAINT_LAG_SHARE)
                if told:
                    self._lag.add(lags, lambda k: f"frame {n - k} to frame {n - 1 + k}")
            if n == 1:
                self._moving += told
        self._moving += told
        self._before = off, painted

    def _place(self, n: int, off: F32, painted: PaintedFrame) -> None:
        slopes = painted.slopes
        if not SHIFT_PX * painted.rise >= min(_SHIFT_CODES, _SHIFT_NOISE * self._tolerance.grid):
            return
        usable = np.isfinite(off) & np.isfinite(slopes).all(axis=0)
        rise, off = -slopes[:, usable], off[usable]
        normal = rise @ rise.T
        if len(off) < 8 or np.linalg.cond(normal) > 1e4:
            return
        shift = np.linalg.solve(normal, rise @ off)
        noise = float(np.mean((off - shift @ rise) ** 2)) + 1e-4
        error = float(np.sqrt(noise * np.linalg.inv(normal).diagonal().max()))
        if error <= _SHIFT_ERROR_PX:
            self._judged += 1
            self._shift.add(np.abs(shift), f"frame {n}")


def _at(n: int, kept: PaintedFrames, k: int) -> str:
    """Where in the frame block `k` of all planes lies."""
    p, k = divmod(k, kept.grid.blocks)
    columns = -(-kept.size[0] // kept.grid.block)
    return f"frame {n}, plane {p}, at {k % columns * kept.grid.block},{k // columns * kept.grid.block}"
