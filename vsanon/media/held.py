"""What a file holds, whatever it shows: packets that an edit list leaves out, and bytes that belong to none."""

import os
from dataclasses import dataclass
from pathlib import Path

from vsanon import stops
from vsanon.media import held_atoms, held_matroska, held_mxf
from vsanon.media.beside_picture import beside_header, beside_picture
from vsanon.media.facts import MediaFacts
from vsanon.media.headers import header_of
from vsanon.media.probing import opened
from vsanon.media.streams import codec_name

_MOST_HEADER = 1 << 14


@dataclass(frozen=True, slots=True)
class Held:
    """What one pass over a file found.

    Args:
        packets: of each stream, in the order of the streams, also those that are only there to be passed over;
            empty ones are none.
        each: bytes of the packets of each stream.
        headers: bytes of the streams' own headers, such as FFV1's or Vorbis's, at most `_MOST_HEADER` of each.
        beside: what lies in packets of pictures, and in their streams' headers, beside them, in words: the first of
            each stream.
    """

    packets: tuple[int, ...]
    each: tuple[int, ...]
    headers: int = 0
    beside: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all packets."""
        return sum(self.each)


def held(path: str | os.PathLike[str], *, edits: bool = False) -> Held:
    """Count the packets of a file.

    Args:
        path: the file.
        edits: as its edit lists have it, by which players pass over packets; without it all that anybody can play.

    Raises:
        InputError: it can't be read.
    """
    with opened(path, {"ignore_editlist": str(int(not edits))}) as container:
        counts, taken = [0] * len(container.streams), [0] * len(container.streams)
        beside: dict[int, str] = {}
        pictures = {s.index: (codec_name(s), header_of(s)) for s in container.streams.video}
        for index, (codec, header) in pictures.items():
            if words := beside_header(codec, header):
                beside[index] = f"{words} in the header of stream {index}"
        for packet in container.demux():
            stops.poll()
            index = packet.stream.index
            counts[index] += packet.size > 0 and not (edits and packet.is_discard)
            taken[index] += packet.size
            is_new = packet.size and index in pictures and index not in beside
            if is_new and (words := beside_picture(*pictures[index], bytes(packet))):
                beside[index] = f"{words} in picture {counts[index] - 1}"
        headers = [len(header_of(s)) for s in container.streams if s.type in ("video", "audio")]
        return Held(tuple(counts), tuple(taken), sum(min(n, _MOST_HEADER) for n in headers), tuple(beside.values()))


def hidden(path: Path, facts: MediaFacts, found: Held) -> list[str]:
    """What lies in a file that belongs to no packet, in words.

    Args:
        path: the file.
        facts: of it.
        found: in it, edit lists left aside.

    Raises:
        InputError: it can't be read.
    """
    chapters, tracks, packets = len(facts.chapters), len(facts.streams), sum(found.packets)
    names = [*facts.names.values(), *(s.title for s in facts.streams), *(c.title for c in facts.chapters)]
    texts = found.headers + sum(4 * len((name or "").encode()) for name in names)
    if "mov" in facts.container:
        return held_atoms.hidden_in(path, packets=found.bytes, chapters=chapters, texts=texts)
    if "matroska" in facts.container:
        return held_matroska.hidden_in(path, tracks=tracks, packets=packets, chapters=chapters, texts=texts)
    if facts.container == "mxf":
        frames = max(found.packets, default=0)
        return held_mxf.hidden_in(path, tracks=tracks, frames=frames, essence=found.bytes, texts=texts)
    return []
