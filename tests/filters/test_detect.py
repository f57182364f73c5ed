"""`detect`: what the model sees, and where its boxes lie in the clip."""

import logging
from typing import Any

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import blobs, drawn, found, plain, scene, use
from vsanon.detections import Detections
from vsanon.detectors.search import Search
from vsanon.filters import props, settled

U8 = NDArray[np.uint8]

GROUND, BLOB = 60, 220


def edges(rgb: U8) -> Detections:
    """The one bright blob, to a fraction of a pixel: extent by its sum of light, place by its centre."""
    light = (rgb[1].astype(float) - GROUND) / (BLOB - GROUND)
    light[light < 0.04] = 0  # a code or two of rounding on the way to RGB
    mass = light.sum()
    centre = [(light.sum(axis=a) * (np.arange(light.shape[1 - a]) + 0.5)).sum() / mass for a in (0, 1)]
    extent = [light.sum(axis=a).max() for a in (1, 0)]
    (cx, cy), (width, height) = centre, extent
    return found([(cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)])


def one_blob(box: tuple[int, int, int, int], **settings: Any) -> vs.VideoNode:
    def draw(n: int, p: int, shape: tuple[int, int]) -> U8:
        plane = np.full(shape, GROUND, np.uint8)
        plane[box[1] : box[3], box[0] : box[2]] = BLOB
        return plane

    return drawn(draw, **{"format": vs.RGB24, **settings})


def boxes_of(clip: vs.VideoNode, n: int = 0) -> NDArray[np.float32]:
    return props.read_detections(clip.get_frame(n).props, None).xyxy


@pytest.mark.parametrize("model", [None, (96, 96), (256, 64)])
@pytest.mark.parametrize("size", [64, 160, 640])
@pytest.mark.parametrize("whole", [(131, 93), (701, 303), (97, 401), (640, 360), (50, 30), (33, 33)])
def test_a_box_comes_back_to_where_the_clip_has_it(
    monkeypatch: pytest.MonkeyPatch, whole: tuple[int, int], size: int, model: tuple[int, int] | None
) -> None:
    use(monkeypatch, edges, size=model)
    width, height = whole
    box = (width // 3, height // 4, width // 3 + width // 4, height // 4 + height // 2)
    got = boxes_of(vsanon.detect(one_blob(box, size=whole), size=size))
    assert np.abs(got - np.array([box])).max() <= 1


@pytest.mark.parametrize("box", [(0, 0, 20, 20), (111, 73, 131, 93)])
def test_a_box_at_the_frames_edge_reaches_it(monkeypatch: pytest.MonkeyPatch, box: Any) -> None:
    use(monkeypatch, edges)
    got = boxes_of(vsanon.detect(one_blob(box, size=(131, 93)), size=64))
    assert np.abs(got - np.array([box])).max() <= 1


@pytest.mark.parametrize(
    ("whole", "size", "stride", "model", "content", "picture"),
    [
        ((1920, 1080), 640, 32, None, (640, 360), (640, 384)),
        ((1080, 1920), 640, 32, None, (360, 640), (384, 640)),
        ((640, 384), 640, 32, None, (640, 384), (640, 384)),
        ((50, 30), 640, 32, None, (50, 30), (64, 32)),
        ((50, 30), 640, 1, None, (50, 30), (50, 30)),
        # 701 -> 160; 303 * 160 / 701 = 69.2
        ((701, 303), 160, 8, None, (160, 69), (160, 72)),
        # A model of one size: 640 / 320 = 2, so 360 -> 180, with 140 rows of black below.
        ((640, 360), 640, 32, (320, 320), (320, 180), (320, 320)),
        ((200, 100), 640, 32, (320, 192), (200, 100), (320, 192)),
    ],
)
def test_the_model_sees_the_whole_picture_with_black_right_and_below(
    monkeypatch: pytest.MonkeyPatch,
    whole: tuple[int, int],
    size: int,
    stride: int,
    model: tuple[int, int] | None,
    content: tuple[int, int],
    picture: tuple[int, int],
) -> None:
    seen: list[U8] = []

    def look(rgb: U8) -> Detections:
        seen.append(rgb.copy())
        return found([])

    use(monkeypatch, look, stride=stride, size=model)
    clip = drawn(lambda n, p, shape: np.full(shape, 100 + p), format=vs.RGB24, size=whole)
    vsanon.detect(clip, classes=["face"], size=size).get_frame(0)
    (rgb,) = seen
    width, height = content
    assert rgb.shape == (3, picture[1], picture[0])
    for p in range(3):
        assert (rgb[p, :height, :width] == 100 + p).all()
        assert (rgb[p, height:] == 0).all()
        assert (rgb[p, :, width:] == 0).all()


def test_a_box_in_the_black_beside_the_picture_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(52, 5, 60, 20), (10, 10, 55, 31)]))
    clip = drawn(lambda n, p, shape: np.full(shape, 100), format=vs.RGB24, size=(50, 30))
    frame = vsanon.detect(clip).get_frame(0)
    assert frame.props["VsanonCount"] == 1
    assert frame.props["VsanonBoxes"] == [10, 10, 50, 30]


