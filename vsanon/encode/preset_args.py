"""What a preset may tell ffmpeg: how to encode, and nothing of other files; presets come from strangers."""

import re
from collections.abc import Sequence

_OPTION = re.compile(r"-[A-Za-z][A-Za-z0-9_-]*(:[A-Za-z0-9_:]+)?")
_STEERS = frozenset({
    "L", "ab", "abort_on", "ac", "accurate_seek", "acodec", "af", "aframes", "an", "apad", "apply_cropping",
    "apre", "aq", "ar", "atag", "attach", "auto_conversion_filters", "autorotate", "autoscale", "benchmark",
    "benchmark_all", "bitexact", "bsfs", "buildconf", "c", "canvas_size", "ch_layout", "channel_layout",
    "codec", "codecs", "colors", "content_light", "copy_unknown", "copyinkf", "copypriorss", "copytb", "copyts",
    "cpucount", "cpuflags", "dcodec", "debug_ts", "decoders", "deinterlace", "demuxers", "devices", "dframes",
    "discard", "display_hflip", "display_rotation", "display_vflip", "disposition", "dispositions", "dn",
    "drop_changed", "dts_delta_threshold", "dts_error_threshold", "dump", "dump_attachment", "encoders", "f",
    "filter", "filter_buffered_frames", "filter_complex", "filter_complex_script", "filter_complex_threads",
    "filter_script", "filter_threads", "filters", "find_stream_info", "fix_sub_duration",
    "fix_sub_duration_heartbeat", "force_fps", "formats", "fpre", "fps_mode", "frames", "fs",
    "guess_layout_max", "h", "help", "hex", "hide_banner", "hwaccel", "hwaccel_device", "hwaccel_output_format",
    "hwaccels", "i", "ignore_unknown", "isync", "itsoffset", "itsscale", "lavfi", "layouts", "license",
    "loglevel", "map", "map_channel", "map_chapters", "map_metadata", "mastering_display", "max_alloc",
    "max_error_rate", "metadata", "muxers", "n", "pass", "passlogfile", "pix_fmts", "pre", "print_graphs",
    "print_graphs_file", "print_graphs_format", "program", "progress", "protocols", "psnr", "qphist", "re",
    "readrate", "readrate_catchup", "readrate_initial_burst", "recast_media", "reinit_filter", "report",
    "sample_fmt", "sample_fmts", "scodec", "sdp_file", "seek_timestamp", "shortest", "shortest_buf_duration",
    "sinks", "sn", "sources", "spre", "ss", "sseof", "stag", "start_at_zero", "stats", "stats_enc_post",
    "stats_enc_post_fmt", "stats_enc_pre", "stats_enc_pre_fmt", "stats_mux_pre", "stats_mux_pre_fmt",
    "stats_period", "stdin", "stream_group", "stream_loop", "streamid", "t", "target", "thread_queue_size",
    "timelimit", "timestamp", "to", "v", "vcodec", "version", "vf", "vframes", "vn", "vpre", "vstats",
    "vstats_file", "vstats_version", "vsync", "x265-stats", "xerror", "y",
})  # fmt: skip
"""ffmpeg's own options that name files, inputs and outputs, choose what goes into them, or take no value."""

_PARAMETERS = ("x264opts", "x264-params", "x265-params", "svtav1-params", "aom-params")
_FILES_OF_ENCODERS = re.compile(
    r"(?:^|:)\s*((?:[a-z0-9-]*-)?(?:file|load|save|stats|stat-file|csv|recon|yuv|cqmfile|qpfile|zonefile|clbin|pass|log|"
    r"scaling-list|cqm|dhdr10-info|rpu|table|path))\s*="
)
"""Keys of x264, x265, SVT-AV1 and libaom whose values are files."""

_FILTERS_OF_FILES = frozenset({
    "ametadata", "amovie", "arnndn", "asegment", "asendcmd", "ashowinfo", "ass", "azmq", "cellauto",
    "cover_rect", "curves", "derain", "deshake", "dnn_classify", "dnn_detect", "dnn_processing", "drawtext",
    "drawvg", "fieldhint", "find_rect", "firequalizer", "flite", "frei0r", "frei0r_src", "fsync", "ladspa",
    "lensfun", "libplacebo", "libvmaf", "life", "loudnorm", "lut1d", "lut3d", "lv2", "metadata", "movie",
    "nnedi", "ocr", "openclsrc", "paletteuse", "program_opencl", "psnr", "qrencode", "qrencodesrc",
    "removelogo", "segment", "selectivecolor", "sendcmd", "showcqt", "signature", "sofalizer", "sr", "ssim",
    "ssim360", "subtitles", "vidstabdetect", "vidstabtransform", "vmafmotion", "whisper", "xfade_opencl",
    "xpsnr", "zmq",
})  # fmt: skip
"""ffmpeg's filters that read or write files besides, or listen on the network."""
_NAME = re.compile(r"(?:^|[,;\]])\s*([A-Za-z0-9_]+)")
_NO_FILE = re.compile(r"[0-9]+/[0-9]+|(\w+=\w+:)?/dev/dri/\w+")
"""A fraction, or a device to encode on."""


def refused(args: Sequence[str]) -> str | None:
    """Why arguments are none of an encoder's own; None where they are.

    They are pairs of an option and its value: whatever stands by itself is an output to ffmpeg, and written over.
    """
    if len(args) % 2:
        return "pairs of an option and its value"
    for option, value in zip(args[::2], args[1::2], strict=True):
        name = option.lstrip("-").partition(":")[0]
        if not _OPTION.fullmatch(option) or {name, name.removeprefix("no")} & _STEERS:
            return f"the encoder's own options, each with a value, and not {option!r:.40}"
        if name in _PARAMETERS and (found := _FILES_OF_ENCODERS.search(value)):
            return f"nothing of other files, and not {found[1]} in {option}"
        if re.search(r"[/\\]", value) and not _NO_FILE.fullmatch(value):
            return f"nothing of other files, and not {value!r:.60}"
    return None


def refused_filters(text: str) -> str | None:
    """Why filters are none that a preset may ask for; None where they are."""
    if found := re.search(r"[\\'\"]|/\w+=", text):
        return f"filters without quotes, backslashes and values from files, and not {found[0]!r}"
    for name in _NAME.findall(text):
        if name in _FILTERS_OF_FILES:
            return f"filters that know no other files, and not {name}"
    return None
