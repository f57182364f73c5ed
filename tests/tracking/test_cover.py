"""Temporal laws: gaps are bridged, ends are held, shots are kept apart, and a moving object stays covered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.clips import Box, found
from vsanon.detections import Detections, Origin, TrackedBoxes, join
from vsanon.tracking.cover import cover
from vsanon.tracking.evidence import Evidence, Evidences
from vsanon.tracking.linking import is_cut, link, thin
from vsanon.tracking.settings import TrackSettings
from vsanon.tracking.steady import CoveredFrame, steady
from vsanon.tracking.tracklets import LinkedFrame

Found = Sequence[Detections | None]

NONE = found([])
SIZE = (10_000, 10_000)
STILL: Box = (40, 40, 80, 90)


def follow(
    frames: Found,
    *,
    fps: Fraction = Fraction(25),
    cuts: Sequence[int] = (),
    ask: TrackSettings | None = None,
    size: tuple[int, int] = SIZE,
) -> list[TrackedBoxes]:
    """What must be covered in each frame, by these detections."""
    return [frame.boxes for frame in covered(frames, size, fps=fps, cuts=cuts, ask=ask)]


def covered(
    frames: Found,
    size: tuple[int, int],
    *,
    fps: Fraction = Fraction(25),
    cuts: Sequence[int] = (),
    ask: TrackSettings | None = None,
) -> list[CoveredFrame]:
    """What `cover` says of each frame."""
    ask = ask or TrackSettings()
    spans = ask.frames(fps)
    linked = linked_frames(frames, cuts, ask)
    said = cover(linked, 0, range(len(frames)), size, ask, spans)
    return [CoveredFrame(boxes, ends, n in cuts) for n, (boxes, ends) in enumerate(said)]


def linked_frames(frames: Found, cuts: Sequence[int], ask: TrackSettings) -> list[LinkedFrame]:
    thinned = [None if f is None else thin(f, ask.evidence) for f in frames]
    linked = []
    for n, here in enumerate(thinned):
        before = thinned[n - 1] if n and n not in cuts else None
        links = () if here is None else (-1,) * len(here)
        if here is not None and before is not None:
            links = link(before, here, ask.evidence)
        linked.append(LinkedFrame(here, links, n in cuts))
    return linked


def counts(answers: Sequence[TrackedBoxes]) -> list[int]:
    return [len(a) for a in answers]


def origins(answers: Sequence[TrackedBoxes]) -> str:
    """The origin of the one box of each frame: detected, interpolated, held, or none."""
    return "".join("dihm"[a.origins[0]] if len(a) else "." for a in answers)


def holds(boxes: TrackedBoxes, box: Box, slack: float = 0.01) -> bool:
    """Whether one of the boxes contains `box`."""
    x0, y0, x1, y1 = box
    inside = boxes.xyxy[:, :2] <= np.array([x0, y0]) + slack
    outside = boxes.xyxy[:, 2:] >= np.array([x1, y1]) - slack
    return bool((inside.all(axis=1) & outside.all(axis=1)).any())


# ------------------------------------------------------------------------------- gaps and ends


@pytest.mark.parametrize(
    ("fps", "gap"),
    [
        (Fraction(25), 25),
        (Fraction(24000, 1001), 24),
        (Fraction(30000, 1001), 30),
        (Fraction(10), 10),
        (Fraction(25, 2), 13),
        (Fraction(50), 50),
    ],
)
def test_detections_up_to_a_second_apart_are_bridged(fps: Fraction, gap: int) -> None:
    frames = [found([STILL])] * 20 + [NONE] * (gap - 1) + [found([STILL])] * 20
    assert origins(follow(frames, fps=fps)) == "d" * 20 + "i" * (gap - 1) + "d" * 20


def test_a_longer_gap_is_held_from_both_ends_for_half_a_second() -> None:
    frames = [found([STILL])] * 20 + [NONE] * 50 + [found([STILL])] * 20
    assert origins(follow(frames)) == "d" * 20 + "h" * 13 + "." * 24 + "h" * 13 + "d" * 20


@pytest.mark.parametrize(("fps", "lead"), [(Fraction(25), 13), (Fraction(30000, 1001), 15), (Fraction(60), 30)])
def test_a_track_is_held_half_a_second_before_its_first_and_after_its_last_detection(
    fps: Fraction, lead: int
) -> None:
    frames = [NONE] * 40 + [found([STILL])] * 10 + [NONE] * 40
    wanted = "." * (40 - lead) + "h" * lead + "d" * 10 + "h" * lead + "." * (40 - lead)
    assert origins(follow(frames, fps=fps)) == wanted


def test_held_and_interpolated_boxes_contain_the_still_object_and_grow_with_the_distance() -> None:
    frames = [NONE] * 13 + [found([STILL])] * 10 + [NONE] * 20 + [found([STILL])] * 10
    answers = follow(frames)
    assert all(holds(a, STILL) for a in answers)
    width = [float(a.xyxy[0, 2] - a.xyxy[0, 0]) for a in answers]
    # 40 px, and 40 % of that for each second to the nearest detection, of what is held half of it in the end:
    # 40 * (1 + 0.4 * 13 / 25 / 2) = 44.2; between the ends of a gap 40 * (1 + 0.4 * 10 / 25) = 46.4.
    assert width[0] == pytest.approx(44.2, abs=0.3)
    assert width[15] == pytest.approx(40, abs=0.3)
    assert width[32] == pytest.approx(40 * (1 + 0.4 * 10 / 25), abs=0.3)


def test_a_class_grows_as_it_is_told_and_the_others_as_before() -> None:
    frames = [NONE] * 13 + [found([STILL])] * 10 + [NONE] * 13
    widths = {}
    for growth in ({"face": 0.0}, {"plate": 0.0}, {"face": 1.0}, 1.0):
        answer = follow(frames, ask=TrackSettings(growth=growth))[0]
        widths[str(growth)] = float(answer.xyxy[0, 2] - answer.xyxy[0, 0])
    # 40 px, held for 13 frames: half of 13 / 25 of the growth.
    wanted = {"{'face': 0.0}": 40, "{'plate': 0.0}": 44.2, "{'face': 1.0}": 50.4, "1.0": 50.4}
    assert widths == {name: pytest.approx(width, abs=0.3) for name, width in wanted.items()}
    with pytest.raises(ValueError, match="growth lies"):
        TrackSettings(growth={"face": 11})


def test_a_frame_that_was_not_searched_is_bridged_for_its_neighbours_and_refused_itself() -> None:
    frames: list[Detections | None] = [found([STILL])] * 41
    frames[20] = None
    with pytest.raises(ValueError, match="no detection was made for frame 20"):
        follow(frames)
    linked = [LinkedFrame(f, () if f is None else (0,) if n not in (0, 21) else (-1,), False)
              for n, f in enumerate(frames)]  # fmt: skip
    ask = TrackSettings()
    for n in (19, 21):
        assert holds(cover(linked, 0, [n], SIZE, ask, ask.frames(Fraction(25)))[0][0], STILL)


def test_a_face_and_a_plate_in_one_place_are_never_one_track() -> None:
    frames = [found([STILL])] * 10 + [NONE] * 6 + [found([STILL], name="plate")] * 10
    answers = follow(frames)
    for n in range(10, 16):
        assert answers[n].classes in (("face", "plate"), ("plate", "face"))
        assert answers[n].origins == (Origin.HELD, Origin.HELD)
    assert all("plate" in answers[n].classes for n in range(16, 26))


@given(st.integers(0, 2**32), st.integers(0, 39))
@settings(max_examples=30, deadline=None)
def test_what_is_asked_for_together_is_what_each_frame_gets_alone(seed: int, n: int) -> None:
    """Boxes that come, go, cross, leave the picture and are cut; each frame with a window of its own, and all."""
    random = np.random.default_rng(seed)
    fps, size, cut, ask = Fraction(8), (320, 180), 17, TrackSettings()
    frames = []
    for m in range(40):
        centres = np.array([[20 + 8 * m, 60], [300 - 8 * m, 70], [160, 9 * (m % 21)], [5 * m, 160]])
        shown = np.flatnonzero(random.random(4) < 0.6)
        boxes = np.concatenate([centres - 12, centres + 12], axis=1)[shown] + random.normal(0, 1, (len(shown), 4))
        scores = random.uniform(0.05, 0.9, len(shown))
        rows = zip(boxes.tolist(), scores.tolist(), shown.tolist(), strict=True)
        frames.append(join([found([(x0, y0, x1, y1)], score, "plate" if k == 3 else "face")
                            for (x0, y0, x1, y1), score, k in rows]))  # fmt: skip
    together, spans = covered(frames, size, fps=fps, cuts=(cut,), ask=ask), ask.frames(fps)
    first, stop = max(0, n - spans.radius), min(40, n + spans.radius + 1)
    own, ends = cover(linked_frames(frames, (cut,), ask)[first:stop], first, [n], size, ask, spans)[0]
    others = together[n].boxes
    assert (own.ids, own.classes, own.origins) == (others.ids, others.classes, others.origins)
    assert np.array_equal(own.xyxy, others.xyxy)
    assert np.array_equal(own.scores, others.scores)
    assert np.array_equal(own.swatches, others.swatches)
    assert np.array_equal(ends, together[n].ends)
    painted, steadied = steady(together, 0, range(40), spans)[n], steady(together, 0, [n], spans)[0]
    assert np.array_equal(painted[0], steadied[0])
    assert np.array_equal(painted[1], steadied[1])


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_cut_at_any_frame_of_the_window_but_its_first_ends_what_was_before_it(cut: int) -> None:
    ask = TrackSettings()
    window = [
        LinkedFrame(found([STILL]) if n < cut else NONE, (-1,) if n < cut else (), n == cut) for n in range(7)
    ]
    asked = range(100, 107)
    answers = [boxes for boxes, _ in cover(window, 100, asked, SIZE, ask, ask.frames(Fraction(25)))]
    assert counts(answers) == [1] * cut + [0] * (7 - cut)


@pytest.mark.parametrize("known", [1, 2])
def test_a_cut_is_seen_up_to_the_ends_of_a_clip(known: int) -> None:
    """With `known` changes before the last frame, or after the second; all else lies outside the clip."""
    nan = float("nan")
    before = [[nan, 0.01, 0.3, nan, nan], [0.01, 0.01, 0.3, nan, nan]][known - 1]
    assert is_cut([before, before, before])
    after = [[nan, nan, 0.3, 0.01, nan], [nan, nan, 0.3, 0.01, 0.01]][known - 1]
    apart = [[nan, nan, nan, 0.3, nan], [nan, nan, nan, 0.3, 0.3]][known - 1]
    assert is_cut([after, apart, apart])
    moving = [20 * v if v < 0.1 else v for v in before]
    assert not is_cut([moving, moving, moving])


# ------------------------------------------------------------------------------------ certainty


def test_one_sure_detection_confirms_a_track_and_one_unsure_is_held_for_four_frames() -> None:
    for score, wanted in (
        (0.45, "h" * 13 + "d" + "h" * 13),
        (0.25, "." * 9 + "hhhhdhhhh" + "." * 9),
        (0.15, "." * 27),
    ):
        frames = [NONE] * 13 + [found([STILL], score)] + [NONE] * 13
        assert origins(follow(frames)) == wanted


def test_an_unsure_face_that_comes_and_goes_is_bare_in_no_frame_between_and_nothing_is_held_without_lead() -> None:
    """0.15 s are four frames: of eight between two such, all are covered, of nine one is bare."""
    for apart, wanted in ((9, "hhhhdiiiiiiiidhhhh"), (10, "hhhhdiiii.iiiidhhhh")):
        frames = [NONE] * 4 + [found([STILL], 0.25)] + [NONE] * (apart - 1) + [found([STILL], 0.25)] + [NONE] * 4
        assert origins(follow(frames)) == wanted
    alone = [NONE] * 5 + [found([STILL], 0.25)] + [NONE] * 5
    assert origins(follow(alone, ask=TrackSettings(lead_s=0))) == "." * 5 + "d" + "." * 5


def test_five_unsure_detections_confirm_a_track() -> None:
    assert origins(follow([NONE] * 20 + [found([STILL], 0.25)] * 5)) == "." * 7 + "h" * 13 + "d" * 5
    assert origins(follow([NONE] * 20 + [found([STILL], 0.25)] * 4)) == "." * 16 + "h" * 4 + "d" * 4


def test_the_box_of_a_weak_detection_grows_by_its_weakness_and_that_of_a_sure_one_does_not() -> None:
    frames = [found([STILL], 0.4)] * 10 + [found([STILL], 0.1)] + [found([STILL], 0.4)] * 10
    sides = [a.xyxy[0, 2:] - a.xyxy[0, :2] for a in follow(frames)]
    # 0.1 of 0.4 is 75 % weak: 40 * (1 + 0.3 * 0.75) = 49, 50 * 1.225 = 61.25.
    assert sides[10] == pytest.approx([49, 61.25], abs=0.3)
    assert sides[5] == pytest.approx([40, 50], abs=0.3)


def test_detections_too_weak_for_a_track_of_their_own_carry_a_confirmed_one_on() -> None:
    frames = [found([STILL])] * 10 + [found([STILL], 0.1)] * 25
    assert origins(follow(frames)) == "d" * 35
    assert origins(follow([found([STILL], 0.1)] * 50)) == "." * 50


def test_an_echo_beside_a_better_detection_is_dropped_and_a_sure_one_is_not() -> None:
    echo = join([found([STILL]), found([(50, 50, 90, 100)], 0.1)])
    assert len(thin(echo)) == 1
    assert len(thin(join([found([STILL]), found([(50, 50, 90, 100)], 0.3)]))) == 2
    assert len(thin(join([found([STILL]), found([(50, 50, 90, 100)], 0.1, "plate")]))) == 2
    assert len(thin(join([found([STILL]), found([(140, 50, 180, 100)], 0.1)]))) == 2


SIGNS = Evidence(
    count_score=0.3, cover_score=0.9, confirm_score=0.6, confirm_times=2, confirm_share=0.25, confirm_count=0
)
"""Two detections of 0.6 are wanted."""
SIGN = TrackSettings(evidence=Evidences({"face": SIGNS}))


def seen_at(frames: int, scores: Mapping[int, float]) -> list[Detections]:
    return [found([STILL], scores[n]) if n in scores else NONE for n in range(frames)]


def test_where_two_are_wanted_one_is_no_track_and_two_within_a_second_are_one() -> None:
    assert origins(follow(seen_at(60, {30: 0.8}), ask=SIGN)) == "." * 60
    assert origins(
        follow(seen_at(60, {20: 0.6, 40: 0.6}), ask=SIGN)
    ) == "." * 7 + "h" * 13 + "d" + "i" * 19 + "d" + ("h" * 13 + "." * 6)
    assert origins(follow(seen_at(60, {20: 0.59, 40: 0.6}), ask=SIGN)) == "." * 60


def test_a_look_alike_of_two_frames_below_the_score_is_nowhere_covered_and_a_sure_one_near_its_frame() -> None:
    assert origins(follow(seen_at(60, {30: 0.55, 31: 0.55}), ask=SIGN)) == "." * 60
    assert origins(follow(seen_at(60, {30: 0.95}), ask=SIGN)) == "." * 26 + "hhhhdhhhh" + "." * 25


def test_where_only_one_frame_can_show_it_one_detection_is_enough() -> None:
    assert origins(follow(seen_at(1, {0: 0.6}), ask=SIGN)) == "d"
    assert origins(follow(seen_at(30, {15: 0.6}), cuts=[15, 16], ask=SIGN)) == "." * 15 + "d" + "." * 14
    assert origins(follow(seen_at(1, {0: 0.59}), ask=SIGN)) == "."


def test_a_steady_look_alike_that_rarely_scores_is_no_track_and_an_object_that_comes_nearer_is() -> None:
    # Of 69 frames of a window 2 score 0.6, and a quarter is asked for.
    steady = dict.fromkeys(range(80), 0.5) | {40: 0.6, 41: 0.6}
    assert origins(follow(seen_at(80, steady), ask=SIGN)) == "." * 80
    nearer = dict.fromkeys(range(60), 0.35) | dict.fromkeys(range(60, 80), 0.9)
    answer = origins(follow(seen_at(80, nearer), ask=SIGN))
    assert answer[45:] == "d" * 35


def test_what_is_seen_often_must_show_a_higher_score_than_what_is_seen_once() -> None:
    """Of 6 detections, halfway from 1 to 11, a score halfway from 0.6 to 0.8 is wanted."""
    lasting = replace(SIGNS, lasting_score=0.8, lasting_count=11)
    ask = TrackSettings(evidence=Evidences({"face": lasting}))
    for seen, score, wanted in ((1, 0.61, "d"), (6, 0.69, "......"), (6, 0.71, "dddddd"), (20, 0.79, "." * 20)):
        assert origins(follow(seen_at(seen, dict.fromkeys(range(seen), score)), ask=ask)) == wanted


def test_small_objects_need_lower_scores() -> None:
    """At 50 px of 100 a gain of 0.6 raises a score by 0.3 of itself: 0.5 to 0.65, and 0.45 to 0.585."""
    small = replace(SIGNS, small_px=100, small_gain=0.6)
    ask = TrackSettings(evidence=Evidences({"face": small}))
    assert origins(follow(seen_at(30, dict.fromkeys(range(30), 0.5)), ask=ask)) == "d" * 30
    assert origins(follow(seen_at(30, dict.fromkeys(range(30), 0.45)), ask=ask)) == "." * 30
    assert origins(follow(seen_at(30, dict.fromkeys(range(30), 0.5)), ask=SIGN)) == "." * 30


def test_each_class_has_its_own_evidence() -> None:
    ask = TrackSettings(evidence=Evidences({"plate": SIGNS}))
    here = join([found([STILL], 0.45), found([(200, 200, 260, 220)], 0.45, "plate")])
    answers = follow([here] * 10, ask=ask)
    assert {a.classes for a in answers} == {("face",)}


def test_what_was_followed_between_searched_frames_is_no_evidence_of_its_own() -> None:
    # Searched in every eighth frame, and seen there once; what was carried on from there says nothing new.
    spans = SIGN.frames(Fraction(25))
    boxes = {n: found([STILL], 0.8) for n in range(8, 12)}
    links = {8: (-1,), 9: (0,), 10: (0,), 11: (0,)}
    linked = [LinkedFrame(boxes.get(n, NONE), links.get(n, ()), False, n % 8 == 0) for n in range(40)]
    assert len(cover(linked, 0, [8], SIZE, SIGN, spans)[0][0]) == 0
    seen = [replace(frame, searched=True) for frame in linked]
    assert len(cover(seen, 0, [8], SIZE, SIGN, spans)[0][0]) == 1


def test_how_long_a_look_alike_is_there_counts_and_not_how_often_it_is_looked_at() -> None:
    """Searched in every eighth frame, followed between: 21 frames want 0.9 once, of the three scores there are."""
    ask = TrackSettings(evidence=Evidences({"face": replace(SIGNS, lasting_score=0.9, lasting_count=12)}))
    for best, tracks in ((0.8, 0), (0.9, 1)):
        scores = dict.fromkeys(range(21), 0.7) | {8: best}
        frames = [LinkedFrame(found([STILL], scores[n]), (0 if n else -1,), False, n % 8 == 0) for n in range(21)]
        assert len(cover(frames, 0, [8], SIZE, ask, ask.frames(Fraction(25)))[0][0]) == tracks


def test_what_a_second_look_agrees_with_is_a_track_where_it_moves_and_a_caption_is_none() -> None:
    """Scores of 0.5 where a quarter must have 0.9; it agrees with every third, and half a side is far enough."""
    lasting = replace(SIGNS, lasting_score=0.9, lasting_count=12)
    small = replace(lasting, small_px=200)
    for own, far, agrees, tracks in (
        (lasting, 0.0, 3, 0), (lasting, 0.45, 3, 0), (lasting, 0.55, 3, 1), (lasting, 0.55, 5, 0),
        (small, 0.55, 3, 0), (small, 7.5, 3, 0), (small, 8.5, 3, 1),
    ):  # fmt: skip
        ask = TrackSettings(evidence=Evidences({"face": own}))
        linked = []
        for n in range(30):
            x = 100 + far * 100 * n / 29
            here = replace(found([(x, 100, x + 100, 200)], 0.5), agreed=np.array([n % agrees == 2]))
            linked.append(LinkedFrame(here, (0 if n else -1,), False))
        spans = ask.frames(Fraction(25))
        assert len(cover(linked, 0, [15], (2000, 400), ask, spans)[0][0]) == tracks, (far, agrees)
        # Of frames that no model saw it says nothing.
        unseen = [replace(one, searched=n == 0) for n, one in enumerate(linked)]
        assert len(cover(unseen, 0, [15], (2000, 400), ask, spans)[0][0]) == 0


def test_what_is_wide_and_scores_well_in_the_mean_is_a_track_though_it_stands_and_never_scores_high() -> None:
    """A parked car's plate where 0.9 is wanted once: 1.2 times as wide as high; 0.8, or 0.7 if half agrees."""
    ask = TrackSettings(evidence=Evidences({"face": replace(SIGNS, lasting_score=0.9, lasting_count=12)}))
    for width, score, agrees, tracks in (
        (122, 0.71, 2, 1), (122, 0.69, 2, 0), (122, 0.71, 3, 0), (122, 0.81, 99, 1), (122, 0.79, 99, 0),
        (118, 0.71, 2, 0), (118, 0.89, 1, 0),
    ):  # fmt: skip
        here = found([(100, 100, 100 + width, 200)], score)
        linked = [
            LinkedFrame(replace(here, agreed=np.array([n % agrees == 0])), (0 if n else -1,), False)
            for n in range(30)
        ]
        shown = cover(linked, 0, [15], (400, 400), ask, ask.frames(Fraction(25)))[0][0]
        assert len(shown) == tracks, (width, score, agrees)
        # What was followed over frames that no model saw is no mean.
        unseen = [replace(one, searched=False) for one in linked]
        assert len(cover(unseen, 0, [15], (400, 400), ask, ask.frames(Fraction(25)))[0][0]) == 0


