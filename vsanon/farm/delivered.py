"""Whether a file was delivered before, by these settings: its ledger knows source, output and settings."""

import json
from dataclasses import asdict
from typing import Any

import vsanon
from vsanon.encode import presets
from vsanon.encode.source_preset import NAME as NATURAL
from vsanon.errors import InputError
from vsanon.farm.listing import Job
from vsanon.farm.plan import FilePlan, Plan
from vsanon.files import sha256_file
from vsanon.job import ledger
from vsanon.job.settings import Settings
from vsanon.tracks.file import read_tracks


def delivered(job: Job, settings: Settings) -> bool:
    """Whether the output is there, whole, made of this source by these settings, models and this version.

    Raises:
        InputError: something lies at the output that is not that; what differs is said.
    """
    if not job.output.exists() and not job.output.is_symlink():
        return False
    advice = "move it away, or replace it with --overwrite"
    path = ledger.path_of(job.output)
    if not path.exists():
        raise InputError(f"{job.output} is there, and has no ledger: {advice}")
    book = ledger.read(path)
    if book.get("edits"):
        raise InputError(f"{job.output} is there, and was rendered from tracks that people edited: {advice}")
    if not all(check["passed"] for check in book["checks"]):
        raise InputError(f"{job.output} is there, and its ledger tells of a check that failed: {advice}")
    if (differs := _difference(book, settings)) is not None:
        raise InputError(f"{job.output} is there, and was made by another {differs}: {advice}")
    for name, file in (("source", job.source), ("output", job.output)):
        if book[name]["sha256"] != sha256_file(file):
            raise InputError(f"{job.output} is there, and its ledger speaks of another {name}: {advice}")
    return True


def delivered_by(plan: Plan, file: FilePlan, *, hashed: bool = True) -> bool:
    """Whether a file was delivered by this very plan; of the work "analyze" that its track file is there.

    Args:
        plan: the plan.
        file: one of its files.
        hashed: and is what its ledger says, to the byte.

    Raises:
        TrackFileError: something else than a whole track file lies where one was to be delivered.
    """
    if plan.work == "analyze":
        if not file.output.exists():
            return False
        header = read_tracks(file.output).header  # edits may have been added since
        return all(header.get(name) == value for name, value in file.header.items())
    if not file.output.parent.exists() or not ledger.path_of(file.output).exists():
        return False
    try:
        book = ledger.read(ledger.path_of(file.output))
        place = ledger.place_of(file.output)
        same = place.exists() and (
            place != file.output or not hashed or sha256_file(place) == book["output"]["sha256"]
        )
    except InputError:
        return False
    own: str | None = book.get("chunks", {}).get("plan_sha256")
    return same and own == plan.sha256


def _difference(book: dict[str, Any], settings: Settings) -> str | None:
    """What of a ledger is not as these settings would have it."""
    cards = {card.name: card.facts for used in settings.search.cards().values() for card in used}
    painting = settings.painting(book["painting"]["grid"])
    size = tuple(book["video"]["size"])
    wanted: dict[str, tuple[Any, Any]] = {
        "version of vsanon": (book["versions"]["vsanon"], vsanon.__version__),
        "model": (book["models"], list(cards.values())),
        "search": (_settled(book["analysis"]), _settled(settings.analysis(settings.search, size))),
        "choice of what to keep": (book["keep"], sorted(settings.keep)),
        "choice of sound": (book["sound"], {"mode": settings.sound.mode, "tracks": settings.sound.tracks}),
        "way of covering": (book["painting"], painting.facts),
    }
    if settings.preset != NATURAL:
        wanted["preset"] = (book["preset"], asdict(presets.load(settings.preset)))
    if settings.video_track is not None:
        wanted["video track"] = (book["video"]["track"], settings.video_track)
    return next((name for name, (was, now) in wanted.items() if _plain(was) != _plain(now)), None)


def _settled(analysis: dict[str, Any] | None) -> dict[str, Any]:
    """Without how far a picture was turned, which `auto` finds out for each clip."""
    return {name: value for name, value in (analysis or {}).items() if name != "turned"}


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))
