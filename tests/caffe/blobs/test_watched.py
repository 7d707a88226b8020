"""Writes to a watched array are noticed, reads and writes to copies are not."""

import copy
import pickle

import numpy as np
import pytest
import torch

from caffe.blobs.watched import watch


@pytest.fixture
def watched():
    """Return (plain array, watched view of it, list that grows with each write)."""
    array, writes = np.zeros((2, 3), np.float32), []
    return array, watch(array, lambda: writes.append(1)), writes


def plus(view):
    view += 0


def in_a_slice(view):
    view[0] += 0


WRITES = [
    plus,
    in_a_slice,
    lambda v: v.__setitem__(..., 0),
    lambda v: v.__setitem__((1, 2), 0),
    lambda v: v[1:].__setitem__(..., 0),
    lambda v: v.reshape(-1).__setitem__(2, 0),
    lambda v: v.T.__setitem__(0, 0),
    lambda v: v.fill(0),
    lambda v: v.put(0, 0),
    lambda v: setattr(v, "flat", 0),
    lambda v: np.copyto(v, 0),
    lambda v: np.add(v, 0, out=v),
    lambda v: np.add.at(v, (0, 0), 0),
    lambda v: np.clip(v, 0, 1, out=v),
    lambda v: v.clip(0, 1, out=v),
    lambda v: np.mean(np.zeros((2, 3), np.float32), axis=0, out=v[0]),
]


@pytest.mark.parametrize("write", WRITES)
def test_writes_of_zeros(watched, write):
    array, view, writes = watched
    write(view)
    assert writes and not array.any()


READS = [
    lambda v: (v.shape, v.dtype, v.size, len(v)),
    lambda v: (v.sum(), v.max(), v.mean(0), v.argmax(), v.any()),
    lambda v: (v[0], v[0, 1], v.T, v.reshape(-1), v[[0, 1]]),
    lambda v: (v + 1, v * v, abs(v), v @ v.T, np.dot(v, v.T), np.stack([v, v])),
    lambda v: (repr(v), str(v), list(v.flat), v.tolist()),
    lambda v: np.array(v).fill(1),
    lambda v: v.copy().fill(1),
    lambda v: v[[0, 1]].fill(1),
    lambda v: np.add(v, 1, out=np.zeros((2, 3), np.float32)),
    lambda v: copy.deepcopy(v).fill(1),
    lambda v: pickle.loads(pickle.dumps(v)).fill(1),
    lambda v: (torch.from_numpy(v), torch.tensor(v)),
]


@pytest.mark.parametrize("read", READS)
def test_reads_and_writes_to_copies(watched, read):
    array, view, writes = watched
    read(view)
    assert not writes and not array.any()


def test_results_are_ordinary_arrays_with_the_same_values(watched):
    array, view, _ = watched
    array[...] = np.arange(6).reshape(2, 3)
    same = view
    same += 1
    assert same is view and np.shares_memory(view, array)
    np.testing.assert_array_equal(array, [[1, 2, 3], [4, 5, 6]])
    for result in (view * 2, view @ view.T, np.exp(view), pickle.loads(pickle.dumps(view))):
        assert type(result) is np.ndarray
    np.testing.assert_array_equal(view * 2, array * 2)
    assert repr(view) == repr(array) and str(view) == str(array)
