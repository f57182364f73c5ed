"""ffmpeg's filters that score pictures: the graph that runs them, what they refuse, and the logs that they write.

Traps that this module is built around:

* `xpsnr` takes the reference first, the other filters the distorted clip first; swapped, the scores are wrong.
* Without an explicit format ffmpeg may bring the reference down to 4:2:0, and lost chroma looks kept.
* VMAF v1 is another scale than 0.6.1: it has a name of its own. Bootstrap models fail inside the filter, so none
  is offered.
* `xpsnr` (ffmpeg 7 to 9) takes samples of more than 8 bits for lines without a gap between them: it is far off
  where lines are padded. Such pictures reach it as packed raw video (`_packed_xpsnr`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon.encode import run, run_through
from vsanon.errors import EncodeError
from vsanon.media import VideoFacts, pixel_format
from vsanon.validation.metrics.picture_proof import changing

VMAF_MODELS: Mapping[str, str] = {
    "vmaf": "vmaf_v0.6.1",
    "vmaf_neg": "vmaf_v0.6.1neg",
    "vmaf_v1": "vmaf_v1.0.16_3d0h",
}
"""Scores by model; `3d0h` is VMAF v1 for 1080 lines seen from three picture heights, as 0.6.1 is."""

PLANES = ("y", "u", "v")
_LINE = 64
"""Of so many samples a line is a multiple in ffmpeg's own pictures, on the widest processors."""


def graph(
    pix_fmt: str, folder: Path, *, models: Sequence[str], xpsnr: bool, threads: int, change: str | None = None
) -> tuple[str, list[str]]:
    """The filter graph and the labels of its outputs; input 0 is the distorted file, input 1 the reference.

    Args:
        pix_fmt: what both are converted to.
        folder: where each filter writes its log.
        models: some of `VMAF_MODELS`, by name.
        xpsnr: whether this ffmpeg has that filter.
        threads: of libvmaf.
        change: one of `CHANGES`, of the distorted side; then of the first frames alone.
    """
    bits = pixel_format(pix_fmt).depth
    filters = {
        # Ends with the shorter clip, xpsnr with the longer one: that is how unequal lengths are noticed.
        "psnr": f"psnr=shortest=1:f={_escaped(folder / 'psnr')}",
        "ssim": f"ssim=f={_escaped(folder / 'ssim')}",
    }
    if xpsnr:
        filters["xpsnr"] = f"xpsnr=f={_escaped(folder / 'xpsnr')}"
    if models:
        log = _escaped(folder / "vmaf")
        chosen = "|".join(_model(name) for name in models)
        filters["vmaf"] = f"libvmaf=model={chosen}:n_threads={threads}:log_fmt=json:log_path={log}"
    sides = {"d": f"[0:v:0]format={pix_fmt}{changing(change, bits)}"}
    sides["r"] = f"[1:v:0]format={pix_fmt}{changing(change and 'itself', bits)}"
    parts = [
        f"{side},split={len(filters)}{''.join(f'[{k}_{name}]' for name in filters)}" for k, side in sides.items()
    ]
    for name, text in filters.items():
        inputs = f"[r_{name}][d_{name}]" if name == "xpsnr" else f"[d_{name}][r_{name}]"
        parts.append(f"{inputs}{text}[{name}]")
    return ";".join(parts), list(filters)


