"""Delivers files of many kinds, and writes what came of each: `python scripts/conformance.py [--out PAGE]`.

Every source is made here by ffmpeg, from its test picture: a container, a codec and a
trait; what ffmpeg does not write is put there by the generators of the tests. It is delivered by
`vsanon anonymize`, and what the file holds is read by PyAV and by hand, not by vsanon: frames, their times against
the source's, sound, timecode, tags, alpha. The plate model runs, which comes with the package; there is nothing to
find.
"""

import argparse
import hashlib
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import odd_streams
from tests.support.field_pictures import paff
from tests.support.odd_files import with_edits
from tests.support.odd_images import heic
from tests.support.odd_streams import (
    C2PA,
    XMP,
    add_box,
    box,
    caption,
    chaptered,
    chapters,
    element,
    hdr10_plus,
    with_tagged_sound,
    with_units,
)
from vsanon.cli.main import main as vsanon
from vsanon.encode import plan_copy, run
from vsanon.encode.presets import load
from vsanon.encode.sound import rate_in
from vsanon.errors import InputError
from vsanon.media import probe

FAST = ("-preset", "ultrafast")
H264 = ("-c:v", "libx264", *FAST, "-pix_fmt", "yuv420p")
TONE = ("-f", "lavfi", "-i", "sine=r=48000:d=0.6")
CONSTANT = ("-b:v", "20M", "-minrate", "20M", "-maxrate", "20M", "-bufsize", "8M")
PAL = "720x576"
H265 = ("-c:v", "libx265", "-x265-params", "log-level=none")
HLG = ("-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc")
FIELDS = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")
CLEAR = "format=yuva444p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='if(lt(X,96),0,255)'"
CHAPTERS, SPEECH, PLACES = "chapters.txt", "speech.srt", "places.srt"
BESIDE = {
    CHAPTERS: ";FFMETADATA1\n"
    + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={a + 300}\ntitle={t}\n" for a, t in ((0, "A"), (300, "B"))
    ),
    SPEECH: "1\n00:00:00,000 --> 00:00:00,400\nGood morning, Anna.\n",
    PLACES: "1\n00:00:00,000 --> 00:00:00,400\nGPS (8.541694, 47.376888, 18), D 12.3m\n",
}
"""Files that sources are made of, too, by name."""


@dataclass(frozen=True)
class Kind:
    """A source: what it is, ffmpeg's arguments for it, and the preset that it is delivered with."""

    name: str
    suffix: str
    arguments: tuple[str, ...]
    preset: str = "h264_crf"
    size: str = "192x128"
    rate: str = "25"
    sound: bool = True
    options: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    made: Callable[[Path], object] | None = None


