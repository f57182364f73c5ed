"""A clip of three shots for the review: one person in all of them, one who is doubtful, a logo that moves."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.detections import Origin, TrackedBoxes
from vsanon.encode import run
from vsanon.filters.same_picture import miniatures_of
from vsanon.media.source import open_source
from vsanon.review.server import serving
from vsanon.tracks.file import TrackWriter

SIZE = (320, 180)
FRAMES = 90
CUTS = (30, 60)
DOUBTFUL = range(10, 20)
LOGO = (40, 100, 96, 140)
"""x0, y0, x1, y1 in frame 0; it moves by one pixel a frame to the right."""

MISSED = {n: (20.0 + 2 * n, 120.0, 50.0 + 2 * n, 156.0) for n in range(5, 25)}
"""By frame, who was missed: moves by two pixels a frame."""

U8 = NDArray[np.uint8]


@cache
def _texture(seed: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(0, 60, shape).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.0), np.float32)


def luma(n: int, doubtful: range = DOUBTFUL, cuts: tuple[int, ...] = CUTS) -> U8:
    """The luma of frame `n`: no two frames are alike."""
    shot = sum(n >= cut for cut in cuts)
    picture = 90 + 25 * shot + 0.6 * _texture(shot, (SIZE[1], SIZE[0]))
    x0, y0, x1, y1 = LOGO
    picture[y0:y1, x0 + n % 30 : x1 + n % 30] = 120 + 2.5 * _texture(7, (y1 - y0, x1 - x0))
    for box in faces(n, doubtful, cuts).values():
        fx0, fy0, fx1, fy1 = (int(v) for v in box)
        cv2.ellipse(
            picture, ((fx0 + fx1) // 2, (fy0 + fy1) // 2), ((fx1 - fx0) // 2, (fy1 - fy0) // 2), 0, 0, 360, 210, -1
        )
    picture[:8, :8] = 40 + 2 * n  # a clock
    return np.asarray(np.clip(picture, 16, 235), np.uint8)


def faces(
    n: int, doubtful: range = DOUBTFUL, cuts: tuple[int, ...] = CUTS
) -> dict[int, tuple[float, float, float, float]]:
    """By identity of the track file: 1, 2 and 3 are one person in three shots, 4 is doubtful."""
    shot, k = sum(n >= cut for cut in cuts), n % 30
    found = {shot + 1: (150.0 + k, 30.0, 190.0 + k, 80.0)}
    if n in doubtful:
        found[4] = (250.0, 40.0, 280.0, 76.0)
    return found


def write_clip(folder: Path, doubtful: range = DOUBTFUL, cuts: tuple[int, ...] = CUTS) -> tuple[Path, Path]:
    """The clip, lossless, and its track file; `doubtful`: frames of the one who is."""
    source, raw = folder / "take.mkv", folder / "take.yuv"
    grey = np.full((SIZE[1] // 2, SIZE[0] // 2), 128, np.uint8).tobytes() * 2
    raw.write_bytes(b"".join(luma(n, doubtful, cuts).tobytes() + grey for n in range(FRAMES)))
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
    run(["-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", "25", "-i", str(raw),
         "-c:v", "ffv1", *tags, "-timecode", "10:00:00:00", f"file:{source}"])  # fmt: skip
    raw.unlink()
    tracks = folder / "take.mkv.vsanon"
    header = {"frames": FRAMES, "size": list(SIZE), "fps": "25", "timecode": "10:00:00:00", "video_track": 1}
    writer = TrackWriter(header)
    small = miniatures_of(open_source(source).clip)
    for n, frame in enumerate(small.frames(close=True)):
        rows = sorted(faces(n, doubtful, cuts).items())
        # The anchors differ from shot to shot, and the identities follow: 1, then 2 (doubtful), …
        boxes = TrackedBoxes(
            np.array([box for _, box in rows], np.float32),
            np.array([0.9 if i < 4 else 0.3 for i, _ in rows], np.float32),
            ("face",) * len(rows), tuple(i for i, _ in rows), (Origin.DETECTED,) * len(rows),
            np.array([[[[200 - 150 * (i == 4)] * 3] * 5] * 5 for i, _ in rows], np.uint8),
        )  # fmt: skip
        writer.add(boxes, cut=n in cuts, miniature=np.asarray(frame[0]))
    writer.write(tracks)
    return source, tracks


def write_search(path: Path, more: dict[int, tuple[float, float, float, float]], shift: float = 0.0) -> None:
    """What another search finds: the faces of the clip, moved by `shift` of their width, and those of `more`."""
    writer = TrackWriter({"frames": FRAMES, "size": list(SIZE), "fps": "25", "video_track": 1})
    for n in range(FRAMES):
        boxes = {
            i: (x0 + shift * (x1 - x0), y0, x1 + shift * (x1 - x0), y1) for i, (x0, y0, x1, y1) in faces(n).items()
        }
        boxes |= {9: more[n]} if n in more else {}
        writer.add(
            TrackedBoxes(
                np.array(list(boxes.values()), np.float32), np.full(len(boxes), 0.8, np.float32),
                ("face",) * len(boxes), tuple(boxes), (Origin.DETECTED,) * len(boxes),
                np.zeros((len(boxes), 5, 5, 3), np.uint8),
            )
        )  # fmt: skip
    writer.write(path)


def as_long_groups(source: Path, gop: int = 30) -> Path:
    """The same pictures, to the sample, with a key frame each so many."""
    target = source.with_name(f"groups of {gop}.mp4")
    argv = ["-y", "-i", f"file:{source}", "-c:v", "libx264", "-qp", "0", "-g", str(gop), "-keyint_min", str(gop)]
    run([*argv, "-sc_threshold", "0", "-bf", "2", f"file:{target}"])
    return target


@dataclass
class Client:
    """Whoever talks to a server of the page, with or without its cookie."""

    address: str
    cookie: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    @property
    def path(self) -> str:
        return "/" + self.address.split("/", 3)[3]

    def enter(self) -> "Client":
        status, headers, _ = self.ask("GET", self.path)
        assert status == 303
        self.cookie = headers["set-cookie"].split(";")[0]
        return self

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {"cookie": self.cookie, **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)
        with contextlib.closing(connection):
            connection.request(method, path, body, {k: v for k, v in sent.items() if v is not None})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def get(self, path: str) -> Any:
        status, _, body = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, content: Any) -> tuple[int, Any]:
        own = {"origin": f"http://127.0.0.1:{self.port}", "content-type": "application/json"}
        status, _, body = self.ask("POST", path, json.dumps(content).encode(), **own)
        return status, json.loads(body)


@contextlib.contextmanager
def served(source: Path, tracks: Path, by: str = "A. Person", **options: Any) -> Iterator[Client]:
    with serving(source, tracks, by=by, **options) as address:
        yield Client(address)
