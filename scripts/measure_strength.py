"""Attacks every look and writes what came of it: `vsanon/covering/strength.json` and `docs/strength.md`.

    uv run --extra attacks python scripts/measure_strength.py WORK [--only text24 ...] [--faces FOLDER]

WORK keeps each step, so that a run that was stopped goes on; the same seed gives the same figures. FOLDER has
real faces for measuring, `sN_MM.png` (the ORL set). `--size` says on how many subjects. `--write` makes the two
files of the package from what WORK holds.
"""

import argparse
import importlib.util
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.looks import PROFILES
from vsanon.errors import MissingError
from vsanon.validation.attacks import (
    bars,
    consistency,
    inverting,
    linking,
    persons,
    plates,
    public_reader,
    reading,
    sheets,
)
from vsanon.validation.attacks.features import fused, numbers, rows
from vsanon.validation.attacks.pages import markdown
from vsanon.validation.truth.files import read_any

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
ROOT = Path(__file__).resolve().parent.parent
TABLE, PAGE = ROOT / "vsanon" / "covering" / "strength.json", ROOT / "docs" / "strength.md"
SEED = 23
ONE = 3
"""The frame that an attacker of a single frame has."""
Row = dict[str, Any]

SIZES = {"small": (2, 1, 1, 1), "quick": (4, 1, 1, 1), "full": (36, 9, 5, 3)}
"""Sheets of plates to learn from and to be tried on, and of people."""

