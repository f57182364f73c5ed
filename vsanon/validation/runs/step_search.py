"""Every frame of an encoded file seen by the detector and the tracker, and what else its decoding is needed for."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.errors import CheckError, InputError
from vsanon.filters import VideoFrame, VideoNode, props
from vsanon.filters.clips import format_of, grey, is_interlaced, keep
from vsanon.job.frames import frames_of, luma16, our_errors
from vsanon.job.settings import Settings, track_header
from vsanon.media.source import open_source
from vsanon.tracking.evidence import Evidences
from vsanon.tracks.file import TrackWriter
from vsanon.validation.metrics.stream import b_frame_share
from vsanon.validation.metrics.summary import plain
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.store import Result, Step, Store

TRACKS, LUMA = "tracks.vsanon", "luma.gray"
FLICKER_PX = 320
"""The longer side of the picture that motion and flicker are measured on."""
_LUMA = "VsanonLuma"
_DETECTIONS_KEPT = 1024


def settings_key(settings: Settings) -> dict[str, Any]:
    """What a search depends on: the settings, and its models by content."""
    cards = {name: [list(card.digests) for card in used] for name, used in settings.search.cards().items()}
    return {"search": plain({**settings.search.facts(), "track": asdict(settings.track)}), "models": cards}


class Looker(Protocol):
    """Takes some frames while they are decoded for the search."""

    frames: frozenset[int]

    def see(self, n: int, luma: NDArray[np.uint16]) -> None:
        """Take frame `n` of `frames`: its luma as of `luma16`, (H, W); frames come in any order."""
        ...


def search(store: Store, encoded: Step, settings: Settings, looker: Looker | None = None) -> Step:
    """Detect and track; the track file, and the detections that need no track to be covered.

    All that decoded frames are needed for is done on the way, as decoding takes time: picture types, fields, and a
    small picture of each frame, `LUMA`, for whoever compares frames in a row.

    Args:
        store: where steps lie.
        encoded: the file.
        settings: how it is searched.
        looker: is shown its frames where the search is made now, and nothing where it was made before.

    Raises:
        CheckError: a frame could not be searched.
        MissingError: a model is missing.
    """
    key = key_of("search", encoded=encoded.key, **settings_key(settings))

    def make(folder: Path) -> Result:
        opened = open_source(encoded.file())
        with our_errors(InputError):
            asked = filters.settled(opened.clip, settings.search)
            found = filters.detect(opened.clip, asked)
            # The small picture travels with the detections: asked for by itself, it would be decoded again.
            found = found.std.ClipToProp(_small_luma(opened.clip, looker), prop=_LUMA)
            data = filters.track(found, settings.track)
            # The tracker is far ahead of this step, which reads each detection too: it would be made twice.
            keep(found, _DETECTIONS_KEPT)
            writer = TrackWriter(track_header(opened, settings, asked))
        rows: dict[str, list[list[float]]] = {name: [] for name in settings.search.classes}
        scored: dict[str, list[list[float]]] = {name: [] for name in settings.search.classes}
        types: list[str] = []
        fields: list[bool] = []
        with our_errors(CheckError), open(folder / LUMA, "wb") as small:
            for n, (raw, tracked) in enumerate(zip(found.frames(close=True), frames_of(data), strict=True)):
                add_rows(rows, n, raw, settings.track.evidence)
                _add_scored(scored, n, raw)
                cut, miniature = bool(tracked.props.get(props.CUT)), np.asarray(tracked[0])
                writer.add(props.read_tracked(tracked.props), cut=cut, miniature=miniature)
                with cast(VideoFrame, raw.props[_LUMA]) as luma:
                    small.write(np.ascontiguousarray(luma[0]).data)
                    types.append(str(luma.props.get("_PictType", "?")))
                    fields.append(is_interlaced(luma.props))
        encoded.file()  # refused where it is the source itself, and not what the key says any more
        digest = writer.write(folder / TRACKS)
        form = format_of(opened.clip)
        return {
            "tracks_sha256": digest,
            "frames": opened.clip.num_frames,
            "size": [opened.clip.width, opened.clip.height],
            "fps": str(opened.timeline.fps),
            "peak": None if form.is_float else (1 << form.bits) - 1,
            "codec": opened.video.codec,
            "interlaced": fields[0] if len(set(fields)) == 1 else fields,
            "b_frame_share": b_frame_share(types),
            "source_filter": opened.filter_version,
            "detections": rows,
            "scored": scored,
        }

    return store.step(key, make, TRACKS)


def small_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size of the pictures in `LUMA`, for frames of this size."""
    factor = max(1, -(-max(size) // FLICKER_PX))
    return max(1, size[0] // factor), max(1, size[1] // factor)


def add_rows(rows: Mapping[str, list[list[float]]], n: int, frame: VideoFrame, evidence: Evidences) -> None:
    """Keep what is covered by itself; weaker detections only help a track along, and are many."""
    for name, box in props.read_boxes(frame.props, evidence):
        rows[name].append([n, *box])


def _add_scored(rows: Mapping[str, list[list[float]]], n: int, frame: VideoFrame) -> None:
    """Keep every detection with its score, for what other thresholds would find."""
    found = props.read_detections(frame.props)
    for name, box, score in zip(found.classes, found.xyxy.tolist(), found.scores.tolist(), strict=True):
        rows[name].append([n, *box, score])


def _small_luma(clip: VideoNode, looker: Looker | None) -> VideoNode:
    """The small picture of each frame; on the way, the looker sees those that it asked for."""
    shown = luma16(clip)

    def hold(n: int, f: list[VideoFrame]) -> VideoFrame:
        if looker is not None and n in looker.frames:
            looker.see(n, np.asarray(f[1][0]))
        return f[0]

    small = grey(shown, small_size((clip.width, clip.height)))
    return small.std.ModifyFrame([small, shown], hold)
