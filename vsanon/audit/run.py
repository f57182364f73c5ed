"""An audit, end to end: open both files, align them, find the targets, measure, and conclude."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.audit.alignment import Timing, UnalignedError, find_timing
from vsanon.audit.conclude import FOUND_SCORE, Found, conclude
from vsanon.audit.leaks import leaks_of
from vsanon.audit.measure import Meter, planes8
from vsanon.audit.pictures import Pair, chosen, pair
from vsanon.audit.place import Place, find_place, whole
from vsanon.audit.targets import Targets, read_targets
from vsanon.detections import Detections
from vsanon.detectors.search import Search
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.filters import props
from vsanon.job.frames import alpha16, as_yuv16, frames_of, our_errors, picture, placed, small_grey
from vsanon.job.opening import open_for_work
from vsanon.job.pipeline import analyze_file
from vsanon.job.progress import Progress, Say, quiet
from vsanon.job.settings import Settings
from vsanon.media import packet_hashes
from vsanon.media.intact import require_intact
from vsanon.media.packets import bytes_in_no_packet
from vsanon.media.source import Source
from vsanon.tracks.file import read_tracks
from vsanon.validation.truth.tracked import truth_of

SETTING = "thorough"
"""How targets are searched for where no file names them, and what is left of them in the redacted clip."""
_SMALL = 96
"""Longer side of the pictures that clips are aligned in time by."""
_PAIRS = 3

F32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an audit is asked for.

    Args:
        raw, redacted: the two files.
        targets: a file of them; None searches for faces and plates in `raw`.
        first_frame: the number that the file of targets gives to the first frame.
        offset: the frame of `raw` that the first redacted one shows, as the user knows it; None finds it out.
        detect: search the redacted clip for what still looks like a face or plate.
    """

    raw: Path
    redacted: Path
    targets: Path | None = None
    first_frame: int = 0
    offset: int | None = None
    detect: bool = True


def audit(
    asked: Asked, *, say: Say = quiet, progress: Progress = quiet, pairs: list[Pair] | None = None
) -> dict[str, Any]:
    """Audit a redacted file against its original.

    Args:
        asked: what is asked for.
        say, progress: are told how far it is.
        pairs: takes pictures of a few frames, see `pictures`; none where nobody looked for what no target names.

    Returns:
        The audit as plain data, see `conclude`.

    Raises:
        InputError: a file or the targets can't be used.
        MissingError: a model is missing.
        CheckError: a file does not decode cleanly.
    """
    _require_two(asked)
    raw, redacted = open_for_work(asked.raw, say), open_for_work(asked.redacted, say)
    for source in (raw, redacted):
        require_intact(source)
    targets, kind = _targets(asked, raw, say)
    truth = targets.truth
    place: Place | None = None
    timing: Timing | None = None
    why = said = ""
    try:
        timing, place, said = _aligned(raw, redacted, asked.offset)
    except UnalignedError as error:
        why = str(error)
    meter = None
    detected: Mapping[int, F32] | None = None
    if timing is not None and place is not None:
        meter = Meter(truth, place.boxes(truth.xyxy.astype(np.float64)))
        _measure(raw, redacted, timing, place, meter, progress)
        if asked.detect:
            candidates = _detected(redacted, say)
            detected = {k: d.xyxy[d.scores >= FOUND_SCORE] for k, d in candidates.items()}
            if pairs is not None:
                pairs += _pictures(raw, redacted, timing, place, meter, candidates)
    packets = [packet_hashes(source.path) for source in (redacted, raw)]
    leaks = leaks_of(redacted.facts, packets[0], packets[1], bytes_in_no_packet(redacted.path))
    found = Found(targets, kind, timing, place, said, why, meter, detected, leaks)
    return conclude(found, _facts(raw), _facts(redacted))


def _require_two(asked: Asked) -> None:
    if asked.raw.exists() and asked.redacted.exists() and asked.raw.samefile(asked.redacted):
        raise InputError(f"{asked.raw} and {asked.redacted} are one file: name the original, then the redacted one")


def _facts(source: Source) -> dict[str, Any]:
    return {
        "name": source.path.name,
        "sha256": sha256_file(source.path),
        "frames": source.clip.num_frames,
        "size": [source.clip.width, source.clip.height],
        "fps": str(source.timeline.fps),
        "codec": source.video.codec,
    }


