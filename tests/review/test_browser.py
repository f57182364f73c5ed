"""The page in a real Chromium: frames to the pixel, edits by hand and by keys, nothing lost."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.chromium import Browser, Page, browser, chromium
from tests.support.review_clip import (
    FRAMES,
    LOGO,
    MISSED,
    SIZE,
    as_long_groups,
    faces,
    served,
    write_clip,
    write_search,
)
from vsanon.cli.main import main
from vsanon.job.frames import picture
from vsanon.media.source import open_source
from vsanon.review import second_opinion
from vsanon.review.document import State
from vsanon.review.frames import Frames
from vsanon.tracks import edits
from vsanon.tracks.edit_kinds import Expose, Move, Region, Review
from vsanon.tracks.file import read_tracks

pytestmark = pytest.mark.slow

ME = "A. Person"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    chromium()
    return write_clip(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def chrome(made: tuple[Path, Path]) -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def files(made: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    return made[0], Path(shutil.copy(made[1], tmp_path / "take.vsanon"))


@contextmanager
def review(files: tuple[Path, Path], *options: str, by: str = ME) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`vsanon review`, and the address that it prints."""
    argv = [
        sys.executable,
        "-m",
        "vsanon",
        "review",
        str(files[0]),
        "--tracks",
        str(files[1]),
        "--by",
        by,
        "--no-browser",
        *options,
    ]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert started.stdout is not None
        address = started.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        yield address, started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
            started.wait(1800)


def opened(chrome: Browser, address: str) -> Page:
    page = chrome.page()
    page.open(address)
    rest(page, 0)
    assert "token" not in page.run("location.href")
    return page


def rest(page: Page, n: int) -> None:
    """Wait until a frame stands still, each sample as it is."""
    page.until(f"document.getElementById('picture').dataset.frame === '{n}'")
    page.until("document.getElementById('picture').dataset.exact === '1'")


def go(page: Page, n: int) -> None:
    page.run("document.getElementById('number').focus(), document.getElementById('number').select()")
    page.type(str(n))
    page.press("Enter")
    rest(page, n)


def placed(page: Page, name: str) -> list[float]:
    """Left, top, width and height of an element on the screen."""
    code = f"(r => [r.left, r.top, r.width, r.height])(document.getElementById('{name}').getBoundingClientRect())"
    return [float(v) for v in page.run(code)]


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the picture lies on the screen, fitted into the stage."""
    left, top, width, height = placed(page, "picture")
    scale = min(width / SIZE[0], height / SIZE[1])
    return left + width / 2 + (x - SIZE[0] / 2) * scale, top + height / 2 + (y - SIZE[1] / 2) * scale


def shown(page: Page) -> np.ndarray[Any, Any]:
    """The picture's own pixels on the page, pixel by pixel: (H, W, 3) RGB."""
    page.press("9")
    page.until("document.getElementById('zoom').textContent === '100 %'")
    page.until("document.getElementById('picture').dataset.exact === '1'")
    code = f"""(() => {{
        const all = document.getElementById('picture');
        const part = document.createElement('canvas');
        [part.width, part.height] = [{SIZE[0]}, {SIZE[1]}];
        const [x, y] = [Math.round(all.width / 2 - {SIZE[0] / 2}), Math.round(all.height / 2 - {SIZE[1] / 2})];
        part.getContext('2d').drawImage(all, -x, -y);
        return part.toDataURL('image/png').split(',')[1];
    }})()"""
    png = np.frombuffer(base64.b64decode(page.run(code)), np.uint8)
    page.press("0")
    return np.asarray(cv2.imdecode(png, cv2.IMREAD_COLOR))[..., ::-1]


def lines(path: Path) -> list[dict[str, Any]]:
    """The edits of a file, but for their times and numbers: a review may stand between two."""
    return [{k: v for k, v in dict(line).items() if k not in ("at", "edit")} for line in read_tracks(path).edits]


def changes(path: Path) -> list[Any]:
    return [e.change for e in edits.edits_of(read_tracks(path)) if not isinstance(e.change, Review)]


