"""The job on files as cameras and recorders write them: what stays behind is said, and can be checked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.clips import found, use
from tests.support.odd_files import DRONE, H264, cropped_mkv, made, picture, subtitled, tone
from tests.support.odd_streams import caption, with_units
from vsanon.cli.main import main
from vsanon.job import ledger
from vsanon.media import probe
from vsanon.media.source import open_source

pytestmark = pytest.mark.usefixtures("one_face")


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda rgb: found([(40, 24, 80, 56)]))


def vsanon(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def book_of(output: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(ledger.path_of(output).read_text())
    return found


def test_positions_stay_behind_which_is_said_and_recorded_and_can_be_asked_for(tmp_path: Path) -> None:
    source = subtitled(tmp_path / "in.mp4", ["Good morning.", DRONE], "mov_text")
    for options, kept in (((), False), (("--keep", "telemetry"), True)):
        output = tmp_path / f"out{kept}.mp4"
        result = vsanon("anonymize", source, output, *options)
        assert result.exit_code == 0, result.output
        assert (b"47.376888" in output.read_bytes()) == kept
        words = "stream 1 (subtitle mov_text): it tells a position, and is no speech (--keep telemetry)"
        assert (f"not carried: {words}" in result.output) == (not kept)
        assert (words in str(book_of(output)["not_carried"])) == (not kept)
        assert vsanon("verify", output, "--source", source).exit_code == 0


def test_what_the_container_hides_is_said_recorded_and_not_in_the_file(tmp_path: Path) -> None:
    source, output = cropped_mkv(tmp_path / "in.mkv", 64, 32), tmp_path / "out.mkv"
    result = vsanon("anonymize", source, output, "--preset", "ffv1")
    assert result.exit_code == 0, result.output
    assert "hidden by the container, and not shown: 0 px left, 0 top, 64 right, 32 bottom" in result.output
    assert book_of(output)["video"]["crop_applied"] == [0, 0, 64, 32]  # type: ignore[index]
    assert open_source(output).clip.width == 128


def test_the_named_picture_and_sound_are_delivered_also_from_its_track_file(tmp_path: Path) -> None:
    source = made(
        tmp_path / "in.mkv",
        *(*picture(), *picture("160x96"), *tone(), "-map", "0", "-map", "1", "-map", "2", "-map", "2"),
        *(*H264, "-c:a", "aac"),
    )
    chosen = ("--video-track", 2)
    outputs = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    first = vsanon("anonymize", source, outputs[0], *chosen, "--audio-track", 2, "--tracks", tmp_path / "t.vsanon")
    assert first.exit_code == 0, first.output
    assert vsanon("render", source, outputs[1], "--tracks", tmp_path / "t.vsanon").exit_code == 0
    assert [s.size for s in probe(outputs[0]).of_kind("video")] == [(160, 96)]
    assert [len(probe(path).of_kind("audio")) for path in outputs] == [1, 2]
    assert probe(outputs[1]).of_kind("video")[0].size == (160, 96)
    assert vsanon("verify", outputs[0], "--source", source).exit_code == 0
    refused = vsanon("anonymize", source, tmp_path / "c.mp4", "--video-track", 3)
    assert (refused.exit_code, "no video track 3: it has 2" in refused.output) == (2, True)


def test_sound_that_becomes_another_codec_is_said_and_verified(tmp_path: Path) -> None:
    source = made(tmp_path / "in.avi", *picture(), *tone(), "-c:v", "mpeg4", "-c:a", "pcm_mulaw", "-ar", "8000")
    output = tmp_path / "out.mp4"
    result = vsanon("anonymize", source, output)
    assert result.exit_code == 0, result.output
    words = "stream 1 (audio pcm_mulaw): becomes alac, as .mp4 does not take pcm_mulaw"
    assert words in result.output
    assert book_of(output)["converted"] == [words]
    assert vsanon("verify", output, "--source", source).exit_code == 0
    refused = vsanon("anonymize", source, tmp_path / "b.mp4", "--audio", "copy")
    assert (refused.exit_code, "--audio auto" in refused.output) == (2, True)


def test_a_stream_that_does_not_fit_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(tmp_path / "in.mkv", *picture(), *tone(), *H264, "-c:a", "libvorbis")
    monkeypatch.setattr("vsanon.job.rendering.encode", lambda *_, **__: pytest.fail("the work has begun"))
    result = vsanon("anonymize", source, tmp_path / "out.mov", "--preset", "prores_lt", "--audio", "copy")
    assert result.exit_code == 2


def test_captions_that_begin_later_are_said_and_a_ledger_without_them_does_not_verify(tmp_path: Path) -> None:
    source = with_units(tmp_path / "in.mp4", "h264", lambda n: caption("h264", "An") if n > 2 else b"")
    output, words = tmp_path / "out.mp4", "closed captions inside the video"
    result = vsanon("anonymize", source, output)
    assert (result.exit_code, f"not carried: {words}" in result.output) == (0, True), result.output
    assert vsanon("verify", output, "--source", source).exit_code == 0
    book = book_of(output)
    book["not_carried"].remove(words)  # type: ignore[attr-defined]
    ledger.path_of(output).write_text(json.dumps(book))
    assert vsanon("verify", output, "--source", source).exit_code == 1


def test_text_in_a_track_of_metadata_is_no_subtitle(tmp_path: Path) -> None:
    source = subtitled(tmp_path / "in.mp4", ["Anna's camera."], "mov_text")
    data = source.read_bytes()
    source.write_bytes(data.replace(b"sbtl", b"meta").replace(b"tx3g", b"text"))
    output = tmp_path / "out.mp4"
    result = vsanon("anonymize", source, output)
    assert result.exit_code == 0, result.output
    assert b"Anna" in data
    assert b"Anna" not in output.read_bytes()
    assert "not carried: stream 1 (subtitle mov_text): timed metadata" in result.output
