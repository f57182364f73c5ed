"""How coarse a mosaic must be before a plate can't be read, and what the audit says of each.

    uv run --extra attacks python scripts/measure_cells.py WORK [--height 19] [--looks LOOK ...] [--update-page]

Drawn plates as wide as the United Kingdom's (three times their height and less) are covered as tools do it, a fifth
larger than their boxes, and encoded by x264 at CRF 18. The trained reader of `scripts/measure_strength.py` learns
from some under the same look, and reads others, which the audit judges as well. WORK keeps each step,
`--update-page` writes the table into docs/audit.md.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.support import audit_clips as clips  # noqa: E402
from vsanon.audit.disguises import disguise_of  # noqa: E402
from vsanon.audit.judging import FAILING, judge, over_track  # noqa: E402
from vsanon.audit.structure import compare, compare_letters  # noqa: E402
from vsanon.covering.strength import percent  # noqa: E402
from vsanon.encode import encode, presets  # noqa: E402
from vsanon.encode.variants import Changes, variant  # noqa: E402
from vsanon.job.frames import frames_of, planes_of, raw_video  # noqa: E402
from vsanon.media.source import open_source  # noqa: E402
from vsanon.validation.attacks import bars, plates, reading, sheets  # noqa: E402
from vsanon.validation.attacks.features import fused, numbers  # noqa: E402

U8 = NDArray[np.uint8]
SEED, LEARN, TRIED = 23, 6, 2
"""Sheets of plates to learn from and to be tried on."""
TILE, DRAWN, SEEN = (160, 80), (216, 72), (84, 28)
"""A plate's place on the sheet, its size as drawn, and as an attacker cuts it out, pixels (width, height)."""
GROW, CRF = 0.2, 18
LOOKS: dict[str, Callable[[U8], U8]] = {
    "no cover": lambda part: part,
    **{f"mosaic of {rows}": clips.mosaic(rows) for rows in (8, 6, 5, 4, 3, 2, 1)},
    **{f"blur of 1/{part}": clips.blur(1 / part) for part in (8, 4, 3, 2)},
    "fill": lambda part: np.full_like(part, 110),
}
START, STOP = "<!-- measure_cells: start -->", "<!-- measure_cells: stop -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--height", type=int, nargs="*", default=[19])
    parser.add_argument("--looks", nargs="*", default=list(LOOKS))
    parser.add_argument("--update-page", action="store_true")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for height in asked.height:
        for look in asked.looks:
            kept = asked.work / f"{height}_{look}.json".replace(" ", "_").replace("/", "of")
            if not kept.exists():
                row = tried(asked.work, height, look)
                kept.write_text(json.dumps(row, indent=1))
                print(*row.values(), flush=True)
    if asked.update_page:
        page = ROOT / "docs" / "audit.md"
        before, _, rest = page.read_text(encoding="utf-8").partition(START)
        page.write_text(f"{before}{START}\n{table(asked.work)}{STOP}{rest.partition(STOP)[2]}", encoding="utf-8")


