"""The same footage under several names counts once; what only looks alike by chance does not."""

from typing import Any

import pytest

from tests.support.evidence_samples import CROSSED, evidence
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.footage import ALIKE_SHARE, clips_of, repeated, same_footage

LOOKS = ["0f" * 32, "3c" * 32, "55" * 32]


def source(sha256: str | None, looks: list[str] | None = None) -> dict[str, Any]:
    return {"sha256": sha256, "looks": looks or []}


def flipped(look: str, bits: int) -> str:
    return f"{int(look, 16) ^ (2**bits - 1):064x}"


def test_one_clip_under_six_names_is_one_clip_and_its_people_are_there_once() -> None:
    """13 people under six names would be 78."""
    found = evidence("copied", dict.fromkeys("abcdef", 13), CROSSED)
    for one in found["sources"].values():
        one["sha256"] = "0" * 64
    concluded = conclude(found)
    assert concluded["sample"]["clips"] == 1
    assert concluded["sample"]["identities"] == {"face": 13}
    assert concluded["sample"]["same_footage"] == [list("abcdef")]
    assert concluded["criteria"][0]["groups"][0]["value"]["n_identities"] == 13
    assert concluded["criteria"][0]["sample"]["reason"].startswith("1 of the 2 clips")
    assert concluded["verdict"]["outcome"] == "not shown"


def test_two_encodes_of_one_clip_look_alike_and_other_clips_do_not() -> None:
    alike = int(256 * ALIKE_SHARE)
    near = [flipped(look, alike) for look in LOOKS]
    far = [f"{int(look, 16) ^ ((2 ** (alike + 1) - 1) << 200):064x}" for look in LOOKS]
    clips = clips_of({"a": source("1", LOOKS), "b": source("2", near), "c": source("3", far)})
    assert clips == {"a": "a", "b": "a", "c": "c"}
    assert repeated(clips) == [["a", "b"]]


def test_what_an_encode_does_to_flat_parts_of_a_picture_is_not_compared() -> None:
    """The lower half of each picture is flat: its 128 bits are not sure, and are others after an encode."""
    sure, flat = "f" * 32 + "0" * 32, "0" * 32 + "f" * 32
    before = [look + sure for look in LOOKS]
    after = [f"{int(look, 16) ^ int(flat, 16):064x}" + sure for look in LOOKS]
    assert same_footage(source("1", before), source("2", after))
    assert not same_footage(source("1", LOOKS), source("2", [look[:64] for look in after]))


def test_looks_that_are_sure_of_next_to_nothing_together_do_not_compare() -> None:
    left, right = [look + "f" * 32 + "0" * 32 for look in LOOKS], [look + "0" * 32 + "f" * 32 for look in LOOKS]
    assert not same_footage(source("1", left), source("2", right))


def test_what_links_two_groups_makes_them_one() -> None:
    """c is the file of b, and looks as a."""
    sources = {"a": source("1", LOOKS), "b": source("2"), "c": source("2", LOOKS)}
    assert set(clips_of(sources).values()) == {"a"}


@pytest.mark.parametrize("other", [source(None), source("2", LOOKS[:1]), source("2")])
def test_what_is_not_known_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    assert repeated(clips_of({"a": source(None, LOOKS), "b": other})) == []
