"""The engines: each loads the files of a case and returns how to feed and run it.

A function here runs in a process of its own (worker.py), in the environment that has its library;
nothing is imported before it is called. All take the number of threads. The timed part of an engine
begins with a frame in its own input and ends with the scores in an array of the host.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Engine(NamedTuple):
    """A loaded net."""

    version: str
    feed: Callable[[np.ndarray], Any]  # takes a frame, 3 x H x W float32; not timed
    calls: dict[str, Callable[[], Any]]  # timed; "frame" returns the scores, 1 x C x H x W
    feeds: Mapping[str, Callable[[np.ndarray], Any]] = {}  # by call, in place of `feed`
    facts: Mapping[str, Any] = {}  # for JSON


def onnxruntime(folder: Path, threads: int) -> Engine:
    """ONNX Runtime on the CPU, with all graph optimizations."""
    import onnxruntime as library

    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = library.InferenceSession(
        str(folder / "net.onnx"), options, providers=["CPUExecutionProvider"]
    )
    inputs: dict[str, np.ndarray] = {}
    return Engine(
        library.__version__,
        lambda frame: inputs.update(data=frame[None]),
        {"frame": lambda: session.run(None, inputs)[0]},
    )


def openvino(folder: Path, threads: int, precision: str = "f32") -> Engine:
    """OpenVINO on the CPU, set up for the latency of one request."""
    import openvino as library

    core = library.Core()
    compiled = core.compile_model(
        str(folder / "net.onnx"),
        "CPU",
        {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
        },
    )
    request = compiled.create_infer_request()
    held = np.array(request.get_input_tensor().data)  # the request reads it in place
    request.set_input_tensor(library.Tensor(held, shared_memory=True))

    def run():
        request.infer()
        return request.get_output_tensor().data

    return Engine(library.__version__, lambda frame: np.copyto(held[0], frame), {"frame": run})


def openvino_bfloat16(folder: Path, threads: int) -> Engine:
    """OpenVINO in bfloat16; raises ValueError where it would run in float32 all the same."""
    import openvino as library

    able = library.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in able:
        raise ValueError("OpenVINO has no bfloat16 on this processor")
    return openvino(folder, threads, "bf16")


def opencv(folder: Path, threads: int) -> Engine:
    """OpenCV's importer of Caffe nets, on the very prototxt and weights."""
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromCaffe(str(folder / "net.prototxt"), str(folder / "net.caffemodel"))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setPreferableTarget(cv2.dnn.DNN_TARGET_CPU)
    return Engine(
        cv2.__version__,
        lambda frame: net.setInput(frame[None], "data"),
        {"frame": lambda: net.forward("score")},
    )


def ncnn(folder: Path, threads: int) -> Engine:
    """Ncnn, the whole net in one go, in float32 (Winograd where it chooses so)."""
    import ncnn as library

    net = library.Net()
    net.opt.num_threads = threads
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    for load, file in ((net.load_param, "net.param"), (net.load_model, "net.bin")):
        if load(str(folder / file)):
            raise ValueError(f"ncnn cannot load {folder / file}")
    held: dict[str, Any] = {}

    def run():
        extractor = net.create_extractor()
        extractor.input("data", held["data"])
        failed, scores = extractor.extract("score")
        if failed:
            raise ValueError(f"ncnn cannot compute the scores (code {failed})")
        return np.array(scores)[None]

    return Engine(
        library.__version__,
        # a Mat of an array does not keep it alive: it gets a copy
        lambda frame: held.update(data=library.Mat(np.ascontiguousarray(frame)).clone()),
        {"frame": run},
    )


def mnn(folder: Path, threads: int) -> Engine:
    """MNN on the CPU, in float32."""
    import MNN
    from MNN import expr, nn

    runtime = nn.create_runtime_manager(
        ({"backend": "CPU", "numThread": threads, "precision": "high"},)
    )
    net = nn.load_module_from_file(
        str(folder / "net.mnn"), ["data"], ["score"], runtime_manager=runtime
    )
    held: dict[str, Any] = {}

    def feed(frame):
        held["data"] = expr.const(frame[None], list(frame[None].shape), expr.NCHW, expr.float)

    def run():
        scores = net.forward([held["data"]])
        scores = scores[0] if isinstance(scores, (list, tuple)) else scores
        return expr.convert(scores, expr.NCHW).read()

    return Engine(MNN.version(), feed, {"frame": run})
