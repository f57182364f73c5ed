"""`report compare`: what changed between two runs, and that nothing which passed is lost without an error."""

import copy
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support import evidence_samples
from vsanon.errors import InputError
from vsanon.reporting.comparing import compare, in_words
from vsanon.reporting.facts import canonical_json
from vsanon.reporting.pages import render

pytestmark = pytest.mark.slow

ENCODES = evidence_samples.CROSSED


def run(bare: Mapping[int, int] | None = None, **options: Any) -> dict[str, Any]:
    """Two clips of 20 identities in 10 frames, under four encodes; `bare` frames by identity at H.264."""
    bare = bare or {}

    def exposed(source: str, encode: str, identity: int) -> int:
        return bare.get(identity, 0) if encode == "h264_crf_23" else 0

    return evidence_samples.evidence("trend", {"street": 20, "hall": 20}, ENCODES, exposed, **options)


def between(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return compare(canonical_json(old), canonical_json(new))


def row(found: dict[str, Any], encode: str, metric: str) -> dict[str, Any]:
    (one,) = [r for r in found["figures"] if (r["encode"], r["metric"]) == (encode, metric)]
    return one


def test_the_same_run_twice_has_no_change() -> None:
    found = between(run(), run())
    assert found["regressed"] is False
    assert found["changes"] == found["lost"] == found["sources"] == []
    assert {r["change"] for r in found["figures"]} == {"no difference shown"}
    assert {r["p_holm"] for r in found["figures"]} == {1.0}
    assert len(found["figures"]) == 4 * 4


def test_a_criterion_that_no_longer_passes_is_lost() -> None:
    found = between(run(), run(dict.fromkeys(range(20), 5)))
    assert found["regressed"]
    assert {"criterion": "faces-covered", "group": "h264_crf_23", "now": "fail"} in found["lost"]
    assert {"criterion": "faces-covered", "group": None, "now": "fail"} in found["lost"]
    assert [r["lost"] for r in found["criteria"]] == [True, False, False, False]


def test_what_got_better_is_no_loss() -> None:
    found = between(run(dict.fromkeys(range(20), 5)), run())
    assert not found["regressed"]
    assert row(found, "h264_crf_23", "coverage_recall")["change"] == "better"


def test_the_difference_is_paired_by_identity_new_less_old() -> None:
    # 10 of each clip's 20 identities lose 4 of 10 frames: 160 of 400 boxes are 40 points of half of them.
    one = row(between(run(), run(dict.fromkeys(range(10), 4))), "h264_crf_23", "coverage_recall")
    assert one["difference"]["estimate"] == pytest.approx(-0.2)
    assert one["difference"]["low"] < -0.2 < one["difference"]["high"]
    assert (one["difference"]["n_clips"], one["difference"]["n_identities"]) == (2, 40)
    assert one["n_changed"] == 20
    assert one["change"] == "worse"
    exposed = row(between(run(), run(dict.fromkeys(range(10), 4))), "h264_crf_23", "exposed_identity_share")
    assert exposed["difference"]["estimate"] == pytest.approx(0.5)
    assert exposed["change"] == "worse"


def test_few_identities_that_changed_are_no_proof() -> None:
    # One identity of each clip: the sign test's least p for 2 is 2 · 2^-2 = 0.5, whatever the draws say.
    one = row(between(run(), run({0: 10})), "h264_crf_23", "coverage_recall")
    assert one["n_changed"] == 2
    assert one["p_value"] >= 0.5
    assert one["change"] == "no difference shown"


def test_p_values_are_adjusted_for_all_figures() -> None:
    found = between(run(), run(dict.fromkeys(range(10), 4)))
    worst = min(found["figures"], key=lambda r: r["p_value"])
    # Four encodes of four figures: Holm multiplies the smallest by sixteen.
    assert worst["p_holm"] == pytest.approx(16 * worst["p_value"])


def test_one_identity_gives_no_interval() -> None:
    sample = evidence_samples.evidence("one", {"street": 1}, ENCODES)
    one = row(between(sample, sample), "h264_crf_23", "coverage_recall")
    assert "not_measured" in one["difference"]
    assert one["change"] == "not measured"


@pytest.mark.slow
def test_a_criterion_that_was_loosened_or_dropped_hides_nothing() -> None:
    worse = run(dict.fromkeys(range(20), 5))
    loosened, dropped = copy.deepcopy(worse), copy.deepcopy(worse)
    loosened["criteria"][0]["at_least"] = 0.1
    dropped["criteria"] = []
    for new in (loosened, dropped):
        found = between(run(), new)
        assert found["regressed"]
        assert any(change["part"] == "criteria" for change in found["changes"])


def test_a_group_that_is_no_longer_measured_is_lost() -> None:
    new = run()
    new["cells"] = [cell for cell in new["cells"] if cell["encode"] != "h264_crf_23"]
    del new["encodes"]["h264_crf_23"]
    found = between(run(), new)
    assert found["regressed"]
    assert {"criterion": "faces-covered", "group": "h264_crf_23", "now": "not measured any more"} in found["lost"]
    assert len(found["cells"]["removed"]) == 2


def test_new_failures_added_and_removed_cells_are_listed() -> None:
    old, new = run(), run()
    evidence_samples.fail(new["cells"][0], "encode", "MissingError", "no encoder libx264")
    old["cells"].pop()
    found = between(old, new)["cells"]
    assert [(one["cell"], one["step"], one["message"]) for one in found["new_failures"]] == [
        (new["cells"][0]["id"], "encode", "no encoder libx264")
    ]
    assert found["added"] == [new["cells"][-1]["id"]]
    assert found["both"] == 7
    back = between(new, run())["cells"]
    assert (back["mended"], back["new_failures"]) == ([new["cells"][0]["id"]], [])


def test_a_failed_cell_that_nobody_has_worked_on_since_is_not_mended() -> None:
    old, new = run(), run()
    evidence_samples.fail(old["cells"][0], "encode", "MissingError", "no encoder libx264")
    evidence_samples.fail(new["cells"][0], "encode", "MissingError", "no encoder libx264")
    new["cells"][0] |= {"outcome": "not run", "failure": None}
    assert between(old, new)["cells"]["mended"] == []


def test_a_run_that_passed_and_now_has_a_failed_cell_is_lost() -> None:
    old, new = evidence_samples.passing(), evidence_samples.with_failed_cell()
    found = between(old, new)
    assert {"criterion": None, "group": None, "now": "not shown"} in found["lost"]


def test_a_check_of_the_delivered_file_that_no_longer_passes_is_listed() -> None:
    old = evidence_samples.delivered()
    new = copy.deepcopy(old)
    (cell, check) = next(
        (c, k) for c in new["cells"] if c["delivered"] for k in c["delivered"]["checks"] if k["passed"]
    )
    check["passed"] = False
    assert between(old, new)["cells"]["checks_lost"] == [{"cell": cell["id"], "check": check["name"]}]


def test_versions_models_and_settings_that_changed_are_named_with_both_values() -> None:
    new = run()
    new["provenance"]["versions"]["ffmpeg"] = "9.1"
    new["provenance"]["models"][0]["sha256"] = "f" * 64
    new["settings"]["balanced"]["size"] = 960
    changes = {(c["part"], c["what"]): (c["old"], c["new"]) for c in between(run(), new)["changes"]}
    assert changes == {
        ("provenance", "versions.ffmpeg"): ("9.0", "9.1"),
        ("models", "centerface.sha256"): (evidence_samples.sha("model"), "f" * 64),
        ("settings", "balanced.size"): (None, 960),
    }


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("frames_sha256", "its pictures are not the same"),
        ("truth", "its truth is not the same"),
        (None, "only in the"),
    ],
)
def test_figures_are_paired_only_where_pictures_and_truth_are_the_same(key: str | None, why: str) -> None:
    new = run()
    if key is None:
        del new["sources"]["hall"]
        new["cells"] = [cell for cell in new["cells"] if cell["source"] != "hall"]
    elif key == "truth":
        new["sources"]["hall"]["truth"]["sha256"] = "e" * 64
    else:
        new["sources"]["hall"][key] = "e" * 64
    found = between(run(), new)
    ((source, said),) = [(one["source"], one["why_not"]) for one in found["sources"]]
    assert source == "hall"
    assert said.startswith(why)
    assert {r["difference"]["n_identities"] for r in found["figures"]} == {20}


