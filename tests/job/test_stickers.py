"""A picture of the user's own, at every door: read with its alpha, or refused."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from vsanon.cli.main import main
from vsanon.covering.pictures import SIDE, Sticker, smile
from vsanon.errors import InputError
from vsanon.job.stickers import picture_of


def png(path: Path, rgba: NDArray[Any]) -> Path:
    cv2.imwrite(str(path), rgba[..., [2, 1, 0, 3]])
    return path


def test_a_file_is_read_with_its_alpha_and_known_by_its_digest(tmp_path: Path) -> None:
    rgba = np.zeros((300, 900, 4), np.uint8)
    rgba[:, :450] = (255, 0, 0, 255)
    found = picture_of(str(png(tmp_path / "logo.png", rgba)))
    # 900 wide is halved twice, to 225, and 300 to 75.
    assert (found.name, found.size) == ("logo.png", (225, 75))
    assert found.sha256 == hashlib.sha256((tmp_path / "logo.png").read_bytes()).hexdigest()
    samples = np.frombuffer(found.rgba, np.uint8).reshape(75, 225, 4)
    assert samples[0, 0].tolist() == [255, 0, 0, 255]
    # Half of this column's samples are clear, and don't darken its colour.
    assert samples[40, 112].tolist() == [255, 0, 0, 128]
    assert Sticker.of(found.facts) == found


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(
        png(tmp_path / "whole.png", np.full((9, 9, 4), 255, np.uint8)).read_bytes()[:40]
    )
    png(tmp_path / "clear.png", np.zeros((9, 9, 4), np.uint8))
    for name, message in (
        ("none.png", "can't read the picture: No such file"),
        ("text.png", "a picture is a PNG"),
        ("cut.png", "can't be decoded"),
        ("clear.png", "wholly transparent"),
    ):
        with pytest.raises(InputError, match=message):
            picture_of(str(tmp_path / name))
    for wrong in ({"size": [1, 9**9]}, {"size": [SIDE, SIDE - 1]}, {"rgba": "AAAA"}, {"rgba": "\u00e9"}):
        with pytest.raises(ValueError, match=r"picture|base64|ASCII"):
            Sticker.of({**smile().facts, **wrong})


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with a name")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="can't read the picture"):
        picture_of(str(tmp_path / "pipe.png"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--profile", "picture", "--picture", "none.png"], "none.png: can't read the picture"),
        (["--picture", "smile"], "--picture goes with --profile picture, not with strict"),
    ],
)
def test_a_picture_that_is_missing_or_would_not_be_used_is_refused(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.mp4").write_bytes(b"")
    done = CliRunner().invoke(main, ["anonymize", "in.mp4", "out.mp4", *options])
    assert done.exit_code == 2
    assert words in done.output
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"}
