"""What stands in a stream's own header goes along with it, so that it is read before."""

import struct

import pytest

from vsanon.media.headers import MORE, what_header_tells


def vorbis(*comments: str, vendor: str = "Xiph.Org libVorbis I 20200704", count: int | None = None) -> bytes:
    """The three headers as Matroska holds them, the first and the last not filled (Vorbis I, 4.2.2, 5.2.1)."""
    texts = [text.encode() for text in (vendor, *comments)]
    said = [struct.pack("<I", len(text)) + text for text in texts]
    middle = b"\x03vorbis" + said[0] + struct.pack("<I", len(comments) if count is None else count)
    return b"\2\x1e\x40\1vorbis" + bytes(23) + middle + b"".join(said[1:]) + b"\1\5vorbis" + bytes(40)


@pytest.mark.parametrize(
    ("comments", "told"),
    [
        ((), None),
        (("ENCODER=Lavc", "title=Camera 2", "LANGUAGE=de"), None),
        (("title=47.376888 8.541694",), "a position"),
        (("LOCATION=Bern",), MORE),
        (("METADATA_BLOCK_PICTURE=AAAA",), MORE),
        (("no name",), MORE),
    ],
)
def test_comments_of_vorbis_are_read(comments: tuple[str, ...], told: str | None) -> None:
    assert what_header_tells("vorbis", vorbis(*comments)) == told


def test_a_vendor_that_is_none_and_a_list_that_is_longer_than_its_header_are_told() -> None:
    assert what_header_tells("vorbis", vorbis(vendor="+47.3768+008.5416/")) == "a position"
    assert what_header_tells("vorbis", vorbis(count=1000)) == MORE


def test_text_in_any_other_header_is_read_and_bytes_are_none() -> None:
    assert what_header_tells("aac", b"\x11\x88" + b"lat: 47.37" + b"\0") == "a position"
    assert what_header_tells("aac", bytes(range(128, 256)) * 20) is None
