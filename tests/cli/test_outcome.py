"""A look that leaves people known is called that on the terminal too, where every check passes."""

from typing import Any

import pytest

from vsanon.cli.outcome import say_outcome
from vsanon.covering.looks import NOT_ANONYMISED, PROFILES


def ledger(profile: str) -> dict[str, Any]:
    return {
        "classes": {"face": {"tracks": 3, "frames": 20}},
        "frames": 20,
        "frames_searched": 20,
        "painting": {"profile": profile},
        "analysis": {"classes": ["face", "plate"], "ignore": []},
        "video": {"size": [640, 360]},
        "pictures": {"unchecked": 0},
        "checks": [{"check": "size", "found": "as asked", "expected": "as asked", "passed": True, "seen": True}],
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_a_look_that_is_not_anonymous_is_said_to_be_that_before_the_checks(
    profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_outcome(ledger(profile))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "covered: 3 face tracks in 20 frames"
    assert lines[-1] == "checks: 1 of 1 passed"
    said = [line for line in lines if line.startswith(f"not anonymised: profile {profile}: ")]
    assert len(said) == (profile in NOT_ANONYMISED)
    assert len(lines) == 2 + len(said)


def test_soft_says_how_often_real_people_were_named(capsys: pytest.CaptureFixture[str]) -> None:
    say_outcome(ledger("soft"))
    assert "40 real people were named in 51 % of tries" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"analysis": {"classes": ["face"]}}, "plates were not searched for"),
        ({"analysis": None}, "faces and plates were not searched for"),
        ({"analysis": {"classes": ["face", "plate"], "ignore": [[0, 0, 9, 9]] * 2}}, "2 zones of the picture"),
        ({"edits": [{"what": "expose track 1 in frames 0:9"}]}, "1 edit exposes a track by hand"),
        ({"pictures": {"unchecked": 7}}, "nobody looked whether 7 frames show"),
        ({"part": {"delivered": "all", "start": 2, "stop": 9, "of": 20}}, "frames 2 to 8 of 20 were"),
    ],
)  # fmt: skip
def test_what_was_not_searched_or_left_bare_on_purpose_is_said(
    changed: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_outcome({**ledger("strict"), **changed})
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("not anonymised: ")]
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize(
    "what", ["drop track 2", "keep track 1 in frames 0:9", "region 7: logo, box in frames 0:9"]
)
def test_edits_that_say_what_is_no_face_or_cover_more_leave_a_file_anonymised(
    what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_outcome({**ledger("strict"), "edits": [{"what": what}]})
    assert "not anonymised" not in capsys.readouterr().err
