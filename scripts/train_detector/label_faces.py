"""Finds faces that labels leave out, by three models that may teach: CenterFace, YuNet n and RetinaFace.

Runs in vsanon's environment. A face that two of them agree on becomes a label; what only one of them sees
counts for nothing in training. What people labelled stays as it is, and so does what the file says of pictures that
are only measured.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from sets import F32, FACE_SETS, LABELS_FACES, U8, Picture, folder, held_out

from vsanon.boxes import iou
from vsanon.detectors import Detector, open_detector

SURE = {"centerface": 0.5, "yunet_n": 0.6, "retinaface_mnet025_1mb": 0.6}
"""The score from which a model's voice counts; CenterFace is MIT, YuNet Apache-2.0, RetinaFace MIT."""
DOUBTFUL = 0.35
SAME_IOU = 0.4
LABELLED_IOU = 0.3
SMALLEST_PX = 8
STREETS = ("plates_indonesia", "plates_makassar", "plates_punjab", "plates_romania")
STREETS_DOUBTFUL_PX = 14
"""In pictures of traffic what one model alone took for a face and is taller is none: of 96 looked at, 90 were
lamps, wheels, signs or leaves."""
SIDES = ((640, 1.0), (1000, 2.0))
"""(Longer side in pixels, most enlarged) of the two looks at each picture."""


def look(detector: Detector, rgb: U8, scale: float) -> tuple[F32, F32]:
    h, w = rgb.shape[:2]
    stride = detector.card.input.stride
    size = (round(w * scale), round(h * scale))
    canvas = np.zeros((-(-size[1] // stride) * stride, -(-size[0] // stride) * stride, 3), np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    canvas[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=method)
    found = detector.detect(np.ascontiguousarray(canvas.transpose(2, 0, 1)))
    return found.xyxy / np.float32(scale), found.scores


def vote(answers: Mapping[str, tuple[F32, F32]], known: F32, *, street: bool = False) -> dict[str, list[list[int]]]:
    """`extra` and `ignore` boxes of a picture that has the labels `known` (n, 4)."""
    rows = sorted(
        (
            (float(s), name, box)
            for name, (boxes, scores) in answers.items()
            for box, s in zip(boxes, scores, strict=True)
        ),
        key=lambda row: -row[0],
    )
    groups: list[tuple[F32, dict[str, float]]] = []
    for score, name, box in rows:
        if len(known) and iou(box[None], known).max() > LABELLED_IOU:
            continue
        group = next((g for g in groups if iou(box[None], g[0][None])[0, 0] >= SAME_IOU), None)
        if group is None:
            groups.append((box, {name: score}))
        else:
            group[1].setdefault(name, score)
    note: dict[str, list[list[int]]] = {"extra": [], "ignore": []}
    for box, scores in groups:
        voices = sum(score >= SURE[name] for name, score in scores.items())
        tall = box[3] - box[1] >= SMALLEST_PX
        if voices >= 2 and tall:
            note["extra"].append([round(float(v)) for v in box])
        elif max(scores.values()) >= DOUBTFUL and not (street and box[3] - box[1] >= STREETS_DOUBTFUL_PX):
            note["ignore"].append([round(float(v)) for v in box])
    return {key: boxes for key, boxes in note.items() if boxes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="the folder that holds the sets of sets.py")
    parser.add_argument("--out", type=Path, default=LABELS_FACES)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    detectors = {name: open_detector(name, threshold=0.3) for name in SURE}
    pictures: list[Picture] = []
    for name, labelled in FACE_SETS.items():
        pictures += folder(args.images, name, labelled=labelled, labels=Path("/none"))
    pictures = [p for p in pictures if not (p.name.startswith("faces_mask/") and held_out(p.path))]
    trained = {picture.name for picture in pictures}
    known = json.loads(LABELS_FACES.read_text()) if LABELS_FACES.exists() else {}
    notes = {name: note for name, note in known.items() if name not in trained}
    for picture in pictures:
        rgb = picture.read()
        answers = {}
        for name, detector in detectors.items():
            longest = max(rgb.shape[:2])
            parts = [look(detector, rgb, min(most, side / longest)) for side, most in SIDES]
            answers[name] = (np.concatenate([b for b, _ in parts]), np.concatenate([s for _, s in parts]))
        note = vote(answers, picture.boxes, street=picture.name.startswith(STREETS))
        if note:
            notes[picture.name] = note
    lines = [f" {json.dumps(k, ensure_ascii=False)}: {json.dumps(v)}" for k, v in sorted(notes.items())]
    args.out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print({key: sum(len(n.get(key, [])) for n in notes.values()) for key in ("extra", "ignore")})


if __name__ == "__main__":
    main()
