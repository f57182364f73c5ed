"""The command line of reports: render, sign, verify, compare, and the documents around them."""

import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsanon.cli.shared import FILE, OVERWRITE, Command, Group, say, tell, tell_checks
from vsanon.errors import InputError
from vsanon.files import read_plain

if TYPE_CHECKING:
    from vsanon.reporting.facts import ReportFacts

_FACTS = {
    "title": "Of the document [default: the matrix's].",
    "issuer": "Who issues it: the organisation, with its address.",
    "client": "For whom.",
    "authorised_by": "The person who answers for it, with their role.",
    "received": "When the footage was received: a date such as 2026-11-23.",
    "tested": "When it was tested: a date.",
    "issued": "When the document is issued: a date.",
    "place": "Where it was tested.",
    "method": "A note on the method.",
    "sampling_plan": "How the footage was chosen, and by whom.",
    "deviations": "From the procedure.",
    "notes": "Anything else.",
}


class _ReportGroup(Group):
    """`vsanon report EVIDENCE` is short for `vsanon report render EVIDENCE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["render", *args]
        return super().parse_args(ctx, args)


def _facts(*names: str) -> Callable[[Any], Any]:
    """The options that state the facts `names`, and --facts, a YAML file of them."""

    def apply(function: Any) -> Any:
        file = click.option("--facts", type=FILE, help="A YAML file of these facts; options go before it.")
        function = file(function)
        for name in reversed(names):
            function = click.option(f"--{name.replace('_', '-')}", name, help=_FACTS[name])(function)
        return function

    return apply


_template = click.option("--template", type=FILE, help="A folder with a house's own templates.")
_page = click.option("-o", "--output", type=FILE, required=True, help="The HTML page.")
_folder = click.argument("folder", metavar="REPORT_FOLDER", type=FILE)


@click.group(cls=_ReportGroup)
def report() -> None:
    """Reports of test runs: render, sign, verify, compare; procedures and certificates.

    `vsanon report EVIDENCE -o DIR` is short for `vsanon report render EVIDENCE -o DIR`.
    """


@report.command()
@click.argument("evidence", metavar="EVIDENCE", type=FILE)
@click.option("-o", "--output", "folder", type=FILE, required=True, help="The folder of the report.")
@_facts(*_FACTS)
@_template
@click.option("--pdf", is_flag=True, help="Write a PDF too (extra `pdf`).")
@click.option("--no-pictures", is_flag=True, help="Leave out the stills, though everybody known is painted over.")
@click.option("--require-pass", is_flag=True, help="Exit 1 where the verdict is not pass.")
@OVERWRITE
def render(
    evidence: Path, folder: Path, facts: Path | None, template: Path | None, pdf: bool, require_pass: bool,
    no_pictures: bool, overwrite: bool, **stated: str | None,
) -> None:  # fmt: skip
    """Render EVIDENCE, which `vsanon validate run` wrote: JSON, HTML, JUnit and manifest, in a folder."""
    from vsanon.reporting import write_report

    _quieten()
    written = write_report(
        evidence, folder, _stated(facts, stated),
        template=template, pdf=pdf, pictures=not no_pictures, overwrite=overwrite,
    )  # fmt: skip
    for path in written:
        tell(path)
    verdict = json.loads((folder / "report.json").read_bytes())["conclusions"]["verdict"]
    say(f"verdict: {verdict['outcome'].upper()}")
    for reason in verdict["reasons"]:
        say(f"  {reason}")
    if require_pass and verdict["outcome"] != "pass":
        raise SystemExit(1)


@report.command()
@_folder
@click.option("--public-key", type=FILE, help="Who must have signed: their public key, from them.")
@click.option("--template", type=FILE, help="The folder of templates that the page was made with.")
@click.option("--pdf", is_flag=True, help="Make the PDF again too (extra `pdf`, same fonts).")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def verify(folder: Path, public_key: Path | None, template: Path | None, pdf: bool, as_json: bool) -> None:
    """Check a report: hashes, signature, and every figure, recomputed from its evidence."""
    from vsanon.reporting.checking import check_report

    tell_checks(folder, check_report(folder, public_key=public_key, template=template, pdf=pdf), as_json=as_json)


@report.command()
@click.option("-o", "--output", "key", type=FILE, required=True, help="The private key, such as KEY.pem.")
@click.option("--encrypt", is_flag=True, help="Ask for a passphrase that protects it.")
def keygen(key: Path, encrypt: bool) -> None:
    """Make an Ed25519 key to sign reports with, and its public key beside it."""
    from vsanon.signing import fingerprint, generate_key

    phrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True) if encrypt else None
    public = generate_key(key, None if phrase is None else phrase.encode())
    say(f"keep {key} to yourself; hand out {public}, fingerprint {fingerprint(public)}")
    tell(key)
    tell(public)


@report.command()
@_folder
@click.option("--key", type=FILE, required=True, help="The private key; see `keygen`.")
@click.option("--template", type=FILE, help="The folder of templates that the page was made with.")
@OVERWRITE
def sign(folder: Path, key: Path, template: Path | None, overwrite: bool) -> None:
    """Sign a report that verifies: manifest.sig and manifest.pub.pem, which openssl checks too."""
    from vsanon.reporting.checking import require_sound
    from vsanon.reporting.signing import OPENSSL, sign_manifest
    from vsanon.signing import is_encrypted

    require_sound(folder, template)
    phrase = click.prompt("Passphrase", hide_input=True, err=True).encode() if is_encrypted(key) else None
    mark = sign_manifest(folder, key, phrase, overwrite=overwrite)
    say(f"signed by the key {mark}; anyone can check it in the folder with\n  {OPENSSL}")
    tell(folder / "manifest.sig")


@report.command()
@click.argument("old", metavar="OLD", type=FILE)
@click.argument("new", metavar="NEW", type=FILE)
@click.option("-o", "--output", type=FILE, default=None, help="Write an HTML page.")
@_template
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@OVERWRITE
def compare(
    old: Path, new: Path, output: Path | None, template: Path | None, as_json: bool, overwrite: bool
) -> None:
    """What changed from OLD to NEW: evidence files, or folders of reports. Exit 1: what passed no longer does."""
    from vsanon.reporting.comparing import compare as compared
    from vsanon.reporting.comparing import in_words
    from vsanon.reporting.facts import canonical_json

    contents = [_evidence(path) for path in (old, new)]
    found = compared(*contents)
    if output is not None:
        _write(output, found, "comparison.html", template, overwrite, [old, new])
    if as_json:
        tell(canonical_json(found).decode().rstrip("\n"))
    else:
        for line in in_words(found):
            tell(line)
    if found["regressed"]:
        raise SystemExit(1)


@report.command()
@click.argument("runs", metavar="OLDEST... NEWEST", nargs=-1, required=True, type=FILE)
@click.option("-o", "--output", type=FILE, default=None, help="Write an HTML page.")
@_template
@click.option("--json", "as_json", is_flag=True, help="Print the trend as JSON.")
@OVERWRITE
def trend(
    runs: tuple[Path, ...], output: Path | None, template: Path | None, as_json: bool, overwrite: bool
) -> None:
    """How a test went over its runs, the oldest first: evidence files, or folders of reports."""
    from vsanon.reporting.facts import canonical_json
    from vsanon.reporting.trend import in_words
    from vsanon.reporting.trend import trend as over_runs

    if len(runs) < 2:
        raise click.UsageError("a trend takes two runs at least")
    found = over_runs([_evidence(path) for path in runs])
    if output is not None:
        _write(output, found, "trend.html", template, overwrite, list(runs))
    if as_json:
        tell(canonical_json(found).decode().rstrip("\n"))
    else:
        for line in in_words(found):
            tell(line)


@report.command("technical-procedure")
@click.argument("evidence", metavar="EVIDENCE", type=FILE)
@_page
@_facts("title", "issuer", "authorised_by", "issued", "sampling_plan")
@_template
@OVERWRITE
def technical_procedure(
    evidence: Path, output: Path, facts: Path | None, template: Path | None, overwrite: bool, **stated: str | None
) -> None:
    """The document in which an organisation lays down its procedure, with the measured results filled in."""
    from vsanon.reporting.procedure import describe

    document = describe(_evidence(evidence), _stated(facts, stated))
    _write(output, document, "procedure.html", template, overwrite, [evidence])


@report.command()
@click.argument("ledger", metavar="LEDGER", type=FILE)
@_page
@_facts("issuer", "client", "authorised_by", "issued", "place", "notes")
@click.option("--names", is_flag=True, help="Show the names of the files: they may hold personal data.")
@_template
@click.option("--pdf", is_flag=True, help="Write a PDF beside it too (extra `pdf`).")
@OVERWRITE
def certificate(
    ledger: Path, output: Path, facts: Path | None, names: bool, template: Path | None, pdf: bool, overwrite: bool,
    **stated: str | None,
) -> None:  # fmt: skip
    """A one-page certificate of processing for a delivered file, from its ledger. Exit 1: not to be relied upon."""
    from vsanon.reporting.certificate import describe

    content = _read(ledger)
    said = describe(content, _stated(facts, stated), names=names)
    attached = {"ledger.json": content} if names else {}  # a ledger holds the names
    _write(output, said, "certificate.html", template, overwrite, [ledger], attached=attached if pdf else None)
    say(said["state"]["title"])
    for reason in said["state"]["reasons"]:
        say(f"  {reason}")
    if not said["relied_on"]:
        raise SystemExit(1)


def _stated(file: Path | None, options: dict[str, str | None]) -> "ReportFacts":
    """The facts of a file, with those of the command line before them."""
    import yaml

    from vsanon.plain_yaml import load_yaml
    from vsanon.reporting.facts import ReportFacts

    values: Any = {}
    if file is not None:
        try:
            values = load_yaml(_read(file).decode()) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: not YAML: {error}") from error
        if not isinstance(values, dict):
            raise InputError(f"{file}: names and values were expected, such as `issuer: Example Ltd`")
    # YAML reads 2026-11-23 as a date.
    plain = {str(key): value.isoformat() if isinstance(value, date) else value for key, value in values.items()}
    return ReportFacts.from_dict({**plain, **{key: value for key, value in options.items() if value is not None}})


def _evidence(path: Path) -> bytes:
    return _read(path / "evidence.json" if path.is_dir() else path)


def _read(path: Path) -> bytes:
    try:
        return read_plain(path)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


def _quieten() -> None:
    """Keep WeasyPrint from telling of each property that print has no use for."""
    logging.getLogger("weasyprint").setLevel(logging.ERROR)


def _write(
    output: Path, document: dict[str, Any], page: str, template: Path | None, overwrite: bool, inputs: list[Path],
    *, attached: dict[str, bytes] | None = None,
) -> None:  # fmt: skip
    """Write a page; where `attached` is not None, a PDF with that inside too."""
    from vsanon.files import write_output
    from vsanon.job.delivery import require_targets
    from vsanon.reporting.pages import render as rendered

    targets = [output, *([output.with_suffix(".pdf")] if attached is not None else [])]
    require_targets(inputs, targets, overwrite=overwrite)
    html = rendered(document, template, page)
    contents = [html.encode()]
    if attached is not None:
        from vsanon.reporting.pdf import to_pdf

        _quieten()
        contents.append(to_pdf(html, document["id"], attached))
    for path, content in zip(targets, contents, strict=True):
        write_output(path, content)
        tell(path)


COMMANDS: tuple[Command | Group, ...] = (report,)
"""What `vsanon` adds to its own commands."""
