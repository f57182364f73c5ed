"""What a job came to, from its ledger, in words for whoever ran it."""

from collections.abc import Mapping
from typing import Any

from vsanon.cli.shared import say
from vsanon.covering.looks import NOT_ANONYMISED, STRENGTHS
from vsanon.job.checks import counted


def say_outcome(ledger: Mapping[str, Any]) -> None:
    """Say what was covered, of how much, whether that makes it anonymous, and how the checks went."""
    counts = ", ".join(
        f"{c['tracks']} {name} tracks in {c['frames']} frames" for name, c in ledger["classes"].items()
    )
    say(f"covered: {counts or 'nothing was found'}")
    if (part := ledger.get("part")) is not None:
        rest = "no others are delivered" if part["delivered"] == "part" else "all others are shown as they are"
        say(f"a part: frames {part['start']} to {part['stop'] - 1} of {part['of']} were searched, and {rest}")
    elif ledger["frames_searched"] not in (None, ledger["frames"]):
        say(f"searched: {ledger['frames_searched']} of {ledger['frames']} frames, those between were followed")
    say_look(ledger["painting"]["profile"])
    say(f"checks: {counted(ledger['checks'])}")


def say_look(profile: str) -> None:
    """Say of a look that leaves people known, or that nobody can see, that it does: checks don't."""
    if profile in NOT_ANONYMISED:
        say(f"not anonymised: profile {profile}: {STRENGTHS[profile]}")
