"""Transcoded sound says what the source's does, to the sample where nothing may be lost; other sound is noticed."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.odd_files import H264, made, picture
from vsanon.encode import CopyPlan, Sound, plan_copy, presets
from vsanon.encode.presets import Preset
from vsanon.job.sound_checks import begins, compare_sound
from vsanon.media import probe
from vsanon.media.sound import SoundStart, blocks, sound_start
from vsanon.timing import Timeline

PRESETS = {name: presets.load(name) for name in ("prores_proxy", "h264_crf", "ffv1")}
NOISE = "anoisesrc=r=48000:d=0.6:a=0.5:c=pink:seed="
AT_0 = Fraction(0)
ALL = Timeline(tuple(range(25)), Fraction(1, 25), Fraction(25))


def noisy(path: Path, codec: str, seed: int = 1, *more: str) -> Path:
    """A picture with noise of a seed for its sound."""
    video = ("-c:v", "mpeg4") if path.suffix in (".avi", ".wmv") else H264
    return made(
        path,
        *picture(seconds=0.6),
        "-f",
        "lavfi",
        "-i",
        NOISE + str(seed),
        *video,
        "-bf",
        "0",
        "-c:a",
        codec,
        *more,
    )


def transcoded(source: Path, out: Path, preset: Preset, sound: Sound) -> CopyPlan:
    from vsanon.encode.carry_args import copy_args
    from vsanon.encode.ffmpeg import run

    facts = probe(source)
    plan = plan_copy(facts, preset, ["audio"], sound)
    inputs, maps, _ = copy_args(facts, plan, AT_0, preset, ALL)
    run(
        [
            "-y",
            "-copyts",
            "-i",
            str(source),
            *inputs,
            "-map",
            "0:v:0",
            *maps,
            "-c:0",
            "copy",
            "-f",
            preset.muxer,
            str(out),
        ]
    )
    return plan


def results(source: Path, out: Path, plan: CopyPlan) -> dict[str, bool]:
    first = probe(source).streams[0].start or AT_0, probe(out).streams[0].start or AT_0
    return {name: passed for name, passed, _, _ in compare_sound(source, out, plan, *first)}


@pytest.mark.parametrize("codec", ["wmav2", "pcm_mulaw", "pcm_s16le", "pcm_s24le", "mp2", "flac"])
@pytest.mark.parametrize("mode", ["pcm", "aac"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n != "ffv1" else n for n in PRESETS])
def test_sound_in_another_codec_is_the_sources(tmp_path: Path, codec: str, mode: str, name: str) -> None:
    source = noisy(tmp_path / f"in{'.wmv' if codec == 'wmav2' else '.mkv'}", codec)
    preset = PRESETS[name]
    out = tmp_path / f"out{preset.suffix}"
    plan = transcoded(source, out, preset, Sound(mode))
    checks = results(source, out, plan)
    expected = 0 if plan.streams[0][1] == codec else 2
    assert (len(checks), all(checks.values())) == (expected, True)


@pytest.mark.parametrize("codec", ["wmav2", "pcm_mulaw", "adpcm_ms"])
def test_what_mp4_and_mov_do_not_take_loses_nothing(tmp_path: Path, codec: str) -> None:
    source = noisy(tmp_path / f"in{'.wmv' if codec == 'wmav2' else '.avi'}", codec)
    for name in ("prores_proxy", "h264_crf"):
        out = tmp_path / f"out{PRESETS[name].suffix}"
        plan = transcoded(source, out, PRESETS[name], Sound())
        assert plan.streams[0][1] in ("alac", "pcm_s16le", "pcm_s24le", codec)
        assert all(results(source, out, plan).values())


def test_sound_that_is_louder_than_integers_hold_is_cut_off_at_their_ends_and_still_the_sources(
    tmp_path: Path,
) -> None:
    """A square wave at full scale, whose AAC swings beyond it when decoded."""
    wave = ("-f", "lavfi", "-i", r"aevalsrc=2*gt(sin(2*PI*300*t)\,0)-1:s=48000:d=0.5")
    source = made(tmp_path / "in.mkv", *picture(seconds=0.5), *wave, *H264, "-bf", "0", "-c:a", "aac")
    assert max(float(np.abs(block).max()) for block in blocks(sound_start(source, 1))) > 1.01
    out = tmp_path / "out.mov"
    plan = transcoded(source, out, PRESETS["prores_proxy"], Sound("pcm"))
    assert plan.streams[0][1] == "pcm_s24le"
    assert all(results(source, out, plan).values())
    quieter = made(tmp_path / "bad.mov", "-i", str(out), "-c:v", "copy", "-c:a", "pcm_s24le", "-af", "volume=0.999")
    assert not all(results(source, quieter, plan).values())


@pytest.mark.parametrize("mode", ["pcm", "aac"])
@pytest.mark.parametrize(
    "wrong",
    [
        ("-af", "volume=0.9"),
        ("-af", "volume=1.1"),
        ("-af", "volume=0.01"),
        ("-af", "volume=0.5"),
        ("-af", "volume=2"),
        ("-af", "adelay=30:all=1"),
        ("-t", "0.3"),
        ("-ac", "2"),
        ("-ar", "44100"),
    ],
)
def test_quieter_later_shorter_and_other_sound_is_noticed(
    tmp_path: Path, mode: str, wrong: tuple[str, ...]
) -> None:
    source, out = noisy(tmp_path / "in.mkv", "flac"), tmp_path / "out.mov"
    plan = transcoded(source, out, PRESETS["prores_proxy"], Sound(mode))
    bad = made(tmp_path / "bad.mov", "-i", str(out), "-c:v", "copy", "-c:a", plan.streams[0][1], *wrong)
    if mode == "aac" and wrong[1] in ("volume=0.9", "volume=1.1"):
        return  # no more than what the codec leaves out, and the noise that it adds
    assert not all(results(source, bad, plan).values())


def test_sound_is_the_sources_where_its_time_was_rounded_to_a_millisecond(tmp_path: Path) -> None:
    """White noise that is compared 48 samples aside is other noise."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=r=48000:d=0.6:a=0.3:c=white:seed=3")
    vp9 = ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "aac", "-b:a", "320k")
    source, out = made(tmp_path / "in.mp4", *picture(seconds=0.6), *noise, *vp9), tmp_path / "out.webm"
    plan = transcoded(source, out, presets.load("vp9"), Sound())
    assert plan.streams[0][1] == "opus"
    assert all(results(source, out, plan).values())

    def told_later(seconds: float) -> dict[str, bool]:
        both = ("-i", str(out), "-itsoffset", str(seconds), "-i", str(out), "-map", "0:v", "-map", "1:a")
        return results(source, made(tmp_path / f"{seconds}.webm", *both, "-c", "copy"), plan)

    assert told_later(0.001) == {"audio 1 as opus: begins": True, "audio 1 as opus: samples": True}
    assert not told_later(0.03)["audio 1 as opus: samples"]
    assert not told_later(0.06)["audio 1 as opus: begins"]


@pytest.mark.parametrize("mode", ["pcm", "aac"])
def test_other_noise_is_noticed(tmp_path: Path, mode: str) -> None:
    source, other, out = (
        noisy(tmp_path / "in.mkv", "flac"),
        noisy(tmp_path / "b.mkv", "flac", 2),
        tmp_path / "out.mov",
    )
    plan = transcoded(other, out, PRESETS["prores_proxy"], Sound(mode))
    assert not all(results(source, out, plan).values())


def test_sound_begins_as_long_before_or_after_the_picture_as_it_did() -> None:
    tick = Fraction(1, 48000)
    was = SoundStart("in.mkv", 1, Fraction(1, 2), tick, 48000, 16)
    now = SoundStart("out.mov", 1, Fraction(3, 2), tick, 48000, 16)
    assert begins("audio 1", was, now, Fraction(0), Fraction(1), lossy=False)[1]
    _, passed, wanted, found = begins("audio 1", was, now, Fraction(0), Fraction(98, 100), lossy=False)
    assert not passed
    assert wanted.startswith("0.500000 s from the first frame")
    assert found == "0.520000 s, 48000 Hz"
    assert not begins("audio 1", was, replace(now, rate=44100), Fraction(0), Fraction(1), lossy=False)[1]
