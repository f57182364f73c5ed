"""The arguments of ffmpeg that carry out what `carry` decided."""

from collections.abc import Sequence
from fractions import Fraction

from vsanon.encode.carry import CopyPlan
from vsanon.encode.carry_times import sound_fits, timecode_of
from vsanon.encode.cut import Cut, chapter_input, text_filter
from vsanon.encode.languages import QUICKTIME_LANGUAGES, is_language
from vsanon.encode.presets import Preset
from vsanon.encode.reels import reel_of
from vsanon.encode.sound import SoundFit, sound_args
from vsanon.encode.sound_changes import SoundChange
from vsanon.media import MediaFacts, StreamFacts
from vsanon.media.self_contained import demuxer_args
from vsanon.timing import Timeline


def copy_args(
    source: MediaFacts | None, plan: CopyPlan | None, origin: Fraction, preset: Preset, timeline: Timeline
) -> tuple[list[str], list[str], list[str]]:
    """ffmpeg's arguments that carry out `plan`, the source being its second input: of input, streams and tags.

    Without a source they only say that no metadata and no chapters are carried.
    """
    inputs: list[str] = []
    maps: list[str] = []
    chapters = "-1" if plan is None or not plan.chapters else "1" if plan.cut is None else "2"
    tags = ["-map_metadata", "-1", "-map_chapters", chapters, "-disposition:v:0", "default"]
    if source is None or plan is None:
        return inputs, maps, tags
    if origin:
        inputs += ["-itsoffset", f"{-round(origin * 1_000_000)}us"]
    inputs += [*demuxer_args(source.container), "-i", f"file:{source.path}"]
    if plan.cut is not None and plan.chapters:
        inputs += chapter_input(plan.chapters)
    copies = []
    fits = sound_fits(plan, timeline)
    moved = Fraction(round(origin * 1_000_000), 1_000_000)
    for n, (stream, codec) in enumerate(plan.streams, start=1):
        maps += ["-map", f"1:{stream.index}"]
        changes = plan.changes.get(stream.index, ())
        copies += _codec_args(n, stream, codec, fits.get(stream.index), plan.cut, changes, moved)
        tags += _stream_tags(n, stream, plan, preset)
    if source.video is not None:
        tags += _stream_tags(0, source.streams[source.video.index], plan, preset)
    if (timecode := timecode_of(source, plan, origin)) is not None:
        tags += ["-timecode", timecode]
    for n, title in enumerate(plan.chapter_titles):
        if title:
            tags += [f"-metadata:c:{n}", f"title={title}"]
    return inputs, [*maps, *copies], [*tags, *_name_tags(plan, preset)]


def _codec_args(
    n: int,
    stream: StreamFacts,
    codec: str,
    fit: SoundFit | None,
    cut: Cut | None,
    changes: Sequence[SoundChange],
    moved: Fraction,
) -> list[str]:
    """ffmpeg's arguments for what becomes stream `n` of the output."""
    if stream.kind == "audio":
        return sound_args(n, stream, codec, fit, changes, moved)
    if stream.kind == "data":
        return [f"-c:{n}", "copy"]
    clipped = [] if cut is None else [f"-bsf:{n}", text_filter(cut)]
    return [f"-c:{n}", "copy" if codec == stream.codec else codec, *clipped]


def _name_tags(plan: CopyPlan, preset: Preset) -> list[str]:
    """Reel and clip as tags of the file; QuickTime keeps the reel of a picture with its timecode, too."""
    tags = [arg for key, value in plan.names.items() for arg in ("-metadata", f"{key}={value}")]
    if preset.muxer in ("mov", "mp4") and tags:
        tags += ["-movflags", "+use_metadata_tags"]
        if (reel := reel_of(plan.names)) is not None:
            tags += ["-metadata:s:0", f"reel_name={reel}"]
    return tags


def _stream_tags(n: int, stream: StreamFacts, plan: CopyPlan, preset: Preset) -> list[str]:
    language = stream.language if is_language(stream.language or "") else None
    if language and preset.muxer == "mov":
        language = QUICKTIME_LANGUAGES.get(language, language)
    tags = [f"-metadata:s:{n}", f"language={language}"] if language else []
    title = plan.titles.get(stream.index)
    return tags + ([f"-metadata:s:{n}", f"title={title}"] if title else [])
