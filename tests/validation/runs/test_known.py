"""A truth travels with its key: a step that looks at the truth is made again where the truth is another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsanon.detectors.search import Search
from vsanon.job.settings import Settings
from vsanon.validation.runs import step_cover, step_delivery
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.specs import EncodeSpec
from vsanon.validation.runs.store import Step
from vsanon.validation.runs.true_boxes import TrueBoxes
from vsanon.validation.truth.boxes import Truth

SETTINGS = Settings(Search(classes=("plate",)))


class KeySeenError(Exception):
    """The key of the last step that was asked for; nothing is made."""


class Keys:
    """A store that has the covered picture without loss, and shows the keys of all else."""

    def step(self, key: str, make: Any, *files: str) -> Step:
        if files == ("anonymised.mkv",):
            return Step(key, {}, Path)
        raise KeySeenError(key)


def truth(*x: int) -> Truth:
    """A plate of 10x10 at frame 0, from each x."""
    n, flags = len(x), np.zeros(len(x), np.bool_)
    boxes = np.array([(left, 0, left + 10, 10) for left in x], np.float32).reshape(n, 4)
    return Truth(np.zeros(n, np.int64), np.arange(n), np.full(n, "plate"), boxes, flags, flags, flags)


def step(name: str, **result: Any) -> Step:
    return Step(name, result, Path)


def ask(name: str, known: Known) -> None:
    store: Any = Keys()
    found, encoded = step("found"), step("encoded")
    if name == "cover":
        step_cover.cover(store, found, known, SETTINGS, step("seen"))
    elif name == "regions":
        boxes = TrueBoxes(known, ("plate",))
        step_cover.regions(store, step("master"), encoded, boxes, lambda: boxes)
    else:
        step_delivery.deliver(store, encoded, found, SETTINGS, "h264_crf", known, None)


def key_of_step(name: str, known: Known) -> str:
    with pytest.raises(KeySeenError) as seen:
        ask(name, known)
    return str(seen.value)


@pytest.mark.parametrize("name", ["cover", "regions", "deliver"])
def test_another_truth_is_another_step(name: str) -> None:
    one, other = Known(truth(0), "one"), Known(truth(5), "other")
    assert key_of_step(name, one) == key_of_step(name, one)
    assert key_of_step(name, one) != key_of_step(name, other)


def test_a_truth_at_another_size_has_another_key_and_boxes() -> None:
    read = step("read", range=[0, 1], condition={"size": [100, 50], "fps": "25"})
    encode = EncodeSpec("h264_crf", scale=0.5)
    moved = Known(truth(20), "one").moved(read, step("master", size=[50, 25]), encode)
    assert moved.truth is not None
    assert moved.truth.xyxy.tolist() == [[10, 0, 15, 5]]
    assert moved.key == "one size 50x25"


def test_a_truth_that_is_not_moved_keeps_its_key() -> None:
    read = step("read", range=[0, 1], condition={"size": [100, 50], "fps": "25"})
    known = Known(truth(20), "one")
    assert known.moved(read, step("master", size=[100, 50]), EncodeSpec("h264_crf")) == known
    assert (
        replace(known, truth=None).moved(read, step("master", size=[50, 25]), EncodeSpec("h264_crf")).key == "one"
    )
