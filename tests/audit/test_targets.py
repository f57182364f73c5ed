"""Targets are read from our truth files and from the CSV of common verifiers, and what does not fit is refused."""

from pathlib import Path

import pytest

from vsanon.audit.targets import read_targets
from vsanon.errors import InputError

SIZE, FRAMES = (100, 80), 10


def file(folder: Path, *lines: str) -> Path:
    path = folder / "targets.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_common_verifiers_csv_is_read_by_its_header(tmp_path: Path) -> None:
    path = file(
        tmp_path, "frame,target_id,x1,y1,x2,y2", "1,anna,10,10,30,40", "2,anna,11,10,31,40", "2,7,50,5,70,30"
    )
    targets = read_targets(path, SIZE, FRAMES, first_frame=1)
    found = targets.truth
    assert found.frames.tolist() == [0, 1, 1]
    assert found.xyxy[0].tolist() == [10, 10, 30, 40]
    assert [targets.names[i] for i in found.ids.tolist()] == ["anna", "anna", "7"]
    assert set(found.classes.tolist()) == {"target"}


def test_columns_come_in_any_order_and_may_name_a_class(tmp_path: Path) -> None:
    path = file(tmp_path, "target_id,class,frame,x2,y2,x1,y1", "3,plate,0,30,40,10,20")
    targets = read_targets(path, SIZE, FRAMES)
    found = targets.truth
    assert (found.classes[0], targets.names[int(found.ids[0])]) == ("plate", "3")
    assert found.xyxy[0].tolist() == [10, 20, 30, 40]


def test_names_that_mean_the_same_number_or_none_that_a_computer_holds_stay_targets_of_their_own(
    tmp_path: Path,
) -> None:
    names = ["1", "01", "1000000", "anna", "9" * 30, "\u0661"]
    path = file(tmp_path, "frame,target_id,x1,y1,x2,y2", *(f"0,{name},1,1,9,9" for name in names))
    targets = read_targets(path, SIZE, FRAMES)
    assert [targets.names[i] for i in targets.truth.ids.tolist()] == names


def test_our_truth_is_read_as_well(tmp_path: Path) -> None:
    path = file(tmp_path, "frame,track_id,class,x0,y0,x1,y1,ignore,occluded,readable", "4,1,face,1,2,30,40,1,0,0")
    found = read_targets(path, SIZE, FRAMES).truth
    assert (int(found.frames[0]), bool(found.ignore[0])) == (4, True)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["frame,target_id,x1,y1,x2", "0,1,1,1,9"], "y2 is missing"),
        (["frame,target_id,x1,y1,x2,y2", "0,1,9,1,9,9"], "x1 < x2"),
        (["frame,target_id,x1,y1,x2,y2", "0,1,1,1,nan,9"], "x1 < x2"),
        (["frame,target_id,x1,y1,x2,y2", "-1,1,1,1,9,9"], "whole number"),
        (["frame,target_id,x1,y1,x2,y2", "0,1,1,1,9"], "6 columns"),
        (["frame,target_id,x1,y1,x2,y2", "10,1,1,1,9,9"], "--first-frame 1"),
        (["frame,target_id,x1,y1,x2,y2", "0,1,200,1,209,9"], "lies outside"),
        (["frame,target_id,x1,y1,x2,y2", "0,1,1,1,9,9", "0,1,2,1,9,9"], "twice"),
        (["frame,target_id,x1,y1,x2,y2", f"0,1,1,1,{'9' * 200_000},9"], "no CSV that can be read"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_targets(file(tmp_path, *lines), SIZE, FRAMES)


def test_frames_numbered_from_one_have_no_frame_zero(tmp_path: Path) -> None:
    path = file(tmp_path, "frame,target_id,x1,y1,x2,y2", "0,1,1,1,9,9")
    with pytest.raises(InputError, match="it has frame 0"):
        read_targets(path, SIZE, FRAMES, first_frame=1)
