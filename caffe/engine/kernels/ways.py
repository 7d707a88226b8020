"""Which way a convolution runs: by ncnn, by PyTorch, or as a product of matrices."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from caffe.engine.kernels.choice import ncnn
from caffe.engine.reach import Window

FEW = 2**10  # pixels up to which a product of matrices is tried first
MOST_PACKED = 2**22  # weights up to which ncnn may hold a copy of them in its own order


@dataclass(frozen=True)
class Case:
    """A convolution at certain shapes."""

    bottom: tuple[int, ...]
    top: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    group: int
    relu: bool
    packed: bool
    window: Window

    @property
    def pixels(self) -> int:
        """The number of pixels of the top."""
        return self.top[0] * math.prod(self.top[2:])

    @property
    def weights(self) -> int:
        """The number of weights."""
        return self.bottom[1] // self.group * self.top[1] * math.prod(self.kernel)


def choose(case: Case, ways: Mapping[str, Callable[[], Any]], bottom: str) -> str:
    """Return the name of the way to take."""
    flat = case.group == 1 and all(d == 1 for d in case.dilation)
    if flat and (case.weights > MOST_PACKED or (not case.packed and case.pixels <= FEW)):
        return "product"
    # ncnn has no fast kernel for groups, and fails on some (status -100)
    packs = ncnn() is not None and case.group == 1 and case.weights <= MOST_PACKED
    return "ncnn" if packs else "torch"
