"""Where results go: refused early, hidden while they grow, in their place only when whole."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vsanon.errors import CheckError, InputError
from vsanon.files import hidden_beside, sha256_of
from vsanon.job import delivery
from vsanon.job.delivery import Target, require_targets, require_unchanged, stamp


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


@pytest.mark.parametrize("kind", ["pipe", "device", "link", "link to nowhere"])
def test_only_a_plain_file_is_ever_replaced(tmp_path: Path, source: Path, kind: str) -> None:
    there, other = tmp_path / "there.mp4", tmp_path / "other.mp4"
    if kind == "pipe":
        os.mkfifo(there)
    elif kind == "device":
        there = Path("/dev/null")
    else:
        there.symlink_to(other)
        if kind == "link":
            other.write_bytes(b"other")
    words = {"pipe": "is a pipe", "device": "is a device"}.get(kind, "is a link, to")
    with pytest.raises(InputError, match=words):
        require_targets([source], [there], overwrite=True)


def test_a_name_that_leaves_no_room_for_its_ledger_is_refused_at_once(tmp_path: Path, source: Path) -> None:
    name = "n" * 240 + ".mp4"  # 244 bytes, and 256 with .ledger.json
    with pytest.raises(InputError, match=r"ledger\.json: the name has 256 bytes, file systems take 255"):
        require_targets([source], [tmp_path / name, tmp_path / f"{name}.ledger.json"], overwrite=False)
    with pytest.raises(InputError, match="control characters"):
        require_targets([source], [tmp_path / "a\0b"], overwrite=False)


def test_the_longest_name_can_be_delivered(tmp_path: Path, source: Path) -> None:
    output = tmp_path / ("n" * 251 + ".mp4")
    with Target([source], [output], overwrite=False) as target:
        target.put(output, b"new")
        target.deliver()
    assert output.read_bytes() == b"new"


# ----------------------------------------------------------------------------- the hidden files


def both(folder: Path) -> tuple[Path, Path]:
    return folder / "out.mp4", folder / "out.mp4.ledger.json"


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_hidden_name_has_the_outputs_suffix_is_never_the_same_and_is_gone_at_the_end(
    tmp_path: Path, source: Path
) -> None:
    names = set()
    for _ in range(20):
        with Target([source], [tmp_path / "out.mp4"], overwrite=False) as target:
            partial = target.partial(tmp_path / "out.mp4")
            assert (partial.parent, partial.suffix, partial.name[0]) == (tmp_path, ".mp4", ".")
            partial.write_bytes(b"half")
            names.add(partial.name)
    assert len(names) == 20
    assert left_in(tmp_path) == {"in.mp4"}


def test_what_a_killed_run_left_behind_is_cleaned_up(tmp_path: Path, source: Path) -> None:
    output, _ = both(tmp_path)
    with Target([source], [output], overwrite=False) as target:
        left = target.partial(output)
        lock = left.with_name(left.name.partition("-")[0] + "-" + left.name.split("-")[1] + ".lock")
    assert lock.name.endswith(".lock")
    left.write_bytes(b"left behind")
    lock.write_bytes(b"")
    with pytest.raises(RuntimeError), Target([source], [output], overwrite=False):
        raise RuntimeError
    assert left_in(tmp_path) == {"in.mp4"}


def test_a_second_run_for_one_of_the_same_files_is_refused_and_does_no_harm(tmp_path: Path, source: Path) -> None:
    output, ledger = both(tmp_path)
    with Target([source], [output, ledger], overwrite=False) as target:
        target.put(output, b"first")
        for again in ([output], [tmp_path / "other.mp4", ledger]):
            with pytest.raises(InputError, match="another run"), Target([source], again, overwrite=False):
                pass
        target.put(ledger, b"{}")
        target.deliver()
    assert (output.read_bytes(), ledger.read_bytes()) == (b"first", b"{}")
    assert left_in(tmp_path) == {"in.mp4", output.name, ledger.name}


def test_of_runs_that_follow_closely_none_removes_what_another_writes(tmp_path: Path, source: Path) -> None:
    """Twelve threads try to deliver to one name; each is refused, or delivers its own bytes."""
    output = tmp_path / "out.mp4"
    told: list[str] = []

    def run(number: int) -> None:
        for _ in range(20):
            try:
                with Target([source], [output], overwrite=True) as target:
                    partial = target.partial(output)
                    partial.write_bytes(b"%d" % number)
                    assert partial.read_bytes() == b"%d" % number
                    target.deliver()
                    told.append("delivered")
            except InputError as error:
                told.append("refused" if "another run" in str(error) else str(error))

    with ThreadPoolExecutor(12) as pool:
        for done in [pool.submit(run, n) for n in range(12)]:
            done.result()
    assert set(told) <= {"delivered", "refused"}
    assert len(told) == 240
    assert told.count("delivered") >= 1
    assert left_in(tmp_path) == {"in.mp4", "out.mp4"}


def test_outputs_side_by_side_do_not_get_in_each_others_way(tmp_path: Path, source: Path) -> None:
    a, b = tmp_path / "out.mp4", tmp_path / "out.mov"
    with Target([source], [a], overwrite=False) as one, Target([source], [b], overwrite=False) as other:
        assert one.partial(a) != other.partial(b)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_somebody_planted_at_the_name_of_the_lock_is_never_followed(
    tmp_path: Path, source: Path, kind: str
) -> None:
    output, victim = tmp_path / "out.mp4", tmp_path / "victim"
    victim.write_bytes(b"precious")
    planted = tmp_path / f"{hidden_beside(output)}.lock"
    if kind == "link":
        planted.symlink_to(victim)
    else:
        planted.mkdir()
    with pytest.raises(InputError, match=r"out\.mp4: can't be written: its lock .*Remove that"):
        Target([source], [output], overwrite=False).__enter__()
    assert victim.read_bytes() == b"precious"


def test_a_link_planted_at_the_hidden_name_is_not_written_through(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, victim = tmp_path / "out.mp4", tmp_path / "victim"
    victim.write_bytes(b"precious")
    with Target([source], [output], overwrite=False) as target:
        monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
        (tmp_path / f"{hidden_beside(output)}-guessed.partial.mp4").symlink_to(victim)
        with pytest.raises(CheckError, match="File exists"):
            target.partial(output)
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("planted", ["link", "file", "pipe", "nothing"])
def test_what_was_put_in_place_of_the_hidden_file_is_not_delivered(
    tmp_path: Path, source: Path, planted: str
) -> None:
    output, victim = tmp_path / "out.mp4", tmp_path / "victim"
    victim.write_bytes(b"precious")
    with Target([source], [output], overwrite=False) as target:
        partial = target.partial(output)
        partial.rename(tmp_path / "moved")
        if planted == "link":
            partial.symlink_to(victim)
        elif planted == "pipe":
            os.mkfifo(partial)
        elif planted == "file":
            partial.write_bytes(b"other")
        with pytest.raises(CheckError, match=r"out\.mp4 was not delivered"):
            target.deliver()
    assert not output.exists()
    assert victim.read_bytes() == b"precious"


# ----------------------------------------------------------------------------- delivery


def test_delivery_moves_the_files_in_order_and_the_ledger_last(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, ledger = both(tmp_path)
    moved: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (moved.append(Path(b).name), replace(a, b)))
    monkeypatch.setattr(delivery, "sync_folder", lambda folder: moved.append("on the disk"))
    with Target([source], [output, ledger], overwrite=False) as target:
        target.put(ledger, b"{}\n")
        target.put(output, b"new")
        target.deliver()
    assert (output.read_bytes(), ledger.read_bytes()) == (b"new", b"{}\n")
    assert moved == ["out.mp4", "on the disk", "out.mp4.ledger.json", "on the disk"]
    assert left_in(tmp_path) == {"in.mp4", "out.mp4", "out.mp4.ledger.json"}


def test_content_that_can_not_be_written_stops_delivery(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, ledger = both(tmp_path)
    output.write_bytes(b"old")

    def full(path: Path, mode: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Target([source], [output, ledger], overwrite=True) as target:
        target.put(output, b"new")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", full)
            with pytest.raises(CheckError, match="not delivered: writing failed: No space left"):
                target.put(ledger, b"{}")
    assert output.read_bytes() == b"old"
    assert left_in(tmp_path) == {"in.mp4", "out.mp4"}


def test_lines_are_put_one_after_the_other_and_hashed(tmp_path: Path, source: Path) -> None:
    output, ledger = both(tmp_path)
    with Target([source], [output, ledger], overwrite=False) as target:
        assert target.put_lines(output, iter([b"one\n", b"two\n"])) == sha256_of(b"one\ntwo\n")
        target.put(ledger, b"{}")
        target.deliver()
    assert output.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("failing", ["out.mp4", "out.mp4.ledger.json"])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_move_that_fails_takes_those_before_it_back(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, old: bytes | None, failing: str
) -> None:
    output, ledger = both(tmp_path)
    for path in (output, ledger):
        if old is not None:
            path.write_bytes(old)
    replace = os.replace

    def refuse(a: Path, b: Path) -> None:
        if Path(b).name == failing:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        replace(a, b)

    with Target([source], [output, ledger], overwrite=True) as target:
        target.put(output, b"new")
        target.put(ledger, b"new")
        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(CheckError, match="Permission denied"):
            target.deliver()
    for path in (output, ledger):
        assert (path.read_bytes() if path.exists() else None) == old
    assert left_in(tmp_path) == {"in.mp4"} | (set() if old is None else {output.name, ledger.name})


def test_what_has_come_to_lie_there_meanwhile_stays(tmp_path: Path, source: Path) -> None:
    output, _ = both(tmp_path)
    with Target([source], [output], overwrite=False) as target:
        target.put(output, b"new")
        output.write_bytes(b"somebody's")
        with pytest.raises(InputError, match="already there"):
            target.deliver()
    assert output.read_bytes() == b"somebody's"


def test_an_input_that_changed_on_the_way_stops_delivery(tmp_path: Path, source: Path) -> None:
    output, _ = both(tmp_path)
    before = source.stat()
    with Target([source], [output], overwrite=False) as target:
        target.put(output, b"new")
        source.write_bytes(b"Source")  # as long as it was, and its time set back
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(CheckError, match="changed while it was read"):
            target.deliver()
    assert left_in(tmp_path) == {"in.mp4"}


def test_a_source_that_grew_or_was_replaced_has_changed(tmp_path: Path, source: Path) -> None:
    before = stamp(source)
    require_unchanged(source, before)
    source.write_bytes(b"longer than it was")
    with pytest.raises(CheckError, match="changed while it was read"):
        require_unchanged(source, before)
    source.unlink()
    with pytest.raises(InputError, match="can't be read"):
        require_unchanged(source, before)
