"""With the footage of each shipped matrix, a system that misses nobody passes, and one that misses many fails."""

import pytest

from tests.support.shipped_evidence import measured
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.runs import matrix as matrices
from vsanon.validation.runs.foresight import foresee

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", matrices.names())
def test_a_system_that_misses_nobody_passes_and_one_that_misses_many_fails(name: str) -> None:
    matrix = matrices.load(name)
    perfect = conclude(measured(matrix, 0.0))["verdict"]
    assert perfect["outcome"] == "pass", perfect["reasons"]
    assert conclude(measured(matrix, 0.4))["verdict"]["outcome"] == "fail"
    blind = conclude(measured(matrix, 1.0, 0.0))["verdict"]["outcome"]
    assert blind != "pass"


def test_plan_says_that_the_footage_is_enough() -> None:
    shows = foresee(matrices.load("quick"))
    assert not shows.warnings
    assert shows.criteria
    assert all("are enough to prove" in sentence for sentence in shows.criteria.values()), shows.criteria
