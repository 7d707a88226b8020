"""Activations: functions of each element alone; the top has the bottom's shape and may be it.

Dropout, which multiplies each element by random noise, and PReLU, the one activation with weights,
are here as well. At a kink the gradient is the one Caffe defines.
"""

import abc
import math

import torch

from caffe.blobs.device import generator
from caffe.blobs.fillers import constant
from caffe.layer_types.base import Geometry, LayerType, ParamShapes, Shapes, Tensors, Tops, register
from caffe.proto import caffe_pb2


class Activation(LayerType):
    """Base class of the functions y = f(x) of each element; subclasses define `f`."""

    in_place = True

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape."""
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return f of the bottom."""
        return (self.f(bottoms[0]),)

    @abc.abstractmethod
    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the function's value for each element of `x`."""


@register("ReLU")
class ReLU(Activation):
    """y = max(0, x) + negative_slope min(0, x).

    Source: BVLC Caffe, relu_layer.
    """

    any_order = True

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` with its negative values set to 0, or multiplied by negative_slope."""
        slope = self.spec.relu_param.negative_slope
        return torch.nn.functional.leaky_relu(x, slope) if slope else torch.relu(x)


@register("PReLU")
class PReLU(LayerType):
    """y = max(0, x) + a min(0, x), a learned per channel (axis 1).

    With channel_shared there is a single a for all channels.
    Sources: BVLC Caffe, prelu_layer; He et al., 2015.
    """

    in_place = True

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the shape of a; without a filler it starts at 0.25."""
        p = self.spec.prelu_param
        filler = p.filler if p.HasField("filler") else constant(0.25)
        return [(() if p.channel_shared else (shapes[0][1],), filler)]

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the bottom's shape; raise ShapeMismatch if it has no channel axis."""
        if len(shapes[0]) < 2:
            raise self.mismatch(f"needs a channel axis 1, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Return the bottom with its negative values multiplied by a."""
        x, slope = bottoms[0], params[0].to(bottoms[0].dtype)
        slope = slope.reshape((1, -1) + (1,) * (x.dim() - 2))
        return (torch.where(x > 0, x, slope * x),)


@register("ELU")
class ELU(Activation):
    """y = x if x > 0, else alpha (exp(x) - 1).

    Sources: BVLC Caffe, elu_layer; Clevert et al., 2015.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the exponential linear unit of `x`."""
        return torch.where(x > 0, x, self.spec.elu_param.alpha * torch.expm1(x.clamp(max=0)))


@register("BNLL")
class BNLL(Activation):
    """y = log(1 + exp(x)).

    Source: BVLC Caffe, bnll_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the softplus of `x`, without overflow for large x."""
        return torch.logaddexp(x, torch.zeros_like(x))


@register("Swish")
class Swish(Activation):
    """y = x / (1 + exp(-beta x)).

    Sources: BVLC Caffe, swish_layer; Ramachandran et al., 2017.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` times the sigmoid of beta x."""
        return x * torch.sigmoid(self.spec.swish_param.beta * x)


@register("Sigmoid")
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)).

    Source: BVLC Caffe, sigmoid_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logistic function of `x`."""
        return torch.sigmoid(x)


@register("TanH")
class TanH(Activation):
    """y = tanh x.

    Source: BVLC Caffe, tanh_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the hyperbolic tangent of `x`."""
        return torch.tanh(x)


@register("AbsVal")
class AbsVal(Activation):
    """y = |x|; the gradient at 0 is 0.

    Source: BVLC Caffe, absval_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the absolute values of `x`."""
        return x.abs()


@register("Power")
class Power(Activation):
    """y = (shift + scale x) ^ power.

    Source: BVLC Caffe, power_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the power of the shifted and scaled `x`."""
        p = self.spec.power_param
        inner = p.shift + p.scale * x
        return inner if p.power == 1 else inner**p.power


@register("Exp")
class Exp(Activation):
    """y = base ^ (shift + scale x); base -1 stands for e.

    Source: BVLC Caffe, exp_layer.
    """

    def check_spec(self) -> None:
        """Raise LayerError if the base has no logarithm."""
        super().check_spec()
        _log_of_base(self, self.spec.exp_param.base)

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the exponential of the shifted and scaled `x`."""
        p = self.spec.exp_param
        return torch.exp(_log_of_base(self, p.base) * (p.shift + p.scale * x))


@register("Log")
class Log(Activation):
    """y = log(shift + scale x) to `base`; base -1 stands for e.

    Source: BVLC Caffe, log_layer.
    """

    def check_spec(self) -> None:
        """Raise LayerError if there are no logarithms to the base."""
        super().check_spec()
        if not _log_of_base(self, self.spec.log_param.base):
            raise self.error("base is 1, to which there are no logarithms")

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of the shifted and scaled `x`."""
        p = self.spec.log_param
        return torch.log(p.shift + p.scale * x) / _log_of_base(self, p.base)


@register("Clip")
class Clip(Activation):
    """y = min(max(x, `min`), `max`).

    The gradient is 1 from min to max, both inclusive, else 0.
    Source: BVLC Caffe, clip_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` clipped to [min, max]."""
        return x.clamp(self.spec.clip_param.min, self.spec.clip_param.max)


@register("Threshold")
class Threshold(Activation):
    """y = 1 if x > threshold, else 0; no gradient.

    Source: BVLC Caffe, threshold_layer.
    """

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return 1 for each element of `x` above the threshold, else 0."""
        return (x > self.spec.threshold_param.threshold).to(x.dtype)

    def takes_gradient(self, i: int) -> bool:
        """Return False: a step function has no useful gradient."""
        return False


@register("Dropout")
class Dropout(Activation):
    """y = x m / (1 - dropout_ratio) in TRAIN, y = x in TEST.

    The mask m is drawn for each element: 0 with probability dropout_ratio, else 1.
    Sources: BVLC Caffe, dropout_layer; Srivastava et al., 2014.
    """

    def check_spec(self) -> None:
        """Raise LayerError if dropout_ratio is not in [0, 1)."""
        super().check_spec()
        ratio = self.spec.dropout_param.dropout_ratio
        if not 0 <= ratio < 1:
            raise self.error(f"dropout_ratio is {ratio:g}, must be in [0, 1)")

    def f(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` times a random mask in TRAIN, `x` itself in TEST."""
        ratio = self.spec.dropout_param.dropout_ratio
        if self.phase == caffe_pb2.TEST:
            return x
        mask = torch.empty_like(x, memory_format=torch.preserve_format)
        mask.bernoulli_(1 - ratio, generator=generator(x.device))
        return x * mask / (1 - ratio)


def _log_of_base(layer, base):
    """Return the natural logarithm of `base`; raise LayerError if there is none."""
    if base == -1:
        return 1.0
    if base <= 0:
        raise layer.error(f"base is {base:g}, must be above 0, or -1 for e")
    return math.log(base)
