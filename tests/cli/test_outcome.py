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
