"""What a message advises is done, word for word, and helps."""

import re
from pathlib import Path

import pytest

from tests.support.odd_files import cropped_mkv, made, picture, tone
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source

_COMMAND = re.compile(r"ffmpeg (-[^()]+? (OUT\.\w+))")


def refusal(source: Path) -> str:
    with pytest.raises(InputError) as caught:
        require_intact(open_source(source))
    return str(caught.value)


def followed(said: str, source: Path) -> list[Path]:
    """The files that all commands of a message make."""
    made_files = []
    for command, name in _COMMAND.findall(said):
        out = source.with_name(f"{len(made_files)}{name}")
        run(["-y", *(str({"IN": source, name: out}.get(word, word)) for word in command.split())])
        made_files.append(out)
    return made_files


def gxf(folder: Path) -> Path:
    return made(folder / "in.gxf", *picture("720x576"), *tone(), "-map", "0:v", "-c:v", "mpeg2video", "-q:v", "3")


def bare_jpeg(folder: Path) -> Path:
    return made(folder / "in.mjpeg", *picture(), "-c:v", "mjpeg")


def moving_webp(folder: Path) -> Path:
    return made(folder / "in.webp", *picture(), "-c:v", "libwebp_anim")


def five_bits(folder: Path) -> Path:
    return made(folder / "in.nut", *picture(), "-c:v", "rawvideo", "-pix_fmt", "rgb565le")


def cropped_away(folder: Path) -> Path:
    return cropped_mkv(folder / "in.mkv", 191, 32)


@pytest.mark.parametrize(
    ("make", "commands"), [(gxf, 2), (bare_jpeg, 1), (moving_webp, 1), (five_bits, 1), (cropped_away, 1)]
)
def test_every_command_of_a_message_helps(tmp_path: Path, make: object, commands: int) -> None:
    source = make(tmp_path)  # type: ignore[operator]
    better = followed(refusal(source), source)
    assert len(better) == commands
    for path in better:
        opened = open_source(path)
        require_intact(opened)
        assert len(opened.timeline.pts) == 10
