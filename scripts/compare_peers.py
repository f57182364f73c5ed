"""How much of the true faces vsanon covers, and how long any shows, beside deface 1.5.0 on the same clips.

    python scripts/compare_peers.py                      a table on stdout
    python scripts/compare_peers.py --json FILE          the evidence too, identity by identity
    python scripts/compare_peers.py --update-page        the table into docs/evaluation.md

Truth and clips come from the folder that `VSANON_ASSETS` names, else `../shared/assets` beside the checkout.
deface runs unchanged, in an environment of its own that the first run makes under the cache folder; its
boxes are kept there. `deface_masks.py` says how its masks are taken; `vsanon.validation.metrics.exposure` measures.
"""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import vapoursynth as vs

import vsanon
from vsanon.detectors.recipes import DEFAULT, SETTINGS
from vsanon.errors import InputError, MissingError, VsanonError
from vsanon.files import cache_root, sha256_of
from vsanon.media.source import Source, open_source
from vsanon.models.store import cards
from vsanon.validation.metrics.exposure import Bool, ClassExposure, Exposure, ExposureMeter
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import read_any

CLIPS = {
    "opera_crowd_1080p25": ("opera_crowd_1080p25.mp4", "opera_crowd_1080p25.csv"),
    "classroom_720p25": ("classroom_720p25.mp4", "classroom_720p25.csv"),
    "walkers_416p24": ("walkers_416p24.mp4", "walkers_416p24.csv"),
    "tld_david": ("tld_david.mpg", "tld_david.txt"),
    "tld_jumping": ("tld_jumping.mpg", "tld_jumping.txt"),
}
"""By name: the clip and its truth; the last two were not looked at while settings were chosen."""

DEFACE = "1.5.0"
WIDTH = 640
"""Of the picture that both look for faces in, where it is not the clip's own."""

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("deface_masks.py")
START, STOP = "<!-- compare_peers: start -->", "<!-- compare_peers: stop -->"

Masks = Iterator[tuple[Bool, Bool]]
"""Of each frame: the pixels fully covered, and those changed at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool covers in a clip, and what it was run with."""

    masks: Masks
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    clip: str
    tool: str
    settings: dict[str, Any]
    exposure: Exposure

    @property
    def faces(self) -> ClassExposure:
        return self.exposure.classes["face"]


def main() -> int:
    args = _arguments()
    try:
        if args.update_page:
            _split_page()
        inputs, rows = compare(args.clips or list(CLIPS), args.tools or list(TOOLS), args.assets)
        text = report(rows, _command(args))
        if args.json is not None:
            args.json.write_text(json.dumps(evidence(inputs, rows, _command(args)), indent=1, default=str) + "\n")
        if args.update_page:
            head, tail = _split_page()
            _page().write_text(f"{head}{START}\n{text}\n{STOP}{tail}")
    except VsanonError as error:
        print(f"compare_peers: {error}", file=sys.stderr)
        return error.exit_code
    print(text)
    return 0


# -------------------------------------------------------------------------------------------------- measuring


def compare(clips: list[str], tools: list[str], assets: Path) -> tuple[dict[str, Any], list[Row]]:
    """The hashes of clips and truths, and a row for each clip and tool."""
    inputs: dict[str, Any] = {}
    rows: list[Row] = []
    for name in clips:
        clip_name, truth_name = CLIPS[name]
        source = open_source(assets / "video" / clip_name)
        truth_file = assets / "truth" / truth_name
        size = (source.clip.width, source.clip.height)
        truth = read_any(truth_file, size=size, frames=source.clip.num_frames)
        if not np.any((truth.classes == "face") & ~truth.ignore):
            raise InputError(f"{truth_file} has no face that counts: deface finds faces only, so name another clip")
        inputs[name] = {
            "clip_sha256": sha256_of(source.path.read_bytes()),
            "truth_sha256": sha256_of(truth_file.read_bytes()),
            "frames": source.clip.num_frames,
            "fps": str(source.timeline.fps),
        }
        for tool in tools:
            print(f"{name}: {tool} ...", file=sys.stderr, flush=True)
            answer = TOOLS[tool](source)
            rows.append(Row(name, tool, answer.settings, measure(truth, source, answer.masks)))
    return inputs, rows


