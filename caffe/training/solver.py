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

import numpy as np
import torch

from caffe.blobs import device
from caffe.definition.prototxt import read_solver
from caffe.engine import debug_info
from caffe.errors import SolverError
from caffe.files import SOLVER_STATE, as_path, shown
from caffe.net import Net
from caffe.proto import caffe_pb2
from caffe.training import lr_policy, nets, parameters, solver_state
from caffe.training.divergence import Watch
from caffe.training.updates import HISTORY, RULES
from caffe.weights.files import PathLike

log = logging.getLogger("caffe")

MOST_SHOWN = 100  # values of an output that are logged one by one


class SGDSolver:
    """Stochastic gradient descent with momentum; base class of the other solvers.

    Parameters
    ----------
    path : path
        A solver prototxt. Nets and weights that it names are searched for in the working folder,
        as in Caffe, and then in its own, see `caffe.training.nets`; snapshot_prefix counts from
        the working folder.

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
        self.param: caffe_pb2.SolverParameter = read_solver(path)
        self.path = os.fspath(path)
        self.iter = 0
        parameters.check(self.param, self.type, self.path)
        if self.param.snapshot:
            solver_state.prefix(self.param, self.path)
        if self.param.random_seed >= 0:
            device.set_random_seed(self.param.random_seed)
        self.net: Net = nets.train_net(self.param, self.path)
        parameters.check_multipliers(self.net._learned, self.path)
        self.test_nets: list[Net] = nets.test_nets(self.param, self.path)
        for net in self.test_nets:
            net._debug_info = self.param.debug_info
        nets.load_weights(self.param, self.path, [self.net, *self.test_nets])
        self.history = [
            torch.zeros(weight.blob.shape)
            for _ in range(HISTORY.get(self.type, 1))
            for weight in self.net._learned
        ]
        self._callbacks: list[tuple[Callable[[], object], Callable[[], object]]] = []
        self._losses: deque[float] = deque(maxlen=self.param.average_loss)
        self._watch = Watch(
            f"lower base_lr ({self.param.base_lr:g}), set clip_gradients, or look for values in "
            "the data that are not finite"
        )

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
        """Run `n` iterations, even beyond max_iter.

        Raises
        ------
        Diverged
            If the loss or a gradient is no longer a finite number. The weights are then as they
            were before this iteration.
        SolverError
            If `n` is negative or no whole number.
        """
        p, stop = self.param, self.iter + _whole(n)
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
            debug = p.debug_info and self._displays()
            loss = sum(self._forward_backward(debug) for _ in range(p.iter_size)) / p.iter_size
            self._report(loss)
            for _, on_gradients_ready in self._callbacks:
                on_gradients_ready()
            self.apply_update()
            if debug:
                debug_info.say_update(self.net.params)
            if p.snapshot and self.iter % p.snapshot == 0:
                self.snapshot()

    def solve(self, resume_file: PathLike | None = None) -> None:
        """Train to max_iter and write a snapshot of the result.

        Parameters
        ----------
        resume_file : path, optional
            A solver state to start from; see `restore`.

        Raises
        ------
        Diverged
            As `step` does.
        """
        if resume_file:
            self.restore(resume_file)
        p = self.param
        if self.iter > p.max_iter:
            log.warning(
                "iteration %d is beyond max_iter %d: nothing is left to train",
                self.iter,
                p.max_iter,
            )
        self.step(max(0, p.max_iter - self.iter))
        if p.snapshot_after_train and not (p.snapshot and self.iter % p.snapshot == 0):
            self.snapshot()
        if self._displays():
            self.net.forward_range()  # the loss after the last update
            self._report(self.net.loss())
        if p.test_interval and self.iter % p.test_interval == 0:
            self.test_all()

    def _displays(self):
        """Tell whether this iteration is one of those that `display` asks for."""
        return bool(self.param.display) and self.iter % self.param.display == 0

    def _report(self, loss):
        """Check the loss; log the mean of the last average_loss ones every `display` iterations."""
        self._watch.check_loss(self.iter, loss)
        self._losses.append(loss)
        if not self._displays():
            return
        mean = sum(self._losses) / len(self._losses)
        log.info("iteration %d, loss %.5g, lr %.3g", self.iter, mean, self.lr)
        outputs = self.net.outputs
        if len(outputs) > 1:  # a single one is the loss
            for name in outputs:
                value = self.net.blobs[name].synced_data.tensor(device.CPU).numpy()
                log.info("iteration %d, train %s = %s", self.iter, name, _shown(value))

    def _forward_backward(self, debug):
        """Run the net forward and backward; return the weighted loss."""
        self.net._debug_info = debug
        self.net.forward_range()
        self.net.backward_range()
        if debug:
            debug_info.say_norms(self.net.params)
        return self.net.loss()

    def test_all(self) -> None:
        """Run each test net test_iter times on the present weights and log its mean outputs."""
        for number, (net, n) in enumerate(zip(self.test_nets, self.param.test_iter)):
            net.share_with(self.net)
            means: dict[str, np.ndarray | float] = {}
            for _ in range(n):
                outputs: dict[str, np.ndarray | float] = {**net.forward()}
                if self.param.test_compute_loss:
                    outputs["(loss)"] = net.loss()
                for name, value in outputs.items():
                    means[name] = means.get(name, 0) + value / n
            which = f"test net {number}, " if len(self.test_nets) > 1 else ""
            for name, value in means.items():
                log.info("iteration %d, %stest %s = %s", self.iter, which, name, _shown(value))

    def share_weights(self, net: Net) -> None:
        """Let `net` use the memory of this solver's weights, by layer name."""
        net.share_with(self.net)

    def apply_update(self) -> None:
        """Update the weights by the accumulated gradients and increment `iter`.

        Raises
        ------
        Diverged
            If a gradient or an update is not finite; no weight has changed then.
        """
        p, rule = self.param, RULES[self.type]
        learned, where, rate = self.net._learned, device.device(), self.lr
        trained = [(k, weight) for k, weight in enumerate(learned) if weight.lr_mult]
        self._check_diffs("the gradient", trained)
        scale = self._clip_scale()
        for k, weight in trained:
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
            update = rule(p, g, rate * weight.lr_mult, history, self.iter + 1)
            blob.synced_diff.put(diff.data.copy_(update))
        self._check_diffs("the update", trained)
        for _, weight in trained:
            data, diff = weight.blob.synced_data, weight.blob.synced_diff
            data.put(data.tensor(where).data.sub_(diff.tensor(where)))
        self.iter += 1

    def _check_diffs(self, what, trained):
        """Raise Diverged if the diffs of weights are not finite."""
        where = device.device()
        diffs = [(weight.owner, weight.blob.synced_diff.tensor(where)) for _, weight in trained]
        self._watch.check(self.iter, what, diffs)

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

        Raises
        ------
        Diverged
            If weights or history are not finite. Nothing was written then.
        WeightsError
            If the files cannot be written. Those that were there are as they were.
        """
        learned, where = self.net._learned, device.device()
        weights = [(w.owner, w.blob.synced_data.tensor(where)) for w in learned]
        owners = [w.owner for w in learned] * HISTORY.get(self.type, 1)
        self._watch.check(self.iter, "no snapshot is written: a weight", weights)
        self._watch.check(
            self.iter, "no snapshot is written: the history", zip(owners, self.history)
        )
        model, state = solver_state.save(self)
        self._watch.saw_snapshot(state)
        beside = shown(os.path.basename(state))
        log.info("iteration %d, snapshot %s and %s", self.iter, shown(model), beside)
        return model, state

    def restore(self, path: PathLike) -> None:
        """Continue from a .solverstate or .solverstate.h5 file.

        Raises
        ------
        WeightsError
            If the file does not fit this solver, or its weights are of another snapshot. The
            solver has not changed then.
        """
        path = as_path(path, SOLVER_STATE)
        solver_state.load(self, path)
        self._watch.saw_snapshot(path)
        log.info("iteration %d, restored from %s", self.iter, shown(path))


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
    kind = read_solver(path).type
    if kind not in SOLVERS:
        raise SolverError(
            f"{path}: solver type {kind!r} is not known: use one of {' '.join(SOLVERS)}"
        )
    return SOLVERS[kind](path)


def _whole(n):
    """Return a number of iterations as int; raise SolverError if it is none."""
    try:
        whole = int(n) if n == int(n) else -1
    except (OverflowError, TypeError, ValueError):  # infinity, NaN, None
        whole = -1
    if whole < 0:
        raise SolverError(f"step({n!r}): give a whole number of iterations, 0 or more")
    return whole


def _shown(value):
    """Return an output of a net as a log line has it."""
    value = np.asarray(value)
    if value.size > MOST_SHOWN:
        return f"mean {value.mean(dtype=np.float64):.6g} over shape {value.shape}"
    return " ".join(str(value).split())
