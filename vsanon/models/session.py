"""A model that runs: one ONNX Runtime session with what its card says about pictures."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vsanon import turns
from vsanon.errors import InputError, ModelError
from vsanon.models.card import BLOCK, ModelCard
from vsanon.models.runtime import CPU, RUNTIME_ERRORS, require_available, start, takes_signed_weights

_SIZES = 16
"""Sizes of pictures that get a session of their own: more than the views of a frame and the second look take."""


def unloadable(card: ModelCard, why: Exception) -> ModelError:
    """The error for a file that is what its card names and yet no model that runs."""
    return ModelError(
        f"the model {card.name} (SHA-256 {card.sha256}) can't be loaded: {why}.\n"
        "  Take the file from its publisher again, and check the `sha256` of its card."
    )


class Session:
    """A model loaded for running, by any number of threads at a time.

    On the CPU a run is best made on one thread, and as many runs beside each other as there are cores: so the
    outputs are the same bytes whatever the number of cores, and scripts/bench/lanes.py finds nothing faster.

    Args:
        card: whose input rules are followed.
        graph: ONNX, as `prepared` gives it.
        threads: that one run may use.
        provider: where it runs; a key of `runtime.PROVIDERS`.

    Attributes:
        outputs: the name and shape of each output; a string or None where a dimension is free.

    Raises:
        InputError: there is no such provider.
        MissingError: it does not work on this machine, or the card wants 8-bit sums that it does not make exactly.
        ModelError: the graph can't be loaded, or its input is not one picture as the card describes it.
    """

    def __init__(self, card: ModelCard, graph: bytes, *, threads: int = 1, provider: str = CPU) -> None:
        self.card = card
        used = require_available(provider)
        signed = card.ranges is not None and takes_signed_weights(card.name)
        self._start = partial(start, graph, used, threads=threads, signed=signed)
        self._of_size: dict[tuple[int, ...], onnxruntime.InferenceSession] | None = {} if used.one_size else None
        self._starting = Lock()
        try:
            self._session = self._start()
        except RUNTIME_ERRORS as error:
            raise unloadable(card, error) from error
        self._alone: AbstractContextManager[object] = nullcontext() if used.concurrent else Lock()
        self.outputs = {output.name: tuple(output.shape) for output in self._session.get_outputs()}
        shown = self._session.get_inputs()
        self._in_blocks = [(i.type, i.shape[3:]) for i in shown] == [("tensor(uint8)", [3 * BLOCK**2])]
        self._input = self._checked_input()
        self._rooms: list[NDArray[np.uint8]] = []

    def run(self, rgb: NDArray[np.uint8], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """The named outputs for one picture.

        Args:
            rgb: (3, H, W) uint8, planar RGB.
            outputs: names from `self.outputs`.

        Raises:
            ValueError: `rgb` is not such an array, or a side is no multiple of the card's stride.
            InputError: the model takes pictures of another size only.
            ModelError: the model fails on the picture, or gives a value that is not finite.
        """
        self._require_fit(rgb)
        room = self._room(rgb.size if self._in_blocks else rgb.size * 4)
        try:
            picture = {self._input: self._blocks(room, rgb) if self._in_blocks else self._floats(room, rgb)}
            with turns.set_aside(), self._alone:
                values: list[NDArray[np.float32]] = self._for(rgb.shape).run(list(outputs), picture)
        except RUNTIME_ERRORS as error:
            height, width = rgb.shape[1:]
            raise ModelError(
                f"the model {self.card.name} failed on a picture of {width}x{height}: {error}.\n"
                "  If it takes one size only, name that in its card as `input: {size: [width, height]}`."
            ) from error
        finally:
            self._rooms.append(room)
        for name, value in zip(outputs, values, strict=True):
            # A score that is no number is no box either: the face would be let through.
            if not np.isfinite(value).all():
                raise ModelError(f"the model {self.card.name} gave values in {name!r} that are not finite numbers")
        return values

    def signature(self) -> dict[str, str]:
        """What a ledger records about the model: its name, SHA-256, and what ran it."""
        return {
            "name": self.card.name,
            "sha256": self.card.sha256,
            "onnxruntime": onnxruntime.__version__,
            "provider": self._session.get_providers()[0],
        }

    def _for(self, size: tuple[int, ...]) -> onnxruntime.InferenceSession:
        """The session for pictures of a size, where one can't go to and fro between sizes at its speed."""
        if self._of_size is None:
            return self._session
        with self._starting:
            if size not in self._of_size and len(self._of_size) < _SIZES:
                self._of_size[size] = self._start() if self._of_size else self._session
            return self._of_size.get(size, self._session)

    def _checked_input(self) -> str:
        inputs = self._session.get_inputs()
        found = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
        rules = self.card.input
        expected: tuple[int | None, ...] = (1, 3, None, None)
        if rules.size is not None:
            expected = (1, 3, rules.size[1], rules.size[0])
        fits = (self._in_blocks and self.card.ranges is not None) or (
            len(inputs) == 1
            and inputs[0].type == "tensor(float)"
            and len(inputs[0].shape) == 4
            and all(
                e is None or not isinstance(d, int) or d == e
                for d, e in zip(inputs[0].shape, expected, strict=True)
            )
        )
        if not fits:
            raise ModelError(
                f"the model {self.card.name} does not take a picture as its card says: expected one input "
                f"tensor(float) {['any' if e is None else e for e in expected]}, found {found or 'none'}"
            )
        return str(inputs[0].name)

    def _require_fit(self, rgb: NDArray[np.uint8]) -> None:
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[0] != 3:
            raise ValueError(f"a picture is (3, H, W) uint8, got {rgb.shape} {rgb.dtype}")
        rules = self.card.input
        height, width = rgb.shape[1:]
        if rules.size is not None and (width, height) != rules.size:
            raise InputError(
                f"the model {self.card.name} takes pictures of {rules.size[0]}x{rules.size[1]} only, "
                f"got {width}x{height}: detect at that size, or use a model of free size."
            )
        if not width or not height or width % rules.stride or height % rules.stride:
            raise ValueError(
                f"the model {self.card.name} takes widths and heights that are multiples of {rules.stride}, "
                f"got {width}x{height}"
            )

    def _floats(self, room: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the model is to see, (1, 3, H, W)."""
        rules = self.card.input
        picture = room[: rgb.size * 4].view(np.float32).reshape(1, *rgb.shape)
        np.copyto(picture[0], rgb[::-1] if rules.colour == "bgr" else rgb)
        if any(rules.mean):
            picture -= np.array(rules.mean, np.float32)[:, None, None]
        if rules.scale != 1:
            picture *= np.float32(rules.scale)
        return picture

    def _blocks(self, room: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What a model that `graph.read_blocks` changed is to see, (1, H/2, W/2, 12)."""
        _, height, width = rgb.shape
        picture = room[: rgb.size].reshape(1, height // BLOCK, width // BLOCK, -1)
        planes = rgb[::-1] if self.card.input.colour == "bgr" else rgb
        # Two samples that lie side by side are moved as one value of 16 bits.
        pairs = [np.ascontiguousarray(plane).view(np.uint16)[y::BLOCK] for plane in planes for y in range(BLOCK)]
        cv2.merge(pairs, picture[0].view(np.uint16))
        return picture

    def _room(self, size: int) -> NDArray[np.uint8]:
        """Memory of an earlier picture that is free again: new memory would cost more than filling it does."""
        try:
            room = self._rooms.pop()
        except IndexError:  # as many runs at a time have never been made before
            room = np.empty(0, np.uint8)
        return room if len(room) >= size else np.empty(size, np.uint8)
