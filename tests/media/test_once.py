"""A file that is decoded once gives what BestSource gives, frame by frame; any other is read with an index.

Damage, other times and missing frames that show on the way never become a frame.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.loops import first_quick
from tests.support.odd_files import H264, cropped_mkv, made, picture
from vsanon import stops
from vsanon.errors import InputError
from vsanon.media import once as once_module
from vsanon.media.intact import IntactCheck, require_intact
from vsanon.media.once import Once, ReadAnewError
from vsanon.media.source import Source, open_source

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")
OPEN = "open-gop=1:keyint=12:bframes=3"
PRORES = ("-c:v", "prores_ks", "-profile:v")
ODD = "crop=191:128:0:0:exact=1"
UNREAD = {"TopFieldFirst", "RepeatField", "FlipVertical", "Rotation"}
"""Properties that BestSource gives and nothing reads."""

KINDS = {
    "H.264, B-frames": ("a.mp4", "25", X264),
    "H.264, full range": ("a.mov", "30000/1001", (*H264[:4], "-pix_fmt", "yuvj420p")),
    "H.264, no B-frames, ticks of 1/600 s": ("a.mov", "30", (*X264, "-bf", "0", "-video_track_timescale", "600")),
    "H.264, open groups": ("a.mkv", "24000/1001", (*X264, "-x264-params", f"{OPEN}:scenecut=0")),
    "H.264, 4:2:2 of ten bits": ("a.mkv", "30000/1001", (*X264[:4], "-pix_fmt", "yuv422p10le")),
    "H.264, 4:4:4, tagged": ("a.mp4", "12.5", (*X264[:4], "-pix_fmt", "yuv444p", "-vf", "setparams=range=pc:"
                             "color_primaries=bt709:color_trc=bt709:colorspace=bt709,setsar=8/9")),
    "H.264, cropped at the left": ("a.mp4", "25", (*X264, "-bsf:v", "h264_metadata=crop_left=6")),
    "H.264, grey": ("a.mkv", "25", (*X264[:4], "-pix_fmt", "gray")),
    "H.265": ("a.mkv", "50", (*X265, "log-level=none", "-pix_fmt", "yuv420p")),
    "H.265 of ten bits, open groups": ("a.mp4", "60000/1001", (*X265, f"{OPEN}:log-level=none", "-pix_fmt",
                                       "yuv420p10le")),
    "ProRes 422 HQ": ("a.mov", "24000/1001", (*PRORES, "3")),
    "ProRes 4444": ("a.mkv", "25", (*PRORES, "4", "-pix_fmt", "yuv444p10le")),
}  # fmt: skip


def film(folder: Path, kind: str, seconds: float = 2.0) -> Path:
    name, rate, coded = KINDS[kind]
    return made(folder / name, *picture(rate=rate, seconds=seconds), *coded)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return film(tmp_path, "H.264, B-frames", 4.0)


def opened_once(path: Path) -> tuple[Source, Once]:
    source = open_source(path, once=True)
    assert source.once is not None
    return source, source.once


def taken(source: Source) -> list[int]:
    """Take all frames; `GIVEN` tells how many came, where that ends with an error, too."""
    with IntactCheck(source) as intact:
        for n, frame in enumerate(source.clip.frames(close=True)):
            del frame
            GIVEN[:] = [n + 1]
        intact.finish()
    return GIVEN


GIVEN = [0]


def samples(frame: vs.VideoFrame) -> list[bytes]:
    return [np.ascontiguousarray(frame[p]).tobytes() for p in range(frame.format.num_planes)]


@pytest.mark.parametrize("kind", first_quick(KINDS))
def test_it_is_what_best_source_gives(tmp_path: Path, kind: str) -> None:
    path = film(tmp_path, kind)
    before, (now, once) = open_source(path), opened_once(path)
    for name in ("timeline", "facts", "video", "field_order", "rate_assumed", "not_shown", "filter_version"):
        assert getattr(now, name) == getattr(before, name), name
    for name in ("num_frames", "fps", "width", "height", "format"):
        assert getattr(now.clip, name) == getattr(before.clip, name), name
    with IntactCheck(now) as intact:
        for n, (a, b) in enumerate(zip(before.clip.frames(close=True), now.clip.frames(close=True), strict=True)):
            assert samples(a) == samples(b), n
            assert {k: v for k, v in a.props.items() if k not in UNREAD} == dict(b.props), n
        assert intact.finish() == require_intact(before)
    assert once.missed == 0
    assert (before.readers[1:], now.readers) == (now.readers, before.readers[1:])


def moved(path: Path, words: str) -> Path:
    """The same packets at other times."""
    return made(path.with_name(f"moved{path.suffix}"), "-i", str(path), "-c", "copy", "-bsf:v", f"setts={words}")


def uneven(path: Path) -> Path:
    vf = ("-vf", "setpts='(N+0.4*mod(N,3))/25/TB'", "-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    return made(path.with_name("uneven.mkv"), *picture(), *X264, *vf)


REFUSED = {
    "none of the containers": lambda p: made(p.with_name("b.ts"), "-i", str(p), "-c", "copy"),
    "none of the codecs": lambda p: made(p.with_name("b.mkv"), *picture(), "-c:v", "ffv1"),
    "none of the formats": lambda p: made(
        p.with_name("b.mov"), *picture(), "-vf", "format=yuva444p10le", *PRORES, "4", "-pix_fmt", "yuva444p10le"
    ),
    "does not fit its size": lambda p: made(
        p.with_name("b.mov"), *picture(), "-vf", f"format=yuv444p,{ODD},format=yuv422p10", *PRORES, "3"
    ),
    "it has fields": lambda p: made(p.with_name("b.mp4"), *picture(), *X264, "-flags", "+ildct+ilme"),
    "it is turned": lambda p: made(p.with_name("b.mp4"), "-display_rotation", "90", "-i", str(p), "-c", "copy"),
    "hides edges": lambda p: cropped_mkv(p.with_name("b.mkv"), 64, 30),
    "left out by an edit list": lambda p: made(p.with_name("b.mp4"), "-ss", "0.5", "-i", str(p), "-c", "copy"),
    "its rates differ": lambda p: moved(p, "pts=PTS*25/24:dts=DTS*25/24"),
    "its frames are uneven|its rates differ": uneven,
}  # fmt: skip


@pytest.mark.parametrize("why", first_quick(REFUSED))
def test_other_kinds_are_read_with_an_index(plain: Path, why: str, caplog: pytest.LogCaptureFixture) -> None:
    path = REFUSED[why](plain)
    caplog.set_level("INFO", "vsanon")
    source = open_source(path, once=True)
    assert source.once is None
    assert any(words in caplog.text for words in why.split("|")), caplog.text
    assert len(source.readers) == 2


def test_times_that_frames_do_not_bear_out_are_seen_before_anything_is_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A muxer that knows nothing of B-frames: packets have the times at which they are decoded."""
    avi = made(tmp_path / "in.avi", *picture(), *X264, "-bf", "2")
    source = made(tmp_path / "in.mp4", "-i", str(avi), "-c", "copy")
    caplog.set_level("INFO", "vsanon")
    assert open_source(source, once=True).once is None
    assert "another time than its packet" in caplog.text


