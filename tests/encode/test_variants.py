"""Variants of a preset: what is changed is changed, in its place, and nothing else."""

import pytest

from vsanon.encode import presets
from vsanon.encode.variants import Changes, bits_per_second, requested, variant
from vsanon.errors import InputError

H264 = presets.load("h264_crf")
H264_RATE = presets.load("h264_abr")
PRORES = presets.load("prores_hq")


def value(preset: presets.Preset, flag: str) -> str | None:
    return preset.args[preset.args.index(flag) + 1] if flag in preset.args else None


def test_no_change_gives_the_preset_itself() -> None:
    assert variant(H264, Changes()) == H264


def test_a_crf_takes_the_place_of_the_presets_own() -> None:
    found = variant(H264, Changes(crf=35))
    assert (value(H264, "-crf"), value(found, "-crf")) == ("18", "35")
    assert found.name == "h264_crf-crf35"
    assert len(found.args) == len(H264.args)


def test_a_bit_rate_takes_the_place_of_a_crf_and_brings_its_peak_and_buffer() -> None:
    found = variant(H264, Changes(bit_rate=400_000))
    assert value(found, "-crf") is None
    assert (value(found, "-b:v"), value(found, "-maxrate"), value(found, "-bufsize")) == (
        "400000",
        "600000",
        "800000",
    )


def test_a_crf_takes_the_place_of_a_bit_rate_with_its_peak_and_buffer() -> None:
    found = variant(H264_RATE, Changes(crf=30))
    assert value(found, "-crf") == "30"
    assert not {"-b:v", "-maxrate", "-bufsize"} & set(found.args)


def test_gop_and_b_frames_are_added_where_the_preset_has_none() -> None:
    found = variant(H264, Changes(gop=12, b_frames=0))
    assert (value(found, "-g"), value(found, "-bf")) == ("12", "0")
    assert requested(found) == {"gop_frames": 12, "b_frames": False}


def test_another_pixel_format_leaves_the_profile_to_the_encoder() -> None:
    found = variant(H264, Changes(pix_fmt="yuv444p"))
    assert found.pix_fmts == ("yuv444p",)
    assert value(H264, "-profile:v") == "high"
    assert value(found, "-profile:v") is None


def test_denoising_is_a_filter_before_the_encoder() -> None:
    assert H264.prefilter == ""
    assert variant(H264, Changes(denoise="medium")).prefilter == "hqdn3d=4:3:6:4.5"


@pytest.mark.parametrize(
    ("preset", "changes", "words"),
    [
        (H264, Changes(crf=30, bit_rate=1000), "exclude each other"),
        (H264, Changes(crf=52), "is 0 to 51, got 52"),
        (PRORES, Changes(crf=30), "prores_ks has no CRF"),
        (PRORES, Changes(gop=12), "prores_ks has no CRF, bit rate, GOP"),
        (H264, Changes(pix_fmt="yuv999p"), "yuv999p"),
        (H264, Changes(denoise="wild"), "light, medium, strong"),
    ],
)
def test_what_an_encoder_has_not_is_refused(preset: presets.Preset, changes: Changes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        variant(preset, changes)


@pytest.mark.parametrize(("text", "rate"), [("800k", 800_000), ("1.5M", 1_500_000), (64_000, 64_000), ("12", 12)])
def test_bit_rates_are_read_as_ffmpeg_writes_them(text: str | int, rate: int) -> None:
    assert bits_per_second(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "-1M", "1G", "1 M"])
def test_what_is_no_bit_rate_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="bit rate"):
        bits_per_second(text)


def test_what_a_rate_preset_asks_for_is_read_off_its_arguments() -> None:
    assert requested(H264_RATE) == {"bit_rate": 12_000_000, "peak_bit_rate": 18_000_000, "buffer_bits": 24_000_000}


@pytest.mark.parametrize("name", ["vp9", "vp9_mkv"])
def test_a_rate_of_0_is_none_and_leaves_it_to_the_quality(name: str) -> None:
    assert "bit_rate" not in requested(presets.load(name))
