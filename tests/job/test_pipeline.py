"""A file in, the same file out with everything covered: whatever the footage, and whatever goes wrong."""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

from tests.support.clips import blobs, found, use
from tests.support.footage import FRAMES, SEEN, blob, look
from vsanon import filters
from vsanon.covering.pictures import smile
from vsanon.detections import Detections
from vsanon.detectors.search import Search
from vsanon.encode import KEEP, Sound, run
from vsanon.errors import CheckError, InputError, ModelError, VsanonError
from vsanon.files import sha256_file
from vsanon.job import ledger
from vsanon.job.demo import demo
from vsanon.job.frames import our_errors
from vsanon.job.pipeline import analyze_file, anonymize_file, render_file
from vsanon.job.settings import Settings
from vsanon.job.stickers import picture_of
from vsanon.job.verify import verify_delivery
from vsanon.media import decode_timestamps
from vsanon.media.intact import IntactCheck
from vsanon.media.once import Once
from vsanon.media.source import open_source

pytestmark = pytest.mark.slow

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "16")
TAGS = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
OPEN_GOP = ("-x264-params", "open-gop=1:bframes=3:b-adapt=0:keyint=8:min-keyint=8:b-pyramid=normal")
AAC = ("-c:a", "aac", "-b:a", "64k")
FIELDS = ("-vf", "tinterlace=interleave_top,fieldorder=tff,setfield=tff")

