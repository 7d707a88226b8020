"""Snapshots of solvers: names, content, exact resuming, and states that do not fit."""

import os

import h5py
import numpy as np
import pytest

import caffe
from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from tests.caffe.training.small_solver import BASE, NET, SETTINGS, weights


@pytest.mark.parametrize("ending", ["BINARYPROTO", "HDF5"])
@pytest.mark.parametrize("kind", SETTINGS)
def test_resuming_from_a_snapshot_is_exact(make_solver, kind, ending):
    text = (
        BASE
        + f'type: "{kind}" snapshot_format: {ending} weight_decay: 0.01 '
        + " ".join(f"{k}: {v}" for k, v in SETTINGS[kind].items())
    )
    solver = make_solver(text)
    solver.step(3)
    model, state = solver.snapshot()
    solver.step(3)
    other = make_solver(text)
    other.restore(state)
    assert other.iter == 3
    other.step(3)
    for mine, theirs in zip(weights(other.net), weights(solver.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(other.history, solver.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_names_of_snapshots(make_solver, write, tmp_path):
    solver = make_solver(BASE)
    solver.step(2)
    assert solver.snapshot() == (
        f"{tmp_path}/snap_iter_2.caffemodel",
        f"{tmp_path}/snap_iter_2.solverstate",
    )
    hdf5 = make_solver(BASE + "snapshot_format: HDF5")
    assert hdf5.snapshot() == (
        f"{tmp_path}/snap_iter_0.caffemodel.h5",
        f"{tmp_path}/snap_iter_0.solverstate.h5",
    )
    net = write(NET)
    (tmp_path / "own.prototxt").write_text(f'net: "{net}" {BASE}')
    assert (
        caffe.get_solver(tmp_path / "own.prototxt").snapshot()[0]
        == f"{tmp_path}/own_iter_0.caffemodel"
    )  # without a prefix, beside the solver and named after it
    (tmp_path / "folder").mkdir()
    (tmp_path / "own.prototxt").write_text(
        f'net: "{net}" {BASE} snapshot_prefix: "{tmp_path}/folder"'
    )
    assert (
        caffe.get_solver(tmp_path / "own.prototxt").snapshot()[0]
        == f"{tmp_path}/folder/own_iter_0.caffemodel"
    )


def test_content_of_a_state(make_solver):
    solver = make_solver('base_lr: 0.1 lr_policy: "step" gamma: 0.1 stepsize: 2 momentum: 0.9')
    solver.step(5)
    state = caffe_pb2.SolverState.FromString(open(solver.snapshot()[1], "rb").read())
    assert (state.iter, state.current_step, len(state.history)) == (5, 2, 4)
    assert state.learned_net.endswith("snap_iter_5.caffemodel")
    solver.param.snapshot_format = caffe_pb2.SolverParameter.HDF5
    with h5py.File(solver.snapshot()[1]) as f:
        assert f["iter"][()] == 5 and f["current_step"][()] == 2 and len(f["history"]) == 4


def test_snapshots_at_intervals_and_at_the_end(make_solver, tmp_path):
    make_solver(BASE + "snapshot: 2 max_iter: 5").solve()
    assert sorted(p.name for p in tmp_path.glob("*.solverstate")) == [
        f"snap_iter_{i}.solverstate" for i in (2, 4, 5)
    ]
    solver = make_solver(BASE + "max_iter: 6 snapshot_after_train: false")
    solver.solve(str(tmp_path / "snap_iter_4.solverstate"))
    assert solver.iter == 6 and not (tmp_path / "snap_iter_6.solverstate").exists()


def test_a_moved_state_finds_the_weights_beside_it(make_solver, tmp_path):
    solver = make_solver(BASE)
    solver.step(1)
    (tmp_path / "moved").mkdir()
    for path in solver.snapshot():
        (tmp_path / "moved" / path.split("/")[-1]).write_bytes(open(path, "rb").read())
        (tmp_path / path.split("/")[-1]).unlink()
    other = make_solver(BASE)
    other.restore(tmp_path / "moved/snap_iter_1.solverstate")
    np.testing.assert_array_equal(weights(other.net)[0], weights(solver.net)[0])
    for path in (tmp_path / "moved").iterdir():
        path.rename(path.with_stem("best"))
    other = make_solver(BASE)
    other.restore(tmp_path / "moved/best.solverstate")
    np.testing.assert_array_equal(weights(other.net)[0], weights(solver.net)[0])


def bad_states(solver, tmp_path):
    """Yield (words in the message, path) of states that do not fit."""
    model, state = solver.snapshot()
    content = open(state, "rb").read()
    yield "no such solver state", tmp_path / "nothing.solverstate"
    for words, bytes_ in (
        ("empty", b""),
        ("truncated", content[:-3]),
        ("web page", b"<html></html>"),
        ("damaged", b"\x89HDF\r\n\x1a\n" * 9),
    ):
        path = tmp_path / f"{words.replace(' ', '_')}.solverstate"
        path.write_bytes(bytes_)
        yield words, path
    yield "no iteration: it is not a .solverstate", model
    path = tmp_path / "other.solverstate"
    path.write_bytes(
        caffe_pb2.SolverState(
            iter=1, history=[dict(shape=dict(dim=[7]), data=[0.0] * 7)] * 4
        ).SerializeToString()
    )
    yield r"history 0 has shape \(7,\)", path
    path = tmp_path / "lost.solverstate"
    state = caffe_pb2.SolverState.FromString(content)
    state.learned_net = "lost.caffemodel"
    path.write_bytes(state.SerializeToString())
    yield "lost.caffemodel: no such weights file", path


def test_states_that_do_not_fit_change_nothing(make_solver, tmp_path):
    solver = make_solver(BASE)
    solver.step(2)
    before, history = weights(solver.net), [h.clone() for h in solver.history]
    number = 0
    for words, path in bad_states(solver, tmp_path):
        number += 1
        with pytest.raises(WeightsError, match=words):
            solver.restore(path)
        assert solver.iter == 2
        for mine, theirs in zip(weights(solver.net), before, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        for mine, theirs in zip(solver.history, history, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert number == 8


def test_a_state_of_another_solver(make_solver):
    adam = make_solver(BASE + 'type: "Adam"')
    _, state = adam.snapshot()
    with pytest.raises(WeightsError, match="holds 8 history blobs, this SGD solver keeps 4"):
        make_solver(BASE).restore(state)


def hostile(f, what):
    """Change a valid .solverstate.h5 so that reading it would need much memory or another file."""
    shape = f["history/0"].shape
    if what == "history elsewhere":
        del f["history/0"]
        f["history/0"] = h5py.ExternalLink("elsewhere.h5", "x")
    elif what == "a large history":
        del f["history/0"]
        f.create_dataset("history/0", (2**40,), "f4")
    elif what == "a history of words":
        del f["history/0"]
        f.create_dataset("history/0", shape, "S100000000")
    elif what == "a large iteration":
        del f["iter"]
        f.create_dataset("iter", (2**40,), "i4")
    elif what == "a long name":
        del f["learned_net"]
        f.create_dataset("learned_net", (1,), "S100000000")
    elif what == "no history":
        del f["history"]


@pytest.mark.parametrize(
    "what",
    [
        "history elsewhere",
        "a large history",
        "a history of words",
        "a large iteration",
        "a long name",
        "no history",
    ],
)
def test_hostile_states(make_solver, what):
    solver = make_solver(BASE + "momentum: 0.9 snapshot_format: HDF5")
    state = solver.snapshot()[1]
    with h5py.File(state, "a") as f:
        hostile(f, what)
    with pytest.raises(WeightsError, match="snap_iter_0.solverstate.h5"):
        solver.restore(state)


def test_a_state_of_millions_of_empty_blobs(make_solver, tmp_path):
    path = tmp_path / "many.solverstate"
    path.write_bytes(b"\x08\x01" + b"\x1a\x00" * 10**6)
    with pytest.raises(WeightsError, match="many.solverstate is not a .solverstate.*more than"):
        make_solver(BASE).restore(path)


@pytest.mark.parametrize("suffix", ["", ".h5"])
def test_weights_whose_name_is_not_utf8(make_solver, tmp_path, monkeypatch, suffix):
    """On Linux a file may have any name; Caffe writes its bytes as they are."""
    solver = make_solver(BASE)
    solver.step(1)
    if suffix:
        solver.param.snapshot_format = caffe_pb2.SolverParameter.HDF5
    model, state = solver.snapshot()
    monkeypatch.chdir(tmp_path)
    name = b"caf\xe9.caffemodel" + suffix.encode()
    os.rename(model, name)
    if suffix:
        with h5py.File(state, "r+") as f:
            del f["learned_net"]
            f["learned_net"] = np.array(name, f"S{len(name) + 1}")
    else:
        content = open(state, "rb").read()
        message = caffe_pb2.SolverState.FromString(content)
        message.ClearField("learned_net")
        content = message.SerializeToString() + b"\x12" + bytes([len(name)]) + name
        open(state, "wb").write(content)
    other = make_solver(BASE)
    other.restore(state)
    assert other.iter == 1
    np.testing.assert_array_equal(weights(other.net)[0], weights(solver.net)[0])
    os.remove(name)
    with pytest.raises(WeightsError, match="no such weights file"):
        make_solver(BASE).restore(state)


@pytest.mark.parametrize("form", ["BINARYPROTO", "HDF5"])
def test_a_net_without_weights(make_solver, form):
    """Its history is empty, but there."""
    net = (
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 dim: 1 '
        'dim: 1 } } } layer { name: "label" type: "Input" top: "label" input_param { shape { '
        'dim: 4 dim: 1 } } } layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" '
        'bottom: "label" top: "loss" }'
    )
    solver = make_solver(BASE + f"snapshot_format: {form}", net)
    solver.step(2)
    state = solver.snapshot()[1]
    other = make_solver(BASE + f"snapshot_format: {form}", net)
    other.restore(state)
    assert other.iter == 2 and other.history == []
