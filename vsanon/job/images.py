"""Image sequences as sources: for the time of a job, their images lie in one file, as they are."""

import contextlib
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from vsanon.encode.sequences import wrap
from vsanon.errors import InputError
from vsanon.files import cache_root
from vsanon.media.best_source import forget_index
from vsanon.media.sequences import is_sequence, sequence_of
from vsanon.media.shown import ONE_FORMAT

_ONE_SIZE = "the images of a sequence need one size and one format: write those that have another anew"


@contextlib.contextmanager
def as_file(path: Path, rate: Fraction | None, start: int | None = None) -> Iterator[Path]:
    """The file to read a source from: itself, or what holds the images of a sequence.

    Raises:
        InputError: a sequence without a rate, with a gap, or that is none; or a rate for what is no sequence.
        EncodeError: an image can't be read.
    """
    if not is_sequence(path):
        if rate is not None or start is not None:
            raise InputError(f"{path}: a rate and a start number are for image sequences: a film has its own")
        yield path
        return
    sequence = sequence_of(path, start)
    if rate is None:
        raise InputError(
            f"{path}: images have no rate: say how many a second, such as --rate 24 or --rate 30000/1001"
        )
    cache_root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_root(), prefix="images-") as folder:
        file = Path(folder) / f"{sequence.name}.mov"
        wrap(sequence, rate, file)
        try:
            yield file
        except InputError as error:
            # What was read is a file that nobody named.
            raise InputError(str(error).replace(f"{file}: ", f"{path}: ").replace(ONE_FORMAT, _ONE_SIZE)) from error
        finally:
            forget_index(file)
