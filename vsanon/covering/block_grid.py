"""How far a box grows for the block grid of its source's codec, which carries traces of what is hidden."""

from collections.abc import Mapping

from vsanon.covering.shapes import Edges

GRID = 8
"""Block grid of the source's codec in pixels, where nobody says better: the transform of H.264, MPEG-2 and ProRes.

How far traces of what a box shows are covered goes by it, see `reach_px`: at most 4 px, since
`scripts/measure_ringing.py` finds at most 0.1 % of a patch's variance from 4 to 8 px away on a quiet background, on
a textured one 0.5 to 2 % with the encoder's own noise."""

_GRIDS: Mapping[str, int] = {
    "vp9": 32,
    "av1": 64,
    "vvc": 64,
    "ffv1": 1,
    "rawvideo": 1,
    "utvideo": 1,
    "huffyuv": 1,
    "png": 1,
}
"""Largest transforms of codecs that do not have `GRID`; 1 for those that leave no traces."""

REACH_PX = 4.0
"""The most that `reach_px` gives."""


def grid_of(codec: str) -> int:
    """The block grid for footage that was coded with `codec`, by ffmpeg's name; `GRID` where nothing is known."""
    return _GRIDS.get(codec, GRID)


def reach_px(grid: int) -> float:
    """How far around what is hidden its traces are covered, pixels, for a source of this block grid.

    By `scripts/measure_ringing.py`; a mask that followed the blocks themselves would jump with them.
    """
    return min(grid / 2, REACH_PX) if grid > 1 else 0.0


def reaches_px(grid: int, *, interlaced: bool) -> tuple[float, float]:
    """`reach_px` across and down: each field of an interlaced source is coded on its own, so twice as far down."""
    across = reach_px(grid)
    return across, 2 * across if interlaced else across


def grow_to_grid(box: Edges, grown: Edges, reach: tuple[float, float]) -> Edges:
    """The box with its margins, `grown`, where those are less than the `reach` across and down around the box."""
    (x0, y0, x1, y1), (across, down) = box, reach
    left, top, right, bottom = grown
    return min(left, x0 - across), min(top, y0 - down), max(right, x1 + across), max(bottom, y1 + down)
