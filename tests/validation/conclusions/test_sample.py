"""What a criterion stands on: two rates in each of two formats on the same two clips; and what would be enough."""

import pytest

from tests.support.evidence_samples import AS_IS, CROSSED, evidence
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.planning import reach
from vsanon.validation.conclusions.statistics import clopper_pearson

CLIPS = {"street": 20, "hall": 20}


def test_rates_and_formats_count_where_the_same_clips_have_them() -> None:
    found = conclude(evidence("crossed", CLIPS, CROSSED))
    assert found["criteria"][0]["sample"] == {
        "supports": True,
        "reason": "2 clips that show a face of known position, each at two bit rates in each of two formats",
        "clips": 2,
        "formats": 2,
        "bit_rates": 3,
    }
    assert found["verdict"]["outcome"] == "pass"


def test_h264_at_one_rate_and_h265_at_another_tell_nothing_apart() -> None:
    found = conclude(evidence("two", CLIPS, ("h264_crf_23", "h265_crf_28")))
    sample = found["criteria"][0]["sample"]
    assert (sample["clips"], sample["formats"], sample["bit_rates"], sample["supports"]) == (2, 2, 2, False)
    assert found["criteria"][0]["groups"][0]["outcome"] == "pass"
    assert found["criteria"][0]["outcome"] == found["verdict"]["outcome"] == "not shown"


def test_a_format_that_only_one_clip_has_does_not_count() -> None:
    found = evidence("confounded", CLIPS, CROSSED)
    found["cells"] = [c for c in found["cells"] if (c["source"] == "hall") == c["encode"].startswith("h265")]
    assert "0 of the 2 clips" in conclude(found)["criteria"][0]["sample"]["reason"]


def test_clips_that_came_as_they_are_have_one_format_and_rate_each() -> None:
    found = evidence("as_is", CLIPS, (AS_IS,))
    found["cells"][1]["stream"]["codec"] = "prores"
    found["cells"][1]["stream"]["bit_rate"] = 90_000_000
    sample = conclude(found)["criteria"][0]["sample"]
    assert (sample["clips"], sample["formats"], sample["bit_rates"], sample["supports"]) == (2, 2, 2, False)


def test_a_clip_without_anyone_of_the_class_does_not_count() -> None:
    found = conclude(evidence("empty", {"street": 40, "yard": 0}, CROSSED))
    assert found["criteria"][0]["sample"]["reason"].startswith("1 of the 2 clips")


def test_the_advice_says_what_would_do() -> None:
    """40 in two clips are worth 13.8, and 0.9 takes 36: six clips of 20 are worth 41.4, five 34.5."""
    found = evidence("crossed", CLIPS, CROSSED)
    found["criteria"][0]["at_least"] = 0.9
    assert conclude(found)["criteria"][0]["advice"] == (
        "even without a miss, 40 faces in 2 clips (which count as 14 independent ones, as those of one clip are "
        "alike) prove no more than “at least 77 %”. To prove at least 90 % takes 36 independent ones without a "
        "miss: about 80 more in 4 more clips like these"
    )


def test_the_advice_counts_what_was_missed() -> None:
    """190 of 200 people give a lower bound above 0.9, and 76 of 80 do not: between them lies what is needed."""
    found = reach([1, 1, 2, 2], [10] * 4, "at_least", 0.9, 0.95, estimate=0.95)
    assert clopper_pearson(76, 80).low < 0.9 < clopper_pearson(190, 200).low
    assert found.needed is not None
    assert 80 < found.needed < 200
    assert f"at least 90 % takes {found.needed}" in found.sentence("at_least", 0.9, "face")
    assert "where the share stays what it is" in found.sentence("at_least", 0.9, "face")


@pytest.mark.parametrize(("bound", "limit", "estimate"), [("at_least", 0.9, 0.89), ("at_most", 0.1, 0.1)])
def test_no_footage_mends_a_share_beyond_its_limit(bound: str, limit: float, estimate: float) -> None:
    found = reach([1, 2], [10, 10], bound, limit, 0.95, estimate=estimate)
    assert found.needed is None
    said = found.sentence(bound, limit, "face")
    assert f"where the share stays at the {100 * estimate:.0f} % that were measured, no amount of footage" in said


def test_a_share_without_a_miss_is_advised_as_before() -> None:
    assert reach([1], [1], "at_most", 0.1, 0.95, estimate=0.0) == reach([1], [1], "at_most", 0.1, 0.95)


@pytest.mark.parametrize(("bound", "limit"), [("at_least", 0.9), ("at_most", 0.1)])
def test_what_is_advised_is_enough_and_one_clip_less_is_not(bound: str, limit: float) -> None:
    clips, trials = [1, 1, 1, 2, 2], [10, 20, 30, 10, 10]
    first = reach(clips, trials, bound, limit, 0.95)
    assert (first.clips, first.people, first.needed) == (2, 5, 36)
    assert first.more_clips
    each = first.more_people // first.more_clips
    for more, enough in ((first.more_clips, True), (first.more_clips - 1, False)):
        added = [10 + k for k in range(more) for _ in range(each)]
        then = reach(clips + added, trials + [16] * len(added), bound, limit, 0.95)
        assert (then.best >= limit if bound == "at_least" else then.best <= limit) is enough


@pytest.mark.parametrize(("bound", "limit"), [("at_least", 1.0), ("at_most", 0.0)])
def test_no_sample_shows_that_nobody_is_ever_missed(bound: str, limit: float) -> None:
    assert reach([1], [1], bound, limit, 0.95).needed is None
    assert "choose another limit" in reach([1], [1], bound, limit, 0.95).sentence(bound, limit, "face")


def test_nobody_shows_nothing() -> None:
    assert reach([], [], "at_least", 0.9, 0.95).sentence("at_least", 0.9, "plate") == (
        "no plate of known position; to prove at least 90 % takes 36 independent ones without a miss"
    )
