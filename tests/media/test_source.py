"""A file as a clip: its index away from it, its times filled only where there is no choice, damage told."""

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.clips import same
from tests.support.footage import FRAMES, blob
from tests.support.media_clips import draw
from vsanon.encode import run
from vsanon.errors import InputError, MissingError
from vsanon.files import sha256_of
from vsanon.media import best_source, source
from vsanon.media.best_source import forget_index
from vsanon.media.intact import IntactCheck, require_intact
from vsanon.media.source import open_clip, open_source
from vsanon.tracking.settings import TrackSettings

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "16")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("VSANON_CACHE", str(folder))
    return folder


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    return folder


def slow_to_index(path: Path, **settings: object) -> Path:
    """BestSource keeps no index of what it reads at once."""
    return blob(path, *H264, "-g", "250", frames=200, size=(512, 384), sound=False)


@pytest.mark.slow
def test_the_index_lies_in_the_cache_and_not_beside_the_file(footage: Path, cache: Path) -> None:
    path = slow_to_index(footage / "in.mp4")
    open_source(path)
    assert [p.name for p in footage.iterdir()] == ["in.mp4"]
    kept = sorted((cache / "index").iterdir())
    open_source(path)
    assert sorted((cache / "index").iterdir()) == kept
    assert not any(p.name.startswith(".") for p in kept)


@pytest.mark.slow
def test_a_file_of_another_content_with_the_same_name_size_and_date_is_read_anew(footage: Path) -> None:
    path, other = slow_to_index(footage / "in.mp4"), footage / "other.mp4"
    assert open_source(path).clip.num_frames == 200
    blob(other, *H264, frames=30, size=(512, 384), sound=False)
    stat = path.stat()
    other.write_bytes(other.read_bytes().ljust(stat.st_size, b"\0"))
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)
    assert path.stat().st_size == stat.st_size
    assert open_source(path).clip.num_frames == 30


def test_the_index_of_a_file_that_is_about_to_go_can_be_removed(footage: Path, cache: Path) -> None:
    path = slow_to_index(footage / "in.mp4")
    open_source(path)
    assert len(list((cache / "index").iterdir())) == 1
    forget_index(path)
    assert list((cache / "index").iterdir()) == []
    forget_index(path)


@pytest.mark.slow
def test_a_damaged_index_is_made_again(footage: Path, cache: Path) -> None:
    path = slow_to_index(footage / "in.mp4")
    open_source(path)
    for index in (cache / "index").iterdir():
        index.write_bytes(index.read_bytes()[:40])
    assert open_source(path).clip.num_frames == 200