def test_the_colours_of_soft_are_those_of_the_picture_and_not_of_the_black_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, lambda rgb: found([(10, 10, 60, 31)]))
    clip = drawn(lambda n, p, shape: np.full(shape, 100), format=vs.RGB24, size=(50, 30))
    swatches = props.read_detections(vsanon.detect(clip).get_frame(0).props).swatches
    # Noise is at most 12.
    assert swatches.min() >= 88
    assert swatches.max() <= 112
    assert len(np.unique(swatches)) > 5


def test_the_noise_of_the_colours_goes_by_frame_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(10, 10, 40, 25)]))
    clip = scene(lambda n: [], length=2, size=(64, 32))
    one, other = vsanon.detect(clip), vsanon.detect(clip, seed=1)
    shown = [c.get_frame(n).props for c in (one, other) for n in (0, 1)]
    swatches = [props.read_detections(frame_props).swatches.tobytes() for frame_props in shown]
    assert len(set(swatches)) == 4


def test_only_the_classes_asked_for_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = Detections(
        np.array([[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]], np.float32),
        np.array([0.9, 0.8, 0.7], np.float32),
        ("person", "face", "plate"),
    )
    use(monkeypatch, lambda rgb: mixed)
    clip = scene(lambda n: [], length=1)
    frame = vsanon.detect(clip, classes=["face", "plate"], models={"plate": "any"}, size=640).get_frame(0)
    # Two models are opened and find the same here; each class is taken from its own model.
    assert frame.props["VsanonClasses"] == ["face", "plate"]


@pytest.mark.parametrize(
    "format",
    [vs.GRAY8, vs.GRAY16, vs.GRAYS, vs.YUV420P8, vs.YUV422P10, vs.YUV444P16, vs.YUV444PS, vs.RGB48, vs.RGBS],
)
def test_every_format_gives_the_same_picture_to_the_model(monkeypatch: pytest.MonkeyPatch, format: int) -> None:
    use(monkeypatch, edges)
    rgb = one_blob((40, 30, 80, 70), size=(160, 96))
    matrix = {} if vs.core.get_video_format(format).color_family == vs.RGB else {"matrix": 1}
    got = boxes_of(vsanon.detect(rgb.resize.Bilinear(format=format, **matrix)))
    assert np.abs(got - np.array([(40, 30, 80, 70)])).max() <= 1


@pytest.mark.parametrize(
    "tags",
    [{"_FieldBased": 2}, {"_Transfer": 3}, {"_Primaries": 3}, {"_Transfer": 16, "_Primaries": 9, "_Matrix": 9}],
)
def test_tags_that_a_small_picture_does_not_need_do_no_harm(monkeypatch: pytest.MonkeyPatch, tags: Any) -> None:
    use(monkeypatch, edges)
    clip = one_blob((40, 30, 80, 70), size=(160, 96)).resize.Bilinear(format=vs.YUV420P8, matrix=1)
    alpha = vs.core.std.BlankClip(format=vs.GRAY8, width=160, height=96, length=1)
    clip = clip.std.SetFrameProps(**tags).std.ClipToProp(alpha)
    got = boxes_of(vsanon.detect(clip))
    assert np.abs(got - np.array([(40, 30, 80, 70)])).max() <= 1


