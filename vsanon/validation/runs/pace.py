"""How fast this machine is, tried for a moment: in processor time, which depends less on what else runs."""

import os
from functools import cache

from vsanon import filters
from vsanon.detectors.search import Search
from vsanon.encode import run
from vsanon.job.frames import blank
from vsanon.models import store

_TRIED = 8
"""Frames that are searched: `balanced` looks closer at one in eight."""
_ENCODE_S = 0.2
"""What `machine` tries took so long where the figures of `estimate` were measured."""


def processor_seconds() -> float:
    """Of this process and the programs that it ran, all threads together."""
    return sum(os.times()[:4])


@cache
def machine() -> float:
    """How many times as long as where the figures of `estimate` were measured an encode of a second takes here."""
    before = processor_seconds()
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=1"]
    run([*picture, "-c:v", "libx264", "-threads", "2", "-f", "null", "-"])
    return max(processor_seconds() - before, 0.01) / _ENCODE_S


def search_seconds(search: Search, size: tuple[int, int]) -> float | None:
    """Processor seconds of searching one frame of this size (width, height); None: a model of it is not here."""
    if any(store.locate(card) is None for used in search.cards().values() for card in used):
        return None
    found = filters.detect(blank(size, _TRIED + 1), search)
    # The first frame waits for the models.
    with found.get_frame(_TRIED):
        before = processor_seconds()
    for n in range(_TRIED):
        found.get_frame(n).close()
    return (processor_seconds() - before) / _TRIED
