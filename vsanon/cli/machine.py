"""The commands about this machine: what is installed, the ffmpeg presets, the models."""

from collections.abc import Callable
from pathlib import Path

import click

from vsanon.cli.shared import FILE, Command, Group, say, tell


def _for_plan(words: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option("--for", "plan", type=FILE, default=None, metavar="PLAN", help=words)


@click.command(cls=Command)
@click.option("--fix", is_flag=True, help="Set up what can be set up here.")
@_for_plan("What this machine lacks to work on a plan of `vsanon farm`.")
def doctor(fix: bool, plan: Path | None) -> None:
    """Say what is installed, what is missing, and how to get it."""
    if plan is None:
        from vsanon.job.doctor import examine

        findings = examine(fix=fix)
    else:
        from vsanon.farm import readiness
        from vsanon.farm.plan_file import read

        findings = readiness.examine(read(plan))
    for finding in findings:
        tell(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.name}: {finding.text}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(3)


@click.group(cls=Group)
def presets() -> None:
    """The ffmpeg presets: list them, or print one as a command line."""


@presets.command("list")
def presets_list() -> None:
    """List the presets and what they are for."""
    from vsanon.encode import presets as library

    for name in library.names():
        tell(f"{name:16} {library.load(name).purpose}")


@presets.command("show")
@click.argument("name", metavar="NAME|FILE.yaml|source")
@click.option(
    "--source", type=FILE, default=None, help="The file that it is to encode; without one, 1080p25 in BT.709."
)
@click.option("--y4m", is_flag=True, help="The command for `vspipe -c y4m`, in place of what `anonymize` runs.")
def presets_show(name: str, source: Path | None, y4m: bool) -> None:
    """Print what a preset runs, to the word; frames come through ffmpeg's standard input, as NUT."""
    import shlex

    from vsanon.job.presets import command_of

    words, notes = command_of(name, source, y4m=y4m)
    if notes:
        say(notes)
    tell(shlex.join(words))


@click.group(cls=Group)
def models() -> None:
    """The detection models: list, pull, import, check."""


@models.command("list")
def models_list() -> None:
    """List the models, their licence, and whether they are here."""
    from vsanon.models import store

    for card in store.cards().values():
        here = "here" if store.locate(card) else "not here"
        tell(f"{card.name:20} {','.join(card.classes):12} {card.licence:24} {here}")


@models.command("pull")
@click.argument("names", nargs=-1)
def models_pull(names: tuple[str, ...]) -> None:
    """Pull models, by default those of every setting: from then on none needs a network."""
    from vsanon.detectors import resolve
    from vsanon.detectors.recipes import models_of
    from vsanon.errors import MissingError
    from vsanon.models import store

    failed = []
    for card in [resolve(name) for name in names or models_of()]:
        try:
            tell(store.fetch(card, say))
        except MissingError as error:
            failed.append(str(error))
    if failed:
        raise MissingError("\n".join(failed))


@models.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
def models_import(files: tuple[Path, ...]) -> None:
    """Take model files, and bundles of them, that were brought here by hand; each is known by its SHA-256."""
    import tempfile

    from vsanon.models import bundle, store

    for path in files:
        if bundle.is_bundle(path):
            with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
                for card in bundle.unpack(path, Path(folder), say):
                    tell(f"{path}: {card.name}")
            continue
        tell(f"{path}: {store.import_file(path, say).name}")


@models.command("bundle")
@click.argument("output", metavar="FILE", type=FILE)
@_for_plan("Those of a plan of `vsanon farm` [default: those of every setting].")
def models_bundle(output: Path, plan: Path | None) -> None:
    """Pack models into FILE, for machines without a network: `vsanon models import FILE` takes them there."""
    from vsanon.detectors import resolve
    from vsanon.detectors.recipes import models_of
    from vsanon.errors import InputError
    from vsanon.models import bundle

    if output.exists():
        raise InputError(f"{output} is already there: give another name")
    if plan is None:
        cards = [resolve(name) for name in models_of()]
    else:
        from vsanon.farm.plan_file import read

        used = read(plan).settings.search.cards().values()
        cards = list({card.name: card for each in used for card in each}.values())
    bundle.pack(cards, output, say)
    tell(output)


@models.command("check")
def models_check() -> None:
    """Verify the SHA-256 of every model that is here."""
    from vsanon.models import store

    results = store.check(say)
    for card, status in results:
        tell(f"{card.name:20} {status}")
    if any(status.startswith("damaged") for _, status in results):
        raise SystemExit(1)


COMMANDS = (doctor, presets, models)
