"""How figures and foreign text are written: one function for each, so that a check can print them again."""

import json
import unicodedata
from collections.abc import Callable
from math import ceil, floor

from vsanon.errors import InputError

METRICS = {
    "coverage_recall": "Boxes covered",
    "pixel_recall": "Area of boxes covered",
    "detection_recall": "Boxes found by the detector alone",
    "precision": "Precision of the detector",
    "exposed_identity_share": "Identities exposed",
    "over_blur": "Picture covered without need",
    "found_again_share": "Boxes found again after delivery",
    "residual_per_1000": "Found again after delivery, per 1,000 frames",
    "checks_passed": "Checks of the delivered file passed",
    "reading_rate": "Characters read through the look by attackers",
    "linking_rate": "People named through the look by attackers",
}
"""What a metric is called in a heading; `DEFINITIONS` says what it is."""

_OF_CLASS = {
    "coverage_recall": "boxes of {} covered",
    "pixel_recall": "area of {} covered",
    "detection_recall": "boxes of {} found by the detector alone",
    "precision": "finds of the detector that are {}",
    "exposed_identity_share": "{} exposed",
    "found_again_share": "boxes of {} found again after delivery",
    "residual_per_1000": "{} found again after delivery, per 1,000 frames",
}
_MANY = {"face": "faces", "plate": "plates"}

DEFINITIONS = {
    "coverage_recall": "the share of true boxes that lie under the mask",
    "pixel_recall": "the share of the area of all true boxes that lies under the mask",
    "detection_recall": "the share of true boxes that the detector found by itself (IoU 0.5), before tracking "
    "filled the gaps",
    "precision": "the share of the detector's boxes that match a true box (IoU 0.5), the mean over the clips",
    "exposed_identity_share": "the share of identities (people, plates) that were not covered in one frame at "
    "least, or in as many frames as the criterion says, or in all of theirs where they have fewer",
    "over_blur": "the share of the frame that is covered although no true box lies there",
    "found_again_share": "the share of true boxes that the same detector still finds in the delivered file",
    "residual_per_1000": "what the same detector still finds in the delivered file, for each 1,000 frames shown",
    "checks_passed": "the share of the checks of delivered files (frames, sound, timecode, tags, pixels outside "
    "the masks) that passed",
    "reading_rate": "the share of characters of known text that an attacker read through the look, of the attack "
    "furthest above a guess; made before the run, see strength.md",
    "linking_rate": "the share of pictures of known people that an attacker named through the look, of the attack "
    "furthest above a guess; made before the run, see strength.md",
}


def counted_of(metric: str, name: str | None) -> str:
    """What a metric counts, of a class.

    Examples:
        >>> counted_of("coverage_recall", "face"), counted_of("checks_passed", None)
        ('boxes of faces covered', 'checks of the delivered file passed')
    """
    words = METRICS.get(metric, metric)
    if name is None or metric not in _OF_CLASS:
        return words[:1].lower() + words[1:]
    # An identity of the class face is a person.
    many = "people" if (metric, name) == ("exposed_identity_share", "face") else _MANY.get(name, name)
    return _OF_CLASS[metric].format(many)


CONDITION_WORDS = {
    "size": "Shorter side in px",
    "occluded": "Partly hidden",
    "readable": "Readable",
    "edge": "At the edge of the frame",
    "since": "Time since in view, or since a cut",
    "light": "Light in the box",
    "overexposed": "Overexposed",
    "underexposed": "Underexposed",
    "blur": "Sharpness",
    "camera": "Camera movement",
    "yaw": "Head turned to the side",
    "tilt": "Head tilted to the shoulder",
}
"""What a condition of boxes is called; `vsanon.validation.metrics.conditions` says what its values are."""

IDENTITIES = {"face": ("people", "person"), "plate": ("plates", "plate")}
"""What several identities of a class are, and what one is."""

OUTCOMES = {"pass": ("✓", "Pass"), "fail": ("✕", "Fail"), "not shown": ("?", "Not shown")}
"""Symbol and word of an outcome; colour is never the only sign."""

TRIALS = {
    "coverage_recall": "boxes",
    "detection_recall": "boxes",
    "pixel_recall": "px",
    "precision": "detections",
    "exposed_identity_share": "identities",
    "found_again_share": "boxes",
    "residual_per_1000": "frames",
    "checks_passed": "checks",
    "reading_rate": "characters",
    "linking_rate": "pictures",
}
"""What one trial of a metric is."""


