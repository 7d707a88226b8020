"""Layers that treat each element alone; top and bottom have one shape, and may be one blob.

Smooth and clipped functions of each element alone, with no weights.

Where a function has a kink its gradient there is Caffe's.
"""

import math

import torch

from caffe.blobs.device import generator
from caffe.blobs.fillers import constant
from caffe.layer_types.base import Geometry, LayerType, register
from caffe.proto import caffe_pb2


class Neuron(LayerType):
    """Elementwise: subclasses give `f`."""

    in_place = True

    def geometry(self, shapes):
        """The top has the bottom's shape."""
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """F of the one bottom."""
        return (self.f(bottoms[0]),)


@register("ReLU")
class ReLU(Neuron):
    """y = max(0, x) + negative_slope min(0, x). Source: BVLC Caffe, relu_layer."""

    any_order = True

    def f(self, x):
        """See the class."""
        slope = self.spec.relu_param.negative_slope
        return torch.nn.functional.leaky_relu(x, slope) if slope else torch.relu(x)


@register("Dropout")
class Dropout(Neuron):
    """y = x m / (1 - dropout_ratio) at TRAIN time, where m is 0 with probability dropout_ratio,
    else 1, drawn for each element; y = x at TEST time.
    Sources: BVLC Caffe, dropout_layer; Srivastava et al., 2014.
    """

    def check_counts(self):
        super().check_counts()
        ratio = self.spec.dropout_param.dropout_ratio
        if not 0 <= ratio < 1:
            raise self.error(f"dropout_ratio is {ratio:g}, must be in [0, 1)")

    def f(self, x):
        """See the class."""
        ratio = self.spec.dropout_param.dropout_ratio
        if self.phase == caffe_pb2.TEST:
            return x
        keep = torch.empty_like(x, memory_format=torch.preserve_format)
        keep.bernoulli_(1 - ratio, generator=generator(x.device))
        return x * keep / (1 - ratio)


@register("Power")
class Power(Neuron):
    """y = (shift + scale x) ^ power. Source: BVLC Caffe, power_layer."""

    def f(self, x):
        """See the class."""
        p = self.spec.power_param
        inner = p.shift + p.scale * x
        return inner if p.power == 1 else inner**p.power


@register("Sigmoid")
class Sigmoid(Neuron):
    """y = 1 / (1 + exp(-x)). Source: BVLC Caffe, sigmoid_layer."""

    def f(self, x):
        """See the class."""
        return torch.sigmoid(x)


@register("TanH")
class TanH(Neuron):
    """y = tanh x. Source: BVLC Caffe, tanh_layer."""

    def f(self, x):
        """See the class."""
        return torch.tanh(x)


@register("AbsVal")
class AbsVal(Neuron):
    """y = |x|; the gradient at 0 is 0. Source: BVLC Caffe, absval_layer."""

    def f(self, x):
        """See the class."""
        return x.abs()


@register("BNLL")
class BNLL(Neuron):
    """y = log(1 + exp(x)). Source: BVLC Caffe, bnll_layer."""

    def f(self, x):
        """See the class."""
        return torch.logaddexp(x, torch.zeros_like(x))


@register("ELU")
class ELU(Neuron):
    """y = x where x > 0, else alpha (exp(x) - 1).
    Sources: BVLC Caffe, elu_layer; Clevert et al., 2015.
    """

    def f(self, x):
        """See the class."""
        return torch.where(x > 0, x, self.spec.elu_param.alpha * torch.expm1(x.clamp(max=0)))


@register("Swish")
class Swish(Neuron):
    """y = x / (1 + exp(-beta x)). Sources: BVLC Caffe, swish_layer; Ramachandran et al., 2017."""

    def f(self, x):
        """See the class."""
        return x * torch.sigmoid(self.spec.swish_param.beta * x)


@register("Exp")
class Exp(Neuron):
    """y = base ^ (shift + scale x); base -1 stands for e. Source: BVLC Caffe, exp_layer."""

    def check_counts(self):
        super().check_counts()
        _log_of_base(self, self.spec.exp_param.base)

    def f(self, x):
        """See the class."""
        p = self.spec.exp_param
        return torch.exp(_log_of_base(self, p.base) * (p.shift + p.scale * x))


@register("Log")
class Log(Neuron):
    """y = log(shift + scale x) to `base`; base -1 stands for e. Source: BVLC Caffe, log_layer."""

    def check_counts(self):
        super().check_counts()
        if not _log_of_base(self, self.spec.log_param.base):
            raise self.error("base is 1, to which there are no logarithms")

    def f(self, x):
        """See the class."""
        p = self.spec.log_param
        return torch.log(p.shift + p.scale * x) / _log_of_base(self, p.base)


@register("Clip")
class Clip(Neuron):
    """y = min(max(x, `min`), `max`); the gradient is 1 from min to max, both included, else 0.
    Source: BVLC Caffe, clip_layer.
    """

    def f(self, x):
        """See the class."""
        return x.clamp(self.spec.clip_param.min, self.spec.clip_param.max)


@register("Threshold")
class Threshold(Neuron):
    """y = 1 where x > threshold, else 0; no gradient. Source: BVLC Caffe, threshold_layer."""

    def f(self, x):
        """See the class."""
        return (x > self.spec.threshold_param.threshold).to(x.dtype)

    def takes_gradient(self, i):
        """Steps have none."""
        return False


def _log_of_base(layer, base):
    if base == -1:
        return 1.0
    if base <= 0:
        raise layer.error(f"base is {base:g}, must be above 0, or -1 for e")
    return math.log(base)


@register("PReLU")
class PReLU(LayerType):
    """y = max(0, x) + a min(0, x), a learned for each channel (axis 1), or one for all with
    channel_shared.
    Sources: BVLC Caffe, prelu_layer; He et al., 2015.
    """

    in_place = True

    def param_shapes(self, shapes):
        """a, 0.25 unless filled otherwise."""
        p = self.spec.prelu_param
        filler = p.filler if p.HasField("filler") else constant(0.25)
        return [(() if p.channel_shared else (shapes[0][1],), filler)]

    def geometry(self, shapes):
        """The bottom's shape."""
        if len(shapes[0]) < 2:
            raise self.mismatch(f"needs a channel axis 1, its bottom has shape {shapes[0]}")
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """See the class."""
        x, slope = bottoms[0], params[0].to(bottoms[0].dtype)
        slope = slope.reshape((1, -1) + (1,) * (x.dim() - 2))
        return (torch.where(x > 0, x, slope * x),)
