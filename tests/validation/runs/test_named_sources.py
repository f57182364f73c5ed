"""Sources named on the command line: what no file can be called is no such file, and no traceback."""

import pytest

from vsanon.errors import InputError
from vsanon.validation.runs.named_sources import named_sources


@pytest.mark.parametrize("name", ["absent.mp4", "x" * 300 + ".mp4", "a\0.mp4", "x" * 300 + "=reference"])
def test_what_is_not_there_is_said(name: str) -> None:
    with pytest.raises(InputError, match="no such file: --source takes FILE"):
        named_sources([name])
