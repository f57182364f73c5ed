"""Frames of which some are encoded already: the rest is encoded, and put between their packets."""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vsanon.encode.carry_streams import KEEP
from vsanon.encode.cut import Cut
from vsanon.encode.encoding import EncodeReport, encode
from vsanon.encode.joined import Piece, join
from vsanon.encode.presets import Preset
from vsanon.encode.raw import RawVideo
from vsanon.encode.sound import AS_IS, Sound
from vsanon.media import MediaFacts
from vsanon.timing import FrameRange


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames that are encoded together, or whose packets are taken over from the file before."""

    frames: FrameRange
    taken: bool


def splice(
    frames: Iterable[Sequence[NDArray[Any]]],
    video: RawVideo,
    preset: Preset,
    partial: Path,
    *,
    before: Path,
    stretches: Sequence[Stretch],
    source: MediaFacts,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    cut: Cut | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> EncodeReport:
    """Encode `frames` to `partial` as `encode` does, but for the packets that are taken over.

    Args:
        frames: all of them, also those whose packets are taken over, which are not looked at.
        before: a file of this preset and of as many frames.
        stretches: all frames, in order.
        video, preset, partial, source, keep, sound, cut, on_frame: as for `encode`; errors too.
    """
    told, rest, line = on_frame or (lambda _: None), iter(frames), video.timeline
    pieces: list[Piece] = []
    made: list[Path] = []
    try:
        for taken, together in groupby(stretches, key=lambda stretch: stretch.taken):
            spans = [stretch.frames for stretch in together]
            if taken:
                first, stop = spans[0].start, spans[-1].stop
                deque(map(told, (n for n, _ in zip(range(first, stop), rest, strict=False))), maxlen=0)
                pieces.append(Piece(before, stop - first, first))
                continue
            for span in spans:
                path = partial.with_name(f"{partial.stem}.{span.start}{partial.suffix}")
                made.append(path)
                own = line.part(span.start, span.stop)
                shifted = functools.partial(_shifted, told, span.start)
                encode(islice(rest, len(span)), replace(video, timeline=own), preset, path, on_frame=shifted)
                pieces.append(Piece(path, len(span)))
        return join(pieces, video, preset, partial, source=source, keep=keep, sound=sound, cut=cut)
    finally:
        for path in made:
            path.unlink(missing_ok=True)


def _shifted(told: Callable[[int], None], begins: int, n: int) -> None:
    told(begins + n)
