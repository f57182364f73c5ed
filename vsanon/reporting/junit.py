"""The verdict for continuous integration: JUnit XML with one case for each cell and criterion."""

import re
from typing import Any
from xml.etree import ElementTree

from vsanon.reporting.words import METRICS, exact, visible

Json = dict[str, Any]

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(report: Json) -> bytes:
    """JUnit XML of a report; no times, so that the same report gives the same bytes.

    A suite for each criterion holds a case for each cell: failed where the cell's group fails or is not shown, an
    error where the cell itself failed, skipped where the criterion does not ask for the cell. The suite `verdict`
    holds one case, which passes only where the verdict is pass.
    """
    suites = [_verdict(report)] + [_suite(criterion, report) for criterion in report["conclusions"]["criteria"]]
    root = ElementTree.Element("testsuites", _counts([case for suite in suites for case in suite]))
    root.set("name", f"vsanon report {report['id']}")
    root.extend(suites)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return written + b"\n"


def _verdict(report: Json) -> ElementTree.Element:
    verdict = report["conclusions"]["verdict"]
    case = _case("verdict", report["title"])
    if verdict["outcome"] != "pass":
        _say(case, "failure", verdict["outcome"], "; ".join(verdict["reasons"]) or verdict["outcome"])
    return _suite_of("verdict", [case])


def _suite(criterion: Json, report: Json) -> ElementTree.Element:
    groups = {cell: group for group in criterion["groups"] for cell in group["cells"]}
    cases = []
    for cell in report["evidence"]["cells"]:
        case = _case(criterion["id"], cell["id"])
        group = groups.get(cell["id"])
        if cell["outcome"] == "not run":
            _say(case, "error", "not run", "nobody has worked on this cell yet")
        elif cell["outcome"] == "failed":
            failure = cell["failure"]
            _say(case, "error", failure["kind"], f"{failure['step']}: {failure['message']}")
        elif group is None:
            _say(case, "skipped", None, "the criterion does not ask for this cell")
        elif group["outcome"] != "pass":
            _say(case, "failure", group["outcome"], _words(criterion, group))
        cases.append(case)
    if not cases:
        cases.append(_case(criterion["id"], "no cell"))
        _say(cases[0], "failure", "not shown", "the evidence has no cell")
    return _suite_of(criterion["id"], cases)


def _words(criterion: Json, group: Json) -> str:
    value = group["value"]
    of_class = f", class {criterion['class']}" if criterion["class"] else ""
    metric = METRICS.get(criterion["metric"], criterion["metric"])
    if "not_measured" in value:
        figure = f"not measured: {value['not_measured']}"
    else:
        figure = f"{exact(value['estimate'])} [{exact(value['low'])} to {exact(value['high'])}]"
    return (
        f"{metric}{of_class}, {group['name']}: {figure}; limit {criterion['bound']} "
        f"{exact(criterion['limit'])}. {criterion['rule']}"
    )


def _case(classname: str, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", {"classname": _legal(classname), "name": _legal(name)})


def _say(case: ElementTree.Element, tag: str, kind: str | None, message: str) -> None:
    said = ElementTree.SubElement(case, tag, {"message": _legal(message)})
    if kind is not None:
        said.set("type", _legal(kind))


def _suite_of(name: str, cases: list[ElementTree.Element]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": _legal(name), **_counts(cases)})
    suite.extend(cases)
    return suite


def _counts(cases: list[ElementTree.Element]) -> dict[str, str]:
    held = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {key: str(sum(case.find(tag) is not None for case in cases)) for key, tag in held.items()}
    return {"tests": str(len(cases)), **counts}


def _legal(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return _ILLEGAL.sub("\ufffd", visible(text))
