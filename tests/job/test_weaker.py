"""A file is called anonymised only where it was searched, followed and covered as much as vsanon's figures say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.odd_files import H264, made
from vsanon import Search
from vsanon.covering.shapes import SHAPES, Shape
from vsanon.job.anonymised import objections
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings
from vsanon.job.weaker import unmeasured, weaker
from vsanon.models import shipped
from vsanon.tracking.evidence import Evidences
from vsanon.tracking.settings import TrackSettings

HD = (1920, 1080)
LESS_FACE = {"face": Shape("superellipse", (0.155, 0.155, 0.155, 0.155)), "plate": SHAPES["plate"]}


def against(settings: Settings, size: tuple[int, int] = HD) -> list[str]:
    """What speaks against a job, from what its ledger keeps of it as JSON."""
    analysis, painting = settings.analysis(settings.search, size), settings.painting(8).facts
    kept = json.loads(json.dumps([analysis, painting["shapes"]]))
    return weaker(*kept, size)


@given(st.integers(1, 8192), st.integers(1, 8192), st.sampled_from(["fast", "balanced", "thorough"]))
def test_nothing_speaks_against_a_setting_as_it_is_at_any_size_of_picture(
    width: int, height: int, name: str
) -> None:
    assert against(Settings(Search(setting=name)), (width, height)) == []
    assert against(Settings(Search(setting=name, stride="auto", threshold=0.01)), (width, height)) == []


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"threshold": 0.9999}, "a least score of 0.9999 was asked for, and centerface was measured with 0.05"),
        ({"threshold": 0.06}, "a least score of 0.06 was asked for, and centerface was measured with 0.05"),
        # CenterFace finds 16 px; 1920 px shown as 32 are 60 to one.
        ({"size": 32}, "faces under 960 px were not searched for, and every setting does from 24 px on"),
        ({"size": 640}, "faces under 48 px were not searched for, and every setting does from 24 px on"),
        ({"min_object_px": 30}, "plates under 30 px were not searched for, and every setting does from 20 px on"),
        # Its largest is 480 px, and nothing is shown smaller than it is.
        ({"size": 1920}, "faces higher than 480 px were not searched for"),
        (
            {"stride": 5},
            "one of 5 frames was searched, whatever the others needed; auto searches those that need it",
        ),
    ],
)
def test_a_search_for_less_than_every_setting_searches_for_speaks_against_a_file(
    search: dict[str, Any], words: str
) -> None:
    assert words in against(Settings(Search(**search)))


@pytest.mark.parametrize(
    "search",
    [
        {"threshold": 0.05},
        {"min_object_px": 20},
        {"size": 1280, "max_object_px": 1080},
        {"stride": 4},
        {"setting": "fast"},
    ],
)
def test_a_search_for_as_much_does_not(search: dict[str, Any]) -> None:
    assert against(Settings(Search(**search), TrackSettings(gap_s=2, lead_s=1, growth={"plate": 0.5}))) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"track": TrackSettings(gap_s=0.1)},
            "tracks were bridged over gaps of at most 0.1 s, and 1 s was measured",
        ),
        ({"track": TrackSettings(lead_s=0)}, "tracks were held before and after for 0 s, and 0.5 s was measured"),
        ({"track": TrackSettings(growth={"plate": 0.1})}, "tracks grew a second by 0.1, and 0.4 was measured"),
        ({"track": TrackSettings(evidence=Evidences())}, "what it takes to be covered was set otherwise"),
        ({"shapes": LESS_FACE}, "masks of faces are smaller than those that were measured"),
        ({"shapes": {"face": Shape("ellipse", (0.3, 0.3, 0.3, 0.3))}}, "masks of faces are smaller"),
    ],
)
def test_covers_that_are_held_shorter_or_smaller_than_measured_speak_against_a_file(
    settings: Mapping[str, Any], words: str
) -> None:
    (said,) = against(Settings(**settings))
    assert said.startswith(words)


def test_larger_masks_and_rectangles_hold_what_the_usual_ones_do() -> None:
    shapes = {
        "face": Shape("rectangle", (0.2, 0.2, 0.2, 0.2)),
        "plate": Shape("rectangle", (0.15, 0.15, 0.15, 0.2)),
    }
    assert against(Settings(shapes=shapes)) == []


def test_what_is_set_for_other_classes_covers_more_and_speaks_against_nothing() -> None:
    logo = {**SHAPES, "logo": Shape("ellipse", (0.0, 0.0, 0.0, 0.0))}
    assert against(Settings(track=TrackSettings(growth={"logo": 0}), shapes=logo)) == []
    said = {"threshold": 0.05, "least_scores": {"centerface": 0.05, "marks": 0.01}}
    assert weaker({**said, "models": {"face": ["centerface"], "plate": [], "logo": ["marks"]}}, None) == []
    (only,) = weaker({**said, "models": {"face": ["centerface", "marks"], "plate": []}}, None)
    assert only == "a least score of 0.05 was asked for, and marks was measured with 0.01"


def test_what_was_set_speaks_against_a_file_where_nothing_says_what_it_should_be() -> None:
    (said,) = weaker({"threshold": 0.5, "least_scores": []}, None, HD)
    assert said == "a least score of 0.5 was asked for, and nothing says with which its models were measured"
    shown = {"classes": ["face", "plate"], "size": 640, "heights_px": {"plate": [12, 700]}}
    assert weaker(shown, None, HD) == ["sizes of the search were set, and nothing says which faces it could find"]


@pytest.mark.parametrize("name", ["threshold", "size", "stride"])
def test_what_can_not_be_read_speaks_against_a_file(name: str) -> None:
    assert f"what was set as {name} can't be read" in weaker({name: "0.9"}, None, HD)
    assert weaker({name: None, "stride": "auto"}, None, HD) == []
    assert weaker({"track": {"lead_s": "1"}}, None, HD) == [
        "tracks were held before and after for 0 s, and 0.5 s was measured"
    ]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_whatever_a_ledger_says_there_is_judged_without_an_error(value: Any) -> None:
    names = ("threshold", "least_scores", "heights_px", "stride", "track", "size", "models")
    said = dict.fromkeys(names, value)
    assert isinstance(weaker(said, {"face": value}, HD), list)
    assert isinstance(unmeasured(said, [value]), list)


def test_a_class_that_only_models_search_that_vsanon_does_not_know_speaks_against_a_file() -> None:
    known = [card.facts for _, card in shipped()]
    own = {**known[0], "name": "blank", "sha256": "0" * 64}

    def said(**models: list[str]) -> list[str]:
        return unmeasured({"models": models}, [*known, own])

    assert said(face=["centerface"], plate=["plates"]) == []
    assert said(face=["centerface", "blank"], plate=["plates"], logo=["blank"]) == []
    assert said(face=["blank"], plate=["plates"]) == [
        "faces were searched for by blank, and vsanon has no figures of that"
    ]
    assert len(unmeasured({}, [own])) == 2


def test_a_file_searched_for_scores_that_no_model_gives_is_not_anonymised(tmp_path: Path) -> None:
    source = made(tmp_path / "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-frames:v", "6", *H264)
    plates = Search(classes=["plate"], threshold=0.9999)
    book = anonymize_file(source, tmp_path / "out.mp4", Settings(plates))
    assert "a least score of 0.9999 was asked for, and plates was measured with 0.2" in objections(book)
    assert not book["anonymised"]
    assert all(check["passed"] for check in book["checks"])
