"""The timecode in the headers of MPEG-2's groups of pictures, which an encoder counts from its own first frame."""

from fractions import Fraction

from vsanon.timing import Clock

_GROUP = b"\x00\x00\x01\xb8"
_MARKER = 1 << 12
"""Always set, between minutes and seconds, so that no start code is written by chance."""


def numbered(packet: bytes, clock: Clock, n: int) -> bytes:
    """A packet of MPEG-2 whose group of pictures, if one begins in it, has the timecode of frame `n`.

    ISO/IEC 13818-2, 6.2.2.6: after the start code 25 bits, of which drop-frame 1, hours 5, minutes 6, a marker,
    seconds 6, pictures 6.
    """
    at = packet.find(_GROUP) + len(_GROUP)
    if at < len(_GROUP) or len(packet) < at + 4:
        return packet
    hours, minutes, seconds, frames = (int(part) for part in clock.at(n).replace(";", ":").split(":"))
    code = clock.drop << 24 | hours << 19 | minutes << 13 | _MARKER | seconds << 6 | frames & 63
    rest = int.from_bytes(packet[at : at + 4], "big") & 0x7F
    return packet[:at] + (code << 7 | rest).to_bytes(4, "big") + packet[at + 4 :]


def clock_of(fps: Fraction, timecode: str | None) -> Clock:
    """The clock by which groups are numbered: that of the file's timecode, or from 0 where it has none."""
    try:
        return Clock.of(fps, timecode)
    except ValueError:
        return Clock(max(round(fps), 1), False, 0)
