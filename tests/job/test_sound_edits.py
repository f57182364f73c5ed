"""Sound that people mute or bleep: silence or a tone where they say, the source's samples everywhere else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.job.test_sound_checks import AT_0, PRESETS, noisy, transcoded
from tests.support.footage import blob
from tests.support.media_clips import timeline
from tests.support.odd_files import H264
from vsanon.cli.main import main
from vsanon.detectors.search import Search
from vsanon.encode import CopyPlan, Sound, SoundChange, is_lossless, run
from vsanon.errors import CheckError, InputError, TrackFileError
from vsanon.job import ledger, records, rendering
from vsanon.job.pipeline import analyze_file, render_file
from vsanon.job.settings import Settings
from vsanon.job.sound_edit_checks import check_edited
from vsanon.job.sound_edits import with_edits
from vsanon.job.verify import verify_delivery
from vsanon.media import probe
from vsanon.media.sound import blocks, sound_start
from vsanon.reporting import certificate
from vsanon.reporting.facts import ReportFacts
from vsanon.timing import FrameRange
from vsanon.tracks import write_edits
from vsanon.tracks.edit_kinds import Bleep, Edit, Expose, Mute
from vsanon.tracks.edit_lines import parse, record

MUTED = SoundChange("mute", 1, Fraction(1, 5), Fraction(2, 5))
BLEEPED = replace(MUTED, kind="bleep")
FROM, TO = 9600, 19200
"""Samples of the span at 48 kHz; it is changed for a millisecond, 48 samples, more at either end."""


def heard(path: Path) -> np.ndarray:
    return np.concatenate(list(blocks(sound_start(path, None))), axis=1)


def results(source: Path, out: Path, plan: CopyPlan, *changes: SoundChange) -> Mapping[str, bool]:
    (stream, codec), *_ = plan.streams
    firsts = probe(source).streams[0].start or AT_0, probe(out).streams[0].start or AT_0
    rows = check_edited((source, stream.index), (out, 0), codec, changes, firsts, None)
    return {name.rpartition(": ")[2]: passed for name, passed, _, _ in rows}


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "pcm_f32le", "flac"])
@pytest.mark.parametrize("change", [MUTED, BLEEPED])
def test_sound_that_loses_nothing_is_changed_in_the_span_and_the_same_sample_for_sample_elsewhere(
    tmp_path: Path, codec: str, change: SoundChange
) -> None:
    source = noisy(tmp_path / "in.mkv", codec)
    out = tmp_path / "out.mkv"
    plan = transcoded(source, out, PRESETS["ffv1"], Sound(changes=(change,)))
    assert plan.streams[0][1] == codec
    assert "the same, sample for sample" in plan.notes[0]
    was, now = heard(source), heard(out)
    assert was.shape == now.shape
    assert np.array_equal(was[:, : FROM - 96], now[:, : FROM - 96])
    assert np.array_equal(was[:, TO + 96 :], now[:, TO + 96 :])
    span = now[:, FROM:TO]
    if change.kind == "mute":
        assert not span.any()
    else:
        # A sine of -20 dB: its square is half of 0.1 squared.
        assert np.mean(span**2) == pytest.approx(0.005, rel=0.01)
    assert results(source, out, plan, change) == {"begins": True, "spans": True, "the rest": True}


def test_what_a_lossy_codec_holds_is_encoded_once_more_and_silent_in_the_span(tmp_path: Path) -> None:
    source = noisy(tmp_path / "in.mp4", "aac")
    out = tmp_path / "out.mp4"
    plan = transcoded(source, out, PRESETS["h264_crf"], Sound(changes=(MUTED,)))
    assert plan.streams[0][1] == "aac"
    assert "encoded once more" in plan.notes[0]
    assert not is_lossless("aac")
    assert results(source, out, plan, MUTED) == {"begins": True, "spans": True, "the rest": True}


@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
@pytest.mark.parametrize(
    ("done", "asked", "wrong"),
    [
        (replace(MUTED, start=Fraction(1, 2), stop=Fraction(11, 20)), MUTED, "spans"),
        (replace(MUTED, stop=Fraction(3, 10)), MUTED, "spans"),
        (MUTED, BLEEPED, "spans"),
        (BLEEPED, MUTED, "spans"),
    ],
    ids=["elsewhere", "too short", "mute for bleep", "bleep for mute"],
)
def test_a_span_that_is_not_what_was_asked_for_is_noticed(
    tmp_path: Path, codec: str, done: SoundChange, asked: SoundChange, wrong: str
) -> None:
    source = noisy(tmp_path / "in.mp4" if codec == "aac" else tmp_path / "in.mov", codec)
    out = tmp_path / ("out.mp4" if codec == "aac" else "out.mov")
    plan = transcoded(
        source, out, PRESETS["h264_crf" if codec == "aac" else "prores_proxy"], Sound(changes=(done,))
    )
    assert not results(source, out, plan, asked)[wrong]


def test_more_than_the_span_that_was_changed_is_noticed(tmp_path: Path) -> None:
    source, out = noisy(tmp_path / "in.mov", "pcm_s16le"), tmp_path / "out.mov"
    wider = replace(MUTED, stop=Fraction(1, 2))
    plan = transcoded(source, out, PRESETS["prores_proxy"], Sound(changes=(wider,)))
    assert results(source, out, plan, MUTED) == {"begins": True, "spans": True, "the rest": False}


def test_edited_sound_is_not_copied_and_a_track_that_is_not_there_is_named(tmp_path: Path) -> None:
    source = noisy(tmp_path / "in.mov", "pcm_s16le")
    with pytest.raises(InputError, match="edits change it"):
        transcoded(source, tmp_path / "out.mov", PRESETS["prores_proxy"], Sound("copy", changes=(MUTED,)))
    other = replace(MUTED, track=2)
    with pytest.raises(InputError, match="an edit changes sound track 2: it has 1"):
        transcoded(source, tmp_path / "out.mov", PRESETS["prores_proxy"], Sound(changes=(other,)))


def test_frames_become_seconds_and_the_clips_ends_are_those_of_the_sound() -> None:
    edits = [
        Edit(1, Mute((1, 2), FrameRange(5, 10)), "A", "now", "why"),
        Edit(2, Bleep((1,), FrameRange(0, 25)), "A", "now", "why"),
        Edit(3, Expose(1, FrameRange(0, 25)), "A", "now", "why"),
    ]
    changes = with_edits(Sound(), edits, timeline(25, start=50)).changes
    assert changes == (
        SoundChange("mute", 1, Fraction(55, 25), Fraction(60, 25)),
        SoundChange("mute", 2, Fraction(55, 25), Fraction(60, 25)),
        SoundChange("bleep", 1, None, None),
    )


def test_edits_of_sound_come_back_from_their_lines_and_wrong_ones_are_refused() -> None:
    edit = Edit(1, Mute((1, 3), FrameRange(5, 10)), "A", "now", "why")
    assert parse(record(edit)) == edit
    for wrong in ({"sound": []}, {"sound": [0]}, {"sound": [1, 1]}, {"sound": ["1"]}, {"range": [5, 5]}):
        with pytest.raises(TrackFileError, match="edit 1"):
            parse({**record(edit), **wrong})


PLATES = Settings(search=Search(classes=("plate",)), preset="prores_proxy")


@pytest.fixture
def edited(tmp_path: Path) -> tuple[Path, Path]:
    """A source with PCM, and its tracks with sound 1 muted in frames 5 to 9, of 25 a second."""
    source = blob(tmp_path / "in.mov", *H264, "-c:a", "pcm_s16le")
    analyze_file(source, tmp_path / "t.vsanon", PLATES)
    write_edits.add(tmp_path / "t.vsanon", [Mute((1,), FrameRange(5, 10))], by="A. Person", reason="a name is said")
    return source, tmp_path / "t.vsanon"


@pytest.mark.slow
def test_a_delivery_with_a_muted_span_says_so_and_is_verified(tmp_path: Path, edited: tuple[Path, Path]) -> None:
    source, tracks = edited
    out = tmp_path / "out.mov"
    book = render_file(source, tracks, out, PLATES)
    assert book["sound"]["changes"] == [{"what": "mute", "track": 1, "start_s": "1/5", "stop_s": "2/5"}]
    assert book["edits"][0]["what"] == "mute sound 1 in frames 5:10"
    assert any("mute or bleep" in note for note in book["converted"])
    was, now = heard(source), heard(out)
    assert not now[:, 9600:19200].any()
    assert np.array_equal(was[:, 19200 + 96 :], now[:, 19200 + 96 :])
    checks = verify_delivery(out, source, tracks=tracks)
    assert [check for check in checks if not check.passed] == []
    assert {"audio 1 as pcm_s16le, edited: spans", "audio 1 as pcm_s16le, edited: the rest"} <= {
        c.name for c in checks
    }
    page = json.dumps(certificate.describe(ledger.path_of(out).read_bytes(), ReportFacts()), default=str)
    assert "People had sound muted or bleeped over in 1 span" in page
    # Somebody puts the sound back.
    run(
        [
            "-y",
            "-i",
            str(out),
            "-i",
            str(source),
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c",
            "copy",
            str(tmp_path / "b.mov"),
        ]
    )
    (tmp_path / "b.mov").replace(out)
    failed = {check.name for check in verify_delivery(out, source, tracks=tracks) if not check.passed}
    assert "audio 1 as pcm_s16le, edited: spans" in failed
    # And somebody strikes it from the ledger.
    book["sound"].pop("changes")
    ledger.path_of(out).write_text(ledger.dump(book))
    failed = {check.name for check in verify_delivery(out, source, tracks=tracks) if not check.passed}
    assert records.NAME in failed


def test_a_job_that_leaves_the_sound_as_it_was_delivers_nothing(
    tmp_path: Path, edited: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rendering.encode
    monkeypatch.setattr(rendering, "encode", lambda *a, sound, **k: whole(*a, sound=Sound(sound.mode), **k))
    with pytest.raises(CheckError, match="edited: spans"):
        render_file(edited[0], edited[1], tmp_path / "out.mov", PLATES)
    assert not (tmp_path / "out.mov").exists()


def test_mute_and_bleep_take_timecode_and_are_listed_and_undone(tmp_path: Path, edited: tuple[Path, Path]) -> None:
    _, tracks = edited
    why = ("--by", "A. Person", "--reason", "a name")
    made = CliRunner().invoke(main, ["edit", "bleep", str(tracks), "--time", "12:20", "--track", "1", *why])
    assert made.output == "edit 2: bleep sound 1 in frames 12:20\n"
    listed = CliRunner().invoke(main, ["edit", "list", str(tracks)]).output
    assert "mute sound 1 in frames 5:10 (a name is said)" in listed
    assert "bleep sound 1 in frames 12:20 (a name)" in listed
    assert CliRunner().invoke(main, ["edit", "undo", str(tracks), "--edit", "1"]).exit_code == 0
    assert "mute" not in CliRunner().invoke(main, ["edit", "list", str(tracks)]).output
    assert (
        CliRunner().invoke(main, ["edit", "mute", str(tracks), "--time", "20:99", "--track", "1", *why]).exit_code
        == 2
    )
