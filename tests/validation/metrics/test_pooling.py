"""The scores of frames in a few numbers."""

import numpy as np
import pytest

from vsanon.validation.metrics.pooling import pool, worst_over_time


def test_scores_over_time_are_the_worst_of_each_stretch() -> None:
    assert worst_over_time(np.array([3.0, 1.0])) == (3, 1)
    assert worst_over_time(np.arange(301.0))[:2] == (0, 3)
    assert len(worst_over_time(np.arange(301.0))) == 101


def test_pooling_by_hand() -> None:
    got = pool(np.array([0.0, 3.0, 1.0]))
    assert (got.mean, got.minimum, got.worst_frame) == (4 / 3, 0, 0)
    assert got.harmonic_mean == pytest.approx(3 / (1 + 1 / 4 + 1 / 2) - 1)
    assert got.percentile_1 == pytest.approx(0.02)  # a hundredth of the way over two steps, the first of 1
    with pytest.raises(ValueError, match="no frame"):
        pool(np.zeros(0))
