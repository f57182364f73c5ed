"""What a stream was asked to be and what it is: windows by hand, and files of known making."""

from dataclasses import replace
from fractions import Fraction
from math import inf
from pathlib import Path

import numpy as np
import pytest

from tests.support.media_clips import draw
from vsanon.errors import InputError
from vsanon.media.packets import VideoPackets, video_packets
from vsanon.validation.metrics.stream import (
    Answer,
    Request,
    Spread,
    StreamFigures,
    answers,
    bit_rate,
    box_pixels,
    gop_lengths,
    measure_stream,
    peak_bit_rate,
    prores_bit_rate,
    vbv_bit_rate,
)

VIDEO = "testsrc2=s=128x96:r=25:d=2"


def packets(sizes: list[int], times: list[int], time_base: Fraction, duration: Fraction) -> VideoPackets:
    keys = np.zeros(len(sizes), np.bool_)
    return VideoPackets(np.array(sizes), np.array(times), keys, time_base, duration, ("I",) * len(sizes))


def test_the_peak_is_the_heaviest_window_of_a_second_wherever_it_starts() -> None:
    """Four packets a second; 30 and 40 bytes lie side by side across the second's border."""
    stream = packets([10, 10, 10, 30, 40, 10, 10, 10], list(range(8)), Fraction(1, 4), Fraction(2))
    assert bit_rate(stream) == 8 * 130 / 2
    assert peak_bit_rate(stream) == 8 * (10 + 10 + 30 + 40)
    assert peak_bit_rate(stream, Fraction(1, 2)) == 8 * (30 + 40) * 2


def test_a_packet_a_whole_second_later_is_in_the_next_window() -> None:
    stream = packets([5, 7], [0, 1000], Fraction(1, 1000), Fraction(2))
    assert peak_bit_rate(stream) == 8 * 7


def test_a_second_that_is_no_whole_number_of_ticks_ends_before_the_next_tick() -> None:
    """Ticks of 0.4 s: a window holds those at 0, 0.4 and 0.8 s."""
    stream = packets([1, 1, 1, 1], [0, 1, 2, 3], Fraction(2, 5), Fraction(8, 5))
    assert peak_bit_rate(stream) == 8 * 3


def test_a_stream_shorter_than_a_second_peaks_at_its_mean() -> None:
    stream = packets([100, 20], [0, 1], Fraction(1, 4), Fraction(1, 2))
    assert peak_bit_rate(stream) == bit_rate(stream) == 8 * 240


def test_a_buffer_of_two_seconds_takes_a_burst_that_one_second_alone_does_not() -> None:
    """One frame a second of 100, 300 and 100 bytes and a buffer of 300: 800 bits a second fill it up in between."""
    stream = packets([100, 300, 100, 100], list(range(4)), Fraction(1), Fraction(4))
    assert peak_bit_rate(stream) == 8 * 300
    assert vbv_bit_rate(stream, 8 * 300) == pytest.approx(8 * 100, rel=1e-5)
    # A frame larger than the buffer comes through at no rate; with all in the buffer, none is needed.
    assert vbv_bit_rate(stream, 8 * 299) == inf
    assert vbv_bit_rate(stream, 8 * 600) == 0


def test_a_peak_is_held_against_the_buffer_that_was_asked_for() -> None:
    stream = packets([100, 300, 100, 100], list(range(4)), Fraction(1), Fraction(4))
    size, rate, whole = (2, 2), Fraction(1), Spread(1, 1, 1)
    figures = StreamFigures("h264", None, "yuv420p", 8, size, rate, 4, 4.0, 1200.0, 2400.0, whole, None)
    figures = replace(figures, vbv_bit_rate=vbv_bit_rate(stream, 2400))
    (answer,) = answers(Request(peak_bit_rate=1000.0, buffer_bits=2400.0), figures)
    assert not answer.differs
    assert answer.measured == pytest.approx(800, rel=1e-5)
    (answer,) = answers(Request(peak_bit_rate=1000.0), replace(figures, vbv_bit_rate=None))
    assert answer.differs


def test_prores_has_apples_targets_by_pixels_and_frames() -> None:
    assert prores_bit_rate("HQ", (1920, 1080), Fraction(30000, 1001)) == pytest.approx(220e6)
    assert prores_bit_rate("LT", (960, 1080), Fraction(30000, 1001)) == pytest.approx(51e6)
    assert prores_bit_rate(None, (960, 1080), Fraction(25)) is None


