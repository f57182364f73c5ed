"""Frames to files: same bytes, same times, the source's streams beside them, no file left where it fails."""

import hashlib
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loops import first_quick
from tests.support.media_clips import HDR, SIZE, draw, fitted, frames, output_in, sine, sources_for, timeline
from tests.support.presets import each_preset
from vsanon.encode import (
    RawVideo,
    Sound,
    encode,
    ffmpeg_path,
    ffmpeg_version,
    output_color,
    presets,
    require_encoder,
    run,
    time_grid,
    track_timescale,
)
from vsanon.encode.picture import lost_in
from vsanon.errors import EncodeError, InputError, MissingError
from vsanon.media import Color, decode_timestamps, packet_hashes, pixel_format, probe
from vsanon.timing import Timeline

H264 = ("-c:v", "libx264")
FFV1 = presets.load("ffv1")


def raw(pix_fmt: str = "yuv420p", count: int = 10, **more: object) -> RawVideo:
    return RawVideo(pix_fmt, SIZE, more.pop("timeline", timeline(count)), **more)  # type: ignore[arg-type]


def source_with_sound(path: Path, *more: str) -> Path:
    return draw(path, *H264, "-c:a", "aac", *more, inputs=sine())


def read_frames(path: Path, pix_fmt: str) -> bytes:
    return run(["-i", str(path), "-map", "0:v:0", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"])


def as_bytes(video: RawVideo) -> bytes:
    return b"".join(plane.tobytes() for planes in frames(video) for plane in planes)


@pytest.mark.parametrize("pix_fmt", [f for f in FFV1.pix_fmts if f not in ("bgr0", "bgra")])
@pytest.mark.parametrize("range_", first_quick(["tv", "pc", None]))
def test_ffv1_keeps_every_sample_of_every_format_and_range(
    tmp_path: Path, pix_fmt: str, range_: str | None
) -> None:
    video = RawVideo(pix_fmt, (33, 17), timeline(2), color=Color(range=range_))
    out = tmp_path / "out.mkv"
    encode(frames(video), video, FFV1, out)
    assert read_frames(out, pix_fmt) == as_bytes(video)


@pytest.mark.parametrize("pix_fmt", ["gbrp", "gbrap"])
def test_ffv1_keeps_8_bit_rgb_in_another_order(tmp_path: Path, pix_fmt: str) -> None:
    video = RawVideo(pix_fmt, (33, 17), timeline(2), color=Color(matrix="gbr", range="pc"))
    out = tmp_path / "out.mkv"
    encode(frames(video), video, FFV1, out)
    found = probe(out).video
    assert found is not None
    assert found.pix_fmt == ("bgr0" if pix_fmt == "gbrp" else "bgra")
    filters = f"scale=flags=bitexact+accurate_rnd+full_chroma_int,format={pix_fmt}"
    again = run(["-i", str(out), "-vf", filters, "-f", "rawvideo", "-"])
    assert again == as_bytes(video)


@pytest.mark.parametrize("name", each_preset())
def test_two_runs_write_the_same_bytes(tmp_path: Path, name: str) -> None:
    preset = presets.load(name)
    video = fitted(raw(), preset)
    narrow = sources_for(tmp_path).get(preset.muxer)
    source = narrow or source_with_sound(tmp_path / "source.mp4")
    sums = []
    for n in range(2):
        out = output_in(tmp_path, preset, f"out{n}")
        encode(frames(video), video, preset, out, source=source)
        written = sorted(out.parent.iterdir()) if preset.muxer == "image2" else [out]
        sums.append(hashlib.sha256(b"".join(file.read_bytes() for file in written)).hexdigest())
    assert sums[0] == sums[1]


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=20),
    st.sampled_from([Fraction(1, 12800), Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000)]),
    st.integers(0, 100_000),
)
def test_the_time_grid_holds_every_time_exactly(steps: list[int], base: Fraction, start: int) -> None:
    pts = tuple(start + sum(steps[:n]) for n in range(len(steps) + 1))
    moved, grid = time_grid(Timeline(pts, base, Fraction(25)), start * base)
    assert [p * grid for p in moved] == [(p - start) * base for p in pts]


def test_even_frames_in_fine_ticks_become_a_time_base_of_one_frame() -> None:
    line = Timeline(tuple(512 * n for n in range(5)), Fraction(1, 12800), Fraction(25))
    assert time_grid(line, Fraction(0)) == ((0, 1, 2, 3, 4), Fraction(1, 25))


