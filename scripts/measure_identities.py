"""Who is who: how well tracks are grouped into persons, on clips with identity truth, within shots and over cuts.

    python scripts/measure_identities.py ASSETS --cache FOLDER [--setting fast] [--films classroom,opera]

ASSETS is the folder of real footage (see CONTRIBUTING). Beside the clips as they are, shots of two of them are put
one after the other in turn, so that the same persons come back after a cut; who they are, the clips' truth says.
What was analysed is kept in FOLDER, which holds personal data and must lie outside the repository. Three groupings
of the same boxes are compared:

* runs: what one window of the search links, before any grouping;
* tracks: as `analyze` groups them, across occlusions and never over a cut;
* persons: as `analyze --across-cuts` does, which the review page proposes.

Pairs are of boxes that were found and match a true one (IoU 0.5): precision is the share of the pairs that are
given one name and are one person, recall the share of the pairs of one person that are given one name. IDF1 is that
of Ristani et al. (2016), over all true boxes, found or not.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon import Search
from vsanon.boxes import F32, iou
from vsanon.detections import Origin
from vsanon.encode.ffmpeg import run as ffmpeg
from vsanon.job.pipeline import analyze_file
from vsanon.job.settings import Settings
from vsanon.media.source import open_source
from vsanon.tracking.identities import IdentitySettings, Run, identify
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.metrics.detection import assign
from vsanon.validation.metrics.observed import Observed, both, true_boxes
from vsanon.validation.metrics.tracking import idf1, without_ignored
from vsanon.validation.truth.files import read_any

CLIPS = {"classroom": "classroom_720p25.mp4", "opera": "opera_crowd_1080p25.mp4", "walkers": "walkers_416p24.mp4"}
IN_TURN = {
    "classroom and opera": [("classroom", 0), ("opera", 0), ("classroom", 150), ("opera", 50), ("classroom", 280)],
    "walkers and classroom": [
        ("walkers", 0),
        ("classroom", 60),
        ("walkers", 50),
        ("classroom", 200),
        ("walkers", 100),
    ],
}
"""By name, the shots of a film: of which clip, and from which of its frames on."""
SHOT = 40
"""Frames of a shot."""
SIZE = (1280, 720)
MATCHES = 0.5


def film(assets: Path, name: str, folder: Path) -> tuple[Path, Observed]:
    """A film and the true faces of its persons."""
    if name in CLIPS:
        path = assets / "video" / CLIPS[name]
        return path, true_boxes(read_any(truth_of(assets, name)), "face")
    path, shots = folder / f"{name}.mkv", IN_TURN[name]
    parts, rows = [], []
    for k, (clip, first) in enumerate(shots):
        trim = f"trim=start_frame={first}:end_frame={first + SHOT},scale={SIZE[0]}:{SIZE[1]},setsar=1"
        parts.append(f"[{k}:v]{trim},setpts=N/25/TB,format=yuv420p[v{k}]")
        whole = true_boxes(read_any(truth_of(assets, clip)), "face")
        own = whole.select((whole.frames >= first) & (whole.frames < first + SHOT))
        source = open_source(assets / "video" / CLIPS[clip]).clip
        scale = np.array([SIZE[0] / source.width, SIZE[1] / source.height] * 2, np.float32)
        persons = own.ids + 1000 * list(CLIPS).index(clip)
        rows.append((own.frames - first + k * SHOT, persons, own.xyxy * scale, own.ignore))
    if not path.exists():
        inputs = [word for clip, _ in shots for word in ("-i", str(assets / "video" / CLIPS[clip]))]
        joined = "".join(f"[v{k}]" for k in range(len(shots))) + f"concat=n={len(shots)}[v]"
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-r", "25"]
        ffmpeg(["-y", *inputs, "-filter_complex", ";".join([*parts, joined]), "-map", "[v]", *coded, str(path)])
    frames, ids, xyxy, ignore = (np.concatenate(column) for column in zip(*rows, strict=True))
    return path, Observed(frames, ids, xyxy, ignore)


def truth_of(assets: Path, name: str) -> Path:
    return (assets / "truth" / CLIPS[name]).with_suffix(".csv")


def groupings(table: TrackTable, rows: NDArray[np.intp]) -> dict[str, NDArray[np.int64]]:
    """Of each of these rows its name in each of the three groupings."""
    own, frames = np.unique(table.runs[rows]), table.frames
    runs = []
    for run in own:
        at = np.flatnonzero(table.runs == run)
        detected, colours = table.origins[at] == Origin.DETECTED, table.colours_of(at[[0, -1]])
        runs.append(Run(int(frames[at[0]]), table.xyxy[at], detected, table.classes[int(run)], colours))
    of_run = np.searchsorted(own, table.runs[rows])
    settings = IdentitySettings()
    named = {"runs": np.arange(len(own)), "tracks": identify(runs, table.cuts, table.fps, settings)}
    named["persons"] = identify(runs, table.cuts, table.fps, replace(settings, across_cuts=True))
    return {name: ids[of_run] for name, ids in named.items()}


def pairs(truth: Observed, found: Observed) -> tuple[float, float]:
    """Pairwise precision and recall of the names of what is found."""
    together: dict[tuple[int, int], int] = {}
    truth, found = without_ignored(truth, found)
    for _, own, other in both(truth, found):
        overlap = iou(truth.xyxy[own], found.xyxy[other]).astype(np.float64)
        for row, column in zip(*assign(overlap, overlap >= MATCHES), strict=True):
            key = int(truth.ids[own][row]), int(found.ids[other][column])
            together[key] = together.get(key, 0) + 1
    both_same = sum(two(n) for n in together.values())
    totals = []
    for part in (1, 0):
        counts: dict[int, int] = {}
        for key, n in together.items():
            counts[key[part]] = counts.get(key[part], 0) + n
        totals.append(sum(two(n) for n in counts.values()))
    return both_same / max(totals[0], 1), both_same / max(totals[1], 1)


def two(n: int) -> int:
    return n * (n - 1) // 2


def observed(frames: NDArray[np.int64], ids: NDArray[np.int64], xyxy: F32) -> Observed:
    """Boxes with names; of two that have one name in a frame the first."""
    _, first = np.unique(np.stack([frames, ids]), axis=1, return_index=True)
    return Observed(frames[first], ids[first], xyxy[first])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--setting", default="fast")
    parser.add_argument("--films", default=",".join([*CLIPS, *IN_TURN]))
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    print("| film | cuts: true, found | names | pairs: precision | recall | IDF1 | persons: true, named |")
    print("|---|---|---|---|---|---|---|")
    for name in asked.films.split(","):
        path, truth = film(asked.assets, name, asked.cache)
        tracks = asked.cache / f"{name}.{asked.setting}.vsanon"
        if not tracks.exists():
            analyze_file(path, tracks, Settings(search=Search(classes=("face",), setting=asked.setting)))
        table = edits.apply(read_tracks(tracks))
        rows = np.flatnonzero(table.origins == Origin.DETECTED)
        cuts = f"{len(IN_TURN[name]) - 1 if name in IN_TURN else 0}, {len(table.cuts)}"
        for grouping, ids in groupings(table, rows).items():
            found = observed(table.frames[rows], ids, table.xyxy[rows])
            precision, recall = pairs(truth, found)
            persons = len(np.unique(truth.ids[~truth.ignore])), len(np.unique(found.ids))
            print(f"| {name} | {cuts} | {grouping} | {precision:.3f} | {recall:.3f} | {idf1(truth, found):.3f} "
                  f"| {persons[0]}, {persons[1]} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
