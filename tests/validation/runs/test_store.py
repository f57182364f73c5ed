"""The store: a step is made once, whole or not at all, and made again only where its file is asked for."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.footage import blob
from vsanon.errors import CheckError
from vsanon.media.source import open_source
from vsanon.validation.runs.store import NotMadeError, Store, canonical

KEY = 64 * "a"


class Work:
    """Counts how often a step is made."""

    def __init__(self, result: Any = 1, file: str | None = None) -> None:
        self.times, self.result, self._file = 0, result, file

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.times += 1
        if self._file is not None:
            (folder / self._file).write_text("media")
        return {"value": self.result}


def test_a_step_is_made_once_and_then_found(tmp_path: Path) -> None:
    work, store = Work(), Store(tmp_path)
    assert [store.step(KEY, work).result["value"] for _ in range(3)] == [1, 1, 1]
    assert Store(tmp_path).step(KEY, work).result == {"value": 1}
    assert (work.times, store.made) == (1, 1)


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b'{"value":2}', None])
def test_a_result_that_is_not_what_was_written_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    work = Work(result=1000)
    Store(tmp_path).step(KEY, work)
    (file,) = (p for p in (tmp_path / "results").rglob("*") if p.is_file())
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"1000", b"1001") if damage is None else damage)
    assert Store(tmp_path).result(KEY) is None
    with pytest.raises(NotMadeError):
        Store(tmp_path, read_only=True).step(KEY, work)
    assert Store(tmp_path).step(KEY, work).result == {"value": 1000}
    assert (work.times, file.read_bytes()) == (2, whole)


def test_media_whose_result_is_damaged_are_made_again_with_it(tmp_path: Path) -> None:
    work, store = Work(file="x.mkv"), Store(tmp_path)
    made = store.step(KEY, work, "x.mkv").file()
    made.write_text("other media")
    (result,) = (p for p in (tmp_path / "results").rglob("*") if p.is_file())
    result.write_bytes(b"")
    assert store.step(KEY, work, "x.mkv").file().read_text() == "media"
    assert work.times == 2


@pytest.mark.parametrize("damage", ["shorter", "other", "gone", "more"])
def test_media_that_are_not_as_they_were_made_are_made_again(tmp_path: Path, damage: str) -> None:
    """What was cut short or replaced would be measured as if it were the encode that its key says."""
    work, store = Work(file="x.mkv"), Store(tmp_path)
    made = store.step(KEY, work, "x.mkv").file()
    if damage == "more":
        made.with_name("y").write_text("put there")
    elif damage == "gone":
        made.unlink()
    else:
        made.write_text({"shorter": "med", "other": "other"}[damage])
        os.utime(made, ns=(0, 1))
    again = Store(tmp_path).step(KEY, work, "x.mkv")
    assert (again.result, again.file().read_text(), work.times) == ({"value": 1}, "media", 2)
    assert again.file().is_file()
    assert work.times == 2


def test_canonical_json_is_the_same_for_equal_values() -> None:
    assert canonical({"b": 1, "a": [1, 2]}) == '{"a":[1,2],"b":1}'


def test_a_file_that_is_gone_is_made_again_only_where_it_is_asked_for(tmp_path: Path) -> None:
    work, store = Work(file="x.mkv"), Store(tmp_path)
    step = store.step(KEY, work, "x.mkv")
    assert step.file().read_text() == "media"
    store.drop(KEY)
    assert store.step(KEY, work, "x.mkv").result == {"value": 1}
    assert work.times == 1
    assert store.step(KEY, work, "x.mkv").file().read_text() == "media"
    assert work.times == 2


@pytest.mark.slow
def test_media_that_go_leave_no_index_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    store = Store(tmp_path / "store")

    def make(folder: Path) -> dict[str, Any]:
        # So large that BestSource keeps an index; opened where it is made, and again where it lies afterwards.
        x264 = ("-c:v", "libx264", "-g", "250")
        open_source(blob(folder / "x.mp4", *x264, frames=200, size=(512, 384), sound=False))
        return {}

    step = store.step(KEY, make, "x.mp4")
    open_source(step.file())
    assert len(list((tmp_path / "cache" / "index").iterdir())) == 1
    store.drop(KEY)
    assert list((tmp_path / "cache" / "index").iterdir()) == []


def test_a_step_that_fails_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(folder: Path) -> dict[str, Any]:
        (folder / "half").write_text("x")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        store.step(KEY, fail, "half")
    assert store.result(KEY) is None
    assert list((tmp_path / "media").iterdir()) == []
    assert store.step(KEY, Work(), None).result == {"value": 1}


def test_a_store_that_is_only_read_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotMadeError):
        Store(tmp_path, read_only=True).step(KEY, Work())


def test_a_step_that_does_not_repeat_itself_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.step(KEY, Work(1, "x"), "x")
    store.drop(KEY)
    with pytest.raises(CheckError, match="another result"):
        store.step(KEY, Work(2, "x"), "x").file()


def test_media_go_when_they_are_dropped_and_results_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for i in range(3):
        store.step(64 * str(i), Work(file="x"), "x")
    (tmp_path / "media" / ".broken.partial").mkdir()
    freed = store.drop_media(keep=[64 * str(1)])
    assert freed == 2 * len("media")
    assert [p.name for p in (tmp_path / "media").iterdir()] == [64 * str(1)]
    assert store.result(64 * str(0)) == {"value": 1}


def test_media_stay_while_another_is_at_work_with_them(tmp_path: Path) -> None:
    Store(tmp_path).step(KEY, Work(file="x"), "x")
    (tmp_path / "media" / ".other.partial").mkdir()
    with Store(tmp_path).at_work("a cell"):
        assert Store(tmp_path).drop_media() == 0
        assert len(list((tmp_path / "media").iterdir())) == 2
    assert Store(tmp_path).drop_media() == len("media")
    assert list((tmp_path / "media").iterdir()) == []


def test_threads_and_processes_that_want_one_step_wait_for_the_one_that_makes_it(tmp_path: Path) -> None:
    together = threading.Barrier(2)
    work = Work(file="x")

    def make(folder: Path) -> dict[str, Any]:
        with contextlib.suppress(threading.BrokenBarrierError):  # nobody else comes in here
            together.wait(0.5)
        return work(folder)

    with ThreadPoolExecutor(2) as pool:
        steps = list(pool.map(lambda _: Store(tmp_path).step(KEY, make, "x"), range(2)))
    assert [step.file().read_text() for step in steps] == ["media", "media"]
    assert work.times == 1
