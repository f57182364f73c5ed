"""Open a file as a clip: BestSource for the frames and their timestamps, PyAV for what the container says."""

import hashlib
import logging
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import vapoursynth as vs

from vsanon.errors import InputError, MissingError
from vsanon.files import cache_root
from vsanon.media import MediaFacts, probe
from vsanon.timing import Timeline

log = logging.getLogger(__name__)

SOURCE_FILTER = "bs.VideoSource"
_NO_PTS = -(2**63)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened.

    Args:
        path: the file.
        clip: its frames in presentation order, upright (rotation applied), of constant format.
        timeline: when each frame is shown, in the container's time base.
        facts: what the container and its streams say.
        rate_assumed: the stream carries no timestamps, and the rate is a guess.
        filter_version: of the source filter; frame numbers are its.
    """

    path: Path
    clip: vs.VideoNode
    timeline: Timeline
    facts: MediaFacts
    rate_assumed: bool
    filter_version: str


def open_source(path: Path) -> Source:
    """Open a file.

    Raises:
        InputError: no such file, no video, not decodable, or its format or size changes on the way.
        MissingError: BestSource is not installed.
    """
    facts = probe(path)
    if not hasattr(vs.core, "bs"):
        raise MissingError("BestSource is missing: install the package vapoursynth-bestsource beside vapoursynth")
    stat = path.stat()
    # An index belongs to these very bytes: a file replaced under the same name must not meet an old index.
    key = hashlib.sha256(f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()[:24]
    folder = cache_root() / "index" / key
    folder.mkdir(parents=True, exist_ok=True)
    if facts.video is None:
        raise InputError(f"{path}: there is no video in it")
    try:
        found = vs.core.bs.VideoSource(
            str(path), variableformat=0, exporttimestamps=True, cachemode=3, cachepath=str(folder)
        )
    except vs.Error as error:
        raise InputError(f"{path}: BestSource can't read it: {error}") from error
    clip: vs.VideoNode = found["clip"]
    if clip.format is None or clip.format.color_family == vs.UNDEFINED or clip.width == 0:
        raise InputError(f"{path}: its format or size changes within the stream: convert it to one format first")
    base = Fraction(found["timebasenum"], found["timebaseden"])
    raw = found["timestamps"]
    pts = [int(p) for p in (raw if isinstance(raw, (list, tuple)) else [raw])]
    timeline, assumed = _timeline(path, pts, base, facts.video.fps)
    clip = clip.std.AssumeFPS(fpsnum=timeline.fps.numerator, fpsden=timeline.fps.denominator) if assumed else clip
    return Source(path, clip, timeline, facts, assumed, _version())


def _timeline(path: Path, pts: list[int], base: Fraction, rate: Fraction) -> tuple[Timeline, bool]:
    """The timeline, and whether its rate is a guess."""
    known = [p for p in pts if p != _NO_PTS]
    if not known:
        log.warning("%s: the stream has no timestamps; assuming %s frames a second", path, rate)
        return Timeline(tuple(range(len(pts))), 1 / rate, rate), True
    if pts[-1] == _NO_PTS and len(known) == len(pts) - 1 and len(pts) > 2:
        # Program streams may leave the last frame unstamped; it lasts as long as the one before.
        pts = [*known, 2 * known[-1] - known[-2]]
    if _NO_PTS in pts:
        raise InputError(f"{path}: frame {pts.index(_NO_PTS)} has no timestamp: remux the file, then try again")
    n = next((i for i, (a, b) in enumerate(pairwise(pts)) if b <= a), None)
    if n is not None:
        raise InputError(f"{path}: the timestamp of frame {n + 1} does not rise: remux the file, then try again")
    return Timeline(tuple(pts), base, rate), False


def _version() -> str:
    plugin = next(p for p in vs.core.plugins() if p.namespace == "bs")
    version = plugin.version
    return f"BestSource {version.major}.{version.minor}"
