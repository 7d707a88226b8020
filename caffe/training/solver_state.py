"""Snapshots: {prefix}_iter_{n}.caffemodel with .solverstate, or both files as HDF5.

A solver state holds the iteration, the number of learning rate steps passed, the path of the
weights, and the update rule's history.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from caffe.errors import CaffeError, SolverError, WeightsError
from caffe.proto import caffe_pb2
from caffe.training import lr_policy
from caffe.weights import caffemodel, hdf5
from caffe.weights.blobproto import to_array, to_blob_proto
from caffe.weights.caffemodel import read_message, write_message
from caffe.weights.files import check_file, is_hdf5, write_whole
from caffe.weights.hdf5 import DAMAGE
from caffe.weights.hdf5_checks import Refused, check_dataset, member
from caffe.weights.hdf5_writer import layout
from caffe.weights.wire import MOST_BYTES

if TYPE_CHECKING:
    from caffe.training.solver import SGDSolver

log = logging.getLogger("caffe")


def prefix(param: caffe_pb2.SolverParameter, path: str) -> str:
    """Return what the names of a solver's snapshots begin with.

    It is snapshot_prefix, followed by the solver's name if it is a folder. Without snapshot_prefix
    the snapshots go beside the solver.

    Parameters
    ----------
    param : SolverParameter
    path : str
        Path of the solver prototxt.

    Raises
    ------
    SolverError
        If the folder does not exist.
    """
    stem = os.path.splitext(path)[0]
    start = param.snapshot_prefix or stem
    if os.path.isdir(start):
        start = os.path.join(start, os.path.basename(stem))
    folder = os.path.dirname(os.path.abspath(start))
    if not os.path.isdir(folder):
        raise SolverError(
            f"{path}: snapshot_prefix {param.snapshot_prefix!r} is in a folder that does not "
            f"exist: make {folder}"
        )
    return start


def save(solver: SGDSolver) -> tuple[str, str]:
    """Write weights and state.

    Returns
    -------
    (str, str)
        The paths of the weights and of the state.

    Raises
    ------
    WeightsError
        If a file cannot be written.
    """
    p, as_hdf5 = solver.param, solver.param.snapshot_format == caffe_pb2.SolverParameter.HDF5
    suffix = ".h5" if as_hdf5 else ""
    stem = f"{prefix(p, solver.path)}_iter_{solver.iter}"
    model, state = f"{stem}.caffemodel{suffix}", f"{stem}.solverstate{suffix}"
    (hdf5 if as_hdf5 else caffemodel).save(solver.net, model, p.snapshot_diff)
    (_save_hdf5 if as_hdf5 else _save_proto)(solver, state, model)
    return model, state


def _step(solver):
    """Return the number of steps passed at the last iteration, which is what Caffe writes."""
    return lr_policy.steps_passed(solver.param, max(0, solver.iter - 1))


def _save_proto(solver, path, model):
    state = caffe_pb2.SolverState(iter=solver.iter, learned_net=model, current_step=_step(solver))
    for h in solver.history:
        to_blob_proto(state.history.add(), h.cpu().numpy())
    write_message(path, state)


def _save_hdf5(solver, path, model):
    name, steps = model.encode(), _step(solver)

    with layout() as made:
        f = made.file
        # the types that Caffe's own reader expects: C ints, and a zero-terminated string
        f["iter"] = np.array([solver.iter], np.int32)
        f["current_step"] = np.array([steps], np.int32)
        f["learned_net"] = np.array(name, f"S{len(name) + 1}")
        f.create_group("history")
        for i, h in enumerate(solver.history):
            made.add(f"history/{i}", h.cpu().numpy())
    write_whole(path, made.write_to)


def load(solver: SGDSolver, path: str) -> None:
    """Restore iteration, history and weights of a solver.

    Parameters
    ----------
    solver : SGDSolver
    path : str
        A .solverstate or .solverstate.h5 file. The weights are searched for where it says, then in
        its own folder, then under its own name.

    Raises
    ------
    WeightsError
        If the file does not fit the solver. The solver has not changed then.
    """
    check_file(path, "solver state")
    read = _read_hdf5 if is_hdf5(path) else _read_proto
    iteration, step, model, history = read(path, solver)
    _warn_if_steps_differ(solver, path, iteration, step)
    if model:
        solver.net.copy_from(_weights_path(path, model))
    solver.iter = iteration
    solver.history = [
        torch.from_numpy(h.astype(np.float32).reshape(own.shape))
        for h, own in zip(history, solver.history)
    ]


def _warn_if_steps_differ(solver, path, iteration, step):
    """Warn if the rate continues differently than in Caffe, which counts on from `step`."""
    p = solver.param
    if p.lr_policy != "multistep" or not iteration:
        return
    passed = lr_policy.steps_passed(p, iteration)
    if step not in (lr_policy.steps_passed(p, iteration - 1), passed):
        log.warning(
            "%s: had passed %d stepvalue(s) at iteration %d; by those of this solver it is "
            "%d, and the rate follows them",
            path,
            step,
            iteration,
            passed,
        )


def _weights_path(path, model):
    """Return where the weights of the state `path` are; `model` is where it says they are."""
    if_moved = os.path.join(os.path.dirname(path), os.path.basename(model))
    if_renamed = path.replace(".solverstate", ".caffemodel")
    candidates = model, if_moved, if_renamed
    return next((p for p in candidates if p != path and os.path.exists(p)), model)


def _check_number(path, number, solver):
    if number != len(solver.history):
        raise WeightsError(
            f"{path}: holds {number} history blobs, this {solver.type} solver keeps "
            f"{len(solver.history)}: it is of another solver or net"
        )


def _check_size(path, i, stored, own):
    if stored.size != own.numel():
        raise WeightsError(
            f"{path}: history {i} has shape {stored.shape}, this net needs {tuple(own.shape)}: it "
            "is of another net"
        )


def _read_proto(path, solver):
    """Return (iteration, step, path of the weights, history) of a .solverstate."""
    state = read_message(path, caffe_pb2.SolverState(), "a .solverstate")
    if not state.HasField("iter"):
        raise WeightsError(f"{path} holds no iteration: it is not a .solverstate")
    _check_number(path, len(state.history), solver)
    history = [to_array(b, f"{path}: history {i}") for i, b in enumerate(state.history)]
    for i, (h, own) in enumerate(zip(history, solver.history)):
        _check_size(path, i, h, own)
    model = os.fsdecode(state.learned_net)  # protobuf gives bytes where it is not UTF-8
    return state.iter, state.current_step, model, history


def _read_hdf5(path, solver):
    """Return (iteration, step, path of the weights, history) of a .solverstate.h5."""
    try:
        with h5py.File(path, "r") as f:
            model = _single(f, "learned_net", b"")
            model = os.fsdecode(model) if isinstance(model, bytes) else str(model)
            stored = member(f, "history")
            if not isinstance(stored, h5py.Group):
                raise WeightsError(f"{path} has no group 'history': it is not a .solverstate.h5")
            _check_number(path, len(stored), solver)
            history = [member(stored, str(i)) for i in range(len(stored))]
            for i, (h, own) in enumerate(zip(history, solver.history)):
                _check_size(path, i, h, own)
                check_dataset(h)
            history = [np.asarray(h, np.float32) for h in history]
            return int(_single(f, "iter")), int(_single(f, "current_step", 0)), model, history
    except CaffeError:
        raise
    except (*DAMAGE, IndexError) as e:
        raise WeightsError(f"{path} is not a .solverstate.h5, or is damaged: {e}") from None


def _single(file, name, default=None):
    """Return the only value of a dataset, a number or bytes; `default` if there is no dataset."""
    data = member(file, name)
    if data is None and default is not None:
        return default
    if data.size != 1 or data.dtype.itemsize > MOST_BYTES or data.is_virtual or data.external:
        raise Refused(f"{name} is not a single value")
    return np.ravel(data[()])[0]
