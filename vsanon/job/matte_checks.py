"""Does a written matte show the weights that were sent? Compares the decoded file with them, as a delivery is."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from numpy.typing import NDArray

from vsanon.encode import RawVideo
from vsanon.encode.presets import Preset
from vsanon.job.block_means import scales
from vsanon.job.checks import Check
from vsanon.job.painted import PaintedFrames
from vsanon.job.picture_checks import IN_PLACE, IN_TIME, WHOLE, PictureLook
from vsanon.job.tolerances import allowed_for
from vsanon.media import Picture


class MatteLook:
    """Notes the frames on their way to the encoder, and then looks at those of its file; use with `with`.

    Args:
        video: what the frames are.
        preset: how they are encoded.
    """

    def __init__(self, video: RawVideo, preset: Preset) -> None:
        before, self._after = scales(video, preset)
        self._kept = PaintedFrames(video.size, before)
        self._allowed = allowed_for(video, preset, preset.tolerance)
        self._look: PictureLook | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *of_error: object) -> None:
        self._kept.__exit__(*of_error)

    def noting(self, frames: Iterator[Sequence[NDArray[Any]]]) -> Iterator[Sequence[NDArray[Any]]]:
        """The frames as they come, each noted."""
        for planes in frames:
            self._kept.add(planes, planes, ())
            yield planes

    def __call__(self, picture: Picture) -> None:
        """Look at the next frame of the file."""
        if self._look is None:
            self._look = PictureLook(self._kept, self._after, *self._allowed)
        self._look(picture)

    def checks(self) -> list[Check]:
        """What was seen: the frames as wholes, in time and in place; a file without a frame has failed."""
        look = self._look or PictureLook(self._kept, self._after, *self._allowed)
        return [check for check in look.checks() if check.name in (WHOLE, IN_TIME, IN_PLACE)]
