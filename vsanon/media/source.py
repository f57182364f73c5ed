"""Open a file as a clip: BestSource for the frames and their timestamps, PyAV for what the container says."""

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import vapoursynth as vs

from vsanon import stops
from vsanon.errors import InputError, MissingError
from vsanon.files import cache_root, open_plain, require_name, sha256_file
from vsanon.media import MediaFacts, VideoFacts, probe
from vsanon.media.packets import packet_times
from vsanon.media.reading import beginning
from vsanon.timing import Timeline

log = logging.getLogger(__name__)

SOURCE_FILTER = "bs.VideoSource"

CACHE_MB = 1024
"""VapourSynth's own frame cache in a file's job; its default is half of the machine's memory."""

DECODED_MB = 128
"""Decoded frames that BestSource keeps beside it; its default is as much as `CACHE_MB`."""

_NO_PTS = -(2**63)
_DIGITS = 16
"""How many digits of an index's SHA-256 stand in its name."""
_FASTEST = 1000
_MILLISECOND = Fraction(1, 1000)


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
        not_shown: what of the picture the clip does not have, in words.
        counted: the times are those of the packets in their order, as AVI has no other ones.
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


def open_source(path: Path, video_track: int | None = None) -> Source:
    """Open a file.

    The index that BestSource makes goes to the cache folder, never beside the file.

    Args:
        path: the file.
        video_track: which of its video tracks, counted from 1; None for what `probing.video_stream` chooses.

    Raises:
        InputError: no such file, no video, not decodable, or its format or size changes on the way.
        MissingError: BestSource is not installed, or the cache folder can't be written.
    """
    facts, video = _facts(path, video_track)
    found = _indexed(path, video.index, exporttimestamps=True)
    clip, not_shown = _shown(path, _constant(path, found["clip"]), video)
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
        skipped = sum(1 for p in pts if p != _NO_PTS and p * base < begins.first * begins.time_base)
        clip, pts = clip[skipped:], pts[skipped:]
        before = f"{begins.left_out} pictures before the first key frame, without which they can't be decoded"
        not_shown = (*not_shown, before)
    timeline, assumed = _timeline(path, pts, base, video.fps)
    if assumed:
        clip = clip.std.AssumeFPS(fpsnum=timeline.fps.numerator, fpsden=timeline.fps.denominator)
    order = _field_order(clip, video)
    return Source(
        path,
        _with_fields(clip, order),
        timeline,
        facts,
        video,
        order,
        assumed,
        _version(),
        not_shown,
        counted is not None,
    )


def open_clip(path: Path, video_track: int | None = None) -> tuple[vs.VideoNode, VideoFacts]:
    """The frames of `open_source`, and what the container says of them, for scripts, which know no timestamps.

    Raises:
        As for `open_source`.
    """
    _, video = _facts(path, video_track)
    clip, not_shown = _shown(path, _constant(path, _indexed(path, video.index)), video)
    for words in not_shown:
        log.warning("%s: not shown: %s", path, words)
    if clip.fps > _FASTEST:  # the ticks of a raw stream, which has no timestamps
        clip = clip.std.AssumeFPS(fpsnum=video.fps.numerator, fpsden=video.fps.denominator)
    return _with_fields(clip, _field_order(clip, video)), video


def forget_index(path: Path) -> None:
    """Remove the index of a file that is about to go; the name of an index follows from its file."""
    if hasattr(vs.core, "bs"):
        for index in _index_folder().glob(f"{_index_key(path)}-*"):
            index.unlink(missing_ok=True)


def bound_cache(held: int = 0) -> None:
    """Bound VapourSynth's frame cache, for this process: to `CACHE_MB`, and `held` bytes for what must stay."""
    vs.core.max_cache_size = CACHE_MB + (held >> 20)


def vapoursynth_release() -> int:
    """The release of VapourSynth, such as 81."""
    return vs.__version__.release_major


