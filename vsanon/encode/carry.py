"""What of the source goes with the picture: streams, timecode, chapters, and the metadata that may."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

from vsanon.encode.presets import Preset
from vsanon.errors import InputError
from vsanon.media import MediaFacts, StreamFacts, probe, takes_codec
from vsanon.media.containers import demuxer_args
from vsanon.timing import Timeline

KEEP = frozenset({"audio", "subtitles", "timecode", "chapters"})

# The allow-list of metadata. Everything else is dropped: place, device, maker, dates, comments, software.
# "name" is how QuickTime calls the title of a track.
KEPT_METADATA = frozenset({"language", "title", "name", "timecode"})
# What the demuxer tells of the container itself; neither kept nor dropped.
CONTAINER_METADATA = frozenset({"major_brand", "minor_version", "compatible_brands", "duration"})

# Words of the keys by which an edit finds its material: reels and tapes, clip IDs, UMIDs, scene and take. They may
# name people and places, so they are dropped as all else is, and that is said.
_MATERIAL = re.compile(
    r"reel|tape|clip.?(id|name)|umid|(^|[._])(scene|shot|take|slate|roll|camera.?(id|index))", re.IGNORECASE
)

_NO_CHAPTERS = ("mxf", "image2")

MXF_SOUND = 48_000
"""The sampling rate that ffmpeg's MXF holds, Hz."""

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

    `fits_picture` says that sound begins and ends with the picture, as in MXF, which holds a part of it beside each
    frame: what lies outside is left out, and what is missing is silence.
    """

    streams: tuple[tuple[StreamFacts, str], ...]
    timecode: str | None
    chapters: bool
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]
    fits_picture: bool = False


@dataclass(frozen=True, slots=True)
class SoundFit:
    """How PCM sound is made to fit the picture, in samples: silent ones before it (below 0: left out), and all."""

    lead: int
    total: int


def plan_copy(source: MediaFacts, preset: Preset, keep: Iterable[str] = KEEP) -> CopyPlan:
    """Decide what of the source's other streams goes into the preset's container, and in which codec.

    Raises:
        InputError: a stream to keep does not fit into that container, or `keep` has an unknown word.
    """
    kept = frozenset(keep)
    if unknown := kept - KEEP:
        raise InputError(f"keep: {', '.join(sorted(unknown))}: not one of {', '.join(sorted(KEEP))}.")
    streams: list[tuple[StreamFacts, str]] = []
    missing = list(source.video.uncarried) if source.video is not None else []
    for stream in source.streams:
        name = f"stream {stream.index} ({stream.kind} {stream.codec})"
        if source.video is not None and stream.index == source.video.index:
            continue
        if stream.is_picture:
            missing.append(f"{name}: a cover picture, which may show what the video must not")
        elif stream.codec == "tmcd":
            if "timecode" not in kept:
                missing.append(f"{name}: left out as asked")
        elif stream.codec == "bin_data" and source.chapters:
            continue  # the track in which MOV and MP4 keep the titles of their chapters
        elif stream.kind not in ("audio", "subtitle"):
            missing.append(f"{name}: only sound, subtitles and timecode are copied; it may hold place or device")
        elif preset.muxer == "image2":
            missing.append(f"{name}: images hold none")
        elif ("audio" if stream.kind == "audio" else "subtitles") not in kept:
            missing.append(f"{name}: left out as asked")
        else:
            codec = _codec_in(stream, preset)
            streams.append((stream, codec))
            if stream.codec == "ass" and codec != "ass":
                missing.append(f"{name}: fonts, colours and places of its text, which {codec} does not have")
    if "chapters" not in kept and source.chapters:
        missing.append(f"{len(source.chapters)} chapters: left out as asked")
    elif source.chapters and preset.muxer in _NO_CHAPTERS:
        missing.append(f"{len(source.chapters)} chapters: {preset.suffix} has none")
    if source.timecode is not None and "timecode" in kept and preset.muxer == "image2":
        missing.append(f"timecode {source.timecode}: images hold none")
    dropped = [key for key in source.metadata_keys if not _metadata_kept(key)]
    if material := [key for key in dropped if _is_material(key)]:
        missing.append(f"{', '.join(material)}: editors find their material by it; name the file so that they can")
    return CopyPlan(
        tuple(streams),
        timecode_in(preset, source.timecode if "timecode" in kept else None),
        "chapters" in kept and bool(source.chapters) and preset.muxer not in _NO_CHAPTERS,
        tuple(sorted(set(dropped))),
        tuple(missing),
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


def _is_material(key: str) -> bool:
    return _MATERIAL.search(key.partition(":")[2]) is not None


def start_origin(timeline: Timeline, plan: CopyPlan | None) -> Fraction:
    """The source's time that becomes 0: the earliest start of the picture and of the streams kept with it.

    It lies on the picture's time base, so that the picture's times stay exact, and the copied streams move by
    the same time to the nearest of their own ticks. Priming before 0 stays before 0.
    """
    streams = plan.streams if plan is not None and not plan.fits_picture else ()
    starts = [s.start for s, _ in streams if s.start is not None and s.kind == "audio"]
    earliest = min([timeline.seconds(0), *(max(start, Fraction(0)) for start in starts)])
    return floor(earliest / timeline.time_base) * timeline.time_base


def lost_tags(plan: CopyPlan, path: Path) -> list[str]:
    """What the container had no place for, as read back from it."""
    lost = []
    found = [s for s in probe(path).streams if s.kind in ("audio", "subtitle")]
    for (stream, _), out in zip(plan.streams, found, strict=False):
        if not same_language(stream.language, out.language):
            lost.append(f"stream {stream.index}: its language {stream.language}")
        lost += [f"stream {stream.index}: its mark {d!r}" for d in stream.disposition if d not in out.disposition]
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
        fit = fits.get(stream.index)
        copies += [f"-c:{n}", "copy" if codec == stream.codec and fit is None else codec]
        if fit is not None:
            copies += [f"-filter:{n}", _fitting(fit, codec)]
        tags += _stream_tags(n, stream, preset)
    if source.video is not None:
        tags += _stream_tags(0, source.streams[source.video.index], preset)
    if plan.timecode is not None:
        tags += ["-timecode", plan.timecode]
    if plan.chapters:
        for n, chapter in enumerate(source.chapters):
            if chapter.title:
                tags += [f"-metadata:c:{n}", f"title={chapter.title}"]
    return inputs, [*maps, *copies], tags


def _fitting(fit: SoundFit, codec: str) -> str:
    """ffmpeg's filters that fit PCM to the picture without touching a sample; nothing is converted unasked."""
    packed = "s16" if codec == "pcm_s16le" else "s32"
    before = [f"atrim=start_sample={-fit.lead}"] if fit.lead < 0 else []
    if fit.lead > 0:
        before = [f"aresample=osf={packed}p", f"adelay={fit.lead}S:all=1", f"aresample=osf={packed}"]
    after = [f"apad=whole_len={fit.total}", f"atrim=end_sample={fit.total}", "asetpts=N/SR/TB"]
    return ",".join(["asetpts=N/SR/TB", *before, "asetpts=N/SR/TB", *after])


