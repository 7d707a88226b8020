"""The learning rate of an iteration, by SolverParameter.lr_policy.

With base b, gamma g, iteration i and steps passed s:
    fixed b;  step, multistep b g^s;  exp b g^i;  inv b (1 + g i)^-power;
    poly b (1 - i / max_iter)^power;  sigmoid b / (1 + exp(-g (i - stepsize)))
Source: BVLC Caffe, sgd_solver and caffe.proto.
"""

import math

from caffe.errors import SolverError


def _step(p, i):
    if p.stepsize < 1:
        raise SolverError('lr_policy "step" needs stepsize of 1 or more')
    return p.base_lr * p.gamma ** (i // p.stepsize)


POLICIES = {
    "fixed": lambda p, i: p.base_lr,
    "step": _step,
    "multistep": lambda p, i: p.base_lr * p.gamma ** steps_passed(p, i),
    "exp": lambda p, i: p.base_lr * p.gamma**i,
    "inv": lambda p, i: p.base_lr * (1 + p.gamma * i) ** -p.power,
    "poly": lambda p, i: p.base_lr * max(0.0, 1 - i / p.max_iter) ** p.power,
    "sigmoid": lambda p, i: p.base_lr / (1 + math.exp(min(700, -p.gamma * (i - p.stepsize)))),
}


def steps_passed(p, i):
    """How many steps lie at or before iteration i; 0 for policies without steps.

    Stepvalues are passed in their order, one an iteration at most, as in Caffe. Caffe keeps the
    number in a snapshot; here it follows from the iteration alone.
    """
    if p.lr_policy == "step":
        return i // max(1, p.stepsize)
    passed, earliest = 0, 0
    for value in p.stepvalue if p.lr_policy == "multistep" else ():
        at = max(value, earliest)
        if i < at:
            break
        passed, earliest = passed + 1, at + 1
    return passed


def rate(p, i):
    """The learning rate of iteration i under SolverParameter p; SolverError where it has none."""
    if p.lr_policy not in POLICIES:
        raise SolverError(
            "lr_policy {!r} is not known: use one of {}".format(p.lr_policy, " ".join(POLICIES))
        )
    if p.lr_policy == "poly" and p.max_iter < 1:
        raise SolverError('lr_policy "poly" needs max_iter of 1 or more')
    try:
        return POLICIES[p.lr_policy](p, i)
    except (OverflowError, ZeroDivisionError):
        raise SolverError(
            "lr_policy %r: the rate of iteration %d is no finite number: check gamma "
            "and power" % (p.lr_policy, i)
        ) from None
