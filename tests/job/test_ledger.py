"""The ledger of a stranger: whatever its entries are, reading gives what one can rest on, or our error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import found, use
from tests.support.footage import blob
from vsanon.covering.choices import fill_of, shapes_of
from vsanon.covering.looks import STRENGTHS
from vsanon.covering.pictures import Sticker
from vsanon.errors import InputError
from vsanon.job import ledger
from vsanon.job.ledger import Painting
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery

WRONG: tuple[Any, ...] = (None, True, -1, 1.5, 1e308, "", "x\0", "\x1b[31m", [], [[]], {}, {"a": {}})


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("ledger")
    source, output = blob(folder / "in.mp4", "-c:v", "libx264", sound=False), folder / "out.mp4"
    with pytest.MonkeyPatch.context() as patch:
        use(patch, lambda rgb: found([(10, 10, 40, 40)]))
        anonymize_file(source, output, Settings())
    return source, output


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every entry, by its path."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*at, key)
        yield from places(part, (*at, key))


def changed(book: dict[str, Any], at: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The ledger with one entry replaced; taken out where the value is `KeyError`."""
    copy = json.loads(json.dumps(book))
    inner = copy
    for key in at[:-1]:
        inner = inner[key]
    if value is KeyError:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return copy


def test_a_ledger_as_it_is_written_fits_its_schema(delivered: tuple[Path, Path]) -> None:
    book = ledger.read(ledger.path_of(delivered[1]))
    assert ledger.preset_of(book).name == "h264_crf"


@pytest.mark.slow
def test_whatever_an_entry_is_reading_gives_usable_values_or_our_error(
    delivered: tuple[Path, Path], tmp_path: Path
) -> None:
    book = ledger.read(ledger.path_of(delivered[1]))
    path, refused, read = tmp_path / "l.json", 0, 0
    for at in places(book):
        for value in (*WRONG, KeyError):
            path.write_text(json.dumps(changed(book, at, value)))
            try:
                said = ledger.read(path)
                preset = ledger.preset_of(said)
                assert preset.muxer in ("mov", "mp4", "matroska")
                assert hash((said["painting"]["profile"], *said["keep"], said["output"]["sha256"]))
                read += 1
            except InputError:
                refused += 1
    assert refused > 800
    assert read > 100  # free texts, and entries that nothing rests on


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("preset",), None),
        (("preset", "pix_fmts"), "yuv420p"),
        (("preset", "pix_fmts"), ["nothing"]),
        (("preset", "suffix"), ".exe"),
        (("preset", "threads"), "4"),
        (("preset", "tags"), 3),
        (("keep",), [["audio"]]),
        (("keep",), "audio"),
        (("painting",), "strict"),
        (("painting", "profile"), ["strict"]),
        (("output", "sha256"), 7),
        (("source",), []),
    ],
)
def test_verify_says_which_entry_is_wrong(
    delivered: tuple[Path, Path], tmp_path: Path, at: tuple[str, ...], value: Any
) -> None:
    source, output = delivered
    path = tmp_path / "l.json"
    path.write_text(json.dumps(changed(ledger.read(ledger.path_of(output)), at, value)))
    with pytest.raises(InputError, match=at[-1] if value != ["nothing"] else "nothing"):
        verify_delivery(output, source, path)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"vsanon_ledger": NaN}', b"1" * 5000]
)
def test_what_is_no_json_is_no_ledger(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l.json").write_bytes(content)
    with pytest.raises(InputError, match=r"l\.json: not a ledger"):
        ledger.read(tmp_path / "l.json")


@pytest.mark.parametrize(
    ("look", "fill", "margins", "own_picture", "grid", "words"),
    [
        ("strict", "grey", [], False, 8, ""),
        ("strict", "grey", [], False, 64, ""),  # traces are looked for 4 px around a box, of larger blocks, too
        ("soft", "black", [], True, 8, ""),
        ("strict", "grey", [], False, 2,
         "; that was measured with the traces of a codec covered 4 px around each box, and not as here"),
        ("mosaic", "grey", ["face=0"], False, 1,
         "; that was measured with the margins and soft edges that are the default and the traces of a codec "
         "covered 4 px around each box, and not as here"),
        ("strict", "black", [], False, 8, "; that was measured with the fill grey, and not as here"),
        ("picture", "surroundings", [], True, 8,
         "; that was measured with the fill grey and the picture that vsanon draws, and not as here"),
        ("cosmetic", "grey", ["face=0"], False, 8,
         "; that was measured with the margins and soft edges that are the default, and not as here"),
    ],
)  # fmt: skip
def test_a_job_that_covers_otherwise_than_what_was_attacked_says_so(
    look: str, fill: str, margins: list[str], own_picture: bool, grid: int, words: str
) -> None:
    picture = Sticker("own.png", "0" * 64, (1, 1), bytes(4)) if own_picture else None
    painting = Painting(look, grid, fill_of(fill), "error", True, shapes_of(margins), picture)
    assert painting.facts["strength"] == STRENGTHS[look] + words
    again = Painting.of(json.loads(json.dumps(painting.facts)))
    assert again.facts["strength"] == painting.facts["strength"]
