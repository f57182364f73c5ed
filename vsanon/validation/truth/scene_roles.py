"""What plays in the drawn scenes: who goes which way, where, and in which light; and who it is in another take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.backdrops import draw_park, draw_street
from vsanon.drawn.compositing import Way

U8 = NDArray[np.uint8]

STAGE = (1280, 720)
"""The size that the places, steps and heights of the roles below are given in."""


@dataclass(frozen=True, slots=True)
class Role:
    """What goes which way, in the stage's pixels.

    Args:
        what: face, plate, or pillar, which hides what is behind.
        height_px: of its truth box at frame 0.
        way: where it goes.
        yaw: how far a head or a car is turned, radians.
        blur_px: of the lens.
    """

    what: str
    height_px: float
    way: Way
    yaw: float = 0.0
    blur_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and under which light a scene plays.

    Args:
        roles: in the order in which they are painted: the last one is in front.
        background: draws it.
        pan: pixels a frame by which it slides to the left.
        exposure: the share of the light that is left.
        noise: standard deviation of the grain, in steps of 8 bits.
        tags: what a report says of it.
    """

    roles: tuple[Role, ...]
    background: Callable[[tuple[int, int], float, np.random.Generator], U8] = draw_street
    pan: float = 1.8
    exposure: float = 1.0
    noise: float = 2.0
    tags: Mapping[str, str] = field(default_factory=dict)


def _walk(x: float, y: float, dx: float, dy: float = 0.0, size: float = 40, **more: float) -> Way:
    """The way of somebody whose face is `size` px high."""
    return Way((x, y), (dx, dy), bob=0.025 * size, roll=0.03, **more)


# A crowd seen from a raised camera: the nearer, the larger and the lower in the picture.
_CROWD = (
    Role("face", 14, _walk(300, 140, 1.2, size=14)),
    Role("face", 17, _walk(720, 128, -1.0, size=17), yaw=0.2),
    Role("face", 20, _walk(1010, 150, -1.6, size=20), yaw=-0.2),
    Role("face", 24, _walk(110, 190, 2.0, size=24), yaw=0.15),
    Role("face", 28, _walk(560, 186, -1.5, size=28)),
    Role("face", 33, _walk(830, 214, 2.2, size=33), yaw=0.25),
    Role("face", 40, _walk(1150, 236, -2.6, size=40), yaw=-0.3),
    Role("pillar", 1100, Way((1030, 300), (-0.4, 0))),
    Role("face", 48, _walk(240, 268, 3.0, size=48), yaw=0.3),
    Role("face", 58, _walk(600, 290, -3.2, size=58), yaw=-0.2),
    Role("face", 74, _walk(-60, 352, 6.4, size=74), yaw=0.25),
    Role("face", 96, _walk(1060, 372, 4.6, size=96), yaw=0.1),
    Role("face", 132, _walk(560, 440, -2.4, size=132, grow=1.0015), yaw=-0.15),
    Role("face", 190, _walk(880, 840, -0.8, -4.2, size=190, stride=30)),
)


_CARS = (
    Role("plate", 6, Way((60, 500), (0.5, 0.0)), yaw=0.2),
    Role("plate", 8, Way((170, 506), (-0.4, 0.05)), yaw=-0.3),
    Role("plate", 10.5, Way((310, 514), (0.6, 0.1))),
    Role("plate", 14, Way((500, 524), (-0.5, 0.2), grow=1.001), yaw=0.5),
    Role("plate", 19, Way((740, 548), (1.0, 0.1)), yaw=-0.4),
    Role("plate", 22, Way((-180, 584), (20.0, 0.0)), yaw=0.3),
    Role("plate", 36, Way((1090, 620), (1.6, 0.4), grow=1.004), yaw=-0.2),
    Role("pillar", 900, Way((420, 360), (-2.2, 0))),
)


_DARK = tuple(replace(role, blur_px=1.0) for role in _CROWD if role.height_px >= 20)


_NOBODY = (Role("pillar", 900, Way((300, 360), (-1.2, 0))), Role("pillar", 1200, Way((1100, 420), (-2.6, 0))))


SETTINGS: Mapping[str, Setting] = {
    "faces": Setting(_CROWD, tags={"light": "day", "shows": "a crowd of faces from 14 to 190 px"}),
    "plates": Setting(_CARS, draw_park, tags={"light": "day", "shows": "cars, plates from 6 to 49 px"}),
    "faces_dark": Setting(
        _DARK, exposure=0.22, noise=6.0, tags={"light": "low", "shows": "faces from 20 to 190 px, noise"}
    ),
    "empty": Setting(_NOBODY, tags={"light": "day", "shows": "a street with nobody in it"}),
}
"""By name."""


def taken(roles: Sequence[Role], rng: np.random.Generator) -> tuple[Role, ...]:
    """The roles of another take: up to a quarter larger or smaller and faster or slower, somewhere near, and in
    half of the takes from the other side."""
    mirrored = bool(rng.random() < 0.5)

    def played(role: Role) -> Role:
        size, pace = (float(np.exp(rng.uniform(-0.22, 0.22))) for _ in range(2))
        x, y = role.way.at[0] + float(rng.uniform(-60, 60)), role.way.at[1] + float(rng.uniform(-12, 12))
        dx, dy = role.way.step[0] * pace, role.way.step[1] * pace
        yaw = role.yaw + float(rng.uniform(-0.1, 0.1))
        if mirrored:
            x, dx, yaw = STAGE[0] - x, -dx, -yaw
        way = replace(role.way, at=(x, y), step=(dx, dy), bob=role.way.bob * size)
        return replace(role, height_px=role.height_px * size, way=way, yaw=yaw)

    return tuple(played(role) for role in roles)
