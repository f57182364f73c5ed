"""A second opinion: what another search sees and no region covers, as doubts until it is covered or ticked off."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.review_clip import FRAMES, MISSED, served, write_clip, write_search
from vsanon.errors import InputError
from vsanon.review import second_opinion
from vsanon.review.document import Document
from vsanon.review.looked_at import Look
from vsanon.review.second_opinion import UNSEEN, bare, box_at, doubtful, search_of
from vsanon.timing import FrameRange
from vsanon.tracks import edit_words
from vsanon.tracks.edit_kinds import Opinion, Region, Review, Tick
from vsanon.tracks.edit_lines import parse, record
from vsanon.tracks.file import read_tracks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_clip(tmp_path_factory.mktemp("second"))


@pytest.fixture
def document(made: tuple[Path, Path], tmp_path: Path) -> Document:
    return Document(Path(shutil.copy(made[1], tmp_path / "t.vsanon")), "A. Person")


def heard(document: Document, tmp_path: Path) -> tuple[Look, Opinion]:
    write_search(tmp_path / "second", MISSED)
    finds = bare(read_tracks(tmp_path / "second"), document.state().whole)
    look, opinion = Look(document), Opinion("thorough", ("centerface",), FRAMES, FRAMES, finds)
    look.heard(opinion)
    return look, opinion


@pytest.mark.parametrize(("shift", "found"), [(0.0, 1), (0.2, 1), (1.0, 3)])
def test_a_find_is_what_no_region_covers_but_for_what_two_models_differ_by(
    document: Document, tmp_path: Path, shift: float, found: int
) -> None:
    write_search(tmp_path / "second", MISSED, shift)
    finds = bare(read_tracks(tmp_path / "second"), document.state().whole, 7)
    assert len(finds) == found
    assert [find.number for find in finds] == [*range(7, 7 + found)]
    (missed,) = (find for find in finds if find.keys[0].box == MISSED[5])
    assert (missed.label, missed.range, len(missed.keys)) == ("face", FrameRange(5, 25), 2)  # linear
    for n, box in MISSED.items():
        assert np.abs(box_at(missed, n) - box).max() < 0.01


def test_a_find_is_a_doubt_until_a_region_covers_all_of_it_and_who_is_uncovered_on_purpose_is_none(
    document: Document, tmp_path: Path
) -> None:
    heard(document, tmp_path)
    before = [m for m in doubtful(document.state()) if m.kind == UNSEEN]
    assert [(m.frame, m.rank, m.remedy and type(m.remedy)) for m in before] == [(15, 0, Region)]
    assert doubtful(document.state())[0].rank == 0
    region: dict[str, Any] = {"op": "region", "track": None, "class": "face", "shape": "rectangle"}
    keys = [{"frame": n, "box": list(MISSED[n])} for n in (5, 24)]
    document.commit(document.state().version, [{**region, "range": [5, 20], "keys": keys}], "missed")
    (left,) = (m for m in doubtful(document.state()) if m.kind == UNSEEN)
    assert "in 5 frames" in left.why
    document.commit(document.state().version, [{**region, "range": [20, 25], "keys": keys}], "missed")
    assert [m for m in doubtful(document.state()) if m.kind == UNSEEN] == []
    document.commit(document.state().version, [{"op": "expose", "track": 3, "range": [0, FRAMES]}], "agreed")
    write_search(tmp_path / "again", MISSED)
    assert bare(read_tracks(tmp_path / "again"), document.state().whole) == ()


def test_the_statement_says_which_opinion_was_heard_and_counts_its_finds_among_what_is_left(
    document: Document, tmp_path: Path
) -> None:
    look, opinion = heard(document, tmp_path)
    (edit,) = document.state().edits
    assert isinstance(edit.change, Review)
    assert (edit.change.left, edit.change.opinions) == (4, (opinion,))  # three of the tracks, and the find
    assert "second opinion thorough (centerface): 90 of 90 frames, 1 find not covered then" in edit_words.describe(
        edit
    )
    assert parse(record(edit)) == edit
    (find,) = opinion.finds
    look.tick(Tick(15, find.number, UNSEEN), True)
    assert document.state().edits[0].change.left == 3  # type: ignore[union-attr]
    other = Look(Document(document.path, "B. Other")).finish()
    assert edit_words.describe(other).endswith("no second opinion")  # of that person's
    assert isinstance(other.change, Review)
    assert other.change.left == 3  # what is ticked off stays so


def test_another_search_looks_for_the_same_classes_the_same_way_up() -> None:
    search = search_of("yunet_n", {"settings": {"classes": ["face"], "turned": 90}}, every=False)
    assert (search.classes, search.models, search.turned, search.stride) == (
        ("face",), {"face": ("yunet_n",)}, 90, "auto",
    )  # fmt: skip
    assert search_of("thorough", {}, every=True).stride == 1
    assert search_of("yunet_n", {"settings": {"classes": ["plate"]}}, every=True).models == {}
    with pytest.raises(InputError, match="thorough, yunet_n"):
        search_of("mine", {}, every=True)


def test_the_server_searches_once_more_beside_all_else_and_tells_what_it_found(
    made: tuple[Path, Path], document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(source: Path, tracks: Path, settings: Any, *, progress: Any) -> None:
        progress(FRAMES, FRAMES)
        write_search(tracks, MISSED)

    monkeypatch.setattr(second_opinion, "analyze_file", search)
    with served(made[0], document.path) as client:
        client.enter()
        assert client.post("/api/second", {"name": "mine", "every": False})[0] == 400
        assert client.get("/api/state")["opinions"] == []
        with monkeypatch.context() as bare_machine:
            bare_machine.setattr(second_opinion, "locate", lambda card: None)
            status, told = client.post("/api/second", {"name": "thorough", "every": False})
            assert (status, "not on this machine" in told["error"]) == (400, True)  # and nothing is pulled
        assert client.post("/api/second", {"name": "thorough", "every": False})[0] == 200
        while (job := client.get("/api/pulse")["second"])["running"]:
            pass
        assert (job["error"], job["result"]["found"]) == (None, 1)
        state = client.get("/api/state")
        (moment,) = (m for m in state["moments"] if m["kind"] == UNSEEN)
        status, after = client.post(
            "/api/edit", {"version": state["version"], "changes": [moment["remedy"]], "reason": "missed"}
        )
        assert status == 200
        assert [m for m in after["moments"] if m["kind"] == UNSEEN] == []
    (first, *_) = read_tracks(document.path).edits
    assert first["opinions"][0]["name"] == "thorough"
