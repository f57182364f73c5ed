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
from vsanon.media.self_contained import demuxer_args
from vsanon.media.streams import EDITED

MODES = ("auto", "copy", "pcm", "aac")

FIXED_RATE = 48_000
"""The sampling rate of sound in ffmpeg's MXF, and of Opus, Hz."""

_KBITS_A_CHANNEL = {"aac": 128, "opus": 96}
"""Of the codecs that lose something."""
LOSSY = frozenset(_KBITS_A_CHANNEL)
_MOST_CHANNELS = 8
"""Of AAC, Opus and Apple Lossless, as ffmpeg writes them."""

_PCM = {16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}
_WIDER = {"pcm_s16le": "pcm_s24le", "pcm_s24le": "pcm_s32le"}
"""PCM that holds all of another one, where that can't be copied."""
_SAMPLES = {
    **{f"pcm_s{bits}{end}": "s16" if bits == 16 else "s32" for bits in (16, 24, 32) for end in ("le", "be")},
    "pcm_u8": "u8",
    "pcm_f32le": "flt",
    "pcm_f32be": "flt",
    "pcm_f64le": "dbl",
    "pcm_f64be": "dbl",
    "alac": "s16p",
    "flac": "s16",
    "aac": "fltp",
    "opus": "flt",
}
"""In which samples the encoders take sound; of 24 bits and more, Apple Lossless s32p and FLAC s32."""
_ENCODERS = {"opus": "libopus"}
"""By codec, where it is not its name."""


@dataclass(frozen=True, slots=True)
class SoundFit:
    """How sound fits the picture: silent samples before it (below 0: left out), and all, at a rate in Hz."""

    lead: int
    total: int
    rate: int


def is_pcm(codec: str) -> bool:
    """Whether sound of this codec can be written again with the very same bytes."""
    return codec in _SAMPLES and codec.startswith("pcm_")


def is_recut(codec: str) -> bool:
    """Whether sound of this codec can be cut to the sample and stays what it is."""
    return is_pcm(codec) or codec in ("flac", "alac")


def keeps_bytes(stream: StreamFacts, codec: str, fit: SoundFit | None) -> bool:
    """Whether a sound stream's own bytes stand in the file: copied, or PCM cut to the picture."""
    rate = fit.rate if fit is not None else encoded_rate(stream, codec)
    same = codec == stream.codec and rate == stream.rate and stream.tells != EDITED
    return same and (fit is None or is_pcm(codec))


def sample_bytes(codec: str) -> int:
    """Bytes of a sample of PCM."""
    return int(codec.removeprefix("pcm_")[1:].removesuffix("le").removesuffix("be")) // 8


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

    def why(self, stream: StreamFacts, codec: str, preset: Preset, *, cut: bool = False) -> str:
        """What becomes of a stream that is not copied, and why, in words."""
        rate = rate_in(stream, codec, preset)
        again = f" of {rate} Hz in place of {stream.rate}" if rate != stream.rate else ""
        less = ", which loses a little" if codec in LOSSY else ""
        if self.mode != "auto":
            why = "as asked"
        elif stream.tells is not None:
            why = f"as it has {stream.tells}"
        elif cut and not is_recut(stream.codec):
            why = f"as {stream.codec} can't be cut to the sample"
        else:
            why = f"as {preset.suffix} does not take {stream.codec}{again and f' of {stream.rate} Hz'}"
        return f"becomes {codec}{again}, {why}{less}"

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


AS_IS = Sound()


def codec_in(stream: StreamFacts, source: MediaFacts, preset: Preset, sound: Sound, *, cut: bool = False) -> str:
    """The codec of a sound stream in the preset's container: its own where it is copied.

    Args:
        cut: it is cut to the sample, for which it is decoded.

    Raises:
        InputError: it is to be copied, and the container does not take it or it can't be cut; or the container does
            not take the codec that was asked for.
    """
    name = f"stream {stream.index} (audio {stream.codec})"
    if stream.codec == "none":
        raise InputError(f"{name} of the source is of a codec that ffmpeg does not know: --leave-out audio")
    uncut = cut and not is_recut(stream.codec)
    if sound.mode in ("auto", "copy"):
        # ffmpeg also writes what only ffmpeg reads again, such as Vorbis in MOV; its list of Matroska lacks much.
        listed = preset.muxer == "matroska" or takes_codec(preset.muxer, stream.codec)
        beside = preset.muxer != "mxf" or (is_pcm(stream.codec) and stream.rate == FIXED_RATE)
        may = listed and beside and not uncut and stream.tells is None
        if may and takes_stream(source.path, source.container, stream.index, preset.muxer):
            return stream.codec
        if sound.mode == "copy":
            why, instead = (
                f"can't be put into {preset.suffix}",
                "use a preset of another container (ffv1 writes .mkv)",
            )
            if stream.tells is not None:
                why, instead = f"has {stream.tells}, and can't go along", "make it --audio pcm"
            elif uncut:
                why, instead = "can't be cut to the sample", "deliver the whole (without --trim)"
            raise InputError(
                f"{name} of the source {why} as it is. Leave it to vsanon (--audio auto), {instead}, or leave it "
                "out (--leave-out audio)."
            )
    becomes = _becomes(stream, preset, sound)
    # Sound that is fitted to the picture is encoded anew in any case.
    if becomes == stream.codec and stream.tells is not None and not (cut or preset.muxer == "mxf"):
        if becomes in _WIDER:
            return _WIDER[becomes]
        raise InputError(
            f"{name} has {stream.tells}, and would be copied with it: use a preset for .mov or "
            ".mkv with --audio pcm, or leave it out (--leave-out audio)."
        )
    if becomes in (*LOSSY, "alac") and (stream.channels or 0) > _MOST_CHANNELS:
        raise InputError(
            f"{name} has {stream.channels} channels, and {becomes} {_MOST_CHANNELS} at most: use a preset for .mov "
            "or .mkv with --audio pcm, or leave it out (--leave-out audio)."
        )
    return becomes


