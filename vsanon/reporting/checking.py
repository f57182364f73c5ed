"""Is a report what its evidence says? Hashes, signature, and everything recomputed that can be."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import vsanon
from vsanon.errors import CheckError, InputError
from vsanon.files import read_plain
from vsanon.job.checks import Check
from vsanon.plain_json import load_json
from vsanon.reporting.crate import CRATE, to_crate
from vsanon.reporting.document import Json, read_evidence
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.manifest import MANIFEST, OWN, PUBLIC_KEY, Finding, check_manifest, read_manifest
from vsanon.reporting.pointers import resolve
from vsanon.reporting.signing import check_signature, is_signed
from vsanon.reporting.words import exact, shown
from vsanon.reporting.writing import EVIDENCE, PAGE, PDF, REPORT, contents
from vsanon.signing import fingerprint
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.rounding import DIGITS, same_but_rounding

MOST_NAMED = 20
"""How many differing figures are named one by one; the rest is counted."""

_MALFORMED = (InputError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What a damaged document may raise where it is read."""


@dataclass(slots=True)
class Printed:
    """A figure as a page prints it.

    Args:
        path: JSON pointer into the report.
        kind: how it is written; see `words.shown`.
        value: in full, as JSON writes it.
        line: of the page, 1-based.
        text: what people read.
    """

    path: str
    kind: str
    value: str
    line: int
    text: str = ""


