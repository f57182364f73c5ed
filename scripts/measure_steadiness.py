"""Measures how steady masks are, how large, and whether they cover, on clips with truth, by the public filters.

    python scripts/measure_steadiness.py ASSETS --cache FOLDER [--clip NAME ...] [--search fast ...]
        [--stride 1 --stride auto] [--rows OUT.json] [--before EARLIER.json]

ASSETS is the folder of real footage (see CONTRIBUTING). Each clip is searched once for a setting; what was found is
kept in FOLDER, which holds personal data and must lie outside the repository, and only what follows from it is
made anew. Of each true box that does not touch the frame's edge, the mask over it is measured where its weight is a
half:

* jitter: the root mean square of the second difference of centre, width and height, px, beside the truth's, over
  the frames that one track covers; how often a person is handed from one track to another is counted beside it;
* area: the mask's, against the true box's, the median. Beside it, where it comes from: what the true box with the
  source's traces around it would have, no less; that of the box that was found; and the mask's against that one's;
* covered: the share of true boxes under the core, faces to 90 % and plates wholly, and the longest exposed run;
* switches: how often a track changes its kind of paint, its outline (what it fills of its own extent, by more than
  `OUTLINE`), or the colours that `soft` and `mosaic` paint it in (by more than `COLOUR` codes) from one frame to
  the next; a mask that begins elsewhere under the same name is another mask.

`--rows` keeps the figures, `--before` prints those of an earlier run beside them. Tables go to stdout, in Markdown.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import filters
from vsanon.boxes import F32, iou
from vsanon.covering import effects
from vsanon.covering.block_grid import REACH_PX
from vsanon.covering.looks import AVERAGED, PROFILES
from vsanon.covering.masks import FrameLayout, PlaneMask, plane_masks
from vsanon.covering.ramps import STEPS
from vsanon.covering.shapes import shape_of
from vsanon.detections import Detections, TrackedBoxes
from vsanon.detectors.search import Search
from vsanon.filters import props
from vsanon.filters.clips import format_of, luma_of
from vsanon.filters.detect import with_changes
from vsanon.job.frames import frames_of
from vsanon.media.source import bound_cache, open_source
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracking.miniature import miniature_size
from vsanon.tracks.file import TrackWriter, read_tracks
from vsanon.validation.metrics.exposure import ExposureMeter
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import read_any

CLIPS = (
    "walkers_416p24.mp4", "classroom_720p25.mp4", "opera_crowd_1080p25.mp4", "uk_plate_720p30.mp4",
    "tld_david.mpg", "tld_jumping.mpg",
)  # fmt: skip
SETTINGS = ("fast", "balanced", "thorough")
OUTLINE = 0.03
"""A change of the share of its own extent that a mask fills: an ellipse fills 0.785, a rectangle 1."""
COLOUR = 8
"""A change of a swatch, 8-bit codes."""
PAD = 1024
"""Masks are measured on a canvas that goes on beyond the frame so far, pixels; a multiple of every grid."""
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--clip", dest="clips", action="append", choices=CLIPS)
    parser.add_argument("--search", dest="searches", action="append", choices=SETTINGS)
    parser.add_argument("--stride", dest="strides", action="append", choices=["1", "auto"])
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--only-search", action="store_true", help="fill the cache, and measure nothing")
    args = parser.parse_args()
    os.environ.setdefault("VSANON_MODELS", str(args.assets / "models"))
    bound_cache()
    before = {key(row): row for row in json.loads(args.before.read_text())} if args.before else {}
    rows = []
    for search in args.searches or SETTINGS:
        for stride in args.strides or ["1", "auto"]:
            for name in args.clips or CLIPS:
                found = searched(args.assets / "video" / name, args.cache, search, stride)
                print(f"{name} {search} {stride}", file=sys.stderr, flush=True)
                if not args.only_search:
                    truth = read_any(next((args.assets / "truth").glob(f"{Path(name).stem}.*")))
                    own = {"clip": Path(name).stem, "search": search, "stride": stride}
                    rows.append({**own, **measured(found, truth)})
    if args.rows:
        args.rows.write_text(json.dumps(rows, indent=1, default=float))
    table(rows, before)
    return 0


def key(row: Row) -> tuple[str, str, str]:
    return row["clip"], row["search"], row["stride"]


# ------------------------------------------------------------------------------------------- what was found


def searched(path: Path, cache: Path, setting: str, stride: str) -> vs.VideoNode:
    """The data clip of `detect`, from the cache where it is there."""
    search = Search(setting=setting, stride=stride if stride == "auto" else int(stride))
    # The models by content: a cache must not outlive the model that filled it.
    models = {name: [card.digests for card in used] for name, used in search.cards().items()}
    facts = json.dumps([path.name, search.facts(), models], default=str)
    digest = hashlib.sha256(facts.encode()).hexdigest()[:16]
    kept = cache / f"{path.stem}-{setting}-{stride}-{digest}.json"
    opened = open_source(path)
    if not kept.is_file():
        found = filters.detect(opened.clip, search)
        content = {
            "size": [opened.clip.width, opened.clip.height],
            "fps": str(opened.timeline.fps),
            "frames": [_plain(frame.props) for frame in frames_of(found)],
        }
        cache.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".part").write_text(json.dumps(content))
        kept.with_suffix(".part").replace(kept)
    luma = luma_of(opened.clip, format_of(opened.clip))
    return with_changes(_data_clip(json.loads(kept.read_text())), luma)


def _plain(own: Mapping[str, Any]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"base64": base64.b64encode(value).decode()}
        return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

    return {name: plain(value) for name, value in own.items() if isinstance(value, (int, float, str, bytes, list))}


def _data_clip(content: Mapping[str, Any]) -> vs.VideoNode:
    def rich(value: Any) -> Any:
        if isinstance(value, dict):
            return base64.b64decode(value["base64"])
        return [rich(v) for v in value] if isinstance(value, list) else value

    frames = [{name: rich(value) for name, value in own.items()} for own in content["frames"]]
    fps = Fraction(content["fps"])
    width, height = miniature_size((content["size"][0], content["size"][1]))
    blank = vs.core.std.BlankClip(None, width, height, vs.GRAY16, len(frames), fps.numerator, fps.denominator)

    def fill(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for name, value in frames[n].items():
            out.props[name] = value
        return out

    return blank.std.ModifyFrame(blank, fill)


# ------------------------------------------------------------------------------------------- what is measured


def measured(found: vs.VideoNode, truth: Truth) -> Row:
    """The figures of one clip."""
    frames, cuts, size = _tracked(found)
    fps = found.fps
    meter = ExposureMeter(truth, size, fps)
    rows: dict[tuple[str, int, int], dict[int, NDArray[np.float64]]] = {}
    areas: list[NDArray[np.float64]] = []
    over: dict[tuple[str, int], int] = {}
    handed = 0
    seen = [props.read_detections(frame.props) for frame in frames_of(found)]
    for n, boxes in enumerate(frames):
        regions = [_region(boxes, k, (0, 0), size) for k in range(len(boxes))]
        core, touched = np.zeros((2, size[1], size[0]), bool)
        for mask in regions:
            if mask is not None:
                core[mask.window] |= mask.steps == STEPS
                touched[mask.window] |= mask.steps > 0
        meter.add(n, core, touched)
        for row in range(*truth.rows(n).indices(len(truth))):
            identity = (str(truth.classes[row]), int(truth.ids[row]))
            match = None if truth.ignore[row] else _match(truth.xyxy[row], identity[0], boxes, over.get(identity))
            if match is None:
                continue
            handed += over.get(identity, boxes.ids[match]) != boxes.ids[match]
            over[identity] = boxes.ids[match]
            own, mask = truth.xyxy[row].astype(np.float64), regions[match]
            if mask is not None:
                traced = np.concatenate([own[:2] - REACH_PX, own[2:] + REACH_PX])
                overlap = _overlaps(truth.xyxy[row], identity[0], seen[n])
                best = seen[n].xyxy[int(overlap.argmax())] if overlap.any() else np.full(4, np.nan)
                painted = float((mask.steps * 2 >= STEPS).sum())
                areas.append(np.array([painted, _within(traced, size), _within(best, size)]) / _within(own, size))
            whole = _region(boxes, match, (PAD, PAD), (size[0] + 2 * PAD, size[1] + 2 * PAD))
            inside = (own[:2] > 1).all() and (own[2:] < np.array(size) - 1).all()
            if whole is not None and inside:
                rows.setdefault((*identity, boxes.ids[match]), {})[n] = np.concatenate(
                    [_centred(own), _centred(extent(whole))]
                )
    second = [d for one in rows.values() for d in _second_differences(one, cuts)]
    jitter = np.sqrt(np.mean(np.square(second), axis=0)) if second else np.full(8, np.nan)
    result, area = meter.result(), np.array(areas)
    return {
        "truth": jitter[:4].tolist(),
        "mask": jitter[4:].tolist(),
        "area": float(np.median(area[:, 0])),
        "traced": float(np.median(area[:, 1])),
        "found": float(np.nanmedian(area[:, 2])),
        "of_found": float(np.nanmedian(area[:, 0] / area[:, 2])),
        "boxes": sum(own.boxes for own in result.classes.values()),
        "covered_boxes": sum(own.covered_boxes for own in result.classes.values()),
        "longest_run": max(own.longest_run_frames for own in result.classes.values()),
        "over_blur": result.over_blur,
        "handed_over": handed,
        "switches": switches(frames, cuts, size),
    }


def _within(box: NDArray[Any], size: tuple[int, int]) -> float:
    """The area of a box's part in the frame."""
    return float(np.prod(np.clip(box[2:], 0, size) - np.clip(box[:2], 0, size)))


