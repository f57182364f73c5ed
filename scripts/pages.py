"""Make the parts of docs/ again that follow from the code: commands, rooms, metrics, versions of files.

python scripts/pages.py
"""

import json
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # for the contract of the rooms, which the tests hold

from tests.job.test_faults import FAULTS  # noqa: E402
from tests.test_imports import FLOORS, MODULES, ONLY_IN, docstring_of  # noqa: E402
from vsanon.audit import conclude  # noqa: E402
from vsanon.cli.exit_codes import EXIT_CODES  # noqa: E402
from vsanon.cli.main import main  # noqa: E402
from vsanon.farm import chunk_files, plan_file  # noqa: E402
from vsanon.job import ledger  # noqa: E402
from vsanon.reporting import certificate, comparing, document, manifest, words  # noqa: E402
from vsanon.tracks import lines as track_file  # noqa: E402

DOCS = ROOT / "docs"
WIDTH = 100

HEAD = """\
# The command line

Made by `python scripts/pages.py` from the commands themselves: what stands here is what `--help` says.

`anonymize` analyses, renders, encodes and verifies, and only then moves the file to its path, with a
[ledger](formats.md#the-ledger) beside it. Results go to stdout, all else to stderr. A track file holds boxes of
people's faces: it is personal data, like the source.

## Exit codes

| code | what it stands for |
|---|---|
"""


def pages() -> dict[Path, str]:
    """Every page that this script owns, whole or a part of it, as it should be."""
    names = ("architecture", "formats", "reports", "validation")
    architecture, formats, reports, validation = (DOCS / f"{name}.md" for name in names)
    return {
        DOCS / "command-line.md": command_line(),
        architecture: _within(architecture, "rooms", rooms()),
        formats: _within(formats, "versions", versions()),
        reports: _within(reports, "faults", faults()),
        validation: _within(validation, "metrics", metrics()),
    }


def command_line() -> str:
    """The page of the command line."""
    parts = [HEAD, *(f"| {code} | {said} |\n" for code, said in EXIT_CODES.items())]
    whole = click.Context(main, info_name="vsanon", terminal_width=WIDTH, **main.context_settings)
    for context in _commands(whole):
        parts += ["\n## ", context.command_path, "\n\n```\n", _help(context), "\n```\n"]
    return "".join(parts)


def rooms() -> str:
    """The table of rooms, in the order in which they may import each other."""
    lines = ["| floor | room | what it owns | alone in it |", "|---|---|---|---|"]
    for number, floor in enumerate(FLOORS):
        for room in floor:
            name = "vsanon" if room == "vsanon" else f"vsanon.{room}"
            owns = docstring_of(MODULES[name]).splitlines()[0].replace("|", "\\|")
            alone = sorted(
                library for library, places in ONLY_IN.items() if any(_room(place) == room for place in places)
            )
            lines.append(f"| {number} | `{room}` | {owns} | {', '.join(alone)} |")
    return "\n".join(lines)


def faults() -> str:
    """The table of the faults that the tests plant in a job, and of the check by which each is found."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for fault in FAULTS:
        what = fault.name.rpartition(": ")[2]
        where = fault.profile if fault.preset == "h264_crf" else f"{fault.profile} in {fault.preset}"
        rows.setdefault((what, fault.where, fault.job_says, fault.verify_says), []).append(where)
    lines = ["| fault | of the | profiles (presets) | the job says | `verify` says |", "|---|---|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {what} | {of} | {', '.join(where)} | {job} | {'the same' if job == later else later} |"
                   for (what, of, job, later), where in rows.items())]
    )  # fmt: skip


def metrics() -> str:
    """The table of metrics that a criterion can ask for."""
    lines = ["| metric | in a report | what it is |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| `{name}` | {words.METRICS[name]} | {words.DEFINITIONS[name]} |" for name in words.METRICS)]
    )


def versions() -> str:
    """The table of files that vsanon writes, with their versions."""
    schemas = resources.files("vsanon") / "schema"

    def const(name: str, key: str) -> int:
        schema = json.loads((schemas / name).read_text(encoding="utf-8"))
        found = schema["$defs"]["header"]["properties"] if name.startswith("track") else schema["properties"]
        return int(found[key]["const"])

    rows = [
        ("track file, `IN.vsanon`", "`vsanon_tracks`", track_file.VERSION,
         "`vsanon/schema/track_file.schema.json`"),
        ("ledger, `OUT.ledger.json`", "`vsanon_ledger`", ledger.VERSION, "`vsanon/schema/ledger.schema.json`"),
        ("matrix", "`vsanon_matrix`", const("matrix.schema.json", "vsanon_matrix"),
         "`vsanon/schema/matrix.schema.json`"),
        ("evidence, `evidence.json`", "`vsanon_evidence`", const("evidence.schema.json", "vsanon_evidence"),
         "`vsanon/schema/evidence.schema.json`"),
        ("report, `report.json`", "`vsanon_report`", document.VERSION, "`reports/report.schema.json`"),
        ("manifest of a report, `manifest.json`", "`vsanon_manifest`", manifest.VERSION,
         "`vsanon/reporting/manifest.py`"),
        ("comparison, `report compare --json`", "`vsanon_comparison`", comparing.VERSION,
         "`vsanon/reporting/comparing.py`"),
        ("audit, `audit --json`", "`vsanon_audit`", conclude.VERSION, "`vsanon/audit/conclude.py`"),
        ("plan of a farm", "`vsanon_plan`", plan_file.VERSION, "`vsanon/schema/plan.schema.json`"),
        ("ledger of a chunk of it", "`vsanon_chunk`", chunk_files.VERSION, "`vsanon/schema/chunk.schema.json`"),
        ("certificate", "`vsanon_certificate`", certificate.VERSION, "`vsanon/reporting/certificate.py`"),
    ]  # fmt: skip
    lines = ["| file | says its version in | version | described in |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {a} | {b} | {c} | {d} |" for a, b, c, d in rows)])


def _within(path: Path, part: str, text: str) -> str:
    """A page with the part between its marks replaced."""
    start, stop = f"<!-- {part}: start -->", f"<!-- {part}: stop -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    _, found, after = rest.partition(stop)
    if not found:
        raise SystemExit(f"{path}: there is no {start} … {stop}")
    return f"{before}{start}\n{text}\n{stop}{after}"


def _room(place: str) -> str:
    parts = place.split(".")
    return ".".join(parts[: 2 if parts[0] == "validation" else 1])


def _commands(context: click.Context) -> Iterator[click.Context]:
    """The context of a command, and of all below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name, command in context.command.commands.items():
            yield from _commands(click.Context(command, context, info_name=name, terminal_width=WIDTH))


def _help(context: click.Context) -> str:
    return "\n".join(line.rstrip() for line in context.get_help().splitlines())


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
