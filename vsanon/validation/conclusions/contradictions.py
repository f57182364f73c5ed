"""Evidence that contradicts itself is refused: no figure is made of counts that don't add up."""

from collections.abc import Iterator, Mapping
from typing import Any

from vsanon.errors import InputError
from vsanon.validation.conclusions.metric_kinds import OF_NOBODY
from vsanon.validation.conclusions.shares import Cell, exposure_of

_BEFORE_DELIVERY = ("source", "encode", "setting", "profile")
"""What differs in nothing else was searched and covered once."""
_PARTS = ("stream", "over_blur", "classes")


def require_consistent(evidence: Mapping[str, Any]) -> None:
    """Refuse counts that can't be, cells that say different of one thing, pictures of cells that aren't there, and
    criteria of no class that are measured by class.

    Raises:
        InputError: it names the cell and what is wrong in it.
    """
    first: dict[tuple[str, ...], Cell] = {}
    ids = {cell["id"] for cell in evidence["cells"]}
    for criterion in evidence["criteria"]:
        if criterion.get("class") is None and criterion["metric"] not in OF_NOBODY:
            raise InputError(
                f"the criterion {criterion['id']} of the evidence has no class, and {criterion['metric']} is "
                "measured by class: it was changed or damaged, measure it anew"
            )
    for picture in evidence.get("pictures", ()):
        if picture["cell"] not in ids:
            raise InputError(
                f"the evidence has a picture of {picture['cell']}, and no such cell: it was changed or damaged, "
                "measure it anew"
            )
    for cell in evidence["cells"]:
        if cell["outcome"] != "measured":
            continue
        for words in _wrong(cell, evidence["sources"][cell["source"]]):
            raise InputError(f"{cell['id']}: {words}: the evidence was changed or damaged, measure it anew")
        other = first.setdefault(tuple(cell[part] for part in _BEFORE_DELIVERY), cell)
        for part in _PARTS:
            if cell[part] != other[part]:
                raise InputError(
                    f"{cell['id']} and {other['id']} differ in their delivery alone, and in their {part}, which "
                    "was measured before it: the evidence was changed or damaged, measure it anew"
                )


def _wrong(cell: Cell, source: Mapping[str, Any]) -> Iterator[str]:
    for name in cell["classes"]:
        exposure = exposure_of(cell, name)
        if exposure is None:
            continue
        identities = exposure["identities"]
        ids = [one["id"] for one in identities]
        if len(set(ids)) != len(ids):
            yield f"a {name} is there twice"
        for one in identities:
            if not max(one["exposed_frames"], one["found_frames"]) <= one["frames"] <= cell["frames"]:
                yield f"{name} {one['id']} has more frames exposed, found or shown than there are"
        boxes, covered = (sum(one[key] for one in identities) for key in ("frames", "exposed_frames"))
        if (boxes, boxes - covered) != (exposure["boxes"], exposure["covered_boxes"]):
            yield f"its {name}s do not add up to its boxes"
        if len(identities) > source["truth"]["classes"].get(name, {"identities": 0})["identities"]:
            yield f"it shows more {name}s than its truth holds"
