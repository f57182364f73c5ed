"""What the shipped matrices say of a perfect system, a poor one, and one that sees nothing, on their own footage.

    python scripts/shipped_verdicts.py

Everybody in the drawn scenes is found and covered as each row says; from there on all is judged as in a run. Prints
the table of docs/validation.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for evidence made by hand, which the tests hold

from tests.support.evidence_samples import Json
from tests.support.shipped_evidence import measured
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.runs import matrix

SYSTEMS = {
    "covers everybody in all frames": (0.0, 1.0),
    "leaves everybody bare in 1 of 25 frames": (0.04, 1.0),
    "leaves everybody bare in 10 of 25 frames": (0.4, 0.6),
    "finds and covers nobody": (1.0, 0.0),
}
"""The share of each identity's frames that is bare, and the share that is found."""


def main() -> None:
    print("| matrix, with its limits | a system that | verdict | faces, the poorest group | plates |")
    print("|---|---|---|---|---|")
    for name in matrix.names():
        for system, (missed, found) in SYSTEMS.items():
            concluded = conclude(measured(matrix.load(name), missed, found))
            said = {c["class"]: poorest(c) for c in concluded["criteria"] if c["class"] is not None}
            limits = {limit_of(c) for c in concluded["criteria"] if c["class"] is not None}
            row = (f"{name}, {', '.join(sorted(limits))}", system, f"**{concluded['verdict']['outcome']}**")
            print(f"| {' | '.join((*row, said['face'], said['plate']))} |", flush=True)


def limit_of(criterion: Json) -> str:
    return f"{criterion['metric']} {criterion['bound'].replace('_', ' ')} {criterion['limit']:g}"


def poorest(criterion: Json) -> str:
    """The worst figure of a criterion's groups, and what follows of the criterion."""
    values = [group["value"] for group in criterion["groups"]]
    value = (min if criterion["bound"] == "at_least" else max)(values, key=lambda v: v["estimate"])
    return f"{value['estimate']:.3f} [{value['low']:.3f}, {value['high']:.3f}] {criterion['outcome']}"


if __name__ == "__main__":
    main()
