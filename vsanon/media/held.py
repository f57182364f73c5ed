"""What a file holds, whatever it shows: packets that an edit list leaves out, and bytes that belong to none."""

import os
from dataclasses import dataclass
from pathlib import Path

from vsanon import stops
from vsanon.media.probing import opened


@dataclass(frozen=True, slots=True)
class Held:
    """What one pass over a file found.

    Args:
        packets: of each stream, in the order of the streams, also those that are only there to be passed over;
            empty ones are none.
        rest: bytes of the file that belong to no packet: headers, indexes, and whatever else lies there.
    """

    packets: tuple[int, ...]
    rest: int


def held(path: str | os.PathLike[str], *, edits: bool = False) -> Held:
    """Count the packets of a file.

    Args:
        path: the file.
        edits: as its edit lists have it, by which players pass over packets; without it all that anybody can play.

    Raises:
        InputError: it can't be read.
    """
    with opened(path, {"ignore_editlist": str(int(not edits))}) as container:
        counts, taken = [0] * len(container.streams), 0
        for packet in container.demux():
            stops.poll()
            counts[packet.stream.index] += packet.size > 0
            taken += packet.size
    return Held(tuple(counts), Path(path).stat().st_size - taken)