SOURCES: dict[str, Callable[[Path], Path]] = {
    "h264 open gop mp4": lambda f: blob(f / "in.mp4", *H264, *OPEN_GOP, *TAGS, *AAC),
    "h264 open gop mkv": lambda f: blob(f / "in.mkv", *H264, *OPEN_GOP, *TAGS, *AAC),
    "hevc 10 bits": lambda f: blob(
        f / "in.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:crf=16",
        "-pix_fmt", "yuv420p10le", *AAC,
    ),
    "prores hq with timecode": lambda f: blob(
        f / "in.mov", "-c:v", "prores_ks", "-profile:v", "hq", "-pix_fmt", "yuv422p10le", *TAGS,
        "-c:a", "pcm_s24le", "-timecode", "10:00:00:00",
    ),
    "prores 4444 with alpha": lambda f: blob(
        f / "in.mov", "-c:v", "prores_ks", "-profile:v", "4444", "-vf", "format=yuva444p10le", *TAGS, *AAC
    ),
    "29.97": lambda f: blob(f / "in.mp4", *H264, *AAC, rate="30000/1001"),
    "variable rate": lambda f: blob(
        f / "in.mp4", "-vf", "select='not(mod(n,3))+eq(n,4)+eq(n,5)+gt(n,15)',setpts=PTS+mod(N\\,2)*0.005/TB",
        "-fps_mode", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000", *H264, "-bf", "2", *AAC,
    ),
    "program stream": lambda f: blob(f / "in.mpg", "-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2"),
    "transport stream": lambda f: blob(f / "in.ts", *H264, *AAC),
    "anamorphic": lambda f: blob(f / "in.mp4", "-vf", "setsar=64/45", *H264, *AAC),
    "full range": lambda f: blob(f / "in.mp4", "-vf", "scale=out_range=pc", "-color_range", "pc", *H264, *AAC),
    "interlaced": lambda f: blob(
        f / "in.mov", *FIELDS, "-c:v", "prores_ks", "-profile:v", "hq", "-flags", "+ildct",
        "-pix_fmt", "yuv422p10le", *TAGS, "-c:a", "pcm_s16le", frames=2 * FRAMES, rate="50",
    ),
    "picture later than sound": lambda f: blob(f / "in.mp4", *H264, *AAC, inputs=("-itsoffset", "0.52")),
}  # fmt: skip


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bright blob is what a model would find."""
    use(monkeypatch, blobs)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return blob(tmp_path / "in.mp4", *H264, *TAGS, *AAC)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ----------------------------------------------------------------------------- whatever the footage


@pytest.mark.parametrize("preset", ["prores_hq", "h264_crf"])
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.slow
def test_frames_times_sound_and_tags_are_the_sources_and_the_blob_is_gone(
    tmp_path: Path, kind: str, preset: str
) -> None:
    source = SOURCES[kind](tmp_path)
    output = tmp_path / f"out{'.mov' if preset == 'prores_hq' else '.mp4'}"
    anonymize_file(source, output, Settings(preset=preset))
    before, after = look(source), look(output)
    assert min(before.brightest) > SEEN > max(after.brightest)
    assert len(after.times) == len(before.times)
    assert after.times == before.times
    assert after.size == before.size
    assert after.sar == before.sar
    assert after.tags == before.tags
    assert after.timecode == before.timecode
    assert after.fields == before.fields
    assert [s[:2] for s in after.sound] == [s[:2] for s in before.sound]
    for (*_, was), (*_, now) in zip(before.sound, after.sound, strict=True):
        # Each container rounds to its own ticks: those of Matroska are a millisecond.
        assert max(abs(a - b) for a, b in zip(was, now, strict=True)) <= Fraction(1, 1000)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_rotated_source_comes_out_upright(tmp_path: Path, suffix: str) -> None:
    flat = blob(tmp_path / "flat.mp4", *H264, *AAC)
    source = tmp_path / f"in{suffix}"
    run(["-y", "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(source)])
    output = tmp_path / "out.mov"
    book = anonymize_file(source, output, Settings(preset="prores_hq"))
    assert look(source).size == (192, 128)
    assert look(output).size == (128, 192)
    assert max(look(output).brightest) < SEEN
    assert book["video"]["rotation_applied"] % 360 in (90, 270)


def test_a_raw_stream_is_given_a_rate_and_the_ledger_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = blob(tmp_path / "in.264", *H264, "-bsf:v", "filter_units=remove_types=6", sound=False)
    output = tmp_path / "out.mov"
    book = anonymize_file(source, output, Settings(preset="prores_hq"))
    assert book["video"]["rate_assumed"]
    assert "no timestamps; assuming 25 frames a second" in caplog.text
    assert look(output).times == tuple(Fraction(n, 25) for n in range(FRAMES))


def test_alpha_is_kept_and_opaque_where_the_blob_was(tmp_path: Path) -> None:
    clear = ("-vf", "format=yuva444p10le,colorchannelmixer=aa=0.25")
    source = blob(tmp_path / "in.mov", *clear, "-c:v", "prores_ks", "-profile:v", "4444", sound=False)
    output = tmp_path / "out.mov"
    anonymize_file(source, output, Settings(preset="prores_4444"))
    import av

    with av.open(str(output)) as file:
        frame = next(file.decode(video=0))
        rgba = frame.to_ndarray(format="rgba")
    assert rgba[60, 50, 3] == 255
    assert abs(int(rgba[10, 180, 3]) - 64) <= 1


def test_a_gap_in_the_detections_is_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path) -> None:
    """The model finds nothing while the blob's left edge is between 45 and 75, which is frames 5 to 15."""

    def forgetful(rgb: NDArray[np.uint8]) -> Detections:
        found = blobs(rgb)
        return found.select((found.xyxy[:, 0] < 45) | (found.xyxy[:, 0] > 75))

    use(monkeypatch, forgetful)
    book = anonymize_file(source, tmp_path / "out.mp4", Settings())
    assert book["classes"]["face"]["boxes"]["interpolated"] == 11
    assert max(look(tmp_path / "out.mp4").brightest) < SEEN


@pytest.mark.slow
def test_what_is_left_out_is_not_in_the_file(tmp_path: Path, source: Path) -> None:
    output = tmp_path / "out.mp4"
    book = anonymize_file(source, output, Settings(keep=KEEP - {"audio"}))
    assert look(output).sound == ()
    assert any("left out as asked" in line for line in book["not_carried"])
    assert all(check.passed for check in verify_delivery(output, source))


