"""A film in chunks is the film in one go: planned, done by whoever, killed and done again, joined, verified."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner

from tests.support.clips import blobs, use
from tests.support.footage import blob
from vsanon import Search, stops
from vsanon.cli.main import main
from vsanon.encode import presets
from vsanon.errors import CheckError, InputError
from vsanon.farm import chunk_files, chunks, join, make_plan, plan, plan_file
from vsanon.farm.join import join_file
from vsanon.farm.listing import Job
from vsanon.files import sha256_of
from vsanon.job import ledger
from vsanon.job.pipeline import analyze_file, anonymize_file, render_file
from vsanon.job.progress import quiet
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery
from vsanon.media import packet_hashes
from vsanon.timing import FrameRange
from vsanon.tracks.file import read_tracks, rewrite_edits

pytestmark = pytest.mark.slow

FACES = Settings(search=Search(classes=("face",)), preset="prores_hq")
PLANNED = (FrameRange(0, 15), FrameRange(15, 30), FrameRange(30, 50))
"""50 frames of 25 a second in chunks of 0.6 s; the last 5 are too few for one of their own."""


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "in.mov"
    coded = ("-c:v", "libx264", "-crf", "12", "-c:a", "pcm_s16le", "-timecode", "10:00:00:00")
    return blob(path, *coded, frames=50, size=(240, 128))


def planned(source: Path, out: Path, settings: Settings = FACES, **options: Any) -> plan.Plan:
    out.parent.mkdir(parents=True, exist_ok=True)
    return make_plan.make([Job(source, out)], out.parent / "farm.json", settings, chunk_seconds=0.6, **options)


def packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(str(path)) as file:
        return [(p.pts, p.dts, bytes(p)) for p in file.demux(file.streams.video[0]) if p.size]


def sound(path: Path) -> list[tuple[Any, ...]]:
    found = [entry for entry in packet_hashes(path) if entry.index]
    return [(entry.sha256, entry.start) for entry in found]


VARY = ("started", "finished", "decoded_by", "output", "ffmpeg_command", "chunks", "checks")


def same_book(chunked: dict[str, Any], single: dict[str, Any]) -> None:
    """All that a ledger tells is that of a single run, but for times, the output's hash, and the chunks."""
    assert {k: v for k, v in chunked.items() if k not in VARY} == {k: v for k, v in single.items() if k not in VARY}
    checks = {check["name"]: check for check in chunked["checks"]}
    assert all(check["passed"] for check in chunked["checks"])
    assert [checks[check["name"]] for check in single["checks"]] == single["checks"]


def test_a_film_in_chunks_has_the_packets_the_sound_and_the_ledger_of_one_run(source: Path, tmp_path: Path) -> None:
    anonymize_file(source, tmp_path / "single.mov", FACES)
    made = planned(source, tmp_path / "farm" / "out.mov")
    assert made.files[0].chunks == PLANNED
    assert [chunks.do(made, unit) for unit in reversed(made.units)] == ["made"] * 3
    assert [chunks.do(made, unit) for unit in made.units] == ["kept"] * 3
    book = join_file(made, made.files[0])
    assert book is not None
    output = made.files[0].output
    assert packets(output) == packets(tmp_path / "single.mov")
    assert sound(output) == sound(tmp_path / "single.mov")
    single = ledger.read(ledger.path_of(tmp_path / "single.mov"))
    same_book(book, {**single, "output": {}})
    assert [(own["start"], own["stop"]) for own in book["chunks"]["list"]] == [(0, 15), (15, 30), (30, 50)]
    assert [check for check in verify_delivery(output, source) if not check.passed] == []
    book["chunks"]["list"][1]["start"] += 1
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(book))
    (wrong,) = (check for check in verify_delivery(output, source, forged) if not check.passed)
    assert wrong.found == "chunks: [0, 16, 30, 50], it is [0, 15, 30, 50]"
    assert join_file(made, made.files[0]) is None  # it was delivered by this plan
    assert not made.folder.exists()


