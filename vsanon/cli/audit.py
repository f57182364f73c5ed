"""The command line of the audit: what a redacted file of any tool still shows."""

import json
from pathlib import Path

import click

from vsanon.cli.shared import FILE, OVERWRITE, Command, Group, say, tell
from vsanon.errors import InputError


@click.command(cls=Command)
@click.argument("raw", metavar="RAW", type=FILE)
@click.argument("redacted", metavar="REDACTED", type=FILE)
@click.option(
    "--targets",
    type=FILE,
    default=None,
    help="What must be covered: a truth file, or a CSV with frame,target_id,x1,y1,x2,y2 [default: faces and plates "
    "found in RAW by the setting `thorough`].",
)
@click.option(
    "--first-frame",
    type=click.IntRange(0, 1),
    default=0,
    show_default=True,
    help="The number that --targets gives to the first frame.",
)
@click.option(
    "--offset",
    type=int,
    default=None,
    metavar="FRAMES",
    help="The frame of RAW that the first of REDACTED shows, where the pictures alone can't tell "
    "[default: found by content, or the audit fails].",
)
@click.option("--no-detect", is_flag=True, help="Don't search REDACTED for what still looks like a face or plate.")
@click.option("--json", "json_file", type=FILE, default=None, help="Write the audit as JSON.")
@click.option(
    "--html",
    "html_file",
    type=FILE,
    default=None,
    help="Write it as a page, with a wipe between both clips, those who show filled; no wipe with --no-detect.",
)
@click.option(
    "--sign",
    type=FILE,
    default=None,
    metavar="KEY",
    help="Sign what is written with this private key, in FILE.sig; see `vsanon report keygen`.",
)
@OVERWRITE
def audit(
    raw: Path, redacted: Path, targets: Path | None, first_frame: int, offset: int | None, no_detect: bool,
    json_file: Path | None, html_file: Path | None, sign: Path | None, overwrite: bool,
) -> None:  # fmt: skip
    """Check what any tool made of RAW: what of each target is left in REDACTED, and what else leaves with it.

    The verdict is PASS, exit code 0, or FAIL, exit code 1. What can't be compared is no pass; of how many boxes
    nothing can be told, as they are too small or flat, is said.
    """
    from vsanon.audit import page
    from vsanon.audit.pictures import Pair
    from vsanon.audit.run import Asked
    from vsanon.audit.run import audit as audited
    from vsanon.files import write_atomic
    from vsanon.job.delivery import require_targets
    from vsanon.signing import Signer, is_encrypted

    written = [path for path in (json_file, html_file) if path is not None]
    if sign is not None and not written:
        raise click.UsageError("--sign goes with --json or --html: there is nothing to sign")
    signer = None
    if sign is not None:
        phrase = click.prompt("Passphrase", hide_input=True, err=True).encode() if is_encrypted(sign) else None
        signer = Signer(sign, phrase)
    beside = [_beside(path, end) for path in written if signer for end in (".sig", ".pub.pem")]
    inputs = [path for path in (raw, redacted, targets, sign) if path is not None]
    require_targets(inputs, [*written, *beside], overwrite=overwrite)
    pairs: list[Pair] | None = None if html_file is None else []
    found = audited(Asked(raw, redacted, targets, first_frame, offset, not no_detect), say=say, pairs=pairs)
    contents = {
        json_file: json.dumps(found, indent=2, sort_keys=True, allow_nan=False) + "\n",
        html_file: page.page(found, pairs or ()),
    }
    for path in written:
        content = contents[path].encode()
        try:
            write_atomic(path, content)
            if signer is not None:
                write_atomic(_beside(path, ".pub.pem"), signer.public_pem)
                write_atomic(_beside(path, ".sig"), signer.sign(content))
        except OSError as error:
            raise InputError(f"{path}: can't be written: {error.strerror}") from error
    tell(found["verdict"].upper())
    for reason in found["reasons"]:
        tell(f"  {reason}")
    levels = ", ".join(f"{count} {name}" for name, count in found["targets"]["levels"].items() if count)
    tell(f"targets: {found['targets']['count']} ({found['targets']['from']}); boxes: {levels or 'none judged'}")
    if hidden := page.hidden_in_words(found):
        tell(hidden)
    tell(f"alignment: {page.in_words(found)}")
    tell(page.outside_in_words(found))
    tell(page.residual_in_words(found))
    for leak in found["leaks"]:
        if leak["weight"] == "said":
            tell(f"{leak['what']}: {leak['detail']}")
    if signer is not None:
        say("signed; anyone can check it with\n" + "\n".join(f"  {_openssl(path)}" for path in written))
    if found["verdict"] != "pass":
        raise SystemExit(1)


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _openssl(path: Path) -> str:
    return f"openssl pkeyutl -verify -pubin -inkey {path}.pub.pem -rawin -in {path} -sigfile {path}.sig"


COMMANDS: tuple[Command | Group, ...] = (audit,)
"""What `vsanon` adds to its own commands."""
