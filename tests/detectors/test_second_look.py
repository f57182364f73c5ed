"""A second look: what is found again, turned and at other sizes, is agreed with; nothing else is."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vsanon.detections import Detections
from vsanon.detectors.scale import View
from vsanon.detectors.second_look import SecondLook, second_look

WHOLE = View(0, 0, 400, 200, (200, 100), (224, 128))
TILE = View(200, 0, 200, 200, (200, 200), (224, 224))
"""The right half of the frame, twice as fine as the whole."""
ASK = SecondLook()


@dataclass
class Bright:
    """Finds the bounding box of what is bright in a picture, with the next of some scores."""

    scores: tuple[float, ...]
    card: Any = field(default_factory=lambda: SimpleNamespace(input=SimpleNamespace(stride=32)))
    seen: list[np.ndarray] = field(default_factory=list)

    def detect(self, rgb: np.ndarray) -> Detections:
        score = self.scores[len(self.seen) % len(self.scores)]
        self.seen.append(rgb)
        rows, columns = np.nonzero(rgb.max(axis=0) > 127)
        if not len(rows):
            return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float32), np.array([score], np.float32), ("plate",))


def shown(view: View, *boxes: tuple[int, int, int, int], code: int = 255) -> np.ndarray:
    """The picture of a view in which these boxes of the frame are bright."""
    picture = np.zeros((3, view.padded[1], view.padded[0]), np.uint8)
    for x0, y0, x1, y1 in boxes:
        left, right = ((np.array([x0, x1]) - view.left) / view.factor[0]).astype(int)
        top, bottom = ((np.array([y0, y1]) - view.top) / view.factor[1]).astype(int)
        picture[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = code
    return picture


def plates(*boxes: tuple[int, int, int, int], score: float = 0.6) -> Detections:
    return Detections(np.array(boxes, np.float32), np.full(len(boxes), score, np.float32), ("plate",) * len(boxes))


BOX = (80, 80, 160, 120)


def test_the_object_is_shown_in_the_middle_at_each_size_and_turn() -> None:
    model = Bright((0.5, 0.5, 0.5, 0.5, 0.67, 0.67, 0.67, 0.67))  # 4.01 of 4.64 after seven
    assert second_look(plates(BOX), [WHOLE], [shown(WHOLE, BOX)], model, ASK).tolist() == [True]
    # A third of a picture is the object: 28 px of 96, and 48 px of 160, multiples of 32 from 84 and 144 on.
    assert [picture.shape for picture in model.seen] == [(3, 96, 96)] * 4 + [(3, 160, 160)] * 4
    for picture, side in zip(model.seen, [28] * 4 + [48] * 4, strict=True):
        bright = picture[0] > 127
        # 80x40 px have a side of 56.6: of an object of so many pixels half the square of that is bright.
        assert bright.sum() == pytest.approx(side**2, rel=0.12)
        centre = np.argwhere(bright).mean(axis=0) + 0.5
        assert np.abs(centre - picture.shape[1] / 2).max() < 1.5


def test_the_mean_of_all_looks_decides() -> None:
    for scores, agreed in (((0.5, 0.68), True), ((0.5, 0.64), False), ((1.0, 0.0), False)):
        answer = second_look(plates(BOX), [WHOLE], [shown(WHOLE, BOX)], Bright(scores), ASK)
        assert answer.tolist() == [agreed], scores  # means of 0.59, 0.57 and 0.5


def test_what_is_found_elsewhere_or_in_another_size_is_not_the_object() -> None:
    beside, larger = (150, 80, 230, 120), (20, 20, 220, 180)
    for other in (beside, larger):
        assert not second_look(plates(BOX), [WHOLE], [shown(WHOLE, other)], Bright((1.0,)), ASK).any()
    assert not second_look(plates(BOX), [WHOLE], [shown(WHOLE)], Bright((1.0,)), ASK).any()


def test_it_is_asked_about_the_best_few_that_score_enough() -> None:
    many = [(20 * k, 20, 20 * k + 10, 25) for k in range(1, 9)]
    found = Detections(
        np.array(many, np.float32), np.linspace(0.8, 0.4, 8).astype(np.float32), ("plate",) * len(many)
    )
    model = Bright((1.0,))
    answer = second_look(found, [WHOLE], [shown(WHOLE)], model, SecondLook(least=0.6, most=3))
    assert not answer.any()
    assert len(model.seen) == 3 * 4  # of eight looks four say nothing, and the other four can give 0.5 at most
    for least, sure, objects in ((0.75, 0.9, 1), (0.45, 0.5, 1), (0.7, 0.75, 1), (0.9, 0.95, 0)):
        few = Bright((1.0,))
        second_look(found, [WHOLE], [shown(WHOLE)], few, SecondLook(least=least, sure=sure))
        assert len(few.seen) == 4 * objects  # scores of 0.8, 0.743, 0.686 … 0.457 and 0.4


def test_it_looks_no_further_once_the_answer_is_clear() -> None:
    for score, looks in ((1.0, 5), (0.8, 6), (0.0, 4), (0.4, 6)):
        model = Bright((score,))
        assert second_look(plates(BOX), [WHOLE], [shown(WHOLE, BOX)], model, ASK).tolist() == [score > 0.58]
        assert len(model.seen) == looks  # 5 make 4.64 of 8; six of 0.4 leave 2.4 and 2


def test_it_looks_at_the_finest_view_that_shows_all_around() -> None:
    """What lies in the tile is taken from it, what its border is too near to from the whole."""
    for box, code in (((300, 80, 340, 100), 200), ((205, 80, 245, 100), 255)):
        model = Bright((1.0,))
        pictures = [shown(WHOLE, box), shown(TILE, box, code=200)]
        assert second_look(plates(box), [WHOLE, TILE], pictures, model, ASK).tolist() == [True]
        assert max(int(picture.max()) for picture in model.seen) == code


@pytest.mark.parametrize(
    "wrong", [{"least": 0.95}, {"sure": 1.1}, {"agrees": 0.0}, {"most": -1}, {"sides": ()}, {"turns": ()}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"score|second look"):
        SecondLook(**wrong)
