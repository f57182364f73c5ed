"""Providers by name: what this machine has not got is refused, and nothing else is taken quietly."""

import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import vapoursynth as vs
from click.testing import CliRunner

import vsanon
from tests.support.model_graphs import centerface_like, write_card
from vsanon.cli.main import main
from vsanon.errors import InputError, MissingError
from vsanon.job import ledger
from vsanon.models import PROVIDERS, ModelCard, Session, chosen, load_card, prepared, runtime
from vsanon.validation.runs import keys

GRAPH = centerface_like()
CPU_ONLY = ["AzureExecutionProvider", "CPUExecutionProvider"]
Built = Callable[..., None]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))


def card_for(folder: Path, content: bytes) -> ModelCard:
    return load_card(write_card(folder, content, input={"stride": 32, "colour": "rgb"}))


def picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (3, height, width), dtype=np.uint8)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Built:
    """Let ONNX Runtime have been built with some providers; `starts` of them start, for others it takes the CPU."""

    def build(*names: str, starts: tuple[str, ...] = ()) -> None:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(names))
        real = onnxruntime.InferenceSession

        def opened(graph: bytes, settings: Any, *, providers: list[tuple[str, Any]], **_: Any) -> Any:
            session = real(graph, settings, providers=["CPUExecutionProvider"])
            wanted = providers[0][0]
            session.get_providers = lambda: [wanted if wanted in starts else "CPUExecutionProvider"]
            return session

        monkeypatch.setattr(onnxruntime, "InferenceSession", opened)

    return build


def test_a_provider_that_is_not_built_in_is_named_with_the_package_that_has_it(built: Built) -> None:
    built(*CPU_ONLY)
    with pytest.raises(
        MissingError, match=r"cuda is not part of.*which has cpu: install onnxruntime-gpu.cuda,cudnn. in place"
    ):
        chosen("cuda")
    with pytest.raises(MissingError, match=r"(?s)tensorrt is not.*openvino is not.*--provider tensorrt,cpu"):
        chosen("tensorrt,openvino")


def test_another_one_is_taken_only_where_it_is_named(built: Built) -> None:
    built(*CPU_ONLY)
    assert chosen("cuda, cpu") == "cpu"
    assert chosen("cpu,cuda") == "cpu"


def test_a_provider_that_onnx_runtime_quietly_leaves_for_the_cpu_is_missing(built: Built, tmp_path: Path) -> None:
    built(*CPU_ONLY, "CUDAExecutionProvider", "TensorrtExecutionProvider", starts=("TensorrtExecutionProvider",))
    with pytest.raises(MissingError, match="cuda does not start on this machine: it needs an NVIDIA GPU"):
        chosen("cuda")
    assert chosen("cuda,tensorrt") == "tensorrt"
    card = card_for(tmp_path, GRAPH)
    graph = prepared(GRAPH, card)
    with pytest.raises(MissingError, match="cuda does not start"):
        Session(card, graph, provider="cuda")
    Session(card, graph, provider="tensorrt")


def test_libraries_of_nvidia_are_loaded_from_where_pip_puts_them_and_the_missing_one_is_named(
    built: Built, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built(*CPU_ONLY, "CUDAExecutionProvider")
    monkeypatch.setattr(runtime, "_load_nvidia", functools.cache(runtime._load_nvidia.__wrapped__))
    monkeypatch.setattr(onnxruntime, "cuda_version", "13.0")
    said = "Failed to load libcudnn.so.9: no such file\nFailed to load libcufft.so.12: no such file"
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: sys.stdout.write(said))
    with pytest.raises(MissingError, match=r"built for CUDA 13\.0; Failed to load libcudnn\.so\.9: no such file\)"):
        chosen("cuda")
    assert capsys.readouterr().out == ""  # stdout may hold a picture


