"""The scripts run under vspipe itself, on a drawn clip whose tracks are known."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.drawn.demo import write_demo
from vsanon.encode import run
from vsanon.filters.same_picture import miniatures_of
from vsanon.job import doctor
from vsanon.media.source import open_source
from vsanon.tracks.file import TrackWriter

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).parents[2] / "scripts"
SIZE, FRAMES = (160, 96), 6
Vspipe = Callable[..., bytes]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scripts") / "clip.mp4"
    write_demo(path, size=SIZE, frames=FRAMES)
    return path


@pytest.fixture(scope="module")
def tracks(source: Path) -> Path:
    """One box, 40 to 80 by 24 to 56, in every frame."""
    clip = open_source(source).clip
    writer = TrackWriter({"frames": FRAMES, "size": list(SIZE), "fps": "25"})
    box = np.array([[40, 24, 80, 56]], np.float32)
    boxes = TrackedBoxes(box, np.ones(1, np.float32), ("text",), (1,), (Origin.DETECTED,), no_swatches(1))
    for frame in miniatures_of(clip).frames():
        writer.add(boxes, miniature=np.asarray(frame[0]))
    path = source.with_name("clip.vsanon")
    writer.write(path)
    return path


@pytest.fixture(scope="module")
def vspipe() -> Vspipe:
    found = {finding.name: finding for finding in doctor.examine(fix=True)}["vspipe"]
    if not found.ok:
        pytest.skip(f"vspipe: {found.text}")

    def pipe(script: str, *arguments: str, code: int = 0) -> bytes:
        argv = [doctor.vspipe_path(), "-c", "y4m", *arguments, SCRIPTS / script, "-"]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=1800)
        assert done.returncode == code, done.stderr.decode(errors="replace")
        return done.stdout if code == 0 else done.stderr

    return pipe


def frames_of(y4m: bytes, frame_bytes: int) -> np.ndarray:
    """The frames' bytes, (n, frame_bytes), after the line of the stream and one line for each frame."""
    body = y4m[y4m.index(b"\n") + 1 :]
    step = frame_bytes + len(b"FRAME\n")
    assert len(body) % step == 0
    return np.frombuffer(body, np.uint8).reshape(-1, step)[:, len(b"FRAME\n") :]


def test_the_matte_is_white_in_the_box_and_black_in_the_corners(vspipe: Vspipe, source: Path, tracks: Path) -> None:
    luma = frames_of(vspipe("matte.vpy", "-a", f"source={source}", "-a", f"tracks={tracks}"), SIZE[0] * SIZE[1])
    planes = luma.reshape(FRAMES, SIZE[1], SIZE[0])
    assert (planes[:, 24:56, 40:80] == 255).all()
    assert (planes[:, :8, :8] == 0).all()


def test_chunks_of_the_covered_clip_are_the_same_bytes_as_the_whole(
    vspipe: Vspipe, source: Path, tracks: Path
) -> None:
    given = ("-a", f"source={source}", "-a", f"tracks={tracks}")
    size = SIZE[0] * SIZE[1] * 3 // 2
    whole = frames_of(vspipe("anonymize.vpy", *given), size)
    chunks = [
        frames_of(vspipe("anonymize.vpy", *given, "-s", str(a), "-e", str(b)), size) for a, b in ((0, 2), (3, 5))
    ]
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


def test_the_preview_has_the_covered_picture_the_boxes_and_the_matte(
    vspipe: Vspipe, source: Path, tracks: Path
) -> None:
    given = ("-a", f"source={source}", "-a", f"tracks={tracks}")
    covered, boxes, matte = (vspipe("preview.vpy", *given, "-o", str(n)) for n in range(3))
    assert covered == vspipe("anonymize.vpy", *given)
    assert matte == vspipe("matte.vpy", *given)
    assert boxes != covered


@pytest.mark.parametrize("script", ["anonymize.vpy", "matte.vpy", "preview.vpy"])
def test_a_script_without_a_source_says_how_to_name_one(vspipe: Vspipe, script: str) -> None:
    assert b"-a source=FILE" in vspipe(script, code=1)


def test_tracks_of_another_clip_are_refused(vspipe: Vspipe, tmp_path: Path, tracks: Path) -> None:
    other = tmp_path / "other.mp4"
    write_demo(other, size=(128, 96), frames=FRAMES)
    said = vspipe("anonymize.vpy", "-a", f"source={other}", "-a", f"tracks={tracks}", code=1)
    assert b"160x96" in said
    assert b"128x96" in said


@pytest.mark.parametrize("named", ["source=/nowhere/clip.mov", "source={source} -a tracks=/nowhere/clip.vsanon"])
def test_a_failed_script_says_what_is_wrong_last_and_shows_no_code(
    vspipe: Vspipe, source: Path, named: str
) -> None:
    words = [word for part in named.format(source=source).split(" -a ") for word in ("-a", part)]
    said = vspipe("anonymize.vpy", *words, code=1).decode().strip().splitlines()
    assert "/nowhere/clip" in said[-1]
    assert not [line for line in said if line.startswith('  File "')]


def test_a_frame_that_fails_is_said_in_one_line_before_the_count(
    vspipe: Vspipe, source: Path, tracks: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    run(["-i", str(source), "-vf", "negate=enable='eq(n,4)'", "-c:v", "libx264", str(other)])
    said = vspipe("anonymize.vpy", "-a", f"source={other}", "-a", f"tracks={tracks}", code=1).decode()
    lines = [line for line in said.splitlines() if line.strip()]
    assert re.match(r"vapoursynth.Error: load: frame \d+: the picture is not the one", lines[-2])
    assert lines[-1].startswith("Output ")
    assert not [line for line in lines if line.startswith('  File "')]
