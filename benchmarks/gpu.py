"""Everything that is promised for a GPU, in ten minutes: python -m benchmarks.gpu (make bench-gpu).

1. The core of the test suite in GPU mode: recorded nets, stages, layers, solver, light nets.
2. The matrix rate of the GPU in each precision.
3. FCN-8s at 500 x 500 and 1024 x 2048: this engine, PyTorch eager, torch.compile, half precision in
   channels-last order, and a CUDA graph for each stage; times, errors, and shares of the rate.

With --cpu it runs on the CPU, as far as that goes: a trial of the script, on small frames.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch

import caffe
from benchmarks.nets import fill_with_noise
from benchmarks.peers.process import ROOT
from benchmarks.plain_torch import fcn8s
from benchmarks.tables import table
from lib.cost import multiply_adds
from lib.stages import FCN8S, run_stage
from nets import fcn8s as definitions

SIZES = ((500, 500), (1024, 2048))
CORE_TESTS = (
    "tests/caffe/test_golden.py",
    "tests/caffe/engine/test_stages.py",
    "tests/caffe/engine/test_stages_random.py",
    "tests/caffe/layer_types",
    "tests/caffe/training/test_solver.py",
    "tests/lib/test_on_caffe.py",
    "tests/nets/test_weights.py",
)
TEST_SECONDS = 240
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WITHOUT_DEEP = ("shallow", "middle", "fuse")


class Way(NamedTuple):
    """A way to run the net."""

    title: str
    precision: str
    run: Callable[[], torch.Tensor | np.ndarray]  # returns the scores, on any device


def run_tests(on_gpu: bool, limit: float = TEST_SECONDS) -> dict[str, Any]:
    """Run the core of the test suite; return its exit code and last lines."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CLOCKWORK_GPU": "1" if on_gpu else ""}
    # modules of torch are made in CPU mode only
    chosen = ["-m", "not slow", "-k", "not torch_module"]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", *chosen, *CORE_TESTS]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        return {"code": None, "tail": [*_tail(output.decode(errors="replace")), "out of time"]}
    return {"code": ran.returncode, "tail": _tail(ran.stdout + ran.stderr)}


def _tail(output):
    return output.splitlines()[-40:]


