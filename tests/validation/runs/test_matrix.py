"""The matrix file: multiplied out as written, and refused with file, line and key where it is wrong."""

from fractions import Fraction
from pathlib import Path

import pytest

from vsanon.errors import InputError
from vsanon.validation.runs import matrix
from vsanon.validation.runs.named_sources import named_sources
from vsanon.validation.runs.specs import REFERENCE, SourceSpec

SMALL = """\
vsanon_matrix: 1
name: small
sources:
  - {id: a, file: a.mp4, truth: a.csv, frames: [10, 20], tags: {light: dusk}}
  - {id: b, file: b.mp4, truth: reference}
  - scene: faces
encodes:
  - preset: [h264_crf, h265_crf]
    crf: [23, 40]
    gop: [null, 12]
  - preset: prores_hq
    scale: 0.5
    fps: 12.5
  - preset: as_is
settings:
  - {id: one, classes: [face], size: 640}
  - {id: two, setting: fast}
profiles: [strict, soft]
deliveries: [null, h264_crf]
criteria:
  - {id: covered, metric: coverage_recall, class: face, at_least: 0.9, where: {encode: [as_is]}}
"""


def parsed(text: str) -> matrix.Matrix:
    return matrix.parse(text, "m.yaml", Path("clips"))


def test_cells_are_every_combination_of_what_is_listed() -> None:
    found = parsed(SMALL)
    assert len(found.encodes) == 2 * 2 * 2 + 1 + 1
    assert len(found.cells()) == 3 * 10 * 2 * 2 * 2
    assert len({cell.id for cell in found.cells()}) == 240


def test_an_encode_is_named_by_what_differs_from_its_preset() -> None:
    assert list(parsed(SMALL).encodes)[:3] == ["h264_crf-crf23", "h264_crf-crf23-gop12", "h264_crf-crf40"]
    assert list(parsed(SMALL).encodes)[-2:] == ["prores_hq-scale0.5-fps25_2", "as_is"]
    assert parsed(SMALL).encodes["prores_hq-scale0.5-fps25_2"].fps == Fraction(25, 2)


def test_sources_are_files_beside_the_matrix_with_their_truth() -> None:
    found = parsed(SMALL).sources
    assert found["a"] == SourceSpec(
        "a", Path("clips/a.mp4"), truth=Path("clips/a.csv"), frames=(10, 20), tags={"light": "dusk"}
    )
    assert found["b"].truth == REFERENCE
    assert (found["faces"].scene, found["faces"].file) == ("faces", None)


def test_sources_of_the_command_line_take_the_place_of_the_files(tmp_path: Path) -> None:
    clip, truth = tmp_path / "x=1.mp4", tmp_path / "t.csv"
    clip.touch()
    truth.touch()
    named = named_sources([f"{clip}={truth}", str(clip), f"{clip}=reference"])
    assert [(s.id, s.file, s.truth) for s in named] == [
        ("source-1", clip, truth), ("source-2", clip, None), ("source-3", clip, REFERENCE),
    ]  # fmt: skip
    assert list(matrix.parse(SMALL, "m.yaml", Path(), named).sources) == ["source-1", "source-2", "source-3"]
    with pytest.raises(InputError, match=r"gone\.mp4: no such file"):
        named_sources([str(tmp_path / "gone.mp4")])


@pytest.mark.parametrize("name", matrix.names())
def test_every_matrix_that_comes_with_vsanon_is_valid_and_runs_without_anyones_data(name: str) -> None:
    found = matrix.load(name)
    assert found.name == name
    assert all(source.scene for source in found.sources.values())
    assert found.cells()


