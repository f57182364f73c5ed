"""Renders training pictures without end: plates and look-alikes on real and drawn grounds, poorly filmed."""

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
from camera import camera, lit
from layouts import BLACK, SILVER
from lookalikes import burnt_in, lookalike
from numpy.random import Generator
from numpy.typing import NDArray
from pack import levels, load_pack
from render import Fonts, plate, shade, smooth_noise
from sets import F32, U8, Picture, corners_of

SIDE_PX = 416
MIN_HEIGHT_PX = 7.0
MIN_CONTRAST = 9.0
WORN_PX = 24
"""The height from which a real plate is worth showing elsewhere."""
RENDERED = 0.75
"""Share of the plates that are drawn; the others are cut out of training pictures."""

BURNT_IN = 0.2
"""Share of pictures with logos, captions or a clock over them, as edited footage has."""
MOST = 24

# --- geometry ---------------------------------------------------------------------------------------------


def pose(rng: Generator, width: float, height: float) -> F32:
    """Corners (4, 2) of a plate turned in space, around 0; clockwise from the upper left."""
    hard = rng.random() < 0.25
    yaw, pitch = np.radians(rng.normal(0, 32 if hard else 16)), np.radians(rng.normal(0, 22 if hard else 10))
    roll = np.radians(rng.uniform(-45, 45) if rng.random() < 0.2 else rng.normal(0, 5))
    yaw, pitch = np.clip(yaw, -1.1, 1.1), np.clip(pitch, -0.9, 0.9)
    x = np.array([-1, 1, 1, -1]) * width / 2
    y = np.array([-1, -1, 1, 1]) * height / 2
    y, z = y * np.cos(pitch), y * np.sin(pitch)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    depth = 1 + z / (max(width, height) * rng.uniform(1.5, 8))
    x, y = x / depth, y / depth
    return np.stack([x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)], 1).astype(
        np.float32
    )


