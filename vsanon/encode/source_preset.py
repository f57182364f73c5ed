"""The preset `source`: codec, profile, depth, sampling, rate and container of the source, as near as can be had."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vsanon.encode.presets import MUXERS, Preset, load
from vsanon.encode.raw import RawVideo
from vsanon.encode.variants import CRF_RANGE, Changes, requested, variant
from vsanon.errors import InputError
from vsanon.media import MediaFacts, VideoFacts, pixel_format, takes_codec

NAME = "source"
"""What `--preset` says for it."""

_PRORES = {
    "Proxy": "prores_proxy", "LT": "prores_lt", "Standard": "prores_422", "HQ": "prores_hq", "4444": "prores_4444",
    "XQ": "prores_4444xq",
}  # fmt: skip
_DNXHR = {
    "DNXHR LB": "dnxhr_lb", "DNXHR SQ": "dnxhr_sq", "DNXHR HQ": "dnxhr_hq", "DNXHR HQX": "dnxhr_hqx",
    "DNXHR 444": "dnxhr_444",
}  # fmt: skip
_LOSSLESS = frozenset(
    ("ffv1", "rawvideo", "v210", "v308", "v408", "v410", "r210", "huffyuv", "ffvhuff", "utvideo", "magicyuv")
) | {"qtrle", "png", "lagarith"}
_INTRA = frozenset(("dvvideo", "mjpeg", "jpeg2000", "cfhd", "apv", "aic", "hap", "speedhq", "prores_raw"))
# The profiles of 8-bit 4:2:0 that x264 has by name; any other follows from the format.
_H264_PROFILES = {"Constrained Baseline": "baseline", "Baseline": "baseline", "Main": "main", "High": "high"}
LEAST_BITS = Fraction(1, 10)
"""Bits a pixel below which a film is encoded to a quality and not to its rate: what is painted would not stand, as
with a film of 0.05 bits; one of 0.11 passed."""

_NO_PLACE = ".mkv"
_SUFFIXES = {"mov": ".mov", "matroska": ".mkv", "mxf": ".mxf", "mp4": ".mp4"}


def natural(source: MediaFacts, video: RawVideo, suffix: str) -> Preset:
    """The preset for a source; its notes say in one line what differs.

    Args:
        source: what was read of it.
        video: its frames, as they are handed to the encoder.
        suffix: that of the output, which chooses the container where it takes the codec.

    Raises:
        InputError: the output's name is of a container that vsanon does not write, or that takes no such codec.
    """
    facts = source.video
    assert facts is not None
    if suffix not in MUXERS:
        wanted = usual_suffix(source)
        raise InputError(f"the preset {NAME} writes {', '.join(MUXERS)}: name the output so, here best {wanted}")
    base = _base(facts, video, suffix)
    if not takes_codec(MUXERS[suffix], base.codec):
        raise InputError(
            f"{suffix} does not take {base.codec}, which is the nearest to the source's {facts.codec}: name the "
            f"output {usual_suffix(source, base)}"
        )
    base = _in(base, suffix)
    differs = _differences(source, facts, video, base)
    words = "as the source" + (f", but for: {'; '.join(differs)}" if differs else " in all that a preset says")
    return replace(base, name=f"{NAME} ({base.name})", purpose="The kind of file that the source is.", notes=words)


def usual_suffix(source: MediaFacts, base: Preset | None = None) -> str:
    """The suffix of the container that is the source's, or the nearest to it."""
    own = source.path.suffix.lower()
    found = own if own in MUXERS else _SUFFIXES.get(source.container.split(",")[0], _NO_PLACE)
    if base is not None and not takes_codec(MUXERS[found], base.codec):
        return base.suffix
    return found


def _base(facts: VideoFacts, video: RawVideo, suffix: str) -> Preset:
    """The nearest preset that ships, or a variant of it, by the family of the codec."""
    have = pixel_format(video.pix_fmt)
    fields = video.interlaced
    mxf = "_mxf" if suffix == ".mxf" else ""
    if facts.codec == "prores":
        found = load(_PRORES.get(facts.profile or "", "prores_hq"))
        return load("prores_4444") if have.alpha and not _takes_alpha(found) else found
    if facts.codec == "dnxhd" and not fields:
        by_depth = (
            "dnxhr_444" if have.rgb or have.chroma == (1, 1) else "dnxhr_hqx" if have.depth > 8 else "dnxhr_hq"
        )
        return load(_DNXHR.get(facts.profile or "", by_depth) + mxf)
    if facts.codec in _LOSSLESS:
        return load("ffv1")
    if facts.codec in _INTRA or facts.codec == "dnxhd":
        return load("prores_4444" if have.alpha or have.rgb or have.chroma == (1, 1) else "prores_hq")
    if facts.codec == "mpeg2video" and mxf:
        broadcast = load("mpeg2_422_mxf")
        if all(a >= b for a, b in zip(video.size, broadcast.least_size, strict=True)):
            return broadcast
    if facts.codec in ("vp8", "vp9") and not fields:
        return _rated(_with_format(load("vp9_mkv"), video), facts)
    if facts.codec == "av1" and not fields:
        return _rated(load("av1"), facts)
    if facts.codec == "hevc" and not fields:
        return _rated(_with_format(load("h265_crf_10bit"), video), facts)
    return _h264(facts, video)


