"""Update rules: from a gradient g, a rate r and a history to what is subtracted from a weight.

Each is a function (solver parameters, g, r, history tensors, t) -> update that changes the history
in place; t counts iterations from 1. HISTORY says how many history tensors a rule keeps per weight.
Source: BVLC Caffe's solvers, whose formulas differ from others' in where the rate and delta stand.
"""


def sgd(p, g, r, h, t):
    """H = r g + momentum h; update h."""
    return h[0].mul_(p.momentum).add_(g, alpha=r)


def nesterov(p, g, r, h, t):
    """H' = r g + momentum h; update (1 + momentum) h' - momentum h (Nesterov, 1983)."""
    old = h[0].clone()
    h[0].mul_(p.momentum).add_(g, alpha=r)
    return (1 + p.momentum) * h[0] - p.momentum * old


def adagrad(p, g, r, h, t):
    """H += g^2; update r g / (sqrt(h) + delta) (Duchi et al., 2011)."""
    h[0].addcmul_(g, g)
    return r * g / (h[0].sqrt() + p.delta)


def rmsprop(p, g, r, h, t):
    """H = d h + (1 - d) g^2, d = rms_decay; update r g / (sqrt(h) + delta) (Tieleman, 2012)."""
    h[0].mul_(p.rms_decay).addcmul_(g, g, value=1 - p.rms_decay)
    return r * g / (h[0].sqrt() + p.delta)


def adadelta(p, g, r, h, t):
    """H = m h + (1 - m) g^2; u = g sqrt((k + delta) / (h + delta)); k = m k + (1 - m) u^2;
    update r u, m = momentum (Zeiler, 2012).
    """
    h[0].mul_(p.momentum).addcmul_(g, g, value=1 - p.momentum)
    u = g * ((h[1] + p.delta) / (h[0] + p.delta)).sqrt()
    h[1].mul_(p.momentum).addcmul_(u, u, value=1 - p.momentum)
    return r * u


def adam(p, g, r, h, t):
    """M = a m + (1 - a) g; v = b v + (1 - b) g^2, a = momentum, b = momentum2;
    update r sqrt(1 - b^t) / (1 - a^t) m / (sqrt(v) + delta) (Kingma and Ba, 2015).
    """
    a, b = p.momentum, p.momentum2
    h[0].mul_(a).add_(g, alpha=1 - a)
    h[1].mul_(b).addcmul_(g, g, value=1 - b)
    return r * (1 - b**t) ** 0.5 / (1 - a**t) * h[0] / (h[1].sqrt() + p.delta)


RULES = {
    "SGD": sgd,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "AdaDelta": adadelta,
    "Adam": adam,
}
HISTORY = {"AdaDelta": 2, "Adam": 2}
