"""A witness beside the painter: takes every painted frame with the source's and the tracks that it had to cover.

It looks at the painting, and keeps what the encoded file is compared with. `verify` makes it look at the same
frames once more.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vsanon import filters, turns
from vsanon.covering.looks import AVERAGED
from vsanon.detections import TrackedBoxes
from vsanon.encode import RawVideo
from vsanon.encode.presets import Preset, Tolerance
from vsanon.filters import props
from vsanon.filters.clips import ahead, first_props, format_of, keep, taken_once
from vsanon.filters.paint import boxes_of
from vsanon.job.block_means import scales
from vsanon.job.checks import Check
from vsanon.job.frames import planes_of
from vsanon.job.ledger import Painting
from vsanon.job.painted import PaintedFrames
from vsanon.job.picture_checks import PictureLook
from vsanon.job.region_checks import PaintingLook, PaintingSeen
from vsanon.job.region_digests import RegionDigests
from vsanon.job.regions import regions_of
from vsanon.job.tolerances import allowed_for
from vsanon.tracking.miniature import U16

_SOURCE, _TRACKS = "VsanonWitnessSource", "VsanonWitnessTracks"


def digests_of(painting: Painting) -> RegionDigests:
    """What takes the boxes of every frame for the ledger."""
    return RegionDigests(colours=painting.profile in AVERAGED, painting=painting.facts)


class Witness:
    """Use with `with`: `clip` gives the painted frames, each of which is handed to `add`, in order.

    Args:
        clip: the source.
        data: the tracks; with their tones where the clip is a part of the source, see `filters.around`.
        painting: how they are covered.
        video: what the frames are.
        preset: how they are encoded.
        tolerance: of the encoded file; None for the preset's.
        first: the number of the first frame that is added; the others follow it.

    Raises:
        vs.Error: the clips can't be painted.
    """

    def __init__(
        self,
        clip: filters.VideoNode,
        data: filters.VideoNode,
        painting: Painting,
        video: RawVideo,
        preset: Preset,
        tolerance: Tolerance | None = None,
        first: int = 0,
    ) -> None:
        data = filters.around(clip, data, **painting.toning)
        covered = filters.blur(clip, data, **painting.arguments)
        # Each frame brings what it was made from along: one request for each, whatever the order they are made in.
        keep(data, 2 * ahead(clip))
        self.clip = taken_once(covered.std.ClipToProp(clip, prop=_SOURCE).std.ClipToProp(data, prop=_TRACKS))
        self._format, self._first = format_of(clip), first_props(clip)
        self._painting, self._video = painting, video
        before, after = scales(video, preset)
        self._kept = PaintedFrames(video.size, before)
        self._painted = PaintingLook(painting.fill, first)
        self.digests = digests_of(painting)
        own, picture = tolerance or preset.tolerance, painting.profile == "picture"
        self._picture = (after, *allowed_for(video, preset, own, picture=picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.__exit__(kind, error, trace)

    def add(self, frame: filters.VideoFrame) -> tuple[list[NDArray[Any]], TrackedBoxes]:
        """Look at the next frame.

        Returns:
            Its planes, as `frames.planes_of` gives them, and the boxes that it had to cover.

        Raises:
            CheckError: nothing is known of the frame, or the disk is full.
        """
        with turns.taken():
            return self._add(frame)

    def _add(self, frame: filters.VideoFrame) -> tuple[list[NDArray[Any]], TrackedBoxes]:
        source, tracks = frame.props[_SOURCE], frame.props[_TRACKS]
        found, painting = self._format, self._painting
        boxes = boxes_of(tracks.props, found.size, painting.on_missing)
        painted, was = (planes_of(f, self._video.pix_fmt) for f in (frame, source))
        layout = found.layout(source.props)
        fmt = found.samples(source.props)
        around = props.read_around(tracks.props, len(boxes), layout.planes)
        regions = regions_of(boxes, layout, fmt, profile=painting.profile, grid=painting.grid, fill=painting.fill,
                             picture=painting.picture, shapes=painting.shapes, around=around)  # fmt: skip
        codes = self._painted.add(painted, was, regions, fmt)
        self._kept.add(painted, was, regions, codes)
        self.digests.add(boxes)
        return painted, boxes

    @staticmethod
    def tracks(frame: filters.VideoFrame) -> filters.VideoFrame:
        """The frame of the data clip that the boxes of a frame of `clip` are from."""
        found: filters.VideoFrame = frame.props[_TRACKS]
        return found

    @staticmethod
    def miniature(frame: filters.VideoFrame) -> U16:
        """The miniature of the picture that the boxes of a frame of `clip` belong to."""
        return np.array(frame.props[_TRACKS][0])

    def look(self) -> PictureLook:
        """What looks at the encoded file, once all frames were added."""
        return PictureLook(self._kept, *self._picture, sharp=self._painting.profile == "picture")

    def checks(self, look: PictureLook) -> Sequence[Check]:
        """What was seen of the painting and of the encoded file."""
        return [*self._painted.checks(), *look.checks()]

    @property
    def kept(self) -> PaintedFrames:
        """What was painted, small."""
        return self._kept

    @property
    def seen(self) -> PaintingSeen:
        """What was seen of the painting so far."""
        return self._painted.seen

    @property
    def bytes_kept(self) -> int:
        """What the painted frames take on the disk, until the file was compared with them."""
        return self._kept.bytes_kept