def paste(scene: F32, rgba: U8, corners: F32) -> None:
    """Draw a flat picture with alpha into the quadrilateral `corners` (4, 2) of the scene (h, w, 3)."""
    h, w = scene.shape[:2]
    x0, y0 = np.floor(corners.min(0)).astype(int) - 1
    x1, y1 = np.ceil(corners.max(0)).astype(int) + 2
    cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x1, w), min(y1, h)
    if cx0 >= cx1 or cy0 >= cy1:
        return
    wide = max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3]))
    shrink = wide / rgba.shape[1]
    if shrink < 0.7:  # the warp reads four pixels; what is smaller would alias
        size = (max(4, round(rgba.shape[1] * shrink)), max(4, round(rgba.shape[0] * shrink)))
        rgba = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
    sh, sw = rgba.shape[:2]
    source = np.array([[0, 0], [sw, 0], [sw, sh], [0, sh]], np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(source, corners - np.array([cx0, cy0], np.float32) - 0.5)
    premultiplied = rgba.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    seen = cv2.warpPerspective(premultiplied, warp, (cx1 - cx0, cy1 - cy0), flags=cv2.INTER_LINEAR)
    part = scene[cy0:cy1, cx0:cx1]
    part *= 1 - seen[..., 3:] / 255
    part += seen[..., :3]


def bounds(corners: F32) -> list[float]:
    return [*corners.min(0).tolist(), *corners.max(0).tolist()]


def overlapping(a: list[float], b: list[float]) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


# --- what lies behind and beside the plates ---------------------------------------------------------------


class Grounds:
    """Pictures to render on, by what they hold."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.with_plates = [p for p in pictures if len(p.boxes)]
        self.bare = [p for p in pictures if not len(p.boxes)]
        self.tall = [p for p in pictures if ((p.boxes[:, 3] - p.boxes[:, 1]) >= WORN_PX).any()]


def crop(rng: Generator, ground: Picture) -> tuple[F32, F32, F32]:
    """A square of a real picture, (SIDE_PX, SIDE_PX, 3), and the boxes of the real plates in it (n, 4), (m, 4)."""
    picture = ground.read()
    h, w = picture.shape[:2]
    side = int(min(h, w, rng.uniform(0.35, 1.0) * min(h, w) + 60))
    x, y = int(rng.integers(0, w - side + 1)), int(rng.integers(0, h - side + 1))
    if len(ground.boxes):  # near a plate, where cars are
        box = ground.boxes[rng.integers(len(ground.boxes))]
        x = int(np.clip((box[0] + box[2]) / 2 - side * rng.uniform(0.1, 0.9), 0, w - side))
        y = int(np.clip((box[1] + box[3]) / 2 - side * rng.uniform(0.1, 0.9), 0, h - side))
    part = cv2.resize(picture[y : y + side, x : x + side], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    offset, scale = np.array([x, y, x, y], np.float32), SIDE_PX / side
    boxes, ignore = (ground.boxes - offset) * scale, (ground.ignore - offset) * scale
    scene = part.astype(np.float32)
    if rng.random() < 0.5:
        scene = np.ascontiguousarray(scene[:, ::-1])
        boxes, ignore = mirrored(boxes, SIDE_PX), mirrored(ignore, SIDE_PX)
    return scene, boxes, ignore


def mirrored(boxes: F32, width: int) -> F32:
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)


def drawn_ground(rng: Generator) -> F32:
    """Bands and blotches of colour: sky, wall, road, foliage."""
    scene = np.empty((SIDE_PX, SIDE_PX, 3), np.float32)
    scene[:] = rng.uniform(20, 230, 3) * 0.3 + rng.uniform(20, 230) * 0.7
    for cells in (3, 9, 60):
        tint = rng.normal(0, 45, 3) + rng.normal(0, 30)
        scene += (smooth_noise(rng, (SIDE_PX, SIDE_PX), cells)[..., None] - 0.5) * tint * rng.uniform(0, 1.5)
    for _ in range(rng.integers(0, 8)):
        x, y = (int(v) for v in rng.integers(0, SIDE_PX, 2))
        w, h = (int(v) for v in rng.integers(10, 300, 2))
        cv2.rectangle(scene, (x, y), (x + w, y + h), tuple(map(float, rng.uniform(10, 240, 3))), -1)
    return scene


def car(rng: Generator, scene: F32) -> tuple[float, float, float]:
    """Draw the middle of a car; returns the centre (x, y) of its plate and the plate's usual width."""
    width = float(np.exp(rng.uniform(np.log(90), np.log(900))))
    cx, cy = rng.uniform(0.15, 0.85, 2) * SIDE_PX
    paint = shade(rng, tuple(int(v) for v in rng.choice([20, 60, 110, 160, 210, 235], 1).repeat(3)), 22)
    if rng.random() < 0.35:
        paint = rng.uniform(10, 220, 3).astype(np.float32)

    def box(x0: float, y0: float, x1: float, y1: float, colour: F32, thickness: int = -1) -> None:
        a, b = (round(cx + x0 * width), round(cy + y0 * width)), (round(cx + x1 * width), round(cy + y1 * width))
        cv2.rectangle(scene, a, b, tuple(map(float, colour)), thickness)

    box(-0.5, -0.32, 0.5, 0.16, paint)
    box(-0.4, -0.62, 0.4, -0.3, shade(rng, (45, 55, 60), 20))  # window
    box(-0.5, 0.08, 0.5, 0.26, shade(rng, BLACK, 20) if rng.random() < 0.6 else paint * 0.8)
    if rng.random() < 0.6:  # grille
        step = rng.uniform(0.015, 0.05)
        for i in range(int(rng.integers(3, 9))):
            box(
                -0.28,
                -0.16 + i * step,
                0.28,
                -0.16 + i * step + step / 2,
                shade(rng, SILVER if rng.random() < 0.5 else BLACK, 25),
            )
    for side in (-1, 1):  # lamps
        lamp = shade(rng, (190, 30, 30) if rng.random() < 0.5 else (225, 225, 215), 25)
        box(side * 0.48, -0.18, side * rng.uniform(0.26, 0.4), -0.04, lamp)
    if rng.random() < 0.6:  # a recess for the plate
        box(-0.2, -0.07, 0.2, 0.07, paint * rng.uniform(0.4, 0.9))
    blurred = cv2.GaussianBlur(scene, (0, 0), max(0.6, width / 300))
    scene[:] = blurred + (smooth_noise(rng, (SIDE_PX, SIDE_PX), 4)[..., None] - 0.5) * 40
    return cx, cy, width * rng.uniform(0.2, 0.32)


def worn(rng: Generator, tall: list[Picture]) -> U8:
    """A real plate cut out of a training picture, its box a little narrowed, (h, w, 4) RGBA."""
    ground = tall[rng.integers(len(tall))]
    fit = np.flatnonzero(ground.boxes[:, 3] - ground.boxes[:, 1] >= WORN_PX)
    x0, y0, x1, y1 = ground.boxes[fit[rng.integers(len(fit))]]
    dx, dy = (x1 - x0) * 0.02, (y1 - y0) * 0.03
    part = ground.read()[max(0, round(y0 + dy)) : round(y1 - dy), max(0, round(x0 + dx)) : round(x1 - dx)]
    return np.dstack([part, np.full(part.shape[:2], 255, np.uint8)])


# --- one picture ------------------------------------------------------------------------------------------


def compose(rng: Generator, fonts: Fonts, grounds: Grounds) -> tuple[U8, F32, F32]:
    """A picture (SIDE_PX, SIDE_PX, 3) RGB, the corners of its plates (n, 4, 2) and of what counts for nothing."""
    boxes: list[list[float]] = []
    quads: list[F32] = []
    chance = rng.random()
    with_plates, tall, bare = grounds.with_plates, grounds.tall, grounds.bare
    spots: list[tuple[float, float, float]] = []
    doubtful = np.zeros((0, 4), np.float32)
    if chance < 0.45 and with_plates:  # other countries' plates over those of real cars
        scene, own, doubtful = crop(rng, with_plates[rng.integers(len(with_plates))])
        for x0, y0, x1, y1 in own.tolist():
            if x1 > 0 and y1 > 0 and x0 < SIDE_PX and y0 < SIDE_PX:
                spots.append(((x0 + x1) / 2, (y0 + y1) / 2, -(x1 - x0)))
    elif chance < 0.8 and bare:
        scene, _, _ = crop(rng, bare[rng.integers(len(bare))])
    else:
        scene = drawn_ground(rng)
        for _ in range(rng.integers(0, 3)):
            spots.append(car(rng, scene))
    for _ in range(rng.integers(0, 7)):
        width = float(np.exp(rng.uniform(np.log(20), np.log(380))))
        rgba = lookalike(rng, fonts)
        corners = pose(rng, width, width * rgba.shape[0] / rgba.shape[1]) + rng.uniform(0, SIDE_PX, 2).astype(
            np.float32
        )
        paste(scene, lit(rng, rgba, scene, corners), corners)
    for _ in range(rng.choice(5, p=[0.3, 0.4, 0.15, 0.1, 0.05])):
        width = float(np.exp(rng.uniform(np.log(22), np.log(430 if rng.random() < 0.25 else 170))))
        spots.append((*(rng.uniform(0.05, 0.95, 2) * SIDE_PX), width))
    for x, y, width in spots:
        rgba = plate(rng, fonts) if rng.random() < RENDERED or not tall else worn(rng, tall)
        ratio = rgba.shape[0] / rgba.shape[1]
        covering = width < 0
        if covering:  # wide and high enough to hide the plate beneath, whose aspect is about 3.6 and more
            width = -width * rng.uniform(1.05, 1.25)
            if ratio > 0.35 and width > 60 and rng.random() < 0.5:
                width *= 0.9
        width = max(width, MIN_HEIGHT_PX / ratio)
        corners = pose(rng, width, width * ratio)
        if covering:
            own = corners.max(0) - corners.min(0)
            corners *= max(1.0, width / own[0], width / 3.2 / own[1])
        corners += np.array([x, y], np.float32)
        box = bounds(corners)
        if not covering and any(overlapping(box, b) for b in boxes):
            continue
        if rng.random() < 0.35:  # a holder around it
            holder = np.zeros((20, 60, 4), np.uint8)
            holder[..., :3] = shade(rng, BLACK if rng.random() < 0.7 else SILVER, 20).astype(np.uint8)
            holder[..., 3] = 255
            middle = corners.mean(0)
            paste(scene, holder, (corners - middle) * np.float32(rng.uniform(1.04, 1.2)) + middle)
        paste(scene, lit(rng, rgba, scene, corners), corners)
        boxes.append(box)
        quads.append(corners)
    if boxes and rng.random() < 0.08:  # something stands before a plate
        x0, y0, x1, y1 = boxes[rng.integers(len(boxes))]
        hide = rng.uniform(0.1, 0.3) * (x1 - x0)
        colour = tuple(map(float, rng.uniform(10, 230, 3)))
        left = x0 if rng.random() < 0.5 else x1 - hide
        cv2.rectangle(scene, (round(left), round(y0 - 20)), (round(left + hide), round(y1 + 20)), colour, -1)
    truth = np.asarray(boxes, np.float32).reshape(-1, 4)
    heights = truth[:, 3] - truth[:, 1]
    picture = camera(rng, scene, float(heights.min()) if len(heights) else 40.0)
    if rng.random() < BURNT_IN:
        picture = titled(rng, fonts, picture, [*truth.tolist(), *doubtful.tolist()])
    seen = np.array([contrast(picture, box) >= MIN_CONTRAST for box in truth.tolist()], bool)
    shown = np.asarray(quads, np.float32).reshape(-1, 4, 2)
    return picture, shown[seen], np.concatenate([shown[~seen], corners_of(doubtful)])


def titled(rng: Generator, fonts: Fonts, picture: U8, boxes: list[list[float]]) -> U8:
    """A picture with one to three things put over it, near its edges and clear of all boxes."""
    scene = picture.astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        rgba = burnt_in(rng, fonts)
        height = float(np.exp(rng.uniform(np.log(14), np.log(110))))
        size = np.array([rgba.shape[1] * height / rgba.shape[0], height])
        size *= min(1.0, 0.8 * SIDE_PX / size.max())
        left, top = (SIDE_PX - size) * np.where(rng.random(2) < 0.5, rng.beta(0.7, 3, 2), 1 - rng.beta(0.7, 3, 2))
        box = [left, top, left + size[0], top + size[1]]
        if not any(overlapping(box, other) for other in boxes):
            paste(scene, rgba, corners_of(np.array([box], np.float32))[0])
    return np.clip(scene, 0, 255).astype(np.uint8)


def contrast(picture: U8, box: list[float]) -> float:
    """Standard deviation of a plate's luminance, noise smoothed away, levels of 0 to 255."""
    x0, y0, x1, y1 = (round(min(max(v, 0), SIDE_PX)) for v in box)
    part = picture[y0:y1, x0:x1].astype(np.float32).mean(2)
    return float(cv2.blur(part, (3, 3)).std()) if part.size else 0.0


def chunk(rng: Generator, fonts: Fonts, grounds: Grounds, count: int) -> dict[str, NDArray[np.generic]]:
    """Pictures with all their levels, (n, pixels), their boxes' corners (n, MOST, 4, 2) and kinds (n, MOST)."""
    pixels = []
    quads, kinds = np.zeros((count, MOST, 4, 2), np.float32), np.zeros((count, MOST), np.int64)
    for n in range(count):
        picture, plates, faint = compose(rng, fonts, grounds)
        pixels.append(levels(picture)[0])
        both = np.concatenate([plates, faint])[:MOST]
        quads[n, : len(both)] = both
        kinds[n, : len(both)] = 1
        kinds[n, len(plates) : len(both)] = 2
    return {"pixels": np.stack(pixels), "quads": quads, "kinds": kinds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the chunks; it is filled again when they were taken away")
    parser.add_argument("--pack", type=Path, required=True, help="that pack.py wrote")
    parser.add_argument("--fonts", type=Path, action="append", help="default /usr/share/fonts")
    parser.add_argument("--chunk", type=int, default=25)
    parser.add_argument("--waiting", type=int, default=24, help="chunks from which on it waits")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    grounds = Grounds([one.picture for one in load_pack(args.pack, "plate") if not one.checked])
    fonts = Fonts(args.fonts or [Path("/usr/share/fonts")])
    rng = np.random.default_rng(args.seed)
    parent, number = os.getppid(), 0
    while os.getppid() == parent:  # until the trainer ends
        if len(list(args.out.glob("*.npz"))) >= args.waiting:
            time.sleep(0.2)
            continue
        path = args.out / f"{number:06d}_{args.seed}"
        np.savez(path.with_suffix(".tmp"), **chunk(rng, fonts, grounds, args.chunk))
        path.with_suffix(".tmp.npz").rename(path.with_suffix(".npz"))
        number += 1


if __name__ == "__main__":
    main()
