"""ffmpeg presets: YAML files that say how the picture is encoded, and the exact arguments they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from vsanon.encode.preset_args import refused, refused_filters
from vsanon.errors import InputError
from vsanon.files import read_plain
from vsanon.media import PixelFormat, pixel_format
from vsanon.plain_yaml import MOST_BYTES, load_yaml

# Presets name the file suffix; ffmpeg and PyAV want the muxer's name.
MUXERS = {".mov": "mov", ".mp4": "mp4", ".mkv": "matroska", ".mxf": "mxf", ".webm": "webm"}
IMAGES: dict[str, str] = {".dpx": "image2", ".exr": "image2", ".tif": "image2", ".png": "image2"}
TAGS = ("matrix", "primaries", "transfer", "range", "chroma_location")

# What makes two runs write the same bytes: no versions, dates or random ids in the stream or its container.
BITEXACT = ("-fflags", "+bitexact")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far the means of an encoded picture's blocks may lie from those of the frames sent, in codes of 255.

    `region` is of small blocks in covered regions, `grid` of the larger blocks of a frame's grid. `way` is of the
    blocks of a part of a region together, along any one direction: their differences projected on a unit vector,
    such as that from paint to source. `scripts/measure_tolerances.py` measures all three; `NONE_MEASURED` is for a
    preset that does not say.
    """

    region: float
    grid: float
    way: float


NONE_MEASURED = Tolerance(14.0, 10.0, 14.0)
GREATEST = Tolerance(16.0, 16.0, 16.0)
"""No preset may ask for more: paint would not be told from what lies under it."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How the picture is encoded.

    `suffix` chooses the container. `pix_fmts` are those that the encoder is given, the most usual first.
    `args` are the encoder's own arguments, and `prefilter` the ffmpeg filters that its frames pass first;
    `interlaced_args` are added where fields are encoded, and None says that the encoder takes progressive frames
    only; `bottom_first_args` are added where the bottom field is shown first. `tags` are the colour tags that
    survive in such a file, and `range` ("tv") is set where the codec knows one range only. `threads` is written
    down because the bytes of x264 and x265 depend on it. `least_size` is the least (width, height) that the
    encoder takes.
    """

    name: str
    purpose: str
    suffix: str
    encoder: str
    codec: str
    pix_fmts: tuple[str, ...]
    args: tuple[str, ...]
    threads: int
    tags: tuple[str, ...]
    interlaced_args: tuple[str, ...] | None = None
    bottom_first_args: tuple[str, ...] = ()
    range: str | None = None
    notes: str = ""
    prefilter: str = ""
    tolerance: Tolerance = NONE_MEASURED
    least_size: tuple[int, int] = (1, 1)

    @property
    def muxer(self) -> str:
        """ffmpeg's name of the container: mov, mp4, matroska, mxf or webm; image2 for images."""
        return (MUXERS | IMAGES)[self.suffix]

    def pix_fmt_for(self, source: str) -> str:
        """The accepted pixel format that loses least of `source`; `source` itself if it is accepted.

        Alpha weighs most, then depth, then chroma resolution, then staying in RGB or YUV; of equals the
        smallest wins, then the first listed.
        """
        have = pixel_format(source)
        return min(self.pix_fmts, key=lambda name: _cost(have, pixel_format(name)))

    def loses(self, source: str) -> tuple[str, ...]:
        """What the conversion of `source` to this preset's format can't keep, in words; empty if nothing."""
        have, kept = pixel_format(source), pixel_format(self.pix_fmt_for(source))
        lost = []
        if have.alpha and not kept.alpha:
            lost.append("alpha")
        if _bits(have) > _bits(kept):
            lost.append(f"depth: {_depth(have)} to {_depth(kept)}")
        if _chroma_lost(have, kept):
            lost.append(f"chroma resolution: {have.name} to {kept.name}")
        if have.rgb and not kept.rgb:
            lost.append("exact RGB values: they become YUV")
        return tuple(lost)


def names() -> tuple[str, ...]:
    """The names of the presets that come with vsanon, sorted."""
    return tuple(sorted(p.name.removesuffix(".yaml") for p in _folder().iterdir() if p.name.endswith(".yaml")))


