"""The poorest encode at which coverage holds, halved in on curves whose answer is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.loops import first_quick
from tests.support.small_matrix import plan_of
from vsanon.errors import InputError
from vsanon.farm.executors import LocalExecutor
from vsanon.validation.runs import seek as seeking
from vsanon.validation.runs.seek import Target, in_words, seek

CRF = Target("h264_crf", "crf", 18, 51, class_name="plate")


def sought(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: Target, covers: Callable[[float], float]
) -> dict[str, Any]:
    """The answer on a curve, and that each probe was run in one matrix with those before."""
    runs: list[set[float]] = []

    def run(plan: Any, *_: Any) -> list[float]:
        values = [float(encode.axes[target.axis]) for encode in plan.matrix().encodes.values()]
        assert not runs or runs[-1] < set(values)
        runs.append(set(values))
        return values

    def figures(values: list[float], _: Target) -> dict[float, dict[str, Any]]:
        found = {}
        for value in values:
            share = covers(value)
            found[value] = {"value": value, "bit_rate": None, "estimate": share, "low": share - 0.1, "high": share}
            found[value] |= {
                "holds": share - (0.1 if target.surely else 0) >= target.at_least,
                "encode": str(value),
            }
        return found

    monkeypatch.setattr(seeking, "run_matrix", run)
    monkeypatch.setattr(seeking, "_figures", figures)
    return seek(plan_of(tmp_path), target, tmp_path, LocalExecutor(1), lambda _: None)


def falls_at(limit: float) -> Callable[[float], float]:
    return lambda value: 0.95 if value <= limit else 0.5


@pytest.mark.parametrize("limit", first_quick([33, 18, 19, 26, 34, 40, 50]))
def test_the_last_crf_that_holds_is_found_whichever_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: int
) -> None:
    found = sought(monkeypatch, tmp_path, CRF, falls_at(limit))
    assert found["found"]["value"] == limit
    assert found["fails"]["value"] == limit + 1
    assert len(found["probes"]) <= 8
    assert found["steady"]


def test_rates_go_down_and_are_halved_by_their_logarithm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = Target("h264_abr", "bit_rate", 4e6, 1e5, probes=12, class_name="plate")
    found = sought(monkeypatch, tmp_path, target, lambda rate: 0.95 if rate >= 7e5 else 0.2)
    assert 7e5 <= found["found"]["value"] <= 1.05 * 7.1e5
    assert found["probes"][2]["value"] < found["probes"][1]["value"] < 4e6


def test_the_lower_bound_is_held_to_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    surely = Target("h264_crf", "crf", 18, 51, class_name="plate", surely=True)
    found = sought(monkeypatch, tmp_path, surely, falls_at(30))
    assert found["found"] is None
    assert "does not hold even at the better end" in in_words(found)


def test_where_coverage_comes_and_goes_nothing_below_the_first_failure_is_relied_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # 34 holds, 42 fails, 38 and 40 hold, 41 fails; the probe that is left goes between 18 and 34, and fails.
    found = sought(monkeypatch, tmp_path, CRF, lambda crf: 0.95 if crf <= 40 and crf != 26 else 0.5)
    assert [one["value"] for one in found["probes"]] == [18, 26, 34, 38, 40, 41, 42, 51]
    assert not found["steady"]
    assert found["found"]["value"] == 18
    assert found["fails"]["value"] == 26
    assert "it comes and goes along the axis" in in_words(found)


def test_an_end_that_holds_says_to_look_further(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = sought(monkeypatch, tmp_path, CRF, lambda _: 1.0)
    assert found["found"]["value"] == 51
    assert "give a poorer one" in in_words(found)
    assert len(found["probes"]) == 2


@pytest.mark.parametrize(
    ("axis", "best", "poorest", "probes"),
    [("crf", 51, 18, 8), ("bit_rate", 1, 2, 8), ("crf", 18, 51, 2), ("gop", 1, 2, 8)],
)
def test_what_can_not_be_sought_is_refused(axis: str, best: float, poorest: float, probes: int) -> None:
    with pytest.raises(InputError):
        Target("h264_crf", axis, best, poorest, probes)
