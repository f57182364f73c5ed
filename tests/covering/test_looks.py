"""Looks: mosaics whose cells move with the box, fills by name, and no decision that a size could flip."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsanon import schemas
from vsanon.covering.choices import fill_of, growths_of, shapes_of
from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import method_of, paint
from vsanon.covering.looks import FILLS, NOT_ANONYMISED, PROFILES, STRENGTHS
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import SHAPES
from vsanon.covering.swatches import AVERAGED_PX, FLAT_PX, faded
from vsanon.errors import InputError

GREY = SampleFormat("gray", 8, full_range=True)
LAYOUT = FrameLayout((200, 200), planes=1)
STRIPES = np.repeat(np.array([[20, 60, 100, 140, 180]], np.uint8)[..., None], 3, axis=-1)
"""(1, 5, 3) swatches that brighten from left to right."""


def painted(box: tuple[float, ...], **settings: Any) -> NDArray[np.uint8]:
    plane = np.full((200, 200), 250, np.uint8)
    swatches = np.repeat(STRIPES, 5, axis=0)[None]
    paint(lambda _: plane, np.array([box], np.float32), ("face",), swatches, layout=LAYOUT, fmt=GREY, **settings)
    return plane


def test_a_mosaic_lays_each_swatch_over_a_fifth_of_the_grown_box() -> None:
    # 100 px wide, grown by 15.5 on either side: from 34.5 to 165.5, so each cell is 26.2 px wide.
    row = painted((50, 50, 150, 150), profile="mosaic")[100]
    assert row[[36, 59, 62, 85, 88, 100, 112, 114, 138, 141, 164]].tolist() == [
        20, 20, 60, 60, 100, 100, 100, 140, 140, 180, 180,
    ]  # fmt: skip
    # The first edge lies at 60.7, and of the sample there 0.7 are of the first cell: 20 * 0.7 + 60 * 0.3.
    assert row[60] == 32


@given(st.floats(0, 1))
def test_the_cells_of_a_mosaic_move_with_the_box_by_fractions_of_a_sample(shift: float) -> None:
    """An edge between cells 40 codes apart that moves by a share of a sample changes one by that share of 40."""
    before, after = (painted((50 + s, 50, 150 + s, 150), profile="mosaic")[100, 45:155] for s in (0.0, shift))
    assert np.abs(before.astype(int) - after).max() <= 40 * shift + 1


@given(st.floats(5, 100, width=32), st.floats(0, 0.5), st.sampled_from(["soft", "mosaic"]))
def test_no_size_of_a_box_flips_its_paint(side: float, step: float, profile: str) -> None:
    """Cells 40 codes apart move with the box, by the step and what its margin and rounding add."""
    before, after = (
        painted((60, 60, 60 + s, 60 + s), profile=profile)[64:80, 64:80].astype(int) for s in (side, side + step)
    )
    inside = slice(0, max(int(side) - 8, 1))
    assert np.abs(before - after)[inside, inside].max() <= step * 80 + 2


def test_small_boxes_are_of_their_mean_colour_and_large_ones_of_their_swatches() -> None:
    sides = [5, 24, 36, 48, 90]
    boxes = np.array([[0, 0, side, 99] for side in sides], np.float32)
    shown = faded(np.repeat(np.repeat(STRIPES, 5, axis=0)[None], len(sides), axis=0), boxes)[:, 0, :, 0].tolist()
    assert (FLAT_PX, AVERAGED_PX) == (24, 48)
    assert shown[:2] == [[100] * 5] * 2
    assert shown[2] == [60, 80, 100, 120, 140]
    assert shown[3:] == [[20, 60, 100, 140, 180]] * 2


def test_the_kind_of_paint_depends_on_no_box() -> None:
    assert [method_of("face", profile) for profile in PROFILES] == [
        "fixed", "soft", "mosaic", "picture", "inpaint", "gaussian",
    ]  # fmt: skip
    assert {method_of("plate", profile) for profile in PROFILES if profile != "inpaint"} == {"surroundings"}
    assert method_of("plate", "inpaint") == "inpaint"
    assert method_of("face", "strict", "surroundings") == "surroundings"
    assert method_of("face", "soft", "surroundings") == "soft"


def test_a_fill_of_the_surroundings_is_as_bright_as_they_are() -> None:
    plane = painted((50, 50, 150, 150), fill="surroundings")
    assert (plane == 250).all()


def test_every_look_says_what_is_left_and_that_a_blur_is_not_anonymous() -> None:
    assert tuple(STRENGTHS) == PROFILES == ("strict", "soft", "mosaic", "picture", "inpaint", "cosmetic")
    assert {"soft", "mosaic", "cosmetic", "inpaint"} == NOT_ANONYMISED
    assert all("not anonymous" in STRENGTHS[profile] for profile in NOT_ANONYMISED)
    assert "cosmetic" in STRENGTHS["inpaint"]


def test_fills_are_named_or_numbers() -> None:
    assert [fill_of(name) for name in FILLS] == list(FILLS.values())
    assert fill_of("1,2,3") == (1, 2, 3)
    assert fill_of("surroundings") == "surroundings"
    for wrong in ("pink", "1,2", "1,2,256", "-1,2,3", "#ffffff", ""):
        with pytest.raises(InputError, match="grey, black, white, surroundings"):
            fill_of(wrong)


def test_margins_and_feathers_are_of_a_class() -> None:
    shapes = shapes_of(["face=0.3", "logo=0.1,0.2,0.3,0.4"], ["face=0.1"])
    assert shapes["face"].margin == (0.3,) * 4
    assert shapes["face"].feather == 0.1
    assert shapes["face"].kind == "superellipse"
    assert shapes["logo"].margin == (0.1, 0.2, 0.3, 0.4)
    assert shapes["plate"] == SHAPES["plate"]
    for wrong in ("face", "face=", "face=a", "face=1,2", "face=-0.1", "face=3", "=0.1", "face=nan"):
        with pytest.raises(InputError, match="CLASS=1 number or 4 numbers"):
            shapes_of([wrong])
    assert growths_of(["face=0.6", "plate=0"]) == {"face": 0.6, "plate": 0.0}
    with pytest.raises(InputError, match="a growth is CLASS=1 number"):
        growths_of(["face"])
    with pytest.raises(InputError, match="a feather is CLASS=1 number"):
        shapes_of(feathers=["face=0.1,0.2"])


@pytest.mark.parametrize("kind", ["ledger", "matrix"])
def test_every_look_can_be_asked_for_and_recorded(kind: str) -> None:
    text = json.dumps(schemas.validator(kind).schema)
    assert json.dumps({"enum": list(PROFILES)}) in text


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("profile", ["soft", "mosaic"])
def test_chroma_that_is_covered_beyond_luma_is_that_of_the_surroundings(profile: str, interlaced: bool) -> None:
    """Red skin on a neutral ground: outside of the luma's mask no chroma is seen, inside it is the swatches'."""
    fmt, layout = SampleFormat("yuv", 8), FrameLayout((160, 160), (1, 1), interlaced=interlaced)
    planes = [np.full(layout.plane_shape(p), 128, np.uint8) for p in range(3)]
    box = np.array([[40, 40, 100, 100]], np.float32)
    paint(planes.__getitem__, box, ("face",), np.full((1, 5, 5, 3), (200, 90, 60), np.uint8),
          layout=layout, fmt=fmt, profile=profile)  # fmt: skip
    luma = plane_masks(box[0], SHAPES["face"], layout)[0]
    under = np.zeros((160, 160), bool)
    under[luma.window] = luma.steps > 0
    spanned = under.reshape(80, 2, 80, 2).any(axis=(1, 3))
    if interlaced:
        spanned = np.repeat(under.reshape(40, 4, 80, 2).any(axis=(1, 3)), 2, axis=0)
    assert (planes[1][~spanned] == 128).all()
    assert (planes[2][~spanned] == 128).all()
    assert planes[2][35, 35] > 150
