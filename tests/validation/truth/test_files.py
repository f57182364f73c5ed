"""Truth in the formats of other tools: told by content, read with the counts and corners of each."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validation.truth.test_transforms import same, truth_of
from vsanon.errors import InputError
from vsanon.validation.truth.boxes import COLUMNS, Truth, read_truth
from vsanon.validation.truth.files import Kind, kind_of, read_any, write_truth

CSV = ",".join(COLUMNS) + "\n4,2,face,10,20,40,60,0,0,0\n"
TLD = "NaN,NaN,NaN,NaN\n" * 4 + "10,20,40,60\n"
MOT = "5,2,11,21,30,40,1,-1,-1\n"
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<track id="0" label="face"><box frame="4" keyframe="1" outside="0" xtl="10" ytl="20" xbr="40" ybr="60"/>
<box frame="5" keyframe="1" outside="1" xtl="10" ytl="20" xbr="40" ybr="60"/></track></annotations>"""
COCO = json.dumps(
    {
        "images": [{"id": 1, "file_name": "frame_4.png"}],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], "track_id": 2}],
    }
)
KINDS = {Kind.CSV: CSV, Kind.TLD: TLD, Kind.MOT: MOT, Kind.CVAT: CVAT, Kind.COCO: COCO}


def written(folder: Path, text: str) -> Path:
    path = folder / "truth.dat"
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_box_is_read_from_every_kind_and_its_kind_is_told(tmp_path: Path, kind: Kind) -> None:
    """Frame 4 counted from 0; MOTChallenge counts frames and pixels from 1."""
    path = written(tmp_path, KINDS[kind])
    assert kind_of(path) is kind
    truth = read_any(path)
    assert truth.frames.tolist() == [4]
    assert truth.classes.tolist() == ["face"]
    assert truth.xyxy.tolist() == [[10, 20, 40, 60]]
    assert not truth.ignore.any()


@pytest.mark.parametrize("kind", [Kind.TLD, Kind.MOT])
def test_a_kind_without_classes_takes_the_named_one(tmp_path: Path, kind: Kind) -> None:
    assert read_any(written(tmp_path, KINDS[kind]), class_name="plate").classes.tolist() == ["plate"]


@pytest.mark.parametrize("text", ["", "frame;id\n1;2", "a,b,c,d", "1,2,3", "hello", "\x00\x01"])
def test_what_cannot_be_told_is_an_error_that_names_the_kinds(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"truth\.dat: can't tell .*csv, tld, mot, cvat, coco"):
        read_any(written(tmp_path, text))


def test_a_named_kind_is_not_guessed_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the header must be"):
        read_any(written(tmp_path, MOT), "csv")
    with pytest.raises(InputError, match="'voc' is no kind of truth file"):
        read_any(written(tmp_path, MOT), "voc")


def test_motchallenge_truth_with_a_score_of_0_is_ignored_as_its_own_is(tmp_path: Path) -> None:
    truth = read_any(written(tmp_path, MOT + "5,3,11,21,30,40,0,-1,-1\n"))
    assert (truth.ids.tolist(), truth.ignore.tolist()) == ([2, 3], [False, True])


def test_a_label_that_ends_in_ignore_is_of_its_class_and_ignored(tmp_path: Path) -> None:
    truth = read_any(written(tmp_path, CVAT.replace('"face"', '"plate-ignore"')))
    assert (truth.classes.tolist(), truth.ignore.tolist()) == (["plate"], [True])


def test_each_cvat_track_is_an_identity_and_its_frames_between_are_filled(tmp_path: Path) -> None:
    box = '<box frame="{}" keyframe="1" outside="0" xtl="{}" ytl="0" xbr="{}" ybr="8"/>'
    tracks = [(0, [box.format(0, 0, 4), box.format(2, 8, 12)]), (1, [box.format(1, 50, 54)])]
    body = "".join(f'<track id="{i}" label="face">{"".join(boxes)}</track>' for i, boxes in tracks)
    truth = read_any(written(tmp_path, f"<annotations><version>1.1</version>{body}</annotations>"))
    assert truth.frames.tolist() == [0, 1, 1, 2]
    assert len(set(truth.ids.tolist())) == 2
    assert truth.xyxy[:, 0].tolist() == [0, 4, 50, 8]


def coco(*boxes: tuple[int, int | None]) -> str:
    """Boxes of (frame, track_id)."""
    entries = [
        {"id": k, "image_id": n, "category_id": 1, "bbox": [k, 0, 5, 5]}
        | ({} if track is None else {"track_id": track})
        for k, (n, track) in enumerate(boxes)
    ]
    images = [{"id": n, "file_name": f"{n}.png", "frame": n} for n in sorted({n for n, _ in boxes})]
    return json.dumps({"images": images, "categories": [{"id": 1, "name": "face"}], "annotations": entries})


def test_coco_boxes_of_several_frames_need_identities(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 of its boxes have no track_id"):
        read_any(written(tmp_path, coco((0, 1), (1, None))))
    assert len(set(read_any(written(tmp_path, coco((0, None), (0, None)))).ids.tolist())) == 2


def test_an_identity_twice_in_a_frame_is_told_apart_as_two(tmp_path: Path) -> None:
    """vsanon's own export gives an identity's second boxes a lane of their own."""
    data = json.loads(coco((0, 1), (0, 1), (1, 1)))
    for entry, lane in zip(data["annotations"], (0, 1, 0), strict=True):
        entry["attributes"] = {"lane": lane}
    truth = read_any(written(tmp_path, json.dumps(data)))
    assert truth.frames.tolist() == [0, 0, 1]
    assert sorted(truth.ids.tolist()) == [1, 1, 2]


def test_a_clip_s_size_and_length_are_checked_where_they_are_given(tmp_path: Path) -> None:
    path = written(tmp_path, MOT)
    assert len(read_any(path, size=(640, 360), frames=5)) == 1
    with pytest.raises(InputError, match=r"truth\.dat:1: .*frame 4 is not one of the clip.s 4"):
        read_any(path, size=(640, 360), frames=4)
    with pytest.raises(InputError, match=r"face 2 of frame 4 at \(10, 20, 40, 60\) lies outside: .*10x360 pixels"):
        read_any(path, size=(10, 360), frames=5)


edges = st.floats(-1e6, 1e6, width=32)


@given(st.lists(st.tuples(edges, edges, edges, edges), max_size=5))
def test_a_written_truth_reads_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, boxes: list) -> None:
    ordered = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes if a != c and b != d]
    truth = truth_of(*((n, 1, box) for n, box in enumerate(ordered)))
    path = tmp_path_factory.mktemp("truth") / "t.csv"
    write_truth(path, truth)
    assert same(read_truth(path), truth)


def test_flags_are_written_and_a_class_that_would_break_its_line_is_refused(tmp_path: Path) -> None:
    yes, no = np.array([True]), np.array([False])
    columns = {"frames": [3], "ids": [9], "xyxy": [[0, 0, 1.5, 2]], "ignore": yes, "occluded": no, "readable": yes}
    write_truth(tmp_path / "t.csv", Truth(classes=np.array(["plate"]), **columns))  # type: ignore[arg-type]
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "3,9,plate,0,0,1.5,2,1,0,1"
    with pytest.raises(InputError, match="can't stand in a CSV"):
        write_truth(tmp_path / "t.csv", Truth(classes=np.array(["a,b"]), **columns))  # type: ignore[arg-type]
