"""Units: one ncnn layer each, which takes an Image and returns one.

A unit is a small `ncnn.Net`, because a net lays its weights out once and accepts images of any
size. Padding is a unit of its own, so that all plans of a net share the weights of a convolution
whatever surrounds their windows. Results stay in ncnn's packed order from unit to unit.

The memory of images and of working space comes from two pools for the process, which keep what is
given back for the next call. They are never destroyed: an image may outlive everything else.
"""

import ctypes
import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from caffe.engine.kernels.choice import ncnn
from caffe.engine.kernels.images import Image
from caffe.errors import CaffeError

# Half precision and eight-bit integers, which ncnn uses by default where a machine has them.
REDUCED = (
    "use_fp16_packed",
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_bf16_packed",
    "use_bf16_storage",
    "use_int8_inference",
)
MAGIC = 7767517
FLOAT32 = np.zeros(1, np.uint32)  # the tag before weights that are not compressed


class Unit:
    """One layer of ncnn.

    Parameters
    ----------
    name : str
        The name of our layer, for messages.
    kind : str
        ncnn's name of the layer type.
    settings : dict of int to number
        Its parameters by ncnn's numbers.
    weights : sequence of numpy.ndarray
        What it reads from ncnn's weights file, in order; not needed later.

    Raises
    ------
    CaffeError
        If ncnn refuses the layer.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        settings: Mapping[int, float],
        weights: Sequence[np.ndarray] = (),
        options: dict[str, bool] | None = None,
    ):
        self._name, self._net = name, ncnn().Net()
        option = self._net.opt
        option.num_threads = threads()
        option.blob_allocator, option.workspace_allocator = _pools()
        for field in REDUCED:
            if hasattr(option, field):
                setattr(option, field, False)
        for field, value in (options or {}).items():
            setattr(option, field, value)
        values = " ".join(f"{k}={v}" for k, v in settings.items())
        text = f"{MAGIC}\n2 2\nInput x 0 1 x\n{kind} y 1 1 x y {values}\n"
        self._check(self._net.load_param_mem(text))
        self._check(self._net.load_model(_reader()(weights)))

    def __call__(self, image: Image) -> Image:
        """Run the layer; raise CaffeError if ncnn fails."""
        extractor = self._net.create_extractor()
        self._check(extractor.input("x", image.mat))
        status, mat = extractor.extract("y", 1)  # 1: as it is, packed
        self._check(status)
        if mat.empty():
            self._check(-100)
        return Image(mat)

    def _check(self, status):
        if status:
            raise CaffeError(
                f"layer {self._name!r}: ncnn fails with status {status}"
                f"{' (no memory)' if status == -100 else ''}: caffe.set_kernels('torch') runs it "
                "by PyTorch"
            )


def threads() -> int:
    """Return the number of threads that new units use, which is PyTorch's."""
    return torch.get_num_threads()


def convolution(
    name: str,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    group: int,
    relu: bool,
) -> Unit:
    """Return the unit of a convolution without padding.

    Parameters
    ----------
    name : str
    weight : torch.Tensor
        Outputs x inputs / group x height x width.
    bias : torch.Tensor or None
    stride, dilation : tuple of int
        For rows and columns.
    group : int
    relu : bool
        Whether negative results become 0.
    """
    outputs, _, height, width = weight.shape
    settings = {0: outputs, 1: width, 11: height, 2: dilation[1], 12: dilation[0]}
    settings |= {3: stride[1], 13: stride[0], 5: int(bias is not None), 6: weight.numel()}
    settings |= {9: int(relu)} | ({7: group} if group > 1 else {})
    arrays = [FLOAT32, _array(weight)] + ([_array(bias)] if bias is not None else [])
    return Unit(name, "ConvolutionDepthWise" if group > 1 else "Convolution", settings, arrays)


def border(name: str, edges: tuple[int, int, int, int], value: torch.Tensor | None) -> Unit:
    """Return the unit that surrounds an image with one value per channel.

    Parameters
    ----------
    name : str
    edges : (int, int, int, int)
        Rows above and below, columns left and right.
    value : torch.Tensor or None
        One per channel; None for zeros.
    """
    settings: dict[int, float] = dict(enumerate(edges)) | {4: 0, 5: 0.0}
    arrays = []
    if value is not None:
        settings[6], arrays = len(value), [_array(value)]
    return Unit(name, "Padding", settings, arrays)


def max_pooling(name: str, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Unit:
    """Return the unit of a maximum over windows, the last of which may exceed the image."""
    settings = {0: 0, 1: kernel[1], 11: kernel[0], 2: stride[1], 12: stride[0], 5: 0}
    return Unit(name, "Pooling", settings)


def _array(tensor):
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)


@functools.cache
def _pools() -> tuple[Any, Any]:
    """Return the pools of images and of working space; both are there until the process ends."""
    pools = ncnn().PoolAllocator(), ncnn().PoolAllocator()
    pools[0].set_size_compare_ratio(0.25)  # of a block a quarter or more is used
    pools[1].set_size_compare_ratio(0)  # working space is given back soon
    for pool in pools:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(pool))
    return pools


def give_back() -> None:
    """Give memory that is kept for later, and nothing uses now, back to the system."""
    if ncnn() is not None:
        for pool in _pools():
            pool.clear()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:  # glibc; planning has allocated and freed much
        trim(0)


@functools.cache
def _reader() -> type:
    """Return the class that hands arrays to ncnn as if they were a weights file."""
    pointer, name = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_GetName
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]

    class Reader(ncnn().DataReader):  # type: ignore[misc]  # the module has no types
        def __init__(self, arrays):
            super().__init__()
            self._arrays = list(arrays)

        def scan(self, form, place):
            return 0

        def read(self, place, size):
            """Copy the next array; ncnn asks for one at a time."""
            if not self._arrays or self._arrays[0].nbytes != size:
                return 0  # ncnn takes it for the end of the file, and fails
            array = self._arrays.pop(0)
            ctypes.memmove(pointer(place, name(place)), array.ctypes.data, size)
            return size

    return Reader
