"""How long a matrix will take, and how much disk, before it runs: rough figures, and said so.

What a search takes is tried on this machine, the rest goes by figures that were measured once and by how fast this
machine encodes (`pace`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from vsanon.detectors.search import Search
from vsanon.encode import presets
from vsanon.errors import VsanonError
from vsanon.job.frames import raw_video
from vsanon.media import pixel_format
from vsanon.media.source import open_source
from vsanon.validation.metrics.summary import plain
from vsanon.validation.runs import pace
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, EncodeSpec, SourceSpec
from vsanon.validation.runs.step_media import RAW_BYTES, RAW_MASTER
from vsanon.validation.runs.step_search import small_size
from vsanon.validation.runs.store import canonical

# Processor seconds a megapixel, by encoder, of one pass with the presets' settings and of bringing the frames
# there; where `pace.machine` is 1.
_ENCODE: Mapping[str, float] = {
    "libx264": 0.047,
    "libx265": 0.15,
    "libsvtav1": 0.088,
    "libvpx-vp9": 0.19,
    "prores_ks": 0.04,
    "dnxhd": 0.04,
    "mpeg2video": 0.02,
    "ffv1": 0.017,
}
_PICTURE, _ZONES = 0.04, 0.07
_SEARCH = {"fast": 0.05, "balanced": 0.45, "thorough": 1.8}
"""Of searching, where it can't be tried."""
_LOOK_S, _COVER_S = 0.01, 0.015
"""A frame: of a source, for its conditions; and of an encode, for tracking, covering and measuring."""
_SOURCE_S, _CELL_S, _PROOF_S, _DELIVER_S = 0.5, 1.2, 1.2, 3.0
"""Opening, stills and programs that start, whatever the length; of metrics that prove themselves; of checks."""
_START_S = 5.0
"""Of a worker that starts, and of the conclusions."""
_AT_WORK = 1.6
"""Of two cores, so many are at work."""
_PACKED = 0.6
"""What lossless coding leaves of a picture."""


_BITS: Mapping[str, float] = {
    "libx264": 0.15,
    "libx265": 0.1,
    "libsvtav1": 0.13,
    "libvpx-vp9": 0.23,
    "prores_ks": 3.5,
    "dnxhd": 3.0,
    "mpeg2video": 2.2,
    "ffv1": 7.0,
}
"""What an encode takes, in bits a pixel, by encoder: the presets' usual rates; others as x264."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a matrix needs, roughly.

    Args:
        cells: how many there are.
        frames: of all sources.
        seconds: of one worker on two cores.
        disk_bytes: at the most at a time; of all media where they are kept.
        unknown: sources that could not be opened, and why.
    """

    cells: int
    frames: int
    seconds: float
    disk_bytes: int
    unknown: Mapping[str, str]


def estimate(matrix: Matrix, *, keep_media: bool = False) -> Estimate:
    """What a matrix will need; sources are opened for their size, and a few frames are searched."""
    seconds, disk, frames = 0.0, 0, 0
    unknown: dict[str, str] = {}
    tried = _Tried()
    for name, spec in matrix.sources.items():
        try:
            size, count, pix_fmt = _extent(spec)
        except VsanonError as error:
            unknown[name] = str(error)
            continue
        frames += count
        pixels = size[0] * size[1]
        megapixels = count * pixels / 1e6
        seconds += pace.machine() * (_SOURCE_S + megapixels * _ENCODE["ffv1"] + count * _LOOK_S)
        held = _held_bytes(matrix, spec, size, count, pix_fmt)
        disk = disk + held.all if keep_media else max(disk, held.at_a_time)
        for encode in matrix.encodes.values():
            share = (encode.scale or 1) ** 2
            shown = count if encode.fps is None else ceil(count * min(1.0, float(encode.fps / _fps(spec))))
            here = share * megapixels * shown / count
            seconds += pace.machine() * _one_encode(matrix, encode, here)
            scaled = tuple(max(2, round(side * (encode.scale or 1) / 2) * 2) for side in size)
            seconds += _searches(matrix, shown, here, tried, (scaled[0], scaled[1]))
    return Estimate(len(matrix.cells()), frames, (_START_S + seconds) / _AT_WORK, disk, unknown)


