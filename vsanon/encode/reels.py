"""The names by which editors find the material: reels, clips and UMIDs, and which of them go along."""

import re
from collections.abc import Mapping

from vsanon.encode.presets import Preset
from vsanon.media import MediaFacts, what_name_tells

_UMID = re.compile(r"(0x)?[0-9A-Fa-f]{64}")
"""A basic UMID; what an extended one has more is the time, the place and the owner (SMPTE ST 330)."""
_LONGEST_NAME = 100

UNNAMED = "{} is not given it; name the file so that it can be found"

ASK = " (--keep telemetry)"


def names_in(source: MediaFacts, preset: Preset, kept: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """The names of reel and clip that may go with the picture, and what is said of the others."""
    names, said = {}, []
    for key, value in source.names.items():
        if "names" not in kept:
            said.append(f"{key}: left out as asked")
        elif preset.muxer == "image2":
            said.append(f"{key}: {UNNAMED.format(preset.suffix)}")
        elif "umid" in key.lower() and (umid := _UMID.match(value)) is not None:
            names[key] = umid[0]
        elif len(value) > _LONGEST_NAME or not value.isprintable():
            said.append(f"{key}: no name, but {len(value)} characters of text")
        elif (words := what_name_tells(value)) is not None and "telemetry" not in kept:
            said.append(f"{key}: it tells {words}{ASK}")
        else:
            names[key] = value
    if preset.muxer == "mxf":
        reel = reel_of(names)
        said += [f"{key}: {UNNAMED.format(preset.suffix)}" for key, value in names.items() if value != reel]
        names = {} if reel is None else {"reel_name": reel}
    return names, said


def reel_of(names: Mapping[str, str]) -> str | None:
    """The name of the reel, among the names of `MediaFacts`; that of the clip where there is none."""
    for pattern in (r"reel_name$|(^|[._])(reel|tape)([._]?(name|id))?$", r"clip[._ ]?(id|name)|package_name"):
        found = [value for key, value in names.items() if re.search(pattern, key, re.IGNORECASE)]
        if found:
            return found[0]
    return None
