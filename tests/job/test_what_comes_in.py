"""The job on files as cameras and recorders write them: what stays behind is said, and can be checked."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from tests.support.clips import found, use
from tests.support.odd_files import DRONE, H264, cropped_mkv, made, picture, subtitled, tone, with_edits
from tests.support.odd_images import images, with_attributes, with_chunks, with_names, with_tags
from tests.support.odd_streams import CANARY, add_box, box, caption, filmed, with_tagged_sound, with_units
from vsanon.cli.main import main
from vsanon.encode import run
from vsanon.job import ledger
from vsanon.media import probe
from vsanon.media.advice import FILL
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


EDITS = {
    "before": ((0.4, 0.2),),
    "behind": ((0.4, 0),),
    "between": ((0.2, 0), (0.2, 0.4)),
    "twice": ((0.2, 0.2), (0.2, 0.2)),
}


@pytest.mark.parametrize("codec", ["aac", pytest.param("pcm_s16le", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["before", *(pytest.param(n, marks=pytest.mark.slow) for n in [*EDITS][1:])])
def test_what_an_edit_list_leaves_out_is_neither_shown_nor_heard_nor_in_the_file(
    tmp_path: Path, name: str, codec: str
) -> None:
    clip = (*picture(seconds=0.6), *tone(0.6), "-c:v", "mpeg4", "-c:a", codec)
    source = with_edits(made(tmp_path / "in.mov", *clip), *EDITS[name])
    output = tmp_path / "out.mov"
    result = vsanon("anonymize", source, output, "--preset", "prores_lt")
    assert result.exit_code == 0, result.output
    # Ten frames; 19,200 samples, to a packet at the end of each part.
    with av.open(str(output)) as file:
        frames, samples = 0, 0
        for frame in file.decode():
            if isinstance(frame, av.AudioFrame):
                samples += frame.samples
            else:
                frames += 1
    assert frames == 10
    assert abs(samples - 19200) <= 1024 * len(EDITS[name])
    assert (codec, name) == ("aac", "behind") or "parts that its edit list leaves out" in result.output


def test_pcm_of_which_an_edit_list_plays_the_middle_is_that_in_mxf_and_in_a_part_of_it_to_the_sample(
    tmp_path: Path,
) -> None:
    clip = (*picture("256x128", seconds=0.6), *tone(0.6), "-c:v", "mpeg4", "-c:a", "pcm_s24le")
    plain = made(tmp_path / "in.mov", *clip)
    whole = decoded(plain)
    source = with_edits(plain, (0.4, 0.1))
    for name, options, span in (
        ("a.mxf", ("--preset", "dnxhr_hq_mxf"), (4800, 24000)),
        ("b.mov", ("--preset", "prores_lt", "--from", 2, "--to", 6, "--trim"), (8640, 16320)),
    ):
        result = vsanon("anonymize", source, tmp_path / name, *options)
        assert result.exit_code == 0, result.output
        assert np.array_equal(decoded(tmp_path / name), whole[slice(*span)])


def decoded(path: Path) -> NDArray[np.int32]:
    with av.open(str(path)) as file:
        return np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])


@pytest.mark.parametrize(
    ("suffix", "arguments", "preset"),
    [
        (".mov", ("-c:v", "prores_ks", "-color_trc", "arib-std-b67"), "h265_crf_10bit"),
        (".mkv", (*tone(), *H264, "-c:a", "aac", "-disposition:a", "hearing_impaired+comment"), "h264_crf"),
        (".mkv", (*tone(), *H264, "-c:a", "aac", "-disposition:a", "visual_impaired+dub"), "h264_crf"),
    ],
    ids=["HLG", "for the hard of hearing", "with descriptions"],
)
def test_what_encoders_and_containers_write_of_their_own_is_nothing_hidden(
    tmp_path: Path, suffix: str, arguments: tuple[str, ...], preset: str
) -> None:
    source, output = made(tmp_path / f"in{suffix}", *picture(), *arguments), tmp_path / "out.mp4"
    result = vsanon("anonymize", source, output, "--preset", preset)
    assert result.exit_code == 0, result.output


def test_sound_whose_first_packets_lie_before_the_film_is_cut_to_the_sample(tmp_path: Path) -> None:
    whole = made(tmp_path / "in.mkv", *picture(seconds=1), *tone(1), *H264, "-c:a", "aac")
    early = ("-itsoffset", "-0.3", "-i", str(whole), "-map", "0", "-c", "copy", "-avoid_negative_ts", "disabled")
    source = made(tmp_path / "in.mp4", *early)
    result = vsanon("anonymize", source, tmp_path / "out.mp4")
    assert result.exit_code == 0, result.output


def test_a_film_that_is_played_at_another_speed_is_refused_with_what_helps(tmp_path: Path) -> None:
    source = with_edits(filmed(tmp_path / "in.mov"), (0.2, 0), speed=2)
    result = vsanon("anonymize", source, tmp_path / "out.mp4")
    assert (result.exit_code, "played at 2 times its speed by its edit list" in result.output) == (2, True)
    again = ("-ignore_editlist", "1", "-i", str(source), "-map", "0:v:0", "-map", "0:a?", "-c", "copy")
    advised = made(tmp_path / "b.mov", *again)
    assert vsanon("anonymize", advised, tmp_path / "out.mp4").exit_code == 0


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


def written(folder: Path) -> bytes:
    """All that a job wrote into a folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_nothing_of_atoms_that_devices_and_editors_write_is_in_the_output_or_its_ledger(tmp_path: Path) -> None:
    said = CANARY.encode()
    jpeg = b"\xff\xd8\xff\xfe" + (len(said) + 2).to_bytes(2, "big") + said + b"\xff\xd9"
    cover = box(b"data", b"\0\0\0\r\0\0\0\0" + jpeg)
    items = box(
        b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9)) + box(b"ilst", box(b"covr", cover))
    )
    user = box(b"udta", b"".join(box(kind, said) for kind in (b"GPMF", b"XMP_", b"thmb", b"gps0")) + items)
    source = filmed(tmp_path / "in.mp4")
    add_box(add_box(source, user, b"moov"), user, b"moov", b"trak")
    for kind in (b"uuid", b"free", b"3gf ", b"jumb"):
        add_box(source, box(kind, bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + said))
    for preset, name in (("h264_crf", "out.mp4"), ("ffv1", "out.mkv")):
        (out := tmp_path / preset).mkdir()
        result = vsanon("anonymize", source, out / name, "--preset", preset)
        assert result.exit_code == 0, result.output
        assert "(udta/GPMF, udta/XMP_, udta/thmb, udta/gps0, a C2PA manifest, free, 3gf, jumb)" in result.output
        assert "a cover picture" in result.output
        assert said not in written(out) + result.output.encode()
        assert "a C2PA manifest" in str(book_of(out / name)["not_carried"])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".exr", ".dpx"])
