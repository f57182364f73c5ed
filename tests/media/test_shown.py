"""Which part of which picture is worked on: what a container hides stays hidden, and what is left off is said."""

import itertools
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.support.odd_files import cropped_mkv, made, picture
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.media import decode_timestamps, probe
from vsanon.media.intact import intact_to_the_end, require_intact
from vsanon.media.source import open_clip, open_source

LOSSLESS = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p")


def first_frame(path: Path) -> bytes:
    with open_source(path).clip.get_frame(0) as frame:
        return b"".join(np.ascontiguousarray(plane).tobytes() for plane in frame)


def as_players_show_it(path: Path, pix_fmt: str = "yuv420p") -> bytes:
    """ffmpeg's own program crops as the container says, and turns the picture upright."""
    return run(["-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"])


TURNS = [*itertools.product(("0", "90", "180", "270"), ((), ("-display_hflip",), ("-display_vflip",)))]


@pytest.mark.parametrize(("degrees", "mirrored"), TURNS)
def test_what_a_container_hides_is_not_shown_however_the_picture_is_turned(
    tmp_path: Path, degrees: str, mirrored: tuple[str, ...]
) -> None:
    """192x128 without 64 columns and 32 rows, of Matroska and of the QuickTime file that ffmpeg makes of it."""
    plain = cropped_mkv(tmp_path / "in.mkv", 64, 32)
    turned = made(tmp_path / "in.mov", "-display_rotation", degrees, *mirrored, "-i", str(plain), "-c", "copy")
    assert b"clap" in turned.read_bytes()
    for path in (plain, turned):
        facts = probe(path).video
        assert facts is not None
        assert facts.crop == (0, 0, 64, 32)
        opened = open_source(path)
        assert sorted((opened.clip.width, opened.clip.height)) == [96, 128]
        assert opened.not_shown == ()
        assert first_frame(path) == as_players_show_it(path)


def test_an_odd_edge_hides_one_column_more_and_never_one_less(tmp_path: Path) -> None:
    opened = open_source(cropped_mkv(tmp_path / "in.mkv", 63, 31))
    assert (opened.clip.width, opened.clip.height) == (128, 96)
    assert [words.partition(":")[0] for words in opened.not_shown] == [
        "1 column of the picture at the right",
        "1 row of the picture at the bottom",
    ]


def test_both_fields_lose_as_many_rows(tmp_path: Path) -> None:
    fields = ("-vf", "setfield=tff,setsar=4/3", *LOSSLESS, "-flags", "+ildct+ilme", "-x264-params", "tff=1")
    opened = open_source(cropped_mkv(tmp_path / "in.mkv", 64, 30, *fields))
    assert opened.field_order == "tt"
    assert (opened.clip.width, opened.clip.height) == (128, 96)


def test_a_picture_that_is_cropped_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="crops the whole picture away"):
        open_source(cropped_mkv(tmp_path / "in.mkv", 191, 32))


def test_alpha_is_cropped_with_its_picture(tmp_path: Path) -> None:
    source = cropped_mkv(tmp_path / "in.mkv", 64, 32, "-pix_fmt", "yuva444p", "-c:v", "ffv1")
    with open_source(source).clip.get_frame(0) as frame:
        alpha = frame.props["_Alpha"]
        assert (frame.width, frame.height) == (alpha.width, alpha.height) == (128, 96)


@pytest.mark.parametrize(("size", "lost"), [("191:127", 2), ("191:128", 1), ("192:127", 1), ("192:128", 0)])
def test_the_last_column_or_row_of_an_odd_size_is_said_to_be_left_off(tmp_path: Path, size: str, lost: int) -> None:
    crop = f"format=yuv444p,crop={size}:0:0:exact=1,format=yuv420p"
    source = made(tmp_path / "in.mkv", *picture(), "-vf", crop, "-c:v", "ffv1")
    assert len(open_source(source).not_shown) == lost


