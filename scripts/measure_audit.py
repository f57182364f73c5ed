"""Tries `vsanon audit` on honest and on bad covers of real clips with truth, and on what other tools make of them.

    python scripts/measure_audit.py WORK [CLIP ...] [--frames 12] [--deface PATH] [--update-page]

Clips and truth come from the folder that `VSANON_ASSETS` names, else `../shared/assets`. WORK keeps the answer of
each trial, so that a run that was stopped goes on. `--deface` names that program, run unchanged; ffmpeg's `delogo`
and `boxblur` are what somebody would type who knows the boxes; `vsanon` is this program, unchanged. An *honest*
output covers every box of the truth, a *bad* one fails to in one of many ways, what a tool's does nobody knows.
`--update-page` writes the table into docs/audit.md.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.support import audit_clips as clips  # noqa: E402
from vsanon import filters  # noqa: E402
from vsanon.audit.run import Asked, audit  # noqa: E402
from vsanon.boxes import as_boxes  # noqa: E402
from vsanon.detections import Detections  # noqa: E402
from vsanon.encode import encode, presets, run  # noqa: E402
from vsanon.encode.variants import Changes, variant  # noqa: E402
from vsanon.job.frames import frames_of, planes_of, raw_video  # noqa: E402
from vsanon.media.source import open_source  # noqa: E402
from vsanon.validation.truth.boxes import Truth  # noqa: E402
from vsanon.validation.truth.files import read_any, write_truth  # noqa: E402

ASSETS = Path(os.environ.get("VSANON_ASSETS", ROOT.parent / "shared" / "assets"))
LARGEST = 800
"""Wider clips are halved, so that an audit takes seconds."""
CLIPS = {  # file, truth, first frame
    "walkers": ("walkers_416p24.mp4", "walkers_416p24.csv", 100),
    "classroom": ("classroom_720p25.mp4", "classroom_720p25.csv", 60),
    "jumping": ("tld_jumping.mpg", "tld_jumping.txt", 40),
    "david": ("tld_david.mpg", "tld_david.txt", 300),
    "uk_plate": ("uk_plate_720p30.mp4", "uk_plate_720p30.csv", 20),
}
STILL = ("classroom", "uk_plate")
"""Clips that hardly move in so few frames: their offset is stated, as the audit asks for."""
START, STOP = "<!-- measure_audit: start -->", "<!-- measure_audit: stop -->"
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("clips", nargs="*", metavar="CLIP")
    parser.add_argument("--frames", type=int, default=12)
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
    frames, truth = part(name, asked.frames)
    raw, targets = folder / "raw.mkv", folder / "targets.csv"
    if not raw.exists():
        clips.write(raw, frames, preset="ffv1", crf=None)
        write_truth(targets, truth)
    for kind, trial, make in trials(frames, truth, raw, asked.deface):
        kept = folder / f"{kind}_{trial}.json".replace(" ", "_").replace("/", "of")
        if kept.exists():
            continue
        out = folder / "redacted.mp4"
        out.unlink(missing_ok=True)
        make(out)
        found = audit(Asked(raw, out, targets, offset=0 if name in STILL else None, detect=False))
        row = {"clip": name, "kind": kind, "trial": trial, "verdict": found["verdict"], "reasons": found["reasons"],
               "levels": found["targets"]["levels"]}  # fmt: skip
        kept.write_text(json.dumps(row, indent=1))
        print(name, kind, trial, row["verdict"], row["reasons"][:2], row["levels"], flush=True)


def part(name: str, count: int) -> tuple[list[clips.U8], Truth]:
    """Frames of a clip in RGB, and its targets by frame, numbered from the part's first."""
    file, truth_file, start = CLIPS[name]
    with av.open(str(ASSETS / "video" / file)) as container:
        decoded = itertools.islice(container.decode(video=0), start, start + count)
        frames = [frame.to_ndarray(format="rgb24") for frame in decoded]
    less = 2 if frames[0].shape[1] > LARGEST else 1
    height, width = (side // less // 2 * 2 for side in frames[0].shape[:2])
    if less > 1:
        frames = [
            np.asarray(cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for f in frames
        ]
    all_ = read_any(ASSETS / "truth" / truth_file)
    own = (all_.frames >= start) & (all_.frames < start + count)
    truth = Truth(all_.frames[own] - start, all_.ids[own], all_.classes[own], as_boxes(all_.xyxy[own] / less),
                  all_.ignore[own], all_.occluded[own], all_.readable[own])  # fmt: skip
    return [np.ascontiguousarray(f[:height, :width]) for f in frames], truth


Make = Callable[[Path], object]


def trials(
    frames: list[clips.U8], truth: Truth, raw: Path, deface: Path | None
) -> Iterator[tuple[str, str, Make]]:  # fmt: skip
    """What is made of the frames: kind, name, and how."""
    count = len(frames)

    def boxes_at(n: int, grow: float = 0.2, only: Callable[[int], bool] = lambda _: True) -> list[Any]:
        found = []
        for i in range(*truth.rows(min(max(n, 0), count - 1)).indices(len(truth))):
            if only(int(truth.ids[i])):
                x0, y0, x1, y1 = truth.xyxy[i].tolist()
                dx, dy = grow * (x1 - x0) / 2, grow * (y1 - y0) / 2
                found.append((max(round(x0 - dx), 0), max(round(y0 - dy), 0), round(x1 + dx), round(y1 + dy)))
        return found

    clips.boxes_at = boxes_at
    widths = np.where(truth.ignore, 0, truth.xyxy[:, 2] - truth.xyxy[:, 0])
    largest = int(truth.ids[int(widths.argmax())])
    covered, fill = clips.covered, clips.fill
    honest = {"fill": covered(fill), "wide fill": covered(fill, grow=0.8)}
    plates = bool((truth.classes == "plate").any())
    if plates:  # of which a reader makes no more than a guess, see scripts/measure_cells.py
        honest |= {"mosaic of 1": covered(clips.mosaic(1)), "blur of 1/2": covered(clips.blur(1 / 2))}
    else:
        honest |= {"mosaic of 4": covered(clips.mosaic(4)), "blur of 1/3": covered(clips.blur(1 / 3))}
    bad = {
        "nothing covered": lambda _, picture: picture, "one frame bare": covered(fill, frames=lambda n: n != 7),
        "one target left out": covered(fill, only=lambda i: i != largest),
        "three frames late": covered(fill, late=3),
        "beside by 40 %": covered(fill, moved=(0.4, 0)), "too small": covered(fill, grow=-0.45),
        "upper half": covered(fill, part=(0, 0.5)), "tint of 50 %": covered(clips.tint(0.5)),
        "tint of 85 %": covered(clips.tint(0.85)), "blur of 1/16": covered(clips.blur(1 / 16)),
        "mosaic of 14": covered(clips.mosaic(14)), "negative": covered(clips.negative),
        "flicker": covered(fill, frames=lambda n: n % 4 != 2),
        "early end": covered(fill, frames=lambda n: n < count - 4),
        "late start": covered(fill, frames=lambda n: n > 3), "mirrored": covered(clips.mirrored),
        "moved inside": covered(clips.moved), "edges": covered(clips.edges),
        "every second line": covered(clips.every_second_line),
    }  # fmt: skip

    if plates:
        bad |= {"mosaic of 4": covered(clips.mosaic(4)), "mosaic of 5": covered(clips.mosaic(5))}
    sides = np.where(truth.ignore, 0, np.minimum(widths, truth.xyxy[:, 3] - truth.xyxy[:, 1]))
    # Grey clips have no chroma to leave, and of small targets none is told: docs/audit.md.
    if sides.max() >= 24 and max(float(np.ptp(f.astype(np.int16), axis=2).mean()) for f in frames) > 2:
        bad["luma only"] = covered(clips.luma_only)

    def made(cover: clips.Cover, preset: str, crf: int) -> Make:
        return lambda out: clips.write(out, [cover(n, p) for n, p in enumerate(frames)], preset=preset, crf=crf)

    codecs = (("h264_crf", 18), ("h264_crf", 36), ("h265_crf", 26))
    for name, cover in bad.items():
        yield "bad", name, made(cover, "h264_crf", 26)
    for name, cover in honest.items():
        for preset, crf in codecs[2:] if name == "wide fill" else codecs:
            yield "honest", f"{name}, {preset.removesuffix('_crf')} {crf}", made(cover, preset, crf)
    for look in ("strict", "soft", "mosaic"):
        for preset, crf in codecs[:2]:
            how = partial(ours, raw, truth=truth, look=look, preset=preset, crf=crf)
            yield "honest", f"{look}, {preset.removesuffix('_crf')} {crf}", how
    for name, graph in ffmpeg_graphs(boxes_at, sorted(set(truth.ids.tolist())), frames[0].shape, count).items():
        yield "tool", name, partial(filtered, raw, graph=graph)
    for name, options in (("", []), (" mosaic", ["--replacewith", "mosaic"]), (" box", ["--boxes"])):
        if deface is not None:
            yield "tool", f"deface{name}", partial(defaced, deface, raw, options=options)
    for look in ("strict", "soft"):
        yield "tool", f"vsanon {look}", partial(anonymized, raw, look=look)


def ffmpeg_graphs(
    boxes_at: Callable[..., list[Any]], ids: list[int], shape: tuple[int, ...], count: int
) -> dict[str, str]:  # fmt: skip
    """Filters by hand: for every target one box that holds all of its places, as people do."""
    height, width = shape[:2]
    logos: list[str] = []
    soft: list[str] = []
    strong: list[str] = []
    for k, i in enumerate(ids):
        own = np.array([box for n in range(count) for box in boxes_at(n, 0.1, lambda one, i=i: one == i)])
        x0, y0 = (max(int(v) // 2 * 2, 2) for v in own.min(axis=0)[:2])
        x1, y1 = (min((int(v) + 1) // 2 * 2, side - 2)
                  for v, side in zip(own.max(axis=0)[2:], (width, height), strict=True))  # fmt: skip
        logos.append(f"delogo=x={x0}:y={y0}:w={x1 - x0}:h={y1 - y0}")
        most = min(x1 - x0, y1 - y0) // 4 - 1
        for blurs, radius in ((soft, min(2, most)), (strong, min(20, most))):
            blur = f"crop={x1 - x0}:{y1 - y0}:{x0}:{y0},boxblur={radius}:2:cr={max(radius // 2, 1)}"
            blurs.append(f"[v{k}]split[a{k}][b{k}];[b{k}]{blur}[c{k}];[a{k}][c{k}]overlay={x0}:{y0}[v{k + 1}]")
    last = f"[v{len(ids)}]null"
    return {
        "ffmpeg delogo": ",".join(logos),
        "ffmpeg boxblur 2": ";".join(["[0:v]null[v0]", *soft, last]),
        "ffmpeg boxblur 20": ";".join(["[0:v]null[v0]", *strong, last]),
    }


def ours(raw: Path, out: Path, *, truth: Truth, look: str, preset: str, crf: int) -> None:
    """Cover the boxes of the truth by the public filters."""
    source = open_source(raw)
    known = []
    for n in range(source.clip.num_frames):
        rows = truth.rows(n)
        known.append(Detections(truth.xyxy[rows], np.ones(len(truth.xyxy[rows]), np.float32),
                                tuple(truth.classes[rows].tolist())))  # fmt: skip
    tracks = filters.track(filters.given(source.clip, known))
    clip = filters.blur(source.clip, tracks, profile=look)
    video = raw_video(source)
    shown = (planes_of(frame, video.pix_fmt) for frame in frames_of(clip))
    encode(shown, video, variant(presets.load(preset), Changes(crf=crf)), out)


def anonymized(raw: Path, out: Path, *, look: str) -> None:
    """What this program makes of it, which has to find the faces and plates itself."""
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "vsanon",
        "anonymize",
        raw,
        out,
        "--profile",
        look,
        "--overwrite",
    ]
    subprocess.run(command, check=True, capture_output=True)


def filtered(raw: Path, out: Path, *, graph: str) -> None:
    run(["-y", "-i", f"file:{raw}", "-filter_complex", graph, "-c:v", "libx264", "-crf", "20", "-threads", "2",
         "-pix_fmt", "yuv420p", f"file:{out}"])  # fmt: skip


def defaced(deface: Path, raw: Path, out: Path, *, options: list[str]) -> None:
    subprocess.run([deface, raw, "-o", out, *options], check=True, capture_output=True)


def table(work: Path) -> str:
    """The trials as Markdown."""
    kinds = ("bad", "honest", "tool")
    paths = (path for kind in kinds for path in sorted(work.glob(f"*/{kind}_*.json")))
    rows: list[Row] = [json.loads(path.read_text()) for path in paths]
    names = [name for name in CLIPS if any(row["clip"] == name for row in rows)]
    lines = [f"| trial | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for kind in kinds:
        for trial in dict.fromkeys(row["trial"] for row in rows if row["kind"] == kind):
            cells = []
            for name in names:
                own = [r for r in rows if (r["clip"], r["kind"], r["trial"]) == (name, kind, trial)]
                cells.append(_cell(own[0]) if own else "–")
            lines.append(f"| {kind}: {trial} | {' | '.join(cells)} |")
    said = []
    for kind, words in (("bad", "bad outputs were found"), ("honest", "honest ones passed")):
        own = [row for row in rows if row["kind"] == kind]
        said.append(f"{sum(_is_right(row) for row in own)} of {len(own)} {words}")
    return (
        f"{', '.join(said)}. A cell has the verdict, and the boxes that show; bold is what was told wrongly.\n\n"
        + ("\n".join(lines) + "\n")
    )


def _is_right(row: Row) -> bool:
    """Whether what is bad was found, by its targets and not by chance, or what is honest passed."""
    if row["kind"] == "bad":
        return row["verdict"] == "fail" and sum(row["levels"][k] for k in ("bare", "partly bare", "weak")) > 0
    return bool(row["verdict"] == "pass")


def _cell(row: Row) -> str:
    levels = row["levels"]
    shown = sum(levels[k] for k in ("bare", "partly bare", "weak"))
    wrong = row["kind"] != "tool" and not _is_right(row)
    words = f"{row['verdict']}, {shown} of {sum(levels.values())}"
    return f"**{words}**" if wrong else words


if __name__ == "__main__":
    main()