def test_a_second_look_that_agrees_rarely_is_a_coincidence() -> None:
    """A fifth of a track's detections, and two, where 0.65 is seen and 0.9 is wanted of one in fifty."""
    own = replace(SIGNS, lasting_score=0.9, lasting_count=3, confirm_share=0.02)
    ask = TrackSettings(evidence=Evidences({"face": own}))
    for length, agrees, tracks in (
        (4, [1], 0),
        (4, [1, 2], 1),
        (30, [3, 8, 13, 18, 23], 0),
        (25, [3, 8, 13, 18, 23], 1),
    ):
        linked = []
        for n in range(length):
            here = found([(100 + 30 * n, 100, 200 + 30 * n, 200)], 0.65)
            linked.append(LinkedFrame(replace(here, agreed=np.array([n in agrees])), (0 if n else -1,), False))
        assert len(cover(linked, 0, [2], (2000, 400), ask, ask.frames(Fraction(25)))[0][0]) == tracks, (
            length,
            agrees,
        )


# ------------------------------------------------------------------------------------------ cuts


def test_nothing_is_carried_across_a_cut() -> None:
    frames = [found([STILL])] * 30 + [NONE] * 30
    assert origins(follow(frames, cuts=[30])) == "d" * 30 + "." * 30
    assert origins(follow(frames[::-1], cuts=[30])) == "." * 30 + "d" * 30