def _becomes(stream: StreamFacts, preset: Preset, sound: Sound) -> str:
    """The codec in which a stream is encoded anew."""
    only = {"mxf": "pcm", "webm": "auto"}.get(preset.muxer)
    if only is not None and sound.mode not in ("auto", only):
        takes = "PCM" if only == "pcm" else "Opus and Vorbis"
        raise InputError(f"--audio {sound.mode}: {preset.suffix} takes {takes} only: --audio auto makes it so")
    if preset.muxer == "webm":
        return "opus"
    if sound.mode == "aac":
        return "aac"
    if sound.mode == "auto" and preset.muxer == "mp4":
        return "alac"
    return _PCM[min(stream.depth or 24, 24 if preset.muxer == "mxf" else 32)]


def codec_of_changed(
    stream: StreamFacts, source: MediaFacts, preset: Preset, sound: Sound, *, cut: bool = False
) -> str:
    """The codec of a sound stream that edits change: its own where that is encoded here, else as of `codec_in`.

    Raises:
        InputError: it is to be copied, or the container does not take it.
    """
    if sound.mode == "copy":
        raise InputError(
            f"stream {stream.index} (audio {stream.codec}): edits change it, so it is no copy: use --audio auto"
        )
    if cut:
        raise InputError(
            f"stream {stream.index} (audio {stream.codec}): edits change it, and a part is not cut out of changed "
            "sound: deliver the whole (without --trim), or leave it out (--leave-out audio)"
        )
    codec = codec_in(stream, source, preset, sound)
    if rate_in(stream, codec, preset) != stream.rate:
        raise InputError(
            f"stream {stream.index} (audio {stream.codec}): edits change it, and sound of {stream.rate} Hz has no "
            f"place in {preset.suffix}: use a preset for .mov or .mkv, or --leave-out audio"
        )
    if codec in _SAMPLES and codec != "opus":
        return codec
    if preset.muxer == "webm":
        raise InputError(
            f"stream {stream.index} (audio {codec}): edits change it, and .webm has no place for what is encoded "
            "here. Use a preset for .mkv, or --leave-out audio."
        )
    return "alac" if preset.muxer == "mp4" else _PCM[stream.depth or 24]


def is_lossless(codec: str) -> bool:
    """Whether sound that is encoded so is what it was, sample for sample."""
    return codec not in LOSSY


def rate_in(stream: StreamFacts, codec: str, preset: Preset) -> int:
    """The sampling rate of a stream in the preset's container, Hz."""
    return FIXED_RATE if preset.muxer == "mxf" else encoded_rate(stream, codec)


def encoded_rate(stream: StreamFacts, codec: str) -> int:
    """As `rate_in`, where the container takes any rate."""
    rate = stream.rate or 0
    if codec == stream.codec or codec not in LOSSY:
        return rate
    if codec == "opus":
        return FIXED_RATE
    return min((known for known in _AAC_RATES if known >= rate), default=max(_AAC_RATES))


_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Sampling rates of AAC, Hz (ISO/IEC 14496-3, table 1.18)."""


def sound_args(
    n: int,
    stream: StreamFacts,
    codec: str,
    fit: SoundFit | None = None,
    changes: Sequence[SoundChange] = (),
    shift: Fraction = Fraction(0),
) -> list[str]:
    """ffmpeg's arguments for sound that becomes stream `n` of the output, `shift` seconds earlier.

    Args:
        fit: how it is fitted to the picture; None leaves it where it is.
    """
    if codec == stream.codec and fit is None and not changes:
        return [f"-c:{n}", "copy"]
    samples = _SAMPLES[codec]
    if codec in ("alac", "flac") and (stream.depth or 24) > 16:
        samples = samples.replace("16", "32")
    # Conversions are not made unasked; with a first time the encoder's clock starts where the source's does.
    rate = fit.rate if fit is not None else encoded_rate(stream, codec)
    again = "" if rate == stream.rate else f":osr={rate}"
    before = changing(changes, shift)
    if fit is not None:
        before = [*before, "asetpts=N/SR/TB"]
    elif stream.tells == EDITED:
        # Packets overlap where two parts meet; what begins before 0 would not be played.
        before = [*before, "asetpts=max(STARTPTS\\,0)+N/SR/TB"]
    chain = [*before, f"aresample=osf={samples}{again}", *(_fitting(fit, samples) if fit is not None else [])]
    args = [f"-c:{n}", _ENCODERS.get(codec, codec), f"-filter:{n}", ",".join(chain), f"-flags:{n}", "+bitexact"]
    if codec in LOSSY:
        args += [f"-b:{n}", f"{_KBITS_A_CHANNEL[codec] * (stream.channels or 2)}k"]
    return args


def _fitting(fit: SoundFit, samples: str) -> list[str]:
    """ffmpeg's filters that fit sound to the picture without touching a sample."""
    before = [f"atrim=start_sample={-fit.lead}"] if fit.lead < 0 else []
    if fit.lead > 0:
        planar = samples if samples.endswith("p") else f"{samples}p"
        before = [f"aresample=osf={planar}", f"adelay={fit.lead}S:all=1", f"aresample=osf={samples}"]
    after = [f"apad=whole_len={fit.total}", f"atrim=end_sample={fit.total}", "asetpts=N/SR/TB"]
    return [*before, "asetpts=N/SR/TB", *after]


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