def test_gops_run_from_keyframe_to_keyframe_and_to_the_end() -> None:
    keys = np.array([1, 0, 0, 1, 0, 1], np.bool_)
    assert gop_lengths(keys).tolist() == [3, 2, 1]
    assert gop_lengths(~keys).tolist() == [1, 1, 2, 2]  # the first frame is no keyframe here
    with pytest.raises(ValueError, match="no GOP"):
        gop_lengths(np.zeros(0, np.bool_))


@pytest.mark.slow
def test_a_file_of_known_gops_and_b_frames_is_measured_as_such(tmp_path: Path) -> None:
    x264 = "keyint=12:scenecut=0:bframes=2:b-adapt=0:open-gop=0"
    file = draw(tmp_path / "a.mp4", "-c:v", "libx264", "-x264-params", x264, "-pix_fmt", "yuv420p", video=VIDEO)
    got = measure_stream(file)
    assert (got.codec, got.profile, got.pix_fmt, got.depth) == ("h264", "High", "yuv420p", 8)
    assert (got.size, got.fps, got.frames, got.duration_s) == ((128, 96), 25, 50, 2)
    assert got.gop_frames == Spread(2, 10, 12)  # 12 four times, and 2
    types = video_packets(file).picture_types
    assert "".join(types).startswith("IBBPBBPBBP")
    assert got.b_frame_share == types.count("B") / 50 > 0.5
    total = int(video_packets(file).sizes.sum())
    assert got.bit_rate == 8 * total / 2 < 8 * file.stat().st_size / 2
    assert got.bit_rate <= got.peak_bit_rate <= 8 * total


def test_an_intra_codec_has_gops_of_one_and_no_b_frames(tmp_path: Path) -> None:
    prores = ("-c:v", "prores_ks", "-profile:v", "lt", "-pix_fmt", "yuv422p10le")
    got = measure_stream(draw(tmp_path / "a.mov", *prores, video="testsrc2=s=128x96:r=25:d=0.4"))
    assert (got.codec, got.pix_fmt, got.depth) == ("prores", "yuv422p10le", 10)
    assert got.gop_frames == Spread(1, 1, 1)
    assert got.b_frame_share == 0
    assert got.peak_bit_rate == got.bit_rate


def test_what_was_asked_for_stands_beside_what_came_out(tmp_path: Path) -> None:
    abr = ("-c:v", "libx264", "-b:v", "100k", "-g", "25", "-bf", "0", "-pix_fmt", "yuv420p", "-threads", "1")
    figures = measure_stream(draw(tmp_path / "a.mp4", *abr, video=VIDEO))
    request = Request("h264", "High 10", "yuv420p", 100_000, 50_000, 12, b_frames=False)
    got = {answer.name: answer for answer in answers(request, figures)}
    assert got["bit_rate"].ratio == figures.bit_rate / 100_000
    assert got["gop_frames"] == Answer("gop_frames", 12, 25.0, 25 / 12)
    assert got["b_frames"] == Answer("b_frames", False, False)
    assert [name for name, answer in got.items() if answer.differs] == ["profile", "peak_bit_rate", "gop_frames"]
    assert answers(Request(), figures) == ()


def test_a_container_that_holds_no_presentation_times_is_measured_by_its_decoding_times(tmp_path: Path) -> None:
    file = draw(tmp_path / "a.avi", "-c:v", "mpeg4", "-g", "10", "-bf", "0", video=VIDEO)
    got = measure_stream(file)
    assert (got.frames, got.duration_s, got.gop_frames) == (50, 2, Spread(10, 10, 10))


def test_a_raw_stream_without_any_time_has_no_rate(tmp_path: Path) -> None:
    raw = draw(tmp_path / "a.h264", "-c:v", "libx264", "-pix_fmt", "yuv420p", video=VIDEO)
    with pytest.raises(InputError, match="packet 0 has no time"):
        measure_stream(raw)


def test_a_file_without_video_is_refused(tmp_path: Path) -> None:
    sound = draw(tmp_path / "a.mka", "-map", "1:a", inputs=("-f", "lavfi", "-i", "sine=d=0.2"))
    with pytest.raises(InputError, match="no video stream"):
        measure_stream(sound)
    with pytest.raises(InputError, match="no video stream"):
        video_packets(sound)


def test_pixels_of_faces() -> None:
    got = box_pixels(np.array([[0, 0, 10, 20], [5, 5, 35, 25], [0, 0, 8, 8]], np.float32))
    assert got is not None
    assert got.boxes == 3
    assert got.shorter_side == pytest.approx(Spread(8, 38 / 3, 20))
    assert got.area == pytest.approx(Spread(64, 864 / 3, 600))
    assert got.median_side == 10
    assert box_pixels(np.zeros((0, 4), np.float32)) is None
