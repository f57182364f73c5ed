"""A part of a file: covered alone, delivered alone, at the place in time and sound that the source has it."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.support.clips import found, use
from tests.support.odd_files import H264, made
from vsanon.cli.main import main
from vsanon.encode import presets
from vsanon.errors import CheckError
from vsanon.job import ledger, pipeline
from vsanon.job.part import Span, part_of
from vsanon.job.verify import verify_delivery
from vsanon.media.source import open_source
from vsanon.reporting import certificate
from vsanon.reporting.facts import ReportFacts
from vsanon.tracks.file import read_tracks

BOX = (40, 24, 80, 56)
RATE = Fraction(30000, 1001)
NOISE = "anoisesrc=r=48000:d=1:a=0.5:c=pink:seed="


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 frames of 29.97 a second from 00:59:59;20 on, PCM and AAC, three texts, three chapters."""
    folder = tmp_path_factory.mktemp("part")
    (folder / "t.srt").write_text(
        "1\n00:00:00,100 --> 00:00:00,500\nOne\n\n2\n00:00:00,600 --> 00:00:00,900\nTwo goes on\n\n"
        "3\n00:00:00,920 --> 00:00:00,990\nThree\n"
    )
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={b}\ntitle={title}\n"
        for a, b, title in ((0, 300, "A"), (300, 800, "B"), (800, 1000, "C"))
    )
    (folder / "c.txt").write_text(f";FFMETADATA1\n{chapters}")
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=160x96:r=30000/1001:d=1")
    for seed in "12":
        inputs += ("-f", "lavfi", "-i", NOISE + seed)
    inputs += ("-i", str(folder / "t.srt"), "-i", str(folder / "c.txt"))
    maps = [word for n in "0123" for word in ("-map", n)]
    sound = ("-c:a:0", "pcm_s16le", "-c:a:1", "aac", "-c:s", "mov_text", "-timecode", "00:59:59;20")
    return made(folder / "in.mov", *inputs, *maps, "-map_metadata", "4", *H264, *sound)


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([BOX]))