_KEPT = "\n\t\u200c\u200d"  # the joiners of Persian, Indic scripts and emoji


SURE_PER_DECIMAL = (200, 2000)
"""From so many identities (people, plates) on, a share of them is printed with one decimal, and with two."""


def share_kind(sample: int | None) -> str:
    """How a share of so many is printed: with no more decimals than they carry; two where nobody was counted.

    Examples:
        >>> share_kind(23), share_kind(500), share_kind(None)
        ('share0', 'share1', 'share')
    """
    few, some = SURE_PER_DECIMAL
    return "share" if sample is None or sample >= some else "share1" if sample >= few else "share0"


def shown(value: float, kind: str = "number") -> str:
    """A figure as it is printed.

    Args:
        kind: share (of 1, printed in percent with two decimals), share1 and share0 (with one, with none), the same
            with _from or _to (the lower end of an interval, rounded down, and the upper one, up), signed_share (a
            difference of shares, in percentage points), level (a chosen share, printed in percent), count, index
            (of a frame or a pixel), percent, signed_percent, bit_rate (bit/s), bytes, db, px, ms or number.

    Raises:
        InputError: there is no such kind.

    Examples:
        >>> shown(0.99999, "share"), shown(0.5, "share"), shown(2_400_000, "bit_rate")
        ('> 99.99 %', '50.00 %', '2.4 Mbit/s')
    """
    match kind:
        case "share" | "share1" | "share0":
            return _share(value, _DECIMALS[kind])
        case "share_from" | "share1_from" | "share0_from":
            return _end(value, _DECIMALS[kind.removesuffix("_from")], floor)
        case "share_to" | "share1_to" | "share0_to":
            return _end(value, _DECIMALS[kind.removesuffix("_to")], ceil)
        case "signed_share":
            return f"{100 * value:+.2f} points".replace("-", "−")
        case "level":
            return f"{100 * value:.6g} %"
        case "count":
            return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
        case "index":
            return f"{value:.0f}"
        case "percent":
            return f"{value:.1f} %"
        case "signed_percent":
            return f"{value:+.1f} %".replace("-", "−")
        case "bit_rate":
            return f"{value / 1e6:,.3g} Mbit/s" if value >= 1e6 else f"{value / 1e3:,.3g} kbit/s"
        case "bytes":
            return f"{value:,.0f} bytes"
        case "db":
            return f"{value:.1f} dB"
        case "px":
            return f"{value:,.1f} px"
        case "ms":
            return f"{value:,.0f} ms"
        case "number":
            return f"{value:.4g}".replace("-", "−")
    raise InputError(f"figures are not printed as {kind!r}; see the list in reports/templates/README.md.")


def exact(value: float) -> str:
    """The figure in full, as JSON writes it."""
    return json.dumps(value)


def visible(text: str) -> str:
    """Foreign text with each character that would be unseen or turn the reading direction written out: ⟨U+202E⟩.

    Line breaks and tabs stay, and so do letters of every script.
    """
    return "".join(f"⟨U+{ord(c):04X}⟩" if _unseen(c) else c for c in text)


def short(text: str, most: int = 40) -> str:
    """`text` made visible on one line of at most `most` characters, with … where it was cut."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


_DECIMALS = {"share": 2, "share1": 1, "share0": 0}


def _share(value: float, decimals: int) -> str:
    """So many decimals of a percent; never 100 % or 0 % unless it is exactly that."""
    step = 10.0**-decimals
    if 100 - step / 2 <= 100 * value < 100:
        return f"> {100 - step:.{decimals}f} %"
    if 0 < 100 * value < step / 2:
        return f"< {step:.{decimals}f} %"
    return f"{100 * value:.{decimals}f} %".replace("-", "−")


def _end(value: float, decimals: int, outwards: Callable[[float], int]) -> str:
    """An end of an interval, rounded away from its middle: what is printed never says more than is known."""
    # Figures are rounded to six digits; 100 * 0.29 is less than 29.
    whole = outwards(round(100 * value * 10**decimals, 6))
    return f"{whole / 10**decimals:.{decimals}f} %"


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _KEPT
