"""An encode that is not its master, encoded, is refused: the truth would be of something else."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.errors import CheckError
from vsanon.validation.metrics.fidelity import MOST_RATE, other_colours, unlike
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.step_search import LUMA, small_size
from vsanon.validation.runs.step_seen import tiny, tiny_pictures
from vsanon.validation.runs.store import Result, Step, Store


def require_same(store: Store, master: Step, looked: Step, found: Step, quality: Mapping[str, Any] | None) -> None:
    """Refuse an encode that shows something else than its master.

    Args:
        store: where steps lie.
        master: what was encoded.
        looked: of `step_seen`: what is seen in the master.
        found: the search of the encode, which has seen every frame of it.
        quality: its picture metrics, for the colours; None: they were not asked for.

    Raises:
        CheckError: size, number of frames, rate, frames, light or colours are others than those of the master.
    """
    for what, said in (("size", "pictures of {}"), ("frames", "{} frames")):
        asked, got = master.result[what], found.result[what]
        if asked != got:
            raise _other(f"it has {said.format(got)}, and its master {said.format(asked)}")
    asked_fps, fps = Fraction(master.result["fps"]), Fraction(found.result["fps"])
    if abs(fps / asked_fps - 1) > MOST_RATE:
        raise _other(f"it has {float(fps):.4g} frames a second, and its master {float(asked_fps):.4g}")
    key = key_of("fidelity", master=master.key, search=found.key)

    def make(_: Path) -> Result:
        size = small_size((found.result["size"][0], found.result["size"][1]))
        luma = np.memmap(
            found.file().with_name(LUMA), np.uint8, "r", shape=(found.result["frames"], size[1], size[0])
        )
        return {"unlike": unlike(tiny_pictures(looked), np.stack([tiny(p) for p in luma]))}

    words: str | None = store.step(key, make).result["unlike"]
    if words is None and quality is not None:
        means = [quality["scores"][f"psnr_{plane}"].get("mean") for plane in "yuv"]
        words = None if None in means else other_colours(*means)
    if words is not None:
        raise _other(words)


def _other(words: str) -> CheckError:
    return CheckError(
        f"the encode is not its master, encoded: {words}. Take out of the preset what filters, drops or re-times "
        "frames; scale and fps are axes of the matrix"
    )
