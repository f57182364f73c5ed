"""How long a person waits for the next frame of `vsanon review`: steps and leaps in a real Chromium.

    python scripts/bench/stepping.py CLIP TRACKS [--steps 40]

Run from the checkout. A step is timed from the key to the picture on the page, with pauses as people make them and
with none; a leap goes to a frame anywhere. Memory is the resident memory of the server.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("tracks", type=Path)
    parser.add_argument("--steps", type=int, default=40)
    args = parser.parse_args()
    argv = [*VSANON, "review", args.clip, "--tracks", args.tracks, "--by", "Bench", "--no-browser"]
    with contextlib.ExitStack() as held:
        server = held.enter_context(subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True))
        held.callback(server.terminate)
        chrome = held.enter_context(browser())
        assert server.stdout is not None
        page = chrome.page()
        page.open(server.stdout.readline().strip())
        page.until("document.getElementById('picture').dataset.frame === '0'")
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
            leaps = [first + way * k if way else 7919 * k % frames for k in range(count + 1)]
            before = _resident_mib(server.pid)
            timed(page, [("", leaps[0])], 600)
            taken = timed(page, [(key, n) for n in leaps[1:]], pause)
            last = f"{before} → {_resident_mib(server.pid)}"
            rows.append([name, f"{statistics.median(taken):.0f}", f"{max(taken):.0f}", last])
    print(table(["", "median, ms", "longest, ms", "server, MiB"], rows))


def timed(page: Page, goes: list[tuple[str, int]], pause_ms: int) -> list[float]:
    """Milliseconds that each step took: by a key, or by the number of the frame."""
    taken: list[float] = page.run(_TIMED % (str([list(go) for go in goes]), pause_ms))
    return taken


def _resident_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


if __name__ == "__main__":
    main()