def _stream_tags(n: int, stream: StreamFacts, preset: Preset) -> list[str]:
    language = stream.language
    if language and preset.muxer == "mov":
        language = _QUICKTIME_LANGUAGES.get(language, language)
    tags = [f"-metadata:s:{n}", f"language={language}"] if language else []
    return tags + ([f"-metadata:s:{n}", f"title={stream.title}"] if stream.title else [])


def _codec_in(stream: StreamFacts, preset: Preset) -> str:
    if preset.muxer == "mxf" and stream.rate not in (None, MXF_SOUND):
        raise InputError(
            f"stream {stream.index} ({stream.kind} {stream.codec}) has {stream.rate} Hz, and MXF holds sound of "
            f"{MXF_SOUND} Hz only: use a preset for .mov or .mkv, or leave it out (--leave-out audio)."
        )
    if takes_codec(preset.muxer, stream.codec):
        return stream.codec
    if stream.codec in _TEXT_SUBTITLES:
        text = {"matroska": "subrip", "webm": "webvtt"}.get(preset.muxer, "mov_text")
        if takes_codec(preset.muxer, text):
            return text
    word = "audio" if stream.kind == "audio" else "subtitles"
    raise InputError(
        f"stream {stream.index} ({stream.kind} {stream.codec}) of the source can't be put into "
        f"{preset.suffix} as it is. Use a preset of another container (ffv1 writes .mkv), "
        f"or leave it out (--leave-out {word})."
    )


def _metadata_kept(key: str) -> bool:
    place, _, name = key.partition(":")
    if name.lower() in CONTAINER_METADATA:
        return True
    return name.lower() in KEPT_METADATA and (place != "file" or name.lower() == "timecode")
