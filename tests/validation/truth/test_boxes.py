"""The truth files: what is read, and how a damaged one is named."""

from pathlib import Path

import numpy as np
import pytest

from vsanon.errors import InputError
from vsanon.validation.truth.boxes import Truth, read_tld, read_truth

HEADER = "frame,track_id,class,x0,y0,x1,y1,ignore,occluded,readable\n"


def written(tmp_path: Path, text: str, name: str = "truth.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def one_box(**changes: object) -> Truth:
    columns = {
        "frames": [0],
        "ids": [1],
        "classes": ["face"],
        "xyxy": [[0, 0, 2, 2]],
        "ignore": [False],
        "occluded": [False],
        "readable": [False],
    }
    return Truth(**{**columns, **changes})  # type: ignore[arg-type]


def test_each_column_of_a_csv_lands_in_its_own_field(tmp_path: Path) -> None:
    truth = read_truth(written(tmp_path, HEADER + "3,7,plate,1.5,2,30,12.25,1,0,1\n"))
    assert truth.frames.tolist() == [3]
    assert truth.ids.tolist() == [7]
    assert truth.classes.tolist() == ["plate"]
    assert truth.xyxy.dtype == np.float32
    assert truth.xyxy.tolist() == [[1.5, 2, 30, 12.25]]
    assert (truth.ignore.tolist(), truth.occluded.tolist(), truth.readable.tolist()) == (
        [True],
        [False],
        [True],
    )


def test_rows_out_of_order_are_sorted_by_frame_and_found_by_it(tmp_path: Path) -> None:
    lines = "5,1,face,0,0,1,1,0,0,0\n2,1,face,0,0,2,2,0,0,0\n5,2,face,0,0,3,3,0,0,0\n"
    truth = read_truth(written(tmp_path, HEADER + lines))
    assert truth.frames.tolist() == [2, 5, 5]
    assert truth.xyxy[truth.rows(5), 2].tolist() == [1, 3]
    assert truth.xyxy[truth.rows(2), 2].tolist() == [2]
    assert len(truth.xyxy[truth.rows(3)]) == 0


def test_a_header_alone_is_a_clip_without_truth(tmp_path: Path) -> None:
    assert len(read_truth(written(tmp_path, HEADER))) == 0


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    truth = read_truth(written(tmp_path, "\ufeff" + HEADER + "\n0,1,face,0,0,1,1,0,0,0\n\n"))
    assert truth.frames.tolist() == [0]


@pytest.mark.parametrize(
    ("line", "column", "why"),
    [
        ("-1,1,face,0,0,1,1,0,0,0", "frame", "whole number from 0 up, got '-1'"),
        ("1.0,1,face,0,0,1,1,0,0,0", "frame", "got '1.0'"),
        ("0,x,face,0,0,1,1,0,0,0", "track_id", "got 'x'"),
        ("0,9999999999999999999,face,0,0,1,1,0,0,0", "track_id", "got '9999999999999999999'"),
        ("0,1,,0,0,1,1,0,0,0", "class", "expected a name"),
        ("0,1,face,left,0,1,1,0,0,0", "x0", "expected pixels, got 'left'"),
        ("0,1,face,0,0,nan,1,0,0,0", "x1", "expected pixels, got 'nan'"),
        ("0,1,face,5,0,5,1,0,0,0", "x1", "more than 5, its other edge, got 5"),
        ("0,1,face,0,3,5,1,0,0,0", "y1", "more than 3, its other edge, got 1"),
        ("0,1,face,0,0,1,1,yes,0,0", "ignore", "expected 0 or 1, got 'yes'"),
        ("0,1,face,0,0,1,1,0,2,0", "occluded", "expected 0 or 1, got '2'"),
        ("0,1,face,0,0,1,1,0,0,", "readable", "expected 0 or 1, got ''"),
    ],
)
def test_a_bad_cell_is_named_by_file_line_and_column(tmp_path: Path, line: str, column: str, why: str) -> None:
    path = written(tmp_path, HEADER + "0,9,face,0,0,1,1,0,0,0\n" + line + "\n")
    with pytest.raises(InputError) as caught:
        read_truth(path)
    assert str(caught.value).startswith(f"{path}:3: column {column}: ")
    assert why in str(caught.value)


def test_an_identity_twice_in_a_frame_is_refused_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "4,1,face,0,0,1,1,0,0,0\n4,1,plate,0,0,1,1,0,0,0\n4,1,face,2,2,3,3,0,0,0\n")
    with pytest.raises(InputError, match=r":4: column track_id: frame 4 already has face 1, on line 2"):
        read_truth(path)


def test_a_short_line_names_the_column_that_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":2: expected 10 columns .*got 8; missing: occluded"):
        read_truth(written(tmp_path, HEADER + "0,1,face,0,0,1,1,0\n"))


def test_another_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: the header must be frame,track_id,class"):
        read_truth(written(tmp_path, "frame,id,x,y,w,h\n"))


def test_an_empty_file_is_not_a_clip_without_truth(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got nothing"):
        read_truth(written(tmp_path, ""))


def test_an_absent_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv"):
        read_truth(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00frame")
    with pytest.raises(InputError, match=r"binary\.csv"):
        read_truth(tmp_path / "binary.csv")


def test_a_tld_line_is_the_frame_one_below_its_number_and_nan_is_absent(tmp_path: Path) -> None:
    path = written(tmp_path, "165,93,216,147\nNaN,NaN,NaN,NaN\n162.5,96,213,150\n", "tld.txt")
    truth = read_tld(path)
    assert truth.frames.tolist() == [0, 2]
    assert truth.xyxy.tolist() == [[165, 93, 216, 147], [162.5, 96, 213, 150]]
    assert (truth.ids.tolist(), truth.classes.tolist()) == ([1, 1], ["face", "face"])
    assert not truth.ignore.any()


def test_a_tld_line_that_is_half_a_box_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r":1: column y1: expected pixels, got 'NaN'"):
        read_tld(written(tmp_path, "165,93,216,NaN\n", "tld.txt"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ids": [1, 2]}, "1 frames need 1 ids, got 2"),
        ({"frames": [-1]}, "0-based, got -1"),
        ({"xyxy": [[2, 0, 2, 2]]}, "x0 < x1"),
        ({"xyxy": [[0, 0, np.inf, 2]]}, "finite"),
    ],
)
def test_a_truth_that_cannot_be_is_never_built(changes: dict[str, object], why: str) -> None:
    assert len(one_box()) == 1
    with pytest.raises(ValueError, match=why):
        one_box(**changes)


def test_the_same_identity_twice_in_a_frame_is_never_built() -> None:
    twice = {name: np.repeat(getattr(one_box(), name), 2, axis=0) for name in Truth.__slots__}
    with pytest.raises(ValueError, match="twice in one frame"):
        Truth(**twice)
    assert len(Truth(**{**twice, "classes": np.array(["face", "plate"])})) == 2


@pytest.mark.assets
def test_the_truth_of_the_crowd_has_eleven_identities_that_count(assets: Path) -> None:
    truth = read_truth(assets / "truth" / "opera_crowd_1080p25.csv")
    assert len(truth) == 892
    assert (~truth.ignore).sum() == 742
    assert len(np.unique(truth.ids[~truth.ignore])) == 11


@pytest.mark.assets
def test_the_tld_truths_are_read_to_their_last_line(assets: Path) -> None:
    lengths = {"tld_david.txt": 761, "tld_jumping.txt": 313}
    for name, frames in lengths.items():
        truth = read_tld(assets / "truth" / name)
        assert 0 < len(truth) <= frames
        assert truth.frames[-1] < frames
