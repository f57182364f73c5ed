"""What lies in a file beside what is played: each way to put it there is found by itself, in words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.footage import blob
from vsanon.errors import InputError
from vsanon.media import Held, held, held_atoms, held_matroska, held_mxf, probe

CANARY = b"a small face that is bare"
CODECS = {
    "mp4": ("-c:v", "libx264", "-c:a", "aac"),
    "mkv": ("-c:v", "libx264", "-c:a", "flac"),
    "mxf": ("-c:v", "mpeg2video", "-c:a", "pcm_s16le"),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Held]]:
    """Of each container the bytes of a film of six frames, and its packets."""
    folder, found = tmp_path_factory.mktemp("held"), {}
    for suffix, codecs in CODECS.items():
        path = blob(folder / f"a.{suffix}", *codecs, "-fflags", "+bitexact", frames=6)
        found[suffix] = path.read_bytes(), held(path)
    return found


def atom(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def grown(film: bytes, *kinds: bytes) -> bytes:
    """The film with the canary at the end of the first atom of that path, and the lengths of all around it."""
    data, at, places = bytearray(film), 0, []
    for kind in kinds:
        at = data.index(kind, at) - 4
        places.append(at)
        at += 8
    end = places[-1] + int.from_bytes(data[places[-1] : places[-1] + 4])
    for place in places:
        data[place : place + 4] = (int.from_bytes(data[place : place + 4]) + len(CANARY)).to_bytes(4)
    return bytes(data[:end] + CANARY + data[end:])


TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda film: film + b"bare!", ["5 bytes behind its last atom"]),
        (lambda film: film + atom(b"mdat", b""), ["2 places for samples"]),
        (lambda film: film + atom(b"free", CANARY), ["25 bytes of padding that are not empty"]),
        (lambda film: film + atom(b"uuid", CANARY), ["25 bytes in an atom 'uuid'"]),
        (lambda film: grown(film, *TABLE, b"stts"), ["41 bytes in the 'stts' of 6 samples"]),
        (lambda film: grown(film, *TABLE, b"stsz"), ["61 bytes in the 'stsz' of 6 samples"]),
        (lambda film: grown(film, b"mdat"), ["bytes of samples, of which the header names"]),
    ],
)
def test_what_lies_in_an_mp4_beside_its_samples(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]], plant: Callable[[bytes], bytes], words: list[str]
) -> None:
    film, packets = films["mp4"]
    path = tmp_path / "a.mp4"
    path.write_bytes(plant(film))
    found = held_atoms.hidden_in(path, packets=packets.bytes, chapters=0, texts=0)
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_an_mp4_has_room_for_what_its_packets_and_tracks_take_and_no_more(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]]
) -> None:
    film, packets = films["mp4"]
    path = tmp_path / "a.mp4"
    path.write_bytes(film)
    look = held_atoms.hidden_in
    assert look(path, packets=packets.bytes, chapters=0, texts=0) == []
    assert look(path, packets=packets.bytes - 1, chapters=0, texts=0) == ["1 bytes of samples that are no packets"]
    assert look(path, packets=packets.bytes - 512, chapters=1, texts=0) == []
    (found,) = look(path, packets=packets.bytes, chapters=0, texts=-3 * 1536)
    assert found.endswith("bytes in its header, which takes 0 at most")


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda film: film + b"bare!", ["5 bytes behind its last element"]),
        (lambda film: film + b"\xec\x85bare!", ["5 bytes of padding that are not empty"]),
        (lambda film: film + b"\xec\x85\0\0\0\0\0", []),
        (lambda film: film + b"\x1a\x45\xdf\xa3\x80", ["3 elements side by side, not a header and a segment"]),
        (lambda film: film + b"\x42\x42\x85bare!",
         ["3 elements side by side, not a header and a segment", "5 bytes in an element 4242"]),
    ],
)  # fmt: skip
def test_what_lies_in_a_matroska_file_beside_its_blocks(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]], plant: Callable[[bytes], bytes], words: list[str]
) -> None:
    film, packets = films["mkv"]
    path = tmp_path / "a.mkv"
    path.write_bytes(plant(film))
    count = sum(packets.packets)
    assert held_matroska.hidden_in(path, tracks=2, packets=count, chapters=0, texts=packets.headers) == words


def test_a_matroska_file_has_room_for_what_its_tracks_and_its_packets_take_each_for_itself(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]]
) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(films["mkv"][0])
    for tracks, packets in ((-1, 1000), (9, -1000)):
        (found,) = held_matroska.hidden_in(path, tracks=tracks, packets=packets, chapters=0, texts=0)
        assert "bytes beside its blocks" in found


def triplet(key: str, content: bytes) -> bytes:
    return bytes.fromhex(key) + b"\x83" + len(content).to_bytes(3) + content


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda film: film + b"bare!", ["5 bytes behind its last part"]),
        (lambda film: film + triplet("060e2b34010101020301021001000000", CANARY),
         ["25 bytes of padding that are not empty"]),
        (lambda film: film + triplet("060e2b34010101020301021001000000", bytes(25)), []),
        (lambda film: film + triplet("060e2b34010101020f01021001000000", CANARY),
         ["25 bytes under a key that ends in 0f01021001000000"]),
    ],
)  # fmt: skip
def test_what_lies_in_an_mxf_file_beside_its_essence(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]], plant: Callable[[bytes], bytes], words: list[str]
) -> None:
    film, packets = films["mxf"]
    path = tmp_path / "a.mxf"
    path.write_bytes(plant(film))
    found = held_mxf.hidden_in(path, tracks=2, frames=6, essence=packets.bytes, texts=packets.headers)
    assert found == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"tracks": -1}, "bytes beside its essence"),
        ({"frames": -8}, "bytes beside its essence"),
        ({"essence": -1}, "bytes of essence, of which"),
        ({"essence": 1}, "bytes of essence, of which"),
    ],
)
def test_an_mxf_file_has_room_for_what_its_tracks_and_frames_take_and_is_all_of_its_essence(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]], changes: dict[str, int], words: str
) -> None:
    film, packets = films["mxf"]
    path = tmp_path / "a.mxf"
    path.write_bytes(film)
    asked = {"tracks": 2, "frames": 6, "texts": 0} | changes
    asked["essence"] = packets.bytes + changes.get("essence", 0)
    found = held_mxf.hidden_in(path, **asked)
    assert [words in text for text in found] == ([True] if words else [])


def test_a_stream_of_a_codec_that_nobody_knows_is_no_traceback(
    tmp_path: Path, films: dict[str, tuple[bytes, Held]]
) -> None:
    """Its codec has no name, and PyAV no context for it: of sound, and of a picture beside the film."""
    film, _ = films["mp4"]
    path = tmp_path / "a.mp4"
    path.write_bytes(film.replace(b"mp4a", b"xxxx"))
    assert [stream.kind for stream in probe(path).streams] == ["video", "audio"]
    assert len(held(path).packets) == 2
    path.write_bytes(film.replace(b"avc1", b"xxxx"))
    with pytest.raises(InputError):
        probe(path)
    at = film.index(b"mdhd", film.index(b"moov"))
    path.write_bytes(film[: at - 4] + (8).to_bytes(4) + film[at : at + 4] + film[at + 4 :])
    with pytest.raises(InputError, match=r"a\.mp4: the header of a track is cut short"):
        probe(path)
