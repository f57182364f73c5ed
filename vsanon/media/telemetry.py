"""Is a text speech, or what a device wrote: positions, exposure values, its own name, the time of day?

Drones, dashcams and action cameras write such text as subtitles, and name tracks and chapters by it. What is
certain in one line (a position) condemns a text whatever stands around it, as the first lines may well be speech;
what people say, too (a speed, a date, the name of a maker) does so where many lines hold it. Where in doubt it is
not speech.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_CERTAIN: tuple[tuple[str, str], ...] = (
    # Two numbers to a thousandth, or one to a ten-thousandth of a degree: 100 m, 10 m.
    ("a position", r"\d{1,3}\.\d{3,}\s*°?\s*[nsewo]?\s*[,;/|: ]\s*[nsewo]?\s*[-+]?\d{1,3}\.\d{3,}"),
    ("a position", r"(?<![\d.,])\d{1,3}[.,]\d{4,}"),
    ("a position", r"[-+]\d{2,6}\.\d+[-+]\d{2,7}"),  # ISO 6709
    ("a position", r"\d{1,3}\s*[°º˚]\s*\d{1,2}(?:[.,]\d+)?\s*['′’]"),
    ("a position", r"\b[nsew]\s?\d{1,3}\s*[°º˚]|\d\s*[°º˚]\s?[nsew]\b"),
    ("a position", r"\$(?:g[pnlabq]|bd)[a-z]{3},|\$p[a-z]{3,},"),  # NMEA 0183
    ("a position", r"\b(?:gps|gnss|geo|home|position)\s*[(:=\[]+\s*[-+]?\d"),
    ("a position", r"\b(?:lat|lon|lng)(?:itude|gitude)?\b\W{0,4}\d|\blong\s*[:=]\W{0,3}\d"),
    ("exposure values", r"\b(?:iso|shutter|fnum|f-?number|ss|ev|ct|focal_len|color_md|dzoom\w*)\s*[:=]\s*\[?\s*"
     r"[-+\d]"),
    ("exposure values", r"\bf/\d(?:\.\d+)?\b.{0,40}\b(?:ss|iso|ev)\b"),
    ("a device's record", r"\b(?:(?:srt|frame)_?cnt|diff_?time|(?:rel_|abs_)?alt(?:itude)?|barometer|gimbal\w*|"
     r"gb_yaw|pitch|yaw|heading|azimuth)\s*[:=]\s*\[?\s*[-+]?\d"),
    ("a device's record", r"\b(?:serial(?: ?(?:no|number))?|s/n|imei|vin)\.?\s*[:=#]\s*\S*\d"),
    ("encoded data", r"[a-z0-9+/=_-]{40,}"),
    ("a folder of a machine", r"\b[a-z]:\\\w|/(?:users|home)/\w"),
)  # fmt: skip

_CERTAIN_IN_CAPITALS: tuple[tuple[str, str], ...] = (
    ("a position", r"\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,7}\b"),  # Open Location Code
    ("a position", r"\b\d{1,2}[C-X]\s?[A-HJ-NP-Z]{2}\s?\d{4,5}\s?\d{4,5}\b|\b\d{1,2}\s?[C-X]\s\d{6}\s\d{7}\b"),
)  # MGRS, UTM

_TELLING: tuple[tuple[str, str], ...] = (
    ("positions", r"\d{1,3}\.\d{2,}\s*[,;/|: ]\s*[-+]?\d{1,3}\.\d{2,}"),
    ("exposure values", r"\biso\s?\d{2,6}\b|\bf/\d|\b1/\d{2,5}\s?s?\b|\bev\s?[-+]?\d"),
    ("speeds and heights", r"\b\d+(?:[.,]\d+)?\s?(?:km/?h|kph|mph|m/s|knots|kn|ft|m)\b|"
     r"\b[dhvs]\s?[-:]?\s?-?\d+[.,]?\d*\s?m\b"),
    ("dates and times", r"\b\d{4}[-/.:]\d\d[-/.:]\d\d\b|\b\d\d[-/.]\d\d[-/.]\d{2,4}\b|\b\d\d:\d\d:\d\d\b"),
)  # fmt: skip

_DEVICE = (
    "a device's name",
    r"\b(?:dji|gopro|mavic|phantom \d|inspire \d|autel|skydio|insta360|garmin|viofo|blackvue|nextbase|hikvision|"
    r"dahua|reolink|hero ?\d+|gps|gnss|telemetry|firmware)\b",
)

_ANY_CASE, _CAPITALS = re.IGNORECASE | re.DOTALL, re.DOTALL
_FIND = [(words, re.compile(pattern, _ANY_CASE)) for words, pattern in _CERTAIN]
_FIND += [(words, re.compile(pattern, _CAPITALS)) for words, pattern in _CERTAIN_IN_CAPITALS]
_NAMES = (_DEVICE[0], re.compile(_DEVICE[1], _ANY_CASE))
_COUNT = [(words, re.compile(pattern, _ANY_CASE)) for words, pattern in _TELLING] + [_NAMES]

_SHARE = 0.2
"""Of the lines that may hold what people say, too, or be numbers."""

_DIGITS = 0.5
"""Of the letters and digits of a line that counts as speech, those that may be digits."""


def what_text_tells(texts: Iterable[str]) -> str | None:
    """What a text tells that is no speech, in words; None where it is speech, or empty.

    Args:
        texts: its lines, such as the cues of subtitles; marks of style may stand in them.

    Examples:
        >>> what_text_tells(["Good morning.", "GPS (8.541694, 47.376888, 18)"])
        'a position'
        >>> what_text_tells(["At 100 km/h we make it by 10:30.", "Never!", "Yes.", "No.", "Well then."]) is None
        True
    """
    told: Counter[str] = Counter()
    lines = 0
    for text in texts:
        if not (whole := _plain(text)):
            continue
        lines += 1
        if (words := _certain(whole)) is not None:
            return words
        shown = _without_style(whole)
        found = next((words for words, pattern in _COUNT if pattern.search(shown)), None)
        if found is not None or _is_numbers(shown):
            told[found or "numbers"] += 1
    return told.most_common(1)[0][0] if told.total() > _SHARE * lines else None


def what_name_tells(text: str) -> str | None:
    """What the name of a track, a chapter or a reel tells that is no name; such as a position, or a device.

    Examples:
        >>> what_name_tells("Camera 2, 10:30"), what_name_tells("47.376888 8.541694")
        (None, 'a position')
    """
    plain = _plain(text)
    return _certain(plain) or (_NAMES[0] if _NAMES[1].search(plain.replace("_", " ").replace(".", " ")) else None)


def _certain(line: str) -> str | None:
    """What a line tells for certain, also between its marks of style, which nobody sees."""
    shown = _without_style(line)
    return next((words for words, pattern in _FIND if pattern.search(line) or pattern.search(shown)), None)


def _plain(text: str) -> str:
    """The text in plain characters: nothing invisible between them, the digits of all scripts as 0 to 9."""
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Co", "Cn", "Mn", "Cs"))
    latin = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in visible)
    placed = re.sub(r"\\(?:pos|move|org|i?clip)\([^()]{0,80}\)", "", latin)  # where on the picture a line stands
    return re.sub(r"[\s\0]+", " ", re.sub("[\u2212\u2013\u2011]", "-", placed).replace("\\N", " ")).strip()


def _without_style(line: str) -> str:
    return re.sub(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}", "", line)


def _is_numbers(line: str) -> bool:
    digits, letters = sum(c.isdigit() for c in line), sum(c.isalpha() for c in line)
    return digits >= 3 and digits > _DIGITS * (digits + letters)
