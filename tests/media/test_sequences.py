"""Image sequences: found by folder or pattern, whole, and never one image for a film."""

import os
import sys
from pathlib import Path

import pytest

from vsanon.errors import InputError
from vsanon.media.sequences import sequence_of


def images(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_and_a_pattern_are_one_sequence(tmp_path: Path) -> None:
    folder = images(tmp_path / "shots", *(f"a.{n:04d}.dpx" for n in range(998, 1003)), "notes.txt")
    by_folder, by_pattern = sequence_of(folder), sequence_of(folder / "a.%04d.dpx")
    assert by_folder == by_pattern
    assert (by_folder.start, by_folder.count, by_folder.name) == (998, 5, "a.0998-1002.dpx")
    assert by_folder.pattern == f"{folder}/a.%04d.dpx"
    assert sequence_of(folder, 1000).count == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("pipe", "no image, but a pipe"),
        ("device", "no image, but a pipe, a device"),
        ("nothing", "a link to nothing"),
        ("elsewhere", "a link to an image in another folder"),
    ],
)
def test_what_is_no_image_of_the_folder_is_neither_opened_nor_left_out(
    tmp_path: Path, kind: str, said: str
) -> None:
    folder = images(tmp_path / "shots", "a.1.png", "a.2.png", "a.4.png")
    images(tmp_path / "private", "a.3.png")
    (folder / "a.3.png").symlink_to(folder / "a.2.png")
    assert sequence_of(folder).count == 4
    for odd in (folder / "a.3.png", folder / "a.5.png"):
        odd.unlink(missing_ok=True)
        if kind == "pipe":
            os.mkfifo(odd)
        else:
            odd.symlink_to({"device": "/dev/zero", "nothing": "x", "elsewhere": tmp_path / "private/a.3.png"}[kind])
        with pytest.raises(InputError, match=said):
            sequence_of(folder)
        odd.unlink()
        images(folder, odd.name)


def test_numbers_without_zeros_and_a_percent_sign_in_the_folder(tmp_path: Path) -> None:
    folder = images(tmp_path / "50%", *(f"a{n}.png" for n in range(8, 12)))
    found = sequence_of(folder / "a%d.png")
    assert (found.start, found.count) == (8, 4)
    assert found.pattern.endswith("50%%/a%01d.png")
    (tmp_path / "b").mkdir()
    assert sequence_of(images(tmp_path / "b", "0001.png", "0002.png")).pattern.endswith("b/%04d.png")


@pytest.mark.parametrize(
    ("names", "asked", "said"),
    [
        (["a.0001.dpx", "a.0002.dpx"], "a.0001.dpx", r"one of 2: name the folder, or the pattern .*a\.%04d\.dpx"),
        (["still.exr"], "still.exr", "one image is no film"),
        (["a.1.dpx", "a.2.dpx", "a.4.dpx"], "", r"gap: a\.3\.dpx is missing"),
        (["a.1.dpx", "b.1.dpx"], "", "more than one sequence"),
        (["a.txt"], "", "no numbered images"),
        (["a.1.dpx"], "b.%d.dpx", "no numbered images"),
    ],
)
def test_what_is_no_whole_sequence_is_refused(tmp_path: Path, names: list[str], asked: str, said: str) -> None:
    folder = images(tmp_path / "shots", *names)
    with pytest.raises(InputError, match=said):
        sequence_of(folder / asked if asked else folder)


def test_a_start_number_that_is_not_there_is_refused_and_one_after_a_gap_is_taken(tmp_path: Path) -> None:
    folder = images(tmp_path / "shots", "a.1.dpx", "a.3.dpx", "a.4.dpx")
    with pytest.raises(InputError, match="no image number 2"):
        sequence_of(folder, 2)
    assert sequence_of(folder, 3).count == 2
