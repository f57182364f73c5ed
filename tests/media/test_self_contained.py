"""Only files that hold all of their streams themselves are opened: no list, script or pattern opens another one."""

import os
import struct
from pathlib import Path

import pytest

from tests.support.footage import blob
from vsanon.encode import run
from vsanon.errors import InputError
from vsanon.media import probe
from vsanon.media.source import open_clip, open_source


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blob(tmp_path_factory.mktemp("containers") / "secret.ts", "-c:v", "libx264", sound=False)


LISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n",
    "HLS with an address": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{path}'\n",
    "concat without a head": "file '{path}'\n",
    "DASH": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
    "<Representation><BaseURL>{path}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "AviSynth": 'FFVideoSource("{path}")\n',
    "VapourSynth": 'import vapoursynth as vs\nvs.core.bs.VideoSource("{path}").set_output()\n',
    "VobSub": "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\n",
}  # fmt: skip


@pytest.mark.parametrize(
    "suffix", [".m3u8", ".ffconcat", ".txt", ".mp4", ".ts", ".avs", ".vpy", ".mpd", ".sdp", ".idx"]
)
@pytest.mark.parametrize("kind", LISTS)
def test_what_names_other_files_is_refused(tmp_path: Path, video: Path, kind: str, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    for path in (str(video), os.path.relpath(video, tmp_path)):
        source.write_text(LISTS[kind].format(path=path))
        for way in (probe, open_source, open_clip):
            with pytest.raises(InputError, match=r"in\.\w+: (a playlist|can't be opened)"):
                way(source)


@pytest.mark.parametrize("name", ["in%d.png", "in1.png", "in?.png"])
def test_a_picture_or_a_pattern_of_pictures_is_refused(tmp_path: Path, video: Path, name: str) -> None:
    run(["-i", str(video), "-frames:v", "3", str(tmp_path / "in%d.png")])
    (tmp_path / name).write_bytes((tmp_path / "in1.png").read_bytes())
    with pytest.raises(InputError, match="a picture, or of a kind"):
        probe(tmp_path / name)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.mp4", "rtp://127.0.0.1:5004", "concat:a.ts|b.ts"])
def test_an_address_is_a_file_that_is_not_there(address: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_source(Path(address))


def reference_movie(path: Path, kind: bytes, flags: int, more: bytes = b"") -> Path:
    """A QuickTime file whose data reference says `kind` and `flags`; its samples lie in it all the same."""
    whole = blob(path.with_name("whole.mov"), "-c:v", "libx264", sound=False).read_bytes()
    at = whole.index(b"dref") - 4
    (length,) = struct.unpack_from(">I", whole, at)
    entry = kind + struct.pack(">I", flags) + more
    dref = whole[at + 4 : at + 16] + struct.pack(">I", len(entry) + 4) + entry
    grown = 4 + len(dref) - length
    out = bytearray(whole[:at] + struct.pack(">I", len(dref) + 4) + dref + whole[at + length :])
    # ffmpeg writes mdat before moov, so that nothing moves but the lengths of the boxes around.
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        start = out.index(name) - 4
        struct.pack_into(">I", out, start, struct.unpack_from(">I", out, start)[0] + grown)
    path.write_bytes(out)
    return path


@pytest.mark.parametrize(
    ("kind", "flags", "more"),
    [
        (b"url ", 0, b"file:///etc/passwd\0"),
        (b"urn ", 0, b"name\0location\0"),
        (b"alis", 0, b""),
        (b"alis", 1, bytes(200)),
    ],
)
def test_a_movie_whose_track_lies_in_another_file_is_refused(
    tmp_path: Path, kind: bytes, flags: int, more: bytes
) -> None:
    source = reference_movie(tmp_path / "in.mov", kind, flags, more)
    with pytest.raises(InputError, match="a track of it lies in another file"):
        probe(source)


@pytest.mark.parametrize("kind", [b"url ", b"alis"])
def test_a_movie_that_says_that_it_holds_its_track_itself_is_opened(tmp_path: Path, kind: bytes) -> None:
    assert probe(reference_movie(tmp_path / "in.mov", kind, 1)).video is not None


def test_a_compressed_header_is_not_guessed_at(tmp_path: Path) -> None:
    source = blob(tmp_path / "in.mov", "-c:v", "libx264", sound=False)
    content = source.read_bytes()
    at = content.index(b"moov") - 4
    source.write_bytes(content + struct.pack(">I4sI4s", 16, b"moov", 8, b"cmov"))
    assert at > 0
    with pytest.raises(InputError, match="header is compressed"):
        probe(source)


def test_the_encoder_opens_the_source_as_what_it_was_probed_to_be(tmp_path: Path, video: Path) -> None:
    from vsanon.media.self_contained import demuxer_args

    assert demuxer_args(probe(video).container) == ["-protocol_whitelist", "file", "-f", "mpegts"]
