"""The canonical report: evidence, conclusions and stated facts in one JSON value, and what pages show of them.

Templates see this and nothing else. `evidence` and `conclusions` are there whole; `views` say which of their
entries stand together in a table or a figure, so that a page holds no figure of its own.
"""

from collections.abc import Iterable
from typing import Any

import vsanon
from vsanon.errors import InputError
from vsanon.files import sha256_of
from vsanon.models.card import ModelCard, load_card
from vsanon.models.store import SHIPPED
from vsanon.plain_json import load_json
from vsanon.reporting.facts import ReportFacts, canonical_json, report_id
from vsanon.reporting.literature import LITERATURE
from vsanon.reporting.views import searched, views
from vsanon.schemas import validator

VERSION = 2
EVIDENCE_VERSION = 2

Json = dict[str, Any]

CLASSES = ("face", "plate")
UNSEEN = ("logos", "tattoos", "name badges", "documents", "the content of screens")


def read_evidence(content: bytes) -> Json:
    """Evidence from its bytes.

    Raises:
        InputError: it is no JSON, no evidence of `EVIDENCE_VERSION`, or not as its schema says.
    """
    try:
        evidence = load_json(content)
    except ValueError as error:
        raise InputError(f"the evidence is not JSON: {error}. It is written by `vsanon validate run`.") from error
    version = evidence.get("vsanon_evidence") if isinstance(evidence, dict) else None
    if version != EVIDENCE_VERSION:
        raise InputError(
            f"the evidence says `vsanon_evidence: {version}`; this vsanon reads version {EVIDENCE_VERSION}. "
            "Run `vsanon validate run` again: what was measured is measured anew where its meaning changed."
        )
    wrong = next(validator("evidence").iter_errors(evidence), None)
    if wrong is not None:
        raise InputError(
            f"the evidence is not as its schema says, at {wrong.json_path}: {wrong.message[:200]}. "
            "Give the evidence.json that `vsanon validate run` wrote, unchanged."
        )
    return dict(evidence)


def without_pictures(content: bytes) -> bytes:
    """The bytes of evidence without its stills, as `vsanon validate run --no-pictures` writes them."""
    return canonical_json({**read_evidence(content), "pictures": []})


def build(content: bytes, conclusions: Json, facts: ReportFacts) -> Json:
    """The report as one JSON value: a pure function of its arguments and of this version of vsanon.

    Args:
        content: the bytes of evidence.json.
        conclusions: of that evidence; see `vsanon.validation.conclusions.conclude`.
        facts: what people state.

    Raises:
        InputError: `content` is no evidence.
    """
    evidence = read_evidence(content)
    return {
        "vsanon_report": VERSION,
        "id": report_id(content, facts),
        "title": facts.title or evidence["title"],
        "vsanon": vsanon.__version__,
        "facts": facts.as_dict(),
        "evidence_sha256": sha256_of(content),
        "evidence": evidence,
        "conclusions": conclusions,
        "views": views(evidence, conclusions),
        "model_cards": _model_cards(evidence),
        "literature": LITERATURE,
        "not_tested": _not_tested(evidence, conclusions),
        "limits": _limits(),
    }


def _model_cards(evidence: Json) -> list[Json]:
    """What is known of each model: from the evidence, else from the shipped card of that name and SHA-256."""
    # By both: one file has two cards where it also runs in 8-bit integers.
    known = (load_card(path) for path in sorted(SHIPPED.glob("*.yaml")))
    shipped = {(card.name, card.sha256): card for card in known}
    models = evidence["provenance"]["models"]
    return [_model_card(model, shipped.get((model["name"], model.get("sha256", "")))) for model in models]


def _model_card(model: Json, card: ModelCard | None) -> Json:
    return {
        "name": model["name"],
        "sha256": model.get("sha256"),
        "classes": list(model.get("classes") or (card.classes if card else ())),
        "licence": model.get("licence") or (card.licence if card else None),
        "homepage": model.get("homepage") or (card.homepage if card else None),
        "training": model.get("training") or (card.training if card else None),
        "limits": list(model.get("limits") or (card.limits if card else ())),
    }


def _not_tested(evidence: Json, conclusions: Json) -> list[str]:
    """What the reader must not take from this report, a sentence each."""
    classes = searched(evidence)
    said = _ignored(evidence, classes)
    said += [f"Nothing was searched for {name}s." for name in CLASSES if name not in classes]
    said.append(f"vsanon does not find {_listed(UNSEEN)}; they were not tested.")
    without = sorted(k for k, source in evidence["sources"].items() if source["truth"]["kind"] == "none")
    if without:
        said.append(
            f"{len(without)} of {len(evidence['sources'])} sources came without truth: what was missed in "
            f"{_listed(without)} is not known."
        )
    if any(source["truth"]["kind"] == "reference" for source in evidence["sources"].values()):
        said.append(
            "For some sources the truth is what vsanon itself found in the best picture with its most thorough "
            "setting. What it misses there counts as if nobody were there."
        )
    if any(source["kind"] == "scene" for source in evidence["sources"].values()):
        said.append("Some sources are drawn scenes, not footage; real footage is harder.")
    for name in classes:
        if not conclusions["sample"]["identities"].get(name):
            said.append(
                f"No {name} with known position was in the sample: nothing is known of how many are missed."
            )
    failed = sum(cell["outcome"] == "failed" for cell in evidence["cells"])
    if failed:
        said.append(f"{failed} of {len(evidence['cells'])} cells failed; they are listed with their reasons.")
    if waiting := sum(cell["outcome"] == "not run" for cell in evidence["cells"]):
        said.append(f"{waiting} of {len(evidence['cells'])} cells were not run yet.")
    if not any(cell.get("delivered") for cell in evidence["cells"]):
        said.append("No delivery encode was tested.")
    return said


def _ignored(evidence: Json, classes: Iterable[str]) -> list[str]:
    """How much of the truth does not count, as a sentence: what is marked so is missed by nobody."""
    counts = []
    for name in classes:
        truths = [source["truth"]["classes"].get(name) for source in evidence["sources"].values()]
        boxes, ignored = (sum(truth[key] for truth in truths if truth is not None) for key in ("boxes", "ignored"))
        if ignored:
            counts.append(f"{ignored} of {boxes + ignored} known boxes of {name}s")
    words = "are marked as not counting (too small, hidden, doubtful): whether they were covered, no figure says"
    return [f"{_listed(counts)} {words}."] if counts else []


def _limits() -> list[str]:
    return [
        "The results relate only to the items tested. Other footage, light, cameras and settings may do worse.",
        "Small, occluded, turned-away, blurred or overexposed faces are missed more often than large clear ones; "
        "the figures by size say how much.",
        f"{_listed(UNSEEN).capitalize()} are not found by any model here; where they identify a person, they are "
        "covered by hand, as regions in the track file.",
        "No test proves that nothing was missed. With no miss in n independent samples, up to 3/n may still be "
        "missed (at 95 %); and frames of one clip are not independent, so n is closer to the number of people.",
        "A person may be recognised by gait, clothes, voice, place or company. Covering a face does not by itself "
        "make footage anonymous in the sense of the law.",
        "Literature curves show a shape that others measured, with other models on other pictures. They are no "
        "part of the results.",
    ]


def _listed(names: Any) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
