"""The track file under correction: lines as the command line writes them, undo without end, nobody overwritten."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.review_clip import write_clip
from vsanon.cli.main import main
from vsanon.errors import InputError
from vsanon.review.document import Document
from vsanon.review.looked_at import FINISHED, Look
from vsanon.timing import FrameRange
from vsanon.tracks import edit_words, write_edits
from vsanon.tracks.edit_kinds import Review, Tick
from vsanon.tracks.file import read_tracks, version_of
from vsanon.tracks.write_edits import ConflictError

ME = "A. Person"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_clip(tmp_path_factory.mktemp("document"))


@pytest.fixture
def path(clip: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(clip[1], tmp_path / "t.vsanon"))


def commit(document: Document, *changes: dict[str, Any], replaces: tuple[int, ...] = ()) -> list[int]:
    put = document.commit(document.state().version, changes, "asked for", replaces)
    return [edit.number for edit in put]


def lines(path: Path) -> list[dict[str, Any]]:
    """The edits of a file, but for when they were made."""
    return [{k: v for k, v in dict(line).items() if k != "at"} for line in read_tracks(path).edits]


KEY = {"frame": 3, "box": [10.5, 10.0, 40.0, 50.0]}
SAME = [
    ({"op": "expose", "track": 1, "range": [2, 9]}, ("expose", "--track", "1", "--frames", "2:9")),
    ({"op": "keep", "track": 1, "range": [0, 30]}, ("keep", "--track", "1", "--frames", "0:30")),
    ({"op": "drop", "track": 2}, ("drop", "--track", "2")),
    ({"op": "merge", "track": 1, "others": [3, 4]}, ("merge", "--track", "1", "--with", "3", "--with", "4")),
    ({"op": "split", "track": 1, "frame": 10, "into": None}, ("split", "--track", "1", "--at", "10")),
    (
        {"op": "move", "track": 1, "range": [3, 9], "keys": [KEY, {"frame": 8, "box": [12, 12, 44, 54]}]},
        ("move", "--track", "1", "--key", "3:10.5,10,40,50", "--key", "8:12,12,44,54"),
    ),
    (
        {"op": "region", "track": None, "range": [0, 30], "class": "logo", "shape": "ellipse", "keys": [KEY]},
        ("region", "--class", "logo", "--shape", "ellipse", "--key", "3:10.5,10,40,50", "--frames", "0:30"),
    ),
    (
        {"op": "region", "track": None, "range": [3, 4], "class": "region", "shape": "polygon",
         "keys": [{"frame": 3, "box": [1, 1, 9, 9], "points": [[0, 0], [1, 0], [0.5, 1]]}]},
        ("region", "--shape", "polygon", "--key", "3:1,1;9,1;5,9"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), SAME, ids=[change["op"] for change, _ in SAME])
def test_a_change_in_the_browser_is_the_line_that_the_command_line_writes(
    path: Path, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    other = Path(shutil.copy(path, path.with_name("other.vsanon")))
    commit(Document(path, ME), change)
    why = ("--by", ME, "--reason", "asked for")
    done = CliRunner().invoke(main, ["edit", words[0], str(other), *words[1:], *why])
    assert done.exit_code == 0, done.output
    assert lines(path) == lines(other)
    assert len(lines(path)) == 1


def test_undo_and_redo_go_all_the_way_back_and_forth_to_the_byte(path: Path) -> None:
    document = Document(path, ME)
    states = [path.read_bytes()]
    commit(document, {"op": "expose", "track": 1, "range": [0, 5]})
    states.append(path.read_bytes())
    (number,) = commit(document, {"op": "move", "track": 1, "range": [3, 4], "keys": [KEY]})
    states.append(path.read_bytes())
    more = {"op": "move", "track": 1, "range": [3, 9], "keys": [KEY, {"frame": 8, "box": [12, 12, 44, 54]}]}
    assert commit(document, more, replaces=(number,)) == [number]  # a second key frame: the same edit
    states.append(path.read_bytes())
    commit(document, {"op": "drop", "track": 2}, {"op": "drop", "track": 3})  # two edits, one step
    states.append(path.read_bytes())
    for wanted in reversed(states[:-1]):
        document.undo(document.state().version)
        assert path.read_bytes() == wanted
    with pytest.raises(InputError, match="nothing of yours to undo"):
        document.undo(document.state().version)
    for wanted in states[1:]:
        document.redo(document.state().version)
        assert path.read_bytes() == wanted
    with pytest.raises(InputError, match="nothing to do again"):
        document.redo(document.state().version)


def test_after_a_crash_undo_goes_on_through_the_authors_own_edits(path: Path) -> None:
    before = path.read_bytes()
    for track in (1, 2):
        commit(Document(path, ME), {"op": "drop", "track": track})
    commit(Document(path, "B. Other"), {"op": "drop", "track": 3})
    fresh = Document(path, ME)
    assert fresh.undo(fresh.state().version).put[0].change.track == 2  # type: ignore[union-attr]
    fresh.undo(fresh.state().version)
    with pytest.raises(InputError, match="nothing of yours"):
        fresh.undo(fresh.state().version)
    write_edits.undo(path, 3)
    assert path.read_bytes() == before


def test_what_somebody_else_changed_is_seen_and_never_overwritten(path: Path) -> None:
    mine, other = Document(path, ME), Document(path, "B. Other")
    seen = mine.state().version
    commit(other, {"op": "drop", "track": 3})
    with pytest.raises(ConflictError, match="somebody else"):
        mine.commit(seen, [{"op": "drop", "track": 2}], "asked for")
    assert [line["track"] for line in lines(path)] == [3]
    commit(mine, {"op": "drop", "track": 2})
    assert [(line["edit"], line["by"]) for line in lines(path)] == [(1, "B. Other"), (2, ME)]
    # What another one has put there is not taken out in passing.
    with pytest.raises(InputError, match="not yours"):
        commit(mine, {"op": "drop", "track": 1}, replaces=(1,))
    write_edits.undo(path, 2)  # from a command line
    with pytest.raises(ConflictError):
        mine.undo(mine.state().version)


def test_an_edit_done_again_takes_a_new_number_where_its_own_was_taken(path: Path) -> None:
    mine = Document(path, ME)
    commit(mine, {"op": "drop", "track": 1})
    mine.undo(mine.state().version)
    commit(Document(path, "B. Other"), {"op": "drop", "track": 3})
    mine.redo(mine.state().version)
    assert [(line["edit"], line["track"], line["by"]) for line in lines(path)] == [(1, 3, "B. Other"), (2, 1, ME)]
    mine.undo(mine.state().version)
    assert [line["edit"] for line in lines(path)] == [1]


def test_many_at_once_all_count(path: Path) -> None:
    def work(name: str) -> None:
        document = Document(path, name)
        for n in range(5):
            while True:
                try:
                    commit(document, {"op": "expose", "track": 1, "range": [n, n + 1]})
                    break
                except ConflictError:
                    continue

    threads = [threading.Thread(target=work, args=(f"P{k}",)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [line["edit"] for line in lines(path)] == list(range(1, 16))
    assert sorted({line["by"] for line in lines(path)}) == ["P0", "P1", "P2"]
    assert list(path.parent.iterdir()) == [path]  # no lock is left, and no partial file


def test_a_change_that_cannot_be_applied_leaves_the_file_as_it_was(path: Path) -> None:
    document, before = Document(path, ME), path.read_bytes()
    commit(document, {"op": "split", "track": 1, "frame": 10, "into": 9})
    commit(document, {"op": "drop", "track": 9})
    held = path.read_bytes()
    with pytest.raises(InputError, match="no track 9"):
        document.remove(document.state().version, 1)
    assert path.read_bytes() == held
    document.undo(document.state().version)
    document.undo(document.state().version)
    assert path.read_bytes() == before


def test_a_review_says_what_was_seen_revealed_and_ticked_and_changes_no_cover(path: Path) -> None:
    document = Document(path, ME)
    version, covered = document.state().version, document.state().table.xyxy.tobytes()
    look = Look(document)
    look.saw([(0, 10), (8, 20), (40, 41)], 2.5)
    assert lines(path) == []  # not at each frame
    look.reveal(True, 12)  # but before a cover is lifted
    look.showed(50)
    look.saw([(12, 14)], 1.0)
    look.reveal(False, 12)
    (doubt, *others) = [(10, 2, "start"), (19, 2, "end"), (10, 2, "low")]
    look.tick(Tick(*doubt), True)
    edit = look.finish()
    assert edit.change == Review(
        (FrameRange(0, 20), FrameRange(40, 41)), 3.5, (FrameRange(12, 14), FrameRange(50, 51)), (Tick(*doubt),),
        len(others),
    )  # fmt: skip
    assert [(line["edit"], line["op"], line["reason"]) for line in lines(path)] == [(1, "review", FINISHED)]
    words = "review: 21 frames looked at in 4 s, 1 doubtful moments ticked off, 2 left, 3 frames shown uncovered"
    words += ", no second opinion"
    assert edit_words.describe(edit) == words
    assert edit_words.summary(edit, 0)["what"] == words  # as the ledger lists it
    assert document.state().version == version  # nobody's edit is refused for it
    assert document.state().table.xyxy.tobytes() == covered
    later = Look(Document(path, "B. Other"))
    assert later.ticked() == {Tick(*doubt)}
    with pytest.raises(InputError, match="nothing of yours"):
        document.undo(version)  # evidence is no step of editing


def test_who_looks_at_a_result_does_not_change_the_tracks_that_it_was_rendered_from(path: Path) -> None:
    look = Look(Document(path, ME))
    look.saw([(0, 10)], 1.0)
    look.settle()  # as it is rendered
    rendered = path.read_bytes()
    assert lines(path)[0]["seen"] == [[0, 10]]
    look.saw([(10, 30)], 2.0)
    look.flush()
    assert path.read_bytes() == rendered
    look.tick(Tick(10, 2, "start"), True)
    assert lines(path)[0]["seen"] == [[0, 30]]  # nothing of it is lost
    look.saw([(50, 60)], 1.0)
    look.flush()
    assert lines(path)[0]["seen"] == [[0, 30], [50, 60]]


def test_a_review_and_edits_of_others_stand_side_by_side(path: Path) -> None:
    document, other = Document(path, ME), Document(path, "B. Other")
    look = Look(document)
    look.tick(Tick(10, 2, "start"), True)
    commit(other, {"op": "drop", "track": 3})
    look.tick(Tick(19, 2, "end"), True)
    assert [(line["edit"], line["op"], line["by"]) for line in lines(path)] == [
        (1, "review", ME),
        (2, "drop", "B. Other"),
    ]
    assert len(lines(path)[0]["ticked"]) == 2


def test_the_version_is_that_of_the_content(path: Path) -> None:
    first = version_of(path)
    assert json.loads(path.read_bytes().splitlines()[-1])["sha256"] == first
    write_edits.add(path, [], by=ME, reason="nothing")
    assert version_of(path) == first
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="cut short"):
        version_of(path)