def test_a_single_frame_has_the_time_base_of_its_rate() -> None:
    line = Timeline((0,), Fraction(1, 12800), Fraction(25))
    assert time_grid(line, Fraction(0)) == ((0,), Fraction(1, 25))


@pytest.mark.parametrize(
    ("base", "ticks"), [(Fraction(1, 25), 12800), (Fraction(1001, 30000), 30000), (Fraction(1, 90000), 90000)]
)
def test_mov_tracks_hold_the_time_base_exactly(base: Fraction, ticks: int) -> None:
    assert track_timescale(base) == ticks
    assert (base * ticks).denominator == 1


@pytest.mark.parametrize("name", ["h264_crf", "prores_proxy", "h265_crf"])
@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(24), Fraction(25, 2)])
def test_odd_rates_come_out_exactly(tmp_path: Path, name: str, fps: Fraction) -> None:
    preset, video = presets.load(name), raw(timeline=timeline(8, fps))
    out = tmp_path / f"out{preset.suffix}"
    encode(frames(video), video, preset, out)
    pts, base = decode_timestamps(out)
    assert [p * base for p in pts] == [n / fps for n in range(8)]
    found = probe(out).video
    assert found is not None
    assert found.fps == fps


@pytest.mark.parametrize("name", ["h264_crf", "h264_abr", "h265_crf_10bit", "prores_lt"])
def test_uneven_frames_keep_their_exact_times(tmp_path: Path, name: str) -> None:
    ticks = (0, 3003, 6006, 12345, 12346, 20000, 90001, 180000)
    preset, video = presets.load(name), raw(timeline=Timeline(ticks, Fraction(1, 90000), Fraction(7, 2)))
    out = tmp_path / f"out{preset.suffix}"
    encode(frames(video), video, preset, out)
    pts, base = decode_timestamps(out)
    assert [p * base for p in pts] == [Fraction(t, 90000) for t in ticks]


@pytest.mark.parametrize("suffix", first_quick([".mp4", ".mov", ".mkv", ".ts"]))
@pytest.mark.parametrize("late", ["sound", "picture", "neither"])
@pytest.mark.parametrize("name", first_quick(["h264_crf", "prores_proxy", "ffv1"]))
def test_sound_keeps_its_place_against_the_picture(tmp_path: Path, suffix: str, late: str, name: str) -> None:
    """The first and last sound packet, priming included, are as far from the first frame as in the source."""
    base = source_with_sound(tmp_path / "base.mp4")
    source, preset = tmp_path / f"source{suffix}", presets.load(name)
    delay = {"sound": ("0", "0.5"), "picture": ("0.3", "0"), "neither": ("0", "0")}[late]
    inputs = [a for offset in delay for a in ("-itsoffset", offset, "-i", str(base))]
    run([*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(source)])
    pts, time_base = decode_timestamps(source)
    video = raw(timeline=Timeline(pts, time_base, Fraction(25)))
    out = tmp_path / f"out{preset.suffix}"
    encode(frames(video), video, preset, out, source=source)
    (want,), (got,) = packet_hashes(source, ["audio"]), packet_hashes(out, ["audio"])
    new_pts, new_base = decode_timestamps(out)
    assert got.sha256 == want.sha256
    room = (want.time_base + got.time_base + new_base) / 2
    for n in (0, -1):
        was = want.pts[n] * want.time_base - pts[0] * time_base
        now = got.pts[n] * got.time_base - new_pts[0] * new_base
        assert abs(was - now) <= room
    shift = [a * new_base - b * time_base for a, b in zip(new_pts, pts, strict=True)]
    assert max(shift) - min(shift) <= (0 if name != "ffv1" else Fraction(1, 1000))


def test_a_transport_stream_starts_at_0_and_not_at_its_clock(tmp_path: Path) -> None:
    base = source_with_sound(tmp_path / "base.mp4")
    source, out = tmp_path / "source.ts", tmp_path / "out.mp4"
    run(["-i", str(base), "-c", "copy", "-output_ts_offset", "36000", str(source)])
    pts, time_base = decode_timestamps(source)
    assert pts[0] * time_base > 36000
    video = raw(timeline=Timeline(pts, time_base, Fraction(25)))
    encode(frames(video), video, presets.load("h264_crf"), out, source=source)
    new_pts, new_base = decode_timestamps(out)
    assert 0 <= new_pts[0] * new_base < Fraction(1, 10)


