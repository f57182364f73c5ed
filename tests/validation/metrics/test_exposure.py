"""Coverage and exposure, each figure worked by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.errors import InputError
from vsanon.validation.metrics.box_coverage import coverage, is_exposed, missed_area, stray_area
from vsanon.validation.metrics.exposure import ClassExposure, Exposure, ExposureMeter
from vsanon.validation.truth.boxes import Truth

SIZE = (20, 10)
"""Width and height of the frames here."""


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    drawn = np.zeros((SIZE[1], SIZE[0]), bool)
    for x0, y0, x1, y1 in boxes:
        drawn[y0:y1, x0:x1] = True
    return drawn


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def truth_of(*rows: tuple, class_name: str = "face") -> Truth:
    """Rows of (frame, id, box) or (frame, id, box, ignore)."""
    n = len(rows)
    return Truth(
        frames=[row[0] for row in rows],  # type: ignore[arg-type]
        ids=[row[1] for row in rows],  # type: ignore[arg-type]
        classes=[class_name] * n,  # type: ignore[arg-type]
        xyxy=[row[2] for row in rows],  # type: ignore[arg-type]
        ignore=[len(row) > 3 and row[3] for row in rows],  # type: ignore[arg-type]
        occluded=[False] * n,  # type: ignore[arg-type]
        readable=[False] * n,  # type: ignore[arg-type]
    )


def measured(truth: Truth, masks: list[np.ndarray], fps: Fraction = Fraction(25)) -> Exposure:
    meter = ExposureMeter(truth, SIZE, fps)
    for n, drawn in enumerate(masks):
        meter.add(n, drawn, drawn)
    return meter.result()


def shown_at(*exposed: int, of: int, absent: tuple[int, ...] = (), ignored: tuple[int, ...] = ()) -> ClassExposure:
    """One face of 10x10 at the left over `of` frames, bare in the frames `exposed`, covered in the others."""
    face = (0, 0, 10, 10)
    rows = [(n, 1, face, n in ignored) for n in range(of) if n not in absent]
    return measured(truth_of(*rows), [mask() if n in exposed else mask(face) for n in range(of)]).classes["face"]


# Areas


def test_a_box_with_half_pixel_edges_weighs_its_edge_pixels_by_half() -> None:
    # 10..12.5 by 2..4 is 5 px²; columns 10 and 11 are covered, so half a column of two rows is bare.
    assert missed_area(mask((10, 2, 12, 4)), boxes((10, 2, 12.5, 4))).tolist() == [1.0]


def test_both_edges_of_a_box_within_one_pixel_are_taken_off_it() -> None:
    # 3.25..3.75 by 1.5..3: 0.5 wide, rows 1 (half) and 2 (whole): 0.75 px²; row 2 is covered.
    assert missed_area(mask(), boxes((3.25, 1.5, 3.75, 3))).tolist() == [0.75]
    assert missed_area(mask((3, 2, 4, 3)), boxes((3.25, 1.5, 3.75, 3))).tolist() == [0.25]


def test_a_fully_covered_box_misses_exactly_nothing() -> None:
    missed = missed_area(mask((0, 0, 20, 10)), boxes((0.1, 0.3, 19.7, 9.9)))
    assert missed.tolist() == [0.0]
    assert not is_exposed(coverage(missed, np.array([1.0])), tau=1.0).any()


def test_the_last_row_of_the_frame_counts() -> None:
    assert missed_area(mask((0, 0, 20, 9)), boxes((0, 0, 20, 10))).tolist() == [20.0]


def test_stray_area_is_what_the_mask_paints_beside_the_truth() -> None:
    # 8x4 = 32 px painted; the box shares 2.5 x 2 = 5 px² with it; a second box lies elsewhere.
    assert stray_area(mask((10, 2, 18, 6)), boxes((10, 2, 12.5, 4), (0, 8, 4, 10))) == 27.0


def test_a_pixel_of_two_overlapping_boxes_is_taken_off_once() -> None:
    assert stray_area(mask((0, 0, 10, 10)), boxes((0, 0, 6, 10), (4, 0, 8, 10))) == 20.0


def test_without_truth_all_of_the_mask_is_stray() -> None:
    assert stray_area(mask((0, 0, 3, 3)), boxes()) == 9.0


@given(
    st.lists(st.tuples(st.floats(0, 19, width=32), st.floats(0, 9, width=32)), max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_missed_and_stray_area_agree_with_a_sum_over_every_pixel(
    corners: list[tuple[float, float]], seed: int
) -> None:
    drawn = np.random.default_rng(seed).random((SIZE[1], SIZE[0])) < 0.5
    xyxy = boxes(*((x, y, x + (20 - x) / 2, y + (10 - y) / 3) for x, y in corners))
    share = np.zeros((len(xyxy), SIZE[1], SIZE[0]))
    for i, (x0, y0, x1, y1) in enumerate(xyxy.astype(float)):
        for y in range(SIZE[1]):
            for x in range(SIZE[0]):
                width = min(x1, x + 1) - max(x0, x)
                height = min(y1, y + 1) - max(y0, y)
                share[i, y, x] = max(width, 0) * max(height, 0)
    bare = (share * ~drawn).sum(axis=(1, 2))
    np.testing.assert_allclose(missed_area(drawn, xyxy), bare, atol=1e-9)
    stray = (drawn * (1 - share.max(axis=0, initial=0))).sum()
    assert stray_area(drawn, xyxy) == pytest.approx(stray, abs=1e-9)


# Coverage


def test_a_face_counts_as_covered_from_nine_tenths_of_its_area() -> None:
    face = (0, 0, 10, 10)
    for rows, covered in ((10, 1), (9, 1), (8, 0)):
        result = measured(truth_of((0, 1, face)), [mask((0, 0, 10, rows))]).classes["face"]
        assert (result.tau, result.covered_boxes, result.boxes) == (0.9, covered, 1)
        assert result.pixel_recall == rows / 10


def test_a_plate_counts_as_covered_only_whole() -> None:
    plate = truth_of((0, 1, (0, 0, 10, 10)), class_name="plate")
    assert measured(plate, [mask((0, 0, 10, 10))]).classes["plate"].coverage_recall == 1
    almost = mask((0, 0, 10, 10))
    almost[9, 9] = False
    assert measured(plate, [almost]).classes["plate"].coverage_recall == 0


def test_pixel_recall_weighs_boxes_by_their_area() -> None:
    # 100 px² all covered and 50 px² all bare: 100 of 150.
    result = measured(truth_of((0, 1, (0, 0, 10, 10)), (0, 2, (10, 0, 20, 5))), [mask((0, 0, 10, 10))])
    assert result.classes["face"].pixel_recall == pytest.approx(2 / 3)
    assert result.classes["face"].coverage_recall == 0.5
    assert result.classes["face"].exposure_rate == 0.5


def test_a_box_that_leaves_the_frame_counts_by_its_part_inside() -> None:
    result = measured(truth_of((0, 1, (-10, -5, 5, 5))), [mask((0, 0, 5, 5))]).classes["face"]
    assert (result.truth_px, result.pixel_recall, result.coverage_recall) == (25, 1, 1)


def test_partly_transparent_pixels_are_over_blur_but_cover_nothing() -> None:
    meter = ExposureMeter(truth_of((0, 1, (0, 0, 10, 10))), SIZE, Fraction(25))
    meter.add(0, mask((0, 0, 10, 5)), mask((0, 0, 12, 10)))
    result = meter.result()
    assert result.classes["face"].pixel_recall == 0.5
    assert result.over_blur == 20 / 200


def test_over_blur_is_the_mean_of_all_frames_those_without_truth_included() -> None:
    # Frame 0: 100 px on the face, none stray. Frame 1: 50 px on nobody. 50 of 2 * 200 px.
    result = measured(truth_of((0, 1, (0, 0, 10, 10))), [mask((0, 0, 10, 10)), mask((0, 0, 10, 5))])
    assert (result.frames, result.over_blur) == (2, 0.125)


def test_ignored_truth_is_neither_hit_nor_miss_nor_over_blur() -> None:
    truth = truth_of((0, 1, (0, 0, 5, 10)), (0, 2, (10, 0, 20, 10), True))
    for drawn in (mask((0, 0, 5, 10)), mask((0, 0, 5, 10), (10, 0, 20, 10))):
        result = measured(truth, [drawn])
        assert result.over_blur == 0
        assert (result.classes["face"].boxes, result.classes["face"].covered_boxes) == (1, 1)
        assert [identity.track_id for identity in result.classes["face"].identities] == [1]


def test_a_class_whose_truth_is_all_ignored_has_no_figures() -> None:
    assert measured(truth_of((0, 1, (0, 0, 5, 10), True)), [mask()]).classes == {}


# Exposure over time


def test_runs_switches_and_first_exposure_of_one_identity() -> None:
    # Covered 0, 1; bare 2, 3; covered 4; bare 5; covered 6..9.
    result = shown_at(2, 3, 5, of=10)
    (identity,) = result.identities
    assert (identity.frames, identity.exposed_frames) == (10, 3)
    assert (result.longest_run_frames, result.longest_run_ms) == (2, 80.0)
    assert result.frames_to_first_exposure == 2
    assert result.switches == 4
    assert result.coverage_recall == 0.7


def test_a_face_bare_from_its_first_frame_on_is_exposed_at_once_and_never_switches() -> None:
    result = shown_at(*range(3), of=3)
    assert (result.frames_to_first_exposure, result.switches, result.longest_run_frames) == (0, 0, 3)


def test_a_face_never_bare_has_no_first_exposure() -> None:
    result = shown_at(of=3)
    assert (result.frames_to_first_exposure, result.switches, result.longest_run_frames) == (None, 0, 0)
    assert result.exposed_identities() == 0


def test_absence_ends_a_run_and_is_no_switch() -> None:
    # Bare at 1 and 3, absent at 2, covered elsewhere: two runs of one, switches at 0>1 and 3>4.
    result = shown_at(1, 3, of=5, absent=(2,))
    assert (result.longest_run_frames, result.switches, result.boxes) == (1, 2, 4)
    # Bare before and covered after the absence: no switch there.
    assert shown_at(0, 1, of=5, absent=(2,)).switches == 0


def test_an_ignored_frame_is_like_an_absent_one() -> None:
    result = shown_at(1, 2, 3, of=5, ignored=(2,))
    assert (result.longest_run_frames, result.switches, result.boxes) == (1, 2, 4)


def test_time_to_first_exposure_starts_where_the_identity_does() -> None:
    assert shown_at(4, of=6, absent=(0, 1)).frames_to_first_exposure == 2


def test_identities_are_counted_by_the_frames_in_which_they_show() -> None:
    # Identity 1 is bare in 12 frames, 2 in frames 0, 5 and 7, 3 in frame 0 alone, 4 never.
    places = {1: (0, 0, 2, 2), 2: (4, 0, 6, 2), 3: (8, 0, 10, 2), 4: (12, 0, 14, 2)}
    bare = {1: range(12), 2: (0, 5, 7), 3: (0,), 4: ()}
    rows = [(n, i, place) for n in range(12) for i, place in places.items()]
    masks = [mask(*(place for i, place in places.items() if n not in bare[i])) for n in range(12)]
    result = measured(truth_of(*rows), masks).classes["face"]
    assert [result.exposed_identities(at_least) for at_least in (1, 3, 12)] == [3, 2, 1]
    assert [result.exposed_identity_share(at_least) for at_least in (1, 3, 12)] == [0.75, 0.5, 0.25]
    assert result.longest_run_frames == 12
    assert result.frames_to_first_exposure == 0


def test_area_time_is_the_bare_area_times_its_duration() -> None:
    # 100 px² bare for two frames at 25 frames/s, and 20 px² (10x2) for one: 220 / 25.
    face = (0, 0, 10, 10)
    rows = [(n, 1, face) for n in range(4)]
    result = measured(truth_of(*rows), [mask(), mask(), mask((0, 0, 10, 8)), mask(face)])
    assert result.classes["face"].area_time == pytest.approx(8.8)


def test_the_same_id_in_two_classes_is_two_identities() -> None:
    face, plate = truth_of((0, 1, (0, 0, 5, 5))), truth_of((0, 1, (10, 0, 15, 5)), class_name="plate")
    both = Truth(**{name: np.concatenate([getattr(face, name), getattr(plate, name)]) for name in Truth.__slots__})
    result = measured(both, [mask((0, 0, 5, 5))])
    assert result.classes["face"].coverage_recall == 1
    assert result.classes["plate"].coverage_recall == 0


@given(st.permutations(range(6)))
def test_the_order_of_frames_changes_nothing(order: list[int]) -> None:
    rows = [(n, 1, (0, 0, 10, 10)) for n in range(6)]
    masks = [mask((0, 0, 10, 2 * n)) for n in range(6)]
    meter = ExposureMeter(truth_of(*rows), SIZE, Fraction(24000, 1001))
    for n in order:
        meter.add(n, masks[n], masks[n])
    assert meter.result() == measured(truth_of(*rows), masks, Fraction(24000, 1001))


# What is refused


def test_frames_with_truth_that_were_not_given_are_an_error_and_no_hit() -> None:
    meter = ExposureMeter(truth_of((0, 1, (0, 0, 5, 5)), (7, 1, (0, 0, 5, 5))), SIZE, Fraction(25))
    meter.add(0, mask(), mask())
    with pytest.raises(InputError, match="1 frames have truth but no mask, the first is 7"):
        meter.result()


def test_no_frame_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="no frame was given"):
        ExposureMeter(truth_of(), SIZE, Fraction(25)).result()


def test_truth_outside_the_frame_is_an_error_unless_ignored() -> None:
    with pytest.raises(InputError, match=r"frame 3: face 8 lies outside the frame of 20x10"):
        ExposureMeter(truth_of((3, 8, (20, 0, 25, 5))), SIZE, Fraction(25))
    result = measured(truth_of((0, 8, (20, 0, 25, 5), True)), [mask((18, 0, 20, 1))])
    assert result.over_blur == 2 / 200


def test_a_class_without_a_tau_is_an_error() -> None:
    with pytest.raises(InputError, match="no tau for the class 'logo'"):
        ExposureMeter(truth_of((0, 1, (0, 0, 5, 5)), class_name="logo"), SIZE, Fraction(25))


@pytest.mark.parametrize("tau", [0.0, 1.1, float("nan")])
def test_a_tau_that_is_no_share_is_an_error(tau: float) -> None:
    with pytest.raises(InputError, match="tau of 'face' is a share"):
        ExposureMeter(truth_of(), SIZE, Fraction(25), {"face": tau})


def test_masks_that_cannot_be_are_refused() -> None:
    meter = ExposureMeter(truth_of(), SIZE, Fraction(25))
    with pytest.raises(ValueError, match=r"core must be bool \(10, 20\), got bool \(20, 10\)"):
        meter.add(0, mask().T, mask())
    with pytest.raises(ValueError, match=r"touched must be bool .* got uint8"):
        meter.add(0, mask(), mask().astype(np.uint8))
    with pytest.raises(ValueError, match="must count as touched"):
        meter.add(0, mask((0, 0, 2, 2)), mask((0, 0, 1, 1)))
    meter.add(0, mask(), mask())
    with pytest.raises(ValueError, match="frame 0 was given before"):
        meter.add(0, mask(), mask())
