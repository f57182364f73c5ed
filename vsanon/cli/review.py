"""The command line of looking through tracks: `vsanon review`."""

from pathlib import Path

import click

from vsanon.cli.shared import FILE, Command, say, tell
from vsanon.cli.tracks import ANY_PICTURE, OVERWRITE, SOURCE, TRACKS, require_target


@click.command(cls=Command)
@TRACKS
@SOURCE
@click.option("-o", "--output", type=FILE, required=True, help="The HTML page.")
@click.option("--reveal", is_flag=True, help="Show the faces in the thumbnails. The page is then sensitive.")
@ANY_PICTURE
@OVERWRITE
def review(
    tracks: Path, source: Path, output: Path, reveal: bool, overwrite: bool, any_picture: bool
) -> None:  # fmt: skip
    """Write one HTML page to look through the tracks: where misses hide comes first."""
    from vsanon.job.review import write_page

    require_target([tracks, source], output, overwrite)
    shown = write_page(output, tracks, source, reveal=reveal, same_picture=not any_picture)
    say(f"{shown} moments to look at" + ("; faces are shown: keep the page safe" if reveal else ""))
    tell(output)


COMMANDS: tuple[click.Command, ...] = (review,)
"""What `vsanon` adds to its own commands."""