@pytest.mark.parametrize("name", ["prores_hq", "h264_crf", "ffv1"])
def test_timecode_with_dropped_frames_languages_titles_and_marks_are_kept(tmp_path: Path, name: str) -> None:
    source = draw(
        tmp_path / "source.mov",
        *("-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:v", "prores_ks", "-c:a", "pcm_s24le"),
        *("-timecode", "01:00:00;02", "-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng"),
        *("-metadata:s:a:1", "title=M and E"),
        video="testsrc2=s=64x48:r=30000/1001:d=0.4",
        inputs=sine(),
    )
    preset, video = presets.load(name), raw("yuv422p10le", timeline=timeline(12, Fraction(30000, 1001)))
    out = tmp_path / f"out{preset.suffix}"
    report = encode(frames(video), video, preset, out, source=source)
    facts = probe(out)
    assert facts.timecode == "01:00:00;02"
    assert [s.language for s in facts.of_kind("audio")] == ["ger", "eng"]
    assert [s.title for s in facts.of_kind("audio")] == [None, "M and E"]
    assert report.not_carried == ()
    assert [p.sha256 for p in packet_hashes(out)] == [p.sha256 for p in packet_hashes(source)]


def with_subtitles(tmp_path: Path, suffix: str, codec: str) -> Path:
    texts, listing = tmp_path / "texts.srt", tmp_path / "chapters.txt"
    texts.write_text("1\n00:00:00,100 --> 00:00:00,200\nOne\n\n2\n00:00:00,250 --> 00:00:00,350\nTwo\n")
    listing.write_text(
        ";FFMETADATA1\ntitle=secret\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=2\ntitle=First\ncomment=secret\n"
        "[CHAPTER]\nTIMEBASE=1/10\nSTART=2\nEND=4\ntitle=Second\n"
    )
    return draw(
        tmp_path / f"source{suffix}",
        *("-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_chapters", "3", "-map_metadata", "3"),
        *(*H264, "-c:a", "aac", "-c:s", codec, "-metadata:s:s", "language=deu"),
        inputs=(*sine(), "-i", str(texts), "-i", str(listing)),
    )


@pytest.mark.parametrize(
    ("suffix", "codec", "name", "becomes"),
    [
        (".mp4", "mov_text", "h264_crf", "mov_text"),
        (".mp4", "mov_text", "ffv1", "subrip"),
        (".mkv", "srt", "prores_proxy", "mov_text"),
        (".mkv", "srt", "ffv1", "subrip"),
        (".mkv", "ass", "ffv1", "ass"),
        (".mkv", "ass", "h264_crf", "mov_text"),
    ],
)
def test_subtitles_and_chapters_come_along(
    tmp_path: Path, suffix: str, codec: str, name: str, becomes: str
) -> None:
    source, preset = with_subtitles(tmp_path, suffix, codec), presets.load(name)
    out = tmp_path / f"out{preset.suffix}"
    report = encode(frames(raw()), raw(), preset, out, source=source)
    facts = probe(out)
    (found,) = facts.of_kind("subtitle")
    assert found.codec == becomes
    assert found.language in ("deu", "ger")
    assert [(c.title, round(float(c.start), 3)) for c in facts.chapters] == [("First", 0.0), ("Second", 0.2)]
    texts = run(["-i", str(out), "-map", "0:s", "-f", "srt", "-"]).decode()
    assert "00:00:00,100 --> 00:00:00,200" in texts
    assert "00:00:00,250 --> 00:00:00,350" in texts
    assert any("stream 2" in words for words in report.not_carried) == ((codec, becomes) == ("ass", "mov_text"))
    assert b"secret" not in out.read_bytes()


