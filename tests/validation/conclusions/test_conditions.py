"""Criteria and figures of boxes under a condition, and of sources with a tag, counted by hand."""

from typing import Any

from tests.support.evidence_samples import CROSSED, evidence
from vsanon.validation.conclusions.conclude import conclude

NORMAL = "40-80 {} no inside >1s normal no no sharp still front upright"


def occluded_bare(*criteria: dict[str, Any]) -> dict[str, Any]:
    """Two clips of 20 people, 10 frames each: 4 of them partly hidden, and all of these are bare."""
    found = evidence("conditions", {"street": 20, "hall": 20}, CROSSED)
    for cell in found["cells"]:
        for one in cell["classes"]["face"]["exposure"]["identities"]:
            rows = [("no", 6, 6), ("yes", 4, 0)]
            one["strata"] = [
                {
                    "is": NORMAL.format(hidden),
                    "boxes": boxes,
                    "covered": covered,
                    "found": covered,
                    "truth_px": 2000.0 * boxes,
                    "bare_px": 2000.0 * (boxes - covered),
                }
                for hidden, boxes, covered in rows
            ]
    found["sources"]["hall"]["tags"] = {"light": "low"}
    found["criteria"] = [
        {"id": f"c{k}", "metric": "coverage_recall", "class": "face", "per": "all", **criterion}
        for k, criterion in enumerate(criteria)
    ]
    return found


def test_a_criterion_on_hidden_faces_counts_these_alone() -> None:
    found = conclude(
        occluded_bare(
            {"at_least": 0.5, "where": {"occluded": ["yes"]}},
            {"at_least": 0.5, "where": {"occluded": ["no"]}},
            {"at_least": 0.5, "where": {"occluded": ["yes", "no"]}},
        )
    )
    hidden, seen, both = (criterion["groups"][0]["value"] for criterion in found["criteria"])
    assert (hidden["estimate"], hidden["n_trials"]) == (0, 4 * 40 * len(CROSSED))
    assert (seen["estimate"], both["estimate"]) == (1, 0.6)
    assert [criterion["outcome"] for criterion in found["criteria"]] == ["fail", "pass", "not shown"]


def test_a_condition_that_nobody_is_under_is_not_measured_and_not_passed() -> None:
    (criterion,) = conclude(occluded_bare({"at_least": 0.1, "where": {"light": ["dark"]}}))["criteria"]
    assert "not_measured" in criterion["groups"][0]["value"]
    assert criterion["outcome"] == "not shown"
    assert not criterion["sample"]["supports"]


def test_a_criterion_on_heads_counts_these_alone_and_passes_nothing_that_was_not_looked_at() -> None:
    asked = {"at_least": 0.5, "where": {"yaw": ["profile"]}}
    turned = occluded_bare(asked)
    for cell in turned["cells"]:
        for one in cell["classes"]["face"]["exposure"]["identities"]:
            one["strata"][1]["is"] = one["strata"][1]["is"].replace("front", "profile")
    (profiles,) = conclude(turned)["criteria"]
    assert (profiles["groups"][0]["value"]["estimate"], profiles["outcome"]) == (0, "fail")
    before = occluded_bare(asked)
    for cell in before["cells"]:
        for one in cell["classes"]["face"]["exposure"]["identities"]:
            for row in one["strata"]:
                row["is"] = row["is"].rsplit(" ", 2)[0]
    (unknown,) = conclude(before)["criteria"]
    assert unknown["outcome"] == "not shown"
    assert unknown["groups"][0]["why"][0] == "no face is there with yaw profile"


def test_a_criterion_on_a_tag_takes_its_sources_alone() -> None:
    (criterion,) = conclude(occluded_bare({"at_least": 0.1, "where": {"tags": {"light": ["low"]}}}))["criteria"]
    assert {cell.split("/")[0] for cell in criterion["groups"][0]["cells"]} == {"hall"}


def test_pixels_and_people_are_counted_under_a_condition_too() -> None:
    where = {"where": {"occluded": ["yes"]}}
    found = conclude(
        occluded_bare(
            {"metric": "pixel_recall", "at_least": 0.5, **where},
            {"metric": "exposed_identity_share", "at_most": 0.5, **where},
            {"metric": "exposed_identity_share", "at_most": 0.5, "at_least_frames": 5, **where},
        )
    )
    # Four frames each are fewer than five, and all are bare.
    assert [c["groups"][0]["value"]["estimate"] for c in found["criteria"]] == [0, 1, 1]


def test_figures_stand_by_condition_and_those_of_one_value_are_left_out() -> None:
    rows = conclude(occluded_bare())["conditions"]
    assert [(row["condition"], row["value"], row["coverage_recall"]["estimate"]) for row in rows] == [
        ("occluded", "no", 1.0),
        ("occluded", "yes", 0.0),
    ]


def test_the_headline_is_the_share_of_people_that_were_never_exposed() -> None:
    """In H.264 at CRF 30, person 0 of each clip is bare in one frame: 18 of 20 people are never exposed."""

    def one(_: str, encode: str, identity: int) -> int:
        return 1 if encode == "h264_crf_30" and identity == 0 else 0

    found = conclude(evidence("headline", {"street": 10, "hall": 10}, CROSSED, one))
    (row,) = found["headline"]
    assert row["never_exposed"]["estimate"] == row["in_worst"]["estimate"] == 0.9
    assert row["worst_encode"] == "h264_crf_30"
    assert row["never_exposed"]["n_identities"] == 20
