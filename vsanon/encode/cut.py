"""A part of a source that is delivered alone: what becomes of its chapters and of its texts."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vsanon.media import Chapter

_TICK = 1_000_000


@dataclass(frozen=True, slots=True)
class Cut:
    """What of the source is delivered: `start <= t < stop` of its time, in seconds.

    `timecode` is that of the first frame, where it has one.

    Raises:
        ValueError: nothing lies between them.
    """

    start: Fraction
    stop: Fraction
    timecode: str | None = None

    def __post_init__(self) -> None:
        if not self.start < self.stop:
            raise ValueError(f"a cut needs start < stop, got {self.start} and {self.stop}")


def chapters_in(chapters: Sequence[Chapter], cut: Cut) -> tuple[Chapter, ...]:
    """The chapters that lie in a part, clipped to it and in its own time.

    Examples:
        >>> whole = [Chapter(Fraction(0), Fraction(4), "A"), Chapter(Fraction(4), Fraction(9), "B")]
        >>> [(int(c.start), int(c.stop), c.title) for c in chapters_in(whole, Cut(Fraction(3), Fraction(6)))]
        [(0, 1, 'A'), (1, 3, 'B')]
    """
    return tuple(
        Chapter(max(c.start, cut.start) - cut.start, min(c.stop, cut.stop) - cut.start, c.title)
        for c in chapters
        if c.start < cut.stop and c.stop > cut.start
    )


def chapter_input(chapters: Sequence[Chapter]) -> list[str]:
    """ffmpeg's arguments for an input that holds nothing but these chapters, without titles."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        times = (round(t * _TICK) for t in (chapter.start, chapter.stop))
        lines += ["[CHAPTER]", f"TIMEBASE=1/{_TICK}", *map("{}={}".format, ("START", "END"), times)]
    text = base64.b64encode("\n".join(lines).encode()).decode()
    return ["-f", "ffmetadata", "-i", f"data:text/plain;base64,{text}"]


def text_filter(cut: Cut) -> str:
    """ffmpeg's filter of packets that drops the texts outside of a part, and clips those at its ends.

    Its times are those of the part, so that it begins at 0.
    """
    length = f"{cut.stop - cut.start}"
    outside = f"gte(pts*tb\\,{length})+lte((pts+duration)*tb\\,0)"
    begins = "max(PTS\\,0)"
    lasts = f"min(DURATION+min(PTS\\,0)\\,{length}/TB-{begins})"
    return f"noise=drop='{outside}',setts=pts='{begins}':dts='{begins}':duration='{lasts}'"