def measure(truth: Truth, source: Source, masks: Masks) -> Exposure:
    """The exposure under the masks of one tool.

    Raises:
        InputError: the masks are not as many as the clip's frames, or leave truth unmeasured.
    """
    clip = source.clip
    meter = ExposureMeter(truth, (clip.width, clip.height), source.timeline.fps)
    count = 0
    for n, (core, touched) in enumerate(masks):
        meter.add(n, core, touched)
        count = n + 1
    if count != clip.num_frames:
        raise InputError(f"{source.path.name}: {count} masks for {clip.num_frames} frames")
    return meter.result()


def answer_of_vsanon(source: Source, setting: str = DEFAULT) -> Answer:
    """vsanon by its public functions, with their defaults but for the size of detection, and the setting."""
    tracks = vsanon.track(vsanon.detect(source.clip, classes=["face"], size=WIDTH, setting=setting))
    model = cards()[SETTINGS[setting]["face"].models[0]]
    versions = {
        "python": platform.python_version(),
        "vsanon": vsanon.__version__,
        "source": source.filter_version,
    }
    return Answer(
        masks_of(source, tracks),
        {
            "versions": {**versions, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__},
            "model": model.name,
            "model_sha256": model.sha256,
            "options": {"size": WIDTH, "setting": setting},
        },
    )


def masks_of(source: Source, tracks: vs.VideoNode) -> Masks:
    """What vsanon covers by its tracks."""
    matte = vsanon.mask(source.clip, tracks)
    full = (1 << matte.format.bits_per_sample) - 1 if matte.format.sample_type == 0 else 1.0
    for frame in matte.frames(close=True):
        weights = np.asarray(frame[0])
        yield weights == full, weights > 0


def answer_of_vsanon_fast(source: Source) -> Answer:
    """The same with the setting fast."""
    return answer_of_vsanon(source, "fast")


def answer_of_deface(source: Source) -> Answer:
    """deface with its default options: it looks for faces in the picture's own size."""
    return _deface(source, None)


def answer_of_deface_reduced(source: Source) -> Answer:
    """deface with --scale, its aspect kept."""
    return _deface(source, f"{WIDTH}x{round(source.clip.height * WIDTH / source.clip.width)}")


TOOLS: dict[str, Callable[[Source], Answer]] = {
    "vsanon, 640 wide": answer_of_vsanon,
    "vsanon fast, 640 wide": answer_of_vsanon_fast,
    f"deface {DEFACE}": answer_of_deface,
    f"deface {DEFACE}, 640 wide": answer_of_deface_reduced,
}


# ----------------------------------------------------------------------------------------------------- deface


def _deface(source: Source, scale: str | None) -> Answer:
    python = deface_python()
    key = {
        "clip": sha256_of(source.path.read_bytes()),
        "deface": DEFACE,
        "scale": scale,
        "worker": sha256_of(WORKER.read_bytes()),
    }
    boxes = _folder() / f"{source.path.stem}-{sha256_of(json.dumps(key).encode())[:16]}.json"
    if not boxes.is_file():
        options = [] if scale is None else ["--scale", scale]
        _run([python, WORKER, "detect", source.path, boxes, *options], "deface failed on this clip")
    found = json.loads(boxes.read_text())
    size = (source.clip.width, source.clip.height)
    if tuple(found["size"]) != size:
        raise InputError(f"{source.path.name}: deface reads it as {found['size']}, BestSource as {list(size)}")
    settings = {name: found[name] for name in ("versions", "model_sha256", "options")}
    return Answer(_deface_masks(python, boxes, size), settings)


def _deface_masks(python: Path, boxes: Path, size: tuple[int, int]) -> Masks:
    width, height = size
    with subprocess.Popen([python, WORKER, "paint", boxes], stdout=subprocess.PIPE) as painter:
        assert painter.stdout is not None
        while picture := painter.stdout.read(width * height):
            covered = np.frombuffer(picture, np.uint8).reshape(height, width) > 0
            yield covered, covered
    if painter.returncode:
        raise MissingError(
            f"deface's masks could not be painted: {WORKER.name} paint ended with {painter.returncode}"
        )


