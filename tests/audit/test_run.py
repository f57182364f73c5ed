"""Files through the whole audit: encoders, offsets, sizes, what else leaves, and the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support import audit_clips as clips
from tests.support.audit_clips import covered, fill
from vsanon.audit.page import page
from vsanon.audit.run import Asked, audit
from vsanon.cli.main import main
from vsanon.detections import Detections
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.signing import generate_key
from vsanon.validation.truth.files import write_truth

pytestmark = pytest.mark.slow
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit")
    clips.write(path / "raw.mkv", clips.pictures(), preset="ffv1", crf=None)
    write_truth(path / "targets.csv", clips.truth())
    clips.redacted(path / "filled.mp4", covered(fill), crf=23)
    return path


def audited(folder: Path, redacted: Path, **more: Any) -> dict[str, Any]:
    return audit(Asked(folder / "raw.mkv", redacted, folder / "targets.csv", detect=False, **more))


def remuxed(folder: Path, name: str, *args: str, before: tuple[str, ...] = ()) -> Path:
    path = folder / name
    run(["-y", "-i", f"file:{folder / 'filled.mp4'}", *before, *args, f"file:{path}"])
    return path


def test_a_filled_clip_passes_and_says_how_it_lies(folder: Path) -> None:
    found = audited(folder, folder / "filled.mp4")
    assert (found["verdict"], found["reasons"]) == ("pass", [])
    assert found["alignment"]["offset_frames"] == 0
    assert found["targets"]["levels"]["covered"] == found["targets"]["judged"] > 40


@pytest.mark.parametrize(("preset", "crf"), [("h264_crf", 36), ("h265_crf", 18), ("h265_crf", 36)])
def test_an_honest_fill_raises_no_alarm_in_any_encoder(folder: Path, preset: str, crf: int) -> None:
    path = clips.redacted(folder / f"{preset}{crf}.mp4", covered(fill), preset=preset, crf=crf)
    assert audited(folder, path)["reasons"] == []


def test_one_bare_frame_is_named(folder: Path) -> None:
    path = clips.redacted(folder / "one.mp4", covered(fill, frames=lambda n: n != 11))
    found = audited(folder, path)
    assert found["verdict"] == "fail"
    assert "face 3: flicker: 1 frame from 11 on (bare)" in found["reasons"]


def test_a_clip_that_begins_five_frames_later_is_judged_by_its_own_frames(folder: Path) -> None:
    cover = covered(fill, frames=lambda n: n != 11)
    path = clips.write(folder / "later.mp4", [cover(n, p) for n, p in enumerate(clips.pictures())][5:])
    found = audited(folder, path)
    assert found["alignment"]["offset_frames"] == 5
    assert "face 3: flicker: 1 frame from 11 on (bare)" in found["reasons"]
    assert found["targets"]["list"][1]["not_shown"] == 5


def test_a_smaller_output_is_told_and_judged(folder: Path) -> None:
    scaled = remuxed(folder, "smaller.mp4", "-vf", "scale=360:202:flags=bicubic", "-crf", "18")
    found = audited(folder, scaled)
    assert found["alignment"]["place"] == "scaled to 360x202 from 480x270"
    assert found["reasons"] == []


def test_another_clip_altogether_is_not_judged(folder: Path) -> None:
    rng = np.random.default_rng(0)
    path = clips.write(folder / "other.mp4", [rng.integers(0, 256, (270, 480, 3)).astype(np.uint8)] * 24, crf=30)
    found = audited(folder, path)
    assert found["verdict"] == "fail"
    assert found["reasons"][0].startswith("the files could not be aligned, so nothing was judged")


def test_a_thumbnail_and_a_place_fail_and_sound_is_said(folder: Path) -> None:
    picture = folder / "thumb.png"
    run(["-y", "-i", f"file:{folder / 'raw.mkv'}", "-frames:v", "1", f"file:{picture}"])
    extra = ("-i", f"file:{picture}", "-f", "lavfi", "-i", "sine=duration=0.5")
    found = audited(folder, remuxed(
        folder, "leaky.mp4", "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", "-c:a", "aac",
        "-disposition:v:1", "attached_pic", "-metadata", "location=+48.8577+002.295/", before=extra))  # fmt: skip
    assert found["verdict"] == "fail"
    weights = {k["what"]: k["weight"] for k in found["leaks"]}
    assert (weights["thumbnail"], weights["location"], weights["sound"]) == ("fails", "fails", "said")
    assert "48.8577" not in json.dumps(found)


def test_what_is_attached_or_appended_is_no_pass(folder: Path) -> None:
    raw = folder / "raw.mkv"
    attached = remuxed(folder, "attached.mkv", "-attach", str(raw), "-metadata:s:t",
                       "mimetype=application/octet-stream", "-c", "copy")  # fmt: skip
    appended = folder / "appended.mp4"
    appended.write_bytes((folder / "filled.mp4").read_bytes() + raw.read_bytes())
    for path, expected in ((attached, {"bytes in no stream", "attachment"}), (appended, {"bytes in no stream"})):
        found = audited(folder, path)
        assert found["verdict"] == "fail"
        assert {k["what"] for k in found["leaks"] if k["weight"] == "fails"} == expected


def test_a_position_in_subtitles_is_no_pass_and_speech_is_said(folder: Path) -> None:
    for line, weight in (("[latitude: 48.85771] [longitude: 2.29522]", "fails"), ("Good morning.", "said")):
        text = folder / "text.srt"
        text.write_text(f"1\n00:00:00,000 --> 00:00:00,800\n{line}\n\n", encoding="utf-8")
        path = remuxed(folder, f"{weight}.mkv", "-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt",
                       before=("-i", f"file:{text}"))  # fmt: skip
        found = audited(folder, path)
        assert [k["weight"] for k in found["leaks"] if k["what"] in ("location", "subtitles")] == [weight]


def test_candidates_of_low_score_are_no_faces_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, scores = np.array([[10, 10, 40, 40], [60, 10, 90, 40]], np.float32), np.array([0.05, 0.9], np.float32)
    seen = {7: Detections(boxes, scores, ("face", "face"))}
    monkeypatch.setattr("vsanon.audit.run._detected", lambda *_: seen)
    found = audit(Asked(folder / "raw.mkv", folder / "filled.mp4", folder / "targets.csv"))
    assert (found["residual"]["detections"], found["residual"]["least_score"]) == (1, 0.3)


def test_the_original_against_itself_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="are one file"):
        audited(folder, folder / "raw.mkv")


def test_the_command_writes_signs_and_exits_by_the_verdict(folder: Path, tmp_path: Path) -> None:
    generate_key(tmp_path / "key.pem")
    raw, redacted, targets = (str(folder / name) for name in ("raw.mkv", "filled.mp4", "targets.csv"))
    written = [str(tmp_path / name) for name in ("a.json", "a.html", "key.pem")]
    options = [word for pair in zip(("--json", "--html", "--sign"), written, strict=True) for word in pair]
    arguments = ["audit", raw, redacted, "--targets", targets, "--no-detect", *options]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "PASS"
    assert (tmp_path / "a.json.sig").stat().st_size == 64
    assert json.loads((tmp_path / "a.json").read_bytes())["verdict"] == "pass"
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<img" not in html
    assert "http" not in html.replace("http-equiv", "")
    again = CliRunner().invoke(main, arguments)
    assert (again.exit_code, "already there" in again.output) == (2, True)


def test_names_from_strangers_stay_text_in_the_page(folder: Path) -> None:
    found = audited(folder, folder / "filled.mp4")
    found["redacted"]["name"] = "<script>x</script>"
    found["reasons"] = ["<b>bold</b>"]
    assert "<script>" not in page(found)
    assert "<b>" not in page(found)