def test_a_gap_with_a_cut_in_it_is_held_up_to_the_cut_from_both_sides() -> None:
    frames = [found([STILL])] * 20 + [NONE] * 20 + [found([STILL])] * 20
    assert origins(follow(frames, cuts=[30])) == "d" * 20 + "h" * 20 + "d" * 20
    assert origins(follow(frames, cuts=[22, 38])) == "d" * 20 + "hh" + "." * 16 + "hh" + "d" * 20


def test_two_objects_in_one_place_before_and_after_a_cut_are_two() -> None:
    answers = follow([found([STILL])] * 60, cuts=[30])
    assert set(answers[29].ids).isdisjoint(answers[30].ids)


@given(st.integers(1, 39), st.lists(st.lists(st.integers(0, 4), max_size=2, unique=True), min_size=40, max_size=40))
@settings(max_examples=12, deadline=None)
@pytest.mark.slow
def test_what_lies_before_a_cut_has_no_influence_on_what_lies_after_it(cut: int, places: list[list[int]]) -> None:
    frames = [found([(60.0 * p, 20, 60.0 * p + 40, 70) for p in here]) for here in places]
    ask = TrackSettings(gap_s=0.5)
    whole = follow(frames, cuts=[cut], ask=ask)
    after = follow([NONE] * cut + frames[cut:], cuts=[cut], ask=ask)
    before = follow(frames[:cut] + [NONE] * (40 - cut), cuts=[cut], ask=ask)
    for n in range(40):
        alone = (before if n < cut else after)[n]
        assert np.array_equal(whole[n].xyxy, alone.xyxy)
        assert (whole[n].ids, whole[n].origins) == (alone.ids, alone.origins)