def test_sound_that_the_container_does_not_take_as_it_is_is_said_before_the_work(tmp_path: Path) -> None:
    source = blob(tmp_path / "in.mkv", *H264, "-c:a", "flac")
    with pytest.raises(InputError, match=r"flac.*--leave-out audio"):
        anonymize_file(source, tmp_path / "out.mov", Settings(preset="prores_hq", sound=Sound("copy")))
    assert left_in(tmp_path) == {"in.mkv"}


# ----------------------------------------------------------------------------- the same bytes


def test_live_two_runs_and_the_track_file_give_the_same_bytes(tmp_path: Path, source: Path) -> None:
    names = ("a.mp4", "b.mp4", "c.mp4")
    a, b, c = (tmp_path / name for name in names)
    anonymize_file(source, a, Settings(), tracks=tmp_path / "a.vsanon")
    anonymize_file(source, b, Settings())
    analyze_file(source, tmp_path / "c.vsanon", Settings())
    render_file(source, tmp_path / "c.vsanon", c, Settings())
    assert sha256_file(a) == sha256_file(b) == sha256_file(c)
    assert sha256_file(tmp_path / "a.vsanon") == sha256_file(tmp_path / "c.vsanon")


@pytest.mark.slow
def test_ledgers_of_two_runs_differ_in_times_only_and_name_no_folder(tmp_path: Path, source: Path) -> None:
    books = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        anonymize_file(source, folder / "out.mp4", Settings(), tracks=folder / "out.vsanon")
        books.append((folder / "out.mp4.ledger.json").read_text())
    for text in books:
        assert str(tmp_path) not in text
        assert not re.search(r'"(file:)?(/|~)', text)
    one, two = ({k: v for k, v in json.loads(t).items() if k not in ("started", "finished")} for t in books)
    assert one == two


def test_the_ledger_says_what_was_done_and_with_what(tmp_path: Path) -> None:
    source = blob(
        tmp_path / "in.mov", *H264, *AAC, "-metadata", "location=+48.1+011.6/", "-metadata", "comment=x",
        "-movflags", "use_metadata_tags",
    )  # fmt: skip
    output = tmp_path / "out.mp4"
    said = anonymize_file(source, output, Settings())
    book = json.loads(ledger.path_of(output).read_text())
    assert book == json.loads(ledger.dump(said))
    assert book["source"] == {"name": "in.mov", "sha256": sha256_file(source), "bytes": source.stat().st_size}
    assert book["output"] == {"name": "out.mp4", "sha256": sha256_file(output), "bytes": output.stat().st_size}
    assert book["frames"] == FRAMES
    assert book["classes"]["face"]["frames"] == FRAMES
    assert book["classes"]["face"]["boxes"]["detected"] == FRAMES
    assert book["models"][0]["name"] == "centerface"
    assert len(book["models"][0]["sha256"]) == 64
    assert book["analysis"]["setting"] == "balanced"
    assert {name: value for name, value in book["painting"].items() if name not in ("shapes", "strength")} == {
        "profile": "strict", "grid": 8, "fill": [64, 64, 64], "on_missing": "error", "same_picture": True,
    }  # fmt: skip
    assert book["painting"]["shapes"]["face"]["margin"] == [0.155, 0.16, 0.155, 0.155]
    assert book["painting"]["strength"].startswith("constant fill: nothing of the region is left")
    assert book["pictures"] == {"same": FRAMES, "changed": 0, "unknown": 0, "unchecked": 0}
    assert book["preset"]["name"] == "h264_crf"
    assert {"file:comment", "file:location"} <= set(book["metadata_dropped"])
    assert all(check["passed"] for check in book["checks"])
    assert {"frame count", "timestamps", "colour tags", "covered regions show what was painted"} <= {
        check["name"] for check in book["checks"]
    }
    assert {"vsanon", "ffmpeg", "vapoursynth", "source_filter", "onnxruntime"} <= book["versions"].keys()
    assert book["ffmpeg_command"][0] == "ffmpeg"


