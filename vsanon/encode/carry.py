"""What of the source goes with the picture: streams, timecode, chapters, and the metadata that may."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

from vsanon.encode.presets import Preset
from vsanon.encode.sound import AS_IS, Sound, codec_in, sound_args
from vsanon.errors import InputError
from vsanon.media import Chapter, MediaFacts, StreamFacts, pixel_format, probe, takes_codec, what_name_tells
from vsanon.media.atoms import timecode_at
from vsanon.media.containers import demuxer_args
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

_UMID = re.compile(r"(0x)?[0-9A-Fa-f]{64}")
"""A basic UMID; what an extended one has more is the time, the place and the owner (SMPTE ST 330)."""
_LONGEST_NAME = 100

_NO_CHAPTERS = ("mxf", "image2")
_ENDS_CHAPTERS = ("matroska", "webm")
_NO_NAMES = ("mxf", "image2")

_TEXT_SUBTITLES = frozenset({"subrip", "ass", "webvtt", "mov_text", "text"})

# QuickTime knows the languages of the classic Mac OS, by one of their two ISO 639-2 codes: ffmpeg's table.
_QUICKTIME_LANGUAGES = {
    "deu": "ger", "fre": "fra", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb",
    "rum": "ron", "cze": "ces", "slo": "slk", "mkd": "mac", "hye": "arm", "kat": "geo", "bod": "tib",
    "mya": "bur", "msa": "may", "cym": "wel", "eus": "baq",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What of the source goes with the picture, as (stream, its codec in the file), and what doesn't.

    `titles` are those of streams that may go with them, by index, and `chapter_titles` those of the chapters.
    `names` are reels, clips and UMIDs, by key. `notes` say what becomes of what is carried in another form.
    `fits_picture` says that sound begins and ends with the picture, as in MXF, which holds a part of it beside each
    frame: what lies outside is left out, and what is missing is silence.
    """

    streams: tuple[tuple[StreamFacts, str], ...]
    timecode: str | None
    chapters: bool
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]
    titles: Mapping[int, str] = field(default_factory=dict)
    chapter_titles: tuple[str | None, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    fits_picture: bool = False


@dataclass(frozen=True, slots=True)
class SoundFit:
    """How PCM sound is made to fit the picture, in samples: silent ones before it (below 0: left out), and all."""

    lead: int
    total: int


def plan_copy(source: MediaFacts, preset: Preset, keep: Iterable[str] = KEEP, sound: Sound = AS_IS) -> CopyPlan:
    """Decide what of the source's other streams goes into the preset's container, and in which codec.

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
    chosen = sound.chosen(source)
    streams: list[tuple[StreamFacts, str]] = []
    notes: list[str] = []
    for stream in source.streams:
        if source.video is not None and stream.index == source.video.index:
            continue
        name = f"stream {stream.index} ({stream.kind} {stream.codec})"
        why = _left_out(stream, source, preset, kept, chosen)
        if why is not None:
            missing += [f"{name}: {why}"] if why else []
            continue
        is_sound = stream.kind == "audio"
        codec = codec_in(stream, source, preset, sound) if is_sound else _subtitles_in(stream, preset)
        streams.append((stream, codec))
        if is_sound and codec != stream.codec:
            notes.append(f"{name}: becomes {codec}, {sound.why(stream, preset)}")
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
            missing.append(f"stream {stream.index}: its title, which tells {words}{_ASK}")
    if "chapters" not in kept and source.chapters:
        missing.append(f"{len(source.chapters)} chapters: left out as asked")
    elif source.chapters and preset.muxer in _NO_CHAPTERS:
        missing.append(f"{len(source.chapters)} chapters: {preset.suffix} has none")
    elif preset.muxer not in _ENDS_CHAPTERS:
        missing += _lost_times(source.chapters, preset)
    chapter_titles: list[str | None] = []
    takes_chapters = "chapters" in kept and preset.muxer not in _NO_CHAPTERS
    for n, chapter in enumerate(source.chapters if takes_chapters else ()):
        words = what_name_tells(chapter.title or "") if "telemetry" not in kept else None
        # MOV and MP4 keep chapters as a track of their titles, in which one without a title would be lost.
        untitled = None if preset.muxer in _ENDS_CHAPTERS else f"Chapter {n + 1}"
        chapter_titles.append((chapter.title or untitled) if words is None else untitled)
        if words is not None:
            missing.append(f"chapter {n}: its title, which tells {words}{_ASK}")
    if source.timecode is not None and "timecode" in kept and preset.muxer == "image2":
        missing.append(f"timecode {source.timecode}: images hold none")
    names, unnamed = _names(source, preset, kept)
    dropped = [key for key in source.metadata_keys if not _metadata_kept(key, names)]
    if material := [key for key in dropped if _MATERIAL.search(key.partition(":")[2]) is not None]:
        missing.append(f"{', '.join(material)}: editors find their material by it; name the file so that they can")
    return CopyPlan(
        tuple(streams),
        timecode_in(preset, source.timecode if "timecode" in kept else None),
        takes_chapters and bool(source.chapters),
        tuple(sorted(set(dropped))),
        (*missing, *unnamed),
        titles,
        tuple(chapter_titles),
        names,
        tuple(notes),
        fits_picture=preset.muxer == "mxf",
    )


def sound_fits(plan: CopyPlan, timeline: Timeline) -> dict[int, SoundFit]:
    """By the index of its stream, how sound is fitted to the picture; empty where it goes along as it is."""
    if not plan.fits_picture:
        return {}
    steps = timeline.pts[1] - timeline.pts[0] if len(timeline.pts) > 1 else 1 / (timeline.fps * timeline.time_base)
    length = (timeline.pts[-1] - timeline.pts[0] + steps) * timeline.time_base
    return {
        stream.index: SoundFit(
            round(((stream.start or 0) - timeline.seconds(0)) * (stream.rate or 0)),
            ceil(length * (stream.rate or 0)),
        )
        for stream, _ in plan.streams
        if stream.kind == "audio"
    }


def timecode_in(preset: Preset, timecode: str | None) -> str | None:
    """The timecode that a file of the preset has: MXF always has one."""
    if preset.muxer == "image2":
        return None
    return "00:00:00:00" if timecode is None and preset.muxer == "mxf" else timecode


_ASK = " (--keep telemetry)"


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
    stream: StreamFacts, source: MediaFacts, preset: Preset, kept: frozenset[str], chosen: tuple[int, ...]
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
    return None if "telemetry" in kept else f"it tells {stream.tells}, and is no speech{_ASK}"


def _unsearched(stream: StreamFacts, source: MediaFacts) -> str:
    if stream.is_picture:
        return "a cover picture, which may show what the video must not"
    size = "" if stream.size is None else " of {}x{}".format(*stream.size)
    videos = [s for s in source.streams if s.kind == "video" and not s.is_picture]
    number = videos.index(stream) + 1
    instead = f"--video-track {number} takes it instead"
    return f"a second picture{size}, which is not searched and so not delivered ({instead})"


def _names(source: MediaFacts, preset: Preset, kept: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """The names of reel and clip that may go with the picture, and what is said of the others."""
    names, said = {}, []
    for key, value in source.names.items():
        if "names" not in kept:
            said.append(f"{key}: left out as asked")
        elif preset.muxer in _NO_NAMES:
            said.append(f"{key}: {preset.suffix} is not given it; name the file so that it can be found")
        elif "umid" in key.lower() and (umid := _UMID.match(value)) is not None:
            names[key] = umid[0]
        elif len(value) > _LONGEST_NAME or not value.isprintable():
            said.append(f"{key}: no name, but {len(value)} characters of text")
        elif (words := what_name_tells(value)) is not None and "telemetry" not in kept:
            said.append(f"{key}: it tells {words}{_ASK}")
        else:
            names[key] = value
    return names, said


def start_origin(timeline: Timeline, plan: CopyPlan | None) -> Fraction:
    """The source's time that becomes 0: the earliest start of the picture and of the streams kept with it.

    It lies on the picture's time base, so that the picture's times stay exact, and the copied streams move by
    the same time to the nearest of their own ticks. Priming before 0 stays before 0.
    """
    streams = plan.streams if plan is not None and not plan.fits_picture else ()
    starts = [s.start for s, _ in streams if s.start is not None and s.kind == "audio"]
    earliest = min([timeline.seconds(0), *(max(start, Fraction(0)) for start in starts)])
    return floor(earliest / timeline.time_base) * timeline.time_base


def timecode_of(source: MediaFacts, plan: CopyPlan, origin: Fraction) -> str | None:
    """The timecode at which the output begins: the source's, at the time that becomes 0."""
    tracks = tuple(stream.track for stream in source.streams if stream.track is not None)
    return plan.timecode and (timecode_at(tracks, origin) or plan.timecode)


def lost_tags(plan: CopyPlan, path: Path) -> list[str]:
    """What the container had no place for, as read back from it."""
    lost = []
    found = [s for s in probe(path).streams if s.kind in ("audio", "subtitle")]
    for (stream, _), out in zip(plan.streams, found, strict=False):
        if not same_language(stream.language, out.language):
            lost.append(f"stream {stream.index}: its language {stream.language}")
        marks = [d for d in stream.disposition if d != "default" or not plan.fits_picture]  # MXF plays all of them
        lost += [f"stream {stream.index}: its mark {d!r}" for d in marks if d not in out.disposition]
    return lost


def same_language(a: str | None, b: str | None) -> bool:
    """Whether two ISO 639-2 codes mean one language: deu and ger do."""
    return _QUICKTIME_LANGUAGES.get(a or "", a) == _QUICKTIME_LANGUAGES.get(b or "", b)


def copy_args(
    source: MediaFacts | None, plan: CopyPlan | None, origin: Fraction, preset: Preset, timeline: Timeline
) -> tuple[list[str], list[str], list[str]]:
    """ffmpeg's arguments that carry out `plan`, the source being its second input: of input, streams and tags.

    Without a source they only say that no metadata and no chapters are carried.
    """
    inputs: list[str] = []
    maps: list[str] = []
    chapters = "1" if plan is not None and plan.chapters else "-1"
    tags = ["-map_metadata", "-1", "-map_chapters", chapters, "-disposition:v:0", "default"]
    if source is None or plan is None:
        return inputs, maps, tags
    if origin:
        inputs += ["-itsoffset", f"{-round(origin * 1_000_000)}us"]
    inputs += [*demuxer_args(source.container), "-i", f"file:{source.path}"]
    copies = []
    fits = sound_fits(plan, timeline)
    for n, (stream, codec) in enumerate(plan.streams, start=1):
        maps += ["-map", f"1:{stream.index}"]
        copies += _codec_args(n, stream, codec, fits.get(stream.index))
        tags += _stream_tags(n, stream, plan, preset)
    if source.video is not None:
        tags += _stream_tags(0, source.streams[source.video.index], plan, preset)
    if (timecode := timecode_of(source, plan, origin)) is not None:
        tags += ["-timecode", timecode]
    for n, title in enumerate(plan.chapter_titles):
        if title:
            tags += [f"-metadata:c:{n}", f"title={title}"]
    return inputs, [*maps, *copies], [*tags, *_name_tags(plan, preset)]


def _codec_args(n: int, stream: StreamFacts, codec: str, fit: SoundFit | None) -> list[str]:
    """ffmpeg's arguments for what becomes stream `n` of the output."""
    if fit is not None:
        return [f"-c:{n}", codec, f"-filter:{n}", _fitting(fit, codec)]
    if stream.kind == "audio":
        return sound_args(n, stream, codec)
    return [f"-c:{n}", "copy" if codec == stream.codec else codec]


def _fitting(fit: SoundFit, codec: str) -> str:
    """ffmpeg's filters that fit PCM to the picture without touching a sample; nothing is converted unasked."""
    packed = "s16" if codec == "pcm_s16le" else "s32"
    before = [f"atrim=start_sample={-fit.lead}"] if fit.lead < 0 else []
    if fit.lead > 0:
        before = [f"aresample=osf={packed}p", f"adelay={fit.lead}S:all=1", f"aresample=osf={packed}"]
    after = [f"apad=whole_len={fit.total}", f"atrim=end_sample={fit.total}", "asetpts=N/SR/TB"]
    return ",".join(["asetpts=N/SR/TB", *before, "asetpts=N/SR/TB", *after])


def _name_tags(plan: CopyPlan, preset: Preset) -> list[str]:
    """Reel and clip as tags of the file; QuickTime keeps the reel of a picture with its timecode, too."""
    tags = [arg for key, value in plan.names.items() for arg in ("-metadata", f"{key}={value}")]
    if preset.muxer in ("mov", "mp4") and tags:
        tags += ["-movflags", "+use_metadata_tags"]
        if (reel := reel_of(plan.names)) is not None:
            tags += ["-metadata:s:0", f"reel_name={reel}"]
    return tags


def reel_of(names: Mapping[str, str]) -> str | None:
    """The name of the reel, among the names of `MediaFacts`; that of the clip where there is none."""
    for pattern in (r"reel_name$|(^|[._])(reel|tape)([._]?(name|id))?$", r"clip[._ ]?(id|name)|package_name"):
        found = [value for key, value in names.items() if re.search(pattern, key, re.IGNORECASE)]
        if found:
            return found[0]
    return None


def _stream_tags(n: int, stream: StreamFacts, plan: CopyPlan, preset: Preset) -> list[str]:
    language = stream.language
    if language and preset.muxer == "mov":
        language = _QUICKTIME_LANGUAGES.get(language, language)
    tags = [f"-metadata:s:{n}", f"language={language}"] if language else []
    title = plan.titles.get(stream.index)
    return tags + ([f"-metadata:s:{n}", f"title={title}"] if title else [])


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
