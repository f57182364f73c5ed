"""Picture quality of a file against another: by hand, with numpy, and against ffmpeg's filters run alone."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.media_clips import draw
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.media import Picture, decode_timestamps
from vsanon.validation.metrics import picture_filters
from vsanon.validation.metrics.picture import PictureQuality, comparison_format, measure
from vsanon.validation.metrics.picture_filters import graph
from vsanon.validation.metrics.picture_parts import psnr
from vsanon.validation.metrics.picture_proof import prove
from vsanon.validation.metrics.pooling import Pooled
from vsanon.validation.metrics.unmeasured import NotMeasured

SOURCE = "testsrc2=s=320x240:r=25:d=0.4,noise=alls=12:allf=t:all_seed=7"


def flat(path: Path, luma: int, *, pix_fmt: str = "yuv420p", size: str = "320x240", frames: int = 3) -> Path:
    """A lossless clip of one luma and grey chroma, in 8-bit codes."""
    grey = f"color=black:s={size}:r=25:d={frames / 25},format=yuv444p,geq=lum={luma}:cb=128:cr=128"
    return draw(path, "-c:v", "ffv1", "-pix_fmt", pix_fmt, video=grey)


def pooled(quality: PictureQuality, name: str) -> Pooled:
    found = quality.scores[name]
    assert isinstance(found, Pooled), found
    return found


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(
        tmp_path_factory.mktemp("pair") / "reference.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p", video=SOURCE
    )


@pytest.fixture(scope="module")
def distorted(reference: Path) -> Path:
    coded = ("-map", "1:v", "-c:v", "libx264", "-crf", "35", "-pix_fmt", "yuv420p")
    return draw(reference.with_name("distorted.mkv"), *coded, inputs=("-i", str(reference)))


@pytest.fixture(scope="module")
def quality(reference: Path, distorted: Path) -> PictureQuality:
    return measure(reference, distorted)


def test_all_scores_come_of_one_pass_in_the_format_of_the_reference(quality: PictureQuality) -> None:
    assert (quality.pix_fmt, quality.frames) == ("yuv444p", 10)
    assert sorted(quality.scores) == sorted(
        ["psnr_y", "psnr_u", "psnr_v", "ssim", "xpsnr_y", "xpsnr_u", "xpsnr_v", "vmaf", "vmaf_neg", "vmaf_v1"]
    )
    for name in quality.scores:
        found = pooled(quality, name)
        assert found.frames == 10
        assert found.minimum <= found.percentile_1 <= found.harmonic_mean <= found.mean


def lumas(path: Path) -> list[NDArray[Any]]:
    found: list[NDArray[Any]] = []

    def look(picture: Picture) -> None:
        found.append(picture.planes[0].copy())

    decode_timestamps(path, look=look)
    return found


def test_psnr_of_luma_is_that_of_numpy_frame_by_frame(
    quality: PictureQuality, reference: Path, distorted: Path
) -> None:
    own, other = lumas(reference), lumas(distorted)
    expected = [psnr(a, b, 8) for a, b in zip(own, other, strict=True)]
    found = pooled(quality, "psnr_y")
    assert found.mean == pytest.approx(np.mean(expected), abs=0.005)  # the log has two decimals
    assert found.minimum == pytest.approx(min(expected), abs=0.005)
    assert expected[found.worst_frame] == pytest.approx(min(expected), abs=0.005)


def test_psnr_and_ssim_of_a_grey_picture_are_those_of_scikit_image(tmp_path: Path) -> None:
    oracle = pytest.importorskip("skimage.metrics", reason="the oracle scikit-image is not installed")
    grey = ("-c:v", "ffv1", "-pix_fmt", "yuv420p", "-vf")
    clips = [draw(tmp_path / "a.mkv", *grey, "format=gray,format=yuv420p", video=SOURCE)]
    clips.append(draw(tmp_path / "b.mkv", *grey, "boxblur=1:1,format=gray,format=yuv420p", video=SOURCE))
    got, pairs = measure(*clips), list(zip(*(lumas(clip) for clip in clips), strict=True))
    psnrs = [oracle.peak_signal_noise_ratio(a, b, data_range=255) for a, b in pairs]
    assert pooled(got, "psnr_y").mean == pytest.approx(np.mean(psnrs), abs=0.005)
    # ffmpeg's windows are of 8x8 samples and lie 4 apart, theirs here of 7x7 at every sample; the chroma is equal.
    ssims = [oracle.structural_similarity(a, b, data_range=255, win_size=7) for a, b in pairs]
    assert pooled(got, "ssim").mean == pytest.approx((4 * np.mean(ssims) + 1 + 1) / 6, abs=0.01)


@pytest.mark.slow
def test_ten_codes_off_is_28_decibels_and_untouched_chroma_has_the_ceiling(tmp_path: Path) -> None:
    got = measure(flat(tmp_path / "a.mkv", 100), flat(tmp_path / "b.mkv", 110))
    assert pooled(got, "psnr_y").mean == pytest.approx(28.13, abs=0.005)
    assert pooled(got, "psnr_u").mean == 60
    assert pooled(got, "xpsnr_v").mean == 60
    # Flat planes: SSIM is its luminance term, (2xy + c1) / (x² + y² + c1), for luma, and 1 for chroma.
    luma = (2 * 100 * 110 + 6.5025) / (100**2 + 110**2 + 6.5025)
    assert pooled(got, "ssim").mean == pytest.approx((4 * luma + 1 + 1) / 6, abs=1e-3)


def test_a_copy_has_the_best_scores(reference: Path) -> None:
    got = measure(reference, reference)
    assert pooled(got, "psnr_y").minimum == 60
    assert pooled(got, "ssim").minimum == 1
    assert pooled(got, "vmaf").mean > 97


@pytest.mark.slow
def test_a_model_that_was_not_asked_for_says_so(tmp_path: Path) -> None:
    clip = flat(tmp_path / "a.mkv", 100)
    got = measure(clip, clip, models=["vmaf"])
    assert isinstance(got.scores["vmaf"], Pooled)
    assert got.scores["vmaf_v1"] == NotMeasured("it was not asked for")
    assert isinstance(measure(clip, clip, models=[]).scores["vmaf"], NotMeasured)
    with pytest.raises(ValueError, match="no model 'vmaf_v2', only vmaf, vmaf_neg, vmaf_v1"):
        measure(clip, clip, models=["vmaf_v2"])


@pytest.mark.slow
def test_ten_bits_are_measured_in_ten_bits(tmp_path: Path) -> None:
    a, b = (flat(tmp_path / f"{k}.mkv", k, pix_fmt="yuv422p10le") for k in (100, 110))
    got = measure(a, b)
    assert got.pix_fmt == "yuv422p10le"
    assert pooled(got, "psnr_y").mean == pytest.approx(10 * np.log10(1023**2 / 40**2), abs=0.005)
    assert pooled(got, "psnr_u").mean == 72


def test_what_has_no_chroma_has_no_score_of_it(tmp_path: Path) -> None:
    got = measure(flat(tmp_path / "a.mkv", 100, pix_fmt="gray"), flat(tmp_path / "b.mkv", 110))
    assert pooled(got, "psnr_y").mean == pytest.approx(28.13, abs=0.005)
    assert got.scores["psnr_u"] == got.scores["xpsnr_v"] == NotMeasured("the reference has no chroma")


@pytest.mark.parametrize("frames", [2, 4])
@pytest.mark.slow
def test_a_pair_of_unequal_length_is_an_error_and_not_a_repeated_frame(tmp_path: Path, frames: int) -> None:
    with pytest.raises(InputError, match=f"one has {min(3, frames)} frames, the other {max(3, frames)}"):
        measure(flat(tmp_path / "a.mkv", 100), flat(tmp_path / "b.mkv", 100, frames=frames))


def test_a_pair_of_unequal_size_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"160x120, but its reference .* has 320x240"):
        measure(flat(tmp_path / "a.mkv", 100), flat(tmp_path / "b.mkv", 100, size="160x120"))


@pytest.mark.slow
def test_frames_are_paired_by_number_whatever_the_rate_and_the_start(
    tmp_path: Path, reference: Path, quality: PictureQuality, distorted: Path
) -> None:
    """The same packets at half the speed, and two seconds late."""
    late = draw(
        tmp_path / "late.mkv", "-map", "1:v", "-c", "copy", inputs=("-itsoffset", "2", "-i", str(distorted))
    )
    slow = draw(tmp_path / "slow.mkv", "-map", "1:v", "-c", "copy", inputs=("-itsscale", "2", "-i", str(distorted)))
    for moved in (late, slow):
        got = measure(reference, moved)
        assert {name: pooled(got, name) for name in got.scores} == {n: pooled(quality, n) for n in quality.scores}


def test_odd_names_of_folders_and_files_are_no_graph_syntax(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it's [a]:b,c;d\\e=%n"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    got = measure(flat(folder / "a:b.mkv", 100), flat(folder / "c%d.mkv", 110))
    assert pooled(got, "psnr_y").mean == pytest.approx(28.13, abs=0.005)
    assert isinstance(got.scores["vmaf"], Pooled)


@pytest.mark.parametrize(
    ("source", "compared"),
    [
        ("yuv420p", "yuv420p"),
        ("yuvj420p", "yuv420p"),
        ("yuv422p10le", "yuv422p10le"),
        ("yuva444p12le", "yuv444p12le"),
        ("yuv411p", "yuv444p"),
        ("yuv420p9le", "yuv420p10le"),
        ("gbrp", "yuv444p"),
        ("gbrpf32le", "yuv444p16le"),
        ("nv12", "yuv420p"),
        ("gray10le", "yuv444p10le"),
    ],
)
def test_files_are_compared_in_a_format_that_keeps_the_reference(source: str, compared: str) -> None:
    assert comparison_format(source) == compared


def test_the_graph_holds_both_formats_and_the_order_that_each_filter_wants() -> None:
    text, outputs = graph("yuv422p", Path("/t"), models=["vmaf"], xpsnr=True, threads=2)
    assert outputs == ["psnr", "ssim", "xpsnr", "vmaf"]
    assert text.count("format=yuv422p,") == 2
    assert "[r_xpsnr][d_xpsnr]xpsnr" in text
    for name in ("psnr", "ssim", "vmaf"):
        assert f"[d_{name}][r_{name}]" in text


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Ten bits, 404 pixels wide: lines of 808 bytes, which ffmpeg pads."""
    folder = tmp_path_factory.mktemp("deep")
    ten = ("-pix_fmt", "yuv420p10le")
    first = draw(folder / "a.mkv", "-c:v", "ffv1", *ten, video=SOURCE.replace("320x240", "404x228"))
    coded = ("-map", "1:v", "-c:v", "libx265", "-crf", "30", "-x265-params", "log-level=0", *ten)
    return first, draw(folder / "b.mkv", *coded, inputs=("-i", str(first)))