def test_what_a_container_cannot_hold_is_refused_with_stream_and_remedy(tmp_path: Path) -> None:
    source = draw(tmp_path / "source.mkv", *H264, "-c:a", "libvorbis", inputs=sine())
    out, lt = tmp_path / "out.mov", presets.load("prores_lt")
    with pytest.raises(InputError, match=r"stream 1 \(audio vorbis\).*\.mov.*ffv1"):
        encode(frames(raw()), raw(), lt, out, source=source, sound=Sound("copy"))
    assert not out.exists()
    report = encode(frames(raw()), raw(), lt, out, source=source, keep=["chapters"])
    assert report.not_carried == ("stream 1 (audio vorbis): left out as asked",)
    assert probe(out).of_kind("audio") == ()
    report = encode(frames(raw()), raw(), lt, out, source=source)
    assert report.notes == ("stream 1 (audio vorbis): becomes pcm_s24le, as .mov does not take vorbis",)
    assert [s.codec for s in probe(out).of_kind("audio")] == ["pcm_s24le"]


def test_place_device_and_dates_are_dropped_and_their_keys_recorded(tmp_path: Path) -> None:
    secrets = {"location": "+48.2082+016.3738/", "make": "Cam-Maker", "creation_time": "2020-02-02T02:02:02Z"}
    secrets |= {"comment": "shot-at-home", "com.apple.quicktime.software": "Soft-9"}
    tags = [a for key, value in secrets.items() for a in ("-metadata", f"{key}={value}")]
    handler = ("-metadata:s:a:0", "handler_name=Cam-Audio")
    source = source_with_sound(tmp_path / "source.mov", *tags, *handler, "-movflags", "use_metadata_tags")
    for name in ("prores_proxy", "h264_crf", "ffv1"):
        preset = presets.load(name)
        out = tmp_path / f"out{preset.suffix}"
        report = encode(frames(raw()), raw(), preset, out, source=source)
        assert {f"file:{key}" for key in secrets} <= set(report.dropped_metadata)
        assert "stream 1:handler_name" in report.dropped_metadata
        data = out.read_bytes()
        for value in (*secrets.values(), "Cam-Audio", "2020-02-02"):
            assert value.encode() not in data
            assert value not in str(report)


def test_a_rotated_source_leaves_no_rotation(tmp_path: Path) -> None:
    flat, source, out = tmp_path / "flat.mp4", tmp_path / "source.mp4", tmp_path / "out.mp4"
    source_with_sound(flat)
    run(["-display_rotation", "90", "-i", str(flat), "-c", "copy", str(source)])
    encode(frames(raw()), raw(), presets.load("h264_crf"), out, source=source)
    found = probe(out).video
    assert found is not None
    assert found.rotation == 0


@pytest.mark.parametrize("name", ["h265_crf_10bit", "h264_crf", "prores_4444", "ffv1"])
def test_hdr10_comes_along(tmp_path: Path, name: str) -> None:
    color = Color("bt2020nc", "bt2020", "smpte2084", "tv", "topleft")
    preset, video = presets.load(name), raw("yuv420p10le", color=color, hdr=HDR)
    out = tmp_path / f"out{preset.suffix}"
    encode(frames(video), video, preset, out)
    found = probe(out).video
    assert found is not None
    assert found.hdr == HDR
    assert (found.color.matrix, found.color.primaries, found.color.transfer) == (
        "bt2020nc",
        "bt2020",
        "smpte2084",
    )
    if preset.codec == "hevc":
        assert found.color.chroma_location == "topleft"


@pytest.mark.parametrize(("name", "suffix"), [("h265_crf_10bit", "hevc"), ("h264_crf", "h264")])
def test_colour_is_in_the_stream_itself_and_not_only_in_its_container(
    tmp_path: Path, name: str, suffix: str
) -> None:
    video = raw("yuv420p10le", color=Color("bt2020nc", "bt2020", "smpte2084", "tv", "topleft"))
    out, bare = tmp_path / "out.mp4", tmp_path / f"bare.{suffix}"
    encode(frames(video), video, presets.load(name), out)
    run(["-i", str(out), "-c", "copy", str(bare)])
    found = probe(bare).video
    assert found is not None
    assert found.color == video.color


def test_alpha_survives_prores_4444(tmp_path: Path) -> None:
    video, out = raw("yuva444p10le"), tmp_path / "out.mov"
    encode(frames(video), video, presets.load("prores_4444"), out)
    alpha = run(["-i", str(out), "-vf", "alphaextract,format=gray10le", "-f", "rawvideo", "-"])
    sent = b"".join(planes[3].tobytes() for planes in frames(video))
    difference = np.abs(np.frombuffer(alpha, "<u2").astype(int) - np.frombuffer(sent, "<u2").astype(int))
    assert difference.max() <= 1