def changes(luma: Sequence[float]) -> list[list[float]]:
    """What `is_cut` sees of frame 5 of even pictures with these values."""
    return [[abs(luma[n] - luma[n - k]) for n in range(3, 8)] for k in (1, 2, 3)]


def cuts_in(luma: Sequence[float]) -> list[int]:
    """Cuts between even pictures; the ends stay as they are."""
    padded = [luma[0]] * 5 + list(luma) + [luma[-1]] * 2
    return [n for n in range(len(luma)) if is_cut(changes(padded[n : n + 8]))]


def test_a_change_that_stands_out_and_stays_is_a_cut() -> None:
    assert cuts_in([0.2] * 10 + [0.5] * 10) == [10]
    assert cuts_in([0.2, 0.5] + [0.5] * 8) == [1]
    assert cuts_in([0.2] * 8 + [0.5, 0.5]) == [8]


def test_shots_of_three_frames_are_shots() -> None:
    assert cuts_in([0.2] * 10 + [0.5] * 3 + [0.9] * 10) == [10, 13]


def test_a_flash_of_one_or_two_frames_is_no_cut_neither_coming_nor_going() -> None:
    assert cuts_in([0.2] * 10 + [0.9] + [0.2] * 10) == []
    assert cuts_in([0.2] * 10 + [0.9, 0.9] + [0.2] * 10) == []
    # As a rolling shutter splits it over two frames.
    assert cuts_in([0.2] * 10 + [0.5, 0.9] + [0.2] * 10) == []


