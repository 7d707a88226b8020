"""Snapshots: {prefix}_iter_{n}.caffemodel with .solverstate, or both files as HDF5.

A solver state holds the iteration, the number of learning rate steps passed, the path of the
weights, and the update rule's history. Ours also hold a digest of the weights file, where a real
Caffe does not look: field 1001 of the SolverState, or the dataset "learned_net_digest".
"""

from __future__ import annotations

import glob
import logging
import os
from typing import NamedTuple, Protocol

import h5py
import numpy as np
import torch
from google.protobuf.unknown_fields import UnknownFieldSet

from caffe.errors import CaffeError, SolverError, WeightsError
from caffe.files import shown
from caffe.net import Net
from caffe.proto import caffe_pb2
from caffe.training import lr_policy, snapshot_pair
from caffe.training.updates import SQUARES
from caffe.weights import caffemodel, hdf5, hdf5_heaps
from caffe.weights.all_or_none import put_all
from caffe.weights.blobproto import to_array, to_blob_proto
from caffe.weights.caffemodel import open_message, read_message, write_message
from caffe.weights.files import check_file, is_hdf5, write_whole
from caffe.weights.hdf5 import DAMAGE
from caffe.weights.hdf5_checks import Refused, check_dataset, member
from caffe.weights.hdf5_writer import layout
from caffe.weights.wire import LENGTH, MOST_BYTES, Wire, head, number

log = logging.getLogger("caffe")


class TrainedSolver(Protocol):
    """What a snapshot is made of; `caffe.training.solver.SGDSolver` is one."""

    type: str
    path: str
    param: caffe_pb2.SolverParameter
    net: Net
    iter: int
    history: list[torch.Tensor]


MOST = 2**31 - 2  # iterations: Caffe counts them in an int, and one more must fit
DIGEST_FIELD, DIGEST_NAME = 1001, "learned_net_digest"  # see caffe.training.snapshot_pair
DIGEST_LENGTH = 32
LAYERS = number(caffe_pb2.NetParameter, "layer")


class State(NamedTuple):
    """The content of a solver state."""

    iteration: int
    step: int
    model: str
    digest: str
    history: list[np.ndarray]


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


# Writing


def save(solver: TrainedSolver) -> tuple[str, str]:
    """Write weights and state.

    Returns
    -------
    (str, str)
        The paths of the weights and of the state.

    Raises
    ------
    SolverError
        If the solver's iteration is no number that a state can hold.
    WeightsError
        If a file cannot be written; the files that were there are as they were then.
    """
    p, as_hdf5 = solver.param, solver.param.snapshot_format == caffe_pb2.SolverParameter.HDF5
    if not 0 <= solver.iter <= MOST:
        raise SolverError(f"iter is {solver.iter}: a snapshot holds numbers from 0 to {MOST}")
    suffix = ".h5" if as_hdf5 else ""
    stem = f"{prefix(p, solver.path)}_iter_{solver.iter}"
    model, state = f"{stem}.caffemodel{suffix}", f"{stem}.solverstate{suffix}"
    write_model = hdf5.save if as_hdf5 else caffemodel.save
    write_state = _save_hdf5 if as_hdf5 else _save_proto
    snapshot_pair.replace(
        model,
        state,
        lambda path: write_model(solver.net, path, p.snapshot_diff),
        lambda path, digest: write_state(solver, path, os.fsencode(model), digest.encode()),
        _digest_hdf5 if as_hdf5 else _digest_proto,
    )
    return model, state


def _step(solver):
    """Return the number of steps passed at the last iteration, which is what Caffe writes."""
    return lr_policy.steps_passed(solver.param, max(0, solver.iter - 1))


def _save_proto(solver, path, model, digest):
    state = caffe_pb2.SolverState(iter=solver.iter, current_step=_step(solver))
    # As bytes, because a path need not be UTF-8, and the digest is not a field of Caffe's message.
    learned_net = number(caffe_pb2.SolverState, "learned_net")
    for field, content in ((learned_net, model), (DIGEST_FIELD, digest)):
        state.MergeFromString(head(field, len(content)) + content)
    for h in solver.history:
        to_blob_proto(state.history.add(), h.cpu().numpy())
    write_message(path, state)


