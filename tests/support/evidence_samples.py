"""Small evidence made by hand, for tests of what is concluded from it and how it is reported.

All samples have 25 fps, pictures of 640x360, and faces of 40x50 px (2,000 px²), whose shorter side of 40 px lies in
the half octave from 32 to 45.25 px. Coverage and detection are what each test of `conclusions` counts by hand:

| sample | clips x identities x frames | what it holds | verdict |
|---|---|---|---|
| `passing` | 2 x 20 x 10 | H.264 and H.265, all covered: 40 of 40 are worth 13.8, 0.765; limit 0.75 | pass |
| `failing` | 4 x 10 x 10 | at H.264 CRF 45 every second identity is bare in all its frames: 0.5 | fail |
| `with_failed_cell` | 2 x 20 x 10 | as `passing`, but one cell could not be encoded | not shown |
| `not_run` | 2 x 20 x 10 | as `passing`, but nobody has worked on one cell yet | not shown |
| `one_format` | 2 x 20 x 10 | as `passing`, but H.264 alone | not shown |
| `one_clip` | 1 x 40 x 10 | as `passing`, but in one clip | not shown |
| `without_truth` | 2 clips | nobody knows who is there | not shown |
| `without_detections` | 2 x 20 x 10 | nothing was found, so nothing is covered: 0 | fail |
| `one_frame` | 2 x 1 x 1 | one person in one frame of each clip, covered | not shown |
| `ladder` | 3 x 6 x 10 | H.264 and H.265 at CRF 23 to 51; recall falls, with H.265 one step later | not shown |
| `delivered` | 2 x 20 x 10 | as `passing`, delivered: 3 faces found again in one file, one check failed | fail |
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Exposed = Callable[[str, str, int], int]
"""Of source, encode and identity: how many of its first frames are bare."""

SIDE, AREA_PX = 40.0, 2000.0
FPS = 25
AS_IS = "as_is"
RATES = {AS_IS: 8_000_000, "h264_crf_23": 2_000_000, "h264_crf_45": 200_000, "h265_crf_28": 1_000_000}
CROSSED = ("h264_crf_23", "h264_crf_30", "h265_crf_28", "h265_crf_35")
"""Two rates in each of two formats: 2, 1, 1 and 0.5 Mbit/s."""
LADDER_CRF = (23, 30, 37, 44, 51)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def not_measured(reason: str) -> Json:
    return {"not_measured": reason}


def passing() -> Json:
    return evidence("passing", {"street": 20, "hall": 20}, (AS_IS, *CROSSED))


def failing() -> Json:
    def every_second(source: str, encode: str, identity: int) -> int:
        return 10 if encode == "h264_crf_45" and identity % 2 else 0

    four = {"street": 10, "hall": 10, "yard": 10, "shop": 10}
    return evidence("failing", four, ("h264_crf_23", "h264_crf_45", *CROSSED[2:]), every_second)


def with_failed_cell() -> Json:
    found = passing()
    found["name"] = "with_failed_cell"
    fail(found["cells"][-1], "encode", "MissingError", "this ffmpeg has no encoder libx265")
    found["deviations"].append(f"{found['cells'][-1]['id']} failed.")
    return found


def not_run() -> Json:
    """As `validate collect` gives it of a run that is not at its end."""
    found = passing()
    fail(found["cells"][-1], "", "", "")
    found["name"] = "not_run"
    found["cells"][-1].update(outcome="not run", failure=None)
    return found


def one_format() -> Json:
    return evidence("one_format", {"street": 20, "hall": 20}, ("h264_crf_23", "h264_crf_45"))


def one_clip() -> Json:
    return evidence("one_clip", {"street": 40}, CROSSED)


def without_truth() -> Json:
    found = evidence("without_truth", {"street": 0, "hall": 0}, CROSSED)
    for source in found["sources"].values():
        source["truth"] = {"kind": "none", "sha256": None, "note": "", "classes": {}, "warnings": []}
    for cell in found["cells"]:
        cell["over_blur"] = not_measured("there is no truth")
        cell["classes"]["face"] = {**dict.fromkeys(PARTS), "tracked": tracked(120, 10)}
    return found


def without_detections() -> Json:
    found = evidence(
        "without_detections",
        {"street": 20, "hall": 20},
        CROSSED,
        lambda *_: 10,
        found_again=False,
    )
    for cell in found["cells"]:
        cell["over_blur"] = 0.0
        cell["classes"]["face"]["tracked"] = tracked(0, 10)
    return found


def one_frame() -> Json:
    return evidence("one_frame", {"street": 1, "hall": 1}, CROSSED, frames=1)


def ladder() -> Json:
    """At CRF 23 and 30 nothing is bare, then 3 of 10 frames, then 6, then all; H.265 does so a step later."""
    bare = (0, 0, 3, 6, 10)
    encodes = [f"{codec}_crf_{crf}" for codec in ("h264", "h265") for crf in LADDER_CRF]

    def falls(source: str, encode: str, identity: int) -> int:
        codec, _, crf = encode.split("_")
        step = max(LADDER_CRF.index(int(crf)) - (codec == "h265"), 0)
        # Identities differ, or a bootstrap would have nothing to draw.
        return min(10, max(0, bare[step] + (identity % 3 - 1) * (0 < bare[step] < 10)))

    return evidence("ladder", {"street": 6, "hall": 6, "yard": 6}, encodes, falls)


def delivered() -> Json:
    found = passing()
    found["name"] = "delivered"
    found["deliveries"] = {"h264_crf": {**encode_entry("h264_crf_23"), "label": "h264_crf"}}
    found["criteria"] += [
        {"id": "files", "metric": "checks_passed", "class": None, "at_least": 1.0, "per": "all"},
        {"id": "residual", "metric": "residual_per_1000", "class": "face", "at_most": 50, "per": "all"},
    ]
    for k, cell in enumerate(found["cells"]):
        cell["delivery"] = "h264_crf"
        cell["id"] = cell["id"].removesuffix("none") + "h264_crf"
        zone = {"frames": 10, "psnr_db_mean": 44.0, "psnr_db_minimum": 41.0, "ssim_mean": 0.98}
        cell["delivered"] = {
            "stream": stream(900_000, 10),
            "picture": {"pix_fmt": "yuv420p", "frames": 10, "scores": {}},
            "zones": {"inside": zone, "band": zone, "outside": None},
            "residual": {
                "face": {"found": 3 if k == 0 else 0, "shown_frames": 10, "per_1000": 300.0 if k == 0 else 0.0}
            },
            "checks": [
                {"name": "frames", "passed": True, "expected": "10", "found": "10"},
                {
                    "name": "colour tags",
                    "passed": k != 0,
                    "expected": "bt709",
                    "found": "bt709" if k else "unknown",
                },
            ],
        }
    return found


SAMPLES: Mapping[str, Callable[[], Json]] = {
    make.__name__: make
    for make in (
        passing, failing, with_failed_cell, not_run, one_format, one_clip, without_truth, without_detections,
        one_frame, ladder, delivered,
    )
}  # fmt: skip

PARTS = ("detection", "exposure", "tracks", "stability", "regions")


def evidence(
    name: str,
    sources: Mapping[str, int],
    encodes: Sequence[str],
    exposed: Exposed = lambda *_: 0,
    *,
    frames: int = 10,
    found_again: bool = True,
    criteria: Sequence[Json] = (
        {"id": "faces-covered", "metric": "coverage_recall", "class": "face", "at_least": 0.75, "per": "encode"},
    ),
) -> Json:
    """Evidence of every source (by its number of identities) under every encode.

    Args:
        found_again: the detector finds what is covered; else nothing at all.
    """
    return {
        "vsanon_evidence": 2,
        "name": name,
        "title": f"Made by hand: {name.replace('_', ' ')}",
        "purpose": "What is concluded from it can be counted by hand.",
        "criteria": [dict(criterion) for criterion in criteria],
        "confidence": 0.95,
        "provenance": {
            "versions": {"vsanon": "0.1.0", "python": "3.12.3", "ffmpeg": "9.0", "numpy": "2.1.0"},
            "code_sha256": sha("code"),
            "machine": {"system": "Linux", "machine": "x86_64"},
            "models": [{"name": "centerface", "sha256": sha("model"), "licence": "MIT", "classes": ["face"]}],
            "seeds": {"bootstrap": 20_240_607},
            "matrix_sha256": sha(name),
        },
        "sources": {source: source_entry(source, count, frames) for source, count in sources.items()},
        "encodes": {encode: encode_entry(encode) for encode in encodes},
        "settings": {
            "balanced": {
                "classes": ["face"],
                "models": {"face": ["centerface"]},
                "setting": "balanced",
                "size": None,
            }
        },
        "profiles": ["strict"],
        "deliveries": {},
        "cells": [
            cell(source, count, encode, [exposed(source, encode, i) for i in range(count)], frames, found_again)
            for encode in encodes
            for source, count in sources.items()
        ],
        "deviations": [],
    }


def source_entry(source: str, identities: int, frames: int) -> Json:
    return {
        "kind": "scene",
        "file_name": None,
        "sha256": sha(source),
        "frames_sha256": sha(f"{source} frames"),
        "bytes": 1_000_000,
        "condition": {
            "codec": "ffv1", "profile": None, "pix_fmt": "yuv420p", "size": [640, 360], "fps": str(FPS),
            "frames": frames, "field_order": "progressive", "rotation": 0,
            "color": {"matrix": "bt709", "range": "tv"},
        },
        "range": [0, frames],
        "every": 1,
        "tags": {"light": "day"},
        "truth": {
            "kind": "scene",
            "sha256": sha(f"{source} truth"),
            "note": "",
            "classes": {
                "face": {
                    "boxes": identities * frames, "ignored": 0, "identities": identities,
                    "shorter_side": {"minimum": SIDE, "mean": SIDE, "maximum": SIDE}, "median_side": SIDE,
                }
            },
            "warnings": [],
        },
        "failure": None,
    }  # fmt: skip


def encode_entry(encode: str) -> Json:
    """Named as codec_crf_value, or `as_is`."""
    axes = dict.fromkeys(("crf", "bit_rate", "gop", "b_frames", "pix_fmt", "scale", "denoise"))
    if encode == AS_IS:
        return {
            "preset": None, "codec": None, "encoder": None, "axes": {**axes, "generations": 0},
            "label": "as it came", "threads": None, "command": None,
        }  # fmt: skip
    codec, _, crf = encode.split("_")
    return {
        "preset": f"{codec}_crf",
        "codec": codec,
        "encoder": {"h264": "libx264", "h265": "libx265"}[codec],
        "axes": {**axes, "crf": int(crf), "gop": 50, "generations": 1},
        "label": f"{codec}_crf, CRF {crf}, GOP 50",
        "threads": 4,
        "command": ["ffmpeg", "-i", "{in}", "-crf", crf, "{out}"],
    }


def rate_of(encode: str) -> int:
    """Bits a second: halved every 7 steps of CRF from 2 Mbit/s at 23 on; H.265 the same seven steps earlier."""
    if encode in RATES:
        return RATES[encode]
    codec, _, crf = encode.split("_")
    steps = (int(crf) - 23) // 7 + (codec == "h265")
    return 2_000_000 >> steps


def cell(source: str, identities: int, encode: str, bare: Sequence[int], frames: int, found_again: bool) -> Json:
    boxes, missed = identities * frames, sum(bare)
    hits = boxes - missed if found_again else 0
    counts = {"tp": hits, "fp": 0, "fn": boxes - hits, "iou_sum": 0.8 * hits}
    none = {"tp": 0, "fp": 0, "fn": 0, "iou_sum": 0.0}
    strata = dict.fromkeys(("<10", "10-20", "20-40", "40-80", ">80"), none) | {"40-80": counts}
    no_vmaf = not_measured("this ffmpeg has no libvmaf")
    picture = {"pix_fmt": "yuv420p", "frames": frames, "scores": {"vmaf": no_vmaf}}
    lost = {"dropped": 0, "never_covered": sum(b == frames for b in bare)}
    return {
        "id": f"{source}/{encode}/balanced/strict/none",
        "source": source,
        "encode": encode,
        "setting": "balanced",
        "profile": "strict",
        "delivery": None,
        "key": sha(f"{source} {encode}"),
        "signature": "face:centerface@0918 balanced strict v0.1.0/abcdef",
        "outcome": "measured",
        "failure": None,
        "frames": frames,
        "size": [640, 360],
        "fps": str(FPS),
        "stream": stream(rate_of(encode), frames, "ffv1" if encode == AS_IS else encode[:4]),
        "picture": None if encode == AS_IS else picture,
        "over_blur": 0.03,
        "mask_flicker": not_measured("one mask only") if frames == 1 else 0.01,
        "classes": {
            "face": {
                "tracked": tracked(boxes, frames),
                "detection": [{"threshold": t, "all": counts, "strata": strata} for t in (0.3, 0.5, 0.7)],
                "exposure": {
                    "tau": 0.9,
                    "boxes": boxes,
                    "covered_boxes": boxes - missed,
                    "truth_px": AREA_PX * boxes,
                    "covered_px": AREA_PX * (boxes - missed),
                    "identities": [identity(i, b, frames, found_again) for i, b in enumerate(bare)],
                },
                "tracks": {
                    "hota": 0.9, "det_a": 0.9, "ass_a": 0.9, "idf1": 0.9, "mota": 0.9, "id_switches": 0,
                    "fragments": 0, "mostly_tracked": identities, "mostly_lost": 0, "identities": identities,
                    "lost": lost,
                },
                "stability": None if frames == 1 else {"fragment": 0.0, "center": 0.01, "scale_ratio": 0.01},
                "regions": {"boxes": boxes, "psnr_db_mean": 31.2, "ssim_mean": 0.93},
            }
        },
        "delivered": None,
    }  # fmt: skip


def identity(i: int, bare: int, frames: int, found_again: bool) -> Json:
    """Bare in its first frames, and in no other; found where it is covered."""
    run = {
        "start": 0, "stop": bare, "worst_frame": 0, "worst_coverage": 0.0, "exposed_px_frames": AREA_PX * bare,
        "median_side_px": SIDE,
    }  # fmt: skip
    found = frames - bare if found_again else 0
    return {
        "id": i + 1,
        "frames": frames,
        "exposed_frames": bare,
        "longest_run_frames": bare,
        "frames_to_first_exposure": 0 if bare else None,
        "switches": int(0 < bare < frames),
        "exposed_px_frames": AREA_PX * bare,
        "found_frames": found,
        "first_frame": 0,
        "last_frame": frames - 1,
        "dropped": 0,
        "never_covered": bare == frames,
        "runs": [run] if bare else [],
        "sides": [
            {"low_px": 32.0, "high_px": 45.254834, "boxes": frames, "covered": frames - bare, "found": found}
        ],
    }


def tracked(boxes: int, frames: int) -> Json:
    return {
        "boxes": boxes,
        "tracks": boxes // 10,
        "frames": frames,
        "switches_per_identity_second": 0.0 if boxes else None,
    }


def stream(bit_rate: int, frames: int, codec: str = "h264") -> Json:
    return {
        "codec": codec,
        "profile": "High",
        "pix_fmt": "yuv420p",
        "depth": 8,
        "size": [640, 360],
        "fps": str(FPS),
        "frames": frames,
        "duration_s": frames / FPS,
        "bit_rate": bit_rate,
        "peak_bit_rate": bit_rate,
        "gop_frames": {"minimum": frames, "mean": float(frames), "maximum": frames},
        "b_frame_share": 0.5,
        "bytes": bit_rate * frames // FPS // 8,
        "sha256": sha(f"{codec} {bit_rate}"),
        "answers": [],
    }


def fail(cell: Json, step: str, kind: str, message: str) -> None:
    """Make a cell a failed one, in place."""
    why = not_measured("the cell failed")
    cell.update(
        outcome="failed", failure={"step": step, "kind": kind, "message": message}, stream=None, picture=None,
        over_blur=why, mask_flicker=why, classes={}, delivered=None,
    )  # fmt: skip