READ = {  # class that it is covered as, height of the box, tile, size of a cut-out
    "text24": ("screen", 24, (160, 80), (104, 26)),
    "text56": ("screen", 56, (304, 136), (160, 40)),
    "plate24": ("plate", 24, (160, 80), (104, 26)),
}
LOOKS = {
    "text24": (sheets.PLAIN, *PROFILES),
    "text56": (sheets.PLAIN, "strict", "soft", "mosaic", "cosmetic"),
    # Every look but `inpaint` gives a plate the colour of its surroundings.
    "plate24": (sheets.PLAIN, "strict", "inpaint"),
    "face48": (sheets.PLAIN, *PROFILES),
    "real64": (sheets.PLAIN, *PROFILES),
}
CHIP = 1.35
"""How much dlib's network wants to see, in sizes of the box."""
FACE_TILE, SHOTS = (112, 112), 3
VIEWS = {"in": ((32, 38), 1.0), "around": ((40, 48), 2.1)}
"""What is looked at of a face: the box itself, and it with its surroundings."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="*", default=[*LOOKS, "dictionary", "inverted", "masks"])
    parser.add_argument("--looks", nargs="*")
    parser.add_argument("--faces", type=Path)
    parser.add_argument("--truth", type=Path, nargs="*", default=[], help="truth files of people, for masks")
    parser.add_argument("--size", choices=list(SIZES), default="full")
    parser.add_argument("--cover-only", action="store_true", help="make what attackers look at, and attack later")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for what in asked.only:
        if what == "dictionary":
            step(asked.work, what, lambda: dictionary(asked.size))
            continue
        if what == "inverted":
            for look in ("soft", "mosaic"):
                if not asked.looks or look in asked.looks:
                    step(asked.work, f"{what}_{look}", partial(inverted, asked, look))
            continue
        if what == "masks":
            if asked.truth:
                step(asked.work, what, lambda: told_apart(asked.truth))
            continue
        if what == "real64" and asked.faces is None:
            print("real64: left out, no --faces")
            continue
        for look in LOOKS[what]:
            if not asked.looks or look in asked.looks:
                step(asked.work, f"{what}_{look}", runner(what, look, asked))
                if what in READ and not asked.cover_only:
                    step(asked.work, f"{what}_{look}_public", partial(read_publicly, asked, what, look))
    if asked.write:
        write(asked.work)


def runner(what: str, look: str, asked: argparse.Namespace) -> Callable[[], list[Row] | None]:
    if what in READ:
        return lambda: read(asked, what, look)
    if what == "real64":
        return lambda: link_real(asked, look)
    return lambda: link(asked, look)


def step(work: Path, name: str, make: Callable[[], list[Row] | None]) -> None:
    """Make the rows of a step, unless they are there."""
    path = work / f"{name}.json"
    if not path.exists():
        print(name, flush=True)
        made = make()
        if made is None:
            return
        path.with_suffix(".part").write_text(json.dumps(made, indent=1))
        path.with_suffix(".part").rename(path)
        for row in made:
            print("  ", *(row.get(k) for k in ("codec", "attack", "attacker", "n", "rate", "high")), flush=True)


def write(work: Path) -> None:
    """The table of the package, and its page."""
    found = [row for path in sorted(work.glob("*.json")) for row in json.loads(path.read_text())]
    TABLE.write_text(json.dumps({"bar": bars.BAR, "rows": found}, indent=1) + "\n")
    PAGE.write_text(markdown(found))


def seen(
    asked: argparse.Namespace, name: str, pictures: Callable[[], tuple[list[U8], list[Any]]], count: int, look: str,
    *, tile: tuple[int, int], height_px: float, label: str, views: dict[str, tuple[tuple[int, int], float]],
) -> dict[tuple[str, str], U8]:  # fmt: skip
    """What is seen under a look: by view and codec (n, frames, h, w, 3) uint8. A view is a size and a reach."""
    kept = asked.work / f"{name}_{look}.npz"
    if kept.exists():
        with np.load(kept) as found:
            return {(v, c): found[f"{v} {c}"] for v in views for c in sheets.CODECS}
    each, drawn = sheets.tiles(tile), None
    parts: dict[tuple[str, str], list[U8]] = {(v, c): [] for v in views for c in sheets.CODECS}
    for k in range(count):
        path = asked.work / f"{name}_{k}.mp4"
        boxes = path.with_suffix(".npy")
        if not boxes.exists():
            drawn = drawn or pictures()
            part = slice(k * each, (k + 1) * each)
            made = sheets.make_sheet(path, drawn[0][part], drawn[1][part], tile=tile, height_px=height_px,
                                     label=label, seed=SEED + k)  # fmt: skip
            np.save(boxes, made.boxes)
        sheet = sheets.Sheet(path, np.load(boxes), label)
        for codec, frames in sheets.cover_sheet(sheet, look, asked.work, seed=SEED + k).items():
            for view, (size, reach) in views.items():
                parts[view, codec].append(sheets.cut_out(frames, sheet.boxes, size=size, reach=reach))
    cut = {key: np.concatenate(part) for key, part in parts.items()}
    np.savez(kept.with_suffix(".part.npz"), **{f"{v} {c}": part for (v, c), part in cut.items()})
    kept.with_suffix(".part.npz").rename(kept)
    return cut


def lettering(asked: argparse.Namespace, what: str, look: str) -> tuple[dict[str, U8], Any, int]:
    """What is seen of lettering under a look by codec, its texts, and how many of them are to learn from."""
    label, height, tile, size = READ[what]
    learn, tried = SIZES[asked.size][:2]
    each = sheets.tiles(tile)
    text = plates.texts(np.random.default_rng([SEED, height]), each * (learn + tried))

    def pictures() -> tuple[list[U8], list[Any]]:
        rng = np.random.default_rng([SEED, height, 1])
        return [plates.draw(t, rng) for t in text], [(0, 0, 288, 72)] * len(text)

    cut = seen(asked, f"{asked.size}_{label}{height}", pictures, learn + tried, look, tile=tile, height_px=height,
               label=label, views={"in": (size, 1.0)})  # fmt: skip
    return {codec: track for (_, codec), track in cut.items()}, text, each * learn


def read_publicly(asked: argparse.Namespace, what: str, look: str) -> list[Row] | None:
    """Read what `read` does by a reader that has learnt nothing of looks."""
    try:
        reader = public_reader.PublicReader(public_reader.fetch(asked.work))
    except MissingError as error:
        print(f"   {error}: left out")
        return None
    tracks, text, n = lettering(asked, what, look)
    answers = []
    for codec, track in tracks.items():
        new = track[n:]
        by_frame = [reader.likely(new[:, k]) for k in range(sheets.FRAMES)]
        mean = np.rint(new.mean(axis=1)).astype(np.uint8)
        likely = {"one frame": by_frame[ONE], "track, mean": np.mean(by_frame, axis=0),
                  "track, fused": reader.likely(mean)}  # fmt: skip
        for attack, found in likely.items():
            right = public_reader.right(reader.said(found), text[n:])
            answers.append(read_row(what, look, codec, attack, "public reader", 0, right))
    return answers


def read_row(what: str, look: str, codec: str, attack: str, attacker: str, learnt: int, right: Any) -> Row:
    label, height = READ[what][:2]
    return {
        "kind": "plate" if label == "plate" else "text", "look": look, "height_px": height, "codec": codec,
        "attack": attack, "attacker": attacker, "learnt_from": learnt,
        **bars.figure(right, np.full(len(right), 6), plates.CHANCE), "whole": float((right == 6).mean()),
    }  # fmt: skip


def read(asked: argparse.Namespace, what: str, look: str) -> list[Row] | None:
    """Learn to read a look, and read what was never seen."""
    tracks, text, n = lettering(asked, what, look)
    if asked.cover_only:
        return None
    frames = (1, 6)
    some = np.concatenate([numbers(t[:n, k]) for t in tracks.values() for k in frames])
    single = reading.train(some, np.tile(text[:n], (len(frames) * len(tracks), 1)), seed=SEED)
    parts = (slice(0, 8), slice(1, 7))
    some = np.concatenate([fused(t[:n, p]) for t in tracks.values() for p in parts])
    joint = reading.train(some, np.tile(text[:n], (len(parts) * len(tracks), 1)), seed=SEED)
    answers = []
    for codec, track in tracks.items():
        new, truth = track[n:], text[n:]
        by_frame = [single.read(numbers(new[:, k])) for k in range(sheets.FRAMES)]
        whole = [np.sum(place, axis=0) for place in zip(*by_frame, strict=True)]
        likely = {"one frame": by_frame[ONE], "track, mean": whole, "track, fused": joint.read(fused(new))}
        for attack, found in likely.items():
            right = (reading.said(found) == truth).sum(axis=1)
            answers.append(read_row(what, look, codec, attack, "trained reader", n, right))
    return answers


def link(asked: argparse.Namespace, look: str) -> list[Row] | None:
    """Link drawn people, whom nobody has seen before, by what was learnt from others."""
    learn, tried = SIZES[asked.size][2:]
    people = sheets.tiles(FACE_TILE) * (learn + tried)

    def pictures() -> tuple[list[U8], list[Any]]:
        rng = np.random.default_rng([SEED, 2])
        looks = [(persons.person(rng), persons.build(rng)) for _ in range(people)]
        made = [persons.shot(*one, np.random.default_rng([SEED, 3, s, i]))
                for s in range(SHOTS) for i, one in enumerate(looks)]  # fmt: skip
        return [p for p, _ in made], [b for _, b in made]

    def cut(shown: str) -> dict[tuple[str, str], U8]:
        found = seen(asked, f"{asked.size}_faces", pictures, SHOTS * (learn + tried), shown, tile=FACE_TILE,
                     height_px=48, label="face", views=VIEWS)  # fmt: skip
        # A sheet shows one shot each of as many people as it holds, and all people's first shots come first.
        return {key: track.reshape(SHOTS, people, *track.shape[1:]) for key, track in found.items()}

    covered, plain = cut(look), cut(sheets.PLAIN)
    if asked.cover_only:
        return None
    known = sheets.tiles(FACE_TILE) * learn
    answers = []
    for (view, codec), own in covered.items():
        if view == "in" or look in (sheets.PLAIN, "strict"):
            kind = "face" if view == "in" else "around"
            found = _linked(own, plain[view, codec], known)
            whose = np.tile(np.arange(people - known), SHOTS - 1)
            levelled = {attack: linking.levelled(likeness) for attack, likeness in found.items()}
            answers += link_rows(levelled, whose, people - known, kind, look, 48, codec)
    return answers


def _linked(own: U8, bare: U8, known: int) -> dict[tuple[str, str], Any]:
    """How like each probe is to each person of the gallery, by attack and attacker; the first people are learnt."""
    who, frames, shots = np.tile(np.arange(known), SHOTS), (1, 6), range(1, SHOTS)

    def at(shown: U8, s: int, which: slice, frame: int | None) -> F32:
        part = shown[s, which]
        return rows(fused(part) if frame is None else numbers(part[:, frame]))

    old, new = slice(0, known), slice(known, None)
    learnt = linking.train(
        np.concatenate([at(bare, s, old, ONE) for s in range(SHOTS)]),
        np.concatenate([at(own, s, old, f) for f in (*frames, None) for s in range(SHOTS)]),
        who, np.tile(who, len(frames) + 1), seed=SEED,
    )  # fmt: skip
    gallery = learnt.known(at(bare, 0, new, ONE))
    by_frame = [learnt.guessed(np.concatenate([at(own, s, new, f) for s in shots])) for f in range(sheets.FRAMES)]
    found = {
        ("one frame", "trained linker"): linking.like(by_frame[ONE], gallery),
        ("track, mean", "trained linker"): linking.like(np.mean(by_frame, axis=0), gallery),
    }
    for attack, frame in (("one frame", ONE), ("track, fused", None)):
        probes, same = np.concatenate([at(own, s, new, frame) for s in shots]), at(own, 0, new, frame)
        spread = linking.spread_of(same)
        found[attack, "same cover"] = linking.like(probes / spread, same / spread)
        if frame is None:
            found[attack, "trained linker"] = linking.like(learnt.guessed(probes), gallery)
    return found


def link_rows(
    likeness: dict[tuple[str, str], Any], whose: NDArray[np.int64], people: int, kind: str, look: str, height: int,
    codec: str,
) -> list[Row]:  # fmt: skip
    trials = np.bincount(whose, minlength=people)
    answers = []
    for (attack, attacker), found in likeness.items():
        own = {"kind": kind, "look": look, "height_px": height, "codec": codec, "attack": attack,
               "attacker": attacker}  # fmt: skip
        hits = np.bincount(whose, linking.named(found, whose), people)
        passed = np.bincount(whose, linking.verified(found, whose), people)
        answers.append({**own, "of": people, **bars.figure(hits, trials, 1 / people),
                     "verified": float(passed.sum() / trials.sum())})  # fmt: skip
    return answers


def link_real(asked: argparse.Namespace, look: str) -> list[Row] | None:
    """Link real people, of whom each half of the pictures is the gallery once."""
    each, gallery_of = {"small": (2, 1), "quick": (4, 2), "full": (10, 5)}[asked.size]
    people = 40
    files = [asked.faces / f"s{p}_{m:02d}.png" for p in range(1, people + 1) for m in range(1, each + 1)]
    who, gallery = np.repeat(np.arange(people), each), np.tile(np.arange(each) < gallery_of, people)
    halves = gallery, ~gallery
    whose = np.concatenate([who[~known] for known in halves])

    def both_ways(like: Callable[[Any, Any], Any], probes: Any, shown: Any) -> Any:
        """How like each picture is to each person, by the pictures of the other half."""
        found = [
            linking.best_of(like(probes[~known], shown[known]), who[known], who[~known], people) for known in halves
        ]
        return np.concatenate([linking.levelled(one) for one in found])

    def alike(probes: Any, shown: Any) -> Any:
        spread = linking.spread_of(shown)
        return linking.like(probes / spread, shown / spread)

    def pictures() -> tuple[list[U8], list[Any]]:
        shown = [cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in files]
        return shown, [(14, 18, 78, 100)] * len(shown)

    count = -(-len(files) // sheets.tiles((128, 128)))
    views = {"in": ((40, 50), 1.0), "chip": ((150, 150), CHIP)}

    def cut(shown: str) -> dict[tuple[str, str], U8]:
        return seen(
            asked,
            f"{asked.size}_real",
            pictures,
            count,
            shown,
            tile=(128, 128),
            height_px=64,
            label="face",
            views=views,
        )

    covered, plain = cut(look), cut(sheets.PLAIN)
    if asked.cover_only:
        return None
    chips = chip_reader()
    answers = []
    for codec in sheets.CODECS:
        track, likeness = covered["in", codec], {}
        for attack, shown in (("one frame", rows(numbers(track[:, ONE]))), ("track, fused", rows(fused(track)))):
            likeness[attack, "same cover"] = both_ways(alike, shown, shown)
        if chips is not None and codec == "H.264 CRF 18":
            for around in (False, True):
                if around and look not in (sheets.PLAIN, "strict"):
                    continue
                bare, found = (embedded(asked, chips, shown, one["chip", codec][:, ONE], around=around)
                               for shown, one in ((sheets.PLAIN, plain), (look, covered)))  # fmt: skip
                seen_by = {}
                for attacker, known in (("dlib", bare), ("dlib, same cover", found)):
                    seen_by["one frame", attacker] = both_ways(near, found, known)
                kind = "real around" if around else "real face"
                answers += link_rows(seen_by, whose, people, kind, look, 64, codec)
        answers += link_rows(likeness, whose, people, "real face", look, 64, codec)
    return answers


def near(probes: Any, shown: Any) -> Any:
    """How near each embedding is to each other one."""
    return -np.linalg.norm(probes[:, None] - shown[None], axis=-1)


def embedded(asked: argparse.Namespace, chips: Callable[[U8], Any], look: str, shown: U8, *, around: bool) -> Any:
    """Embeddings of chips, kept: of what lies in the box alone, or with what is around it."""
    kept = asked.work / f"{asked.size}_dlib_{look}_{'around' if around else 'in'}.npy"
    if not kept.exists():
        if not around:
            size = shown.shape[1]
            edge = round(size * (1 - 1 / CHIP) / 2)
            inside = np.zeros((size, size, 1), bool)
            inside[edge : size - edge, edge : size - edge] = True
            shown = np.where(inside, shown, np.uint8(128))
        np.save(kept, chips(shown))
    return np.load(kept)


def chip_reader() -> Callable[[U8], Any] | None:
    """dlib's embedding of cut-out faces; None where dlib and its weights are not installed."""
    try:
        import dlib
    except ImportError:
        dlib = None
    package = importlib.util.find_spec("face_recognition_models")
    if dlib is None or package is None or not package.submodule_search_locations:
        print("   dlib: left out; pip install dlib-bin face-recognition-models")
        return None
    weights = Path(package.submodule_search_locations[0]) / "models" / "dlib_face_recognition_resnet_model_v1.dat"
    network = dlib.face_recognition_model_v1(str(weights))

    def embed(pictures: U8) -> Any:
        found = []
        for picture in pictures:
            luma = np.clip((picture[..., 0].astype(np.float64) - 16) * 255 / 219, 0, 255).astype(np.uint8)
            rgb = cv2.cvtColor(np.dstack([luma, picture[..., 2], picture[..., 1]]), cv2.COLOR_YCrCb2RGB)
            found.append(np.array(network.compute_face_descriptor(rgb)))
        return np.stack(found)

    return embed


