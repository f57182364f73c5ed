"""The track file: what is written comes back to the bit, and nothing hostile gets in or takes the memory."""

import base64
import bz2
import hashlib
import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import TrackFileError
from vsanon.tracks import file as trackfile
from vsanon.tracks.file import TrackWriter, read_tracks, rewrite_edits
from vsanon.tracks.table import TrackTable

HEADER = {"frames": 3, "size": [64, 48], "fps": "25"}
EDIT = {
    "edit": 1,
    "op": "drop",
    "by": "A. Person",
    "at": "2026-01-02T03:04:05+00:00",
    "reason": "poster",
    "track": 1,
}


def boxes(*rows: tuple[float, ...]) -> TrackedBoxes:
    """Boxes of (id, x0, y0, x1, y1)."""
    xyxy = np.array([r[1:] for r in rows], np.float32).reshape(-1, 4)
    count = len(rows)
    swatches = np.array([[int(r[0]) % 256] * 75 for r in rows], np.uint8).reshape(count, 5, 5, 3)
    return TrackedBoxes(
        xyxy, np.full(count, 0.75, np.float32), ("face",) * count, tuple(int(r[0]) for r in rows),
        (Origin.DETECTED,) * count, swatches,
    )  # fmt: skip


def written(path: Path, header: dict[str, Any] = HEADER) -> Path:
    writer = TrackWriter(header)
    writer.add(boxes((4, 1, 2, 11, 12), (9, 30.125, 20, 40, 30.875)))
    writer.add(boxes((4, 1.5, 2, 11.5, 12)))
    writer.add(boxes((7, 2, 2, 12, 12)), cut=False)
    writer.write(path)
    return path


def forged(path: Path, *lines: str) -> Path:
    """A file whose end line fits whatever its lines say."""
    body = "".join(line + "\n" for line in lines).encode()
    end = {"end": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()}
    path.write_bytes(body + json.dumps(end).encode() + b"\n")
    return path


def run_line(**changed: Any) -> str:
    run = {"id": 4, "track": 1, "class": "face", "start": 0, "score": 0.5, "origins": "d", "boxes": [0, 0, 8, 8]}
    return json.dumps({**run, "swatches": "A" * 100, **changed})


def test_boxes_come_back_as_they_were_and_ids_become_identities(tmp_path: Path) -> None:
    table = read_tracks(written(tmp_path / "t"))
    first = table.at(0)
    assert first.xyxy.tolist() == [[1, 2, 11, 12], [30.125, 20, 40, 30.875]]
    assert first.ids == (1, 2)
    assert table.at(1).xyxy.tolist() == [[1.5, 2, 11.5, 12]]
    # The tracker's name 4 became 7, one frame on, in the same place: one identity; the swatches stay the frames'.
    assert table.at(2).ids == (1,)
    assert [int(table.at(n).swatches[0, 0, 0, 0]) for n in range(3)] == [4, 4, 7]


@settings(max_examples=40)
@given(st.data())
def test_any_boxes_come_back_in_their_painting_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    frames = data.draw(st.integers(1, 6))
    eighth = st.integers(-4000, 4000).map(lambda v: v / 8)
    length = st.integers(0, 400).map(lambda v: v / 8)
    writer = TrackWriter({**HEADER, "frames": frames})
    added = []
    for _ in range(frames):
        ids = sorted(data.draw(st.sets(st.integers(0, 8), max_size=4)))
        rows = []
        for i in ids:
            x, y = data.draw(eighth), data.draw(eighth)
            rows.append((i, x, y, x + data.draw(length), y + data.draw(length)))
        added.append(boxes(*rows))
        writer.add(added[-1], cut=data.draw(st.booleans()))
    path = tmp_path_factory.mktemp("any") / "t"
    writer.write(path)
    table = read_tracks(path)
    for n, wanted in enumerate(added):
        found = table.at(n)
        assert np.array_equal(found.xyxy, wanted.xyxy)
        assert np.array_equal(found.swatches, wanted.swatches)
        assert (found.classes, found.origins) == (wanted.classes, wanted.origins)
        assert np.array_equal(found.scores, wanted.scores)