@pytest.mark.parametrize("matrix", [0, 2, 3])
def test_a_grey_clip_needs_no_matrix(monkeypatch: pytest.MonkeyPatch, matrix: int) -> None:
    use(monkeypatch, edges)
    clip = one_blob((40, 30, 80, 70), size=(160, 96), format=vs.GRAY8, _Matrix=matrix, _Range=1)
    out = vsanon.anonymize(clip)
    assert out.get_frame(0).props["VsanonCount"] == 1
    assert np.asarray(out.get_frame(0)[0])[50, 60] == 64


@pytest.mark.parametrize(("height", "name", "red"), [(720, "BT709", 255), (718, "ST170_M", 230)])
def test_a_clip_without_a_matrix_goes_by_its_height_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, height: int, name: str, red: int
) -> None:
    seen: list[U8] = []

    def look(rgb: U8) -> Detections:
        seen.append(rgb.copy())
        return found([])

    use(monkeypatch, look, stride=2)
    # Y 63, Cb 102, Cr 240 is pure red in BT.709; in BT.601: 1.164 * 47 + 1.596 * 112 = 233.4.
    codes = (63, 102, 240)
    clip = drawn(lambda n, p, shape: np.full(shape, codes[p]), size=(1280, height), _Matrix=2)
    with caplog.at_level(logging.WARNING):
        vsanon.detect(clip).get_frame(0)
    assert abs(int(seen[0][0, 5, 5]) - red) <= 4
    assert [name in r.message and "no matrix tag" in r.message for r in caplog.records] == [True]


def test_a_clip_with_a_matrix_is_taken_at_its_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(monkeypatch, lambda rgb: found([]))
    with caplog.at_level(logging.WARNING):
        vsanon.detect(scene(lambda n: [], length=1)).get_frame(0)
    assert not caplog.records


def test_a_frame_that_lost_its_tag_within_a_tagged_clip_is_searched_as_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, lambda rgb: found([(0, 0, 9, 9)]))
    clip = scene(lambda n: [], length=2)
    clip = clip[0] + clip[1].std.RemoveFrameProps(["_Matrix"])
    assert vsanon.detect(clip).get_frame(1).props["VsanonCount"] == 1


def test_the_data_clip_is_small_grey_and_as_long_and_fast_as_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(8, 8, 24, 40)]))
    clip = scene(lambda n: [], length=5, size=(320, 200)).std.AssumeFPS(fpsnum=30000, fpsden=1001)
    data = vsanon.detect(clip)
    assert data.format is not None
    assert (data.format.id, data.width, data.height) == (vs.GRAY16, 32, 20)
    assert (data.num_frames, data.fps_num, data.fps_den) == (5, 30000, 1001)
    known = {k: v for k, v in plain(data.get_frame(3).props).items() if k not in ("VsanonCells",)}
    assert known["VsanonSize"] == (320, 200)
    assert known["VsanonBoxes"] == (8, 8, 24, 40)
    assert known["VsanonClasses"] == "face"
    assert known["VsanonScores"] == pytest.approx(0.9)
    assert "VsanonTracked" not in known


def test_a_hard_cut_stands_out_and_a_slow_change_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([]))
    clip = scene(lambda n: [], background=lambda n: 40 + n + 60 * (n >= 6), length=12)
    changes = [f.props["VsanonChange1Diff"] for f in vsanon.detect(clip).frames()]
    # 61 of 255 codes at the cut, 1 elsewhere; frame 0 has none before it.
    assert changes == pytest.approx([0, *[1 / 255] * 5, 61 / 255, *[1 / 255] * 5], abs=1e-6)


def small_blobs(rgb: np.ndarray) -> Detections:
    """Blobs of 10 to 330 pixels, as a model of limited reach finds them."""
    seen = blobs(rgb)
    heights = seen.xyxy[:, 3] - seen.xyxy[:, 1]
    return seen.select((heights >= 10) & (heights <= 330))


