"""The settings: what they name exists and may be used, and `thorough` finds the smallest with the largest."""

import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from vsanon.boxes import iou
from vsanon.detectors.ensemble import Policy
from vsanon.detectors.recipes import DEFAULT, SETTINGS, Recipe
from vsanon.detectors.scale import Scale, plan
from vsanon.detectors.search import Search
from vsanon.detectors.second_look import SecondLook
from vsanon.errors import InputError, MissingError
from vsanon.filters import props
from vsanon.models import cards, fetch

U8 = NDArray[np.uint8]
SIZE = (3840, 2160)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_names_models_that_may_be_used_and_can_be_had(setting: str) -> None:
    known = cards()
    for recipe in SETTINGS[setting].values():
        for model in recipe.models:
            assert "non-commercial" not in known[model].licence
            assert known[model].sources


def test_the_default_is_a_setting_and_knows_faces() -> None:
    assert "face" in SETTINGS[DEFAULT]


def test_a_size_alone_is_the_only_picture_and_a_smallest_object_adds_to_it() -> None:
    assert Search().recipes()["face"].scale == SETTINGS[DEFAULT]["face"].scale
    alone = Search(size=960).recipes()["face"].scale
    assert (alone.size, alone.min_object_px, alone.max_object_px) == (960, None, None)
    added = Search(size=960, min_object_px=12).recipes()["face"].scale
    assert (added.size, added.min_object_px) == (960, 12)


@pytest.mark.parametrize(("frame", "widest"), [((640, 360), 1280), ((960, 540), 1280), ((352, 288), 704)])
def test_the_default_shows_a_small_clip_to_the_face_model_twice_as_large_and_up_to_1280_wide(
    frame: tuple[int, int], widest: int
) -> None:
    card = cards()[SETTINGS[DEFAULT]["face"].models[0]]
    views = plan(frame, card.input, card.reach, SETTINGS[DEFAULT]["face"].scale)
    assert max(view.size[0] for view in views) == widest


