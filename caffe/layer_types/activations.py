"""Smooth and clipped functions of each element alone, with no weights.

Where a function has a kink its gradient there is Caffe's.
"""
import math

import torch

from .base import register
from .neuron import Neuron


@register('Sigmoid')
class Sigmoid(Neuron):
    """y = 1 / (1 + exp(-x)). Source: BVLC Caffe, sigmoid_layer."""

    def f(self, x):
        """See the class."""
        return torch.sigmoid(x)


@register('TanH')
class TanH(Neuron):
    """y = tanh x. Source: BVLC Caffe, tanh_layer."""

    def f(self, x):
        """See the class."""
        return torch.tanh(x)


@register('AbsVal')
class AbsVal(Neuron):
    """y = |x|; the gradient at 0 is 0. Source: BVLC Caffe, absval_layer."""

    def f(self, x):
        """See the class."""
        return x.abs()


@register('BNLL')
class BNLL(Neuron):
    """y = log(1 + exp(x)). Source: BVLC Caffe, bnll_layer."""

    def f(self, x):
        """See the class."""
        return torch.logaddexp(x, torch.zeros_like(x))


@register('ELU')
class ELU(Neuron):
    """y = x where x > 0, else alpha (exp(x) - 1).
    Sources: BVLC Caffe, elu_layer; Clevert et al., 2015."""

    def f(self, x):
        """See the class."""
        return torch.where(x > 0, x, self.spec.elu_param.alpha * torch.expm1(x.clamp(max=0)))


@register('Swish')
class Swish(Neuron):
    """y = x / (1 + exp(-beta x)). Sources: BVLC Caffe, swish_layer; Ramachandran et al., 2017."""

    def f(self, x):
        """See the class."""
        return x * torch.sigmoid(self.spec.swish_param.beta * x)


@register('Exp')
class Exp(Neuron):
    """y = base ^ (shift + scale x); base -1 stands for e. Source: BVLC Caffe, exp_layer."""

    def check_counts(self):
        super().check_counts()
        _log_of_base(self, self.spec.exp_param.base)

    def f(self, x):
        """See the class."""
        p = self.spec.exp_param
        return torch.exp(_log_of_base(self, p.base) * (p.shift + p.scale * x))


@register('Log')
class Log(Neuron):
    """y = log(shift + scale x) to `base`; base -1 stands for e. Source: BVLC Caffe, log_layer."""

    def check_counts(self):
        super().check_counts()
        if not _log_of_base(self, self.spec.log_param.base):
            raise self.error('base is 1, to which there are no logarithms')

    def f(self, x):
        """See the class."""
        p = self.spec.log_param
        return torch.log(p.shift + p.scale * x) / _log_of_base(self, p.base)


@register('Clip')
class Clip(Neuron):
    """y = min(max(x, `min`), `max`); the gradient is 1 from min to max, both included, else 0.
    Source: BVLC Caffe, clip_layer."""

    def f(self, x):
        """See the class."""
        return x.clamp(self.spec.clip_param.min, self.spec.clip_param.max)


@register('Threshold')
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
        return 1.
    if base <= 0:
        raise layer.error('base is %g, must be above 0, or -1 for e' % base)
    return math.log(base)
