"""The commands for render farms: a plan, its chunks, and what joins them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vsanon.cli.options import detect_options, render_options, settings_of, signer_of
from vsanon.cli.outcome import say_outcome
from vsanon.cli.progress import Progress
from vsanon.cli.shared import FILE, Command, Group, say, tell
from vsanon.errors import InputError, VsanonError

TRACK_SUFFIX = ".vsanon"

_SHOWN = 18
"""Files that fit on one screen."""

_overwrite = click.option(
    "--overwrite", is_flag=True, help="Replace what lies at an output and was not delivered by this plan."
)
_plan = click.argument("plan", metavar="PLAN", type=FILE)


@click.group(cls=Group)
def farm() -> None:
    """Long films in chunks, over many machines: plan, do each chunk anywhere, join.

    The result is that of one run: a chunk's frames depend on source and settings alone.
    """


@farm.command(cls=Command)
@click.argument("inputs", metavar="IN...", nargs=-1, type=FILE)
@click.option(
    "--out", type=FILE, required=True, metavar="DIR", help="Where results go, below it as INs lie below theirs."
)
@click.option("--plan", "path", type=FILE, default=None, metavar="FILE", help="The plan [default: DIR/farm.json].")
@click.option(
    "--list",
    "lists",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="Also the files that are named in FILE, one a line.",
)
@click.option(
    "--name",
    "pattern",
    default="{stem}",
    show_default=True,
    help="Names of results without suffix, of {stem}, {name} and {parent}.",
)
@click.option(
    "--chunk-seconds",
    type=float,
    default=60.0,
    show_default=True,
    metavar="S",
    help="How long a chunk is, seconds of film.",
)
@click.option(
    "--work",
    type=click.Choice(["anonymize", "analyze", "render"]),
    default="anonymize",
    show_default=True,
    help="All of it; only finding, which gives track files; or only covering what track files say.",
)
@click.option(
    "--tracks",
    type=FILE,
    default=None,
    metavar="DIR",
    help="With --work render: where the track files NAME.vsanon lie [default: beside each IN].",
)
@detect_options
@render_options
def plan(
    inputs: tuple[Path, ...],
    out: Path,
    path: Path | None,
    lists: tuple[Path, ...],
    pattern: str,
    chunk_seconds: float,
    work: Any,
    tracks: Path | None,
    overwrite: bool,
    sign: Path | None,
    **options: Any,
) -> None:  # fmt: skip
    """Look at every IN and write the plan: which frames make a chunk, and what all workers must agree on."""
    from vsanon.encode import presets
    from vsanon.farm import make_plan
    from vsanon.farm.listing import listed, told_of

    if sign is not None:
        raise click.UsageError("--sign goes with `vsanon farm join`")
    if tracks is not None and work != "render":
        raise click.UsageError("--tracks goes with --work render")
    settings = settings_of(**options)
    if work == "analyze":
        suffix, pattern = TRACK_SUFFIX, "{name}" if pattern == "{stem}" else pattern
    else:
        preset = presets.load(settings.preset)
        suffix = f".%06d{preset.suffix}" if preset.muxer == "image2" else preset.suffix
    found = listed(inputs, out, suffix, lists=lists, pattern=pattern)
    if found.left_alone:
        say(told_of(found.left_alone))
    made = make_plan.make(
        found.jobs,
        path or out / "farm.json",
        settings,
        work=work,
        chunk_seconds=chunk_seconds,
        tracks=(lambda source: (tracks or source.parent) / f"{source.name}{TRACK_SUFFIX}")
        if work == "render"
        else None,
        overwrite=overwrite,
        say=say,
    )
    say(f"{len(made.files)} files in {len(made.units)} chunks, numbers 0 to {len(made.units) - 1}")
    tell(made.path)


@farm.command(cls=Command)
@_plan
@click.argument("names", metavar="[ID...]", nargs=-1)
@click.option(
    "--free", "free_ones", is_flag=True, help="Those that are not done and that nobody does, until all are done."
)
def chunk(plan: Path, names: tuple[str, ...], free_ones: bool) -> None:  # fmt: skip
    """Do chunks: one by its id (0000-00012), or some by their numbers (12, 0-9, 3,5,8).

    What is done is kept, what another process does is waited for. A worker with other versions, models or another
    source than the plan's is refused.
    """
    from vsanon.farm import chunks
    from vsanon.farm.plan_file import read

    if free_ones == bool(names):
        raise click.UsageError("name chunks, or give --free")
    found = read(plan)
    if free_ones:
        for unit, state in chunks.free(found, progress=Progress):
            tell(f"{unit} {state}")
        return
    for unit in dict.fromkeys(unit for name in names for unit in found.named(name)):
        with Progress(unit) as progress:
            state = chunks.do(found, unit, progress=progress)
        tell(f"{unit} {state}")


@farm.command(cls=Command)
@_plan
@click.argument("names", metavar="[FILE...]", nargs=-1)
@click.option("--keep-chunks", is_flag=True, help="Leave the chunks where they are.")
@click.option(
    "--sign",
    type=FILE,
    default=None,
    metavar="KEY",
    help="Sign the ledgers with this private key; see `vsanon report keygen`.",
)
@_overwrite
def join(
    plan: Path, names: tuple[str, ...], keep_chunks: bool, sign: Path | None, overwrite: bool
) -> None:  # fmt: skip
    """Join the chunks of files (by id or path; all by default), check each as a whole, and deliver it."""
    from vsanon.farm.join import join_file
    from vsanon.farm.plan_file import read

    found, key = read(plan), signer_of(sign)
    files = _chosen(found, names)
    failed: list[VsanonError] = []
    for file in files:
        try:
            book = join_file(found, file, sign=key, keep_chunks=keep_chunks, overwrite=overwrite, say=say)
        except VsanonError as error:
            if len(files) == 1:
                raise
            say(f"vsanon: {error}")
            failed.append(error)
            continue
        if book is not None:
            say_outcome(book)
            say(f"against a single encode: {book['chunks']['encode']}")
        tell(file.output)
    if failed:
        raise SystemExit(max(error.exit_code for error in failed))


@farm.command(cls=Command)
@_plan
@click.option(
    "--executor", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Who works."
)
@click.option(
    "--workers", type=click.IntRange(1), default=None, help="Chunks at once [default: by cores and memory]."
)
@click.option("--scheduler", default=None, metavar="ADDRESS", help="A Dask scheduler that runs.")
@click.option(
    "--retries",
    type=click.IntRange(0, 20),
    default=2,
    show_default=True,
    help="How often to try again where a disk, a share or a worker failed.",
)
@click.option("--keep-going/--fail-fast", default=True, show_default=True, help="Go on after a chunk that failed.")
@click.option("--keep-chunks", is_flag=True, help="Leave the chunks where they are.")
@_overwrite
@click.option(
    "--log-json", type=FILE, default=None, metavar="FILE", help="Append a line of JSON for each chunk and file."
)
def run(
    plan: Path,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    retries: int,
    keep_going: bool,
    keep_chunks: bool,
    overwrite: bool,
    log_json: Path | None,
) -> None:  # fmt: skip
    """Run a plan to its end on this machine or a Dask cluster: what is left of its chunks, then what joins them."""
    from vsanon.cli.many import executor_of, log_to, reported
    from vsanon.farm.plan_file import read
    from vsanon.farm.run import run_plan
    from vsanon.farm.work import Piece

    found = read(plan)
    piece = Piece(plan.absolute(), retries, keep_chunks, overwrite)
    with log_to(log_json) as log, reported(log) as event:
        results = run_plan(found, piece, executor_of(executor, scheduler, workers), event, keep_going=keep_going)
    for file in found.files:
        if any(result.unit == file.id and result.state != "failed" for result in results):
            tell(file.output)
    if any(result.state == "failed" for result in results):
        raise SystemExit(1)


@farm.command(cls=Command)
@click.argument("kind", metavar="openjd|slurm|shell", type=click.Choice(["openjd", "slurm", "shell"]))
@_plan
def export(kind: str, plan: Path) -> None:
    """Print a plan as a job: a template of Open Job Description, a script for sbatch, or one for the shell."""
    from vsanon.farm.export import FORMATS
    from vsanon.farm.plan_file import read

    click.echo(FORMATS[kind](read(plan)), nl=False)


@farm.command(cls=Command)
@_plan
@click.option("--log", type=FILE, default=None, metavar="FILE", help="What --log-json wrote: retries and failures.")
@click.option("--prometheus", "as_metrics", is_flag=True, help="In the text format of Prometheus.")
def status(plan: Path, log: Path | None, as_metrics: bool) -> None:
    """Show how far a plan is, on one screen."""
    from vsanon.farm import status as looking
    from vsanon.farm.plan_file import read

    found = looking.look(read(plan), log)
    if as_metrics:
        click.echo(looking.prometheus(found), nl=False)
        return
    counts = [sum(f.delivered for f in found.files), len(found.files)]
    chunks = [sum(f.chunks for f in found.files), sum(len(f.file.chunks) for f in found.files)]
    frames = [sum(f.frames for f in found.files), sum(f.file.frames for f in found.files)]
    tell("{} of {} files delivered, {} of {} chunks done, {} of {} frames".format(*counts, *chunks, *frames))
    tell(f"{sum(f.busy for f in found.files)} chunks in work, {found.retries} retries, {found.failures} failures")
    open_ones = [f for f in found.files if not f.delivered]
    for entry in open_ones[:_SHOWN]:
        share = entry.frames / entry.file.frames
        tell(f"{entry.file.id} {'#' * int(share * 20):20} {share:4.0%} {entry.busy:4} busy  "
             f"{looking.rate(entry):6.1f} frames/s of a worker  {entry.file.source.name}")  # fmt: skip
    if len(open_ones) > _SHOWN:
        tell(f"and {len(open_ones) - _SHOWN} more")


def _chosen(plan: Any, names: Sequence[str]) -> list[Any]:
    """The files of a plan that are named, by id, source or output."""
    chosen = []
    for name in names:
        path = Path(name).absolute()
        found = [f for f in plan.files if name == f.id or path in (f.source.absolute(), f.output.absolute())]
        if not found:
            raise InputError(f"{plan.path}: the plan has no file {name!r}")
        chosen += found
    return chosen or list(plan.files)


COMMANDS = (farm,)