def test_in_a_codec_of_long_groups_the_frames_handed_to_the_encoder_are_the_same_and_it_is_said(
    source: Path, tmp_path: Path
) -> None:
    settings = replace(FACES, preset="h264_crf")
    made = planned(source, tmp_path / "out.mp4", settings)
    assert [chunks.do(made, unit) for unit in made.units] == ["made"] * 3
    book = join_file(made, made.files[0])
    assert book is not None
    assert "begins its rate control anew" in book["chunks"]["encode"]
    with av.open(str(made.files[0].output)) as file:
        keys = [p.pts for p in file.demux(file.streams.video[0]) if p.size and p.is_keyframe]
        base = file.streams.video[0].time_base
    assert base is not None
    assert {0, 15, 30} <= {round(pts * base * 25) for pts in keys if pts is not None}
    assert all(check.passed for check in verify_delivery(made.files[0].output, source))
    one = make_plan.make([Job(source, tmp_path / "one.mp4")], tmp_path / "one.json", settings, chunk_seconds=99)
    whole = handed(one)
    parts = planned(source, tmp_path / "again" / "out.mp4", settings)
    assert b"".join(whole) == b"".join(handed(parts))
    assert len(whole) == 1


def handed(made: plan.Plan) -> list[bytes]:
    """What each chunk hands to its encoder."""
    found: list[bytes] = []

    def taken(frames: Iterator[Any], *_: Any, **__: Any) -> None:
        found.append(b"".join(plane.tobytes() for planes in frames for plane in planes))
        raise CheckError("this is enough")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "encode", taken)
        for unit in made.units:
            with pytest.raises(CheckError, match="this is enough"):
                chunks.do(made, unit)
    return found


def test_analysed_in_chunks_corrected_by_hand_and_rendered_in_chunks(source: Path, tmp_path: Path) -> None:
    analyze_file(source, tmp_path / "single.vsanon", FACES)
    analysis = planned(source, tmp_path / "a" / "in.mov.vsanon", work="analyze")
    for unit in analysis.units:
        chunks.do(analysis, unit)
    assert join_file(analysis, analysis.files[0]) is None
    tracks = analysis.files[0].output
    assert tracks.read_bytes() == (tmp_path / "single.vsanon").read_bytes()
    assert join_file(analysis, analysis.files[0]) is None  # it is there
    first = read_tracks(tracks).tracks[0]
    edit = {"edit": 1, "op": "drop", "by": "A", "at": "2026-01-01T00:00:00+00:00", "reason": "a lamp"}
    rewrite_edits(tracks, [{**edit, "track": int(first), "start": 20, "stop": 40}])
    render_file(source, tracks, tmp_path / "single.mov", FACES)
    rendering = planned(source, tmp_path / "r" / "out.mov", work="render", tracks=lambda _: tracks)
    for unit in rendering.units:
        chunks.do(rendering, unit)
    book = join_file(rendering, rendering.files[0])
    assert book is not None
    assert packets(rendering.files[0].output) == packets(tmp_path / "single.mov")
    same_book(book, {**ledger.read(ledger.path_of(tmp_path / "single.mov")), "output": {}})
    checks = verify_delivery(rendering.files[0].output, source, tracks=tracks)
    assert [check for check in checks if not check.passed] == []


def test_a_chunk_that_was_damaged_or_cut_short_is_made_again_and_never_joined(source: Path, tmp_path: Path) -> None:
    made = planned(source, tmp_path / "out.mov")
    for unit in made.units:
        chunks.do(made, unit)
    where = chunk_files.files_of(made, made.units[1])
    assert where.picture is not None
    content = where.picture.read_bytes()
    where.picture.write_bytes(content[:-1])
    with pytest.raises(
        InputError,
        match=r"1 of 3 chunks .* not done: run `vsanon farm chunk .* 0000-00001`; of 1 of them files are there",
    ):
        join_file(made, made.files[0])
    assert not made.files[0].output.exists()
    assert chunks.do(made, made.units[1]) == "made"
    assert where.picture.read_bytes() == content