def threads() -> int:
    """How many threads VapourSynth works with."""
    return vs.core.num_threads


def best_source_version() -> str | None:
    """The version of BestSource, such as "22.0"; None where it is not loaded."""
    if not hasattr(vs.core, "bs"):
        return None
    version = vs.core.bs.version
    return f"{version.major}.{version.minor}"


def _require_file(path: Path) -> None:
    require_name(path.absolute())
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a video file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with open_plain(path) as file:
            empty = not file.read(1)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    if empty:
        raise InputError(f"{path}: the file is empty")


def _facts(path: Path, video_track: int | None) -> tuple[MediaFacts, VideoFacts]:
    _require_file(path)
    facts = probe(path, video_track)
    if facts.video is None:
        raise InputError(f"{path}: there is no video in it")
    return facts, facts.video


def _constant(path: Path, clip: vs.VideoNode) -> vs.VideoNode:
    if clip.format is None or clip.format.color_family == vs.UNDEFINED or clip.width == 0:
        raise InputError(f"{path}: its format or size changes within the stream: convert it to one format first")
    if clip.format.sample_type == vs.FLOAT and clip.format.bits_per_sample == 16:
        clip = clip.resize.Point(format=_single(clip.format))  # exact; no filter paints halves
    return clip


def _single(found: vs.VideoFormat) -> int:
    """The format with floats of 32 bits."""
    return vs.core.query_video_format(
        found.color_family, vs.FLOAT, 32, found.subsampling_w, found.subsampling_h
    ).id  # fmt: skip


_SIDES = ("left", "top", "right", "bottom")


