"""Tries `vsanon audit` on honest and on bad covers of real clips with truth, and on what other tools make of them.

    python scripts/measure_audit.py WORK [CLIP ...] [--frames 24] [--deface PATH] [--update-page]

Clips and truth come from the folder that `VSANON_ASSETS` names, else `../shared/assets`. WORK keeps the answer of
each trial, so that a run that was stopped goes on. `--deface` names that program, run unchanged; ffmpeg's `delogo`
and `boxblur` are what somebody would type who knows the boxes. `--update-page` writes the table into docs/audit.md.
"""

import argparse
import csv
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.support import audit_clips as clips  # noqa: E402
from vsanon.audit.run import Asked, audit  # noqa: E402
from vsanon.encode import run  # noqa: E402
from vsanon.validation.truth.files import read_any  # noqa: E402

ASSETS = Path(os.environ.get("VSANON_ASSETS", ROOT.parent / "shared" / "assets"))
CLIPS = {  # file, truth, first frame
    "walkers": ("walkers_416p24.mp4", "walkers_416p24.csv", 100),
    "classroom": ("classroom_720p25.mp4", "classroom_720p25.csv", 60),
    "jumping": ("tld_jumping.mpg", "tld_jumping.txt", 40),
    "david": ("tld_david.mpg", "tld_david.txt", 300),
    "uk_plate": ("uk_plate_720p30.mp4", "uk_plate_720p30.csv", 20),
    "opera": ("opera_crowd_1080p25.mp4", "opera_crowd_1080p25.csv", 10),
}
START, STOP = "<!-- measure_audit: start -->", "<!-- measure_audit: stop -->"
Row = dict[str, Any]
Boxes = dict[int, list[tuple[int, list[float], str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("clips", nargs="*", metavar="CLIP")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--deface", type=Path)
    parser.add_argument("--update-page", action="store_true")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for name in asked.clips:
        try_clip(name, asked)
    if asked.update_page:
        page = ROOT / "docs" / "audit.md"
        before, _, rest = page.read_text(encoding="utf-8").partition(START)
        after = rest.partition(STOP)[2]
        page.write_text(f"{before}{START}\n{table(asked.work)}{STOP}{after}", encoding="utf-8")


def try_clip(name: str, asked: argparse.Namespace) -> None:
    """Every trial of a clip that was not made yet."""
    folder = asked.work / name
    folder.mkdir(exist_ok=True)
    frames, boxes = part(name, asked.frames)
    raw, truth = folder / "raw.mkv", folder / "truth.csv"
    if not raw.exists():
        clips.write(raw, frames, preset="ffv1", crf=None)
        with truth.open("w", newline="") as file:
            rows = [[n, i, *box, label] for n, found in sorted(boxes.items()) for i, box, label in found]
            csv.writer(file).writerows([["frame", "target_id", "x1", "y1", "x2", "y2", "class"], *rows])
    for kind, trial, make in trials(frames, boxes, raw, asked.deface):
        kept = folder / f"{kind}_{trial}.json".replace(" ", "_").replace("/", "of")
        if kept.exists():
            continue
        out = make(folder / "redacted.mp4")
        found = audit(Asked(raw, out, truth, detect=False))
        row = {"clip": name, "kind": kind, "trial": trial, "verdict": found["verdict"], "reasons": found["reasons"],
               "levels": found["targets"]["levels"]}  # fmt: skip
        kept.write_text(json.dumps(row, indent=1))
        out.unlink()
        print(name, kind, trial, row["verdict"], row["reasons"][:2], row["levels"], flush=True)


def part(name: str, count: int) -> tuple[list[clips.U8], Boxes]:
    """Frames of a clip in RGB, and its targets by frame, numbered from the part's first."""
    file, truth_file, start = CLIPS[name]
    with av.open(str(ASSETS / "video" / file)) as container:
        decoded = itertools.islice(container.decode(video=0), start, start + count)
        frames = [frame.to_ndarray(format="rgb24") for frame in decoded]
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    truth = read_any(ASSETS / "truth" / truth_file)
    boxes: Boxes = {}
    for i in range(len(truth)):
        n = int(truth.frames[i]) - start
        if 0 <= n < count:
            box = [round(float(v), 2) for v in truth.xyxy[i]]
            boxes.setdefault(n, []).append((int(truth.ids[i]), box, str(truth.classes[i])))
    return [np.ascontiguousarray(f[:height, :width]) for f in frames], boxes


Make = Callable[[Path], Path]


def trials(
    frames: list[clips.U8], boxes: Boxes, raw: Path, deface: Path | None
) -> Iterator[tuple[str, str, Make]]:  # fmt: skip
    """What is made of the frames: kind, name, and how."""
    count = len(frames)

    def boxes_at(n: int, grow: float = 0.2, only: Callable[[int], bool] = lambda _: True) -> list[Any]:
        found = []
        for i, (x0, y0, x1, y1), _ in boxes.get(min(max(n, 0), count - 1), []):
            if only(i):
                dx, dy = grow * (x1 - x0) / 2, grow * (y1 - y0) / 2
                found.append((max(round(x0 - dx), 0), max(round(y0 - dy), 0), round(x1 + dx), round(y1 + dy)))
        return found

    clips.boxes_at = boxes_at
    middle = boxes.get(count // 2, boxes[min(boxes)])
    largest = max(middle, key=lambda one: one[1][2] - one[1][0])[0]
    covered, fill = clips.covered, clips.fill
    honest = {
        "fill": covered(fill), "mosaic of 4": covered(clips.mosaic(4)), "blur of 1/3": covered(clips.blur(1 / 3)),
        "wide fill": covered(fill, grow=0.8),
    }  # fmt: skip
    bad = {
        "nothing covered": lambda _, picture: picture, "one frame bare": covered(fill, frames=lambda n: n != 10),
        "one target left out": covered(fill, only=lambda i: i != largest),
        "three frames late": covered(fill, late=3),
        "beside by 40 %": covered(fill, moved=(0.4, 0)), "too small": covered(fill, grow=-0.45),
        "upper half": covered(fill, part=(0, 0.5)), "tint of 50 %": covered(clips.tint(0.5)),
        "tint of 85 %": covered(clips.tint(0.85)), "blur of 1/16": covered(clips.blur(1 / 16)),
        "mosaic of 14": covered(clips.mosaic(14)), "negative": covered(clips.negative),
        "luma only": covered(clips.luma_only), "flicker": covered(fill, frames=lambda n: n % 4 != 2),
        "early end": covered(fill, frames=lambda n: n < count - 4),
        "late start": covered(fill, frames=lambda n: n > 3),
    }  # fmt: skip

    def made(cover: clips.Cover, preset: str, crf: int) -> Make:
        return lambda out: clips.write(out, [cover(n, p) for n, p in enumerate(frames)], preset=preset, crf=crf)

    for name, cover in honest.items():
        for preset, crf in (("h264_crf", 18), ("h264_crf", 36), ("h265_crf", 26)):
            yield "honest", f"{name}, {preset.removesuffix('_crf')} {crf}", made(cover, preset, crf)
    for name, cover in bad.items():
        yield "bad", name, made(cover, "h264_crf", 26)
    for name, graph in ffmpeg_graphs(boxes_at, count, frames[0].shape).items():
        yield "tool", name, lambda out, graph=graph: filtered(raw, out, graph)
    for name, options in (("", []), (" mosaic", ["--replacewith", "mosaic"]), (" box", ["--boxes"])):
        if deface is not None:
            yield "tool", f"deface{name}", lambda out, options=options: defaced(deface, raw, out, options)


def ffmpeg_graphs(boxes_at: Callable[..., list[Any]], count: int, shape: tuple[int, ...]) -> dict[str, str]:
    """Filters by hand: for every target one box that holds all of its places, as people do."""
    height, width = shape[:2]
    every = [box for n in range(count) for box in boxes_at(n, 0.1)]
    x0, y0 = (max(min(box[k] for box in every), 2) for k in (0, 1))
    x1, y1 = min(max(b[2] for b in every), width - 2), min(max(b[3] for b in every), height - 2)
    place = f"x={x0}:y={y0}:w={x1 - x0}:h={y1 - y0}"
    crop = f"crop={x1 - x0}:{y1 - y0}:{x0}:{y0}"
    return {
        "ffmpeg delogo": f"delogo={place}",
        "ffmpeg boxblur 2": f"split[a][b];[b]{crop},boxblur=2[c];[a][c]overlay={x0}:{y0}",
        "ffmpeg boxblur 20": f"split[a][b];[b]{crop},boxblur=20:2:cr=5[c];[a][c]overlay={x0}:{y0}",
    }


def filtered(raw: Path, out: Path, graph: str) -> Path:
    run(["-y", "-i", f"file:{raw}", "-filter_complex", graph, "-c:v", "libx264", "-crf", "20", "-threads", "2",
         "-pix_fmt", "yuv420p", f"file:{out}"])  # fmt: skip
    return out


def defaced(deface: Path, raw: Path, out: Path, options: list[str]) -> Path:
    subprocess.run([deface, raw, "-o", out, *options], check=True, capture_output=True)
    return out


def table(work: Path) -> str:
    """The trials as Markdown."""
    rows: list[Row] = [json.loads(path.read_text()) for path in sorted(work.glob("*/*.json"))]
    names = [name for name in CLIPS if any(row["clip"] == name for row in rows)]
    lines = [f"| trial | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for kind in ("honest", "bad", "tool"):
        for trial in dict.fromkeys(row["trial"] for row in rows if row["kind"] == kind):
            cells = []
            for name in names:
                own = [r for r in rows if (r["clip"], r["kind"], r["trial"]) == (name, kind, trial)]
                cells.append(_cell(own[0]) if own else "–")
            lines.append(f"| {kind}: {trial} | {' | '.join(cells)} |")
    right = sum((row["verdict"] == "pass") == (row["kind"] == "honest") for row in rows if row["kind"] != "tool")
    count = sum(row["kind"] != "tool" for row in rows)
    said = f"{right} of {count} honest and bad outputs were told rightly. A cell has the verdict and its boxes."
    return f"{said}\n\n" + "\n".join(lines) + "\n"


def _cell(row: Row) -> str:
    levels = row["levels"]
    shown = sum(levels[k] for k in ("bare", "partly bare", "weak"))
    wrong = row["kind"] != "tool" and (row["verdict"] == "pass") != (row["kind"] == "honest")
    words = f"{row['verdict']}, {shown} of {sum(levels.values())} show"
    return f"**{words}**" if wrong else words


if __name__ == "__main__":
    main()
