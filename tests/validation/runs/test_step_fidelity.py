"""A preset that does more than encode fails its cells, whatever else they would measure."""

from pathlib import Path

import pytest
import yaml

from tests.support.small_matrix import TEXT, draw, run
from vsanon.encode.presets import load

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "chain", "words"),
    [
        ("mirrored", "hflip", "its pictures are others than its master's"),
        ("brighter", "eq=brightness=0.2", "it is brighter than its master by"),
    ],
)
def test_a_preset_that_filters_is_no_encode(tmp_path: Path, name: str, chain: str, words: str) -> None:
    draw(tmp_path)
    usual = load("h264_crf")
    own = {
        "name": name,
        "purpose": "a trap",
        "suffix": usual.suffix,
        "encoder": usual.encoder,
        "codec": usual.codec,
    }
    own |= {
        "pix_fmts": list(usual.pix_fmts),
        "args": list(usual.args),
        "prefilter": chain,
        "threads": usual.threads,
        "tags": list(usual.tags),
    }
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(own))
    text = TEXT.replace("h264_crf\n    crf: [20, 51]", f"{name}.yaml").replace("[null, h264_crf]", "[null]")
    found, _ = run(tmp_path, tmp_path / "out", text)
    (cell,) = found["cells"]
    assert (cell["outcome"], cell["failure"]["step"]) == ("failed", "encode")
    assert words in cell["failure"]["message"]