def _shown(path: Path, clip: vs.VideoNode, video: VideoFacts) -> tuple[vs.VideoNode, tuple[str, ...]]:
    """The clip without the edges that its container hides, and what else of the picture it does not have, in words.

    VapourSynth holds no picture of odd size whose chroma is halved, and its reader leaves the last column or row
    off. Such chroma can't be cut at an odd place either: there one column or row more is hidden, never one less.
    """
    assert clip.format is not None
    width, height = video.size if video.turn[0] else video.size[::-1]
    gone = (0, 0, max(width - clip.width, 0), max(height - clip.height, 0))
    across, down = 1 << clip.format.subsampling_w, 1 << clip.format.subsampling_h
    if video.field_order not in ("progressive", "unknown"):
        down *= 2  # both fields lose as many rows, so that which of them comes first stays
    hidden = _turned(video.crop, video.turn)
    asked = [max(edge - less, 0) for edge, less in zip(hidden, gone, strict=True)]
    cut = [-(-edge // step) * step for edge, step in zip(asked, (across, down, across, down), strict=True)]
    if cut[0] + cut[2] >= clip.width or cut[1] + cut[3] >= clip.height:
        raise InputError(f"{path}: its container crops the whole picture away: remux it without that")
    if any(cut):
        clip = _cropped(clip, *cut)
    less = [c + g - edge for c, g, edge in zip(cut, gone, hidden, strict=True)]
    return clip, tuple(
        f"{count} {'column' if n % 2 == 0 else 'row'}{'s' if count > 1 else ''} of the picture at the {_SIDES[n]}: "
        "where chroma is halved, sizes and places are even here"
        for n, count in enumerate(less)
        if count > 0
    )


def _cropped(clip: vs.VideoNode, left: int, top: int, right: int, bottom: int) -> vs.VideoNode:
    edges = {"left": left, "top": top, "right": right, "bottom": bottom}
    with clip.get_frame(0) as frame:
        alpha = "_Alpha" in frame.props
    inner = clip.std.Crop(**edges)
    return inner.std.ClipToProp(clip.std.PropToClip("_Alpha").std.Crop(**edges), "_Alpha") if alpha else inner


def _turned(edges: tuple[int, int, int, int], turn: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a picture once it is turned and mirrored, by `turn` of `VideoFacts`."""
    a, b, c, d = turn
    outward = ((-1, 0), (0, -1), (1, 0), (0, 1))
    place = {(a * x + c * y, b * x + d * y): edge for (x, y), edge in zip(outward, edges, strict=True)}
    left, top, right, bottom = (place[side] for side in outward)
    return left, top, right, bottom


def _with_fields(clip: vs.VideoNode, order: str) -> vs.VideoNode:
    """The clip with one field order: some frames of an interlaced stream are flagged progressive, and covering by
    field is right for both."""
    if order == "progressive":
        return clip
    return clip.std.SetFieldBased(int(vs.FIELD_TOP if order == "tt" else vs.FIELD_BOTTOM))


def _indexed(path: Path, track: int, **options: Any) -> Any:
    """What BestSource answers, with its index kept in the cache folder; one that is damaged is made again."""
    if not hasattr(vs.core, "bs"):
        raise MissingError("BestSource is missing: install the package vapoursynth-bestsource beside vapoursynth")
    key, options = f"{_index_key(path)}-{track}", {"track": track, **options}
    try:
        _index_folder().mkdir(parents=True, exist_ok=True)
        if (index := _whole_index(key)) is not None:
            try:
                return _video_source(path, index, options)
            except vs.Error as error:
                log.info("%s: its index is made again: %s", path, error)
                forget_index(path)
        return _newly_indexed(path, key, options)
    except vs.Error as error:
        raise InputError(f"{path}: BestSource can't read it: {error}") from error
    except OSError as error:
        raise MissingError(
            f"can't write the cache folder {cache_root()}: {error.strerror}. Name another in VSANON_CACHE"
        ) from error


def _newly_indexed(path: Path, key: str, options: dict[str, Any]) -> Any:
    """As `_indexed`; a new index is written under a name of its own: another run must not meet half of it."""
    base = _index_folder() / f".{secrets.token_hex(8)}"
    try:
        found = _video_source(path, base, options)
        for index in _written(base):
            digest = sha256_file(index)[:_DIGITS]
            os.replace(index, index.with_name(f"{key}-{digest}{index.name.removeprefix(base.name)}"))
        return found
    finally:
        for index in _written(base):
            with contextlib.suppress(OSError):
                index.unlink(missing_ok=True)


def _video_source(path: Path, index: Path, options: dict[str, Any]) -> Any:
    with _without_return_warning():
        return stops.patiently(
            partial(
                vs.core.bs.VideoSource,
                str(path.absolute()),  # to ffmpeg, "take:1.mp4" would be an address
                variableformat=-1,  # all frames, so that a change of format shows
                cachesize=DECODED_MB,
                cachemode=3,
                cachepath=str(index),
                **options,
            )
        )


def _index_folder() -> Path:
    return cache_root() / "index"


def _whole_index(key: str) -> Path | None:
    """The index of that key, as BestSource wants its path, if its content is what its name says; others go."""
    for written in _index_folder().glob(f"{key}-*"):
        base = written.name.partition(".")[0]
        if base == f"{key}-{sha256_file(written)[:_DIGITS]}":
            return written.with_name(base)
        with contextlib.suppress(OSError):
            written.unlink()
    return None


def _written(base: Path) -> list[Path]:
    # BestSource adds the number of the track, counted among all streams that it takes for video.
    return list(base.parent.glob(f"{base.name}.*.bsindex"))


def _index_key(path: Path) -> str:
    """A name for these very bytes: BestSource takes an old index for a new file of the same size.

    The change time moves whenever content is written, and no program can set it back.
    """
    stat = path.stat()
    facts = (path.resolve(), stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, _version())
    return hashlib.sha256("|".join(map(str, facts)).encode(errors="surrogateescape")).hexdigest()[:24]


@contextlib.contextmanager
def _without_return_warning() -> Iterator[None]:
    """Drop one warning: BestSource 22 answers `exporttimestamps` with values that its signature does not list."""

    def other(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("VideoSource: no return value(s) named timebaseden,")

    logger = logging.getLogger("vapoursynth")
    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def _timeline(path: Path, pts: list[int], base: Fraction, rate: Fraction) -> tuple[Timeline, bool]:
    """The timeline, and whether its rate is a guess."""
    if all(p == _NO_PTS for p in pts):
        log.warning("%s: the stream has no timestamps; assuming %s frames a second", path, rate)
        return Timeline(tuple(range(len(pts))), 1 / rate, rate), True
    rising = risen(_filled(path, pts, 1 / (rate * base)))
    if rising is None:
        n = next(n for n, (a, b) in enumerate(pairwise(pts)) if b <= a)
        raise InputError(
            f"{path}: the timestamp of frame {n + 1} does not rise, and where it belongs can't be told: are these "
            "two recordings in one file? Split them first, or re-encode the file with even times "
            "(ffmpeg -i IN -vf setpts=N/FRAME_RATE/TB -c:v ffv1 -c:a copy OUT.mkv) and see whether sound still fits"
        )
    return Timeline(tuple(rising), base, rate), False


def risen(pts: Sequence[int]) -> list[int] | None:
    """Timestamps in the order of their frames; None where it can't be told which belongs to which.

    A muxer that knows nothing of B-frames gives them the times of their packets: the same times, another order, off
    by as few frames as a decoder holds. Two frames of one time, as screen recorders write, become one tick apart.

    Args:
        pts: of the frames as a decoder gives them, which is the order in which they are shown.
    """
    order = sorted(range(len(pts)), key=lambda n: pts[n])
    if any(abs(n - at) > _MOST_HELD for at, n in enumerate(order)):
        return None
    rising: list[int] = []
    for value in sorted(pts):
        rising.append(value if not rising else max(value, rising[-1] + 1))
    moved = max(a - b for a, b in zip(rising, sorted(pts), strict=True))
    return rising if moved <= _MOST_NUDGED else None


_MOST_HELD = 16
"""Frames that a decoder holds to put them in order: max_num_reorder_frames of H.264 and HEVC."""

_MOST_NUDGED = 2
"""Ticks by which a frame may be moved off one of the same time."""


def _filled(path: Path, pts: Sequence[int], step: Fraction) -> list[int]:
    """Stamp what a program stream left unstamped (ISO/IEC 13818-1, 2.7.4), where the frames around leave no choice.

    Args:
        pts: in ticks, `_NO_PTS` where there is none.
        step: a frame of the nominal rate, in ticks.
    """
    filled = list(pts)
    for n, value in enumerate(filled):
        if value != _NO_PTS:
            continue
        if n == 0:
            raise InputError(f"{path}: frame 0 has no timestamp: remux the file, then try again")
        later = next((k for k in range(n + 1, len(filled)) if filled[k] != _NO_PTS), None)
        if later is not None:
            mean = Fraction(filled[later] - filled[n - 1], later - n + 1)
            if abs(mean - step) > 1:
                raise InputError(f"{path}: frame {n} has no timestamp: remux the file, then try again")
            step = mean
        filled[n] = filled[n - 1] + round(step)
    return filled


def _field_order(clip: vs.VideoNode, video: VideoFacts) -> str:
    """Which field is shown first: as the first frame says, else as the container does.

    "tb" and "bt" also tell how fields are stored: their lines interleaved, and the top field shown first, or the
    bottom field (RFC 9559, 5.1.4.1.28.2, values 9 and 14). ffmpeg writes them so, though its header differs.
    """
    by_frame = {int(vs.FIELD_TOP): "tt", int(vs.FIELD_BOTTOM): "bb"}
    by_container = {"tt": "tt", "tb": "tt", "bb": "bb", "bt": "bb"}
    with clip.get_frame(0) as frame:
        flag = int(frame.props.get("_FieldBased", 0))
    return by_frame.get(flag) or by_container.get(video.field_order, "progressive")


def _version() -> str:
    return f"{SOURCE_FILTER} {best_source_version()}"