GRAY_AND_YUV = [
    *("gray", "gray10le", "gray16le", "yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv440p", "yuv420p10le"),
    *("yuv422p10le", "yuv444p12le", "yuv420p16le", "yuva420p", "yuva444p10le", "yuva422p12le"),
]


@pytest.mark.parametrize(("name", "target"), [("prores_4444", "yuva444p10le"), ("h264_crf", "yuv420p")])
def test_colours_under_clear_alpha_stay_what_they_are(tmp_path: Path, name: str, target: str) -> None:
    """Luma 250, which is more than white, and chroma 90 under alpha 0 on the left, 255 on the right."""
    video = RawVideo("yuva420p", (64, 48), timeline(1), color=Color("bt709", "bt709", "bt709", "tv"))
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, 32:] = 255
    chroma = np.full((24, 32), 90, np.uint8)
    preset = presets.load(name)
    out = tmp_path / f"out{preset.suffix}"
    encode([[np.full((48, 64), 250, np.uint8), chroma, chroma, alpha]], video, preset, out)
    kind, unit = ("<u2", 4) if "10" in target else ("u1", 1)
    samples = np.frombuffer(read_frames(out, target), kind).astype(int)
    luma = samples[: 64 * 48].reshape(48, 64)
    assert np.abs(luma - 250 * unit).max() <= 2 * unit
    of_chroma = samples[64 * 48 : (-(64 * 48) or None) if "yuva" in target else None]
    assert np.abs(of_chroma - 90 * unit).max() <= 2 * unit
    if "yuva" in target:
        assert np.array_equal(samples[-64 * 48 :].reshape(48, 64) > 512, alpha > 128)


def test_the_place_of_chroma_is_told_where_that_of_fields_becomes_coarser(tmp_path: Path) -> None:
    """DV of 525 lines is 4:1:1 in fields, its chroma at the top left; in 4:2:0 it lies at the left."""
    color = Color("smpte170m", None, None, "tv", "topleft")
    video = RawVideo("yuv411p", (64, 48), timeline(1), color=color, field_order="bb")
    planes = [np.full((48, 64), 120, np.uint8), *[np.full((48, 16), 100, np.uint8)] * 2]
    out = tmp_path / "out.mp4"
    encode([planes], video, presets.load("h264_crf"), out)
    found = probe(out).video
    assert found is not None
    assert output_color(video, presets.load("h264_crf")).chroma_location == "left"
    assert found.color.chroma_location in ("left", None)


@pytest.mark.parametrize(
    ("place", "kept"), [("center", None), ("top", None), ("left", "left"), ("topleft", "topleft"), (None, None)]
)
def test_a_place_of_chroma_that_av1_has_no_code_for_is_told_and_not_asked_for(
    place: str | None, kept: str | None
) -> None:
    """As in MPEG-1, whose chroma lies in the centre: such a film was refused after all the work."""
    video, av1 = raw(color=Color(chroma_location=place)), presets.load("av1")
    assert output_color(video, av1).chroma_location == kept
    told = [f"chroma_location {place}: AV1 has no name for it, and players take left"] if kept != place else []
    assert lost_in(video, av1) == told
    assert lost_in(video, presets.load("h264_crf")) == []