def _tracked(found: vs.VideoNode) -> tuple[list[TrackedBoxes], set[int], tuple[int, int]]:
    """The boxes of each frame by identity, the frames that start a shot, and the size."""
    with found.get_frame(0) as first:
        size = props.size_of(first.props)
    writer = TrackWriter({"frames": len(found), "size": size, "fps": str(found.fps)}, IdentitySettings())
    cuts = set()
    for n, frame in enumerate(frames_of(filters.track(found))):
        cut = bool(frame.props.get(props.CUT))
        writer.add(props.read_tracked(frame.props), cut=cut)
        cuts |= {n} if cut else set()
    with tempfile.TemporaryDirectory() as folder:
        writer.write(Path(folder, "tracks"))
        tracks = read_tracks(Path(folder, "tracks"))
    return [tracks.at(n) for n in range(len(tracks))], cuts, size


def _region(boxes: TrackedBoxes, k: int, shift: tuple[int, int], size: tuple[int, int]) -> PlaneMask | None:
    box = boxes.xyxy[k] + np.array(shift * 2, np.float32)
    masks = plane_masks(box, shape_of(boxes.classes[k]), FrameLayout(size, planes=1), filters.GRID)
    return masks[0] if masks else None


def _match(own: F32, name: str, boxes: TrackedBoxes, before: int | None) -> int | None:
    """The box of the class that overlaps a true one most, if any; that of the track before while it overlaps it."""
    if not len(boxes):
        return None
    overlap = _overlaps(own, name, boxes)
    best = int(np.argmax(overlap))
    kept = [k for k, i in enumerate(boxes.ids) if i == before and overlap[k] >= 0.3]
    return (kept or [best])[0] if overlap[best] > 0 else None


