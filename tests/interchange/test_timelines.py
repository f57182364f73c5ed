"""The review page and timelines: what to look at first, safe against names and notes, exact timecodes."""

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import InputError
from vsanon.interchange.timelines import Covered, covered_ranges, edl, write_otio
from vsanon.job import review
from vsanon.timing import FrameRange, Timeline
from vsanon.tracks import edits
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
    found = [(m.frame, m.track, m.why.split(":")[0]) for m in review.moments(table_of(path), "t.vsanon")]
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
    first = review.moments(table_of(path), "my clip.vsanon")[0]
    # From a second before it starts, up to its first frame.
    assert first.command == "vsanon edit keep 'my clip.vsanon' --track 2 --frames 5:31 --by BY --reason REASON"


def test_covered_ranges_and_edl_events(path: Path) -> None:
    ranges = covered_ranges(table_of(path))
    assert [(c.track, c.range.start, c.range.stop) for c in ranges] == [
        (1, 0, 60),
        (2, 30, 60),
        (3, 60, 100),
        (4, 70, 80),
    ]
    timeline = Timeline(tuple(range(FRAMES)), Fraction(1, 25), Fraction(25))
    lines = edl("A001.mov", ranges, timeline, "10:00:00:00").split("\r\n")
    assert lines[:2] == ["TITLE: A001.mov", "FCM: NON-DROP FRAME"]
    assert lines[7] == "002  AX       V     C        10:00:01:05 10:00:02:10 10:00:01:05 10:00:02:10"
    assert lines[9] == "* COMMENT: COVERED face 2"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [(0, "00:00:59;28"), (1, "00:00:59;29"), (2, "00:01:00;02"), (17980 - 1798, "00:09:59;28"),
     (17982 - 1798, "00:10:00;00")],
)  # fmt: skip
def test_drop_frame_timecode_leaves_out_two_numbers_a_minute_but_the_tenth(frame: int, expected: str) -> None:
    # 00:00:59;28 is frame 59 * 30 + 28 = 1798.
    timeline = Timeline((0, 1), Fraction(1001, 30000), Fraction(30000, 1001))
    text = edl("a", [Covered(1, "face", FrameRange(frame, frame + 1))], timeline, "00:00:59;28")
    assert text.split("\r\n")[3].split()[4] == expected
    assert "FCM: DROP FRAME" in text


def test_an_edl_refuses_what_it_can_not_say() -> None:
    even = Timeline((0, 1), Fraction(1, 25), Fraction(25))
    with pytest.raises(InputError, match="999 at most"):
        edl("a", [Covered(1, "face", FrameRange(0, 1))] * 1000, even, None)
    with pytest.raises(InputError, match="constant"):
        edl("a", [], Timeline((0, 1, 5, 6), Fraction(1, 25), Fraction(25)), None)
    with pytest.raises(InputError, match="drops frames"):
        edl("a", [], even, "00:00:00;00")
    with pytest.raises(InputError, match="not a timecode"):
        edl("a", [], even, "noon")


def test_otio_marks_each_range(path: Path, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio", reason="the extra otio is not installed")
    timeline = Timeline(tuple(range(FRAMES)), Fraction(1, 25), Fraction(25))
    assert write_otio(tmp_path / "x.otio", "A001.mov", table_of(path), timeline, "01:00:00:00") == 4
    clip = otio.adapters.read_from_file(str(tmp_path / "x.otio")).tracks[0][0]
    spans = [(m.name, m.marked_range.start_time.value, m.marked_range.duration.value) for m in clip.markers]
    assert spans[1] == ("face 2", 90000 + 30, 30)


def test_names_and_notes_can_not_break_out_of_the_page(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    edits.add(path, [edits.Expose(2, FrameRange(30, 40))], by=evil, reason=evil)

    class Opened:
        clip = None

    monkeypatch.setattr(review, "open_source", lambda *_: Opened())
    monkeypatch.setattr(review.filters, "load", lambda clip, tracks: None)
    monkeypatch.setattr(review.filters, "blur", lambda clip, data: None)
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