def test_a_provider_that_ends_in_a_plain_runtime_error_is_missing_and_the_next_one_is_taken(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So ONNX Runtime says that TensorRT is not installed."""
    built(*CPU_ONLY, "TensorrtExecutionProvider")

    def refused(*_: Any, **__: Any) -> Any:
        raise RuntimeError("Please install TensorRT libraries")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refused)
    with pytest.raises(MissingError, match="tensorrt does not start on this machine: Please install TensorRT"):
        chosen("tensorrt")
    assert chosen("tensorrt,cpu") == "cpu"


def test_the_version_of_onnxruntime_is_that_which_is_loaded_whatever_its_package_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        if name == "onnxruntime":  # onnxruntime-gpu stands in its place
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    assert ledger.versions("bs")["onnxruntime"] == onnxruntime.__version__
    keys.version.cache_clear()
    try:
        assert keys.version("onnxruntime") == onnxruntime.__version__
        assert keys.version("numpy") == "1.0"
    finally:
        keys.version.cache_clear()


def test_pictures_of_two_sizes_get_a_session_each_where_one_would_prepare_for_each_anew(
    built: Built, tmp_path: Path
) -> None:
    built(*CPU_ONLY, "CUDAExecutionProvider", starts=("CUDAExecutionProvider",))
    card = card_for(tmp_path, GRAPH)
    session, plain = Session(card, prepared(GRAPH, card), provider="cuda"), Session(card, prepared(GRAPH, card))
    pictures = [picture(96, 64), picture(64, 96), picture(96, 64), picture(32, 32)]
    used = [session._for(rgb.shape) for rgb in pictures]
    assert used[0] is used[2]
    assert len(set(map(id, used))) == 3
    assert plain._for((3, 64, 96)) is plain._for((3, 96, 64))
    for rgb in pictures:
        assert np.array_equal(session.run(rgb, ["heat"])[0], plain.run(rgb, ["heat"])[0])


def test_sessions_for_sizes_are_bounded(built: Built, tmp_path: Path) -> None:
    built(*CPU_ONLY, "CUDAExecutionProvider", starts=("CUDAExecutionProvider",))
    card = card_for(tmp_path, GRAPH)
    session = Session(card, prepared(GRAPH, card), provider="cuda")
    used = {id(session._for((3, 32, 32 * n))) for n in range(1, 40)}
    assert len(used) == 16


@pytest.mark.parametrize("names", ["gpu", "cpu,gpu", "", "cuda,"])
def test_an_unknown_name_is_refused_with_the_known_ones(names: str) -> None:
    with pytest.raises(InputError, match="known are cpu, openvino, cuda, tensorrt, coreml, directml"):
        chosen(names)


def test_scripts_and_the_command_line_say_it_before_any_frame_is_read(built: Built, tmp_path: Path) -> None:
    built(*CPU_ONLY)
    clip = vs.core.std.BlankClip(format=vs.GRAY8, width=64, height=64, length=2)
    with pytest.raises(vs.Error, match="detect: the provider cuda is not part of"):
        vsanon.detect(clip, classes=("plate",), provider="cuda")  # whose model is always there
    (tmp_path / "in.mp4").write_bytes(b"not looked at")
    result = CliRunner().invoke(
        main, ["analyze", str(tmp_path / "in.mp4"), "--classes", "plate", "--provider", "cuda"]
    )
    assert result.exit_code == 3
    assert "onnxruntime-gpu" in result.output


def test_runs_beside_each_other_give_the_bytes_of_runs_alone(tmp_path: Path) -> None:
    card = card_for(tmp_path, GRAPH)
    session = Session(card, prepared(GRAPH, card))
    pictures = [picture(96, 64), picture(64, 96), picture(160, 128)] * 8
    alone = [session.run(rgb, ["heat"])[0].tobytes() for rgb in pictures]
    with ThreadPoolExecutor(4) as pool:
        beside = [heat.tobytes() for (heat,) in pool.map(lambda rgb: session.run(rgb, ["heat"]), pictures)]
    assert beside == alone


def test_a_provider_that_can_not_run_twice_at_a_time_runs_in_turn(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(*CPU_ONLY, "DmlExecutionProvider", starts=("DmlExecutionProvider",))
    assert not PROVIDERS["directml"].concurrent
    card = card_for(tmp_path, GRAPH)
    session = Session(card, prepared(GRAPH, card), provider="directml")
    inside, most = [0], [0]
    lock = threading.Lock()

    def run(outputs: list[str], inputs: dict[str, Any]) -> list[Any]:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.005)
        with lock:
            inside[0] -= 1
        return [np.zeros(1, np.float32)]

    monkeypatch.setattr(session._session, "run", run)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: session.run(picture(32, 32), ["heat"]), range(8)))
    assert most == [1]


def test_providers_that_choose_by_timing_are_told_not_to_or_keep_what_they_chose() -> None:
    """Two runs on one machine are the same bytes."""
    assert PROVIDERS["cuda"].options()["cudnn_conv_algo_search"] == "HEURISTIC"
    assert PROVIDERS["tensorrt"].options()["trt_engine_cache_enable"] == "1"
    assert PROVIDERS["openvino"].options()["precision"] == "FP32"


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.cores() >= 1
    monkeypatch.setattr(runtime.os, "sched_getaffinity", lambda _: {0, 1, 5})
    assert runtime.cores() == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its events itself")
def test_onnx_runtime_reports_nothing_to_its_maker(tmp_path: Path) -> None:
    """Its reports wait in the user's cache folder, beside an identifier of the machine."""
    graph = tmp_path / "graph"
    graph.write_bytes(GRAPH)
    lines = [
        "import vsanon.models.quantize",
        "from vsanon.models import PROVIDERS, runtime",
        f"runtime.start(open({str(graph)!r}, 'rb').read(), PROVIDERS['cpu'], threads=1)",
    ]
    # Build machines, told by CI, are left alone anyway.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "CI", "XDG_"))}
    home = tmp_path / "home"
    home.mkdir()
    environment = {**kept, "HOME": str(home), "GITHUB_ACTIONS": "", "VSANON_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", "\n".join(lines)], env=environment, check=True)
    assert [path for path in home.rglob("*") if "icrosoft" in str(path)] == []


def test_all_sessions_of_a_process_take_their_memory_from_one_arena(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = []
    monkeypatch.setattr(onnxruntime, "create_and_register_allocator", lambda *given: registered.append(given))
    monkeypatch.setattr(runtime, "_share_memory", functools.cache(runtime._share_memory.__wrapped__))
    entry = "session.use_env_allocators"
    for _ in range(2):
        session = runtime.start(GRAPH, PROVIDERS["cpu"], threads=1)
        assert session.get_session_options().get_session_config_entry(entry) == "1"
    assert len(registered) == 1