def test_what_lies_at_the_output_is_replaced_where_it_is_asked_for_and_a_forged_record_of_the_paint_is_said(
    source: Path, tmp_path: Path
) -> None:
    made = planned(source, tmp_path / "it's" / "out.mov")
    for unit in made.units:
        chunks.do(made, unit)
    made.files[0].output.write_bytes(b"mine")
    argv = ["farm", "join", str(made.path), "--keep-chunks"]
    refused = CliRunner().invoke(main, argv)
    assert "give --overwrite" in refused.output
    where = chunk_files.files_of(made, made.units[1])
    assert where.paint is not None
    paint, book = where.paint.read_bytes(), json.loads(where.ledger.read_text())
    for damaged in (paint[:4] + b"\0" + paint[5:], paint[:-3]):
        where.paint.write_bytes(damaged)
        book["files"]["paint"] = sha256_of(damaged)
        where.ledger.write_text(json.dumps(book))
        with pytest.raises(CheckError, match=r"can't be read: remove .*0000, and do them again"):
            join_file(made, made.files[0], overwrite=True)
    assert made.files[0].output.read_bytes() == b"mine"
    where.paint.write_bytes(paint)
    book["files"]["paint"] = sha256_of(paint)
    where.ledger.write_text(json.dumps(book))
    assert CliRunner().invoke(main, [*argv, "--overwrite"]).exit_code == 0
    assert packets(made.files[0].output)


def test_chunks_that_do_not_agree_at_their_border_are_not_joined(source: Path, tmp_path: Path) -> None:
    made = planned(source, tmp_path / "out.mov")
    for unit in made.units:
        chunks.do(made, unit)
    where = chunk_files.files_of(made, made.units[1]).ledger
    book = json.loads(where.read_text())
    where.write_text(json.dumps({**book, "borders": {**book["borders"], "next": "0" * 64}}))
    with pytest.raises(CheckError, match="0000-00001 and 0000-00002 do not agree on frame 30") as refused:
        join_file(made, made.files[0])
    assert chunks.do(made, made.units[1]) == "kept"
    for unit in made.units[1:3]:
        ledger = chunk_files.files_of(made, unit).ledger
        assert str(ledger) in str(refused.value)
        ledger.unlink()
        assert chunks.do(made, unit) == "made", "as it says: remove it, and do it again"
    join_file(made, made.files[0])
    assert made.files[0].output.exists()


