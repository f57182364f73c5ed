"""A bundle takes models to a machine without a network: known by their hashes, and nothing else comes out of it."""

import zipfile
from pathlib import Path

import pytest

from vsanon.errors import InputError
from vsanon.files import read_bytes
from vsanon.models import bundle, store


@pytest.fixture
def plate() -> store.ModelCard:
    """The model that comes with the package."""
    return next(
        card for card in store.cards().values() if store.locate(card) is not None and "plate" in card.classes
    )


def test_what_was_packed_is_in_the_store_of_the_other_machine(
    plate: store.ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.pack([plate], tmp_path / "a.zip", print)
    bundle.pack([plate], tmp_path / "b.zip", print)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    said: list[str] = []
    assert bundle.unpack(tmp_path / "a.zip", tmp_path / "open", said.append) == [plate]
    there = tmp_path / "cache" / "models" / f"{plate.sha256}.onnx"
    assert there.read_bytes() == read_bytes(store.locate(plate) or Path())


@pytest.mark.parametrize("name", ["../evil.onnx", "a/b.yaml", "run.sh", "0" * 63 + ".onnx"])
def test_a_bundle_that_holds_anything_else_is_refused_whole(
    plate: store.ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / "a.zip"
    bundle.pack([plate], path, print)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, b"x")
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="no bundle of models: it holds"):
        bundle.unpack(path, tmp_path / "open", print)
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "evil.onnx").exists()


def test_weights_that_are_packed_or_there_twice_are_refused_before_they_take_room(
    plate: store.ModelCard, tmp_path: Path
) -> None:
    name = f"{plate.sha256}.onnx"
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, bytes(100_000_000))
    assert (tmp_path / "packed.zip").stat().st_size < 200_000
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as file:
        file.writestr(name, b"x")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr(name, b"y")
    for path in ("packed.zip", "twice.zip"):
        with pytest.raises(InputError, match="no bundle of models: it holds"):
            bundle.unpack(tmp_path / path, tmp_path / "open", print)
    assert not (tmp_path / "open").exists()


def test_a_link_at_the_name_of_a_part_leads_nowhere(plate: store.ModelCard, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / ".a.zip.partial").symlink_to(victim)
    (tmp_path / "a.zip").symlink_to(victim)
    bundle.pack([plate], tmp_path / "a.zip", print)
    assert victim.read_bytes() == b"mine"
    assert zipfile.is_zipfile(tmp_path / "a.zip")


def test_weights_that_no_card_knows_and_a_bundle_cut_short_are_refused(
    plate: store.ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{plate.sha256}.onnx", b"not it")
    with pytest.raises(InputError, match="is none of the known models"):
        bundle.unpack(path, tmp_path / "open", print)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="the bundle can't be read"):
        bundle.unpack(path, tmp_path / "again", print)
