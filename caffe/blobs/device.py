"""Where and how the engine computes: one choice for the whole process, all threads alike.

pycaffe keeps the mode in each thread, so that a notebook's worker thread silently falls back to the
CPU; here a mode, once set, holds everywhere. It takes effect with the next layer that runs: blobs
and weights move to where they are needed by themselves, and `.data` is always the host's.
"""

import threading

import numpy as np
import torch

from caffe.errors import DeviceError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
CPU = torch.device("cpu")
_choice = {"mode": "cpu", "index": 0, "precision": torch.float32}
_default = {}  # 'seed': what the main thread chose, for threads that choose none
_own = threading.local()  # of each thread: its seed and {torch.device: torch.Generator}


def _check_cuda(index):
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not 0 <= index < found:
        raise DeviceError(
            "GPU %d was asked for, but this PyTorch (%s) sees %d CUDA device(s): "
            "call caffe.set_mode_cpu(), or install a CUDA build of PyTorch"
            % (index, torch.__version__, found)
        )


def set_mode_cpu():
    """Compute on the CPU (the default)."""
    _choice["mode"] = "cpu"


def set_mode_gpu():
    """Compute on the GPU chosen by `set_device` (default 0); DeviceError where there is none."""
    _check_cuda(_choice["index"])
    _choice["mode"] = "gpu"


def set_device(index):
    """Choose GPU `index` for `set_mode_gpu`; DeviceError where it does not exist."""
    _check_cuda(int(index))
    _choice["index"] = int(index)


def set_precision(name):
    """'float32' (the default, what Caffe computes) or 'bfloat16' (faster where the CPU has AMX).

    Ours, not pycaffe's. Weights, scores, losses and all that the host sees stay float32; only what
    flows between the layers is rounded, so results agree to about two decimals. Meant for training.
    DeviceError for another name.
    """
    if name not in PRECISIONS:
        raise DeviceError(
            "precision {!r} is not known: use {}".format(name, " or ".join(PRECISIONS))
        )
    _choice["precision"] = PRECISIONS[name]


def device():
    """The torch.device that layers run on now."""
    return CPU if _choice["mode"] == "cpu" else torch.device("cuda", _choice["index"])


def precision():
    """The torch.dtype that layers exchange now."""
    return _choice["precision"]


def synchronize():
    """Wait until the device has done all that it was given."""
    where = device()
    if where.type == "cuda":
        torch.cuda.synchronize(where)


def set_random_seed(seed):
    """Make fillers, Dropout and DummyData of this thread repeatable from here on, and the shuffles
    and crops of the data layers of nets that it builds from here on.

    Each thread draws from a sequence of its own, so that nets in two threads do not disturb each
    other. One that never chose a seed begins with the main thread's.
    """
    _own.seed, _own.generators = int(seed), {}
    if threading.current_thread() is threading.main_thread():
        _default["seed"] = int(seed)


def generator(where=CPU):
    """This thread's torch.Generator of device `where`, seeded by `set_random_seed`, else by chance."""
    if not hasattr(_own, "generators"):
        _own.seed, _own.generators = _default.get("seed"), {}
    if where not in _own.generators:
        made = torch.Generator(device=where)
        made.seed() if _own.seed is None else made.manual_seed(_own.seed)
        _own.generators[where] = made
    return _own.generators[where]


def own_random():
    """A numpy Generator for one data layer, so that nets do not disturb each other's order; its
    seed is drawn from `generator`.
    """
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator())))
