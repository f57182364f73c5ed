"""What deface covers, frame by frame; `compare_peers.py` runs this in an environment that has deface.

    deface_masks.py detect CLIP BOXES.json [--scale WxH]    find faces as deface does
    deface_masks.py paint BOXES.json                        0 or 255 a pixel to stdout, frame after frame
    deface_masks.py pictures FOLDER [--longer PX]           mask and boxes of each N.npy there, RGB, into N.npz

All go through deface's own code. Frames come from the reader that its `video_detect` opens, boxes from its
`CenterFace` at its default threshold, and masks from its `anonymize_frame` with its default options (ellipse,
mask scale 1.3), painting on a black frame. The one thing replaced is the blur: it answers white instead, so
the white pixels are those that deface writes to, its clipping to the last row but one included.
"""

import argparse
import hashlib
import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from types import SimpleNamespace

import imageio
import numpy as np
from deface import centerface, deface

THRESHOLD = 0.2
MASK_SCALE = 1.3
PACKAGES = ("deface", "onnxruntime", "opencv-python", "numpy", "scikit-image", "imageio", "imageio-ffmpeg")


def detect(clip: Path, scale: tuple[int, int] | None) -> dict[str, object]:
    """The boxes of each frame, before deface grows, rounds and clips them, and what they were made with."""
    finder = centerface.CenterFace(in_shape=scale)
    frames = []
    size = None
    with imageio.get_reader(str(clip)) as reader:
        for frame in reader.iter_data():
            size = (frame.shape[1], frame.shape[0])
            boxes, _ = finder(frame, threshold=THRESHOLD)
            frames.append(boxes.tolist())
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "model_sha256": hashlib.sha256(Path(centerface.default_onnx_path).read_bytes()).hexdigest(),
        "options": {
            "threshold": THRESHOLD,
            "mask_scale": MASK_SCALE,
            "backend": finder.backend,
            "scale": scale,
        },
        "size": size,
        "frames": frames,
    }


def paint(boxes: list[list[float]], size: tuple[int, int]) -> np.ndarray:
    """(H, W, 1) uint8: 255 where deface writes, 0 elsewhere."""
    deface.cv2 = SimpleNamespace(blur=lambda region, _kernel: np.full_like(region, 255))
    frame = np.zeros((size[1], size[0], 1), np.uint8)
    deface.anonymize_frame(
        np.asarray(boxes, np.float32).reshape(-1, 5),
        frame,
        mask_scale=MASK_SCALE,
        replacewith="blur",
        ellipse=True,
        draw_scores=False,
        replaceimg=None,
        mosaicsize=20,
    )
    return frame


def pictures(folder: Path, longer: int | None) -> None:
    """Find and paint pictures one by one: in their own size, or with this longer side where that is less."""
    for path in sorted(folder.glob("*.npy")):
        rgb = np.load(path)
        size = (rgb.shape[1], rgb.shape[0])
        factor = min(1.0, longer / max(size)) if longer else 1.0
        finder = centerface.CenterFace(in_shape=tuple(round(side * factor) for side in size))
        boxes, _ = finder(rgb, threshold=THRESHOLD)
        np.savez(path.with_suffix(".npz"), mask=paint(boxes.tolist(), size)[..., 0], boxes=boxes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    detecting = commands.add_parser("detect")
    detecting.add_argument("clip", type=Path)
    detecting.add_argument("boxes", type=Path)
    detecting.add_argument("--scale", metavar="WxH")
    painting = commands.add_parser("paint")
    painting.add_argument("boxes", type=Path)
    singly = commands.add_parser("pictures")
    singly.add_argument("folder", type=Path)
    singly.add_argument("--longer", type=int, metavar="PX")
    args = parser.parse_args()
    if args.command == "pictures":
        pictures(args.folder, args.longer)
    elif args.command == "detect":
        scale = None
        if args.scale is not None:
            width, height = args.scale.split("x")
            scale = (int(width), int(height))
        found = json.dumps(detect(args.clip, scale))
        # Renamed when whole, so that a killed run leaves no half a cache.
        part = args.boxes.with_suffix(".part")
        part.write_text(found)
        part.replace(args.boxes)
    else:
        found = json.loads(args.boxes.read_text())
        for boxes in found["frames"]:
            sys.stdout.buffer.write(paint(boxes, found["size"]).tobytes())


if __name__ == "__main__":
    main()