@pytest.mark.parametrize(("degrees", "mirrored"), TURNS)
def test_what_is_left_off_of_a_turned_picture_is_said_of_the_side_where_it_is_missing(
    tmp_path: Path, degrees: str, mirrored: tuple[str, ...]
) -> None:
    odd = ("-vf", "format=yuv444p,crop=191:127:0:0:exact=1,format=yuv420p", "-c:v", "ffv1", "-frames:v", "1")
    plain = made(tmp_path / "plain.mkv", *picture(), *odd)
    source = made(tmp_path / "in.mkv", "-display_rotation", degrees, *mirrored, "-i", str(plain), "-c", "copy")
    clip, told = open_source(source).clip, [words.partition(":")[0] for words in open_source(source).not_shown]
    whole = np.frombuffer(as_players_show_it(source), np.uint8)[: 191 * 127].reshape(
        clip.height + 1, clip.width + 1
    )
    x, y = ("1 column of the picture at the left" in told), ("1 row of the picture at the top" in told)
    assert len(told) == 2
    with clip.get_frame(0) as frame:
        assert (np.asarray(frame[0]) == whole[y : y + clip.height, x : x + clip.width]).all()


def test_a_left_edge_that_h264_hides_is_no_edge_that_is_missing(tmp_path: Path) -> None:
    """Decoders that hide it by whole words of a processor take the picture for wider than it is."""
    source = made(tmp_path / "in.ts", *picture(), *LOSSLESS, "-bsf:v", "h264_metadata=crop_left=6")
    opened = open_source(source)
    assert opened.video.size == (186, 128)
    assert opened.not_shown == ()
    assert first_frame(source) == run(
        ["-flags", "unaligned", "-i", str(source), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    )


def test_first_frames_that_can_not_be_decoded_are_named_whichever_byte_is_damaged(tmp_path: Path) -> None:
    """BestSource finds some of them missing only when it is asked for them."""
    whole = made(tmp_path / "in.mpg", *picture(), "-c:v", "mpeg2video", "-g", "4").read_bytes()
    damaged, told = tmp_path / "damaged.mpg", set[str]()
    for n in range(80):
        data = bytearray(whole)
        for at in np.random.default_rng(n).integers(300, len(data), 10):
            data[at] ^= 0x5A
        damaged.write_bytes(data)
        try:
            open_source(damaged)
        except InputError as error:
            told.add(re.sub(r"\d+", "N", str(error)))
    assert any(
        "frame N can't be decoded: VideoSource: No frame" in words and "get a whole copy" in words for words in told
    ), told


@pytest.mark.parametrize("degrees", ["45", "10.5"])
def test_a_picture_turned_by_less_than_a_quarter_is_refused_and_the_advice_works(
    tmp_path: Path, degrees: str
) -> None:
    plain = made(tmp_path / "plain.mp4", *picture(), *LOSSLESS)
    turned = made(tmp_path / "in.mp4", "-display_rotation", degrees, "-i", str(plain), "-c", "copy")
    with pytest.raises(InputError, match="another angle than a quarter") as caught:
        open_source(turned)
    advice = str(caught.value).partition("(ffmpeg ")[2].partition(")")[0]
    better = tmp_path / "better.mp4"
    run([str({"IN": turned, "OUT": better}.get(word, word)) for word in advice.split()])
    assert first_frame(better) == first_frame(plain)


@pytest.mark.parametrize(("size", "rate"), [("720x576", "25"), ("720x480", "30000/1001")])
def test_raw_dv_has_its_own_rate_and_not_that_of_its_ticks(tmp_path: Path, size: str, rate: str) -> None:
    pix_fmt = "yuv420p" if size == "720x576" else "yuv411p"
    source = made(tmp_path / "in.dv", *picture(size, rate), "-c:v", "dvvideo", "-pix_fmt", pix_fmt)
    opened = open_source(source)
    assert str(opened.timeline.fps) == rate
    assert not opened.timeline.is_vfr


def test_every_frame_of_a_stream_counts_so_that_a_change_of_size_is_refused_at_once(tmp_path: Path) -> None:
    """25 frames of 320x240, then 25 of 160x120, in one stream of VP8."""
    parts = [made(tmp_path / f"{size}.ivf", *picture(size), "-c:v", "libvpx") for size in ("320x240", "160x120")]
    first, second = (part.read_bytes() for part in parts)
    at = 32
    while at < len(second):
        length = int.from_bytes(second[at : at + 4], "little")
        pts = int.from_bytes(second[at + 4 : at + 12], "little") + 10
        first += second[at : at + 4] + pts.to_bytes(8, "little") + second[at + 12 : at + 12 + length]
        at += 12 + length
    (tmp_path / "both.ivf").write_bytes(first)
    source = made(tmp_path / "in.webm", "-i", str(tmp_path / "both.ivf"), "-c", "copy")
    for way in (open_source, open_clip):
        with pytest.raises(InputError, match="format or size changes"):
            way(source)


def test_a_script_gets_the_last_frame_of_a_whole_file_only(tmp_path: Path) -> None:
    import vapoursynth as vs

    whole = made(tmp_path / "whole.ts", *picture(seconds=1), "-c:v", "libx264", "-g", "5", "-pix_fmt", "yuv420p")
    data = whole.read_bytes()
    start = len(data) // 376 * 188
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(data[:start] + data[start + 5 * 188 :])
    with pytest.raises(InputError):
        require_intact(open_source(damaged))
    for path in (whole, damaged):
        clip, video = open_clip(path)
        held = intact_to_the_end(clip, path, video)
        assert held.num_frames == clip.num_frames
        held.get_frame(0).close()
        if path is whole:
            held.get_frame(held.num_frames - 1).close()
        else:
            with pytest.raises(vs.Error, match="damaged"):
                held.get_frame(held.num_frames - 1)


CONSTANT = ("-b:v", "20M", "-minrate", "20M", "-maxrate", "20M", "-bufsize", "8M")
CODED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "mpeg2video at a constant rate": (
        "in.mxf",
        "720x576",
        ("-c:v", "mpeg2video", "-g", "12", "-bf", "2", *CONSTANT),
    ),
    "mpeg2video of fields": (
        "in.ts",
        "720x576",
        ("-vf", "setfield=tff", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", *CONSTANT),
    ),
    "mpeg2video": ("in.mpg", "192x128", ("-c:v", "mpeg2video", "-bf", "2")),
    "mpeg1video at a constant rate": (
        "in.mpg",
        "352x288",
        ("-c:v", "mpeg1video", "-b:v", "8M", "-minrate", "8M", "-maxrate", "8M", "-bufsize", "4M"),
    ),
    "mpeg4": ("in.mp4", "192x128", ("-c:v", "mpeg4", "-bf", "2")),
    "h263": ("in.3gp", "176x144", ("-c:v", "h263")),
    "mjpeg": (
        "in.avi",
        "192x128",
        (
            "-c:v",
            "mjpeg",
        ),
    ),
    "dvvideo": ("in.mov", "720x576", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p")),
    "vp8": ("in.webm", "192x128", ("-c:v", "libvpx")),
    "vp9": ("in.webm", "192x128", ("-c:v", "libvpx-vp9")),
    "h264": ("in.ts", "192x128", ("-c:v", "libx264", "-bf", "3")),
    "h264 at a constant rate": (
        "in.ts",
        "192x128",
        (
            "-c:v",
            "libx264",
            "-x264-params",
            "nal-hrd=cbr:filler=1",
            "-b:v",
            "4M",
            "-maxrate",
            "4M",
            "-bufsize",
            "1M",
        ),
    ),
    "hevc": ("in.mkv", "192x128", ("-c:v", "libx265", "-x265-params", "log-level=none")),
    "prores": ("in.mov", "192x128", ("-c:v", "prores_ks")),
    "dnxhd": ("in.mov", "1920x1080", ("-c:v", "dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p")),
    "ffv1": ("in.mkv", "192x128", ("-c:v", "ffv1")),
    "wmv2": ("in.wmv", "192x128", ("-c:v", "wmv2")),
    "theora": ("in.ogv", "192x128", ("-c:v", "libtheora")),
    "av1": ("in.mkv", "192x128", ("-c:v", "libsvtav1", "-preset", "12")),
    "huffyuv": ("in.avi", "192x128", ("-c:v", "huffyuv")),
    "cinepak": ("in.avi", "192x128", ("-c:v", "cinepak")),
    "jpeg2000": ("in.mov", "192x128", ("-c:v", "jpeg2000")),
}


@pytest.mark.parametrize("name", CODED)
def test_no_decoder_objects_to_a_whole_file(tmp_path: Path, name: str) -> None:
    file, size, coded = CODED[name]
    source = made(tmp_path / file, *picture(size, seconds=0.56), "-pix_fmt", "yuv420p", *coded)
    assert len(decode_timestamps(source)[0]) == 14


@pytest.mark.parametrize(
    ("file", "size", "coded"),
    [CODED["mpeg2video at a constant rate"], CODED["mpeg2video"], CODED["mpeg1video at a constant rate"]],
    ids=["constant", "mpeg2", "mpeg1"],
)
def test_damage_to_mpeg_pictures_is_noticed_all_the_same(
    tmp_path: Path, file: str, size: str, coded: tuple[str, ...]
) -> None:
    """Of 12 damaged copies, each either shows the whole file's pictures or is refused."""
    source = made(tmp_path / file, *picture(size, seconds=0.56), "-pix_fmt", "yuv420p", *coded)

    def shown(path: Path) -> list[bytes]:
        pictures: list[bytes] = []
        decode_timestamps(path, look=lambda p: pictures.append(b"".join(plane.tobytes() for plane in p.planes)))
        return pictures

    whole, noticed = shown(source), 0
    for n in range(12):
        data = bytearray(source.read_bytes())
        at = np.random.default_rng(n).integers(len(data) // 4, len(data) * 3 // 4)
        data[at : at + 64] = bytes(byte ^ 0x5A for byte in data[at : at + 64])
        damaged = tmp_path / f"damaged-{file}"
        damaged.write_bytes(data)
        try:
            assert shown(damaged) == whole
        except InputError:
            noticed += 1
    assert noticed >= 3


@pytest.mark.parametrize(("left", "top"), [(64, 32), (10, 6)])
def test_edges_at_the_left_and_top_are_hidden_as_players_hide_them(tmp_path: Path, left: int, top: int) -> None:
    data = bytearray(cropped_mkv(tmp_path / "cropped.mkv", left, top).read_bytes())
    for old, new in ((b"\x54\xdd", b"\x54\xcc"), (b"\x54\xaa", b"\x54\xbb")):  # right becomes left, bottom top
        at = data.find(old)
        data[at : at + 2] = new
    source = tmp_path / "in.mkv"
    source.write_bytes(data)
    opened = open_source(source)
    assert opened.video.crop == (left, top, 0, 0)
    assert (opened.clip.width, opened.clip.height) == (192 - left, 128 - top)
    assert first_frame(source) == as_players_show_it(source)


@pytest.mark.parametrize(
    ("clap", "hidden"),
    [
        ((128, 1, 96, 1, 0, 1, 0, 1), (32, 16, 32, 16)),
        ((257, 2, 96, 1, -127, 4, -16, 1), (0, 0, 64, 32)),  # 128.5 columns from 0 on: half a column more is hidden
        ((255, 2, 96, 1, 0, 1, 0, 1), (33, 16, 33, 16)),
        ((400, 1, 96, 1, 0, 1, 0, 1), (0, 16, 0, 16)),  # wider than the picture: ffmpeg passes over all of it
        ((128, 0, 96, 1, 0, 1, 0, 1), (0, 0, 0, 0)),  # no number
    ],
)
def test_a_clean_aperture_hides_what_lies_beyond_it_and_columns_of_which_a_part_does(
    tmp_path: Path, clap: tuple[int, ...], hidden: tuple[int, int, int, int]
) -> None:
    plain = cropped_mkv(tmp_path / "cropped.mkv", 64, 32)
    data = bytearray(made(tmp_path / "in.mov", "-i", str(plain), "-c", "copy").read_bytes())
    struct.pack_into(">8i", data, data.find(b"clap") + 4, *clap)
    (tmp_path / "in.mov").write_bytes(data)
    facts = probe(tmp_path / "in.mov").video
    assert facts is not None
    assert facts.crop == hidden
