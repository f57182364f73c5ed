"""Atoms of a stranger's file: too deep ones, and those cut short, are an error of the file and no traceback."""

from pathlib import Path

import pytest

from tests.support.odd_streams import box
from vsanon.errors import InputError
from vsanon.media import held_atoms


def test_atoms_in_each_other_without_end_are_refused(tmp_path: Path) -> None:
    inner, path = b"", tmp_path / "deep.mp4"
    for _ in range(5000):
        inner = box(b"moov", inner)
    path.write_bytes(inner)
    with pytest.raises(InputError, match=r"deep\.mp4: its atoms lie in each other more than 16 deep"):
        held_atoms.hidden_in(path, packets=1, chapters=0, texts=0)


def test_a_header_that_is_cut_short_is_damaged(tmp_path: Path) -> None:
    """A track's `tkhd` of no bytes: its length ended in Python's own error."""
    path = tmp_path / "cut.mp4"
    path.write_bytes(box(b"moov", box(b"mvhd", bytes(15) + b"\1" + bytes(84)) + box(b"trak", box(b"tkhd", b""))))
    with pytest.raises(InputError, match=r"cut\.mp4: its movie header \(moov\) is damaged"):
        held_atoms.lengths_of(path)
