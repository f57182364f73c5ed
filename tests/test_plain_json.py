"""JSON of a stranger: two readers of one file read the same, or it is refused by an error that names the file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from vsanon.cli.main import main
from vsanon.plain_json import load_json

BAD = {
    "a key twice": ('{"a": 1, "a": 2}', "twice"),
    "a key twice, within": ('[{"b": {"a": 1, "c": 2, "a": 1}}]', "twice"),
    "not a number": ('{"a": NaN}', "not a number"),
    "infinite": ('{"a": -Infinity}', "not a number"),
    "infinite by its power": ('{"a": 1e999}', "not a number"),
    "thousands of digits": (f'{{"a": {"9" * 5000}}}', "digits"),
    "deep": ("[" * 100_000 + "]" * 100_000, "levels"),
    "two values": ("{} {}", "Extra data"),
    "nothing": ("", "Expecting value"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_readers_take_differently_is_refused(kind: str) -> None:
    text, words = BAD[kind]
    with pytest.raises(ValueError, match=words):
        load_json(text)
    with pytest.raises(ValueError, match=words):
        load_json(text.encode())


def test_what_all_read_alike_is_read() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": [1, 2.5, {"a": null}], "b": {"a": true}}') == {
        "a": [1, 2.5, {"a": None}],
        "b": {"a": True},
    }
    with pytest.raises(ValueError, match="utf-8"):
        load_json('{"a": 1}'.encode("utf-16"))


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize(
    "command",
    [
        ("verify", "out.mp4", "--source", "in.mp4", "--ledger"),
        ("report", "certificate", "-o", "c.html"),
        ("report", "render", "-o", "folder"),
        ("validate", "pool", "-o", "pooled.json"),
        ("farm", "status"),
        ("edit", "list"),
    ],
    ids=" ".join,
)
def test_each_command_that_reads_json_says_so_and_leaves_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.mp4").touch()
    Path("out.mp4").touch()
    Path("bad.json").write_text(BAD[kind][0] + "\n", encoding="utf-8")
    result = CliRunner().invoke(main, [*command, "bad.json"])
    assert result.exit_code == 2, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "in.mp4", "out.mp4"]
