"""An edit that leaves a track bare is known by its words, as ledgers hold them."""

from typing import Any

from vsanon.job.anonymised import DROPS, EXPOSES, MOVES, objections, uncovering
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import Drop, Edit, Expose, Keep, KeyFrame, Move
from vsanon.tracks.edit_words import summary


def ledger(*counted: tuple[Expose | Drop | Keep | Move, int]) -> dict[str, Any]:
    """What it takes of a ledger, with edits and how many boxes each leaves bare."""
    changes, left = [change for change, _ in counted], [bare for _, bare in counted]
    edits = [Edit(n, change, "Ann", "2026-11-20T10:11:12+00:00", "agreed") for n, change in enumerate(changes, 1)]
    return {
        "painting": {"profile": "strict"},
        "analysis": {"classes": ["face", "plate"]},
        "video": {"size": [640, 360]},
        "pictures": {"unchecked": 0},
        "edits": [summary(edit, bare) for edit, bare in zip(edits, left, strict=True)],
    }


SPAN = FrameRange(0, 9)
AWAY = Move(1, SPAN, (KeyFrame(0, (0, 0, 9, 9)),))


def test_a_track_that_an_edit_exposes_makes_a_file_not_anonymised() -> None:
    book = ledger((Expose(1, SPAN), 9), (Keep(2, SPAN), 0), (Expose(3, SPAN), 1))
    assert objections(book) == ["2 edits expose a track by hand"]
    assert objections(ledger((Keep(2, SPAN), 0), (Drop(4), 20))) == []


def test_what_a_later_edit_covers_again_speaks_against_nothing() -> None:
    assert objections(ledger((Expose(1, SPAN), 0), (Keep(1, SPAN), 0), (AWAY, 0))) == []


def test_a_cover_that_is_moved_off_what_was_found_makes_a_file_not_anonymised() -> None:
    assert objections(ledger((AWAY, 3), (AWAY, 0))) == ["1 edit moves a cover off what was found"]


def test_what_a_ledger_of_another_version_does_not_count_is_taken_for_bare() -> None:
    book = ledger((Expose(1, SPAN), 0), (Drop(2), 0), (AWAY, 0))
    for edit in book["edits"]:
        del edit["bare"]
    assert objections(book) == ["1 edit exposes a track by hand"]
    assert [edit["edit"] for edit in uncovering(book["edits"], EXPOSES, MOVES, DROPS)] == [1, 2]
