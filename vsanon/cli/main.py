"""The command line: parses, calls the library, prints; the only place that does."""

import logging
import sys
from pathlib import Path
from typing import Any

import click

from vsanon import __version__
from vsanon.cli import config, many
from vsanon.cli.audit import COMMANDS as AUDIT
from vsanon.cli.edit import COMMANDS as EDITS
from vsanon.cli.exit_codes import sentence
from vsanon.cli.farm import COMMANDS as FARM
from vsanon.cli.interchange import COMMANDS as INTERCHANGE
from vsanon.cli.machine import COMMANDS as MACHINE
from vsanon.cli.many import Many
from vsanon.cli.options import detect_options, image_options, render_options, settings_of, signer_of
from vsanon.cli.outcome import say_outcome
from vsanon.cli.progress import Progress
from vsanon.cli.report import COMMANDS as REPORTING
from vsanon.cli.review import COMMANDS as REVIEW
from vsanon.cli.shared import (
    FILE,
    OVERWRITE,
    Group,
    open_standard,
    require_folder,
    say,
    shown,
    tell,
    tell_checks,
    track_path_of,
    tracks_of,
)
from vsanon.cli.validate import COMMANDS as VALIDATION


class _Plain(logging.Formatter):
    """What is logged, as `say` shows it."""

    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Cover faces and licence plates in video: detect, track and blur, frame-accurately, and prove it.\n\n"
    + sentence(),
)
@click.version_option(__version__, prog_name="vsanon")
def main() -> None:
    """The command `vsanon`: a group of all others."""
    open_standard()
    require_folder()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("vsanon: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    context = click.get_current_context()
    job = "anonymize" if context.invoked_subcommand == "farm" else context.invoked_subcommand
    if job in config.JOBS:
        context.default_map = config.defaults(main)
        set_ = context.default_map[job]
        context.default_map["farm"] = {"plan": set_}
        if set_ and not {"-h", "--help"} & set(sys.argv):
            say(f"settings of {config.NAME}: {', '.join(sorted(set_))}; see `vsanon config show`")


@main.command()
@click.argument("paths", metavar="IN OUT | IN... --out DIR", nargs=-1, type=FILE)
@detect_options
@render_options
@click.option("--tracks", type=FILE, default=None, help="Also write the track file (it is personal data).")
@many.options
def anonymize(
    paths: tuple[Path, ...], tracks: Path | None, overwrite: bool, sign: Path | None, **options: Any
) -> None:
    """Cover what is found in IN and write OUT: analyse, render, encode, verify, write the ledger.

    With --out many files are covered, below DIR as they lie below the folders named. What was delivered before by
    the same settings is kept: run it again to go on.
    """
    if (asked := Many.taken(options)) is not None:
        if tracks is not None or sign is not None:
            raise click.UsageError("--tracks and --sign go with one IN and OUT")
        asked.cover(paths, settings_of(**options), overwrite=overwrite)
        return
    if len(paths) != 2:
        raise click.UsageError(f"IN and OUT are needed, got {len(paths)} names; for many files name --out DIR")
    source, output = paths
    from vsanon.job import pipeline

    with Progress("anonymize") as progress:
        ledger = pipeline.anonymize_file(
            source,
            output,
            settings_of(**options),
            tracks=tracks,
            overwrite=overwrite,
            sign=signer_of(sign),
            say=say,
            progress=progress,
        )
    say_outcome(ledger)
    tell(output)


@main.command()
@click.argument("source", metavar="IN", type=FILE)
@click.option("-o", "--output", "tracks", type=FILE, default=None, help="The track file [default: IN.vsanon].")
@detect_options
@OVERWRITE
def analyze(source: Path, tracks: Path | None, overwrite: bool, **options: Any) -> None:
    """Find and follow; write the track file, for editing in between or for rendering elsewhere."""
    from vsanon.job import pipeline

    path = tracks or track_path_of(source)
    with Progress("analyze") as progress:
        pipeline.analyze_file(source, path, settings_of(**options), overwrite=overwrite, say=say, progress=progress)
    tell(path)


@main.command()
@click.argument("source", metavar="IN", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--any-picture", is_flag=True,
    help="Cover frames that show another picture than the one analysed, unchecked; the ledger says so.",
)  # fmt: skip
@click.option("--tracks", type=FILE, default=None, help="The track file [default: IN.vsanon].")
@click.option(
    "--again", is_flag=True,
    help="Replace the OUT that was rendered before, and encode only what is covered otherwise since, where its "
    "codec lets files be joined there (frame by frame, or at the chunks of a farm); else all of it, which is said.",
)  # fmt: skip
@image_options
@render_options
def render(
    source: Path,
    output: Path,
    tracks: Path | None,
    again: bool,
    overwrite: bool,
    sign: Path | None,
    **options: Any,
) -> None:
    """Cover what the track file of IN says, and write OUT."""
    if again and overwrite:
        raise click.UsageError("say either --again or --overwrite, which renders all of it")
    from vsanon.job import pipeline

    path = tracks_of(source, tracks)
    with Progress("render") as progress:
        ledger = pipeline.render_file(
            source,
            path,
            output,
            settings_of(**options),
            overwrite=overwrite,
            again=again,
            sign=signer_of(sign),
            say=say,
            progress=progress,
        )
    say_outcome(ledger)
    tell(output)


@main.command()
@click.argument("output", metavar="OUT", type=FILE)
@click.option("--source", type=FILE, required=True, help="The file that OUT was made from.")
@click.option("--ledger", type=FILE, default=None, help="[default: OUT.ledger.json]")
@click.option(
    "--tracks",
    type=FILE,
    default=None,
    help="Its track file [default: the one that the ledger names, beside it or the source; where the job found the "
    "regions itself, they are searched for again].",
)
@click.option("--public-key", type=FILE, default=None, metavar="KEY", help="Whose signature the ledger must carry.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def verify(
    output: Path, source: Path, ledger: Path | None, tracks: Path | None, public_key: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Check a delivered file: paint its source once more, as its ledger says, and compare frame by frame."""
    from vsanon.job.verify import verify_delivery

    with Progress("verify") as progress:
        checks = verify_delivery(output, source, ledger, tracks, public_key, progress=progress)
    tell_checks(output, checks, as_json=as_json)


@main.command()
@click.argument("folder", type=FILE, default=Path("vsanon-demo"))
@click.option("--preset", default="h264_crf", show_default=True, help="See `vsanon presets list`.")
def demo(folder: Path, preset: str) -> None:
    """Draw a clip, cover its faces and plate, and write both, with a picture of before and after, into FOLDER."""
    from vsanon.job.demo import demo as run_demo

    with Progress("demo") as progress:
        written, ledger = run_demo(folder, preset, say=say, progress=progress)
    say_outcome(ledger)
    for path in written:
        tell(path)


_PARTS = (AUDIT, config.COMMANDS, FARM, MACHINE, REPORTING, EDITS, INTERCHANGE, REVIEW, VALIDATION)
for _command in (command for part in _PARTS for command in part):
    main.add_command(_command)