def load(name_or_path: str | PathLike[str]) -> Preset:
    """Load a preset by its name, or from a YAML file of one's own (a path that ends in .yaml or .yml).

    Raises:
        InputError: there is no such preset, or the file is not a valid one; file and key are named.

    Examples:
        >>> load("prores_hq").pix_fmt_for("yuv420p")
        'yuv422p10le'
    """
    text = str(name_or_path)
    if text.endswith((".yaml", ".yml")):
        file: Path | Traversable = Path(text)
    elif text in names():
        file = _folder() / f"{text}.yaml"
    else:
        if text == "source":
            raise InputError("the preset source follows from a file, and goes with one IN and OUT")
        raise InputError(
            f"no preset {text!r}. There are: {', '.join(names())}; or give the path of your own .yaml file."
        )
    try:
        content = read_plain(file, MOST_BYTES) if isinstance(file, Path) else file.read_bytes()
        data = load_yaml(content.decode("utf-8"))
    except OSError as error:
        raise InputError(f"preset {file}: can't be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"preset {file}: is not YAML: {error}") from error
    return _parse(data, str(file))


def video_args(preset: Preset, pix_fmt: str, *, interlaced: bool = False, bottom_first: bool = False) -> list[str]:
    """The output arguments that encode the picture, the same ones for every use of the preset.

    Raises:
        InputError: fields were asked of an encoder that takes progressive frames only.
    """
    if interlaced and preset.interlaced_args is None:
        raise InputError(
            f"preset {preset.name}: {preset.encoder} takes progressive frames only, and the clip is "
            "interlaced. Choose a ProRes, H.264 or FFV1 preset, or deinterlace the clip first."
        )
    fields = (preset.interlaced_args or ()) if interlaced else ()
    order = preset.bottom_first_args if interlaced and bottom_first else ()
    return [
        *("-c:v", preset.encoder, *preset.args, *fields, *order),
        *("-threads:v", str(preset.threads), "-pix_fmt", pix_fmt, "-flags:v", "+bitexact", *BITEXACT),
    ]


def command_line(
    preset: Preset,
    *,
    ffmpeg: str = "ffmpeg",
    source: str = "INPUT",
    output: str | None = None,
    pix_fmt: str | None = None,
) -> list[str]:
    """A whole ffmpeg command with this preset: the picture encoded, sound copied.

    Args:
        preset: the preset.
        ffmpeg: the program.
        source: the input file, or "-" to read y4m from a pipe (`vspipe -c y4m script.vpy -`).
        output: the output file; without it, "OUTPUT" and the preset's suffix.
        pix_fmt: the source's pixel format, which decides the one that is encoded; without it, the first.
    """
    chosen = preset.pix_fmts[0] if pix_fmt is None else preset.pix_fmt_for(pix_fmt)
    reader = ["-f", "yuv4mpegpipe"] if source == "-" else []
    sound = [] if source == "-" else ["-map", "0:a?", "-c:a", "copy"]
    return [
        *(ffmpeg, *reader, "-i", source, "-map", "0:v:0", *sound),
        *video_args(preset, chosen),
        output or f"OUTPUT{'.%06d' if preset.muxer == 'image2' else ''}{preset.suffix}",
    ]


def _folder() -> Traversable:
    """`ffmpeg_presets/`: inside the package in a wheel, beside it in a checkout."""
    package = resources.files("vsanon")
    inside = package / "ffmpeg_presets"
    return inside if inside.is_dir() else Path(str(package)).parent / "ffmpeg_presets"


_TEXT = ("name", "purpose", "suffix", "encoder", "codec")
_LISTS = ("pix_fmts", "args", "tags")
_OPTIONAL_LISTS = ("interlaced_args", "bottom_first_args")
_OPTIONAL = (*_OPTIONAL_LISTS, "prefilter", "range", "notes", "tolerance", "least_size")


def _parse(data: Any, file: str) -> Preset:
    def bad(key: str, expected: str) -> InputError:
        got = data.get(key, "nothing") if isinstance(data, Mapping) else data
        return InputError(f"preset {file}: {key}: expected {expected}, got {got!r}.")

    if not isinstance(data, Mapping):
        raise bad("file", "a mapping of keys to values")
    known = (*_TEXT, *_LISTS, "threads", *_OPTIONAL)
    if unknown := [str(key) for key in data if key not in known]:
        raise InputError(f"preset {file}: {unknown[0]}: unknown key; the keys are {', '.join(known)}.")
    for key in _TEXT:
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise bad(key, "a text")
    lists = (*_LISTS, *(key for key in _OPTIONAL_LISTS if data.get(key) is not None))
    for key in lists:
        if not isinstance(data.get(key), list) or not all(isinstance(item, str) for item in data[key]):
            raise bad(key, "a list of texts (numbers in quotes)")
    threads = data.get("threads")
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise bad("threads", "a whole number of at least 1")
    if data["suffix"] not in MUXERS | IMAGES:
        raise bad("suffix", f"one of {', '.join(MUXERS | IMAGES)}")
    if not data["pix_fmts"]:
        raise bad("pix_fmts", "at least one pixel format")
    for name in data["pix_fmts"]:
        try:
            pixel_format(name)
        except InputError as error:
            raise InputError(f"preset {file}: pix_fmts: {error}") from error
    if any(tag not in TAGS for tag in data["tags"]):
        raise bad("tags", f"some of {', '.join(TAGS)}")
    if data.get("range") not in (None, "tv"):
        raise bad("range", '"tv", or no such key')
    for key in ("notes", "prefilter"):
        if not isinstance(data.get(key, ""), str):
            raise bad(key, "a text")
    least = data.get("least_size", [1, 1])
    if not isinstance(least, list) or len(least) != 2 or not all(type(v) is int and v > 0 for v in least):
        raise bad("least_size", "a list of width and height, pixels")
    tolerance = NONE_MEASURED
    if "tolerance" in data:
        try:
            tolerance = tolerance_of(data["tolerance"])
        except ValueError as error:
            raise bad("tolerance", str(error)) from error
    values: dict[str, Any] = {key: data[key].strip() for key in _TEXT}
    values |= {key: tuple(data[key]) for key in lists}
    values |= {key: data.get(key, "").strip() for key in ("notes", "prefilter")}
    found = Preset(**values, threads=threads, range=data.get("range"), tolerance=tolerance, least_size=tuple(least))
    require_encoding(found, file)
    return found


def require_encoding(preset: Preset, where: str) -> None:
    """Refuse a preset that tells ffmpeg more than how to encode: of other files, or of other outputs.

    Raises:
        InputError: it does; with the key, and what was expected.
    """
    for key in ("args", *_OPTIONAL_LISTS):
        if (wanted := refused(getattr(preset, key) or ())) is not None:
            raise InputError(f"preset {where}: {key}: expected {wanted}.")
    if (wanted := refused_filters(preset.prefilter)) is not None:
        raise InputError(f"preset {where}: prefilter: expected {wanted}.")


def tolerance_of(data: Any) -> Tolerance:
    """A tolerance, as files hold it.

    Raises:
        ValueError: it is none; with what was expected.
    """
    names = ("region", "grid", "way")
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise ValueError(f"a mapping of {', '.join(names)}")
    for name in names:
        value, most = data[name], getattr(GREATEST, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ValueError(f"{name}: codes of 255, from 0 to {most:g}")
    return Tolerance(*(float(data[name]) for name in names))


def _bits(found: PixelFormat) -> int:
    # A 32-bit float's significand has 24 bits, which no integer format here holds.
    return 24 if found.depth == 32 else found.depth


def _depth(found: PixelFormat) -> str:
    return f"{found.depth}-bit float" if found.is_float else f"{found.depth} bits"


def _chroma_lost(have: PixelFormat, kept: PixelFormat) -> int:
    """How many times fewer chroma samples are kept; 0 if none are lost."""
    if have.gray:
        return 0
    if kept.gray:
        return 1000
    across, down = (max(k // h, 1) for h, k in zip(have.chroma, kept.chroma, strict=True))
    return across * down if across * down > 1 else 0


def _cost(have: PixelFormat, kept: PixelFormat) -> tuple[Any, ...]:
    samples = 1 + kept.alpha + (0 if kept.gray else 2 / (kept.chroma[0] * kept.chroma[1]))
    return (
        have.alpha and not kept.alpha,
        max(_bits(have) - _bits(kept), 0),
        _chroma_lost(have, kept),
        have.rgb != kept.rgb and not have.gray,
        kept.name != have.name,
        kept.depth * samples,
    )