def vsanon(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


def samples(path: Path, track: int = 0) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([f.to_ndarray() for f in container.decode(audio=track)], axis=1)


def texts(path: Path) -> list[tuple[float, float, str]]:
    """(start, length, text) of the subtitles, in hundredths of a second."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.subtitles) if p.size > 2]
        return [
            (round(float(p.pts * p.time_base), 2), round(float(p.duration * p.time_base), 2), bytes(p)[2:].decode())
            for p in packets
        ]  # fmt: skip


def book_of(output: Path) -> dict[str, Any]:
    book: dict[str, Any] = json.loads(ledger.path_of(output).read_text())
    return book


@pytest.mark.usefixtures("one_face")
def test_a_trimmed_part_has_the_frames_timecode_sound_texts_and_chapters_of_its_place(
    film: Path, tmp_path: Path
) -> None:
    """Frames 12 to 24 of 30: 0.4004 to 0.83416 s; the sound from sample 19219 on, 20820 of them (13 x 1601.6)."""
    output = tmp_path / "out.mov"
    asked = ("--from", "01:00:00;02", "--to", "25", "--trim")
    done = vsanon("anonymize", film, output, "--preset", "prores_hq", *asked)
    assert done.exit_code == 0, done.output
    assert "a part: frames 12 to 24 of 30 were searched, and no others are delivered" in done.output
    assert "becomes pcm_s24le, as aac can't be cut to the sample" in done.output
    with av.open(str(output)) as container:
        assert container.streams.video[0].frames == 13
        assert container.streams.video[0].metadata["timecode"] == "01:00:00;02"
        chapters = [(round(float(c["start"] * c["time_base"]), 2), c["metadata"]["title"])
                    for c in container.chapters()]  # fmt: skip
    assert chapters == [(0.0, "B"), (0.4, "C")]
    # "One" was shown until 0.5 s, and "Two goes on" until 0.9.
    assert texts(output) == [(0.0, 0.1, "One"), (0.2, 0.23, "Two goes on")]
    was, now = samples(film), samples(output)
    first = round(Fraction(12) / RATE * 48000)
    assert first == 19219
    assert now.shape[1] == 20821
    assert np.array_equal(was[:, first : first + now.shape[1]], now)
    book = book_of(output)
    assert book["part"] == {"start": 12, "stop": 25, "of": 30, "delivered": "part", "timecode": "01:00:00;02"}
    assert (book["frames"], book["frames_searched"], book["anonymised"]) == (13, 13, True)
    assert [check for check in verify_delivery(output, film) if not check.passed] == []


@pytest.mark.usefixtures("one_face")
@pytest.mark.parametrize("fill", ["grey", "surroundings"])
def test_a_frame_of_a_part_is_that_of_the_whole(film: Path, tmp_path: Path, fill: str) -> None:
    """Also where its colour comes from the frames around it, which the part does not have."""
    for name, asked in (("whole", ()), ("part", ("--from", "7", "--to", "11", "--trim"))):
        output = tmp_path / f"{name}.mkv"
        look = ("--preset", "ffv1", "--leave-out", "audio", "--fill", fill)
        done = vsanon("anonymize", film, output, *look, *asked)
        assert done.exit_code == 0, done.output
    whole, part = pictures(tmp_path / "whole.mkv"), pictures(tmp_path / "part.mkv")
    assert len(part) == 4
    assert all(np.array_equal(a, b) for a, b in zip(whole[7:11], part, strict=True))
    assert [check for check in verify_delivery(tmp_path / "part.mkv", film) if not check.passed] == []


@pytest.mark.usefixtures("one_face")
def test_what_lies_outside_of_a_part_is_delivered_bare_and_never_called_anonymised(
    film: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mkv"
    done = vsanon("anonymize", film, output, "--preset", "ffv1", "--from", "10", "--to", "20", "--rest-uncovered")
    assert done.exit_code == 0, done.output
    assert "all others are shown as they are" in done.output
    before, after = pictures(film), pictures(output)
    assert [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if not np.array_equal(a, b)] == [
        *range(10, 20)
    ]
    book = book_of(output)
    assert (book["frames"], book["frames_searched"], book["anonymised"]) == (30, 10, False)
    assert book["classes"]["face"]["frames"] == 10
    content = ledger.path_of(output).read_bytes()
    state = certificate.describe(content, ReportFacts(issuer="Ann", authorised_by="Ben", issued="2026-11-26"))[
        "state"
    ]
    assert (state["kind"], state["title"]) == ("fail", "Not anonymised")
    assert "Only frames 10 to 19 of 30 were searched" in state["reasons"][0]
    assert [check for check in verify_delivery(output, film) if not check.passed] == []


@pytest.mark.usefixtures("one_face")
@pytest.mark.slow
@pytest.mark.parametrize(("key", "value"), [("start", 11), ("stop", 24), ("of", 31), ("delivered", "all")])
def test_another_part_in_the_ledger_is_noticed(film: Path, tmp_path: Path, key: str, value: object) -> None:
    output = tmp_path / "out.mp4"
    assert vsanon("anonymize", film, output, "--from", "12", "--to", "25", "--trim").exit_code == 0
    book = book_of(output)
    book["part"][key] = value
    ledger.path_of(output).write_text(json.dumps(book))
    failed = [check.name for check in verify_delivery(output, film) if not check.passed]
    assert "the ledger's record of the work is true" in failed


@pytest.mark.usefixtures("one_face")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["h264_crf", "ffv1", "vp9", "dnxhr_lb_mxf"])
@pytest.mark.parametrize("mode", ["auto", "pcm", "aac"])
def test_a_part_is_delivered_in_every_container(tmp_path: Path, name: str, mode: str) -> None:
    preset = presets.load(name)
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=256x128:r=25:d=0.8", "-f", "lavfi", "-i", NOISE + "3")
    source = made(tmp_path / "in.mkv", *inputs, *H264, "-c:a", "libopus")
    output = tmp_path / f"out{preset.suffix}"
    asked = ("--from", "5", "--to", "15", "--trim", "--audio", mode)
    done = vsanon("anonymize", source, output, "--preset", name, *asked)
    if mode != "auto" and (preset.muxer == "webm" or (mode, preset.muxer) == ("aac", "mxf")):
        assert done.exit_code == 2
        assert "--audio auto makes it so" in done.output
        return
    assert done.exit_code == 0, done.output
    assert len(pictures(output)) == 10
    assert [check for check in verify_delivery(output, source) if not check.passed] == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--from", "20", "--to", "12", "--trim"), "nothing lies between --from 20 and --to 12"),
        (("--from", "12", "--to", "12", "--trim"), "nothing lies between"),
        (("--to", "31", "--trim"), "--to 31 lies beyond its last frame, 29 (01:00:00;19)"),
        (("--from", "30", "--rest-uncovered"), "--from 30 lies beyond its last frame"),
        (("--from", "00:00:00:00", "--trim"), "lies before the clip, whose first frame is 00:59:59;20"),
        (("--from", "00:01:00;00", "--trim"), "is one of the numbers that drop-frame leaves out"),
        (("--from", "soon", "--trim"), "a frame's number was expected"),
        (("--trim",), "say which, with --from, --to or both"),
        (("--from", "2"), "add --trim to deliver that alone, or --rest-uncovered to deliver all"),
        (("--rest-uncovered",), "--rest-uncovered goes with --from or --to"),
        (("--to", "2", "--trim", "--rest-uncovered"), "--rest-uncovered goes with --from or --to, and not with"),
        (("--from", "2", "--trim", "--audio", "copy"), "can't be cut to the sample as it is"),
        (("--from", "40", "--trim", "--tracks", "t.vsanon"), "--from 40 lies beyond its last frame"),
    ],
)
def test_a_part_that_is_none_is_refused_before_the_work(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], said: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a frame was searched")

    use(monkeypatch, never)
    done = vsanon("anonymize", film, tmp_path / "out.mp4", *asked)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert [*tmp_path.iterdir()] == []


def test_a_part_with_a_track_file_is_that_without_and_the_file_tells_of_every_frame(
    film: Path, tmp_path: Path, one_face: None
) -> None:
    asked = ("--from", "10", "--to", "14", "--trim")
    for name, more in (("alone", ()), ("beside", ("--tracks", tmp_path / "t.vsanon"))):
        done = vsanon("anonymize", film, tmp_path / f"{name}.mp4", *asked, *more)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "alone.mp4").read_bytes() == (tmp_path / "beside.mp4").read_bytes()
    assert read_tracks(tmp_path / "t.vsanon").header["frames_searched"] == 30
    assert [check for check in verify_delivery(tmp_path / "beside.mp4", film) if not check.passed] == []


def test_where_a_part_is_not_delivered_the_track_file_of_before_is_still_there(
    film: Path, tmp_path: Path, one_face: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = tmp_path / "t.vsanon"
    tracks.write_bytes(b"corrected by hand")

    def fails(*_: Any, **__: Any) -> Any:
        raise CheckError("a check failed")

    monkeypatch.setattr(pipeline, "render_file", fails)
    asked = ("--from", "10", "--to", "14", "--trim", "--tracks", tracks, "--overwrite")
    assert vsanon("anonymize", film, tmp_path / "out.mp4", *asked).exit_code != 0
    assert tracks.read_bytes() == b"corrected by hand"
    assert not (tmp_path / "out.mp4").exists()


def test_a_part_by_timecode_needs_one(tmp_path: Path) -> None:
    source = made(tmp_path / "in.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", *H264)
    done = vsanon("anonymize", source, tmp_path / "out.mp4", "--from", "10:00:00:00", "--trim")
    assert done.exit_code == 2
    assert "no timecode that its frames can be counted by" in done.output


def test_the_last_frame_of_a_file_lasts_as_long_as_the_one_before_it(film: Path) -> None:
    part = part_of(Span("28", None, True), open_source(film))
    assert part is not None
    assert part.cut is not None
    assert (part.cut.start, part.cut.stop) == (28 / RATE, 30 / RATE)