def test_a_cut_beside_a_flash_is_still_found() -> None:
    assert cuts_in([0.2] * 10 + [0.9] + [0.2] * 3 + [0.6] * 10) == [14]


def test_a_pan_a_shake_and_a_fade_are_no_cuts() -> None:
    assert not is_cut([[0.12] * 5, [0.2] * 5, [0.25] * 5])
    assert not is_cut([[0.05, 0.09, 0.12, 0.08, 0.05], [0.1, 0.13, 0.2, 0.15, 0.1], [0.15, 0.2, 0.25, 0.2, 0.15]])
    assert cuts_in([0.2 + 0.08 * n for n in range(10)]) == []


def test_a_small_change_is_no_cut_even_in_a_still_picture() -> None:
    assert cuts_in([0.2] * 10 + [0.25] * 10) == []
    assert cuts_in([0.2] * 10 + [0.27] * 10) == [10]


# ---------------------------------------------------------------------------------------- links


def test_a_box_is_linked_to_the_nearest_of_its_class_within_its_own_side() -> None:
    before = join([found([(0, 0, 40, 40), (100, 0, 140, 40)]), found([(100, 0, 140, 40)], name="plate")])
    now = join([found([(110, 0, 150, 40)]), found([(101, 0, 141, 40)], name="plate"), found([(41, 0, 81, 40)])])
    assert link(before, now) == (1, 2, -1)
    assert link(before, found([(39, 0, 79, 40)])) == (0,)


