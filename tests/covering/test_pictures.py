"""`picture`: an image over a region, at its own aspect, over a fill that never shows what is beneath."""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import paint
from vsanon.covering.masks import FrameLayout
from vsanon.covering.pictures import SIDE, Sticker, picture_of, smile
from vsanon.detections import no_swatches
from vsanon.errors import InputError

GREY = SampleFormat("gray", 8, full_range=True)


def png(path: Path, rgba: NDArray[Any]) -> Path:
    cv2.imwrite(str(path), rgba[..., [2, 1, 0, 3]])
    return path


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


def test_a_file_is_read_with_its_alpha_and_known_by_its_digest(tmp_path: Path) -> None:
    rgba = np.zeros((300, 900, 4), np.uint8)
    rgba[:, :450] = (255, 0, 0, 255)
    found = picture_of(str(png(tmp_path / "logo.png", rgba)))
    # 900 wide is halved twice, to 225, and 300 to 75.
    assert (found.name, found.size) == ("logo.png", (225, 75))
    assert found.sha256 == hashlib.sha256((tmp_path / "logo.png").read_bytes()).hexdigest()
    samples = np.frombuffer(found.rgba, np.uint8).reshape(75, 225, 4)
    assert samples[0, 0].tolist() == [255, 0, 0, 255]
    # Half of this column's samples are clear, and don't darken its colour.
    assert samples[40, 112].tolist() == [255, 0, 0, 128]
    assert Sticker.of(found.facts) == found


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(
        png(tmp_path / "whole.png", np.full((9, 9, 4), 255, np.uint8)).read_bytes()[:40]
    )
    png(tmp_path / "clear.png", np.zeros((9, 9, 4), np.uint8))
    for name, message in (
        ("none.png", "can't read the picture: No such file"),
        ("text.png", "a picture is a PNG"),
        ("cut.png", "can't be decoded"),
        ("clear.png", "wholly transparent"),
    ):
        with pytest.raises(InputError, match=message):
            picture_of(str(tmp_path / name))
    for wrong in ({"size": [1, 9**9]}, {"size": [SIDE, SIDE - 1]}, {"rgba": "AAAA"}, {"rgba": "\u00e9"}):
        with pytest.raises(ValueError, match=r"picture|base64|ASCII"):
            Sticker.of({**smile().facts, **wrong})


def test_the_drawn_one_is_the_same_everywhere() -> None:
    assert smile().sha256 == hashlib.sha256(smile().rgba).hexdigest()
    assert smile().sha256.startswith("02e55bfa")
