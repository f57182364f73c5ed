"""A small evidence and its conclusions, made by hand: two clips, three encodes, one failed cell, one delivery."""

import copy
import hashlib
from typing import Any

Json = dict[str, Any]

METRICS = ("coverage_recall", "detection_recall", "pixel_recall", "exposed_identity_share")
SIGNATURE = "face:centerface@0918 balanced strict v0.1.0/abcdef"
CENTERFACE = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"


def not_measured(reason: str) -> Json:
    return {"not_measured": reason}


def evidence() -> Json:
    """`walk` has one person whose frames 3 and 4 are not covered at CRF 45; `hall` failed at CRF 45."""
    cells = [_cell(source, encode) for source in ("walk", "hall") for encode in ("as_is", "crf_23", "crf_45")]
    cells[5] = _failed(cells[5])
    cells[0] |= {"delivery": "h264", "id": "walk/as_is/balanced/strict/h264", "delivered": _delivered()}
    return {
        "vsanon_evidence": 2,
        "name": "hand",
        "title": "A matrix made by hand",
        "purpose": "Does the page say what the evidence holds?",
        "criteria": [
            {"id": "faces", "metric": "coverage_recall", "class": "face", "at_least": 0.99, "per": "encode"}
        ],
        "confidence": 0.95,
        "provenance": {
            "versions": {"vsanon": "0.1.0", "ffmpeg": "9.0"},
            "code_sha256": _sha("code"),
            "machine": {"system": "Linux", "machine": "x86_64"},
            "models": [{"name": "centerface", "sha256": CENTERFACE, "licence": "MIT", "classes": ["face"]}],
            "seeds": {"bootstrap": 1},
            "matrix_sha256": _sha("matrix"),
        },
        "sources": {name: _source(name) for name in ("walk", "hall")},
        "encodes": {
            "as_is": _encode(None, None),
            "crf_23": _encode("h264_crf", 23),
            "crf_45": _encode("h264_crf", 45),
        },
        "settings": {"balanced": {"classes": ["face"], "models": {"face": ["centerface"]}, "setting": "balanced"}},
        "profiles": ["strict"],
        "deliveries": {"h264": _encode("h264_crf", 18)},
        "cells": cells,
        "deviations": ["The cell hall at CRF 45 failed."],
    }


def conclusions(found: Json) -> Json:
    """What the page is told to print; made by hand from the cells, with intervals that nothing stands behind."""
    measured = [cell for cell in found["cells"] if cell["outcome"] == "measured"]
    by_encode = {
        encode: [cell for cell in measured if cell["encode"] == encode]
        for encode in dict.fromkeys(cell["encode"] for cell in measured)
    }
    groups = [
        {
            "name": encode,
            "outcome": "pass" if _figure(cells).get("low", 0) >= 0.99 else "fail",
            "value": _figure(cells),
            "cells": [cell["id"] for cell in cells],
            "why": [],
        }
        for encode, cells in by_encode.items()
    ]
    runs = [
        {
            "cell": cell["id"],
            "class": "face",
            "identity": identity["id"],
            "frames": run["stop"] - run["start"],
            "ms": 80.0,
            **run,
        }
        for cell in measured
        if cell["classes"]["face"]["exposure"]
        for identity in cell["classes"]["face"]["exposure"]["identities"]
        for run in identity["runs"]
    ]
    failed = len(found["cells"]) - len(measured)
    return {
        "verdict": {"outcome": "fail", "reasons": ["faces fails for crf_45", f"{failed} cells failed"]},
        "sample": {
            "supports": False,
            "reason": "one format only",
            "bit_rates": 2,
            "formats": 1,
            "clips": len(found["sources"]),
            "identities": {"face": 2},
            "boxes": {"face": 20},
            "cells": len(found["cells"]),
            "failed": failed,
            "absent": 0,
            "not_run": 0,
            "truth": ["csv"],
            "same_footage": [],
        },
        "criteria": [
            {
                "id": "faces",
                "metric": "coverage_recall",
                "class": "face",
                "limit": 0.99,
                "bound": "at_least",
                "rule": "pass where the lower end of the interval reaches the limit",
                "outcome": "fail",
                "groups": groups,
                "sample": {
                    "supports": False,
                    "reason": "one format only",
                    "bit_rates": 2,
                    "formats": 1,
                    "clips": 2,
                },
                "advice": None,
            }
        ],
        "headline": [
            {
                "setting": "balanced",
                "profile": "strict",
                "class": "face",
                "exposed": 1,
                "unmeasured": 0,
                "never_exposed": _figure(measured),
                "worst_encode": "crf_45",
                "in_worst": _figure(measured),
            }
        ],
        "conditions": [
            {
                "setting": "balanced",
                "profile": "strict",
                "class": "face",
                "condition": "occluded",
                "value": value,
                **{m: _figure(measured) for m in ("coverage_recall", "detection_recall", "exposed_identity_share")},
            }
            for value in ("no", "yes")
        ],
        "pooled": [
            {
                "encode": encode,
                "setting": "balanced",
                "profile": "strict",
                "delivery": None,
                "class": "face",
                **{metric: _figure(cells) for metric in METRICS},
                "over_blur": 0.03,
                "longest_run_frames": 2,
                "longest_run_ms": 80.0,
                "cells": [cell["id"] for cell in cells],
            }
            for encode, cells in by_encode.items()
        ],
        "cells": {cell["id"]: {"face": {metric: _figure([cell]) for metric in METRICS}} for cell in measured},
        "curves": [
            {
                "id": "recall-crf-h264",
                "class": "face",
                "setting": "balanced",
                "x": "crf",
                "series": "h264",
                "y": "coverage_recall",
                "points": [
                    {"x": 23, "y": _figure(by_encode.get("crf_23", [])), "encode": "crf_23"},
                    {"x": 45, "y": _figure(by_encode.get("crf_45", [])), "encode": "crf_45"},
                ],
                "fit": not_measured("two points make no curve"),
            }
        ],
        "sweeps": [
            {
                "class": "face",
                "setting": "balanced",
                "encode": encode,
                "clips": len(cells),
                "frames": 10,
                "boxes": 20,
                "points": [
                    {"score": s, "recall": r, "precision": p, "miss_rate": 1 - r, "false_per_frame": f}
                    for s, r, p, f in ((0.3, 0.9, 0.6, 1.2), (0.6, 0.7, 0.9, 0.1), (0.9, 0.1, None, 0.0))
                ],
            }
            for encode, cells in by_encode.items()
        ],
        "effects": [],
        "bd_rates": [
            {
                "reference": "h264",
                "tested": "h265",
                "class": "face",
                "metric": "coverage_recall",
                "percent": not_measured("the curves reach no recall in common"),
            }
        ],
        "worst": runs,
    }


