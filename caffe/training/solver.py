"""Solvers: train a net by the gradient of its loss, test it on the way, snapshot and restore.

One iteration: iter_size times forward and backward; clip; average; add weight decay; update. As in
Caffe the diffs of the weights then hold what was subtracted from them.
Source: BVLC Caffe, solver and sgd_solver.
"""

import logging
import os
from collections import deque

import torch

from caffe.blobs import device
from caffe.definition.prototxt import read_net, read_solver
from caffe.errors import SolverError
from caffe.net import Net
from caffe.proto import caffe_pb2
from caffe.training import lr_policy, solver_state
from caffe.training.updates import HISTORY, RULES

log = logging.getLogger("caffe")


class SGDSolver:
    """SGDSolver(path of a solver prototxt). Attributes: net, test_nets, iter, max_iter, param, lr.

    File names in it count from the current folder, as in Caffe. SolverError where it names no net
    or makes no sense.
    """

    type = "SGD"

    def __init__(self, path):
        self.path = os.fspath(path)
        self.param, self.iter = read_solver(self.path), 0
        self._check()
        if self.param.random_seed >= 0:
            device.set_random_seed(self.param.random_seed)
        self.net = self._train_net()
        self.test_nets = self._test_nets()
        for net in [self.net, *self.test_nets]:
            for names in self.param.weights:
                for name in names.split(","):
                    net.copy_from(name.strip())
        self.history = [
            torch.zeros(weight.blob.shape)
            for _ in range(HISTORY.get(self.type, 1))
            for weight in self.net._learned
        ]
        self._callbacks, self._losses = [], deque(maxlen=self.param.average_loss)

    def _check(self):
        """SolverError where the parameters make no sense for this solver."""
        p = self.param
        lr_policy.rate(p, 0)
        if p.iter_size < 1:
            self._refuse("iter_size is %d, must be 1 or more" % p.iter_size)
        if p.average_loss < 1:
            self._refuse("average_loss is %d, must be 1 or more" % p.average_loss)
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

    def _refuse(self, what):
        raise SolverError(f"{self.path}: {what}")

    def _train_net(self):
        """The net of exactly one of net, train_net, net_param, train_net_param."""
        p = self.param
        given = [f for f in ("net", "train_net", "net_param", "train_net_param") if p.HasField(f)]
        if len(given) != 1:
            self._refuse(
                "gives %s: name the net to train once, as net or train_net"
                % (" and ".join(given) or "no net")
            )
        value = getattr(p, given[0])
        param = read_net(value) if isinstance(value, str) else value
        return _net(param, caffe_pb2.TRAIN, p.train_state)

    def _test_nets(self):
        """Nets of test_net_param and test_net, or the one `net` once per remaining test_iter."""
        p = self.param
        params = list(p.test_net_param) + [read_net(f) for f in p.test_net]
        common = read_net(p.net) if p.net else p.net_param if p.HasField("net_param") else None
        if common is not None:
            params += [common] * (len(p.test_iter) - len(params))
        if len(params) != len(p.test_iter):
            self._refuse(
                "%d test nets but %d test_iter: give one number of iterations each"
                % (len(params), len(p.test_iter))
            )
        if params and p.test_interval < 1:
            self._refuse("test nets need a test_interval of 1 or more")
        if len(p.test_state) not in (0, len(params)):
            self._refuse(
                "%d test_state for %d test nets: give none, or one each"
                % (len(p.test_state), len(params))
            )
        states = p.test_state or [caffe_pb2.NetState()] * len(params)
        return [_net(param, caffe_pb2.TEST, state) for param, state in zip(params, states)]

    max_iter = property(lambda self: self.param.max_iter, doc="where `solve` ends")

    @property
    def lr(self):
        """The learning rate of the next iteration."""
        return lr_policy.rate(self.param, self.iter)

    def add_callback(self, on_start, on_gradients_ready=lambda: None):
        """Call `on_start()` before each iteration, the other before each update."""
        self._callbacks.append((on_start, on_gradients_ready))

    def step(self, n):
        """Run n iterations, also beyond max_iter."""
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

    def solve(self, resume_file=None):
        """Train to max_iter, from a snapshot where `resume_file` is given, and snapshot the end."""
        if resume_file:
            self.restore(resume_file)
        self.step(max(0, self.param.max_iter - self.iter))
        p = self.param
        if p.snapshot_after_train and not (p.snapshot and self.iter % p.snapshot == 0):
            self.snapshot()
        if p.display and self.iter % p.display == 0:
            self.net.forward_range()  # what the last update made of the loss
            self._report(self.net.loss())
        if p.test_interval and self.iter % p.test_interval == 0:
            self.test_all()

    def _report(self, loss):
        """Log the mean of the last average_loss losses where it is time."""
        self._losses.append(loss)
        if self.param.display and self.iter % self.param.display == 0:
            log.info(
                "iteration %d, loss %.5g, lr %.3g",
                self.iter,
                sum(self._losses) / len(self._losses),
                self.lr,
            )

    def _forward_backward(self):
        """One pass; the weighted loss."""
        self.net.forward_range()
        self.net.backward_range()
        return self.net.loss()

    def test_all(self):
        """Forward each test net test_iter times on the present weights; log its mean outputs."""
        for net, n in zip(self.test_nets, self.param.test_iter):
            net.share_with(self.net)
            sums = {}
            for _ in range(n):
                found = net.forward()
                if self.param.test_compute_loss:
                    found = {**found, "(loss)": net.loss()}
                for name, value in found.items():
                    sums[name] = sums.get(name, 0) + value / n
            for name, value in sums.items():
                log.info("iteration %d, test %s = %s", self.iter, name, value)

    def share_weights(self, net):
        """Let `net`'s layers use the memory of this solver's weights, by layer name."""
        net.share_with(self.net)

    def apply_update(self):
        """Turn the accumulated gradients into one update of the weights, and count it in iter."""
        p, rule = self.param, RULES[self.type]
        learned = self.net._learned
        scale = self._clip_scale()
        for k, weight in enumerate(learned):
            if not weight.lr_mult:
                continue
            blob = weight.blob
            where = device.device()
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
        """Factor that brings the L2 norm of all gradients together under clip_gradients."""
        limit = self.param.clip_gradients
        if limit < 0:
            return 1.0
        where = device.device()
        norm = sum(float(w.blob.synced_diff.tensor(where).pow(2).sum()) for w in self.net._learned)
        norm **= 0.5
        return limit / norm if norm > limit else 1.0

    def snapshot(self):
        """Write weights and solver state to {snapshot_prefix}_iter_{iter}.*; their two paths."""
        return solver_state.save(self)

    def restore(self, path):
        """Continue from a .solverstate or .solverstate.h5 file."""
        solver_state.load(self, os.fspath(path))


