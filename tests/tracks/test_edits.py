"""Edits: what people change applies where they say and nowhere else, and undoing it leaves no trace."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsanon.detections import Origin, Outline, TrackedBoxes
from vsanon.errors import InputError, TrackFileError
from vsanon.files import hidden_beside
from vsanon.timing import FrameRange
from vsanon.tracks import edits, write_edits
from vsanon.tracks.edit_kinds import Change, Drop, Expose, Keep, KeyFrame, Merge, Move, Region, Split
from vsanon.tracks.file import TrackWriter, read_tracks, rewrite_edits
from vsanon.tracks.keyframes import follow
from vsanon.tracks.table import TrackTable

FRAMES = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Track 1 at the left in all of 20 frames, track 2 at the right in frames 5 to 14, 1 px a frame."""
    writer = TrackWriter({"frames": FRAMES, "size": [640, 480], "fps": "25"})
    for n in range(FRAMES):
        rows = [(3, 10, 10)] + ([(8, 300 + n, 20)] if 5 <= n < 15 else [])
        xyxy = np.array([[x, y, x + 40, y + 50] for _, x, y in rows], np.float32)
        swatches = np.array([[i] * 75 for i, _, _ in rows], np.uint8).reshape(-1, 5, 5, 3)
        writer.add(
            TrackedBoxes(
                xyxy, np.full(len(rows), 0.5, np.float32), ("face",) * len(rows), tuple(i for i, _, _ in rows),
                (Origin.DETECTED,) * len(rows), swatches,
            )
        )  # fmt: skip
    writer.write(tmp_path / "t")
    return tmp_path / "t"


def edited(path: Path, *changes: Change) -> TrackTable:
    write_edits.add(path, changes, by="A. Person", reason="asked for")
    return edits.apply(read_tracks(path))


def frames_of(table: TrackTable, track: int) -> list[int]:
    return [n for n in range(len(table)) if track in table.at(n).ids]


def box_of(table: TrackTable, track: int, n: int) -> list[float]:
    found = table.at(n)
    return found.xyxy[found.ids.index(track)].tolist()


def test_without_edits_the_table_is_what_was_found(path: Path) -> None:
    table = read_tracks(path)
    assert edits.apply(table) is table


def test_what_a_killed_writer_left_goes_with_the_next_edit_and_nothing_of_others(path: Path) -> None:
    left = [path.with_name(f"{hidden_beside(path.with_name(name))}-0a.partial") for name in (path.name, "other")]
    for file in left:
        file.write_bytes(b"half")
    edited(path, Drop(2))
    assert [file.exists() for file in left] == [False, True]


def test_expose_uncovers_one_track_in_its_frames_and_no_other(path: Path) -> None:
    table = edited(path, Expose(1, FrameRange(3, 8)))
    assert frames_of(table, 1) == [0, 1, 2, *range(8, 20)]
    assert frames_of(table, 2) == list(range(5, 15))


def test_keep_takes_an_exposure_back_and_bridges_what_was_never_found(path: Path) -> None:
    table = edited(path, Expose(2, FrameRange(5, 10)), Keep(2, FrameRange(8, 18)))
    assert frames_of(table, 2) == list(range(8, 18))
    assert box_of(table, 2, 9) == [309, 20, 349, 70]
    # After its last frame the box stays where it was.
    assert box_of(table, 2, 17) == [314, 20, 354, 70]
    assert table.at(17).origins[1] == Origin.MANUAL


TO = (KeyFrame(5, (100, 10, 140, 60)),)
"""A place where nothing was found."""


@pytest.mark.parametrize(
    ("changes", "bare"),
    [
        ([Expose(1, FrameRange(3, 8))], [5]),
        ([Expose(1, FrameRange(3, 8)), Keep(1, FrameRange(3, 6))], [2, None]),
        ([Expose(1, FrameRange(3, 8)), Keep(1, FrameRange(0, 20))], [0, None]),
        ([Expose(1, FrameRange(3, 8)), Merge(2, (1,)), Keep(2, FrameRange(0, 20))], [0, None, None]),
        ([Split(1, 10, 7), Expose(7, FrameRange(0, 20)), Keep(1, FrameRange(0, 10))], [None, 10, None]),
        ([Expose(1, FrameRange(3, 8)), Expose(1, FrameRange(5, 10))], [5, 2]),
        ([Drop(1)], [20]),
        ([Expose(1, FrameRange(3, 8)), Drop(1)], [0, 20]),  # the later one wins: it is no face
        ([Drop(1), Expose(1, FrameRange(3, 8))], [20, 0]),
        ([Move(1, FrameRange(5, 9), TO)], [4]),
        ([Move(1, FrameRange(5, 9), TO), Move(1, FrameRange(5, 9), (KeyFrame(5, (5, 5, 45, 55)),))], [0, 0]),
        ([Move(1, FrameRange(5, 9), (KeyFrame(5, (10, 10, 29, 60)),))], [4]),  # 19 of 40 columns
        ([Move(1, FrameRange(5, 9), (KeyFrame(5, (10, 10, 30, 60)),))], [0]),
        ([Keep(2, FrameRange(0, 5)), Move(2, FrameRange(0, 5), TO)], [None, 0]),  # no model has seen it there
        ([Move(1, FrameRange(5, 9), TO), Region(9, FrameRange(0, 20), "logo", "rectangle",
          (KeyFrame(0, (0, 0, 60, 60)),))], [0, None]),
        ([Move(1, FrameRange(5, 9), TO), Expose(1, FrameRange(7, 9))], [4, 2]),
    ],
)  # fmt: skip
def test_the_ledger_counts_what_edits_leave_bare_in_the_end(
    path: Path, changes: list[Change], bare: list[int | None]
) -> None:
    write_edits.add(path, changes, by="A. Person", reason="asked for")
    assert [edit.get("bare") for edit in edits.listed(read_tracks(path))] == bare


