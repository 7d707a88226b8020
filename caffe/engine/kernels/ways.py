"""Which way a convolution runs: by ncnn, by PyTorch, or as a product of matrices."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from caffe.engine.kernels.choice import kernels, ncnn
from caffe.engine.reach import Window, area

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
    def weights(self) -> int:
        """The number of weights."""
        return self.bottom[1] // self.group * self.top[1] * math.prod(self.kernel)


def choose(case: Case, ways: Mapping[str, Callable[[], Any]], bottom: str) -> str:
    """Return the name of the way to take."""
    small = case.weights <= MOST_PACKED
    if ncnn() is not None and small:
        return "ncnn"
    if case.group == 1 and case.weights > 4 * math.prod(case.bottom) and kernels() != "torch":
        return "product"
    return "torch"


__all__ = ["Case", "area", "choose"]
