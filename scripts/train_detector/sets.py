"""The labelled pictures that training reads, and which of them it must never see."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

PLATE_SETS = (
    "plates_openimages",
    "plates_kaggle",
    "plates_punjab",
    "plates_makassar",
    "plates_indonesia",
    "plates_thai",
    "plates_india",
    "plates_romania",
)
LABELS = Path(__file__).parent / "labels.json"
LABELS_FACES = Path(__file__).parent / "labels_faces.json"
FACE_SETS = {
    "faces_mask": True,
    "faces_office_grey/train": True,
    "no_plate/train": False,
    "plates_openimages/train": False,
    "plates_kaggle/train": False,
    "plates_indonesia/train": False,
    "plates_makassar/train": False,
    "plates_punjab/train": False,
    "plates_romania/train": False,
}
"""What the face model is trained on, and whether people labelled its faces."""
HELD_OUT_EVERY = 4
"""Of faces_mask, whose pictures are numbered, every fourth is only measured."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A labelled picture.

    Args:
        name: `set/part/file`, the key in labels.json.
        boxes: (n, 4) xyxy in pixels.
        ignore: (m, 4); what may be one of the class, or is one that counts for nothing.
        coded: the file's content where the picture came in a pack.
    """

    name: str
    path: Path
    boxes: F32
    ignore: F32
    coded: bytes | None = None

    def read(self) -> U8:
        """(h, w, 3) RGB."""
        data = self.path.read_bytes() if self.coded is None else self.coded
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"can't read the picture {self.path}")
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def corners_of(boxes: F32) -> F32:
    """(n, 4, 2) clockwise from the upper left, of (n, 4) xyxy."""
    x0, y0, x1, y1 = boxes.T
    return np.stack([np.stack([x0, y0], 1), np.stack([x1, y0], 1), np.stack([x1, y1], 1), np.stack([x0, y1], 1)], 1)


def voc_boxes(path: Path) -> F32:
    found = [
        [float(box.findtext(side, "nan")) for side in ("xmin", "ymin", "xmax", "ymax")]
        for box in ElementTree.parse(path).getroot().iter("bndbox")
    ]
    return np.asarray(found, np.float32).reshape(-1, 4)


def yolo_boxes(path: Path, size: tuple[int, int]) -> F32:
    rows = [line.split()[1:5] for line in path.read_text().splitlines() if line.strip()]
    shares = np.asarray(rows, np.float32).reshape(-1, 4)
    middle, half = shares[:, :2], shares[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], 1) * np.array([*size, *size], np.float32)


def folder(images: Path, name: str, *, labelled: bool = True, labels: Path = LABELS) -> Iterator[Picture]:
    """The pictures of one folder below `images`, with what labels.json adds to or takes from its labels.

    Args:
        name: of the folder, such as `plates_thai/train`.
        labelled: whether its own labels are of the class that is trained; if not, only labels.json counts.
    """
    notes = json.loads(labels.read_text()) if labels.exists() else {}
    found = sorted(p for p in (images / name).iterdir() if p.suffix in (".jpg", ".png"))
    if not found:
        raise SystemExit(f"no pictures in {images / name}")
    for path in found:
        key = f"{name}/{path.name}"
        boxes = np.zeros((0, 4), np.float32)
        if labelled and path.with_suffix(".xml").exists():
            boxes = voc_boxes(path.with_suffix(".xml"))
        elif labelled and path.with_suffix(".txt").exists():
            h, w = cv2.imread(str(path), cv2.IMREAD_COLOR).shape[:2]
            boxes = yolo_boxes(path.with_suffix(".txt"), (w, h))
        note = notes.get(key, {})
        extra, ignore = (np.asarray(note.get(k, []), np.float32).reshape(-1, 4) for k in ("extra", "ignore"))
        keep = [i for i in range(len(boxes)) if i not in note.get("drop", [])]
        yield Picture(key, path, np.concatenate([boxes[keep], extra]), ignore)


def held_out(path: Path) -> bool:
    """Whether a picture of faces_mask is only measured."""
    number = re.search(r"(\d+)$", path.stem)
    return number is not None and int(number[1]) % HELD_OUT_EVERY == 0


def training_plates(images: Path) -> list[Picture]:
    return [picture for name in PLATE_SETS for picture in folder(images, f"{name}/train")]


def training_bare(images: Path) -> list[Picture]:
    """Training pictures that hold no plate but those that labels.json names."""
    names = ("no_plate/train", "faces_office_grey/train", "faces_mask")
    pictures = [picture for name in names for picture in folder(images, name, labelled=False)]
    return [p for p in pictures if not (p.name.startswith("faces_mask/") and held_out(p.path))]


def training_faces(images: Path) -> list[Picture]:
    """Pictures whose faces are labelled, by people or by the teachers of label_faces.py."""
    names = FACE_SETS.items()
    pictures = [p for n, labelled in names for p in folder(images, n, labelled=labelled, labels=LABELS_FACES)]
    return [p for p in pictures if not (p.name.startswith("faces_mask/") and held_out(p.path))]
