"""ONNX Runtime: how its sessions are set up, and its execution providers by short names, refused where missing."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from io import StringIO

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from vsanon.errors import InputError, MissingError
from vsanon.files import cache_root

# Windows knows no environment variable for it, and a script may have loaded ONNX Runtime before vsanon did.
onnxruntime.disable_telemetry_events()

CPU = "cpu"

RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""What ONNX Runtime raises; it has no base class of its own."""

_START_ERRORS: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, RuntimeError)
"""Of a provider that does not start; where TensorRT is missing that is a plain RuntimeError."""

_FATAL_ONLY = 4

_ARENA_BYTES = 128 << 20
"""What the arena begins with, of which memory is taken as it is used; each step is twice the one before, and small
first steps leave holes that no large tensor fits into."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An execution provider.

    Args:
        name: ours.
        ort: ONNX Runtime's.
        package: the package that brings it; it takes the place of onnxruntime.
        needs: what it needs besides.
        options: as ONNX Runtime takes them; a function where they name folders.
        concurrent: whether a session may run in several threads at a time.
        nvidia: whether it wants NVIDIA's libraries.
        one_size: whether a session that sees pictures of two sizes in turn prepares for each anew.
    """

    name: str
    ort: str
    package: str
    needs: str = ""
    options: Callable[[], Mapping[str, str]] = field(default=dict)
    concurrent: bool = True
    nvidia: bool = False
    one_size: bool = False


def _engines() -> Mapping[str, str]:
    # Engines are chosen by timing: without a cache, two runs on one machine would differ in their bytes.
    folder = cache_root() / "tensorrt"
    return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(folder), "trt_timing_cache_enable": "1"}


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(CPU, "CPUExecutionProvider", "onnxruntime"),
        # bfloat16 is its default where the processor has it; the lanes are the threads.
        Provider(
            "openvino",
            "OpenVINOExecutionProvider",
            "onnxruntime-openvino",
            options=lambda: {"device_type": "CPU", "precision": "FP32", "num_of_threads": "1"},
        ),
        # An exhaustive search would choose its algorithms by timing, another way at each start.
        Provider(
            "cuda",
            "CUDAExecutionProvider",
            "onnxruntime-gpu[cuda,cudnn]",
            "an NVIDIA GPU, its driver, cuDNN 9 and the CUDA that its onnxruntime-gpu was built for",
            lambda: {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
            nvidia=True,
            one_size=True,
        ),
        Provider(
            "tensorrt",
            "TensorrtExecutionProvider",
            "onnxruntime-gpu[cuda,cudnn]",
            "an NVIDIA GPU with TensorRT 10, beside what cuda needs",
            _engines,
            nvidia=True,
        ),
        Provider("coreml", "CoreMLExecutionProvider", "onnxruntime", "macOS"),
        Provider("directml", "DmlExecutionProvider", "onnxruntime-directml", "Windows", concurrent=False),
    )
}
"""By name. Bytes are the same on machines of one kind with one provider, and may differ between providers."""


