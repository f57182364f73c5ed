"""The command line of models: what one pull gets, and what it says of what it could not get."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from vsanon.cli.main import main
from vsanon.detectors.recipes import models_of
from vsanon.errors import MissingError
from vsanon.models import store
from vsanon.models.card import ModelCard


def test_one_pull_gets_the_models_of_every_setting_and_names_all_that_it_could_not_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def fetch(card: ModelCard, _: object) -> Path:
        asked.append(card.name)
        if card.name == asked[0]:
            raise MissingError(f"no way to {card.name}")
        return Path("there", card.name)

    monkeypatch.setattr(store, "fetch", fetch)
    pulled = CliRunner().invoke(main, ["models", "pull"])
    assert asked == list(models_of())
    assert pulled.exit_code == 3
    assert f"vsanon: no way to {asked[0]}" in pulled.stderr
    assert pulled.stdout.splitlines() == [str(Path("there", name)) for name in asked[1:]]


def test_an_address_in_the_place_of_a_model_is_said_whole() -> None:
    address = "https://example.org/yunet.onnx"
    run = CliRunner().invoke(main, ["analyze", __file__, "--model", f"face={address}"])
    assert run.exit_code == 2
    assert f"{address} is an address: download the file and name its path" in run.stderr
