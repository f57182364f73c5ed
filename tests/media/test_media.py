"""What `probe`, `packet_hashes` and `decode_timestamps` tell of files whose content is known."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.media_clips import HDR, HDR_OPTIONS, draw, sine
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.media import Color, decode_timestamps, packet_hashes, pixel_format, probe, takes_codec

H264 = ("-c:v", "libx264")


def test_a_mov_tells_its_rate_timecode_sound_and_metadata_keys(tmp_path: Path) -> None:
    path = draw(
        tmp_path / "a.mov",
        *("-c:v", "prores_ks", "-c:a", "pcm_s24le", "-timecode", "01:00:00;00"),
        *("-metadata", "location=+48.1+16.3/", "-metadata:s:a", "language=ger"),
        video="testsrc2=s=64x48:r=30000/1001:d=0.4",
        inputs=sine(0.4),
    )
    facts = probe(path)
    assert facts.video is not None
    assert (facts.video.codec, facts.video.profile, facts.video.pix_fmt) == ("prores", "HQ", "yuv422p10le")
    assert facts.video.fps == Fraction(30000, 1001)
    assert facts.video.size == (64, 48)
    assert facts.timecode == "01:00:00;00"
    assert [s.kind for s in facts.streams] == ["video", "audio", "data"]
    sound = facts.streams[1]
    assert (sound.codec, sound.language, sound.rate, sound.channels) == ("pcm_s24le", "ger", 48000, 1)
    assert facts.streams[2].codec == "tmcd"
    assert "file:location" in facts.metadata_keys
    assert not any("48.1" in key for key in facts.metadata_keys)


def test_rgb_has_no_other_matrix_whatever_the_header_says(tmp_path: Path) -> None:
    """A DNxHR header has no word for RGB: ffmpeg reads bt709 from it, which would be a matrix of Y'CbCr."""
    path = draw(
        tmp_path / "a.mov",
        *("-c:v", "dnxhd", "-profile:v", "dnxhr_444", "-pix_fmt", "gbrp10le"),
        video="testsrc2=s=256x128:r=25:d=0.1",
    )
    facts = probe(path)
    assert facts.video is not None
    assert facts.video.pix_fmt == "gbrp10le"
    assert facts.video.color.matrix == "gbr"


def test_pal_tags_sample_aspect_and_field_order_are_read(tmp_path: Path) -> None:
    tags = "setparams=field_mode=tff:range=tv:color_primaries=bt470bg:color_trc=bt470bg:colorspace=bt470bg"
    path = draw(
        tmp_path / "pal.mp4",
        *("-vf", f"{tags},setsar=64/45,format=yuv420p", *H264, "-flags", "+ildct+ilme"),
        video="testsrc2=s=720x576:r=25:d=0.2",
    )
    video = probe(path).video
    assert video is not None
    assert video.color == Color("bt470bg", "bt470bg", "bt470bg", "tv", "left")
    assert video.sar == Fraction(64, 45)
    assert video.field_order == "tt"


