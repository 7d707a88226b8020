"""A convolution as one product of matrices: pixels x patches times patches x outputs.

This is the fast way where there are many weights for few pixels, as in VGG's fc6 and fc7, and for
kernels of 1 x 1. The weights are read where they are: any other order would be a second copy, of
411 MB for fc6.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from caffe.layer_types.base import Geometry

# oneDNN's product, which uses all of AVX-512 where MKL, on an AMD, does not: twice as fast there.
# PyTorch's compiler uses this operator; if it is missing, the documented product serves.
_linear = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if hasattr(torch.ops, "mkldnn") else None
)


def patches(x: torch.Tensor, g: Geometry) -> torch.Tensor:
    """Return what each output pixel reads, N rows columns x (channels kernel), in C order.

    Parameters
    ----------
    x : torch.Tensor
        N x C x H x W.
    g : Geometry
        Of the convolution, which has no dilation.
    """
    if any(g.pad):
        x = F.pad(x, (g.pad[1], g.pad[1], g.pad[0], g.pad[0]))
    windows = x.unfold(2, g.kernel[0], g.stride[0]).unfold(3, g.kernel[1], g.stride[1])
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * g.kernel[0] * g.kernel[1])


def convolve(
    x: torch.Tensor, params: Sequence[torch.Tensor], g: Geometry, relu: bool
) -> torch.Tensor:
    """Return the convolution of `x`, channels-last, and its ReLU if `relu`.

    Parameters
    ----------
    x : torch.Tensor
    params : sequence of torch.Tensor
        The weight, outputs x channels x height x width, and the bias if there is one.
    g : Geometry
    relu : bool
    """
    weight = params[0].reshape(len(params[0]), -1)
    bias = params[1] if len(params) > 1 else None
    with torch.no_grad():
        top = linear(patches(x, g), weight, bias, relu)
    n, outputs, height, width = g.tops[0]
    return top.view(n, height, width, outputs).permute(0, 3, 1, 2)


def linear(
    rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, relu: bool = False
) -> torch.Tensor:
    """Return rows times the transposed weight, plus the bias, and the ReLU of that if `relu`."""
    with torch.no_grad():
        if _linear is not None and torch.backends.mkldnn.is_available():
            return _linear(rows, weight, bias, "relu" if relu else "none", [], "")
        top = F.linear(rows, weight, bias)
        return top.relu_() if relu else top
