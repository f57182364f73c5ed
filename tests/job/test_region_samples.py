"""Which regions are looked at together: the neighbours, and of a crowd no more."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsanon.covering.masks import PlaneMask
from vsanon.covering.ramps import STEPS
from vsanon.covering.surroundings import RING_PX
from vsanon.job.region_samples import neighbours

places = st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(1, 40), st.integers(1, 40))


def mask(x: int, y: int, width: int, height: int) -> PlaneMask:
    return PlaneMask(x, y, np.full((height, width), STEPS, np.uint16))


def test_a_row_of_faces_has_neighbours_on_both_sides_and_no_others() -> None:
    row = [mask(x, 5, 10, 10) for x in range(0, 5 * (10 + RING_PX), 10 + RING_PX)]
    assert neighbours(row) == [[0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4]]
    apart = [mask(x, 5, 10, 10) for x in range(0, 3 * (11 + RING_PX), 11 + RING_PX)]
    assert neighbours(apart) == [[0], [1], [2]]
    assert neighbours([]) == []


@given(st.lists(places, min_size=1, max_size=6))
def test_whoever_touches_the_ring_of_a_region_is_its_neighbour(drawn: list[tuple[int, int, int, int]]) -> None:
    found = neighbours([mask(*place) for place in drawn])
    for i, (x, y, width, height) in enumerate(drawn):
        assert i in found[i]
        for k, other in enumerate(drawn):
            # Sample by sample: does the other one have a sample within the ring of this one?
            columns = set(range(x - RING_PX, x + width + RING_PX)) & set(range(other[0], other[0] + other[2]))
            rows = set(range(y - RING_PX, y + height + RING_PX)) & set(range(other[1], other[1] + other[3]))
            assert k in found[i] or not (columns and rows)