def without_truth() -> Json:
    found = evidence()
    for source in found["sources"].values():
        source["truth"] = {"kind": "none", "sha256": None, "note": "", "classes": {}, "warnings": []}
    for cell in found["cells"]:
        if cell["outcome"] == "measured":
            cell["classes"] = {"face": {**dict.fromkeys(cell["classes"]["face"]), "tracked": _tracked(0)}}
    return found


def all_failed() -> Json:
    found = evidence()
    found["cells"] = [_failed(cell) for cell in found["cells"]]
    return found


def one_frame() -> Json:
    found = evidence()
    found["cells"] = [_one_frame(cell) for cell in found["cells"] if cell["encode"] == "as_is"]
    for source in found["sources"].values():
        source["range"] = [0, 1]
    return found


def _one_frame(cell: Json) -> Json:
    cell = copy.deepcopy(cell)
    exposure = cell["classes"]["face"]["exposure"]
    exposure |= {"boxes": 1, "covered_boxes": 0}
    run = {
        "start": 0,
        "stop": 1,
        "worst_frame": 0,
        "worst_coverage": 0.0,
        "exposed_px_frames": 4.0,
        "median_side_px": 2.0,
    }
    exposure["identities"] = [
        exposure["identities"][0] | {"frames": 1, "exposed_frames": 1, "last_frame": 0, "runs": [run]}
    ]
    return cell | {"frames": 1}


def _cell(source: str, encode: str) -> Json:
    exposed = source == "walk" and encode == "crf_45"
    run = {
        "start": 3,
        "stop": 5,
        "worst_frame": 4,
        "worst_coverage": 0.25,
        "exposed_px_frames": 812.5,
        "median_side_px": 33.0,
    }
    identity = {
        "id": 3,
        "frames": 10,
        "exposed_frames": 2 if exposed else 0,
        "longest_run_frames": 2 if exposed else 0,
        "frames_to_first_exposure": 3 if exposed else None,
        "switches": 0,
        "exposed_px_frames": 812.5 if exposed else 0.0,
        "found_frames": 8,
        "first_frame": 0,
        "last_frame": 9,
        "dropped": int(exposed),
        "never_covered": False,
        "runs": [run] if exposed else [],
        "sides": [],
    }
    counts = {"tp": 8, "fp": 0, "fn": 2, "iou_sum": 6.5}
    return {
        "id": f"{source}/{encode}/balanced/strict/none",
        "source": source,
        "encode": encode,
        "setting": "balanced",
        "profile": "strict",
        "delivery": None,
        "key": _sha(source + encode),
        "signature": SIGNATURE,
        "outcome": "measured",
        "failure": None,
        "frames": 10,
        "size": [64, 48],
        "fps": "25",
        "stream": _stream(),
        "picture": None
        if encode == "as_is"
        else {
            "pix_fmt": "yuv420p",
            "frames": 10,
            "scores": {
                "psnr_y": {
                    "frames": 10,
                    "mean": 38.5,
                    "harmonic_mean": 38.4,
                    "percentile_1": 36.0,
                    "minimum": 36.0,
                    "worst_frame": 2,
                },
                "vmaf": not_measured("this ffmpeg has no libvmaf"),
            },
        },
        "over_blur": 0.03,
        "mask_flicker": not_measured("one mask only"),
        "classes": {
            "face": {
                "tracked": _tracked(10),
                "detection": [{"threshold": 0.5, "all": counts, "strata": {"20-40": counts}}],
                "exposure": {
                    "tau": 0.9,
                    "boxes": 10,
                    "covered_boxes": 8 if exposed else 10,
                    "truth_px": 10_890.0,
                    "covered_px": 10_077.5,
                    "identities": [identity],
                },
                "tracks": {
                    "hota": not_measured("no frame to compare"),
                    "det_a": 0.8,
                    "ass_a": 0.9,
                    "idf1": 0.95,
                    "mota": 0.8,
                    "id_switches": 0,
                    "fragments": 1,
                    "mostly_tracked": 1,
                    "mostly_lost": 0,
                    "identities": 1,
                    "lost": {"dropped": int(exposed), "never_covered": 0},
                },
                "stability": None,
                "regions": None,
            }
        },
        "delivered": None,
    }


