"""From what was measured to the audit's result: the verdict, its reasons, and a record of each target; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import __version__
from vsanon.audit.alignment import Timing
from vsanon.audit.judging import DROWNED, FAILING, Left, Level, faults_of, runs_of
from vsanon.audit.leaks import Leak, Weight
from vsanon.audit.measure import Meter
from vsanon.audit.place import Place
from vsanon.audit.targets import Targets

VERSION = 1
FOUND_SCORE = 0.3
"""Under it a detector's candidates are no finds: at 0.05 there were 36 in a frame of five people, all covered."""
MEETS = 0.3
"""A detection lies on a target where they share this much of the smaller of both."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an audit has found.

    Args:
        targets: what must be covered; `kind` says where they come from.
        timing, place: how the files lie to each other, None where that is not certain; `why` says why not,
            `said` what the place is.
        meter: what was measured; None where the files could not be aligned.
        detected: by redacted frame what a detector still finds, of `FOUND_SCORE` and more, (n, 4) boxes; None where
            nobody looked.
        leaks: what else leaves with the file.
    """

    targets: Targets
    kind: str
    timing: Timing | None
    place: Place | None
    said: str
    why: str
    meter: Meter | None
    detected: Mapping[int, NDArray[np.float32]] | None
    leaks: Sequence[Leak]


def conclude(found: Found, raw: Mapping[str, Any], redacted: Mapping[str, Any]) -> dict[str, Any]:
    """The audit as plain data; `verdict` is "pass" or "fail", `reasons` say why it fails.

    Args:
        found: what was found.
        raw, redacted: facts of the files, such as name, SHA-256, frames and size.
    """
    levels = {} if found.meter is None else found.meter.levels()
    targets = _targets(found.targets, levels)
    counts = Counter(left.level.value for left in levels.values())
    residual = _residual(found, levels)
    reasons = [
        *_of_alignment(found),
        *_of_targets(found, targets, levels),
        *([f"{residual['on_bare']} detections in the redacted clip lie on targets that show"]
          if residual["on_bare"] else []),
        *(f"{leak.what}: {leak.detail}" for leak in found.leaks if leak.weight is Weight.FAILS),
    ]  # fmt: skip
    return {
        "vsanon_audit": VERSION,
        "vsanon": __version__,
        "verdict": "fail" if reasons else "pass",
        "reasons": reasons,
        "raw": dict(raw),
        "redacted": dict(redacted),
        "alignment": _alignment(found),
        "targets": {
            "from": found.kind,
            "count": len(targets),
            "boxes": int((~found.targets.truth.ignore).sum()),
            "judged": len(levels),
            "levels": {level.value: counts.get(level.value, 0) for level in Level},
            "list": targets,
        },
        "outside": _outside(found),
        "residual": residual,
        "leaks": [{"what": k.what, "weight": k.weight.value, "detail": k.detail} for k in found.leaks],
    }


def _of_alignment(found: Found) -> list[str]:
    if found.timing is None or found.meter is None:
        return [f"the files could not be aligned, so nothing was judged: {found.why}"]
    reasons = []
    if unmatched := int((found.timing.shown < 0).sum()):
        reasons.append(f"{unmatched} redacted frames show none of the original's, so they were not judged")
    if not found.meter.has_controls():
        reasons.append("outside the targets nothing of the original is to be seen: no comparison can be trusted")
    elif lost := found.meter.incomparable():
        reasons.append(
            f"{len(lost)} redacted frames, the first is {lost[0]}, show something else outside the targets"
        )
    return reasons


def _of_targets(found: Found, targets: Sequence[Mapping[str, Any]], levels: Mapping[int, Left]) -> list[str]:
    if not targets:
        return ["there is no target, so nothing was audited"]
    if found.meter is None:
        return []
    told = sum(left.level is not Level.UNTOLD for left in levels.values())
    drowned = sum(left.why == DROWNED for left in levels.values())
    if not told and not drowned:
        return ["of no target can be told what is left of it: too small, too flat, or not shown"]
    return [
        *([f"of {drowned} boxes, and so of most, nothing can be told: {DROWNED}"] if drowned > told else []),
        *(f"{t['class']} {t['id']}: {fault}" for t in targets for fault in t["faults"]),
    ]


