"""How long a matrix will take, and how much disk, before anything runs: rough figures, and said so."""

from collections.abc import Mapping
from dataclasses import dataclass

from vsanon.encode import presets
from vsanon.errors import VsanonError
from vsanon.media.source import open_source
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, EncodeSpec, SourceSpec

# Seconds a megapixel on two cores, by encoder, of one pass with the presets' settings; medians of 720p and 1080p.
_ENCODE: Mapping[str, float] = {
    "libx264": 0.035,
    "libx265": 0.11,
    "libsvtav1": 0.065,
    "libvpx-vp9": 0.14,
    "prores_ks": 0.03,
    "dnxhd": 0.03,
    "mpeg2video": 0.015,
    "ffv1": 0.012,
}
_PICTURE, _SEARCH, _COVER, _ZONES = 0.035, {"fast": 0.03, "balanced": 0.10, "thorough": 0.9}, 0.012, 0.05
_SEARCH_ONE_SIZE_S = 0.045
"""A frame searched at one size of 640 takes this long, whatever its own size."""
_MASTER_BYTES = 0.9
"""A sample of FFV1, in bytes for each pixel at 8 bits 4:2:0."""


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
    """What a matrix will need; sources are opened for their size, and nothing is measured."""
    seconds, disk, frames = 0.0, 0, 0
    unknown: dict[str, str] = {}
    for name, spec in matrix.sources.items():
        try:
            size, count = _extent(spec)
        except VsanonError as error:
            unknown[name] = str(error)
            continue
        frames += count
        megapixels = count * size[0] * size[1] / 1e6
        seconds += megapixels * _ENCODE["ffv1"]
        kept = _kept_bytes(matrix, 1e6 * megapixels)
        disk = disk + kept if keep_media else max(disk, int(3 * megapixels * 1e6 * _MASTER_BYTES))
        for encode in matrix.encodes.values():
            share = (encode.scale or 1) ** 2
            seconds += share * megapixels * _one_encode(matrix, encode) + _searches(
                matrix, count, share * megapixels
            )
    return Estimate(len(matrix.cells()), frames, seconds, disk, unknown)


def _kept_bytes(matrix: Matrix, pixels: float) -> int:
    """All media of a source of so many pixels: masters, encodes, covered masters, delivered files."""
    total = 0.0
    for scale in {encode.scale or 1 for encode in matrix.encodes.values()}:
        total += _MASTER_BYTES * scale**2 * pixels
    for encode in matrix.encodes.values():
        own = (encode.scale or 1) ** 2 * pixels
        total += 0 if encode.preset == AS_IS else own * _bits(encode.preset) / 8
        for name in matrix.deliveries:
            ways = len(matrix.settings) * len(matrix.profiles)
            total += 0 if name is None else ways * own * _bits(name) / 8
        if any(matrix.deliveries):
            total += len(matrix.settings) * len(matrix.profiles) * own * _MASTER_BYTES
    return int(total)


def _bits(preset: str) -> float:
    return _BITS.get(presets.load(preset).encoder, _BITS["libx264"])


def _one_encode(matrix: Matrix, encode: EncodeSpec) -> float:
    """Seconds a megapixel of encoding and comparing."""
    if encode.preset == AS_IS:
        return 0.0
    cost = encode.generations * _ENCODE.get(presets.load(encode.preset).encoder, _ENCODE["libx265"])
    return cost + (0.0 if matrix.picture is None else _PICTURE)


def _searches(matrix: Matrix, frames: int, megapixels: float) -> float:
    """Seconds of searching, covering and delivering one encoded file in every way."""
    seconds = 0.0
    deliveries = [name for name in matrix.deliveries if name is not None]
    for settings in matrix.settings.values():
        one_size = settings.search.size is not None
        search = frames * _SEARCH_ONE_SIZE_S if one_size else megapixels * _SEARCH[settings.search.setting]
        search *= len(settings.search.classes)
        seconds += search + len(matrix.profiles) * megapixels * _COVER
        for name in deliveries:
            encoder = presets.load(name).encoder
            each = search + megapixels * (_ENCODE.get(encoder, _ENCODE["libx265"]) + _PICTURE + _ZONES)
            seconds += len(matrix.profiles) * each
    return seconds


def _extent(spec: SourceSpec) -> tuple[tuple[int, int], int]:
    """Size and number of frames of what is measured."""
    if spec.scene is not None:
        scene = spec.drawn()
        size, count = scene.size, scene.frames
    else:
        assert spec.file is not None
        clip = open_source(spec.file).clip
        size, count = (clip.width, clip.height), clip.num_frames
    return size, count if spec.frames is None else spec.frames[1] - spec.frames[0]
