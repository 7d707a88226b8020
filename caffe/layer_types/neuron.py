"""Layers that treat each element alone; top and bottom have one shape, and may be one blob."""
import torch

from ..device import generator
from ..proto import caffe_pb2
from .base import Geometry, LayerType, register


class Neuron(LayerType):
    """Elementwise: subclasses give `f`."""
    in_place = True

    def geometry(self, shapes):
        """The top has the bottom's shape."""
        return Geometry((shapes[0],))

    def forward(self, geometry, bottoms, params):
        """f of the one bottom."""
        return (self.f(bottoms[0]),)


@register('ReLU')
class ReLU(Neuron):
    """y = max(0, x) + negative_slope min(0, x). Source: BVLC Caffe, relu_layer."""
    any_order = True

    def f(self, x):
        """See the class."""
        slope = self.spec.relu_param.negative_slope
        return torch.nn.functional.leaky_relu(x, slope) if slope else torch.relu(x)


@register('Dropout')
class Dropout(Neuron):
    """y = x m / (1 - dropout_ratio) at TRAIN time, where m is 0 with probability dropout_ratio,
    else 1, drawn for each element; y = x at TEST time.
    Sources: BVLC Caffe, dropout_layer; Srivastava et al., 2014."""

    def check_counts(self):
        super().check_counts()
        ratio = self.spec.dropout_param.dropout_ratio
        if not 0 <= ratio < 1:
            raise self.error('dropout_ratio is %g, must be in [0, 1)' % ratio)

    def f(self, x):
        """See the class."""
        ratio = self.spec.dropout_param.dropout_ratio
        if self.phase == caffe_pb2.TEST:
            return x
        keep = torch.empty_like(x, memory_format=torch.preserve_format)
        keep.bernoulli_(1 - ratio, generator=generator(x.device))
        return x * keep / (1 - ratio)


@register('Power')
class Power(Neuron):
    """y = (shift + scale x) ^ power. Source: BVLC Caffe, power_layer."""

    def f(self, x):
        """See the class."""
        p = self.spec.power_param
        inner = p.shift + p.scale * x
        return inner if p.power == 1 else inner ** p.power