def tried(work: Path, height: int, look: str) -> dict[str, Any]:
    """What a reader makes of a look, and what the audit says of the plates that were read."""
    each = sheets.tiles(TILE)
    text = plates.texts(np.random.default_rng([SEED, height]), each * (LEARN + TRIED))
    rng = np.random.default_rng([SEED, height, 1])
    drawn = [np.asarray(cv2.resize(plates.draw(t, rng), DRAWN, interpolation=cv2.INTER_AREA)) for t in text]
    cut, failing = [], []
    for k in range(LEARN + TRIED):
        path = work / f"{height}_{k}.mp4"
        part, boxes = drawn[k * each : (k + 1) * each], path.with_suffix(".npy")
        if not boxes.exists():
            made = sheets.make_sheet(path, part, [(0, 0, *DRAWN)] * each, tile=TILE, height_px=height,
                                     label="plate", seed=SEED + k)  # fmt: skip
            np.save(boxes, made.boxes)
        was, now = covered(path, np.load(boxes), LOOKS[look])
        shown = [np.repeat(frame[..., None], 3, axis=2) for frame in now]
        cut.append(sheets.cut_out(shown, np.load(boxes), size=SEEN, reach=1.0)[..., :1])
        if k >= LEARN:
            failing += judged(was, now, np.load(boxes))
    seen, n, two = np.concatenate(cut), each * LEARN, (1, 6)
    twice = np.tile(text[:n], (2, 1))
    single = reading.train(np.concatenate([numbers(seen[:n, k]) for k in two]), twice, seed=SEED)
    parts = (slice(0, 8), slice(1, 7))
    joint = reading.train(np.concatenate([fused(seen[:n, p]) for p in parts]), twice, seed=SEED)
    by_frame = [single.read(numbers(seen[n:, k])) for k in range(sheets.FRAMES)]
    likely = {
        "one": by_frame[3],
        "mean": [np.sum(place, axis=0) for place in zip(*by_frame, strict=True)],
        "fused": joint.read(fused(seen[n:])),
    }
    row: dict[str, Any] = {"look": look, "height_px": height}
    for name, found in likely.items():
        right = (reading.said(found) == text[n:]).sum(axis=1)
        row[name] = bars.figure(right, np.full(len(right), 6), plates.CHANCE)
    bad = np.array(failing)
    return {**row, "frames_failing": float(bad.mean()), "plates_failing": float(bad.any(axis=1).mean())}


def covered(path: Path, boxes: NDArray[np.float64], look: Callable[[U8], U8]) -> tuple[list[U8], list[U8]]:
    """Luma of a sheet's frames, bare and as it is after cover and codec; chroma is left out."""
    source = open_source(path)
    video = raw_video(source)
    was = [np.array(next(iter(planes_of(frame, video.pix_fmt)))) for frame in frames_of(source.clip)]
    grey = np.full((was[0].shape[0] // 2, was[0].shape[1] // 2), 128, np.uint8)
    shown = []
    for n, luma in enumerate(was):
        out = luma.copy()
        for x0, y0, x1, y1 in boxes[n]:
            dx, dy = GROW * (x1 - x0) / 2, GROW * (y1 - y0) / 2
            window = slice(round(y0 - dy), round(y1 + dy)), slice(round(x0 - dx), round(x1 + dx))
            out[window] = look(luma[window])
        shown.append([out, grey, grey])
    path = path.with_name(f"{path.stem}_covered.mp4")
    encode(shown, video, variant(presets.load("h264_crf"), Changes(crf=CRF)), path)
    found = open_source(path)
    now = [np.array(next(iter(planes_of(frame, video.pix_fmt)))) for frame in frames_of(found.clip)]
    path.unlink()
    return was, now


def judged(was: list[U8], now: list[U8], boxes: NDArray[np.float64]) -> list[list[bool]]:
    """By plate and frame whether the audit says that it shows."""
    before, after = ([np.asarray(p, np.float32) for p in frames] for frames in (was, now))
    answers = []
    for k in range(boxes.shape[1]):
        lefts = []
        for n, box in enumerate(boxes[:, k].tolist()):
            found = {"luma": compare(before[n], after[n], box, whole=True)}
            letters = compare_letters(before[n], after[n], box)
            lefts.append(judge(found, {}, True, disguise_of(before[n], after[n], box), letters))
        answers.append([left.level in FAILING for left in over_track(lefts, True)])
    return answers


def table(work: Path) -> str:
    """The rows as Markdown."""
    rows = [json.loads(path.read_text()) for path in work.glob("*.json")]
    rows.sort(key=lambda row: (row["height_px"], list(LOOKS).index(row["look"])))
    head = ("cover", "px", "read, one frame", "read, 8 frames", "frames that fail", "plates that fail")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        track = max((row["mean"], row["fused"]), key=lambda one: one["rate"])
        read = (f"{percent(one['rate'])} (≥ {percent(one['low'])})" for one in (row["one"], track))
        fails = (percent(row[name]) for name in ("frames_failing", "plates_failing"))
        lines.append(f"| {' | '.join([row['look'], str(row['height_px']), *read, *fails])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
