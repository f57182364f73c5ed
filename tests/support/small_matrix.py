"""A matrix that runs in seconds: one drawn plate clip of a few small frames, two encodes, the plate detector."""

import json
from pathlib import Path
from typing import Any

from vsanon.farm.executors import LocalExecutor
from vsanon.validation.runs.plan import Plan
from vsanon.validation.runs.run import run_matrix
from vsanon.validation.truth.scenes import Scene, write_scene

SIZE, FRAMES = (320, 180), 12

TEXT = """\
vsanon_matrix: 1
name: small
sources:
  - {id: drawn, file: clip.mkv, truth: clip.csv}
encodes:
  - preset: h264_crf
    crf: [20, 51]
settings:
  - {id: plates, classes: [plate], size: 320}
deliveries: [null, h264_crf]
picture: []
criteria:
  - {id: covered, metric: coverage_recall, class: plate, at_least: 0.5}
"""


def draw(folder: Path, name: str = "clip") -> Path:
    """The clip and its truth in a folder."""
    path = folder / f"{name}.mkv"
    write_scene(Scene("plates", size=SIZE, frames=FRAMES), path)
    return path


def plan_of(folder: Path, text: str = TEXT) -> Plan:
    """A plan whose relative paths start from a folder."""
    return Plan(text, "small.yaml", str(folder))


def run(folder: Path, out: Path, text: str = TEXT, workers: int = 1) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a matrix; the evidence, and the events that were said."""
    events: list[dict[str, Any]] = []
    found = run_matrix(plan_of(folder, text), out, LocalExecutor(workers), events.append)
    assert found == json.loads((out / "evidence.json").read_text(encoding="utf-8"))
    return found, events
