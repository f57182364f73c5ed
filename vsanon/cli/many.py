"""`vsanon anonymize` of many files: its options, its progress, its log and its summary."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from vsanon.cli.progress import bar as progress_bar
from vsanon.cli.shared import FILE, say, shown, tell
from vsanon.errors import InputError

_OPTIONS = (
    click.option("--out", type=FILE, default=None, metavar="DIR",
                 help="Cover all files and folders named, each to its place below DIR."),
    click.option("--list", "lists", multiple=True, type=FILE, metavar="FILE",
                 help="With --out: also the files that are named in FILE, one a line."),
    click.option("--name", "pattern", default="{stem}", show_default=True,
                 help="With --out: names of results without suffix, of {stem}, {name} and {parent}."),
    click.option("--executor", type=click.Choice(["local", "dask"]), default="local", show_default=True,
                 help="With --out: who works."),
    click.option("--workers", type=click.IntRange(1), default=None,
                 help="With --out: files at once [default: by cores and memory]."),
    click.option("--scheduler", default=None, metavar="ADDRESS", help="With --out: a Dask scheduler that runs."),
    click.option("--retries", type=click.IntRange(0, 20), default=2, show_default=True,
                 help="With --out: how often to try again where a disk, a share or a worker failed."),
    click.option("--keep-going/--fail-fast", default=True, show_default=True,
                 help="With --out: go on after a file that failed."),
    click.option("--chunk-seconds", type=click.FloatRange(0, min_open=True), default=None, metavar="S",
                 help="With --out: do films of more than twice as long in chunks of S seconds, side by side; see "
                 "`vsanon farm`."),
    click.option("--log-json", type=FILE, default=None, metavar="FILE",
                 help="With --out: append a line of JSON for each file."),
    click.option("--watch", is_flag=True,
                 help="With --out: go on, and take files that come, once they stop growing; end it with Ctrl-C."),
    click.option("--settle", "settle_s", type=click.FloatRange(0), default=5.0, show_default=True,
                 help="With --watch: how long a file must stay as it is, seconds."),
)  # fmt: skip

_LONGEST_LINE = 1 << 16


def options(function: Any) -> Any:
    """The options of `anonymize` that are for many files."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Many:
    """What these options ask for."""

    out: Path
    lists: tuple[Path, ...]
    pattern: str
    executor: str
    workers: int | None
    scheduler: str | None
    retries: int
    keep_going: bool
    chunk_seconds: float | None
    log_json: Path | None
    watch: bool
    settle_s: float

    @classmethod
    def taken(cls, options: dict[str, Any]) -> "Many | None":
        """Take these options out of all; None where one file is meant.

        Raises:
            click.UsageError: one of them without --out.
        """
        own = {name: options.pop(name) for name in cls.__slots__}
        if own["out"] is not None:
            return cls(**own)
        context = click.get_current_context()
        typed = click.core.ParameterSource.COMMANDLINE
        given = [
            p.opts[0]
            for p in context.command.params
            if p.name in own and context.get_parameter_source(p.name) is typed
        ]
        if given:
            raise click.UsageError(f"{', '.join(given)}: goes with --out DIR, for many files")
        return None

    def cover(self, inputs: Sequence[Path], settings: Any, *, overwrite: bool) -> None:
        """Cover all, and leave with 1 where one failed."""
        from vsanon.encode import presets
        from vsanon.encode.source_preset import NAME as NATURAL
        from vsanon.farm import listing, run
        from vsanon.farm.work import Cover
        from vsanon.job.anonymised import of_settings

        if not settings.span.is_whole:
            raise click.UsageError(
                "--from, --to and --trim go with one IN and OUT, as films differ in their frames: run `vsanon "
                "anonymize IN OUT --from ... --to ...` for each film"
            )
        if settings.preset == NATURAL:
            raise click.UsageError("--preset source goes with one IN and OUT, whose suffix names the container")
        preset = presets.load(settings.preset)
        if preset.muxer == "image2":
            raise click.UsageError(
                f"--preset {preset.name} writes images, and goes with one IN and OUT, such as OUT/shot.%06d"
                f"{preset.suffix}: for many files choose a preset of films, such as prores_4444 or ffv1"
            )
        suffix = preset.suffix

        def look() -> Any:
            return listing.listed(inputs, self.out, suffix, lists=self.lists, pattern=self.pattern,
                                  may_be_empty=self.watch)  # fmt: skip

        chosen = executor_of(self.executor, self.scheduler, self.workers)
        analysis = settings.analysis(settings.search)  # a model that is missing is said before any file is read
        models = [card.facts for used in settings.search.cards().values() for card in used]
        for why in of_settings(settings.painting(1).facts, analysis, models):
            say(f"not anonymised: {why}")
        cover = Cover(settings, overwrite=overwrite, retries=self.retries)
        found = run.settled(look, self.settle_s) if self.watch else [look()]
        failed = 0
        with log_to(self.log_json) as log:
            for files in found:
                short, long = listing.by_length(files, self.chunk_seconds)
                results = []
                if short.jobs or short.left_alone or not long:
                    with reported(log) as event:
                        results = run.run_files(short, cover, chosen, event, keep_going=self.keep_going)
                for job in long if self.keep_going or all(r.state != "failed" for r in results) else ():
                    with reported(log) as event:
                        results.append(run.run_long(job, cover, chosen, event, self.chunk_seconds or 0.0))
                failed += sum(result.state == "failed" for result in results)
                for result in results:
                    if result.state != "failed":
                        tell(result.output)
                if failed and not self.keep_going:
                    break
        if failed:
            raise SystemExit(1)


