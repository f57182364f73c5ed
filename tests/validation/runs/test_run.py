"""A matrix, run: whole, again, killed and gone on with, on other executors, and where parts of it fail."""

import contextlib
import json
import logging
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from tests.support.small_matrix import FRAMES, TEXT, draw, plan_of, run
from vsanon.cli.main import main
from vsanon.encode import run as ffmpeg
from vsanon.errors import InputError
from vsanon.farm.executors import DaskExecutor, LocalExecutor, default_workers
from vsanon.media.source import open_source
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.metrics.conditions import CONDITIONS
from vsanon.validation.runs import step_media
from vsanon.validation.runs.resume_or_retry import require_own
from vsanon.validation.runs.run import collect, run_cell, run_matrix
from vsanon.validation.runs.specs import SourceSpec
from vsanon.validation.runs.store import Store

pytestmark = pytest.mark.slow

VSANON = [sys.executable, "-m", "vsanon"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    draw(folder)
    return folder


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole")
    run(clips, out)
    return out


def read(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "evidence.json").read_text(encoding="utf-8"))
    return found


def outcomes(evidence: dict[str, Any]) -> dict[str, str]:
    return {cell["id"]: cell["outcome"] for cell in evidence["cells"]}


def test_a_short_encode_has_the_rate_of_its_source(clips: Path, tmp_path: Path) -> None:
    # Eight frames of 24 a second end at 333.3 ms, which Matroska rounds.
    whole, short = str(clips / "clip.mkv"), str(tmp_path / "clip.mkv")
    ffmpeg(["-i", whole, "-vf", "setpts=N/24/TB", "-r", "24", "-frames:v", "8", "-c:v", "ffv1", short])
    text = TEXT.replace(", truth: clip.csv", "").replace("[null, h264_crf]", "[null]")
    text = text.replace("crf: [20, 51]", "gop: [null, 1]")
    evidence = run_matrix(plan_of(tmp_path, text), tmp_path / "out", LocalExecutor(1), lambda _: None)
    assert [(cell["fps"], cell["stream"]["fps"]) for cell in evidence["cells"]] == [("24", "24")] * 2


def test_a_record_of_no_worth_is_a_failed_cell_and_not_the_end_of_the_others(clips: Path, tmp_path: Path) -> None:
    text = TEXT.replace("[null, h264_crf]", "[null]").replace("crf: [20, 51]", "crf: 20")
    run_matrix(plan_of(clips, text), tmp_path, LocalExecutor(1), lambda _: None)
    shutil.rmtree(tmp_path / "store")
    (record,) = (tmp_path / "cells").iterdir()
    record.write_bytes(record.read_bytes()[:-1])
    (cell,) = collect(tmp_path)["cells"]
    assert (cell["outcome"], cell["failure"]["kind"]) == ("failed", "Damaged")
    assert "run it again" in cell["failure"]["message"]


