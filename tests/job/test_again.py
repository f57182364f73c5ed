"""Rendered again after an edit: only what it touches is encoded, and the file is that of a whole render."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner

from tests.support.clips import found, use
from tests.support.odd_files import made
from vsanon import Search
from vsanon.cli.main import main
from vsanon.encode import presets, spliced
from vsanon.encode.spliced import Stretch
from vsanon.errors import CheckError, InputError
from vsanon.farm import chunks, make_plan
from vsanon.farm.join import join_file
from vsanon.farm.listing import Job
from vsanon.job import again, ledger, region_digests
from vsanon.job.again import earlier_at, stretches_of
from vsanon.job.ledger import Painting
from vsanon.job.pipeline import analyze_file, render_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery
from vsanon.media import packet_hashes
from vsanon.media.source import open_source
from vsanon.timing import FrameRange
from vsanon.tracks import edits, write_edits
from vsanon.tracks.edit_kinds import Drop, Expose
from vsanon.tracks.file import read_tracks

SPAN = 20
"""Frames of a digest here, instead of 100: films of two seconds have three."""

BOX = (40, 24, 80, 56)
FACES = Settings(search=Search(classes=("face",)), preset="prores_proxy")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """46 frames of 25 a second from 10:00:00:00, with a tone."""
    inputs = ("-f", "lavfi", "-i", "testsrc2=s=128x80:r=25:d=1.84", "-f", "lavfi", "-i", "sine=r=48000:d=1.84")
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "12", "-c:a", "pcm_s16le")
    return made(tmp_path_factory.mktemp("again") / "in.mov", *inputs, *coded, "-timecode", "10:00:00:00")


@pytest.fixture(scope="module")
def delivered(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the track file of the source, and what was rendered from it."""
    folder = tmp_path_factory.mktemp("delivered")
    with pytest.MonkeyPatch.context() as patch:
        faces(patch)
        analyze_file(source, folder / "in.mov.vsanon", FACES)
        render_file(source, folder / "in.mov.vsanon", folder / "out.mov", FACES)
    return folder


def faces(patch: pytest.MonkeyPatch) -> None:
    use(patch, lambda rgb: found([BOX]))
    for module in (again, region_digests):
        patch.setattr(module, "SPAN", SPAN)


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    faces(monkeypatch)


