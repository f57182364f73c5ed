"""The drawn clip: its pictures hang on nothing but their number, and its truth says where the faces are."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsanon.boxes import iou
from vsanon.drawn.demo import SHOTS, Scene, TruthBox, scene, write_demo
from vsanon.errors import InputError
from vsanon.media import probe

SMALL = (320, 180)


@pytest.fixture(scope="module")
def clip() -> Scene:
    return scene()


@pytest.fixture(scope="module")
def small() -> Scene:
    return scene(SMALL, 260)


def boxes_of(clip: Scene, label: str) -> list[TruthBox]:
    return [box for n in range(clip.frames) for box in clip.truth(n) if box.label == label]


def test_pictures_have_the_size_and_the_clip_the_length_asked_for() -> None:
    clip = scene((322, 242), 7)
    assert clip.frames == 7
    assert clip.frame(6).shape == (242, 322, 3)
    assert clip.frame(6).dtype == np.uint8


@pytest.mark.parametrize("n", [-1, 7])
def test_a_frame_outside_the_clip_is_an_index_error(n: int) -> None:
    clip = scene(SMALL, 7)
    with pytest.raises(IndexError, match=f"frame {n} of a clip of 7 frames"):
        clip.frame(n)
    with pytest.raises(IndexError, match=f"frame {n} of a clip of 7 frames"):
        clip.truth(n)


@pytest.mark.parametrize(("size", "frames"), [((31, 180), 5), ((320, 31), 5), (SMALL, 0)])
def test_a_clip_too_small_to_draw_is_refused(size: tuple[int, int], frames: int) -> None:
    with pytest.raises(ValueError, match="a scene needs 32x32 pixels and one frame at least"):
        scene(size, frames)


def test_pictures_are_the_same_in_any_order_and_in_a_clip_made_anew(small: Scene) -> None:
    numbers = (0, 37, 74, 75, 110, 124, 125, 249)
    forwards = [small.frame(n) for n in numbers]
    anew = scene(SMALL, 250)
    for n, picture in reversed(list(zip(numbers, forwards, strict=True))):
        assert np.array_equal(anew.frame(n), picture)
        assert anew.truth(n) == small.truth(n)


def test_a_caller_that_paints_on_a_picture_does_not_change_the_next_one(small: Scene) -> None:
    before = small.frame(30)
    small.frame(30)[:] = 0
    assert np.array_equal(small.frame(30), before)


def test_another_seed_draws_another_clip(small: Scene) -> None:
    assert not np.array_equal(scene(SMALL, 1, seed=1).frame(0), small.frame(0))


def test_neighbouring_pictures_differ_in_most_places() -> None:
    """A still background would leave a codec, and a test of one, nothing to do."""
    clip = scene(SMALL, 12)
    changed = (clip.frame(10) != clip.frame(11)).any(axis=2)
    assert changed.mean() > 0.9


def test_cuts_lie_where_the_shots_meet(small: Scene) -> None:
    assert SHOTS == (75, 50)
    assert scene(SMALL, 125).cuts == (75,)
    assert scene(SMALL, 75).cuts == ()
    assert small.cuts == (75, 125, 200, 250)


def test_pictures_differ_most_at_the_cut() -> None:
    clip = scene(SMALL)
    pictures = [clip.frame(n).astype(np.int16) for n in range(clip.frames)]
    change = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]
    at = int(np.argmax(change))
    assert at + 1 == 75
    assert change[at] > 3 * max(change[:at] + change[at + 1 :])


def test_a_second_lap_shows_the_same_people_under_new_ids(small: Scene) -> None:
    first, second = small.truth(20), small.truth(145)
    assert [box.xyxy for box in first] == [box.xyxy for box in second]
    assert not {box.track_id for box in first} & {box.track_id for box in second}


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 259))
def test_truth_lies_within_the_frame_and_is_sorted_by_id(small: Scene, n: int) -> None:
    truth = small.truth(n)
    ids = [box.track_id for box in truth]
    assert ids == sorted(set(ids))
    for box in truth:
        x0, y0, x1, y1 = box.xyxy
        assert box.n == n
        assert 0 <= x0 < x1 <= 320
        assert 0 <= y0 < y1 <= 180
        assert 0 <= box.visible <= 1


def test_a_wholly_visible_face_has_its_whole_height(clip: Scene) -> None:
    """The nearest walker's face is drawn 90 px high."""
    whole = [box for box in boxes_of(clip, "face") if box.track_id == 4 and box.visible == 1]
    assert len(whole) > 50
    assert all(box.xyxy[3] - box.xyxy[1] == pytest.approx(90, abs=0.1) for box in whole)


def test_a_face_walks_in_at_the_left_edge_pixel_by_pixel(clip: Scene) -> None:
    """The nearest walker starts 60 px left of the frame, 7.4 px a frame; its face is 75 px wide."""
    walk = {box.n: box for box in boxes_of(clip, "face") if box.track_id == 4}
    assert min(walk) == 4
    entering = [walk[n] for n in range(4, 13)]
    assert all(box.xyxy[0] == 0 and box.visible < 1 for box in entering)
    steps = np.diff([box.xyxy[2] for box in entering])
    assert steps == pytest.approx(np.full(8, 7.4), abs=0.1)
    assert walk[14].xyxy[0] > 0
    assert walk[14].visible == 1


