"""The five traps of measuring anonymised video: each shown to be one, and each kept out of."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.media_clips import draw
from tests.support.metric_scenes import observed
from vsanon.encode import ffmpeg_path, presets, run
from vsanon.errors import EncodeError
from vsanon.validation.metrics.exposure import identity_exposure
from vsanon.validation.metrics.picture import PictureQuality, measure
from vsanon.validation.metrics.picture_filters import VMAF_MODELS
from vsanon.validation.metrics.pooling import Pooled
from vsanon.validation.metrics.tracking import LostTracks, clear, lost_tracks
from vsanon.validation.metrics.unmeasured import NotMeasured

BOX = (0, 0, 10, 10)


def mean(quality: PictureQuality, name: str) -> float:
    found = quality.scores[name]
    assert isinstance(found, Pooled), found
    return found.mean


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Noise over bright 4:4:4 colours, and what little of it a 4:2:0 encode keeps."""
    folder = tmp_path_factory.mktemp("traps")
    source = "testsrc2=s=320x240:r=25:d=0.2,noise=alls=40:allf=t:all_seed=7"
    reference = draw(folder / "reference.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p", video=source)
    coded = ("-map", "1:v", "-c:v", "libx264", "-crf", "30", "-pix_fmt", "yuv420p")
    return reference, draw(folder / "distorted.mkv", *coded, inputs=("-i", str(reference)))


@pytest.fixture(scope="module")
def quality(pair: tuple[Path, Path]) -> PictureQuality:
    return measure(*pair)


def mean_of(log: Path, pattern: str) -> float:
    return float(np.mean([float(v) for v in re.findall(pattern, log.read_text(encoding="utf-8"))]))


def test_trap_1_a_three_frame_blackout_is_seen_by_every_score_of_ours() -> None:
    """Nothing at all comes from the tracker in frames 4 to 6; TrackEval 1.3.0 counts no fragment here."""
    frames = np.arange(10)
    dark = (frames >= 4) & (frames <= 6)
    truth = observed(*((n, 1, BOX) for n in frames))
    got = clear(truth, observed(*((n, 7, BOX) for n in frames[~dark])))
    assert (got.fragments, got.fn, got.id_switches) == (1, 3, 0)
    assert lost_tracks(frames, np.ones(10, np.int64), dark) == LostTracks(dropped=1, never_covered=0)
    assert identity_exposure("face", 1, frames, dark, dark * 100.0).longest_run_frames == 3


def test_trap_2_each_filter_gets_its_clips_in_the_order_that_it_wants(
    pair: tuple[Path, Path], quality: PictureQuality, tmp_path: Path
) -> None:
    reference, distorted = pair

    def xpsnr(first: Path, second: Path) -> float:
        both = "[0:v]format=yuv444p[a];[1:v]format=yuv444p[b];[a][b]"
        log = tmp_path / "log"
        run(["-i", str(first), "-i", str(second), "-filter_complex", f"{both}xpsnr=f={log}", "-f", "null", "-"])
        return mean_of(log, r"XPSNR y: *(\S+)")

    def vmaf(first: Path, second: Path) -> float:
        both = "[0:v]format=yuv444p[a];[1:v]format=yuv444p[b];[a][b]"
        log = tmp_path / "log"
        text = f"{both}libvmaf=log_fmt=json:log_path={log}"
        run(["-i", str(first), "-i", str(second), "-filter_complex", text, "-f", "null", "-"])
        return mean_of(log, r'"vmaf": ([\d.]+)[,\s]*}')

    assert mean(quality, "xpsnr_y") == pytest.approx(xpsnr(reference, distorted), abs=0.01)
    assert abs(xpsnr(distorted, reference) - xpsnr(reference, distorted)) > 1
    assert mean(quality, "vmaf") == pytest.approx(vmaf(distorted, reference), abs=0.01)
    assert abs(vmaf(reference, distorted) - vmaf(distorted, reference)) > 1


