"""How a head is turned, by points whose answer is known."""

import cv2
import numpy as np
import pytest

from vsanon.validation.metrics.heads import head_of


def face(nose: float, degrees: float = 0.0) -> np.ndarray:
    """Eyes 20 pixels apart, the nose so far to the right of their middle; all of it turned to the right."""
    points = np.array([[40, 50], [60, 50], [50 + nose, 60], [44, 70], [56, 70]], np.float32)
    around = cv2.getRotationMatrix2D((50, 50), -degrees, 1)
    return (points @ around[:, :2].T + around[:, 2]).astype(np.float32)


@pytest.mark.parametrize(
    ("nose", "yaw"),
    [(0, "front"), (4, "front"), (5, "turned"), (-5, "turned"), (11, "turned"), (13, "profile"), (-13, "profile")],
)
def test_the_nose_tells_how_far_a_head_is_turned_to_either_side(nose: float, yaw: str) -> None:
    """Half the distance of the eyes is 10: turned from 4.5 on, profile from 12 on."""
    assert head_of(face(nose)).yaw == yaw


@pytest.mark.parametrize(("degrees", "tilt"), [(0, "upright"), (15, "upright"), (25, "tilted"), (-25, "tilted")])
@pytest.mark.parametrize(("nose", "yaw"), [(0, "front"), (5, "turned"), (13, "profile")])
def test_a_tilt_is_told_from_a_turn(degrees: float, tilt: str, nose: float, yaw: str) -> None:
    found = head_of(face(nose, degrees))
    assert (found.yaw, found.tilt) == (yaw, tilt)


def test_eyes_in_one_place_are_those_of_a_profile() -> None:
    points = face(3)
    points[1] = points[0]
    assert head_of(points).yaw == "profile"
