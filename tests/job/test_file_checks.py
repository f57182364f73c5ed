"""`verify_file` passes what `encode` makes with every preset, and fails each thing that is made wrong."""

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.loops import first_quick
from tests.support.media_clips import HDR, SIZE, draw, fitted, frames, output_in, sine, sources_for, timeline
from tests.support.presets import each_preset
from vsanon.encode import RawVideo, Sound, encode, presets, run
from vsanon.encode.presets import Preset
from vsanon.encode.sequences import wrap
from vsanon.errors import InputError
from vsanon.job.checks import Check
from vsanon.job.file_checks import verify_file
from vsanon.job.held_checks import HELD, LENGTHS
from vsanon.media import Color, decode_timestamps, probe, wrong_lengths
from vsanon.media.sequences import sequence_of
from vsanon.timing import Timeline

PAL = Color("bt470bg", "bt470bg", "bt470bg", "tv", "left")
HD = Color("bt709", "bt709", "bt709", "tv", "left")
HDR10 = Color("bt2020nc", "bt2020", "smpte2084", "tv", "topleft")
UNEVEN = Timeline((0, 3003, 6006, 12345, 20000, 27507, 30030, 36036), Fraction(1, 90000), Fraction(20))
LATE = Timeline(tuple(range(300, 700, 50)), Fraction(1, 1000), Fraction(20))

