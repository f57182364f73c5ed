"""Open a file as a clip: BestSource for the frames and their timestamps, PyAV for what the container says."""

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import vapoursynth as vs

from vsanon.errors import InputError
from vsanon.files import open_plain, require_name
from vsanon.media import MediaFacts, VideoFacts, probe
from vsanon.media.atoms import timecode_at
from vsanon.media.best_source import DECODED_MB, decoded_mb, filter_version, indexed
from vsanon.media.formats import pixel_format
from vsanon.media.frame_rate import FASTEST, NO_PTS, timeline_of
from vsanon.media.once import Once, plan
from vsanon.media.packets import last_stays, packet_times
from vsanon.media.reading import beginning, plain_reader
from vsanon.media.shown import constant, field_order, shown, with_fields
from vsanon.timing import Timeline

log = logging.getLogger(__name__)

CACHE_MB = 1024
"""VapourSynth's own frame cache in a file's job; its default is half of the machine's memory."""

type Access = Literal["in order", "to and fro", "leaps"]
"""How frames are asked for: one after the other, as by a person who steps both ways, or here and there."""

_BACK = 20
"""How many frames before one that is leapt to BestSource keeps, by itself. Without them each step back decodes all
from the key frame on."""
_BACK_MB = 640
"""The most memory for them: 25 frames of 4K in ten bits."""
_OF_ACCESS: dict[Access, dict[str, int]] = {
    "in order": {},
    "to and fro": {"seekpreroll": _BACK, "maxdecoders": 1},
    "leaps": {"seekpreroll": 0, "maxdecoders": 1},
}
"""By itself BestSource holds four decoders, of 600 MB each in 4K. One that leaps begins at the very key frame. Any
knows by hashes where it is, and gives the same frames."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened.

    Args:
        path: the file.
        clip: its frames in presentation order, upright (rotation applied), of constant format.
        timeline: when each frame is shown, in the container's time base.
        facts: what the container and its streams say.
        video: what they say of the video stream.
        field_order: "progressive", or the field that is shown first: "tt" or "bb".
        rate_assumed: the stream carries no timestamps, and the rate is a guess.
        filter_version: of the source filter; frame numbers are its.
        not_shown: what of the picture the clip does not have, and what lies beside it later on, in words.
        counted: the times are those of the packets in their order, as AVI has no other ones.
        once: where it is decoded only once: what gives the frames, under `IntactCheck`.
    """

    path: Path
    clip: vs.VideoNode
    timeline: Timeline
    facts: MediaFacts
    video: VideoFacts
    field_order: str
    rate_assumed: bool
    filter_version: str
    not_shown: tuple[str, ...] = ()
    counted: bool = False
    once: Once | None = None

    @property
    def readers(self) -> tuple[str, ...]:
        """What decodes it: whose frames are worked on, and what finds damage where that is another one."""
        if self.once is None:
            return self.filter_version, plain_reader()
        return (plain_reader(), *([self.filter_version] if self.once.missed else []))

    def lacking(self, beside: Iterable[str]) -> "Source":
        """The same with what lies beside its samples, in words, in `not_shown` where `video` does not tell it."""
        more = (words for words in beside if words not in self.video.uncarried)
        return replace(self, not_shown=(*self.not_shown, *more))

    @property
    def first_timecode(self) -> str | None:
        """That of the first picture: another than the file's own where the picture begins after it."""
        tracks = tuple(s.track for s in self.facts.streams if s.track is not None)
        return timecode_at(tracks, self.timeline.seconds(0)) or self.facts.timecode


def open_source(
    path: Path, video_track: int | None = None, *, access: Access = "in order", once: bool = False
) -> Source:
    """Open a file.

    The index that BestSource makes goes to the cache folder, never beside the file.

    Args:
        path: the file.
        video_track: which of its video tracks, counted from 1; None for what `probing.video_stream` chooses.
        access: how its frames are asked for; they are the same.
        once: it is read front to back, under an `IntactCheck`, and is decoded only once where it is of such a kind.

    Raises:
        InputError: no such file, no video, not decodable, or its format or size changes on the way.
        MissingError: BestSource is not installed, or the cache folder can't be written.
    """
    facts, video = _facts(path, video_track)
    if once:
        reader = plan(path, facts, video)
        if isinstance(reader, Once):
            return _read_once(path, facts, video, reader)
        log.info("%s: is decoded for an index, for its frames and for damage: %s", path, reader)
    cache_mb = _cache_mb(video, access)
    found = indexed(path, video.index, cache_mb, exporttimestamps=True, **_OF_ACCESS[access])
    clip, not_shown = shown(path, constant(path, found["clip"]), video)
    base = Fraction(found["timebasenum"], found["timebaseden"])
    raw = found["timestamps"]
    pts = [int(p) for p in (raw if isinstance(raw, (list, tuple)) else [raw])]
    counted = packet_times(path, video.track) if facts.container == "avi" else None
    if counted is not None and len(counted[0]) == len(pts):
        pts, base = list(counted[0]), counted[1]
    else:
        counted = None
    begins = beginning(path, video.track)
    if begins.first is not None:
        skipped = sum(1 for p in pts if p != NO_PTS and p * base < begins.first * begins.time_base)
        clip, pts = clip[skipped:], pts[skipped:]
        before = f"{begins.left_out} pictures before the first key frame, without which they can't be decoded"
        not_shown = (*not_shown, before)
    timeline, assumed = timeline_of(path, pts, base, video.fps)
    if rate := timeline.fps if assumed else _of_spans(timeline, clip):
        clip = clip.std.AssumeFPS(fpsnum=rate.numerator, fpsden=rate.denominator)
    if timeline.is_vfr and (stays := last_stays(path, timeline, video.track)) is not None:
        not_shown = (*not_shown, f"how long its last picture stays ({float(stays):.3g} s)")
    order = field_order(path, clip, video)
    return Source(
        path,
        with_fields(clip, order),
        timeline,
        facts,
        video,
        order,
        assumed,
        filter_version(),
        not_shown,
        counted is not None,
    )