def test_what_other_code_has_measured_does_not_count(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gathered by another version, figures are none; and what another version gives is a failed cell."""
    text = TEXT.replace("[null, h264_crf]", "[null]").replace("crf: [20, 51]", "crf: 20")
    run_matrix(plan_of(clips, text), tmp_path, LocalExecutor(1), lambda _: None)
    assert set(outcomes(collect(tmp_path)).values()) == {"measured"}
    shutil.rmtree(tmp_path / "store")
    assert set(outcomes(collect(tmp_path)).values()) == {"measured"}, "its record tells"
    for module in ("run", "resume_or_retry"):
        monkeypatch.setattr(f"vsanon.validation.runs.{module}.made_by", lambda: "other")
    assert set(outcomes(collect(tmp_path)).values()) == {"not run"}

    class Elsewhere:
        def run(self, work: Any, tasks: Any) -> Any:
            yield from ((task, {**work(task), "by": "older"}) for task in tasks)

    (cell,) = run_matrix(plan_of(clips, text), tmp_path, Elsewhere(), lambda _: None)["cells"]
    assert (cell["outcome"], cell["failure"]["kind"]) == ("failed", "OtherCode")


def test_a_record_of_another_plan_is_not_taken(clips: Path, tmp_path: Path) -> None:
    text = TEXT.replace("[null, h264_crf]", "[null]").replace("crf: [20, 51]", "crf: 20")
    run_matrix(plan_of(clips, text), tmp_path, LocalExecutor(1), lambda _: None)
    shutil.rmtree(tmp_path / "store")
    plan_of(clips, text.replace("size: 320", "size: 320, threshold: 0.9")).write(tmp_path)
    assert set(outcomes(collect(tmp_path)).values()) == {"not run"}


def test_figures_of_a_source_that_was_replaced_are_gathered_no_more(clips: Path, tmp_path: Path) -> None:
    """One cell is measured on what lies there now: what an older one says is of other footage."""
    shutil.copytree(clips, tmp_path / "clips")
    source, out = tmp_path / "clips" / "clip.mkv", tmp_path / "out"
    text = TEXT.replace("[null, h264_crf]", "[null]")
    run_matrix(plan_of(tmp_path / "clips", text), out, LocalExecutor(1), lambda _: None)
    before = read(out)["sources"]["drawn"]["sha256"]
    ffmpeg(["-y", "-i", str(source), "-vf", "negate", "-c:v", "ffv1", str(tmp_path / "other.mkv")])
    os.replace(tmp_path / "other.mkv", source)
    first = "drawn/h264_crf-crf20/plates/strict/none"
    run_cell(str(out), first)
    evidence = collect(out)
    assert outcomes(evidence) == {first: "measured", first.replace("crf20", "crf51"): "not run"}
    assert evidence["sources"]["drawn"]["sha256"] != before


def test_cells_of_a_source_that_is_replaced_while_a_run_goes_are_failed_ones(clips: Path, tmp_path: Path) -> None:
    shutil.copytree(clips, tmp_path / "clips")
    source, out = tmp_path / "clips" / "clip.mkv", tmp_path / "out"
    text = TEXT.replace("[null, h264_crf]", "[null]")
    ffmpeg(["-i", str(source), "-vf", "negate", "-c:v", "ffv1", str(tmp_path / "other.mkv")])

    class Meanwhile:
        def run(self, work: Any, tasks: Any) -> Any:
            for task in tasks:
                yield task, work(task)
                with contextlib.suppress(FileNotFoundError):
                    os.replace(tmp_path / "other.mkv", source)

    evidence = run_matrix(plan_of(tmp_path / "clips", text), out, Meanwhile(), lambda _: None)
    assert {cell["failure"]["kind"] for cell in evidence["cells"]} == {"OtherFootage"}
    again = run_matrix(plan_of(tmp_path / "clips", text), out, LocalExecutor(1), lambda _: None)
    assert set(outcomes(again).values()) == {"measured"}, "as it says: run again"


def test_a_source_that_is_replaced_within_a_step_leaves_no_result_under_the_key_of_the_other(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(clips, tmp_path / "clips")
    source, kept, out = tmp_path / "clips" / "clip.mkv", tmp_path / "kept.mkv", tmp_path / "out"
    shutil.copy(source, kept)
    ffmpeg(["-i", str(source), "-vf", "negate", "-c:v", "ffv1", str(tmp_path / "other.mkv")])
    text = TEXT.replace("[null, h264_crf]", "[null]").replace("crf: [20, 51]", "crf: 20")

    def swapped(*args: Any) -> Any:
        monkeypatch.undo()
        os.replace(tmp_path / "other.mkv", source)
        return open_source(*args)

    plan = plan_of(tmp_path / "clips", text)
    step_media.read_source(Store(out / "store"), plan.matrix().sources["drawn"])
    plan.write(out)
    monkeypatch.setattr(step_media, "open_source", swapped)
    cell = run_cell(str(out), "drawn/h264_crf-crf20/plates/strict/none")["cell"]
    assert (cell["outcome"], cell["failure"]["step"]) == ("failed", "master")
    assert "replaced while it was measured" in cell["failure"]["message"]
    os.replace(kept, source)
    whole, fresh = (
        run_matrix(plan, folder, LocalExecutor(1), lambda _: None) for folder in (out, tmp_path / "new")
    )
    assert whole == fresh


def test_a_cell_that_nobody_has_worked_on_has_not_failed(clips: Path, tmp_path: Path) -> None:
    plan_of(clips).write(tmp_path)
    evidence = collect(tmp_path)
    assert set(outcomes(evidence).values()) == {"not run"}
    assert all(cell["failure"] is None for cell in evidence["cells"])
    verdict = conclude(evidence)["verdict"]
    assert verdict["outcome"] == "not shown"
    assert "4 of 4 cells were not run yet" in verdict["reasons"]


def test_the_folder_of_another_matrix_is_refused_before_anything_is_replaced(clips: Path, tmp_path: Path) -> None:
    plan_of(clips).write(tmp_path)
    (tmp_path / "evidence.json").write_text("kept")
    other = plan_of(clips, TEXT.replace("name: small", "name: other"))
    with pytest.raises(InputError, match="holds the run of the matrix 'small'"):
        run_matrix(other, tmp_path, LocalExecutor(1), lambda _: None)
    assert (tmp_path / "evidence.json").read_text() == "kept"


def test_a_run_on_other_sources_is_refused_and_one_on_more_is_not(clips: Path, tmp_path: Path) -> None:
    one, other = (SourceSpec(f"source-{k}", clips / f"{k}.mkv") for k in (1, 2))
    plan = plan_of(clips)
    replace(plan, sources=(one,)).write(tmp_path)
    require_own(replace(plan, sources=(one, other)), plan.matrix(), tmp_path)
    for sources in ((other,), ()):
        with pytest.raises(InputError, match="a run on other sources"):
            require_own(replace(plan, sources=sources), plan.matrix(), tmp_path)


def test_every_cell_is_measured_from_its_encode_to_its_delivery(whole: Path) -> None:
    evidence = read(whole)
    assert list(outcomes(evidence)) == [
        f"drawn/h264_crf-crf{crf}/plates/strict/{delivery}" for crf in (20, 51) for delivery in ("none", "h264_crf")
    ]
    assert set(outcomes(evidence).values()) == {"measured"}
    good, delivered, poor, _ = evidence["cells"]
    assert good["stream"]["bit_rate"] > 3 * poor["stream"]["bit_rate"]
    assert good["picture"]["frames"] == good["frames"] == FRAMES
    assert good["picture"]["scores"]["psnr_y"]["mean"] > poor["picture"]["scores"]["psnr_y"]["mean"]
    assert "not_measured" in good["picture"]["scores"]["vmaf"]
    assert good["delivered"] is None
    strata = [r for one in good["classes"]["plate"]["exposure"]["identities"] for r in one["strata"]]
    assert sum(row["boxes"] for row in strata) == good["classes"]["plate"]["exposure"]["boxes"]
    for row in strata:
        values = row["is"].split(" ")
        assert all(value in CONDITIONS[name] for name, value in zip(CONDITIONS, values, strict=True)), row["is"]
    assert all(check["passed"] for check in delivered["delivered"]["checks"])
    assert delivered["delivered"]["residual"]["plate"]["shown_frames"] == FRAMES


def test_the_evidence_fits_its_published_schema(whole: Path) -> None:
    schema = Path(__file__).parents[3] / "vsanon" / "schema" / "evidence.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(read(whole))


def test_no_path_date_or_host_of_this_machine_stands_in_the_evidence(whole: Path, clips: Path) -> None:
    text = (whole / "evidence.json").read_text(encoding="utf-8")
    for word in (str(whole), str(clips), "clip.mkv", str(Path.home())):
        assert word not in text


def test_a_second_run_makes_nothing_and_says_so(whole: Path, clips: Path) -> None:
    before = (whole / "evidence.json").read_bytes()
    _, events = run(clips, whole)
    assert events[0] == {"event": "start", "cells": 4, "reused": 4, "to_do": 0}
    assert (whole / "evidence.json").read_bytes() == before


def test_media_are_gone_when_the_run_is_over_and_stay_where_that_is_asked_for(
    whole: Path, clips: Path, tmp_path: Path
) -> None:
    assert list((whole / "store" / "media").iterdir()) == []
    plan = plan_of(clips, TEXT.replace("[20, 51]", "20").replace("[null, h264_crf]", "[h264_crf]"))
    kept = type(plan)(plan.text, plan.where, plan.folder, keep_media=True)
    run_matrix(kept, tmp_path, LocalExecutor(1), lambda _: None)
    media = (tmp_path / "store" / "media").glob("*/*")
    assert sorted(p.name for p in media if p.suffix != ".json") == [  # ledgers lie beside
        "anonymised.mkv", "boxes.npy", "delivered.mp4", "encoded.mp4", "luma.gray", "master.mkv", "tiny.npy",
        "tracks.vsanon",
    ]  # fmt: skip


def test_a_wider_matrix_measures_only_what_is_new(whole: Path, clips: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "out")
    _, events = run(clips, tmp_path / "out", TEXT.replace("[20, 51]", "[20, 51, 35]"))
    assert events[0] == {"event": "start", "cells": 6, "reused": 4, "to_do": 2}


def test_killed_in_the_middle_and_run_again_the_evidence_is_the_same_to_the_byte(
    whole: Path, clips: Path, tmp_path: Path
) -> None:
    matrix = clips / "small.yaml"
    matrix.write_text(TEXT)
    argv = [*VSANON, "validate", "run", str(matrix), "-o", str(tmp_path)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    events = []
    for line in process.stderr:
        if line.startswith("{"):
            events.append(json.loads(line))
        if events and events[-1]["event"] == "cell":
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "evidence.json").exists()
    _, again = run(clips, tmp_path)
    assert again[0]["reused"] >= 1
    assert again[0]["to_do"] >= 1
    assert (tmp_path / "evidence.json").read_bytes() == (whole / "evidence.json").read_bytes()


def test_workers_end_with_the_run_that_was_killed(clips: Path, tmp_path: Path) -> None:
    matrix = clips / "small.yaml"
    matrix.write_text(TEXT)
    argv = [*VSANON, "validate", "run", str(matrix), "-o", str(tmp_path)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("{"):
        pass
    deadline = time.monotonic() + 1800
    while not (children := _children(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert children
    process.kill()
    process.wait()
    while any(Path(f"/proc/{pid}/stat").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(Path(f"/proc/{pid}/stat").exists() for pid in children)


def test_dask_gives_the_same_evidence(whole: Path, clips: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    run_matrix(plan_of(clips), tmp_path, DaskExecutor(workers=1), lambda _: None)
    assert (tmp_path / "evidence.json").read_bytes() == (whole / "evidence.json").read_bytes()


def test_a_dask_cluster_that_was_started_for_a_run_is_closed_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    started = []

    def start(**options: object) -> object:
        started.append(distributed.deploy.local.LocalCluster(**options))
        return started[0]

    monkeypatch.setattr(distributed, "LocalCluster", start)
    assert list(DaskExecutor(workers=1).run(str.upper, ["a"])) == [("a", "A")]
    assert [cluster.status.name for cluster in started] == ["closed"]


def complain(task: str) -> str:
    logging.getLogger("distributed.worker").error("of %s", task)
    return task


def test_a_dask_cluster_of_our_own_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what its workers log, nor that Dask's usual port is taken, by this test or by others."""
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            held.enter_context(socket.create_server(("", 8787)))
        assert list(DaskExecutor(workers=1).run(complain, ["a"])) == [("a", "a")]
    assert capfd.readouterr().err == ""


def test_the_farm_template_runs_its_cells_with_the_formats_own_tool(
    whole: Path, clips: Path, tmp_path: Path
) -> None:
    openjd = shutil.which("openjd", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if openjd is None:
        pytest.skip("openjd-cli is not installed")
    matrix, out = clips / "small.yaml", tmp_path / "run"
    matrix.write_text(TEXT)
    done = CliRunner().invoke(main, ["validate", "export-openjd", str(matrix), "-o", str(out)])
    assert done.exit_code == 0, done.output
    template = out / "job.yaml"
    subprocess.run([openjd, "check", str(template)], check=True, capture_output=True)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for step, words in (("Cells", "measured drawn/h264_crf-crf51"), ("Evidence", "verdict: not shown")):
        argv = [openjd, "run", str(template), "--step", step]
        ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert words in ran.stdout + ran.stderr, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert (out / "evidence.json").read_bytes() == (whole / "evidence.json").read_bytes()


def test_what_fails_is_recorded_and_the_other_cells_finish(clips: Path, tmp_path: Path) -> None:
    (clips / "garbage.mkv").write_bytes(b"not a video" * 100)
    truth = (clips / "clip.csv").read_text()
    (clips / "outside.csv").write_text(truth + f"{FRAMES - 1},99,plate,900,900,950,930,0,0,1\n")
    (clips / "late.csv").write_text(truth + f"{FRAMES},99,plate,10,10,50,30,0,0,1\n")
    (clips / "none.yaml").write_text(
        "name: none\npurpose: an encoder that nobody has\nsuffix: .mp4\nencoder: libnothing\ncodec: h264\n"
        "pix_fmts: [yuv420p]\nargs: []\nthreads: 1\ntags: []\n"
    )
    text = """\
vsanon_matrix: 1
name: broken
sources:
  - {id: good, file: clip.mkv, truth: clip.csv}
  - {id: garbage, file: garbage.mkv}
  - {id: gone, file: gone.mkv}
  - {id: outside, file: clip.mkv, truth: outside.csv}
  - {id: late, file: clip.mkv, truth: late.csv}
  - {id: short, file: clip.mkv, frames: [0, 500]}
encodes:
  - preset: [h264_crf, none.yaml]
settings:
  - {id: plates, classes: [plate], size: 320}
picture: false
"""
    evidence, events = run(clips, tmp_path, text)
    assert events[-1] == {"event": "end", "cells": 12, "failed": 11}
    found = {
        (c["source"], c["encode"]): (c["failure"]["step"], c["failure"]["message"])
        for c in evidence["cells"]
        if c["outcome"] == "failed"
    }
    assert ("good", "h264_crf") not in found
    step, words = found["good", "none"]
    assert step == "encode"
    assert "libnothing" in words
    assert (
        found["garbage", "h264_crf"][0] == found["gone", "h264_crf"][0] == found["short", "h264_crf"][0] == "read"
    )
    step, words = found["outside", "h264_crf"]
    assert step == "truth"
    assert "99" in words
    assert found["late", "h264_crf"][0] == "truth"
    assert not any(str(clips) in words for _, words in found.values())
    assert evidence["sources"]["garbage"]["failure"]["step"] == "read"
    assert len(evidence["deviations"]) == 11


def test_a_run_with_failed_cells_ends_with_exit_code_1(clips: Path, tmp_path: Path) -> None:
    matrix = clips / "failing.yaml"
    matrix.write_text(TEXT.replace("clip.mkv, truth: clip.csv", "gone.mkv"))
    done = CliRunner().invoke(main, ["validate", "run", str(matrix), "-o", str(tmp_path), "--workers", "1"])
    assert done.exit_code == 1
    assert "4 of 4 cells failed" in done.stderr
    assert "verdict: pass" not in done.stderr
    assert done.stdout.strip() == str(tmp_path / "evidence.json")


def test_a_full_disk_fails_the_cells_that_need_room_and_no_other(clips: Path, tmp_path: Path) -> None:
    (clips / "raw.yaml").write_text(
        "name: raw\npurpose: as large as can be\nsuffix: .mkv\nencoder: rawvideo\ncodec: rawvideo\n"
        "pix_fmts: [yuv422p]\nargs: []\nthreads: 1\ntags: []\n"
    )
    text = TEXT.replace("  - preset: h264_crf\n    crf: [20, 51]", "  - preset: [h264_crf, raw.yaml]\n    scale: 3")
    text = text.replace("[null, h264_crf]", "[null]")
    room = 10_000_000  # the master is 12 x 777,600 bytes, in 4:2:2 they are 12 x 1,036,800; the model is 6.2 MB
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        evidence, _ = run(clips, tmp_path, text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(outcomes(evidence).values()) == ["measured", "failed"]
    assert evidence["cells"][1]["failure"]["step"] == "encode"
    again, events = run(clips, tmp_path, text)
    assert [cell["failure"] for cell in again["cells"]] == [None, None]
    assert events[0]["reused"] == 1


def test_truth_that_is_moved_with_its_pictures_gives_the_same_coverage(clips: Path, tmp_path: Path) -> None:
    text = TEXT.replace("    crf: [20, 51]\n", "    crf: 12\n    scale: [null, 2]\n    fps: [null, 12.5]\n")
    evidence, _ = run(clips, tmp_path, text.replace("[null, h264_crf]", "[null]"))
    by_id = {c["encode"]: c for c in evidence["cells"]}
    assert by_id["h264_crf-crf12-scale2"]["size"] == [640, 360]
    assert by_id["h264_crf-crf12-fps25_2"]["frames"] == FRAMES / 2
    plain, large = (
        by_id[name]["classes"]["plate"]["exposure"] for name in ("h264_crf-crf12", "h264_crf-crf12-scale2")
    )
    assert large["truth_px"] == pytest.approx(4 * plain["truth_px"])
    assert large["boxes"] == plain["boxes"]
    slow = by_id["h264_crf-crf12-fps25_2"]["classes"]["plate"]["exposure"]
    assert sum(i["frames"] for i in slow["identities"]) == slow["boxes"] < plain["boxes"]


def test_a_source_without_truth_counts_tracks_and_claims_nothing(clips: Path, tmp_path: Path) -> None:
    text = TEXT.replace(", truth: clip.csv", "").replace("[20, 51]", "20")
    evidence, _ = run(clips, tmp_path, text)
    cell = evidence["cells"][0]
    assert cell["classes"]["plate"]["exposure"] is None
    assert cell["classes"]["plate"]["tracked"]["boxes"] > 0
    assert "not_measured" in cell["over_blur"]
    assert evidence["sources"]["drawn"]["truth"]["kind"] == "none"


def test_the_plan_shows_cells_time_and_disk_and_runs_nothing(clips: Path) -> None:
    matrix = clips / "small.yaml"
    matrix.write_text(TEXT)
    done = CliRunner().invoke(main, ["validate", "plan", str(matrix)])
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 4
    assert "4 cells of 12 source frames; roughly" in done.stderr


def test_workers_are_bounded_by_the_machine() -> None:
    assert 1 <= default_workers() <= max(1, len(os.sched_getaffinity(0)))


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]
