"""`vsanon anonymize` of many files, from the shell: what goes where, what is logged, and the second run."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.footage import blob
from vsanon.cli.main import main
from vsanon.job.ledger import path_of


def anonymize(*argv: object) -> Result:
    return CliRunner().invoke(main, ["anonymize", *map(str, argv)])


@pytest.mark.slow
def test_a_folder_is_covered_and_a_second_run_does_only_what_is_missing(tmp_path: Path) -> None:
    source, out, log = tmp_path / "in", tmp_path / "out", tmp_path / "log.jsonl"
    for name in ("a.mp4", "b.mp4"):
        (source / name).parent.mkdir(exist_ok=True)
        blob(source / name, "-c:v", "libx264", sound=False)
    (source / "broken.mov").write_bytes((source / "a.mp4").read_bytes()[:2000])
    many = (source, "--out", out, "--classes", "plate", "--workers", 1, "--log-json", log)
    first = anonymize(*many)
    assert first.exit_code == 1
    assert "2 delivered, 0 kept, 1 failed, 0 given up" in first.stderr
    assert first.stdout.split() == [str(out / "a.mp4"), str(out / "b.mp4")]
    assert path_of(out / "a.mp4").exists()
    path_of(out / "b.mp4").unlink()
    (out / "b.mp4").unlink()
    (source / "broken.mov").unlink()
    second = anonymize(*many)
    assert second.exit_code == 0, second.stderr
    assert "1 delivered, 1 kept, 0 failed" in second.stderr
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [e.get("state", e["event"]) for e in events] == [
        "start", "delivered", "delivered", "failed", "end", "start", "kept", "delivered", "end",
    ]  # fmt: skip
    assert events[3]["exit_code"] == 2


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("a.mp4",), "IN and OUT are needed, got 1 names; for many files name --out DIR"),
        (("a.mp4", "b.mp4", "c.mp4"), "IN and OUT are needed, got 3 names"),
        (("a.mp4", "b.mp4", "--workers", "2", "--watch"), "--workers, --watch: goes with --out DIR"),
        (("a.mp4", "--out", "o", "--tracks", "t"), "--tracks and --sign go with one IN and OUT"),
        (("a.mp4", "--out", "o", "--scheduler", "tcp://h:1"), "--scheduler goes with --executor dask"),
        (("no.mp4", "--out", "o"), "no.mp4: there is no such file or folder"),
    ],
)
def test_what_does_not_fit_together_is_said_before_any_work(
    argv: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = anonymize(*argv)
    assert found.exit_code == 2
    assert words in " ".join(found.stderr.split())