def test_drop_removes_a_track_and_undo_brings_it_back_to_the_byte(path: Path) -> None:
    before = path.read_bytes()
    assert frames_of(edited(path, Drop(2)), 2) == []
    assert write_edits.undo(path, 1).change == Drop(2)
    assert path.read_bytes() == before


def test_merge_and_split_rename_and_move_nothing(path: Path) -> None:
    before = read_tracks(path)
    table = edited(path, Merge(1, (2,)), Split(1, 10, 7))
    assert frames_of(table, 1) == list(range(10))
    assert frames_of(table, 7) == list(range(10, 20))
    assert np.array_equal(table.xyxy, before.xyxy)
    assert np.array_equal(table.swatches[table.colours], before.swatches[before.colours])


def test_move_goes_linearly_between_key_frames_and_keeps_its_colours(path: Path) -> None:
    keys = (KeyFrame(6, (100, 100, 140, 150)), KeyFrame(10, (108, 100, 156, 150)))
    table = edited(path, Move(2, FrameRange(5, 12), keys))
    assert box_of(table, 2, 5) == [100, 100, 140, 150]
    assert box_of(table, 2, 8) == [104, 100, 148, 150]
    assert box_of(table, 2, 11) == [108, 100, 156, 150]
    assert box_of(table, 2, 12) == [312, 20, 352, 70]
    assert int(table.at(8).swatches[1, 0, 0, 0]) == 8
    assert frames_of(table, 2) == list(range(5, 15))


def test_a_region_is_painted_last_with_its_outline(path: Path) -> None:
    keys = (KeyFrame(0, (50, 60, 90, 80), ((0, 0), (1, 0), (0.5, 1))),
            KeyFrame(4, (58, 60, 98, 80), ((0, 0), (1, 0), (0.25, 1))))  # fmt: skip
    table = edited(path, Region(3, FrameRange(0, 6), "logo", "polygon", keys))
    assert frames_of(table, 3) == list(range(6))
    found = table.at(2)
    assert found.ids == (1, 3)
    assert found.classes == ("face", "logo")
    assert found.outlines == (None, Outline("polygon", ((0, 0), (1, 0), (0.375, 1))))
    assert found.xyxy[1].tolist() == [54, 60, 94, 80]
    assert table.at(10).outlines == (None, None)


def test_a_region_can_be_edited_like_any_track(path: Path) -> None:
    region = Region(3, FrameRange(0, 10), "logo", "ellipse", (KeyFrame(0, (50, 60, 90, 80)),))
    table = edited(
        path, region, Expose(3, FrameRange(2, 4)), Move(3, FrameRange(6, 8), (KeyFrame(6, (0, 0, 8, 8)),))
    )
    assert frames_of(table, 3) == [0, 1, 4, 5, 6, 7, 8, 9]
    found = table.at(7)
    assert found.xyxy[-1].tolist() == [0, 0, 8, 8]
    assert found.outlines[-1] == Outline("ellipse")


def test_edits_go_in_order_so_the_later_one_wins(path: Path) -> None:
    table = edited(path, Keep(1, FrameRange(0, 20)), Expose(1, FrameRange(0, 20)))
    assert frames_of(table, 1) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Expose(9, FrameRange(0, 5)), "no track 9"),
        (Expose(1, FrameRange(0, 21)), "past the clip's 20"),
        (Split(2, 5, 9), "both sides"),
        (Split(1, 5, 2), "a track 2 already"),
        (Region(1, FrameRange(0, 5), "logo", "ellipse", (KeyFrame(0, (0, 0, 8, 8)),)), "a track 1 already"),
    ],
)
def test_an_edit_that_can_not_be_applied_is_refused_and_nothing_is_written(
    path: Path, change: Change, message: str
) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match=message):
        write_edits.add(path, [change], by="A. Person", reason="asked for")
    assert path.read_bytes() == before


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("who", " ")])
def test_every_edit_has_an_author_and_a_reason(path: Path, by: str, reason: str) -> None:
    with pytest.raises(InputError, match="every edit says"):
        write_edits.add(path, [Drop(1)], by=by, reason=reason)


