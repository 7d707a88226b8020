"""The learning rate of an iteration, by SolverParameter.lr_policy.

With base_lr b, gamma g, iteration i and s the number of steps passed:

    fixed            b
    step, multistep  b g^s
    exp              b g^i
    inv              b (1 + g i)^-power
    poly             b (1 - i / max_iter)^power
    sigmoid          b / (1 + exp(-g (i - stepsize)))

Source: BVLC Caffe, sgd_solver and caffe.proto.
"""

import math
from collections.abc import Callable, Iterator

from caffe.errors import SolverError
from caffe.proto.caffe_pb2 import SolverParameter


def steps_passed(param: SolverParameter, i: int) -> int:
    """Return how many steps are at or before iteration `i`; 0 for policies without steps.

    Stepvalues are passed in order, at most one per iteration, as in Caffe. Caffe stores the number
    in a snapshot; here it follows from the iteration alone.
    """
    if param.lr_policy == "step":
        return i // max(1, param.stepsize)
    passed, earliest = 0, 0
    for value in param.stepvalue if param.lr_policy == "multistep" else ():
        reached = max(value, earliest)
        if i < reached:
            break
        passed, earliest = passed + 1, reached + 1
    return passed


def _step(p, i):
    if p.stepsize < 1:
        raise SolverError('lr_policy "step" needs stepsize of 1 or more')
    return p.base_lr * p.gamma ** steps_passed(p, i)


POLICIES: dict[str, Callable[[SolverParameter, int], float]] = {
    "fixed": lambda p, i: p.base_lr,
    "step": _step,
    "multistep": lambda p, i: p.base_lr * p.gamma ** steps_passed(p, i),
    "exp": lambda p, i: p.base_lr * p.gamma**i,
    "inv": lambda p, i: p.base_lr * (1 + p.gamma * i) ** -p.power,
    "poly": lambda p, i: p.base_lr * max(0.0, 1 - i / p.max_iter) ** p.power,
    "sigmoid": lambda p, i: p.base_lr / (1 + math.exp(min(700, -p.gamma * (i - p.stepsize)))),
}


LARGEST = 3.4e38  # of float32, in which weights are


def rate(param: SolverParameter, i: int) -> float:
    """Return the learning rate of iteration `i`.

    Raises
    ------
    SolverError
        If the policy is unknown, lacks a parameter, or gives no finite real number.
    """
    policy = param.lr_policy
    if policy not in POLICIES:
        raise SolverError(f"lr_policy {policy!r} is not known: use one of {' '.join(POLICIES)}")
    if policy == "poly" and param.max_iter < 1:
        raise SolverError('lr_policy "poly" needs max_iter of 1 or more')
    try:
        value = POLICIES[policy](param, i)
    except (OverflowError, ZeroDivisionError):
        value = math.inf
    if isinstance(value, complex) or not abs(value) <= LARGEST:  # complex: (-1) ** 0.5
        raise SolverError(
            f"lr_policy {policy!r}: the rate of iteration {i} is not a finite number: check "
            f"base_lr {param.base_lr:g}, gamma {param.gamma:g} and power {param.power:g}"
        )
    return value


def check(param: SolverParameter) -> None:
    """Raise SolverError if some iteration before max_iter has no rate, see `rate`."""
    for i in _extremes(param):
        rate(param, i)


def _extremes(p: SolverParameter) -> Iterator[int]:
    """Yield the iterations at which a policy leaves the real numbers, if it ever does."""
    last = max(0, p.max_iter - 1)
    yield 0
    if p.lr_policy == "inv" and p.gamma < 0:  # 1 + gamma i is 0 here, or below 0 from the next on
        zero = math.floor(min(-1 / p.gamma, last))
        yield from (zero, min(zero + 1, last))
    yield last
