"""One file of a run: what can pass is tried again, what can't is not, and whatever happens is said in a result."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from vsanon.errors import CheckError, EncodeError, InputError, MissingError
from vsanon.farm import work
from vsanon.farm.listing import Job
from vsanon.farm.work import Cover, may_pass, task_of
from vsanon.job.settings import Settings


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(work, "_wait", found.append)
    return found


def covering(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *ends: BaseException | None, **book: Any
) -> dict[str, Any]:
    """The result of a file whose tries end so, with these entries of its ledger."""
    left = list(ends)

    def anonymize(*_: Any, **__: Any) -> dict[str, Any]:
        if (end := left.pop(0)) is not None:
            raise end
        return {"frames": 7, "classes": {"face": {}}, "frames_covered_whole": 0, **book}

    monkeypatch.setattr(work, "anonymize_file", anonymize)
    return Cover(Settings())(task_of(Job(tmp_path / "a.mov", tmp_path / "out" / "a.mp4")))


def full_disk() -> CheckError:
    error = CheckError("the ledger can't be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


def test_a_full_disk_is_waited_for_twice_as_long_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]
) -> None:
    result = covering(monkeypatch, tmp_path, full_disk(), full_disk(), None)
    assert (result["state"], result["tries"], result["frames"]) == ("delivered", 3, 7)
    assert waits == [2, 4]


def test_of_a_file_in_which_nothing_was_found_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = "nothing was found: look at it"
    assert covering(monkeypatch, tmp_path, None, classes={})["message"] == words
    assert covering(monkeypatch, tmp_path, None)["message"] == ""
    assert covering(monkeypatch, tmp_path, None, classes={}, frames_covered_whole=7)["message"] == ""


def test_it_gives_up_after_its_retries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]) -> None:
    result = covering(monkeypatch, tmp_path, *[full_disk()] * 3)
    assert (result["state"], result["tries"], result["exit_code"]) == ("failed", 3, 1)
    assert result["message"] == "the ledger can't be written"
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no video"), 2),
        (MissingError("no model"), 3),
        (CheckError("a check failed"), 1),
        (PermissionError(errno.EACCES, "Permission denied"), 2),
        (MemoryError(), 3),
    ],
)
def test_what_stays_wrong_is_tried_once_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float], error: BaseException, code: int
) -> None:
    result = covering(monkeypatch, tmp_path, error)
    assert (result["state"], result["tries"], result["exit_code"]) == ("failed", 1, code)
    assert result["message"]
    assert waits == []


def test_what_an_encoder_says_of_a_full_disk_can_pass_as_well() -> None:
    assert may_pass(EncodeError(f"ffmpeg: out.mp4: {os.strerror(errno.ENOSPC)}"))
    assert not may_pass(EncodeError("ffmpeg: Invalid data found"))


def test_a_name_that_steers_a_terminal_is_refused_as_that_of_a_single_file_is(tmp_path: Path) -> None:
    result = Cover(Settings())(json.dumps([str(tmp_path / "a\x1b[31m.mov"), str(tmp_path / "a.mp4")]))
    assert result["state"] == "failed"
    assert "control characters" in result["message"]