def clean(page: Page, address: str) -> None:
    """Nothing was complained of, and nothing was asked of anybody else."""
    own = address.split("/?")[0]
    assert page.complaints == []
    assert [url for url in page.asked if not url.startswith((f"{own}/", f"blob:{own}", "about:blank"))] == []


def test_the_frame_on_the_screen_is_the_one_that_its_number_names_and_faces_are_covered(
    chrome: Browser, files: tuple[Path, Path]
) -> None:
    clip = open_source(files[0]).clip
    with review(files) as (address, _):
        page = opened(chrome, address)
        go(page, 40)
        for _ in range(3):
            page.press("ArrowRight")
        page.press("ArrowLeft")
        rest(page, 42)
        got, source = shown(page), picture(clip, 42)
        x0, y0, x1, y1 = (int(v) for v in faces(42)[2])
        away = np.ones(got.shape[:2], bool)
        away[y0 - 24 : y1 + 24, x0 - 24 : x1 + 24] = False
        assert np.array_equal(got[away], source[away])  # to the last sample
        assert np.ptp(got[y0:y1, x0:x1].reshape(-1, 3), axis=0).max() == 0  # one colour, and no face
        others = [np.abs(got[away].astype(int) - picture(clip, n)[away]).max() for n in (41, 43)]
        assert min(others) > 0  # the comparison can tell neighbours apart
        # Playing goes through every frame and tells the server so.
        page.press("Home")
        rest(page, 0)
        page.press("l")
        page.until("Number(document.getElementById('picture').dataset.frame) >= 12")
        page.press("k")
        page.press("g")
        page.until("document.getElementById('reveal').getAttribute('aria-pressed') === 'true'")
        page.press("2")
        go(page, 42)
        page.press("g")
        page.until("document.getElementById('reveal').getAttribute('aria-pressed') === 'false'")
        page.run("import('/player.js').then(player => player.report())")
        clean(page, address)
    (record,) = lines(files[1])
    assert record["op"] == "review"
    seen = {n for start, stop in record["seen"] for n in range(start, stop)}
    assert {*range(13), 40, 42} <= seen
    assert 42 in {n for start, stop in record["revealed"] for n in range(start, stop)}


