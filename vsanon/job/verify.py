"""Checking a delivered file later, against its source and its ledger."""

from pathlib import Path

from vsanon.files import sha256_file
from vsanon.job import ledger
from vsanon.job.file_checks import Check, verify_file
from vsanon.job.frames import raw_video
from vsanon.job.pipeline import open_for_work
from vsanon.job.region_checks import CoveredLook
from vsanon.media.intact import require_intact
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks


def verify_delivery(
    output: Path, source: Path, ledger_file: Path | None = None, tracks: Path | None = None
) -> list[Check]:
    """Check a delivered file again, against its source, its ledger and, where it is at hand, its track file.

    Args:
        output: the delivered file.
        source: the file that it was made from.
        ledger_file: the ledger; None looks beside the output.
        tracks: the track file; the regions are then looked at as well.

    Raises:
        InputError: a file is missing or can't be read.
    """
    where = ledger_file or ledger.path_of(output)
    said = ledger.read(where)
    preset, keep, strict = ledger.preset_of(said), said["keep"], said["painting"]["profile"] == "strict"
    hashes = {name: str(said[name]["sha256"]) for name in ("source", "output", "tracks") if name in said}
    checks = [
        _same_hash("source is the ledger's", hashes["source"], source),
        _same_hash("output is the ledger's", hashes["output"], output),
    ]
    opened = open_for_work(source)
    require_intact(opened)
    look = None
    if tracks is not None and strict:
        table = edits.apply(read_tracks(tracks))
        look = CoveredLook(table.at, len(table))
    video = raw_video(opened)
    checks += verify_file(output, video=video, preset=preset, source=source, keep=keep, look=look)
    if tracks is not None and "tracks" in hashes:
        checks.append(_same_hash("tracks are the ledger's", hashes["tracks"], tracks))
    return checks if look is None else [*checks, look.check()]


def _same_hash(name: str, wanted: str, path: Path) -> Check:
    found = sha256_file(path)
    return Check(name, found == wanted, wanted, found)
