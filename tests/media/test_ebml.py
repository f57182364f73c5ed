"""Elements of Matroska files: what is none, and what lies too deep, is told; a stranger's file is no traceback."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.odd_streams import element
from vsanon.errors import InputError
from vsanon.media import held_matroska, unlisted
from vsanon.media.ebml import Element, element_at


def test_an_element_has_its_kind_and_where_its_content_lies() -> None:
    file = BytesIO(bytes.fromhex("ec 82 aa bb  1f43b675 ff 00"))
    assert element_at(file, 0) == Element(0xEC, 2, 4)
    assert element_at(file, 4) == Element(0x1F43B675, 9, None)  # all ones: until its parent ends
    assert [element_at(BytesIO(content), 0) for content in (b"", b"\0\0", b"\xec", b"\xec\0", b"\xec\x40")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    "look",
    [
        unlisted.of_matroska,
        lambda path: held_matroska.hidden_in(path, tracks=1, packets=1, chapters=0, texts=0),
    ],
)
def test_elements_in_each_other_without_end_are_refused(tmp_path: Path, look: Callable[[Path], object]) -> None:
    """Five thousand chapters, one in the other: following them ended in Python's own error."""
    inner, path = b"", tmp_path / "deep.mkv"
    for _ in range(5000):
        inner = element("b6", inner)
    path.write_bytes(element("1a45dfa3", b"") + element("18538067", element("1043a770", inner)))
    with pytest.raises(InputError, match=r"deep\.mkv: its elements lie in each other more than 64 deep"):
        look(path)
