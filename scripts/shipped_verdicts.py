"""What the shipped matrices say of a perfect system, a poor one, and one that sees nothing, on their own footage.

    python scripts/shipped_verdicts.py

Everybody in the drawn scenes is found and covered as each row says; from there on all is judged as in a run. Prints
the table of docs/validation.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for evidence made by hand, which the tests hold

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
    print("| matrix | a system that | verdict | criteria, and the poorest group of each with its interval |")
    print("|---|---|---|---|")
    for name in matrix.names():
        for system, (missed, found) in SYSTEMS.items():
            concluded = conclude(measured(matrix.load(name), missed, found))
            said = []
            for criterion in concluded["criteria"]:
                least = criterion["bound"] == "at_least"
                values = [group["value"] for group in criterion["groups"]]
                poorest = (min if least else max)(values, key=lambda v: v["estimate"])
                bounds = f"{poorest['estimate']:.3f} [{poorest['low']:.3f}, {poorest['high']:.3f}]"
                limit = f"{'≥' if least else '≤'} {criterion['limit']:g}"
                said.append(f"{criterion['id']} {limit}: {bounds} {criterion['outcome']}")
            print(f"| {name} | {system} | **{concluded['verdict']['outcome']}** | {'; '.join(said)} |", flush=True)


if __name__ == "__main__":
    main()
