"""The learning library, which only the attacks need."""

import importlib
from typing import Any

from vsanon.errors import MissingError


def learning(part: str) -> Any:
    """A part of scikit-learn.

    Raises:
        MissingError: it is not installed.
    """
    try:
        return importlib.import_module(f"sklearn.{part}")
    except ImportError as error:
        raise MissingError(f"attacks need scikit-learn: pip install 'vsanon[attacks]' ({error})") from error
