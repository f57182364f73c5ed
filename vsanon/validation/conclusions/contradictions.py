"""Evidence that contradicts itself is refused: no figure is made of counts that don't add up."""

from collections.abc import Iterator, Mapping
from typing import Any

from vsanon.errors import InputError
from vsanon.validation.conclusions.metric_kinds import OF_NOBODY
from vsanon.validation.conclusions.shares import Cell, exposure_of

_BEFORE_DELIVERY = ("source", "encode", "setting", "profile")
"""What differs in nothing else was searched and covered once."""
_NAMED = {"source": "sources", "encode": "encodes", "setting": "settings"}
"""What a cell names, and where the evidence says what that is."""
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
        for part, known in _NAMED.items():
            if cell[part] not in evidence[known]:
                raise InputError(
                    f"{cell['id']}: the evidence has no {part} {cell[part]:.80}: it was changed or damaged, "
                    "measure it anew"
                )
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
    if any(cell[key] is None for key in ("fps", "frames", "size")):
        yield "it was measured, and has no frames, size or rate"
        return
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
            yield from (f"{name} {one['id']}: {words}" for words in _of_identity(one))
        boxes, covered = (sum(one[key] for one in identities) for key in ("frames", "exposed_frames"))
        if (boxes, boxes - covered) != (exposure["boxes"], exposure["covered_boxes"]):
            yield f"its {name}s do not add up to its boxes"
        if len(identities) > source["truth"]["classes"].get(name, {"identities": 0})["identities"]:
            yield f"it shows more {name}s than its truth holds"


def _of_identity(one: Mapping[str, Any]) -> Iterator[str]:
    """Its boxes by size are all of its boxes, those by condition no more, and its runs all of its bare frames."""
    whole = (one["frames"], one["frames"] - one["exposed_frames"], one["found_frames"])
    for part in ("sides", "strata"):
        rows = one.get(part, ())
        sums = tuple(sum(row[key] for row in rows) for key in ("boxes", "covered", "found"))
        if any(max(row["covered"], row["found"]) > row["boxes"] for row in rows):
            yield f"more of its {part} are covered or found than there are"
        # Of some boxes the conditions may not be known, which objects to a criterion and not to the evidence.
        if sums != whole if part == "sides" else any(a > b for a, b in zip(sums, whole, strict=True)):
            yield f"its {part} do not add up to its frames"
    runs = [run["stop"] - run["start"] for run in one["runs"]]
    if (sum(runs), max(runs, default=0)) != (one["exposed_frames"], one["longest_run_frames"]):
        yield "its runs do not add up to its exposed frames"
