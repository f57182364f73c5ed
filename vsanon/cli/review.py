"""The command line of looking through tracks: `vsanon review`, in the browser or as one page without a server."""

import contextlib
from pathlib import Path
from typing import Any

import click

from vsanon import stops
from vsanon.cli.options import render_options, settings_of, signer_of
from vsanon.cli.shared import FILE, Command, say, tell, tracks_of


@click.command(cls=Command)
@click.argument("source", metavar="IN", type=FILE)
@click.option("--tracks", type=FILE, default=None, help="The track file [default: IN.vsanon].")
@click.option("--by", default=None, envvar="VSANON_BY", help="Who edits [default: as the system knows you].")
@click.option("--reason", "reasons", multiple=True, metavar="TEXT",
              help="A reason to choose from in the page; may be repeated.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--any-picture", is_flag=True,
              help="Take frames that show another picture than the one analysed, unchecked.")  # fmt: skip
@click.option(
    "--second-opinion",
    type=click.Choice(["thorough", "yunet_n"]),
    default=None,
    help="Search the clip once more in the background; what no region covers becomes a doubt.",
)
@click.option("--static", is_flag=True, help="Write one page to look at, without a server; needs -o.")
@click.option("-o", "--output", type=FILE, default=None, help="The HTML page of --static.")
@click.option("--reveal", is_flag=True, help="Show the faces in its thumbnails. The page is then sensitive.")
@render_options
def review(
    source: Path, tracks: Path | None, by: str | None, reasons: tuple[str, ...], no_browser: bool, static: bool,
    second_opinion: str | None,
    output: Path | None, reveal: bool, overwrite: bool, **options: Any,
) -> None:  # fmt: skip
    """Correct the tracks of IN in the browser: play, step, drag, draw, follow; each change is an edit at once.

    The page is served to this machine only; stop the command to end it. How faces are covered there, and what is
    rendered from there, is as for `render` with the same options.
    """
    path = tracks_of(source, tracks)
    if static != (output is not None):
        raise click.UsageError("--static and -o PAGE.html go together")
    sign = options.pop("sign")
    settings = settings_of(**options)
    if sign is not None and static:
        raise click.UsageError("--sign goes with what is rendered, and --static renders nothing")
    if second_opinion is not None and static:
        raise click.UsageError("--second-opinion goes with the page that is served, not with --static")
    if output is not None:
        _write(source, path, output, reveal=reveal, overwrite=overwrite, same_picture=settings.same_picture)
        return
    if reveal:
        raise click.UsageError("--reveal goes with --static; the page itself has a button for it")
    from vsanon.review.server import author, serve

    signer = signer_of(sign)

    with contextlib.suppress(stops.Stopped):  # which is how a person ends it
        serve(
            source, path, by=by or author(), browser=not no_browser, settings=settings, reasons=reasons,
            overwrite=overwrite, sign=signer, second=second_opinion, say=say, tell=tell,
        )  # fmt: skip
    say(f"stopped; all edits are in {path}")


def _write(source: Path, tracks: Path, output: Path, *, reveal: bool, overwrite: bool, same_picture: bool) -> None:
    from vsanon.job.delivery import require_targets
    from vsanon.review.page import write_page

    require_targets([tracks, source], [output], overwrite=overwrite)
    shown = write_page(output, tracks, source, reveal=reveal, same_picture=same_picture)
    say(f"{shown} moments to look at" + ("; faces are shown: keep the page safe" if reveal else ""))
    tell(output)


COMMANDS: tuple[click.Command, ...] = (review,)
"""What `vsanon` adds to its own commands."""
