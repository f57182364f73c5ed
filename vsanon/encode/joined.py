"""Chunks of a film as one file: their packets as they are, one after the other, with what goes beside the picture.

Nothing is encoded again. The times are those of the whole timeline, whatever the chunks' own files say: the k-th
picture that a chunk shows is the k-th frame of its range. The packets go to a file of the same kind first, and from
there with sound, timecode and chapters into the delivered one, by the command that a single encode ends with.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av

from vsanon import stops
from vsanon.encode.carry import plan_copy
from vsanon.encode.carry_streams import KEEP
from vsanon.encode.carry_times import start_origin, timecode_of
from vsanon.encode.cut import Cut
from vsanon.encode.encoding import EncodeReport, file_args, finish_container, report_of, time_grid, track_timescale
from vsanon.encode.ffmpeg import Running
from vsanon.encode.group_timecodes import clock_of, numbered
from vsanon.encode.presets import BITEXACT, MUXERS, Preset
from vsanon.encode.raw import RawVideo
from vsanon.encode.sequences import BEGINS
from vsanon.encode.sound import AS_IS, Sound
from vsanon.errors import EncodeError, InputError
from vsanon.media import MediaFacts
from vsanon.timing import Clock

BY_FRAME = frozenset({"prores_ks", "dnxhd", "ffv1", "dpx", "exr", "tiff", "png"})
"""Encoders that know nothing of the frames before: their packets are those of a single encode."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames of a film that are encoded already.

    Args:
        path: the file that holds them; of images their pattern.
        frames: how many they are.
        first: which of the file's packets is their first, where it holds others, too: they are as many packets, one
            after the other.
    """

    path: Path
    frames: int
    first: int | None = None


_CONTAINER_FLAGS = ("-movflags", "-tag:v")


def cuts_anywhere(preset: Preset) -> bool:
    """Whether each frame of such a file is decoded by itself, so that it can be cut and joined at any."""
    pairs = zip(preset.args, preset.args[1:], strict=False)
    return preset.encoder in BY_FRAME or ("-g", "1") in pairs


def differs(preset: Preset) -> str:
    """What differs between joined chunks and a single encode, in one sentence."""
    if preset.encoder in BY_FRAME:
        return "nothing: each frame is encoded by itself, and its packet is that of a single encode"
    return (
        f"each chunk begins with a key frame and a closed group of pictures, and {preset.encoder} begins its rate "
        "control anew there; the frames handed to it are the same, their packets are not. Limits of rate and "
        "buffer (maxrate, bufsize) hold within each chunk"
    )


def join(
    pieces: Sequence[Piece],
    video: RawVideo,
    preset: Preset,
    partial: Path,
    *,
    source: MediaFacts,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    cut: Cut | None = None,
    on_piece: Callable[[int], None] | None = None,
) -> EncodeReport:
    """Join pieces to `partial`, with what `keep` names of `source` beside them; errors as for `encode`.

    Args:
        pieces: the chunks, in the order of their frames.
        video: what the frames of the whole film are.
        preset: how they were encoded.
        partial: the file to write; of images their pattern, in an empty folder.
        source, keep, sound, cut: as for `encode`.
        on_piece: called with how many pieces were read.

    Raises:
        EncodeError: a piece does not have its frames, or was encoded otherwise than the first.
    """
    plan = plan_copy(source, preset, keep, sound, cut)
    origin = start_origin(video.timeline, plan)
    pts, time_base = time_grid(video.timeline, origin)
    if (frames := sum(piece.frames for piece in pieces)) != len(pts):
        raise EncodeError(f"the chunks have {frames} frames together, the film has {len(pts)}")
    if preset.muxer == "image2":
        _gather(pieces, partial, on_piece)
        return report_of((), len(pts), video, preset, plan, ())
    whole = partial.with_name(f"{partial.stem}.picture{_between(preset)}")
    try:
        begins = timecode_of(source, plan, origin)
        clock = clock_of(video.timeline.fps, begins) if preset.codec == "mpeg2video" else None
        _write(whole, pieces, pts, time_base, preset, clock, on_piece)
        # The name of the encoder is ffmpeg's to write only where it encodes.
        named = ["-metadata:s:0", f"encoder=Lavc {preset.encoder}"]
        picture = ["-c:v", "copy", *_container_args(preset), *BITEXACT, *named]
        beside = file_args(video, preset, partial, source, plan, origin, time_base, picture)
        ffmpeg = Running(["-y", "-copyts", "-i", f"file:{whole}", *beside])
        try:
            ffmpeg.stdin.close()
            ffmpeg.finish(len(pts))
        except BaseException:
            ffmpeg.kill()
            raise
        lost = finish_container(partial, preset, plan)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        whole.unlink(missing_ok=True)
    argv = tuple("file:chunks" if a == f"file:{whole}" else a for a in ffmpeg.argv)
    return report_of(argv, len(pts), video, preset, plan, lost)


def _between(preset: Preset) -> str:
    """The suffix of the file that packets lie in first: MXF takes DNxHR with a rate only, which PyAV can't say."""
    return ".mov" if (preset.muxer, preset.codec) == ("mxf", "dnxhd") else preset.suffix


