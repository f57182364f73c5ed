"""MPEG-2 in pieces has the timecode of one encode in the headers of its groups, as ffmpeg itself writes it."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support.media_clips import frames, timeline
from vsanon.encode import RawVideo, encode, run
from vsanon.encode.group_timecodes import clock_of, numbered
from vsanon.encode.joined import Piece, join
from vsanon.encode.presets import load
from vsanon.media import probe

GROUPS = b"\x00\x00\x01\xb8"


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(p) for p in file.demux(file.streams.video[0]) if p.size]


@pytest.mark.parametrize(
    ("rate", "timecode"), [("25", "23:59:58:20"), ("30000/1001", "00:00:58;20"), ("60000/1001", "09:58:59;40")]
)
def test_a_group_is_numbered_as_ffmpeg_numbers_it(tmp_path: Path, rate: str, timecode: str) -> None:
    picture = ("-y", "-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate}:d=2.5", "-c:v", "mpeg2video", "-g", "7")
    told, from_0 = tmp_path / "told.mov", tmp_path / "from_0.mov"
    run([*picture, "-timecode", timecode, f"file:{told}"])
    run([*picture, f"file:{from_0}"])
    clock, plain = clock_of(Fraction(rate), timecode), packets(from_0)
    assert plain != packets(told)
    assert [numbered(p, clock, n) for n, p in enumerate(plain)] == packets(told)
    assert sum(GROUPS in packet for packet in plain) >= 9


def test_pieces_are_numbered_through_from_the_timecode_of_the_source(tmp_path: Path) -> None:
    source = tmp_path / "in.mov"
    run(["-y", "-f", "lavfi", "-i", "color=s=64x48:r=25:d=1", "-c:v", "ffv1", "-timecode", "10:00:59:20",
         f"file:{source}"])  # fmt: skip
    args = ("-g", "8", "-bf", "2", "-flags:v", "+cgop", "-sc_threshold", "1000000000", "-q:v", "4")
    own = replace(load("mpeg2_422_mxf"), suffix=".mov", args=args, least_size=(1, 1))
    video = RawVideo("yuv422p", (64, 48), timeline(24))
    pieces = []
    drawn = list(frames(video))
    for k, part in enumerate((drawn[:10], drawn[10:])):
        pieces.append(Piece(tmp_path / f"{k}.mov", len(part)))
        encode(part, replace(video, timeline=timeline(len(part))), own, pieces[-1].path)
    join(pieces, video, own, tmp_path / "joined.mov", source=probe(source))
    begins = [n for n, packet in enumerate(packets(tmp_path / "joined.mov")) if GROUPS in packet]
    assert {0, 10} <= {*begins}
    clock = clock_of(Fraction(25), "10:00:59:20")
    assert clock.at(10) == "10:01:00:05"
    # 0 | 10 hours | 1 minute, the marker, 0 seconds, 5 pictures | a closed group.
    header = packets(tmp_path / "joined.mov")[10].split(GROUPS)[1][:4]
    assert int.from_bytes(header, "big") == (10 << 19 | 1 << 13 | 1 << 12 | 5) << 7 | 1 << 6
