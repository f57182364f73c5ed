"""Boxes whose colours a later frame tells, put together again for the track file."""

from collections import deque
from dataclasses import replace
from typing import Any

from vsanon.detections import TrackedBoxes
from vsanon.filters import VideoFrame, props
from vsanon.tracks.file import TrackWriter


class LaterColours:
    """Hands boxes to a writer once their colours are known; at the end of a clip all are.

    Args:
        writer: what takes them, in order.
    """

    def __init__(self, writer: TrackWriter) -> None:
        self._writer = writer
        self._waiting: deque[tuple[TrackedBoxes, dict[str, Any]]] = deque()

    def add(self, boxes: TrackedBoxes, tracks: VideoFrame, **facts: Any) -> None:
        """Take the next frame.

        Args:
            boxes: of it.
            tracks: the frame of the data clip that they are from, which may tell colours of frames before.
            facts: as `TrackWriter.add` takes them.
        """
        told = props.read_colours(tracks.props)
        if told is None:
            self._writer.add(boxes, **facts)
            return
        self._waiting.append((boxes, facts))
        for swatches in told:
            own, known = self._waiting.popleft()
            # Of what was covered whole because nothing is known of it, nobody has colours.
            self._writer.add(own if swatches is None else replace(own, swatches=swatches), **known)
