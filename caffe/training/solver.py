"""Solvers: train a net by the gradient of its loss, test it at intervals, snapshot and restore.

One iteration runs forward and backward iter_size times, clips the gradients, averages them, adds
weight decay and updates the weights. As in Caffe, the diffs of the weights then hold what was
subtracted from them.

Source: BVLC Caffe, solver and sgd_solver.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from typing import NoReturn

import numpy as np
import torch

from caffe.blobs import device
from caffe.definition.prototxt import read_net, read_solver
from caffe.errors import SolverError
from caffe.net import Net
from caffe.proto import caffe_pb2
from caffe.training import lr_policy, solver_state
from caffe.training.updates import HISTORY, RULES
from caffe.weights.files import PathLike

log = logging.getLogger("caffe")

WITHOUT_MOMENTUM = ("AdaGrad", "RMSProp")


class SGDSolver:
    """Stochastic gradient descent with momentum; base class of the other solvers.

    Parameters
    ----------
    path : path
        A solver prototxt. File names in it are relative to the working directory, as in Caffe.

    Attributes
    ----------
    net : Net
        The net that is trained.
    test_nets : list of Net
    param : SolverParameter
    iter : int
        Number of updates made.
    history : list of torch.Tensor
        The update rule's state, one tensor per weight, or all first ones and then all second ones.

    Raises
    ------
    SolverError
        If the prototxt does not name exactly one net to train, or parameters are inconsistent.
    """

    type = "SGD"

    def __init__(self, path: PathLike):
        self.path = os.fspath(path)
        self.param: caffe_pb2.SolverParameter = read_solver(self.path)
        self.iter = 0
        self._check()
        if self.param.random_seed >= 0:
            device.set_random_seed(self.param.random_seed)
        self.net: Net = self._train_net()
        self.test_nets: list[Net] = self._test_nets()
        for net in [self.net, *self.test_nets]:
            for names in self.param.weights:
                for name in names.split(","):
                    net.copy_from(name.strip())
        self.history = [
            torch.zeros(weight.blob.shape)
            for _ in range(HISTORY.get(self.type, 1))
            for weight in self.net._learned
        ]
        self._callbacks: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._losses: deque[float] = deque(maxlen=self.param.average_loss)

    def _check(self):
        """Raise SolverError if the parameters are not valid for this solver."""
        p = self.param
        lr_policy.rate(p, 0)
        if p.iter_size < 1:
            self._refuse(f"iter_size is {p.iter_size}, must be 1 or more")
        if p.average_loss < 1:
            self._refuse(f"average_loss is {p.average_loss}, must be 1 or more")
        if self.type == "RMSProp" and not 0 <= p.rms_decay < 1:
            self._refuse(f"rms_decay is {p.rms_decay:g}, must be in [0, 1)")
        if p.regularization_type not in ("L1", "L2"):
            self._refuse(
                f"regularization_type {p.regularization_type!r} is not known: use L1 or L2"
            )
        if p.momentum and self.type in WITHOUT_MOMENTUM:
            self._refuse(f"{self.type} has no momentum: remove it")
        if p.snapshot:
            solver_state.prefix(p, self.path)

    def _refuse(self, what: str) -> NoReturn:
        raise SolverError(f"{self.path}: {what}")

    def _train_net(self):
        """Return the one net that net, train_net, net_param or train_net_param gives."""
        p = self.param
        fields = [f for f in ("net", "train_net", "net_param", "train_net_param") if p.HasField(f)]
        if len(fields) != 1:
            self._refuse(
                f"gives {' and '.join(fields) or 'no net'}: name the net to train once, as net or "
                "train_net"
            )
        value = getattr(p, fields[0])
        param = read_net(value) if isinstance(value, str) else value
        return _net_in_state(param, caffe_pb2.TRAIN, p.train_state)

    def _test_nets(self):
        """Return the nets of test_net_param and test_net, then `net` for each test_iter left."""
        p = self.param
        params = list(p.test_net_param) + [read_net(f) for f in p.test_net]
        common = read_net(p.net) if p.net else p.net_param if p.HasField("net_param") else None
        if common is not None:
            params += [common] * (len(p.test_iter) - len(params))
        if len(params) != len(p.test_iter):
            self._refuse(
                f"{len(params)} test nets but {len(p.test_iter)} test_iter: give one number of "
                "iterations each"
            )
        if params and p.test_interval < 1:
            self._refuse("test nets need a test_interval of 1 or more")
        if len(p.test_state) not in (0, len(params)):
            self._refuse(
                f"{len(p.test_state)} test_state for {len(params)} test nets: give none, or one "
                "each"
            )
        states = p.test_state or [caffe_pb2.NetState()] * len(params)
        return [_net_in_state(param, caffe_pb2.TEST, state) for param, state in zip(params, states)]

    @property
    def max_iter(self) -> int:
        """Iteration at which `solve` ends."""
        return self.param.max_iter

    @property
    def lr(self) -> float:
        """Learning rate of the next iteration."""
        return lr_policy.rate(self.param, self.iter)

    def add_callback(
        self,
        on_start: Callable[[], object],
        on_gradients_ready: Callable[[], object] = lambda: None,
    ) -> None:
        """Call `on_start()` before each iteration and `on_gradients_ready()` before each update."""
        self._callbacks.append((on_start, on_gradients_ready))

    def step(self, n: int) -> None:
        """Run `n` iterations, even beyond max_iter."""
        p, stop = self.param, self.iter + n
        self._losses.clear()
        while self.iter < stop:
            self.net.clear_param_diffs()
            if (
                p.test_interval
                and self.iter % p.test_interval == 0
                and (self.iter > 0 or p.test_initialization)
            ):
                self.test_all()
            for on_start, _ in self._callbacks:
                on_start()
            loss = sum(self._forward_backward() for _ in range(p.iter_size)) / p.iter_size
            self._report(loss)
            for _, on_gradients_ready in self._callbacks:
                on_gradients_ready()
            self.apply_update()
            if p.snapshot and self.iter % p.snapshot == 0:
                self.snapshot()

    def solve(self, resume_file: PathLike | None = None) -> None:
        """Train to max_iter and write a snapshot of the result.

        Parameters
        ----------
        resume_file : path, optional
            A solver state to start from; see `restore`.
        """
        if resume_file:
            self.restore(resume_file)
        self.step(max(0, self.param.max_iter - self.iter))
        p = self.param
        if p.snapshot_after_train and not (p.snapshot and self.iter % p.snapshot == 0):
            self.snapshot()
        if p.display and self.iter % p.display == 0:
            self.net.forward_range()  # the loss after the last update
            self._report(self.net.loss())
        if p.test_interval and self.iter % p.test_interval == 0:
            self.test_all()

    def _report(self, loss):
        """Log the mean of the last average_loss losses every `display` iterations."""
        self._losses.append(loss)
        if self.param.display and self.iter % self.param.display == 0:
            log.info(
                "iteration %d, loss %.5g, lr %.3g",
                self.iter,
                sum(self._losses) / len(self._losses),
                self.lr,
            )

    def _forward_backward(self):
        """Run the net forward and backward; return the weighted loss."""
        self.net.forward_range()
        self.net.backward_range()
        return self.net.loss()

    def test_all(self) -> None:
        """Run each test net test_iter times on the present weights and log its mean outputs."""
        for net, n in zip(self.test_nets, self.param.test_iter):
            net.share_with(self.net)
            means: dict[str, np.ndarray | float] = {}
            for _ in range(n):
                outputs: dict[str, np.ndarray | float] = {**net.forward()}
                if self.param.test_compute_loss:
                    outputs["(loss)"] = net.loss()
                for name, value in outputs.items():
                    means[name] = means.get(name, 0) + value / n
            for name, value in means.items():
                log.info("iteration %d, test %s = %s", self.iter, name, value)

    def share_weights(self, net: Net) -> None:
        """Let `net` use the memory of this solver's weights, by layer name."""
        net.share_with(self.net)

    def apply_update(self) -> None:
        """Update the weights by the accumulated gradients and increment `iter`."""
        p, rule = self.param, RULES[self.type]
        learned = self.net._learned
        scale, where = self._clip_scale(), device.device()
        for k, weight in enumerate(learned):
            if not weight.lr_mult:
                continue
            blob = weight.blob
            w = blob.synced_data.tensor(where)
            diff = blob.synced_diff.tensor(where)
            g = diff * (scale / p.iter_size)
            decay = p.weight_decay * weight.decay_mult
            if decay:
                g = g.add_(w if p.regularization_type == "L2" else w.sign(), alpha=decay)
            slots = range(k, len(self.history), len(learned))
            for j in slots:
                self.history[j] = self.history[j].to(where)
            history = [self.history[j] for j in slots]
            update = rule(p, g, self.lr * weight.lr_mult, history, self.iter + 1)
            blob.synced_data.put(w.data.sub_(update))
            blob.synced_diff.put(diff.data.copy_(update))
        self.iter += 1

    def _clip_scale(self):
        """Return the factor that limits the L2 norm over all gradients to clip_gradients."""
        limit = self.param.clip_gradients
        if limit < 0:
            return 1.0
        where = device.device()
        norm = sum(float(w.blob.synced_diff.tensor(where).pow(2).sum()) for w in self.net._learned)
        norm **= 0.5
        return limit / norm if norm > limit else 1.0

    def snapshot(self) -> tuple[str, str]:
        """Write weights and solver state to {snapshot_prefix}_iter_{iter}.* files.

        Returns
        -------
        (str, str)
            The paths of the weights and of the solver state.
        """
        return solver_state.save(self)

    def restore(self, path: PathLike) -> None:
        """Continue from a .solverstate or .solverstate.h5 file.

        Raises
        ------
        WeightsError
            If the file does not fit this solver. The solver has not changed then.
        """
        solver_state.load(self, os.fspath(path))