class NesterovSolver(SGDSolver):
    """Nesterov's accelerated gradient."""

    type = "Nesterov"


class AdaGradSolver(SGDSolver):
    """AdaGrad."""

    type = "AdaGrad"


class RMSPropSolver(SGDSolver):
    """RMSProp."""

    type = "RMSProp"


class AdaDeltaSolver(SGDSolver):
    """AdaDelta."""

    type = "AdaDelta"


class AdamSolver(SGDSolver):
    """Adam."""

    type = "Adam"


def _net(param, phase, state):
    """The Net of a NetParameter under a NetState; what the solver says goes before what the net
    says, and that before `phase`.
    """
    own = caffe_pb2.NetParameter()
    own.CopyFrom(param)
    own.state.MergeFrom(state)
    if own.state.HasField("phase"):
        phase = own.state.phase
    return Net.from_param(own, phase, own.state.level)


WITHOUT_MOMENTUM = ("AdaGrad", "RMSProp")
SOLVERS = {
    c.type: c
    for c in (SGDSolver, NesterovSolver, AdaGradSolver, RMSPropSolver, AdaDeltaSolver, AdamSolver)
}


def get_solver(path):
    """The solver of the prototxt's `type`; SolverError where there is none of that name."""
    kind = read_solver(os.fspath(path)).type
    if kind not in SOLVERS:
        raise SolverError(
            "{}: solver type {!r} is not known: use one of {}".format(path, kind, " ".join(SOLVERS))
        )
    return SOLVERS[kind](path)
