"""The report as PDF/A-3 with its JSON attached: the same page, the same bytes for the same input on one machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from vsanon.errors import InputError, MissingError

VARIANT = "pdf/a-3b"

_NO_TIME = datetime(2000, 1, 1)
"""Stands for the dates of attachments, which PDF asks for: a report's bytes know no clock."""

_EPOCH = "SOURCE_DATE_EPOCH"
"""The time that programs are to take for now, https://reproducible-builds.org/specs/source-date-epoch/."""


def to_pdf(page: str, identity: str, attached: dict[str, bytes]) -> bytes:
    """A rendered page as PDF.

    Args:
        page: HTML that stands by itself.
        identity: the report's id; the file's identifier is made of it.
        attached: files by name.

    Returns:
        PDF/A-3b. It depends on the fonts and the version of WeasyPrint on this machine as well.

    Raises:
        InputError: the page asks for something outside itself.
        MissingError: the extra `pdf` is not installed.
    """
    try:
        from weasyprint import HTML, Attachment
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except (ImportError, OSError) as error:
        raise MissingError(
            "a PDF needs WeasyPrint and Pango: install vsanon with its extra `pdf` "
            f"(`pip install 'vsanon[pdf]'`), and Pango from your system ({error})."
        ) from error
    files = [
        Attachment(
            string=content,
            name=name,
            description=f"{name} of report {identity}",
            created=_NO_TIME,
            modified=_NO_TIME,
            relationship="Source",
        )
        for name, content in sorted(attached.items())
    ]
    alone = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    try:
        with _no_clock():
            written: bytes | None = HTML(string=page, url_fetcher=alone).write_pdf(
                pdf_variant=VARIANT, pdf_tags=True, pdf_identifier=identity.encode(), attachments=files
            )
    except FatalURLFetchingError as error:
        raise InputError(
            f"the page asks for something outside itself: {str(error)[:200]}. Put it into the template instead."
        ) from error
    assert written is not None  # no target was given
    return written


@contextmanager
def _no_clock() -> Iterator[None]:
    """Have fontTools, which cuts the fonts where HarfBuzz can't, write `_NO_TIME` into them and not the time."""
    before = os.environ.get(_EPOCH)
    os.environ[_EPOCH] = str(int(_NO_TIME.replace(tzinfo=UTC).timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_EPOCH]
        else:
            os.environ[_EPOCH] = before