@pytest.mark.parametrize(("name", "moved", "linked"), [("plate", 32, 0), ("plate", 33, -1), ("face", 17, -1)])
def test_a_plate_that_moves_by_its_own_width_in_a_frame_is_followed_further_than_a_face(
    name: str, moved: int, linked: int
) -> None:
    """A box of 32x8: its side is the root of the area, 16; two sides for plates, one for all else."""
    before, now = (found([(x, 0, x + 32, 8)], name=name) for x in (0, moved))
    assert link(before, now) == (linked,)


def test_a_fast_plate_is_one_track_and_leaves_nothing_held_behind() -> None:
    """By 20 px a frame, with a side of 16 px: at 12.5 frames a second a car that drives past."""
    frames = [found([(20 * n, 0, 20 * n + 32, 8)], 0.9, "plate") for n in range(12)]
    answers = follow([NONE, *frames, NONE], fps=Fraction(25, 2))
    assert counts(answers)[1:-1] == [1] * 12
    assert len({i for a in answers for i in a.ids}) == 1


def test_a_plate_that_scores_less_than_half_of_what_it_overlaps_is_its_echo() -> None:
    over = (60, 44, 100, 94)
    sure = found([STILL], 0.9, "plate")
    assert len(thin(join([sure, found([over], 0.44, "plate")]))) == 1
    assert len(thin(join([sure, found([over], 0.46, "plate")]))) == 2
    assert len(thin(join([sure, found([(80, 44, 120, 94)], 0.44, "plate")]))) == 2


