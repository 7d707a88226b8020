"""Checks of a SolverParameter before training begins: each message names the field.

A number that no training can mean is an error. What Caffe would train with, though hardly anybody
means it, is a warning of the logger "caffe".
"""

import logging
import math
from collections.abc import Iterable

from caffe.blobs.learned import Learned
from caffe.errors import SolverError
from caffe.files import shown
from caffe.proto.caffe_pb2 import SolverParameter
from caffe.training import lr_policy

log = logging.getLogger("caffe")

FIELDS = SolverParameter.DESCRIPTOR.fields
REALS = [field.name for field in FIELDS if field.cpp_type == field.CPPTYPE_FLOAT]
WITHOUT_MOMENTUM = ("AdaGrad", "RMSProp")
WITH_DELTA = ("AdaGrad", "RMSProp", "AdaDelta", "Adam")
# Means of the past: with a share of 1 or more, or of less than 0, the formulas have no value.
SHARES = {"RMSProp": ("rms_decay",), "AdaDelta": ("momentum",), "Adam": ("momentum", "momentum2")}
POLICY_NEEDS = {
    "step": ("gamma",),
    "multistep": ("gamma", "stepvalue"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "poly": ("power",),
    "sigmoid": ("gamma", "stepsize"),
}


def check(param: SolverParameter, kind: str, path: str) -> None:
    """Check the parameters of a solver.

    Parameters
    ----------
    param : SolverParameter
    kind : str
        The type of the solver.
    path : str
        Path of its prototxt, for messages.

    Raises
    ------
    SolverError
        If this solver cannot train with them.
    """
    for problem in _problems(param, kind):
        raise SolverError(f"{path}: {problem}")
    lr_policy.check(param)
    for doubt in _doubts(param, kind):
        log.warning("%s: %s", shown(path), doubt)


def check_multipliers(learned: Iterable[Learned], path: str) -> None:
    """Raise SolverError if a lr_mult or decay_mult of the net is not a finite number."""
    for weight in learned:
        for field in ("lr_mult", "decay_mult"):
            value = getattr(weight, field)
            if not math.isfinite(value):
                raise SolverError(
                    f"{path}: layer {weight.owner!r} of the net to train has {field} {value}: "
                    "give a finite number"
                )


def _problems(p, kind):
    """Yield what is wrong."""
    for field in REALS:
        if not math.isfinite(getattr(p, field)):
            yield f"{field} is {getattr(p, field)}: give a finite number"
    for field in ("iter_size", "average_loss"):
        if getattr(p, field) < 1:
            yield f"{field} is {getattr(p, field)}, must be 1 or more"
    for field in ("max_iter", "display", "snapshot", "test_interval"):
        if getattr(p, field) < 0:
            yield f"{field} is {getattr(p, field)}, must be 0 or more"
    for n in p.test_iter:
        if n < 0:
            yield f"test_iter is {n}, must be 0 or more"
    if p.momentum and kind in WITHOUT_MOMENTUM:
        yield f"{kind} has no momentum: remove it"
    for field in SHARES.get(kind, ()):
        if not 0 <= getattr(p, field) < 1:
            yield f"{field} is {getattr(p, field):g}, must be in [0, 1) for {kind}"
    if kind in WITH_DELTA and p.delta < 0:
        yield f"delta is {p.delta:g}, must be 0 or more for {kind}"
    if p.regularization_type not in ("L1", "L2"):
        yield f"regularization_type {p.regularization_type!r} is not known: use L1 or L2"


def _doubts(p, kind):
    """Yield what Caffe would go on with."""
    if not p.HasField("base_lr"):
        yield "base_lr is missing, so it is 0 and the weights do not change"
    if p.base_lr < 0:
        yield f"base_lr is {p.base_lr:g}: a negative rate makes the loss larger"
    if p.weight_decay < 0:
        yield f"weight_decay is {p.weight_decay:g}: below 0 it makes the weights grow"
    if kind in ("SGD", "Nesterov") and not 0 <= p.momentum < 1:
        yield f"momentum is {p.momentum:g}: outside of [0, 1) the updates grow without bound"
    if p.clip_gradients == 0:
        yield "clip_gradients is 0, which makes all gradients 0: leave it out not to clip"
    for field in POLICY_NEEDS.get(p.lr_policy, ()):
        if not (p.stepvalue if field == "stepvalue" else p.HasField(field)):
            yield f'lr_policy "{p.lr_policy}" without {field}: {_default(field)}'
    if p.lr_policy == "multistep" and list(p.stepvalue) != sorted(p.stepvalue):
        yield f"stepvalue {list(p.stepvalue)} is not in order: each is passed after those before it"
    if p.debug_info and not p.display:
        yield "debug_info is shown with the loss, at each `display`, which is 0: set display"


def _default(field):
    return "the rate does not change" if field == "stepvalue" else f"{field} is 0"
