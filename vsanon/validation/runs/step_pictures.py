"""Pictures of a cell for its report: its worst moments, how the worst one passes, and what the encode did there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.boxes import F32
from vsanon.covering.masks import FrameLayout
from vsanon.errors import CheckError
from vsanon.filters import VideoNode
from vsanon.job.frames import our_errors, picture
from vsanon.media.source import open_source
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.runs import stills
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_cover import parts_of
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.truth.boxes import Truth

WORST = 3
"""Runs of a cell that are shown."""
STRIP = 6
"""Pictures of a strip over time."""
_STILL, _SMALL = (288, 216), (132, 99)
_ASPECT = 4 / 3
_ENCODE = "encode"

Picture = dict[str, Any]


def pictures(store: Store, master: Step, done: Step, found: Step, known: Known, covered: Result) -> list[Picture]:
    """Pictures of a cell; none where there is no truth, as nothing tells who must not be seen.

    Args:
        store: where steps lie.
        master: what was encoded.
        done: the encode.
        found: the search of it.
        known: the true boxes at its size and rate.
        covered: of `cover`.
    """
    truth = known.truth
    if truth is None or not len(truth):
        return []

    def make(_: Path) -> Result:
        clip = open_source(done.file(), access="leaps").clip
        scene = _Scene(clip, read_tracks(found.file()), found.result, truth)
        runs = _worst(covered)
        wanted = [scene.worst(*run) for run in runs] + [scene.strip(*run) for run in runs[:1]] + [scene.encode()]
        return {"pictures": scene.shown(wanted, open_source(master.file(), access="leaps").clip)}

    key = key_of("pictures", master=master.key, encoded=done.key, search=found.key, truth=known.key)
    made: list[Picture] = store.step(key, make).result["pictures"]
    return made


def _worst(covered: Result) -> list[tuple[str, int, Mapping[str, Any]]]:
    """Class, identity and run of the most exposed area and time."""
    runs = [
        (name, one["id"], run)
        for name, figures in sorted(covered["classes"].items())
        for one in (figures["exposure"] or {"identities": ()})["identities"]
        for run in one["runs"]
    ]
    return sorted(runs, key=lambda entry: -float(entry[2]["exposed_px_frames"]))[:WORST]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture that is to be made.

    Args:
        words: what it is.
        frames: its stills, rising.
        at: what they show of the frame, of `stills.window`.
        size: (width, height) of a still.
    """

    words: Mapping[str, Any]
    frames: Sequence[int]
    at: tuple[int, int, int, int]
    size: tuple[int, int]


class _Scene:
    """The frames of an encode with what is known and what was covered in them."""

    def __init__(self, clip: VideoNode, table: TrackTable, searched: Result, truth: Truth) -> None:
        self.clip, self.table, self.truth = clip, table, truth
        self.size = (clip.width, clip.height)
        self.fields, self.grid = searched["interlaced"], filters.grid_of(searched["codec"])
        self.peak = searched["peak"]

    def worst(self, name: str, identity: int, run: Mapping[str, Any]) -> _Wanted:
        """The least covered frame of a run."""
        n = int(run["worst_frame"])
        at = stills.window(self._box(n, name, identity), self.size, _ASPECT)
        words = {"kind": "worst", "class": name, "identity": identity, "start": run["start"]}
        return _Wanted(words, [n], at, _STILL)

    def strip(self, name: str, identity: int, run: Mapping[str, Any]) -> _Wanted:
        """The run from before its start to after its end, always at the same place."""
        middle = self._box(int(run["worst_frame"]), name, identity)
        at = stills.window(middle, self.size, _ASPECT, around=4)
        first, last = max(0, run["start"] - 1), min(len(self.table) - 1, run["stop"])
        frames = sorted({round(first + k * (last - first) / (STRIP - 1)) for k in range(STRIP)})
        words = {"kind": "strip", "class": name, "identity": identity, "start": run["start"]}
        return _Wanted(words, frames, at, _SMALL)

    def encode(self) -> _Wanted:
        """The largest true box that counts, and what is around it; `shown` sets the master's still before it."""
        counted = ~self.truth.ignore if (~self.truth.ignore).any() else np.ones(len(self.truth), np.bool_)
        extent = self.truth.xyxy[:, 2:] - self.truth.xyxy[:, :2]
        k = int(np.where(counted, extent[:, 0] * extent[:, 1], -1).argmax())
        n, box = int(self.truth.frames[k]), self.truth.xyxy[k]
        at = stills.window(box, self.size, _ASPECT, around=2)
        words = {"kind": _ENCODE, "class": str(self.truth.classes[k]), "identity": int(self.truth.ids[k])}
        return _Wanted({**words, "start": n}, [n], at, _STILL)

    def shown(self, wanted: Sequence[_Wanted], master: VideoNode) -> list[Picture]:
        """The pictures, in their order; frames are read once each, rising, as each way back is decoded anew."""
        made: list[dict[int, NDArray[np.uint8]]] = [{} for _ in wanted]
        for n in sorted({n for one in wanted for n in one.frames}):
            rgb, masked = self._seen(n, self.clip)
            for one, found in zip(wanted, made, strict=True):
                if n in one.frames:
                    found[n] = self._still(n, rgb, masked, one)
        pictures = []
        for one, found in zip(wanted, made, strict=True):
            parts = [found[n] for n in one.frames]
            if one.words["kind"] == _ENCODE:
                (n,) = one.frames
                parts.insert(0, self._still(n, *self._seen(n, master), one))
            rgb = stills.beside(parts)
            jpeg = {"size": [rgb.shape[1], rgb.shape[0]], "jpeg": stills.jpeg(rgb)}
            pictures.append({**one.words, "frames": list(one.frames), **jpeg})
        return pictures

    def _seen(self, n: int, clip: VideoNode) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Frame `n` of a clip, (H, W, 3), and where its mask changes anything, (H, W)."""
        with our_errors(CheckError):
            rgb = picture(clip, n)
        fields = self.fields[n] if isinstance(self.fields, list) else self.fields
        layout = FrameLayout(self.size, planes=1, interlaced=fields)
        _, touched = parts_of(self.table.at(n), layout, self.grid, self.peak)
        return rgb, touched

    def _still(self, n: int, rgb: NDArray[np.uint8], masked: NDArray[np.bool_], one: _Wanted) -> NDArray[np.uint8]:
        return stills.still(rgb, masked, self.truth.xyxy[self.truth.rows(n)], one.at, one.size)

    def _box(self, n: int, name: str, identity: int) -> F32:
        rows = self.truth.rows(n)
        own = (self.truth.classes[rows] == name) & (self.truth.ids[rows] == identity)
        box: F32 = self.truth.xyxy[rows][own][0]
        return box
