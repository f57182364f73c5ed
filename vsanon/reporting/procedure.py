"""The technical procedure: how an organisation covers people in its footage, with what a test of it measured."""

from typing import Any

from vsanon.reporting.document import UNSEEN, build, read_evidence
from vsanon.reporting.facts import ReportFacts
from vsanon.reporting.ledgers import PROFILES
from vsanon.validation.conclusions.conclude import conclude

DUTIES = (
    ("Controller's representative", "decides on purposes and on what is published; signs this procedure"),
    ("Data protection officer", "advises, checks the records, is told of every exposure"),
    ("Operator", "runs the software with the settings laid down here, and no others"),
    ("Reviewer", "watches every file before it leaves, and is not its operator"),
    ("Maintainer", "keeps software, models and presets at the versions laid down here, and runs the tests"),
)
"""Roles, and what each does; who holds them is for the organisation to fill in."""

TRIGGERS = (
    "another version of vsanon, of ffmpeg or of a model",
    "another setting, profile or delivery preset",
    "footage of a kind that was not tested: another camera, codec, bitrate, light or framing",
    "an exposure found in a delivered file, by anyone",
    "the end of the interval stated above",
)
"""What makes a new test due."""

RECORDS = (
    ("Ledger of each delivered file", "hashes, settings, counts and checks; no pictures"),
    ("Certificate of processing", "the ledger on one page, for who receives the file"),
    ("Track file", "where people are in the picture, and every edit by hand: personal data, as the source is"),
    ("Evidence and report of each test", "figures and how they were made, signed; no pictures of people"),
    ("Comparison of each test with the one before", "what changed, and whether anything got worse"),
)
"""What is kept, and what it holds; for how long is for the organisation to fill in."""


def describe(content: bytes, facts: ReportFacts) -> dict[str, Any]:
    """What the template of the procedure needs: the report of the evidence, and the fixed lists.

    Args:
        content: the bytes of evidence.json.
        facts: what people state; what they leave out is a blank to fill in.

    Raises:
        InputError: `content` is no evidence.
    """
    report = build(content, conclude(read_evidence(content)), facts)
    return {
        **report,
        "procedure": {
            "duties": [{"role": role, "duty": duty} for role, duty in DUTIES],
            "triggers": list(TRIGGERS),
            "records": [{"record": record, "holds": holds} for record, holds in RECORDS],
            "unseen": list(UNSEEN),
            "classes": sorted(
                {name for used in report["evidence"]["settings"].values() for name in used["classes"]}
            ),
            "profiles": PROFILES,
            "settings": _settings(report),
        },
    }


def _settings(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Each setting that was tested, and which pooled rows hold what it reached."""
    pooled = report["conclusions"]["pooled"]
    return [
        {"name": name, "rows": [k for k, row in enumerate(pooled) if row["setting"] == name]}
        for name in sorted(report["evidence"]["settings"])
    ]
