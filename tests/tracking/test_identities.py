"""Identities: names that last for a block become tracks of the whole clip, within shots unless asked."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vsanon.boxes import iou
from vsanon.detections import Origin
from vsanon.detectors.search import Search
from vsanon.job.pipeline import Settings, analyze_file
from vsanon.tracking.evidence import EVIDENCE, Evidences
from vsanon.tracking.identities import IdentitySettings, Run, _together, identify
from vsanon.tracking.settings import TrackSettings
from vsanon.tracks.file import read_tracks
from vsanon.validation.truth.boxes import read_truth

FPS = Fraction(25)


def run(
    start: int,
    frames: int,
    x: float = 100,
    *,
    step: float = 0,
    side: float = 40,
    label: str = "face",
    colour: int = 128,
    seen: bool = True,
) -> Run:
    left = x + step * np.arange(frames, dtype=np.float32)
    xyxy = np.stack([left, np.full(frames, 50), left + side, np.full(frames, 50 + side)], axis=1)
    return Run(
        start, xyxy.astype(np.float32), np.full(frames, seen), label, np.full((2, 5, 5, 3), colour, np.uint8)
    )


def test_a_run_that_goes_on_where_another_ended_is_the_same_identity() -> None:
    assert identify([run(0, 30), run(30, 30), run(60, 5)], [], FPS).tolist() == [1, 1, 1]


def test_numbers_go_by_first_appearance_then_from_left_to_right() -> None:
    assert identify([run(5, 10, 0), run(0, 10, 900), run(0, 10, 300)], [], FPS).tolist() == [3, 2, 1]


def test_two_people_side_by_side_keep_their_identities_over_a_block() -> None:
    runs = [run(0, 30, 100), run(0, 30, 145), run(30, 30, 146), run(30, 30, 101)]
    assert identify(runs, [], FPS).tolist() == [1, 2, 2, 1]


@pytest.mark.parametrize(("colour", "same"), [(120, True), (136, True), (119, False), (137, False)])
def test_no_identity_changes_its_colours_by_more_than_eight_codes_from_one_frame_to_the_next(
    colour: int, same: bool
) -> None:
    """In one place and size; out of sight for one frame they may differ by more, as nobody sees them change."""
    assert (identify([run(0, 30), run(30, 30, colour=colour)], [], FPS).tolist() == [1, 1]) is same
    assert identify([run(0, 30), run(31, 30, colour=colour)], [], FPS).tolist() == [1, 1]


def test_where_two_pass_the_colours_tell_who_goes_on_as_whom() -> None:
    """Both move by 20 px between the runs, by half of their size; the nearer of the boxes is the other's."""
    ends = [run(0, 30, 100, colour=90), run(0, 30, 118, colour=150)]
    goes_on = [run(30, 30, 120, colour=97), run(30, 30, 138, colour=143)]
    assert identify([*ends, *goes_on], [], FPS).tolist() == [1, 2, 1, 2]


def test_a_cut_ends_an_identity_even_where_the_boxes_agree() -> None:
    assert identify([run(0, 30), run(30, 30)], [30], FPS).tolist() == [1, 2]


def test_a_cut_is_crossed_where_that_is_asked_for_and_colours_agree() -> None:
    asked = IdentitySettings(across_cuts=True)
    assert identify([run(0, 30), run(30, 30, 300)], [30], FPS, asked).tolist() == [1, 1]
    assert identify([run(0, 30), run(30, 30, 300, colour=200)], [30], FPS, asked).tolist() == [1, 2]


def test_a_walker_is_known_again_where_the_walk_leads_to() -> None:
    # 5 px a frame for 10 frames ends at x = 145; unseen for 40 frames; seen again at 145 + 41 * 5 = 350.
    walk, again, other = run(0, 10, 100, step=5), run(50, 10, 350, step=5), run(50, 10, 600)
    assert identify([walk, again, other], [], FPS).tolist() == [1, 1, 2]


