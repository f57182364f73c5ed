"""A limit on memory is met before the work, and not by a library that aborts."""

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.support.clips import found, use
from tests.support.footage import blob
from vsanon.errors import MissingError
from vsanon.job import memory
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("allowed_mb", "frames_mb", "enough"),
    [
        (1536, 0, True),
        (1535, 0, False),
        (1636, 100, True),
        (1635, 100, False),
        (2688, 10**6, True),
        (2687, 10**6, False),
    ],
)
def test_what_a_job_takes_is_a_base_its_cores_and_its_frames_up_to_the_caches(
    monkeypatch: pytest.MonkeyPatch, allowed_mb: int, frames_mb: int, enough: bool
) -> None:
    """1024 + 2 * 256 MB, and the frames up to 1024 + 128 MB."""
    monkeypatch.setattr(memory, "cores", lambda: 2)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed_mb << 20, allowed_mb << 20))
    if enough:
        memory.require_memory(frames_mb)
    else:
        with pytest.raises(MissingError, match=f"may use {allowed_mb} MB .* raise the limit"):
            memory.require_memory(frames_mb)


def test_no_limit_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    memory.require_memory(10**9)


@pytest.mark.slow
def test_under_a_limit_a_job_leaves_with_3_and_one_line(tmp_path: Path) -> None:
    source = blob(tmp_path / "in.mp4", "-c:v", "libx264", sound=False)
    job = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from vsanon.cli.main import main; main(sys.argv[1:])"
    )
    argv = [sys.executable, "-c", job, "anonymize", str(source), str(tmp_path / "out.mp4")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("vsanon: this process may use 1024 MB of address space")
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4"}


@pytest.mark.slow
def test_a_job_keeps_no_more_of_a_long_film_than_of_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve boxes a frame that stayed in memory until the end would be 12 (16 + 1 + 75) = 1,104 bytes of places,
    origins and colours a frame. What is at hand in between differs from frame to frame: the least counts.
    """
    boxes = [(8 + 48 * i, 8 + 40 * j, 32 + 48 * i, 32 + 40 * j) for i in range(4) for j in range(3)]
    use(monkeypatch, lambda _: found(boxes))
    source = blob(tmp_path / "in.mp4", "-c:v", "libx264", sound=False, inputs=("-stream_loop", "26"))  # 648 frames
    held: dict[int, int] = {}

    def look(n: int, _: int) -> None:
        if n % 400 >= 200 and n % 5 == 0:
            gc.collect()
            now = tracemalloc.get_traced_memory()[0]
            held[n // 400] = min(now, held.get(n // 400, now))

    tracemalloc.start()
    try:
        anonymize_file(source, tmp_path / "out.mp4", Settings(), tracks=tmp_path / "t", progress=look)
    finally:
        tracemalloc.stop()
    assert (held[1] - held[0]) / 400 < 1104 / 3
