"""The command line of the validation harness: plan, run, collect, and what farms call."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vsanon import stops
from vsanon.cli.progress import bar
from vsanon.cli.shared import FILE, OVERWRITE, Group, say, shown, tell


@click.group(cls=Group)
def validate() -> None:
    """Measure how far anonymisation holds: a matrix of sources, encodes, settings and deliveries."""


_workers = click.option(
    "--workers", type=click.IntRange(1), default=None, help="Cells at once [default: by cores and memory]."
)
_source = click.option(
    "--source", "sources", multiple=True, metavar="FILE[=TRUTH]",
    help="A clip, with its truth file or `=reference`, in place of the matrix's own sources; may be repeated.",
)  # fmt: skip


@validate.command("list")
def list_() -> None:
    """List the matrices that come with vsanon."""
    from vsanon.validation.runs import matrix

    for name in matrix.names():
        tell(f"{name:10} {matrix.load(name).title}")


@validate.command()
@click.argument("matrix")
@_source
@click.option("--keep-media", is_flag=True, help="Count what `run --keep-media` keeps.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def plan(matrix: str, sources: tuple[str, ...], keep_media: bool, as_json: bool) -> None:
    """Show the cells of MATRIX (a name or a .yaml file), and what they will need; a few frames are tried."""
    from vsanon.validation.runs.estimate import estimate
    from vsanon.validation.runs.foresight import foresee

    found = _plan(matrix, sources, keep_media=False).matrix()
    needs, shows = estimate(found, keep_media=keep_media), foresee(found)
    ids = [cell.id for cell in found.cells()]
    if as_json:
        facts = {"cells": ids, "seconds": round(needs.seconds), "disk_bytes": needs.disk_bytes}
        facts |= {"frames": needs.frames, "unknown": dict(needs.unknown)}
        facts |= {"criteria": dict(shows.criteria), "warnings": list(shows.warnings), "needs": list(shows.needs)}
        tell(json.dumps(facts, indent=1))
        if needs.unknown:
            raise SystemExit(2)
        return
    for cell_id in ids:
        tell(cell_id)
    for warning in (*shows.warnings, *shows.needs):
        say(warning)
    for criterion, sentence in shows.criteria.items():
        say(f"{criterion}: {sentence}")
    say(
        f"{needs.cells} cell{'' if needs.cells == 1 else 's'} of {needs.frames} source frames; roughly "
        f"{_span(needs.seconds)} with one worker on two cores, and {'all in all' if keep_media else 'at most'} "
        f"about {_size(needs.disk_bytes)} of disk{'' if keep_media else ' at a time'}"
    )
    if needs.unknown:
        raise SystemExit(2)


@validate.command()
@click.argument("matrix")
@click.option("-o", "--output", "out", type=FILE, required=True, help="The folder of the run.")
@_source
@click.option(
    "--executor", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="Who works."
)
@_workers
@click.option("--scheduler", default=None, metavar="ADDRESS", help="A Dask scheduler that runs.")
@click.option(
    "--keep-media",
    is_flag=True,
    help="Keep encodes, tracks and delivered files, so that all can be measured again.",
)
@click.option(
    "--no-pictures", is_flag=True, help="No stills in the evidence, though everybody known is painted over."
)
def run(
    matrix: str,
    out: Path,
    sources: tuple[str, ...],
    executor: str,
    workers: int | None,
    scheduler: str | None,
    keep_media: bool,
    no_pictures: bool,
) -> None:
    """Measure MATRIX (a name or a .yaml file); what was measured before is not measured again.

    Writes OUT/evidence.json. Exit code 1 where a cell failed or a criterion is not passed.
    """
    from vsanon.cli.many import executor_of
    from vsanon.validation.runs import run as running

    chosen = executor_of(executor, scheduler, workers)
    progress = _Progress()
    try:
        planned = replace(_plan(matrix, sources, keep_media=keep_media), pictures=not no_pictures)
        evidence = running.run_matrix(planned, out, chosen, progress)
    except stops.Stopped:
        say(f"what was measured by now stays in {out}: the same command goes on with it")
        raise
    finally:
        progress.close()
    _conclude(evidence, out / running.EVIDENCE)


@validate.command()
@click.argument("matrix")
@click.option("-o", "--output", "out", type=FILE, required=True, help="The folder of the run.")
@_source
@click.option("--preset", required=True, help="The ffmpeg preset that is varied, such as h264_crf or h265_abr.")
@click.option("--crf", metavar="BEST:POOREST", default=None, help="Such as 18:51.")
@click.option("--bit-rate", metavar="BEST:POOREST", default=None, help="Such as 4M:100k.")
@click.option("--class", "class_name", default="face", show_default=True, help="Whose boxes have to be covered.")
@click.option("--at-least", type=click.FloatRange(0, 1), default=0.9, show_default=True, help="Of coverage.")
@click.option("--surely", is_flag=True, help="By the lower bound of the interval, not by the estimate.")
@click.option("--probes", type=click.IntRange(3), default=8, show_default=True, help="Encodes that may be tried.")
@_workers
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def seek(
    matrix: str, out: Path, sources: tuple[str, ...], preset: str, crf: str | None, bit_rate: str | None,
    class_name: str, at_least: float, surely: bool, probes: int, workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """The poorest encode of MATRIX's sources at which coverage holds; every probe is in OUT/evidence.json.

    Exit code 1 where it does not hold at the better end.
    """
    from vsanon.farm import executors
    from vsanon.validation.runs import seek as seeking

    if (crf is None) == (bit_rate is None):
        raise click.UsageError("give one of --crf and --bit-rate")
    axis, ends = ("bit_rate", _ends(bit_rate)) if crf is None else ("crf", _ends(crf))
    target = seeking.Target(preset, axis, *ends, probes, class_name, at_least, surely)
    progress = _Progress()
    try:
        plan = _plan(matrix, sources, keep_media=False)
        found = seeking.seek(plan, target, out, executors.LocalExecutor(workers), progress)
    finally:
        progress.close()
    tell(json.dumps(found, indent=1) if as_json else seeking.in_words(found))
    if found["found"] is None:
        raise SystemExit(1)


def _ends(text: str | None) -> tuple[float, float]:
    from vsanon.encode.variants import bits_per_second

    parts = (text or "").split(":")
    try:
        best, poorest = (float(bits_per_second(part)) if not part.isdigit() else float(part) for part in parts)
    except ValueError as error:
        raise click.UsageError(f"{text}: give two ends, BEST:POOREST, such as 18:51 or 4M:100k") from error
    return best, poorest


@validate.command()
@click.argument("out", type=FILE)
def collect(out: Path) -> None:
    """Write the evidence of the run at OUT from what was measured by now; nothing is computed."""
    from vsanon.validation.runs import run as running

    _conclude(running.collect(out), out / running.EVIDENCE)


@validate.command()
@click.argument("runs", nargs=-1, required=True, type=FILE)
@click.option("-o", "--output", "out", type=FILE, required=True, help="The pooled evidence, a .json file.")
@OVERWRITE
def pool(runs: tuple[Path, ...], out: Path, overwrite: bool) -> None:
    """Write the evidence of several RUNS of one test as one: their folders, or their evidence.json.

    They have to be measured alike, with other footage; what is in several of them counts once. `vsanon report`
    takes it as that of any run.
    """
    from vsanon.errors import InputError
    from vsanon.files import read_plain, write_output
    from vsanon.job.delivery import require_targets
    from vsanon.reporting.document import read_evidence
    from vsanon.validation.runs import pooled_runs as pooling
    from vsanon.validation.runs.evidence import dump
    from vsanon.validation.runs.run import EVIDENCE

    paths = [run / EVIDENCE if run.is_dir() else run for run in runs]
    require_targets(paths, [out], overwrite=overwrite)
    contents = []
    for path in paths:
        try:
            contents.append(read_evidence(read_plain(path)))
        except OSError as error:
            raise InputError(f"{path}: can't be read: {error.strerror}") from error
    pooled = pooling.pool(contents)
    write_output(out, dump(pooled).encode())
    _conclude(pooled, out)


@validate.command()
@click.argument("out", type=FILE)
@click.argument("cell_id", metavar="CELL")
@click.option("--keep-going", is_flag=True, help="Exit with 0 also where the cell failed: its record says so.")
def cell(out: Path, cell_id: str, keep_going: bool) -> None:
    """Work on one CELL of the run at OUT: what executors and farm managers call for each."""
    from vsanon.validation.runs import run as running

    record = running.run_cell(str(out), cell_id)
    tell(f"{record['cell']['outcome']} {cell_id}")
    if record["failed"]:
        why = record["cell"]["failure"]
        say(f"vsanon: {cell_id}: {why['step']}: {why['message']}")
        if not keep_going:
            raise SystemExit(1)


@validate.command("export-openjd")
@click.argument("matrix")
@click.option("-o", "--output", "out", type=FILE, required=True, help="The folder of the run.")
@_source
@click.option("--keep-media", is_flag=True, help="Keep the encodes.")
def export_openjd(matrix: str, out: Path, sources: tuple[str, ...], keep_media: bool) -> None:
    """Write the run as a job template of Open Job Description, whose tasks are the cells: OUT/job.yaml."""
    from vsanon.files import write_output
    from vsanon.validation.runs import openjd

    planned = _plan(matrix, sources, keep_media=keep_media)
    content = openjd.dump(openjd.job_template(planned)).encode()  # before the folder: the matrix may be none
    planned.write(out)
    path = out / "job.yaml"
    write_output(path, content)
    tell(path)


class _Progress:
    """A bar with the time left on a terminal, a JSON line for each event otherwise; both on stderr."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __call__(self, event: dict[str, Any]) -> None:
        if not sys.stderr.isatty():
            say(json.dumps(event, ensure_ascii=False))
            return
        if event["event"] == "start":
            say(f"{event['cells']} cells, {event['reused']} of them measured before")
            self._bar = bar(event["to_do"], "cell") if event["to_do"] else None
        elif event["event"] == "probe":
            say(f"{event['encode']}: {event['estimate']:.4f}, {'holds' if event['holds'] else 'fails'}")
        elif event["event"] == "cell" and self._bar is not None:
            self._bar.update(1)
            if event["failure"] is not None:
                self._bar.write(shown(f"failed: {event['id']}: {event['failure']['message']}"), file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _plan(matrix: str, sources: tuple[str, ...], *, keep_media: bool) -> Any:
    from vsanon.validation.runs.matrix import locate
    from vsanon.validation.runs.named_sources import named_sources
    from vsanon.validation.runs.plan import Plan

    text, where, folder = locate(matrix)
    return Plan(text, where, str(folder), named_sources(sources), keep_media)


def _conclude(evidence: dict[str, Any], path: Path) -> None:
    from vsanon.validation.conclusions.conclude import conclude

    found = conclude(evidence)
    for criterion in found["criteria"]:
        for group in criterion["groups"]:
            value = group["value"]
            figure = (
                value.get("not_measured") or f"{value['estimate']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"
            )
            say(f"{group['outcome']:9} {criterion['id']} {group['name']}: {figure}")
    failed = sum(c["outcome"] == "failed" for c in evidence["cells"])
    waiting = sum(c["outcome"] == "not run" for c in evidence["cells"])
    say(
        f"verdict: {found['verdict']['outcome']}; {failed} of {len(evidence['cells'])} cells failed"
        + (f", {waiting} were not run yet" if waiting else "")
    )
    for reason in found["verdict"]["reasons"]:
        say(f"  {reason}")
    tell(path)
    if found["verdict"]["outcome"] != "pass":
        raise SystemExit(1)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"


COMMANDS = (validate,)
