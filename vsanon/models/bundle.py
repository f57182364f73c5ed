"""A bundle: the models of some work in one file, for machines that have no network and no store of their own.

It is a plain ZIP of weights, each named by its SHA-256, and of the cards that do not come with vsanon. Graphs are
prepared at each load (`models.prepare`), and not in it: a card vouches for its weights, and nothing for a graph.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from vsanon.errors import InputError, MissingError
from vsanon.files import read_bytes, write_atomic
from vsanon.models.card import ModelCard
from vsanon.models.store import SHIPPED, Say, cache_card, fetch, import_file

_MOST_BYTES = 1 << 31
_WEIGHTS = re.compile(r"[0-9a-f]{64}\.onnx")
_CARD = re.compile(r"[A-Za-z0-9._-]{1,100}\.yaml")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def pack(cards: Sequence[ModelCard], path: Path, say: Say) -> None:
    """Write a bundle; the same models give the same bytes.

    Raises:
        InputError: a card of one's own has ranges beside it.
        MissingError: a model can't be had, or the file can't be written.
    """
    contents = {f"{card.sha256}.onnx": read_bytes(fetch(card, say)) for card in cards}
    for card in cards:
        if card.path is not None and card.path.parent != SHIPPED:
            if card.ranges is not None:
                raise InputError(f"{card.path}: a card of your own with ranges: bring it and its files by hand")
            contents[f"{card.name}.yaml"] = read_bytes(card.path)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_STORED) as bundle:
        for name in sorted(contents):
            bundle.writestr(zipfile.ZipInfo(name, _LONG_AGO), contents[name])
    try:
        write_atomic(path, zipped.getvalue())
    except OSError as error:
        raise MissingError(f"{path}: the bundle can't be written: {error.strerror}") from error


def is_bundle(path: Path) -> bool:
    """Whether a file is a ZIP, as bundles are, and no model."""
    return path.is_file() and zipfile.is_zipfile(path)


def unpack(path: Path, folder: Path, say: Say) -> list[ModelCard]:
    """Take what a bundle holds into the store: cards first, then the weights, each known by its SHA-256.

    Args:
        path: the bundle.
        folder: an empty one to unpack into.
        say: takes a line for each model.

    Raises:
        InputError: it is none, or holds something else, too much, or weights that no card knows.
        MissingError: the store can't be written.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
            names = [entry.filename for entry in entries]
            strange = [name for name in names if not (_WEIGHTS.fullmatch(name) or _CARD.fullmatch(name))]
            # What is stored takes no more room here than there; what is packed may take a thousand times as much.
            strange += [e.filename for e in entries if e.compress_type != zipfile.ZIP_STORED]
            strange += [name for name in names if names.count(name) > 1]
            if strange or sum(e.file_size for e in entries) > _MOST_BYTES:
                what = f"it holds {strange[0]!r:.60}" if strange else f"it holds more than {_MOST_BYTES} bytes"
                raise InputError(f"{path}: no bundle of models: {what}")
            for entry in entries:
                write_atomic(folder / entry.filename, bundle.read(entry))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path}: the bundle can't be read: {error}") from error
    for card in sorted(folder.glob("*.yaml")):
        cache_card(card)
    return [import_file(weights, say) for weights in sorted(folder.glob("*.onnx"))]
