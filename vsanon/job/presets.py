"""What a preset runs for a file, to the word."""

from fractions import Fraction
from pathlib import Path

from vsanon.encode import RawVideo, command, presets
from vsanon.encode.source_preset import NAME, natural, usual_suffix
from vsanon.errors import InputError
from vsanon.job.frames import raw_video
from vsanon.media import Color
from vsanon.media.source import open_source
from vsanon.timing import Timeline

PLAIN = RawVideo(
    "yuv420p",
    (1920, 1080),
    Timeline(tuple(range(25)), Fraction(1, 25), Fraction(25)),
    Fraction(1),
    Color("bt709", "bt709", "bt709", "tv", "left"),
)
"""The clip that stands in where none is named."""


def command_of(name: str, source: Path | None = None, *, y4m: bool = False) -> tuple[list[str], str]:
    """The command of a preset, and what there is to say of it.

    Args:
        name: of the preset, its path, or "source".
        source: the file; None for `PLAIN`.
        y4m: the command that reads y4m from a pipe, as `vspipe` writes it, and knows no source.

    Raises:
        InputError: there is no such preset or file, or the preset can't encode it.
    """
    if source is None:
        if name == NAME:
            raise InputError(f"the preset {NAME} follows from a file: name it with --source")
        preset = presets.load(name)
        if y4m:
            return presets.command_line(preset, source="-"), preset.notes
        return _plain(command(PLAIN, preset, _output(preset))), preset.notes
    opened = open_source(source)
    video = raw_video(opened)
    preset = natural(opened.facts, video, usual_suffix(opened.facts)) if name == NAME else presets.load(name)
    if y4m:
        return presets.command_line(preset, source="-", pix_fmt=video.pix_fmt), preset.notes
    return _plain(command(video, preset, _output(preset), source=opened.facts)), preset.notes


def _output(preset: presets.Preset) -> Path:
    return Path(f"OUTPUT/shot.%06d{preset.suffix}" if preset.muxer == "image2" else f"OUTPUT{preset.suffix}")


def _plain(words: tuple[str, ...]) -> list[str]:
    return ["ffmpeg", *words[1:]]
