"""What `plan` sees before anything is measured: truth without boxes, ranges beyond clips, missing models."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.small_matrix import FRAMES, TEXT, draw, plan_of
from vsanon.errors import MissingError
from vsanon.validation.runs import foresight
from vsanon.validation.runs.foresight import Foresight, foresee
from vsanon.validation.runs.specs import SourceSpec


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    draw(folder)
    return folder


def foreseen(clips: Path, text: str = TEXT) -> Foresight:
    return foresee(plan_of(clips, text).matrix())


def test_a_range_beyond_the_clip_is_seen_before_its_cells_fail(clips: Path) -> None:
    (first, *_) = foreseen(clips, TEXT.replace("truth: clip.csv", "frames: [0, 50]")).warnings
    assert first == f"source drawn: its cells will fail: frames 0:50 were asked for, and it has {FRAMES}: " + (
        "mend `frames` in the matrix"
    )


def test_a_truth_without_a_box_that_counts_is_seen(clips: Path) -> None:
    header, *lines = (clips / "clip.csv").read_text().splitlines()
    ignored = [",".join([*line.split(",")[:7], "1", *line.split(",")[8:]]) for line in lines]
    (clips / "ignored.csv").write_text("\n".join([header, *ignored]) + "\n")
    warnings = foreseen(clips, TEXT.replace("clip.csv", "ignored.csv")).warnings
    assert "source drawn: its truth has no box that counts in the frames that are measured" in warnings


@pytest.mark.parametrize("part", ["file: clip.mkv", "truth: clip.csv"])
def test_a_missing_file_is_seen(clips: Path, part: str) -> None:
    warnings = foreseen(clips, TEXT.replace(part, part.replace("clip", "gone"))).warnings
    assert any(
        warning.startswith("source drawn: its cells will fail: ") and "gone" in warning for warning in warnings
    )


def test_a_model_that_is_not_here_is_named_before_the_first_cell_needs_it(
    clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert foreseen(clips).needs == ()
    monkeypatch.setattr(foresight.store, "locate", lambda _: None)
    (needed,) = foreseen(clips).needs
    assert needed.startswith("the model plates is not on this machine: it will be pulled over the network")


def test_conditions_of_the_truth_make_the_sample_smaller(clips: Path) -> None:
    seen, hidden = (
        foreseen(clips, TEXT.replace("at_least: 0.5", f"at_least: 0.5, where: {{occluded: {value}}}")).criteria[
            "covered"
        ]
        for value in ("false", "true")
    )
    assert seen.startswith("even without a miss, 7 plates")
    assert hidden != seen
    dark = TEXT.replace("at_least: 0.5", "at_least: 0.5, where: {light: dark}")
    assert "fewer where light is as asked" in foreseen(clips, dark).criteria["covered"]


def test_an_encode_that_takes_no_such_pictures_is_seen_before_its_cells_fail(clips: Path) -> None:
    warnings = foreseen(clips, TEXT.replace("[null, h264_crf]", "[null, mpeg2_422_mxf]")).warnings
    assert any(
        words.startswith("source drawn: its cells of mpeg2_422_mxf will fail: pictures of 320x180")
        for words in warnings
    )
    assert not any("will fail" in words for words in foreseen(clips).warnings)


def test_an_encoder_that_this_ffmpeg_lacks_is_needed(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(name: str) -> None:
        raise MissingError(f"this ffmpeg has no encoder {name}")

    monkeypatch.setattr(foresight, "require_encoder", lacking)
    assert "this ffmpeg has no encoder libx264" in foreseen(clips).needs


def test_truth_that_vsanon_makes_itself_and_tags_that_nobody_has_are_seen(clips: Path) -> None:
    warnings = foreseen(clips, TEXT.replace("truth: clip.csv", "truth: reference")).warnings
    assert "source drawn: its truth is what vsanon finds in it: no criterion on it can pass" in warnings
    other = SourceSpec("own", clips / "clip.mkv", truth=str(clips / "clip.csv"))
    text = TEXT.replace("at_least: 0.5", "at_least: 0.5, where: {source: drawn}")
    warnings = foresee(replace(plan_of(clips, text), sources=(other,)).matrix()).warnings
    assert "covered can't pass: there is no source drawn" in warnings
