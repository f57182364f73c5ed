"""When each frame is shown, where a container says it badly: told where it is certain, refused elsewhere."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.loops import first_quick
from tests.support.odd_files import H264, made, picture, tone
from vsanon.encode import RawVideo, encode, presets, run
from vsanon.errors import InputError
from vsanon.media import decode_timestamps, probe
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source


def lumas(path: Path) -> list[bytes]:
    raw = run(["-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-"])
    size = 192 * 128
    return [raw[at : at + size] for at in range(0, len(raw), size * 3 // 2)]


def our_lumas(path: Path) -> list[bytes]:
    return [np.ascontiguousarray(frame[0]).tobytes() for frame in open_source(path).clip.frames()]


AVIS = {
    "MPEG-4 with B-frames": ("-c:v", "mpeg4", "-bf", "2"),
    "MPEG-4": ("-c:v", "mpeg4", "-bf", "0"),
    "H.264 with B-frames": (*H264, "-preset", "medium", "-bf", "2"),
    "H.264": (*H264, "-bf", "0"),
    "MJPEG": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
}


@pytest.mark.parametrize("name", first_quick(AVIS))
def test_frames_of_avi_follow_each_other_at_its_rate(tmp_path: Path, name: str) -> None:
    source = made(tmp_path / "in.avi", *picture(), *AVIS[name])
    opened = open_source(source)
    require_intact(opened)
    assert [opened.timeline.seconds(n) for n in range(10)] == [Fraction(n, 25) for n in range(10)]
    assert our_lumas(source) == lumas(source)


def test_an_empty_packet_of_avi_lets_a_frame_stay(tmp_path: Path) -> None:
    """With sound ffmpeg writes one after the first frame of H.264, which begins later than the sound."""
    source = made(tmp_path / "in.avi", *picture(), *tone(), *H264, "-bf", "0", "-c:a", "mp3")
    opened = open_source(source)
    require_intact(opened)
    assert [opened.timeline.seconds(n) * 25 for n in range(10)] == [0, *range(2, 11)]


def test_the_times_of_packets_are_put_into_the_order_of_the_frames(tmp_path: Path) -> None:
    """A muxer that copies AVI with B-frames into MP4 gives frames the times at which they are decoded."""
    avi = made(tmp_path / "in.avi", *picture(), "-c:v", "mpeg4", "-bf", "2")
    source = made(tmp_path / "in.mp4", "-i", str(avi), "-c", "copy")
    pts, _ = decode_timestamps(source)
    assert list(pts) != sorted(pts)
    opened = open_source(source)
    require_intact(opened)
    assert [opened.timeline.seconds(n) for n in range(10)] == [Fraction(n, 25) for n in range(10)]
    assert our_lumas(source) == lumas(avi)


def test_two_frames_of_one_time_are_a_tick_apart(tmp_path: Path) -> None:
    """As screen recorders write them: frame 5 has the time of frame 4."""
    even = "setpts='if(eq(N,5),4,N)/25/TB'"
    source = made(
        tmp_path / "in.mkv", *picture(), *H264, "-vf", even, "-fps_mode", "passthrough", "-enc_time_base", "1/25"
    )
    opened = open_source(source)
    require_intact(opened)
    steps = np.diff(opened.timeline.pts).tolist()
    assert steps == [40, 40, 40, 40, 1, 79, 40, 40, 40]


def cut(whole: Path, path: Path, share: float) -> Path:
    """A transport stream from somewhere on, as a recorder begins."""
    data = whole.read_bytes()
    path.write_bytes(data[int(len(data) * share) // 188 * 188 :])
    return path


@pytest.mark.parametrize(
    "coded",
    first_quick(
        [
            [*H264, "-g", "25", "-bf", "2", "-preset", "medium"],
            ["-c:v", "mpeg2video", "-g", "15", "-bf", "2", "-q:v", "3"],
            ["-c:v", "libx265", "-x265-params", "keyint=25:log-level=none"],
        ]
    ),
    ids=["H.264", "MPEG-2", "H.265"],
)
@pytest.mark.parametrize("share", first_quick([0.1, 0.37, 0.55]))
def test_a_recording_begins_with_its_first_key_frame_and_says_what_is_left_out(
    tmp_path: Path, coded: list[str], share: float
) -> None:
    """Each frame is that of the whole recording with the same time."""
    whole = made(tmp_path / "whole.ts", *picture(seconds=3), *tone(3), *coded, "-pix_fmt", "yuv420p", "-c:a", "aac")
    source = cut(whole, tmp_path / "in.ts", share)
    opened = open_source(source)
    require_intact(opened)
    (said,) = opened.not_shown
    assert int(said.split(" ")[0]) > 0
    everything = open_source(whole)
    at = {everything.timeline.seconds(n): n for n in range(everything.clip.num_frames)}
    frames = lumas(whole)
    shown = our_lumas(source)
    assert len(shown) >= 15
    for n, luma in enumerate(shown):
        assert luma == frames[at[opened.timeline.seconds(n)]]


def test_where_the_first_pictures_refer_to_what_is_not_there_the_advice_works(tmp_path: Path) -> None:
    """Open groups of pictures of H.264: what a later picture asks to be forgotten was never there."""
    coded = (*H264, "-g", "25", "-bf", "2", "-preset", "medium", "-x264-params", "open-gop=1")
    source = cut(made(tmp_path / "whole.ts", *picture(seconds=3), *coded), tmp_path / "in.ts", 0.1)
    with pytest.raises(InputError, match="damaged") as caught:
        require_intact(open_source(source))
    advice = str(caught.value).partition("(ffmpeg ")[2].partition(")")[0]
    better = tmp_path / "better.mkv"
    run([str({"IN": source, "OUT.mkv": better}.get(word, word)) for word in advice.split()])
    require_intact(open_source(better))


@pytest.mark.parametrize(
    ("rate", "seconds", "frames"), first_quick([("1000", 0.1, 100), ("600", 0.1, 60), ("1/2", 20.0, 10)])
)
@pytest.mark.parametrize("name", first_quick(["h264_crf", "prores_proxy", "ffv1"]))
def test_very_fast_and_very_slow_pictures_are_all_delivered(
    tmp_path: Path, rate: str, seconds: float, frames: int, name: str
) -> None:
    source = made(tmp_path / "in.mp4", *picture(rate=rate, seconds=seconds), *H264)
    opened, preset = open_source(source), presets.load(name)
    assert opened.clip.num_frames == frames
    out = tmp_path / f"out{preset.suffix}"
    video = RawVideo("yuv420p", (192, 128), opened.timeline)
    encode(([np.asarray(plane) for plane in frame] for frame in opened.clip.frames()), video, preset, out)
    pts, base = decode_timestamps(out)
    room = base / 2
    assert len(pts) == frames
    assert all(abs(p * base - n / Fraction(rate)) <= room for n, p in enumerate(pts))


def test_a_transport_stream_may_pass_the_end_of_its_clock(tmp_path: Path) -> None:
    """33 bits of 90 kHz are 95443.7 s: the stream begins 1.7 s before."""
    source = made(tmp_path / "in.ts", *picture(seconds=4), *H264, "-output_ts_offset", "95442")
    opened = open_source(source)
    require_intact(opened)
    assert {b - a for a, b in zip(opened.timeline.pts, opened.timeline.pts[1:], strict=False)} == {3600}
    assert opened.clip.num_frames == 100


def test_a_recording_that_was_not_closed_is_told_as_such(tmp_path: Path) -> None:
    whole = made(tmp_path / "whole.mp4", *picture(), *H264)
    cut_short = tmp_path / "in.mp4"
    cut_short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(InputError, match=r"in\.mp4: its movie header \(moov\) is missing"):
        probe(cut_short)


def test_a_picture_of_two_lines_is_a_picture(tmp_path: Path) -> None:
    opened = open_source(made(tmp_path / "in.mkv", *picture("192x2"), *H264))
    require_intact(opened)
    assert (opened.clip.width, opened.clip.height) == (192, 2)