def _of_spans(timeline: Timeline, clip: vs.VideoNode) -> Fraction | None:
    """By which rate spans in seconds are counted in frames, where frames are uneven and the clip's own is far off.

    Its own is a mean, or one tick of the clock: half a second would be too few frames to cover, or far too many.
    """
    if not timeline.is_vfr or not clip.fps:
        return None
    rate = min(timeline.densest, Fraction(FASTEST))
    return None if Fraction(4, 5) <= rate / clip.fps <= Fraction(5, 4) else rate


def _read_once(path: Path, facts: MediaFacts, video: VideoFacts, once: Once) -> Source:
    clip = once.clip(lambda: _of_the_same_times(path, video, once))
    clip, not_shown = shown(path, constant(path, clip), video)
    return Source(
        path, clip, once.timeline, facts, video, "progressive", False, filter_version(), not_shown, once=once
    )


def _of_the_same_times(path: Path, video: VideoFacts, once: Once) -> vs.VideoNode:
    """BestSource's clip, whose frames have the numbers and times of those that were decoded once."""
    found = indexed(path, video.index, _cache_mb(video), exporttimestamps=True)
    raw, clip = found["timestamps"], found["clip"]
    if tuple(raw if isinstance(raw, (list, tuple)) else [raw]) != once.timeline.pts:
        raise once.fails("its packets have other times than its frames")
    return constant(path, clip)


def open_clip(path: Path, video_track: int | None = None) -> tuple[vs.VideoNode, VideoFacts]:
    """The frames of `open_source`, and what the container says of them, for scripts, which know no timestamps.

    Raises:
        As for `open_source`.
    """
    _, video = _facts(path, video_track)
    clip, not_shown = shown(path, constant(path, indexed(path, video.index, _cache_mb(video))), video)
    for words in not_shown:
        log.warning("%s: not shown: %s", path, words)
    if clip.fps > FASTEST:  # the ticks of a raw stream, which has no timestamps
        clip = clip.std.AssumeFPS(fpsnum=video.fps.numerator, fpsden=video.fps.denominator)
    return with_fields(clip, field_order(path, clip, video)), video


def bound_cache(held: int = 0, access: Access = "in order") -> None:
    """Bound VapourSynth's frame cache, for this process: to `CACHE_MB`, and `held` bytes for what must stay.

    Who goes to and fro has the frames kept by BestSource, and needs few of them twice.
    """
    vs.core.max_cache_size = (CACHE_MB if access == "in order" else CACHE_MB // 4) + (held >> 20)


def vapoursynth_release() -> int:
    """The release of VapourSynth, such as 81."""
    return vs.__version__.release_major


def threads() -> int:
    """How many threads VapourSynth works with."""
    return vs.core.num_threads


_OPENED = re.compile(r"/dev/(stdin|stdout|stderr|fd/.*)|/proc/.*/fd/.*")
"""Names that mean something else to each program. Other files of /dev may be films: /dev/shm is memory."""


def _require_file(path: Path) -> None:
    require_name(path.absolute())
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a video file")
    if not path.is_file():
        if path.exists():
            raise InputError(
                f"{path} is a pipe or a device, and no file: write what comes out of it to a file first"
            )
        raise InputError(f"{path}: no such file")
    if _OPENED.fullmatch(path.absolute().as_posix()):
        raise InputError(f"{path} is what this program has open, and no other can open it: name the file itself")
    try:
        with open_plain(path) as file:
            # What has no size is no file that holds a film, such as those of /proc, which may make readers wait.
            empty = os.fstat(file.fileno()).st_size == 0
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    if empty:
        raise InputError(f"{path}: the file is empty")


def _cache_mb(video: VideoFacts, access: Access = "in order") -> int:
    """Memory for decoded frames, MiB."""
    found = pixel_format(video.pix_fmt)
    samples = sum(rows * columns for rows, columns in found.plane_shapes(video.size))
    kept = decoded_mb(samples * found.sample_bytes) if found.planar else DECODED_MB
    if access != "to and fro" or not found.planar:
        return kept
    return max(kept, min(_BACK_MB, 1 + ((_BACK + 4) * samples * found.sample_bytes >> 20)))


def _facts(path: Path, video_track: int | None) -> tuple[MediaFacts, VideoFacts]:
    _require_file(path)
    facts = probe(path, video_track)
    if facts.video is None:
        raise InputError(f"{path}: there is no video in it")
    return facts, facts.video
