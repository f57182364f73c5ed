"""The worst exposures of an evidence file, and which pictures of its cells stand for it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vsanon.validation.conclusions.shares import Cell, Json, exposure_of, measured

WORST = 10
STRIPS, ENCODES = 3, 6
"""The most strips, and encodes beside their masters, that a report shows."""


def worst_runs(cells: Sequence[Cell]) -> list[Json]:
    """The runs of most exposed area and time; of cells that differ in their delivery alone, the first."""
    runs = [
        {
            "cell": cell["id"],
            "class": name,
            "identity": one["id"],
            "start": run["start"],
            "stop": run["stop"],
            "frames": run["stop"] - run["start"],
            "ms": float(1000 * (run["stop"] - run["start"]) / Fraction(cell["fps"])),
            **{key: run[key] for key in ("exposed_px_frames", "median_side_px", "worst_coverage", "worst_frame")},
        }
        for cell in measured(cells)
        for name in sorted(cell["classes"])
        for one in (exposure_of(cell, name) or {"identities": ()})["identities"]
        for run in one["runs"]
    ]
    # The sort is stable: of equals, the first cell, class, identity and run come first.
    return sorted(runs, key=lambda run: -float(run["exposed_px_frames"]))[:WORST]


def chosen_pictures(cells: Sequence[Cell], of_cells: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Json]:
    """The pictures that a report shows: of the worst runs, strips of some, and encodes of one source.

    Args:
        cells: of an evidence file.
        of_cells: the pictures of each cell by its id, as of `step_pictures`.
    """
    found: list[Json] = []
    strips = 0
    for run in worst_runs(cells):
        same = [
            p for p in of_cells.get(run["cell"], ()) if _key(p) == (run["class"], run["identity"], run["start"])
        ]
        for one in same:
            if one["kind"] == "worst":
                found.append({"cell": run["cell"], **one})
            elif one["kind"] == "strip" and strips < STRIPS:
                strips += 1
                found.append({"cell": run["cell"], **one})
    sources = [cell["source"] for cell in measured(cells) if of_cells.get(cell["id"])]
    own = [cell for cell in measured(cells) if cell["source"] in sources[:1]]
    shown: dict[str, str] = {}
    for cell in own:
        shown.setdefault(cell["encode"], cell["id"])
    for cell_id in evenly(list(shown.values()), ENCODES):
        found += [{"cell": cell_id, **one} for one in of_cells.get(cell_id, ()) if one["kind"] == "encode"]
    return found


def evenly(names: Sequence[str], most: int) -> list[str]:
    """At most so many of them, the first and the last among them."""
    if len(names) <= most:
        return list(names)
    return [names[k * (len(names) - 1) // (most - 1)] for k in range(most)]


def _key(picture: Mapping[str, Any]) -> tuple[str, int, int]:
    return picture["class"], picture["identity"], picture["start"]
