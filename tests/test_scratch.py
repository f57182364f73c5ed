"""What a job sets aside comes back to the bit, lies nowhere afterwards, and a full disk is said in words."""

import errno
import gc
import os
import tempfile
from typing import IO, Any

import pytest

from vsanon.errors import CheckError
from vsanon.scratch import Scratch


def test_bytes_come_back_from_where_they_were_put_whatever_was_read_between() -> None:
    scratch = Scratch("it")
    places = [scratch.append(bytes([k]) * k) for k in range(1, 5)]
    assert places == [0, 1, 3, 6]
    assert scratch.read(3, 3) == b"\3\3\3"
    assert scratch.append(b"five") == 10
    assert scratch.read(0, 14) == b"\1\2\2\3\3\3\4\4\4\4five"


@pytest.mark.parametrize(("at", "count"), [(0, 1), (2, 3)])
def test_bytes_that_are_not_there_are_an_error(at: int, count: int) -> None:
    scratch = Scratch("it")
    if at:
        scratch.append(b"1234")
    with pytest.raises(ValueError, match="bytes lie at"):
        scratch.read(at, count)


def test_the_file_has_no_name_and_is_closed_with_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[IO[bytes]] = []
    real = tempfile.TemporaryFile

    def remembered(*args: Any, **options: Any) -> Any:
        made.append(real(*args, **options))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    scratch = Scratch("it")
    assert not made  # nothing was set aside yet
    scratch.append(b"1")
    assert os.fstat(made[0].fileno()).st_nlink == 0
    del scratch
    gc.collect()
    assert made[0].closed


def test_a_full_disk_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(CheckError, match=r"it could not be kept: No space left on device: free space .* TMPDIR"):
        Scratch("it could not be kept").append(b"1")
