"""What the public reader says is counted by place, and its model is the one that was named, or none."""

from pathlib import Path

import numpy as np
import pytest

from vsanon.errors import MissingError
from vsanon.validation.attacks import plates, public_reader


def test_characters_count_where_they_stand() -> None:
    text = np.array([[0, 1, 2, 7, 8, 9]] * 4)
    word = plates.words(text[0])
    read = [word, word[1:], word[:3], "xx" + word[2:] + word]
    assert public_reader.right(read, text).tolist() == [6, 0, 3, 4]


def test_another_file_is_no_public_reader(tmp_path: Path) -> None:
    (tmp_path / "PP-OCRv6_rec_small.onnx").write_bytes(b"another")
    with pytest.raises(MissingError, match="SHA-256"):
        public_reader.fetch(tmp_path)
