"""Each way in which a redaction fails is noticed, and honest ones raise no alarm: on drawn pictures, by the meter.

The codec is a JPEG of 4:2:0 here, which costs little; files and encoders are for test_run.py.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from tests.support import audit_clips as clips
from tests.support.audit_clips import Cover, blur, covered, fill, luma_only, mosaic, negative, tint
from tests.support.loops import first_quick
from vsanon.audit.judging import FAILING, Level, faults_of
from vsanon.audit.measure import Meter
from vsanon.audit.structure import compare
from vsanon.drawn.demo import yuv420

pytestmark = pytest.mark.slow

SPAN = (6, 10, 14, 18)
"""Frames that are looked at."""


def planes(picture: clips.U8) -> tuple[np.ndarray, ...]:
    luma, *chroma = yuv420(picture)
    up = [cv2.resize(c, luma.shape[::-1], interpolation=cv2.INTER_LINEAR) for c in chroma]
    return tuple(np.asarray(p, np.float32) for p in (luma, *up))


@cache
def originals() -> dict[int, tuple[np.ndarray, ...]]:
    return {n: planes(clips.pictures()[n]) for n in SPAN}


def coded(picture: clips.U8, quality: int) -> clips.U8:
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def measured(cover: Cover, quality: int = 70) -> Meter:
    truth = clips.truth()
    meter = Meter(truth, truth.xyxy.astype(np.float64))
    for n in SPAN:
        meter.add(n, n, originals()[n], planes(coded(cover(n, clips.pictures()[n]), quality)))
    return meter


def levels(meter: Meter) -> Counter[Level]:
    return Counter(left.level for left in meter.levels().values())


def of_target(meter: Meter, number: int) -> tuple[list[int], list[Level]]:
    truth = meter.truth
    rows = [i for i in meter.levels() if truth.ids[i] == number]
    return [int(truth.frames[i]) for i in rows], [meter.levels()[i].level for i in rows]


HONEST: dict[str, Cover] = {
    "fill": covered(fill),
    "fill of the very box": covered(fill, grow=0.02),
    "mosaic of 4 cells": covered(mosaic(4)),
    "blur of a third": covered(blur(1 / 3)),
    "whole frame filled": lambda n, p: np.full_like(p, 90),
    "more than the targets": covered(fill, grow=0.8),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("quality", first_quick([95, 30]))
def test_an_honest_cover_raises_no_alarm(name: str, quality: int) -> None:
    found = levels(measured(HONEST[name], quality))
    assert not any(found[level] for level in FAILING), found
    assert found[Level.COVERED]


@pytest.mark.parametrize(("side", "blocks"), [(12, 4), (17, 4), (24, 5), (32, 12), (64, 12)])
def test_a_small_face_is_judged_in_blocks_of_no_less_than_eight_pixels(side: int, blocks: int) -> None:
    """Of four pixels some follow the original by chance; the four corners of 16 are mostly outside the ellipse."""
    picture = np.random.default_rng(5).uniform(0, 255, (80, 80)).astype(np.float32)
    fine, _ = compare(picture, picture, (8, 8, 8 + side, 8 + side)) or pytest.fail("too small")
    assert len(fine.was) == 1 + blocks


FAULTY: dict[str, tuple[Cover, Callable[[Counter[Level]], bool]]] = {
    "nothing covered": (lambda n, p: p, lambda c: c[Level.BARE] == c.total()),
    "one frame bare": (covered(fill, frames=lambda n: n != 10), lambda c: 2 <= c[Level.BARE] <= 3),
    "one target left out": (covered(fill, only=lambda i: i != 3), lambda c: c[Level.BARE] + c[Level.PARTLY] == 4),
    "three frames late": (covered(fill, late=3), lambda c: c[Level.BARE] + c[Level.PARTLY] >= 3),
    "shifted by 40 %": (covered(fill, moved=(0.4, 0)), lambda c: c[Level.PARTLY] + c[Level.BARE] >= 6),
    "too small": (covered(fill, grow=-0.45), lambda c: c[Level.PARTLY] + c[Level.BARE] >= 6),
    "half": (covered(fill, part=(0, 0.5)), lambda c: c[Level.PARTLY] + c[Level.BARE] >= 6),
    "tint of 50 %": (covered(tint(0.5)), lambda c: c[Level.BARE] + c[Level.PARTLY] + c[Level.WEAK] >= 8),
    "tint of 85 %": (covered(tint(0.85)), lambda c: c[Level.WEAK] >= 6),
    "weak blur": (covered(blur(1 / 16)), lambda c: c[Level.WEAK] + c[Level.PARTLY] >= 6),
    "fine mosaic": (covered(mosaic(14)), lambda c: sum(c[x] for x in FAILING) >= 6),
    "negative": (covered(negative), lambda c: c[Level.BARE] >= 6),
    "chroma bare": (covered(luma_only), lambda c: sum(c[x] for x in FAILING) >= 4),
    "flicker": (covered(fill, frames=lambda n: n % 4 != 2), lambda c: c[Level.BARE] >= 6),
    "mirrored": (covered(clips.mirrored), lambda c: c[Level.BARE] + c[Level.PARTLY] >= 8),
    "moved inside": (covered(clips.moved), lambda c: c[Level.BARE] >= 6),
    "edges": (covered(clips.edges), lambda c: sum(c[x] for x in FAILING) >= 8),
    "every second line": (covered(clips.every_second_line), lambda c: sum(c[x] for x in FAILING) >= 8),
    "early end": (covered(fill, frames=lambda n: n < 16), lambda c: c[Level.BARE] >= 2),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_cover_is_found(name: str) -> None:
    cover, expected = FAULTY[name]
    found = levels(measured(cover))
    assert expected(found), found


def test_another_picture_is_no_cover() -> None:
    meter = measured(lambda n, p: np.ascontiguousarray(p[::-1, ::-1]))
    assert meter.incomparable() == sorted(SPAN)
    assert set(levels(meter)) == {Level.UNTOLD}


def test_alpha_that_holds_the_face_is_found() -> None:
    truth, n = clips.truth(), 10
    filled = planes(covered(fill)(n, clips.pictures()[n]))
    for alpha, expected in ((originals()[n][0], Level.WEAK), (np.full_like(filled[0], 255), Level.COVERED)):
        meter = Meter(truth, truth.xyxy.astype(np.float64))
        meter.add(n, n, originals()[n], filled, alpha)
        assert set(levels(meter)) == {expected}


def test_a_dark_face_under_a_fill_of_nearly_its_tone_is_covered_and_a_bright_one_under_a_tint_is_not() -> None:
    dark = {n: tuple(p * np.float32(0.3) for p in found) for n, found in originals().items()}
    truth = clips.truth()
    for look, word in ((35.0, Level.COVERED), (None, Level.BARE)):
        meter = Meter(truth, truth.xyxy.astype(np.float64))
        for n in SPAN:
            now = [p.copy() for p in dark[n]]
            if look is None:
                now[0] += 40  # every sample changes, by far more than under the fill
            else:
                for x0, y0, x1, y1 in clips.boxes_at(n):
                    for plane, tone in zip(now, (look, 38.0, 38.0), strict=True):
                        plane[y0:y1, x0:x1] = tone
            meter.add(n, n, dark[n], now)
        words = {left.level for left in meter.levels().values()}
        assert word in words
        assert not (words & set(FAILING)) if word is Level.COVERED else words <= {Level.BARE, Level.UNTOLD}


def test_a_target_of_eleven_pixels_is_bare_where_it_is_as_it_was_and_never_called_covered() -> None:
    truth, n = clips.truth(), 10
    boxes = truth.xyxy.astype(np.float64)
    boxes[:, 2:] = boxes[:, :2] + 11
    for now, expected in (
        (originals()[n], Level.BARE),
        (planes(np.full_like(clips.pictures()[n], 90)), Level.UNTOLD),
    ):
        meter = Meter(truth, boxes)
        meter.add(n, n, originals()[n], now)
        assert set(levels(meter)) == {expected}


def test_what_is_changed_outside_the_targets_is_said() -> None:
    assert max(measured(covered(fill, grow=0.02)).changed().values()) < 0.05
    wide = measured(covered(fill, grow=1.5)).changed()
    assert min(wide.values()) > 0.05


BARE, COVERED, UNTOLD, WEAK = Level.BARE, Level.COVERED, Level.UNTOLD, Level.WEAK


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([COVERED] * 4, []),
        ([BARE, BARE, COVERED, COVERED], ["late start: 2 frames from 0 on (bare)"]),
        ([COVERED, BARE, COVERED, COVERED], ["flicker: 1 frame from 1 on (bare)"]),
        ([COVERED, UNTOLD, COVERED, WEAK], ["early end: 1 frame from 3 on (weak)"]),
        ([BARE, UNTOLD, BARE], ["left out: bare in all of its 2 frames that can be told"]),
        ([WEAK, WEAK, BARE], ["never covered: mostly weak in its 3 frames that can be told"]),
        ([UNTOLD, UNTOLD], []),
    ],
)  # fmt: skip
def test_what_is_wrong_over_time_has_a_name(words: list[Level], expected: list[str]) -> None:
    assert faults_of(range(len(words)), words) == expected
