"""By how much an encoded file may differ from what was painted: the preset's tolerance, and what is added to it."""

from dataclasses import replace

from vsanon.encode import RawVideo
from vsanon.encode.presets import Preset, Tolerance
from vsanon.job.block_means import RESAMPLED_BLOCK, Grid, resampled
from vsanon.media import pixel_format

RESAMPLED = Tolerance(6.0, 4.0, 8.0)
"""What is added where chroma is resampled: the filter reaches over blocks, and its samples lie elsewhere. Seen with
prores_4444 on 4:2:0 and prores_hq on 4:4:4: up to 8 codes in small blocks of hard colours, 5.5 in those of
a grid. Such a grid has blocks of `RESAMPLED_BLOCK` pixels and more. More is added where they are under 32, as the
filter reaches as far into each: an edge of two saturated colours alone moves means by 14.4 codes in blocks of 8,
7.1 in those of 16, 3.6 in those of 32 (RGB to 4:2:2)."""

_REACH = 128
"""Codes by which a filter moves the mean of a block of a pixel."""

RESAMPLED_PICTURE = Tolerance(20.0, 4.0, 20.0)
"""The same where a picture is painted, of sharp edges in saturated colours: 17.2 codes in small blocks with
exr_float on 4:2:0, 10.7 with dnxhr_hq on 4:4:4."""

PICTURE = Tolerance(10.0, 0.0, 2.0)
"""What is added for a picture that is not resampled: its edges are sharper than what tolerances were measured on.
Seen: 7.3 codes more than the preset's own with h265_crf on stage_cuts_360p30, the smile over small faces; 4.3 with
h264_mkv. Chroma alone laid bare there is off by 105."""


def allowed_for(
    video: RawVideo, preset: Preset, tolerance: Tolerance, *, picture: bool = False
) -> tuple[Tolerance, float]:
    """What a tolerance of a preset is for these frames.

    Args:
        video: the frames.
        preset: how they are encoded.
        tolerance: of the preset.
        picture: whether regions are painted with one.

    Returns:
        The tolerance of all planes, and the `grid` of luma, which resampling leaves alone where YUV is delivered.
    """
    have, kept = pixel_format(video.pix_fmt), pixel_format(preset.pix_fmt_for(video.pix_fmt))
    if not resampled(have, kept):
        if not picture:
            return tolerance, tolerance.grid
        more = PICTURE
    else:
        more = RESAMPLED_PICTURE if picture else RESAMPLED
        more = replace(more, grid=max(more.grid, _REACH / Grid.of(video.size, RESAMPLED_BLOCK).block))
    grid = tolerance.grid + more.grid
    whole = Tolerance(tolerance.region + more.region, grid, tolerance.way + more.way)
    return whole, grid if kept.rgb else tolerance.grid
