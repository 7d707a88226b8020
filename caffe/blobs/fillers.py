"""Initial values of learned blobs: the `weight_filler` and `bias_filler` of a prototxt.

fan_in = count / shape[0] and fan_out = count / shape[1]; n is one of them or their mean, as
`variance_norm` says.
Source: BVLC Caffe, filler.hpp; xavier: Glorot and Bengio, 2010; msra: He et al., 2015.
"""

import math
from collections.abc import Sequence

import torch

from caffe.blobs.device import generator
from caffe.errors import LayerError
from caffe.proto import caffe_pb2

F = caffe_pb2.FillerParameter


def fill(filler: caffe_pb2.FillerParameter, shape: Sequence[int], layer: str) -> torch.Tensor:
    """Return a new float32 tensor, filled as a FillerParameter says.

    Parameters
    ----------
    filler : FillerParameter
    shape : sequence of int
    layer : str
        Name of the layer, for messages.

    Returns
    -------
    torch.Tensor
        On the CPU; random values are drawn from `caffe.blobs.device.generator`.

    Raises
    ------
    LayerError
        If the filler is unknown or does not fit the shape, or if memory is short.
    """
    make = FILLERS.get(filler.type)
    if make is None:
        raise LayerError(
            f"layer {layer!r}: unknown filler type {filler.type!r}: use one of "
            f"{' '.join(sorted(FILLERS))}"
        )
    if filler.sparse != -1 and filler.type != "gaussian":
        raise LayerError(
            f"layer {layer!r}: filler {filler.type!r}: sparse is for gaussian, remove it"
        )
    try:
        return make(filler, tuple(shape))
    except (ValueError, RuntimeError) as e:  # RuntimeError: torch's, if memory is short
        raise LayerError(f"layer {layer!r}: filler {filler.type!r}: {e}") from None


def constant(value: float) -> caffe_pb2.FillerParameter:
    """Return the FillerParameter of a constant."""
    return caffe_pb2.FillerParameter(type="constant", value=value)


def _constant(f, shape):
    """Return `value` everywhere."""
    return torch.full(shape, f.value)


def _uniform(f, shape):
    """Draw uniformly from [min, max]."""
    if f.min > f.max:
        raise ValueError(f"min {f.min:g} is above max {f.max:g}")
    return _between(f.min, f.max, shape)


def _gaussian(f, shape):
    """Draw from a normal distribution; keep values with probability sparse / shape[0], if given."""
    values = _normal(f.mean, f.std, shape)
    if f.sparse >= 0 and shape:
        keep = torch.empty(shape).bernoulli_(min(1, f.sparse / shape[0]), generator=generator())
        values *= keep
    return values


def _positive_unitball(f, shape):
    """Draw uniformly from [0, 1], then scale each row to the sum 1."""
    values = _between(0, 1, shape)
    return values / values.reshape(shape[0], -1).sum(1).reshape((-1,) + (1,) * (len(shape) - 1))


def _xavier(f, shape):
    """Draw uniformly from +- sqrt(3 / n)."""
    scale = math.sqrt(3 / _fan(f, shape))
    return _between(-scale, scale, shape)


def _msra(f, shape):
    """Draw from a normal distribution of standard deviation sqrt(2 / n)."""
    return _normal(0, math.sqrt(2 / _fan(f, shape)), shape)


def _bilinear(f, shape):
    """Return the interpolation kernel that upsamples by s: kernel k = 2 s - s % 2, stride s.

    w[y, x] = (1 - |y / h - c|) (1 - |x / h - c|), h = ceil(k / 2), c = (2 h - 1 - h % 2) / (2 h).
    """
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ValueError(f"is for square kernels N x C x k x k, this blob is {shape}")
    half = (shape[3] + 1) // 2
    centre = (2 * half - 1 - half % 2) / (2 * half)
    line = 1 - (torch.arange(shape[3], dtype=torch.float64) / half - centre).abs()
    return torch.outer(line, line).float().expand(shape).clone()


def _fan(f, shape):
    """Return n, at least 1."""
    count = math.prod(shape)
    fan_in = count / shape[0] if shape else 1
    fan_out = count / shape[1] if len(shape) > 1 else count
    fans = {F.FAN_IN: fan_in, F.FAN_OUT: fan_out, F.AVERAGE: (fan_in + fan_out) / 2}
    return max(1, fans[f.variance_norm])


def _between(low, high, shape):
    """Draw uniformly from [low, high]."""
    return torch.empty(shape).uniform_(low, high, generator=generator())


def _normal(mean, std, shape):
    """Draw from a normal distribution."""
    return torch.empty(shape).normal_(mean, std, generator=generator())


FILLERS = {
    "constant": _constant,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "xavier": _xavier,
    "positive_unitball": _positive_unitball,
    "msra": _msra,
    "bilinear": _bilinear,
}
