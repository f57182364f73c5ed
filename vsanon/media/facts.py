"""What a media file holds, as told of the file, its streams, its video and its chapters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vsanon.media.atoms import Track
from vsanon.media.formats import Color
from vsanon.media.texts import HIDDEN, PICTURES


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The video stream that is worked on, number `track` of them, counted from 1.

    `size` is (width, height) as decoded, before `crop` (left, top, right and bottom edges that the container hides,
    pixels) is taken off it and `rotation` (degrees) turns it. `turn` is a, b, c, d of the whole display matrix,
    with mirrors, as -1, 0 and 1: x becomes a x + c y, and y becomes b x + d y. `turns_itself` tells that the
    pictures say so, as images do (EXIF), and not their container.

    `bit_rate` is in bit/s. `field_order` is ffmpeg's: progressive, tt, bb, tb, bt or unknown. `hdr` holds the
    static metadata of SMPTE ST 2086 and CTA-861.3 in their own integer units (chromaticity in 1/50000,
    luminance in 0.0001 cd/m², MaxCLL and MaxFALL in cd/m²), or None. `uncarried` names what the stream holds
    beside the picture that encoding the frames again does not keep (captions, dynamic HDR). `hides_alpha` says that
    its alpha lies beside the coded pictures, where neither reader decodes it, as in WebM. `level` is that of H.264
    and H.265, such as "4.1", where the container has the stream's parameters apart.
    """

    index: int
    track: int
    codec: str
    profile: str | None
    pix_fmt: str
    size: tuple[int, int]
    fps: Fraction
    time_base: Fraction
    sar: Fraction | None
    color: Color
    field_order: str
    rotation: int
    turn: tuple[int, int, int, int]
    crop: tuple[int, int, int, int]
    hides_alpha: bool
    hdr: dict[str, Any] | None
    bit_rate: int | None
    uncarried: tuple[str, ...] = ()
    level: str | None = None
    turns_itself: bool = False


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream; `start` is when it begins to be presented, in seconds, or None where the file doesn't say.

    `codec` is "tmcd" for a timecode track, and "none" where ffmpeg knows no codec, as for most data streams.
    `depth` is what its sound needs as integers, 16, 24 or 32 bits. `size` is (width, height) of a picture.
    `track` is what the atoms of a QuickTime or MP4 file say of it. `tells` is what its text tells that is no
    speech, such as a position, in words, of sound what goes along with it unseen; see `vsanon.media.telemetry`.
    """

    index: int
    kind: str
    codec: str
    language: str | None
    title: str | None
    disposition: tuple[str, ...]
    start: Fraction | None
    rate: int | None = None
    channels: int | None = None
    layout: str | None = None
    depth: int | None = None
    size: tuple[int, int] | None = None
    track: Track | None = None
    tells: str | None = None

    @property
    def is_picture(self) -> bool:
        """True for cover art and thumbnails, which are video streams only in name."""
        return "attached_pic" in self.disposition

    @property
    def is_unread(self) -> bool:
        """True for subtitles that were not read: pictures, or a codec whose text is not looked into."""
        return self.tells in (HIDDEN, PICTURES)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: `start <= t < stop`, in seconds."""

    start: Fraction
    stop: Fraction
    title: str | None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """A whole file; `metadata_keys` are `place:key`, never with values, `duration` seconds where it says them.

    `names` are those by which editors find the material, reels, clips and UMIDs, by their keys in lower case.
    `unlisted` is what the container holds beside streams and tags, in words; see `vsanon.media.unlisted`.
    """

    path: Path
    container: str
    streams: tuple[StreamFacts, ...]
    video: VideoFacts | None
    chapters: tuple[Chapter, ...]
    timecode: str | None
    metadata_keys: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    duration: Fraction | None = None
    unlisted: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> tuple[StreamFacts, ...]:
        """The streams of one kind, in file order, without cover art."""
        return tuple(s for s in self.streams if s.kind == kind and not s.is_picture)