def test_nothing_that_stands_beside_the_samples_of_images_is_in_the_output(tmp_path: Path, suffix: str) -> None:
    kinds = {".png": "rgb24", ".tif": "rgb24", ".exr": "gbrpf32le", ".dpx": "gbrp10le"}
    for image in images(tmp_path / "in", suffix, 2, "-pix_fmt", kinds[suffix]):
        {
            ".png": lambda path: with_chunks(path, 1), ".tif": lambda path: with_tags(path, 1),
            ".exr": with_attributes, ".dpx": with_names,
        }[suffix](image)  # fmt: skip
        assert CANARY.encode() in image.read_bytes()
    out, preset = tmp_path / "out" / f"a.%04d{suffix}", {".tif": "tiff"}.get(suffix, suffix[1:])
    result = vsanon("anonymize", tmp_path / "in", out, "--rate", "25", "--preset", preset)
    assert result.exit_code == 0, result.output
    assert len(list(out.parent.iterdir())) == 2
    assert CANARY.encode() not in written(tmp_path / "out") + (tmp_path / "out.ledger.json").read_bytes()


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_with_the_tag_of_a_music_file_is_refused_and_the_advice_helps(tmp_path: Path, suffix: str) -> None:
    source, output = with_tagged_sound(tmp_path / f"in{suffix}"), tmp_path / "out.mp4"
    result = vsanon("anonymize", source, output)
    assert (result.exit_code, FILL in result.output) == (2, True)
    assert vsanon("anonymize", source, output, "--leave-out", "audio").exit_code == 0
    run([str({"IN": source, "OUT.mkv": tmp_path / "again.mkv"}.get(word, word)) for word in FILL.split()[1:]])
    assert vsanon("anonymize", tmp_path / "again.mkv", tmp_path / "again.mp4").exit_code == 0
    assert CANARY.encode() not in (tmp_path / "again.mp4").read_bytes()
