"""Snapshots: {prefix}_iter_{n}.caffemodel with .solverstate, or both as HDF5.

The state holds the iteration, the step of the learning rate and the update rule's history.
"""
import os

import numpy as np
import torch

from . import lr_policy
from .errors import WeightsError
from .proto import caffe_pb2
from .weights import HDF5_MAGIC, read_message, to_blob_proto, write_whole


def save(solver):
    """Write both files; their paths (weights, state). WeightsError where the folder is missing."""
    p, hdf5 = solver.param, solver.param.snapshot_format == caffe_pb2.SolverParameter.HDF5
    stem = '%s_iter_%d' % (p.snapshot_prefix, solver.iter)
    model = stem + ('.caffemodel.h5' if hdf5 else '.caffemodel')
    state = stem + ('.solverstate.h5' if hdf5 else '.solverstate')
    (solver.net.save_hdf5 if hdf5 else solver.net.save)(model)
    (_save_hdf5 if hdf5 else _save_proto)(solver, state, model)
    return model, state


def _save_proto(solver, path, model):
    state = caffe_pb2.SolverState(iter=solver.iter, learned_net=model,
                                  current_step=lr_policy.steps_passed(solver.param, solver.iter))
    for h in solver.history:
        to_blob_proto(state.history.add(), h.cpu().numpy())

    def write(part):
        with open(part, 'wb') as f:
            f.write(state.SerializeToString())
    write_whole(path, write)


def _save_hdf5(solver, path, model):
    import h5py

    def write(part):
        with h5py.File(part, 'w') as f:
            f['iter'], f['learned_net'] = solver.iter, model
            f['current_step'] = lr_policy.steps_passed(solver.param, solver.iter)
            for i, h in enumerate(solver.history):
                f['history/%d' % i] = h.cpu().numpy()
    write_whole(path, write)


def load(solver, path):
    """Restore iteration, history and weights; WeightsError where the file does not fit the solver."""
    if not os.path.isfile(path):
        raise WeightsError('%s: no such solver state' % path)
    with open(path, 'rb') as f:
        hdf5 = f.read(8) == HDF5_MAGIC
    iteration, model, history = (_read_hdf5 if hdf5 else _read_proto)(path)
    if len(history) != len(solver.history):
        raise WeightsError('%s: holds %d history blobs, this %s solver keeps %d: it is of another '
                           'solver or net' % (path, len(history), solver.type, len(solver.history)))
    for i, (h, mine) in enumerate(zip(history, solver.history)):
        if h.size != mine.numel():
            raise WeightsError('%s: history %d has shape %s, this net needs %s'
                               % (path, i, h.shape, tuple(mine.shape)))
    if model:
        solver.net.copy_from(_beside(path, model))
    solver.iter = iteration
    solver.history = [torch.from_numpy(h.astype(np.float32).reshape(m.shape))
                      for h, m in zip(history, solver.history)]


def _beside(path, model):
    """The weights where the state says, or else in the state's own folder (it may have moved)."""
    near = os.path.join(os.path.dirname(path), os.path.basename(model))
    return model if os.path.exists(model) or not os.path.exists(near) else near


def _read_proto(path):
    state = read_message(path, caffe_pb2.SolverState(), 'a .solverstate')
    return state.iter, state.learned_net, [np.array(b.data, np.float32) for b in state.history]


def _read_hdf5(path):
    import h5py
    try:
        with h5py.File(path, 'r') as f:
            model = f['learned_net'][()] if 'learned_net' in f else b''
            history = [f['history/%d' % i][()] for i in range(len(f['history']))]
            model = model.decode() if isinstance(model, bytes) else str(model)
            return int(np.ravel(f['iter'][()])[0]), model, history
    except (OSError, KeyError, ValueError) as e:
        raise WeightsError('%s is no .solverstate.h5, or damaged: %s' % (path, e)) from None