def test_another_source_other_versions_and_other_models_are_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(shutil.copy(source, tmp_path / "in.mov"))
    made = planned(own, tmp_path / "out.mov")
    chunks.do(made, made.units[0])
    told = json.loads(made.path.read_text())
    told["versions"]["ffmpeg"] = "another"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"made with ffmpeg another, and this machine has"):
        chunks.do(plan_file.read(other), made.units[1])
    told = json.loads(made.path.read_text())
    told["files"][0]["header"]["models"][0]["sha256"] = "0" * 64
    other.write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"made with the models \S+ \(00000000\), and this machine has"):
        chunks.do(plan_file.read(other), made.units[1])
    content = bytearray(own.read_bytes())
    content[len(content) // 2] ^= 1
    own.write_bytes(content)
    with pytest.raises(InputError, match="is not the file that the plan was made for"):
        chunks.do(made, made.units[1])
    assert chunks.do(made, made.units[0]) == "kept"
    with pytest.raises(InputError):
        join_file(made, made.files[0])


def test_chunks_of_a_plan_that_was_made_anew_are_not_taken_for_its_own(source: Path, tmp_path: Path) -> None:
    made = planned(source, tmp_path / "out.mov")
    chunks.do(made, made.units[0])
    anew = planned(source, tmp_path / "out.mov", replace(FACES, profile="soft"), overwrite=True)
    assert chunk_files.book_of(anew, anew.units[0]) is None
    assert chunks.do(anew, anew.units[0]) == "made"


def test_a_plan_whose_chunks_leave_a_frame_out_or_take_one_twice_is_none(source: Path, tmp_path: Path) -> None:
    made = planned(source, tmp_path / "out.mov")
    told = json.loads(made.path.read_text())
    for spans in ([[0, 15], [16, 50]], [[0, 15], [14, 50]], [[0, 15], [15, 49]], [[15, 50], [0, 15]]):
        told["files"][0]["chunks"] = spans
        made.path.write_text(json.dumps(told))
        with pytest.raises(InputError, match="the chunks of 0000 are not its 50 frames, each once"):
            plan_file.read(made.path)


@pytest.mark.parametrize("preset", ["ffv1", "dnxhr_hq", "dnxhr_hq_mxf", "png"])
def test_intra_codecs_join_without_encoding_again(source: Path, tmp_path: Path, preset: str) -> None:
    big = blob(
        tmp_path / "in.mov", "-c:v", "libx264", "-crf", "12", "-c:a", "pcm_s16le", frames=12, size=(256, 144)
    )
    del source
    settings = replace(FACES, preset=preset)
    suffix = presets.load(preset).suffix
    names = [f"x/f.%06d{suffix}", f"y/f.%06d{suffix}"] if preset == "png" else [f"x{suffix}", f"y{suffix}"]
    single, out = (tmp_path / name for name in names)
    anonymize_file(big, single, settings)
    made = make_plan.make([Job(big, out)], tmp_path / "p.json", settings, chunk_seconds=0.2)
    assert len(made.units) == 2
    for unit in made.units:
        chunks.do(made, unit)
    assert join_file(made, made.files[0]) is not None
    if preset == "png":
        pairs = [
            ((single.parent / (single.name % n)).read_bytes(), (out.parent / (out.name % n)).read_bytes())
            for n in range(1, 13)
        ]
        assert all(a == b for a, b in pairs)
        assert len(list(out.parent.iterdir())) == 12
    else:
        assert packets(out) == packets(single)


@pytest.mark.parametrize("moment", ["a frame is covered", "the chunk is checked", "the ledger is written"])
def test_a_chunk_that_is_stopped_at_any_moment_counts_for_nothing_and_is_made_by_the_next_try(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    made = planned(source, tmp_path / "out.mov")
    unit = made.units[1]

    def stopping(*_: Any, **__: Any) -> Any:
        raise stops.Stopped(15)

    with monkeypatch.context() as patch:
        if moment == "the chunk is checked":
            patch.setattr(chunks, "verify_file", stopping)
        if moment == "the ledger is written":
            patch.setattr(chunks.Target, "deliver", stopping)
        with pytest.raises(stops.Stopped):
            chunks.do(made, unit, progress=stopping if moment == "a frame is covered" else quiet)
    assert chunk_files.book_of(made, unit) is None
    assert not chunk_files.is_busy(made, unit)
    assert [p.name for p in (made.folder / "0000").iterdir() if p.suffix != ".lock"] == []
    assert chunks.do(made, unit) == "made"


def test_a_join_that_is_stopped_leaves_nothing_at_the_output_and_the_chunks_where_they_are(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned(source, tmp_path / "out.mov")
    for unit in made.units:
        chunks.do(made, unit)

    def stopping(*_: Any, **__: Any) -> Any:
        raise stops.Stopped(15)

    with monkeypatch.context() as patch:
        patch.setattr(join, "verify_file", stopping)
        with pytest.raises(stops.Stopped):
            join_file(made, made.files[0])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["farm.chunks", "farm.json"]
    assert join_file(made, made.files[0]) is not None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["farm.json", "out.mov", "out.mov.ledger.json"]