def test_a_small_and_a_large_object_of_one_frame_are_found_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 1280x720 some of 12 px and one of 700 px, by a model that knows 10 to 330 px of its own picture."""
    use(monkeypatch, small_blobs)
    truth = [(1200, 20, 1212, 32), (100, 10, 700, 710), (1264, 704, 1280, 720)]
    clip = scene(lambda n: truth, size=(1280, 720), length=1)
    assert len(boxes_of(vsanon.detect(clip, size=640))) == 0
    got = boxes_of(vsanon.detect(clip, min_object_px=10, max_object_px=700))
    assert len(got) == 3
    for box in truth:
        assert np.abs(got - np.array(box)).max(axis=1).min() <= 5


def test_tiles_show_the_model_the_part_of_the_clip_that_they_stand_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of 320x320 looks at 640x384 in tiles; each blob comes back where it is, once."""
    use(monkeypatch, small_blobs, size=(320, 320))
    truth = [(x, y, x + 14, y + 14) for x in (3, 150, 313, 480, 620) for y in (5, 185, 365)]
    clip = scene(lambda n: truth, size=(640, 384), length=1)
    got = boxes_of(vsanon.detect(clip, min_object_px=16))
    assert len(got) == len(truth)
    assert all(np.abs(got - np.array(box)).max(axis=1).min() <= 1 for box in truth)


def test_two_models_of_a_class_are_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    clip = scene(lambda n: [(20, 20, 60, 60)], length=1)
    assert len(boxes_of(vsanon.detect(clip, models={"face": ["one", "two"]}))) == 1


def test_a_setting_that_is_not_known_lists_the_known_ones() -> None:
    with pytest.raises(vs.Error, match="setting is one of fast, balanced, thorough, not 'best'"):
        vsanon.detect(scene(lambda n: [], length=1), setting="best")


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_search_finds_the_same_boxes_and_colours(monkeypatch: pytest.MonkeyPatch, turned: int) -> None:
    shapes = set()

    def detect(rgb: U8) -> Detections:
        shapes.add(rgb.shape)
        return blobs(rgb)

    use(monkeypatch, detect, stride=2)
    clip = scene(lambda n: [(40, 30, 64, 60)], length=1)
    upright = props.read_detections(vsanon.detect(clip).get_frame(0).props)
    assert shapes == {(3, 96, 160)}
    turned_ = props.read_detections(vsanon.detect(clip, turned=turned).get_frame(0).props)
    assert shapes == ({(3, 96, 160)} if turned == 180 else {(3, 96, 160), (3, 160, 96)})
    assert turned_.xyxy.tolist() == upright.xyxy.tolist() == [[40, 30, 64, 60]]


@pytest.mark.parametrize(("size", "wanted"), [((160, 96), 90), ((96, 160), 0)])
@pytest.mark.slow
def test_auto_turns_to_where_the_sample_shows_more_and_else_not_at_all(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], wanted: int
) -> None:
    """A detector that is sure of what it sees in portraits only; of equal turns the first is taken."""

    def detect(rgb: U8) -> Detections:
        return found([(10, 10, 30, 30)], 0.9 if rgb.shape[1] > rgb.shape[2] else 0.3)

    use(monkeypatch, detect)
    clip = scene(lambda n: [(40, 30, 64, 60)], size=size, length=40)
    assert settled(clip, Search(turned="auto")) == Search(turned=wanted)
    frames = [vsanon.detect(clip, turned=turned).get_frame(7).props["VsanonBoxes"] for turned in ("auto", wanted)]
    assert frames[0] == frames[1]


def test_a_search_that_says_how_it_is_turned_reads_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    read = []
    clip = scene(lambda n: read.append(n) or [], length=4)
    assert settled(clip, Search(turned=180)) == Search(turned=180)
    assert read == []


def test_a_dark_frame_is_lit_for_the_model_and_its_colours_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def detect(rgb: U8) -> Detections:
        seen.append(int(rgb.max()))
        return found([(40, 30, 64, 60)])

    use(monkeypatch, detect)

    def draw(n: int, p: int, shape: tuple[int, int]) -> U8:
        plane = np.full(shape, 10, np.uint8)
        plane[30:60, 40:100] = 60
        return plane

    frame = vsanon.detect(drawn(draw, format=vs.RGB24), classes=["face"]).get_frame(0)
    assert seen == [224]
    assert 55 <= props.read_detections(frame.props).swatches.mean() <= 65