def _save_hdf5(solver, path, model, digest):
    with layout() as made:
        f = made.file
        # the types that Caffe's own reader expects: C ints, and a zero-terminated string
        f["iter"] = np.array([solver.iter], np.int32)
        f["current_step"] = np.array([_step(solver)], np.int32)
        f["learned_net"] = np.array(model, f"S{len(model) + 1}")
        f[DIGEST_NAME] = np.array(digest, f"S{len(digest) + 1}")
        f.create_group("history")
        for i, h in enumerate(solver.history):
            made.add(f"history/{i}", h.cpu().numpy())
    write_whole(path, made.write_to)


# Reading


def load(solver: TrainedSolver, path: str) -> None:
    """Restore iteration, history and weights of a solver.

    Parameters
    ----------
    solver : TrainedSolver
    path : str
        A .solverstate or .solverstate.h5 file. The weights are searched for where it says, then in
        its own folder, then under its own name.

    Raises
    ------
    WeightsError
        If the file does not fit the solver, or the weights are not those of this state. The solver
        has not changed then. After an exception from outside, as of Ctrl-C, either nothing has
        changed, or weights, history and iteration have.
    """
    _check_missing(path)
    check_file(path, "solver state")
    state = (_read_hdf5 if is_hdf5(path) else _read_proto)(path, solver)
    history = []
    for i, (h, own) in enumerate(zip(state.history, solver.history)):
        _check_values(path, i, h, solver)
        history.append(torch.from_numpy(h.astype(np.float32).reshape(own.shape)))
    _warn_if_steps_differ(solver, path, state.iteration, state.step)

    def go_on():
        solver.iter, solver.history = state.iteration, history

    if state.model:
        weights = snapshot_pair.find_weights(path, state.model, state.digest)
        with solver.net._one_caller:
            caffemodel.load(solver.net, weights, go_on)
    else:
        log.warning("%s names no weights: the net keeps those that it has", shown(path))
        put_all((), (), go_on)


def _check_missing(path):
    """Raise WeightsError if there is no such file, naming the state that may be meant."""
    if os.path.exists(path):
        return
    stem = path.removesuffix(".h5")
    others = (f"{path}.h5", stem, f"{path}.solverstate", f"{path}.solverstate.h5")
    meant = [other for other in others if other != path and os.path.isfile(other)]
    if not meant:
        meant = _of_other_iterations(stem)
    hint = f": there is {' and '.join(meant[-5:])}" if meant else ""
    raise WeightsError(f"{path}: no such solver state (looked in {os.getcwd()}){hint}")


def _of_other_iterations(stem):
    """Return the states whose names differ from `stem` only in the iteration, newest last."""
    start = stem.rpartition("_iter_")[0]
    if not start or "\0" in stem:
        return []
    found = glob.glob(f"{glob.escape(start)}_iter_*.solverstate*")
    return sorted((f for f in found if f.endswith((".solverstate", ".h5"))), key=os.path.getmtime)


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
            shown(path),
            step,
            iteration,
            passed,
        )


def _check_number(path, number, solver):
    if number != len(solver.history):
        raise WeightsError(
            f"{path}: holds {number} history blobs, this {solver.type} solver keeps "
            f"{len(solver.history)}: it is of another solver or net"
        )


def _check_shape(path, i, stored, own):
    """Raise WeightsError unless the shapes agree but for ones in front, which old files have."""
    if _without_ones(stored) != _without_ones(own):
        raise WeightsError(
            f"{path}: history {i} has shape {tuple(stored)}, this net needs {tuple(own)}: it "
            "is of another net"
        )


def _without_ones(shape):
    first = next((axis for axis, d in enumerate(shape) if d != 1), len(shape))
    return tuple(shape[first:])


def _check_values(path, i, values, solver):
    """Raise WeightsError for a history that would make the weights NaN."""
    if not np.isfinite(values).all():
        raise WeightsError(
            f"{path}: history {i} holds values that are not finite: that training had diverged, or "
            "the file is damaged: restore an earlier snapshot"
        )
    slot = i // max(1, len(solver.net._learned))
    if slot in SQUARES.get(solver.type, ()) and (values < 0).any():
        raise WeightsError(
            f"{path}: history {i} has values below 0, but {solver.type} keeps squares there: it is "
            "of another solver, or damaged"
        )


def _whole(path, name, value):
    """Return a number of iterations or steps as int; raise WeightsError if it is none."""
    value = value.item() if isinstance(value, np.generic) else value
    if not (isinstance(value, int | float) and 0 <= value <= MOST and value % 1 == 0):
        raise WeightsError(
            f"{path}: {name} is {value}, must be from 0 to {MOST}: the file is damaged"
        )
    return int(value)