# ----------------------------------------------------------------------------- asked for out of turn


def test_frames_are_given_out_of_turn(plain: Path) -> None:
    wanted = [samples(frame) for frame in open_source(plain).clip.frames(close=True)]
    source, once = opened_once(plain)
    order = [n ^ 3 for n in range(96)]
    with IntactCheck(source) as intact:
        for n in order:
            assert samples(source.clip.get_frame(n)) == wanted[n], n
        intact.finish()
    assert once.missed == 0


def test_what_no_longer_waits_is_decoded_again_and_is_the_same(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once_module, "decoded_mb", lambda _: 0)
    wanted = [samples(frame) for frame in open_source(plain).clip.frames(close=True)]
    source, once = opened_once(plain)
    vs.core.std.SetVideoCache(source.clip, mode=0)
    with IntactCheck(source) as intact:
        for n in (0, 60, 3, 99, 0, 40, 98):
            assert samples(source.clip.get_frame(n)) == wanted[n], n
        intact.finish()
    assert once.missed == 2
    assert len(source.readers) == 2


def test_it_does_not_run_far_ahead_nor_keep_more_than_a_few(plain: Path) -> None:
    source, once = opened_once(plain)
    with IntactCheck(source):
        source.clip.get_frame(90).close()
        threading.Event().wait(0.5)
        assert 90 < once._decoded <= 90 + once._ahead + 1
        assert len(once._frames) <= once._ahead + once._behind + once_module._OVERDUE + 2