def deface_python() -> Path:
    """The Python of an environment with deface, made on first use."""
    folder = _folder() / f"deface-{DEFACE}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.is_file():
        print(f"installing deface {DEFACE} into an environment of its own ...", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        # Without onnx and onnxruntime deface falls back to OpenCV's network, which it calls the slower one.
        wanted = [f"deface=={DEFACE}", "onnx", "onnxruntime"]
        _run([python, "-m", "pip", "install", "-q", *wanted], f"deface {DEFACE} could not be installed")
        ready.touch()
    return python


def _run(command: list[Any], failure: str) -> None:
    """Run a command; what it says goes to stderr, since stdout belongs to the table."""
    ended = subprocess.run(command, stdout=sys.stderr, check=False)
    if ended.returncode:
        raise MissingError(f"{failure}: {shlex.join(map(str, command))} ended with {ended.returncode}")


def _folder() -> Path:
    folder = cache_root() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# -------------------------------------------------------------------------------------------------- reporting


def report(rows: list[Row], command: str) -> str:
    """The table, and beneath it what it was made with."""
    lines = [
        "| clip | tool | faces covered to 90 % | identities ever exposed | longest exposed run, frames "
        "| on/off switches | over-blur, share of the frame |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        faces = row.faces
        cells = (
            row.clip,
            row.tool,
            f"{faces.coverage_recall:.4f} ({faces.covered_boxes} of {faces.boxes})",
            f"{faces.exposed_identities()} of {len(faces.identities)}",
            str(faces.longest_run_frames),
            str(faces.switches),
            f"{row.exposure.over_blur:.2%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Made by `{command}`. Over-blur counts every pixel that a mask changes and no true face holds.",
        "",
    ]
    lines += _footnotes(rows)
    return "\n".join(lines)


def _footnotes(rows: list[Row]) -> list[str]:
    """One line for each tool: versions, model, settings; clips that differ in an option are all named."""
    notes = []
    for tool in dict.fromkeys(row.tool for row in rows):
        settings = [row.settings for row in rows if row.tool == tool]
        options = dict.fromkeys(_plain(s["options"]) for s in settings)
        notes.append(
            f"* {tool}: {_plain(settings[0]['versions'])}; model SHA-256 `{settings[0]['model_sha256']}`; "
            f"{' / '.join(options)}."
        )
    return notes


def _plain(values: dict[str, Any]) -> str:
    """`name value, ...`; what is not set is left out."""
    shown = {
        name: "x".join(map(str, v)) if isinstance(v, list) else v for name, v in values.items() if v is not None
    }
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def evidence(inputs: dict[str, Any], rows: list[Row], command: str) -> dict[str, Any]:
    """All that the table rests on, for JSON."""
    return {
        "command": command,
        "inputs": inputs,
        "rows": [
            {
                "clip": row.clip,
                "tool": row.tool,
                "settings": row.settings,
                "coverage_recall": row.faces.coverage_recall,
                "pixel_recall": row.faces.pixel_recall,
                "identities_exposed": {str(k): row.faces.exposed_identities(k) for k in (1, 3, 12)},
                "longest_run_frames": row.faces.longest_run_frames,
                "longest_run_ms": row.faces.longest_run_ms,
                "frames_to_first_exposure": row.faces.frames_to_first_exposure,
                "switches": row.faces.switches,
                "area_time_px2_s": row.faces.area_time,
                "over_blur": row.exposure.over_blur,
                "exposure": dataclasses.asdict(row.exposure),
            }
            for row in rows
        ],
    }


def _page() -> Path:
    return ROOT / "docs" / "evaluation.md"


def _split_page() -> tuple[str, str]:
    """docs/evaluation.md before and after the block that this script owns."""
    text = _page().read_text()
    if text.count(START) != 1 or text.count(STOP) != 1 or text.index(START) > text.index(STOP):
        raise InputError(
            f"{_page().name} needs the lines {START} and {STOP}, once each: put them where the table goes"
        )
    return text[: text.index(START)], text[text.index(STOP) + len(STOP) :]


# -------------------------------------------------------------------------------------------------- arguments


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", metavar="CLIP", help=f"names of clips with truth: {', '.join(CLIPS)}")
    parser.add_argument("--tool", dest="tools", action="append", choices=TOOLS, help="only this one; repeatable")
    default = Path(os.environ.get("VSANON_ASSETS", ROOT.parent / "shared" / "assets"))
    parser.add_argument("--assets", type=Path, default=default, help="the folder with video/ and truth/")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the evidence there")
    parser.add_argument("--update-page", action="store_true", help="put the table into docs/evaluation.md")
    return parser.parse_args()


def _command(args: argparse.Namespace) -> str:
    """The command that makes the table again, without the folders of this machine."""
    tools = [word for tool in args.tools or () for word in ("--tool", tool)]
    return shlex.join(["python", "scripts/compare_peers.py", *args.clips, *tools])


if __name__ == "__main__":
    sys.exit(main())
