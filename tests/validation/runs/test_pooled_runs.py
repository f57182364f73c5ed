"""Runs of one test as one: more people for the same verdict, nobody twice, and only what was measured alike."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.evidence_samples import CROSSED, Json, evidence, fail, passing
from vsanon.cli.main import main
from vsanon.errors import InputError
from vsanon.reporting.document import read_evidence
from vsanon.reporting.facts import canonical_json
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.runs.pooled_runs import pool


def run(*names: str, count: int = 20) -> Json:
    return evidence("pooled", dict.fromkeys(names, count), CROSSED)


def test_two_runs_on_other_footage_show_more_than_each() -> None:
    """20 people a clip are worth 6.9: two clips 13.8 (0.765), four 27.6 (0.875)."""
    one, other = run("street", "hall"), run("yard", "shop")
    both = pool([one, other])
    assert read_evidence(canonical_json(both)) == both
    low = [conclude(found)["criteria"][0]["groups"][0]["value"]["low"] for found in (one, both)]
    assert low == pytest.approx([0.025 ** (2.9 / 40), 0.025 ** (2.9 / 80)], abs=1e-6)
    assert conclude(both)["sample"]["absent"] == 0
    assert [entry["title"] for entry in both["provenance"]["pooled"]] == [one["title"], other["title"]]


def test_a_source_that_is_in_both_runs_counts_once() -> None:
    one, other = run("street", "hall"), run("street", "yard")
    both = pool([one, other])
    assert list(both["sources"]) == ["street", "hall", "yard"]
    assert len(both["cells"]) == 3 * len(CROSSED)
    assert conclude(both)["sample"]["identities"] == {"face": 60}


def test_a_source_under_another_name_is_the_same_one() -> None:
    one, other = run("street", "hall"), run("strasse", "yard")
    other["sources"]["strasse"]["sha256"] = one["sources"]["street"]["sha256"]
    other["sources"]["strasse"]["truth"]["sha256"] = one["sources"]["street"]["truth"]["sha256"]
    for cell in other["cells"]:
        if cell["source"] == "strasse":
            theirs = next(c for c in one["cells"] if (c["source"], c["encode"]) == ("street", cell["encode"]))
            cell.update(copy.deepcopy({k: v for k, v in theirs.items() if k not in ("id", "source")}))
    assert list(pool([one, other])["sources"]) == ["street", "hall", "yard"]


def test_other_footage_under_the_same_name_is_another_source() -> None:
    one, other = run("street", "hall"), run("street", "yard")
    other["sources"]["street"]["sha256"] = "0" * 64
    both = pool([one, other])
    assert list(both["sources"]) == ["street", "hall", "street.2", "yard"]
    assert {cell["id"].split("/")[0] for cell in both["cells"]} == set(both["sources"])


def loosened(found: Json) -> None:
    found["criteria"][0]["at_least"] = 0.1


def other_code(found: Json) -> None:
    found["provenance"]["code_sha256"] = "1" * 64


def other_library(found: Json) -> None:
    found["provenance"]["versions"]["numpy"] = "9.9"


def other_model(found: Json) -> None:
    found["provenance"]["models"][0]["sha256"] = "2" * 64


def other_setting(found: Json) -> None:
    found["settings"]["balanced"]["size"] = 320


def other_encode(found: Json) -> None:
    found["encodes"][CROSSED[0]]["axes"]["gop"] = 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (loosened, "criteria"), (other_code, "code_sha256"), (other_library, "versions"), (other_model, "models"),
        (other_setting, "settings"), (other_encode, "encodes"),
    ],
)  # fmt: skip
def test_what_was_measured_otherwise_is_not_pooled(change: Any, words: str) -> None:
    other = run("yard", "shop")
    change(other)
    with pytest.raises(InputError, match=f"its {words} differ"):
        pool([run("street", "hall"), other])


def test_the_same_footage_with_other_figures_is_refused() -> None:
    other = run("street", "yard")
    other["cells"][0]["over_blur"] = 0.5
    with pytest.raises(InputError, match="street/h264_crf_23/balanced/strict/none: run 2 measured other figures"):
        pool([run("street", "hall"), other])


def test_the_same_footage_with_another_truth_is_refused() -> None:
    other = run("street", "yard")
    other["sources"]["street"]["truth"]["sha256"] = "3" * 64
    with pytest.raises(InputError, match="another truth"):
        pool([run("street", "hall"), other])


def test_a_cell_that_failed_in_one_run_and_not_in_the_other_is_said() -> None:
    one, other = run("street", "hall"), run("street", "hall")
    fail(one["cells"][0], "encode", "Killed", "out of memory")
    for pair in ((one, other), (other, one)):
        both = pool(pair)
        assert all(cell["outcome"] == "measured" for cell in both["cells"])
        assert any("failed in one run, and was measured in another" in words for words in both["deviations"])


def test_one_run_is_no_pool() -> None:
    with pytest.raises(InputError, match="from two on"):
        pool([passing()])


def test_pooled_evidence_takes_the_place_of_no_run_and_of_no_file_unasked(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.json" for name in ("one", "two")]
    for path, found in zip(paths, (run("street", "hall"), run("yard", "shop")), strict=True):
        path.write_bytes(canonical_json(found))
    before = paths[0].read_bytes()

    def pooled(*more: str | Path) -> str:
        return CliRunner().invoke(main, ["validate", "pool", *map(str, paths), *map(str, more)]).stderr

    assert "is also an input" in pooled("-o", paths[0], "--overwrite")
    assert paths[0].read_bytes() == before
    (tmp_path / "both.json").write_text("kept")
    assert "already there" in pooled("-o", tmp_path / "both.json")
    assert (tmp_path / "both.json").read_text() == "kept"
    pooled("-o", tmp_path / "both.json", "--overwrite")
    assert len(json.loads((tmp_path / "both.json").read_text())["sources"]) == 4