def test_an_index_with_any_byte_flipped_is_made_again(footage: Path, cache: Path) -> None:
    path = slow_to_index(footage / "in.mp4")
    whole = open_source(path)
    (index,) = (cache / "index").iterdir()
    kept = index.read_bytes()
    for at in range(0, len(kept), max(len(kept) // 40, 1)):
        index.write_bytes(kept[:at] + bytes([kept[at] ^ 0x41]) + kept[at + 1 :])
        opened = open_source(path)
        assert (opened.clip.num_frames, opened.timeline) == (200, whole.timeline)
        assert [p.name for p in (cache / "index").iterdir()] == [index.name]
        assert index.read_bytes() == kept


def test_an_index_that_best_source_refuses_is_made_again_although_its_name_fits(footage: Path, cache: Path) -> None:
    path = slow_to_index(footage / "in.mp4")
    open_source(path)
    (index,) = (cache / "index").iterdir()
    key, _, track = index.name.replace("-", ".").split(".", 2)
    index.unlink()
    content = b"of another BestSource"
    index.with_name(f"{key}-{sha256_of(content)[:16]}.{track}").write_bytes(content)
    assert open_source(path).clip.num_frames == 200


def test_a_cache_that_can_not_be_written_is_missing(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = blob(footage / "in.mp4", *H264)
    (footage / "file").write_bytes(b"")
    monkeypatch.setenv("VSANON_CACHE", str(footage / "file" / "below"))
    with pytest.raises(MissingError, match="VSANON_CACHE"):
        open_source(path)


def test_best_sources_warning_is_dropped_and_no_other(footage: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = blob(footage / "in.mp4", *H264)
    open_source(path)
    assert "return value" not in caplog.text
    with best_source._without_return_warning():
        logging.getLogger("vapoursynth").warning("something else")
    assert "something else" in caplog.text


@pytest.mark.parametrize("name", ["take:1.mp4", "-i.mp4", "a b'\"%d.mp4", "é.mp4"])
def test_odd_names_are_names(footage: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(footage)
    blob(footage / "plain.mp4", *H264).rename(footage / name)
    opened = open_source(Path(name))
    require_intact(opened)
    assert opened.clip.num_frames == FRAMES


def test_scripts_see_the_frames_of_the_main_job(footage: Path) -> None:
    path = blob(
        footage / "in.mov", "-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "prores_ks",
        "-flags", "+ildct", frames=12, rate="50", sound=False,
    )  # fmt: skip
    opened, (clip, video) = open_source(path), open_clip(path)
    assert opened.field_order == "tt"
    assert (clip.num_frames, clip.fps, video) == (6, opened.clip.fps, opened.video)
    for n in range(6):
        a, b = opened.clip.get_frame(n), clip.get_frame(n)
        assert same(a, b)
        assert a.props["_FieldBased"] == b.props["_FieldBased"] == int(vs.FIELD_TOP)


def test_a_raw_stream_has_the_assumed_rate_in_scripts_too(footage: Path) -> None:
    path = blob(footage / "in.264", *H264, sound=False, rate="25")
    opened, (clip, _) = open_source(path), open_clip(path)
    assert opened.rate_assumed
    assert opened.clip.fps == clip.fps == 25
    assert opened.timeline.seconds(10) == Fraction(10, 25)
    require_intact(opened)


@pytest.mark.parametrize(("suffix", "rate"), [("264", "24"), ("264", "30000/1001"), ("265", "50"), ("m2v", "24")])
def test_a_raw_stream_that_tells_its_rate_has_that(footage: Path, suffix: str, rate: str) -> None:
    coder = {
        "264": H264,
        "265": ("-c:v", "libx265", "-x265-params", "log-level=none"),
        "m2v": ("-c:v", "mpeg2video"),
    }
    path = blob(footage / f"in.{suffix}", *coder[suffix], sound=False, rate=rate)
    opened, (clip, _) = open_source(path), open_clip(path)
    assert (opened.rate_assumed, opened.timeline.fps, clip.fps) == (True, Fraction(rate), Fraction(rate))


# ----------------------------------------------------------------------------- what is no clip


def test_what_is_not_a_video_file_is_said_so(footage: Path) -> None:
    (footage / "empty.mp4").write_bytes(b"")
    (footage / "noise.mp4").write_bytes(os.urandom(5000))
    run(["-y", "-f", "lavfi", "-i", "sine=d=0.2", str(footage / "sound.m4a")])
    for name, words in (
        ("missing.mp4", "no such file"), (".", "is a folder"), ("empty.mp4", "is empty"),
        ("noise.mp4", "can't be opened"), ("sound.m4a", "no video in it"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            open_source(footage / name)


def test_a_file_that_can_not_be_read_is_said_so(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = blob(footage / "in.mp4", *H264)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="can't be read: Permission denied"):
        open_source(path)
    monkeypatch.undo()


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes with names")
def test_a_pipe_and_a_name_for_what_is_open_are_no_files(footage: Path) -> None:
    pipe = footage / "in.mp4"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a pipe or a device, and no file"):
        open_source(pipe)
    film = blob(footage / "film.mp4", *H264)
    with film.open("rb") as file, pytest.raises(InputError, match="name the file itself"):
        open_source(Path(f"/dev/fd/{file.fileno()}"))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="has no folder of memory")
def test_a_film_in_memory_is_a_file(footage: Path) -> None:
    film = blob(footage / "film.mp4", *H264)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert open_source(Path(shutil.copy(film, folder))).clip.num_frames == open_source(film).clip.num_frames


@pytest.mark.parametrize(("suffix", "coder"), [(".mkv", H264), (".ts", H264), (".mov", ("-c:v", "prores_ks"))])
@pytest.mark.slow
def test_damage_in_the_middle_and_a_cut_off_end_are_found(
    footage: Path, suffix: str, coder: tuple[str, ...]
) -> None:
    # Noise makes frames of many packets: a transport stream cut between two frames is a whole, shorter one.
    whole = blob(footage / f"whole{suffix}", *coder, "-vf", "noise=alls=20", "-g", "6", frames=48, sound=False)
    content = whole.read_bytes()
    half = len(content) // 2
    hurt, short = footage / f"hurt{suffix}", footage / f"short{suffix}"
    hurt.write_bytes(content[:half] + bytes(b ^ 0x5A for b in content[half : half + 900]) + content[half + 900 :])
    short.write_bytes(content[: half + 50])
    for path in (hurt, short):
        with pytest.raises(InputError, match=str(path)):
            require_intact(open_source(path))
    require_intact(open_source(whole))


def test_beside_other_work_damage_is_told_as_soon_as_it_is_known(footage: Path) -> None:
    whole = blob(footage / "whole.mkv", *H264, frames=48, sound=False)
    content = whole.read_bytes()
    (footage / "short.mkv").write_bytes(content[: len(content) // 2])
    with IntactCheck(open_source(whole)) as intact:
        intact.finish()
        intact.poll()
    with IntactCheck(open_source(footage / "short.mkv")) as intact:
        with pytest.raises(InputError, match=r"short\.mkv"):
            intact.finish()
        with pytest.raises(InputError, match=r"short\.mkv"):
            intact.poll()


def test_work_that_ends_early_does_not_wait_for_the_end_of_the_file(
    footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that never ends."""
    opened = open_source(blob(footage / "in.mp4", *H264))

    def endless(path: Path, *, on_frame: Callable[[], None], **_: object) -> None:
        while True:
            on_frame()

    monkeypatch.setattr("vsanon.media.intact.decode_timestamps", endless)
    with IntactCheck(opened) as intact:
        intact.poll()


def test_lost_packets_of_a_transport_stream_are_damage_even_where_whole_frames_are_gone(footage: Path) -> None:
    whole = blob(footage / "whole.ts", *H264, "-g", "1", frames=48, sound=False).read_bytes()
    start = len(whole) // 376 * 188
    (footage / "holed.ts").write_bytes(whole[:start] + whole[start + 5 * 188 :])
    with pytest.raises(InputError, match="packet before frame"):
        require_intact(open_source(footage / "holed.ts"))


def test_a_stream_that_changes_its_size_is_refused(footage: Path) -> None:
    a = blob(footage / "a.ts", *H264, sound=False)
    b = blob(footage / "b.ts", *H264, sound=False, size=(256, 160))
    both = footage / "both.ts"
    both.write_bytes(a.read_bytes() + b.read_bytes())
    with pytest.raises(InputError):
        require_intact(open_source(both))


def test_a_picture_that_begins_after_its_file_has_a_later_timecode(tmp_path: Path) -> None:
    """The file's timecode is that of its beginning; the picture comes 1 s later, 25 frames of 25."""
    path, moved = tmp_path / "a.mov", tmp_path / "late.mov"
    draw(path, "-c:v", "libx264", video="testsrc2=s=64x48:r=25:d=0.4")
    sound = ("-f", "lavfi", "-i", "sine=d=2")
    run(["-y", "-itsoffset", "1", "-i", str(path), *sound, "-c:v", "copy", "-c:a", "pcm_s16le",
         "-timecode", "10:00:00:00", str(moved)])  # fmt: skip
    opened = open_source(moved)
    assert opened.facts.timecode == "10:00:00:00"
    assert opened.first_timecode == "10:00:01:00"


@pytest.mark.parametrize("access", ["to and fro", "leaps"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ts", ["-c:v", "libx264", "-x264-params", "open_gop=1:keyint=12:bframes=3:scenecut=0"]),
        ("a.mpg", ["-c:v", "mpeg2video", "-bf", "2", "-g", "15"]),
    ],
)
def test_any_reader_gives_the_frames_that_one_from_start_to_end_gives(
    tmp_path: Path, name: str, options: list[str], access: source.Access
) -> None:
    """Open groups: after a leap to a key frame some of the pictures before it can't be decoded from there."""
    path = tmp_path / name
    run(["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2.4", *options, str(path)])
    planes = [np.asarray(frame[0]).copy() for frame in open_source(path).clip.frames(close=True)]
    clip = open_source(path, access=access).clip
    assert (len(planes), clip.num_frames) == (60, 60)
    for k in range(60):
        n = 37 * k % 60
        with clip.get_frame(n) as frame:
            assert np.array_equal(np.asarray(frame[0]), planes[n]), n


def test_a_reader_to_and_fro_keeps_the_frames_before_the_one_shown(tmp_path: Path) -> None:
    """4K in ten bits takes 23.7 MiB a frame, 24 of them 570; in order 128 MiB do, and for small frames less."""
    path = tmp_path / "a.mp4"
    draw(path, "-c:v", "libx264", video="testsrc2=s=64x48:r=25:d=0.2")
    video = open_source(path).video
    large = replace(video, size=(3840, 2160), pix_fmt="yuv420p10le")
    assert [source._cache_mb(large, access) for access in ("in order", "to and fro", "leaps")] == [128, 570, 128]
    assert source._cache_mb(video, "to and fro") == 1


UNEVEN = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000", *H264, "-bf", "0")


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_half_a_second_of_bursts_is_as_many_frames_as_a_burst_has(footage: Path, suffix: str) -> None:
    """Of 12 frames at 25 a second and four seconds of nothing, over and over, the mean rate is about 3."""
    bursts = ("-vf", "setpts='(N+floor(N/12)*100)/25/TB'")
    opened = open_source(blob(footage / f"in.{suffix}", *bursts, *UNEVEN, frames=36, sound=False))
    lead = TrackSettings(lead_s=0.5).frames(opened.clip.fps).lead
    assert (opened.timeline.is_vfr, opened.clip.fps, lead) == (True, 24, 12)


def test_a_frame_left_out_here_and_there_changes_no_span(footage: Path) -> None:
    opened = open_source(
        blob(footage / "in.mp4", "-vf", "setpts='(N+floor(N/30))/25/TB'", *UNEVEN, frames=90, sound=False)
    )
    assert opened.timeline.is_vfr
    assert TrackSettings(lead_s=0.5).frames(opened.clip.fps).lead == 13


def test_a_last_picture_that_stays_for_long_is_said_not_to(footage: Path) -> None:
    """The last of ten frames, of 0.1 s each, stays for 30 s; they are written at their mean rate."""
    stays = ("-bsf:v", r"setts=duration=if(eq(N\,9)\,30000\,DURATION)")
    path = blob(footage / "in.mov", *UNEVEN, *stays, rate="10", frames=10, sound=False)
    assert "how long its last picture stays (30 s)" in open_source(path).not_shown


def test_a_last_picture_that_stays_as_the_others_do_is_not_spoken_of(footage: Path) -> None:
    uneven = ("-vf", "settb=1/1000,setpts='(N+0.4*mod(N,3))/25/TB'")
    path = blob(footage / "in.mov", *uneven, *UNEVEN, frames=20, sound=False)
    opened = open_source(path)
    assert opened.timeline.is_vfr
    assert not [words for words in opened.not_shown if "last picture" in words]