def test_full_range_h264_is_yuv420p_with_the_range_pc(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.mp4", "-vf", "format=yuv420p,setparams=range=full", *H264)
    video = probe(path).video
    assert video is not None
    assert (video.pix_fmt, video.color.range) == ("yuv420p", "pc")


def test_hdr10_metadata_is_read_in_its_own_units(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    run([*HDR_OPTIONS, "-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.2", "-pix_fmt", "yuv420p10le", *H264, str(path)])
    video = probe(path).video
    assert video is not None
    assert video.hdr == HDR


def test_rotation_is_told_and_size_is_that_before_it(tmp_path: Path) -> None:
    flat = draw(tmp_path / "flat.mp4", *H264)
    turned = tmp_path / "turned.mp4"
    run(["-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned)])
    video = probe(turned).video
    assert video is not None
    assert abs(video.rotation) == 90
    assert video.size == (64, 48)


def test_chapters_are_told_with_their_titles(tmp_path: Path) -> None:
    listing = tmp_path / "chapters.txt"
    listing.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=1\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/10\nSTART=1\nEND=4\ntitle=Two\n"
    )
    path = draw(tmp_path / "a.mkv", "-map_chapters", "1", *H264, inputs=("-i", str(listing)))
    found = probe(path).chapters
    assert [(c.start, c.stop, c.title) for c in found] == [
        (0, Fraction(1, 10), "One"),
        (Fraction(1, 10), Fraction(4, 10), "Two"),
    ]


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    picture = tmp_path / "cover.png"
    run(["-f", "lavfi", "-i", "testsrc2=s=16x16", "-frames:v", "1", str(picture)])
    path = draw(
        tmp_path / "a.mp4",
        *("-map", "1:v", "-map", "0:v", "-c:v:0", "copy", "-c:v:1", "libx264", "-disposition:v:0", "attached_pic"),
        inputs=("-i", str(picture)),
    )
    facts = probe(path)
    assert facts.video is not None
    assert facts.video.codec == "h264"
    assert [s.is_picture for s in facts.streams].count(True) == 1
    assert len(facts.of_kind("video")) == 1


@pytest.mark.parametrize("content", [b"", b"no media file at all" * 100])
def test_what_is_no_media_file_is_an_input_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"notes\.mp4"):
        probe(path)


def test_a_codec_that_nobody_knows_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "strange.mkv"
    run(["-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2", "-c:v", "libx264", str(path)])
    content = path.read_bytes()
    assert content.count(b"V_MPEG4/ISO/AVC") == 1
    path.write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/OWN/ONE"))
    with pytest.raises(InputError, match=r"strange\.mkv: the first video frame does not decode"):
        probe(path)


def test_an_absent_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent"):
        probe(tmp_path / "absent.mov")


def test_a_name_with_a_colon_is_a_file_and_no_protocol(tmp_path: Path) -> None:
    plain = draw(tmp_path / "a.mp4", *H264)
    odd = plain.rename(tmp_path / "concat:b.mp4")
    assert probe(odd).video is not None


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".mov"])
def test_aac_packets_hash_the_same_in_every_container(tmp_path: Path, suffix: str) -> None:
    first = draw(tmp_path / "first.mp4", *H264, "-c:a", "aac", inputs=sine())
    copy = tmp_path / f"copy{suffix}"
    run(["-i", str(first), "-map", "0", "-c", "copy", str(copy)])
    (want,), (got,) = packet_hashes(first), packet_hashes(copy)
    assert got.sha256 == want.sha256
    assert len(got.pts) == len(want.pts)


def test_one_changed_byte_of_sound_changes_its_hash(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.mov", "-c:v", "prores_ks", "-c:a", "pcm_s16le", inputs=sine())
    before = packet_hashes(path)[0].sha256
    samples = run(["-i", str(path), "-map", "0:a", "-f", "s16le", "-"])
    data = path.read_bytes()
    at = data.index(samples[:2048])
    path.write_bytes(data[: at + 9] + bytes([data[at + 9] ^ 1]) + data[at + 10 :])
    assert packet_hashes(path)[0].sha256 != before


def test_decoded_timestamps_are_in_presentation_order_despite_b_frames(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.mp4", *H264, "-bf", "3")
    pts, time_base = decode_timestamps(path)
    assert [p * time_base for p in pts] == [Fraction(n, 25) for n in range(10)]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mkv", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1")),
        (".mp4", H264),
        (".mp4", ("-c:v", "libx265", "-x265-params", "log-level=error:pools=1:hash=1")),
        (".mov", ("-c:v", "prores_ks")),
    ],
)
@pytest.mark.slow
def test_a_damaged_byte_or_a_lost_end_is_an_error_and_not_concealed(
    tmp_path: Path, suffix: str, codec: tuple[str, ...]
) -> None:
    faststart = () if suffix == ".mkv" else ("-movflags", "+faststart")
    path = draw(tmp_path / f"a{suffix}", *codec, *faststart, video="testsrc2=s=320x240:r=25:d=0.4")
    whole = path.read_bytes()
    at = len(whole) * 2 // 3
    assert len(decode_timestamps(path)[0]) == 10
    for damaged in (whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :], whole[:at]):
        path.write_bytes(damaged)
        for _ in range(2):
            with pytest.raises(InputError, match=r"decode|damaged"):
                decode_timestamps(path)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("yuv420p", [(5, 7), (3, 4), (3, 4)]),
        ("yuv411p", [(5, 7), (5, 2), (5, 2)]),
        ("yuva444p10le", [(5, 7)] * 4),
        ("yuva420p", [(5, 7), (3, 4), (3, 4), (5, 7)]),
        ("gray10le", [(5, 7)]),
        ("gbrp", [(5, 7)] * 3),
    ],
)
def test_planes_of_an_odd_size_round_chroma_up(name: str, shapes: list[tuple[int, int]]) -> None:
    assert list(pixel_format(name).plane_shapes((7, 5))) == shapes


def test_an_unknown_pixel_format_is_an_input_error() -> None:
    with pytest.raises(InputError, match="yuv999"):
        pixel_format("yuv999")


def test_muxers_are_asked_what_they_take() -> None:
    assert takes_codec("mov", "pcm_s24le")
    assert takes_codec("matroska", "hdmv_pgs_subtitle")
    assert not takes_codec("mp4", "subrip")
    assert not takes_codec("matroska", "mov_text")
