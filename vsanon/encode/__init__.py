"""Frames to a file with ffmpeg, and what of the source goes beside them; only `ffmpeg.py` starts the program."""

from vsanon.encode.carry import (
    CONTAINER_METADATA,
    KEEP,
    KEPT_METADATA,
    CopyPlan,
    plan_copy,
    same_language,
    start_origin,
)
from vsanon.encode.encoding import EncodeReport, encode, time_grid, track_timescale
from vsanon.encode.ffmpeg import ffmpeg_path, ffmpeg_version, run, run_through
from vsanon.encode.picture import output_color
from vsanon.encode.raw import RawVideo

__all__ = [
    "CONTAINER_METADATA",
    "KEEP",
    "KEPT_METADATA",
    "CopyPlan",
    "EncodeReport",
    "RawVideo",
    "encode",
    "ffmpeg_path",
    "ffmpeg_version",
    "output_color",
    "plan_copy",
    "run",
    "run_through",
    "same_language",
    "start_origin",
    "time_grid",
    "track_timescale",
]
