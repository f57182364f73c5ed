"""What light and a poor camera do to a picture: exposure, colour, blur, noise, JPEG, H.264."""

import io

import av
import cv2
import numpy as np
from numpy.random import Generator
from render import F32, U8


def lit(rng: Generator, rgba: U8, scene: F32, corners: F32) -> U8:
    """The plate in the light of the place it is put."""
    h, w = scene.shape[:2]
    (x0, y0), (x1, y1) = np.round(corners.min(0)).astype(int), np.round(corners.max(0)).astype(int)
    around = scene[max(0, y0 - 10) : min(h, y1 + 10), max(0, x0 - 10) : min(w, x1 + 10)]
    if around.size == 0:
        return rgba
    light = np.percentile(around.reshape(-1, 3), 85, axis=0)
    if rng.random() < 0.35:
        light = light.mean().repeat(3)
    gain = (np.clip(light, 8, 255) / 200) ** rng.uniform(0.2, 1.0)
    gain = np.clip(gain * rng.uniform(0.8, 1.5), 0.2, 1.8)
    answer = rgba.astype(np.float32)
    answer[..., :3] = answer[..., :3] * gain + rng.uniform(0, 18)
    return np.clip(answer, 0, 255).astype(np.uint8)


def motion_kernel(rng: Generator, length: float) -> F32:
    n = int(np.ceil(length)) | 1
    kernel = np.zeros((n, n), np.float32)
    angle = rng.normal(0, 0.3) if rng.random() < 0.6 else rng.uniform(0, np.pi)
    d = np.array([np.cos(angle), np.sin(angle)]) * (n - 1) / 2
    a, b = (n - 1) / 2 - d, (n - 1) / 2 + d
    cv2.line(kernel, tuple(round(v) for v in a), tuple(round(v) for v in b), 1.0, 1)
    return kernel / kernel.sum()


def camera(rng: Generator, scene: F32, smallest_px: float) -> U8:
    """Exposure, colour, blur, noise and compression; milder where a plate is `smallest_px` high."""
    mild = smallest_px < 14
    if rng.random() < 0.3:
        scene = scene * rng.uniform(0.35, 0.8) ** (0.5 if mild else 1)
    if rng.random() < 0.35:
        scene = scene * rng.uniform(0.75, 1.25, 3)
    if rng.random() < 0.25:  # bloom of lamps
        bright = np.clip(scene - 200, 0, None)
        scene = scene + cv2.GaussianBlur(bright, (0, 0), rng.uniform(3, 16)) * rng.uniform(0.5, 2.5)
    chance = rng.random()
    longest = max(1.6, smallest_px * 0.45)
    if chance < 0.25:
        scene = cv2.filter2D(scene, -1, motion_kernel(rng, rng.uniform(1.5, min(15, longest * 1.6))))
    elif chance < 0.5:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, min(3.5, longest / 2)))
    if rng.random() < 0.2 and not mild:  # an enlarged or badly scaled picture
        h, w = scene.shape[:2]
        share = rng.uniform(0.45, 0.9)
        small = cv2.resize(
            scene,
            (round(w * share), round(h * share)),
            interpolation=cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_NEAREST,
        )
        scene = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        noise = rng.standard_normal(scene.shape, np.float32)
        if rng.random() < 0.5:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2
        scene = scene + noise * rng.uniform(2, 10 if mild else 22)
    picture = np.clip(scene, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        picture = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2))
    chance = rng.random()
    if chance < 0.3:
        picture = jpeg(picture, int(rng.integers(35 if mild else 18, 85)))
    elif chance < 0.5:
        picture = h264(picture, int(rng.integers(20, 30 if mild else 38)), int(rng.integers(-3, 4)))
    return picture


def jpeg(picture: U8, quality: int) -> U8:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def h264(picture: U8, crf: int, shift_px: int) -> U8:
    """The picture as the last of two frames of a pan, coded and decoded."""
    store = io.BytesIO()
    with av.open(store, "w", "matroska") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "veryfast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
        for frame in (np.roll(picture, shift_px, 1), picture):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        out.mux(stream.encode())
    store.seek(0)
    with av.open(store) as coded:
        *_, last = coded.decode(video=0)
        return last.to_ndarray(format="rgb24")