def _targets(asked: Asked, raw: Source, say: Say) -> tuple[Targets, str]:
    size, frames = (raw.clip.width, raw.clip.height), raw.clip.num_frames
    if asked.targets is not None:
        return read_targets(asked.targets, size, frames, asked.first_frame), "file"
    say(f"searching {asked.raw} for faces and plates, setting {SETTING}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "found.vsanon")
        analyze_file(asked.raw, path, Settings(Search(setting=SETTING)))
        return Targets(truth_of(read_tracks(path))), f"searched, setting {SETTING}"


def _aligned(raw: Source, redacted: Source, stated: int | None) -> tuple[Timing, Place, str]:
    sizes = [(s.clip.width, s.clip.height) for s in (raw, redacted)]
    ratio = raw.timeline.fps / redacted.timeline.fps
    rates = (Fraction(1),) if ratio == 1 else (Fraction(1), ratio)
    small = _small_size(sizes[1])
    now = np.stack(list(small_grey(redacted.clip, small)))
    plain = whole(*sizes)
    try:
        timing = find_timing(np.stack(list(small_grey(raw.clip, small))), now, rates, stated)
        place, said = find_place(_pairs(raw, redacted, timing), *sizes)
    except UnalignedError:
        found = _found_place(raw, redacted, sizes)
        if found is None or found == plain:
            raise
        place, said = found, _in_words(found)
    if place != plain:
        timing = find_timing(_moved(raw, place, sizes[1], small), now, rates, stated)
    return timing, place, said


def _in_words(place: Place) -> str:
    (sx, sy), (x, y) = place.scale, place.shift
    return f"cropped or moved: scale {sx:.4f} x {sy:.4f}, shift {x:+.2f}, {y:+.2f} px"


def _small_size(size: tuple[int, int]) -> tuple[int, int]:
    share = _SMALL / max(size)
    width, height = (max(16, round(side * share / 8) * 8) for side in size)
    return width, height


def _moved(raw: Source, place: Place, size: tuple[int, int], small: tuple[int, int]) -> F32:
    return np.stack(list(small_grey(_placed(raw, place, size), small)))


def _placed(raw: Source, place: Place, size: tuple[int, int]) -> filters.VideoNode:
    return placed(as_yuv16(raw.clip), (*place.scale, *place.shift), size)


def _luma(clip: filters.VideoNode, n: int) -> F32:
    with our_errors(CheckError), as_yuv16(clip[n]).get_frame(0) as frame:
        return planes8([np.asarray(frame[0])])[0]


def _pairs(raw: Source, redacted: Source, timing: Timing) -> list[tuple[F32, F32]]:
    """Frames of both clips that show the same, from all over."""
    shown = np.flatnonzero(timing.shown >= 0)
    chosen = np.unique(shown[np.linspace(0, len(shown) - 1, _PAIRS + 2).astype(int)[1:-1]])
    return [(_luma(raw.clip, int(timing.shown[k])), _luma(redacted.clip, int(k))) for k in chosen]


def _found_place(raw: Source, redacted: Source, sizes: Sequence[tuple[int, int]]) -> Place | None:
    """Where the original lies, by frames of about the same time: what does not move shows it."""
    count = min(raw.clip.num_frames, redacted.clip.num_frames)
    for k in (count // 2, count // 4):
        for n in (k, k - 5, k + 5):
            if 0 <= n < raw.clip.num_frames:
                try:
                    return find_place([(_luma(raw.clip, n), _luma(redacted.clip, k))], sizes[0], sizes[1])[0]
                except UnalignedError:
                    continue
    return None


def _measure(
    raw: Source, redacted: Source, timing: Timing, place: Place, meter: Meter, progress: Progress
) -> None:  # fmt: skip
    kept = np.flatnonzero(timing.shown >= 0)
    size = (redacted.clip.width, redacted.clip.height)
    before, after = _placed(raw, place, size), as_yuv16(redacted.clip)
    alpha = alpha16(redacted.clip)
    with our_errors(CheckError):
        alphas = frames_of(alpha) if alpha is not None else None
        shown = _in_order(before, timing.shown[kept].tolist())
        for k, frame in enumerate(frames_of(after)):
            clear = None if alphas is None else planes8([np.asarray(next(alphas)[0])])[0]
            if timing.shown[k] < 0:
                continue
            n = int(timing.shown[k])
            now = planes8([np.asarray(frame[p]) for p in range(3)])
            meter.add(n, k, next(shown), now, clear)
            progress(k + 1, len(timing.shown))


def _pictures(
    raw: Source, redacted: Source, timing: Timing, place: Place, meter: Meter, candidates: Mapping[int, Detections]
) -> list[Pair]:
    truth, levels = meter.truth, meter.levels()
    shown = {int(n): k for k, n in reversed(list(enumerate(timing.shown.tolist()))) if n >= 0}
    before, found = _placed(raw, place, (redacted.clip.width, redacted.clip.height)), []
    for n in chosen(truth, levels, shown):
        k, rows = shown[n], range(*truth.rows(n).indices(len(truth)))
        with our_errors(CheckError):
            both = picture(before, n), picture(redacted.clip, k)
        judged = [None if i not in levels else levels[i].level for i in rows]
        # Of a picture that others see, what might be a face is filled as well.
        finds = candidates[k].xyxy.astype(np.float64) if k in candidates else np.zeros((0, 4))
        found.append(pair(n, k, *both, meter.boxes[rows.start : rows.stop], judged, finds))
    return found


def _in_order(clip: filters.VideoNode, wanted: Sequence[int]) -> Iterator[tuple[F32, ...]]:
    """The planes of frames of a clip, by numbers that never fall; each frame is read once."""
    first = wanted[0] if wanted else 0
    frames = frames_of(clip[first : (wanted[-1] if wanted else 0) + 1])
    at, planes = first - 1, None
    for n in wanted:
        while at < n:
            frame = next(frames)
            at += 1
            if at == n:
                planes = planes8([np.asarray(frame[p]) for p in range(3)])
        assert planes is not None
        yield planes


def _detected(redacted: Source, say: Say) -> Mapping[int, Detections]:
    """By frame what still looks like a face or plate in the redacted clip, candidates of any score."""
    say(f"searching {redacted.path} for what is left, setting {SETTING}")
    found = {}
    with our_errors(CheckError):
        clip = filters.detect(redacted.clip, Search(setting=SETTING))
        for k, frame in enumerate(frames_of(clip)):
            seen = props.read_detections(frame.props)
            if len(seen):
                found[k] = seen
    return found
