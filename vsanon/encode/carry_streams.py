"""Which of the source's streams can go with the picture, in which codec, and why one does not."""

from vsanon.encode.cut import Cut
from vsanon.encode.presets import Preset
from vsanon.encode.reels import ASK
from vsanon.errors import InputError
from vsanon.media import MediaFacts, StreamFacts, takes_codec
from vsanon.media.advice import FILL
from vsanon.media.headers import TAGGED

KEEP = frozenset({"audio", "subtitles", "timecode", "chapters", "names"})
"""What goes with the picture unless it is left out."""

KEEP_IF_ASKED = frozenset({"telemetry", "unread-subtitles"})
"""What doesn't unless it is asked for: text that tells positions and the like, and subtitles that can't be read."""

TELEMETRY = {"gpmd": ("mov", "mp4")}
"""Kinds of samples that cameras keep positions and movements in, and ffmpeg's muxers that write such a track again.

Of all other kinds, as camm, rtmd and mebx, they lose what says how they are to be read."""

_TEXT_SUBTITLES = frozenset({"subrip", "ass", "webvtt", "mov_text", "text"})


def left_out(
    stream: StreamFacts,
    source: MediaFacts,
    preset: Preset,
    kept: frozenset[str],
    chosen: tuple[int, ...],
    cut: Cut | None,
) -> str | None:
    """Why a stream does not go with the picture, empty where that needs no words; None where it goes.

    Raises:
        InputError: it can't be said what of it is sound.
    """
    if stream.kind == "video":
        return _unsearched(stream, source)
    if stream.codec == "tmcd" and (stream.track is None or stream.track.handler == "tmcd"):
        return "" if "timecode" in kept else "left out as asked"
    if stream.kind == "data" and stream.track is not None and stream.track.handler == "text":
        of_chapters = {number for s in source.streams if s.track for number in s.track.chapters}
        if stream.track.number in of_chapters and source.chapters:
            return ""  # where MOV and MP4 keep the titles of their chapters, which are carried as such
    if stream.kind == "data" and is_telemetry(stream):
        return _telemetry(stream, preset, kept, cut)
    if stream.kind not in ("video", "audio") and stream.track is not None and stream.track.handler == "meta":
        return "timed metadata, which can't be written again; it may tell place and device"
    if stream.kind not in ("audio", "subtitle"):
        return "only sound, subtitles and timecode are copied; it may hold place or device"
    if preset.muxer == "image2":
        return "images hold none"
    if ("audio" if stream.kind == "audio" else "subtitles") not in kept:
        return "left out as asked"
    if stream.kind == "audio" and stream.index not in chosen:
        return "another sound track was asked for"
    if stream.tells == TAGGED:
        raise InputError(
            f"{source.path}: stream {stream.index} (audio {stream.codec}) has {TAGGED}: decode it first "
            f"({FILL}), or leave it out (--leave-out audio)"
        )
    if stream.tells is not None and stream.kind != "audio":  # which is encoded anew
        if stream.is_unread and "unread-subtitles" not in kept:
            return f"{stream.tells} (--keep unread-subtitles)"
        if not stream.is_unread and "telemetry" not in kept:
            return f"it tells {stream.tells}, and is no speech{ASK}"
    if cut is not None and stream.kind == "subtitle" and stream.codec not in _TEXT_SUBTITLES:
        return "pictures of texts, which can't be cut with the picture"
    return None


def kind_of(stream: StreamFacts) -> str:
    """A stream's codec; of data what its track says."""
    return stream.track.entry if stream.kind == "data" and stream.track is not None else stream.codec


def is_telemetry(stream: StreamFacts) -> bool:
    """Whether a data stream is a track of `TELEMETRY`."""
    return stream.track is not None and stream.track.entry in TELEMETRY


def _telemetry(stream: StreamFacts, preset: Preset, kept: frozenset[str], cut: Cut | None) -> str | None:
    """As `left_out`, of a track of telemetry."""
    entry = stream.track.entry if stream.track is not None else ""
    if "telemetry" not in kept:
        return f"telemetry ({entry}), which tells place and movement{ASK}"
    if preset.muxer not in TELEMETRY[entry]:
        return f"telemetry ({entry}), which can't be put into {preset.suffix}"
    return None if cut is None else f"telemetry ({entry}), which can't be cut with the picture"


def _unsearched(stream: StreamFacts, source: MediaFacts) -> str:
    if stream.is_picture:
        return "a cover picture, which may show what the video must not"
    size = "" if stream.size is None else " of {}x{}".format(*stream.size)
    videos = [s for s in source.streams if s.kind == "video" and not s.is_picture]
    number = videos.index(stream) + 1
    instead = f"--video-track {number} takes it instead"
    return f"a second picture{size}, which is not searched and so not delivered ({instead})"


def subtitles_in(stream: StreamFacts, preset: Preset) -> str:
    """The codec of subtitles in the preset's container.

    Raises:
        InputError: it takes none of theirs.
    """
    if takes_codec(preset.muxer, stream.codec):
        return stream.codec
    if stream.codec in _TEXT_SUBTITLES:
        text = {"matroska": "subrip", "webm": "webvtt"}.get(preset.muxer, "mov_text")
        if takes_codec(preset.muxer, text):
            return text
    raise InputError(
        f"stream {stream.index} ({stream.kind} {stream.codec}) of the source can't be put into "
        f"{preset.suffix} as it is. Use a preset of another container (ffv1 writes .mkv), "
        f"or leave it out (--leave-out subtitles)."
    )
