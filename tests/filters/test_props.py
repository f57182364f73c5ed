"""Frame properties: what is written is read back, and what was altered is refused."""

from typing import Any

import numpy as np
import pytest
import vapoursynth as vs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clips import covered, found
from vsanon.detections import Detections, Origin, TrackedBoxes
from vsanon.errors import CheckError
from vsanon.filters import props
from vsanon.tracking.evidence import Evidence, Evidences

SIZE = (160, 96)


def through_vapoursynth(boxes: Detections | TrackedBoxes) -> dict[str, Any]:
    """The properties as a frame gives them: single values bare, lists of none not at all."""
    with vs.core.std.BlankClip(length=1).get_frame(0).copy() as frame:
        props.write(frame.props, boxes, SIZE)
        return dict(frame.props)


numbers = st.floats(-1e4, 1e4, width=32)
scores = st.floats(0, 1, width=32)
names = st.sampled_from(["face", "plate", "Gesicht, männlich", "x"])


@st.composite
def tracked(draw: st.DrawFn) -> TrackedBoxes:
    n = draw(st.integers(0, 5))
    return TrackedBoxes(
        np.array(draw(st.lists(numbers, min_size=4 * n, max_size=4 * n)), np.float32).reshape(n, 4),
        np.array(draw(st.lists(scores, min_size=n, max_size=n)), np.float32),
        tuple(draw(st.lists(names, min_size=n, max_size=n))),
        tuple(draw(st.lists(st.integers(0, 2**40), min_size=n, max_size=n))),
        tuple(draw(st.lists(st.sampled_from(Origin), min_size=n, max_size=n))),
        np.frombuffer(draw(st.binary(min_size=75 * n, max_size=75 * n)), np.uint8).reshape(n, 5, 5, 3),
    )


@given(tracked())
@settings(max_examples=30, deadline=None)
def test_tracked_boxes_come_back_as_they_were(boxes: TrackedBoxes) -> None:
    got = props.read_tracked(through_vapoursynth(boxes), SIZE)
    for name in ("xyxy", "scores", "swatches"):
        assert np.array_equal(getattr(got, name), getattr(boxes, name))
        assert getattr(got, name).dtype == getattr(boxes, name).dtype
    assert (got.classes, got.ids, got.origins) == (boxes.classes, boxes.ids, boxes.origins)


@given(tracked())
@settings(max_examples=30, deadline=None)
def test_detections_come_back_as_they_were(boxes: TrackedBoxes) -> None:
    agreed = boxes.scores > 0.5
    seen = Detections(boxes.xyxy, boxes.scores, boxes.classes, boxes.swatches, agreed)
    got = props.read_detections(through_vapoursynth(seen), SIZE)
    assert np.array_equal(got.agreed, agreed)
    assert np.array_equal(got.xyxy, seen.xyxy)
    assert np.array_equal(got.scores, seen.scores)
    assert np.array_equal(got.swatches, seen.swatches)
    assert got.classes == seen.classes


def test_boxes_that_their_class_covers_by_themselves_are_read_alone() -> None:
    seen = found([(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)])
    seen = Detections(seen.xyxy, np.array([0.5, 0.25, 0.75], np.float32), ("face", "face", "plate"), seen.swatches)
    given_props = through_vapoursynth(seen)
    half, plates = Evidence(cover_score=0.5, confirm_score=0.5), Evidence(cover_score=0.8, confirm_score=0.8)
    assert props.read_boxes(given_props, Evidences({}, half)) == [("face", [0, 1, 2, 3]), ("plate", [8, 9, 10, 11])]
    assert props.read_boxes(given_props, Evidences({"plate": plates}, half)) == [("face", [0, 1, 2, 3])]
    with pytest.raises(CheckError, match="no detection was made"):
        props.read_boxes({}, Evidences())


def test_a_frame_with_no_box_says_so_and_carries_no_lists() -> None:
    known = through_vapoursynth(covered([]))
    ours = {k: v for k, v in known.items() if k.startswith("Vsanon")}
    assert ours.pop("VsanonSeal")
    assert ours == {"VsanonCount": 0, "VsanonSize": [160, 96], "VsanonTracked": 1}
    assert len(props.read_tracked(known)) == 0