def test_models_that_are_named_take_the_place_of_the_settings() -> None:
    recipe = Search(models={"face": ["yunet_n", "yunet_s"]}, setting="thorough").recipes()["face"]
    assert recipe.models == ("yunet_n", "yunet_s")
    assert recipe.scale == SETTINGS["thorough"]["face"].scale


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"classes": []}, 'a list such as \\["face"\\]'),
        ({"classes": "face"}, 'a list such as \\["face"\\]'),
        ({"classes": ["plume"]}, "no model finds 'plume' by itself"),
        ({"setting": "best"}, "one of fast, balanced, thorough"),
        ({"size": 3}, "at least 32 pixels"),
        ({"stride": 0}, "from 1 to 60"),
        ({"models": {"face": []}}, "at least one model"),
        ({"min_object_px": -1}, "0 < smallest"),
        ({"min_object_px": 50, "max_object_px": 20}, "smallest <= largest"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(arguments: dict[str, object], why: str) -> None:
    with pytest.raises(InputError, match=why):
        Search(**arguments)  # type: ignore[arg-type]


def test_keywords_come_before_the_fields_of_a_search_and_an_unknown_one_is_refused() -> None:
    search = Search(setting="fast", stride=4)
    assert Search.of(search, {"stride": 2}) == Search(setting="fast", stride=2)
    assert Search.of(None, {"models": None}) == Search()
    with pytest.raises(InputError, match="a search has no 'sise'; it has classes, models, setting, size,"):
        Search.of(search, {"sise": 640})
    with pytest.raises(InputError, match="name its fields as keywords"):
        Search.of(["face"], {})  # type: ignore[arg-type]


def test_lists_and_single_models_of_a_search_become_tuples() -> None:
    search = Search(classes=["face", "face"], models={"face": "yunet_n"}, ignore=[[0, 0, 8, 8]])  # type: ignore[list-item]
    assert (search.classes, search.models, search.ignore) == (("face",), {"face": ("yunet_n",)}, ((0, 0, 8, 8),))


def test_only_the_model_that_it_was_measured_with_looks_again() -> None:
    own = Search().recipes()
    assert (own["face"].second, own["plate"].second) == (None, SecondLook())
    assert Search(models={"plate": "plates"}).recipes()["plate"].second == SecondLook()
    assert Search(models={"plate": "hyperlpr3_640"}).recipes()["plate"].second is None
    assert Search().facts()["second_looks"] == {"plate": asdict(SecondLook())}
    assert Search(classes=["face"]).facts()["second_looks"] == {}


def test_a_recipe_wants_no_more_votes_than_models() -> None:
    with pytest.raises(ValueError, match="2 votes are wanted of 1"):
        Recipe(("one",), policy=Policy(min_votes=2))


def test_a_model_may_look_at_a_scale_of_its_own_and_a_size_asked_for_holds_for_it_too() -> None:
    own = Recipe(("one", "two"), scales={"two": Scale(fine=(12, 1280))})
    assert (own.scale_of("one"), own.scale_of("two")) == (Scale(tile_px=1280), Scale(fine=(12, 1280)))
    with pytest.raises(ValueError, match="three has a scale, and is none of the models one, two"):
        Recipe(("one", "two"), scales={"three": Scale()})
    for recipe in Search(size=480).recipes().values():
        for scale in (recipe.scale, *recipe.scales.values()):
            assert (scale.size, scale.min_object_px, scale.fine) == (480, None, None)


# A 4K frame with faces of 12 px and one of 1500 px.


def labelled(folder: Path) -> list[tuple[U8, list[float]]]:
    """The faces of dlib's examples with as much around them as they are high: picture, and box in it."""
    found = []
    for name in ("testing.xml", "training.xml"):
        for image in ET.parse(folder / name).getroot().iter("image"):
            path = folder / str(image.get("file"))
            rgb = cv2.imread(str(path)) if path.is_file() else None
            for box in image.iter("box"):
                x, y, w, h = (float(box.get(key, "nan")) for key in ("left", "top", "width", "height"))
                if rgb is not None and min(x, y) > h and x + w + h < rgb.shape[1] and y + h + h < rgb.shape[0]:
                    found.append((np.ascontiguousarray(rgb[:, :, ::-1]), [x, y, x + w, y + h]))
    return found


def paste(canvas: U8, rgb: U8, box: list[float], middle: tuple[int, int], height: int) -> list[float]:
    """Put a face, `height` pixels high, around `middle`, faded into the canvas; its box there."""
    scale = height / (box[3] - box[1])
    x0, y0 = (max(0, round(box[i] - 0.9 * (box[i + 2] - box[i]))) for i in (0, 1))
    x1, y1 = (round(box[i + 2] + 0.9 * (box[i + 2] - box[i])) for i in (0, 1))
    crop = rgb[y0:y1, x0:x1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=how)
    left = middle[0] - round(((box[0] + box[2]) / 2 - x0) * scale)
    top = middle[1] - round(((box[1] + box[3]) / 2 - y0) * scale)
    rows = slice(max(0, top), min(SIZE[1], top + small.shape[0]))
    columns = slice(max(0, left), min(SIZE[0], left + small.shape[1]))
    fade = max(1, min(small.shape[:2]) // 12)
    weight = np.zeros(small.shape[:2], np.float32)
    weight[fade:-fade, fade:-fade] = 1
    weight = cv2.blur(weight, (2 * fade + 1, 2 * fade + 1))[..., None]
    part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    canvas[rows, columns] = small[part] * weight[part] + canvas[rows, columns] * (1 - weight[part])
    edges = (left, top, left, top)
    return [edge + (value - o) * scale for edge, value, o in zip(edges, box, (x0, y0, x0, y0), strict=True)]


def crowd(assets: Path) -> tuple[U8, NDArray[np.float32]]:
    """A wall with a face of 1500 px and 24 of 12 px: (H, W, 3) and their boxes."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    grain = np.random.RandomState(3).normal(0, 6, (540, 960)).astype(np.float32)
    wall = 110 + 40 * np.sin(x / 900) + 25 * np.cos(y / 500) + cv2.resize(grain, SIZE)
    canvas = np.repeat(np.clip(wall, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    folder = assets / "images/faces_dlib"
    faces = labelled(folder)
    close = np.ascontiguousarray(cv2.imread(str(folder / "bald_guys.jpg"))[:, :, ::-1])
    truth = [paste(canvas, close, [62, 41, 234, 257], (1250, 1080), 1500)]
    places = [(x, y) for y in range(60, 2160, 340) for x in range(2700, 3800, 290)][:24]
    for k, place in enumerate(places):
        truth.append(paste(canvas, *faces[k * 7 % len(faces)], place, 12))
    return canvas, np.array(truth, np.float32)


@pytest.mark.assets
@pytest.mark.slow
def test_thorough_finds_faces_of_12_and_of_1500_px_in_one_4k_frame(assets: Path) -> None:
    try:
        fetch(cards()["centerface"], lambda _: None)
    except MissingError as error:
        pytest.skip(f"CenterFace can't be pulled here: {error}")
    canvas, truth = crowd(assets)

    def fill(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for p in range(3):
            np.asarray(out[p])[:] = canvas[..., p]
        return out

    blank = vs.core.std.BlankClip(width=SIZE[0], height=SIZE[1], format=vs.RGB24, length=1)
    frame = vsanon.detect(blank.std.ModifyFrame(blank, fill), setting="thorough").get_frame(0)
    found = props.read_detections(frame.props)
    overlap = iou(truth, found.xyxy)
    assert (overlap.max(axis=1) >= 0.4).all()
    assert (found.scores[overlap.argmax(axis=1)] >= 0.4).all()  # enough for the tracker to believe each alone


def test_a_model_that_does_not_find_the_class_it_is_named_for_is_refused() -> None:
    """It would find nothing, and say nothing."""
    with pytest.raises(InputError, match=r"plates finds plate, and no 'logo'"):
        Search(classes=["face", "logo"], models={"logo": "plates"}).cards()
    with pytest.raises(InputError, match=r"no 'face'"):
        Search(classes=["face"], models={"face": ["centerface", "plates"]}).cards()