def test_a_frame_that_nobody_asked_for_yet_stays_longer(plain: Path) -> None:
    """Frame 2 is still to come when 1, which was asked for, is forgotten."""
    source, once = opened_once(plain)
    far = 2 + once._behind + 2 * once._ahead
    with IntactCheck(source) as intact:
        for n in (0, 1, 3, far):
            source.clip.get_frame(n).close()
        assert 2 in once._frames
        assert 1 not in once._frames
        source.clip.get_frame(2).close()
        assert once.missed == 0
        intact.finish()


def test_a_frame_before_any_check_was_begun_is_right_too(plain: Path) -> None:
    wanted = samples(open_source(plain).clip.get_frame(5))
    source, once = opened_once(plain)
    assert samples(source.clip.get_frame(5)) == wanted
    assert once.missed == 1


# ----------------------------------------------------------------------------- trouble on the way


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_damage_midway_is_what_it_was(tmp_path: Path, suffix: str) -> None:
    whole = made(
        tmp_path / f"a{suffix}",
        *picture(seconds=4),
        "-vf",
        "noise=alls=20",
        *H264,
        "-g",
        "6",
        "-fflags",
        "+bitexact",
    )
    content = whole.read_bytes()
    half = len(content) // 2
    whole.write_bytes(content[:half] + bytes(b ^ 0x5A for b in content[half : half + 900]) + content[half + 900 :])
    with pytest.raises(InputError) as before:
        require_intact(open_source(whole))
    source, _ = opened_once(whole)
    with pytest.raises(InputError) as now:
        taken(source)
    assert str(now.value) == str(before.value)
    assert 0 < GIVEN[0] < 100


def disagreeing(monkeypatch: pytest.MonkeyPatch, at: int, words: str) -> None:
    differs = Once.differs

    def faulty(self: Once, n: int, frame: object) -> str | None:
        return words if n == at else differs(self, n, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(Once, "differs", faulty)


def test_what_is_not_as_expected_midway_ends_it(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disagreeing(monkeypatch, 50, "has another time than its packet")
    source, _ = opened_once(plain)
    with pytest.raises(ReadAnewError, match="frame 50 has another time"):
        taken(source)
    assert 0 < GIVEN[0] <= 50


def test_frames_that_are_missing_at_the_end_end_it(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, once = opened_once(plain)
    more = (*once.timeline.pts, once.timeline.pts[-1] + 512)
    object.__setattr__(once.timeline, "pts", more)
    with pytest.raises(ReadAnewError, match="100 frames come of its 101 packets"):
        taken(source)


def test_work_that_ends_early_ends_the_decoding(plain: Path) -> None:
    source, once = opened_once(plain)

    def broken() -> None:
        with IntactCheck(source):
            source.clip.get_frame(3).close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert once._decoded < 100
    assert isinstance(once.error, CancelledError)
    with pytest.raises(vs.Error):
        source.clip.get_frame(90)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stops._State, "requested", None)
    yield
    stops._State.requested = None


def test_a_stop_ends_it(plain: Path, stopped: None) -> None:
    source, once = opened_once(plain)

    def asked_to_stop() -> None:
        with IntactCheck(source) as intact:
            source.clip.get_frame(3).close()
            stops.request(15)
            intact.finish()

    with pytest.raises(stops.Stopped):
        asked_to_stop()
    assert once._decoded < 100
