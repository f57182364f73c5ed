"""Frames to a file with ffmpeg, and what of the source goes beside them; only `ffmpeg.py` starts the program."""

from vsanon.encode.carry import CONTAINER_METADATA, KEPT_METADATA, CopyPlan, lost_tags, plan_copy
from vsanon.encode.carry_streams import KEEP, KEEP_IF_ASKED, is_telemetry
from vsanon.encode.carry_times import sound_fits, start_origin, timecode_of
from vsanon.encode.cut import Cut
from vsanon.encode.encoding import EncodeReport, command, encode, require_encodable, time_grid, track_timescale
from vsanon.encode.ffmpeg import ffmpeg_path, ffmpeg_version, require_encoder, run, run_through
from vsanon.encode.languages import same_language
from vsanon.encode.picture import lost_in, output_color, output_hdr
from vsanon.encode.played import found_played, played
from vsanon.encode.raw import RawVideo
from vsanon.encode.reels import reel_of
from vsanon.encode.sound import AS_IS, Sound, SoundFit, is_lossless
from vsanon.encode.sound_changes import SoundChange

__all__ = [
    "AS_IS",
    "CONTAINER_METADATA",
    "KEEP",
    "KEEP_IF_ASKED",
    "KEPT_METADATA",
    "CopyPlan",
    "Cut",
    "EncodeReport",
    "RawVideo",
    "Sound",
    "SoundChange",
    "SoundFit",
    "command",
    "encode",
    "ffmpeg_path",
    "ffmpeg_version",
    "found_played",
    "is_lossless",
    "is_telemetry",
    "lost_in",
    "lost_tags",
    "output_color",
    "output_hdr",
    "plan_copy",
    "played",
    "reel_of",
    "require_encodable",
    "require_encoder",
    "run",
    "run_through",
    "same_language",
    "sound_fits",
    "start_origin",
    "time_grid",
    "timecode_of",
    "track_timescale",
]
