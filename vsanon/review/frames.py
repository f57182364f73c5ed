"""The pictures of the page: frames of the source by their number, covered by the very filters of the render."""

import hashlib
import threading
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.covering.block_grid import grid_of
from vsanon.covering.effects import takes_tone
from vsanon.covering.surroundings import TONE_REACH
from vsanon.errors import CheckError, InputError
from vsanon.filters.props import SEAL, write
from vsanon.job.frames import our_errors, picture
from vsanon.job.settings import Settings
from vsanon.media.packets import key_times
from vsanon.media.source import Source, open_source
from vsanon.review.crops import cover, crop
from vsanon.review.document import State

U8 = NDArray[np.uint8]

WIDTHS = (320, 640, 960, 1280, 1920, 2560, 3840)
"""Widths that frames are sent in, pixels; a frame is never enlarged."""
PASSING_WIDTH = 960
"""One of them: of key frames under a moving hand."""

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True, slots=True, eq=False)
class _Clips:
    """What a version of the tracks makes of the source."""

    version: str
    source: filters.VideoNode
    data: filters.VideoNode
    covered: filters.VideoNode


class Frames:
    """Frames of a source, by number.

    Args:
        source: the file that the tracks belong to.
        tracks: the track file, for messages.
        settings: how it is covered.

    Raises:
        InputError: the tracks belong to another clip.
    """

    def __init__(self, source: Source, tracks: Path, settings: Settings, state: State) -> None:
        self._source, self._tracks, self._settings = source, tracks, settings
        self._lock, self._reading = threading.Lock(), threading.Lock()
        with our_errors(InputError):  # here a few frames are compared; later each when it is shown
            filters.load(source.clip, tracks, same_picture=settings.same_picture)
        self._clips = self._made(source.clip, state)
        self._keys: list[int] | None = None
        self._looked_for_keys = False
        self._leaps: filters.VideoNode | None = None
        self._key_clips: _Clips | None = None
        self._result: tuple[Path, filters.VideoNode] | None = None

    def __len__(self) -> int:
        return self._source.clip.num_frames

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), pixels."""
        return self._source.clip.width, self._source.clip.height

    def key_frames(self) -> list[int] | None:
        """Frames that need no other one to be decoded, rising; None where all of them are such.

        The file's packets are read for it, at the first time. From then on these frames come from a reader of their
        own, which does not wait for what the other one has to decode.
        """
        with self._reading:
            if not self._looked_for_keys:
                path, track = self._source.path, self._source.video.track
                if (times := key_times(path, track)) is not None:
                    shown = [self._source.timeline.seconds(n) for n in range(len(self))]
                    keys = sorted({n for n in (bisect_left(shown, time) for time in times) if n < len(self)})
                    leaps = open_source(path, track, access="leaps").clip
                    with self._lock:
                        self._keys, self._leaps = keys, leaps
                self._looked_for_keys = True
            return self._keys

    def covered(self, state: State, n: int, width: int = 0) -> U8:
        """Frame `n` as it would be rendered, (H, W, 3) uint8 RGB, in that width or its own.

        Raises:
            CheckError: it shows another picture than the one analysed, or can't be decoded.
        """
        with our_errors(CheckError):
            return picture(self._of(state, n).covered, n, self._shown_size(width))

    def drawn(self, state: State, n: int) -> str:
        """A digest of what is painted on frame `n`: two states that have the same show the same covered picture."""
        digest = hashlib.sha256()
        for m in self._shown_by(state, n):
            props: dict[str, object] = {}
            write(props, state.table.at(m), self.size)
            digest.update(f"{props[SEAL]:x} ".encode())
        return f"{digest.hexdigest()} {state.analysis}"

    def revealed(self, state: State, n: int, width: int = 0) -> U8:
        """Frame `n` without covers; otherwise as `covered`."""
        with our_errors(CheckError):
            clips = self._of(state, n)
            with clips.data.get_frame(n):  # which compares this very frame
                pass
            return picture(clips.source, n, self._shown_size(width))

    def luma(self, state: State, n: int) -> U8:
        """The (H, W) uint8 luma of frame `n`, for following."""
        return np.asarray(cv2.cvtColor(self.revealed(state, n), cv2.COLOR_RGB2GRAY), np.uint8)

    def result(self, output: Path, n: int, width: int = 0) -> U8:
        """Frame `n` of a rendered file."""
        with self._lock:
            if self._result is None or self._result[0] != output:
                self._result = output, open_source(output).clip
            clip = self._result[1]
        with our_errors(CheckError):
            return picture(clip, n, self._shown_size(width))

    def forget_result(self) -> None:
        """Close the rendered file: it is about to be replaced."""
        with self._lock:
            self._result = None

    def thumbnail(self, state: State, track: int) -> bytes:
        """A JPEG of a track's surroundings where it is largest, with all that was found covered.

        Raises:
            InputError: there is no such track.
        """
        rows = np.flatnonzero(state.whole.tracks == track)
        if not len(rows):
            raise InputError(f"there is no track {track}")
        xyxy = state.whole.xyxy[rows]
        row = int(rows[((xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])).argmax()])
        n = int(np.searchsorted(state.whole.offsets, row, side="right")) - 1
        rgb = self.covered(state, n).copy()
        cover(rgb, state.raw.at(n))
        x0, y0, x1, y1 = (float(v) for v in state.whole.xyxy[row])
        return crop(rgb, (x0, y0, x1, y1))

    def _shown_by(self, state: State, n: int) -> range:
        """The frames that the picture of frame `n` depends on: others lend it the tone of their surroundings."""
        settings = self._settings
        toned = (takes_tone(name, settings.profile, settings.fill) for name in state.table.at(n).classes)
        return range(max(n - TONE_REACH, 0), min(n + TONE_REACH + 1, len(self))) if any(toned) else range(n, n + 1)

    def _shown_size(self, width: int) -> tuple[int, int] | None:
        own, height = self.size
        if not 0 < width < own:
            return None
        return width, max(round(height * width / own), 1)

    def _of(self, state: State, n: int) -> _Clips:
        """What makes frame `n` soonest."""
        with self._lock:
            if self._leaps is not None and n in (self._keys or ()) and len(self._shown_by(state, n)) == 1:
                if self._key_clips is None or self._key_clips.version != state.version:
                    self._key_clips = self._made(self._leaps, state)
                return self._key_clips
            if self._clips.version != state.version:
                self._clips = self._made(self._source.clip, state)
            return self._clips

    def _made(self, clip: filters.VideoNode, state: State) -> _Clips:
        settings = self._settings
        grid = settings.grid or grid_of(self._source.video.codec)
        with our_errors(InputError):
            data = filters.load_table(clip, state.table, self._tracks, same_picture=settings.same_picture)
            covered = filters.blur(
                clip, data, profile=settings.profile, shapes=settings.shapes, grid=grid, fill=settings.fill,
                picture=settings.picture, same_picture=settings.same_picture,
            )  # fmt: skip
        return _Clips(state.version, clip, data, covered)


@dataclass(frozen=True, slots=True)
class Covered:
    """Encoded covered pictures of one state, see `ahead.Maker`."""

    frames: Frames
    state: State

    @property
    def version(self) -> str:
        return self.state.version

    def drawn(self, n: int) -> str:
        return self.frames.drawn(self.state, n)

    def make(self, n: int, width: int) -> tuple[bytes, str]:
        return encoded(self.frames.covered(self.state, n, width), exact=False)


def encoded(rgb: U8, *, exact: bool) -> tuple[bytes, str]:
    """A picture and its media type: every sample as it is (PNG), or smaller and sooner (JPEG)."""
    name, options = (".png", _PNG) if exact else (".jpg", _JPEG)
    return cv2.imencode(name, rgb[..., ::-1], options)[1].tobytes(), "image/png" if exact else "image/jpeg"
