"""Sound beside the picture: which tracks, copied where the container takes them, else in a codec that it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vsanon.encode.ffmpeg import run
from vsanon.encode.presets import Preset
from vsanon.encode.sound_changes import SoundChange, filter_of
from vsanon.errors import EncodeError, InputError
from vsanon.media import MediaFacts, StreamFacts, takes_codec
from vsanon.media.containers import demuxer_args

MODES = ("auto", "copy", "pcm", "aac")

MXF_RATE = 48_000
"""The sampling rate that ffmpeg's MXF holds, Hz."""

_KBITS_A_CHANNEL = 128

_PCM = {16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}
_SAMPLES = {
    "pcm_u8": "u8", "pcm_s16le": "s16", "pcm_s16be": "s16", "pcm_s24le": "s32", "pcm_s24be": "s32",
    "pcm_s32le": "s32", "pcm_s32be": "s32", "pcm_f32le": "flt", "pcm_f32be": "flt", "alac": "s16p", "flac": "s16",
    "aac": "fltp",
}  # fmt: skip
"""Codecs that sound is encoded with, and the samples that each takes; those of the last two up to 16 bits."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Which sound goes with the picture, and how.

    Args:
        mode: "copy" as it is, or refused; "pcm" or "aac"; "auto" copies what the container takes, and makes of the
            rest what loses nothing: PCM, in MP4 Apple Lossless.
        tracks: which of the source's sound tracks, counted from 1; empty for all.
        changes: what is muted or bleeped over, by people.

    Raises:
        ValueError: an unknown mode, or a track before the first.
    """

    mode: str = "auto"
    tracks: tuple[int, ...] = ()
    changes: tuple[SoundChange, ...] = ()

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

    def changed(self, source: MediaFacts) -> Mapping[int, tuple[SoundChange, ...]]:
        """By the index of its stream, what of the sound is changed.

        Raises:
            InputError: there is no such track.
        """
        streams = source.of_kind("audio")
        found: dict[int, tuple[SoundChange, ...]] = {}
        for change in self.changes:
            if change.track > len(streams):
                raise InputError(
                    f"{source.path}: an edit changes sound track {change.track}: it has {len(streams)}. Undo it "
                    "(`vsanon edit list`, `vsanon edit undo`)"
                )
            index = streams[change.track - 1].index
            found[index] = (*found.get(index, ()), change)
        return found

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


def codec_of_changed(stream: StreamFacts, source: MediaFacts, preset: Preset, sound: Sound) -> str:
    """The codec of a sound stream that edits change: its own where that is encoded here, else as of `codec_in`.

    Raises:
        InputError: it is to be copied, or the container does not take it.
    """
    if sound.mode == "copy":
        raise InputError(
            f"stream {stream.index} (audio {stream.codec}): edits change it, so it is no copy: use --audio auto"
        )
    codec = codec_in(stream, source, preset, sound)
    if codec in _SAMPLES:
        return codec
    if preset.muxer == "webm":
        raise InputError(
            f"stream {stream.index} (audio {codec}): edits change it, and .webm has no place for what is encoded "
            "here. Use a preset for .mkv, or --leave-out audio."
        )
    return "alac" if preset.muxer == "mp4" else _PCM[stream.depth or 24]


def is_lossless(codec: str) -> bool:
    """Whether sound that is encoded so is what it was, sample for sample."""
    return codec != "aac"


def sound_args(
    n: int, stream: StreamFacts, codec: str, changes: Sequence[SoundChange] = (), shift: Fraction = Fraction(0)
) -> list[str]:
    """ffmpeg's arguments for sound that becomes stream `n` of the output, `shift` seconds earlier."""
    if codec == stream.codec and not changes:
        return [f"-c:{n}", "copy"]
    deep = codec in ("alac", "flac") and (stream.depth or 24) > 16
    samples = {"alac": "s32p", "flac": "s32"}[codec] if deep else _SAMPLES[codec]
    # Conversions are not made unasked; with a first time the encoder's clock starts where the source's does.
    filters = ",".join([*changing(changes, shift), f"aresample=osf={samples}"])
    args = [f"-c:{n}", codec, f"-filter:{n}", filters, f"-flags:{n}", "+bitexact"]
    if codec == "aac":
        args += [f"-b:{n}", f"{_KBITS_A_CHANNEL * (stream.channels or 2)}k"]
    return args


def changing(changes: Sequence[SoundChange], shift: Fraction) -> list[str]:
    """The filters that change spans of sound; what comes out is of double precision."""
    return ["aresample=osf=dblp", filter_of(changes, shift)] if changes else []


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
