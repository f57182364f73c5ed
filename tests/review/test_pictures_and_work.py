"""Frames by number, covered as the render covers them; following that stops, people proposed, names of outputs."""

import contextlib
import http.client
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.review_clip import FRAMES, LOGO, Client, as_long_groups, faces, luma, served, write_clip
from vsanon import filters
from vsanon.covering.block_grid import grid_of
from vsanon.errors import InputError
from vsanon.job.frames import picture
from vsanon.job.settings import Settings
from vsanon.media.source import open_source
from vsanon.review import render
from vsanon.review.document import Document
from vsanon.review.follow import followed
from vsanon.review.frames import Frames, encoded
from vsanon.review.people import proposals
from vsanon.review.render import Renderer
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import KeyFrame, Move, Region


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_clip(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def document(made: tuple[Path, Path], tmp_path: Path) -> Document:
    return Document(Path(shutil.copy(made[1], tmp_path / "t.vsanon")), "A. Person")


def test_every_frame_in_any_order_is_the_renders_own_also_after_an_edit(
    made: tuple[Path, Path], document: Document
) -> None:
    source = open_source(made[0])
    frames = Frames(source, document.path, Settings(), document.state())
    for edited in (False, True):
        if edited:
            change = {"op": "expose", "track": 1, "range": [0, 10]}
            document.commit(document.state().version, [change], "asked for")
        data = filters.load(source.clip, document.path)
        wanted = filters.blur(source.clip, data, grid=grid_of(source.video.codec))
        state = document.state()
        for n in (41, 3, 88, 4, 3, 60, 59):
            got = frames.covered(state, n)
            assert np.array_equal(got, picture(wanted, n)), n
            png, kind = encoded(got, exact=True)
            back = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR))[..., ::-1]
            assert (kind, np.array_equal(back, got)) == ("image/png", True)
        x0, y0, x1, y1 = (int(v) for v in faces(3)[1])
        inside = frames.covered(state, 3)[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4]
        assert (np.ptp(inside.reshape(-1, 3), axis=0).max() == 0) is not edited  # one colour, until it is exposed
    assert frames.covered(document.state(), 5, 160).shape == (90, 160, 3)
    assert frames.covered(document.state(), 5, 1280).shape == (180, 320, 3)  # never enlarged


def test_key_frames_come_from_a_reader_of_their_own_and_are_the_same_pictures_also_after_an_edit(
    made: tuple[Path, Path], document: Document
) -> None:
    """The clip in groups of 30 frames with B frames; lossless, so that its tracks are those of the clip."""
    every = open_source(as_long_groups(made[0], 1))
    assert Frames(every, document.path, Settings(), document.state()).key_frames() is None
    source = open_source(as_long_groups(made[0]))
    frames = Frames(source, document.path, Settings(), document.state())
    assert frames.key_frames() == [0, 30, 60]
    plain = Frames(source, document.path, Settings(), document.state())  # which reads no packets
    for edited in (False, True):
        if edited:
            change = {"op": "expose", "track": 2, "range": [25, 40]}
            document.commit(document.state().version, [change], "asked for")
        state = document.state()
        for n in (60, 30, 31, 0):
            assert np.array_equal(frames.covered(state, n), plain.covered(state, n)), n
            assert np.array_equal(frames.revealed(state, n), picture(source.clip, n)), n
    assert not np.array_equal(frames.covered(state, 30), frames.covered(state, 60))


def test_what_is_drawn_on_a_frame_changes_with_edits_of_that_frame_alone(
    made: tuple[Path, Path], document: Document
) -> None:
    frames = Frames(open_source(made[0]), document.path, Settings(), document.state())
    before = [frames.drawn(document.state(), n) for n in range(FRAMES)]
    change = {"op": "expose", "track": 3, "range": [40, 50]}
    document.commit(document.state().version, [change], "asked for")
    after = [frames.drawn(document.state(), n) for n in range(FRAMES)]
    assert [n for n in range(FRAMES) if before[n] != after[n]] == [*range(40, 50)]


