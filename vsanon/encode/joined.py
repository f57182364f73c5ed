"""Chunks of a film as one file: their packets as they are, one after the other, with what goes beside the picture.

Nothing is encoded again. The times are those of the whole timeline, whatever the chunks' own files say: the k-th
picture that a chunk shows is the k-th frame of its range. The packets go to a file of the same kind first, and from
there with sound, timecode and chapters into the delivered one, by the command that a single encode ends with.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from vsanon import stops
from vsanon.encode.carry import plan_copy
from vsanon.encode.carry_streams import KEEP
from vsanon.encode.carry_times import start_origin
from vsanon.encode.encoding import EncodeReport, file_args, finish_container, report_of, time_grid, track_timescale
from vsanon.encode.ffmpeg import Running
from vsanon.encode.presets import BITEXACT, Preset
from vsanon.encode.raw import RawVideo
from vsanon.encode.sequences import BEGINS
from vsanon.encode.sound import AS_IS, Sound
from vsanon.errors import EncodeError, InputError
from vsanon.media import MediaFacts

BY_FRAME = frozenset({"prores_ks", "dnxhd", "ffv1", "dpx", "exr", "tiff", "png"})
"""Encoders that know nothing of the frames before: their packets are those of a single encode."""

_CONTAINER_FLAGS = ("-movflags", "-tag:v")


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
    chunks: Sequence[tuple[Path, int]],
    video: RawVideo,
    preset: Preset,
    partial: Path,
    *,
    source: MediaFacts,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    on_chunk: Callable[[int], None] | None = None,
) -> EncodeReport:
    """Join chunks to `partial`, with what `keep` names of `source` beside them; errors as for `encode`.

    Args:
        chunks: the file of each chunk, which holds nothing but its picture, and how many frames it has.
        video: what the frames of the whole film are.
        preset: how they were encoded.
        partial: the file to write; of images their pattern, in an empty folder.
        source, keep, sound: as for `encode`.
        on_chunk: called with how many chunks were read.

    Raises:
        EncodeError: a chunk does not have its frames, or was encoded otherwise than the first.
    """
    plan = plan_copy(source, preset, keep, sound)
    origin = start_origin(video.timeline, plan)
    pts, time_base = time_grid(video.timeline, origin)
    if (frames := sum(count for _, count in chunks)) != len(pts):
        raise EncodeError(f"the chunks have {frames} frames together, the film has {len(pts)}")
    if preset.muxer == "image2":
        _gather(chunks, partial, on_chunk)
        return report_of((), len(pts), video, preset, plan, ())
    whole = partial.with_name(f"{partial.stem}.picture{preset.suffix}")
    try:
        _write(whole, chunks, pts, time_base, preset, on_chunk)
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


def _container_args(preset: Preset) -> list[str]:
    """Of a preset's arguments those that its container needs."""
    pairs = zip(preset.args, preset.args[1:], strict=False)
    return [word for flag, value in pairs if flag in _CONTAINER_FLAGS for word in (flag, value)]


def _gather(chunks: Sequence[tuple[Path, int]], pattern: Path, on_chunk: Callable[[int], None] | None) -> None:
    """Copy the images of all chunks into one folder, numbered through."""
    n = BEGINS
    for k, (chunk, count) in enumerate(chunks):
        for at in range(BEGINS, BEGINS + count):
            stops.poll()
            image = chunk.parent / (chunk.name % at)
            try:
                shutil.copyfile(image, pattern.parent / (pattern.name % n))
            except OSError as error:
                raise EncodeError(f"{image}: can't be taken into the film: {error.strerror}") from error
            n += 1
        if on_chunk is not None:
            on_chunk(k + 1)


def _write(
    whole: Path,
    chunks: Sequence[tuple[Path, int]],
    pts: Sequence[int],
    time_base: Fraction,
    preset: Preset,
    on_chunk: Callable[[int], None] | None,
) -> None:
    """Write the packets of all chunks with the film's own times."""
    orders = [_order(chunk, count) for chunk, count in chunks]
    # A packet is decoded when so many frames before it are shown, as many throughout as are ever held back.
    held = max(k - rank for order in orders for k, rank in enumerate(order))
    step = pts[1] - pts[0] if len(pts) > 1 else 1
    options = {"fflags": "+bitexact"}
    if preset.muxer in ("mov", "mp4"):
        scale = str(track_timescale(time_base))
        options |= {"video_track_timescale": scale, "movie_timescale": scale}
    try:
        with av.open(os.fspath(whole), "w", format=preset.muxer, options=options) as out:
            stream, first = None, 0
            for k, (chunk, count) in enumerate(chunks):
                with av.open(os.fspath(chunk)) as file:
                    found = file.streams.video[0]
                    if stream is None:
                        stream = out.add_stream_from_template(found, opaque=True)
                        stream.time_base, head = time_base, found.codec_context.extradata
                    elif found.codec_context.extradata != head:
                        raise EncodeError(f"{chunk}: its encoder's header is not that of the first chunk")
                    for at, packet in enumerate(packet for packet in file.demux(found) if packet.size):
                        stops.poll()
                        n, shown = first + at, first + orders[k][at]
                        packet.stream = stream
                        packet.time_base = time_base
                        packet.pts = pts[shown]
                        packet.dts = pts[n - held] if n >= held else pts[0] - (held - n) * step
                        packet.duration = pts[shown + 1] - pts[shown] if shown + 1 < len(pts) else step
                        out.mux_one(packet)
                first += count
                if on_chunk is not None:
                    on_chunk(k + 1)
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"the chunks could not be put one after the other: {error}") from error


def _order(chunk: Path, count: int) -> list[int]:
    """Of each packet of a chunk, which of its frames it shows.

    Raises:
        EncodeError: it can't be read, or has not so many frames.
    """
    try:
        with av.open(os.fspath(chunk)) as file:
            times = [packet.pts for packet in _packets(file)]
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"{chunk}: the chunk can't be read: {error}") from error
    known = sorted({time for time in times if time is not None})
    if not len(known) == len(times) == count:
        raise EncodeError(f"{chunk}: the chunk has {len(known)} pictures, {count} were expected: make it again")
    rank = {time: k for k, time in enumerate(known)}
    return [rank[time] for time in times if time is not None]


def _packets(file: "av.container.InputContainer") -> Iterator[Any]:
    if not file.streams.video:
        raise InputError(f"{file.name}: there is no video in it")
    for packet in file.demux(file.streams.video[0]):
        stops.poll()
        if packet.size:
            yield packet