def cores() -> int:
    """How many processor cores this process may use: so many runs of a model are worth making at a time."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def package_version(name: str) -> str:
    """The version of a package; of onnxruntime that which is loaded, as it comes in packages of several names."""
    return str(onnxruntime.__version__) if name == "onnxruntime" else metadata.version(name)


def options(threads: int, *, signed: bool = False) -> onnxruntime.SessionOptions:
    """Session options for the same values on every run: sequential, deterministic, quiet.

    Args:
        threads: that one run may use.
        signed: 8-bit weights are taken as they are, see `takes_signed_weights`.

    Raises:
        ValueError: `threads` is less than 1.
    """
    if threads < 1:
        raise ValueError(f"a model needs at least 1 thread, got {threads}")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.use_deterministic_compute = True
    settings.log_severity_level = _FATAL_ONLY
    # Threads that spin between frames take the cores that decode, paint and encode.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not signed:
        # Two 8-bit products overflow 16 bits on processors without VNNI: there weights are taken as unsigned ones.
        # ONNX Runtime 1.32 does so on AMX too, where nothing overflows, and takes three times as long.
        settings.add_session_config_entry("session.x64quantprecision", "1")
    return settings


def start(graph: bytes, provider: Provider, *, threads: int, signed: bool = False) -> onnxruntime.InferenceSession:
    """A session on that provider, and on no other; `threads` and `signed` as for `options`.

    Raises:
        MissingError: the provider does not start on this machine.
        RUNTIME_ERRORS: the graph can't be loaded.
    """
    settings = options(threads, signed=signed)
    lacks = _load_nvidia() if provider.nvidia else ""
    if provider.name == CPU:
        _share_memory()
        settings.add_session_config_entry("session.use_env_allocators", "1")
    # DirectML refuses planned memory.
    settings.enable_mem_pattern = provider.concurrent
    chain = [(provider.ort, dict(provider.options()))]
    try:
        session = onnxruntime.InferenceSession(graph, settings, providers=chain, enable_fallback=0)
    except _START_ERRORS as error:
        if provider.name == CPU:
            raise
        raise MissingError(f"the provider {provider.name} does not start on this machine: {error}") from error
    if session.get_providers()[0] != provider.ort:  # it has quietly taken another one
        raise MissingError(
            f"the provider {provider.name} does not start on this machine"
            f"{f': it needs {provider.needs}' if provider.needs else ''}{f' ({lacks})' if lacks else ''}"
        )
    return session


@cache
def _load_nvidia() -> str:
    """Load CUDA and cuDNN from where pip puts them, which the system's loader does not know.

    Returns:
        What ONNX Runtime was built for, and the first library that was not found, in words.
    """
    with redirect_stdout(StringIO()) as said:  # ONNX Runtime prints it, and stdout may hold a picture
        onnxruntime.preload_dlls()
    missing = [line for line in said.getvalue().splitlines() if line.startswith("Failed to load")]
    built = getattr(onnxruntime, "cuda_version", "")
    return "; ".join([f"built for CUDA {built}" if built else "", *missing[:1]]).strip("; ")


@cache
def _share_memory() -> None:
    """Give the sessions of this process one arena: each would keep one as large as its largest picture needs."""
    kind, place = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    usual = -1
    rules = onnxruntime.OrtArenaCfg(0, usual, _ARENA_BYTES, usual)
    onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, place), rules)


def require_available(name: str) -> Provider:
    """The provider of that name.

    Raises:
        InputError: there is no such name.
        MissingError: the ONNX Runtime that is installed was built without it.
    """
    (provider,) = known(name)
    found = onnxruntime.get_available_providers()
    if provider.ort not in found:
        have = ", ".join(p.name for p in PROVIDERS.values() if p.ort in found)
        raise MissingError(
            f"the provider {name} is not part of the onnxruntime that is installed, which has {have}: install "
            f"{provider.package} in place of onnxruntime{f'; it needs {provider.needs}' if provider.needs else ''}"
        )
    return provider


def takes_signed_weights(model: str) -> bool:
    """Whether this processor adds up 8-bit products exactly with weights as they are; else with unsigned ones.

    Both give the same sums.

    Raises:
        MissingError: with neither, as a trial shows: its answers would be other ones.
    """
    for signed in (True, False):
        if _sums_exactly(signed=signed):
            return signed
    raise MissingError(
        f"the model {model} runs in 8-bit integers, which this processor and ONNX Runtime "
        f"{onnxruntime.__version__} do not add up exactly: use the float model in its place"
    )


@cache
def _sums_exactly(*, signed: bool) -> bool:
    """Whether a convolution whose sums need more than 16 bits gives what it must (see `graph.greatest_sums`)."""
    from vsanon.models.graph import greatest_sums  # only here: importing onnx takes a while

    session = start(greatest_sums(), PROVIDERS[CPU], threads=1, signed=signed)
    (given,) = session.run(None, {"x": np.full((1, 16, 4, 4), 255, np.uint8)})
    return bool((given == 255).all())


def known(names: str) -> Sequence[Provider]:
    found = [name.strip() for name in names.split(",")]
    if unknown := [name for name in found if name not in PROVIDERS]:
        raise InputError(f"no provider has the name {unknown[0]!r}; known are {', '.join(PROVIDERS)}")
    return [PROVIDERS[name] for name in found]