def test_cuts_are_kept_and_end_identities(tmp_path: Path) -> None:
    writer = TrackWriter(HEADER)
    for n in range(3):
        writer.add(boxes((4 if n < 2 else 7, 1, 2, 11, 12)), cut=n == 2)
    writer.write(tmp_path / "t")
    table = read_tracks(tmp_path / "t")
    assert table.cuts == (2,)
    assert table.tracks.tolist() == [1, 1, 2]


def test_every_line_fits_the_published_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((resources.files("vsanon") / "schema" / "track_file.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    path = written(tmp_path / "t")
    rewrite_edits(path, [EDIT])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 6
    for line in lines:
        check.validate(line)
    wrong = [{**lines[1], "track": 0}, {**lines[1], "origins": "x"}, {**lines[0], "frames": 0}, {"strange": 1}]
    for record in wrong:
        with pytest.raises(jsonschema.ValidationError):
            check.validate(record)


def test_an_edit_is_added_and_removed_again_without_changing_another_byte(tmp_path: Path) -> None:
    path = written(tmp_path / "t")
    before = path.read_bytes()
    rewrite_edits(path, [EDIT])
    assert path.read_bytes().startswith(before[: before.rindex(b'{"end"')])
    assert read_tracks(path).edits == (EDIT,)
    rewrite_edits(path, [])
    assert path.read_bytes() == before


def test_keys_of_a_later_vsanon_are_skipped_and_survive_an_edit(tmp_path: Path) -> None:
    header = json.dumps({"vsanon_tracks": 1, **HEADER, "mood": {"a": [1]}})
    path = forged(tmp_path / "t", header, run_line(weather="fine"))
    assert len(read_tracks(path).at(0)) == 1
    rewrite_edits(path, [EDIT])
    assert b"mood" in path.read_bytes()
    assert b"weather" in path.read_bytes()


def test_a_line_of_an_unknown_kind_is_refused_since_it_may_say_what_to_cover(tmp_path: Path) -> None:
    path = forged(tmp_path / "t", json.dumps({"vsanon_tracks": 1, **HEADER}), '{"hologram":1}')
    with pytest.raises(TrackFileError, match=r":2: .*unknown kind"):
        read_tracks(path)


GOOD = json.dumps({"vsanon_tracks": 1, **HEADER})
DEEP = "[" * 100_000 + "]" * 100_000


def header(**changed: Any) -> str:
    return json.dumps({"vsanon_tracks": 1, **HEADER, **changed})


PACKED = header(vsanon_tracks=3)


def packed(count: int, cut: int = 0, more: bytes = b"") -> str:
    body = bz2.compress(bytes(count))
    return base64.b64encode(body[: len(body) - cut] + more).decode()


HOSTILE: dict[str, tuple[list[str], str]] = {
    "another version": ([header(vsanon_tracks=4)], "version 4; this vsanon reads versions 1 to 3"),
    "not a track file": (['{"a":1}'], "not a track file"),
    "not JSON": (["hello"], ":1: not a line"),
    "a list": (["[]"], "an object was expected"),
    "frames of 10^18": ([header(frames=10**18)], "frames must be"),
    "frames of 10^5000": ([GOOD.replace('"frames": 3', '"frames": 1' + "0" * 5000)], ":1: not a line"),
    "frames true": ([header(frames=True)], "frames must be"),
    "size of nothing": ([header(size=[0, 9])], "size must be"),
    "fps by zero": ([header(fps="1/0")], "fps must be"),
    "fps huge": ([header(fps="1e999999999")], "fps must be"),
    "fps missing": (['{"vsanon_tracks":1,"frames":3,"size":[64,48]}'], "fps must be"),
    "cuts falling": ([header(cuts=[2, 1])], "cuts must be"),
    "cuts of an object": ([header(cuts=[{}])], "cuts must be"),
    "NaN score": ([GOOD, run_line(score=float("nan"))], "NaN is not a number"),
    "infinite score": ([GOOD, run_line().replace("0.5", "1e999")], "1e999 is not a number"),
    "huge box": ([GOOD, run_line(boxes=[0, 0, 8, 2**40])], "million pixels"),
    "least int64": ([GOOD, run_line(boxes=[-(2**63), 0, 8, 8])], "million pixels"),
    "box of 10^30": ([GOOD, run_line(boxes=[0, 0, 8, 10**30])], "whole numbers"),
    "sum of steps": ([GOOD, run_line(origins="ddd", boxes=[0, 0, 8, 8] + [2**23, 0, 2**23, 0] * 2)], "million"),
    "inside out": ([GOOD, run_line(boxes=[8, 0, 0, 8])], "inside out"),
    "fraction": ([GOOD, run_line(boxes=[0, 0, 8, 8.5])], "whole numbers"),
    "text in boxes": ([GOOD, run_line(boxes=[0, 0, 8, "8"])], "whole numbers"),
    "ragged boxes": ([GOOD, run_line(boxes=[[0, 0], [8]])], "whole numbers"),
    "boxes missing": ([GOOD, run_line(boxes=None)], "whole numbers"),
    "too few boxes": ([GOOD, run_line(origins="dd")], "8 whole numbers"),
    "past the end": ([GOOD, run_line(start=3)], "the clip has 3"),
    "start of 10^40": ([GOOD, run_line(start=10**40)], "the clip has 3"),
    "negative start": ([GOOD, run_line(start=-1)], "the clip has 3"),
    "unknown origin": ([GOOD, run_line(origins="x")], "origins must be"),
    "origin of two bytes": ([GOOD, run_line(origins="\u0434")], "origins must be"),
    "half a surrogate": ([GOOD, run_line(origins="\ud800")], "origins must be"),
    "track 0": ([GOOD, run_line(track=0)], "track must be"),
    "id 2^61": ([GOOD, run_line(id=2**61)], "id must be"),
    "class of 101 letters": ([GOOD, run_line(**{"class": "f" * 101})], "class must be"),
    "swatches short": ([GOOD, run_line(swatches="AAAA")], "swatches must be 75"),
    "swatches no base64": ([GOOD, run_line(swatches="\u00e9" * 100)], "swatches must be base64"),
    "swatches not packed": ([PACKED, run_line()], "swatches must be packed"),
    "swatches of fewer frames": ([PACKED, run_line(swatches=packed(74))], "75 bytes for each of 1 frames"),
    "swatches of more frames": ([PACKED, run_line(swatches=packed(76))], "75 bytes for each of 1 frames"),
    "swatches cut short": ([PACKED, run_line(swatches=packed(75, 8))], "75 bytes for each of 1 frames"),
    "swatches and more": ([PACKED, run_line(swatches=packed(75, more=b"x"))], "75 bytes for each of 1 frames"),
    "deep": ([GOOD, DEEP], ":2: not a line"),
    "deep in a key": ([GOOD, '{"id":' + DEEP + "}"], ":2: not a line"),
    "edit of nobody": ([GOOD, json.dumps({**EDIT, "by": ""})], "has no by"),
    "edit number 0": ([GOOD, json.dumps({**EDIT, "edit": 0})], "edit must be"),
    "line after the end": ([GOOD, '{"end":0,"sha256":""}'], "SHA-256"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_the_line_and_the_reason(name: str, tmp_path: Path) -> None:
    lines, message = HOSTILE[name]
    with pytest.raises(TrackFileError, match=message) as caught:
        read_tracks(forged(tmp_path / "t", *lines))
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_a_file_cut_short_at_any_byte_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "t").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(TrackFileError):
            read_tracks(tmp_path / "cut")


@given(st.integers(0), st.integers(1, 255))
def test_a_damaged_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, at: int, flip: int) -> None:
    path = written(tmp_path_factory.mktemp("damaged") / "t")
    whole = bytearray(path.read_bytes())
    whole[at % (len(whole) - 1)] ^= flip
    path.write_bytes(bytes(whole))
    with pytest.raises(TrackFileError):
        read_tracks(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrackFileError, match="No such file"):
        read_tracks(tmp_path / "none")
    with pytest.raises(TrackFileError, match="directory"):
        read_tracks(tmp_path)


def test_names_in_a_file_are_never_opened(tmp_path: Path) -> None:
    lines = header(models=["../../etc/passwd"], source_filter="/dev/zero")
    assert len(read_tracks(forged(tmp_path / "t", lines))) == 3


def test_a_billion_boxes_are_refused_before_they_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackfile, "MAX_BOXES", 2)
    with pytest.raises(TrackFileError, match=":4: more than 2 boxes"):
        read_tracks(forged(tmp_path / "t", GOOD, run_line(), run_line(id=5), run_line(id=6)))
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.write(GOOD.encode() + b"\n")
        file.truncate(2**34)
    with pytest.raises(TrackFileError, match="larger than"):
        read_tracks(sparse)


@pytest.mark.slow
def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(GOOD.encode() + b"\n" + b'{"id":[' + b"1," * 2**26)
    code = (
        "import resource, sys, pathlib; from vsanon.tracks.file import read_tracks\n"
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_tracks(pathlib.Path(sys.argv[1]))\n"
        "except Exception as e: print(type(e).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    name, grown_kib = out.split()
    assert name == "TrackFileError"
    assert int(grown_kib) < 100 * 1024


def test_not_every_frame_added_writes_nothing(tmp_path: Path) -> None:
    writer = TrackWriter(HEADER)
    writer.add(boxes())
    with pytest.raises(TrackFileError, match="1 of 3 frames"):
        writer.write(tmp_path / "t")
    assert not (tmp_path / "t").exists()


def long_table(path: Path, frames: int, people: int, block: int) -> TrackTable:
    """A file of people who shake and drift, under a new name in every block, each in colours of their own."""
    writer = TrackWriter({**HEADER, "frames": frames, "size": [1920, 1080]})
    step = np.random.default_rng(1).integers(-12, 13, (frames, people, 2))[..., [0, 1, 0, 1]]
    place = np.cumsum(step, axis=0) // 10 / 8 + np.arange(people)[:, None] * 200 + [0, 0, 90, 110]
    colours = np.broadcast_to(np.arange(people, dtype=np.uint8)[:, None, None, None] * 20, (people, 5, 5, 3))
    for n in range(frames):
        shown = boxes(*((n // block * people + k, *place[n, k]) for k in range(people)))
        writer.add(replace(shown, swatches=colours))
    writer.write(path)
    return read_tracks(path)


@pytest.mark.slow
def test_ten_minutes_with_eight_faces_a_frame_stay_small(tmp_path: Path) -> None:
    table = long_table(tmp_path / "t", 15_000, 8, 31)
    assert len(table.xyxy) == 120_000
    assert set(table.tracks.tolist()) == set(range(1, 9))
    assert (tmp_path / "t").stat().st_size < 25 * 120_000


@pytest.mark.parametrize("miniatures", [False, True])
def test_what_was_added_lies_on_the_disk_and_not_in_memory(miniatures: bool) -> None:
    """Of four people under new names each 16 frames, a quarter of a run a frame, five numbers of 8 bytes a run
    stay: 10 bytes a frame, and up to an eighth more as they come; and of a block of 256 miniatures its place.
    """
    writer, shape = TrackWriter({**HEADER, "frames": 10**6}), (24, 32)

    def add(first: int, stop: int) -> None:
        for n in range(first, stop):
            shown = boxes(*((n // 16 * 4 + k, 9 * k, n % 7, 9 * k + 8, n % 7 + 8) for k in range(4)))
            writer.add(shown, miniature=np.full(shape, n % 99, np.uint16) if miniatures else None)

    tracemalloc.start()
    try:
        add(0, 2048)
        before = tracemalloc.get_traced_memory()[0]
        add(2048, 4096)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown / 2048 < 16


def test_colours_that_change_little_by_little_are_one_run_and_a_jump_begins_another(tmp_path: Path) -> None:
    """By 8 codes a frame, then by 9: the name has gone over to another track."""
    writer = TrackWriter({**HEADER, "frames": 4})
    for value in (10, 18, 26, 35):
        here = boxes((4, 1, 2, 11, 12))
        writer.add(replace(here, swatches=np.full((1, 5, 5, 3), value, np.uint8)))
    writer.write(tmp_path / "t")
    table = read_tracks(tmp_path / "t")
    assert [int(table.at(n).swatches.max()) for n in range(4)] == [10, 18, 26, 35]
    assert table.runs.tolist() == [0, 0, 0, 1]
