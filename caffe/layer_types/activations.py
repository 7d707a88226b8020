"""Smooth and clipped functions of each element alone, with no weights.

Source: BVLC Caffe's layer of the same name; ELU: Clevert et al., 2015; Swish: Ramachandran et al.,
2017. Where a function has a kink its gradient there is Caffe's.
"""
import math

import torch

from .base import register
from .neuron import Neuron


@register('Sigmoid')
class Sigmoid(Neuron):
    """1 / (1 + exp(-x))."""

    def f(self, x):
        """See the class."""
        return torch.sigmoid(x)


@register('TanH')
class TanH(Neuron):
    """tanh x."""

    def f(self, x):
        """See the class."""
        return torch.tanh(x)


@register('AbsVal')
class AbsVal(Neuron):
    """|x|; the gradient at 0 is 0."""

    def f(self, x):
        """See the class."""
        return x.abs()


@register('BNLL')
class BNLL(Neuron):
    """log(1 + exp(x))."""

    def f(self, x):
        """See the class."""
        return torch.logaddexp(x, torch.zeros_like(x))


@register('ELU')
class ELU(Neuron):
    """x where x > 0, else alpha (exp(x) - 1)."""

    def f(self, x):
        """See the class."""
        return torch.where(x > 0, x, self.spec.elu_param.alpha * torch.expm1(x.clamp(max=0)))


@register('Swish')
class Swish(Neuron):
    """x / (1 + exp(-beta x))."""

    def f(self, x):
        """See the class."""
        return x * torch.sigmoid(self.spec.swish_param.beta * x)


@register('Exp')
class Exp(Neuron):
    """base ^ (shift + scale x); base -1 stands for e."""

    def check_counts(self):
        super().check_counts()
        _log_of_base(self, self.spec.exp_param.base)

    def f(self, x):
        """See the class."""
        p = self.spec.exp_param
        return torch.exp(_log_of_base(self, p.base) * (p.shift + p.scale * x))


@register('Log')
class Log(Neuron):
    """Logarithm of shift + scale x to `base`; base -1 stands for e."""

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
    """x, but at least `min` and at most `max`."""

    def f(self, x):
        """See the class."""
        return x.clamp(self.spec.clip_param.min, self.spec.clip_param.max)


@register('Threshold')
class Threshold(Neuron):
    """1 where x > threshold, else 0; no gradient."""

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
