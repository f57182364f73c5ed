"""From the frames' format and colour to those of a preset: ffmpeg's filters and the tags of its output."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vsanon.encode.presets import Preset
from vsanon.encode.raw import RawVideo, piped_format
from vsanon.media import Color, pixel_format

# Colours that DNxHR in MXF has another name for (the same values, by ITU-T H.273), or none: None.
_IN_MXF: Mapping[str, Mapping[str, str | None]] = {
    "matrix": {"smpte170m": "bt470bg"},
    "primaries": {"smpte240m": "smpte170m", "bt470m": None, "film": None, "ebu3213": None},
    "transfer": {
        "smpte170m": "bt709", "bt2020-12": "bt2020-10", "bt470bg": None, "iec61966-2-1": None, "log100": None,
        "log316": None,
    },
}  # fmt: skip

_IN_AV1 = (None, "left", "topleft")
"""Places of chroma that AV1 has a code for (6.4.2 of its specification)."""

_ZIMG_MATRICES = {"gbr": "gbr", "bt709": "709", "smpte170m": "170m", "bt470bg": "470bg", "bt2020nc": "2020_ncl"}


def output_color(video: RawVideo, preset: Preset) -> Color:
    """The colour tags of the encoded frames: the frames' own, save where the preset's format needs others."""
    have, kept = pixel_format(video.pix_fmt), pixel_format(preset.pix_fmt_for(video.pix_fmt))
    color = video.color
    matrix, range_, place = color.matrix, preset.range or color.range, color.chroma_location
    if have.rgb and not kept.rgb:
        matrix, range_, place = None, "tv", None
    elif kept.rgb and not have.rgb:
        matrix, range_, place = "gbr", "pc", None
    elif place is not None and video.interlaced and have.chroma[1] < kept.chroma[1]:
        place = "left"  # where ffmpeg's filter for fields puts coarser chroma
    if preset.codec == "av1" and place not in _IN_AV1:
        place = None
    named = preset.codec == "dnxhd" and not kept.rgb  # its header has no "unknown"
    usual = _usual(video)
    if not kept.rgb and matrix is None and (have.rgb or named):
        matrix = "bt2020nc" if color.primaries == "bt2020" else usual
    primaries, transfer = (
        color.primaries or (usual if named else None),
        color.transfer or (usual if named else None),
    )
    out = Color(matrix, primaries, transfer, range_, place)
    if preset.muxer == "mxf" and preset.codec == "dnxhd":
        names = {tag: getattr(out, tag) for tag in _IN_MXF}
        out = replace(out, **{tag: _IN_MXF[tag].get(name or "", name) for tag, name in names.items()})
    return out


def _usual(video: RawVideo) -> str:
    """What the colours of frames without tags are, by their height."""
    return "bt709" if video.size[1] >= 720 else "smpte170m"


def output_hdr(video: RawVideo, preset: Preset) -> dict[str, Any] | None:
    """What of the frames' static HDR metadata the preset's file holds: MXF has no place for the light levels."""
    if preset.muxer == "image2":
        return None
    if video.hdr is None or preset.muxer != "mxf" or preset.codec == "h264":
        return video.hdr
    return {key: value for key, value in video.hdr.items() if key != "light"} or None


def lost_in(video: RawVideo, preset: Preset) -> list[str]:
    """What the preset's file has no words for, in ours."""
    out = output_color(video, preset)
    lost = [f"{tag} {name}: no name for it in {preset.suffix}" for tag in ("primaries", "transfer")
            if (name := getattr(video.color, tag)) is not None and getattr(out, tag) is None]  # fmt: skip
    if preset.codec == "av1" and (place := video.color.chroma_location) not in _IN_AV1:
        lost.append(f"chroma_location {place}: AV1 has no name for it, and players take left")
    if output_hdr(video, preset) != video.hdr:
        lost.append(f"HDR metadata, or its light levels: no place for them in {preset.suffix}")
    return lost


