"""Mattes: applied by ffmpeg alone they give the picture of `strict`, as long as the source and at its times."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.loops import first_quick
from vsanon import filters
from vsanon.detections import Origin, TrackedBoxes
from vsanon.encode import RawVideo, encode, presets, run
from vsanon.errors import CheckError, InputError
from vsanon.filters.same_picture import miniatures_of
from vsanon.job import mattes
from vsanon.job.mattes import write_matte
from vsanon.media import Color, probe
from vsanon.media.source import open_source
from vsanon.timing import FrameRange, Timeline
from vsanon.tracks import write_edits
from vsanon.tracks.edit_kinds import KeyFrame, Region
from vsanon.tracks.file import TrackWriter

FRAMES, SIZE = 12, (128, 96)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """12 frames of noise in 4:2:0, at 29.97, of values that show every rounding."""
    draw = np.random.default_rng(7)

    def frames() -> list[list[NDArray[np.uint8]]]:
        shapes = [(96, 128), (48, 64), (48, 64)]
        return [[draw.integers(16, 236, s, dtype=np.uint8) for s in shapes] for _ in range(FRAMES)]

    timeline = Timeline(tuple(range(FRAMES)), Fraction(1001, 30000), Fraction(30000, 1001))
    video = RawVideo("yuv420p", SIZE, timeline, color=Color("bt709", "bt709", "bt709", "tv"))
    encode(frames(), video, presets.load("ffv1"), tmp_path / "clip.mkv")
    return tmp_path / "clip.mkv"


@pytest.fixture
def tracks(clip: Path, tmp_path: Path) -> Path:
    """A face that moves over another, and a polygon added by hand."""
    opened = open_source(clip)
    header = {"frames": FRAMES, "size": list(SIZE), "fps": "30000/1001"}
    writer = TrackWriter(header)
    for n, frame in enumerate(miniatures_of(opened.clip).frames()):
        xyxy = np.array([[20 + 3 * n, 20.5, 50 + 3 * n, 60], [60, 30, 84.25, 62]], np.float32)
        writer.add(
            TrackedBoxes(xyxy, np.full(2, 0.5, np.float32), ("face", "face"), (1, 2), (Origin.DETECTED,) * 2,
                         np.zeros((2, 5, 5, 3), np.uint8)),
            miniature=np.asarray(frame[0]),
        )  # fmt: skip
    writer.write(tmp_path / "t.vsanon")
    triangle = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    region = Region(9, FrameRange(2, 8), "logo", "polygon", (KeyFrame(2, (90, 60, 128, 96), triangle),))
    write_edits.add(tmp_path / "t.vsanon", [region], by="A. Person", reason="asked for")
    return tmp_path / "t.vsanon"


def pictures(path: Path) -> list[list[NDArray[np.int64]]]:
    node = open_source(path).clip
    assert node.format is not None
    return [
        [np.asarray(f[p]).astype(np.int64) for p in range(node.format.num_planes)] for f in node.frames(close=True)
    ]


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.slow
def test_maskedmerge_with_a_planar_matte_is_strict_within_two_codes(
    clip: Path, tracks: Path, tmp_path: Path, suffix: str
) -> None:
    matte = write_matte(clip, tracks, tmp_path / f"matte{suffix}", form="planar")
    merged = tmp_path / "merged.mkv"
    run(["-y", *matte.merge[1:-1], str(merged)])
    source = open_source(clip).clip
    strict = filters.blur(source, filters.load(source, tracks), grid=1)
    wanted = [[np.asarray(f[p]).astype(np.int64) for p in range(3)] for f in strict.frames(close=True)]
    got, before = pictures(merged), pictures(clip)
    assert len(got) == FRAMES
    for a, b, plain in zip(wanted, got, before, strict=True):
        for p in range(3):
            assert np.abs(a[p] - b[p]).max() <= 2
            assert np.abs(a[p] - plain[p]).max() > 50


def test_a_gray_matte_is_black_and_white_where_it_says_and_as_long_as_the_source(
    clip: Path, tracks: Path, tmp_path: Path
) -> None:
    write_matte(clip, tracks, tmp_path / "m.mkv", form="gray")
    found = open_source(tmp_path / "m.mkv")
    assert found.clip.format is not None
    assert (found.clip.format.name, found.clip.num_frames) == ("Gray10", FRAMES)
    assert found.timeline.fps == pytest.approx(Fraction(30000, 1001), rel=1e-3)
    first = pictures(tmp_path / "m.mkv")[0][0]
    assert first[40, 35] == 1023
    assert first[5, 120] == 0


def test_a_prores_matte_is_a_luma_matte_with_neutral_chroma(clip: Path, tracks: Path, tmp_path: Path) -> None:
    write_matte(clip, tracks, tmp_path / "m.mov", form="gray")
    facts = probe(tmp_path / "m.mov")
    assert facts.video is not None
    assert (facts.video.codec, facts.video.pix_fmt) == ("prores", "yuv422p10le")
    times, wanted = (open_source(p).timeline for p in (tmp_path / "m.mov", clip))
    assert [times.seconds(n) for n in range(FRAMES)] == [wanted.seconds(n) for n in range(FRAMES)]
    luma, u, v = pictures(tmp_path / "m.mov")[0]
    assert abs(luma[40, 35] - 940) <= 8
    assert abs(luma[5, 120] - 64) <= 8
    assert np.abs(np.stack([u, v]) - 512).max() <= 4


def test_an_alpha_matte_carries_the_weights_in_its_alpha(clip: Path, tracks: Path, tmp_path: Path) -> None:
    write_matte(clip, tracks, tmp_path / "m.mov", form="alpha")
    with open_source(tmp_path / "m.mov").clip.get_frame(0) as frame:
        alpha = np.asarray(frame.props["_Alpha"][0]).astype(np.int64)
        peak = (1 << frame.format.bits_per_sample) - 1
    assert alpha[40, 35] == peak
    assert alpha[5, 120] == 0


def late(sent: list[Any], _: int) -> list[Any]:
    return [sent[0], *sent[:-1]]


def without_a_region(sent: list[Any], plane: int) -> list[Any]:
    sent[3][plane][:] = sent[3][plane].min()
    return sent


@pytest.mark.parametrize("fault", first_quick([late, without_a_region]))
@pytest.mark.parametrize(
    ("form", "name", "plane"),
    [("gray", "m.mov", 0), ("gray", "m.mkv", 0), ("alpha", "m.mov", 3), ("planar", "m.mkv", 2)],
)
def test_a_matte_that_is_not_what_was_sent_is_not_delivered(
    clip: Path, tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, name: str, plane: int,
    fault: Any,
) -> None:  # fmt: skip
    def faulty(frames: Any, *args: Any, **options: Any) -> Any:
        sent = [[plane.copy() for plane in planes] for planes in frames]
        return encode(fault(sent, plane), *args, **options)

    monkeypatch.setattr(mattes, "encode", faulty)
    with pytest.raises(CheckError, match="the whole picture is what was painted"):
        write_matte(clip, tracks, tmp_path / name, form=form)
    assert not (tmp_path / name).exists()


def test_what_can_not_be_written_is_refused_first(clip: Path, tracks: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="form is one of"):
        write_matte(clip, tracks, tmp_path / "m.mov", form="purple")
    with pytest.raises(InputError, match=r"\.mov"):
        write_matte(clip, tracks, tmp_path / "m.mp4", form="alpha")
    with pytest.raises(InputError, match="also an input"):
        write_matte(clip, tracks, clip, form="planar", overwrite=True)