def test_of_two_plates_in_one_place_the_better_one_is_followed() -> None:
    """Moved by 18 of 40 px they share 0.38 and are one, by 22 px 0.29."""
    sure = found([STILL], 0.6, "plate")
    assert len(thin(join([sure, found([(58, 40, 98, 90)], 0.4, "plate")]))) == 1
    assert len(thin(join([sure, found([(62, 40, 102, 90)], 0.4, "plate")]))) == 2
    assert len(thin(join([found([STILL], 0.6), found([(58, 40, 98, 90)], 0.4)]))) == 2


def test_a_box_of_twice_the_size_is_no_continuation() -> None:
    # Sides 40 to 79 and to 82.
    assert link(found([(0, 0, 40, 40)]), found([(-19, -19, 60, 60)])) == (0,)
    assert link(found([(0, 0, 40, 40)]), found([(-21, -21, 61, 61)])) == (-1,)


def test_a_weak_box_does_not_take_the_place_of_a_strong_one() -> None:
    before = found([(0, 0, 40, 40)])
    now = join([found([(1, 0, 41, 40)], 0.1), found([(20, 0, 60, 40)], 0.9)])
    assert link(before, now) == (-1, 0)


def test_nothing_links_to_nothing() -> None:
    assert link(NONE, NONE) == ()
    assert link(NONE, found([STILL])) == (-1,)
    assert link(found([STILL]), NONE) == ()


# ------------------------------------------------------------------------------- the frame's edge


def test_an_object_that_leaves_the_frame_keeps_its_size_beyond_the_edge() -> None:
    def box(n: int) -> Box:
        return (500 + 10 * n, 100, 600 + 10 * n, 220)

    # The frame ends at 700: from frame 10 on the detector sees less and less, from 20 on nothing.
    frames = [found([(box(n)[0], 100, min(box(n)[2], 700), 220)]) for n in range(20)]
    for n, answer in enumerate(follow(frames, size=(700, 400))):
        assert np.abs(answer.xyxy - np.array([box(n)])).max() <= 0.5


def test_a_hidden_object_is_followed_to_where_the_edge_cuts_it() -> None:
    def box(n: int) -> Box:
        return (70 + 4 * n, 36, 90 + 4 * n, 60)

    seen = [*range(6), *range(19, 22)]
    cut = [found([(box(n)[0], 36, min(box(n)[2], 160), 60)]) if n in seen else NONE for n in range(22)]
    answers = follow(cut, size=(160, 96))
    assert all(holds(answer, box(n), slack=0.1) for n, answer in enumerate(answers))


@pytest.mark.parametrize("step", [1, -1])
def test_what_crosses_the_edge_is_led_along_its_way_until_it_lies_outside(step: int) -> None:
    """40 px wide, at 2 px a frame, found from 36 px inside on: 17 frames before, where half a second is 13."""
    path: list[Box] = [(2 * n, 40, 2 * n + 40, 90) for n in range(-40, 30)]
    frames = [found([(max(box[0], 0), *box[1:])]) if box[2] >= 36 else NONE for box in path]
    answers = follow(frames[::step])[::step]
    visible = [(max(box[0], 0), *box[1:]) for box in path]
    assert [n for n, box in enumerate(visible) if box[2] > 1 and not holds(answers[n], box)] == []
    # What stops in the middle of the frame is held no longer than before.
    still = follow([found([STILL])] * 10 + [NONE] * 20)
    assert origins(still) == "d" * 10 + "h" * 13 + "." * 7


def test_an_object_that_the_edge_always_cut_stays_as_it_was_seen() -> None:
    answers = follow([found([(0, 100, 50, 220)])] * 10, size=(700, 400))
    assert np.abs(answers[5].xyxy - np.array([[0, 100, 50, 220]])).max() <= 0.2


# --------------------------------------------------------------------------------- moving objects


@st.composite
def runs(draw: st.DrawFn) -> NDArray[np.bool_]:
    """In which frames an object is detected: four to ten at a time, then up to 24 without."""
    seen: list[bool] = []
    for _ in range(draw(st.integers(1, 4))):
        seen += [False] * draw(st.integers(0, 24)) + [True] * draw(st.integers(4, 10))
    return np.array(seen + [False] * draw(st.integers(0, 13)))