def test_writing_again_leaves_nothing_of_what_was_there() -> None:
    kept: dict[str, Any] = {"Slate": "A001"}
    props.write(kept, covered([(0, 0, 5, 5)]), SIZE)
    props.write(kept, found([]), (80, 48))
    assert kept.pop("VsanonSeal")
    assert kept == {"Slate": "A001", "VsanonCount": 0, "VsanonSize": [80, 48]}


def test_a_frame_is_known_once_it_was_searched_even_if_nothing_was_found() -> None:
    assert props.is_known(through_vapoursynth(found([])))
    assert not props.is_known({})


def test_a_frame_that_was_never_searched_says_why_where_it_can() -> None:
    with pytest.raises(CheckError, match="carries no VsanonCount: is this the clip that detect or track gave"):
        props.read_tracked({})
    with pytest.raises(CheckError, match="no detection was made for this frame: the model broke"):
        props.read_detections({props.MISSING: "the model broke"})


def test_detections_and_tracks_are_not_taken_for_each_other() -> None:
    with pytest.raises(CheckError, match="detections, not tracks: pass what track gave"):
        props.read_tracked(through_vapoursynth(found([])))
    with pytest.raises(CheckError, match="tracks, not detections: pass what detect gave"):
        props.read_detections(through_vapoursynth(covered([])))


def test_boxes_of_another_size_are_refused_with_both_sizes() -> None:
    known = through_vapoursynth(covered([(0, 0, 5, 5)]))
    with pytest.raises(CheckError, match=r"a clip of 160x96, this one is 96x160: resize or crop before detect"):
        props.read_tracked(known, (96, 160))
    assert props.size_of(known) == SIZE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"VsanonBoxes": [0.0] * 7}, "VsanonBoxes holds 7 values, 8 were expected: the properties were altered"),
        ({"VsanonBoxes": None}, "has no VsanonBoxes"),
        ({"VsanonScores": 0.5}, "VsanonScores holds 1 values, 2 were expected"),
        ({"VsanonClasses": "face"}, "VsanonClasses holds 1 values, 2"),
        ({"VsanonIds": [1, 2, 3]}, "VsanonIds holds 3 values, 2"),
        ({"VsanonOrigins": None}, "has no VsanonOrigins"),
        ({"VsanonCells": b"123"}, "VsanonCells holds 3 bytes, 150 were expected"),
        ({"VsanonSize": None}, "has no VsanonSize"),
        ({"VsanonSize": 160}, "VsanonSize holds 1 values, 2"),
        ({"VsanonCount": 3}, "VsanonBoxes holds 8 values, 12"),
        ({"VsanonCount": -1}, "VsanonBoxes holds 8 values, -4"),
    ],
)
def test_properties_that_were_altered_are_refused(change: dict[str, Any], words: str) -> None:
    known = through_vapoursynth(covered([(0, 0, 5, 5), (9, 9, 20, 20)]))
    known.update(change)
    known = {k: v for k, v in known.items() if v is not None}
    with pytest.raises(CheckError, match=words):
        props.read_tracked(known, SIZE)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_box_that_is_no_number_is_refused(value: float) -> None:
    for boxes, read in (
        (covered([(0, 0, 5, 5)]), props.read_tracked),
        (found([(0, 0, 5, 5)]), props.read_detections),
    ):
        known = {**through_vapoursynth(boxes), "VsanonBoxes": [0.0, 0.0, value, 5.0]}
        with pytest.raises(ValueError, match="boxes must be finite"):
            read(known)


def test_an_origin_that_nobody_knows_is_refused() -> None:
    known = {**through_vapoursynth(covered([(0, 0, 5, 5)])), "VsanonOrigins": 9}
    with pytest.raises(ValueError, match="9 is not a valid Origin"):
        props.read_tracked(known)


def test_a_score_of_a_detection_that_lies_outside_its_range_is_refused() -> None:
    for score in (float("nan"), 1.01):
        known = {**through_vapoursynth(found([(0, 0, 5, 5)])), "VsanonScores": score}
        with pytest.raises(ValueError, match=r"scores must lie in \[0, 1\]"):
            props.read_detections(known)