class NesterovSolver(SGDSolver):
    """Nesterov's accelerated gradient; see `caffe.training.updates`."""

    type = "Nesterov"


class AdaGradSolver(SGDSolver):
    """The AdaGrad rule; see `caffe.training.updates`."""

    type = "AdaGrad"


class RMSPropSolver(SGDSolver):
    """The RMSProp rule; see `caffe.training.updates`."""

    type = "RMSProp"


class AdaDeltaSolver(SGDSolver):
    """The AdaDelta rule; see `caffe.training.updates`."""

    type = "AdaDelta"


class AdamSolver(SGDSolver):
    """The Adam rule; see `caffe.training.updates`."""

    type = "Adam"


def _net_in_state(param, phase, state):
    """Return the Net of `param`; `state` takes precedence over its own, that over `phase`."""
    own = caffe_pb2.NetParameter()
    own.CopyFrom(param)
    own.state.MergeFrom(state)
    if own.state.HasField("phase"):
        phase = own.state.phase
    return Net.from_param(own, phase, own.state.level)


SOLVERS: dict[str, type[SGDSolver]] = {
    c.type: c
    for c in (SGDSolver, NesterovSolver, AdaGradSolver, RMSPropSolver, AdaDeltaSolver, AdamSolver)
}


def get_solver(path: PathLike) -> SGDSolver:
    """Return the solver of the class that the `type` in the prototxt names.

    Parameters
    ----------
    path : path
        A solver prototxt.

    Raises
    ------
    SolverError
        If there is no such type, or the solver cannot be built.
    """
    kind = read_solver(os.fspath(path)).type
    if kind not in SOLVERS:
        raise SolverError(
            f"{path}: solver type {kind!r} is not known: use one of {' '.join(SOLVERS)}"
        )
    return SOLVERS[kind](path)
