"""A second opinion on tracks: another search of the clip, and what of its finds no region covers."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.shapes import grow, shape_of
from vsanon.detections import Origin, TrackedBoxes
from vsanon.detectors.recipes import DEFAULT_CLASSES, SETTINGS
from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.job.pipeline import analyze_file
from vsanon.job.settings import Settings
from vsanon.models import locate
from vsanon.review.document import State
from vsanon.review.jobs import Tell
from vsanon.review.moments import Moment, moments, rows_by_track
from vsanon.timing import FrameRange, frames_for
from vsanon.tracks.edit_kinds import Box, Find, KeyFrame, Opinion, Region, Review
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable

OPINIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "thorough": {},
    "yunet_n": {"face": ("yunet_n",)},
}
"""By name the models of classes that are not those of the setting `thorough`: its scales are everybody's here."""

UNSEEN = "unseen"
"""The kind of moment that a find is while no region covers it."""
_SURE = 0.5
"""A find that scores less is less likely one."""
_COVERED = 0.75
"""Of a find's area, as much must lie in one region: two models rarely agree on where a face ends."""
_MOST = 1000
"""Finds that one opinion records."""
_OFF = 0.03
"""How far the boxes between key frames may be from those that were found, of their longer side."""


def search_of(name: str, header: Mapping[str, Any], *, every: bool) -> Search:
    """How a clip is searched for a second opinion: for the classes that its track file was made for.

    Args:
        name: one of `OPINIONS`.
        header: of the track file.
        every: search each frame; else every eighth and those that need it, see `Search.stride`.

    Raises:
        InputError: there is no such opinion.
    """
    if name not in OPINIONS:
        raise InputError(f"a second opinion is one of {', '.join(OPINIONS)}, not {name!r:.40}")
    asked = header.get("settings")
    settings = asked if isinstance(asked, dict) else {}
    known = SETTINGS["thorough"]
    classes = [label for label in settings.get("classes", DEFAULT_CLASSES) if label in known] or [*DEFAULT_CLASSES]
    models = {label: models for label, models in OPINIONS[name].items() if label in classes}
    turned = settings.get("turned", 0)
    return Search(
        classes=classes, models=models, setting="thorough", stride=1 if every else "auto",
        turned=turned if turned in (0, 90, 180, 270) else 0,
    )  # fmt: skip


def is_here(name: str) -> bool:
    """Whether the models of an opinion are on this machine.

    Raises:
        InputError: there is no such opinion.
    """
    used = search_of(name, {}, every=True).cards().values()
    return all(locate(card) is not None for cards in used for card in cards)


def require_here(name: str) -> None:
    """Refuse an opinion whose models are not on this machine: the page's server asks nothing of others.

    Raises:
        InputError: they are not, or there is no such opinion.
    """
    if not is_here(name):
        raise InputError(f"the model for {name} is not on this machine: run `vsanon models pull {name}` first")


def opinion_on(state: State, source: Path, settings: Settings, name: str, *, every: bool, tell: Tell) -> Opinion:
    """Search the clip, and keep what no region of a state covers.

    Args:
        settings: how the source is read.
        name, every: as for `search_of`.
        tell: takes the frames that are done.

    Raises:
        InputError, MissingError, CheckError: as for `analyze_file`.
    """
    search = search_of(name, state.raw.header, every=every)
    with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
        path = Path(folder) / "second.vsanon"
        analyze_file(source, path, replace(settings, search=search), progress=tell)
        seen = read_tracks(path)
    if len(seen) != len(state.raw):
        raise InputError(f"{source}: {len(seen)} frames were searched, the tracks have {len(state.raw)}")
    last = max((find.number for opinion in opinions(state) for find in opinion.finds), default=0)
    models = tuple(dict.fromkeys(card.name for cards in search.cards().values() for card in cards))
    searched = int(seen.header.get("frames_searched", len(seen)))
    return Opinion(name, models, searched, len(seen), bare(seen, state.whole, last + 1)[:_MOST])