def test_an_edit_that_another_needs_can_not_be_undone_first(path: Path) -> None:
    write_edits.add(path, [Split(1, 10, 7), Drop(7)], by="A. Person", reason="asked for")
    with pytest.raises(InputError, match="needed by another"):
        write_edits.undo(path, 1)
    with pytest.raises(InputError, match="no edit 9"):
        write_edits.undo(path, 9)


def test_edits_are_listed_with_author_time_and_reason_and_fit_the_schema(path: Path) -> None:
    region = Region(
        3,
        FrameRange(0, 9),
        "logo",
        "rectangle",
        (KeyFrame(0, (1, 2, 3, 4)), KeyFrame(4, (2, 2, 4, 4), tracked=True)),
    )
    move = Move(2, FrameRange(5, 7), (KeyFrame(5, (1, 2, 3, 4)),))
    write_edits.add(
        path, [Keep(1, FrameRange(0, 5)), Merge(1, (2,)), Split(1, 9, 2), move, region], by="B", reason="R"
    )
    write_edits.add(path, [Drop(3), Expose(1, FrameRange(0, 2))], by="C", reason="S")
    listed = edits.edits_of(read_tracks(path))
    assert [edit.op for edit in listed] == ["keep", "merge", "split", "move", "region", "drop", "expose"]
    assert [edit.number for edit in listed] == [1, 2, 3, 4, 5, 6, 7]
    assert [edit.by for edit in listed] == ["B"] * 5 + ["C"] * 2
    assert listed[4].change == region
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((resources.files("vsanon") / "schema" / "track_file.schema.json").read_text())
    for record in read_tracks(path).edits:
        jsonschema.Draft202012Validator(schema).validate(record)


GOOD: dict[str, Any] = {"edit": 1, "op": "region", "by": "B", "at": "2026-01-02T03:04:05+00:00", "reason": "R",
                        "track": 9, "range": [0, 5], "class": "logo", "shape": "rectangle",
                        "keys": [{"frame": 0, "box": [0, 0, 8, 8]}]}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"op": "teleport"}, "does not know"),
        ({"track": "9"}, "track's number"),
        ({"track": 2**31}, "track's number"),
        ({"range": [5, 5]}, "start < stop"),
        ({"range": [0]}, "unpack"),
        ({"range": [0, 10**30]}, "whole number"),
        ({"keys": []}, "key frames"),
        ({"keys": [{"frame": 0, "box": [8, 0, 0, 8]}]}, "x0 < x1"),
        ({"keys": [{"frame": 0, "box": [0, 0, 8, 1e300]}]}, "number"),
        ({"keys": [{"frame": 0}]}, "'box' is missing"),
        ({"keys": 7}, "iterable"),
        ({"shape": "star"}, "rectangle, an ellipse"),
        ({"shape": "polygon"}, "three or more"),
        ({"class": ""}, "class is a name"),
        ({"class": 7}, "class is a name"),
    ],
)
def test_a_file_with_an_edit_that_is_not_valid_is_refused(
    path: Path, changed: dict[str, Any], message: str
) -> None:
    rewrite_edits(path, [{**GOOD, **changed}])
    with pytest.raises(TrackFileError, match=message):
        edits.apply(read_tracks(path))


def moving_picture(n: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A textured picture that slides by (3, -1) px a frame, and 2 px faster after frame 10."""
    noise = np.random.default_rng(5).integers(0, 256, (75, 100), dtype=np.uint8)
    big = np.kron(noise, np.ones((8, 8), np.uint8))
    x = 100 - 3 * n - 2 * max(n - 10, 0)
    return np.ascontiguousarray(big[100 + n : 340 + n, x : x + 320])


def test_a_region_follows_the_picture_between_two_key_frames() -> None:
    keys = (KeyFrame(0, (100, 100, 160, 150)), KeyFrame(20, (180, 80, 240, 130)))
    followed, lost = follow(moving_picture, keys)
    assert lost == ()
    assert (followed[0], followed[-1]) == keys
    boxes, _ = edits.place(followed, np.arange(21))
    expected = [100 + 3 * n + 2 * max(n - 10, 0) for n in range(21)]
    assert np.abs(boxes[:, 0] - expected).max() < 1
    # Linear interpolation alone would be 10 px off in the middle.
    assert abs(edits.place(keys, np.array([10]))[0][0, 0] - expected[10]) == 10


def test_where_the_picture_tells_nothing_the_region_is_interpolated_and_the_frames_are_named() -> None:
    keys = (KeyFrame(0, (100, 100, 160, 150)), KeyFrame(4, (120, 100, 180, 150)))
    followed, lost = follow(lambda n: np.full((240, 320), 90, np.uint8), keys)
    assert lost == (1, 2, 3)
    assert followed == keys