def _digest(path, content):
    """Return a stored digest as text; raise WeightsError for what is none."""
    text = content.decode("ascii", "replace")
    if text and not (len(text) == DIGEST_LENGTH and set(text) <= set("0123456789abcdef")):
        raise WeightsError(f"{path}: the digest of its weights is damaged: restore another one")
    return text


def _read_proto(path, solver):
    """Return the State of a .solverstate."""
    state = read_message(path, caffe_pb2.SolverState(), "a .solverstate")
    unknown = UnknownFieldSet(state)
    if not state.HasField("iter"):
        layers = any(field.field_number == LAYERS for field in unknown)
        raise WeightsError(
            f"{path} holds no iteration: it is not a .solverstate{_of_weights(path, layers)}"
        )
    _check_number(path, len(state.history), solver)
    with np.errstate(over="ignore", invalid="ignore"):  # infinity is refused later
        history = [to_array(b, f"{path}: history {i}") for i, b in enumerate(state.history)]
    for i, (h, own) in enumerate(zip(history, solver.history)):
        _check_shape(path, i, h.shape, own.shape)
    digests = [f.data for f in unknown if (f.field_number, f.wire_type) == (DIGEST_FIELD, LENGTH)]
    return State(
        _whole(path, "iter", state.iter),
        _whole(path, "current_step", state.current_step),
        os.fsdecode(state.learned_net),  # bytes if it is not UTF-8, as paths may be
        _digest(path, digests[-1] if digests else b""),
        history,
    )


def _of_weights(path, layers):
    """Say how to go on if a file holds weights in place of a state."""
    if not layers:
        return ""
    state = path.replace(".caffemodel", ".solverstate")
    there = f"restore {state}" if state != path and os.path.isfile(state) else "restore its state"
    return f" but weights: {there}, or load them alone with net.copy_from"


def _digest_proto(path):
    """Return the digest in a .solverstate without reading its history; "" for none."""
    found = b""
    with open_message(path, "a .solverstate") as f:
        wire = Wire(f)
        for field, kind, _, begin, end in wire.fields(0, os.path.getsize(path)):
            if (field, kind) == (DIGEST_FIELD, LENGTH):
                found = wire.bytes(begin, end)
    return _digest(path, found)


def _read_hdf5(path, solver):
    """Return the State of a .solverstate.h5."""
    try:
        hdf5_heaps.check_file(path)
        with h5py.File(path, "r") as f:
            stored = member(f, "history")
            if not isinstance(stored, h5py.Group) or member(f, "iter") is None:
                what = _of_weights(path, member(f, "data") is not None)
                raise WeightsError(f"{path} holds no history: it is not a .solverstate.h5{what}")
            _check_number(path, len(stored), solver)
            history = [member(stored, str(i)) for i in range(len(stored))]
            for i, (h, own) in enumerate(zip(history, solver.history)):
                if not isinstance(h, h5py.Dataset):
                    raise WeightsError(f"{path} is damaged: it has no dataset history/{i}")
                _check_shape(path, i, h.shape or (), own.shape)
                check_dataset(h)
            return State(
                _whole(path, "iter", _single(f, "iter")),
                _whole(path, "current_step", _single(f, "current_step", 0)),
                os.fsdecode(_single(f, "learned_net", b"")),
                _digest(path, _single(f, DIGEST_NAME, b"")),
                [np.asarray(h, np.float32) for h in history],
            )
    except CaffeError:
        raise
    except (*DAMAGE, IndexError, ArithmeticError) as e:
        raise WeightsError(f"{path} is not a .solverstate.h5, or is damaged: {e}") from None


def _digest_hdf5(path):
    """Return the digest in a .solverstate.h5; "" for none."""
    try:
        hdf5_heaps.check_file(path)
        with h5py.File(path, "r") as f:
            return _digest(path, _single(f, DIGEST_NAME, b""))
    except CaffeError:
        raise
    except DAMAGE as e:
        raise WeightsError(f"{path} is not a .solverstate.h5, or is damaged: {e}") from None


def _single(file, name, default=None):
    """Return the only value of a dataset, a number or bytes; `default` if there is no dataset."""
    data = member(file, name)
    if data is None and default is not None:
        return default
    if not isinstance(data, h5py.Dataset):
        raise Refused(f"it has no dataset {name}")
    if data.size != 1 or data.dtype.itemsize > MOST_BYTES or data.is_virtual or data.external:
        raise Refused(f"{name} is not a single value")
    return np.ravel(data[()])[0]
