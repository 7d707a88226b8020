"""The engine of this repository, and PyTorch on the same net: loaded as in engines.py."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import caffe
from benchmarks.peers.engines import Engine
from benchmarks.plain_torch import fcn8s
from lib.stages import FCN8S, run_stage


def clockwork(folder: Path, threads: int, precision: str = "float32") -> Engine:
    """Our engine, with calls for whole frames, for each stage, and for frames of a clock.

    "in turn" runs all stages one after another, "clockwork" all but the deep one.
    """
    torch.set_num_threads(threads)
    caffe.set_precision(precision)
    caffe.set_kernels("auto")
    net = _load(folder)
    stages = {stage.name: partial(run_stage, net, stage) for stage in FCN8S}

    def in_turn(*names):
        for name in names:
            stages[name]()

    def scores():
        return net.blobs["score"].data

    calls: dict[str, Callable[[], object]] = {
        "frame": lambda: net.forward()["score"],
        **stages,
        "in turn": lambda: (in_turn(*stages), scores()),
        "clockwork": lambda: (in_turn("shallow", "middle", "fuse"), scores()),
    }
    return Engine(caffe.__version__, partial(_feed, net), calls)


def clockwork_bfloat16(folder: Path, threads: int) -> Engine:
    """Our engine in bfloat16."""
    return clockwork(folder, threads, "bfloat16")


def eager(folder: Path, threads: int) -> Engine:
    """PyTorch's own calls, one after another, without our engine."""
    return _torch(folder, threads, lambda function: function)


def compiled(folder: Path, threads: int) -> Engine:
    """PyTorch's calls through torch.compile, which needs a C++ compiler on the machine."""
    return _torch(folder, threads, torch.compile)


def _torch(folder, threads, wrap):
    torch.set_num_threads(threads)
    function, held = fcn8s(_load(folder)), {}
    run = wrap(function)
    return Engine(
        torch.__version__,
        lambda frame: held.update(data=torch.from_numpy(frame[None])),
        {"frame": lambda: run(held["data"]).numpy()},
    )


def _load(folder):
    return caffe.Net(folder / "net.prototxt", folder / "net.caffemodel", caffe.TEST)


def _feed(net, frame):
    net.blobs["data"].data[0] = frame