def dictionary(size: str) -> list[Row]:
    """Invert swatches of text by trying every entry of a dictionary; the noise is as large as it comes."""
    rng = np.random.default_rng([SEED, 5])
    text = plates.texts(rng, {"small": 500, "quick": 5000, "full": 20000}[size])
    clean = inverting.swatches_of(text)
    tried = 200
    answers = []
    for known in (True, False):
        noise = rng.integers(-12, 13, (tried, clean.shape[1])) if not known else 0
        hits = inverting.tried(np.clip(clean[:tried] + noise, 0, 255), clean) == np.arange(tried)
        answers.append({
            "kind": "dictionary", "look": "mosaic", "height_px": 72, "codec": "none",
            "attack": "settings and seed known" if known else "seed not known", "attacker": "every text tried",
            "of": len(text), **bars.figure(hits, np.ones(tried), 1 / len(text)),
        })  # fmt: skip
    return answers


def inverted(asked: argparse.Namespace, look: str) -> list[Row]:
    """Invert a look through the codecs: a linear map from what is seen to swatches, and the nearest text."""
    learn, tried, height, tile = 3, 2, 72, (304, 88)
    each = sheets.tiles(tile)
    text = plates.texts(np.random.default_rng([SEED, 5]), {"small": 500, "quick": 5000, "full": 20000}[asked.size])
    shown = text[: each * (learn + tried)]

    def pictures() -> tuple[list[U8], list[Any]]:
        rng = np.random.default_rng(0)
        return [plates.draw(t, rng, plain=True) for t in shown], [(0, 0, 288, 72)] * len(shown)

    cut = seen(asked, f"{asked.size}_swatches{height}", pictures, learn + tried, look, tile=tile, height_px=height,
               label="screen", views={"in": ((40, 40), 1.0)})  # fmt: skip
    clean, n = inverting.swatches_of(text), each * learn
    answers = []
    for (_, codec), track in cut.items():
        for attack, found in (("one frame", rows(numbers(track[:, ONE]))), ("track, fused", rows(fused(track)))):
            read = inverting.learnt(found[:n], clean[:n])(found[n:])
            hits = inverting.tried(read, clean) == np.arange(n, len(shown))
            answers.append({
                "kind": "dictionary", "look": look, "height_px": height, "codec": codec, "attack": attack,
                "attacker": "every text tried", "of": len(text),
                **bars.figure(hits, np.ones(len(hits)), 1 / len(text)),
            })  # fmt: skip
    return answers


def told_apart(truth: list[Path]) -> list[Row]:
    """People of clips named by how large their masks are and how they move."""
    clips = [read_any(path) for path in truth]
    both = [consistency.halves(t.frames, t.ids, t.xyxy.astype(np.float64)) for t in clips]
    both = [(before, after) for before, after in both if len(before) > 1]
    chance = sum(1 for _ in both) / sum(len(before) for before, _ in both)
    answers = []
    for attack, columns in consistency.TRAITS.items():
        hits = np.concatenate([
            linking.named(linking.levelled(consistency.likeness(before[:, columns], after[:, columns])),
                          np.arange(len(before)))
            for before, after in both
        ])  # fmt: skip
        answers.append({
            "kind": "masks", "look": "strict", "height_px": 0, "codec": "none", "attack": attack,
            "attacker": "traits", **bars.figure(hits, np.ones(len(hits)), chance),
        })  # fmt: skip
    return answers


if __name__ == "__main__":
    main()
