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