def matrix_rates(device: torch.device, size: int) -> dict[str, float]:
    """Return multiply-adds a second of square matrix products, by precision."""
    rates = {}
    for name, dtype in PRECISIONS.items():
        factor = torch.randn(size, size, device=device).to(dtype)
        rates[name] = size**3 / seconds_of(partial(torch.mm, factor, factor), device, 10)
    return rates


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median seconds of a call, its work on the device included, after two warm-ups."""
    times = []
    for _ in range(repeats + 2):
        _wait(device)
        start = perf_counter()
        call()
        _wait(device)
        times.append(perf_counter() - start)
    return median(times[2:])


def ways(net: caffe.Net, frame: np.ndarray, device: torch.device, compiled: bool) -> list[Way]:
    """Return the ways to run a net on a frame, 1 x 3 x H x W; the first is the reference."""
    on_gpu = device.type == "cuda"
    low = "float16" if on_gpu else "bfloat16"  # CPUs are slow in float16
    half = partial(_half, device=device, dtype=PRECISIONS[low])
    data = torch.from_numpy(frame).to(device)
    plain = fcn8s(net, lambda weight: weight.to(device))
    plain_half, data_half = fcn8s(net, half), half(torch.from_numpy(frame))
    found = [
        Way("PyTorch eager", "float32", lambda: plain(data)),
        Way("PyTorch eager, channels-last", low, lambda: plain_half(data_half)),
    ]
    if compiled:
        quick = torch.compile(plain_half)
        found.append(Way("torch.compile, channels-last", low, lambda: quick(data_half)))
    found += [
        Way("Clockwork", "float32", partial(_forward, net, "float32", on_gpu)),
        Way("Clockwork without deep", "float32", partial(_without_deep, net, on_gpu)),
        Way("Clockwork", "bfloat16", partial(_forward, net, "bfloat16", on_gpu)),
    ]
    stages, scores = stage_graphs(net, data_half, half)
    found += [
        Way("a graph for each stage", low, lambda: (_replay(stages, stages), scores)[1]),
        Way("the same without deep", low, lambda: (_replay(stages, WITHOUT_DEEP), scores)[1]),
    ]
    return found


def stage_graphs(
    net: caffe.Net, data: torch.Tensor, move: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[dict[str, Callable[[], object]], torch.Tensor]:
    """Capture each stage of a net as a CUDA graph; on the CPU, its plain call.

    Parameters
    ----------
    net : Net
        In CPU mode; its weights are copied.
    data : torch.Tensor
        The frame, where the graphs read it.
    move : function
        Brings weights to the device, precision and memory order of `data`.

    Returns
    -------
    stages : dict of str to function
        Functions that run a stage on what the stages before left in place.
    scores : torch.Tensor
        Where the last stage leaves the scores.
    """
    blobs, calls = {"data": data}, {}
    for stage in FCN8S:
        module = net.to_module(stage.start, stage.end).eval()
        module = module._apply(lambda weight: move(weight.detach()))
        inputs = [blobs[name] for name in module.input_names]
        outputs, calls[stage.name] = _captured(module, inputs)
        named = outputs if isinstance(outputs, dict) else {module.output_names[0]: outputs}
        blobs.update(named)
    return calls, blobs["score"]


def _captured(module, inputs):
    """Return the outputs of a module, in memory that its calls write to, and such a call."""
    with torch.inference_mode():
        if inputs[0].device.type != "cuda":
            outputs = module(*inputs)
            flat = outputs if isinstance(outputs, dict) else {"": outputs}

            def call():
                with torch.inference_mode():
                    again = module(*inputs)
                    for name, tensor in (again if isinstance(again, dict) else {"": again}).items():
                        flat[name].copy_(tensor)

            return outputs, call
        stream = torch.cuda.Stream()  # capturing needs warm kernels, on a stream of its own
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                module(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = module(*inputs)
    return outputs, graph.replay


def _replay(stages, names):
    for name in names:
        stages[name]()


def _half(tensor, device, dtype):
    """Bring a tensor to the device in half precision, images and kernels channels-last."""
    tensor = tensor.to(device, dtype)
    order = torch.channels_last if tensor.dim() == 4 else torch.contiguous_format
    return tensor.contiguous(memory_format=order)


def _forward(net, precision, on_gpu):
    """Run our engine; the scores are copied to the host, as with every forward."""
    with _Mode(precision, on_gpu):
        return net.forward()["score"].copy()


def _without_deep(net, on_gpu):
    with _Mode("float32", on_gpu):
        for stage in FCN8S:
            if stage.name in WITHOUT_DEEP:
                run_stage(net, stage)
        return net.blobs["score"].data.copy()


class _Mode:
    """Device and precision of our engine inside a `with` block; CPU and float32 after it."""

    def __init__(self, precision: str, on_gpu: bool) -> None:
        self.precision, self.on_gpu = precision, on_gpu

    def __enter__(self) -> None:
        caffe.set_precision(self.precision)
        if self.on_gpu:
            caffe.set_mode_gpu()

    def __exit__(self, *_: object) -> None:
        caffe.set_mode_cpu()
        caffe.set_precision("float32")


def measure_size(
    height: int,
    width: int,
    device: torch.device,
    rates: dict[str, float],
    repeats: int,
    compiled: bool,
    channels: float = 1,
) -> dict[str, Any]:
    """Time all ways on frames of a size.

    Returns
    -------
    dict
        height, width, multiply_adds, and rows: title, precision, seconds, rate (share of the
        matrix rate) and error (from the first way, as a share of the largest score), or failed.
    """
    spec = definitions.fcn8s(21, channels, fc_width=int(4096 * channels), size=(height, width))
    net = caffe.Net.from_param(spec, caffe.TEST)
    fill_with_noise(net)
    frame = np.random.default_rng(1).normal(0, 50, (1, 3, height, width)).astype(np.float32)
    net.blobs["data"].data[...] = frame
    macs, rows, reference = sum(multiply_adds(net).values()), [], None
    for way in ways(net, frame, device, compiled):
        row: dict[str, Any] = {"title": way.title, "precision": way.precision}
        rows.append(row)
        try:
            scores = _on_host(way.run())
            reference = scores if reference is None else reference
            row["error"] = float(np.abs(scores - reference).max() / np.abs(reference).max())
            row["seconds"] = seconds_of(way.run, device, repeats)
            row["rate"] = macs / row["seconds"] / rates[way.precision]
        except Exception as error:  # one that fails must not take the others along
            row["failed"] = f"{type(error).__name__}: {error}"[:400]
    return {"height": height, "width": width, "multiply_adds": macs, "rows": rows}


def _on_host(scores):
    return scores.float().cpu().numpy() if isinstance(scores, torch.Tensor) else scores


def _wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a page."""
    tests = results["tests"]
    parts = [f"# GPU: {results['device']}", f"PyTorch {results['torch']}, {results['date']}."]
    if tests:
        passed = tests["code"] == 0
        lines = tests["tail"][-1:] if passed else tests["tail"]
        parts.append(
            "Core tests: " + ("passed" if passed else "FAILED") + "\n\n" + "\n".join(lines)
        )
    rates = [(name, f"{rate / 1e12:.3g}") for name, rate in results["matrix_rates"].items()]
    parts.append(table(("matrix rate", "10^12 multiply-adds a second"), rates))
    for size in results["sizes"]:
        lines = [
            (row["title"], row["precision"], f"failed: {row['failed']}", "", "")
            if "failed" in row
            else (
                row["title"],
                row["precision"],
                f"{1000 * row['seconds']:.3g}",
                f"{row['rate']:.0%}",
                f"{row['error']:.0e}",
            )
            for row in size["rows"]
        ]
        parts.append(f"## FCN-8s, {size['height']} x {size['width']}")
        parts.append(table(("", "precision", "ms", "matrix rate", "error"), lines))
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, and write gpu.json and gpu.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", action="store_true", help="a trial on the CPU, on small frames")
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench-gpu")
    args = parser.parse_args(arguments)
    if not args.cpu and not torch.cuda.is_available():
        parser.exit(1, "PyTorch sees no GPU here; --cpu tries the script on the CPU\n")
    device = torch.device("cpu" if args.cpu else "cuda")
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.backends.cudnn.allow_tf32 = False  # the reference is float32, as in GPU mode
    rates = matrix_rates(device, 8192 if on_gpu else 512)
    results: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if on_gpu else "none: a trial on the CPU",
        "torch": torch.__version__,
        "date": date.today().isoformat(),
        "matrix_rates": rates,
        "sizes": [
            measure_size(*size, device, rates, 10 if on_gpu else 1, not args.no_compile, channels)
            for size, channels in ([(s, 1) for s in SIZES] if on_gpu else [((64, 96), 0.125)])
        ],
        "tests": None if args.no_tests else run_tests(on_gpu),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n")
    (args.out / "gpu.md").write_text(markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
