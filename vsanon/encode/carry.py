"""What of the source goes with the picture: streams, timecode, chapters, and the metadata that may."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from vsanon.encode.carry_streams import KEEP, KEEP_IF_ASKED, kind_of, left_out, subtitles_in
from vsanon.encode.cut import Cut, chapters_in
from vsanon.encode.languages import is_language, same_language
from vsanon.encode.presets import Preset
from vsanon.encode.reels import ASK, names_in
from vsanon.encode.sound import AS_IS, Sound, codec_in, codec_of_changed, is_lossless, is_pcm, rate_in
from vsanon.encode.sound_changes import SoundChange
from vsanon.errors import InputError
from vsanon.media import Chapter, MediaFacts, StreamFacts, pixel_format, probe, what_name_tells
from vsanon.media.advice import FILL
from vsanon.media.sound import first_gap, sound_start
from vsanon.media.streams import EDITED

# The allow-list of metadata. Everything else is dropped: place, device, maker, dates, comments, software.
# "name" is how QuickTime calls the title of a track.
KEPT_METADATA = frozenset({"language", "title", "name", "timecode"})
# What the demuxer tells of the container itself; neither kept nor dropped.
CONTAINER_METADATA = frozenset({"major_brand", "minor_version", "compatible_brands", "duration"})

# Words of the keys by which an edit finds its material beside reel, clip and UMID: scene and take. They may name
# people and places, so they are dropped as all else is, and that is said.
_MATERIAL = re.compile(r"(^|[._])(scene|shot|take|slate|roll|camera.?(id|index))", re.IGNORECASE)

_A_FRAME_S = Fraction(1, 50)

_COUNTED = ("mov", "mp4", "mxf")
"""Containers that hold PCM without times, each sample after the one before."""
_WITHOUT_GAPS = ("mxf", "avi", "dv")

_NO_CHAPTERS = ("mxf", "image2")
_ENDS_CHAPTERS = ("matroska", "webm")


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
    missing += [*_alpha(source, preset), *source.unlisted]
    chosen, changed = sound.chosen(source), sound.changed(source)
    streams: list[tuple[StreamFacts, str]] = []
    heard: dict[int, tuple[Fraction, int]] = {}
    notes: list[str] = []
    fits_picture = preset.muxer == "mxf" or cut is not None
    for stream in source.streams:
        if source.video is not None and stream.index == source.video.index:
            continue
        name = f"stream {stream.index} ({stream.kind} {kind_of(stream)})"
        why = left_out(stream, source, preset, kept, chosen, cut)
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
            codec = subtitles_in(stream, preset)
        if stream.language and not is_language(stream.language):
            missing.append(f"{name}: its language, which is none but text")
            stream = replace(stream, language=None)
        streams.append((stream, codec))
        if is_sound and (fits_picture or (is_pcm(codec) and preset.muxer in _COUNTED)):
            _require_no_gap(stream, name, source, preset, cut)
        if is_sound and fits_picture:
            told = is_pcm(stream.codec) and stream.tells != EDITED
            starts = stream.start if told else sound_start(source.path, stream.index).seconds
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
    if cut is None:
        begins = _begins(source, () if heard else [stream for stream, _ in streams])
        chapters = tuple(replace(c, start=max(c.start, begins)) for c in source.chapters if c.stop > begins)
        if early := len(source.chapters) - len(chapters):
            missing.append(f"{early} chapters that end before the picture and the sound begin")
    else:
        chapters = chapters_in(source.chapters, cut)
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
        tuple(sorted(set(map(_key_name, dropped)))),
        (*missing, *unnamed),
        titles,
        tuple(chapter_titles),
        names,
        tuple(notes),
        heard=heard,
        cut=cut,
        changes={stream.index: changed[stream.index] for stream, _ in streams if stream.index in changed},
    )


def _require_no_gap(stream: StreamFacts, name: str, source: MediaFacts, preset: Preset, cut: Cut | None) -> None:
    """Refuse what would be heard too early: PCM is counted sample by sample."""
    if source.container in _WITHOUT_GAPS or stream.tells == EDITED:
        return
    if (gap := first_gap(source.path, stream.index)) is not None:
        where = f"PCM in {preset.suffix}" if cut is None else "a part that is cut to the sample"
        instead = "use a preset for .mkv, " if cut is None else ""
        raise InputError(
            f"{source.path}: {name} has no samples for {float(gap.length_s):.3f} s after "
            f"{float(gap.after_s):.3f} s, which {where} can't say. Put silence there first ({FILL}), {instead}or "
            "leave it out (--leave-out audio)"
        )


def _begins(source: MediaFacts, streams: Iterable[StreamFacts]) -> Fraction:
    """When the first of picture and sound begins, as in `carry_times.start_origin`, to a tick."""
    sound = [max(s.start, Fraction(0)) for s in streams if s.kind == "audio" and s.start is not None]
    picture = None if source.video is None else source.streams[source.video.index].start
    return min([*sound, *([] if picture is None else [picture])], default=Fraction(0))


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


def _key_name(key: str) -> str:
    """A key as it is recorded: devices may write anything for one, such as a position."""
    place, _, name = key.partition(":")
    return key if (words := what_name_tells(name)) is None else f"{place}: a key that tells {words}"


def _metadata_kept(key: str, names: Mapping[str, str]) -> bool:
    place, _, name = key.partition(":")
    if name.lower() in CONTAINER_METADATA or name.lower() in {key.lower() for key in names}:
        return True
    return name.lower() in KEPT_METADATA and (place != "file" or name.lower() == "timecode")
