"""The options that several commands share, of searching, covering and image sequences, and their `Settings`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vsanon.cli.shared import FILE, OVERWRITE, SHAPE_OPTIONS
from vsanon.covering.looks import STRENGTHS


def _whole_or_name(text: str) -> int | str:
    """A whole number, or what the library knows by name."""
    return int(text) if text.isdecimal() else text


def _zone(text: str) -> tuple[int, ...]:
    """Whole numbers between commas; what a zone may be is for the library to say."""
    return tuple(int(v) for v in text.split(","))


def _together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return apply


def _rate(text: str) -> Any:
    """A rate such as 24, 23.976 or 24000/1001; the decimals that are usual stand for the exact rate."""
    from fractions import Fraction

    rate = Fraction(text)
    exact = [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]
    rate = next((e for e in exact if abs(e - rate) < Fraction(1, 200) and "." in text), rate)
    if not 1 <= rate <= 1000:
        raise ValueError("from 1 to 1000 frames a second")
    return rate


_IMAGES = (
    click.option("--rate", type=_rate, default=None, metavar="FPS",
                 help="Where IN is an image sequence (a folder, or a pattern such as shot.%06d.dpx): its frames a "
                 "second, such as 24 or 30000/1001."),
    click.option("--start-number", type=click.IntRange(0), default=None, metavar="N",
                 help="Its first image to take [default: the first that is there]."),
)  # fmt: skip
image_options = _together(*_IMAGES)
detect_options = _together(
    click.option("--classes", default="face,plate", show_default=True, help="What to cover, comma-separated."),
    click.option(
        "--setting", type=click.Choice(["fast", "balanced", "thorough"]), default="balanced", show_default=True,
        help="Models and scales: `thorough` finds smaller faces, and takes longer.",
    ),
    click.option(
        "--model", "models", multiple=True, metavar="CLASS=CARD",
        help="Another model for a class: a card's name or path, or an ONNX file. Several for one class add up.",
    ),
    click.option("--family", default=None, help="What reads the outputs of an ONNX file without a card."),
    click.option("--size", type=int, default=None, help="Search one picture only, with this longer side, pixels."),
    click.option("--min-object", "min_object_px", type=float, default=None, metavar="PX",
                 help="Height of the smallest object that must be found [default: the setting's]."),
    click.option("--max-object", "max_object_px", type=float, default=None, metavar="PX",
                 help="Height of the largest [default: the setting's]."),
    click.option(
        "--threshold", type=click.FloatRange(0, 1), default=None, help="Least score [default: the model's]."
    ),
    click.option(
        "--stride", type=_whole_or_name, default="1", show_default=True, metavar="N|auto",
        help="Search every Nth frame; auto: those that need it. What lies between is followed.",
    ),
    click.option("--turned", type=_whole_or_name, default="0", show_default=True, metavar="DEGREES|auto",
                 help="How far the picture must be turned clockwise to be upright: 90, 180 or 270, for cameras "
                 "that hang sideways or upside down; auto finds out by a sample of frames."),
    click.option("--ignore", multiple=True, type=_zone, metavar="X0,Y0,X1,Y1",
                 help="A zone that is not searched, such as a black bar, pixels; may be repeated."),
    click.option("--provider", default="cpu", show_default=True, metavar="NAME[,NAME...]",
                 help="Where models run: cpu, openvino, cuda, tensorrt, coreml or directml; the first that works "
                 "here of those named."),
    click.option(
        "--gap", "gap_s", default=1.0, show_default=True, help="Longest gap of a track to bridge, seconds."
    ),
    click.option(
        "--lead", "lead_s", default=0.5, show_default=True, help="Cover before and after a track, seconds."
    ),
    click.option("--growth", "growths", multiple=True, metavar="CLASS=SHARE",
                 help="How much a box grows for each second to the nearest detection, as a share of it; may be "
                 "repeated [default: 0.4]."),
    *_IMAGES,
    click.option("--video-track", type=click.IntRange(1), default=None, metavar="N",
                 help="Which of several video tracks, from 1 [default: that marked as default, else the largest]. "
                 "The others are left out."),
    click.option("--across-cuts", is_flag=True, help="In the track file, link identities across cuts too."),
)  # fmt: skip
render_options = _together(
    click.option("--preset", default="h264_crf", show_default=True, metavar="NAME|FILE.yaml|source",
                 help="See `vsanon presets list`; source: codec, format, rate and container of IN, as near as they "
                 "can be had."),
    click.option(
        "--profile", type=click.Choice(list(STRENGTHS)), default="strict", show_default=True,
        help="How it looks. " + " ".join(f"{name}: {line}." for name, line in STRENGTHS.items()),
    ),
    click.option("--fill", default="grey", show_default=True, metavar="COLOUR",
                 help="Of strict, and under a picture: grey, black, white, R,G,B, or surroundings, the mean around "
                 "each region."),
    click.option("--picture", default=None, metavar="FILE.png",
                 help="Of picture: what is laid over faces, at its own aspect; smile is drawn by vsanon "
                 "[default: smile]."),
    *SHAPE_OPTIONS,
    click.option("--grid", type=click.IntRange(1, 128), default=None,
                 help="Block grid of the source: traces are covered half of it and at most 4 px around a box "
                 "[default: by codec]."),
    click.option(
        "--on-missing", type=click.Choice(["error", "mask"]), default="error", show_default=True,
        help="A frame for which no detection could be made: stop, or cover it whole.",
    ),
    click.option(
        "--leave-out", multiple=True, type=click.Choice(["audio", "subtitles", "timecode", "chapters", "names"]),
        help="Of the source, what not to copy; may be repeated. `names` are those of reel and clip.",
    ),
    click.option(
        "--keep", "keep_too", multiple=True, type=click.Choice(["telemetry", "unread-subtitles"]),
        help="What is left out unless asked for: text that tells positions, exposure or devices; subtitles "
        "that are pictures, or whose text can't be read. May be repeated.",
    ),
    click.option(
        "--audio", "audio", type=click.Choice(["auto", "copy", "pcm", "aac"]), default="auto", show_default=True,
        help="Sound: as it is, or refused (copy); as PCM or AAC; auto copies what the container takes, and makes "
        "of the rest PCM, in MP4 Apple Lossless.",
    ),
    click.option("--audio-track", "audio_tracks", multiple=True, type=click.IntRange(1), metavar="N",
                 help="Which of several sound tracks, counted from 1; may be repeated [default: all]."),
    click.option("--from", "first", default=None, metavar="FRAME|TIMECODE",
                 help="First frame to cover, by number from 0 or by the source's timecode, such as 10:00:05:00 "
                 "[default: the first]."),
    click.option("--to", "stop", default=None, metavar="FRAME|TIMECODE",
                 help="The frame after the last one to cover [default: the end]."),
    click.option("--trim", is_flag=True, help="Deliver the frames between --from and --to only, with their sound."),
    click.option("--rest-uncovered", is_flag=True,
                 help="With --from or --to: deliver all frames, those outside of them as they are. Whoever stands "
                 "there can be known."),
    OVERWRITE,
    click.option("--sign", type=FILE, default=None, metavar="KEY",
                 help="Sign the ledger with this private key; see `vsanon report keygen`."),
)  # fmt: skip

_SEARCH = ("setting", "family", "size", "min_object_px", "max_object_px", "threshold", "stride", "turned", "ignore")
"""Options that `Search` has under the same name."""


def settings_of(**options: Any) -> Any:
    """The options of the command line as `Settings`."""
    from vsanon.covering.choices import fill_of, growths_of, shapes_of
    from vsanon.detectors.search import Search
    from vsanon.encode import KEEP, Sound
    from vsanon.job.part import Span
    from vsanon.job.settings import Settings
    from vsanon.models import CPU, chosen
    from vsanon.tracking.settings import GROWTH, TrackSettings

    models: dict[str, tuple[str, ...]] = {}
    for entry in options.get("models", ()):
        name, _, card = entry.partition("=")
        if not card:
            raise click.UsageError("--model needs CLASS=CARD, such as face=yunet_n")
        models[name] = (*models.get(name, ()), card)
    given = {name: options[name] for name in _SEARCH if name in options}
    if "classes" in options:
        given["classes"] = [c.strip() for c in options["classes"].split(",") if c.strip()]
    _require_rest(options)
    names = ("preset", "profile", "grid", "on_missing", "across_cuts", "rate", "start_number", "video_track")
    try:
        return Settings(
            search=Search(models=models, provider=chosen(options.get("provider", CPU)), **given),
            track=TrackSettings(
                gap_s=options.get("gap_s", 1.0),
                lead_s=options.get("lead_s", 0.5),
                growth=growths_of(options.get("growths", ())) or GROWTH,
            ),
            keep=KEEP - set(options.get("leave_out", ())) | set(options.get("keep_too", ())),
            sound=Sound(options.get("audio", "auto"), tuple(options.get("audio_tracks", ()))),
            fill=fill_of(options.get("fill", "grey")),
            picture=_picture(options),
            shapes=shapes_of(options.get("margins", ()), options.get("feathers", ())),
            same_picture=not options.get("any_picture", False),
            span=Span(options.get("first"), options.get("stop"), options.get("trim", False)),
            **{name: options[name] for name in names if name in options},
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _require_rest(options: dict[str, Any]) -> None:
    """Refuse a part of which nobody said what becomes of the other frames: to deliver them bare is to be meant."""
    part, trim = options.get("first") or options.get("stop"), options.get("trim", False)
    rest = options.get("rest_uncovered", False)
    if part and not trim and not rest:
        raise click.UsageError(
            "--from and --to name a part: add --trim to deliver that alone, or --rest-uncovered to deliver all "
            "frames, those outside as they are, in which whoever stands there can be known"
        )
    if rest and (trim or not part):
        raise click.UsageError("--rest-uncovered goes with --from or --to, and not with --trim")


def _picture(options: dict[str, Any]) -> Any:
    """The picture that is laid over regions, read before the work begins."""
    name, profile = options.get("picture"), options.get("profile", "strict")
    if name is None:
        return None
    if profile != "picture":
        raise click.UsageError(f"--picture goes with --profile picture, not with {profile}")
    from vsanon.job.stickers import picture_of

    return picture_of(name)


def signer_of(key: Path | None) -> Any:
    """The key that ledgers are signed with, read before the work begins."""
    if key is None:
        return None
    from vsanon.signing import Signer, is_encrypted

    phrase = click.prompt("Passphrase", hide_input=True, err=True).encode() if is_encrypted(key) else None
    return Signer(key, phrase)