def bare(seen: TrackTable, by: TrackTable, first: int = 1) -> tuple[Find, ...]:
    """What one search saw and no region of another covers; the surest and longest first.

    Args:
        seen, by: of the same clip.
        first: the number of the first find.
    """
    hold = frames_for(1.0, seen.fps)
    found: list[tuple[tuple[float, int, int], str, float, NDArray[np.intp]]] = []
    for _, every in rows_by_track(seen):
        rows = every[[not is_covered(seen.xyxy[r], by.at(int(seen.frames[r]))) for r in every]]
        for part in np.split(rows, np.flatnonzero(np.diff(seen.frames[rows]) > hold) + 1):
            if not len(part) or not (seen.origins[part] == Origin.DETECTED).any():
                continue
            score = round(float(seen.scores[seen.runs[part]].max()), 3)
            start = int(seen.frames[part[0]])
            found.append(((-score, -len(part), start), seen.classes[int(seen.runs[part[0]])], score, part))
    finds = []
    for number, (_, label, score, rows) in enumerate(sorted(found, key=lambda f: f[0]), start=first):
        _, once = np.unique(seen.frames[rows], return_index=True)
        at, boxes = seen.frames[rows[once]], seen.xyxy[rows[once]]
        keys = tuple(KeyFrame(int(at[k]), _box(boxes[k])) for k in _kept(at, boxes))
        finds.append(Find(number, label, score, FrameRange(int(at[0]), int(at[-1]) + 1), keys))
    return tuple(finds)


def is_covered(box: NDArray[np.float32], by: TrackedBoxes) -> bool:
    """Whether one region, with its margin, covers a box; what is painted is no smaller."""
    x0, y0, x1, y1 = (float(v) for v in box)
    for own, label in zip(by.xyxy, by.classes, strict=True):
        left, top, right, bottom = grow(own, shape_of(label))
        inside = max(min(x1, right) - max(x0, left), 0.0) * max(min(y1, bottom) - max(y0, top), 0.0)
        if inside >= _COVERED * (x1 - x0) * (y1 - y0):
            return True
    return False


def opinions(state: State, *, without: int | None = None) -> tuple[Opinion, ...]:
    """All that a track file tells of, but for the review of one number."""
    reviews = [e.change for e in state.edits if isinstance(e.change, Review) and e.number != without]
    return tuple(opinion for review in reviews for opinion in review.opinions)


def doubtful(state: State, heard: tuple[Opinion, ...] | None = None) -> list[Moment]:
    """All moments to look at, where misses hide first: those of the tracks, and finds of second opinions."""
    found = [*unseen(state, opinions(state) if heard is None else heard), *moments(state.table)]
    return sorted(found, key=lambda m: (m.rank, m.frame, m.track))


@lru_cache(maxsize=4)
def unseen(state: State, heard: tuple[Opinion, ...]) -> tuple[Moment, ...]:
    """Finds of second opinions that are not covered in each of their frames, as moments to look at.

    What was uncovered on purpose is covered in this sense: somebody has decided on it.
    """
    found = []
    for opinion in heard:
        for find in opinion.finds:
            frames = [n for n in find.range if not is_covered(box_at(find, n), state.whole.at(n))]
            if not frames:
                continue
            n = frames[len(frames) // 2]
            count = f"{len(frames)} frame{'s' * (len(frames) > 1)}"
            why = f"{opinion.name} sees a {find.label} (score {find.score:.2f}) that no region covers in {count}"
            remedy = Region(find.number, find.range, find.label, "rectangle", find.keys)
            rank = 0 if find.score >= _SURE else 1
            found.append(Moment(n, find.number, UNSEEN, why, rank, _box(box_at(find, n)), remedy))
    return tuple(found)


def box_at(find: Find, n: int) -> NDArray[np.float32]:
    """Where a find is at a frame: linear between its key frames."""
    at = [key.frame for key in find.keys]
    return np.array([np.interp(n, at, [key.box[k] for key in find.keys]) for k in range(4)], np.float32)


def _kept(at: NDArray[np.intp], boxes: NDArray[np.float32]) -> list[int]:
    """The fewest rows, about, between which all others are linear (Douglas and Peucker, 1973)."""
    kept, todo = {0, len(at) - 1}, [(0, len(at) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        share = ((at[first + 1 : last] - at[first]) / (at[last] - at[first]))[:, None]
        between = boxes[first + 1 : last]
        off = np.abs(between - (boxes[first] * (1 - share) + boxes[last] * share)).max(axis=1)
        sides = np.maximum(between[:, 2] - between[:, 0], between[:, 3] - between[:, 1])
        k = int((off / np.maximum(sides, 1)).argmax())
        if off[k] > _OFF * max(float(sides[k]), 1.0):
            middle = first + 1 + k
            kept.add(middle)
            todo += [(first, middle), (middle, last)]
    return sorted(kept)


def _box(box: NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = (round(float(v) * 8) / 8 for v in box)
    return x0, y0, max(x1, x0 + 0.125), max(y1, y0 + 0.125)
