"""Snapshots: {prefix}_iter_{n}.caffemodel with .solverstate, or both as HDF5.

The state holds the iteration, the step of the learning rate and the update rule's history.
"""

import logging
import os

import h5py
import numpy as np
import torch

from caffe.errors import CaffeError, SolverError, WeightsError
from caffe.proto import caffe_pb2
from caffe.training import lr_policy
from caffe.weights import caffemodel
from caffe.weights import hdf5 as weights_hdf5
from caffe.weights.blobproto import to_array, to_blob_proto
from caffe.weights.caffemodel import read_message, write_message
from caffe.weights.files import check_file, is_hdf5, write_whole
from caffe.weights.hdf5 import DAMAGE
from caffe.weights.hdf5_checks import Refused, check_dataset, member
from caffe.weights.wire import MOST_BYTES

log = logging.getLogger("caffe")


def prefix(param, path):
    """Where snapshots go: snapshot_prefix; inside it, by the solver's name, where it is a folder;
    beside the solver where it is not given. SolverError where its folder is missing.
    """
    stem = os.path.splitext(path)[0]
    given = param.snapshot_prefix or stem
    if os.path.isdir(given):
        given = os.path.join(given, os.path.basename(stem))
    folder = os.path.dirname(os.path.abspath(given))
    if not os.path.isdir(folder):
        raise SolverError(
            f"{path}: snapshot_prefix {param.snapshot_prefix!r} is in a folder that does not exist: make {folder}"
        )
    return given


def save(solver):
    """Write both files; their paths (weights, state). WeightsError where they cannot be written."""
    p, hdf5 = solver.param, solver.param.snapshot_format == caffe_pb2.SolverParameter.HDF5
    stem = "%s_iter_%d" % (prefix(p, solver.path), solver.iter)
    model = stem + (".caffemodel.h5" if hdf5 else ".caffemodel")
    state = stem + (".solverstate.h5" if hdf5 else ".solverstate")
    (weights_hdf5 if hdf5 else caffemodel).save(solver.net, model, p.snapshot_diff)
    (_save_hdf5 if hdf5 else _save_proto)(solver, state, model)
    return model, state


def _step(solver):
    """The step of the last iteration, which is what Caffe writes."""
    return lr_policy.steps_passed(solver.param, max(0, solver.iter - 1))


def _save_proto(solver, path, model):
    state = caffe_pb2.SolverState(iter=solver.iter, learned_net=model, current_step=_step(solver))
    for h in solver.history:
        to_blob_proto(state.history.add(), h.cpu().numpy())
    write_message(path, state)


def _save_hdf5(solver, path, model):
    name, steps = model.encode(), _step(solver)

    def write(part):
        with h5py.File(part, "w") as f:
            # the types that Caffe's own reader expects: C ints, and text that ends in a zero byte
            f["iter"] = np.array([solver.iter], np.int32)
            f["current_step"] = np.array([steps], np.int32)
            f["learned_net"] = np.array(name, "S%d" % (len(name) + 1))
            history = f.create_group("history")
            for i, h in enumerate(solver.history):
                history[str(i)] = h.cpu().numpy()

    write_whole(path, write)


def load(solver, path):
    """Restore iteration, history and weights; WeightsError where the file does not fit the solver,
    and then nothing has changed.
    """
    check_file(path, "solver state")
    read = _read_hdf5 if is_hdf5(path) else _read_proto
    iteration, step, model, history = read(path, solver)
    _check_step(solver, path, iteration, step)
    if model:
        solver.net.copy_from(_beside(path, model))
    solver.iter = iteration
    solver.history = [
        torch.from_numpy(h.astype(np.float32).reshape(m.shape))
        for h, m in zip(history, solver.history)
    ]


def _check_step(solver, path, iteration, step):
    """A warning where the rate goes on otherwise than it would in Caffe, which counts on."""
    p = solver.param
    if (
        p.lr_policy == "multistep"
        and iteration
        and step
        not in (lr_policy.steps_passed(p, iteration - 1), lr_policy.steps_passed(p, iteration))
    ):
        log.warning(
            "%s: had passed %d stepvalue(s) at iteration %d; by those of this solver it is "
            "%d, and the rate follows them",
            path,
            step,
            iteration,
            lr_policy.steps_passed(p, iteration),
        )


def _beside(path, model):
    """The weights where the state says; else, as it may have moved, in its own folder; else, as
    both may have been renamed, the file named like the state.
    """
    near = os.path.join(os.path.dirname(path), os.path.basename(model))
    alike = path.replace(".solverstate", ".caffemodel")
    return next((p for p in (model, near, alike) if p != path and os.path.exists(p)), model)


def _check_number(path, number, solver):
    if number != len(solver.history):
        raise WeightsError(
            "%s: holds %d history blobs, this %s solver keeps %d: it is of another "
            "solver or net" % (path, number, solver.type, len(solver.history))
        )


def _check_size(path, i, stored, mine):
    if stored.size != mine.numel():
        raise WeightsError(
            "%s: history %d has shape %s, this net needs %s: it is of another net"
            % (path, i, stored.shape, tuple(mine.shape))
        )


def _read_proto(path, solver):
    state = read_message(path, caffe_pb2.SolverState(), "a .solverstate")
    if not state.HasField("iter"):
        raise WeightsError(f"{path} holds no iteration: it is not a .solverstate")
    _check_number(path, len(state.history), solver)
    history = [to_array(b, "%s: history %d" % (path, i)) for i, b in enumerate(state.history)]
    for i, (h, mine) in enumerate(zip(history, solver.history)):
        _check_size(path, i, h, mine)
    return state.iter, state.current_step, state.learned_net, history


def _read_hdf5(path, solver):
    try:
        with h5py.File(path, "r") as f:
            model = _single(f, "learned_net", b"")
            model = model.decode() if isinstance(model, bytes) else str(model)
            stored = f["history"]
            _check_number(path, len(stored), solver)
            history = [member(stored, str(i)) for i in range(len(stored))]
            for i, (h, mine) in enumerate(zip(history, solver.history)):
                _check_size(path, i, h, mine)
                check_dataset(h)
            history = [np.asarray(h, np.float32) for h in history]
            return int(_single(f, "iter")), int(_single(f, "current_step", 0)), model, history
    except CaffeError:
        raise
    except (*DAMAGE, IndexError) as e:
        raise WeightsError(f"{path} is no .solverstate.h5, or damaged: {e}") from None


def _single(file, name, default=None):
    """The one value, a number or bytes, of a dataset; `default` where there is none."""
    data = member(file, name)
    if data is None and default is not None:
        return default
    if data.size != 1 or data.dtype.itemsize > MOST_BYTES or data.is_virtual or data.external:
        raise Refused(f"{name} is no single value")
    return np.ravel(data[()])[0]
