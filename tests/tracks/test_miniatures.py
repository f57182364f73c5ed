"""The pictures that boxes belong to come back from a track file as they went in, rounded; damage is refused."""

import base64
import bz2
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.support.clips import covered
from vsanon.errors import TrackFileError
from vsanon.tracking.miniature import rounded
from vsanon.tracks import miniatures
from vsanon.tracks.file import TrackWriter, read_tracks, rewrite_edits
from vsanon.tracks.miniatures import pack, unpack

U16 = NDArray[np.uint16]
HEADER = {"size": [64, 36], "fps": "25"}


@given(st.integers(1, 4).flatmap(lambda n: arrays(np.uint16, (n, 3, 5))))
@settings(max_examples=50, deadline=None)
def test_a_block_gives_back_what_went_in_rounded_to_sixteen_levels(block: U16) -> None:
    assert np.array_equal(unpack(pack(list(block)), len(block), (3, 5)), np.stack([rounded(s) for s in block]))


def test_the_same_pictures_give_the_same_bytes() -> None:
    block = list(np.random.default_rng(1).integers(0, 2**16, (3, 18, 32)).astype(np.uint16))
    assert pack(block) == pack([s.copy() for s in block])


GOOD = bytes([0, 0, 9, 0]) + bytes([1] * 6)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (b"", "a block of 1 miniatures of 3x2 samples was expected"),
        (b"BZh9 no", "not a block of miniatures"),
        (bz2.compress(GOOD[:-1]), "a block of 1 miniatures"),
        (bz2.compress(GOOD + b"\0"), "a block of 1 miniatures"),
        (bz2.compress(bytes(2**24)), "a block of 1 miniatures"),  # 45 bytes that would be 16 MiB
        (bz2.compress(GOOD)[:-4], "a block of 1 miniatures"),
        (bz2.compress(GOOD) + b"more", "a block of 1 miniatures"),
        (bz2.compress(GOOD[:-1] + bytes([16])), "values that none can hold"),
        (bz2.compress(bytes([9, 0, 0, 0]) + GOOD[4:]), "values that none can hold"),
    ],
)
def test_a_block_that_is_none_is_refused(block: bytes, words: str) -> None:
    assert unpack(bz2.compress(GOOD), 1, (2, 3)).shape == (1, 2, 3)
    with pytest.raises(ValueError, match=words):
        unpack(block, 1, (2, 3))


def pictures(count: int) -> U16:
    """A texture that drifts by a fifth of a sample a frame, with grain."""
    y, x = np.mgrid[0:18, 0:32].astype(float)
    grain = np.random.default_rng(5).normal(0, 150, (count, 18, 32))
    drift = np.arange(count)[:, None, None] / 5
    return np.rint(30_000 + 9_000 * np.sin((x + drift) / 3) * np.cos(y / 4) + grain).astype(np.uint16)


def written(path: Path, shown: U16) -> Path:
    writer = TrackWriter({**HEADER, "frames": len(shown)})
    for miniature in shown:
        writer.add(covered([]), miniature=miniature)
    writer.write(path)
    return path


@pytest.mark.parametrize("count", [1, 255, 256, 257, 600])
def test_a_track_file_keeps_the_miniature_of_every_frame(tmp_path: Path, count: int) -> None:
    shown = pictures(count)
    table = read_tracks(written(tmp_path / "t", shown))
    assert table.miniatures is not None
    for n in {0, count // 2, count - 1}:
        assert np.array_equal(table.miniatures.at(n), rounded(shown[n]))
    with pytest.raises(IndexError, match=f"frame {count} has no miniature"):
        table.miniatures.at(count)
    # Some hundred bytes a frame.
    assert (tmp_path / "t").stat().st_size < 200 * count + 1_000


def test_edits_leave_the_miniatures_as_they_are_to_the_byte(tmp_path: Path) -> None:
    path = written(tmp_path / "t", pictures(3))
    before = path.read_bytes().splitlines()[:2]
    rewrite_edits(path, [{"edit": 1, "op": "drop", "by": "A", "at": "now", "reason": "none", "track": 1}])
    assert path.read_bytes().splitlines()[:2] == before
    assert read_tracks(path).miniatures is not None


def test_every_frame_has_a_miniature_or_none_has() -> None:
    one, other = TrackWriter({**HEADER, "frames": 2}), TrackWriter({**HEADER, "frames": 2})
    one.add(covered([]), miniature=pictures(1)[0])
    with pytest.raises(ValueError, match="frame 1: every frame has a miniature, or none has"):
        one.add(covered([]))
    other.add(covered([]))
    with pytest.raises(ValueError, match="frame 1: every frame has a miniature, or none has"):
        other.add(covered([]), miniature=pictures(1)[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:2] + lines[3:], ":3: miniatures from 256 on were expected, got 512"),
        (lambda lines: lines[:3], "2 blocks of miniatures; 3 were expected"),
        (lambda lines: [*lines, lines[-1]], ":5: miniatures from 768 on were expected, got 512"),
        (lambda lines: [*lines[:3], '{"miniatures":512,"packed":"?"}'], ":4: packed miniatures must be base64"),
        (lambda lines: [*lines[:3], '{"miniatures":512}'], ":4: packed miniatures must be base64"),
        (lambda lines: [*lines[:3], '{"miniatures":true,"packed":""}'], ":4: miniatures from 512 on"),
    ],
)
def test_blocks_that_are_missing_or_out_of_order_are_refused(tmp_path: Path, change: object, words: str) -> None:
    lines = written(tmp_path / "t", pictures(600)).read_text().splitlines()[:-1]
    changed = change(lines)  # type: ignore[operator]
    body = "".join(f"{line}\n" for line in changed).encode()
    end = {"end": len(changed) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    (tmp_path / "t").write_bytes(body + json.dumps(end).encode() + b"\n")
    with pytest.raises(TrackFileError, match=words):
        read_tracks(tmp_path / "t")


def test_a_damaged_block_is_an_error_for_its_frames(tmp_path: Path) -> None:
    lines = written(tmp_path / "t", pictures(300)).read_text().splitlines()[:-1]
    lines[2] = json.dumps({"miniatures": 256, "packed": base64.b64encode(bz2.compress(b"no")).decode()})
    body = "".join(f"{line}\n" for line in lines).encode()
    end = {"end": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    (tmp_path / "t").write_bytes(body + json.dumps(end).encode() + b"\n")
    known = read_tracks(tmp_path / "t").miniatures
    assert known is not None
    known.at(255)
    with pytest.raises(ValueError, match="a block of 44 miniatures of 32x18 samples was expected"):
        known.at(256)


def test_a_block_holds_256_frames_as_the_schema_says() -> None:
    assert miniatures.BLOCK == 256
