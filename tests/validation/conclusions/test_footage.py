"""The same footage under several names counts once; what only looks alike by chance does not."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.evidence_samples import CROSSED, evidence
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.cropped import is_part
from vsanon.validation.conclusions.footage import ALIKE_SHARE, SIDE, clips_of, repeated, same_footage
from vsanon.validation.runs.appearance import look_of

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
    """One is sure of the upper halves, the other of the lower ones, which upside down are no others either."""
    whole = [look[:32] + lower * 16 for look, lower in zip(LOOKS, ("33", "69", "5a"), strict=True)]
    left, right = [look + "f" * 32 + "0" * 32 for look in whole], [look + "0" * 32 + "f" * 32 for look in whole]
    assert not same_footage(source("1", left), source("2", right))


def test_what_links_two_groups_makes_them_one() -> None:
    """c is the file of b, and looks as a."""
    sources = {"a": source("1", LOOKS), "b": source("2"), "c": source("2", LOOKS)}
    assert set(clips_of(sources).values()) == {"a"}


@pytest.mark.parametrize("other", [source(None), source("2", LOOKS[:1]), source("2")])
def test_what_is_not_known_is_not_taken_for_the_same(other: dict[str, Any]) -> None:
    assert repeated(clips_of({"a": source(None, LOOKS), "b": other})) == []


def moving(seed: int, count: int = 24) -> list[NDArray[np.uint16]]:
    """Pictures in each of which other smooth noise stands."""
    rng = np.random.default_rng(seed)
    noise = (rng.normal(0, 1, (90, 160)).astype(np.float32) for _ in range(count))
    smooth = (cv2.GaussianBlur(picture, (0, 0), 8) for picture in noise)
    return [np.asarray(30_000 + 20_000 * picture / np.abs(picture).max(), np.uint16) for picture in smooth]


def looks_of(pictures: list[NDArray[np.uint16]]) -> list[str]:
    return [look_of(np.ascontiguousarray(picture)) for picture in pictures]


@pytest.mark.parametrize("turn", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("cut", [(0, 0, 160, 90), (8, 4, 160, 90), (16, 0, 136, 76)])
def test_a_copy_that_was_cut_mirrored_or_turned_is_the_same_footage_and_other_footage_is_not(
    turn: tuple[int, int], cut: tuple[int, int, int, int]
) -> None:
    x0, y0, x1, y1 = cut
    whole, other = moving(1), moving(2)
    part, foreign = ([p[y0:y1, x0:x1][:: turn[0], :: turn[1]] for p in pictures] for pictures in (whole, other))
    assert same_footage(source("1", looks_of(whole)), source("2", looks_of(part)))
    assert same_footage(source("1", looks_of(part)), source("2", looks_of(whole)))
    assert not same_footage(source("1", looks_of(whole)), source("2", looks_of(foreign)))


def test_what_stands_still_in_all_pictures_is_no_reason_to_take_one_source_for_a_part_of_another() -> None:
    """Two takes of one camera: the left two thirds stand still, on the right other things move; and a still."""
    still = moving(3, 1)[0]
    takes = [[np.where(np.arange(160) < 107, still, picture) for picture in moving(seed)] for seed in (4, 5)]
    one, other = (bits_of(looks_of(take)) for take in takes)
    assert not is_part(one, other, SIDE)
    assert is_part(one, bits_of(looks_of([picture[:, 8:] for picture in takes[0]])), SIDE)
    unmoved = looks_of([still] * 24), looks_of([still[6:84, 8:150]] * 24)
    assert not is_part(bits_of(unmoved[0]), bits_of(unmoved[1]), SIDE)


def bits_of(looks: list[str]) -> list[tuple[int, int]]:
    return [(int(look[:64], 16), int(look[64:], 16)) for look in looks]
