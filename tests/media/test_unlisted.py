"""What a container holds beside its streams and tags is told by its kind, and said to be left behind."""

from pathlib import Path

import pytest

from tests.support.odd_streams import C2PA, CLUSTER, XMP, add_box, box, chaptered, chapters, element, filmed
from vsanon.encode import plan_copy, presets
from vsanon.media import probe
from vsanon.media.unlisted import LINKED, ORDERED


@pytest.mark.parametrize(
    ("new", "where", "name"),
    [
        (box(b"uuid", XMP), (), "(XMP)"),
        (box(b"uuid", C2PA), (), "(a C2PA manifest)"),
        (box(b"3gf ", b"\1"), (), "(3gf)"),
        (box(b"free", b"GPS"), (), "(free)"),
        (box(b"gps ", b"\1"), (b"moov",), "(moov/gps)"),
        (box(b"gps0", b"\1"), (b"moov", b"udta"), "(udta/gps0)"),
        (box(b"udta", box(b"thmb", b"\xff\xd8")), (b"moov", b"trak"), "(udta/thmb)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_atoms_of_a_device_are_named(tmp_path: Path, new: bytes, where: tuple[bytes, ...], name: str) -> None:
    source = filmed(tmp_path / "in.mp4", "-metadata", "title=a")
    assert probe(source).unlisted == ()
    (told,) = probe(add_box(source, new, *where)).unlisted
    assert name in told
    assert told in plan_copy(probe(source), presets.load("ffv1")).not_carried


def test_free_space_is_none_and_a_file_of_each_of_our_containers_has_nothing(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mov", ".mkv"):
        assert probe(filmed(tmp_path / f"in{suffix}")).unlisted == ()
    assert probe(add_box(tmp_path / "in.mp4", box(b"free", bytes(99)))).unlisted == ()


def test_ordered_chapters_and_linked_segments_are_told(tmp_path: Path) -> None:
    source = chaptered(tmp_path / "in.mkv", b"")
    data = source.read_bytes()
    at = data.index(CLUSTER)
    uid = element("6e67", b"another segment.")
    for more, told in (
        (chapters(), ()),
        (chapters(element("45dd", b"\0")), ()),
        (chapters(element("45dd", b"\1")), (ORDERED,)),
        (chapters(element("b6", uid)), (LINKED,)),
        (element("1549a966", element("3eb923", b"another segment.")), (LINKED,)),
    ):
        for where in (at, len(data)):  # before the pictures, and after them
            source.write_bytes(data[:where] + more + data[where:])
            assert probe(source).unlisted == told
