"""Which steps give the same bytes on another processor, and by how much the others differ: docs/processors.md.

    python scripts/measure_processors.py here.npz --pictures ../shared/assets
    qemu-x86_64 -cpu Nehalem .venv/bin/python scripts/measure_processors.py there.npz --pictures ../shared/assets
    python scripts/measure_processors.py --compare here.npz there.npz
    python scripts/measure_processors.py --encoders Haswell Nehalem

qemu-user translates every instruction, so that each library takes the kernels of the processor that is named.
That is twenty times slower and more: the pictures are small.
"""

import argparse
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import vapoursynth as vs

import vsanon
from vsanon.covering.looks import PROFILES
from vsanon.detections import Detections
from vsanon.detectors import open_detector
from vsanon.encode import ffmpeg_path, presets
from vsanon.filters import props
from vsanon.filters.same_picture import miniatures_of
from vsanon.tracking.between import between

MODELS = ("centerface", "centerface_int8", "yunet_n", "scrfd_500m", "plates")
SIZE = (320, 192)
FORMATS = {"8 bits": vs.YUV420P8, "10 bits": vs.YUV422P10, "16 bits": vs.YUV420P16, "float": vs.RGBS}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("files", nargs="*", type=Path, metavar="FILE.npz")
    options.add_argument("--encoders", nargs="+", metavar="CPU", help="ffmpeg alone, emulated, for each preset")
    options.add_argument("--pictures", type=Path, help="a folder whose video/ has the clips of the tests")
    options.add_argument("--compare", action="store_true", help="two files")
    asked = options.parse_args()
    if asked.encoders:
        encoders(asked.encoders)
    elif asked.compare:
        compare(*(dict(np.load(path)) for path in asked.files))
    else:
        np.savez(asked.files[0], **dict(steps(asked.pictures)))


def compare(here: dict[str, np.ndarray], there: dict[str, np.ndarray]) -> None:
    for name, one in here.items():
        other = there[name]
        if one.shape != other.shape:
            print(f"{name}: {len(one)} and {len(other)} rows")
        elif one.tobytes() == other.tobytes():
            print(f"{name}: the same bytes")
        else:
            off = np.abs(one.astype(float) - other.astype(float))
            print(f"{name}: {np.count_nonzero(off) / off.size:.4%} differ, by {off.max():.2g} at most")