def kinds() -> list[Kind]:
    """The table's rows."""
    ten, aac = ("-pix_fmt", "yuv420p10le"), ("-c:a", "aac")
    hdr = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    bt709 = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
    names = ("-metadata", "reel_name=A001R1", "-movflags", "use_metadata_tags")
    return [
        Kind("MP4, H.264, AAC", ".mp4", (*H264, *aac)),
        Kind("MP4, H.264 with B-frames, 29.97", ".mp4", ("-c:v", "libx264", "-bf", "3", *aac), rate="30000/1001"),
        Kind("MP4, H.264, BT.709 tags", ".mp4", (*H264, *bt709, *aac)),
        Kind(
            "MP4, H.264, uneven frame times",
            ".mp4",
            (*H264, "-vf", "setpts='(N+N*N/20)/25/TB'", "-fps_mode", "passthrough", *aac),
        ),
        Kind("MP4, H.264, 1000 frames a second", ".mp4", (*H264, "-frames:v", "100"), rate="1000", sound=False),
        Kind("MP4, H.264, a frame in two seconds", ".mp4", (*H264, "-frames:v", "4"), rate="1/2", sound=False),
        Kind(
            "MP4, H.265 10 bit, HDR10 tags",
            ".mp4",
            ("-c:v", "libx265", "-x265-params", "log-level=none", *ten, *hdr, *aac),
            "h265_crf_10bit",
        ),
        Kind("MP4, AV1", ".mp4", ("-c:v", "libsvtav1", "-preset", "12", *aac)),
        Kind("MP4, MPEG-4 part 2", ".mp4", ("-c:v", "mpeg4", "-bf", "2", *aac)),
        Kind(
            "MOV, ProRes 422 HQ, drop-frame timecode, PCM",
            ".mov",
            ("-c:v", "prores_ks", "-profile:v", "hq", "-c:a", "pcm_s24le", "-timecode", "01:00:00;02"),
            "prores_hq",
            rate="30000/1001",
        ),
        Kind(
            "MOV, ProRes 4444 with alpha",
            ".mov",
            ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", "-c:a", "pcm_s16le"),
            "prores_4444",
        ),
        Kind(
            "MOV, ProRes, reel name", ".mov", ("-c:v", "prores_ks", "-timecode", "10:00:00:00", *names), "prores_hq"
        ),
        Kind(
            "MOV, interlaced ProRes",
            ".mov",
            ("-vf", "setfield=tff", "-c:v", "prores_ks", "-flags", "+ildct"),
            "prores_422",
            PAL,
        ),
        Kind(
            "MOV, DNxHD",
            ".mov",
            ("-c:v", "dnxhd", "-b:v", "75M", "-frames:v", "6", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le"),
            "prores_hq",
            "1280x720",
        ),
        Kind(
            "MOV, DNxHR HQX",
            ".mov",
            ("-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"),
            "prores_hq",
            "512x288",
        ),
        Kind("MOV, Motion JPEG", ".mov", ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p"), "prores_422"),
        Kind("MOV, PNG with alpha", ".mov", ("-c:v", "png", "-pix_fmt", "rgba"), "prores_4444", sound=False),
        Kind("MOV, QuickTime RLE", ".mov", ("-c:v", "qtrle"), "ffv1", sound=False),
        Kind("MOV, DV", ".mov", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"), "prores_422", PAL),
        Kind(
            "MOV, turned by 90 degrees",
            ".mov",
            ("-c", "copy"),
            "h264_crf",
            before=(*H264, *aac),
            options=("-display_rotation", "90"),
        ),
        Kind("raw DV", ".dv", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p"), "prores_422", PAL, sound=False),
        Kind(
            "MXF OP1a, MPEG-2 422 at a constant rate, 4 tracks",
            ".mxf",
            (
                "-map",
                "0:v",
                *["-map", "1:a"] * 4,
                "-c:v",
                "mpeg2video",
                "-pix_fmt",
                "yuv422p",
                *CONSTANT,
                "-c:a",
                "pcm_s24le",
                "-timecode",
                "10:00:00:00",
                "-metadata",
                "reel_name=A001",
            ),
            "prores_hq",
            PAL,
        ),
        Kind(
            "MXF, DNxHD",
            ".mxf",
            ("-c:v", "dnxhd", "-b:v", "75M", "-frames:v", "6", "-pix_fmt", "yuv422p", "-c:a", "pcm_s24le"),
            "prores_hq",
            "1280x720",
        ),
        Kind(
            "MXF, H.264 intra",
            ".mxf",
            ("-c:v", "libx264", "-g", "1", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"),
            "prores_hq",
        ),
        Kind(
            "MKV, FFV1 4:4:4 10 bit, FLAC",
            ".mkv",
            ("-c:v", "ffv1", "-pix_fmt", "yuv444p10le", "-c:a", "flac"),
            "ffv1",
        ),
        Kind("MKV, FFV1 RGB", ".mkv", ("-c:v", "ffv1", "-pix_fmt", "bgr0"), "ffv1", sound=False),
        Kind("MKV, FFV1 grey 16 bit", ".mkv", ("-c:v", "ffv1", "-pix_fmt", "gray16le"), "ffv1", sound=False),
        Kind(
            "MKV, FFV1 4:4:4 of odd size",
            ".mkv",
            ("-vf", "format=yuv444p,crop=191:127:0:0:exact=1", "-c:v", "ffv1"),
            "ffv1",
        ),
        Kind("MKV, H.264, Opus", ".mkv", (*H264, "-c:a", "libopus"), "ffv1"),
        Kind("WebM, VP8, Vorbis", ".webm", ("-c:v", "libvpx", "-c:a", "libvorbis")),
        Kind("WebM, VP9, Opus", ".webm", ("-c:v", "libvpx-vp9", "-c:a", "libopus")),
        Kind("TS, H.264, AC-3", ".ts", ("-c:v", "libx264", "-bf", "2", "-c:a", "ac3")),
        Kind("TS, H.264 at its clock's end", ".ts", (*H264, *aac, "-output_ts_offset", "95443")),
        Kind(
            "TS, MPEG-2 fields, MP2",
            ".ts",
            ("-vf", "setfield=tff", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "3", "-c:a", "mp2"),
            "h264_crf",
            PAL,
        ),
        Kind("M2TS, H.265", ".m2ts", ("-c:v", "libx265", "-x265-params", "log-level=none", *aac)),
        Kind(
            "program stream, MPEG-2",
            ".mpg",
            ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-c:a", "mp2"),
            size=PAL,
        ),
        Kind("program stream, MPEG-1", ".mpg", ("-c:v", "mpeg1video", "-q:v", "3", "-c:a", "mp2"), size="352x288"),
        Kind("AVI, MPEG-4 with B-frames, MP3", ".avi", ("-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3")),
        Kind("AVI, H.264", ".avi", (*H264, "-bf", "0"), sound=False),
        Kind("AVI, HuffYUV, PCM", ".avi", ("-c:v", "huffyuv", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le"), "ffv1"),
        Kind("AVI, v210", ".avi", ("-c:v", "v210", "-pix_fmt", "yuv422p10le"), "prores_hq", sound=False),
        Kind(
            "AVI, Motion JPEG, G.711",
            ".avi",
            ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_mulaw", "-ar", "8000"),
        ),
        Kind("WMV, WMV2, WMA", ".wmv", ("-c:v", "wmv2", "-b:v", "2M", "-c:a", "wmav2"), "ffv1"),
        Kind("FLV, H.264", ".flv", (*H264, *aac)),
        Kind(
            "3GP, H.263, AMR",
            ".3gp",
            ("-c:v", "h263", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
            size="176x144",
        ),
        Kind("Ogg, Theora, Vorbis", ".ogv", ("-c:v", "libtheora", "-q:v", "8", "-c:a", "libvorbis")),
        Kind(
            "DV of 525 lines, 4:1:1",
            ".dv",
            ("-c:v", "dvvideo", "-pix_fmt", "yuv411p"),
            "prores_422",
            "720x480",
            "30000/1001",
            sound=False,
        ),
        Kind(
            "MOV, H.265 with clear alpha",
            ".mov",
            (
                "-vf",
                CLEAR,
                "-c:v",
                "libx265",
                "-x265-params",
                "log-level=none:alpha=1",
                "-pix_fmt",
                "yuva420p",
                "-tag:v",
                "hvc1",
            ),
            "prores_4444",
            sound=False,
        ),
        Kind(
            "MOV, ProRes 4444 with clear alpha",
            ".mov",
            ("-vf", CLEAR, "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
            "h264_crf",
        ),
        Kind("MKV, chapters", ".mkv", ("-i", CHAPTERS, "-map", "0", "-map", "1", *H264, *aac)),
        Kind("MP4, chapters, to MKV", ".mp4", ("-i", CHAPTERS, "-map", "0", "-map", "1", *H264, *aac), "h264_mkv"),
        Kind(
            "MP4, subtitles that are speech",
            ".mp4",
            ("-i", SPEECH, "-map", "0", "-map", "1", "-map", "2", *H264, *aac, "-c:s", "mov_text"),
        ),
        Kind(
            "MP4, subtitles that tell positions",
            ".mp4",
            ("-i", PLACES, "-map", "0", "-map", "1", "-map", "2", *H264, *aac, "-c:s", "mov_text"),
        ),
        Kind("GXF, MPEG-2", ".gxf", ("-c:v", "mpeg2video", "-q:v", "3"), size=PAL, sound=False),
        Kind("bare H.264", ".h264", (*H264, "-bf", "0"), sound=False),
        Kind("MP4, H.264, fragmented", ".mp4", (*H264, *aac, "-movflags", "frag_keyframe+empty_moov")),
        Kind("MP4, H.264, one frame", ".mp4", (*H264, "-frames:v", "1"), sound=False),
        Kind("MP4, H.264 of mixed fields", ".mp4", ("-vf", "setfield=tff", "-c:v", "libx264", *FIELDS, *aac)),
        Kind("MKV, H.264 RGB", ".mkv", ("-c:v", "libx264rgb", *FAST), "prores_hq", sound=False),
        Kind(
            "MOV, H.265 10 bit, HLG tags", ".mov", (*H265, *ten, *HLG, "-tag:v", "hvc1"), "prores_hq", sound=False
        ),
        Kind("MOV, CineForm", ".mov", ("-c:v", "cfhd", "-pix_fmt", "yuv422p10le"), "prores_hq", sound=False),
        Kind(
            "MKV, VP9 4:4:4 12 bit", ".mkv", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuv444p12le"), "ffv1", sound=False
        ),
        Kind("animated GIF", ".gif", ("-c:v", "gif"), "h264_crf", sound=False),
        Kind("AVI, raw RGB", ".avi", ("-c:v", "rawvideo", "-pix_fmt", "bgr24"), "ffv1", sound=False),
        Kind("FLV, Sorenson, MP3", ".flv", ("-c:v", "flv1", "-q:v", "3", "-c:a", "mp3", "-ar", "44100")),
        *(Kind(f"MOV, ProRes 422 HQ, to {name}", ".mov", MASTER, name, "1280x720") for name in MADE),
        *naturals(),
        *devices(),
        *edited(),
        *recorders(),
    ]


MASTER = (
    "-c:v",
    "prores_ks",
    "-profile:v",
    "hq",
    "-c:a",
    "pcm_s24le",
    "-timecode",
    "10:00:00:00",
    "-frames:v",
    "6",
)
MADE = (
    *("dnxhr_lb", "dnxhr_sq", "dnxhr_hq", "dnxhr_hqx", "dnxhr_444", "dnxhr_hq_mxf", "dnxhr_hqx_mxf"),
    *("dnxhr_444_mxf", "prores_4444xq", "h264_intra_mxf", "mpeg2_422_mxf", "h264_422_10bit", "h264_444_10bit"),
    *("h265_422_10bit", "h265_444_10bit", "av1", "vp9"),
)
"""Presets that no other row delivers with."""


def naturals() -> list[Kind]:
    """Families of codecs, each delivered as its source is, as near as can be had."""
    four = ("-profile:v", "4444", "-pix_fmt", "yuva444p10le")
    families: list[tuple[str, str, tuple[str, ...]]] = [
        ("ProRes LT", ".mov", ("-c:v", "prores_ks", "-profile:v", "lt")),
        ("ProRes 4444 with alpha", ".mov", ("-c:v", "prores_ks", *four)),
        ("DNxHD", ".mxf", ("-c:v", "dnxhd", "-b:v", "75M", "-pix_fmt", "yuv422p")),
        ("DNxHR HQX", ".mxf", ("-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le")),
        ("MPEG-2 4:2:2", ".mxf", ("-c:v", "mpeg2video", "-pix_fmt", "yuv422p", *CONSTANT)),
        ("H.264 intra 4:2:2 10 bit", ".mxf", ("-c:v", "libx264", "-g", "1", "-pix_fmt", "yuv422p10le")),
        ("H.264 Main", ".mp4", ("-c:v", "libx264", "-profile:v", "main", "-crf", "12")),
        ("H.265 10 bit", ".mp4", (*H265, "-pix_fmt", "yuv420p10le", "-crf", "12")),
        ("AV1", ".mkv", ("-c:v", "libsvtav1", "-preset", "12", "-crf", "10")),
        ("VP9", ".webm", ("-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0")),
        ("FFV1", ".mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv422p10le")),
        ("Motion JPEG", ".mov", ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "2")),
        ("PNG with alpha", ".mov", ("-c:v", "png", "-pix_fmt", "rgba")),
    ]
    return [
        Kind(f"{name}, as its source", suffix, (*made, "-frames:v", "6"), "source", "1280x720", sound=False)
        for name, suffix, made in families
    ]


def devices() -> list[Kind]:
    """What cameras, broadcasters and editors write, and ffmpeg does not."""
    hevc = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1")
    rpu = bytes([62 << 1, 1, 0x19]) + b"metadata"

    def atoms(path: Path) -> None:
        odd_streams.filmed(path)
        for kind, content in ((b"uuid", C2PA), (b"uuid", XMP), (b"free", b"GPS")):
            add_box(path, box(kind, content))
        add_box(path, box(b"udta", box(b"GPMF", b"DEVC") + box(b"thmb", b"\xff\xd8")), b"moov", b"trak")

    def fields(path: Path) -> None:
        flat = np.full((32, 32), 128, np.uint8)
        rows = np.add.outer(np.arange(64) % 2 * 60, np.arange(64)).astype(np.uint8)
        (bare := path.with_name("bare.h264")).write_bytes(paff([(rows + n, flat, flat) for n in range(12)]))
        run(["-y", "-r", "25", "-i", str(bare), "-c", "copy", str(path)])

    def dolby(profile: int, compatible: int) -> Callable[[Path], object]:
        def make(path: Path) -> None:
            with_units(path, "hevc", lambda _: rpu, after=True)
            add_box(path, odd_streams.dolby_vision(profile, compatible), *hevc)

        return make

    def klv(path: Path) -> None:
        data = path.with_name("klv.bin")
        data.write_bytes(bytes.fromhex("060e2b34020b01010e01030101000000") + b"\4GPS " + bytes(99))
        inputs = (*PICTURE, *TONE, "-f", "data", "-i", str(data), "-map", "0", "-map", "1", "-map", "2")
        run(["-y", *inputs, *H264, "-c:a", "aac", "-c:d", "copy", str(path)])

    def captioned(path: Path) -> None:
        (texts := path.with_name("a.scc")).write_text(f"Scenarist_SCC V1.0\n\n00:00:00:00\t{CAPTION}\n\n")
        run(["-y", *PICTURE, "-i", str(texts), "-map", "0", "-map", "1", *H264, "-c:s", "copy", str(path)])

    made: list[tuple[str, str, Callable[[Path], object], str]] = [
        ("MP4, H.264, captions in it from frame 3 on", ".mp4", captions, "h264_crf"),
        ("MOV, H.264, a track of captions", ".mov", captioned, "prores_lt"),
        ("TS, H.264 coded by frame and by field", ".ts", fields, "h264_crf"),
        ("MP4, H.265, HDR10+", ".mp4", lambda p: with_units(p, "hevc", lambda _: hdr10_plus()), "h265_crf_10bit"),
        ("MP4, Dolby Vision, profile 8.1", ".mp4", dolby(8, 1), "h265_crf_10bit"),
        ("MP4, Dolby Vision, profile 5", ".mp4", dolby(5, 0), "h265_crf_10bit"),
        ("MP4, atoms of devices and editors", ".mp4", atoms, "h264_crf"),
        ("TS, KLV", ".ts", klv, "h264_crf"),
        ("MKV, ordered chapters", ".mkv", lambda p: chaptered(p, chapters(element("45dd", b"\1"))), "h264_mkv"),
        ("MKV, MP3 with an ID3 tag in its packets", ".mkv", odd_streams.with_tagged_sound, "h264_crf"),
        ("HEIC, a photo of tiles", ".heic", heic, "h264_crf"),
    ]
    return [Kind(name, suffix, (), preset, made=make) for name, suffix, make, preset in made]


def edited() -> list[Kind]:
    """Films of which a header says that less, or something else, is played than they hold."""

    def parts(coders: tuple[str, ...], *spans: tuple[float, float], speed: int = 1) -> Callable[[Path], object]:
        def make(path: Path) -> None:
            run(["-y", *PICTURE, *TONE, *coders, str(path)])
            with_edits(path, *spans, speed=speed)

        return make

    def early_chapters(path: Path) -> None:
        run(["-y", *PICTURE, *H264, str(plain := path.with_name("plain.mkv"))])
        late = ("-map", "0", "-map_chapters", "1", "-c", "copy", "-copyts", "-avoid_negative_ts", "disabled")
        run(["-y", "-itsoffset", "0.5", "-i", str(plain), "-i", str(path.with_name(CHAPTERS)), *late, str(path)])

    aac, pcm = (*H264, "-c:a", "aac"), ("-c:v", "prores_ks", "-c:a", "pcm_s24le")
    gap = ("-af", "aselect='not(between(t,0.2,0.4))'", *H264, "-c:a", "flac")
    made: list[tuple[str, str, Callable[[Path], object], str]] = [
        ("MP4, trimmed at both ends by its edit list, AAC", ".mp4", parts(aac, (0.28, 0.2)), "h264_crf"),
        ("MOV, trimmed at both ends by its edit list, PCM", ".mov", parts(pcm, (0.28, 0.2)), "prores_hq"),
        ("MOV, two parts by its edit list, the last first", ".mov", parts(pcm, (0.2, 0.4), (0.2, 0)), "prores_hq"),
        ("MOV, played twice as fast by its edit list", ".mov", parts(aac, (0.4, 0), speed=2), "prores_hq"),
        ("MKV, sound with a gap, to MKV", ".mkv", lambda p: run(["-y", *PICTURE, *TONE, *gap, str(p)]), "h264_mkv"),
        (
            "MKV, sound with a gap, to MOV",
            ".mkv",
            lambda p: run(["-y", *PICTURE, *TONE, *gap, str(p)]),
            "prores_hq",
        ),
        ("MKV, chapters before its picture", ".mkv", early_chapters, "h264_mkv"),
        ("MKV, MP3 with an ID3 tag in a late packet", ".mkv", lambda p: with_tagged_sound(p, at=20), "h264_mkv"),
    ]
    return [Kind(name, suffix, (), preset, made=make) for name, suffix, make, preset in made]


def recorders() -> list[Kind]:
    """Further codecs and containers of recorders and editors."""
    role = ("-c:a", "aac", "-disposition:a", "hearing_impaired+comment")
    many = ("-af", "pan=16c|" + "|".join(f"c{n}=c0" for n in range(16)))
    reel = ("-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p", "-metadata", "reel_name=A001")
    fragments = ("-movflags", "frag_every_frame+empty_moov+default_base_moof")
    silent: dict[str, Any] = {"sound": False}
    return [
        Kind("MOV, H.265 10 bit, HLG tags, to H.265", ".mov",
             (*H265, "-pix_fmt", "yuv420p10le", *HLG, "-tag:v", "hvc1"), "h265_crf_10bit", **silent),
        Kind("MKV, sound for the hard of hearing, to MP4", ".mkv", (*H264, *role)),
        Kind("MOV, ProRes, 16 channels", ".mov", (*many, "-c:v", "prores_ks", "-c:a", "pcm_s24be"), "prores_hq"),
        Kind("MXF, DNxHR, reel name, to MXF", ".mxf", (*reel, "-c:a", "pcm_s24le"), "dnxhr_hq_mxf", "320x192"),
        Kind("MXF OPAtom, DNxHD", ".mxf",
             ("-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p", "-f", "mxf_opatom"),
             "prores_hq", "1920x1080", **silent),
        Kind("MXF, JPEG 2000", ".mxf", ("-c:v", "jpeg2000", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"),
             "prores_hq", "320x192"),
        Kind("MTS, H.264 fields, AC-3", ".mts",
             (*H264, *FIELDS, "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"), size=PAL),
        Kind("VOB, MPEG-2 with navigation packets", ".vob", ("-target", "pal-dvd"), size=PAL),
        Kind("MP4, H.264, a fragment a frame, uneven times", ".mp4",
             (*H264, "-vf", "setpts='(N+0.4*mod(N,4))/25/TB'", "-fps_mode", "passthrough", *fragments)),
        Kind("WebM of a browser's recorder", ".webm", ("-c:v", "libvpx", "-c:a", "libopus", "-live", "1"), "vp9"),
        Kind("MOV, HAP", ".mov", ("-c:v", "hap"), "prores_hq", **silent),
        Kind("AVI, UT Video", ".avi", ("-c:v", "utvideo", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le"), "ffv1"),
        Kind("AVI, MagicYUV", ".avi", ("-c:v", "magicyuv", "-pix_fmt", "gbrp"), "ffv1", **silent),
        Kind("AVI, palette", ".avi", ("-c:v", "rawvideo", "-pix_fmt", "pal8"), "ffv1", **silent),
        Kind("MOV, r210", ".mov", ("-c:v", "r210"), "prores_4444", **silent),
        Kind("Y4M, 4:4:4 12 bit", ".y4m", ("-pix_fmt", "yuv444p12le", "-strict", "-1"), "ffv1", **silent),
        Kind("animated PNG", ".apng", ("-c:v", "apng", "-plays", "0"), **silent),
        Kind("IVF, AV1", ".ivf", ("-c:v", "libsvtav1", "-preset", "12"), **silent),
        Kind("bare H.265", ".hevc", H265, **silent),
    ]  # fmt: skip


def captions(path: Path) -> None:
    """Letters of closed captions beside the fourth and later pictures."""
    with_units(path, "h264", lambda n: caption("h264", "An") if n > 2 else b"")


PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=0.6")
CAPTION = "9420 9420 94ae 94ae 9440 9440 cbe1 6ee1 942f 942f"


@dataclass(frozen=True)
class Held:
    """What a file holds, as PyAV tells it; times from the first frame."""

    frames: int
    times: tuple[Fraction, ...]
    tick: Fraction
    sound: tuple[tuple[str, str], ...]
    timecode: str | None
    tags: tuple[int, ...]
    size: tuple[int, int]
    alpha: bool
    reel: str | None
    chapters: tuple[str, ...]
    texts: int


def held(path: Path) -> Held:
    """Read a file with PyAV alone."""
    sound: list[tuple[str, str]] = []
    with av.open(f"file:{path}") as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        shown = list(file.decode(stream))
        tick = Fraction(stream.time_base or 1)
        times = [frame.pts * tick for frame in shown if frame.pts is not None]
        tags = (int(context.colorspace), int(context.color_primaries), int(context.color_trc))
        places = [*[s.metadata for s in file.streams], file.metadata]
        found = {key.lower(): value for place in places for key, value in place.items()}
        alpha = any(part.is_alpha for part in shown[0].format.components)
        size = (shown[0].width, shown[0].height)
        chapters = tuple(
            f"{entry['metadata'].get('title', '')} {float(entry['start'] * entry['time_base']):.1f}"
            for entry in file.chapters()
        )
        texts = len(file.streams.subtitles)
    with av.open(f"file:{path}") as file:
        tracks = list(file.streams.audio)
        digests = {s.index: hashlib.sha256() for s in tracks}
        for packet in file.demux(tracks) if tracks else ():
            if packet.stream_index not in digests:
                continue
            data = bytes(packet)
            adts = tracks[0].codec_context.name == "aac" and data[:1] == b"\xff"
            digests[packet.stream_index].update(data[7:] if adts else data)
        sound = [(s.codec_context.codec.canonical_name, digests[s.index].hexdigest()) for s in tracks]
    first = times[0] if times else Fraction(0)
    return Held(
        len(shown),
        tuple(t - first for t in times),
        tick,
        tuple(sound),
        found.get("timecode"),
        tags,
        size,
        alpha,
        found.get("reel_name"),
        chapters,
        texts,
    )


def row(kind: Kind, folder: Path) -> list[str]:
    """Make a source, deliver it, and compare."""
    source = folder / f"in{kind.suffix}"
    picture = (
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s={kind.size}:r={kind.rate}:d={max(0.6, 4 / float(Fraction(kind.rate)))}",
    )
    sound = TONE if kind.sound else ()
    for name, text in BESIDE.items():
        (folder / name).write_text(text)
    made = [str(folder / a) if a in BESIDE else a for a in kind.arguments]
    if kind.made is not None:
        kind.made(source)
    elif kind.before:
        plain = folder / "plain.mp4"
        run(["-y", *picture, *sound, *kind.before, str(plain)])
        run(["-y", *kind.options, "-i", str(plain), *kind.arguments, str(source)])
    else:
        run(["-y", *picture, *sound, *made, str(source)])
    suffix = kind.suffix if kind.preset == "source" else load(kind.preset).suffix
    output = folder / f"out{suffix}"
    command = [
        "anonymize",
        str(source),
        str(output),
        "--preset",
        kind.preset,
        "--classes",
        "plate",
        "--size",
        "192",
    ]
    logging.root.handlers.clear()  # else what is logged goes where it went for the row before
    done = CliRunner().invoke(vsanon, command)
    said = [
        line
        for line in done.output.splitlines()
        if line.startswith(("vsanon: ", "not carried", "stream ", "preset "))
    ]
    said = [line.replace(f"{folder}/", "") for line in said if "no matrix tag" not in line]
    if done.exit_code:
        return [kind.name, kind.preset, str(done.exit_code), *["–"] * 9, " ".join(said)]
    was, now = held(source), held(output)
    same = len(was.times) == len(now.times) and all(
        abs(a - b) <= max(was.tick, now.tick) for a, b in zip(was.times, now.times, strict=True)
    )
    copied = [a == b for a, b in zip(was.sound, now.sound, strict=False)]
    heard = (
        "none"
        if not was.sound
        else "lost"
        if len(now.sound) < len(was.sound)
        else (
            "the same packets"
            if all(copied)
            else f"{was.sound[0][0]}, cut to the picture"
            if was.sound[0][0] == now.sound[0][0]
            else f"{was.sound[0][0]} to {now.sound[0][0]}"
        )
    )
    return [
        kind.name,
        kind.preset,
        "0",
        f"{was.frames} → {now.frames}",
        "the same" if same else "none in it" if not was.times else "differ",
        heard,
        f"{was.timecode or '–'} → {now.timecode or '–'}",
        "the same" if was.tags == now.tags else f"{was.tags} → {now.tags}",
        "{}x{} → {}x{}".format(*was.size, *now.size),
        f"{'yes' if was.alpha else 'no'} → {'yes' if now.alpha else 'no'}",
        "–"
        if not was.chapters
        else "the same"
        if was.chapters == now.chapters
        else f"{was.chapters} → {now.chapters}",
        "–" if not was.texts else f"{was.texts} → {now.texts}",
        " ".join([*said, *([f"reel {was.reel} → {now.reel}"] if was.reel else [])]) or " ",
    ]


SOUNDS = [
    *[(f"pcm_{kind}", ".mov", rate) for kind in ("s16le", "s24le", "s16be", "f32le") for rate in (48000, 44100)],
    ("pcm_mulaw", ".avi", 8000), ("adpcm_ms", ".avi", 44100), ("aac", ".mp4", 48000), ("mp2", ".ts", 48000),
    ("mp3", ".mkv", 44100), ("ac3", ".ts", 48000), ("eac3", ".mkv", 48000), ("flac", ".mkv", 48000),
    ("alac", ".mov", 48000), ("opus", ".mkv", 48000), ("vorbis", ".mkv", 44100), ("wmav2", ".wmv", 44100),
    ("amr_nb", ".3gp", 8000), ("truehd", ".mkv", 48000), ("dts", ".mkv", 48000),
]  # fmt: skip
"""Sound that is put into every container: codec, a container for it, and its rate in Hz."""
CONTAINERS = {".mov": "prores_hq", ".mp4": "h264_crf", ".mkv": "ffv1", ".mxf": "dnxhr_hq_mxf", ".webm": "vp9"}
CODERS = {
    "opus": "libopus",
    "vorbis": "libvorbis",
    "mp3": "libmp3lame",
    "amr_nb": "libopencore_amrnb",
    "dts": "dca",
}


def sounds(folder: Path) -> list[list[str]]:
    """What becomes of sound in each container by `--audio auto`: its codec, by asking ffmpeg's muxer."""
    rows = []
    for codec, suffix, rate in SOUNDS:
        source = folder / f"{codec}{rate}{suffix}"
        picture = ("-c:v", "mpeg4") if suffix in (".avi", ".wmv", ".3gp") else H264
        channels = ("-ac", "1") if codec == "amr_nb" else ("-ac", "2")
        tone = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", "-f", "lavfi", "-i", "sine=d=0.2")
        coder = (*picture, "-c:a", CODERS.get(codec, codec), "-ar", str(rate), *channels, "-strict", "-2")
        run(["-y", *tone, *coder, str(source)])
        facts, becomes = probe(source), []
        for preset in map(load, CONTAINERS.values()):
            try:
                plan = plan_copy(facts, preset)
            except InputError as error:
                becomes.append(f"refused: {error}")
                continue
            ((stream, found),) = plan.streams
            again = rate_in(stream, found, preset)
            same = found == stream.codec and again == stream.rate
            becomes.append("as it is" if same else f"{found}, {again} Hz" if again != stream.rate else found)
        rows.append([codec, str(rate), *becomes])
    return rows


HEAD = [
    "source",
    "preset",
    "exit",
    "frames",
    "times",
    "sound",
    "timecode",
    "colour tags",
    "size",
    "alpha",
    "chapters",
    "texts",
    "said",
]
PAGE = """# Kinds of files

Made by `python scripts/conformance.py`, which draws each source, delivers it with `vsanon anonymize`, and reads
both files with PyAV alone. Times are compared from the first frame on, to one tick of the coarser of both time
bases; colour tags are matrix, primaries and transfer by the code points of ITU-T H.273, 2 being untagged. MP4 calls
MPEG audio of layers 1 to 3 by one name, which PyAV reads as mp3.

"""


SOUND_PAGE = """## Sound

What becomes of it by `--audio auto`, by asking ffmpeg's muxer: what a container takes goes along as it is, the rest
becomes PCM, in MP4 Apple Lossless, which lose nothing, and in WebM Opus. MXF holds PCM of 48 kHz.

"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows in Markdown."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/conformance.md"))
    parser.add_argument("--only", default="", help="kinds whose name has this in it")
    parser.add_argument("--first", type=int, default=0, help="number of the first row, from 0")
    parser.add_argument("--stop", type=int, help="number of the row after the last, all where it is left out")
    parser.add_argument(
        "--sound-only", action="store_true", help="make the table of sound anew, and leave the rest"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        heard = SOUND_PAGE + table(["codec", "Hz", *CONTAINERS], sounds(Path(folder)))
    if options.sound_only:
        before = options.out.read_text().partition("## Sound")[0].rstrip()
        options.out.write_text(f"{before}\n\n{heard}")
        return
    rows: list[list[str]] = []
    for kind in kinds()[options.first : options.stop]:
        if options.only not in kind.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row(kind, Path(folder)))
        sys.stderr.write(" | ".join(rows[-1]) + "\n")
        options.out.write_text(f"{page(rows)}\n{heard}")


def page(rows: list[list[str]]) -> str:
    """The page of the rows so far."""
    delivered = sum(cells[2] == "0" for cells in rows)
    return f"{PAGE}{delivered} of {len(rows)} were delivered.\n\n{table(HEAD, rows)}"


if __name__ == "__main__":
    main()