def executor_of(name: str, scheduler: str | None, workers: int | None) -> Any:
    """Who works, by the options that say it."""
    from vsanon.farm import executors

    if name == "dask":
        return executors.DaskExecutor(scheduler, workers)
    if scheduler is not None:
        raise click.UsageError("--scheduler goes with --executor dask")
    return executors.LocalExecutor(workers)


@contextlib.contextmanager
def log_to(path: Path | None) -> Iterator[TextIO | None]:
    """The file that a log is appended to, if one is; a last line that a killed run did not end is taken off."""
    if path is None:
        yield None
        return
    try:
        if path.is_file():
            _end_line(path)
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}") from error
    with file:
        yield file


def _end_line(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        before = file.seek(max(size - _LONGEST_LINE, 0))
        if not (end := file.read()).endswith(b"\n"):
            file.truncate(before + end.rfind(b"\n") + 1)


@contextlib.contextmanager
def reported(log: TextIO | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Takes events: to a bar with the time left on a terminal, else to lines on stderr, and to the log."""
    from vsanon.farm.listing import told_of

    bar: Any = None

    def event(found: dict[str, Any]) -> None:
        nonlocal bar
        if log is not None:
            log.write(json.dumps(found, ensure_ascii=False) + "\n")
            log.flush()
        if found["event"] == "start":
            if found["left_alone"]:
                say(told_of(found["left_alone"]))
            if sys.stderr.isatty():
                bar = progress_bar(found.get("of", found["files"]), "")
        elif found["event"] in ("file", "chunk"):
            name = found["source"] if found["event"] == "file" else found["unit"]
            line = f"{found['done']} of {found.get('of') or found['files']}: {found['state']}: {name}"
            why = found["message"].removeprefix(f"{found['source']}: ")
            line += f": {why}" if why else ""
            if bar is None:
                say(line)
            else:
                bar.update(1)
                if why:
                    bar.write(shown(line), file=sys.stderr)
        else:
            counts = [
                f"{found[name]} {name.replace('_', ' ')}" for name in ("delivered", "kept", "failed", "given_up")
            ]
            say(", ".join(counts))

    try:
        yield event
    finally:
        if bar is not None:
            bar.close()
