"""Sound beside the picture: which tracks, copied where the container takes them, else in a codec that it takes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vsanon.encode.ffmpeg import run
from vsanon.encode.presets import Preset
from vsanon.errors import EncodeError, InputError
from vsanon.media import MediaFacts, StreamFacts, takes_codec
from vsanon.media.containers import demuxer_args

MODES = ("auto", "copy", "pcm", "aac")

MXF_RATE = 48_000
"""The sampling rate that ffmpeg's MXF holds, Hz."""

_KBITS_A_CHANNEL = 128

_PCM = {16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}
_SAMPLES = {"pcm_s16le": "s16", "pcm_s24le": "s32", "pcm_s32le": "s32", "alac": "s16p", "aac": "fltp"}


@dataclass(frozen=True, slots=True)
class Sound:
    """Which sound goes with the picture, and how.

    Args:
        mode: "copy" as it is, or refused; "pcm" or "aac"; "auto" copies what the container takes, and makes of the
            rest what loses nothing: PCM, in MP4 Apple Lossless.
        tracks: which of the source's sound tracks, counted from 1; empty for all.

    Raises:
        ValueError: an unknown mode, or a track before the first.
    """

    mode: str = "auto"
    tracks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"audio is one of {', '.join(MODES)}, not {self.mode!r}")
        if any(track < 1 for track in self.tracks):
            raise ValueError("sound tracks are counted from 1")

    def chosen(self, source: MediaFacts) -> tuple[int, ...]:
        """The indices of the streams that were asked for.

        Raises:
            InputError: there is no such track.
        """
        streams = source.of_kind("audio")
        for track in self.tracks:
            if track > len(streams):
                raise InputError(f"{source.path}: no sound track {track}: it has {len(streams)}")
        return tuple(s.index for n, s in enumerate(streams, start=1) if not self.tracks or n in self.tracks)

    def why(self, stream: StreamFacts, preset: Preset) -> str:
        """Why a stream is not copied, in words."""
        return "as asked" if self.mode != "auto" else f"as {preset.suffix} does not take {stream.codec}"


AS_IS = Sound()


def codec_in(stream: StreamFacts, source: MediaFacts, preset: Preset, sound: Sound) -> str:
    """The codec of a sound stream in the preset's container: its own where it is copied.

    Raises:
        InputError: it is to be copied, and the container does not take it.
    """
    name = f"stream {stream.index} (audio {stream.codec})"
    if preset.muxer == "mxf" and (stream.rate != MXF_RATE or not stream.codec.startswith("pcm_")):
        raise InputError(
            f"{name} of {stream.rate} Hz: MXF holds PCM of {MXF_RATE} Hz beside each frame. Use a preset for .mov "
            "or .mkv, or leave it out (--leave-out audio)."
        )
    if sound.mode in ("auto", "copy"):
        if stream.codec == "none":
            raise InputError(f"{name} of the source is of a codec that ffmpeg does not know: --leave-out audio")
        # ffmpeg also writes what only ffmpeg reads again, such as Vorbis in MOV; its list of Matroska lacks much.
        listed = preset.muxer == "matroska" or takes_codec(preset.muxer, stream.codec)
        if listed and takes_stream(source.path, source.container, stream.index, preset.muxer):
            return stream.codec
        if sound.mode == "copy":
            raise InputError(
                f"{name} of the source can't be put into {preset.suffix} as it is. Leave it to vsanon "
                "(--audio auto), use a preset of another container (ffv1 writes .mkv), or leave it out "
                "(--leave-out audio)."
            )
    if preset.muxer == "webm":
        raise InputError(f"{name}: .webm takes Opus and Vorbis only. Use a preset for .mkv, or --leave-out audio.")
    if sound.mode == "aac":
        return "aac"
    if sound.mode == "auto" and preset.muxer == "mp4":
        return "alac"
    return _PCM[stream.depth or 24]


def sound_args(n: int, stream: StreamFacts, codec: str) -> list[str]:
    """ffmpeg's arguments for sound that becomes stream `n` of the output."""
    if codec == stream.codec:
        return [f"-c:{n}", "copy"]
    samples = "s32p" if codec == "alac" and (stream.depth or 24) > 16 else _SAMPLES[codec]
    # Conversions are not made unasked; with a first time the encoder's clock starts where the source's does.
    args = [f"-c:{n}", codec, f"-filter:{n}", f"aresample=osf={samples}", f"-flags:{n}", "+bitexact"]
    if codec == "aac":
        args += [f"-b:{n}", f"{_KBITS_A_CHANNEL * (stream.channels or 2)}k"]
    return args


@cache
def _taken(path: Path, _: tuple[int, int], container: str, index: int, muxer: str) -> bool:
    with TemporaryDirectory(prefix="vsanon-") as folder:
        ask = [
            *demuxer_args(container),
            "-i",
            f"file:{path}",
            "-map",
            f"0:{index}",
            "-c",
            "copy",
            "-map_metadata",
            "-1",
        ]
        try:
            run([*ask, "-frames:0", "3", "-f", muxer, f"file:{Path(folder) / 'asked'}"])
        except EncodeError:
            return False
    return True


def takes_stream(path: Path, container: str, index: int, muxer: str) -> bool:
    """Whether ffmpeg's muxer takes this very stream as it is: its first packets are written to see."""
    stat = path.stat()
    return _taken(path.resolve(), (stat.st_ino, stat.st_mtime_ns), container, index, muxer)
