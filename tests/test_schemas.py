"""Documents of ours are read whole, of their version, or refused with the entry that is wrong."""

import pytest

from vsanon.errors import InputError
from vsanon.schemas import parse


@pytest.mark.parametrize("kind", ["ledger", "plan"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"vsanon_KIND": 1, "frames": NaN}', "NaN is not a number"),
        ("[" * 100_000, "not a KIND of vsanon"),
        ("{}", "not a KIND of version 1: use the vsanon that wrote it"),
        ("[1]", "not a KIND of version 1"),
        ('{"vsanon_KIND": 2}', "not a KIND of version 1"),
    ],
)
def test_what_is_no_document_of_the_kind_is_refused(kind: str, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("KIND", kind)):
        parse(content.replace("KIND", kind).encode(), "here", kind=kind, version=1)