@dataclass(frozen=True, slots=True)
class Graphs:
    """Runs ffmpeg's filters on a pair of files, and reads what they log.

    Args:
        facts: of the reference.
        pix_fmt: what both are compared in.
        folder: takes the logs.
        models: of VMAF.
        xpsnr: whether this ffmpeg has it.
        threads: of libvmaf.
    """

    facts: VideoFacts
    pix_fmt: str
    folder: Path
    models: Sequence[str]
    xpsnr: bool
    threads: int

    def logs(self, reference: Path, distorted: Path, change: str | None = None) -> dict[str, NDArray[np.float64]]:
        """The scores of each frame by name, (n,) float64; `change`: one of `CHANGES`, of the distorted side,
        and of its first frames alone."""
        packed = self.xpsnr and needs_packed_lines(self.facts.size[0], self.pix_fmt)
        direct = self.xpsnr and not packed
        make = partial(graph, models=self.models, xpsnr=direct, threads=self.threads)
        text, outputs = make(self.pix_fmt, self.folder, change=change)
        sinks = [
            a for name in outputs for a in ("-map", f"[{name}]", "-fps_mode", "passthrough", "-f", "null", "-")
        ]
        run([*self._inputs(distorted, reference), "-filter_complex", text, *sinks])
        logs = _table(self.folder / "psnr", {f"psnr_{p}": rf"psnr_{p}:(\S+)" for p in PLANES})
        logs |= _table(self.folder / "ssim", {"ssim": r"All:(\S+)"})
        if packed:
            self._packed_xpsnr(reference, distorted, change)
        if self.xpsnr:
            logs |= _table(self.folder / "xpsnr", {f"xpsnr_{p}": rf"XPSNR {p}: *(\S+)" for p in PLANES})
        if self.models:
            frames = json.loads((self.folder / "vmaf").read_text(encoding="utf-8"))["frames"]
            logs |= {name: np.array([frame["metrics"][name] for frame in frames]) for name in self.models}
        return logs

    def _packed_xpsnr(self, reference: Path, distorted: Path, change: str | None) -> None:
        """XPSNR of frames whose lines have no gap: both pictures as one, in raw video, cut apart again.

        Raw video is decoded without padding, and a crop leaves the lines where they are.
        """
        (width, height), bits = self.facts.size, pixel_format(self.pix_fmt).depth
        even = height + height % 2
        # Ends with the longer clip, as xpsnr by itself does.
        first = (
            f"[0:v:0]format={self.pix_fmt}{changing(change, bits)},pad=iw:{even}[d];"
            f"[1:v:0]format={self.pix_fmt}{changing(change and 'itself', bits)},pad=iw:{even}[r];[r][d]vstack"
        )
        give = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", self.pix_fmt, "-"]
        take = ["-f", "rawvideo", "-pix_fmt", self.pix_fmt, "-s", f"{width}x{2 * even}", "-r", str(self.facts.fps)]
        cut = (
            f"[0:v]split[a][b];[a]crop={width}:{height}:0:0:exact=1[r];[b]crop={width}:{height}:0:{even}:exact=1[d];"
            f"[r][d]xpsnr=f={_escaped(self.folder / 'xpsnr')}"
        )
        run_through(
            [*self._inputs(distorted, reference), "-filter_complex", first, *give],
            [*take, "-i", "-", "-filter_complex", cut, "-f", "null", "-"],
        )

    def _inputs(self, *paths: Path) -> list[str]:
        # "-r" before an input numbers its frames evenly; the rate itself matters to xpsnr.
        return [a for p in paths for a in ("-noautorotate", "-r", str(self.facts.fps), "-i", f"file:{p}")]


def needs_packed_lines(width: int, pix_fmt: str) -> bool:
    """Whether some plane of such a picture has padded lines in ffmpeg, and samples of more than 8 bits."""
    found = pixel_format(pix_fmt)
    return found.depth > 8 and any(w % _LINE for w in (width, -(-width // found.chroma[0])))


def _model(name: str) -> str:
    return rf"version={VMAF_MODELS[name]}\\:name={name}"


@cache
def refusal(_program: str, name: str, model: str | None, size: tuple[int, int], pix_fmt: str) -> str | None:
    """Why ffmpeg can't run a filter, with a model or without, on such pictures; None if it can, by one black frame.

    The program is only part of what the answer is remembered by.
    """
    text = name if model is None else f"{name}=model={_model(model)}"
    black = f"color=s={size[0]}x{size[1]}:r=25,format={pix_fmt},split[a][b];[a][b]{text}"
    try:
        run(["-filter_complex", black, "-frames:v", "1", "-f", "null", "-"])
    except EncodeError as error:
        words = [re.sub(r"^\[[^]]*\] *", "", line.strip()) for line in str(error).splitlines()[1:]]
        if any("No such filter" in line for line in words):
            return f"this ffmpeg is built without {name}"
        what = "pictures" if model is None else f"the model {VMAF_MODELS[model]} on pictures"
        said = next((line for line in words if line), "it said nothing")
        return f"{name} refuses {what} of {size[0]}x{size[1]} in {pix_fmt}: {said}"
    return None


def _table(log: Path, patterns: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
    """The numbers that follow each pattern, a line a frame; "inf" is one."""
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if re.match(r"n: *\d", line)]
    found = {}
    for name, pattern in patterns.items():
        values = [hit[1] for hit in (re.search(pattern, line) for line in lines) if hit is not None]
        if len(values) != len(lines):
            raise EncodeError(
                f"ffmpeg's log for {name} can't be read: {len(values)} of {len(lines)} lines have it."
            )
        found[name] = np.array([float(value) for value in values])
    return found


def _escaped(path: Path) -> str:
    """A path as the value of a filter's option inside a graph: two levels of quoting."""
    option = re.sub(r"([\\':])", r"\\\1", str(path))
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)