@pytest.fixture
def tracks(delivered: Path, tmp_path: Path) -> Path:
    """The track file, with what was rendered from it beside."""
    shutil.copytree(delivered, tmp_path, dirs_exist_ok=True)
    return tmp_path / "in.mov.vsanon"


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames each run of the encoder was handed."""
    counts: list[int] = []
    real = spliced.encode

    def counted(frames: Iterator[Any], *arguments: Any, **named: Any) -> Any:
        kept = list(frames)
        counts.append(len(kept))
        return real(iter(kept), *arguments, **named)

    monkeypatch.setattr(spliced, "encode", counted)
    return counts


def exposed(tracks: Path, start: int, stop: int) -> None:
    track = int(read_tracks(tracks).tracks[0])
    write_edits.add(tracks, [Expose(track, FrameRange(start, stop))], by="A", reason="asked for")


def packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(str(path)) as file:
        return [(p.pts, p.dts, bytes(p)) for p in file.demux(file.streams.video[0]) if p.size]


def sound(path: Path) -> list[Any]:
    return [(entry.sha256, entry.start) for entry in packet_hashes(path) if entry.index]


def test_a_colour_of_the_surroundings_has_the_frames_beside_an_edit_encoded_too(
    source: Path, tracks: Path, tmp_path: Path, encoded: list[int]
) -> None:
    """What lies around in frames 16 and 17 lends its colour to 12 frames to either side, over the border at 20."""
    settings = replace(FACES, fill="surroundings")
    output, whole = tmp_path / "toned.mov", tmp_path / "whole.mov"
    render_file(source, tracks, output, settings)
    exposed(tracks, 16, 18)
    encoded.clear()
    render_file(source, tracks, output, settings, again=True)
    assert encoded == [40]
    render_file(source, tracks, whole, settings)
    assert packets(output) == packets(whole)


@pytest.mark.parametrize("preset", ["prores_proxy", pytest.param("ffv1", marks=pytest.mark.slow)])
def test_an_edit_of_two_frames_has_their_twenty_encoded_and_the_packets_of_a_whole_render(
    preset: str, source: Path, tracks: Path, tmp_path: Path, encoded: list[int]
) -> None:
    settings = replace(FACES, preset=preset)
    output = tmp_path / f"out.{'mkv' if preset == 'ffv1' else 'mov'}"
    whole = tmp_path / f"whole{output.suffix}"
    if preset != FACES.preset:
        render_file(source, tracks, output, settings)
    before = ledger.read(ledger.path_of(output))["output"]["sha256"]
    exposed(tracks, 24, 26)
    said: list[str] = []
    book = render_file(source, tracks, output, settings, again=True, say=said.append)
    assert encoded == [20]
    assert "encoded anew: frames 20 to 39; the packets of all others are those of the file before" in said
    single = render_file(source, tracks, whole, settings)
    assert packets(output) == packets(whole)
    assert sound(output) == sound(whole)
    assert [(part["start"], part["taken_over"]) for part in book["again"]["list"]] == [
        (0, True), (20, False), (40, True),
    ]  # fmt: skip
    assert book["again"]["output_sha256"] == before
    # A part of a film is read with an index, a whole one without.
    vary = {"started", "finished", "output", "ffmpeg_command", "again", "decoded_by"}
    assert {k: v for k, v in book.items() if k not in vary} == {k: v for k, v in single.items() if k not in vary}
    assert [check for check in verify_delivery(output, source, tracks=tracks) if not check.passed] == []


@pytest.mark.slow
def test_long_groups_of_pictures_are_joined_at_the_chunks_of_a_farm(
    source: Path, tracks: Path, tmp_path: Path, encoded: list[int]
) -> None:
    settings = replace(FACES, preset="h264_crf")
    (tmp_path / "farm").mkdir()

    def farmed(name: str) -> Path:
        job = Job(source, tmp_path / "farm" / f"{name}.mp4")
        found = make_plan.make(
            [job], tmp_path / f"{name}.json", settings, chunk_seconds=0.4, work="render", tracks=lambda _: tracks
        )
        for unit in found.units:
            chunks.do(found, unit)
        join_file(found, found.files[0])
        return job.output

    output = farmed("out")
    exposed(tracks, 24, 26)
    render_file(source, tracks, output, settings, again=True)
    assert encoded == [10, 10]  # the chunks that share a digest with frames 24 and 25: 20 to 39
    assert packets(output) == packets(farmed("whole"))
    assert [c for c in verify_delivery(output, source, tracks=tracks) if not c.passed] == []
    exposed(tracks, 42, 44)
    render_file(source, tracks, output, settings, again=True)  # its ledger has the borders still
    assert encoded[2:] == [6]


@pytest.mark.slow
def test_a_file_of_long_groups_that_was_not_made_in_chunks_is_encoded_as_a_whole_and_it_is_said(
    source: Path, tracks: Path, tmp_path: Path, encoded: list[int]
) -> None:
    settings, plain, said = replace(FACES, preset="h264_crf"), tmp_path / "plain.mp4", list[str]()
    render_file(source, tracks, plain, settings)
    exposed(tracks, 2, 4)
    book = render_file(source, tracks, plain, settings, again=True, say=said.append)
    assert any(
        "all is encoded anew: libx264 encodes groups of pictures, and the file before was not made in chunks"
        in line
        for line in said
    )
    assert "again" not in book
    assert encoded == []
    render_file(source, tracks, plain, settings, again=True, say=said.append)
    assert said[-1:] == ["no frame is covered otherwise than before: no picture is encoded anew"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"preset": {"encoder": "another"}}, "encoded otherwise, by the preset prores_proxy"),
        ({"source": {"sha256": "0" * 64}}, "made of another source"),
        ({"versions": {"ffmpeg": "1.0"}}, "other versions of vsanon, of ffmpeg"),
        ({"video": {"track": 2}}, "has another picture"),
        ({"painting": {"fill": "surroundings"}}, "every part of it is covered otherwise"),
    ],
)
def test_what_was_made_otherwise_is_not_taken_over(
    change: dict[str, Any], why: str, source: Path, tracks: Path
) -> None:
    earlier = earlier_at(tracks.with_name("out.mov"))
    assert earlier is not None
    book = dict(earlier.book)
    ((name, values),) = change.items()
    if name == "painting":
        book["regions"] = {"hmac_sha256": ["0" * 64] * 3}
    else:
        book[name] = {**book[name], **values}
    opened, table = open_source(source), edits.apply(read_tracks(tracks))
    preset, painting = presets.load(FACES.preset), Painting.of(book["painting"])
    for before, expected in ((earlier, ""), (replace(earlier, book=book), why)):
        found = again.plan(
            before, opened, earlier.book["source"]["sha256"], table, None,
            painting=painting, preset=preset, pix_fmt="yuv420p",
        )  # fmt: skip
        assert expected in found.why_all
        assert bool(expected) == bool(found.why_all)
        assert [stretch.taken for stretch in found.stretches] == [not expected]


def test_what_lies_at_the_output_and_is_not_what_its_ledger_says_is_left_alone(
    source: Path, tracks: Path, tmp_path: Path
) -> None:
    mine, output = tmp_path / "mine.mov", tmp_path / "out.mov"
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match="has no ledger, so that nothing is known of it"):
        render_file(source, tracks, mine, FACES, again=True)
    assert mine.read_bytes() == b"mine"
    content = output.read_bytes() + b"\0\0\0\x08free"
    output.write_bytes(content)
    with pytest.raises(InputError, match="its ledger speaks of other bytes"):
        render_file(source, tracks, output, FACES, again=True)
    assert output.read_bytes() == content
    with pytest.raises(InputError, match="images are not rendered again in part"):
        earlier_at(tmp_path / "images" / "shot.%06d.dpx")


def test_a_forged_file_and_ledger_whose_frames_are_bare_are_not_taken_over(
    source: Path, tracks: Path, tmp_path: Path
) -> None:
    """The digests of a ledger are believed for what need not be encoded, and never for what a file shows."""
    output, bare = tmp_path / "out.mov", tmp_path / "bare.mov"
    other = tmp_path / "bare.vsanon"
    other.write_bytes(tracks.read_bytes())
    track = int(read_tracks(other).tracks[0])
    write_edits.add(other, [Drop(track)], by="A", reason="forged")
    render_file(source, other, bare, FACES)
    path = ledger.path_of(output)
    book, theirs = json.loads(path.read_text()), json.loads(ledger.path_of(bare).read_text())
    path.write_text(json.dumps({**book, "output": theirs["output"]}))
    output.write_bytes(bare.read_bytes())
    with pytest.raises(CheckError, match="was not delivered"):
        render_file(source, tracks, output, FACES, again=True)
    assert output.read_bytes() == bare.read_bytes()


def test_stretches_follow_digests_and_borders() -> None:
    assert stretches_of([True, True, False], [0, 20, 40], 46, merged=True) == (
        Stretch(FrameRange(0, 40), taken=True),
        Stretch(FrameRange(40, 46), taken=False),
    )
    told = again.Plan(stretches_of([False, False, True, False], [0, 20, 40, 60], 61, merged=False), ()).told
    assert told.startswith("encoded anew: frames 0 to 39, 60 to 60;")


@pytest.mark.parametrize("starts", [[], [5, 20], [0, 30, 20], [0, 46]])
def test_borders_that_are_none_are_refused(starts: list[int]) -> None:
    with pytest.raises(InputError, match="its parts are not those of its 46 frames"):
        again.borders_of({"chunks": {"list": [{"start": start} for start in starts]}}, 46)


@pytest.mark.slow
def test_the_command_renders_again_also_a_part_by_timecode(source: Path, tracks: Path, tmp_path: Path) -> None:
    output = tmp_path / "part.mov"
    argv = ["render", source, output, "--tracks", tracks, "--preset", "prores_proxy", "--trim"]
    argv += ["--from", "10:00:00:10", "--to", "10:00:01:20"]
    assert CliRunner().invoke(main, [str(a) for a in argv]).exit_code == 0
    exposed(tracks, 20, 22)
    assert CliRunner().invoke(main, [*map(str, argv), "--again", "--overwrite"]).exit_code == 2
    done = CliRunner().invoke(main, [*map(str, argv), "--again"])
    assert done.exit_code == 0, done.output
    assert "encoded anew: frames 0 to 19;" in done.output  # of the part: frames 10 to 29 of the source
    assert ledger.read(ledger.path_of(output))["frames"] == 35
    assert [c for c in verify_delivery(output, source, tracks=tracks) if not c.passed] == []