def test_the_codec_matrix_holds_what_it_is_for() -> None:
    found = matrix.load("codec").encodes
    crf = sorted({e.changes.crf for e in found.values() if e.changes.crf is not None})
    assert (crf[0], crf[-1]) == (18, 51)
    assert {e.changes.gop for e in found.values()} >= {1, 12, 50, 250}
    assert {e.changes.pix_fmt for e in found.values()} >= {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le"}
    assert {e.preset for e in found.values()} >= {"prores_hq", "prores_lt", "h264_abr", "h265_abr"}


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("name: small", "nam: small", 1, "nam"),
        ("crf: [23, 40]", "crf: [23, 60]", 8, "0 to 51, got 60"),
        ("crf: [23, 40]", "crf: high", 9, "encodes"),
        ("crf: [23, 40]", "crv: [23, 40]", 8, "crv"),
        ("preset: prores_hq", "preset: prores_xl", 11, "no preset 'prores_xl'"),
        ("    scale: 0.5", "    crf: 20", 11, "no CRF"),
        ("scene: faces", "scene: moon", 6, "no scene 'moon'"),
        ("scene: faces", "scene: faces\n    truth: a.csv", 7, "its own truth"),
        ("frames: [10, 20]", "frames: [20, 10]", 4, "start < stop"),
        ("{id: b, file: b.mp4", "{id: a, file: b.mp4", 5, "'a' is there twice"),
        ("setting: fast", "setting: swift", 17, "swift"),
        ("classes: [face]", "classes: [boat]", 16, "boat"),
        ("profiles: [strict, soft]", "profiles: [strict, strict]", 18, "non-unique"),
        ("deliveries: [null, h264_crf]", "deliveries: [null, vhs]", 19, "no preset 'vhs'"),
        ("deliveries: [null, h264_crf]", "deliveries: [null, png]", 19, "the preset png writes images"),
        ("  - preset: prores_hq\n", "  - preset: dpx\n", 11, "the preset dpx writes images"),
        ("encode: [as_is]", "encode: [as_si]", 21, "no encode 'as_si' in this matrix, only as_is"),
        ("class: face, at_least: 0.9", "at_least: 0.9", 21, "measured by class"),
        ("at_least: 0.9", "at_least: 0.9, at_most: 1", 21, "needs one of at_least or at_most"),
        ("name: small", "name: small\nname: other", 3, "second time"),
        ("profiles: [strict, soft]", "profiles: [strict", 19, "is not YAML"),
        ("  - preset: as_is", "  - preset: as_is\n    crf: 20", 15, "changes nothing"),
        ("preset: prores_hq", "preset: [null]", 11, "preset"),
        ("fps: 12.5", "fps: 1/0", 13, "above 0, got 1/0"),
        ("fps: 12.5", 'fps: ["0"]', 13, "above 0, got 0"),
        ("fps: 12.5", "fps: .inf", 13, "finite number, got inf"),
        ("scale: 0.5", "scale: .nan", 12, "finite number, got nan"),
        ("scale: 0.5", "scale: 0.0001", 12, "0.0001"),
        ("gop: [null, 12]", "b_frames: 99", 10, "99"),
        ("gop: [null, 12]", "gop: {frames: 12}", 10, "gop: needs integer or array"),
        ("setting: fast", "models: {face: [nope]}", 17, "no model has the name 'nope'"),
        ("at_least: 0.9", "at_least: .nan", 21, "finite number, got nan"),
        ("at_least: 0.9", "at_least: 95", 21, "a share from 0 to 1, and never 95"),
        ("at_least: 0.9", "at_most: 0.9", 21, "better the more it is: ask for at_least"),
        ("at_least: 0.9", "at_least: 0", 21, "never below 0: nothing could fail"),
        ("class: face, at", "class: fase, at", 21, "no setting searches for 'fase', only for face"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_line_and_key(before: str, after: str, line: int, words: str) -> None:
    assert SMALL.count(before) == 1
    with pytest.raises(InputError) as caught:
        parsed(SMALL.replace(before, after))
    assert words in str(caught.value)
    assert f"m.yaml:{line}:" in str(caught.value)


def test_a_criterion_asks_for_conditions_and_tags_in_plain_words() -> None:
    where = "where: {occluded: true, size: [<10, 10-20], tags: {light: dusk}}"
    (criterion,) = parsed(SMALL.replace("where: {encode: [as_is]}", where)).criteria
    assert criterion["where"] == {"occluded": ["yes"], "size": ["<10", "10-20"], "tags": {"light": ["dusk"]}}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("{occluded: maybe}", "there is no occluded 'maybe' in this matrix, only no, yes"),
        ("{tags: {light: noon}}", "no source has light: noon, only day, dusk"),
        ("{tags: {mood: good}}", "no source has mood: good, only no such tag"),
        ("{weather: [rain]}", "weather"),
    ],
)
def test_a_condition_that_nothing_is_under_is_refused(where: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parsed(SMALL.replace("{encode: [as_is]}", where))


def test_only_figures_of_boxes_have_conditions() -> None:
    text = SMALL.replace("coverage_recall", "precision").replace("{encode: [as_is]}", "{blur: blurred}")
    with pytest.raises(InputError, match="conditions are of boxes, which precision has none of"):
        parsed(text)


def test_tags_are_words_whatever_yaml_takes_them_for() -> None:
    text = SMALL.replace("tags: {light: dusk}", "tags: {light: 3, indoors: true}")
    assert parsed(text).sources["a"].tags == {"light": "3", "indoors": "yes"}


def test_what_is_measured_of_deliveries_needs_one() -> None:
    text = SMALL.replace("coverage_recall, class: face", "checks_passed").replace("[null, h264_crf]", "[null]")
    with pytest.raises(InputError, match="checks_passed is measured of deliveries"):
        parsed(text)


def test_a_matrix_without_sources_says_how_to_name_them() -> None:
    text = "vsanon_matrix: 1\nname: none\nencodes: [{preset: ffv1}]\n"
    with pytest.raises(InputError, match="--source FILE"):
        parsed(text)


def test_an_unknown_matrix_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="cctv, codec, delivery, quick"):
        matrix.load("slow")
