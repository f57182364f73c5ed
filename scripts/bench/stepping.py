"""How long a person waits for the next frame of `vsanon review`: steps, leaps and scrubbing in a real Chromium.

    python scripts/bench/stepping.py CLIP TRACKS [--steps 40] [OPTIONS]

Run from the checkout; further options are those of `vsanon review`.

A step is timed from the key to the picture on the page, with pauses as people make them and with none; a leap goes
to a frame anywhere. Scrubbing is timed from the hand's move over the timeline, as the system tells its time, to the
picture of that place, which under a moving hand may be that of the key frame beside it, and to the very frame once
the hand rests. Memory is the resident memory of the server.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from measured import VSANON, table

from tests.support.chromium import Page, browser

_TIMED = """(async () => {
    const picture = document.getElementById('picture'), taken = [];
    for (const [key, n] of %s) {
        const began = performance.now();
        if (key) document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
        else {
            const number = document.getElementById('number');
            number.value = n;
            number.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}));
        }
        while (picture.dataset.frame !== String(n)) await new Promise(done => setTimeout(done, 2));
        taken.push(performance.now() - began);
        await new Promise(done => setTimeout(done, %d));
    }
    return taken;
})()"""


_WATCHED = """(() => {
    const picture = document.getElementById('picture'), scrub = document.getElementById('scrub');
    const watched = window.moves !== undefined;
    window.moves = [], window.paints = [];
    // Before the page hears of it, and by the hand's time: what is kept is painted before the next listener runs.
    if (!watched) addEventListener('pointermove', event => {
        const box = scrub.getBoundingClientRect(), frames = %d;
        const n = Math.floor((event.clientX - box.left) / box.width * frames);
        moves.push([event.timeStamp, Math.min(Math.max(n, 0), frames - 1)]);
    }, {capture: true});
    if (!watched) new MutationObserver(() => paints.push([performance.now(), Number(picture.dataset.frame)]))
        .observe(picture, {attributes: true, attributeFilter: ['data-frame']});
    const box = scrub.getBoundingClientRect();
    return [box.left, box.top + box.height / 2, box.width];
})()"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("tracks", type=Path)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--only", choices=["steps", "scrubbing"], default=None)
    args, options = parser.parse_known_args()
    argv = [*VSANON, "review", args.clip, "--tracks", args.tracks, "--by", "Bench", "--no-browser", *options]
    with contextlib.ExitStack() as held:
        server = held.enter_context(subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True))
        held.callback(server.terminate)
        chrome = held.enter_context(browser())
        assert server.stdout is not None
        page = chrome.page()
        page.open(server.stdout.readline().strip())
        page.until("document.getElementById('picture').dataset.frame === '0'")
        page.until("import('/store.js').then(m => m.store.passing > 0)")
        frames = int(page.run("import('/store.js').then(m => m.store.clip.frames)"))
        count = min(args.steps, frames // 3)
        rows = []
        for name, key, first, way, pause in (
            ("steps forward, 0.4 s apart", "ArrowRight", 0, 1, 400),
            ("steps back, 0.4 s apart", "ArrowLeft", frames - 1, -1, 400),
            ("steps forward, key held", "ArrowRight", frames // 3, 1, 0),
            ("steps back, key held", "ArrowLeft", 2 * frames // 3, -1, 0),
            ("leaps", "", 0, 0, 100),
        ):
            if args.only == "scrubbing":
                break
            leaps = [first + way * k if way else 7919 * k % frames for k in range(count + 1)]
            before = _resident_mib(server.pid)
            timed(page, [("", leaps[0])], 600)
            taken = timed(page, [(key, n) for n in leaps[1:]], pause)
            last = f"{before} → {_resident_mib(server.pid)}"
            rows.append([name, f"{statistics.median(taken):.0f}", f"{max(taken):.0f}", last])
        for name, pause_s in (("scrubbing, 0.1 s apart", 0.1), ("scrubbing, 0.5 s apart", 0.5)):
            if args.only == "steps":
                break
            page.run("location.reload()")  # with nothing in the page's own memory
            time.sleep(2)
            page.until("import('/store.js').then(m => m.store.passing > 0)")
            before = _resident_mib(server.pid)
            near, exact = scrubbed(page, frames, count, pause_s)
            last = f"{before} → {_resident_mib(server.pid)}"
            rows.append([name, f"{statistics.median(near):.0f}", f"{max(near):.0f}", last])
            rows.append([f"{name}: the very frame after it", f"{exact:.0f}", f"{exact:.0f}", last])
    print(table(["", "median, ms", "longest, ms", "server, MiB"], rows))


def timed(page: Page, goes: list[tuple[str, int]], pause_ms: int) -> list[float]:
    """Milliseconds that each step took: by a key, or by the number of the frame."""
    taken: list[float] = page.run(_TIMED % (str([list(go) for go in goes]), pause_ms))
    return taken


def scrubbed(page: Page, frames: int, count: int, pause_s: float) -> tuple[list[float], float]:
    """Milliseconds from each move of a hand to a picture of its place, and from the last one to its very frame.

    What was passed before its picture came has the wait for the next picture of where the hand was by then.
    """
    keys = page.run("import('/store.js').then(m => m.store.keys)") or list(range(frames))
    left, middle, wide = page.run(_WATCHED % frames)
    page.mouse("mousePressed", left + 1, middle, buttons=1)
    for k in range(1, count + 1):
        page.mouse("mouseMoved", left + 1 + 7919 * k * 31 % round(wide - 2), middle, buttons=1)
        time.sleep(pause_s)
    page.mouse("mouseReleased", left + 1 + 7919 * count * 31 % round(wide - 2), middle)
    page.until("paints.some(([at, n]) => at >= moves.at(-1)[0] && n === moves.at(-1)[1])")
    moves, paints = page.run("[moves, paints]")
    places = [{n, min(keys, key=lambda key: (abs(key - n), key))} for _, n in moves]
    taken = []
    for k, (at, _) in enumerate(moves):
        later = set().union(*places[k:])
        if k == 0 or places[k] != places[k - 1]:
            taken.append(next(then - at for then, frame in paints if then >= at and frame in later))
    return taken, next(then for then, frame in paints if then >= moves[-1][0] and frame == moves[-1][1]) - moves[
        -1
    ][0]


def _resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


if __name__ == "__main__":
    main()
