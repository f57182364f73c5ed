"""Uniting models: votes, thresholds by height, and fusion as its authors compute it."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsanon.detections import Detections
from vsanon.detectors.ensemble import Policy, unite


def found(*boxes: tuple[float, float, float, float, float], name: str = "face") -> Detections:
    values = np.array(boxes, np.float32).reshape(-1, 5)
    return Detections(values[:, :4], values[:, 4], (name,) * len(values))


ONE = found((0, 0, 20, 20, 0.6), (100, 0, 120, 20, 0.4))
TWO = found((2, 0, 22, 20, 0.8))


def test_a_union_keeps_the_best_box_of_each_object_and_all_objects() -> None:
    united = unite([ONE, TWO], Policy())
    assert united.xyxy.tolist() == [[2, 0, 22, 20], [100, 0, 120, 20]]
    assert united.scores.tolist() == pytest.approx([0.8, 0.4])


def test_a_fusion_weighs_the_boxes_by_their_scores_and_lowers_lone_ones() -> None:
    """(0 * 0.6 + 2 * 0.8) / 1.4 = 1.142857; (0.6 + 0.8) / 2 = 0.7; a lone box of two models has half its score."""
    united = unite([ONE, TWO], Policy(method="fusion"))
    np.testing.assert_allclose(united.xyxy, [[1.142857, 0, 21.142857, 20], [100, 0, 120, 20]], atol=1e-5)
    np.testing.assert_allclose(united.scores, [0.7, 0.2], atol=1e-6)


def test_an_object_with_too_few_votes_is_left_out() -> None:
    assert unite([ONE, TWO], Policy(min_votes=2)).xyxy.tolist() == [[2, 0, 22, 20]]


def test_two_boxes_of_one_model_are_one_vote() -> None:
    twice = found((0, 0, 20, 20, 0.6), (1, 0, 21, 20, 0.5))
    assert len(unite([twice, found()], Policy(min_votes=2))) == 0


def test_a_threshold_holds_from_its_height_on() -> None:
    boxes = found((0, 0, 10, 19, 0.3), (50, 0, 60, 20, 0.3), (100, 0, 110, 20, 0.5))
    united = unite([boxes], Policy(thresholds=((0, 0.2), (20, 0.4))))
    assert united.xyxy[:, 0].tolist() == [100, 0]


def test_models_that_found_nothing_unite_to_nothing() -> None:
    assert len(unite([found(), found()], Policy(method="fusion"))) == 0


def test_fusion_agrees_with_its_authors() -> None:
    stored = json.loads((Path(__file__).parents[1] / "support" / "reference" / "wbf.json").read_text())
    parts = [
        Detections(stored[f"xyxy_{k}"], stored[f"scores_{k}"], ("face",) * len(stored[f"scores_{k}"]))
        for k in range(3)
    ]
    united = unite(parts, Policy(method="fusion", same_iou=0.55))
    assert len(united) == len(stored["scores"]) == 14
    np.testing.assert_allclose(united.scores, stored["scores"], atol=2e-4)
    np.testing.assert_allclose(united.xyxy, stored["xyxy"], atol=2e-3)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"method": "mean"}, "union"),
        ({"min_votes": 0}, "at least 1"),
        ({"same_iou": 1}, "between 0 and 1"),
        ({"thresholds": ((20, 0.3), (10, 0.2))}, "rising heights"),
        ({"thresholds": ((20, 1.3),)}, "rising heights"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Policy(**wrong)  # type: ignore[arg-type]


def test_more_votes_than_models_and_mixed_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="2 votes are wanted of 1"):
        unite([ONE], Policy(min_votes=2))
    with pytest.raises(ValueError, match="face, plate"):
        unite([ONE, found((0, 0, 1, 1, 0.5), name="plate")], Policy())