CASES = {
    "plain": RawVideo("yuv420p", SIZE, timeline(8), Fraction(1), HD),
    "untagged": RawVideo("yuv420p", SIZE, timeline(8)),
    "29.97": RawVideo("yuv422p10le", SIZE, timeline(8, Fraction(30000, 1001)), Fraction(1), HD),
    "uneven": RawVideo("yuv420p", SIZE, UNEVEN, Fraction(1), HD),
    "late": RawVideo("yuv420p", SIZE, LATE, Fraction(1), HD),
    "pal": RawVideo("yuv420p", (144, 112), timeline(3), Fraction(64, 45), PAL),
    "full range": RawVideo("yuv420p", SIZE, timeline(8), None, replace(HD, range="pc")),
    "hdr10": RawVideo("yuv420p10le", SIZE, timeline(8), None, HDR10, hdr=HDR),
    "alpha": RawVideo("yuva444p10le", SIZE, timeline(8), None, HD),
    "rgb": RawVideo("gbrp", SIZE, timeline(8), None, Color("gbr", "bt709", "iec61966-2-1", "pc")),
    "gray": RawVideo("gray10le", SIZE, timeline(8), None, replace(HD, chroma_location=None)),
    "fields": RawVideo("yuv422p10le", SIZE, timeline(8), None, HD, "tt"),
    "fields, bottom first": RawVideo("yuv420p", SIZE, timeline(8), None, PAL, "bb"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound in two languages, a timecode, chapters, subtitles, and metadata that must not come along."""
    folder = tmp_path_factory.mktemp("source")
    texts, listing = folder / "texts.srt", folder / "chapters.txt"
    texts.write_text("1\n00:00:00,100 --> 00:00:00,200\nOne\n\n2\n00:00:00,220 --> 00:00:00,300\nTwo\n")
    listing.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=2\ntitle=First\n")
    return draw(
        folder / "source.mov",
        *("-map", "0:v", "-map", "1:a", "-map", "1:a", "-map", "2:s", "-map_chapters", "3"),
        *(
            "-c:v",
            "libx264",
            "-c:a:0",
            "aac",
            "-c:a:1",
            "pcm_s16le",
            "-c:s",
            "mov_text",
            "-timecode",
            "10:00:00:00",
        ),
        *(
            "-metadata:s:a:0",
            "language=eng",
            "-metadata:s:a:1",
            "language=ger",
            "-metadata",
            "location=+1+2/",
        ),
        video="testsrc2=s=64x48:r=25:d=0.32",
        inputs=(*sine(0.5), "-i", str(texts), "-i", str(listing)),
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """As `source`, with what the narrower containers take: by muxer."""
    return sources_for(tmp_path_factory.mktemp("sources"))


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def made(tmp_path: Path, video: RawVideo, preset: Preset, source: Path | None = None) -> Path:
    out = output_in(tmp_path, preset)
    encode(frames(video), video, preset, out, source=source)
    if preset.muxer != "image2":
        return out
    file = tmp_path / "images.mov"
    wrap(sequence_of(out), video.timeline.fps, file)
    return file


@pytest.mark.parametrize("name", each_preset())
@pytest.mark.parametrize("case", first_quick(CASES))
def test_what_encode_makes_passes(
    tmp_path: Path, source: Path, sources: dict[str, Path], name: str, case: str
) -> None:
    preset = presets.load(name)
    video = fitted(CASES[case], preset)
    if video.interlaced and preset.interlaced_args is None:
        pytest.skip("this encoder takes progressive frames only")
    if (preset.muxer, case) in {("mxf", "uneven"), ("image2", "uneven"), ("mxf", "late")}:
        pytest.skip("it has one rate, MXF one of some; that others are refused is another test")
    with_source = None if case in ("29.97", "uneven") else sources.get(preset.muxer, source)
    out = made(tmp_path, video, preset, with_source)
    checks = verify_file(out, video=video, preset=preset, source=with_source)
    assert [check for check in checks if not check.passed] == []
    assert {"decodes", "frame count", "timestamps", "colour tags", "metadata"} <= {c.name for c in checks}


PLAIN = CASES["plain"]
H264 = presets.load("h264_crf")


@pytest.mark.parametrize(
    ("claim", "fails"),
    [
        ({"timeline": timeline(9)}, "frame count"),
        ({"timeline": timeline(8, Fraction(30000, 1001))}, "timestamps"),
        ({"size": (64, 46)}, "size"),
        ({"sar": Fraction(64, 45)}, "sample aspect ratio"),
        ({"color": replace(HD, matrix="smpte170m")}, "colour tags"),
        ({"color": replace(HD, range="pc")}, "colour tags"),
        ({"color": replace(HD, primaries=None)}, "colour tags"),
        ({"color": replace(HD, chroma_location="topleft")}, "colour tags"),
        ({"field_order": "tt"}, "field order"),
        ({"hdr": HDR}, "HDR metadata"),
    ],
)
def test_a_file_of_other_facts_fails_the_check_of_that_fact_alone(
    tmp_path: Path, claim: dict[str, object], fails: str
) -> None:
    out = made(tmp_path, PLAIN, H264)
    claimed = replace(PLAIN, **claim)  # type: ignore[arg-type]
    assert failed(verify_file(out, video=claimed, preset=H264)) == [fails]


def test_another_codec_and_pixel_format_fail(tmp_path: Path) -> None:
    out = made(tmp_path, PLAIN, H264)
    names = failed(verify_file(out, video=PLAIN, preset=presets.load("h265_crf_10bit")))
    assert names == ["codec", "pixel format"]


def altered(tmp_path: Path, source: Path, *args: str) -> list[str]:
    """The checks that fail after ffmpeg copied a good file with `args`."""
    out, bad = made(tmp_path, PLAIN, H264, source), tmp_path / "bad.mp4"
    run(["-i", str(out), *args, "-c", "copy", "-movflags", "use_metadata_tags", str(bad)])
    return failed(verify_file(bad, video=PLAIN, preset=H264, source=source))


def test_lost_sound_and_subtitles_fail(tmp_path: Path, source: Path) -> None:
    names = altered(tmp_path, source, "-map", "0:v", "-map", "0:a:0", "-timecode", "10:00:00:00")
    assert "streams beside the picture" in names
    assert "audio 1: packets" not in names


def test_swapped_sound_fails(tmp_path: Path, source: Path) -> None:
    order = ("-map", "0:v", "-map", "0:a:1", "-map", "0:a:0", "-map", "0:s", "-timecode", "10:00:00:00")
    assert "audio 1: packets" in altered(tmp_path, source, *order)


def test_sound_that_slipped_by_a_millisecond_fails(tmp_path: Path, source: Path) -> None:
    out, bad = made(tmp_path, PLAIN, H264, source), tmp_path / "bad.mp4"
    maps = ("-map", "0:v", "-map", "1:a", "-map", "1:s", "-timecode", "10:00:00:00")
    run(["-i", str(out), "-itsoffset", "0.001", "-i", str(out), "-copyts", *maps, "-c", "copy", str(bad)])
    names = failed(verify_file(bad, video=PLAIN, preset=H264, source=source))
    assert {"audio 1: times", "audio 2: times", "subtitle 3: times"} <= set(names)
    assert "timestamps" not in names


def test_changed_or_lost_timecode_fails(tmp_path: Path, source: Path) -> None:
    maps = ("-map", "0:v", "-map", "0:a", "-map", "0:s")
    assert altered(tmp_path, source, *maps, "-timecode", "10:00:00:01") == ["timecode"]


def test_lost_chapters_fail(tmp_path: Path, source: Path) -> None:
    maps = ("-map", "0:v", "-map", "0:a", "-map", "0:s", "-map_chapters", "-1", "-timecode", "10:00:00:00")
    assert altered(tmp_path, source, *maps) == ["chapters"]


def test_metadata_outside_the_allow_list_fails_and_is_named_by_key(tmp_path: Path) -> None:
    out, bad = made(tmp_path, PLAIN, H264), tmp_path / "bad.mp4"
    run(["-i", str(out), "-metadata", "location=+48.2+16.3/", "-c", "copy", str(bad)])
    held, check = [c for c in verify_file(bad, video=PLAIN, preset=H264) if not c.passed]
    assert (held.name, check.name) == (HELD, "metadata")
    assert "location" in check.found
    assert "48.2" not in check.found


def test_a_rotation_tag_fails(tmp_path: Path) -> None:
    out, bad = made(tmp_path, PLAIN, H264), tmp_path / "bad.mp4"
    run(["-display_rotation", "90", "-i", str(out), "-c", "copy", str(bad)])
    assert failed(verify_file(bad, video=PLAIN, preset=H264)) == ["rotation"]


def test_one_frame_that_is_off_by_one_tick_of_the_container_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Matroska's tick is a millisecond."""
    preset = presets.load("ffv1")
    out = made(tmp_path, PLAIN, preset)
    pts, time_base = decode_timestamps(out)
    assert time_base == Fraction(1, 1000)
    for by, fails in ((0, []), (1, ["timestamps"]), (-1, ["timestamps"])):
        moved = [p + by * (n == 5) for n, p in enumerate(pts)]
        monkeypatch.setattr("vsanon.job.file_checks.decode_timestamps", lambda *_, m=moved, **__: (m, time_base))
        assert failed(verify_file(out, video=PLAIN, preset=preset)) == fails


def test_a_damaged_picture_fails(tmp_path: Path) -> None:
    preset = presets.load("ffv1")
    out = made(tmp_path, PLAIN, preset)
    data = bytearray(out.read_bytes())
    data[len(data) * 2 // 3] ^= 0xFF
    out.write_bytes(data)
    assert "decodes" in failed(verify_file(out, video=PLAIN, preset=preset))


def test_a_cut_file_fails(tmp_path: Path) -> None:
    preset = presets.load("ffv1")
    out = made(tmp_path, PLAIN, preset)
    out.write_bytes(out.read_bytes()[: out.stat().st_size // 2])
    assert {"decodes", "frame count"} & set(failed(verify_file(out, video=PLAIN, preset=preset)))


@pytest.mark.parametrize("content", [None, b"", b"not a film"])
def test_a_file_that_cannot_be_opened_fails(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "out.mp4"
    if content is not None:
        path.write_bytes(content)
    assert failed(verify_file(path, video=PLAIN, preset=H264)) == ["opens"]


def test_a_file_without_video_fails(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    run([*sine(), "-c:a", "aac", str(path)])
    assert failed(verify_file(path, video=PLAIN, preset=H264)) == ["opens"]


def test_what_was_left_out_as_asked_passes(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out.mp4"
    encode(frames(PLAIN), PLAIN, H264, out, source=source, keep=["audio"])
    assert failed(verify_file(out, video=PLAIN, preset=H264, source=source, keep=["audio"])) == []
    assert failed(verify_file(out, video=PLAIN, preset=H264, source=source)) != []


@pytest.mark.assets
def test_real_sound_in_a_real_file_passes(tmp_path: Path, assets: Path) -> None:
    source = assets / "video" / "stage_cuts_360p30.mp4"
    facts = probe(source).video
    assert facts is not None
    video = RawVideo(facts.pix_fmt, facts.size, timeline(30, facts.fps), facts.sar, facts.color)
    planes = [np.full(s, 100, np.uint8) for s in ((360, 640), (180, 320), (180, 320))]
    for name in ("prores_proxy", "h264_crf", "ffv1"):
        preset = presets.load(name)
        out = tmp_path / f"out{preset.suffix}"
        encode([planes] * 30, video, preset, out, source=source)
        assert failed(verify_file(out, video=video, preset=preset, source=source)) == []


@pytest.mark.parametrize("name", ["dnxhr_hq_mxf", "mpeg2_422_mxf", "dpx"])
def test_a_variable_rate_is_refused_where_a_file_has_one(tmp_path: Path, name: str) -> None:
    preset = presets.load(name)
    video = fitted(CASES["uneven"], preset)
    with pytest.raises(InputError, match="rate is variable"):
        encode(frames(video), video, preset, output_in(tmp_path, preset))


def test_mxf_refuses_before_the_work_what_it_has_no_way_to_say(tmp_path: Path) -> None:
    hqx = presets.load("dnxhr_hqx_mxf")
    for video, said in (
        (RawVideo("yuv422p10le", (256, 120), timeline(3, Fraction(12))), "12 frames a second"),
        (RawVideo("yuv422p10le", (256, 120), timeline(3), Fraction(16, 15)), "shape 16/15"),
        (RawVideo("yuv422p10le", (64, 48), timeline(3)), "too small"),
    ):
        with pytest.raises(InputError, match=said):
            encode(iter(()), video, hqx, tmp_path / "out.mxf")
    source = draw(tmp_path / "in.mov", "-c:v", "libx264", "-c:a", "pcm_s16le", inputs=sine(0.4, 44100))
    video = RawVideo("yuv422p10le", (256, 120), timeline(10))
    with pytest.raises(InputError, match=r"can't be put into \.mxf as it is"):
        encode(iter(()), video, hqx, tmp_path / "out.mxf", source=source, sound=Sound("copy"))


@pytest.mark.parametrize(("codec", "rate"), [("pcm_s16le", 44100), ("aac", 48000), ("mp2", 44100)])
def test_sound_that_mxf_does_not_hold_becomes_pcm_of_48_khz_and_is_said(
    tmp_path: Path, codec: str, rate: int
) -> None:
    source, out = tmp_path / "in.mov", tmp_path / "out.mxf"
    draw(source, "-c:v", "libx264", "-c:a", codec, inputs=sine(0.4, rate))
    video = RawVideo("yuv422p", (256, 120), timeline(10))
    preset = presets.load("dnxhr_lb_mxf")
    report = encode(frames(video), video, preset, out, source=source)
    assert [note for note in report.notes if f"(audio {codec}): becomes pcm_s" in note] == list(report.notes)
    (stream,) = probe(out).of_kind("audio")
    assert (stream.codec[:5], stream.rate) == ("pcm_s", 48000)
    assert failed(verify_file(out, video=video, preset=preset, source=source)) == []


@pytest.mark.parametrize("late_s", ["0", "0.08", "-0.08"])
@pytest.mark.parametrize("codec", first_quick(["pcm_s16le", "pcm_s24le"]))
@pytest.mark.parametrize("length_s", first_quick([0.1, 0.4, 0.9]))
def test_sound_in_mxf_is_cut_and_filled_up_to_the_picture_without_a_changed_sample(
    tmp_path: Path, codec: str, late_s: str, length_s: float
) -> None:
    """10 frames of 1/25 s hold 19200 samples at 48 kHz; sound that is 0.08 s late begins with 3840 zeros."""
    base = draw(tmp_path / "base.mov", "-c:v", "libx264", "-c:a", codec, inputs=sine(length_s))
    source, out = tmp_path / "in.mov", tmp_path / "out.mxf"
    offsets = ("0.08", "0") if late_s == "-0.08" else ("0", late_s)
    inputs = [word for offset in offsets for word in ("-itsoffset", offset, "-i", str(base))]
    run([*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(source)])
    pts, base_ = decode_timestamps(source)
    video = RawVideo("yuv422p", (256, 120), Timeline(pts, base_, Fraction(25)))
    preset = presets.load("dnxhr_lb_mxf")
    encode(frames(video), video, preset, out, source=source)
    want, got = (run(["-i", str(p), "-map", "0:a", "-f", codec[4:], "-c:a", codec, "-"]) for p in (base, out))
    each = 2 if codec == "pcm_s16le" else 3
    lead = round(float(late_s) * 48000) * each
    placed = (bytes(lead) + want if lead > 0 else want[-lead:]).ljust(19200 * each, b"\0")[: 19200 * each]
    assert got == placed
    assert len(decode_timestamps(out)[0]) == 10
    assert failed(verify_file(out, video=video, preset=preset, source=source)) == []


def test_sound_in_mxf_that_slipped_or_changed_fails(tmp_path: Path, sources: dict[str, Path]) -> None:
    preset = presets.load("dnxhr_lb_mxf")
    video = RawVideo("yuv422p", (256, 120), timeline(8))
    out, bad = made(tmp_path, video, preset, sources["mxf"]), tmp_path / "bad.mxf"
    slip = ("-filter:a:0", "adelay=1S:all=1,atrim=end_sample=15360", "-c:a:0", "pcm_s16le")
    run(["-i", str(out), "-map", "0", "-c", "copy", *slip, "-timecode", "10:00:00:00", "-f", "mxf", str(bad)])
    assert failed(verify_file(bad, video=video, preset=preset, source=sources["mxf"])) == ["audio 1: packets"]


# ----------------------------------------------------------------------------- what is held and not shown


@pytest.fixture
def shown(tmp_path: Path) -> tuple[Path, RawVideo]:
    """A film of two shots, of which an edit list shows the second alone: all checks but one pass."""
    video = RawVideo("yuv420p", SIZE, timeline(8), Fraction(1), HD)
    preset = presets.load("h264_crf")
    pieces = []
    for name in ("bare", "covered"):
        (tmp_path / name).mkdir()
        pieces.append(made(tmp_path / name, video, preset))
    (tmp_path / "list").write_text("".join(f"file '{piece}'\n" for piece in pieces))
    both, out = tmp_path / "both.mp4", tmp_path / "out.mp4"
    copied = ("-c", "copy", "-fflags", "+bitexact", "-video_track_timescale", "12800")
    run(["-y", "-f", "concat", "-safe", "0", "-i", f"file:{tmp_path / 'list'}", *copied, f"file:{both}"])
    run(["-y", "-ss", "0.3199", "-i", f"file:{both}", *copied, f"file:{out}"])
    return out, video


def test_a_film_that_an_edit_list_hides_before_the_one_that_is_shown_fails(shown: tuple[Path, RawVideo]) -> None:
    out, video = shown
    assert len(decode_timestamps(out)[0]) == 8
    checks = verify_file(out, video=video, preset=presets.load("h264_crf"))
    assert failed(checks) == [HELD]
    assert next(check for check in checks if check.name == HELD).found == "16 pictures"


def behind(kind: str, content: bytes) -> bytes:
    """Content in a part of its own, as it may stand at the end of a file of a container."""
    long = len(content).to_bytes(8)
    return {
        "nothing": b"",
        "atom": (len(content) + 8).to_bytes(4) + b"free",
        "unknown atom": (len(content) + 8).to_bytes(4) + b"uuid",
        "samples": (len(content) + 8).to_bytes(4) + b"mdat",
        "void": b"\xec\x01" + long[1:],
        "element": b"\x1a\xbc\xde\xf0\x01" + long[1:],
        "filler": bytes.fromhex("060e2b34010101020301021001000000") + b"\x88" + long,
        "dark": bytes.fromhex("060e2b34010101020f01021001000000") + b"\x88" + long,
    }[kind] + content


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("prores_hq", "nothing", "places for samples"),
        ("prores_hq", "atom", "25 bytes of padding that are not empty"),
        ("prores_hq", "unknown atom", "25 bytes in an atom 'uuid'"),
        ("prores_hq", "samples", "2 places for samples"),
        ("h264_mkv", "nothing", "25 bytes behind its last element"),
        ("h264_mkv", "void", "25 bytes of padding that are not empty"),
        ("h264_mkv", "element", "25 bytes in an element 1ABCDEF0"),
        ("dnxhr_lb_mxf", "nothing", "25 bytes behind its last part"),
        ("dnxhr_lb_mxf", "filler", "25 bytes of padding that are not empty"),
        ("dnxhr_lb_mxf", "dark", "25 bytes under a key that ends in 0f01021001000000"),
    ],
)
def test_what_lies_behind_the_film_that_is_shown_fails(tmp_path: Path, name: str, kind: str, found: str) -> None:
    preset = presets.load(name)
    video = fitted(PLAIN, preset)
    out = made(tmp_path, video, preset)
    assert failed(verify_file(out, video=video, preset=preset)) == []
    hidden = out.read_bytes() if (name, kind) == ("prores_hq", "nothing") else b"a small face that is bare"
    with out.open("ab") as file:
        file.write(behind(kind, hidden))
    checks = verify_file(out, video=video, preset=preset)
    assert failed(checks) == [HELD]
    assert found in next(check for check in checks if check.name == HELD).found


@pytest.mark.parametrize(
    ("at", "change", "found"),
    [
        (b"mvhd", (16, "00000001"), "the movie lasts 0.001 s by its header, its tracks 0.32"),
        (b"mvhd", (20, "00020000"), "the movie is played 2 times as fast"),
        (b"mdhd", (16, "00000001"), "track 0 (vide) lasts 7.8125e-05 s by its header, its samples 0.32"),
        (b"tkhd", (20, "00000001"), "track 0 (vide) is shown for 0.001 s, by its edits 0.32"),
        (b"tkhd", (0, "00000002"), "track 0 (vide) is switched off"),
        (b"elst", (16, "00020000"), "track 0 (vide) is played 2 times as fast"),
    ],
)
def test_a_header_that_says_other_than_the_samples_how_a_film_is_played_fails(
    tmp_path: Path, at: bytes, change: tuple[int, str], found: str
) -> None:
    """Players go by it, ffmpeg's reader does not."""
    out = made(tmp_path, PLAIN, H264)
    content = bytearray(out.read_bytes())
    place = content.index(at) + 4 + change[0]
    content[place : place + 4] = bytes.fromhex(change[1])
    out.write_bytes(content)
    assert found in wrong_lengths(out)[0]
    checks = verify_file(out, video=PLAIN, preset=H264)
    if at == b"elst":  # a speed in an edit list is refused by whatever opens the file
        assert failed(checks) == ["opens"]
        return
    assert failed(checks) == [LENGTHS]
    assert found in next(check for check in checks if check.name == LENGTHS).found


def test_a_track_of_data_that_nobody_knows_fails(tmp_path: Path) -> None:
    """It is made of a track of sound, 0.32 s of 16 bits and 8,000 Hz: 5,120 bytes."""
    preset = presets.load("prores_hq")
    out, bad = made(tmp_path, PLAIN, preset), tmp_path / "bad.mov"
    tone = ("-f", "lavfi", "-i", "sine=r=8000:d=0.32", "-map", "0:v", "-map", "1:a")
    run(["-i", str(out), *tone, "-c:v", "copy", "-c:a", "pcm_s16le", "-fflags", "+bitexact", str(bad)])
    content = bad.read_bytes()
    assert content.count(b"sowt") == 1
    bad.write_bytes(content.replace(b"sowt", b"xxxx").replace(b"mhlrsoun", b"mhlrxxxx"))
    checks = verify_file(bad, video=PLAIN, preset=preset)
    assert failed(checks) == [HELD]
    assert next(c.found for c in checks if c.name == HELD) == "5120 bytes in stream 1, a track of 'xxxx'"


def test_sound_that_an_edit_list_leaves_out_fails(tmp_path: Path, source: Path) -> None:
    """0.1 s of 0.5 are passed over: four packets of AAC, of 1024 samples each, are in the file all the same."""
    video = RawVideo("yuv420p", SIZE, timeline(8), Fraction(1), HD)
    out = made(tmp_path, video, H264, source)
    content = bytearray(out.read_bytes())
    place = content.index(b"elst", content.index(b"soun") - 200) + 12
    length, start = struct.unpack_from(">Ii", content, place)
    struct.pack_into(">Ii", content, place, length - 100, start + 4800)
    out.write_bytes(content)
    checks = verify_file(out, video=video, preset=H264, source=source)
    assert "of them are played" in next(check for check in checks if check.name == HELD).found