def _failed(cell: Json) -> Json:
    return cell | {
        "outcome": "failed",
        "failure": {"step": "encode", "kind": "MissingError", "message": "this ffmpeg has no encoder libx264"},
        "stream": None,
        "picture": None,
        "over_blur": not_measured("the cell failed"),
        "mask_flicker": not_measured("the cell failed"),
        "classes": {},
        "delivered": None,
    }


def _figure(cells: list[Json]) -> Json:
    exposures = [cell["classes"]["face"]["exposure"] for cell in cells]
    boxes = sum(e["boxes"] for e in exposures if e)
    if not boxes:
        return not_measured("there is no truth of class face")
    estimate = sum(e["covered_boxes"] for e in exposures if e) / boxes
    return {
        "estimate": estimate,
        "low": max(estimate - 0.1, 0.0) if estimate < 1 else 0.995,
        "high": min(estimate + 0.05, 1.0),
        "confidence": 0.95,
        "method": "by hand",
        "n_clips": len(cells),
        "n_identities": len(cells),
        "n_trials": boxes,
    }


def _stream() -> Json:
    return {
        "codec": "h264",
        "profile": "High",
        "pix_fmt": "yuv420p",
        "depth": 8,
        "size": [64, 48],
        "fps": "25",
        "frames": 10,
        "duration_s": 0.4,
        "bit_rate": 831_000,
        "peak_bit_rate": 900_000,
        "gop_frames": {"minimum": 10, "mean": 10.0, "maximum": 10},
        "b_frame_share": 0.5,
        "bytes": 41_550,
        "sha256": _sha("stream"),
        "answers": [
            {"name": "bit_rate", "requested": 800_000, "measured": 831_000, "ratio": 1.03875, "differs": False},
            {"name": "pix_fmt", "requested": "yuv422p", "measured": "yuv420p", "ratio": None, "differs": True},
        ],
    }


def _delivered() -> Json:
    zone = {"frames": 10, "psnr_db_mean": 44.0, "psnr_db_minimum": 41.0, "ssim_mean": 0.98}
    return {
        "stream": _stream(),
        "picture": {"pix_fmt": "yuv420p", "frames": 10, "scores": {}},
        "zones": {"inside": zone, "band": zone, "outside": None},
        "residual": {"face": {"found": 3, "shown_frames": 105, "per_1000": 28.57}},
        "checks": [{"name": "colour tags", "passed": False, "expected": "bt709", "found": "unknown"}],
    }


def _source(name: str) -> Json:
    return {
        "kind": "file",
        "file_name": None,
        "sha256": _sha(name),
        "frames_sha256": _sha(f"{name} frames"),
        "bytes": 123,
        "condition": {
            "codec": "h264",
            "profile": "High",
            "pix_fmt": "yuv420p",
            "size": [64, 48],
            "fps": "25",
            "frames": 10,
            "field_order": "progressive",
            "rotation": 0,
            "color": {"matrix": "bt709"},
        },
        "range": [0, 10],
        "every": 1,
        "tags": {"light": "indoor"},
        "truth": {
            "kind": "csv",
            "sha256": _sha(f"{name} truth"),
            "note": "drawn by hand",
            "classes": {
                "face": {
                    "boxes": 10,
                    "ignored": 1,
                    "identities": 1,
                    "shorter_side": {"minimum": 33.0, "mean": 33.0, "maximum": 33.0},
                    "median_side": 33.0,
                }
            },
            "warnings": [],
        },
        "failure": None,
    }


def _encode(preset: str | None, crf: int | None) -> Json:
    return {
        "preset": preset,
        "codec": preset and "h264",
        "encoder": preset and "libx264",
        "axes": {"crf": crf, "bit_rate": None, "generations": 1},
        "label": f"{preset}, CRF {crf}" if preset else "as it came",
        "threads": preset and 4,
        "command": preset and ["ffmpeg", "-crf", str(crf)],
    }


def _tracked(boxes: int) -> Json:
    return {"boxes": boxes, "tracks": int(boxes > 0), "frames": 10, "switches_per_identity_second": None}


def _sha(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
