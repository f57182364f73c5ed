"""Time, seen in the picture: no pixel of an object shows while its detector falters, and cuts are found."""

from collections.abc import Callable

import numpy as np
import pytest
import vapoursynth as vs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import vsanon
from tests.support.clips import BRIGHT, Box, blobs, found, planes, scene, use
from vsanon.detections import Detections

pytestmark = pytest.mark.slow

GROUND, BLIND = 60, 61
"""Codes of the ground; on the second one the detector sees nothing."""


def falters(rgb: NDArray[np.uint8]) -> Detections:
    return found([]) if rgb[1, -1, -1] == BLIND else blobs(rgb)


def shown(clip: vs.VideoNode) -> list[int]:
    """How many pixels of the blobs are left in each frame."""
    return [int((planes(f)[0] == BRIGHT).sum()) for f in clip.frames()]


def covered_frames(clip: vs.VideoNode) -> str:
    return "".join(str(f.props["VsanonCount"]) for f in clip.frames())


def made(
    boxes: Callable[[int], list[Box]], background: Callable[[int], int], length: int, fps: int = 25
) -> vs.VideoNode:
    return vsanon.anonymize(scene(boxes, background=background, length=length, fps=fps, format=vs.RGB24))


@given(
    across=st.floats(-4, 4), down=st.floats(-2, 2), first=st.integers(0, 13), gap=st.integers(0, 24),
    again=st.integers(4, 12),
)  # fmt: skip
@settings(max_examples=15, deadline=None)
@pytest.mark.slow
def test_no_pixel_of_a_moving_object_shows_from_half_a_second_before_it_is_found_to_half_a_second_after(
    across: float, down: float, first: int, gap: int, again: int
) -> None:
    length = first + 6 + gap + again + 13

    def place(n: int) -> list[Box]:
        x, y = 70 + round(across * n), 36 + round(down * n)
        return [(x, y, x + 20, y + 24)]

    last = place(first + 6 + gap + again)[0]
    assume(-10 <= last[0] <= 150 and -12 <= last[1] <= 84)  # half of it lies in the frame while it is seen
    seen = [*range(first, first + 6), *range(first + 6 + gap, first + 6 + gap + again)]
    with pytest.MonkeyPatch.context() as patch:
        use(patch, falters)
        out = made(place, lambda n: GROUND if n in seen else BLIND, length)
        assert shown(out) == [0] * length


def test_nothing_is_carried_across_a_hard_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    before: Callable[[int], list[Box]] = lambda n: [(40, 30, 64, 60)] if n < 20 else []  # noqa: E731
    out = made(before, lambda n: 60 if n < 20 else 140, 40)
    assert covered_frames(out) == "1" * 20 + "0" * 20
    after: Callable[[int], list[Box]] = lambda n: [(40, 30, 64, 60)] if n >= 20 else []  # noqa: E731
    out = made(after, lambda n: 60 if n < 20 else 140, 40)
    assert covered_frames(out) == "0" * 20 + "1" * 20


def test_cuts_are_found_where_they_are_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([]))
    cuts = [1, 15, 21, 38]
    shade = [60, 140, 30, 110, 70]
    clip = scene(lambda n: [], background=lambda n: shade[sum(n >= c for c in cuts)], length=40)
    tracks = vsanon.track(vsanon.detect(clip))
    assert [n for n, f in enumerate(tracks.frames()) if f.props["VsanonCut"]] == cuts


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    use(monkeypatch, lambda rgb: blobs(rgb) if rgb[1, -1, -1] == GROUND else found([]))
    flash = range(20, 20 + length)
    out = made(lambda n: [(40, 30, 64, 60)], lambda n: 150 if n in flash else GROUND, 40)
    assert covered_frames(out) == "1" * 40
    assert shown(out) == [0] * 40


def test_a_dissolve_is_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    out = made(lambda n: [(40, 30, 64, 60)] if n < 20 else [], lambda n: 60 + 8 * min(max(n - 14, 0), 12), 40)
    assert covered_frames(out) == "1" * 33 + "0" * 7


@pytest.mark.parametrize(("fps", "lead"), [(10, 5), (25, 13), (60, 30)])
def test_leads_last_half_a_second_at_every_rate(monkeypatch: pytest.MonkeyPatch, fps: int, lead: int) -> None:
    use(monkeypatch, falters)
    length = 2 * lead + 24
    seen = range(lead + 10, lead + 14)
    out = made(lambda n: [(40, 30, 64, 60)], lambda n: GROUND if n in seen else BLIND, length, fps)
    assert covered_frames(out) == "0" * 10 + "1" * (2 * lead + 4) + "0" * 10


def test_an_object_that_leaves_the_frame_is_covered_to_its_last_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    out = made(lambda n: [(100 + 2 * n, 30, 130 + 2 * n, 66)], lambda n: GROUND, 45)
    assert shown(out) == [0] * 45
    # Held for half a second after it was last seen, at frame 29, though wholly outside it counts no more.
    counts = covered_frames(out)
    assert set(counts[:30]) == {"1"}
    assert counts[-1] == "0"


@pytest.mark.parametrize("cut", [1, 2, 14, 27, 28, 29])
def test_a_cut_up_to_the_ends_of_a_clip_lets_nobody_through_it(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    use(monkeypatch, blobs)

    def place(n: int) -> list[Box]:
        return [(20, 20, 50, 50)] if n < cut else [(100, 40, 130, 80)]

    out = made(place, lambda n: 60 if n < cut else 140, 30)
    # Nobody of the one shot is held, or led in, within the other.
    assert covered_frames(out) == "1" * 30
    assert [n for n, f in enumerate(out.frames()) if f.props["VsanonCut"]] == [cut]
    assert shown(out) == [0] * 30
