"""The job on a file, by scripted detectors and drawn clips: what is delivered, and what is not when it fails."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.support.clips import found, use
from tests.support.loops import first_quick
from vsanon.cli.main import main
from vsanon.drawn.demo import write_demo
from vsanon.encode import run
from vsanon.errors import ModelError
from vsanon.job import ledger
from vsanon.media import packet_hashes
from vsanon.media.source import open_source

SIZE, FRAMES = (160, 96), 30
BOX = (40, 24, 80, 56)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with sound, chapters and timecode, 160x96, 30 frames at 25 fps."""
    path = tmp_path_factory.mktemp("job") / "in.mp4"
    write_demo(path, size=SIZE, frames=FRAMES)
    return path


@pytest.fixture
def source(drawn: Path, tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes(drawn.read_bytes())
    return path


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([BOX]))


def vsanon(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def luma(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def left_behind(folder: Path, *known: str) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name not in known)


@pytest.mark.usefixtures("one_face")
@pytest.mark.parametrize(
    ("preset", "suffix"), first_quick([("h264_crf", ".mp4"), ("prores_hq", ".mov"), ("ffv1", ".mkv")])
)
def test_the_delivered_file_has_the_sources_frames_times_and_sound_and_the_face_is_filled(
    source: Path, tmp_path: Path, preset: str, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    result = vsanon("anonymize", source, output, "--preset", preset)
    assert result.exit_code == 0, result.output
    before, after = open_source(source), open_source(output)
    assert after.clip.num_frames == FRAMES
    for n in range(FRAMES):
        was, now = before.timeline.seconds(n), after.timeline.seconds(n)
        assert abs(float(was - before.timeline.seconds(0) - now + after.timeline.seconds(0))) <= 0.0005
    assert packet_hashes(output, ["audio"])[0].sha256 == packet_hashes(source, ["audio"])[0].sha256
    pictures = luma(output)
    assert all(np.ptp(p[28:52, 44:76].astype(int)) <= 6 for p in pictures)
    book = json.loads(ledger.path_of(output).read_text())
    assert book["output"]["sha256"] == sha256(output)
    assert book["source"]["sha256"] == sha256(source)
    assert book["classes"]["face"]["frames"] == FRAMES
    assert all(check["passed"] for check in book["checks"])
    assert left_behind(tmp_path, "in.mp4", output.name, ledger.path_of(output).name) == []


@pytest.mark.usefixtures("one_face")
@pytest.mark.slow
def test_a_live_run_a_second_one_and_one_from_the_track_file_are_the_same_bytes(
    source: Path, tmp_path: Path
) -> None:
    outputs = [tmp_path / f"out{i}.mp4" for i in range(3)]
    assert vsanon("anonymize", source, outputs[0]).exit_code == 0
    assert vsanon("anonymize", source, outputs[1], "--tracks", tmp_path / "live.vsanon").exit_code == 0
    assert vsanon("analyze", source).exit_code == 0
    assert vsanon("render", source, outputs[2]).exit_code == 0
    assert len({sha256(o) for o in outputs}) == 1
    assert (tmp_path / "live.vsanon").read_bytes() == (tmp_path / "in.mp4.vsanon").read_bytes()


@pytest.mark.usefixtures("one_face")
@pytest.mark.slow
def test_ledger_and_track_file_say_the_stride_and_how_many_frames_were_searched(
    source: Path, tmp_path: Path
) -> None:
    tracks, live, filed = tmp_path / "in.vsanon", tmp_path / "live.mp4", tmp_path / "filed.mp4"
    result = vsanon("anonymize", source, live, "--stride", "4", "--tracks", tracks)
    assert result.exit_code == 0, result.output
    # Frames 0, 4 … 28, and the last, 29.
    assert "searched: 9 of 30 frames" in result.output
    assert vsanon("render", source, filed, "--tracks", tracks).exit_code == 0
    header = json.loads(tracks.read_text().splitlines()[0])
    assert (header["frames_searched"], header["settings"]["stride"]) == (9, 4)
    for output in (live, filed):
        book = json.loads(ledger.path_of(output).read_text())
        assert (book["frames_searched"], book["analysis"]["stride"]) == (9, 4)
    assert sha256(live) == sha256(filed)
    assert vsanon("anonymize", source, tmp_path / "no.mp4", "--stride", "often").exit_code == 2


@pytest.mark.usefixtures("one_face")
@pytest.mark.slow
def test_verify_passes_what_was_delivered_and_finds_one_flipped_byte(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    assert vsanon("anonymize", source, output).exit_code == 0
    assert vsanon("verify", output, "--source", source).exit_code == 0
    data = bytearray(output.read_bytes())
    data[len(data) // 2] ^= 1
    output.write_bytes(bytes(data))
    result = vsanon("verify", output, "--source", source)
    assert result.exit_code == 1
    assert "FAIL" in result.output


def test_a_model_that_fails_at_a_frame_delivers_nothing_and_names_the_frame(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def fail_later(rgb: np.ndarray) -> object:
        seen.append(1)
        if len(seen) > 12:
            raise ModelError("the model broke")
        return found([BOX])

    use(monkeypatch, fail_later)
    result = vsanon("anonymize", source, tmp_path / "out.mp4")
    assert result.exit_code == 1
    assert "the model broke" in result.output
    assert "frame" in result.output
    assert left_behind(tmp_path, "in.mp4") == []


def test_with_on_missing_mask_such_frames_are_covered_whole(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rgb: np.ndarray) -> object:
        raise ModelError("the model broke")

    use(monkeypatch, broken)
    output = tmp_path / "out.mp4"
    result = vsanon("anonymize", source, output, "--on-missing", "mask")
    assert result.exit_code == 0, result.output
    assert all(np.ptp(p.astype(int)) <= 6 for p in luma(output))
    assert json.loads(ledger.path_of(output).read_text())["frames_covered_whole"] == FRAMES


@pytest.mark.usefixtures("one_face")
@pytest.mark.parametrize(
    ("damage", "code"), [("cut", 2), ("garbage", 2), ("empty", 2), ("sound", 2), ("folder", 2), ("absent", 2)]
)
def test_input_that_cannot_be_read_whole_is_refused(source: Path, tmp_path: Path, damage: str, code: int) -> None:
    bad = tmp_path / "bad.mp4"
    data = source.read_bytes()
    if damage == "cut":
        run(["-y", "-i", str(source), "-c", "copy", "-map", "0:v", str(tmp_path / "whole.mkv")])
        bad = tmp_path / "bad.mkv"
        whole = (tmp_path / "whole.mkv").read_bytes()
        bad.write_bytes(whole[: len(whole) * 2 // 3])
    elif damage == "garbage":
        bad.write_bytes(bytes(range(256)) * 64)
    elif damage == "empty":
        bad.write_bytes(b"")
    elif damage == "sound":
        run(["-y", "-i", str(source), "-c", "copy", "-map", "0:a", str(bad)])
    elif damage == "folder":
        bad.mkdir()
    assert len(data) > 0
    result = vsanon("anonymize", bad, tmp_path / "out.mp4")
    assert result.exit_code == code, result.output
    assert bad.name in result.output
    assert "Traceback" not in result.output
    assert left_behind(tmp_path, "in.mp4", bad.name, "whole.mkv") == []


@pytest.mark.usefixtures("one_face")
def test_paths_that_would_lose_something_are_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    before = sha256(source)
    there = tmp_path / "there.mp4"
    there.write_text("mine")
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    for output in (there, source, link, tmp_path / "none" / "out.mp4", tmp_path / "out.avi"):
        result = vsanon("anonymize", source, output)
        assert result.exit_code == 2, f"{output}: {result.output}"
        assert "vsanon: " in result.output
    assert vsanon("anonymize", source, source, "--overwrite").exit_code == 2
    assert there.read_text() == "mine"
    assert sha256(source) == before
    assert left_behind(tmp_path, "in.mp4", "there.mp4", "link.mp4") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--classes", "tattoo"], "tattoo"),
        (["--preset", "nope"], "nope"),
        (["--model", "face=nope"], "nope"),
        (["--model", "face"], "CLASS=CARD"),
    ],
)
def test_a_class_a_preset_or_a_model_that_is_not_there_is_wrong_usage(
    source: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = vsanon("anonymize", source, tmp_path / "out.mp4", *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert left_behind(tmp_path, "in.mp4") == []


def test_a_machine_without_the_model_says_which_file_to_bring(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "models"
    empty.mkdir()
    monkeypatch.setenv("VSANON_MODELS", str(empty))
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    result = vsanon("anonymize", source, tmp_path / "out.mp4")
    assert result.exit_code == 3
    assert str(empty) in result.output
    assert not (tmp_path / "out.mp4").exists()


SLOW_JOB = """
import sys, time
import numpy as np
import vsanon.filters
import vsanon.job.opening
from vsanon.models import InputRules
sys.path.insert(0, sys.argv[1])
from tests.support.clips import Scripted, found
def slowly(rgb):
    time.sleep(float(sys.argv[4]))
    return found([(40, 24, 80, 56)])
sys.modules["vsanon.filters.detect"].open_detector = lambda *a, **k: Scripted(slowly, InputRules(stride=32))
vsanon.job.opening.fetch = lambda *_: None
from vsanon.cli.main import main
main(["anonymize", sys.argv[2], sys.argv[3], "--preset", "ffv1"])
"""


def job(source: Path, output: Path, delay_s: float, file_bytes: int | None = None) -> subprocess.Popen[bytes]:
    def bounded() -> None:
        if file_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    argv = [sys.executable, "-c", SLOW_JOB, str(Path(__file__).parents[2]), str(source), str(output), str(delay_s)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=bounded)


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_nothing_at_the_output_and_the_next_one_works(
    source: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mkv"
    process = job(source, output, delay_s=0.2)
    deadline = time.monotonic() + 1800
    while not list(tmp_path.glob(".*partial*")):
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not output.exists()
    assert not ledger.path_of(output).exists()
    again = job(source, output, delay_s=0)
    _, said = again.communicate(timeout=1800)
    assert again.returncode == 0, said.decode()
    assert len(luma(output)) == FRAMES
    assert left_behind(tmp_path, "in.mp4", output.name, ledger.path_of(output).name) == []


@pytest.mark.slow
def test_a_full_disk_is_said_and_delivers_nothing(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    process = job(source, output, delay_s=0, file_bytes=40_000)
    _, said = process.communicate(timeout=1800)
    assert process.returncode == 1, said.decode()
    assert b"vsanon: " in said
    assert b"Traceback" not in said
    assert left_behind(tmp_path, "in.mp4") == []
