"""Update rules: from the gradient of a weight to what is subtracted from it.

Each rule is a function (param, g, r, h, t) -> update of the SolverParameter, the gradient tensor,
the learning rate, the list of history tensors, which it updates in place, and the iteration,
counted from 1. In the formulas h' is a history tensor after the update. HISTORY says how many
history tensors a rule keeps per weight, if not one, and SQUARES which of them hold squares, and so
are never negative.

Source: BVLC Caffe's solvers, whose formulas differ from others in where the rate and delta occur.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from caffe.proto.caffe_pb2 import SolverParameter

Rule = Callable[[SolverParameter, Tensor, float, Sequence[Tensor], int], Tensor]


def sgd(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute h' = r g + momentum h; update h'."""
    return h[0].mul_(param.momentum).add_(g, alpha=r)


def nesterov(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute h' = r g + momentum h; update (1 + momentum) h' - momentum h (Nesterov, 1983)."""
    old = h[0].clone()
    h[0].mul_(param.momentum).add_(g, alpha=r)
    return (1 + param.momentum) * h[0] - param.momentum * old


def adagrad(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute h' = h + g^2; update r g / (sqrt(h') + delta) (Duchi et al., 2011)."""
    h[0].addcmul_(g, g)
    return r * g / (h[0].sqrt() + param.delta)


def rmsprop(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute h' = d h + (1 - d) g^2; update r g / (sqrt(h') + delta) (Tieleman, 2012).

    d is rms_decay.
    """
    h[0].mul_(param.rms_decay).addcmul_(g, g, value=1 - param.rms_decay)
    return r * g / (h[0].sqrt() + param.delta)


def adadelta(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute h' = m h + (1 - m) g^2, u = g sqrt((k + delta) / (h' + delta)); update r u.

    Then k' = m k + (1 - m) u^2. h and k are the two history tensors, m is the momentum (Zeiler,
    2012).
    """
    m = param.momentum
    h[0].mul_(m).addcmul_(g, g, value=1 - m)
    u = g * ((h[1] + param.delta) / (h[0] + param.delta)).sqrt()
    h[1].mul_(m).addcmul_(u, u, value=1 - m)
    return r * u


def adam(param: SolverParameter, g: Tensor, r: float, h: Sequence[Tensor], t: int) -> Tensor:
    """Compute m' = a m + (1 - a) g, v' = b v + (1 - b) g^2; update from m' and v'.

    The update is r sqrt(1 - b^t) / (1 - a^t) m' / (sqrt(v') + delta). m and v are the two history
    tensors, a is momentum, b is momentum2 (Kingma and Ba, 2015).
    """
    a, b = param.momentum, param.momentum2
    h[0].mul_(a).add_(g, alpha=1 - a)
    h[1].mul_(b).addcmul_(g, g, value=1 - b)
    return r * (1 - b**t) ** 0.5 / (1 - a**t) * h[0] / (h[1].sqrt() + param.delta)


RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "AdaDelta": adadelta,
    "Adam": adam,
}
HISTORY = {"AdaDelta": 2, "Adam": 2}
SQUARES = {"AdaGrad": (0,), "RMSProp": (0,), "AdaDelta": (0, 1), "Adam": (1,)}
