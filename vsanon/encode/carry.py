"""What of the source goes with the picture: streams, timecode, chapters, and the metadata that may."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

from vsanon.encode.cut import Cut, chapters_in
from vsanon.encode.languages import same_language
from vsanon.encode.presets import Preset
from vsanon.encode.reels import ASK, names_in
from vsanon.encode.sound import AS_IS, Sound, SoundFit, codec_in, codec_of_changed, is_lossless, is_pcm, rate_in
from vsanon.encode.sound_changes import SoundChange
from vsanon.errors import InputError
from vsanon.media import Chapter, MediaFacts, StreamFacts, pixel_format, probe, takes_codec, what_name_tells
from vsanon.media.atoms import timecode_at
from vsanon.media.sound import sound_start
from vsanon.timing import Timeline

KEEP = frozenset({"audio", "subtitles", "timecode", "chapters", "names"})
"""What goes with the picture unless it is left out."""

KEEP_IF_ASKED = frozenset({"telemetry", "unread-subtitles"})
"""What doesn't unless it is asked for: text that tells positions and the like, and subtitles that can't be read."""

# The allow-list of metadata. Everything else is dropped: place, device, maker, dates, comments, software.
# "name" is how QuickTime calls the title of a track.
KEPT_METADATA = frozenset({"language", "title", "name", "timecode"})
# What the demuxer tells of the container itself; neither kept nor dropped.
CONTAINER_METADATA = frozenset({"major_brand", "minor_version", "compatible_brands", "duration"})

# Words of the keys by which an edit finds its material beside reel, clip and UMID: scene and take. They may name
# people and places, so they are dropped as all else is, and that is said.
_MATERIAL = re.compile(r"(^|[._])(scene|shot|take|slate|roll|camera.?(id|index))", re.IGNORECASE)

_A_FRAME_S = Fraction(1, 50)

_NO_CHAPTERS = ("mxf", "image2")
_ENDS_CHAPTERS = ("matroska", "webm")

_TEXT_SUBTITLES = frozenset({"subrip", "ass", "webvtt", "mov_text", "text"})


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What of the source goes with the picture, as (stream, its codec in the file), and what doesn't.

    `titles` are those of streams that may go with them, by index, and `chapter_titles` those of the chapters.
    `changes` are what edits mute or bleep, by the index of the stream.
    `names` are reels, clips and UMIDs, by key. `notes` say what becomes of what is carried in another form.
    `heard` is of sound that begins and ends with the picture, as in MXF, which holds some of it beside each frame,
    and in a part of a source: what lies outside is left out, and what is missing is silence. It gives, by index,
    when the first sample is heard, in seconds, and the rate in the file, Hz. The chapters of a part are in its own
    time.
    """

    streams: tuple[tuple[StreamFacts, str], ...]
    timecode: str | None
    chapters: tuple[Chapter, ...]
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]
    titles: Mapping[int, str] = field(default_factory=dict)
    chapter_titles: tuple[str | None, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    heard: Mapping[int, tuple[Fraction, int]] = field(default_factory=dict)
    cut: Cut | None = None
    changes: Mapping[int, tuple[SoundChange, ...]] = field(default_factory=dict)


def plan_copy(
    source: MediaFacts,
    preset: Preset,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    cut: Cut | None = None,
) -> CopyPlan:
    """Decide what of the source's other streams goes into the preset's container, and in which codec.

    Args:
        cut: the part of the source that is delivered; None for all of it.

    Raises:
        InputError: a stream to keep does not fit into that container, or `keep` has an unknown word.
    """
    kept = frozenset(keep)
    if unknown := kept - KEEP - KEEP_IF_ASKED:
        raise InputError(
            f"keep: {', '.join(sorted(unknown))}: not one of {', '.join(sorted(KEEP | KEEP_IF_ASKED))}."
        )
    missing = list(source.video.uncarried) if source.video is not None else []
    missing += _alpha(source, preset)
    chosen, changed = sound.chosen(source), sound.changed(source)
    streams: list[tuple[StreamFacts, str]] = []
    heard: dict[int, tuple[Fraction, int]] = {}
    notes: list[str] = []
    fits_picture = preset.muxer == "mxf" or cut is not None
    for stream in source.streams:
        if source.video is not None and stream.index == source.video.index:
            continue
        name = f"stream {stream.index} ({stream.kind} {_kind(stream)})"
        why = _left_out(stream, source, preset, kept, chosen, cut)
        if why is None and cut is not None and stream.kind == "subtitle" and stream.codec not in _TEXT_SUBTITLES:
            why = "pictures of texts, which can't be cut with the picture"
        if why is not None:
            missing += [f"{name}: {why}"] if why else []
            continue
        is_sound = stream.kind == "audio"
        if stream.kind == "data":
            codec = stream.codec
        elif stream.index in changed:
            codec = codec_of_changed(stream, source, preset, sound, cut=cut is not None)
            rest = "the same, sample for sample" if is_lossless(codec) else "encoded once more"
            notes.append(f"{name}: made anew as {codec}, since edits mute or bleep parts of it; the rest is {rest}")
        elif is_sound:
            codec = codec_in(stream, source, preset, sound, cut=cut is not None)
            if codec != stream.codec or rate_in(stream, codec, preset) != stream.rate:
                notes.append(f"{name}: {sound.why(stream, codec, preset, cut=cut is not None)}")
        else:
            codec = _subtitles_in(stream, preset)
        streams.append((stream, codec))
        if is_sound and fits_picture:
            starts = stream.start if is_pcm(stream.codec) else sound_start(source.path, stream.index).seconds
            heard[stream.index] = (starts or Fraction(0), rate_in(stream, codec, preset))
        if stream.codec == "ass" and codec != "ass":
            missing.append(f"{name}: fonts, colours and places of its text, which {codec} does not have")
    titles = {}
    going = {stream.index for stream, _ in streams} | ({source.video.index} if source.video is not None else set())
    for stream in source.streams:
        if not stream.title or stream.index not in going:
            continue
        if (words := what_name_tells(stream.title)) is None or "telemetry" in kept:
            titles[stream.index] = stream.title
        else:
            missing.append(f"stream {stream.index}: its title, which tells {words}{ASK}")
    chapters = source.chapters if cut is None else chapters_in(source.chapters, cut)
    if "chapters" not in kept and chapters:
        missing.append(f"{len(chapters)} chapters: left out as asked")
    elif chapters and preset.muxer in _NO_CHAPTERS:
        missing.append(f"{len(chapters)} chapters: {preset.suffix} has none")
    elif preset.muxer not in _ENDS_CHAPTERS:
        missing += _lost_times(chapters, preset)
    chapter_titles: list[str | None] = []
    if "chapters" not in kept or preset.muxer in _NO_CHAPTERS:
        chapters = ()
    for n, chapter in enumerate(chapters):
        words = what_name_tells(chapter.title or "") if "telemetry" not in kept else None
        # MOV and MP4 keep chapters as a track of their titles, in which one without a title would be lost.
        untitled = None if preset.muxer in _ENDS_CHAPTERS else f"Chapter {n + 1}"
        chapter_titles.append((chapter.title or untitled) if words is None else untitled)
        if words is not None:
            missing.append(f"chapter {n}: its title, which tells {words}{ASK}")
    timecode = source.timecode if cut is None else cut.timecode
    if timecode is not None and "timecode" in kept and preset.muxer == "image2":
        missing.append(f"timecode {timecode}: images hold none")
    if cut is not None and source.timecode is not None and timecode is None and "timecode" in kept:
        missing.append("timecode: the frames are uneven, so that nobody knows that of the part")
    names, unnamed = names_in(source, preset, kept)
    dropped = [key for key in source.metadata_keys if not _metadata_kept(key, names)]
    if material := [key for key in dropped if _MATERIAL.search(key.partition(":")[2]) is not None]:
        missing.append(f"{', '.join(material)}: editors find their material by it; name the file so that they can")
    return CopyPlan(
        tuple(streams),
        timecode_in(preset, timecode if "timecode" in kept else None),
        chapters,
        tuple(sorted(set(dropped))),
        (*missing, *unnamed),
        titles,
        tuple(chapter_titles),
        names,
        tuple(notes),
        heard=heard,
        cut=cut,
        changes={stream.index: changed[stream.index] for stream, _ in streams if stream.index in changed},
    )


def sound_fits(plan: CopyPlan, timeline: Timeline) -> dict[int, SoundFit]:
    """By the index of its stream, how sound is fitted to the picture; empty where it goes along as it is."""
    if not plan.heard:
        return {}
    if plan.cut is not None:
        first, length = plan.cut.start, plan.cut.stop - plan.cut.start
    else:
        uneven = len(timeline.pts) > 1
        step = timeline.pts[1] - timeline.pts[0] if uneven else 1 / (timeline.fps * timeline.time_base)
        first, length = timeline.seconds(0), (timeline.pts[-1] - timeline.pts[0] + step) * timeline.time_base
    return {
        index: SoundFit(round((starts - first) * rate), ceil(length * rate), rate)
        for index, (starts, rate) in plan.heard.items()
    }


def timecode_in(preset: Preset, timecode: str | None) -> str | None:
    """The timecode that a file of the preset has: MXF always has one."""
    if preset.muxer == "image2":
        return None
    return "00:00:00:00" if timecode is None and preset.muxer == "mxf" else timecode


def _lost_times(chapters: Sequence[Chapter], preset: Preset) -> list[str]:
    """What MOV and MP4, which know only when the next chapter begins, don't keep of the times of chapters."""
    lost = []
    if chapters and chapters[0].start > _A_FRAME_S:
        lost.append(f"the time before the first chapter: in {preset.suffix} that begins with the file")
    if any(b.start - a.stop > _A_FRAME_S for a, b in pairwise(chapters)):
        lost.append(f"gaps between chapters: in {preset.suffix} each lasts until the next one")
    return lost


def _alpha(source: MediaFacts, preset: Preset) -> list[str]:
    """What is said of alpha that can't be read; where the preset would keep it, it is no loss to go on with."""
    if source.video is None or not source.video.hides_alpha:
        return []
    if any(pixel_format(name).alpha for name in preset.pix_fmts):
        coder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[source.video.codec]
        raise InputError(
            f"{source.path}: the alpha of {source.video.codec.upper()} can't be read, and {preset.name} would keep "
            f"it. Convert it first: ffmpeg -c:v {coder} -i IN -map 0 -c copy -c:v ffv1 -pix_fmt yuva420p IN.mkv; "
            "or use a preset without alpha"
        )
    return ["alpha"]


def _left_out(
    stream: StreamFacts,
    source: MediaFacts,
    preset: Preset,
    kept: frozenset[str],
    chosen: tuple[int, ...],
    cut: Cut | None,
) -> str | None:
    """Why a stream does not go with the picture, empty where that needs no words; None where it goes."""
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
    if stream.kind == "data" and stream.track is not None and stream.track.handler == "meta":
        return "timed metadata, which can't be written again; it may tell place and device"
    if stream.kind not in ("audio", "subtitle"):
        return "only sound, subtitles and timecode are copied; it may hold place or device"
    if preset.muxer == "image2":
        return "images hold none"
    if ("audio" if stream.kind == "audio" else "subtitles") not in kept:
        return "left out as asked"
    if stream.kind == "audio" and stream.index not in chosen:
        return "another sound track was asked for"
    if stream.tells is None:
        return None
    if stream.is_unread:
        return None if "unread-subtitles" in kept else f"{stream.tells} (--keep unread-subtitles)"
    return None if "telemetry" in kept else f"it tells {stream.tells}, and is no speech{ASK}"


TELEMETRY = {"gpmd": ("mov", "mp4")}
"""Kinds of samples that cameras keep positions and movements in, and ffmpeg's muxers that write such a track again.

Of all other kinds, as camm, rtmd and mebx, they lose what says how they are to be read."""


def _kind(stream: StreamFacts) -> str:
    """A stream's codec; of data what its track says."""
    return stream.track.entry if stream.kind == "data" and stream.track is not None else stream.codec


def is_telemetry(stream: StreamFacts) -> bool:
    """Whether a data stream is a track of `TELEMETRY`."""
    return stream.track is not None and stream.track.entry in TELEMETRY


def _telemetry(stream: StreamFacts, preset: Preset, kept: frozenset[str], cut: Cut | None) -> str | None:
    """As `_left_out`, of a track of telemetry."""
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


def start_origin(timeline: Timeline, plan: CopyPlan | None) -> Fraction:
    """The source's time that becomes 0: the earliest start of the picture and of the streams kept with it.

    It lies on the picture's time base, so that the picture's times stay exact, and the copied streams move by
    the same time to the nearest of their own ticks. Priming before 0 stays before 0.
    """
    if plan is not None and plan.cut is not None:
        return plan.cut.start
    streams = plan.streams if plan is not None and not plan.heard else ()
    starts = [s.start for s, _ in streams if s.start is not None and s.kind == "audio"]
    earliest = min([timeline.seconds(0), *(max(start, Fraction(0)) for start in starts)])
    return floor(earliest / timeline.time_base) * timeline.time_base


def timecode_of(source: MediaFacts, plan: CopyPlan, origin: Fraction) -> str | None:
    """The timecode at which the output begins: the source's, at the time that becomes 0."""
    if plan.cut is not None:
        return plan.timecode
    tracks = tuple(stream.track for stream in source.streams if stream.track is not None)
    return plan.timecode and (timecode_at(tracks, origin) or plan.timecode)


def lost_tags(plan: CopyPlan, path: Path) -> list[str]:
    """What the container had no place for, as read back from it."""
    lost = []
    found = [s for s in probe(path).streams if s.kind in ("audio", "subtitle")]
    for stream, out in zip((s for s, _ in plan.streams if s.kind != "data"), found, strict=False):
        if not same_language(stream.language, out.language):
            lost.append(f"stream {stream.index}: its language {stream.language}")
        is_mxf = path.suffix.lower() == ".mxf"
        marks = [d for d in stream.disposition if d != "default" or not is_mxf]  # MXF plays all of them
        lost += [f"stream {stream.index}: its mark {d!r}" for d in marks if d not in out.disposition]
    return lost


def _subtitles_in(stream: StreamFacts, preset: Preset) -> str:
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


def _metadata_kept(key: str, names: Mapping[str, str]) -> bool:
    place, _, name = key.partition(":")
    if name.lower() in CONTAINER_METADATA or name.lower() in {key.lower() for key in names}:
        return True
    return name.lower() in KEPT_METADATA and (place != "file" or name.lower() == "timecode")