def _overlaps(own: F32, name: str, boxes: TrackedBoxes | Detections) -> F32:
    return np.where(np.array(boxes.classes) == name, iou(own[None], boxes.xyxy)[0], 0)


def extent(mask: PlaneMask) -> NDArray[np.float64]:
    """Left, top, right, bottom of where a mask's weight is a half or more, to fractions of a sample."""
    sides = []
    for axis, start in ((0, mask.x), (1, mask.y)):
        line = np.concatenate([[0], mask.steps.max(axis=axis), [0]]) / STEPS
        at = np.flatnonzero(line >= 0.5)
        first, last = int(at[0]), int(at[-1])
        low = first - (line[first] - 0.5) / (line[first] - line[first - 1])
        high = last + (line[last] - 0.5) / (line[last] - line[last + 1])
        sides.append((start + low - 0.5, start + high - 0.5))
    (left, right), (top, bottom) = sides
    return np.array([left, top, right, bottom])


def _centred(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([(edges[:2] + edges[2:]) / 2, edges[2:] - edges[:2]])


def _second_differences(rows: Mapping[int, NDArray[np.float64]], cuts: set[int]) -> Iterator[NDArray[np.float64]]:
    for n in sorted(rows):
        if n - 1 in rows and n + 1 in rows and not cuts & {n, n + 1}:
            yield rows[n - 1] - 2 * rows[n] + rows[n + 1]


def switches(frames: Sequence[TrackedBoxes], cuts: set[int], size: tuple[int, int]) -> dict[str, int]:
    """How often tracks change from one frame to the next what they should not."""
    counted = Counter(dict.fromkeys(("effect", "outline", "colour"), 0))
    before: dict[int, list[dict[str, Any]]] = {}
    for n, boxes in enumerate(frames):
        here: dict[int, list[dict[str, Any]]] = {}
        for k, i in enumerate(boxes.ids):
            name = boxes.classes[k]
            whole = _region(boxes, k, (PAD, PAD), (size[0] + 2 * PAD, size[1] + 2 * PAD))
            if whole is None:
                continue
            width, height = _centred(extent(whole))[2:]
            own = {
                "effect": [effects.method_of(name, profile) for profile in PROFILES],
                "outline": float(whole.weight.sum()) / (width * height),
                "colour": _painted(boxes, k),
                "box": boxes.xyxy[k],
            }
            here.setdefault(i, []).append(own)
        for own, was in _goes_on(before, here) if n not in cuts else ():
            counted["effect"] += own["effect"] != was["effect"]
            counted["outline"] += int(abs(own["outline"] - was["outline"]) > OUTLINE)
            counted["colour"] += int(np.abs(own["colour"] - was["colour"]).max()) > COLOUR
        before = here
    return dict(counted)


def _goes_on(before: Mapping[int, list[Row]], here: Mapping[int, list[Row]]) -> Iterator[tuple[Row, Row]]:
    """Masks of one name that go on from one frame to the next: the nearest ones, where there are two of them."""
    for i, masks in here.items():
        pairs = [(iou(a["box"][None], b["box"][None])[0, 0], j, k)
                 for j, a in enumerate(masks) for k, b in enumerate(before.get(i, ()))]  # fmt: skip
        taken: tuple[set[int], set[int]] = (set(), set())
        for overlap, j, k in sorted(pairs, reverse=True):
            if overlap > 0 and j not in taken[0] and k not in taken[1]:
                taken[0].add(j)
                taken[1].add(k)
                yield masks[j], before[i][k]


def _painted(boxes: TrackedBoxes, k: int) -> NDArray[np.float64]:
    """The colours that a box is averaged to; none for plates, which are of one colour under every look."""
    own = effects.method_of(boxes.classes[k], "mosaic") in AVERAGED
    return np.asarray(boxes.swatches[k] if own else np.zeros(3), np.float64)


# ------------------------------------------------------------------------------------------- what is printed


def table(rows: Sequence[Row], before: Mapping[tuple[str, str, str], Row]) -> None:
    """One row a clip and search; where there was an earlier run, its figure stands before the arrow."""
    print(
        "| clip | search | frames searched | jitter: centre x, y | width, height | of the truth | at most, times |"
        " area | with traces alone | of the found box, mask to it | covered | longest run | handed over |"
        " switches: effect, outline, colour |"
    )
    print("|---" * 14 + "|")
    for row in rows:
        was = before.get(key(row))

        def both(say: Callable[[Row], str], row: Row = row, was: Row | None = was) -> str:
            return say(row) if was is None or say(was) == say(row) else f"{say(was)} → {say(row)}"

        cells = [
            row["clip"],
            row["search"],
            "all" if row["stride"] == "1" else row["stride"],
            both(lambda r: f"{r['mask'][0]:.2f}, {r['mask'][1]:.2f}"),
            both(lambda r: f"{r['mask'][2]:.2f}, {r['mask'][3]:.2f}"),
            ", ".join(f"{v:.2f}" for v in row["truth"]),
            both(lambda r: f"{worst(r):.1f}"),
            both(lambda r: f"{r['area']:.2f}"),
            f"{row['traced']:.2f}",
            f"{row['found']:.2f}, {row['of_found']:.2f}",
            both(lambda r: f"{r['covered_boxes']} of {r['boxes']}"),
            both(lambda r: str(r["longest_run"])),
            both(lambda r: str(r["handed_over"])),
            both(lambda r: ", ".join(str(v) for v in r["switches"].values())),
        ]
        print(f"| {' | '.join(cells)} |")


def worst(row: Row) -> float:
    """The greatest ratio of the mask's jitter to the truth's."""
    return max(m / t for m, t in zip(row["mask"], row["truth"], strict=True))


if __name__ == "__main__":
    raise SystemExit(main())
