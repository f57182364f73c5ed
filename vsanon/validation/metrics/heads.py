"""How a head is turned, by five points of its face: the eyes, the tip of the nose, the corners of the mouth.

The picture is turned first so that the eyes lie level; by how much is the tilt. Then the nose tells the yaw: seen
from the front its tip lies between the eyes, and as it stands out from them, it moves to the side that the head
turns to. Its way off their middle, in halves of their distance, is about the tangent of the yaw: the tip stands out
from the eyes by roughly as much as half their distance. Steps are chosen, not learnt: turned from 0.45 on (some 25
degrees), profile from 1.2 on (some 50), where the tip lies beyond an eye.
"""

from dataclasses import dataclass

import numpy as np

from vsanon.boxes import F32

TILTED_DEGREES = 20.0
"""From here on a head is tilted."""
_TURNED, _PROFILE = 0.45, 1.2


@dataclass(frozen=True, slots=True)
class Head:
    """How a head is turned: the values of the conditions of these names.

    Args:
        yaw: front, turned or profile.
        tilt: upright or tilted.
    """

    yaw: str
    tilt: str


def head_of(points: F32) -> Head:
    """How the head is turned whose face has these points.

    Args:
        points: (5, 2) float32, pixels: the eye at the left of the picture, the one at its right, the tip of the
            nose, the corners of the mouth.

    Examples:
        >>> head_of(np.array([[0, 0], [20, 0], [10, 10], [2, 20], [18, 20]], np.float32))
        Head(yaw='front', tilt='upright')
    """
    left, right, nose = points[:3].astype(np.float64)
    across = right - left
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    half = float(np.hypot(*across)) / 2
    # Eyes in one place are those of a profile.
    off = np.inf if half == 0 else abs(float((nose - (left + right) / 2) @ across)) / (2 * half**2)
    yaw = "profile" if off >= _PROFILE else "turned" if off >= _TURNED else "front"
    return Head(yaw, "tilted" if abs(angle) >= TILTED_DEGREES else "upright")
