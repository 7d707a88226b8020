"""The device, the precision and the random numbers that the engine uses.

Device and precision are one choice for the whole process. pycaffe keeps the mode per thread, so a
notebook's worker thread silently falls back to the CPU; here a mode holds in all threads. It takes
effect with the next layer that runs: blobs and weights are copied to the device when they are
needed there, and `.data` is always on the host. Random numbers are per thread.
"""

import threading

import numpy as np
import torch

from caffe.errors import CaffeError, DeviceError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
CPU = torch.device("cpu")
_gpu = {"enabled": False, "index": 0}
_precision = {"dtype": torch.float32}
_main_seed: dict[str, int] = {}  # "seed": the main thread's, for threads that set none
_own = threading.local()  # of each thread: its seed and {torch.device: torch.Generator}


def set_mode_cpu() -> None:
    """Compute on the CPU (the default)."""
    _gpu["enabled"] = False


def set_mode_gpu() -> None:
    """Compute on the GPU that `set_device` chose (0 by default); raise DeviceError without one.

    PyTorch lets cuDNN round the inputs of float32 convolutions to TF32, with about three decimals.
    Caffe does not, so this is switched off, for the whole process. Where three decimals will do,
    set ``torch.backends.cudnn.allow_tf32 = True`` after this call.
    """
    _check_cuda(_gpu["index"])
    torch.backends.cudnn.allow_tf32 = False
    _gpu["enabled"] = True


def set_device(index: int) -> None:
    """Choose GPU `index` for `set_mode_gpu`; raise DeviceError if it does not exist."""
    try:
        whole = int(index)
    except (OverflowError, TypeError, ValueError):
        raise DeviceError(f"GPU {index!r:.60}: give the number of one, 0 for the first") from None
    _check_cuda(whole)
    _gpu["index"] = whole


def _check_cuda(index):
    """Raise DeviceError if there is no GPU of this index."""
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not 0 <= index < available:
        raise DeviceError(
            f"GPU {index} was requested, but this PyTorch ({torch.__version__}) sees {available} "
            "CUDA device(s): call caffe.set_mode_cpu(), or install a CUDA build of PyTorch"
        )


def set_precision(name: str) -> None:
    """Choose the precision in which values flow between layers. Not part of pycaffe.

    Weights, scores, losses and all that the host sees stay float32. With bfloat16 results agree
    with float32 to about two decimals; it is meant for training.

    Parameters
    ----------
    name : {"float32", "bfloat16"}
        "float32" is the default and what Caffe computes; "bfloat16" is faster on CPUs with AMX.

    Raises
    ------
    DeviceError
        If the name is another one.
    """
    if name not in PRECISIONS:
        raise DeviceError(f"precision {name!r} is not known: use {' or '.join(PRECISIONS)}")
    _precision["dtype"] = PRECISIONS[name]


def device() -> torch.device:
    """Return the device that layers run on now."""
    return torch.device("cuda", _gpu["index"]) if _gpu["enabled"] else CPU


def precision() -> torch.dtype:
    """Return the dtype that layers exchange now."""
    return _precision["dtype"]


def synchronize() -> None:
    """Wait until the device has finished all work queued on it."""
    current = device()
    if current.type == "cuda":
        torch.cuda.synchronize(current)


def set_random_seed(seed: int) -> None:
    """Make this thread's random numbers repeatable from here on.

    This covers fillers, Dropout and DummyData, and the shuffles and crops of the data layers of
    nets built after the call. Each thread has its own random sequence, so nets in two threads do
    not disturb each other. A thread that sets no seed starts from the main thread's.

    Raises
    ------
    CaffeError
        If the seed is no whole number of up to 64 bits.
    """
    try:
        whole = int(seed)
        fits = whole == seed and -(2**63) <= whole < 2**64
    except (OverflowError, TypeError, ValueError):
        fits = False
    if not fits:
        raise CaffeError(f"the random seed {seed!r:.60} is no whole number of up to 64 bits")
    _own.seed, _own.generators = whole, {}
    if threading.current_thread() is threading.main_thread():
        _main_seed["seed"] = whole


def generator(where: torch.device = CPU) -> torch.Generator:
    """Return this thread's generator on device `where`, seeded randomly unless a seed was set."""
    if not hasattr(_own, "generators"):
        _own.seed, _own.generators = _main_seed.get("seed"), {}
    if where not in _own.generators:
        new = torch.Generator(device=where)
        if _own.seed is None:
            new.seed()
        else:
            new.manual_seed(_own.seed)
        _own.generators[where] = new
    return _own.generators[where]


def own_random() -> np.random.Generator:
    """Return a NumPy generator for one data layer, seeded from `generator`.

    With one of its own, a data layer's order does not depend on what other nets draw.
    """
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator())))
