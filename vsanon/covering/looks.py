"""The looks that a region can be given, by name, and what an attacker can still read from each."""

from collections.abc import Mapping

from vsanon.covering.strength import measured, rows

_LEFT: Mapping[str, str] = {
    "strict": "constant fill: nothing of the region is left but its place, size and motion",
    "soft": "5x5 area averages, held and blurred, not anonymous: 25 colours are left",
    "mosaic": "5x5 area averages, held, as cells, not anonymous: 25 colours are left",
    "picture": "an image over a constant fill: nothing of the region is left but its place, size and motion",
    "inpaint": "cosmetic, recorded as not anonymous: filled in from the surroundings, so that viewers can't see "
    "what was taken away, nor where it was missed; nothing of the region is left but its place, size and motion",
    "cosmetic": "Gaussian, not anonymous",
}
STRENGTHS: Mapping[str, str] = {look: left + measured(look, rows()) for look, left in _LEFT.items()}
"""One line a look, with what attacks on it came to."""

PROFILES = tuple(STRENGTHS)

NOT_ANONYMISED = frozenset({"soft", "mosaic", "inpaint", "cosmetic"})
"""Looks that are recorded as not anonymised: attacks read them, or nobody can see that something was covered."""

AVERAGED = frozenset({"soft", "mosaic"})
"""Looks that paint from a box's colour swatches."""

FILLS: Mapping[str, tuple[int, int, int]] = {"grey": (64, 64, 64), "black": (0, 0, 0), "white": (255, 255, 255)}
"""Fixed colours with a name, 8-bit RGB."""

SURROUNDINGS = "surroundings"
"""The fill that takes the mean colour around each region, so that it does not glow at night."""
