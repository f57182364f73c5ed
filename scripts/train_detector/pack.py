"""Packs the training pictures and their labels into one file, small enough to be carried to another machine."""

import argparse
import json
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sets import F32, U8, Picture, training_bare, training_faces, training_plates

QUALITY = 62
CHECKED_EVERY = 13
"""Of the pictures of each set, in the order of their names, one in so many is kept from training, to choose by."""
LONGEST_PX = {"plates_romania": 960, "plates_punjab": 640, "plates_indonesia": 640}
FINE = {"faces_mask": 78, "faces_office_grey": 78}
THINNED = {"plates_thai": 2, "plates_india": 2}
"""Sets of one road or one car park, of which one picture in so many is enough where room is short."""

LEVELS = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture of a pack, whose boxes are in its own pixels.

    Args:
        wrong: (n, 4); what an earlier model took for the class.
        checked: whether it is kept from training.
    """

    picture: Picture
    wrong: F32
    checked: bool


def levels(picture: U8) -> tuple[NDArray[np.int32], list[tuple[int, int]]]:
    """A picture (h, w, 3) and its smaller copies, one after the other, and the sizes (width, height) of all."""
    parts, sizes = [], []
    for _ in range(LEVELS):
        h, w = picture.shape[:2]
        wide = picture.astype(np.int32)
        parts.append((wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16).ravel())
        sizes.append((w, h))
        picture = cv2.resize(picture, (max(1, w // 2), max(1, h // 2)), interpolation=cv2.INTER_AREA)
    return np.concatenate(parts), sizes


def load_pack(path: Path, kind: str) -> list[Packed]:
    """The pictures of a pack whose labels tell where the class is, all of it."""
    answer = []
    with zipfile.ZipFile(path) as file:
        for row in json.loads(file.read("index.json")):
            if kind not in row:
                continue
            boxes, ignore, wrong = (
                np.asarray(row[kind][key], np.float32).reshape(-1, 4) for key in ("boxes", "ignore", "wrong")
            )
            picture = Picture(row["name"], Path(row["file"]), boxes, ignore, file.read(row["file"]))
            answer.append(Packed(picture, wrong, row["checked"]))
    return answer


def write(out: Path, kinds: dict[str, list[Picture]], mined: dict[str, dict[str, list[list[float]]]]) -> None:
    named = {kind: {p.name: p for p in pictures} for kind, pictures in kinds.items()}
    rows: list[dict[str, object]] = []
    seen: Counter[str] = Counter()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(set().union(*named.values())):
            place = name.split("/")[0]
            first = next(pictures[name] for pictures in named.values() if name in pictures)
            number = seen[place]
            seen[place] += 1
            if number % THINNED.get(place, 1):
                continue
            rgb = first.read()
            scale = min(1.0, LONGEST_PX.get(place, 800) / max(rgb.shape[:2]))
            if scale < 1:
                rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            quality = [cv2.IMWRITE_WEBP_QUALITY, FINE.get(place, QUALITY)]
            done, coded = cv2.imencode(".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality)
            assert done
            row: dict[str, object] = {
                "name": name,
                "file": f"{len(rows):05d}.webp",
                "checked": number % CHECKED_EVERY == CHECKED_EVERY // 2,
            }
            for kind, pictures in named.items():
                if name in pictures:
                    wrong = [box[:4] for box in mined.get(kind, {}).get(name, [])]
                    boxes = {"boxes": pictures[name].boxes, "ignore": pictures[name].ignore, "wrong": wrong}
                    row[kind] = {k: _scaled(v, scale) for k, v in boxes.items()}
            file.writestr(str(row["file"]), coded.tobytes())
            rows.append(row)
        file.writestr("index.json", json.dumps(rows), zipfile.ZIP_DEFLATED)
    print(f"{len(rows)} pictures, {out.stat().st_size / 2**20:.1f} MiB")


def _scaled(boxes: F32 | Iterable[list[float]], scale: float) -> list[list[float]]:
    return (np.asarray(boxes, np.float64).reshape(-1, 4) * scale).round(1).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=Path, required=True, help="the folder that holds the sets of sets.py")
    parser.add_argument("--hard-plates", type=Path, action="append", default=[], help="JSON that mine.py wrote")
    parser.add_argument("--hard-faces", type=Path, action="append", default=[])
    args = parser.parse_args()
    kinds = {
        "plate": training_plates(args.images) + training_bare(args.images),
        "face": training_faces(args.images),
    }
    mined: dict[str, dict[str, list[list[float]]]] = {"plate": {}, "face": {}}
    for kind, paths in (("plate", args.hard_plates), ("face", args.hard_faces)):
        for path in paths:
            for name, boxes in json.loads(path.read_text()).items():
                mined[kind].setdefault(name, []).extend(boxes)
    write(args.out, kinds, mined)


if __name__ == "__main__":
    main()