@pytest.mark.slow
def test_one_face_over_the_whole_clip_is_one_track_live_and_from_the_track_file(tmp_path: Path) -> None:
    """Live, its id changes with each anchor."""
    source = blob(tmp_path / "in.mp4", *H264, sound=False, frames=120, size=(480, 128))
    live = anonymize_file(source, tmp_path / "a.mp4", Settings(), tracks=tmp_path / "t.vsanon")
    filed = render_file(source, tmp_path / "t.vsanon", tmp_path / "b.mp4", Settings())
    assert live["classes"]["face"]["tracks"] == filed["classes"]["face"]["tracks"] == 1
    assert live["classes"] == filed["classes"]


@pytest.mark.parametrize("profile", ["soft", "mosaic", "inpaint", "cosmetic"])
def test_what_does_not_hold_is_recorded_as_not_anonymised(profile: str, tmp_path: Path, source: Path) -> None:
    book = anonymize_file(source, tmp_path / "out.mp4", Settings(profile=profile))
    assert not book["anonymised"]
    assert "not anonymous" in book["painting"]["strength"]


def test_what_is_assumed_of_a_film_is_said_once_and_of_which(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for n in (1, 2):
        source = blob(tmp_path / f"in{n}.mp4", *H264)
        anonymize_file(source, tmp_path / f"out{n}.mp4", Settings(profile="mosaic"))
    said = [r.getMessage() for r in caplog.records if "no matrix tag" in r.message]
    assert said == [
        f"{tmp_path / f'in{n}.mp4'} has no matrix tag; assuming MATRIX_ST170_M by its height" for n in (1, 2)
    ]


def test_a_picture_goes_with_the_ledger_so_that_verify_needs_no_file(tmp_path: Path, source: Path) -> None:
    rgba = np.full((40, 60, 4), (30, 200, 90, 180), np.uint8)
    file = tmp_path / "logo.png"
    cv2.imwrite(str(file), rgba)
    digest = sha256_file(file)
    settings = Settings(profile="picture", picture=picture_of(str(file)))
    file.unlink()
    book = anonymize_file(source, tmp_path / "out.mp4", settings)
    said = book["painting"]["picture"]
    assert (said["name"], said["sha256"], said["size"]) == ("logo.png", digest, [60, 40])
    assert failed(verify_delivery(tmp_path / "out.mp4", source)) == set()
    # With another picture in its place, the ledger is not of what was painted.
    ledger = tmp_path / "out.mp4.ledger.json"
    book["painting"]["picture"] = smile().facts
    ledger.write_text(json.dumps(book))
    assert failed(verify_delivery(tmp_path / "out.mp4", source))


# ----------------------------------------------------------------------------- verify


@pytest.fixture
def delivered(tmp_path: Path, source: Path) -> tuple[Path, Path, Path]:
    """Source, output and track file of a finished job."""
    output, tracks = tmp_path / "out.mp4", tmp_path / "out.vsanon"
    anonymize_file(source, output, Settings(), tracks=tracks)
    return source, output, tracks


def failed(checks: list[Any]) -> set[str]:
    return {check.name for check in checks if not check.passed}


def test_a_delivered_file_passes_all_checks_again(delivered: tuple[Path, Path, Path]) -> None:
    source, output, tracks = delivered
    checks = verify_delivery(output, source, tracks=tracks)
    assert failed(checks) == set()
    assert {"tracks are the ledger's", "covered regions show what was painted"} <= {check.name for check in checks}


def test_one_flipped_byte_is_found(delivered: tuple[Path, Path, Path]) -> None:
    source, output, _ = delivered
    content = bytearray(output.read_bytes())
    content[len(content) // 2] ^= 1
    output.write_bytes(content)
    assert "output is the ledger's" in failed(verify_delivery(output, source))


def test_another_source_is_found(tmp_path: Path, delivered: tuple[Path, Path, Path]) -> None:
    _, output, _ = delivered
    other = blob(tmp_path / "other.mp4", *H264, *TAGS, *AAC, frames=FRAMES - 1)
    assert {"source is the ledger's", "frame count"} <= failed(verify_delivery(output, other))


def test_a_file_that_shows_the_blob_is_found_even_where_the_ledger_names_it(
    delivered: tuple[Path, Path, Path],
) -> None:
    source, output, tracks = delivered
    book = json.loads(ledger.path_of(output).read_text())
    output.write_bytes(source.read_bytes())
    book["output"]["sha256"] = sha256_file(output)
    ledger.path_of(output).write_text(json.dumps(book))
    assert "covered regions show what was painted" in failed(verify_delivery(output, source, tracks=tracks))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vsanon_ledger": 1}', '{"vsanon_ledger": 2}'])
def test_what_is_no_ledger_is_refused(delivered: tuple[Path, Path, Path], text: str) -> None:
    source, output, _ = delivered
    ledger.path_of(output).write_text(text)
    with pytest.raises(InputError, match=r"ledger\.json: "):
        verify_delivery(output, source)


# ----------------------------------------------------------------------------- whatever goes wrong


def test_a_model_that_fails_stops_the_job_at_its_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    def failing(rgb: NDArray[np.uint8]) -> Detections:
        if blobs(rgb).xyxy[0, 0] > 60:
            raise ModelError("the model broke")
        return blobs(rgb)

    use(monkeypatch, failing)
    with pytest.raises(CheckError, match=r"^detect: frame \d+: the model broke$"):
        anonymize_file(source, tmp_path / "out.mp4", Settings())
    assert left_in(tmp_path) == {"in.mp4"}


def test_on_request_the_frames_on_which_it_fails_are_covered_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    def failing(rgb: NDArray[np.uint8]) -> Detections:
        if 58 < blobs(rgb).xyxy[0, 0] < 65:
            raise ModelError("the model broke")
        return blobs(rgb)

    use(monkeypatch, failing)
    said: list[str] = []
    output = tmp_path / "out.mp4"
    book = anonymize_file(
        source, output, Settings(on_missing="mask"), tracks=tmp_path / "t.vsanon", say=said.append
    )
    assert book["frames_covered_whole"] == 2
    assert any("2 frames could not be searched and were covered whole: the model broke" in line for line in said)
    render_file(source, tmp_path / "t.vsanon", tmp_path / "again.mp4", Settings())
    assert sha256_file(output) == sha256_file(tmp_path / "again.mp4")


def test_a_fault_of_a_library_is_one_line_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    def broken(rgb: NDArray[np.uint8]) -> Detections:
        raise MemoryError("no room")

    use(monkeypatch, broken)
    with pytest.raises(CheckError, match="MemoryError: no room") as raised:
        anonymize_file(source, tmp_path / "out.mp4", Settings())
    assert "Traceback" not in str(raised.value)
    assert left_in(tmp_path) == {"in.mp4"}


def test_a_picture_that_was_not_painted_is_not_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    blur = filters.blur

    def tags_only(clip: Any, data: Any, **settings: Any) -> Any:
        return clip.std.CopyFrameProps(blur(clip, data, **settings))

    monkeypatch.setattr(filters, "blur", tags_only)
    with pytest.raises(CheckError, match=r"(?s)not delivered: 1 of \d+ checks.*regions are painted as"):
        anonymize_file(source, tmp_path / "out.mp4", Settings())
    assert left_in(tmp_path) == {"in.mp4"}


@pytest.mark.parametrize(("damaged", "raised"), [(True, InputError), (False, CheckError)])
def test_a_frame_that_cannot_be_had_is_laid_to_the_file_where_it_is_damaged(
    source: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool, raised: type[Exception]
) -> None:
    def compare(*_: object) -> None:
        if damaged:
            raise InputError("in.mp4: frame 3 is damaged")

    monkeypatch.setattr("vsanon.media.intact._compare", compare)
    words = "frame 3 is damaged" if damaged else "No frame returned"
    with pytest.raises(raised, match=words), IntactCheck(open_source(source)), our_errors(CheckError):
        raise vs.Error("VideoSource: No frame returned for frame number 3")


def test_what_a_filter_says_itself_waits_for_no_look_at_the_file(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(_: object, going_on: Callable[[], None]) -> None:
        while True:  # a film of hours
            going_on()

    monkeypatch.setattr("vsanon.media.intact._compare", compare)
    with pytest.raises(ModelError, match="no number"), IntactCheck(open_source(source)), our_errors(CheckError):
        raise vs.Error("vapoursynth.Error: no number") from ModelError("no number")


def test_damage_that_is_found_after_the_last_frame_was_sent_stops_the_delivery(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_sent = Event()

    def damaged(path: Path, **options: Any) -> None:
        decode_timestamps(path, **options)  # which gives the frames
        assert all_sent.wait(1800)
        raise InputError(f"{path}: frame {FRAMES - 1} is damaged.")

    monkeypatch.setattr("vsanon.media.intact.decode_timestamps", damaged)

    def progress(done: int, frames: int) -> None:
        if done == frames:
            all_sent.set()

    with pytest.raises(InputError, match="frame 23 is damaged"):
        anonymize_file(source, tmp_path / "out.mp4", Settings(), progress=progress)
    with pytest.raises(InputError, match="frame 23 is damaged"):
        analyze_file(source, tmp_path / "in.vsanon", Settings())
    assert left_in(tmp_path) == {source.name}


def test_a_source_that_can_not_be_decoded_once_after_all_is_read_anew_and_said_so(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    differs = Once.differs
    said: list[str] = []
    with monkeypatch.context() as here:
        here.setattr(Once, "differs", lambda s, n, f: "has another time" if n == 20 else differs(s, n, f))
        book = anonymize_file(source, tmp_path / "out.mp4", Settings(), say=said.append)
        analyze_file(source, tmp_path / "in.vsanon", Settings(), say=said.append)
        rendered = render_file(
            source, tmp_path / "in.vsanon", tmp_path / "rendered.mp4", Settings(), say=said.append
        )
    assert said.count(f"{source}: frame 20 has another time: it is read anew, with an index") == 3
    assert len(book["decoded_by"]) == len(rendered["decoded_by"]) == 2
    plain = anonymize_file(source, tmp_path / "plain.mp4", Settings(), tracks=tmp_path / "plain.vsanon")
    again = render_file(source, tmp_path / "in.vsanon", tmp_path / "again.mp4", Settings())
    assert plain["decoded_by"] == again["decoded_by"] == book["decoded_by"][1:]
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "rendered.mp4").read_bytes()
    assert (tmp_path / "plain.mp4").read_bytes() == (tmp_path / "out.mp4").read_bytes()
    assert (tmp_path / "plain.vsanon").read_bytes() == (tmp_path / "in.vsanon").read_bytes()


@pytest.mark.parametrize("bound", ["HELD_BYTES", "KEPT_BYTES"])
def test_frames_that_are_too_large_to_wait_are_read_with_an_index(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(sys.modules["vsanon.filters.hold"], bound, 100_000)
    said: list[str] = []
    if bound == "HELD_BYTES":
        book = anonymize_file(source, tmp_path / "out.mp4", Settings(), say=said.append)
        assert len(book["decoded_by"]) == 2
    else:
        analyze_file(source, tmp_path / "in.vsanon", Settings(), say=said.append)
    assert any("fit into memory: it is read anew, with an index" in line for line in said)


def test_opencv_works_in_one_thread_for_as_long_as_a_job_lasts(tmp_path: Path, source: Path) -> None:
    before, seen = cv2.getNumThreads(), set[int]()
    try:
        cv2.setNumThreads(3)
        anonymize_file(source, tmp_path / "out.mp4", Settings(), progress=lambda *_: seen.add(cv2.getNumThreads()))
        assert (seen, cv2.getNumThreads()) == ({1}, 3)
    finally:
        cv2.setNumThreads(before)


def test_source_and_output_are_each_decoded_once_to_be_checked(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []

    def counted(path: Path, **options: Any) -> Any:
        decoded.append(path.name)
        return decode_timestamps(path, **options)

    monkeypatch.setattr("vsanon.media.intact.decode_timestamps", counted)
    monkeypatch.setattr("vsanon.job.file_checks.decode_timestamps", counted)
    book = anonymize_file(source, tmp_path / "out.mp4", Settings())
    assert [(name[0], name[-4:]) for name in decoded] == [("i", ".mp4"), (".", ".mp4")]  # in.mp4, the hidden name
    assert {"decodes", "timestamps", "covered regions show what was painted"} <= {c["name"] for c in book["checks"]}


def test_a_source_that_changes_on_the_way_is_not_delivered(tmp_path: Path, source: Path) -> None:
    def touch(n: int, _: int) -> None:
        if n == 10:
            os.utime(source, ns=(1, 1))

    with pytest.raises(CheckError, match="changed while it was read"):
        anonymize_file(source, tmp_path / "out.mp4", Settings(), progress=touch)
    assert left_in(tmp_path) == {"in.mp4"}


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RuntimeError])
def test_a_job_that_is_interrupted_leaves_nothing(
    tmp_path: Path, source: Path, interrupt: type[BaseException]
) -> None:
    def stop(n: int, _: int) -> None:
        if n == 10:
            raise interrupt

    with pytest.raises(interrupt):
        anonymize_file(source, tmp_path / "out.mp4", Settings(), progress=stop)
    assert left_in(tmp_path) == {"in.mp4"}


def test_a_failed_overwrite_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delivered: tuple[Path, Path, Path]
) -> None:
    source, output, _ = delivered
    before = (output.read_bytes(), ledger.path_of(output).read_bytes())

    def broken(rgb: NDArray[np.uint8]) -> Detections:
        raise ModelError("the model broke")

    use(monkeypatch, broken)
    with pytest.raises(CheckError):
        anonymize_file(source, output, Settings(), overwrite=True)
    assert (output.read_bytes(), ledger.path_of(output).read_bytes()) == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (lambda: Settings(Search(classes=("plume",))), "no model finds 'plume' by itself: name one"),
        (lambda: Settings(Search(models={"face": ("nobody",)})), "no model has the name 'nobody'"),
        (lambda: Settings(preset="nope"), "no preset 'nope'"),
        (lambda: Settings(preset="prores_hq"), "prores_hq writes .mov files"),
        (lambda: Settings(Search(size=3)), "at least 32 pixels"),
        (lambda: Settings(grid=200), "grid"),
    ],
)
def test_settings_that_nothing_takes_are_said_and_nothing_is_written(
    tmp_path: Path, source: Path, settings: Callable[[], Settings], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        anonymize_file(source, tmp_path / "out.mp4", settings())
    assert left_in(tmp_path) == {"in.mp4"}


def test_tracks_of_another_clip_are_refused(tmp_path: Path, source: Path) -> None:
    other = blob(tmp_path / "other.mp4", *H264, "-vf", "hflip", *AAC)
    analyze_file(other, tmp_path / "other.vsanon", Settings())
    with pytest.raises(InputError, match="another clip"):
        render_file(source, tmp_path / "other.vsanon", tmp_path / "out.mp4", Settings())


def test_tracks_of_another_clip_are_painted_on_request_and_the_ledger_says_so(tmp_path: Path, source: Path) -> None:
    other = blob(tmp_path / "other.mp4", *H264, "-vf", "hflip", *AAC)
    analyze_file(other, tmp_path / "other.vsanon", Settings())
    said: list[str] = []
    settings = Settings(same_picture=False)
    book = render_file(source, tmp_path / "other.vsanon", tmp_path / "out.mp4", settings, say=said.append)
    assert book["pictures"] == {"same": 0, "changed": 0, "unknown": 0, "unchecked": FRAMES}
    assert book["painting"]["same_picture"] is False
    assert book["tracks"]["of_this_file"] is False
    assert f"pictures against those analysed: {FRAMES} unchecked" in "\n".join(said)


def test_frames_that_were_moved_since_the_analysis_are_refused_wherever_they_lie(
    tmp_path: Path, source: Path
) -> None:
    analyze_file(source, tmp_path / "in.vsanon", Settings())
    # Frames 12 to 16 in other order; load looks at 0, 5, 11, 17 and 23 at once.
    order = " ".join(str(n) for n in [*range(12), 16, 15, 14, 13, 12, *range(17, FRAMES)])
    moved = blob(tmp_path / "moved.mp4", *H264, *TAGS, "-vf", f"shuffleframes={order}", *AAC)
    with pytest.raises(CheckError, match="load: frame 12: the picture is not the one that was analysed"):
        render_file(moved, tmp_path / "in.vsanon", tmp_path / "out.mp4", Settings())
    assert left_in(tmp_path) == {"in.mp4", "in.vsanon", "moved.mp4"}


def test_a_graded_and_re_encoded_source_is_covered_by_the_tracks_of_the_first(tmp_path: Path, source: Path) -> None:
    analyze_file(source, tmp_path / "in.vsanon", Settings())
    graded = blob(tmp_path / "graded.mp4", *H264[:-1], "30", *TAGS, "-vf", "eq=gamma=0.8", *AAC)
    book = render_file(graded, tmp_path / "in.vsanon", tmp_path / "out.mp4", Settings())
    assert book["pictures"] == {"same": 0, "changed": FRAMES, "unknown": 0, "unchecked": 0}
    assert book["tracks"]["of_this_file"] is False
    assert max(look(tmp_path / "out.mp4").brightest) < SEEN


@pytest.mark.slow
def test_a_preset_of_ones_own_goes_into_the_ledger_whole(tmp_path: Path, source: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "name: own\npurpose: small\nsuffix: .mp4\nencoder: libx264\ncodec: h264\npix_fmts: [yuv420p]\n"
        'args: ["-preset", "ultrafast", "-crf", "20"]\nthreads: 1\n'
        "tags: [matrix, primaries, transfer, range, chroma_location]\n"
    )
    output = tmp_path / "out.mp4"
    anonymize_file(source, output, replace(Settings(), preset=str(own)))
    own.unlink()
    assert failed(verify_delivery(output, source)) == set()
    assert str(tmp_path) not in ledger.path_of(output).read_text()


# ----------------------------------------------------------------------------- the demo and real footage


@pytest.mark.slow
def test_the_demo_draws_a_clip_covers_it_and_shows_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(100, 60, 160, 140)]))
    written, book = demo(tmp_path / "demo", "h264_crf")
    assert [path.name for path in written] == [
        "demo.mp4", "demo_anonymized.mp4", "demo_anonymized.mp4.ledger.json", "before_after.png",
    ]  # fmt: skip
    assert all(path.stat().st_size > 0 for path in written)
    assert book["frames"] == 125
    demo(tmp_path / "demo", "h264_crf")  # a second time, over the first


@pytest.mark.assets
@pytest.mark.slow
@pytest.mark.parametrize("name", ["walkers_416p24.mp4", "stage_cuts_360p30.mp4", "tld_jumping.mpg"])
@pytest.mark.parametrize("preset", ["prores_hq", "h264_crf"])
def test_real_footage_with_the_real_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assets: Path, name: str, preset: str
) -> None:
    monkeypatch.undo()
    source, output = assets / "video" / name, tmp_path / f"out{'.mov' if preset == 'prores_hq' else '.mp4'}"
    try:
        book = anonymize_file(source, output, Settings(Search(setting="balanced", size=320), preset=preset))
    except VsanonError as error:
        if error.exit_code == 3:
            pytest.skip(f"no model here: {error}")
        raise
    before, after = look(source), look(output)
    assert book["classes"]["face"]["frames"] > 50
    assert after.times == before.times
    assert [s[:2] for s in after.sound] == [s[:2] for s in before.sound]
    assert after.tags == before.tags
