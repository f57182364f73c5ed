"""What is concluded from evidence, counted by hand; and that nothing passes on what was not measured."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.evidence_samples import (
    CROSSED,
    LADDER_CRF,
    SAMPLES,
    Json,
    delivered,
    evidence,
    fail,
    failing,
    not_measured,
    one_clip,
    one_format,
    passing,
    without_truth,
)
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.metric_kinds import LESS_IS_BETTER, OF_CELLS
from vsanon.validation.conclusions.share_intervals import share_interval

FACES = {"id": "f", "metric": "coverage_recall", "class": "face", "at_least": 0.75, "per": "encode"}
VERDICTS = {
    "passing": "pass", "failing": "fail", "with_failed_cell": "not shown", "not_run": "not shown",
    "one_format": "not shown", "one_clip": "not shown", "without_truth": "not shown", "without_detections": "fail",
    "one_frame": "not shown", "ladder": "fail", "delivered": "fail",
}  # fmt: skip


@pytest.fixture(scope="module")
def concluded() -> dict[str, Json]:
    return {name: conclude(make()) for name, make in SAMPLES.items()}


def judged(found: Json, **changes: Any) -> Json:
    """The one criterion, put to the evidence."""
    return conclude({**found, "criteria": [{**FACES, **changes}]})["criteria"][0]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_has_its_verdict(name: str, concluded: dict[str, Json]) -> None:
    assert concluded[name]["verdict"]["outcome"] == VERDICTS[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_conclusions_are_json_that_fits_the_report_s_schema(name: str, concluded: dict[str, Json]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((Path(__file__).parents[3] / "reports" / "report.schema.json").read_text(encoding="utf-8"))
    found = json.loads(json.dumps(concluded[name], allow_nan=False))
    jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": "#/$defs/conclusions"}).validate(found)


def test_the_same_evidence_gives_the_same_conclusions_and_stays_as_it_is() -> None:
    found = failing()
    before = copy.deepcopy(found)
    assert json.dumps(conclude(found)) == json.dumps(conclude(found))
    assert found == before


def test_all_covered_is_as_sure_as_there_are_identities(concluded: dict[str, Json]) -> None:
    """40 of 40, 20 a clip, are worth 40 / (1 + 19 · 0.1) = 13.8: the bound is that root of 0.025, or 0.765."""
    for group in concluded["passing"]["criteria"][0]["groups"]:
        assert group["value"]["low"] == pytest.approx(0.025 ** (2.9 / 40))
        assert group["value"]["n_identities"] == 40
        assert group["value"]["n_trials"] == 400
    assert judged(passing(), at_least=0.77)["outcome"] == "not shown"


def test_a_group_that_fails_is_named_in_the_verdict(concluded: dict[str, Json]) -> None:
    found = concluded["failing"]
    outcomes = {group["name"]: group["outcome"] for group in found["criteria"][0]["groups"]}
    assert outcomes == {**dict.fromkeys(("h264_crf_23", *CROSSED[2:]), "pass"), "h264_crf_45": "fail"}
    assert found["verdict"]["reasons"] == ["faces-covered: fail for h264_crf_45"]


def test_pooled_figures_are_those_counted_by_hand(concluded: dict[str, Json]) -> None:
    """Every second of 40 is bare in all ten frames: 200 of 400 boxes, 20 of 40 identities, 10 frames at 25 fps."""
    row = next(row for row in concluded["failing"]["pooled"] if row["encode"] == "h264_crf_45")
    for metric in ("coverage_recall", "detection_recall", "pixel_recall", "exposed_identity_share"):
        assert row[metric]["estimate"] == pytest.approx(0.5)
        assert row[metric]["low"] < 0.5 < row[metric]["high"]
    assert (row["coverage_recall"]["n_clips"], row["coverage_recall"]["n_identities"]) == (4, 40)
    assert (row["longest_run_frames"], row["longest_run_ms"]) == (10, 400)
    assert row["over_blur"] == pytest.approx(0.03)
    assert len(row["cells"]) == 4


def test_a_failed_cell_lets_its_group_and_the_verdict_not_pass(concluded: dict[str, Json]) -> None:
    found = concluded["with_failed_cell"]
    group = found["criteria"][0]["groups"][-1]
    assert group["outcome"] == "not shown"
    assert group["why"] == ["hall/h265_crf_35/balanced/strict/none failed"]
    assert "1 of 10 cells failed" in found["verdict"]["reasons"]
    assert "hall/h265_crf_35/balanced/strict/none" not in found["cells"]
    assert found["sample"]["failed"] == 1


def test_a_criterion_that_does_not_ask_for_the_failed_cell_passes_and_the_verdict_does_not() -> None:
    found = passing()
    fail(found["cells"][0], "encode", "MissingError", "no encoder")
    found["criteria"][0]["where"] = {"encode": list(CROSSED)}
    concluded = conclude(found)
    assert concluded["criteria"][0]["outcome"] == "pass"
    assert [group["name"] for group in concluded["criteria"][0]["groups"]] == list(CROSSED)
    assert concluded["verdict"]["outcome"] == "not shown"


def test_a_cell_that_failed_does_not_hide_one_that_fails() -> None:
    found = failing()
    found["cells"][-1] |= {
        "outcome": "failed",
        "classes": {},
        "failure": {"step": "e", "kind": "k", "message": "m"},
    }
    assert conclude(found)["verdict"]["outcome"] == "fail"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (one_format, "1 of the 2 formats (codecs)"),
        (one_clip, "1 of the 2 clips that show a face of known position"),
        (without_truth, "0 of the 2 clips that show a face of known position"),
    ],
)
def test_a_sample_that_is_too_small_supports_nothing(make: Callable[[], Json], words: str) -> None:
    found = conclude(make())
    assert found["sample"]["supports"] is False
    assert words in found["sample"]["reason"]
    assert any("does not support a conclusion" in reason for reason in found["verdict"]["reasons"])


def test_encodes_of_one_rate_are_one_bit_rate() -> None:
    found = passing()
    for cell in found["cells"]:
        cell["stream"]["bit_rate"] = 1_000_000
    found["encodes"].pop("as_is")
    found["cells"] = [cell for cell in found["cells"] if cell["encode"] != "as_is"]
    assert conclude(found)["sample"]["bit_rates"] == 1
    assert conclude(passing())["sample"]["bit_rates"] == 4


def test_truth_that_vsanon_made_itself_supports_nothing() -> None:
    found = passing()
    for source in found["sources"].values():
        source["truth"]["kind"] = "reference"
    assert "no truth but what vsanon itself found" in conclude(found)["sample"]["reason"]
    assert conclude(found)["verdict"]["outcome"] == "not shown"


def test_without_truth_every_figure_says_so(concluded: dict[str, Json]) -> None:
    found = concluded["without_truth"]
    reason = {"not_measured": "no face of known position was measured"}
    assert all(row["coverage_recall"] == reason == row["longest_run_ms"] for row in found["pooled"])
    assert all(row["over_blur"] == {"not_measured": "there is no truth"} for row in found["pooled"])
    assert all(figures["face"]["pixel_recall"] == reason for figures in found["cells"].values())
    assert found["curves"] == found["effects"] == found["worst"] == []
    assert found["sample"]["identities"] == {"face": 0}
    assert found["criteria"][0]["groups"][0]["why"][0] == "hall has no truth"


def test_one_source_without_truth_lets_its_groups_not_pass() -> None:
    found = evidence("mixed", {"street": 40, "hall": 40, "yard": 0}, CROSSED)
    assert conclude(found)["verdict"]["outcome"] == "pass", "a scene with nobody in it takes nothing away"
    found["sources"]["yard"]["truth"]["kind"] = "none"
    for cell in found["cells"]:
        if cell["source"] == "yard":
            cell["classes"]["face"] |= dict.fromkeys(("detection", "exposure", "tracks", "stability", "regions"))
    assert judged(found)["outcome"] == "not shown"
    assert judged(found, where={"source": ["street", "hall"]})["outcome"] == "pass"


def test_nothing_found_is_a_recall_of_0_and_not_nothing(concluded: dict[str, Json]) -> None:
    figure = concluded["without_detections"]["pooled"][0]["coverage_recall"]
    assert (figure["estimate"], figure["low"]) == (0, 0)
    assert figure["high"] == pytest.approx(1 - 0.025 ** (2.9 / 40), abs=1e-6)


def test_one_person_in_one_frame_proves_next_to_nothing(concluded: dict[str, Json]) -> None:
    """Two of two: the lower bound is the root of 0.025, or 0.158."""
    figure = concluded["one_frame"]["pooled"][0]["coverage_recall"]
    assert (figure["estimate"], figure["low"]) == (1, pytest.approx(0.1581, abs=1e-4))


def test_one_identity_with_999_of_1000_frames_covered_is_not_certainty() -> None:
    """A bootstrap of one identity has no spread; a weight of one identity has all: 0.025 of 0.999."""
    found = evidence("one", {"street": 1}, ("h264_crf_23",), lambda *_: 1, frames=1000)
    value = judged(found, at_least=0.99)["groups"][0]["value"]
    assert (value["estimate"], value["low"], value["high"]) == (0.999, 0.024975, pytest.approx(0.999975))
    assert judged(found, at_least=0.99)["outcome"] == "not shown"


def test_a_matrix_without_criteria_or_cells_is_not_passed() -> None:
    found = conclude({**passing(), "criteria": []})
    assert found["verdict"] == {"outcome": "not shown", "reasons": ["there is no criterion to pass"]}
    empty = conclude({**passing(), "cells": []})
    assert empty["verdict"]["outcome"] == "not shown"
    assert {group["outcome"] for group in empty["criteria"][0]["groups"]} == {"not shown"}


def test_all_cells_failed_is_not_shown() -> None:
    found = passing()
    for cell in found["cells"]:
        cell |= {"outcome": "failed", "classes": {}, "stream": None, "over_blur": not_measured("the cell failed")}
    concluded = conclude(found)
    assert concluded["verdict"]["outcome"] == "not shown"
    assert concluded["cells"] == {}
    assert {group["outcome"] for group in concluded["criteria"][0]["groups"]} == {"not shown"}
    assert concluded["pooled"][0]["over_blur"] == {"not_measured": "the cell failed"}


@pytest.mark.parametrize(
    ("per", "names"),
    [
        ("encode", ["as_is", *CROSSED]),
        ("source", ["street", "hall"]),
        ("all", ["all"]),
    ],
)
def test_what_is_pooled_for_a_verdict_is_named(per: str, names: list[str]) -> None:
    assert [group["name"] for group in judged(passing(), per=per)["groups"]] == names


def test_a_person_under_three_encodes_is_one_person() -> None:
    value = judged(passing(), per="all")["groups"][0]["value"]
    assert (value["n_identities"], value["n_trials"]) == (40, 2000)


def test_settings_are_not_averaged() -> None:
    found = passing()
    found["settings"]["fast"] = {**found["settings"]["balanced"], "setting": "fast"}
    for cell in copy.deepcopy(found["cells"]):
        found["cells"].append({**cell, "setting": "fast", "id": cell["id"].replace("balanced", "fast")})
    names = [group["name"] for group in judged(found)["groups"]]
    assert names[0] == "as_is/balanced/strict"
    assert len(names) == 10


def test_a_class_that_a_setting_does_not_search_is_not_asked_for() -> None:
    assert judged(passing(), **{"class": "plate"})["groups"] == []
    assert judged(passing(), **{"class": "plate"})["outcome"] == "not shown"


def test_the_share_of_exposed_identities_counts_frames() -> None:
    found = evidence("runs", {"street": 20, "hall": 20}, CROSSED, lambda s, e, i: 3 if i < 5 else 0)
    changes = {"metric": "exposed_identity_share", "at_most": 0.5}
    found["criteria"] = [{**FACES, **changes}, {**FACES, **changes, "at_least_frames": 4}]
    for criterion in found["criteria"]:
        del criterion["at_least"]
    some, none = conclude(found)["criteria"]
    assert some["groups"][0]["value"]["estimate"] == 0.25
    assert none["groups"][0]["value"]["estimate"] == 0
    assert none["outcome"] == "pass"
    assert some["bound"] == "at_most"


def criterion_of(found: Json, metric: str, **changes: Any) -> Json:
    entry = {"id": "c", "metric": metric, "class": "face", "per": "all", **changes}
    return conclude({**found, "criteria": [entry]})["criteria"][0]


def test_over_blur_is_a_mean_of_clips_and_its_interval_goes_to_the_worst() -> None:
    found = passing()
    for cell in found["cells"]:
        cell["over_blur"] = 0.02 if cell["source"] == "street" else 0.04
    value = criterion_of(found, "over_blur", at_most=0.2)["groups"][0]["value"]
    assert value["estimate"] == pytest.approx(0.03)
    assert (value["low"], value["high"]) == (0.02, 0.04)
    assert criterion_of(found, "over_blur", at_most=0.03)["outcome"] == "not shown"
    assert criterion_of(found, "over_blur", at_most=0.2)["outcome"] == "pass"
    assert criterion_of(one_clip(), "over_blur", at_most=0.2)["outcome"] == "not shown"


@pytest.mark.parametrize("metric", OF_CELLS)
def test_what_one_cell_does_not_say_is_not_shown_by_the_others(metric: str) -> None:
    found = passing()
    for cell in found["cells"]:
        cell[metric] = 0.5
    bound = {"at_most": 0.9} if metric in LESS_IS_BETTER else {"at_least": 0.1}
    assert criterion_of(found, metric, **bound)["outcome"] == "pass"
    found["cells"][0][metric] = not_measured("no mask")
    unknown = criterion_of(found, metric, **bound)
    assert unknown["outcome"] == "not shown"
    assert unknown["groups"][0]["why"] == ["street/as_is/balanced/strict/none: no mask"]


def test_precision_is_of_detections_by_clip() -> None:
    found = passing()
    for cell in found["cells"]:
        cell["classes"]["face"]["detection"][1]["all"] = {"tp": 60, "fp": 40, "fn": 0, "iou_sum": 0.0}
    value = criterion_of(found, "precision", at_least=0.5)["groups"][0]["value"]
    assert (value["estimate"], value["n_clips"], value["n_identities"]) == (0.6, 2, None)
    assert value["low"] < 0.6


@pytest.mark.slow
def test_residuals_are_rates_of_delivered_clips() -> None:
    """3 in 100 shown frames, each of which shows 20: 30 per 1,000, of 20,000 at most."""
    value = criterion_of(delivered(), "residual_per_1000", at_most=50)["groups"][0]["value"]
    assert value["estimate"] == pytest.approx(30)
    assert value["n_trials"] == 100
    clean = delivered()
    clean["cells"][0]["delivered"]["residual"]["face"]["found"] = 0
    none = criterion_of(clean, "residual_per_1000", at_most=5000)["groups"][0]["value"]
    assert (none["estimate"], none["high"]) == (0, pytest.approx(20_000 * (1 - 0.025 ** (2.9 / 40))))
    assert none["high"] < value["high"], "what was found again makes nothing surer"
    assert criterion_of(passing(), "residual_per_1000", at_most=5000)["outcome"] == "not shown"


def test_what_is_found_again_is_taken_for_that_of_as_few_people_as_can_be() -> None:
    """75 of 100 boxes of each of two clips: 7 people of 10 frames, and half of one more, in each."""
    found = delivered()
    found["cells"] = [cell for cell in found["cells"] if cell["encode"] == "as_is"]
    for cell in found["cells"]:
        cell["delivered"]["residual"]["face"]["found"] = 75
    value = criterion_of(found, "found_again_share", at_most=0.5)["groups"][0]["value"]
    people = [1.0] * 7 + [0.5] + [0.0] * 12
    expected = share_interval([1] * 20 + [2] * 20, people * 2, [1] * 40).interval
    assert value["estimate"] == pytest.approx(0.375)
    assert (value["low"], value["high"]) == pytest.approx((expected.low, expected.high), abs=1e-6)


@pytest.mark.slow
def test_checks_are_counted_in_full() -> None:
    """Two for each of ten files, one of which failed."""
    found = criterion_of(delivered(), "checks_passed", at_least=1)
    assert found["outcome"] == "fail"
    assert found["groups"][0]["value"]["estimate"] == pytest.approx(19 / 20)
    passed = delivered()
    passed["cells"][0]["delivered"]["checks"][1]["passed"] = True
    assert criterion_of(passed, "checks_passed", at_least=1)["outcome"] == "pass"
    passed["cells"][1]["delivered"]["checks"] = []
    assert criterion_of(passed, "checks_passed", at_least=1)["outcome"] == "not shown"


def test_deliveries_do_not_count_a_person_twice() -> None:
    found = delivered()
    found["deliveries"]["other"] = found["deliveries"]["h264_crf"]
    for cell in copy.deepcopy(found["cells"]):
        found["cells"].append({**cell, "delivery": "other", "id": cell["id"].replace("h264_crf", "other")})
    assert judged(found)["groups"][0]["value"]["n_trials"] == 400
    assert len(conclude(found)["pooled"]) == 10


def test_pixel_recall_takes_the_area_that_is_known() -> None:
    """One identity of 3,000 px² all covered, one of 1,000 px² all bare: 0.75 by area, whatever their sizes say."""
    found = evidence("px", {"street": 2, "hall": 2}, ("h264_crf_23",), lambda s, e, i: i, frames=1)
    for cell in found["cells"]:
        exposure = cell["classes"]["face"]["exposure"]
        exposure |= {"truth_px": 4000.0, "covered_px": 3000.0}
        large, small = exposure["identities"]
        large["truth_px"], small["truth_px"], small["exposed_px_frames"] = 3000.0, 1000.0, 1000.0
    assert conclude(found)["pooled"][0]["pixel_recall"]["estimate"] == pytest.approx(0.75)


def test_the_worst_are_the_ten_runs_of_most_area_and_time(concluded: dict[str, Json]) -> None:
    """Ten frames of 2,000 px² each."""
    worst = concluded["failing"]["worst"]
    assert len(worst) == 10
    assert worst[0] == {
        "cell": "street/h264_crf_45/balanced/strict/none", "class": "face", "identity": 2, "start": 0, "stop": 10,
        "frames": 10, "ms": 400.0, "exposed_px_frames": 20_000.0, "median_side_px": 40.0, "worst_coverage": 0.0,
        "worst_frame": 0,
    }  # fmt: skip
    assert concluded["passing"]["worst"] == []


def test_recall_is_drawn_over_crf_rate_and_size(concluded: dict[str, Json]) -> None:
    curves = [curve for curve in concluded["ladder"]["curves"] if curve["y"] == "coverage_recall"]
    by_crf = {curve["series"]: curve for curve in curves if curve["x"] == "crf"}
    assert [point["x"] for point in by_crf["h264"]["points"]] == list(LADDER_CRF)
    shares = [round(point["y"]["estimate"], 3) for point in by_crf["h264"]["points"]]
    assert shares == [1, 1, 0.7, 0.4, 0]
    rates = next(curve for curve in curves if curve["x"] == "bit_rate" and curve["series"] == "h264")
    assert [point["x"] for point in rates["points"]] == pytest.approx([125e3, 250e3, 500e3, 1e6, 2e6])
    sides = [curve for curve in curves if curve["x"] == "side_px"]
    assert {curve["series"] for curve in sides} == {"h264_crf_23", "h264_crf_51", "h265_crf_23", "h265_crf_51"}
    assert sides[0]["points"][0]["x"] == pytest.approx(32 * 2**0.25, abs=0.01)
    assert len({curve["id"] for curve in concluded["ladder"]["curves"]}) == len(concluded["ladder"]["curves"])


def test_the_knee_lies_where_recall_begins_to_fall_and_a_step_later_for_the_other_codec(
    concluded: dict[str, Json],
) -> None:
    fits = {
        curve["series"]: curve["fit"]
        for curve in concluded["ladder"]["curves"]
        if (curve["x"], curve["y"]) == ("crf", "coverage_recall")
    }
    knees = {name: fit["knee"] for name, fit in fits.items()}
    assert 30 < knees["h264"]["low"] < knees["h264"]["estimate"] < knees["h264"]["high"] < 44
    assert knees["h265"]["estimate"] - knees["h264"]["estimate"] == pytest.approx(7, abs=1)
    assert "200 draws" in knees["h264"]["method"]
    assert fits["h264"]["slope"] < 0


def test_a_curve_of_few_points_or_that_does_not_fall_has_no_fit(concluded: dict[str, Json]) -> None:
    assert all("a fit needs 4 points" in curve["fit"]["not_measured"] for curve in concluded["failing"]["curves"])
    flat = evidence("flat", {"a": 3, "b": 3}, [f"h264_crf_{crf}" for crf in LADDER_CRF])
    curve = next(curve for curve in conclude(flat)["curves"] if curve["x"] == "crf")
    assert curve["fit"] == {"not_measured": "recall changes by less than 2% over what was measured"}


def test_the_effect_of_an_axis_is_that_of_one_step_paired_by_identity(concluded: dict[str, Json]) -> None:
    effects = [e for e in concluded["ladder"]["effects"] if e["metric"] == "coverage_recall"]
    crf = {(e["a"], e["b"]): e for e in effects if e["axis"] == "crf"}
    assert len(crf) == 8, "four steps of each codec"
    step = crf["h264_crf_30", "h264_crf_37"]
    assert step["difference"]["estimate"] == pytest.approx(-0.3)
    assert (step["difference"]["n_clips"], step["difference"]["n_identities"]) == (3, 18)
    assert step["p_value"] < step["p_holm"] < 0.05
    assert crf["h264_crf_23", "h264_crf_30"]["p_holm"] == 1


def test_codecs_are_compared_where_their_rates_are_equal(concluded: dict[str, Json]) -> None:
    """H.265 at CRF n has the rate of H.264 at n + 7, and the recall of H.264 at n − 7."""
    codec = [e for e in concluded["ladder"]["effects"] if (e["axis"], e["metric"]) == ("codec", "coverage_recall")]
    pairs = {(e["a"], e["b"]): e for e in codec}
    assert set(pairs) == {(f"h264_crf_{crf}", f"h265_crf_{crf - 7}") for crf in LADDER_CRF[1:]}
    assert pairs["h264_crf_37", "h265_crf_30"]["difference"]["estimate"] == pytest.approx(0.3)
    assert all(e["rate_ratio"] == 1 for e in codec)


def test_the_rate_at_equal_recall_is_a_quarter(concluded: dict[str, Json]) -> None:
    """Equal recall comes two halvings of the rate later."""
    row = next(row for row in concluded["ladder"]["bd_rates"] if row["metric"] == "coverage_recall")
    assert (row["reference"], row["tested"]) == ("h264", "h265")
    assert row["percent"] == pytest.approx(-75, abs=1)


def test_five_identities_that_changed_alike_are_no_proof() -> None:
    """Five of one clip are worth 5 / 1.4, of which a sign test gives 2 · 2^-3.57 at best."""
    found = evidence(
        "few", {"a": 5}, ("h264_crf_23", "h264_crf_30"), lambda s, encode, i: 5 if encode.endswith("30") else 0
    )
    effect = conclude(found)["effects"][0]
    assert effect["difference"]["estimate"] == -0.5
    assert effect["p_value"] == pytest.approx(2 * 0.5 ** (5 / 1.4), abs=1e-6)


def test_one_identity_is_not_compared() -> None:
    found = evidence("single", {"a": 1}, ("h264_crf_23", "h264_crf_30"))
    effect = conclude(found)["effects"][0]
    assert effect["difference"] == {"not_measured": "fewer than two identities were measured under both"}
    assert effect["p_value"] is effect["p_holm"] is None
