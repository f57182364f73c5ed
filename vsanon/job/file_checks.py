"""Is the file what was meant? Checks an encoded file against its frames' description and its source."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

from vsanon.encode import (
    AS_IS,
    KEEP,
    CopyPlan,
    Cut,
    RawVideo,
    Sound,
    output_color,
    output_hdr,
    plan_copy,
    sound_fits,
    start_origin,
    time_grid,
)
from vsanon.encode.presets import Preset
from vsanon.encode.sound import keeps_bytes
from vsanon.errors import InputError
from vsanon.job.beside_checks import (
    in_bytes,
    metadata_checks,
    packet_checks,
    played_checks,
    stream_checks,
    text_check,
)
from vsanon.job.checks import Check, equal
from vsanon.job.held_checks import held_checks
from vsanon.job.sound_checks import compare_sound
from vsanon.job.sound_edit_checks import check_edited
from vsanon.media import (
    Color,
    MediaFacts,
    Picture,
    VideoFacts,
    decode_timestamps,
    packet_hashes,
    pixel_format,
    probe,
)

# Codecs differ in what they tell of how fields are stored; which one is shown first is what must be right.
_SAME_ORDER = ({"progressive", "unknown"}, {"tt", "tb"}, {"bb", "bt"})


def verify_file(
    path: Path,
    *,
    video: RawVideo,
    preset: Preset,
    source: Path | MediaFacts | None = None,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    cut: Cut | None = None,
    look: Callable[[Picture], None] | None = None,
) -> list[Check]:
    """Check the file at `path` against the frames that were sent, and against the source beside them.

    Args:
        path: the encoded file.
        video: the frames' description, as given to `encode`.
        preset: the preset, as given to `encode`.
        source: the file whose sound, subtitles, timecode and chapters were copied, or what was read of it, as given
            to `encode`.
        keep: what of it was to be kept, as given to `encode`.
        sound: which sound, and in which codec, as given to `encode`.
        cut: which part of the source the frames are, as given to `encode`.
        look: called with the picture of each frame, in order; decoding is the dearest part, and done once.

    Returns:
        All checks, failed ones too. A file that can't be opened gives one failed check.

    Raises:
        InputError: the source can't be read.
    """
    original = probe(source) if isinstance(source, Path) else source
    plan = None if original is None else plan_copy(original, preset, keep, sound, cut)
    try:
        facts = probe(path)
    except InputError as error:
        return [Check("opens", False, "a media file", str(error))]
    if facts.video is None:
        return [Check("opens", False, "a file with video", "no video stream")]
    checks = [equal("codec", preset.codec, facts.video.codec), *_picture(facts.video, video, preset)]
    first, shown, more = _frames(path, video, plan, look)
    checks += [
        *more,
        *([] if shown is None else held_checks(path, facts, shown)),
        *stream_checks(facts, original, plan, video.timeline),
        *metadata_checks(facts, plan),
        text_check(facts, keep),
    ]
    if plan is not None:
        checks += played_checks(path, facts, plan)
    if plan is not None and plan.streams and original is not None and first is not None:
        kinds = {stream.kind for stream, _ in plan.streams} | {"audio", "subtitle"}
        try:
            found = packet_hashes(path, kinds)
        except InputError as error:
            return [*checks, Check("copied packets", False, "readable to the end", str(error))]
        fits = sound_fits(plan, video.timeline)
        as_bytes = {
            s.index: in_bytes(s, fits[s.index])
            for s, codec in plan.streams
            if s.index in fits and keeps_bytes(s, codec, fits[s.index])
        }
        within = None if cut is None else (cut.start, cut.stop)
        was = packet_hashes(original.path, kinds, fits=as_bytes, within=within)
        checks += packet_checks(was, found, plan, video, first, fits)
        was_first = video.timeline.seconds(0)
        rows = compare_sound(original.path, path, plan, was_first, first, fits)
        leads = {index: fit.lead for index, fit in fits.items()}
        heard = [(s.index, codec) for s, codec in plan.streams if s.kind == "audio"]
        for number, (index, codec) in enumerate(heard):
            if changes := plan.changes.get(index, ()):
                places, firsts = ((original.path, index), (path, number)), (was_first, first)
                rows += check_edited(*places, codec, changes, firsts, leads.get(index))
        checks += [Check(*row) for row in rows]
    return checks


def _picture(found: VideoFacts, video: RawVideo, preset: Preset) -> list[Check]:
    pix_fmt = preset.pix_fmt_for(video.pix_fmt)
    accepted = {pix_fmt}
    if preset.codec == "prores":
        # ffmpeg's decoder gives 4444 in 12 bits, whatever the depth it was encoded from.
        accepted.add(pix_fmt.replace("444p10", "444p12"))
    if preset.codec == "exr":
        accepted.add(pix_fmt.replace("f32", "f16"))  # as many bits as the file has
    order = next(orders for orders in _SAME_ORDER if video.field_order in orders)
    hdr = output_hdr(video, preset) or None
    return [
        Check("pixel format", found.pix_fmt in accepted, " or ".join(sorted(accepted)), found.pix_fmt),
        equal("size", "{}x{}".format(*video.size), "{}x{}".format(*found.size)),
        _color(output_color(video, preset), found.color, preset, pix_fmt),
        _shape(video, found, preset),
        Check("field order", found.field_order in order, " or ".join(sorted(order)), found.field_order),
        equal("rotation", 0, found.rotation),
        equal("HDR metadata", hdr, found.hdr),
    ]


def _shape(video: RawVideo, found: VideoFacts, preset: Preset) -> Check:
    want, got = video.sar or Fraction(1), found.sar or Fraction(1)
    told = want
    if preset.muxer == "webm":  # which says by how many whole pixels the picture is shown
        told = Fraction(round(video.size[0] * want), video.size[0])
    elif preset.codec == "mpeg2video":  # which says the shape of the whole picture, by one of three numbers
        told = got if abs(got / want - 1) < Fraction(1, 200) else want
    return Check("sample aspect ratio", told == got, str(want), str(got))


def _color(expected: Color, found: Color, preset: Preset, pix_fmt: str) -> Check:
    """Compare the tags that the preset's file can hold, with what decoders assume where there is no tag."""
    kept = pixel_format(pix_fmt)
    assumed = {"range": "tv", "chroma_location": "left", "matrix": "gbr" if kept.rgb else None}
    wrong = []
    for tag in (f.name for f in fields(Color) if f.name in preset.tags):
        if tag == "chroma_location" and kept.chroma != (2, 2):
            continue  # ITU-T H.273 defines it for 4:2:0 only
        if tag == "range" and kept.rgb:
            assumed["range"] = "pc"
        want, got = getattr(expected, tag), getattr(found, tag)
        if want != got and {want, got} != {None, assumed.get(tag)}:
            wrong.append(f"{tag} {got}")
    told = ", ".join(f"{f.name} {getattr(expected, f.name)}" for f in fields(Color) if f.name in preset.tags)
    return Check("colour tags", not wrong, told, ", ".join(wrong) or "the same")


