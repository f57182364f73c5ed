"""What light and a poor camera do to a picture: exposure, colour, blur, noise, JPEG, H.264."""

import io

import cv2
import numpy as np
from numpy.random import Generator
from sets import F32, U8

try:
    import av
except ImportError:  # a machine without it has WebP instead, whose pictures are key frames of VP8
    av = None


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
    if rng.random() < 0.08:  # night: little light, and that of street lamps
        scene = scene * rng.uniform(0.12, 0.4) * rng.uniform((0.9, 0.75, 0.4), (1.3, 1.0, 0.9))
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
        picture = coded(rng, picture, mild)
    return picture


def jpeg(picture: U8, quality: int) -> U8:
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def coded(rng: Generator, picture: U8, mild: bool) -> U8:
    """The picture as the last of a few frames of a pan, coded as H.264 or H.265 and decoded."""
    if av is None:
        done, data = cv2.imencode(
            ".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, int(rng.integers(20 if mild else 3, 60))]
        )
        assert done
        return cv2.imdecode(data, cv2.IMREAD_COLOR)
    h, w = (side - side % 2 for side in picture.shape[:2])
    picture = np.ascontiguousarray(picture[:h, :w])
    crf = str(rng.integers(22, 31 if mild else 40))
    if rng.random() < 0.7:
        name, options = "libx264", {"crf": crf, "preset": "veryfast", "threads": "1", "bf": "0"}
    else:
        quiet = "log-level=none:pools=none:frame-threads=1:bframes=0"
        name, options = "libx265", {"crf": crf, "preset": "ultrafast", "x265-params": quiet}
    shift = int(rng.integers(-3, 4))
    store = io.BytesIO()
    with av.open(store, "w", "matroska") as out:
        stream = out.add_stream(name, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
        for n, shown in enumerate((np.roll(picture, shift, 1), picture)):
            frame = av.VideoFrame.from_ndarray(shown, "rgb24")
            frame.pts = n
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    store.seek(0)
    with av.open(store) as decoded:
        *_, last = decoded.decode(video=0)
        return last.to_ndarray(format="rgb24")
