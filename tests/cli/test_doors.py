"""What strangers hand in, at every command that takes a file: refused in words, at once, and nothing is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.footage import blob
from vsanon.cli.main import main

IN, NEW = "IN", "NEW"
WHY = ("--by", "a", "--reason", "b")
COMMANDS = {
    "presets show": ("presets", "show", IN),
    "validate plan": ("validate", "plan", IN),
    "validate run": ("validate", "run", IN, "-o", NEW),
    "validate collect": ("validate", "collect", IN),
    "validate export-openjd": ("validate", "export-openjd", IN, "-o", NEW),
    "report": ("report", IN, "-o", NEW),
    "report verify": ("report", "verify", IN),
    "report certificate": ("report", "certificate", IN, "-o", NEW),
    "report compare": ("report", "compare", IN, IN, "-o", NEW),
    "edit list": ("edit", "list", IN),
    "edit drop": ("edit", "drop", IN, "--track", "1", *WHY),
    "export cvat": ("export", "cvat", IN, "-o", NEW),
    "render": ("render", IN, NEW + ".mp4", "--tracks", IN),
    "review": ("review", IN, "--source", IN, "-o", NEW),
    "models import": ("models", "import", IN),
}
FILES = {
    "a list of files": b"ffconcat version 1.0\nfile secret.mp4\n",
    "a playlist": b"#EXTM3U\n#EXTINF:5,\n../secret.mp4\n",
    "nothing": b"",
    "zeros": bytes(5000),
    "aliases of aliases": b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]\n",
    "a deep one": b"[" * 50_000,
    "an object of Python's": b"!!python/object/apply:os.system ['touch PWNED']\n",
    "escapes": b"\x1b[31m: [\n",
    "a pipe": None,
}


@pytest.mark.parametrize(
    "plan", ["[]", "{}", "[" * 50_000, '{"sources": 3}', '{"sources": [{}]}', '{"sources": []}', "1"]
)
def test_a_plan_of_another_kind_is_no_plan_of_a_run(tmp_path: Path, plan: str) -> None:
    (tmp_path / "plan.json").write_text(plan)
    for command in (["collect", str(tmp_path)], ["cell", str(tmp_path), "a/b/c/d"]):
        done = CliRunner().invoke(main, ["validate", *command])
        assert done.exit_code == 2
        assert "plan.json: no plan of a run" in done.output


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with a name")
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_strangers_file_is_refused_in_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "x.yaml"
    content = FILES[file]
    if content is None:
        os.mkfifo(name)
    else:
        Path(name).write_bytes(content)
    arguments = [part.replace(IN, name).replace(NEW, "new") for part in COMMANDS[command]]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code in (1, 2, 3), done.output
    assert isinstance(done.exception, SystemExit)  # and no error of another kind
    assert "Traceback" not in done.output
    assert "\x1b" not in done.output
    assert done.output.strip()
    assert {path.name for path in tmp_path.iterdir()} == {name}


def run_in(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a shell's line in a folder, with `$V` as the command."""
    env = {**os.environ, "V": f"{sys.executable} -m vsanon"}
    return subprocess.run(["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes what is open")
@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_who_has_closed_the_standard_streams_is_served_all_the_same(tmp_path: Path, closed: str) -> None:
    blob(tmp_path / "a.mp4", "-c:v", "libx264", "-preset", "ultrafast", frames=3)
    done = run_in(tmp_path, f"$V anonymize a.mp4 b.mp4 --classes plate {closed}")
    assert done.returncode == 0
    assert (tmp_path / "b.mp4.ledger.json").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is in use can't be removed")
def test_a_folder_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = run_in(tmp_path, "cd gone && rmdir ../gone && $V anonymize a.mp4 b.mp4")
    assert done.returncode == 2
    assert "the folder that this was started in is gone" in done.stderr