def _targets(asked: Targets, levels: Mapping[int, Left]) -> list[dict[str, Any]]:
    truth = asked.truth
    counted = ~truth.ignore
    keys = sorted(set(zip(truth.classes[counted].tolist(), truth.ids[counted].tolist(), strict=True)))
    found = []
    for name, number in keys:
        rows = np.flatnonzero(counted & (truth.classes == name) & (truth.ids == number))
        shown = [int(i) for i in rows if int(i) in levels]
        frames = [int(truth.frames[i]) for i in shown]
        words = [levels[i].level for i in shown]
        counts = Counter(word.value for word in words)
        found.append(
            {
                "class": name,
                "id": asked.names.get(number, number),
                "frames": len(rows),
                "first": int(truth.frames[rows].min()),
                "stop": int(truth.frames[rows].max()) + 1,
                "not_shown": len(rows) - len(shown),
                "levels": {level.value: counts.get(level.value, 0) for level in Level},
                "faults": faults_of(frames, words),
                "runs": [
                    {"start": r.start, "stop": r.stop, "level": r.level.value} for r in runs_of(frames, words)
                ],
                "worst": _worst([(int(truth.frames[i]), levels[i]) for i in shown]),
            }
        )
    return found


def _worst(lefts: Sequence[tuple[int, Left]]) -> dict[str, Any] | None:
    """The frame that shows most, of those that fail."""
    failing = [(n, left) for n, left in lefts if left.level in FAILING]
    if not failing:
        return None
    n, left = min(failing, key=lambda pair: (FAILING.index(pair[1].level), -pair[1].bare, pair[0]))
    return {
        "frame": n,
        "level": left.level.value,
        "why": left.why,
        "correlation": None if left.correlation is None else round(left.correlation, 3),
        "gain": None if left.gain is None else round(left.gain, 3),
    }


def _alignment(found: Found) -> dict[str, Any]:
    timing, place = found.timing, found.place
    if timing is None or place is None:
        return {"found": False, "why": found.why}
    return {
        "found": True,
        "offset_frames": timing.offset,
        "offset_stated": not timing.sure,
        "frames_of_raw_for_each": str(timing.rate),
        "likeness": round(timing.like, 3),
        "place": found.said,
        "scale": [round(v, 5) for v in place.scale],
        "shift_px": [round(v, 3) for v in place.shift],
        "unmatched_frames": int((timing.shown < 0).sum()),
        "incomparable_frames": [] if found.meter is None else found.meter.incomparable(),
    }


def _outside(found: Found) -> dict[str, Any] | None:
    changed = {} if found.meter is None else found.meter.changed()
    if not changed:
        return None
    most = max(changed, key=lambda k: changed[k])
    return {
        "changed_mean": round(float(np.mean(list(changed.values()))), 4),
        "changed_most": round(changed[most], 4),
        "most_frame": most,
    }


def _residual(found: Found, levels: Mapping[int, Left]) -> dict[str, Any]:
    """What a detector still finds, by what is left of the targets that it lies on: the worst of them counts."""
    if found.detected is None or found.timing is None or found.meter is None:
        return {"searched": False, "least_score": FOUND_SCORE, "detections": 0, "on_bare": 0, "on_untold": 0,
                "on_covered": 0, "elsewhere": 0}  # fmt: skip
    counts = Counter({"on_bare": 0, "on_untold": 0, "on_covered": 0, "elsewhere": 0})
    for k, boxes in found.detected.items():
        n = int(found.timing.shown[k])
        rows = range(*found.targets.truth.rows(n).indices(len(found.targets.truth))) if n >= 0 else range(0)
        for box in boxes.astype(np.float64):
            met = [i for i in rows if _shared(box, found.meter.boxes[i]) >= MEETS]
            if not met:
                counts["elsewhere"] += 1
                continue
            shown = {levels[i].level if i in levels else Level.UNTOLD for i in met}
            if shown & set(FAILING):
                counts["on_bare"] += 1
            else:
                counts["on_untold" if Level.UNTOLD in shown else "on_covered"] += 1
    return {"searched": True, "least_score": FOUND_SCORE, "detections": counts.total(), **counts}


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The area that two boxes share, as a share of the smaller."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    areas = [float(np.prod(b[2:] - b[:2])) for b in (one, other)]
    return float(np.prod(np.maximum(high - low, 0))) / max(min(areas), 1e-9)
