"""The looks that a region can be given, by name, and what an attacker can still read from each."""

from collections.abc import Mapping

STRENGTHS: Mapping[str, str] = {
    "strict": "constant fill: nothing of the region is left but its place, size and motion",
    "soft": "5x5 area averages, held and blurred: at most 25 colours are left; in mosaics with more cells faces "
    "were named in 71 % of tries (McPherson 2016)",
    "mosaic": "5x5 area averages, held, as cells: at most 25 colours are left; in mosaics with more cells faces "
    "were named in 71 % of tries (McPherson 2016)",
    "picture": "an image over a constant fill: nothing of the region is left but its place, size and motion",
    "inpaint": "cosmetic, recorded as not anonymous: filled in from the surroundings, so that viewers can't see "
    "what was taken away, nor where it was missed; nothing of the region is left but its place, size and motion",
    "cosmetic": "Gaussian, not anonymous: blurred faces were named in 82 to 96 % of tries (Hao 2019, Revelio 2025)",
}
"""One line a look, with the literature's figures where there are any."""

PROFILES = tuple(STRENGTHS)

COSMETIC = frozenset({"inpaint", "cosmetic"})
"""Looks that are recorded as not anonymised."""

AVERAGED = frozenset({"soft", "mosaic"})
"""Looks that paint from a box's colour swatches."""

FILLS: Mapping[str, tuple[int, int, int]] = {"grey": (64, 64, 64), "black": (0, 0, 0), "white": (255, 255, 255)}
"""Fixed colours with a name, 8-bit RGB."""

SURROUNDINGS = "surroundings"
"""The fill that takes the mean colour around each region, so that it does not glow at night."""
