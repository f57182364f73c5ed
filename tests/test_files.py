"""Who hands in a file is a stranger: what is no plain file is refused at once, whichever reader it goes to."""

import errno
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vsanon import files, signing
from vsanon.audit import targets
from vsanon.cli.main import main
from vsanon.encode import presets
from vsanon.errors import InputError, VsanonError
from vsanon.interchange import cvat
from vsanon.job import ledger
from vsanon.media import source
from vsanon.models import card
from vsanon.tracks.file import read_tracks
from vsanon.validation.runs import matrix
from vsanon.validation.runs.plan import read_plan
from vsanon.validation.truth import boxes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")

READERS: dict[str, Callable[[Path], Any]] = {
    "hash": files.sha256_file,
    "model": files.read_bytes,
    "key": signing.read,
    "preset": presets.load,
    "card": card.load_card,
    "ledger": ledger.read,
    "track file": read_tracks,
    "matrix": lambda path: matrix.locate(str(path)),
    "truth": lambda path: list(boxes._lines(path)),
    "CVAT": lambda path: cvat.read(path, 10),
    "source": source.open_source,
    "targets of an audit": lambda path: targets.read_targets(path, (64, 48), 1),
    "evidence": lambda path: validate_pool([path, path]),
}


def validate_pool(paths: list[Path]) -> None:
    """As the command does; its errors."""
    result = CliRunner().invoke(main, ["validate", "pool", *map(str, paths), "-o", "pooled.json"])
    raise InputError(result.output)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path, reader: str, kind: str) -> None:
    path = tmp_path / "x.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    refusals = r"(?i)not a plain file|is a directory|is a pipe or a device|no such file|is a folder"
    with pytest.raises(VsanonError, match=refusals):
        READERS[reader](path)


def test_a_report_whose_files_are_pipes_fails_at_once(tmp_path: Path) -> None:
    for name in ("evidence.json", "report.json", "report.html", "manifest.json"):
        os.mkfifo(tmp_path / name)
    result = CliRunner().invoke(main, ["report", "verify", str(tmp_path)])
    assert result.exit_code == 1
    assert "report.json: not a plain file" in result.output


def test_a_file_of_no_size_that_makes_readers_wait_is_no_source() -> None:
    """Those of /proc say that they are plain files, and of no size, whatever comes out of them."""
    place = Path("/proc/kmsg")
    if not place.exists():
        pytest.skip("there is no such file")
    with pytest.raises(InputError, match=r"the file is empty|can't be read"):
        source.open_source(place)


def test_a_plan_that_is_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json")
    with pytest.raises(VsanonError, match="not a plain file"):
        read_plan(tmp_path)


def test_room_is_made_for_what_is_there_and_not_for_what_may_be(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"12345")
    tracemalloc.start()
    try:
        assert files.read_plain(tmp_path / "small") == b"12345"  # of 2 GiB that it may have
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_link_to_a_file_is_read_and_no_more_than_asked_for(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("real")
    assert files.read_plain(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes") as raised:
        files.read_plain(tmp_path / "link", 4)
    assert raised.value.errno == errno.EFBIG


def test_who_may_read_a_file_stays_who_may_where_it_is_written_again(tmp_path: Path) -> None:
    """Track files and evidence are personal data: an edit made what only its owner could read all people's."""
    (tmp_path / "own").write_text("old")
    (tmp_path / "own").chmod(0o600)
    files.write_atomic(tmp_path / "own", b"new")
    assert ((tmp_path / "own").read_bytes(), (tmp_path / "own").stat().st_mode & 0o777) == (b"new", 0o600)