def _takes_alpha(preset: Preset) -> bool:
    return any(pixel_format(name).alpha for name in preset.pix_fmts)


def _h264(facts: VideoFacts, video: RawVideo) -> Preset:
    own = facts.codec == "h264"
    intra = own and "Intra" in (facts.profile or "")
    preset = _with_format(load("h264_crf"), video)
    if own and preset.pix_fmts == ("yuv420p",):
        preset = replace(
            preset, args=_set(preset.args, "-profile:v", _H264_PROFILES.get(facts.profile or "", "high"))
        )
    if intra:
        preset = replace(preset, args=(*preset.args, "-g", "1"))
    return _rated(preset, facts) if own else preset


def _with_format(preset: Preset, video: RawVideo) -> Preset:
    """The preset for the source's sampling and depth, 8 or 10 bits, as far as encoders have them."""
    have = pixel_format(video.pix_fmt)
    full = have.rgb or (have.chroma == (1, 1) and not have.gray)
    sampling = "444" if full else "422" if have.chroma == (2, 1) else "420"
    pix_fmt = f"yuv{sampling}p{'10le' if have.depth > 8 else ''}"
    if pix_fmt in preset.pix_fmts:
        return preset if preset.pix_fmts == (pix_fmt,) else replace(preset, pix_fmts=(pix_fmt,))
    return replace(variant(preset, Changes(pix_fmt=pix_fmt)), name=f"{preset.name}-{pix_fmt}")


def _rated(preset: Preset, facts: VideoFacts) -> Preset:
    """The preset at the source's average rate, where that is known and leaves room for another generation."""
    width, height = facts.size
    if not facts.bit_rate or facts.bit_rate < LEAST_BITS * width * height * facts.fps:
        return preset
    return replace(variant(preset, Changes(bit_rate=facts.bit_rate)), name=preset.name)


def _in(preset: Preset, suffix: str) -> Preset:
    """The preset in another container, without what only MP4 and MOV know."""
    args: Sequence[str] = preset.args
    if MUXERS[suffix] not in ("mov", "mp4"):
        args = _set(_set(args, "-movflags", None), "-tag:v", None)
    if MUXERS[suffix] == "mxf" and preset.encoder == "libx264" and "-g" not in args:
        args = (*args, "-bf", "0")  # ffmpeg's MXF has no way to say when pictures coded out of order are shown
    return replace(preset, suffix=suffix, args=tuple(args))


def _set(args: Sequence[str], flag: str, value: str | None) -> tuple[str, ...]:
    """The arguments with a flag of another value, or without it."""
    out = list(args)
    if flag in out:
        at = out.index(flag)
        out[at : at + 2] = [] if value is None else [flag, value]
    return tuple(out)


def _differences(source: MediaFacts, facts: VideoFacts, video: RawVideo, preset: Preset) -> list[str]:
    differs = []
    if preset.codec != facts.codec:
        differs.append(f"{facts.codec} becomes {preset.codec}")
    elif facts.codec == "dnxhd" and facts.profile not in _DNXHR:
        differs.append(f"{facts.profile} becomes {preset.name.removesuffix('_mxf').replace('_', ' ').upper()}")
    pix_fmt = preset.pix_fmt_for(video.pix_fmt)
    if pix_fmt != facts.pix_fmt and (facts.codec, facts.pix_fmt.replace("12le", "10le")) != ("prores", pix_fmt):
        differs.append(f"{facts.pix_fmt} becomes {pix_fmt}")
    if preset.encoder in (*CRF_RANGE, "mpeg2video") and requested(preset).get("bit_rate") is None:
        known = f"{facts.bit_rate / 1e6:.1f} Mbit/s" if facts.bit_rate else "rate, which its file does not say"
        differs.append(f"constant quality in place of the source's {known}")
    if (was := _suffix_of(source)) != preset.suffix:
        differs.append(f"container {was} becomes {preset.suffix}")
    return differs


def _suffix_of(source: MediaFacts) -> str:
    """How the source's container is named: by the file's own suffix, where it has one."""
    return Path(source.path).suffix.lower() or source.container.split(",")[0]
