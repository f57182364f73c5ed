"""The command line of tracks: edits, interchange and review from the shell, with exit codes."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from vsanon.cli.main import main
from vsanon.detections import Origin, TrackedBoxes
from vsanon.tracks import edits
from vsanon.tracks.file import TrackWriter, read_tracks

WHY = ("--by", "A. Person", "--reason", "asked for")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """One track in 10 frames."""
    writer = TrackWriter({"frames": 10, "size": [64, 48], "fps": "25"})
    for _ in range(10):
        xyxy = np.array([[8, 8, 24, 28]], np.float32)
        cells = np.zeros((1, 5, 5, 3), np.uint8)
        writer.add(TrackedBoxes(xyxy, np.ones(1, np.float32), ("face",), (1,), (Origin.DETECTED,), cells))
    writer.write(tmp_path / "t.vsanon")
    return str(tmp_path / "t.vsanon")


def vsanon(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_line_that_review_shows_works_and_is_listed_and_undone(path: str) -> None:
    before = Path(path).read_bytes()
    done = vsanon("edit", "expose", path, "--track", "1", "--frames", "2:5", *WHY)
    assert (done.exit_code, done.stdout) == (0, "edit 1: expose track 1 in frames 2:5\n")
    listed = vsanon("edit", "list", path).stdout
    assert "A. Person: expose track 1 in frames 2:5 (asked for)" in listed
    assert vsanon("edit", "undo", path, "--edit", "1").exit_code == 0
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("keep", "--track", "1", "--frames", "0:10"),
        ("drop", "--track", "1"),
        ("split", "--track", "1", "--at", "5"),
        ("move", "--track", "1", "--key", "2:0,0,8,8", "--key", "6:4,4,12,12"),
        ("region", "--class", "logo", "--key", "0:1,1,9,9"),
        ("region", "--shape", "polygon", "--key", "0:1,1;9,1;5,9", "--frames", "0:10"),
    ],
)
def test_each_edit_applies(path: str, arguments: tuple[str, ...]) -> None:
    done = vsanon("edit", arguments[0], path, *arguments[1:], *WHY)
    assert done.exit_code == 0, done.output
    assert [edit.op for edit in edits.edits_of(read_tracks(Path(path)))] == [arguments[0]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("expose", "--track", "9", "--frames", "2:5", *WHY), "no track 9"),
        (("expose", "--track", "1", "--frames", "5:2", *WHY), "start < stop"),
        (("expose", "--track", "1", "--frames", "2", *WHY), "START:STOP"),
        (("expose", "--track", "1", "--frames", "2:5", "--by", "A"), "--reason"),
        (("move", "--track", "1", "--key", "2:0,0,8", *WHY), "FRAME:X0,Y0,X1,Y1"),
        (("region", "--key", "2:9,9,1,1", *WHY), "x0 < x1"),
        (("region", "--shape", "polygon", "--key", "2:1,1,9,9", *WHY), "polygon"),
        (("region", "--follow", "--key", "2:1,1,9,9", *WHY), "--follow needs"),
        (("undo", "--edit", "3"), "no edit 3"),
    ],
)
def test_wrong_usage_is_said_and_exits_with_2(path: str, arguments: tuple[str, ...], words: str) -> None:
    before = Path(path).read_bytes()
    done = vsanon("edit", arguments[0], path, *arguments[1:])
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize("format_", ["cvat", "mot", "coco"])
def test_out_and_in_again_changes_nothing(path: str, tmp_path: Path, format_: str) -> None:
    out = str(tmp_path / "out")
    assert vsanon("export", format_, path, "-o", out).exit_code == 0
    assert vsanon("export", format_, path, "-o", out).exit_code == 2
    done = vsanon("import", format_, out, "--into", path, *WHY)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing was changed" in done.stderr


def test_a_corrected_row_comes_in_as_an_edit_with_its_author(path: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    vsanon("export", "mot", path, "-o", str(out))
    out.write_text(out.read_text().replace("4,1,9.000,9.000,16.000", "4,1,11.000,9.000,16.000"))
    assert vsanon("import", "mot", str(out), "--into", path, *WHY).stdout == "edit 1: move track 1 in frames 3:4\n"
    table = edits.apply(read_tracks(Path(path)))
    assert table.at(3).xyxy.tolist() == [[10, 8, 26, 28]]
    assert table.at(4).xyxy.tolist() == [[8, 8, 24, 28]]


def test_otio_without_its_extra_names_the_extra(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fractions import Fraction

    from vsanon.errors import MissingError
    from vsanon.interchange import timelines
    from vsanon.timing import Timeline

    monkeypatch.setitem(__import__("sys").modules, "opentimelineio", None)
    timeline = Timeline((0, 1), Fraction(1, 25), Fraction(25))
    with pytest.raises(MissingError, match=r"vsanon\[otio\]"):
        timelines.write_otio(tmp_path / "x.otio", "a", read_tracks(Path(path)), timeline, None)
