"""`--preset source`: the kind of file that the source is, and in a line what differs."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.media_clips import draw, timeline
from vsanon.encode import RawVideo
from vsanon.encode.source_preset import natural, usual_suffix
from vsanon.errors import InputError
from vsanon.media import probe

AS_IT_IS = "as the source in all that a preset says"
HD = "testsrc2=s=1280x720:r=25:d=0.12"
H265 = ("-c:v", "libx265", "-x265-params", "log-level=error")
SMALL = "testsrc2=s=256x144:r=25:d=0.2"


def asked(
    path: Path, suffix: str | None = None, field_order: str = "progressive"
) -> tuple[str, str, tuple[str, ...]]:
    """Name, notes and arguments of the preset for a source."""
    facts = probe(path)
    assert facts.video is not None
    video = RawVideo(facts.video.pix_fmt, facts.video.size, timeline(3), field_order=field_order)
    preset = natural(facts, video, suffix or usual_suffix(facts))
    assert preset.suffix == (suffix or usual_suffix(facts))
    return preset.name, preset.notes, (*preset.args, preset.pix_fmt_for(video.pix_fmt))


@pytest.mark.parametrize(
    ("name", "arguments", "chosen"),
    [
        ("a.mov", ("-c:v", "prores_ks", "-profile:v", "lt", "-pix_fmt", "yuv422p10le"), "prores_lt"),
        ("a.mov", ("-c:v", "prores_ks", "-profile:v", "4444xq", "-pix_fmt", "yuv444p10le"), "prores_4444xq"),
        ("a.mov", ("-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p"), "dnxhr_sq"),
        ("a.mxf", ("-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"), "dnxhr_hqx_mxf"),
        ("a.mp4", ("-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p"), "h264_crf"),
        ("a.mov", ("-c:v", "libx264", "-pix_fmt", "yuv422p10le"), "h264_crf-yuv422p10le"),
        ("a.mp4", (*H265, "-pix_fmt", "yuv420p10le"), "h265_crf_10bit"),
        ("a.mkv", ("-c:v", "ffv1", "-pix_fmt", "yuv422p10le"), "ffv1"),
    ],
)  # fmt: skip
def test_the_same_family_profile_depth_and_container(
    tmp_path: Path, name: str, arguments: tuple[str, ...], chosen: str
) -> None:
    found, notes, args = asked(draw(tmp_path / name, *arguments, video=SMALL))
    assert found == f"source ({chosen})"
    assert notes == AS_IT_IS
    if "-pix_fmt" in arguments:
        assert args[-1] == arguments[arguments.index("-pix_fmt") + 1]
    if "main" in arguments:
        assert "main" in args


def test_the_rate_is_the_sources_where_it_is_known_and_said_to_differ_where_not(tmp_path: Path) -> None:
    known = draw(tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", video=SMALL)
    rate = probe(known).video
    assert rate is not None
    _, _, args = asked(known)
    assert args[args.index("-b:v") + 1] == str(rate.bit_rate)
    starved = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-b:v", "60k", "-maxrate", "60k", "-bufsize", "30k")
    _, notes, args = asked(draw(tmp_path / "low.mp4", *starved, video="testsrc2=s=256x144:r=25:d=2"))
    assert "-crf" in args  # 92 kbit/s are 0.1 bits for each of 256 * 144 * 25 pixels a second
    assert "constant quality in place of the source's 0.1 Mbit/s" in notes
    bare = draw(tmp_path / "a.mkv", "-c:v", "libx264", "-pix_fmt", "yuv420p", video=SMALL)
    _, notes, args = asked(bare)
    assert "-crf" in args
    assert (
        notes
        == "as the source, but for: constant quality in place of the source's rate, which its file does not say"
    )


def test_vp9_stays_vp9_in_its_container(tmp_path: Path) -> None:
    name, notes, _ = asked(draw(tmp_path / "a.webm", "-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", video=SMALL))
    assert name == "source (vp9_mkv)"
    assert "but for: constant quality" in notes


@pytest.mark.parametrize(
    ("name", "codec", "picture", "suffix", "chosen", "differs"),
    [
        ("a.mov", ("mjpeg", "yuvj422p"), SMALL, None, "prores_hq", "mjpeg becomes prores"),
        ("a.mov", ("v210", "yuv422p10le"), SMALL, ".mkv", "ffv1", "v210 becomes ffv1; container"),
        ("a.ts", ("libx264", "yuv420p"), SMALL, ".mp4", "h264_crf", "container .ts becomes .mp4"),
        ("a.mxf", ("mpeg2video", "yuv420p"), HD, None, "mpeg2_422_mxf", "yuv420p becomes yuv422p"),
        ("a.mpg", ("mpeg2video", "yuv420p"), SMALL, None, "h264_crf", "mpeg2video becomes h264"),
    ],
)  # fmt: skip
def test_what_differs_is_said(
    tmp_path: Path, name: str, codec: tuple[str, str], picture: str, suffix: str | None, chosen: str, differs: str
) -> None:
    encoder, pix_fmt = codec
    found, notes, _ = asked(draw(tmp_path / name, "-c:v", encoder, "-pix_fmt", pix_fmt, video=picture), suffix)
    assert found == f"source ({chosen})"
    assert notes.startswith("as the source, but for: ")
    assert differs in notes


def test_a_container_that_does_not_take_the_codec_is_refused_with_one_that_does(tmp_path: Path) -> None:
    source = draw(tmp_path / "a.mov", "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", video=SMALL)
    with pytest.raises(InputError, match=r"\.webm does not take prores.*\.mov"):
        asked(source, ".webm")
    with pytest.raises(InputError, match=r"name the output so, here best \.mov"):
        asked(source, ".avi")


def test_fields_of_a_codec_whose_encoder_takes_none_become_h264(tmp_path: Path) -> None:
    params = ("-pix_fmt", "yuv420p", "-x265-params", "log-level=error")
    source = draw(tmp_path / "a.mp4", "-c:v", "libx265", *params, video=SMALL)
    found, notes, _ = asked(source, field_order="tt")
    assert found == "source (h264_crf)"
    assert "hevc becomes h264" in notes


def test_the_suffix_of_an_unnamed_container_follows_from_it(tmp_path: Path) -> None:
    source = draw(tmp_path / "a.mov", "-c:v", "libx264", video=SMALL)
    facts = probe(source)
    assert usual_suffix(replace(facts, path=tmp_path / "take")) == ".mov"
    assert usual_suffix(replace(facts, path=tmp_path / "take", container="mpegts")) == ".mkv"


def test_in_mxf_no_picture_is_coded_out_of_order(tmp_path: Path) -> None:
    """ffmpeg's MXF says no times, so that B-frames would be shown when they are decoded."""
    source = draw(tmp_path / "a.ts", "-c:v", "mpeg2video", "-pix_fmt", "yuv422p", "-q:v", "2", video=SMALL)
    *_, args = asked(source, ".mxf")
    assert args[args.index("-bf") + 1] == "0"
    assert "-bf" not in asked(source, ".mkv")[2]
