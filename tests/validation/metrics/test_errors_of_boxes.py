"""Why boxes are missed or false, and how found ones fit, by hand."""

import numpy as np
import pytest

from vsanon.validation.metrics.errors_of_boxes import Split, split_and_fit
from vsanon.validation.metrics.observed import Observed


def seen(*boxes: tuple[float, ...], ignore: tuple[bool, ...] = ()) -> Observed:
    """Boxes of frame 0."""
    n = len(boxes)
    table = np.array(boxes, np.float32).reshape(n, 4)
    return Observed(np.zeros(n, np.int64), np.arange(n), table, np.array(ignore or (False,) * n, np.bool_))


TRUE = (0, 0, 10, 10)


def test_each_miss_and_each_false_box_has_its_reason() -> None:
    truth = seen(TRUE, (50, 0, 60, 10), (100, 0, 110, 10))
    found = seen(TRUE, (0, 0, 10, 9), (55, 0, 65, 10), (200, 0, 210, 10))
    # The second true box has one beside it (IoU 1/3), the third nothing; (0, 0, 10, 9) repeats the first.
    split, fit = split_and_fit(truth, found)
    assert split == Split(not_found=1, badly_placed=1, false_badly_placed=1, duplicate=1, background=1)
    assert fit is not None
    assert (fit.boxes, fit.area, fit.edge_px) == (1, 0, 0)


def test_ignored_truth_counts_neither_way() -> None:
    split, fit = split_and_fit(seen(TRUE, ignore=(True,)), seen(TRUE))
    assert split == Split(0, 0, 0, 0, 0)
    assert fit is None


def test_a_box_that_is_too_small_has_a_sign() -> None:
    _, fit = split_and_fit(seen(TRUE), seen((1, 0, 9, 10)))
    assert fit is not None
    assert (fit.left, fit.right, fit.top, fit.bottom) == pytest.approx((-0.1, -0.1, 0, 0))
    assert fit.area == pytest.approx(-0.2)
    assert fit.underestimated == 1
    assert (fit.edge_px, fit.edge_share) == pytest.approx((0.5, 0.05))
    _, wider = split_and_fit(seen(TRUE), seen((-1, 0, 11, 10)))
    assert wider is not None
    assert (wider.area, wider.underestimated) == (pytest.approx(0.2), 0)


def test_nothing_and_nothing_is_nothing() -> None:
    assert split_and_fit(seen(), seen()) == (Split(0, 0, 0, 0, 0), None)
    assert split_and_fit(seen(), seen(TRUE))[0].background == 1
    assert split_and_fit(seen(TRUE), seen())[0].not_found == 1
