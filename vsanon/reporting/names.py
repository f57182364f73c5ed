"""Short names that people read: "H.264 CRF 40" for an encode, "hall, H.264 CRF 40" for a cell."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

CODECS = {
    "h264": "H.264", "hevc": "H.265", "h265": "H.265", "prores": "ProRes", "av1": "AV1", "vp9": "VP9",
    "dnxhd": "DNxHR", "mpeg2video": "MPEG-2", "ffv1": "FFV1", "mjpeg": "MJPEG",
}  # fmt: skip


def encode_names(encodes: Mapping[str, Json]) -> dict[str, str]:
    """Each encode by codec and what is varied; where two would be called the same, with their preset."""
    short = {name: _encode(encode) for name, encode in encodes.items()}
    times = Counter(short.values())
    return {
        name: words if times[words] == 1 else f"{words} ({encodes[name]['preset'] or name})"
        for name, words in short.items()
    }


def cell_names(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Each cell by its source and encode, and what else tells cells of this matrix apart."""
    encodes, cells = encode_names(evidence["encodes"]), evidence["cells"]
    varied = [key for key in ("setting", "profile", "delivery") if len({str(cell[key]) for cell in cells}) > 1]
    return {
        cell["id"]: ", ".join(
            [cell["source"], encodes[cell["encode"]], *(str(cell[key] or "not delivered") for key in varied)]
        )
        for cell in cells
    }


def group_names(criterion: Mapping[str, Any], per: str | None, evidence: Mapping[str, Any]) -> list[str]:
    """What the groups of a criterion are called, in their order."""
    encodes, cells = encode_names(evidence["encodes"]), cell_names(evidence)
    found = []
    for group in criterion["groups"]:
        first, *others = group["name"].split("/") if per == "encode" else [group["name"]]
        found.append(", ".join([encodes.get(first, cells.get(first, first)), *others]))
    return ["all together" if per == "all" else name for name in found]


def formats(encodes: Mapping[str, Json]) -> list[Json]:
    """Each format (codec) once, in the order of encodes, and at how many settings it was tried."""
    times: Counter[str] = Counter()
    for encode in encodes.values():
        known = encode["codec"] or str(encode["preset"])
        times["as it came" if encode["preset"] is None else CODECS.get(known, known)] += 1
    return [{"name": name, "encodes": count} for name, count in times.items()]


def terms(encodes: Mapping[str, Json]) -> list[Json]:
    """The words in the names of encodes that a reader may not know, each with what it says."""
    axes = {
        key
        for encode in encodes.values()
        for key, value in (encode.get("axes") or {}).items()
        if value is not None and (key, value) != ("generations", 1)
    }
    named = [one["name"] for one in formats(encodes) if one["name"] != "as it came"]
    words = {
        "crf": ("CRF", "the quality, the other way round: a higher number is a smaller file and a poorer picture"),
        "bit_rate": ("kbit/s, Mbit/s", "how much data a second takes: less is a smaller file and a poorer picture"),
        "gop": ("GOP", "after how many frames a whole picture is stored again"),
        "b_frames": ("B-frames", "pictures that are stored as differences to others before and after"),
        "generations": ("generations", "how often it was compressed, one time after another"),
        "denoise": ("denoising", "noise is smoothed away before"),
    }
    found = [{"word": word, "says": says} for key, (word, says) in words.items() if key in axes]
    if named:
        listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
        says = "formats (ways to compress video)" if len(named) > 1 else "a format (a way to compress video)"
        found.insert(0, {"word": listed, "says": says})
    return found


def bits(rate: float) -> str:
    """A chosen bit rate: 60 kbit/s, 2.5 Mbit/s."""
    return f"{rate / 1e6:g} Mbit/s" if rate >= 1e6 else f"{rate / 1e3:g} kbit/s"


def _encode(encode: Json) -> str:
    if encode["preset"] is None:
        return "as it came"
    axes = encode.get("axes") or {}
    codec = CODECS.get(encode["codec"] or "", str(encode["codec"] or encode["preset"]))
    words = {
        "crf": "CRF {}", "gop": "GOP {}", "b_frames": "{} B-frames", "pix_fmt": "{}", "scale": "scaled by {}",
        "fps": "{} frames/s", "denoise": "{} denoising", "generations": "{} generations",
    }  # fmt: skip
    said = [bits(axes["bit_rate"])] if isinstance(axes.get("bit_rate"), int | float) else []
    said += [
        words[key].format(axes[key])
        for key in words
        if axes.get(key) is not None and (key, axes[key]) != ("generations", 1)
    ]
    # Without an axis of its own, the preset is all that tells what it is, such as prores_hq.
    return " ".join([codec, *said]) if said else f"{codec} {encode['preset']}"
