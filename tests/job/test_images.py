"""Image sequences as sources and as deliveries: a folder goes where it is to lie, or not at all."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import blobs, use
from tests.support.footage import SEEN, blob, look
from vsanon.encode import run
from vsanon.errors import CheckError, InputError
from vsanon.job import rendering
from vsanon.job.pipeline import analyze_file, anonymize_file, render_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery

pytestmark = pytest.mark.slow

FRAMES = 6
AT_24 = Fraction(24)


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Six DPX images of the blob, numbered from 1001."""
    film = blob(tmp_path / "film.mkv", "-c:v", "ffv1", frames=FRAMES, sound=False)
    folder = tmp_path / "shots"
    folder.mkdir()
    numbered = ("-start_number", "1001", str(folder / "a.%06d.dpx"))
    run(["-i", str(film), "-vf", "scale=flags=accurate_rnd,format=gbrp10le", "-c:v", "dpx", *numbered])
    return folder


def brightest(folder: Path) -> list[int]:
    """Of each image, in 8 bits."""
    found = []
    for file in sorted(folder.iterdir()):
        rgb = run(["-i", str(file), "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        found.append(int(np.frombuffer(rgb, np.uint8).max()))
    return found


@pytest.mark.parametrize(
    ("preset", "suffix"),
    [("dpx", ".dpx"), ("exr", ".exr"), ("exr_float", ".exr"), ("tiff", ".tif"), ("png", ".png")],
)
def test_six_images_become_six_images_without_the_blob(
    tmp_path: Path, shots: Path, preset: str, suffix: str
) -> None:
    out = tmp_path / "out" / f"b.%04d{suffix}"
    book = anonymize_file(shots, out, Settings(preset=preset, rate=AT_24))
    assert [file.name for file in sorted(out.parent.iterdir())] == [f"b.{n:04d}{suffix}" for n in range(1, 7)]
    assert min(brightest(shots)) > SEEN > max(brightest(out.parent))
    assert (book["frames"], book["video"]["rate"], book["source"]["name"]) == (6, "24", "a.001001-001006.dpx.mov")
    assert json.loads((tmp_path / "out.ledger.json").read_text())["output"]["name"] == out.name
    assert book["ffmpeg_command"][-1] == f"file:{out.name}"
    assert str(tmp_path) not in str(book["ffmpeg_command"])
    assert [c for c in verify_delivery(out, shots) if not c.passed] == []


def test_an_image_that_was_swapped_afterwards_is_noticed(tmp_path: Path, shots: Path) -> None:
    out = tmp_path / "out" / "b.%04d.dpx"
    anonymize_file(shots, out, Settings(preset="dpx", rate=AT_24))
    (out.parent / "b.0003.dpx").write_bytes((shots / "a.001003.dpx").read_bytes())
    failed = {check.name for check in verify_delivery(out, shots) if not check.passed}
    assert "output is the ledger's" in failed
    assert len(failed) > 1


def test_images_become_a_film_at_their_rate_and_its_tracks_render_the_same(tmp_path: Path, shots: Path) -> None:
    settings = Settings(preset="prores_4444", rate=AT_24)
    a, b, tracks = tmp_path / "a.mov", tmp_path / "b.mov", tmp_path / "shots.vsanon"
    anonymize_file(shots / "a.%06d.dpx", a, settings)
    analyze_file(shots, tracks, settings)
    render_file(shots, tracks, b, settings)
    assert a.read_bytes() == b.read_bytes()
    assert look(a).times == tuple(n / AT_24 for n in range(FRAMES))
    assert max(look(a).brightest) < SEEN


def test_one_image_a_missing_rate_and_a_rate_for_a_film_are_refused(tmp_path: Path, shots: Path) -> None:
    with pytest.raises(InputError, match="one of 6"):
        anonymize_file(shots / "a.001002.dpx", tmp_path / "a.mov", Settings(preset="prores_hq", rate=AT_24))
    with pytest.raises(InputError, match="images have no rate"):
        anonymize_file(shots, tmp_path / "a.mov", Settings(preset="prores_hq"))
    with pytest.raises(InputError, match="a film has its own"):
        anonymize_file(tmp_path / "film.mkv", tmp_path / "a.mov", Settings(preset="prores_hq", rate=AT_24))
    with pytest.raises(InputError, match=r"a pattern in a new folder, such as OUT/shot\.%06d\.dpx"):
        anonymize_file(shots, tmp_path / "out.dpx", Settings(preset="dpx", rate=AT_24))
    assert {path.name for path in tmp_path.iterdir()} == {"film.mkv", "shots"}


def test_an_image_of_another_size_is_told_of_the_folder_that_was_named(tmp_path: Path, shots: Path) -> None:
    run(
        ["-y", "-i", str(shots / "a.001003.dpx"), "-vf", "scale=64:48", "-update", "1", str(shots / "a.001004.dpx")]
    )
    with pytest.raises(InputError, match="the images of a sequence need one size") as told:
        anonymize_file(shots, tmp_path / "a.mov", Settings(preset="prores_hq", rate=AT_24))
    assert str(told.value).startswith(f"{shots}: ")


def test_the_preset_source_does_not_look_for_a_film_in_a_folder_of_images(tmp_path: Path, shots: Path) -> None:
    with pytest.raises(InputError, match=r"here best \.mkv; images are written by presets of their own"):
        anonymize_file(shots, tmp_path / "out" / "b.%04d.png", Settings(preset="source", rate=AT_24))


def test_a_folder_that_is_there_is_refused_and_a_failed_job_leaves_none(
    tmp_path: Path, shots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, settings = tmp_path / "out" / "b.%04d.dpx", Settings(preset="dpx", rate=AT_24)
    out.parent.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        anonymize_file(shots, out, settings, overwrite=True)
    out.parent.rmdir()

    def fails(*_: object, **__: object) -> None:
        raise CheckError("no")

    monkeypatch.setattr(rendering, "require_passed", fails)
    with pytest.raises(CheckError):
        anonymize_file(shots, out, settings)
    assert {path.name for path in tmp_path.iterdir()} == {"film.mkv", "shots"}
