"""Variants of an ffmpeg preset: the same one with another rate, GOP, format, or with denoising before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from vsanon.encode.presets import Preset
from vsanon.errors import InputError
from vsanon.media import pixel_format

DENOISE = {
    "light": "hqdn3d=2:1.5:3:2.25",
    "medium": "hqdn3d=4:3:6:4.5",
    "strong": "hqdn3d=8:6:12:9",
}
"""Spatial and temporal smoothing before the encoder, as recorders of surveillance cameras do; medium is ffmpeg's
default of the filter."""

CRF_RANGE = {"libx264": (0, 51), "libx265": (0, 51), "libsvtav1": (0, 63), "libvpx-vp9": (0, 63)}
"""Encoders with a constant rate factor, and its least and greatest value."""

B_FRAMES = ("libx264", "libx265")

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kKM]?)")
_UNIT = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000}
_PEAK, _BUFFER = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the preset; None leaves a value as it is.

    Args:
        crf: the constant rate factor, in place of a bit rate.
        bit_rate: the average in bit/s, in place of a CRF; the peak is 1.5 times as much, the buffer 2 s of it.
        gop: the longest distance of keyframes, frames; 1: every frame is one.
        b_frames: the most B-frames in a row.
        pix_fmt: ffmpeg's name of the pixel format that is encoded.
        denoise: one of `DENOISE`, applied to the frames before they are encoded.
    """

    crf: int | None = None
    bit_rate: int | None = None
    gop: int | None = None
    b_frames: int | None = None
    pix_fmt: str | None = None
    denoise: str | None = None

    def named(self) -> dict[str, Any]:
        """What is changed, by name, in the order of the fields."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


def bits_per_second(text: str | int) -> int:
    """A bit rate as ffmpeg writes it: 1500000, "1500k" or "1.5M".

    Raises:
        InputError: it is none, or not above 0.
    """
    found = _RATE.fullmatch(str(text))
    rate = round(float(found[1]) * _UNIT[found[2]]) if found else 0
    if rate < 1:
        raise InputError(f'a bit rate is a number of bit/s such as 1500000, "1500k" or "1.5M", got {text!r}.')
    return rate


def variant(preset: Preset, changes: Changes) -> Preset:
    """The preset with other values; its name says which.

    Raises:
        InputError: the encoder has no such value, or both a CRF and a bit rate are asked for.
    """
    if changes.crf is not None and changes.bit_rate is not None:
        raise InputError(f"preset {preset.name}: a CRF and a bit rate exclude each other; give one of them.")
    args = preset.args
    if changes.crf is not None:
        low, high = _crf_range(preset)
        if not low <= changes.crf <= high:
            raise InputError(
                f"preset {preset.name}: a CRF of {preset.encoder} is {low} to {high}, got {changes.crf}."
            )
        args = _with(_without(args, "-b:v", "-maxrate", "-bufsize"), "-crf", str(changes.crf))
    if changes.bit_rate is not None:
        _crf_range(preset)
        rate = changes.bit_rate
        args = _with(_without(args, "-crf"), "-b:v", str(rate))
        if preset.encoder != "libsvtav1":  # which bounds a peak around a CRF only
            args = _with(args, "-maxrate", str(round(_PEAK * rate)))
            args = _with(args, "-bufsize", str(round(_BUFFER * rate)))
    for flag, value in (("-g", changes.gop), ("-bf", changes.b_frames)):
        if value is not None:
            _crf_range(preset)
            if flag == "-bf" and preset.encoder not in B_FRAMES:
                raise InputError(
                    f"preset {preset.name}: {preset.encoder} has no B-frames; {' and '.join(B_FRAMES)} have."
                )
            args = _with(args, flag, str(value))
    if changes.pix_fmt is not None:
        pixel_format(changes.pix_fmt)
        # The profile of another format does not hold this one: x264 and x265 then choose it by the format.
        args = _without(args, "-profile:v") if preset.encoder in CRF_RANGE else args
    if changes.denoise is not None and changes.denoise not in DENOISE:
        raise InputError(f"denoise is one of {', '.join(DENOISE)}, got {changes.denoise!r}.")
    return replace(
        preset,
        name="-".join([preset.name, *(f"{key}{value}" for key, value in changes.named().items())]),
        args=args,
        pix_fmts=preset.pix_fmts if changes.pix_fmt is None else (changes.pix_fmt,),
        prefilter=preset.prefilter if changes.denoise is None else DENOISE[changes.denoise],
    )


def requested(preset: Preset) -> dict[str, Any]:
    """What the arguments ask of the stream, as far as they say: bit rates in bit/s, the buffer, GOP, B-frames."""
    values = dict(zip(preset.args, preset.args[1:], strict=False))
    found: dict[str, Any] = {}
    if values.get("-b:v", "0") != "0":  # by which libvpx is told to keep to the quality alone
        found["bit_rate"] = bits_per_second(values["-b:v"])
    if "-maxrate" in values:
        found["peak_bit_rate"] = bits_per_second(values["-maxrate"])
    if "-bufsize" in values:
        found["buffer_bits"] = bits_per_second(values["-bufsize"])
    if "-g" in values and preset.encoder in CRF_RANGE:
        found["gop_frames"] = int(values["-g"])
    if "-bf" in values:
        found["b_frames"] = int(values["-bf"]) > 0
    return found


def _crf_range(preset: Preset) -> tuple[int, int]:
    if preset.encoder not in CRF_RANGE:
        raise InputError(
            f"preset {preset.name}: {preset.encoder} has no CRF, bit rate, GOP or B-frames to vary; choose one of "
            f"a preset with {', '.join(CRF_RANGE)}, or another preset of its own."
        )
    return CRF_RANGE[preset.encoder]


def _without(args: Sequence[str], *flags: str) -> tuple[str, ...]:
    """The arguments less each flag and its value."""
    kept: list[str] = []
    skip = False
    for arg in args:
        if skip:
            skip = False
        elif arg in flags:
            skip = True
        else:
            kept.append(arg)
    return tuple(kept)


def _with(args: Sequence[str], flag: str, value: str) -> tuple[str, ...]:
    """The arguments with a flag's value set, in its place where it has one."""
    if flag not in args:
        return (*args, flag, value)
    at = list(args).index(flag) + 1
    return (*args[:at], value, *args[at + 1 :])
