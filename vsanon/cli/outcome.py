"""What a job came to, from its ledger, in words for whoever ran it."""

from collections.abc import Mapping
from typing import Any

from vsanon.cli.shared import say
from vsanon.job.checks import counted


def say_outcome(ledger: Mapping[str, Any]) -> None:
    """Say what was covered, of how much, whether that makes it anonymous, and how the checks went."""
    from vsanon.job.anonymised import objections

    counts = ", ".join(
        f"{c['tracks']} {name} tracks in {c['frames']} frames" for name, c in ledger["classes"].items()
    )
    say(f"covered: {counts or 'nothing was found'}")
    if (part := ledger.get("part")) is not None and part["delivered"] == "part":
        frames = f"frames {part['start']} to {part['stop'] - 1} of {part['of']}"
        say(f"a part: {frames} were searched, and no others are delivered")
    elif ledger["frames_searched"] not in (None, ledger["frames"]):
        say(f"searched: {ledger['frames_searched']} of {ledger['frames']} frames, those between were followed")
    for why in objections(ledger):
        say(f"not anonymised: {why}")
    say(f"checks: {counted(ledger['checks'])}")