def test_a_face_leaving_the_frame_has_its_truth_clipped(clip: Scene) -> None:
    walk = {box.n: box for box in boxes_of(clip, "face") if box.track_id == 3}
    last = walk[max(walk)]
    assert max(walk) < 74
    assert last.xyxy[0] == 0
    assert last.xyxy[2] < 10
    assert last.visible < 0.2


def test_a_face_rises_from_the_last_row(clip: Scene) -> None:
    rise = [box for box in boxes_of(clip, "face") if box.track_id == 7]
    assert rise[0].xyxy[3] == 360
    assert rise[0].visible < 0.1
    assert rise[-1].visible == 1


def test_the_one_behind_the_pillar_is_hidden_for_a_while_and_seen_again(clip: Scene) -> None:
    visible = {box.n: box.visible for box in boxes_of(clip, "face") if box.track_id == 1}
    assert visible[0] == 1
    assert min(visible.values()) < 0.05
    assert visible[50] == 1


def test_two_faces_cross(clip: Scene) -> None:
    pairs = {n: {box.track_id: box for box in clip.truth(n)} for n in (20, 36)}
    apart, met = (iou(np.float32([p[3].xyxy]), np.float32([p[4].xyxy]))[0, 0] for p in pairs.values())
    assert apart == 0
    assert met > 0.2
    assert pairs[36][3].visible < 0.8
    assert pairs[36][4].visible == 1


def test_the_plate_is_white_with_dark_letters(clip: Scene) -> None:
    plate = next(box for box in clip.truth(75) if box.label == "plate")
    assert plate.visible == 1
    x0, y0, x1, y1 = (round(v) for v in plate.xyxy)
    grey = clip.frame(75)[y0:y1, x0:x1].mean(axis=2)
    assert np.percentile(grey, 80) > 200
    assert np.percentile(grey, 5) < 80


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_written_clip_has_its_pictures_sound_chapters_timecode_and_colour_tags(
    tmp_path: Path, suffix: str
) -> None:
    """80 frames at 25 fps last 3.2 s; the cut after 75 frames lies at 3 s."""
    path = tmp_path / f"demo{suffix}"
    seen: list[int] = []
    write_demo(path, size=(64, 36), frames=80, on_frame=seen.append)
    facts = probe(path)
    assert facts.video is not None
    assert (facts.video.codec, facts.video.pix_fmt, facts.video.size) == ("h264", "yuv420p", (64, 36))
    color = facts.video.color
    assert (color.matrix, color.primaries, color.transfer, color.range) == ("bt709", "bt709", "bt709", "tv")
    assert facts.video.fps == 25
    assert [stream.codec for stream in facts.of_kind("audio")] == ["aac"]
    assert [(c.start, c.stop, c.title) for c in facts.chapters] == [
        (0, 3, "Street"),
        (3, Fraction(16, 5), "Park"),
    ]
    assert facts.timecode == "10:00:00:00"
    assert seen == list(range(80))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_written_pictures_are_the_drawn_ones(tmp_path: Path) -> None:
    """H.264 at CRF 18 is not exact, so small areas are compared: swapped or shifted planes would show."""
    path = tmp_path / "demo.mp4"
    write_demo(path, size=(320, 180), frames=3)
    clip = scene((320, 180), 3)
    reader = cv2.VideoCapture(str(path))
    for n in range(3):
        ok, bgr = reader.read()
        assert ok
        rgb = bgr[..., ::-1].astype(int)
        assert np.abs(cv2.blur(rgb - clip.frame(n), (5, 5))).mean() < 2.5
    assert not reader.read()[0]


def test_a_clip_that_cannot_be_drawn_whole_leaves_no_file(tmp_path: Path) -> None:
    def stop(n: int) -> None:
        if n == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "demo.mp4", size=(64, 36), frames=10, on_frame=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("demo.avi", (64, 36), r"\.mp4 or \.mov, not as \.avi"),
        ("demo.mp4", (65, 36), "even width and height"),
    ],
)
def test_a_file_that_cannot_hold_the_clip_is_refused(
    tmp_path: Path, name: str, size: tuple[int, int], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        write_demo(tmp_path / name, size=size)


@pytest.mark.assets
def test_a_face_detector_finds_the_drawn_faces(clip: Scene, assets: Path) -> None:
    """YuNet found all 211 of them at 0.5, and nothing else; the floor leaves room for other builds."""
    model = assets / "models/face/face_detection_yunet_2023mar.onnx"
    detector = cv2.FaceDetectorYN.create(str(model), "", clip.size, 0.5, 0.3, 500)
    found, seen, false = 0, 0, 0
    for n in range(0, clip.frames, 3):
        _, rows = detector.detect(np.ascontiguousarray(clip.frame(n)[..., ::-1]))
        boxes = np.float32([[r[0], r[1], r[0] + r[2], r[1] + r[3]] for r in rows]) if rows is not None else None
        faces = [box for box in clip.truth(n) if box.label == "face"]
        if boxes is None:
            seen += sum(box.visible == 1 for box in faces)
            continue
        overlap = iou(np.float32([box.xyxy for box in faces]).reshape(-1, 4), boxes)
        for box, row in zip(faces, overlap, strict=True):
            seen += box.visible == 1
            found += box.visible == 1 and row.max() >= 0.5
        false += int((overlap.max(axis=0, initial=0) < 0.1).sum())
    assert seen > 60
    assert found >= 0.95 * seen
    assert false <= 2
