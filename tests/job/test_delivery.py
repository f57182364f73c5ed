"""Where results go: refused early, hidden while they grow, in their place only when whole."""

import errno
import os
from pathlib import Path

import pytest

from vsanon.errors import CheckError, InputError
from vsanon.job import delivery
from vsanon.job.delivery import deliver, partial_file, require_targets, require_unchanged, stamp


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.mp4"
    path.write_bytes(b"source")
    return path


def test_a_free_name_in_a_folder_that_is_there_is_taken(tmp_path: Path, source: Path) -> None:
    require_targets([source], [tmp_path / "out.mp4", tmp_path / "out.json"], overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("how", ["itself", "symbolic link", "hard link", "other way to it"])
def test_an_input_is_never_a_target(tmp_path: Path, source: Path, how: str, overwrite: bool) -> None:
    target = tmp_path / "link.mp4"
    if how == "symbolic link":
        target.symlink_to(source)
    elif how == "hard link":
        target.hardlink_to(source)
    else:
        target = source if how == "itself" else tmp_path / "." / ".." / tmp_path.name / "in.mp4"
    with pytest.raises(InputError, match="also an input"):
        require_targets([source], [target], overwrite=overwrite)


def test_two_targets_of_one_name_are_refused(tmp_path: Path, source: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(InputError, match="named twice"):
        require_targets([source], [tmp_path / "o", tmp_path / "sub" / ".." / "o"], overwrite=True)


def test_what_is_there_is_kept_unless_asked(tmp_path: Path, source: Path) -> None:
    there = tmp_path / "there.mp4"
    there.write_bytes(b"old")
    with pytest.raises(InputError, match="already there: give --overwrite"):
        require_targets([source], [there], overwrite=False)
    require_targets([source], [there], overwrite=True)


def test_a_link_to_nowhere_is_there_too(tmp_path: Path, source: Path) -> None:
    (tmp_path / "out.mp4").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="already there"):
        require_targets([source], [tmp_path / "out.mp4"], overwrite=False)


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path, source: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        require_targets([source], [tmp_path], overwrite=True)
    with pytest.raises(InputError, match="does not exist: make it first"):
        require_targets([source], [tmp_path / "no" / "out.mp4"], overwrite=True)


def test_a_folder_that_can_not_be_written_is_refused(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="can't be written: choose another"):
        require_targets([source], [tmp_path / "out.mp4"], overwrite=True)


def test_the_hidden_name_has_the_outputs_suffix_and_is_gone_at_the_end(tmp_path: Path) -> None:
    with partial_file(tmp_path / "out.mp4") as partial:
        assert (partial.name, partial.parent) == (".out.partial.mp4", tmp_path)
        partial.write_bytes(b"half")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_behind_is_cleaned_up(tmp_path: Path) -> None:
    (tmp_path / ".out.partial.mp4").write_bytes(b"left behind")
    with pytest.raises(RuntimeError), partial_file(tmp_path / "out.mp4"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_for_the_same_output_is_refused_and_does_no_harm(tmp_path: Path) -> None:
    with partial_file(tmp_path / "out.mp4") as partial:
        partial.write_bytes(b"first")
        with pytest.raises(InputError, match="another run"), partial_file(tmp_path / "out.mp4"):
            pass
        assert partial.read_bytes() == b"first"


def test_outputs_side_by_side_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    with partial_file(tmp_path / "out.mp4") as a, partial_file(tmp_path / "out.mov") as b:
        assert a != b


def test_a_hidden_name_that_can_not_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / ".out.partial.mp4").mkdir()
    with pytest.raises(InputError, match=r"out\.mp4: can't be written"), partial_file(tmp_path / "out.mp4"):
        pass


def finished(folder: Path) -> tuple[Path, Path, Path]:
    partial = folder / ".out.partial.mp4"
    partial.write_bytes(b"new")
    return partial, folder / "out.mp4", folder / "out.mp4.ledger.json"


def test_delivery_moves_the_file_and_writes_the_ledger(tmp_path: Path) -> None:
    partial, output, ledger = finished(tmp_path)
    deliver(partial, output, ledger, "{}\n")
    assert (output.read_bytes(), ledger.read_text()) == (b"new", "{}\n")
    assert {p.name for p in tmp_path.iterdir()} == {"out.mp4", "out.mp4.ledger.json"}


def test_a_ledger_that_can_not_be_written_stops_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partial, output, ledger = finished(tmp_path)
    output.write_bytes(b"old")

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(delivery, "write_atomic", full)
    with pytest.raises(CheckError, match="not delivered: writing failed: No space left"):
        deliver(partial, output, ledger, "{}\n")
    assert output.read_bytes() == b"old"
    assert not ledger.exists()


@pytest.mark.parametrize("old", [None, b"old ledger"])
def test_a_move_that_fails_takes_the_ledger_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes | None
) -> None:
    partial, output, ledger = finished(tmp_path)
    if old is not None:
        ledger.write_bytes(old)
    replace = os.replace

    def refuse(a: Path, b: Path) -> None:
        if b == output:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        replace(a, b)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CheckError, match="Permission denied"):
        deliver(partial, output, ledger, "{}\n")
    assert not output.exists()
    assert (ledger.read_bytes() if ledger.exists() else None) == old


def test_a_source_that_grew_or_was_replaced_has_changed(tmp_path: Path, source: Path) -> None:
    before = stamp(source)
    require_unchanged(source, before)
    source.write_bytes(b"longer than it was")
    with pytest.raises(CheckError, match="changed while it was read"):
        require_unchanged(source, before)
    source.unlink()
    with pytest.raises(InputError, match="can't be read"):
        require_unchanged(source, before)
