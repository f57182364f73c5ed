"""`picture`: an image over a region, at its own aspect, over a fill that never shows what is beneath."""

import hashlib
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import paint
from vsanon.covering.masks import FrameLayout
from vsanon.covering.pictures import Sticker, smile
from vsanon.covering.shapes import Shape
from vsanon.detections import no_swatches

GREY = SampleFormat("gray", 8, full_range=True)


def filled(value: int, alpha: int, size: tuple[int, int] = (64, 64)) -> Sticker:
    rgba = np.full((size[1], size[0], 4), value, np.uint8)
    rgba[..., 3] = alpha
    return Sticker("x", "0" * 64, size, rgba.tobytes())


def painted(picture: Sticker, box: tuple[float, ...] = (50, 50, 150, 150), **settings: Any) -> NDArray[np.uint8]:
    plane = np.full((200, 200), 250, np.uint8)
    paint(lambda _: plane, np.array([box], np.float32), ("face",), no_swatches(1), profile="picture",
          layout=FrameLayout((200, 200), planes=1), fmt=GREY, picture=picture, **settings)  # fmt: skip
    return plane


def test_a_picture_lies_in_the_middle_at_its_own_aspect_and_the_fill_beyond_it() -> None:
    """The face grows by 15.5 % to 131 px; twice as wide as high, the picture is 131 by 65.5 px."""
    plane = painted(filled(200, 255, (64, 32)), fill=(10, 10, 10))
    assert (plane[70:130, 45:155] == 200).all()
    assert (plane[50:62, 60:140] == 10).all()
    assert (plane[138:150, 60:140] == 10).all()


def test_through_a_clear_picture_the_fill_is_seen_and_never_the_face() -> None:
    assert (painted(filled(200, 0), fill=(10, 10, 10))[50:150, 50:150] == 10).all()
    # 200 * 0.5 + 10 * 0.5, of an alpha of 128: 105.4
    assert (painted(filled(200, 128), fill=(10, 10, 10))[60:140, 60:140] == 105).all()
    assert (painted(filled(200, 0), fill="surroundings") == 250).all()


def test_of_pictures_that_overlap_the_lower_one_keeps_its_colour_up_to_the_upper_one() -> None:
    """In 4:2:0 chroma is covered by a sample beyond luma: yellow luma with grey chroma was a white rim there."""
    fmt, layout = SampleFormat("yuv", 8), FrameLayout((200, 120), (1, 1))
    yellow = Sticker("x", "0" * 64, (8, 8), np.tile(np.array([255, 200, 0, 255], np.uint8), 64).tobytes())
    small, large = (30.0, 40.0, 80.0, 90.0), (60.0, 20.0, 140.0, 100.0)
    hard = {"face": Shape("rectangle", (0.0, 0.0, 0.0, 0.0), 0.0, 0.0, slack=0.0)}

    def chroma(*boxes: tuple[float, ...]) -> NDArray[np.uint8]:
        planes = [np.full(layout.plane_shape(p), 200, np.uint8) for p in range(3)]
        paint(planes.__getitem__, np.array(boxes, np.float32), ("face",) * len(boxes), no_swatches(len(boxes)),
              profile="picture", layout=layout, fmt=fmt, picture=yellow, shapes=hard)  # fmt: skip
        return planes[1]

    alone, both = chroma(small), chroma(small, large)
    # The large one's luma begins with column 30 of chroma, its chroma one before that, in the small one's core.
    assert (alone[21:44, 16:30] < 70).all()
    assert np.array_equal(both[20:45, 15:30], alone[20:45, 15:30])
    assert both[12, 29] < 100  # above the small one that sample is covered, as ever
    assert alone[12, 29] == 200


@given(st.floats(8, 120, width=32), st.floats(0, 0.25, width=32))
def test_no_size_of_a_box_changes_a_picture_at_once(side: float, step: float) -> None:
    """Its edges move by half of the step and its margin; a black line on white is all that moves with them."""
    rgba = np.full((64, 64, 4), 255, np.uint8)
    rgba[:, 30:34, :3] = 0
    line = Sticker("x", "0" * 64, (64, 64), rgba.tobytes())
    before, after = (painted(line, (90 - s / 2, 90 - s / 2, 90 + s / 2, 90 + s / 2)) for s in (side, side + step))
    inside = slice(int(92 - side / 4), int(88 + side / 4))
    change = np.abs(before.astype(int) - after)[inside, inside]
    assert change.max(initial=0) <= 255 * (step / 2 + step / side) + 3


def test_the_drawn_one_is_the_same_everywhere() -> None:
    assert smile().sha256 == hashlib.sha256(smile().rgba).hexdigest()
    assert smile().sha256.startswith("02e55bfa")