def _container_args(preset: Preset) -> list[str]:
    """Of a preset's arguments those that its container needs."""
    pairs = zip(preset.args, preset.args[1:], strict=False)
    return [word for flag, value in pairs if flag in _CONTAINER_FLAGS for word in (flag, value)]


def _gather(pieces: Sequence[Piece], pattern: Path, on_piece: Callable[[int], None] | None) -> None:
    """Copy the images of all pieces into one folder, numbered through."""
    n = BEGINS
    for k, piece in enumerate(pieces):
        begins = BEGINS + (piece.first or 0)
        for at in range(begins, begins + piece.frames):
            stops.poll()
            image = piece.path.parent / (piece.path.name % at)
            try:
                shutil.copyfile(image, pattern.parent / (pattern.name % n))
            except OSError as error:
                raise EncodeError(f"{image}: can't be taken into the film: {error.strerror}") from error
            n += 1
        if on_piece is not None:
            on_piece(k + 1)


def _write(
    whole: Path,
    pieces: Sequence[Piece],
    pts: Sequence[int],
    time_base: Fraction,
    preset: Preset,
    clock: Clock | None,
    on_piece: Callable[[int], None] | None,
) -> None:
    """Write the packets of all pieces with the film's own times; with a clock those of MPEG-2's groups, too."""
    orders = [_order(piece) for piece in pieces]
    # A packet is decoded when so many frames before it are shown, as many throughout as are ever held back.
    held = max(k - rank for order in orders for k, rank in enumerate(order))
    step = pts[1] - pts[0] if len(pts) > 1 else 1
    options, muxer = {"fflags": "+bitexact"}, MUXERS[_between(preset)]
    if muxer in ("mov", "mp4"):
        scale = str(track_timescale(time_base))
        options |= {"video_track_timescale": scale, "movie_timescale": scale}
    try:
        with av.open(os.fspath(whole), "w", format=muxer, options=options) as out:
            stream, first = None, 0
            for k, piece in enumerate(pieces):
                with av.open(os.fspath(piece.path)) as file:
                    found = file.streams.video[0]
                    if stream is None:
                        stream = out.add_stream_from_template(found, opaque=True)
                        stream.time_base, head = time_base, found.codec_context.extradata
                    elif found.codec_context.extradata != head:
                        raise EncodeError(f"{piece.path}: its encoder's header is not that of the first chunk")
                    for at, packet in enumerate(_packets(file, piece)):
                        n, shown = first + at, first + orders[k][at]
                        if clock is not None:
                            packet.update(numbered(bytes(packet), clock, n))
                        packet.stream = stream
                        packet.time_base = time_base
                        packet.pts = pts[shown]
                        packet.dts = pts[n - held] if n >= held else pts[0] - (held - n) * step
                        packet.duration = pts[shown + 1] - pts[shown] if shown + 1 < len(pts) else step
                        out.mux_one(packet)
                first += piece.frames
                if on_piece is not None:
                    on_piece(k + 1)
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"the chunks could not be put one after the other: {error}") from error


def _order(piece: Piece) -> list[int]:
    """Of each packet of a piece, which of its frames it shows.

    Raises:
        EncodeError: it can't be read, or has not so many frames.
    """
    path, frames = piece.path, piece.frames
    try:
        with av.open(os.fspath(path)) as file:
            times = [packet.pts for packet in _packets(file, piece)]
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"{path}: the chunk can't be read: {error}") from error
    known = sorted({time for time in times if time is not None})
    if not len(known) == len(times) == frames:
        raise EncodeError(
            f"{path}: the chunk has {len(known)} pictures, {frames} were expected: remove it, and do it again"
        )
    rank = {time: k for k, time in enumerate(known)}
    return [rank[time] for time in times if time is not None]


def _packets(file: "av.container.InputContainer", piece: Piece) -> Iterator[Any]:
    if not file.streams.video:
        raise InputError(f"{file.name}: there is no video in it")
    packets = (packet for packet in file.demux(file.streams.video[0]) if packet.size)
    stop = None if piece.first is None else piece.first + piece.frames
    for packet in islice(packets, piece.first, stop):
        stops.poll()
        yield packet
