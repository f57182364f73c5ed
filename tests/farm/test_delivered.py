"""What was delivered before is kept only where its ledger speaks of this source, this output and these settings."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clips import found, use
from tests.support.footage import blob
from vsanon import Search, TrackSettings
from vsanon.encode import Sound
from vsanon.errors import InputError
from vsanon.farm.delivered import delivered
from vsanon.farm.listing import Job
from vsanon.job.ledger import path_of
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings

PLATES = Settings(search=Search(classes=("plate",)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("delivered")
    job = Job(blob(folder / "in.mp4", "-c:v", "libx264", sound=False), folder / "out.mp4")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, lambda rgb: found([(10, 10, 40, 40)]))
        anonymize_file(job.source, job.output, PLATES)
    return job


@pytest.fixture
def job(made: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    use(monkeypatch, lambda rgb: found([]))
    for path in (made.source, made.output, path_of(made.output)):
        shutil.copy(path, tmp_path / path.name)
    return Job(tmp_path / made.source.name, tmp_path / made.output.name)


def test_nothing_at_the_output_is_work_to_do(job: Job) -> None:
    assert not delivered(Job(job.source, job.output.with_name("other.mp4")), PLATES)


def test_what_these_settings_made_of_this_source_is_kept(job: Job) -> None:
    assert delivered(job, PLATES)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (replace(PLATES, profile="soft"), "way of covering"),
        (replace(PLATES, preset="h265_crf"), "preset"),
        (replace(PLATES, search=Search(classes=("plate",), stride=2)), "search"),
        (replace(PLATES, search=Search(classes=("plate",), threshold=0.9)), "search"),
        (replace(PLATES, track=TrackSettings(lead_s=1.0)), "search"),
        (replace(PLATES, fill=(0, 0, 0)), "way of covering"),
        (replace(PLATES, sound=Sound("aac")), "choice of sound"),
        (replace(PLATES, video_track=2), "video track"),
        (replace(PLATES, keep=PLATES.keep - {"audio"}), "choice of what to keep"),
        (replace(PLATES, on_missing="mask"), "way of covering"),
        (replace(PLATES, grid=32), "way of covering"),
    ],
)
def test_what_other_settings_made_is_neither_kept_nor_replaced(job: Job, settings: Settings, what: str) -> None:
    with pytest.raises(InputError, match=rf"made by another {what}: move it away, or replace it with --overwrite"):
        delivered(job, settings)


def test_a_model_of_another_hash_or_another_version_of_vsanon_is_noticed(job: Job) -> None:
    path = path_of(job.output)
    book = json.loads(path.read_text())
    path.write_text(json.dumps({**book, "models": [{**book["models"][0], "sha256": "0" * 64}]}))
    with pytest.raises(InputError, match="made by another model"):
        delivered(job, PLATES)
    path.write_text(json.dumps({**book, "versions": {**book["versions"], "vsanon": "0.0.1"}}))
    with pytest.raises(InputError, match="made by another version of vsanon"):
        delivered(job, PLATES)


def test_an_output_or_a_source_of_other_bytes_is_noticed(job: Job) -> None:
    with job.output.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match="its ledger speaks of another output"):
        delivered(job, PLATES)
    with job.source.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match="its ledger speaks of another source"):
        delivered(job, PLATES)


def test_what_people_edited_or_what_failed_a_check_is_not_taken_for_what_these_settings_make(job: Job) -> None:
    path = path_of(job.output)
    book = json.loads(path.read_text())
    edit = {"edit": 1, "what": "expose 1", "by": "A", "at": "now", "reason": "b"}
    path.write_text(json.dumps({**book, "edits": [edit]}))
    with pytest.raises(InputError, match="rendered from tracks that people edited"):
        delivered(job, PLATES)
    path.write_text(json.dumps({**book, "checks": [{**book["checks"][0], "passed": False}, *book["checks"][1:]]}))
    with pytest.raises(InputError, match="tells of a check that failed"):
        delivered(job, PLATES)


def test_an_output_without_a_ledger_is_never_taken_for_a_delivery(job: Job) -> None:
    path_of(job.output).unlink()
    with pytest.raises(InputError, match="is there, and has no ledger"):
        delivered(job, PLATES)
