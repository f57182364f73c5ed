"""Pictures of a cell for its report: its worst moments, how the worst one passes, and what the encode did there."""

from collections.abc import Mapping
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
from vsanon.job.mattes import weights
from vsanon.media.source import open_source
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.runs import stills
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.truth.boxes import Truth

WORST = 3
"""Runs of a cell that are shown."""
STRIP = 6
"""Pictures of a strip over time."""
_STILL, _SMALL = (288, 216), (132, 99)
_ASPECT = 4 / 3

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
        scene = _Scene(open_source(done.file()).clip, read_tracks(found.file()), found.result, truth)
        shown = [scene.worst(*run) for run in _worst(covered)]
        if runs := _worst(covered)[:1]:
            shown.append(scene.strip(*runs[0]))
        shown.append(scene.encode(open_source(master.file()).clip))
        return {"pictures": shown}

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


class _Scene:
    """The frames of an encode with what is known and what was covered in them."""

    def __init__(self, clip: VideoNode, table: TrackTable, searched: Result, truth: Truth) -> None:
        self.clip, self.table, self.truth = clip, table, truth
        self.size = (clip.width, clip.height)
        self.fields, self.grid = searched["interlaced"], filters.grid_of(searched["codec"])
        self.peak = searched["peak"]

    def worst(self, name: str, identity: int, run: Mapping[str, Any]) -> Picture:
        """The least covered frame of a run."""
        n = int(run["worst_frame"])
        at = stills.window(self._box(n, name, identity), self.size, _ASPECT)
        words = {"kind": "worst", "class": name, "identity": identity, "start": run["start"], "frames": [n]}
        return {**words, **_jpeg(self._still(n, at, _STILL))}

    def strip(self, name: str, identity: int, run: Mapping[str, Any]) -> Picture:
        """The run from before its start to after its end, always at the same place."""
        middle = self._box(int(run["worst_frame"]), name, identity)
        at = stills.window(middle, self.size, _ASPECT, around=4)
        first, last = max(0, run["start"] - 1), min(len(self.table) - 1, run["stop"])
        frames = sorted({round(first + k * (last - first) / (STRIP - 1)) for k in range(STRIP)})
        words = {"kind": "strip", "class": name, "identity": identity, "start": run["start"], "frames": frames}
        return {**words, **_jpeg(stills.beside([self._still(n, at, _SMALL) for n in frames]))}

    def encode(self, master: VideoNode) -> Picture:
        """The largest true box that counts, and what is around it: in the master, and encoded."""
        counted = ~self.truth.ignore if (~self.truth.ignore).any() else np.ones(len(self.truth), np.bool_)
        extent = self.truth.xyxy[:, 2:] - self.truth.xyxy[:, :2]
        k = int(np.where(counted, extent[:, 0] * extent[:, 1], -1).argmax())
        n, box = int(self.truth.frames[k]), self.truth.xyxy[k]
        at = stills.window(box, self.size, _ASPECT, around=2)
        pair = [self._still(n, at, _STILL, clip) for clip in (master, self.clip)]
        words = {"kind": "encode", "class": str(self.truth.classes[k]), "identity": int(self.truth.ids[k])}
        return {**words, "start": n, "frames": [n], **_jpeg(stills.beside(pair))}

    def _still(
        self, n: int, at: tuple[int, int, int, int], size: tuple[int, int], clip: VideoNode | None = None
    ) -> NDArray[np.uint8]:
        with our_errors(CheckError):
            rgb = picture(self.clip if clip is None else clip, n)
        fields = self.fields[n] if isinstance(self.fields, list) else self.fields
        weight = weights(self.table.at(n), FrameLayout(self.size, planes=1, interlaced=fields), self.grid)[0]
        masked = weight > 0 if self.peak is None else weight >= 0.5 / self.peak
        return stills.still(rgb, masked, self.truth.xyxy[self.truth.rows(n)], at, size)

    def _box(self, n: int, name: str, identity: int) -> F32:
        rows = self.truth.rows(n)
        own = (self.truth.classes[rows] == name) & (self.truth.ids[rows] == identity)
        box: F32 = self.truth.xyxy[rows][own][0]
        return box


def _jpeg(rgb: NDArray[np.uint8]) -> Picture:
    return {"size": [rgb.shape[1], rgb.shape[0]], "jpeg": stills.jpeg(rgb)}