class _Pages(HTMLParser):
    """Collects the elements that have a `data-path`, in SVG too."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Printed] = []
        self._open: list[tuple[str, Printed | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        printed = None
        if "data-path" in given:
            printed = Printed(
                given["data-path"] or "",
                given.get("data-as") or "number",
                given.get("value") or given.get("data-value") or "",  # SVG has no `data`
                self.getpos()[0],
            )
            self.found.append(printed)
        self._open.append((tag, printed))

    def handle_endtag(self, tag: str) -> None:
        # Elements that are never closed (meta, br) lie above the one that this tag closes.
        for k in range(len(self._open) - 1, -1, -1):
            if self._open[k][0] == tag:
                del self._open[k:]
                return

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, printed in self._open:
            if printed is not None:
                printed.text += data


def printed_figures(page: str) -> list[Printed]:
    """Every figure that a page marks as one, in its order."""
    parser = _Pages()
    parser.feed(page)
    parser.close()
    return parser.found


def check_figures(page: str, document: Json) -> Iterator[Finding]:
    """The printed figures of a page that are not those of a document, by line."""
    for printed in printed_figures(page):
        at = f"line {printed.line}: {printed.path} is printed as {printed.text!r} (value {printed.value!r})"
        try:
            value = resolve(document, printed.path)
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield Finding(PAGE, f"{at}; the recomputed report has no number there")
            elif exact(value) != printed.value or shown(value, printed.kind) != printed.text:
                yield Finding(PAGE, f"{at}; recomputed it is {shown(value, printed.kind)!r} ({exact(value)})")
        except InputError as error:
            yield Finding(PAGE, f"{at}; {error}")


def differences(found: Any, expected: Any, path: str = "", *, rounding: list[str] | None = None) -> Iterator[str]:
    """Where two JSON values differ: pointer, what is there, what was expected.

    Args:
        found: what is there.
        expected: what was expected.
        path: where both stand.
        rounding: takes the differences that a rounding makes; see `same_but_rounding`. None: there is no excuse.
    """
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}):
            at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in expected:
                yield f"{at} is extra"
            elif key not in found:
                yield f"{at} is missing"
            else:
                yield from differences(found[key], expected[key], at, rounding=rounding)
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for k, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{path}/{k}", rounding=rounding)
    elif isinstance(found, list) and isinstance(expected, list):
        yield f"{path} has {len(found)} entries; recomputed it has {len(expected)}"
    elif type(found) is not type(expected) or found != expected:
        text = f"{path} is {_brief(found)}; recomputed it is {_brief(expected)}"
        if rounding is not None and same_but_rounding(found, expected):
            rounding.append(text)
        else:
            yield text


def check_report(
    folder: Path, *, public_key: Path | None = None, template: Path | None = None, pdf: bool = False
) -> list[Check]:
    """Check the folder of a report.

    Every file is compared with the manifest, the manifest with its signature, report.json with what its evidence
    gives today, every printed figure with report.json as recomputed, and the page and JUnit with how they are
    made from that. Processors round differently: a figure of the conclusions may be one unit of its last digit off,
    which is said, and then the page has to show what is stored. All else has to be the same. What isn't made again
    (a PDF, unless asked for) is known by its hash alone, so that without a signature whoever changes it can change
    the manifest too.

    Args:
        folder: of the report.
        public_key: of who must have signed; None asks for no signature.
        template: the folder of templates that the page was made with; None: vsanon's own.
        pdf: make the PDF again too and compare; needs the extra `pdf`, and the fonts that it was made with.

    Returns:
        All checks. Where one failed, its name is that of the file.

    Raises:
        InputError: there is no such folder, it can't be read, or the key or template can't be used.
        MissingError: there is a signature to check, and the extra `report` is not installed.
    """
    return [*_listed(folder), *_signature(folder, public_key), *_recomputed(folder, template, pdf)]


def require_sound(folder: Path, template: Path | None = None) -> None:
    """Raise where a report does not verify, whatever its present signature: what is wrong must not be signed.

    Raises:
        CheckError: a check failed.
        InputError: as in `check_report`.
    """
    found = [check for check in [*_listed(folder), *_recomputed(folder, template, False)] if not check.passed]
    if found:
        lines = "\n".join(f"  {check.name}: {check.found}; expected: {check.expected}" for check in found)
        raise CheckError(f"{folder} was not signed: it does not verify\n{lines}")


def _listed(folder: Path) -> list[Check]:
    found = check_manifest(folder)
    if found:
        return [Check(one.file, False, "as the manifest says", one.what) for one in found]
    count = len(read_manifest(read_plain(folder / MANIFEST)))
    return [Check("manifest", True, "", f"{count} files, none changed, missing or extra")]


def _signature(folder: Path, public_key: Path | None) -> Iterator[Check]:
    wanted = "a signature that holds" if public_key is None else f"signed by {public_key}"
    found = check_signature(folder, public_key)
    yield from (Check(one.file, False, wanted, one.what) for one in found)
    if found:
        return
    if not is_signed(folder):
        yield Check(
            "signature",
            True,
            "none was asked for",
            "not signed: who changes a file can change the manifest",
            seen=False,
        )
        return
    trust = (
        "" if public_key else f"; compare this with the signer's, or name their key: {PUBLIC_KEY} proves no name"
    )
    yield Check("signature", True, "", f"holds; key {fingerprint(folder / PUBLIC_KEY)}{trust}")


def _recomputed(folder: Path, template: Path | None, pdf: bool) -> Iterator[Check]:
    """What the evidence gives again: the document, each figure on the page, and every file that is made of them."""
    found: dict[str, bytes] = {}
    for name in (EVIDENCE, REPORT, PAGE):
        try:
            found[name] = read_plain(folder / name)
        except OSError as error:
            yield Check(name, False, "a file to recompute from", str(error.strerror))
    if len(found) < 3:
        return
    rounding: list[str] = []
    try:
        stored = load_json(found[REPORT])
        conclusions = json.loads(canonical_json(conclude(read_evidence(found[EVIDENCE]))))
        if not any(differences(stored["conclusions"], conclusions, "/conclusions", rounding=rounding)):
            conclusions = stored["conclusions"]
        facts = ReportFacts.from_dict(stored["facts"])
        expected = contents(found[EVIDENCE], facts, conclusions=conclusions, template=template, pdf=pdf)
    except _MALFORMED as error:
        yield Check(REPORT, False, "a report that can be recomputed", f"{type(error).__name__}: {error}")
        return
    document = json.loads(expected[REPORT])
    if not pdf and (folder / PDF).is_file():
        # The PDF is taken as it lies there: what the crate says of it must fit.
        files = {name: content for name, content in expected.items() if name != CRATE}
        expected[CRATE] = to_crate(document, {**files, PDF: read_plain(folder / PDF)})
    made_by = stored.get("vsanon")
    note = "" if made_by == vsanon.__version__ else f" (made by vsanon {made_by}; this is {vsanon.__version__})"
    if found[REPORT] != expected[REPORT]:
        texts = list(differences(stored, document)) or ["the same values, but not written as vsanon writes them"]
        yield from _named(REPORT, f"what {EVIDENCE} gives{note}", texts)
    else:
        yield Check(REPORT, True, "", f"recomputed from the evidence: {_recomputed_alike(rounding)}")
    yield from _figures(found[PAGE], document)
    for name in sorted(_names(folder) - {*expected, *OWN}):
        why = "not made again (--pdf does)" if name == PDF else "no report has such a file: somebody put it there"
        yield Check(name, True, "", f"{why}; it is known by its hash alone", seen=False)
    hint = "" if template else "; if it was made with a house's own templates, name them with --template"
    for name in [name for name in expected if name not in (EVIDENCE, REPORT)]:
        if (folder / name).is_file():
            yield _same(name, read_plain(folder / name), expected[name], note, hint if name == PAGE else "")
        else:
            yield Check(name, False, "a file that a report has", "missing")


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _recomputed_alike(rounding: list[str]) -> str:
    if not rounding:
        return "the same bytes"
    return (
        f"the same but for {len(rounding)} figures that this processor rounds differently, by one unit of the "
        f"{DIGITS}th digit at most, as {rounding[0]}"
    )


def _figures(content: bytes, document: Json) -> Iterator[Check]:
    page = content.decode(errors="replace")
    wrong = [one.what for one in check_figures(page, document)]
    count = len(printed_figures(page))
    if wrong or not count:
        yield from _named(PAGE, "each printed figure as recomputed", wrong or ["no figure is marked as one"])
    else:
        yield Check(PAGE, True, "", f"{count} printed figures, each as recomputed")


def _same(name: str, found: bytes, expected: bytes, note: str, hint: str) -> Check:
    if found == expected:
        return Check(name, True, "", "made again: the same bytes")
    lines = zip(found.split(b"\n"), expected.split(b"\n"), strict=False)
    last = min(found.count(b"\n"), expected.count(b"\n")) + 1
    first = next((k for k, (a, b) in enumerate(lines, 1) if a != b), last)
    return Check(name, False, f"the same bytes when made again{note}", f"other bytes from line {first} on{hint}")


def _named(name: str, wanted: str, texts: Iterable[str]) -> Iterator[Check]:
    texts = list(texts)
    yield from (Check(name, False, wanted, text) for text in texts[:MOST_NAMED])
    if len(texts) > MOST_NAMED:
        yield Check(name, False, wanted, f"and {len(texts) - MOST_NAMED} more differences")


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
