"""Does the painting hide what it should? Looks at painted frames beside the source's, blind to how they were made.

Of each region, what its boxes ask for is found anew (`regions`), and its samples are looked at in full resolution,
in every plane (`region_samples`): a fixed fill must be that very colour, what takes the colour of its surroundings
must be of one tone, each cell of a mosaic must be of one colour, and all else must keep nothing of the source's
detail. Outside the regions nothing may differ in a bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.colour import RGB, SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL, Fill
from vsanon.covering.masks import PlaneMask
from vsanon.covering.ramps import STEPS
from vsanon.job.checks import Check
from vsanon.job.region_samples import look, neighbours
from vsanon.job.regions import Region

PAINTED = "regions are painted as the profile says"
UNTOUCHED = "nothing outside the regions was painted"


@dataclass(slots=True)
class PaintingSeen:
    """What was seen of the painting of some frames.

    Args:
        frames, regions: how many.
        untold: regions with too little detail under them to tell.
        outside: planes that differ from the source outside of all regions, in words.
        bare: planes of regions that are not painted as they should be, in words.
    """

    frames: int = 0
    regions: int = 0
    untold: int = 0
    outside: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)

    def add(self, more: "PaintingSeen") -> None:
        """Add what was seen of the frames that follow."""
        self.frames, self.regions = self.frames + more.frames, self.regions + more.regions
        self.untold += more.untold
        self.outside += more.outside
        self.bare += more.bare

    def checks(self) -> list[Check]:
        """As the job's checks say it."""
        outside, bare = self.outside, self.bare
        untold = f"; {self.untold} could not be told: too little detail lies under them" if self.untold else ""
        return [
            Check(
                UNTOUCHED,
                not outside,
                "the source's own bits",
                f"{len(outside)} planes differ, the first in {outside[0]}" if outside else "the same",
            ),
            Check(
                PAINTED,
                not bare and self.frames > 0,
                "the fill, one tone, cells of one colour, the picture, or no detail of the source",
                (f"{len(bare)} planes of regions, first: {bare[0]}" if bare else f"{self.regions} regions on "
                 f"{self.frames} frames") + untold,
            ),
        ]  # fmt: skip


class PaintingLook:
    """Looks at every painted frame, in order.

    Args:
        fill: as for `effects.paint`.
        first: the number of the first frame.
    """

    def __init__(self, fill: Fill, first: int = 0) -> None:
        self._fill: RGB = FILL if isinstance(fill, str) else fill
        self._first = first
        self.seen = PaintingSeen()

    def add(
        self,
        painted: Sequence[NDArray[Any]],
        source: Sequence[NDArray[Any]],
        regions: Sequence[Region],
        fmt: SampleFormat,
    ) -> tuple[int, ...]:
        """Look at the next frame.

        Args:
            painted, source: planes in ffmpeg's order, alpha last where there is one.
            regions: what its boxes ask for.
            fmt: how the clip stores colour.

        Returns:
            Of each plane the code value that every sample of every core was seen to have; nothing where not all do.
        """
        seen, n = self.seen, self._first + self.seen.frames
        seen.frames += 1
        fill = np.atleast_1d(rgb_to_code(np.array(self._fill, np.uint8), fmt))
        colours = len(fill)
        order = (1, 2, 0) if fmt.family == "rgb" else tuple(range(colours))
        fill = fill[list(order)]
        told = [False] * len(regions)
        codes: list[int] = []
        all_fixed = not fmt.is_float and all(region.method == "fixed" for region in regions)
        masks: list[PlaneMask] = []
        for p, (now, was) in enumerate(zip(painted, source, strict=True)):
            own = [region.masks[p if p < colours else 0] for region in regions]
            if not (masks and all(a is b for a, b in zip(masks, own, strict=True))):
                masks, near = own, None  # the planes of chroma have the same ones
                cores, clear = [mask.steps == STEPS for mask in masks], [mask.steps == 0 for mask in masks]
            if _differs_outside(now, was, masks, clear):
                seen.outside.append(f"frame {n}, plane {p}")
            if all_fixed and p < colours:
                # Where every core is of the fill, and no other kind of paint is near, `look` finds just that.
                code = now.dtype.type(fill[p])
                wrong = [i for i, (mask, core) in enumerate(zip(masks, cores, strict=True))
                         if ((now[mask.window] != code) & core).any()]  # fmt: skip
                if not wrong:
                    told = [True] * len(regions)
                    codes.append(int(code))
                    continue
            near = neighbours(masks) if near is None else near
            share_y, share_x = (was.shape[k] / source[0].shape[k] for k in (0, 1))
            for i, (region, close) in enumerate(zip(regions, near, strict=True)):
                if p < colours:
                    beside, theirs = [masks[k] for k in close], [regions[k] for k in close]
                    drawn = region.drawn[order[p]] if region.drawn else None
                    paint = (fill[p], drawn, region.tones[order[p]] if region.tones else None)
                    bare, could = look(
                        now, was, beside, close.index(i), theirs, paint, (share_x, share_y), fmt.bits
                    )
                    told[i] |= could
                else:
                    opaque = 1 if fmt.is_float else (1 << fmt.bits) - 1
                    bared = now[masks[i].window][cores[i]] != opaque
                    bare = f"{int(bared.sum())} samples of its alpha are not opaque" if bared.any() else ""
                if bare:
                    seen.bare.append(f"frame {n}, {region.name}, plane {p}: {bare}")
        seen.regions += len(regions)
        seen.untold += told.count(False)
        return tuple(codes) if len(codes) == len(painted) else ()

    def checks(self) -> list[Check]:
        """What was seen."""
        return self.seen.checks()


def _bits(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.view(np.uint32) if samples.dtype == np.float32 else samples


def _differs_outside(
    now: NDArray[Any], was: NDArray[Any], masks: Sequence[PlaneMask], clear: Sequence[NDArray[np.bool_]]
) -> bool:
    """Whether a sample without weight has other bits than the source's; `clear`: of each mask, which have none."""
    if now.ctypes.data == was.ctypes.data and now.strides == was.strides:
        return False  # the source's own memory: nothing was painted in this plane
    differs = _bits(now) != _bits(was)
    for mask, free in zip(masks, clear, strict=True):
        differs[mask.window] &= free
    return bool(differs.any())
