"""Models in 8-bit integers, by measured ranges."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model_graphs import chain_of_convolutions, strided_heads, write_card
from vsanon.errors import InputError, MissingError
from vsanon.models import ModelCard, Session, cards, load_card, prepared, runtime
from vsanon.models.graph import join_siblings, read_blocks
from vsanon.models.quantize import activations

GRAPH = chain_of_convolutions(5)
SHA256 = hashlib.sha256(GRAPH).hexdigest()
RGB = np.arange(256, dtype=np.uint8).repeat(12).reshape(3, 32, 32)


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))


def card_with(folder: Path, ranges: dict[str, list[float]] | None, sha256: str = SHA256) -> ModelCard:
    """A card whose ranges, if any, lie beside it."""
    if ranges is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tiny.json").write_text(json.dumps({"of": {"sha256": sha256}, "ranges": ranges}))
    return load_card(write_card(folder, GRAPH, ranges=None if ranges is None else "tiny.json"))


def steps_of_one(folder: Path) -> ModelCard:
    """Every tensor from -1 to 254: 255 steps of exactly 1."""
    return card_with(folder, {name: [-1.0, 254.0] for name in activations(GRAPH)})


def test_the_last_convolution_stays_in_float_and_all_before_it_do_not(tmp_path: Path) -> None:
    assert activations(GRAPH) == ["picture", "t0", "t1", "t2", "t3"]
    whole = onnx.load_from_string(prepared(GRAPH, steps_of_one(tmp_path)))
    operators = [node.op_type for node in whole.graph.node]
    assert operators.count("Conv") == 5
    assert operators.count("QuantizeLinear") == 5


def test_whole_numbers_within_the_range_come_through_exactly(tmp_path: Path) -> None:
    card = steps_of_one(tmp_path)
    (heat,) = Session(card, prepared(GRAPH, card)).run(np.minimum(RGB, 253), ["heat"])
    # The biases add 1, -1, 1, -1, 1.
    np.testing.assert_allclose(heat[0], np.minimum(RGB, 253).astype(np.float32) + 1, atol=0.02)


def test_what_lies_beyond_the_range_is_clipped_to_it(tmp_path: Path) -> None:
    card = card_with(tmp_path, {"picture": [0.0, 127.5], **{f"t{k}": [0.0, 255.0] for k in range(4)}})
    (heat,) = Session(card, prepared(GRAPH, card)).run(np.full((3, 32, 32), 200, np.uint8), ["heat"])
    np.testing.assert_allclose(heat, 128.5, atol=0.6)


def run_graph(model: bytes | onnx.ModelProto, picture: np.ndarray) -> list[np.ndarray]:
    content = model if isinstance(model, bytes) else model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"picture": picture})


def in_blocks(picture: np.ndarray) -> np.ndarray:
    """(1, C, H, W) as (1, 4 C, H/2, W/2): channel by channel, and of each the rows and columns of a block."""
    _, channels, height, width = picture.shape
    cut = picture.reshape(channels, height // 2, 2, width // 2, 2)
    return cut.transpose(0, 2, 4, 1, 3).reshape(1, channels * 4, height // 2, width // 2)


@given(
    kernel=st.tuples(*[st.integers(1, 6)] * 2),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    size=st.tuples(*[st.integers(4, 9)] * 2),
)
def test_a_picture_in_blocks_gives_the_same_sums_for_every_kernel_and_padding(
    kernel: tuple[int, int], pads: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    graph = strided_heads(kernel, pads)
    shown = np.random.default_rng(1).integers(0, 256, (1, 3, 2 * size[0], 2 * size[1])).astype(np.float32)
    model = onnx.load_from_string(graph)
    if read_blocks(model):
        for a, b in zip(run_graph(graph, shown), run_graph(model, in_blocks(shown)), strict=True):
            np.testing.assert_array_equal(a, b)
    else:
        assert model.SerializeToString() == onnx.load_from_string(graph).SerializeToString()


@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (0, 0, 1, 1), (1, 1, 0, 0)])
def test_the_usual_first_convolutions_read_blocks(pads: tuple[int, int, int, int]) -> None:
    assert read_blocks(onnx.load_from_string(strided_heads(pads=pads)))


def test_a_first_convolution_of_stride_1_stays_as_it_is() -> None:
    assert not read_blocks(onnx.load_from_string(GRAPH))


def test_heads_of_one_tensor_become_one_convolution_with_the_same_values() -> None:
    model = onnx.load_from_string(strided_heads())
    for k, node in enumerate(model.graph.node):
        node.name = f"n{k}"
    join_siblings(model, {"n2", "n3"})
    assert [node.op_type for node in model.graph.node] == ["Conv", "Conv", "Conv", "Split"]
    shown = np.arange(3 * 8 * 8, dtype=np.float32).reshape(1, 3, 8, 8)
    for a, b in zip(run_graph(strided_heads(), shown), run_graph(model, shown), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_bytes_come_in_as_they_are_and_give_what_float_gives(tmp_path: Path, colour: str) -> None:
    """In 255 steps of 1 the picture loses nothing; where they start at -1 it takes another way in."""
    graph = strided_heads()
    found = {}
    for name, low in (("bytes", 0.0), ("float", -1.0)):
        ranges = {"picture": [low, low + 255], "first": [-9000.0, 9000.0], "second": [-50000.0, 50000.0]}
        folder = tmp_path / name
        folder.mkdir()
        content = {"of": {"sha256": hashlib.sha256(graph).hexdigest()}, "ranges": ranges}
        (folder / "tiny.json").write_text(json.dumps(content))
        rules = {"stride": 2, "colour": colour}
        card = load_card(write_card(folder, graph, ranges="tiny.json", input=rules))
        built = onnx.load_from_string(prepared(graph, card))
        kind = built.graph.input[0].type.tensor_type.elem_type
        assert kind == (onnx.TensorProto.UINT8 if name == "bytes" else onnx.TensorProto.FLOAT)
        session = Session(card, prepared(graph, card))
        rgb = np.random.default_rng(2).integers(0, 255, (3, 36, 22), dtype=np.uint8)
        found[name] = session.run(rgb, ["a", "b"]) + session.run(rgb[:, :20, :8], ["b"])
    for a, b in zip(found["bytes"], found["float"], strict=True):
        assert len(np.unique(a)) > 10
        np.testing.assert_array_equal(a, b)


def test_a_card_that_scales_the_picture_never_gets_the_cached_graph_of_one_that_does_not(tmp_path: Path) -> None:
    """Half of twice a picture is that picture: only a graph that takes bytes would leave the scale out."""
    graph = strided_heads()
    ranges = {"picture": [0.0, 255.0], "first": [-9000.0, 9000.0], "second": [-50000.0, 50000.0]}
    content = json.dumps({"of": {"sha256": hashlib.sha256(graph).hexdigest()}, "ranges": ranges})
    rgb = np.random.default_rng(2).integers(0, 128, (3, 36, 22), dtype=np.uint8)
    found = {}
    for scale, shown in ((1.0, rgb), (0.5, rgb * 2)):
        folder = tmp_path / str(scale)
        folder.mkdir()
        (folder / "tiny.json").write_text(content)
        rules = {"stride": 2, "colour": "rgb", "scale": scale}
        card = load_card(write_card(folder, graph, ranges="tiny.json", input=rules))
        found[scale] = Session(card, prepared(graph, card)).run(shown, ["a"])[0]
    assert len(np.unique(found[1.0])) > 10
    np.testing.assert_array_equal(found[1.0], found[0.5])


def test_preparing_twice_gives_the_same_bytes_and_other_ranges_other_ones(tmp_path: Path) -> None:
    card, other = steps_of_one(tmp_path / "a"), card_with(tmp_path / "b", {t: [0, 9] for t in activations(GRAPH)})
    assert prepared(GRAPH, card) == prepared(GRAPH, card) != prepared(GRAPH, other)


def test_a_tensor_without_a_range_is_an_error_that_names_it(tmp_path: Path) -> None:
    card = card_with(tmp_path, {"picture": [0.0, 255.0], "t0": [0.0, 255.0]})
    with pytest.raises(InputError, match=r"tiny\.json: no range was measured for the tensor 't1'"):
        prepared(GRAPH, card)


@pytest.mark.parametrize("content", ["", "{}", '{"ranges": {"a": 3}}', '{"ranges": {"a": ["low", "high"]}}'])
def test_a_file_that_holds_no_ranges_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    card = steps_of_one(tmp_path)
    (tmp_path / "tiny.json").write_text(content)
    with pytest.raises(InputError, match=r"tiny\.json: not the ranges"):
        prepared(GRAPH, card)


@pytest.mark.parametrize("bounds", [[3.0, 3.0], [5.0, -5.0], [float("nan"), 1.0], [0.0, float("inf")]])
def test_a_range_that_is_none_is_an_error_and_never_a_model_that_finds_nothing(
    tmp_path: Path, bounds: list[float]
) -> None:
    card = card_with(tmp_path, dict.fromkeys(activations(GRAPH), bounds))
    with pytest.raises(InputError, match="the range of 'picture' must be two rising numbers"):
        prepared(GRAPH, card)


def test_the_ranges_of_another_model_are_refused(tmp_path: Path) -> None:
    card = card_with(tmp_path, {name: [0.0, 255.0] for name in activations(GRAPH)}, sha256="0" * 64)
    with pytest.raises(InputError, match="the ranges of another model"):
        prepared(GRAPH, card)


def test_ranges_that_are_missing_are_an_error(tmp_path: Path) -> None:
    card = steps_of_one(tmp_path)
    (tmp_path / "tiny.json").unlink()
    with pytest.raises(InputError, match=r"tiny\.json: the ranges of a model can't be read: No such file"):
        prepared(GRAPH, card)


def test_a_card_names_a_file_beside_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`ranges` must be the name of a file beside the card"):
        load_card(write_card(tmp_path, GRAPH, ranges="../tiny.json"))


def test_a_processor_whose_sums_overflow_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_sums_exactly", lambda *, signed: False)
    card = steps_of_one(tmp_path)
    with pytest.raises(MissingError, match="tiny runs in 8-bit integers, which this processor"):
        Session(card, prepared(GRAPH, card))


def test_this_processor_adds_up_exactly_with_unsigned_weights_and_what_says_so_of_signed_ones_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runtime._sums_exactly.__wrapped__(signed=False)
    if not runtime._sums_exactly.__wrapped__(signed=True):
        return  # the other tests of this file see what unsigned ones give
    card = steps_of_one(tmp_path)
    session = Session(card, prepared(GRAPH, card))
    monkeypatch.setattr(runtime, "_sums_exactly", lambda *, signed: not signed)
    other = Session(card, prepared(GRAPH, card))
    (one,), (two,) = (s.run(RGB, list(s.outputs)[:1]) for s in (session, other))
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("exact", [True, False])
def test_weights_are_taken_as_they_are_only_where_the_trial_found_that_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    taken = []

    def start(*args: object, signed: bool = False, **options: object) -> object:
        taken.append(signed)
        return began(*args, signed=signed, **options)  # type: ignore[arg-type]

    began = runtime.start
    monkeypatch.setattr("vsanon.models.session.start", start)
    monkeypatch.setattr(runtime, "_sums_exactly", lambda *, signed: exact or not signed)
    card = steps_of_one(tmp_path)
    Session(card, prepared(GRAPH, card))
    assert taken == [exact]


@pytest.mark.parametrize(("given", "exact"), [(255, True), (129, False), (254, False)])
def test_the_trial_sees_sums_that_stop_at_16_bits(monkeypatch: pytest.MonkeyPatch, given: int, exact: bool) -> None:
    """Two products stop at 32767 of 64770, so that 255 · 32767 / 64770 = 129 comes back."""

    class Saturating:
        def run(self, _: object, shown: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.minimum(shown["x"], given)]

    monkeypatch.setattr(runtime, "start", lambda *_, **__: Saturating())
    assert runtime._sums_exactly.__wrapped__(signed=True) is exact


def test_records_tell_the_8_bit_model_from_the_float_one() -> None:
    known = cards()
    exact, quick = known["centerface"], known["centerface_int8"]
    assert exact.digests == (exact.sha256,) == quick.digests[:1]
    assert len(quick.digests) == 2
    assert "ranges_sha256" not in exact.facts
    assert quick.facts["ranges_sha256"] == quick.digests[1]