def filters(video: RawVideo, preset: Preset, pix_fmt: str) -> str:
    """The filter chain that tags the piped frames and makes `pix_fmt` of them, converting only what differs."""
    color, out = video.color, output_color(video, preset)
    values = {
        "field_mode": video.field_mode,
        "range": color.range,
        "color_primaries": out.primaries,
        "color_trc": out.transfer,
        "colorspace": color.matrix or (_usual(video) if out.matrix == "gbr" else out.matrix),
        "chroma_location": color.chroma_location,
    }
    chain = ["setparams=" + ":".join(f"{key}={value}" for key, value in values.items() if value is not None)]
    conversion = _conversion(video, out, pix_fmt)
    chain += conversion
    named = [f"{key}={values[key]}" for key in ("color_primaries", "color_trc") if values[key] is not None]
    if named and any("mergeplanes" in step for step in conversion):
        chain.append("setparams=" + ":".join(named))  # it makes frames anew, and forgets these
    if preset.prefilter:
        chain.append(preset.prefilter)
    if video.sar is not None:
        chain.append(f"setsar={video.sar.numerator}/{video.sar.denominator}")
    return ",".join(chain)


def _conversion(video: RawVideo, out: Color, pix_fmt: str) -> list[str]:
    """Filters from the frames' format and colour to the encoded ones; none where they are the same.

    zscale (zimg) is exact where swscale is not: full range in more bits (255 of 8 bits became 1020 of 10)
    and float. But it knows no fields, and no 8-bit RGB in one plane.
    """
    source = piped_format(video, pix_fmt)
    color, have, kept = video.color, pixel_format(source), pixel_format(pix_fmt)
    chain = []
    moves_range = color.range is not None and out.range is not None and out.range != color.range
    options = f"filter=bicubic:dither={'ordered' if kept.depth < have.depth else 'none'}"
    if moves_range or have.rgb != kept.rgb:
        options += f":range={'full' if out.range == 'pc' else 'limited'}"
    if have.rgb != kept.rgb:
        options += f":matrix={_ZIMG_MATRICES[out.matrix or 'bt709']}"
    if video.interlaced and not have.rgb and have.chroma[1] != kept.chroma[1]:
        same_chroma = f"{source.partition('p')[0]}p{'' if kept.depth == 8 else f'{kept.depth}le'}"
        if moves_range or same_chroma != source:
            chain += _zscaled(source, same_chroma, options)
        chain.append("scale=interl=1:flags=bicubic+accurate_rnd+full_chroma_int+bitexact")
    elif not kept.planar and have.depth == 8 and have.rgb:
        chain.append("scale=flags=bitexact+accurate_rnd")
    elif not kept.planar:  # zimg writes planes only; packing them is exact
        planar = f"gbr{'a' if kept.alpha else ''}p{'' if kept.depth == 8 else '16le'}"
        if source != planar:
            chain += _zscaled(source, planar, options)
        chain.append("scale=flags=bitexact+accurate_rnd")
    elif source != pix_fmt or moves_range:
        return _zscaled(source, pix_fmt, options)
    return [*chain, f"format={pix_fmt}"] if chain else []


def _zscaled(source: str, target: str, options: str) -> list[str]:
    """zimg's filter from one planar format to another.

    Where it drops alpha or resamples chroma it weighs colours by alpha first, and what lies under clear alpha is
    lost. Here colours stay what they are: they pass without alpha, or under an opaque one, and alpha beside them.
    """
    have, kept = pixel_format(source), pixel_format(target)
    whole = f"zscale={options},format={target}"
    if have.alpha and not kept.alpha:
        return [f"mergeplanes=0x000102:{source.replace('yuva', 'yuv').replace('gbrap', 'gbrp')}", whole]
    if have.alpha and have.chroma != kept.chroma:
        # The filter that makes alpha opaque takes 8 and 16 bits.
        wide = "" if have.depth in (8, 16) else f"zscale,format={source.partition('p')[0]}p16le,"
        return [f"split[c][a];[c]{wide}lut=c0=val:c1=val:c2=val:c3=maxval,{whole}[colours];[a]{whole}[alpha];"
                f"[colours][alpha]mergeplanes=0x00010213:{target}"]  # fmt: skip
    return [whole]


def hdr_args(hdr: dict[str, Any] | None) -> list[str]:
    """Input arguments that tell the static metadata of `vsanon.media.VideoFacts.hdr`."""
    args = []
    if hdr and "primaries" in hdr and "luminance" in hdr:
        points = {k: "({},{})".format(*v) for k, v in hdr["primaries"].items()}
        light = hdr["luminance"]
        args += [
            "-mastering_display",
            f"G{points['green']}B{points['blue']}R{points['red']}WP{points['white']}L({light['max']},{light['min']})",
        ]
    if hdr and "light" in hdr:
        args += ["-content_light", f"{hdr['light']['max_cll']},{hdr['light']['max_fall']}"]
    return args