def flat(video: RawVideo, white: int) -> list[np.ndarray]:
    """One frame of luma `white`, neutral chroma and full alpha."""
    found = pixel_format(video.pix_fmt)
    dtype, top = np.dtype(f"u{found.sample_bytes}"), 2**found.depth - 1
    values = [white, (top + 1) // 2, (top + 1) // 2, top]
    return [np.full(s, v, dtype) for s, v in zip(found.plane_shapes(video.size), values, strict=False)]


@pytest.mark.parametrize("pix_fmt", GRAY_AND_YUV)
@pytest.mark.parametrize("range_", first_quick(["tv", "pc", None]))
@pytest.mark.parametrize("field_order", ["progressive", pytest.param("tt", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["prores_hq", pytest.param("prores_4444", marks=pytest.mark.slow), "h264_crf"])
def test_white_stays_white_and_black_black_whatever_is_converted(
    tmp_path: Path, pix_fmt: str, range_: str | None, field_order: str, name: str
) -> None:
    """White is 235 of 8 bits in limited range, and 2**depth - 1 in full range; black 16 and 0."""
    if (pix_fmt, field_order) == ("yuv440p", "tt"):
        pytest.skip("no interlaced video has this format, and zimg has it with 8 bits only")
    preset, found = presets.load(name), pixel_format(pix_fmt)
    color = Color("bt709", "bt709", "bt709", range_)
    video = RawVideo(pix_fmt, (64, 48), timeline(2), color=color, field_order=field_order)
    full = range_ == "pc"
    levels = (2**found.depth - 1, 0) if full else (235 << found.depth - 8, 16 << found.depth - 8)
    out = tmp_path / f"out{preset.suffix}"
    encode([flat(video, level) for level in levels], video, preset, out)
    target = "yuv444p10le" if name == "prores_4444" else preset.pix_fmts[0]
    small = "u1" if target == "yuv420p" else "<u2"
    luma = np.frombuffer(read_frames(out, target), small).reshape(2, -1)[:, : 64 * 48].astype(int)
    scale = 1 if small == "u1" else 4
    wanted = (255, 0) if full and name == "h264_crf" else (235 * scale, 16 * scale)
    assert np.abs(luma[0] - wanted[0]).max() <= 1
    assert np.abs(luma[1] - wanted[1]).max() <= 1


def test_fields_are_not_mixed_when_chroma_becomes_4_2_2(tmp_path: Path) -> None:
    """Chroma of 4:2:0 with one value in each field still has but these two values, in alternating lines."""
    color = Color("bt709", "bt709", "bt709", "tv")
    video = RawVideo("yuv420p", (64, 48), timeline(1), color=color, field_order="tt")
    chroma = np.full((24, 32), 100, np.uint8)
    chroma[1::2] = 180
    out = tmp_path / "out.mov"
    encode([[np.full((48, 64), 120, np.uint8), chroma, chroma]], video, presets.load("prores_hq"), out)
    rows = np.frombuffer(read_frames(out, "yuv422p10le"), "<u2")[64 * 48 : 64 * 48 + 48 * 32].reshape(48, 32)
    top, bottom = rows[::2].astype(int), rows[1::2].astype(int)
    assert np.abs(top - 400).max() <= 4
    assert np.abs(bottom - 720).max() <= 4


@pytest.mark.parametrize(
    ("height", "primaries", "matrix"),
    [(48, None, "smpte170m"), (720, None, "bt709"), (48, "bt2020", "bt2020nc")],
)
def test_rgb_becomes_yuv_by_a_matrix_that_is_told(
    tmp_path: Path, height: int, primaries: str | None, matrix: str
) -> None:
    """Pure green in limited 8 bits: luma is 16 + 219 * 0.587, 0.7152 or 0.678 by the matrix."""
    color = Color("gbr", primaries, None, "pc")
    video = RawVideo("gbrp", (64, height), timeline(1), color=color)
    shape = (height, 64)
    green = [np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)]
    out = tmp_path / "out.mp4"
    encode([green], video, presets.load("h264_crf"), out)
    found = probe(out).video
    assert found is not None
    assert (found.color.matrix, found.color.range) == (matrix, "tv")
    luma = np.frombuffer(read_frames(out, "yuv420p"), np.uint8)[: 64 * height]
    share = {"smpte170m": 0.587, "bt709": 0.7152, "bt2020nc": 0.678}[matrix]
    assert abs(float(np.median(luma)) - (16 + 219 * share)) <= 1.5


def test_planes_of_any_strides_are_taken(tmp_path: Path) -> None:
    video, out = RawVideo("gray", (12, 8), timeline(1)), tmp_path / "out.mkv"
    picture = np.arange(384).astype(np.uint8).reshape(16, 24)[::-2, ::2]
    picture.flags.writeable = False
    encode([[picture]], video, FFV1, out)
    assert read_frames(out, "gray") == picture.tobytes()


def test_on_frame_is_told_each_frame_in_order(tmp_path: Path) -> None:
    seen: list[int] = []
    report = encode(frames(raw()), raw(), FFV1, tmp_path / "out.mkv", on_frame=seen.append)
    assert seen == list(range(10))
    assert report.frames == 10
    assert report.ffmpeg == ffmpeg_version()
    assert report.argv[0] == ffmpeg_path()


@pytest.mark.parametrize("count", [0, 9, 11])
def test_a_clip_of_another_length_than_its_timeline_is_an_error(tmp_path: Path, count: int) -> None:
    out = tmp_path / "out.mkv"
    with pytest.raises(EncodeError, match=r"timeline"):
        encode(frames(raw(), count), raw(), FFV1, out)
    assert not out.exists()


@pytest.mark.parametrize(
    "planes",
    [
        [np.zeros((48, 64), np.uint8)],
        [np.zeros((48, 64), np.uint8), np.zeros((24, 31), np.uint8), np.zeros((24, 32), np.uint8)],
        [np.zeros((48, 64), np.uint16), np.zeros((24, 32), np.uint16), np.zeros((24, 32), np.uint16)],
    ],
)
def test_planes_of_another_shape_or_depth_are_an_error_that_names_the_frame(
    tmp_path: Path, planes: list[np.ndarray]
) -> None:
    out = tmp_path / "out.mkv"
    with pytest.raises(EncodeError, match="frame 1"):
        encode([next(frames(raw())), planes], raw(count=2), FFV1, out)
    assert not out.exists()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The programs that are started from here on."""
    found, popen = [], subprocess.Popen

    def remember(*args: object, **kwargs: object) -> object:
        found.append(popen(*args, **kwargs))  # type: ignore[call-overload]
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    return found


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, BrokenPipeError, SystemExit])
def test_what_the_frames_raise_comes_through_and_ffmpeg_ends(
    tmp_path: Path, kind: type[BaseException], started: list[subprocess.Popen[bytes]]
) -> None:
    def broken() -> Iterator[list[np.ndarray]]:
        yield from frames(raw(), 5)
        raise kind("frame 5 has no detections")

    out = tmp_path / "out.mkv"
    with pytest.raises(kind, match="frame 5"):
        encode(broken(), raw(), FFV1, out)
    assert not out.exists()
    assert started[-1].returncode == -signal.SIGKILL


def test_ffmpeg_that_is_killed_is_an_error_and_leaves_no_file(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    video = RawVideo("yuv420p", (640, 480), timeline(50))

    def kill(n: int) -> None:
        if n == 5:
            started[-1].send_signal(signal.SIGKILL)
            started[-1].wait()

    out = tmp_path / "out.mkv"
    with pytest.raises(EncodeError, match="SIGKILL"):
        encode(frames(video), video, FFV1, out, on_frame=kill)
    assert not out.exists()


def fake_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VSANON_FFMPEG", str(program))


def test_ffmpeg_that_writes_fewer_frames_is_an_error_although_it_ends_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.mkv"
    fake_ffmpeg(tmp_path, monkeypatch, f"cat > /dev/null; echo frame=9; echo short > '{out}'")
    with pytest.raises(EncodeError, match="9 frames where 10"):
        encode(frames(raw()), raw(), FFV1, out)
    assert not out.exists()


def test_a_flood_of_warnings_does_not_block_and_the_last_words_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "i=0; while [ $i -lt 5000 ]; do echo warning number $i of a long line of words >&2; i=$((i+1)); done"
    fake_ffmpeg(tmp_path, monkeypatch, f"{words}; cat > /dev/null; echo the reason >&2; exit 3")
    with pytest.raises(EncodeError, match=r"(?s)exit code 3.*number 4999.*the reason"):
        encode(frames(raw()), raw(), FFV1, tmp_path / "out.mkv")


def test_ffmpeg_that_reads_nothing_is_told_by_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "echo no such encoder >&2; exit 8")
    video = RawVideo("yuv420p", (1920, 1080), timeline(20))
    picture = [np.zeros(s, np.uint8) for s in ((1080, 1920), (540, 960), (540, 960))]
    with pytest.raises(EncodeError, match=r"(?s)exit code 8.*no such encoder"):
        encode([picture] * 20, video, FFV1, tmp_path / "out.mkv")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full (Linux)")
@pytest.mark.parametrize("name", ["ffv1", "prores_hq"])
def test_a_full_disk_is_told_as_such(tmp_path: Path, name: str) -> None:
    video = RawVideo("yuv422p10le", (640, 480), timeline(10))
    out = tmp_path / "out"
    out.symlink_to("/dev/full")
    with pytest.raises(EncodeError, match="disk is full"):
        encode(frames(video), video, presets.load(name), out)
    assert not os.path.lexists(out)
    assert Path("/dev/full").exists()


def test_a_folder_that_does_not_exist_is_ffmpegs_error(tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match="No such file"):
        encode(frames(raw()), raw(), FFV1, tmp_path / "absent" / "out.mkv")


def test_odd_file_names_are_files(tmp_path: Path) -> None:
    source = source_with_sound(tmp_path / "base.mp4").rename(tmp_path / "-a: b'%03d.mp4")
    out = tmp_path / "-c: d'%03d.mkv"
    encode(frames(raw()), raw(), FFV1, out, source=source)
    assert len(probe(out).of_kind("audio")) == 1


@pytest.mark.parametrize("pix_fmt", ["grayf32le", "nv12", "rgb24", "yuvj420p", "yuv420p10be", "pal8"])
def test_frames_that_cannot_be_piped_are_refused(pix_fmt: str) -> None:
    with pytest.raises(InputError, match=pix_fmt):
        raw(pix_fmt)


def test_float_rgb_is_piped_and_becomes_16_bits(tmp_path: Path) -> None:
    """Float 0.5 is 32768 of 65535."""
    video, out = (
        RawVideo("gbrpf32le", (8, 8), timeline(1), color=Color("gbr", None, None, "pc")),
        tmp_path / "o.mkv",
    )
    encode([[np.full((8, 8), v, np.float32) for v in (0.5, 0.0, 1.0)]], video, FFV1, out)
    planes = np.frombuffer(read_frames(out, "gbrp16le"), "<u2").reshape(3, -1)
    assert [int(p[0]) for p in planes] == [32768, 0, 65535]


def test_interlaced_frames_are_refused_by_h265(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="progressive"):
        encode(frames(raw()), raw(field_order="tt"), presets.load("h265_crf"), tmp_path / "out.mp4")


def test_an_unknown_thing_to_keep_is_refused(tmp_path: Path) -> None:
    source = source_with_sound(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="attachments"):
        encode(frames(raw()), raw(), FFV1, tmp_path / "o.mkv", source=source, keep=["attachments"])


def test_the_named_ffmpeg_is_taken_and_an_absent_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "echo ffmpeg version 9.9-mine Copyright")
    assert ffmpeg_version() == "9.9-mine"
    monkeypatch.setenv("VSANON_FFMPEG", str(tmp_path / "absent"))
    with pytest.raises(MissingError, match="VSANON_FFMPEG"):
        ffmpeg_path()


def test_what_is_asked_of_ffmpeg_does_not_hear_a_terminals_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C goes to all of a group: ffmpeg died of it, and was said to be missing in place of the stop."""
    fake_ffmpeg(tmp_path, monkeypatch, 'echo ffmpeg version "$(ps -o pgid= -p $$ | tr -d " ")" x')
    assert int(ffmpeg_version()) != os.getpgrp()


def test_run_tells_what_ffmpeg_said() -> None:
    with pytest.raises(EncodeError, match=r"absent\.mov"):
        run(["-i", "absent.mov", "-f", "null", "-"])


def test_a_conversion_that_would_halve_an_odd_number_of_samples_is_refused(tmp_path: Path) -> None:
    video = RawVideo("yuv444p", (33, 17), timeline(2))
    with pytest.raises(InputError, match="33x17 can't be encoded as yuv420p"):
        encode(frames(video), video, presets.load("h264_crf"), tmp_path / "out.mp4")


def test_two_mxf_files_are_two_materials_and_the_same_film_is_one(tmp_path: Path) -> None:
    preset = presets.load("dnxhr_lb_mxf")
    umids = []
    for n, size in enumerate([(256, 120), (256, 120), (320, 180)]):
        video = RawVideo("yuv422p", size, timeline(3))
        encode(frames(video), video, preset, tmp_path / f"{n}.mxf")
        with av.open(str(tmp_path / f"{n}.mxf")) as file:
            umids.append(file.metadata["material_package_umid"])
            assert file.streams[0].metadata["file_package_umid"][:-2] == umids[-1][:-2]
    assert umids[0] == umids[1] != umids[2]
    assert int(umids[0][-32:-2], 16) != 0


def test_an_encoder_that_ffmpeg_was_built_without_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "echo ' V..... libx264 H.264'")
    require_encoder("libx264")
    with pytest.raises(MissingError, match="no encoder libsvtav1"):
        require_encoder("libsvtav1")