def steps(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """What each step gives, by its name."""
    frame = decoded(folder / "video" / "cars_432p12.mp4", 3)
    yield "decode, H.264", frame.to_ndarray(format="yuv420p")
    crowd = decoded(folder / "video" / "walkers_416p24.mp4", 3).to_ndarray(format="rgb24")
    pictures = {"face": crowd, "plate": frame.to_ndarray(format="rgb24")}
    for name, picture in pictures.items():
        pictures[name] = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
        yield f"resize by OpenCV, {name}", pictures[name]
    yield from of_clips()
    blurred = cv2.GaussianBlur(noise(0, 0, (200, 330), 255).astype(np.uint8), (0, 0), 3)
    shown = [np.ascontiguousarray(blurred[4:196, 8 - k : 328 - k]) for k in range(5)]
    ends = (Detections(np.array([[100 + k, 50, 150 + k, 110]]), np.array([0.9]), ("face",)) for k in (0, 4))
    yield "between two searched frames", np.concatenate([d.xyxy for d in between(*ends, shown, SIZE).frames])
    for name in MODELS:
        detector = open_detector(name, threshold=0.05)
        found = detector.detect(np.ascontiguousarray(pictures[detector.card.classes[0]].transpose(2, 0, 1)))
        yield f"{name}, boxes in px", found.xyxy
        yield f"{name}, scores", found.scores


def of_clips() -> Iterator[tuple[str, np.ndarray]]:
    for name, kind in FORMATS.items():
        clip = drawn(kind, 12 if name == "8 bits" else 2)
        tracks = vsanon.track(searched(clip))
        if name == "8 bits":
            yield "miniatures of frames", flat(miniatures_of(clip))
            text = repr([{k: v for k, v in f.props.items() if k.startswith("Vsanon")} for f in tracks.frames()])
            yield "track", np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8)
        for profile in PROFILES:
            yield f"paint {profile}, {name}", flat(vsanon.blur(clip, tracks, profile=profile))
        yield f"mask, {name}", flat(vsanon.mask(clip, tracks))
    for width in (320, 160):
        resized = drawn(vs.YUV420P8, 2).resize.Bicubic(width, width * 3 // 5, format=vs.RGB24, matrix_in=1)
        yield f"VapourSynth's resizer, to RGB, {width} px", flat(resized)


def encoders(processors: list[str]) -> None:
    """Whether each preset's ffmpeg writes the same bytes on other processors: ten frames of a pan over noise."""
    width, height = 128, 96
    ground = [cv2.GaussianBlur(noise(0, p, (height, width + 40), 255), (0, 0), 2) for p in range(3)]
    ground = [np.clip(128 + 5 * (plane - 128), 16, 235).astype(np.uint8) for plane in ground]
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "in.yuv"
        frames = ([g[:, 3 * n : 3 * n + width] for g in ground] for n in range(10))
        raw.write_bytes(b"".join(plane.tobytes() for planes in frames for plane in planes))
        given = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{width}x{height}", "-r", "25", "-i", str(raw)]
        for preset in map(presets.load, presets.names()):
            pix_fmt = preset.pix_fmts[0]
            args = [*given, "-vf", f"format={pix_fmt}", *presets.video_args(preset, pix_fmt), "-f", preset.muxer]
            digests = []
            for under in ([], *(["qemu-x86_64", "-cpu", cpu] for cpu in processors)):
                out = Path(name) / f"out{preset.suffix}"
                command = [*under, str(ffmpeg_path()), "-v", "error", "-y", *args, *presets.BITEXACT, str(out)]
                subprocess.run(command, check=True, capture_output=True)
                digests.append(hashlib.sha256(out.read_bytes()).hexdigest())
            same = [cpu for cpu, digest in zip(processors, digests[1:], strict=True) if digest == digests[0]]
            print(f"{preset.name}: the same bytes on {', '.join(same) or 'none'}", flush=True)


def decoded(path: Path, n: int) -> av.VideoFrame:
    with av.open(str(path)) as opened:
        return next(frame for k, frame in enumerate(opened.decode(video=0)) if k == n)


def noise(n: int, plane: int, shape: tuple[int, int], most: float) -> np.ndarray:
    return np.random.default_rng([n, plane]).uniform(0, most, shape)


def drawn(kind: int, length: int) -> vs.VideoNode:
    known = vs.core.get_video_format(kind)
    most = 1.0 if known.sample_type == vs.FLOAT else (1 << known.bits_per_sample) - 1
    tags = {"_Matrix": 1} if known.color_family == vs.YUV else {}
    blank = vs.core.std.BlankClip(format=kind, width=SIZE[0], height=SIZE[1], length=length, keep=True)

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for p in range(len(out)):
            plane = np.asarray(out[p])
            plane[:] = noise(n, p, plane.shape, most)
        return out

    return blank.std.SetFrameProps(**tags).std.ModifyFrame(blank, run)


def searched(clip: vs.VideoNode) -> vs.VideoNode:
    """Two objects that move and tremble, as a data clip."""
    at = np.array([[40, 50.2, 90.7, 110.9], [200, 80, 240.3, 130]])
    tremble = np.random.default_rng(3).normal(0, 1.3, (clip.num_frames, 2, 4))
    small = miniatures_of(clip)

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        boxes = at + [[3.3 * n], [-2.1 * n]] + tremble[n]
        props.write(out.props, Detections(boxes, np.array([0.9, 0.7]), ("face", "plate")), SIZE)
        return out

    return small.std.ModifyFrame(small, run)


def flat(clip: vs.VideoNode) -> np.ndarray:
    return np.concatenate([np.asarray(f[p]).ravel() for f in clip.frames() for p in range(len(f))])


if __name__ == "__main__":
    main()
