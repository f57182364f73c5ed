"""Frames to a file with ffmpeg, and what of the source goes beside them; only `ffmpeg.py` starts the program."""

from vsanon.encode.carry import (
    CONTAINER_METADATA,
    KEEP,
    KEPT_METADATA,
    CopyPlan,
    plan_copy,
    same_language,
    sound_fits,
    start_origin,
)
from vsanon.encode.encoding import EncodeReport, command, encode, require_encodable, time_grid, track_timescale
from vsanon.encode.ffmpeg import ffmpeg_path, ffmpeg_version, run
from vsanon.encode.picture import output_color, output_hdr
from vsanon.encode.raw import RawVideo

__all__ = [
    "CONTAINER_METADATA",
    "KEEP",
    "KEPT_METADATA",
    "CopyPlan",
    "EncodeReport",
    "RawVideo",
    "command",
    "encode",
    "ffmpeg_path",
    "ffmpeg_version",
    "output_color",
    "output_hdr",
    "plan_copy",
    "require_encodable",
    "run",
    "same_language",
    "sound_fits",
    "start_origin",
    "time_grid",
    "track_timescale",
]
