"""What each score threshold of a detector would find, and take by mistake, encode by encode: pooled over clips."""

from collections.abc import Mapping, Sequence
from typing import Any

from vsanon.validation.conclusions.shares import Cell, Json, clip_of, measured


def sweeps(evidence: Mapping[str, Any], classes: Sequence[str]) -> list[Json]:
    """Counts and rates over thresholds, by class, setting and encode; without intervals, for their shape.

    Args:
        evidence: with clips.
        classes: whose boxes.

    Returns:
        Rows of class, setting, encode, clips, frames, boxes and points; each point holds score, recall, precision
        (None where nothing is found from that score on), miss_rate and false_per_frame. Only scores that the
        search of every clip can tell apart are there.
    """
    groups: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for cell in measured(evidence["cells"]):
        for name in classes:
            if (cell["classes"].get(name) or {}).get("sweep"):
                # Covering comes after what is found, and footage under two names counts once.
                groups.setdefault((name, cell["setting"], cell["encode"]), {}).setdefault(clip_of(cell), cell)
    return [
        {"class": name, "setting": setting, "encode": encode, **_pooled(list(cells.values()), name)}
        for (name, setting, encode), cells in groups.items()
    ]


def _pooled(cells: Sequence[Cell], name: str) -> Json:
    own = [cell["classes"][name]["sweep"] for cell in cells]
    boxes, frames = sum(one["boxes"] for one in own), sum(cell["frames"] for cell in cells)
    scores = [score for score in own[0]["scores"] if all(score in one["scores"] for one in own)]
    points = []
    for score in scores if boxes and frames else ():
        at = [one["scores"].index(score) for one in own]
        found, false = (sum(one[key][k] for one, k in zip(own, at, strict=True)) for key in ("found", "false"))
        points.append(
            {
                "score": score,
                "recall": found / boxes,
                "precision": found / (found + false) if found + false else None,
                "miss_rate": 1 - found / boxes,
                "false_per_frame": false / frames,
            }
        )
    return {"clips": len(cells), "frames": frames, "boxes": boxes, "points": points}
