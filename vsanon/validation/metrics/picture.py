"""Picture quality of one file against another: PSNR, SSIM, XPSNR and VMAF, decoded once, in one ffmpeg graph.

Frames are compared by number, whatever the timestamps, and a pair of unequal length is an error: ffmpeg itself
repeats the last frame of the shorter one. What this ffmpeg can't measure is `NotMeasured`, with its reason, and so
is a score that does not prove itself on frames of the reference, in the same run (`picture_proof`).
"""

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsanon.encode import ffmpeg_path
from vsanon.errors import InputError
from vsanon.media import VideoFacts, pixel_format, probe
from vsanon.validation.metrics.picture_filters import PLANES, VMAF_MODELS, Graphs, refusal
from vsanon.validation.metrics.picture_proof import CHANGES, Proof, prove
from vsanon.validation.metrics.pooling import Pooled, finite, pool, worst_over_time
from vsanon.validation.metrics.unmeasured import NotMeasured

_DEPTHS = (8, 10, 12, 16)
_CHROMA = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """All scores of a pair.

    Args:
        pix_fmt: the format that both were compared in, that of the reference.
        frames: frames compared.
        scores: by name: psnr_y, psnr_u, psnr_v, ssim, xpsnr_y, xpsnr_u, xpsnr_v, and those of `VMAF_MODELS`.
        proofs: by the same names, of what was measured: what each gave where its value is known.
        over_time: luma PSNR, and VMAF where it was measured, by name: the worst of each `stretch` of frames.
    """

    pix_fmt: str
    frames: int
    scores: Mapping[str, Pooled | NotMeasured]
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    over_time: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def measure(
    reference: Path, distorted: Path, *, models: Collection[str] = tuple(VMAF_MODELS), threads: int = 1
) -> PictureQuality:
    """Compare two files frame by frame.

    A frame that is identical has no finite PSNR or XPSNR; it counts as 6 dB a bit plus 12, as in libvmaf.

    Args:
        reference: the file to compare with.
        distorted: the file that is judged, of the same size and number of frames.
        models: some of `VMAF_MODELS`, by name; they take most of the time.
        threads: of libvmaf; the scores don't depend on it.

    Raises:
        ValueError: there is no such model.
        InputError: a file has no video, or sizes or numbers of frames differ.
        EncodeError: ffmpeg failed.
        MissingError: there is no ffmpeg.
    """
    if unknown := sorted(set(models) - set(VMAF_MODELS)):
        raise ValueError(f"there is no model {unknown[0]!r}, only {', '.join(VMAF_MODELS)}")
    facts, other = _video(reference), _video(distorted)
    if facts.size != other.size:
        raise InputError(
            f"{distorted}: {other.size[0]}x{other.size[1]}, but its reference {reference} has "
            f"{facts.size[0]}x{facts.size[1]}. Compare files of one size."
        )
    pix_fmt = comparison_format(facts.pix_fmt)
    with tempfile.TemporaryDirectory() as folder:
        return _measure((reference, distorted), facts, pix_fmt, Path(folder), models, threads)


def comparison_format(pix_fmt: str) -> str:
    """The YUV format in which nothing of `pix_fmt` but alpha is lost, as far as the filters take one.

    RGB becomes 4:4:4, float 16 bits.

    Raises:
        InputError: ffmpeg has no such format.
    """
    found = pixel_format(pix_fmt)
    depth = next((d for d in _DEPTHS if d >= found.depth), _DEPTHS[-1])
    chroma = "444" if found.rgb or found.gray else _CHROMA.get(found.chroma, "444")
    return f"yuv{chroma}p{'' if depth == 8 else f'{depth}le'}"


def _measure(
    pair: tuple[Path, Path],
    facts: VideoFacts,
    pix_fmt: str,
    folder: Path,
    wanted: Collection[str],
    threads: int,
) -> PictureQuality:
    reference, distorted = pair
    program, bits, gray = ffmpeg_path(), pixel_format(pix_fmt).depth, pixel_format(facts.pix_fmt).gray
    refused = {
        name: refusal(program, "libvmaf", name, facts.size, pix_fmt) if name in wanted else "it was not asked for"
        for name in VMAF_MODELS
    }
    no_xpsnr = refusal(program, "xpsnr", None, facts.size, pix_fmt)
    models = [name for name, why in refused.items() if why is None]
    graphs = Graphs(facts, pix_fmt, folder, models, no_xpsnr is None, threads)
    logs = graphs.logs(reference, distorted)
    lengths = sorted({len(values) for values in logs.values()})
    if len(lengths) != 1 or not lengths[0]:
        raise InputError(
            f"{distorted} and its reference {reference} differ in length: one has {lengths[0]} frames, the "
            f"other {lengths[-1]}. Compare the same frames of both."
        )
    known = {change: graphs.logs(reference, reference, change) for change in CHANGES}
    proofs = {name: prove(name, known, bits) for name in logs}
    values = {name: finite(found, bits) if "psnr" in name else found for name, found in logs.items()}
    scores: dict[str, Pooled | NotMeasured] = {
        name: pool(found) if proofs[name].holds else NotMeasured(proofs[name].failure)
        for name, found in values.items()
    }
    scores |= {name: NotMeasured(why) for name, why in refused.items() if why is not None}
    if no_xpsnr is not None:
        scores |= {f"xpsnr_{p}": NotMeasured(no_xpsnr) for p in PLANES}
    if gray:
        colors = [f"{kind}_{p}" for kind in ("psnr", "xpsnr") for p in "uv"]
        scores |= {name: NotMeasured("the reference has no chroma") for name in colors}
    there = [name for name, score in scores.items() if isinstance(score, Pooled)]
    over_time = {name: worst_over_time(values[name]) for name in there if name == "psnr_y" or name in VMAF_MODELS}
    return PictureQuality(pix_fmt, lengths[0], scores, {name: proofs[name] for name in there}, over_time)


def _video(path: Path) -> VideoFacts:
    found = probe(path).video
    if found is None:
        raise InputError(f"{path}: no video stream to compare.")
    return found