def test_held_frames_do_not_stand_in_the_way_of_a_detection() -> None:
    held = run(10, 20, seen=False)
    assert identify([run(0, 10), held, run(25, 10)], [], FPS).tolist() == [1, 1, 1]


def test_after_more_than_the_longest_gap_it_is_somebody_new() -> None:
    assert identify([run(0, 10), run(9 + 75, 5)], [], FPS).tolist() == [1, 1]
    assert identify([run(0, 10), run(9 + 76, 5)], [], FPS).tolist() == [1, 2]


def test_classes_and_sizes_are_not_mixed() -> None:
    assert identify([run(0, 10), run(10, 10, label="plate")], [], FPS).tolist() == [1, 2]
    assert identify([run(0, 10), run(10, 10, side=90)], [], FPS).tolist() == [1, 2]


def test_no_runs_have_no_identities() -> None:
    assert identify([], [], FPS).shape == (0,)


@given(st.permutations(range(6)))
def test_the_order_of_the_runs_does_not_matter(order: list[int]) -> None:
    runs = [run(0, 30, 0), run(30, 30, 2), run(0, 30, 200), run(30, 9, 203), run(50, 9, 199), run(3, 9, 500)]
    mixed = identify([runs[k] for k in order], [], FPS)
    assert [int(mixed[order.index(k)]) for k in range(6)] == [1, 1, 2, 2, 2, 3]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="gap_s"):
        IdentitySettings(gap_s=61)


@pytest.mark.assets
@pytest.mark.slow
def test_identities_of_real_walkers_agree_with_the_truth(assets: Path, tmp_path: Path) -> None:
    metrics = pytest.importorskip("motmetrics", reason="motmetrics is not installed")
    tracks = tmp_path / "t"
    # In one picture, as the truth leaves out what only a closer look finds.
    search = Search(classes=("face",), size=752)
    # Nor do small faces count at lower scores here, which brings more boxes that no truth speaks of.
    plain = replace(EVIDENCE["face"], small_gain=0.0)
    track = TrackSettings(evidence=Evidences({**EVIDENCE.by_class, "face": plain}, EVIDENCE.other))
    analyze_file(assets / "video" / "walkers_416p24.mp4", tracks, Settings(search, track))
    table, truth = read_tracks(tracks), read_truth(assets / "truth" / "walkers_416p24.csv")
    scores = {}
    for name, ids in (("before", table.ids[table.runs]), ("after", table.tracks)):
        seen = metrics.MOTAccumulator()
        for n in range(len(table)):
            rows, wanted = slice(int(table.offsets[n]), int(table.offsets[n + 1])), truth.rows(n)
            apart = 1 - iou(truth.xyxy[wanted], table.xyxy[rows])
            ignored = truth.ignore[wanted]
            # Held boxes, and those on truth that does not count, count for nothing.
            kept = (table.origins[rows] <= Origin.INTERPOLATED) & ~(apart[ignored] <= 0.7).any(axis=0)
            apart = np.where(apart > 0.5, np.nan, apart)[~ignored][:, kept]
            seen.update(truth.ids[wanted][~ignored].tolist(), ids[rows][kept].tolist(), apart, frameid=n)
        scores[name] = metrics.metrics.create().compute(seen, metrics=["idf1", "num_switches"]).iloc[0]
    assert scores["before"]["idf1"] < 0.5
    assert scores["after"]["idf1"] > 0.9
    assert scores["after"]["num_switches"] == 0


_ENDS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14)


@given(_ENDS)
def test_what_hangs_together_is_what_the_library_says(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array([p[k] for p in pairs], np.intp) for k in (0, 1))
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(12, 12))
    _, wanted = connected_components(graph, directed=False)
    assert np.array_equal(
        np.unique(_together(a, b, 12), return_inverse=True)[1], np.unique(wanted, return_inverse=True)[1]
    )