def test_under_a_moving_hand_comes_the_key_frame_beside_it_by_its_own_number_and_then_the_frame(
    chrome: Browser, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key frames are 0, 30 and 60; all others take as long as the test says."""
    covered, there = Frames.covered, threading.Event()

    def late(self: Frames, state: State, n: int, width: int = 0) -> Any:
        assert n % 30 == 0 or there.wait(600)
        return covered(self, state, n, width)

    monkeypatch.setattr(Frames, "covered", late)
    source = as_long_groups(files[0])
    with served(source, files[1]) as client:
        page = opened(chrome, client.address)
        page.until("import('/store.js').then(m => m.store.keys?.length === 3)")
        left, top, wide, high = placed(page, "scrub")
        middle = top + high / 2
        number = "document.getElementById('number').value"
        page.mouse("mousePressed", left + wide * 40.5 / FRAMES, middle, buttons=1)
        page.until(f"document.getElementById('picture').dataset.frame === '30' && {number} === '30'")
        page.mouse("mouseMoved", left + wide * 50.5 / FRAMES, middle, buttons=1)
        page.until(f"document.getElementById('picture').dataset.frame === '60' && {number} === '60'")
        page.mouse("mouseReleased", left + wide * 50.5 / FRAMES, middle)
        there.set()
        rest(page, 50)
        assert page.run(number) == "50"
        got, wanted = shown(page), picture(open_source(source).clip, 50)
        assert np.array_equal(got[:, :100], wanted[:, :100])  # with its clock, and no face
        # Whoever goes to a frame that is not there yet is told so, and draws nothing on the one before.
        there.clear()
        page.run("import('/player.js').then(player => { player.go(5); })")
        page.until("document.getElementById('coming').textContent === 'frame 5 is on its way; this is frame 50'")
        page.press("r")
        page.drag(on_screen(page, 20, 40), on_screen(page, 80, 90))
        page.until("document.getElementById('said').textContent.includes('still on its way')")
        there.set()
        rest(page, 5)
        assert page.run("document.getElementById('coming').hidden")
        clean(page, client.address)
    assert changes(files[1]) == []


def test_drag_draw_follow_undo_redo_by_hand_are_edits_of_the_command_line(
    chrome: Browser, files: tuple[Path, Path], tmp_path: Path
) -> None:
    other = Path(shutil.copy(files[1], tmp_path / "other.vsanon"))
    with review(files) as (address, server):
        page = opened(chrome, address)
        # A box over 11 frames: dragged in its first and its last one.
        for n in (0, 10):
            go(page, n)
            x0, y0, x1, y1 = faces(n)[1]
            page.drag(
                on_screen(page, (x0 + x1) / 2, (y0 + y1) / 2), on_screen(page, (x0 + x1) / 2 + 8, (y0 + y1) / 2 - 4)
            )
            page.until("document.getElementById('said').textContent.includes('edit 1')")
        page.until("document.getElementById('said').textContent.includes('2 key frames')")
        (move,) = changes(files[1])
        assert isinstance(move, Move)
        assert [key.frame for key in move.keys] == [0, 10]
        # Reshaped by its corner.
        go(page, 10)
        x0, y0, x1, y1 = move.keys[1].box
        page.run("document.getElementById('said').textContent = ''")
        page.drag(on_screen(page, x1, y1), on_screen(page, x1 + 10, y1 + 6))
        page.until("document.getElementById('said').textContent.includes('edit 1')")
        (move,) = changes(files[1])
        assert abs(move.keys[1].box[2] - x1 - 10) < 1
        assert move.keys[1].box[:2] == (x0, y0)
        # A logo, drawn once and followed to the end of its shot.
        go(page, 0)
        page.press("Escape")
        page.press("r")
        page.drag(on_screen(page, LOGO[0], LOGO[1]), on_screen(page, LOGO[2], LOGO[3]))
        page.until("document.getElementById('dialog').open")
        page.run("[...document.querySelectorAll('.answer')].find(b => b.textContent === 'logo').click()")
        page.until("document.getElementById('said').textContent.includes(': region')")
        page.press("f")
        page.until("document.getElementById('said').textContent.includes('followed to frame 29')")
        _, region = changes(files[1])
        assert isinstance(region, Region)
        assert (region.label, region.shape, region.range.start, region.range.stop) == ("logo", "rectangle", 0, 30)
        table = edits.apply(read_tracks(files[1]))
        for n in (0, 15, 29):
            box = table.at(n).xyxy[table.at(n).ids.index(region.track)]
            assert np.abs(box - np.add(LOGO, (n, 0, n, 0))).max() < 2.5, n
        # All the way back, and forth again.
        before = changes(files[1])
        for _ in range(5):
            page.press("z", ctrl=True)  # as fast as a held key
        page.until("document.getElementById('undo').disabled && !document.getElementById('redo').disabled")
        assert changes(files[1]) == []
        for _ in range(5):
            page.press("z", ctrl=True, shift=True)
        page.until("document.getElementById('redo').disabled")
        assert changes(files[1]) == before
        clean(page, address)
        assert server.poll() is None
    # The same edits by the command line give the same lines.
    for change in changes(files[1]):
        keys = [w for k in change.keys for w in ("--key", f"{k.frame}:{','.join(map(str, k.box))}")]
        if isinstance(change, Move):
            words = ["move", str(other), "--track", "1", *keys]
        else:
            keys = keys[:2]
            words = ["region", str(other), "--class", "logo", "--frames", "0:30", *keys]
        reason = {"move": "the box did not fit", "region": "brand or sign"}[words[0]]
        done = CliRunner().invoke(main, ["edit", *words, "--by", ME, "--reason", reason])
        assert done.exit_code == 0, done.output
    by_hand = [line for line in lines(files[1]) if line["op"] != "review"]
    for line in by_hand:
        line["keys"] = [key for key in line["keys"] if not key.get("tracked")]
    assert by_hand == lines(other)


def test_one_person_is_uncovered_over_three_shots_and_all_others_stay_covered(
    chrome: Browser, files: tuple[Path, Path]
) -> None:
    with review(files) as (address, _):
        page = opened(chrome, address)
        page.run("document.getElementById('tab-people').click()")
        page.until("document.querySelectorAll('.person').length === 4")
        page.run("""[...document.querySelectorAll('.person')]
            .filter(card => ['face 1', 'face 3', 'face 4'].includes(card.querySelector('label').textContent))
            .forEach(card => card.querySelector('input').click())""")
        press = "[...document.querySelectorAll('#people-row button')].find(b => b.textContent === '{}').click()"
        page.run(press.format("The same one"))
        page.until("document.querySelectorAll('.person').length === 2")
        assert page.run("document.querySelector('.person input').checked")  # what was made one is chosen still
        page.run(press.format("Cover all but these"))
        page.until("document.getElementById('dialog').open")  # whoever is to be seen, needs a reason
        page.run("[...document.querySelectorAll('.answer')].find(b => b.textContent === 'consent given').click()")
        page.until("document.querySelector('.person').textContent.includes('uncovered')")
        clean(page, address)
    merged, exposed = (line for line in lines(files[1]) if line["op"] != "review")
    assert (merged["op"], merged["track"], sorted(merged["others"])) == ("merge", 1, [3, 4])
    assert (exposed["op"], exposed["track"], exposed["range"], exposed["reason"]) == (
        "expose", 1, [0, FRAMES], "consent given",
    )  # fmt: skip
    table = edits.apply(read_tracks(files[1]))
    assert set(table.tracks.tolist()) == {2}
    assert isinstance(changes(files[1])[1], Expose)


def test_a_server_killed_in_the_middle_loses_nothing_and_the_next_one_goes_on(
    chrome: Browser, files: tuple[Path, Path]
) -> None:
    with review(files) as (address, server):
        page = opened(chrome, address)
        for n in (0, 10, 20):
            go(page, n)
            x0, y0, x1, y1 = faces(n)[1]
            page.drag(
                on_screen(page, (x0 + x1) / 2, (y0 + y1) / 2), on_screen(page, (x0 + x1) / 2 + 8, (y0 + y1) / 2)
            )
            page.until("document.getElementById('said').textContent.includes('edit 1')")
            page.run("document.getElementById('said').textContent = ''")
        # One more is on its way when the server dies.
        page.press("Delete")
        server.kill()
        server.wait()
        page.until("document.getElementById('said').classList.contains('bad')")
    held = changes(files[1])  # the file is whole: it can be read, with all that was acknowledged
    assert [key.frame for key in held[0].keys] == [0, 10, 20]
    assert len(held) in (1, 2)
    with review(files) as (address, _):
        page = opened(chrome, address)
        page.press("z", ctrl=True)
        page.until("document.getElementById('said').textContent === 'undone'")
        assert len(changes(files[1])) == len(held) - 1
        go(page, 50)
        x0, y0, x1, y1 = faces(50)[2]
        page.click(*on_screen(page, (x0 + x1) / 2, (y0 + y1) / 2))
        page.press("Delete")
        page.until("document.getElementById('said').textContent.includes('drop track')")
        # What the killed server had half written went with the next edit.
        assert not [f for f in files[1].parent.iterdir() if f.suffix == ".partial"]
        clean(page, address)


def test_the_second_browser_sees_the_change_and_overwrites_nothing(
    chrome: Browser, files: tuple[Path, Path]
) -> None:
    with review(files) as (one, _), review(files, by="B. Other") as (two, _):
        first, second = opened(chrome, one), opened(chrome, two)
        go(first, 5)
        x0, y0, x1, y1 = faces(5)[1]
        first.click(*on_screen(first, (x0 + x1) / 2, (y0 + y1) / 2))
        first.press("Delete")
        first.until("document.getElementById('said').textContent.includes('drop track 1')")
        second.until("document.getElementById('edits').textContent.includes('drop track 1')")
        go(second, 40)
        x0, y0, x1, y1 = faces(40)[2]
        second.click(*on_screen(second, (x0 + x1) / 2, (y0 + y1) / 2))
        second.press("Delete")
        second.until("document.getElementById('said').textContent.includes('drop track 3')")
        first.until("document.getElementById('edits').textContent.includes('drop track 3')")
        clean(first, one)
        clean(second, two)
    assert [(line["by"], line["track"]) for line in lines(files[1]) if line["op"] == "drop"] == [
        (ME, 1),
        ("B. Other", 3),
    ]


def test_by_keys_alone_a_box_is_chosen_moved_drawn_and_a_doubt_is_ticked_off(
    chrome: Browser, files: tuple[Path, Path]
) -> None:
    with review(files) as (address, _):
        page = opened(chrome, address)
        page.press("n")
        rest(page, 10)  # the doubtful track begins
        page.press("t")
        page.until("document.getElementById('said').textContent === 'ticked off'")
        for key in ("Enter", "ArrowRight", "ArrowRight", "ArrowDown"):
            page.press(key)
        page.press("ArrowRight", shift=True)
        page.press("Enter")
        page.until("document.getElementById('said').textContent.includes('move track 2')")
        page.press("Escape")
        page.press("e")
        page.press("Enter")
        page.press("ArrowLeft", ctrl=True)
        page.press("Enter")
        page.until("document.getElementById('dialog').open")
        page.press("Enter")  # the first answer has the focus
        page.until("document.getElementById('said').textContent.includes('region')")
        clean(page, address)
    move, region = (line for line in lines(files[1]) if line["op"] != "review")
    assert move["keys"] == [{"frame": 10, "box": [252.0, 41.0, 283.0, 77.0]}]  # 2 right, 1 down; then 1 wider
    assert (region["shape"], region["class"]) == ("ellipse", "logo")
    assert region["keys"] == [{"frame": 10, "box": [118.0, 72.0, 182.0, 108.0]}]  # the middle fifth, 10 to the left
    (record,) = (line for line in lines(files[1]) if line["op"] == "review")
    assert {(t["frame"], t["track"], t["kind"]) for t in record["ticked"]} == {(10, 2, "start"), (10, 2, "low")}
    assert record["left"] == 1


def test_the_typical_fix_takes_eight_actions_and_is_the_edit_of_the_command_line(
    chrome: Browser, tmp_path: Path
) -> None:
    """A doubt found, its box corrected over 40 frames, rendered: keys, drags, clicks, and a number typed."""
    files = write_clip(tmp_path, range(5, 55), cuts=())
    other = Path(shutil.copy(files[1], tmp_path / "other.vsanon"))
    with review(files, "--preset", "prores_proxy") as (address, _):
        page = opened(chrome, address)
        heard = "for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, () => acts++, true)"
        page.run(f"globalThis.acts = 0; {heard}")
        page.press("n")
        rest(page, 5)
        x0, y0, x1, y1 = faces(5, range(5, 55), ())[4]
        at = ((x0 + x1) / 2, (y0 + y1) / 2)
        page.drag(on_screen(page, *at), on_screen(page, at[0] + 8, at[1] + 4))
        page.until("document.getElementById('said').textContent.includes('edit 1')")
        left, top, wide, high = placed(page, "number")
        page.click(left + wide / 2, top + high / 2)
        page.type("45")  # one more, which is no key here
        page.press("Enter")
        rest(page, 45)
        page.drag(on_screen(page, at[0] + 8, at[1] + 4), on_screen(page, at[0] + 16, at[1] - 4))
        page.until("document.getElementById('said').textContent.includes('2 key frames')")
        for name in ("tab-render", "render-start"):
            left, top, wide, high = placed(page, name)
            page.click(left + wide / 2, top + high / 2)
        page.until("document.getElementById('said').textContent.includes('is rendered')")
        actions = page.run("acts")
        clean(page, address)
    assert actions + 1 == 8
    (move,) = changes(files[1])
    keys = [f"--key={key.frame}:{','.join(f'{v:g}' for v in key.box)}" for key in move.keys]
    assert [key.frame for key in move.keys] == [5, 45]
    why = ["--by", ME, "--reason", lines(files[1])[0]["reason"]]
    done = CliRunner().invoke(main, ["edit", "move", str(other), "--track", str(move.track), *keys, *why])
    assert done.exit_code == 0, done.output
    assert changes(other) == changes(files[1])


def test_what_a_second_opinion_sees_is_listed_first_shown_covered_with_one_click_or_ticked_off(
    chrome: Browser, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(source: Path, tracks: Path, settings: Any, *, progress: Any) -> None:
        progress(FRAMES, FRAMES)
        write_search(tracks, {**MISSED, **dict.fromkeys(range(40, 44), (200.0, 120.0, 230.0, 150.0))})

    monkeypatch.setattr(second_opinion, "analyze_file", search)
    cards = "[...document.querySelectorAll('#doubts .card:not(#second)')].map(card => card.textContent)"
    with served(*files) as client:
        page = opened(chrome, client.address)
        page.until("document.getElementById('second-told').textContent.startsWith('None was asked for')")
        page.run("document.getElementById('second-start').click()")
        page.until("document.getElementById('said').textContent.startsWith('second opinion thorough')")
        finds = [text for text in page.run(cards) if "that no region covers" in text]
        assert len(finds) == 2
        assert [text for text in page.run(cards)[:4] if text in finds] == finds  # among those of the first rank
        page.run(
            "[...document.querySelectorAll('#doubts .card button')].find(b => b.textContent === 'Cover it').click()"
        )
        page.until("document.getElementById('said').textContent.includes('(not covered by the search)')")
        assert len([text for text in page.run(cards) if "that no region covers" in text]) == 1
        page.run(
            "[...document.querySelectorAll('#doubts .card')].find(c => c.textContent.includes('that no region'))"
            ".querySelector('button').click()"
        )
        rest(page, 42)
        assert "of 90 frames" in page.run("document.getElementById('second-told').textContent")
        page.press("t")
        page.until("document.getElementById('said').textContent === 'ticked off'")
        page.run("document.querySelector('#doubts > button').click()")
        page.until("document.getElementById('said').textContent.includes('second opinion thorough (centerface')")
        clean(page, client.address)
    (region,) = changes(files[1])
    assert (region.label, region.range.start, region.range.stop) == ("face", 5, 25)
    (record,) = (line for line in lines(files[1]) if line["op"] == "review")
    assert [(t["frame"], t["kind"]) for t in record["ticked"]] == [(42, "unseen")]
    assert len(record["opinions"][0]["finds"]) == 2


def test_what_is_rendered_from_the_page_is_verified_plays_there_and_is_replaced_after_an_edit(
    chrome: Browser, files: tuple[Path, Path], tmp_path: Path
) -> None:
    own = Path(shutil.copy(files[0], tmp_path / files[0].name)), files[1]
    output = own[0].with_name("take.covered.mov")
    with review(own, "--preset", "prores_proxy") as (address, _):
        page = opened(chrome, address)
        for _ in range(2):
            page.run("document.getElementById('tab-render').click()")
            page.run("document.getElementById('render-start').click()")
            page.until("document.getElementById('said').textContent.includes('take.covered.mov is rendered')")
            passed, _, count = page.run(
                "document.getElementById('said').textContent.match(/(\\d+) (of) (\\d+) checks passed/).slice(1)"
            )
            assert passed == count
            assert int(count) > 10
            if not changes(own[1]):
                first = picture(open_source(output).clip, 42)
                go(page, 42)
                x0, y0, x1, y1 = faces(42)[2]
                page.click(*on_screen(page, (x0 + x1) / 2, (y0 + y1) / 2))
                page.press("Delete")
                page.until("document.getElementById('said').textContent.includes('drop track')")
            page.run("document.getElementById('said').textContent = ''")
        # The result of now, to the pixel, and it plays.
        page.press("5")
        go(page, 42)
        got, rendered = shown(page), picture(open_source(output).clip, 42)
        assert np.array_equal(got, rendered)
        assert not np.array_equal(rendered, first)  # the face stands uncovered since
        page.press("Home")
        rest(page, 0)
        page.press("l")
        page.until("Number(document.getElementById('picture').dataset.frame) >= 12")
        page.press("k")
        clean(page, address)
    done = CliRunner().invoke(main, ["verify", str(output), "--source", str(own[0]), "--tracks", str(own[1])])
    assert done.exit_code == 0, done.output
