"""A report's folder, whole or not at all."""

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import read_plain
from vsanon.reporting.crate import CRATE, to_crate
from vsanon.reporting.document import Json, build, read_evidence, without_pictures
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.junit import to_junit
from vsanon.reporting.manifest import MANIFEST, OWN, entries, read_manifest, write_manifest
from vsanon.reporting.pages import render
from vsanon.reporting.pdf import to_pdf
from vsanon.validation.conclusions.conclude import conclude

EVIDENCE, REPORT, PAGE, PDF, JUNIT = (
    "evidence.json",
    "report.json",
    "report.html",
    "report.pdf",
    "report.junit.xml",
)


def write_report(
    evidence: Path,
    folder: Path,
    facts: ReportFacts,
    *,
    template: Path | None = None,
    pdf: bool = False,
    pictures: bool = True,
    overwrite: bool = False,
) -> list[Path]:
    """Write the report of `evidence`, with its manifest, into `folder`; the same input gives the same bytes.

    Args:
        evidence: evidence.json of `vsanon validate run`; its bytes are copied.
        folder: appears whole, or not at all.
        facts: what people state.
        template: a folder of a house's own templates.
        pdf: the page as PDF as well.
        pictures: with the stills of the evidence; without, they are taken out of its copy too.
        overwrite: replace a report that is there. Nothing else is ever replaced.

    Returns:
        The files, by name.

    Raises:
        InputError: the evidence, the template or the folder can't be used.
        MissingError: `pdf` needs an extra that is not installed.
    """
    try:
        content = read_plain(evidence)
    except OSError as error:
        raise InputError(f"{evidence}: can't be read: {error.strerror}") from error
    if not pictures:
        content = without_pictures(content)
    _check_target(folder, evidence, overwrite)
    files = contents(content, facts, template=template, pdf=pdf)
    staged = folder.absolute().parent / f".{folder.absolute().name}.{secrets.token_hex(8)}.partial"
    try:
        staged.mkdir(parents=True)
        for name, data in files.items():
            with (staged / name).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        write_manifest(staged)
        _put(staged, folder.absolute())
    except OSError as error:
        raise InputError(f"{folder}: the report can't be written: {error.strerror}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return sorted(folder.iterdir())


def contents(
    evidence: bytes,
    facts: ReportFacts,
    *,
    conclusions: Json | None = None,
    template: Path | None = None,
    pdf: bool = False,
) -> dict[str, bytes]:
    """The files of a report by name, without its manifest.

    Args:
        evidence: the bytes of evidence.json.
        facts: what people state.
        conclusions: of that evidence, where they are known; None: drawn from it.
        template, pdf: as in `write_report`.

    Raises:
        InputError: the evidence or the template can't be used.
        MissingError: `pdf` needs an extra that is not installed.
    """
    report = build(evidence, conclude(read_evidence(evidence)) if conclusions is None else conclusions, facts)
    canonical = canonical_json(report)
    page = render(report, template)
    files = {EVIDENCE: evidence, REPORT: canonical, PAGE: page.encode(), JUNIT: to_junit(report)}
    if pdf:
        files[PDF] = to_pdf(page, report["id"], {REPORT: canonical})
    return {**files, CRATE: to_crate(report, files)}


def _check_target(folder: Path, evidence: Path, overwrite: bool) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} is no folder; give another name for the report's.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise InputError(f"{folder} is not empty. Give another folder, or --overwrite to replace a report there.")
    if not (folder / REPORT).is_file():
        raise InputError(f"{folder} holds something other than a report, which is never overwritten. Give another.")
    known = {EVIDENCE, REPORT, PAGE, PDF, JUNIT, CRATE, *OWN}
    with contextlib.suppress(OSError, InputError):  # a damaged list names nothing that may go
        known.update(read_manifest(read_plain(folder / MANIFEST)))
    if foreign := sorted(name for name, _ in entries(folder) if name not in known):
        raise InputError(
            f"{folder} holds {foreign[0]}, which is no report's, and would go with the old one: move it, or give "
            "another folder."
        )
    if evidence.absolute().resolve().is_relative_to(folder.resolve()) and evidence.name != EVIDENCE:
        raise InputError(f"{evidence} lies in {folder}, which would be replaced. Move it, or give another folder.")


def _put(staged: Path, folder: Path) -> None:
    """Move the new folder into place; an old one is moved aside first, and comes back if that fails."""
    if not folder.exists():
        staged.rename(folder)
        return
    aside = staged.with_name(f"{staged.name}.old")
    folder.rename(aside)
    try:
        staged.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside)
