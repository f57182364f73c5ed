"""Drawn scenes: a picture hangs on nothing but its number, and the truth says where everything is, to the pixel."""

from fractions import Fraction
from math import pi
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsanon.boxes import iou
from vsanon.detectors import open_detector
from vsanon.drawn.canvas import Sprite
from vsanon.drawn.compositing import Way, cast, compose, shown
from vsanon.drawn.demo import yuv420
from vsanon.errors import InputError
from vsanon.media import probe
from vsanon.media.source import open_source
from vsanon.validation.truth.files import read_any
from vsanon.validation.truth.scene_roles import SETTINGS
from vsanon.validation.truth.scenes import Scene, write_scene

SMALL = (320, 180)


def block(width: int, height: int, label: str) -> Sprite:
    """A white rectangle that is all truth."""
    return Sprite(
        np.full((height, width, 4), 255, np.uint8), (width / 2, height / 2), (width / 2, height / 2), label
    )


@pytest.fixture(scope="module", params=sorted(SETTINGS))
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param, SMALL)


def test_a_block_at_rest_covers_exactly_the_pixels_of_its_box() -> None:
    actor = cast(block(10, 6, "plate"), 6, Way((20, 13), (0, 0)))
    assert actor.box(0) == (15, 10, 25, 16)
    found = actor.layer(0, (40, 30))
    assert found is not None
    picture = compose(np.zeros((30, 40, 3), np.uint8), [found])
    rows, columns = np.nonzero(picture[..., 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 15, 15, 24)
    assert (picture[10:16, 15:25] == 255).all()


def test_a_block_shown_at_half_its_size_goes_its_step_and_grows() -> None:
    actor = cast(block(20, 8, "plate"), 4, Way((30, 20), (1.5, -1), grow=2))
    assert actor.box(0) == (25, 18, 35, 22)
    assert actor.box(1) == (21.5, 15, 41.5, 23)


def test_a_face_that_rolls_by_a_quarter_turn_has_its_axes_swapped() -> None:
    """At a quarter of the stride the sine is 1."""
    actor = cast(block(20, 40, "face"), 40, Way((50, 50), (0, 0), roll=pi / 2, stride=4))
    assert actor.box(0) == (40, 30, 60, 70)
    assert actor.box(1) == pytest.approx((30, 40, 70, 60))


def test_a_turned_plate_is_spanned_by_its_corners_and_so_are_its_pixels() -> None:
    actor = cast(block(200, 44, "plate"), 44, Way((160, 90), (0, 0)), yaw=0.6)
    x0, y0, x1, y1 = actor.box(0)
    assert x1 - x0 == pytest.approx(200 * np.cos(0.6), rel=0.03)
    found = actor.layer(0, (320, 180))
    assert found is not None
    alpha = np.zeros((180, 320), np.uint8)
    alpha[found[0]] = found[1][..., 3]
    rows, columns = np.nonzero(alpha > 127)
    spanned = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert spanned == pytest.approx((x0, y0, x1, y1), abs=1.2)


def test_motion_blur_is_half_a_step_long_and_leaves_the_box() -> None:
    """A step of 16 px smears each edge over 8 px: half of it on either side of where it is."""
    way = Way((40, 20), (16, 0))
    actor = cast(
        Sprite(np.pad(block(20, 8, "").pixels, ((20, 20), (20, 20), (0, 0))), (30, 24), (10, 4), "plate"), 8, way
    )
    assert actor.blur_px == 8
    assert actor.box(0) == (30, 16, 50, 24)
    found = actor.layer(0, (80, 40))
    assert found is not None
    alpha = np.zeros((40, 80), np.uint8)
    alpha[found[0]] = found[1][..., 3]
    row = alpha[20].astype(int)
    assert (row[35:45] == 255).all()
    assert row[30] == pytest.approx(127, abs=20)
    assert row[25] == row[54] == 0


def test_what_is_drawn_in_front_and_what_lies_outside_is_not_visible() -> None:
    """A plate of 20x10 half beyond the left edge, of whose inner half 5 columns of 10 stand behind a pillar."""
    plate = cast(block(20, 10, "plate"), 10, Way((0, 20), (0, 0)))
    pillar = cast(block(10, 40, ""), 40, Way((10, 20), (0, 0)))
    assert list(shown([plate], 0, (60, 40))) == [(0, (0, 15, 10, 25), 0.5)]
    assert list(shown([plate, pillar], 0, (60, 40))) == [(0, (0, 15, 10, 25), 0.25)]
    assert list(shown([cast(block(20, 10, "plate"), 10, Way((-30, 20), (0, 0)))], 0, (60, 40))) == []


def test_pictures_are_the_same_in_any_order_and_on_any_number_of_threads(scene: Scene) -> None:
    numbers = (0, 31, 74)
    first = [scene.frame(n) for n in numbers]
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        for n, picture in reversed(list(zip(numbers, first, strict=True))):
            assert picture.shape == (180, 320, 3)
            assert np.array_equal(scene.frame(n), picture)
    finally:
        cv2.setNumThreads(threads)


def test_a_caller_that_paints_on_a_picture_does_not_change_the_next_one() -> None:
    scene = Scene("faces", SMALL)
    before = scene.frame(3).copy()
    scene.frame(3)[:] = 0
    assert np.array_equal(scene.frame(3), before)


def test_neighbouring_pictures_differ_in_most_places(scene: Scene) -> None:
    assert (scene.frame(10) != scene.frame(11)).any(axis=2).mean() > 0.8


def test_another_seed_draws_other_pictures_of_the_same_truth() -> None:
    one, other = Scene("faces", SMALL), Scene("faces", SMALL, seed=1)
    assert not np.array_equal(one.frame(0), other.frame(0))
    assert one.truth().xyxy[0].tolist() == other.truth().xyxy[0].tolist()


def test_another_take_shows_others_of_other_sizes_on_other_ways() -> None:
    one, other = (Scene("faces", SMALL, frames=2, take=take).truth() for take in (1, 2))
    sizes = [sorted((t.xyxy[t.frames == 0][:, 3] - t.xyxy[t.frames == 0][:, 1]).tolist()) for t in (one, other)]
    assert sizes[0] != sizes[1]
    assert (
        Scene("faces", SMALL, frames=2, take=0).truth().xyxy[0].tolist()
        == Scene("faces", SMALL).truth().xyxy[0].tolist()
    )


def test_truth_lies_in_the_frame(scene: Scene) -> None:
    truth = scene.truth()
    assert truth.frames.max(initial=0) < scene.frames
    assert (truth.xyxy[:, :2] >= 0).all()
    assert (truth.xyxy[:, 2:] <= [320, 180]).all()


@pytest.mark.slow
def test_the_faces_have_every_size_come_in_leave_cross_and_hide() -> None:
    scene = Scene("faces")
    truth = scene.truth()
    heights = [seen["height_px"] for seen in scene.conditions().values()]
    assert (min(heights), max(heights)) == (14, 190)
    assert len(heights) == len(set(truth.ids.tolist())) == 13
    first = {i: int(truth.frames[truth.ids == i].min()) for i in set(truth.ids.tolist())}
    last = {i: int(truth.frames[truth.ids == i].max()) for i in set(truth.ids.tolist())}
    assert max(first.values()) > 5
    assert min(last.values()) < 60
    hidden = [i for i in first if len(truth.frames[truth.ids == i]) < last[i] - first[i] + 1]
    assert hidden, "somebody passes wholly behind the pillar"
    assert truth.ignore.any()
    assert (truth.occluded & ~truth.ignore).any()


@pytest.mark.slow
def test_the_plates_have_perspective_blur_and_unreadable_ones() -> None:
    scene = Scene("plates")
    truth = scene.truth()
    assert set(truth.classes.tolist()) == {"plate"}
    assert truth.readable.any()
    assert not truth.readable[truth.xyxy[:, 3] - truth.xyxy[:, 1] < 10].any()
    assert max(float(seen["blur_px"]) for seen in scene.conditions().values()) == 10


def test_nobody_is_in_the_empty_scene_and_it_is_dark_in_the_dark_one() -> None:
    assert len(Scene("empty", SMALL).truth()) == 0
    assert Scene("faces_dark", SMALL).frame(0).mean() < 0.6 * Scene("faces", SMALL).frame(0).mean()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "nowhere"}, "no scene has the name 'nowhere'; known are faces, plates, faces_dark, empty"),
        ({"size": (321, 180)}, "even sides"),
        ({"size": (32, 180)}, "even sides from 64 px up"),
        ({"frames": 0}, "a frame"),
        ({"seed": -1}, "seed and take from 0 up"),
    ],
)
def test_a_scene_that_cannot_be_is_refused(changes: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Scene(**{"name": "faces", **changes})


@pytest.mark.parametrize("n", [-1, 5])
def test_a_frame_outside_is_an_index_error(n: int) -> None:
    with pytest.raises(IndexError, match=f"frame {n} of a clip of 5 frames"):
        Scene("empty", SMALL, frames=5).frame(n)


def test_a_written_scene_has_its_pictures_to_the_bit_and_its_truth_beside_it(tmp_path: Path) -> None:
    scene = Scene("faces", SMALL, fps=Fraction(30), frames=3)
    write_scene(scene, tmp_path / "faces.mkv")
    video = probe(tmp_path / "faces.mkv").video
    assert video is not None
    assert (video.codec, video.pix_fmt, video.size, video.fps) == ("ffv1", "yuv420p", SMALL, 30)
    assert (video.color.matrix, video.color.range) == ("bt709", "tv")
    clip = open_source(tmp_path / "faces.mkv").clip
    assert clip.num_frames == 3
    for n, frame in enumerate(clip.frames()):
        assert all(np.array_equal(np.asarray(frame[p]), plane) for p, plane in enumerate(yuv420(scene.frame(n))))
    truth = read_any(tmp_path / "faces.csv", size=SMALL, frames=3)
    assert np.array_equal(truth.xyxy, scene.truth().xyxy)
    with pytest.raises(InputError, match=r"written as \.mkv, not as \.mp4"):
        write_scene(scene, tmp_path / "faces.mp4")


def found_of(model: str, scene: Scene, least_px: float) -> tuple[int, int]:
    """How many objects of at least this height a detector finds in every 15th frame, whole, and of how many."""
    detector, truth, hit, wanted = open_detector(model), scene.truth(), 0, 0
    for n in range(0, scene.frames, 15):
        picture = np.full((736, 1280, 3), 114, np.uint8)
        picture[:720] = scene.frame(n)
        found = detector.detect(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        rows = truth.rows(n)
        own = truth.xyxy[rows][~truth.ignore[rows]]
        own = own[own[:, 3] - own[:, 1] >= least_px]
        wanted += len(own)
        hit += int((iou(own, found.xyxy).max(axis=1, initial=0) >= 0.5).sum())
    return hit, wanted


@pytest.mark.slow
def test_the_shipped_plate_model_finds_the_plates_from_9_px(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The floor leaves room for other builds."""
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    hit, wanted = found_of("plates", Scene("plates"), 9)
    assert wanted > 15
    assert hit >= 0.9 * wanted


@pytest.mark.assets
def test_a_shipped_card_s_detector_finds_the_faces_from_24_px(
    assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_MODELS", str(assets / "models"))
    hit, wanted = found_of("yunet_n", Scene("faces"), 24)
    assert wanted > 30
    assert hit >= 0.95 * wanted
