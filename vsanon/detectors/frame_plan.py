"""The plan of a frame: which pictures of it the models need, and one answer out of all that they say.

Pure: it plans and unites; who calls it makes the pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vsanon.detections import Detections, join
from vsanon.detectors.base import U8, Detector
from vsanon.detectors.ensemble import Policy, unite
from vsanon.detectors.recipes import Recipe
from vsanon.detectors.scale import View, merge, plan
from vsanon.detectors.second_look import SecondLook, second_look


@dataclass(frozen=True, slots=True)
class FramePlan:
    """What is looked at for a frame of one size; see `plan_frame`.

    Args:
        frame: (width, height), pixels.
        views: each picture once; the first is of the whole frame.
        looks: for each model the positions of its views.
        voters: for each class the positions of its models.
        policies: of each class.
        seconds: of the classes that are looked at again.
    """

    frame: tuple[int, int]
    views: tuple[View, ...]
    looks: tuple[tuple[int, ...], ...]
    voters: Mapping[str, tuple[int, ...]]
    policies: Mapping[str, Policy]
    seconds: Mapping[str, SecondLook]

    def answer(self, detectors: Sequence[Detector], pictures: Sequence[U8]) -> Detections:
        """What the models find, class by class, best first in each; boxes in pixels of the frame.

        Args:
            detectors: in the order of `looks`.
            pictures: (3, height, width) RGB of each of `views`.

        Raises:
            ModelError: a model fails.
        """
        found = [
            merge([(self.views[i], detector.detect(pictures[i])) for i in look], self.frame)
            for detector, look in zip(detectors, self.looks, strict=True)
        ]
        united = []
        for name, voters in self.voters.items():
            parts = [found[i].select(np.array([c == name for c in found[i].classes], bool)) for i in voters]
            one = unite(parts, self.policies[name])
            if (again := self.seconds.get(name)) is not None:
                agreed = second_look(one, self.views, pictures, detectors[voters[0]], again)
                one = replace(one, agreed=agreed)
            united.append(one)
        return join(united)


def plan_frame(
    frame: tuple[int, int], detectors: Mapping[str, Detector], recipes: Mapping[str, Recipe]
) -> FramePlan:
    """The plan by which each class is found as its recipe says.

    Args:
        frame: (width, height), pixels.
        detectors: each model once; one that serves several classes looks at the scale of the first.
        recipes: by class.
    """
    models = list(detectors)
    looks: list[tuple[View, ...]] = []
    for model, detector in detectors.items():
        scale = next(recipe.scale_of(model) for recipe in recipes.values() if model in recipe.models)
        looks.append(plan(frame, detector.card.input, detector.card.reach, scale))
    views = tuple(dict.fromkeys(view for look in looks for view in look))
    return FramePlan(
        frame,
        views,
        tuple(tuple(views.index(view) for view in look) for look in looks),
        {name: tuple(models.index(model) for model in recipe.models) for name, recipe in recipes.items()},
        {name: recipe.policy for name, recipe in recipes.items()},
        {name: recipe.second for name, recipe in recipes.items() if recipe.second is not None},
    )