class _Tried:
    """What a search of one frame takes, tried once for each way to search and size."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, tuple[int, int]], float] = {}

    def seconds(self, search: Search, size: tuple[int, int]) -> float:
        key = canonical(plain(search.facts())), size
        if key not in self._seconds:
            found = pace.search_seconds(search, size)
            rough = _SEARCH[search.setting] * size[0] * size[1] / 1e6 * len(search.classes) * pace.machine()
            self._seconds[key] = rough if found is None else found
        return self._seconds[key]


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes of the media of a source: of all, and of what is needed at a time."""

    all: int
    at_a_time: int


def _held_bytes(matrix: Matrix, spec: SourceSpec, size: tuple[int, int], count: int, pix_fmt: str) -> _Held:
    """Of a drawn scene, masters, encodes, the small pictures of searches, covered masters, delivered files."""
    raw = count * _frame_bytes(pix_fmt, size)
    masters, others, largest = 0.0, 0.0, 0.0
    for scale in {encode.scale or 1 for encode in matrix.encodes.values()}:
        masters += _master_bytes(pix_fmt, raw * scale**2)
    if spec.scene is not None:
        masters += _PACKED * raw
    for encode in matrix.encodes.values():
        own = (encode.scale or 1) ** 2
        scaled = max(1, int(size[0] * own**0.5)), max(1, int(size[1] * own**0.5))
        pixels = own * count * size[0] * size[1]
        small_w, small_h = small_size(scaled)
        here = 0.0 if encode.preset == AS_IS else pixels * _bits(encode.preset) / 8
        ways = len(matrix.settings) * len(matrix.profiles)
        here += len(matrix.settings) * count * small_w * small_h
        here += sum(ways * pixels * _bits(name) / 8 for name in matrix.deliveries if name is not None)
        if any(matrix.deliveries):
            here += ways * _PACKED * raw * own
        others += here
        largest = max(largest, here)
    return _Held(int(masters + others), int(masters + largest))


def _frame_bytes(pix_fmt: str, size: tuple[int, int]) -> float:
    form = pixel_format(pix_fmt)
    return float(form.sample_bytes * sum(rows * columns for rows, columns in form.plane_shapes(size)))


def _master_bytes(pix_fmt: str, raw: float) -> float:
    """As `step_media` writes it: as it is where that is small, else packed."""
    return raw if pix_fmt in RAW_MASTER and raw <= RAW_BYTES else _PACKED * raw


def _bits(preset: str) -> float:
    return _BITS.get(presets.load(preset).encoder, _BITS["libx264"])


def _one_encode(matrix: Matrix, encode: EncodeSpec, megapixels: float) -> float:
    """Of encoding and comparing."""
    if encode.preset == AS_IS:
        return 0.0
    cost = megapixels * encode.generations * _encoder_cost(encode.preset)
    return cost + (0.0 if matrix.picture is None else _PROOF_S + megapixels * _PICTURE)


def _searches(matrix: Matrix, frames: int, megapixels: float, tried: _Tried, size: tuple[int, int]) -> float:
    """Of searching, covering and delivering one encoded file in every way."""
    seconds = 0.0
    deliveries = [name for name in matrix.deliveries if name is not None]
    for settings in matrix.settings.values():
        search = frames * tried.seconds(settings.search, size)
        seconds += search + pace.machine() * (frames * _COVER_S + len(matrix.profiles) * _CELL_S)
        if deliveries:
            seconds += pace.machine() * len(matrix.profiles) * megapixels * _ENCODE["ffv1"]
        for name in deliveries:
            each = _DELIVER_S + megapixels * (_encoder_cost(name) + _ZONES)
            each += 0.0 if matrix.picture is None else _PROOF_S + megapixels * _PICTURE
            seconds += len(matrix.profiles) * (search + pace.machine() * each)
    return seconds


def _encoder_cost(preset: str) -> float:
    return _ENCODE.get(presets.load(preset).encoder, _ENCODE["libx265"])


def _fps(spec: SourceSpec) -> Fraction:
    if spec.scene is not None:
        return spec.drawn().fps
    assert spec.file is not None
    return open_source(spec.file).timeline.fps


def _extent(spec: SourceSpec) -> tuple[tuple[int, int], int, str]:
    """Size and number of frames of what is measured, and their pixel format."""
    if spec.scene is not None:
        scene = spec.drawn()
        size, count, pix_fmt = scene.size, scene.frames, scene.video.pix_fmt
    else:
        assert spec.file is not None
        opened = open_source(spec.file)
        size, count = (opened.clip.width, opened.clip.height), opened.clip.num_frames
        pix_fmt = raw_video(opened).pix_fmt
    return size, count if spec.frames is None else spec.frames[1] - spec.frames[0], pix_fmt
