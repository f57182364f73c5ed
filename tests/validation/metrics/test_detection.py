"""Detection scores: each figure worked by hand, and recall as COCO's evaluation has it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.metric_scenes import FRAMES, crowd, observed
from vsanon.validation.metrics.detection import STRATA, Counts, match, residual_rate, score, scores
from vsanon.validation.metrics.observed import Observed

BOX = (0, 0, 10, 10)
FAR = (500, 500, 510, 510)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def shifted(x: float) -> tuple[float, float, float, float]:
    """A box of 10x10, x px to the right of BOX: their IoU is (10 − x) / (10 + x)."""
    return (x, 0, 10 + x, 10)


def test_counts_and_scores_of_two_hits_one_miss_and_three_false_boxes() -> None:
    counts = Counts(tp=2, fp=3, fn=1, iou_sum=1.5)
    assert counts.recall == 2 / 3
    assert counts.precision == 2 / 5
    assert counts.f1 == 4 / (4 + 1 + 3)
    assert counts.f2 == 10 / (10 + 4 * 1 + 3)
    assert counts.mean_iou == 0.75


def test_f2_punishes_a_miss_more_than_a_false_box() -> None:
    miss, false = Counts(tp=8, fn=2), Counts(tp=8, fp=2)
    assert miss.f1 == false.f1
    assert miss.f2 < false.f2


def test_where_nothing_is_to_be_found_there_is_no_recall() -> None:
    nothing = score(observed(), observed())
    assert (nothing.all.recall, nothing.all.precision, nothing.all.f1, nothing.all.mean_iou) == (None,) * 4
    assert score(observed(), observed((0, 1, BOX))).all == Counts(fp=1)


@pytest.mark.parametrize(
    ("shift", "threshold", "tp"),
    [(5, 0.3, 1), (5, 0.5, 0), (10 / 3, 0.5, 1), (30 / 17, 0.7, 1), (30 / 17 + 0.01, 0.7, 0), (10, 0.3, 0)],
)
def test_a_pair_matches_from_just_its_threshold_on(shift: float, threshold: float, tp: int) -> None:
    got = score(observed((0, 1, BOX)), observed((0, 1, shifted(shift))), threshold).all
    assert (got.tp, got.fp, got.fn) == (tp, 1 - tp, 1 - tp)


def test_an_overlap_of_exactly_the_threshold_is_not_lost_to_rounding() -> None:
    """Seven of ten rows: 0.7, which float32 holds as 0.69999999."""
    assert score(observed((0, 1, BOX)), observed((0, 1, (0, 0, 10, 7))), 0.7).all.tp == 1


def test_two_boxes_find_two_truths_though_the_better_pair_would_leave_one_over() -> None:
    """The first box fits the second person at 0.96, more than the 0.45 and 0.43 of the two pairs together."""
    truth, predicted = boxes(BOX, shifted(4)), boxes(shifted(3.8), shifted(8))
    pairs = match(truth, predicted, 0.3)
    assert list(zip(pairs.truth.tolist(), pairs.predicted.tolist(), strict=True)) == [(0, 0), (1, 1)]
    assert pairs.iou == pytest.approx([6.2 / 13.8, 6 / 14])


def test_one_box_does_not_find_two_people() -> None:
    assert score(observed((0, 1, BOX), (0, 2, BOX)), observed((0, 1, BOX))).all == Counts(tp=1, fn=1, iou_sum=1)


def test_a_box_in_another_frame_finds_nothing() -> None:
    assert score(observed((0, 1, BOX)), observed((1, 1, BOX))).all == Counts(fp=1, fn=1)


def test_ignored_truth_is_neither_hit_nor_miss_and_takes_boxes_that_lie_in_it() -> None:
    truth = observed((0, 1, BOX), (0, 2, (100, 100, 300, 300), True))
    inside = [(0, 8, (120, 120, 130, 130)), (0, 9, (295, 120, 305, 130))]
    got = score(truth, observed((0, 7, BOX), *inside, (0, 6, FAR)))
    assert got.all == Counts(tp=1, fp=1, fn=0, iou_sum=1)  # half of the second box still lies in the region
    assert got.hits == (True,)


def test_a_box_that_finds_someone_is_a_hit_even_on_ignored_ground() -> None:
    assert score(observed((0, 1, BOX), (0, 2, BOX, True)), observed((0, 5, BOX))).all.tp == 1


def test_strata_go_by_the_shorter_side_of_the_truth_and_a_false_box_by_its_own() -> None:
    sides = [9.5, 10, 19, 20, 40, 80, 200]
    truth = observed(*((n, 1, (0, 0, side, 300)) for n, side in enumerate(sides)))
    found = observed(*((n, 1, (0, 0, side, 300)) for n, side in enumerate(sides) if side != 19), (0, 2, FAR))
    got = score(truth, found).strata
    assert {name: (c.tp, c.fp, c.fn) for name, c in got.items()} == {
        "<10": (1, 0, 0),
        "10-20": (1, 1, 1),
        "20-40": (1, 0, 0),
        "40-80": (1, 0, 0),
        ">80": (2, 0, 0),
    }


def test_what_is_still_found_is_counted_per_thousand_frames_that_show_anyone() -> None:
    truth = observed((0, 1, BOX), (0, 2, FAR), (1, 1, BOX), (2, 1, BOX), (3, 1, BOX, True))
    assert residual_rate(truth, observed((0, 8, BOX), (2, 8, FAR), (3, 8, BOX), (9, 8, BOX))) == 1000 / 3
    assert residual_rate(truth, observed()) == 0
    assert residual_rate(observed((3, 1, BOX, True)), observed()) is None


def test_a_threshold_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\], got 50"):
        match(boxes(BOX), boxes(BOX), 50)


def test_an_identity_is_once_in_a_frame() -> None:
    with pytest.raises(ValueError, match="twice in one frame"):
        observed((3, 1, BOX), (3, 1, FAR))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 20)), max_size=7),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 20)), max_size=7),
    st.integers(0, 2**7 - 1),
)
def test_a_lower_threshold_never_finds_fewer_and_strata_add_up(own: list, found: list, ignored: int) -> None:
    truth = observed(*((0, i, (x, y, x + s, y + s), bool(ignored >> i & 1)) for i, (x, y, s) in enumerate(own)))
    predicted = observed(*((0, i, (x, y, x + s, y + s)) for i, (x, y, s) in enumerate(found)))
    got = scores(truth, predicted)
    assert all(low.all.tp >= high.all.tp for low, high in pairwise(got))
    for result in got:
        assert result.all.tp + result.all.fn == int((~truth.ignore).sum()) == len(result.hits)
        total = sum((result.strata[name] for name in STRATA), Counts())
        assert (total.tp, total.fp, total.fn) == (result.all.tp, result.all.fp, result.all.fn)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_recall_is_that_of_coco_with_ignored_truth_as_its_crowds(seed: int) -> None:
    coco = pytest.importorskip("faster_coco_eval", reason="the oracle faster-coco-eval is not installed")
    truth, predicted = crowd(seed)
    ignore = np.random.default_rng(seed).random(len(truth)) < 0.2
    truth = Observed(truth.frames, truth.ids, truth.xyxy, ignore)

    def xywh(box: np.ndarray) -> list[float]:
        return [float(v) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])]

    rows = zip(truth.frames.tolist(), truth.xyxy, truth.ignore.tolist(), strict=True)
    marks = [
        {"id": k, "image_id": n, "category_id": 1, "bbox": xywh(box), "area": 1.0, "iscrowd": int(crowded)}
        for k, (n, box, crowded) in enumerate(rows, start=1)
    ]
    images = [{"id": n, "width": 999, "height": 999} for n in range(FRAMES)]
    known = coco.COCO({"images": images, "annotations": marks, "categories": [{"id": 1, "name": "face"}]})
    found = zip(predicted.frames.tolist(), predicted.xyxy, strict=True)
    answers = [{"image_id": n, "category_id": 1, "bbox": xywh(box), "score": 1.0} for n, box in found]
    oracle = coco.COCOeval_faster(known, known.loadRes(answers), "bbox", print_function=lambda *_: None)
    oracle.params.iouThrs = np.array([0.3, 0.5, 0.7])
    oracle.params.maxDets, oracle.params.areaRng, oracle.params.areaRngLbl = [100], [[0, 1e10]], ["all"]
    oracle.evaluate()
    oracle.accumulate()
    assert [s.all.recall for s in scores(truth, predicted)] == pytest.approx(oracle.eval["recall"][:, 0, 0, 0])