def test_evidence_that_says_no_more_than_it_must_is_compared_all_the_same() -> None:
    old, new = run(), run(dict.fromkeys(range(10), 4))
    for side in (old, new):
        for source in side["sources"].values():
            del source["frames_sha256"], source["every"]
            source["truth"]["sha256"] = None
        for encode in side["encodes"].values():
            del encode["axes"]
    assert row(between(old, new), "h264_crf_23", "coverage_recall")["change"] == "worse"
    new["sources"]["hall"]["sha256"] = "e" * 64
    assert [one["source"] for one in between(old, new)["sources"]] == ["hall"]


def test_the_same_frames_in_another_file_are_the_same_pictures() -> None:
    new = run()
    new["sources"]["hall"]["sha256"] = "e" * 64
    assert between(run(), new)["sources"] == []


def test_a_source_that_could_not_be_read_is_not_compared() -> None:
    new = run()
    new["sources"]["hall"] |= {
        "sha256": None, "bytes": None, "condition": None, "range": None, "frames_sha256": None,
        "failure": {"step": "read", "kind": "InputError", "message": "gone"},
    }  # fmt: skip
    found = between(run(), new)
    assert [one["why_not"] for one in found["sources"]] == ["it could not be used in one of the runs"]
    assert render(found, page="comparison.html")


def test_without_truth_nothing_is_compared() -> None:
    found = between(evidence_samples.without_truth(), evidence_samples.without_truth())
    assert {one["why_not"] for one in found["sources"]} == {"it has no truth"}
    assert {r["change"] for r in found["figures"]} <= {"not measured"}


def test_the_comparison_is_plain_json_and_the_same_twice() -> None:
    old, new = run(), run({0: 3})
    first = canonical_json(between(old, new))
    assert first == canonical_json(between(old, new))
    assert json.loads(first)["vsanon_comparison"] == 1


def test_the_page_and_the_lines_say_what_was_lost_first() -> None:
    found = between(run(), run(dict.fromkeys(range(20), 5)))
    lines = list(in_words(found))
    assert lines[1].startswith("LOST  faces-covered (h264_crf_23): passed, now fail")
    page = render(found, page="comparison.html")
    assert page.index("Something that passed no longer does") < page.index("The two runs")
    assert "▼ worse" in page
    calm = render(between(run(), run()), page="comparison.html")
    assert "Nothing that passed was lost" in calm
    assert "No figure changed for any identity" in calm


def test_hostile_names_are_text_on_the_page() -> None:
    name = "<script>alert(1)</script>{{ 7 * 7 }}"
    new = run()
    new["provenance"]["versions"][name] = name
    new["title"] = name
    page = render(between(run(), new), page="comparison.html")
    assert "<script>alert" not in page
    assert name in html.unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"vsanon_evidence": 1}'])
def test_what_is_no_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="evidence"):
        compare(content, canonical_json(run()))