def test_trap_3_the_thread_count_changes_an_encode_so_every_preset_holds_its_own(tmp_path: Path) -> None:
    source = "testsrc2=s=256x256:r=25:d=0.6"
    preset = presets.load("h264_crf")
    args = presets.video_args(preset, preset.pix_fmts[0])
    place = args.index("-threads:v") + 1
    files = []
    for threads in ("1", "4", "4"):
        chosen = [*args[:place], threads, *args[place + 1 :]]
        files.append(draw(tmp_path / f"{len(files)}.mp4", *chosen, video=source).read_bytes())
    assert files[1] == files[2]
    assert files[0] != files[1]
    for name in presets.names():
        own = presets.load(name)
        told = presets.video_args(own, own.pix_fmts[0])
        assert told[told.index("-threads:v") + 1] == str(own.threads)


def test_trap_4_lost_chroma_is_not_hidden_by_a_conversion_of_the_reference(
    pair: tuple[Path, Path], quality: PictureQuality, tmp_path: Path
) -> None:
    reference, distorted = pair
    log = tmp_path / "log"
    files = ["-i", str(distorted), "-i", str(reference)]
    run([*files, "-filter_complex", f"[0:v][1:v]psnr=f={log}", "-f", "null", "-"])
    assert quality.pix_fmt == "yuv444p"
    assert mean(quality, "psnr_u") < mean_of(log, r"psnr_u:(\S+)") - 1


def test_trap_4_vmaf_v1_has_a_name_of_its_own_and_another_scale(quality: PictureQuality) -> None:
    assert VMAF_MODELS["vmaf"] == "vmaf_v0.6.1"
    assert VMAF_MODELS["vmaf_v1"].startswith("vmaf_v1.")
    assert abs(mean(quality, "vmaf") - mean(quality, "vmaf_v1")) > 1


def test_trap_4_bootstrap_models_fail_inside_the_filter_so_none_is_offered() -> None:
    graph = "color=s=320x240,split[a][b];[a][b]libvmaf=model=version=vmaf_b_v0.6.3"
    with pytest.raises(EncodeError, match="could not load libvmaf model"):
        run(["-filter_complex", graph, "-frames:v", "1", "-f", "null", "-"])
    assert not any(model.startswith("vmaf_b") for model in VMAF_MODELS.values())


def without(filters: str, folder: Path) -> Path:
    """An ffmpeg that behaves as one that was built without a filter."""
    program = folder / f"ffmpeg-without-{filters}"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *{filters}*) echo "[AVFilterGraph] No such filter: \'{filters}\'" >&2; exit 8;; esac\n'
        f'exec "{ffmpeg_path()}" "$@"\n'
    )
    program.chmod(0o755)
    return program


def test_trap_5_without_libvmaf_the_scores_say_that_they_were_not_measured(
    pair: tuple[Path, Path], quality: PictureQuality, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_FFMPEG", str(without("libvmaf", tmp_path)))
    got = measure(*pair)
    for name in VMAF_MODELS:
        assert got.scores[name] == NotMeasured("this ffmpeg is built without libvmaf")
        assert str(got.scores[name]) == "not measured: this ffmpeg is built without libvmaf"
    kept = {name for name in quality.scores if name not in VMAF_MODELS}
    assert {name: got.scores[name] for name in kept} == {name: quality.scores[name] for name in kept}


def test_trap_5_without_xpsnr_only_that_is_not_measured(
    pair: tuple[Path, Path], quality: PictureQuality, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_FFMPEG", str(without("xpsnr", tmp_path)))
    got = measure(*pair)
    assert got.scores["xpsnr_y"] == NotMeasured("this ffmpeg is built without xpsnr")
    assert got.scores["vmaf"] == quality.scores["vmaf"]


def test_trap_5_a_picture_too_small_for_a_model_is_not_measured_with_it(tmp_path: Path) -> None:
    small = draw(tmp_path / "a.mkv", "-c:v", "ffv1", video="testsrc2=s=160x120:r=25:d=0.08")
    refused = measure(small, small).scores["vmaf_v1"]
    assert isinstance(refused, NotMeasured)
    assert refused.reason.startswith(
        "libvmaf refuses the model vmaf_v1.0.16_3d0h on pictures of 160x120 in yuv420p: "
    )


def test_trap_5_nothing_is_left_unmeasured_without_a_reason() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        NotMeasured(" ")
