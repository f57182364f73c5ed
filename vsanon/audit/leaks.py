"""What leaves a redacted file beside its main picture: thumbnails, places, devices, sound, text, data; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vsanon.media import MediaFacts, StreamPackets

_PLACE = re.compile(r"location|gps|geo|iso6709|©xyz|\bxyz\b|latitude|longitude|coordinates", re.IGNORECASE)
_DEVICE = re.compile(
    r"make$|model|device|camera|serial|author|artist|owner|creator|copyright|software|firmware|lens|"
    r"creationdate|creation_time|\bdate|reel",
    re.IGNORECASE,
)
_PLACE_STREAMS = ("gpmd", "camm", "rtmd", "gps", "klv", "smpte_klv")
"""Data streams that cameras write their position into."""

_FONTS = ("ttf", "otf")


class Weight(StrEnum):
    """Whether a finding fails an audit, or is only said."""

    FAILS = "fails"
    SAID = "said"


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that leaves with the file, in words that name no value."""

    what: str
    weight: Weight
    detail: str


LEAST_UNUSED, UNUSED_A_PACKET = 2**18, 128
"""Bytes of a file that may belong to no packet, and as many more for each packet: what containers need."""
_STUFFED = ("mpegts", "mpeg", "mxf")
"""Containers that are filled up to a rate or a grid."""


def leaks_of(
    facts: MediaFacts,
    packets: Sequence[StreamPackets],
    before: Sequence[StreamPackets],
    unused: tuple[int, int] = (0, 0),
) -> list[Leak]:
    """What a redacted file carries beside its main picture.

    Args:
        facts: of the redacted file.
        packets, before: the hashes of its sound and subtitles, and of the original's.
        unused: its bytes that belong to no packet, and the number of its packets.
    """
    found: list[Leak] = []
    over, count = unused
    stuffed = any(name in _STUFFED for name in facts.container.split(","))
    if over > LEAST_UNUSED + UNUSED_A_PACKET * count and not stuffed:
        found.append(
            Leak("bytes in no stream", Weight.FAILS, f"{over:,} bytes belong to no picture, sound or text, and "
                 "nobody looked at them: something is attached, appended or left out of the index; remove it")
        )  # fmt: skip
    for stream in facts.streams:
        if stream.is_picture:
            found.append(
                Leak("thumbnail", Weight.FAILS, f"stream {stream.index} is an attached picture ({stream.codec}): "
                     "what it shows was not redacted with the frames, as far as can be told; remove it")
            )  # fmt: skip
    videos = [s for s in facts.streams if s.kind == "video" and not s.is_picture]
    for stream in videos[1:]:
        found.append(
            Leak("second picture", Weight.FAILS, f"stream {stream.index} is another video stream ({stream.codec}), "
                 "which was not looked at; remove it")
        )  # fmt: skip
    for key in facts.metadata_keys:
        place, _, name = key.partition(":")
        if _PLACE.search(name):
            found.append(Leak("location", Weight.FAILS, f"a tag of the {place}: {name}"))
        elif _DEVICE.search(name):
            found.append(Leak("device or person", Weight.SAID, f"a tag of the {place}: {name}"))
    for stream in facts.streams:
        name = f"{stream.codec} {stream.title or ''}".lower()
        if stream.kind == "data" and any(word in name for word in _PLACE_STREAMS):
            found.append(Leak("location", Weight.FAILS, f"stream {stream.index} is telemetry of a camera"))
        elif stream.kind == "attachment" and stream.codec not in _FONTS:
            found.append(Leak("attachment", Weight.FAILS, f"stream {stream.index} is an attached file "
                              f"({stream.codec}), which was not looked at; remove it"))  # fmt: skip
        elif stream.kind in ("data", "attachment") and stream.codec != "tmcd":
            found.append(Leak("data stream", Weight.SAID, f"stream {stream.index}, {stream.kind}, {stream.codec}"))
        elif stream.kind == "subtitle" and stream.tells is not None and "position" in stream.tells:
            found.append(Leak("location", Weight.FAILS, f"stream {stream.index}, subtitles, tells {stream.tells}"))
        elif stream.kind == "subtitle":
            found.append(Leak("subtitles", Weight.SAID, f"stream {stream.index} may name people or places"))
    same = {(p.kind, p.sha256) for p in before}
    for packet in packets:
        if packet.kind == "audio":
            whose = "the original's, packet by packet" if (packet.kind, packet.sha256) in same else "encoded anew"
            found.append(Leak("sound", Weight.SAID, f"stream {packet.index}: {whose}; voices were not judged"))
    if any(chapter.title for chapter in facts.chapters):
        found.append(Leak("chapters", Weight.SAID, f"{len(facts.chapters)} chapters have titles"))
    if facts.video is not None and (words := facts.video.uncarried):
        found += [Leak("in the picture's stream", Weight.SAID, word) for word in words]
    found += [Leak("beside the streams", Weight.SAID, words) for words in facts.unlisted]
    return found
