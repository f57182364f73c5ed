"""Spans of sound that are muted, or bleeped over: when, of which track, and the filter of ffmpeg that does it.

A filter works on single samples, so all others pass as they are. Times may be rounded to a container's ticks on the
way, of a millisecond at most: each span is changed `ROOM_S` longer at either end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

TONE_HZ, LEVEL = 1000, 0.1
"""What is heard in place of bleeped sound: a sine of -20 dB full scale, as broadcasters line up by (EBU R 49)."""

ROOM_S = Fraction(1, 1000)
"""How much longer a span is changed at either end, seconds."""


@dataclass(frozen=True, slots=True)
class SoundChange:
    """What becomes of a span of a sound track.

    Args:
        kind: silence, or a tone.
        track: of the source's sound tracks, counted from 1.
        start, stop: of the span, seconds on the source's clock; None for the beginning or the end of the sound.

    Raises:
        ValueError: no such track, or an empty span.
    """

    kind: Literal["mute", "bleep"]
    track: int
    start: Fraction | None
    stop: Fraction | None

    def __post_init__(self) -> None:
        if self.track < 1:
            raise ValueError("sound tracks are counted from 1")
        if self.start is not None and self.stop is not None and self.start >= self.stop:
            raise ValueError("a span of sound ends after it begins")

    @property
    def facts(self) -> dict[str, object]:
        """As the ledger lists it: exact fractions of a second as text."""
        ends = {name: value if value is None else str(value) for name, value in
                (("start_s", self.start), ("stop_s", self.stop))}  # fmt: skip
        return {"what": self.kind, "track": self.track, **ends}


def filter_of(changes: Sequence[SoundChange], shift: Fraction) -> str:
    """ffmpeg's filter for samples of double precision.

    Args:
        changes: of one track, in any order; where a tone and silence meet, the tone is heard.
        shift: what was taken off the source's times, seconds.
    """

    def within(kind: str) -> str:
        spans = [
            "*".join(
                [
                    *([] if c.start is None else [f"gte(t,{float(c.start - ROOM_S - shift):.9f})"]),
                    *([] if c.stop is None else [f"lt(t,{float(c.stop + ROOM_S - shift):.9f})"]),
                ]
            )
            or "1"
            for c in changes
            if c.kind == kind
        ]
        return "+".join(spans) or "0"

    tone = f"{LEVEL}*sin(2*PI*{TONE_HZ}*t)"
    return f"aeval=exprs='if({within('bleep')},{tone},if({within('mute')},0,val(ch)))':c=same"