def test_who_stops_the_command_while_a_picture_is_made_is_told_of_no_error(
    made: tuple[Path, Path], document: Document, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun, over = threading.Event(), threading.Event()

    def late(*_: object) -> None:
        begun.set()
        assert over.wait(600)
        raise InputError("too late")

    monkeypatch.setattr(Frames, "covered", late)
    with served(made[0], document.path) as client:
        client.enter()
        waiting = threading.Thread(target=_asked, args=(client,))
        waiting.start()
        assert begun.wait(600)
        threading.Timer(4, over.set).start()
    waiting.join(600)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def _asked(client: Client) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        client.ask("GET", "/frame/3")


def test_a_thumbnail_covers_also_whom_an_edit_exposes(made: tuple[Path, Path], document: Document) -> None:
    frames = Frames(open_source(made[0]), document.path, Settings(), document.state())
    before = frames.thumbnail(document.state(), 1)
    change = {"op": "expose", "track": 1, "range": [0, FRAMES]}
    document.commit(document.state().version, [change], "asked for")
    small = np.asarray(
        cv2.imdecode(np.frombuffer(frames.thumbnail(document.state(), 1), np.uint8), cv2.IMREAD_COLOR)
    )
    middle = small[small.shape[0] // 2 - 5 :][:10, small.shape[1] // 2 - 5 :][:, :10]
    assert np.ptp(middle) < 12  # a fill, but for JPEG
    assert before
    with pytest.raises(InputError, match="no track 99"):
        frames.thumbnail(document.state(), 99)


def test_a_drawn_region_follows_to_the_end_of_its_range_and_stops_where_the_motion_is_lost() -> None:
    x0, y0, x1, y1 = (float(v) for v in LOGO)
    region = Region(9, FrameRange(0, 30), "logo", "rectangle", (KeyFrame(0, (x0, y0, x1, y1)),))
    asked: list[int] = []
    new, lost = followed(region, luma, 30, asked.append)
    assert isinstance(new, Region)
    assert (lost, new.range, new.keys[-1].frame) == ([], FrameRange(0, 30), 29)
    assert np.abs(np.array(new.keys[-1].box) - (x0 + 29, y0, x1 + 29, y1)).max() < 2
    assert set(asked) == set(range(30))

    def gone(n: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return luma(n) if n < 12 else np.full_like(luma(n), 90)

    new, lost = followed(region, gone, 30, lambda _: None)
    assert isinstance(new, Region)
    assert (new.keys[-1].frame, lost) == (11, [12])
    assert new.range == FrameRange(0, 30)  # it goes on being covered, where it was seen last
    move = Move(1, FrameRange(0, 1), (KeyFrame(0, (x0, y0, x1, y1)),))
    stopped, lost = followed(move, gone, 30, lambda _: None)
    assert isinstance(stopped, Move)
    assert (stopped.range, lost) == (FrameRange(0, 12), [12])  # a found track has boxes of its own from there on


def test_following_again_keeps_what_was_set_by_hand_and_makes_the_rest_anew() -> None:
    x0, y0, x1, y1 = (float(v) for v in LOGO)
    hand = (KeyFrame(0, (x0, y0, x1, y1)), KeyFrame(20, (x0 + 20, y0, x1 + 20, y1)))
    old = KeyFrame(10, (0, 0, 9, 9), tracked=True)
    region = Region(9, FrameRange(0, 30), "logo", "rectangle", (hand[0], old, hand[1]))
    new, _ = followed(region, luma, 30, lambda _: None)
    assert isinstance(new, Region)
    assert [key for key in new.keys if not key.tracked] == list(hand)
    assert old not in new.keys


def test_one_person_in_three_shots_is_proposed_as_one_and_another_one_is_not(document: Document) -> None:
    # Of the same size and colours: 1, 3 and 4; track 2 is darker and smaller.
    assert proposals(document.state()) == [[1, 3, 4]]
    merge = {"op": "merge", "track": 1, "others": [3, 4]}
    document.commit(document.state().version, [merge], "the same one")
    assert proposals(document.state()) == []


@pytest.mark.parametrize("name", ["../out.mp4", "/tmp/out.mp4", "a/b.mp4", "a\\b.mp4", ".hidden.mp4", "", ".."])
def test_what_is_rendered_from_the_page_lies_beside_the_source_and_nowhere_else(name: str, tmp_path: Path) -> None:
    renderer = Renderer(tmp_path / "in.mov", tmp_path / "t", Settings(preset="prores_hq"))
    with pytest.raises(InputError, match="a file's name was expected"):
        renderer.work(name, lambda: None)
    assert renderer.usual_name() == "in.covered.mov"


def test_what_is_rendered_are_the_tracks_of_the_moment_whatever_becomes_of_them_meanwhile(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = document.path.read_bytes()

    def rendered(source: Path, tracks: Path, output: Path, *_: object, **__: object) -> dict[str, object]:
        document.commit(document.state().version, [{"op": "drop", "track": 1}], "a lamp")
        assert tracks.name == document.path.name
        assert tracks.read_bytes() == before != document.path.read_bytes()
        return {"checks": [], "frames": 90}

    monkeypatch.setattr(render, "render_file", rendered)
    renderer = Renderer(tmp_path / "in.mov", document.path, Settings())
    assert renderer.work("out.mov", lambda: None)(lambda *_: None)["frames"] == 90
