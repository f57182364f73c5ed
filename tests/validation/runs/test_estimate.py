"""What a matrix is said to need, with a machine that is as fast as the test says."""

from pathlib import Path

import pytest

from vsanon.validation.runs import estimate, matrix, pace

TEXT = """\
vsanon_matrix: 1
name: short
sources: [{scene: faces, frames: [0, 25]}]
encodes: [{preset: h264_crf, crf: [23, 40]}]
settings: [{id: one, setting: balanced, classes: [face]}]
"""


def seconds(monkeypatch: pytest.MonkeyPatch, search: float | None, machine: float = 1.0, text: str = TEXT) -> float:
    monkeypatch.setattr(pace, "search_seconds", lambda *_: search)
    monkeypatch.setattr(pace, "machine", lambda: machine)
    return estimate.estimate(matrix.parse(text, "short", Path())).seconds


def test_what_a_search_takes_is_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """25 frames in each of two encodes: 0.1 s more a frame are 5 s more, of which 1.6 pass at a time."""
    quick, slow = seconds(monkeypatch, 0.1), seconds(monkeypatch, 0.2)
    assert slow - quick == pytest.approx(25 * 2 * 0.1 / 1.6)


def test_half_the_frames_are_searched_at_half_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [seconds(monkeypatch, s, text=TEXT.replace("crf: [23, 40]", "fps: 12.5")) for s in (0.1, 0.2)]
    assert whole[1] - whole[0] == pytest.approx(13 * 0.1 / 1.6)


def test_a_slower_machine_takes_longer_also_where_a_model_is_not_here_to_be_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for the 5 s of starting, all goes by the machine."""
    once, twice = seconds(monkeypatch, None), seconds(monkeypatch, None, machine=2.0)
    assert twice * 1.6 - 5 == pytest.approx(2 * (once * 1.6 - 5))


def test_a_machine_and_a_search_are_tried_in_a_moment() -> None:
    assert pace.machine() > 0


@pytest.mark.parametrize("deliveries", ["[null]", "[null, h264_crf]"])
def test_a_delivery_is_searched_again(monkeypatch: pytest.MonkeyPatch, deliveries: str) -> None:
    text = f"{TEXT}deliveries: {deliveries}\n"
    first, second = (seconds(monkeypatch, s, text=text) for s in (0.1, 0.2))
    assert second - first == pytest.approx(25 * 2 * 0.1 * (1 if deliveries == "[null]" else 2) / 1.6)
