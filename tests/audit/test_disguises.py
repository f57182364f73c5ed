"""What is moved, mirrored or drawn inside of a cover is found there, and nothing is found in honest covers."""

import cv2
import numpy as np
import pytest

from tests.support import audit_clips as clips
from vsanon.audit.disguises import disguise_of
from vsanon.audit.judging import Level, judge
from vsanon.audit.structure import compare
from vsanon.audit.targets import is_lettering

BOX = (40.0, 30.0, 88.0, 90.0)
"""48 x 60 pixels: what is compared is what is there, sample by sample."""


def face() -> np.ndarray:
    """(120, 128, 3) something with structure at every scale, lopsided as faces are."""
    rng = np.random.default_rng(4)
    grey = sum(
        cv2.GaussianBlur(rng.normal(0, 1, (120, 128)), (0, 0), s) * s * 25 for s in (1, 2, 4)
    )  # fmt: skip
    return np.repeat(np.clip(128 + np.asarray(grey), 16, 235).astype(np.uint8)[..., None], 3, axis=2)


def luma(picture: np.ndarray) -> np.ndarray:
    return np.asarray(picture[..., 0], np.float32)


def covered(look: object) -> np.ndarray:
    out = face()
    out[30:90, 40:88] = look(out[30:90, 40:88])  # type: ignore[operator]
    return luma(out)


@pytest.mark.parametrize(
    ("look", "name"),
    [(clips.mirrored, "mirrored"), (clips.moved, "moved inside its box"), (clips.edges, "as edges")],
)
def test_another_guise_is_found_and_the_target_is_bare(look: object, name: str) -> None:
    now = covered(look)
    found = disguise_of(luma(face()), now, BOX)
    assert found is not None
    assert (found.name, found.correlation > 0.8) == (name, True)
    assert judge({"luma": compare(luma(face()), now, BOX)}, {}, disguise=found).level is Level.BARE


@pytest.mark.parametrize("look", [clips.fill, clips.mosaic(4), clips.mosaic(6), clips.blur(1 / 3)])
def test_an_honest_cover_has_no_guise(look: object) -> None:
    assert disguise_of(luma(face()), covered(look), BOX) is None


def test_a_target_of_nine_pixels_is_bare_where_it_is_as_it_was_and_untold_under_four_cells() -> None:
    box = (40.0, 30.0, 49.0, 39.0)
    for look, word in ((None, Level.BARE), (clips.mosaic(4), Level.UNTOLD), (clips.fill, Level.UNTOLD)):
        picture = face()
        if look is not None:
            picture[30:39, 40:49] = look(picture[30:39, 40:49])
        found = disguise_of(luma(face()), luma(picture), box)
        assert judge({"luma": compare(luma(face()), luma(picture), box)}, {}, disguise=found).level is word


def test_what_lies_at_the_edge_of_the_picture_is_looked_at_too() -> None:
    box = (-20.0, 90.0, 30.0, 140.0)
    assert disguise_of(luma(face()), luma(face()), box) is not None
    assert disguise_of(luma(face()), np.full((120, 128), 90, np.float32), box) is None


@pytest.mark.parametrize(
    ("name", "box", "expected"),
    [
        ("plate", (0, 0, 10, 10), True),
        ("Licence-Plate", (0, 0, 10, 10), True),
        ("numberplate", (0, 0, 10, 10), True),
        ("LP", (0, 0, 10, 10), True),
        ("face", (0, 0, 50, 10), False),
        ("target", (0, 0, 50, 10), True),
        ("target", (0, 0, 12, 10), False),
    ],
)
def test_a_plate_is_one_by_any_name_or_by_its_form(name: str, box: tuple[int, ...], expected: bool) -> None:
    assert is_lettering(name, box) is expected
