"""Layers of a coded picture that a decoder passes over: further views of stereo, or more detail."""

from collections.abc import Iterable, Iterator

LOOKED_AT = 16
"""Packets at the beginning: where there are further layers, each picture has them."""

LAYERED = ("h264", "hevc")
"""Codecs of which layers are known here."""

FURTHER = "further views of the picture, such as those of stereo, which are not searched"


def has_further_layers(codec: str, extradata: bytes, packets: Iterable[bytes]) -> bool:
    """Whether packets hold units of more than the base layer.

    In H.265 these are of a `nuh_layer_id` above 0 (ITU-T H.265, 7.4.2.2), in H.264 coded slice extensions and the
    parameters of their own (nal_unit_type 20, 21 and 15: ITU-T H.264, 7.4.1).

    Args:
        codec: one of `LAYERED`, or another.
        extradata: of the stream; avcC and hvcC say how long the lengths before the units are.
        packets: some of the stream.
    """
    if codec not in LAYERED:
        return False
    at = 4 if codec == "h264" else 21
    size = (extradata[at] & 3) + 1 if len(extradata) > at and extradata[0] == 1 else 0
    heads = (head for packet in packets for head in (_by_length(packet, size) if size else _by_start_code(packet)))
    if codec == "h264":
        return any(head[0] & 31 in (15, 20, 21) for head in heads)
    # Dolby Vision numbers its own units 62 and 63, and may give them any layer.
    return any((head[0] & 1) << 5 | head[1] >> 3 and head[0] >> 1 & 63 < 62 for head in heads)


def _by_length(packet: bytes, size: int) -> Iterator[bytes]:
    """The first two bytes of each unit, where its length stands before it."""
    at = 0
    while at + size + 2 <= len(packet):
        yield packet[at + size : at + size + 2]
        at += size + int.from_bytes(packet[at : at + size])


def _by_start_code(packet: bytes) -> Iterator[bytes]:
    """As `_by_length`, of a byte stream (ITU-T H.264 and H.265, annex B)."""
    at = packet.find(b"\0\0\1")
    while -1 < at < len(packet) - 4:
        yield packet[at + 3 : at + 5]
        at = packet.find(b"\0\0\1", at + 3)