@pytest.mark.slow
def test_xpsnr_of_ten_bits_is_that_of_lines_without_padding(deep: tuple[Path, Path], tmp_path: Path) -> None:
    packed = []
    for path in deep:
        raw = ("-strict", "-1", "-pix_fmt", "yuv420p10le", "-f", "yuv4mpegpipe")
        packed.append(draw(tmp_path / f"{path.stem}.y4m", "-map", "1:v", *raw, inputs=("-i", str(path))))
    log = tmp_path / "log"
    run(["-i", str(packed[0]), "-i", str(packed[1]), "-lavfi", f"xpsnr=f={log}", "-f", "null", "-"])
    by_itself = [float(x) for x in re.findall(r"XPSNR y: *(\S+)", log.read_text())]
    got = measure(*deep, models=[])
    assert pooled(got, "xpsnr_y").mean == pytest.approx(np.mean(by_itself), abs=1e-4)
    assert abs(pooled(got, "xpsnr_y").mean - pooled(got, "psnr_y").mean) < 3  # 7.5 dB beside 34 without care


def test_a_metric_that_reads_its_pictures_wrongly_does_not_prove_itself_and_is_not_measured(
    deep: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_filters, "needs_packed_lines", lambda *_: False)
    got = measure(*deep, models=[])
    if isinstance(got.scores["xpsnr_y"], Pooled):
        pytest.skip("this ffmpeg's xpsnr reads padded lines")
    assert "xpsnr_y does not prove itself" in got.scores["xpsnr_y"].reason
    assert isinstance(got.scores["psnr_y"], Pooled)


def test_every_score_comes_with_its_proof(quality: PictureQuality) -> None:
    assert sorted(quality.proofs) == sorted(quality.scores)
    assert quality.proofs["psnr_u"].found == pytest.approx(20 * np.log10(255 / 4), abs=0.01)
    assert quality.proofs["xpsnr_y"].found == pytest.approx(6.02, abs=0.01)
    assert quality.proofs["ssim"].itself == 1
    assert quality.proofs["vmaf"].found < quality.proofs["vmaf"].itself - 1


def test_a_proof_that_is_off_says_what_was_expected_and_what_came_out() -> None:
    def scores(psnr: float) -> dict[str, Any]:
        return {"psnr_y": np.full(3, psnr)}

    known = {"itself": scores(np.inf), "moved": scores(36.09), "moved twice": scores(30.07), "blurred": scores(20)}
    assert prove("psnr_y", known, 8).holds
    assert (
        "36.09 dB of a known error was expected, it gives 35"
        in prove("psnr_y", {**known, "moved": scores(35)}, 8).failure
    )
    assert "against itself gives 50" in prove("psnr_y", {**known, "itself": scores(50)}, 8).failure
