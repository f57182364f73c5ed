"""Fail closed: whatever is missing or does not fit is an error that says what to do, or a frame covered whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import covered, data, drawn, found, planes, same, scene, use
from vsanon.detections import Detections
from vsanon.errors import InputError, ModelError
from vsanon.filters.same_picture import miniatures_of

LENGTH = 60
FAILS = 30


def searched(clip: vs.VideoNode) -> vs.VideoNode:
    return data(clip, lambda n: found([(20, 20, 60, 60)]))


def tracked(clip: vs.VideoNode) -> vs.VideoNode:
    return data(clip, lambda n: covered([(20, 20, 60, 60)]))


@pytest.fixture
def clip() -> vs.VideoNode:
    return scene(lambda n: [], length=LENGTH)


def failing(error: Exception | None) -> Callable[[NDArray[np.uint8]], Detections]:
    """Finds one face, but fails on frames brighter than 100."""

    def detect(rgb: NDArray[np.uint8]) -> Detections:
        if rgb.max() > 100 and error is not None:
            raise error.with_traceback(None)
        return found([(20, 20, 60, 60)] if rgb.max() <= 100 else [(20, 20, float("nan"), 60)])

    return detect


def flashing(**settings: Any) -> vs.VideoNode:
    return scene(lambda n: [], background=lambda n: 120 if n == FAILS else 90, length=LENGTH, **settings)


# ----------------------------------------------------------------------------- a model that fails


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModelError("the model broke"), "the model broke"),
        (InputError("the model takes another size"), "another size"),
        (ValueError("no such array"), "no such array"),
        (None, "boxes must be finite"),
    ],
)
def test_a_frame_on_which_the_model_fails_is_an_error_with_filter_and_frame(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, words: str
) -> None:
    use(monkeypatch, failing(error))
    out = vsanon.anonymize(flashing())
    with pytest.raises(vs.Error, match=f"(?s)detect: frame {FAILS}: .*{words}"):
        out.get_frame(FAILS)
    # Frames that need the failing one to know what to cover fail with it, and name it.
    with pytest.raises(vs.Error, match=f"(?s)detect: frame {FAILS}: .*{words}"):
        out.get_frame(FAILS - 20)


@pytest.mark.parametrize("error", [ModelError("the model broke"), ValueError("no such array"), None])
def test_on_request_that_frame_is_covered_whole_and_says_why(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    use(monkeypatch, failing(error))
    clip = flashing()
    out = vsanon.anonymize(clip, on_missing="mask")
    frame = out.get_frame(FAILS)
    for plane, code in zip(planes(frame), (71, 128, 128), strict=True):
        assert (plane == code).all()
    assert frame.props["VsanonClasses"] == "frame"
    assert str(error or "boxes must be finite") in frame.props["VsanonMissing"]
    for n in (FAILS - 1, FAILS + 1):
        beside = out.get_frame(n)
        assert beside.props["VsanonCount"] == 1
        assert "VsanonMissing" not in beside.props
        assert planes(beside)[0][40, 40] == 71
        assert planes(beside)[0][5, 150] == 90


def test_a_score_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for score in (float("nan"), 1.5, -0.1):
        use(monkeypatch, lambda rgb, score=score: found([(20, 20, 60, 60)], score))  # type: ignore[misc]
        with pytest.raises(vs.Error, match=r"detect: frame 0: scores must lie in \[0, 1\]"):
            vsanon.detect(flashing()).get_frame(0)


def test_an_error_that_is_not_ours_stops_the_frame_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, failing(RuntimeError("out of memory")))
    for on_missing in ("error", "mask"):
        with pytest.raises(vs.Error, match="out of memory"):
            vsanon.anonymize(flashing(), on_missing=on_missing).get_frame(FAILS)


def test_a_detector_that_returns_nothing_for_a_second_is_bridged(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(20, 20, 60, 60)] if rgb.max() <= 100 else []))
    blind = range(20, 44)  # 24 frames: the detections beside them lie 25 apart, a second at 25 fps
    clip = scene(lambda n: [], background=lambda n: 102 if n in blind else 100, length=LENGTH)
    counts = [f.props["VsanonCount"] for f in vsanon.anonymize(clip).frames()]
    assert counts == [1] * LENGTH


def test_a_detector_that_never_finds_anything_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([]))
    clip = flashing()
    out = vsanon.anonymize(clip)
    assert all(same(a, b) for a, b in zip(clip.frames(), out.frames(), strict=True))


# ------------------------------------------------------------------------- clips that don't belong


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask])
def test_a_frame_that_was_never_searched_is_an_error(clip: vs.VideoNode, filter_: Any) -> None:
    tracks = data(clip, lambda n: covered([]) if n != 3 else None)
    out = filter_(clip, tracks)
    out.get_frame(2)
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 3: no detection was made for this frame"):
        out.get_frame(3)


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask])
def test_a_grey_clip_that_carries_no_boxes_is_no_data_clip(clip: vs.VideoNode, filter_: Any) -> None:
    with pytest.raises(vs.Error, match=f"^{filter_.__name__}: expected the data clip of track, got a picture"):
        filter_(clip, vs.core.std.BlankClip(clip, format=vs.GRAY8))
    blank = miniatures_of(clip)
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 0: .*is this the clip that detect or track"):
        filter_(clip, blank).get_frame(0)
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 0: .*is this the clip that detect or track"):
        filter_(clip, vsanon.track(blank)).get_frame(0)


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask, vsanon.overlay])
def test_a_clip_that_was_resized_after_detection_is_refused_with_both_sizes(
    clip: vs.VideoNode, filter_: Any
) -> None:
    small = clip.resize.Bilinear(80, 48)
    # Also on a frame without a box: the next one may have one.
    for boxes in ([(20.0, 20.0, 60.0, 60.0)], []):
        tracks = data(clip, lambda n, boxes=boxes: covered(boxes))  # type: ignore[misc]
        with pytest.raises(
            vs.Error,
            match=f"{filter_.__name__}: frame 0: .*160x96, this one is 80x48: resize or crop before detect",
        ):
            filter_(small, tracks).get_frame(0)


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask, vsanon.overlay])
def test_clips_of_different_length_are_refused(clip: vs.VideoNode, filter_: Any) -> None:
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: the clip has 50 frames, .* 60: trim, repeat or decim"):
        filter_(clip[:50], tracked(clip))


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask, vsanon.overlay])
@pytest.mark.parametrize("boxes", [[(20.0, 20.0, 60.0, 60.0)], []])
def test_detections_are_no_tracks_even_where_there_are_none(clip: vs.VideoNode, filter_: Any, boxes: Any) -> None:
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 0: these are detections, not tracks: pass what"):
        filter_(clip, data(clip, lambda n: found(boxes))).get_frame(0)


def test_tracks_are_not_tracked_again(clip: vs.VideoNode) -> None:
    with pytest.raises(vs.Error, match="track: frame 0: these are tracks, not detections"):
        vsanon.track(vsanon.track(searched(clip))).get_frame(0)


@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask, vsanon.overlay])
def test_a_picture_is_no_data_clip(clip: vs.VideoNode, filter_: Any) -> None:
    with pytest.raises(vs.Error, match=f"{filter_.__name__}: expected the data clip of track, got .* YUV420P8"):
        filter_(clip, clip)
    with pytest.raises(vs.Error, match=r"track: expected the data clip of detect, got .* YUV420P8"):
        vsanon.track(clip)


def test_an_alpha_of_another_size_is_refused(clip: vs.VideoNode) -> None:
    alpha = vs.core.std.BlankClip(format=vs.GRAY8, width=80, height=48, length=LENGTH)
    with pytest.raises(vs.Error, match="blur: frame 0: the attached alpha is 80x48, the clip 160x96: resize it"):
        vsanon.blur(clip.std.ClipToProp(alpha), tracked(clip)).get_frame(0)


# --------------------------------------------------------------------------------------- formats


def every_filter(clip: Any, data_clip: Any) -> list[tuple[str, Callable[[], Any]]]:
    return [
        ("detect", lambda: vsanon.detect(clip)),
        ("blur", lambda: vsanon.blur(clip, data_clip)),
        ("mask", lambda: vsanon.mask(clip, data_clip)),
        ("overlay", lambda: vsanon.overlay(clip, data_clip)),
        ("load", lambda: vsanon.load(clip, Path("none.vsanon"))),
        ("(?:anonymize|detect)", lambda: vsanon.anonymize(clip)),
    ]


def test_a_clip_whose_size_or_format_changes_is_refused_and_says_what_to_do(
    clip: vs.VideoNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, lambda rgb: found([]))
    for part in (clip.resize.Bilinear(80, 48), clip.resize.Bilinear(format=vs.YUV420P10)):
        mixed = vs.core.std.Splice([clip[:30], part[30:]], mismatch=True)
        for name, call in every_filter(mixed, tracked(clip)):
            with pytest.raises(vs.Error, match=f"^{name}: the clip's format or size changes .*convert it to one"):
                call()


@pytest.mark.parametrize(("sample_type", "bits"), [(vs.FLOAT, 16), (vs.INTEGER, 32), (vs.INTEGER, 17)])
def test_sample_types_that_cannot_be_painted_are_refused(
    monkeypatch: pytest.MonkeyPatch, sample_type: vs.SampleType, bits: int
) -> None:
    use(monkeypatch, lambda rgb: found([]))
    format_ = vs.core.query_video_format(vs.GRAY, sample_type, bits)
    clip = vs.core.std.BlankClip(format=format_.id, width=160, height=96, length=2)
    for name, call in every_filter(clip, tracked(vs.core.std.BlankClip(length=2))):
        with pytest.raises(vs.Error, match=f"^{name}: .* is not supported: use 8 to 16 bits integer, or 32-bit"):
            call()


@pytest.mark.parametrize("matrix", [0, 3, 8, 10, 12, 14])
def test_a_matrix_that_cannot_be_painted_in_is_refused_when_the_script_is_read(
    monkeypatch: pytest.MonkeyPatch, clip: vs.VideoNode, matrix: int
) -> None:
    use(monkeypatch, lambda rgb: found([]))
    odd = clip.std.SetFrameProps(_Matrix=matrix)
    for filter_ in (vsanon.detect, lambda c: vsanon.blur(c, tracked(c)), lambda c: vsanon.overlay(c, tracked(c))):
        with pytest.raises(vs.Error, match=rf": the clip's matrix {matrix} is not supported: convert .*_Matrix=1"):
            filter_(odd)


def test_a_matrix_that_changes_within_the_clip_is_refused_at_its_frame(clip: vs.VideoNode) -> None:
    mixed = clip[:5] + clip[5:].std.SetFrameProps(_Matrix=14)
    out = vsanon.blur(mixed, tracked(mixed))
    out.get_frame(4)
    with pytest.raises(vs.Error, match="blur: frame 5: the clip's matrix 14"):
        out.get_frame(5)


def test_cosmetic_is_refused_on_interlaced_clips_when_the_script_is_read(clip: vs.VideoNode) -> None:
    fields = clip.std.SetFieldBased(vs.FIELD_TOP)
    with pytest.raises(vs.Error, match=r"^blur: cosmetic would blur across the fields .*deinterlace or use strict"):
        vsanon.blur(fields, tracked(clip), profile="cosmetic")
    mixed = clip[:5] + fields[5:]
    with pytest.raises(vs.Error, match="blur: frame 5: cosmetic would blur across the fields"):
        vsanon.blur(mixed, tracked(mixed), profile="cosmetic").get_frame(5)


def test_a_clip_without_a_rate_is_searched_but_not_tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(20, 20, 60, 60)]))
    clip = drawn(lambda n, p, shape: np.full(shape, 90), length=3)
    variable = vs.core.std.Splice([clip[:2], clip[2:].std.AssumeFPS(fpsnum=30)], mismatch=True)
    assert variable.fps == 0
    data_clip = vsanon.detect(variable)
    assert data_clip.get_frame(2).props["VsanonCount"] == 1
    with pytest.raises(vs.Error, match=r"^track: the clip's rate is .* set it with std\.AssumeFPS before detect"):
        vsanon.track(data_clip)


# ------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"classes": "face"}, r'classes is a list such as \["face"\]'),
        ({"classes": []}, r'classes is a list such as \["face"\]'),
        ({"classes": ["tattoo"]}, "no model finds 'tattoo' by itself: name one with models="),
        ({"size": 31}, "at least 32 pixels, got 31"),
        ({"size": 640.0}, "at least 32 pixels, got 640.0"),
        ({"seed": -1}, "seed is a whole number from 0 on, got -1"),
        ({"on_error": "ignore"}, 'on_error is "raise" or "mark", not \'ignore\''),
    ],
)
def test_detect_refuses_arguments_that_it_cannot_use(clip: vs.VideoNode, arguments: Any, words: str) -> None:
    with pytest.raises(vs.Error, match=f"^detect: .*{words}"):
        vsanon.detect(clip, **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"profile": "pixelate"},
            "profile is one of strict, soft, mosaic, picture, inpaint, cosmetic, not",
        ),
        ({"on_missing": "skip"}, 'on_missing is "error" or "mask"'),
        ({"grid": 0}, "grid is a block size from 1 to 128 pixels, got 0"),
        ({"grid": 129}, "grid is a block size from 1 to 128 pixels, got 129"),
        ({"grid": 8.0}, "grid is a block size from 1 to 128 pixels, got 8.0"),
        ({"fill": (0, 0)}, "fill is 'surroundings' or a colour of three whole numbers"),
        ({"fill": (0, 0, 256)}, "fill is 'surroundings' or a colour of three whole numbers"),
        ({"fill": "red"}, "fill is 'surroundings' or a colour of three whole numbers"),
        ({"shapes": {"face": "ellipse"}}, "shapes gives a Shape to each class"),
        ({"shapes": None}, "shapes gives a Shape to each class"),
    ],
)
def test_blur_refuses_arguments_that_it_cannot_use(clip: vs.VideoNode, arguments: Any, words: str) -> None:
    with pytest.raises(vs.Error, match=f"^blur: {words}"):
        vsanon.blur(clip, tracked(clip), **arguments)


def test_track_refuses_settings_of_another_kind(clip: vs.VideoNode) -> None:
    with pytest.raises(vs.Error, match=r"^track: settings is a TrackSettings, got dict"):
        vsanon.track(searched(clip), {"gap_s": 1.0})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["clip.mov", None, 5])
def test_what_is_no_clip_is_refused_by_every_filter(clip: vs.VideoNode, wrong: Any) -> None:
    for name, call in every_filter(wrong, tracked(clip)):
        with pytest.raises(vs.Error, match=f"^{name}: a clip was expected, got {type(wrong).__name__}"):
            call()
    for filter_ in (vsanon.blur, vsanon.mask, vsanon.overlay):
        with pytest.raises(vs.Error, match=f"^{filter_.__name__}: a clip was expected, got {type(wrong).__name__}"):
            filter_(clip, wrong)
    with pytest.raises(vs.Error, match=f"^track: a clip was expected, got {type(wrong).__name__}"):
        vsanon.track(wrong)


def test_a_box_that_is_no_number_is_an_error_in_every_filter(clip: vs.VideoNode) -> None:
    broken = tracked(clip).std.SetFrameProps(VsanonBoxes=[20.0, 20.0, float("nan"), 60.0])
    for filter_ in (vsanon.blur, vsanon.mask, vsanon.overlay):
        with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 0: boxes must be finite"):
            filter_(clip, broken).get_frame(0)


def test_a_box_that_is_turned_inside_out_is_an_error(clip: vs.VideoNode) -> None:
    broken = data(clip, lambda n: covered([(60.0, 20.0, 20.0, 60.0)]))
    for filter_ in (vsanon.blur, vsanon.mask):
        with pytest.raises(vs.Error, match=f"{filter_.__name__}: frame 0: a box needs finite x0 <= x1"):
            filter_(clip, broken).get_frame(0)


def test_a_track_file_that_is_missing_or_of_another_clip_is_refused(clip: vs.VideoNode, tmp_path: Path) -> None:
    with pytest.raises(vs.Error, match=r"^load: .*none\.vsanon: can't read the track file"):
        vsanon.load(clip, tmp_path / "none.vsanon")
