"""An edit that leaves a track bare is known by its words, as ledgers hold them."""

from typing import Any

from vsanon.job.anonymised import objections
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import Drop, Edit, Expose, Keep
from vsanon.tracks.edit_words import summary


def ledger(*changes: Expose | Drop | Keep) -> dict[str, Any]:
    edits = [Edit(n, change, "Ann", "2026-11-20T10:11:12+00:00", "agreed") for n, change in enumerate(changes, 1)]
    return {
        "painting": {"profile": "strict"},
        "analysis": {"classes": ["face", "plate"]},
        "pictures": {"unchecked": 0},
        "edits": [summary(edit) for edit in edits],
    }


def test_a_track_that_an_edit_exposes_makes_a_file_not_anonymised() -> None:
    span = FrameRange(0, 9)
    assert objections(ledger(Expose(1, span), Keep(2, span), Expose(3, span))) == ["2 edits expose a track by hand"]
    assert objections(ledger(Keep(2, span), Drop(4))) == []
