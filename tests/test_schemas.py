"""Documents of ours are read whole, of their version, or refused with the entry that is wrong."""

import pytest

from vsanon.errors import InputError
from vsanon.schemas import parse, undescribed


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


def test_entries_that_a_schema_does_not_describe_are_named() -> None:
    """What lies under a class is described by `additionalProperties`, what lies under `analysis` by nothing."""
    book = {
        "frames": 3,
        "reviewed_by": "Ann",
        "source": {"name": "a.mov", "consent": True},
        "classes": {"face": {"tracks": 1, "all": True}},
        "checks": [{"name": "codec"}, {"name": "size", "seen_by": 2}],
        "analysis": {"anything": 1},
    }
    named = ["/reviewed_by", "/source/consent", "/classes/face/all", "/checks/1/seen_by"]
    assert undescribed(book, "ledger") == named
