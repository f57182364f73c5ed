"""What the commands on tracks share: their arguments, and frames and key frames as people type them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vsanon.cli.shared import FILE


class Frames(click.ParamType[Any]):
    """START:STOP in frames or START-STOP in timecode, end-exclusive; what it means follows from the track file."""

    name = "START:STOP"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import FrameRange, frame_range

        if isinstance(value, FrameRange):
            return value
        clock = _clock(ctx)
        try:
            return frame_range(str(value), clock)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Frame(click.ParamType[Any]):
    """A frame's number, or its timecode."""

    name = "FRAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import frame_at

        try:
            return value if isinstance(value, int) else frame_at(str(value), _clock(ctx))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _clock(ctx: Any) -> Any:
    """The clock of the track file that the command names; arguments come before options, see `TRACKS`."""
    from vsanon.tracks.file import read_tracks

    return read_tracks(ctx.params["tracks"]).clock if ctx is not None and "tracks" in ctx.params else None


class Key(click.ParamType[Any]):
    """FRAME:X0,Y0,X1,Y1, or FRAME:X,Y;X,Y;X,Y for a polygon; the frame may be a timecode."""

    name = "FRAME:BOX"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import frame_at
        from vsanon.tracks.edit_kinds import KeyFrame
        from vsanon.tracks.edits import outline_points

        if isinstance(value, KeyFrame):
            return value
        frame, _, where = str(value).rpartition(":") if ";" not in str(value) else _parted(str(value))
        try:
            frame = str(frame_at(frame, _clock(ctx)))
            if ";" in where:
                pairs = [point.split(",") for point in where.split(";")]
                box, points = outline_points([(float(x), float(y)) for x, y in pairs])
                return KeyFrame(int(frame), box, points)
            x0, y0, x1, y1 = (float(v) for v in where.split(","))
            return KeyFrame(int(frame), (x0, y0, x1, y1))
        except ValueError as error:
            self.fail(f"{value!r}: {error}; FRAME:X0,Y0,X1,Y1 or FRAME:X,Y;X,Y;X,Y was expected", param, ctx)


def _parted(value: str) -> tuple[str, str, str]:
    """A key frame with ";" in it, in its polygon or in its timecode, in two at the ":" between them."""
    import re

    found = re.fullmatch(r"(\d+|\d\d:\d\d:\d\d[:;.]\d\d):(.*)", value)
    return (found[1], ":", found[2]) if found else value.partition(":")


TRACKS = click.argument("tracks", metavar="TRACKS", type=FILE, is_eager=True)


def why(function: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for who makes an edit, and for the reason."""
    function = click.option("--reason", required=True, help="Why; auditors read it.")(function)
    return click.option("--by", required=True, envvar="VSANON_BY", help="Who [or set VSANON_BY].")(function)


SOURCE = click.option("--source", type=FILE, required=True, help="The clip that the tracks belong to.")
ANY_PICTURE = click.option(
    "--any-picture", is_flag=True, help="Take frames that show another picture than the one analysed, unchecked."
)  # fmt: skip


def require_target(inputs: list[Path], output: Path, overwrite: bool) -> None:
    """As `delivery.require_targets`, for one output."""
    from vsanon.job.delivery import require_targets

    require_targets(inputs, [output], overwrite=overwrite)