speeds = st.floats(-0.9, 0.9).map(lambda v: round(v, 3))


@given(runs(), speeds, speeds, st.integers(8, 200), st.sampled_from([0.6, 0.9]))
@settings(max_examples=40, deadline=None)
@pytest.mark.slow
def test_an_object_that_moves_evenly_is_covered_in_every_frame_from_its_first_to_its_last_detection(
    seen: NDArray[np.bool_], across: float, down: float, side: int, score: float
) -> None:
    def box(n: int) -> Box:
        # Up to 0.9 sides a frame; together never more than the one side that a link reaches.
        scale = side / max(1.0, float(np.hypot(across, down)) / 0.95)
        x, y = 5000 + across * scale * n, 5000 + down * scale * n
        return (x, y, x + side, y + side)

    answers = follow([found([box(n)], score) if seen[n] else NONE for n in range(len(seen))])
    at = np.flatnonzero(seen)
    for n in range(max(int(at[0]) - 13, 0), min(int(at[-1]) + 14, len(seen))):
        assert holds(answers[n], box(n), slack=0.02), n
    for n in at:
        assert len(answers[n]) == 1


@given(st.lists(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(8, 90)), max_size=4),
                min_size=1, max_size=30))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_every_detection_that_counts_is_covered_in_its_frame_whatever_the_tracks_are(
    places: list[list[tuple[int, int, int]]],
) -> None:
    frames = [found([(x, y, x + s, y + s) for x, y, s in here], 0.3) for here in places]
    for frame, answer in zip(frames, follow(frames), strict=True):
        for x0, y0, x1, y1 in frame.xyxy:
            assert holds(answer, (x0, y0, x1, y1))
        assert len(set(answer.ids)) == len(answer)
        assert list(answer.ids) == sorted(answer.ids)
        assert np.array_equal(answer.xyxy * 8, np.rint(answer.xyxy * 8))


@given(st.floats(0, 1.5), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_boxes_that_tremble_are_steadied_and_never_smaller_than_what_was_seen(tremble: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shaken = [np.array(STILL) + rng.uniform(-tremble, tremble, 4) for _ in range(30)]
    answers = follow([found([tuple(b)]) for b in shaken])  # type: ignore[list-item]
    for b, answer in zip(shaken, answers, strict=True):
        assert holds(answer, tuple(b))
        assert np.abs(answer.xyxy[0] - np.array(STILL)).max() <= 2.5 * tremble + 0.3


def test_ids_and_colours_hold_still_while_a_track_goes_on() -> None:
    frames = []
    for n in range(31):
        one = found([(40 + n, 40, 80 + n, 90)])
        swatches = np.full((1, 5, 5, 3), n, np.uint8)
        frames.append(Detections(one.xyxy, one.scores, one.classes, swatches))
    answers = follow(frames)
    assert len({a.ids for a in answers}) == 1
    # The mean of 0 to 30, and noise that holds still as well.
    assert len({a.swatches.tobytes() for a in answers}) == 1
    assert np.abs(answers[0].swatches.astype(int) - 15).max() <= 12
    assert len(np.unique(answers[0].swatches)) > 10
    assert (np.ptp(answers[0].swatches, axis=-1) == 0).all()  # nor does it have a colour: what was grey is grey
    assert {o for a in answers for o in a.origins} == {Origin.DETECTED}


# -------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"gap_s": 0}, {"gap_s": 11}, {"lead_s": -0.1}, {"smooth_s": 0},
        {"growth": -1}, {"gap_s": float("nan")}, {"weak_growth": -0.1},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        TrackSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cover_score": 1.1}, {"cover_score": 0.1}, {"confirm_score": 0.1}, {"confirm_times": 0},
        {"confirm_count": -1}, {"confirm_share": 1.5}, {"count_score": 0.0, "confirm_score": 0.0},
        {"small_px": -1.0}, {"small_gain": 5.0}, {"lasting_score": 1.1}, {"lasting_count": 1},
    ],
)  # fmt: skip
def test_evidence_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Evidence(**wrong)  # type: ignore[arg-type]


def test_spans_in_frames_last_at_least_their_seconds() -> None:
    spans = TrackSettings(gap_s=1.0, lead_s=0.5, smooth_s=0.08).frames(Fraction(30000, 1001))
    # 29.97 -> 30; 14.985 -> 15; three deviations of 0.12 s are 10.8 -> 11 frames more. A path is smoothed over
    # as many; an edge stays out for 0.2 s, 6.0 -> 6, and is smoothed over as many. Colours are means over 36.
    assert (spans.gap, spans.lead, spans.radius) == (30, 15, 41)
    assert (spans.path, spans.envelope, spans.reach) == (11, 6, 41 + 36)
