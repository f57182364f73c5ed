"""YAML of a stranger: each way to hang or break a reader ends in an error that names the file."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from vsanon.cli.main import main
from vsanon.plain_yaml import MOST_DEPTH, load_yaml

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = {
    "aliases of aliases": LAUGHS,
    "an alias to itself": "a: &a [*a]\n",
    "deep in brackets": "a: " + "[" * 100_000,
    "deep in braces": "{a: " * 3000,
    "deep by indent": "".join(f"{' ' * n}a:\n" for n in range(500)),
    "NUL": 'name: "a\\0b"\n',
    "NUL bytes": "name: a\0b\n",
    "a long number": f"threads: {'9' * 5000}\n",
    "no such day": "name: 2026-02-31\n",
    "far too much": "a" * 1_000_001,
    "no text": "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
    "a tag": "!!python/object/apply:os.system ['true']\n",
    "a key that is a list": "? [a]\n: b\n",
}


@pytest.mark.parametrize("kind", BAD)
def test_what_would_hang_or_break_a_reader_is_refused_at_once(kind: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(BAD[kind])


def test_what_is_written_out_is_read() -> None:
    assert load_yaml("a: [1, {b: c}]\nd: 2.5\n") == {"a": [1, {"b": "c"}], "d": 2.5}
    nested = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert len(str(load_yaml(nested))) == 2 * MOST_DEPTH


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize(
    "command",
    [("presets", "show"), ("validate", "plan"), ("report", "certificate", "L", "-o", "c.html", "--facts")],
)
def test_each_command_that_reads_yaml_says_so_and_leaves_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("L").write_text("{}")
    Path("bad.yaml").write_text(BAD[kind], encoding="utf-8")
    result = CliRunner().invoke(main, [*command, "bad.yaml"])
    assert result.exit_code == 2, result.output
    assert "bad.yaml" in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_card_of_a_stranger_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path))
    for kind, text in BAD.items():
        (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
        result = CliRunner().invoke(main, ["models", "list"])
        assert (result.exit_code, "bad.yaml" in result.output) == (2, True), (kind, result.output)