def _frames(
    path: Path, video: RawVideo, plan: CopyPlan | None, look: Callable[[Picture], None] | None
) -> tuple[Fraction | None, int | None, list[Check]]:
    """Decode all; the first frame's time in seconds, how many are shown, and the checks on number and times."""
    try:
        pts, time_base = decode_timestamps(path, look=look)
    except InputError as error:
        return None, None, [Check("decodes", False, "every frame without error", str(error))]
    expected, grid = time_grid(video.timeline, start_origin(video.timeline, plan))
    exact = [p * grid / time_base for p in expected]
    # Rounded once to the container's ticks: no frame is more than half a tick from its place.
    off = [n for n, (e, p) in enumerate(zip(exact, pts, strict=False)) if abs(p - e) > Fraction(1, 2)]
    found = f"all within half a tick of {time_base} s"
    if off:
        n = off[0]
        found = f"{len(off)} frames off, the first is {n}: {float(pts[n] * time_base):.6f} s"
    place = f"frame {off[0]} at {float(expected[off[0]] * grid):.6f} s" if off else "the source's"
    return (
        (pts[0] * time_base if pts else None),
        len(pts),
        [
            Check("decodes", True, "every frame without error", f"{len(pts)} frames"),
            equal("frame count", len(expected), len(pts)),
            Check("timestamps", not off and bool(pts), place, found),
        ],
    )
