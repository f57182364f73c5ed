"""The review page and timelines: what to look at first, safe against names and notes, exact timecodes."""

import contextlib
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vsanon.cli.main import main
from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import InputError
from vsanon.interchange.timelines import Covered, covered_ranges, edl, write_otio
from vsanon.review import page as review
from vsanon.review.moments import command_of, moments
from vsanon.timing import Clock, FrameRange, Timeline, frame_range
from vsanon.tracks import edits, write_edits
from vsanon.tracks.edit_kinds import Expose
from vsanon.tracks.file import TrackWriter, read_tracks
from vsanon.tracks.table import TrackTable

FRAMES = 100


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Track 1 in all frames, 0.9; track 2 from frame 30 to the cut at 60, 0.9; track 3 in 70 to 79, at 0.3."""
    writer = TrackWriter({"frames": FRAMES, "size": [640, 480], "fps": "25"})
    for n in range(FRAMES):
        rows = [(1, 100, 0.9)] + [(2, 300, 0.9)] * (30 <= n < 60) + [(3, 500, 0.3)] * (70 <= n < 80)
        xyxy = np.array([[x, 100, x + 40, 150] for _, x, _ in rows], np.float32)
        # Track 1 was not found in frames 40 to 54.
        origins = [Origin.INTERPOLATED if i == 1 and 40 <= n < 55 else Origin.DETECTED for i, _, _ in rows]
        scores = np.array([s for _, _, s in rows], np.float32)
        ids = tuple(i for i, _, _ in rows)
        swatches = np.zeros((len(rows), 5, 5, 3), np.uint8)
        boxes = TrackedBoxes(xyxy, scores, ("face",) * len(rows), ids, tuple(origins), swatches)
        writer.add(boxes, cut=n == 60)
    writer.write(tmp_path / "t.vsanon")
    return tmp_path / "t.vsanon"


def table_of(path: Path) -> TrackTable:
    return edits.apply(read_tracks(path))


def test_edges_inside_a_shot_come_first_and_edges_at_cuts_and_ends_do_not_come_at_all(path: Path) -> None:
    found = [(m.frame, m.track, m.why.split(":")[0]) for m in moments(table_of(path))]
    # The run across the cut is two tracks: 1 and 3; the weak one is 4.
    assert found == [
        (30, 2, "starts here"),
        (70, 4, "starts here"),
        (79, 4, "ends here"),
        (47, 1, "not found in 15 frames, bridged"),
        (70, 4, "never scored well"),
        (80, 3, "nothing stands out"),
    ]


def test_each_moment_has_the_command_that_corrects_it(path: Path) -> None:
    first = command_of(moments(table_of(path))[0], "my clip.vsanon")
    # From a second before it starts, up to its first frame.
    assert first == "vsanon edit keep 'my clip.vsanon' --track 2 --frames 5:31 --by BY --reason REASON"


def test_covered_ranges_and_edl_events(path: Path) -> None:
    ranges = covered_ranges(table_of(path))
    assert [(c.track, c.range.start, c.range.stop) for c in ranges] == [
        (1, 0, 60),
        (2, 30, 60),
        (3, 60, 100),
        (4, 70, 80),
    ]
    timeline = Timeline(tuple(range(FRAMES)), Fraction(1, 25), Fraction(25))
    lines = edl("A001C003_take.mov", ranges, timeline, "10:00:00:00", [60]).split("\r\n")
    assert lines == [
        "TITLE: A001C003_take.mov",
        "FCM: NON-DROP FRAME",
        "",
        "001  A001C003 V     C        10:00:00:00 10:00:02:10 10:00:00:00 10:00:02:10",
        "* FROM CLIP NAME: A001C003_take.mov",
        "* SOURCE FILE: A001C003_take.mov",
        "* LOC: 10:00:00:00 RED     COVERED face 1 UNTIL 10:00:02:10",
        "* LOC: 10:00:01:05 RED     COVERED face 2 UNTIL 10:00:02:10",
        "",
        "002  A001C003 V     C        10:00:02:10 10:00:04:00 10:00:02:10 10:00:04:00",
        "* FROM CLIP NAME: A001C003_take.mov",
        "* SOURCE FILE: A001C003_take.mov",
        "* LOC: 10:00:02:10 RED     COVERED face 3 UNTIL 10:00:04:00",
        "* LOC: 10:00:02:20 RED     COVERED face 4 UNTIL 10:00:03:05",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("120:300", None, (120, 300)),
        ("10:00:01:05-10:00:02:10", Clock.of(Fraction(25), "10:00:00:00"), (30, 60)),
        # 00:00:59;28 is frame 0, and 00:01:00;00 and ;01 are left out.
        ("00:00:59;29-00:01:00;02", Clock.of(Fraction(30000, 1001), "00:00:59;28"), (1, 2)),
    ],
)
def test_a_range_is_told_in_frames_or_in_timecode(
    text: str, clock: Clock | None, expected: tuple[int, int]
) -> None:
    found = frame_range(text, clock)
    assert (found.start, found.stop) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("120", "START:STOP was expected"), ("09:00:00:00-10:00:00:05", "before the clip"),
        ("10:00:00:25-10:00:01:00", "25 frames to a second"), ("10:00:02:00-10:00:01:00", "0 <= start < stop"),
    ],
)  # fmt: skip
def test_a_range_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        frame_range(text, Clock.of(Fraction(25), "10:00:00:00"))


def test_a_timecode_that_drop_frame_leaves_out_and_one_without_a_clock_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves out"):
        Clock.of(Fraction(30000, 1001), "00:00:00;00").frame("00:01:00;01")
    with pytest.raises(ValueError, match="no timecode is known"):
        frame_range("10:00:01:05-10:00:02:10", None)


@given(st.integers(0, 2_589_407), st.sampled_from([30, 60]))
def test_every_frame_of_a_day_has_a_drop_frame_timecode_that_leads_back_to_it(n: int, base: int) -> None:
    clock = Clock.of(Fraction(base * 1000, 1001), "00:00:00;00")
    assert clock.frame(clock.at(n)) == n


def test_edits_take_and_tell_timecode(path: Path, tmp_path: Path) -> None:
    table = read_tracks(path)
    assert table.clock is None
    writer = TrackWriter({"frames": 4, "size": [64, 48], "fps": "25", "timecode": "10:00:00:00"})
    box = np.array([[1, 1, 9, 9]], np.float32)
    swatches = np.zeros((1, 5, 5, 3), np.uint8)
    for _ in range(4):
        writer.add(TrackedBoxes(box, np.ones(1, np.float32), ("face",), (1,), (Origin.DETECTED,), swatches))
    file = tmp_path / "clip.vsanon"
    writer.write(file)
    words = ["edit", "expose", str(file), "--track", "1", "--frames", "10:00:00:01-10:00:00:03", "--by", "A"]
    done = CliRunner().invoke(main, [*words, "--reason", "b"])
    assert done.output == "edit 1: expose track 1 in frames 1:3, 10:00:00:01-10:00:00:03\n"
    listed = CliRunner().invoke(main, ["edit", "list", str(file)])
    assert "frames 1:3, 10:00:00:01-10:00:00:03" in listed.output
    why = ["--by", "A", "--reason", "b"]
    wrong = CliRunner().invoke(main, ["edit", "split", str(file), "--track", "1", "--at", "09:00:00:00", *why])
    assert wrong.exit_code == 2
    assert "before the clip" in wrong.output


@pytest.mark.parametrize(
    ("frame", "expected"),
    [(0, "00:00:59;28"), (1, "00:00:59;29"), (2, "00:01:00;02"), (17980 - 1798, "00:09:59;28"),
     (17982 - 1798, "00:10:00;00")],
)  # fmt: skip
def test_drop_frame_timecode_leaves_out_two_numbers_a_minute_but_the_tenth(frame: int, expected: str) -> None:
    # 00:00:59;28 is frame 59 * 30 + 28 = 1798.
    timeline = Timeline((0, 1), Fraction(1001, 30000), Fraction(30000, 1001))
    text = edl("a", [Covered(1, "face", FrameRange(0, 1))], timeline, "00:00:59;28")
    assert Clock.of(timeline.fps, "00:00:59;28").at(frame) == expected
    assert "FCM: DROP FRAME" in text


def test_an_edl_refuses_what_it_can_not_say() -> None:
    even = Timeline((0, 1), Fraction(1, 25), Fraction(25))
    with pytest.raises(InputError, match="999 at most"):
        edl("a", [], Timeline(tuple(range(1500)), Fraction(1, 25), Fraction(25)), None, range(1, 1000))
    with pytest.raises(InputError, match="constant"):
        edl("a", [], Timeline((0, 1, 5, 6), Fraction(1, 25), Fraction(25)), None)
    with pytest.raises(InputError, match="drops frames"):
        edl("a", [], even, "00:00:00;00")
    with pytest.raises(InputError, match="not a timecode"):
        edl("a", [], even, "noon")


def test_otio_has_a_clip_a_shot_with_its_media_and_marks_each_range(path: Path, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio", reason="the extra otio is not installed")
    timeline = Timeline(tuple(range(FRAMES)), Fraction(1, 25), Fraction(25))
    source = tmp_path / "A 001.mov"
    assert write_otio(tmp_path / "x.otio", source, table_of(path), timeline, "01:00:00:00") == 4
    read = otio.adapters.read_from_file(str(tmp_path / "x.otio"))
    clips = list(read.tracks[0])
    assert [(c.source_range.start_time.value, c.source_range.duration.value) for c in clips] == [
        (90000, 60),
        (90060, 40),
    ]
    assert {c.media_reference.target_url for c in clips} == {source.absolute().as_uri()}
    spans = [(m.name, m.marked_range.start_time.value, m.marked_range.duration.value) for m in clips[0].markers]
    assert spans == [("face 1", 90000, 60), ("face 2", 90000 + 30, 30)]
    assert clips[0].markers[1].metadata["vsanon"]["timecode"] == "01:00:01:05"
    assert read.global_start_time.to_timecode() == "01:00:00:00"


def test_the_edl_is_read_by_another_program(path: Path, tmp_path: Path) -> None:
    adapter = pytest.importorskip("otio_cmx3600_adapter.cmx_3600", reason="the CMX 3600 adapter is not installed")
    timeline = Timeline(tuple(range(FRAMES)), Fraction(1, 25), Fraction(25))
    text = edl("A001C003.mov", covered_ranges(table_of(path)), timeline, "10:00:00:00", [60])
    clips = list(adapter.read_from_string(text, rate=25).tracks[0])
    assert [(c.source_range.start_time.to_timecode(), c.source_range.duration.value) for c in clips] == [
        ("10:00:00:00", 60),
        ("10:00:02:10", 40),
    ]
    assert [len(c.markers) for c in clips] == [2, 2]


def test_names_and_notes_can_not_break_out_of_the_page(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    write_edits.add(path, [Expose(2, FrameRange(30, 40))], by=evil, reason=evil)

    class Opened:
        clip = None

        @staticmethod
        def get_frame(_: int) -> contextlib.AbstractContextManager[None]:
            return contextlib.nullcontext()

    monkeypatch.setattr(review, "open_source", lambda *_: Opened())
    monkeypatch.setattr(review.filters, "load", lambda clip, tracks, **_: Opened)
    monkeypatch.setattr(review.filters, "blur", lambda clip, data, **_: None)
    monkeypatch.setattr(review, "picture", lambda clip, n: np.full((480, 640, 3), 200, np.uint8))
    source = tmp_path / "<b>&.mp4"
    review.write_page(tmp_path / "page.html", path, source)
    page = (tmp_path / "page.html").read_text()
    assert evil not in page
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<img" not in page
    assert "<b>" not in page
    # Nothing is loaded from anywhere.
    assert set(re.findall(r"https?://[^\s\"'<]*|[\"'(]//[^\s\"'<]*", page)) <= {"http://www.w3.org/2000/svg"}
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert data
    assert json.loads(data[1])["edits"][0]["reason"] == evil
