"""Preparing a graph and running it: sizes, threads, damaged files, and what is recorded."""

import errno
import hashlib
import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.support.model_graphs import centerface_like, heads_of_one_tensor, write_card, yunet_like
from vsanon.errors import InputError, MissingError, ModelError
from vsanon.models import ModelCard, Session, load_card, prepared
from vsanon.models.runtime import RUNTIME_ERRORS

GRAPH = centerface_like()


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))


def card_for(folder: Path, content: bytes, **rules: object) -> ModelCard:
    return load_card(write_card(folder, content, input={"stride": 32, "colour": "rgb"} | rules))


def picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (3, height, width), dtype=np.uint8)


def test_a_prepared_graph_takes_any_size_and_has_the_picture_as_its_only_input(tmp_path: Path) -> None:
    assert len(onnx.load_from_string(GRAPH).graph.input) == 4
    card = card_for(tmp_path, GRAPH)
    graph = prepared(GRAPH, card)
    assert [value.name for value in onnx.load_from_string(graph).graph.input] == ["picture"]
    session = Session(card, graph)
    for width, height in [(32, 32), (96, 64), (640, 384)]:
        (heat,) = session.run(picture(width, height), ["heat"])
        assert heat.shape == (1, 1, height // 4, width // 4)


def test_preparing_changes_no_output(tmp_path: Path) -> None:
    rgb = picture(32, 32)
    plain = onnxruntime.InferenceSession(GRAPH, providers=["CPUExecutionProvider"])
    batch = np.repeat(rgb[None].astype(np.float32), 10, axis=0)
    (expected,) = plain.run(["heat"], {"picture": batch})
    card = card_for(tmp_path, GRAPH)
    (heat,) = Session(card, prepared(GRAPH, card)).run(rgb, ["heat"])
    np.testing.assert_allclose(heat[0], expected[0], atol=1e-6)


@pytest.mark.parametrize("opset", [11, 13])
def test_what_is_not_read_is_not_worked_out_and_what_is_stays_to_the_last_bit(tmp_path: Path, opset: int) -> None:
    content = heads_of_one_tensor(opset)
    card, read = card_for(tmp_path, content), ("heat", "size")
    graph = prepared(content, card, read)
    nodes = onnx.load_from_string(graph).graph.node
    assert [node.op_type for node in nodes] == ["Conv", "Split"]
    assert list(Session(card, graph).outputs) == list(read)
    rgb = picture(96, 64)
    kept, whole = (Session(card, g).run(rgb, read) for g in (graph, prepared(content, card)))
    for one, other in zip(kept, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_graph_without_any_of_the_outputs_that_are_read_keeps_its_own(tmp_path: Path) -> None:
    content = heads_of_one_tensor(13)
    card = card_for(tmp_path, content)
    assert list(Session(card, prepared(content, card, ["loc"])).outputs) == ["heat", "size", "points"]


def test_preparing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    assert prepared(GRAPH, card) == prepared(GRAPH, card)


def test_the_graph_that_runs_is_made_of_the_file_that_the_card_vouches_for_and_of_no_cache(
    tmp_path: Path,
) -> None:
    """What somebody wrote into the cache, with a fitting hash beside it, is not looked at."""
    card = card_for(tmp_path, GRAPH)
    graph = prepared(GRAPH, card)
    for path in [p for p in (tmp_path / "cache").rglob("*") if p.suffix in (".onnx", ".sha256")]:
        path.write_bytes(b"blind" if path.suffix == ".onnx" else hashlib.sha256(b"blind").hexdigest().encode())
    assert prepared(GRAPH, card) == graph


def test_no_room_for_temporary_files_is_not_laid_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RUNTIME_ERRORS[1]("open file graph.onnx fail, errcode = 28")  # what ONNX Runtime makes of it

    def no_room(folder: Path, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    card = card_for(tmp_path, GRAPH)
    monkeypatch.setattr(onnxruntime, "InferenceSession", full)
    with pytest.raises(ModelError, match="can't be loaded"):
        prepared(GRAPH, card)
    monkeypatch.setattr("vsanon.models.prepare._require_room", no_room)
    with pytest.raises(MissingError, match=r"no room .*No space left.*TMPDIR") as raised:
        prepared(GRAPH, card)
    assert not isinstance(raised.value, ModelError)


@pytest.mark.parametrize(
    "content", [b"", b"no graph at all", GRAPH[: len(GRAPH) // 2]], ids=["empty", "text", "cut"]
)
def test_a_corrupt_file_is_a_model_error_that_names_the_model_and_says_what_to_do(
    tmp_path: Path, content: bytes
) -> None:
    card = card_for(tmp_path, content)
    with pytest.raises(ModelError, match=r"(?s)model tiny.*publisher"):
        prepared(content, card)
    with pytest.raises(ModelError, match=r"(?s)model tiny.*publisher"):
        Session(card, content)


def test_a_model_of_one_size_says_which_and_which_it_got(tmp_path: Path) -> None:
    content = yunet_like(size=(64, 32))
    card = card_for(tmp_path, content, size=[64, 32])
    session = Session(card, prepared(content, card))
    assert session.run(picture(64, 32), ["cls_8"])[0].shape == (1, 32, 1)
    with pytest.raises(InputError, match=r"64x32 only, got 128x64"):
        session.run(picture(128, 64), ["cls_8"])


def test_a_graph_that_bakes_its_size_in_asks_for_the_size_in_its_card(tmp_path: Path) -> None:
    content = yunet_like(rows=1)
    card = card_for(tmp_path, content)
    with pytest.raises(ModelError, match=r"(?s)tiny failed on a picture of 64x32.*`input: \{size"):
        Session(card, prepared(content, card)).run(picture(64, 32), ["cls_8"])


def test_a_card_of_another_size_than_the_graph_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    content = yunet_like(size=(64, 32))
    card = card_for(tmp_path, content, size=[128, 32])
    with pytest.raises(ModelError, match=r"expected .*\[1, 3, 32, 128\], found .*\[1, 3, 32, 64\]"):
        Session(card, prepared(content, card))


def test_a_picture_that_the_stride_does_not_divide_is_refused(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    session = Session(card, prepared(GRAPH, card))
    with pytest.raises(ValueError, match="multiples of 32, got 64x40"):
        session.run(picture(64, 40), ["heat"])
    with pytest.raises(ValueError, match="multiples of 32, got 64x0"):
        session.run(picture(64, 0), ["heat"])


@pytest.mark.parametrize("wrong", [np.zeros((32, 32, 3), np.uint8), np.zeros((3, 32, 32), np.float32)])
def test_only_planar_bytes_are_a_picture(tmp_path: Path, wrong: np.ndarray) -> None:
    card = card_for(tmp_path, GRAPH)
    with pytest.raises(ValueError, match=r"\(3, H, W\) uint8"):
        Session(card, prepared(GRAPH, card)).run(wrong, ["heat"])


@pytest.mark.filterwarnings("error")
def test_values_that_are_not_finite_are_an_error_and_never_no_face(tmp_path: Path) -> None:
    content = centerface_like(heat_gain=float("nan"))
    card = card_for(tmp_path, content)
    with pytest.raises(ModelError, match="not finite"):
        Session(card, prepared(content, card)).run(picture(32, 32), ["heat"])


def test_colour_order_mean_and_scale_follow_the_card(tmp_path: Path) -> None:
    """The graph's heat is the mean of its first channel over 255: of (b - 5) * 2 where the card says so."""
    card = card_for(tmp_path, GRAPH, colour="bgr", mean=[5, 0, 0], scale=2.0)
    rgb = np.zeros((3, 32, 32), np.uint8)
    rgb[2] = 30
    (heat,) = Session(card, prepared(GRAPH, card)).run(rgb, ["heat"])
    np.testing.assert_allclose(heat, 50 / 255, rtol=1e-5)


def test_one_and_two_threads_give_the_same_bytes(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    graph = prepared(GRAPH, card)
    one, two = (Session(card, graph, threads=t).run(picture(96, 64), ["heat"])[0] for t in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_runs_of_all_sizes_beside_each_other_and_earlier_answers_keep_their_values(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    graph = prepared(GRAPH, card)
    shown = [picture(32 * (1 + k % 3), 32 * (1 + k % 5)) // (1 + k % 7) for k in range(60)]
    alone = [Session(card, graph).run(rgb, ["heat"])[0] for rgb in shown]
    session = Session(card, graph)
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(lambda rgb: session.run(rgb, ["heat"])[0], shown))
    for a, b in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_picture_takes_the_memory_of_an_earlier_one(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    session = Session(card, prepared(GRAPH, card))
    rgb, taken = picture(640, 384), []
    session.run(rgb, ["heat"])
    for _ in range(2):
        tracemalloc.start()
        session.run(rgb, ["heat"])
        taken.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(taken) < rgb.size  # as float it would be four times as much


def test_no_threads_are_refused(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    with pytest.raises(ValueError, match="at least 1 thread"):
        Session(card, prepared(GRAPH, card), threads=0)


def test_the_signature_names_file_and_runtime(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    assert Session(card, prepared(GRAPH, card)).signature() == {
        "name": "tiny",
        "sha256": hashlib.sha256(GRAPH).hexdigest(),
        "onnxruntime": onnxruntime.__version__,
        "provider": "CPUExecutionProvider",
    }
