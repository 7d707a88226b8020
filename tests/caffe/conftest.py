"""Fixtures for tests of caffe: nets from text, and gradients against finite differences."""

import itertools

import numpy as np
import pytest

import caffe
from tests.caffe.training.small_solver import NET


@pytest.fixture(autouse=True)
def cpu_in_float32():
    """Restore the defaults after each test, because mode and precision belong to the process."""
    yield
    caffe.set_mode_cpu()
    caffe.set_precision("float32")


@pytest.fixture
def write(tmp_path):
    """Return write(text) -> path of a new prototxt with that text."""
    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"{next(numbers)}.prototxt"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def make_net(write):
    """Return make_net(text, phase=TEST, ...) -> Net."""

    def make_net(text, phase=caffe.TEST, **kwargs):
        return caffe.Net(write(text), phase, **kwargs)

    return make_net


@pytest.fixture
def make_solver(write, tmp_path):
    """Return make_solver(parameters, net=NET) -> a solver with filled inputs."""

    def make_solver(parameters, net=NET, name="net"):
        path = write(f'{name}: "{write(net)}" snapshot_prefix: "{tmp_path}/snap" {parameters}')
        solver = caffe.get_solver(path)
        rng = np.random.default_rng(0)
        for n in [solver.net, *solver.test_nets]:
            n.blobs["data"].data[...] = rng.normal(size=(4, 3, 1, 1))
            n.blobs["label"].data[:, 0] = [0, 1, 2, 0]
        return solver

    return make_solver


@pytest.fixture
def one_layer(make_net):
    """Return one_layer(layer, *shapes) -> a Net of Inputs `in0`, `in1`, ... and one layer.

    Inputs and weights are filled with noise. `layer` is the type and parameters of the prototxt.
    Its tops are those it names itself, else `top`, or none if `tops` is False.
    """

    def one_layer(layer, *shapes, phase=caffe.TEST, force_backward=True, seed=0, tops=True):
        inputs = "".join(
            f'layer {{ name: "in{i}" type: "Input" top: "in{i}" '
            f"input_param {{ shape {{ {' '.join(f'dim: {d}' for d in shape)} }} }} }}\n"
            for i, shape in enumerate(shapes)
        )
        bottoms = " ".join(f'bottom: "in{i}"' for i in range(len(shapes)))
        tops = 'top: "top"' if tops and "top:" not in layer else ""
        net = make_net(
            f"{'force_backward: true' if force_backward else ''} {inputs} "
            f'layer {{ name: "layer" {bottoms} {tops} {layer} }}',
            phase,
        )
        rng = np.random.default_rng(seed)
        for i in range(len(shapes)):
            net.blobs[f"in{i}"].data[...] = rng.normal(size=shapes[i])
        for blobs in net.params.values():
            for blob in blobs:
                blob.data[...] = rng.normal(size=blob.shape)
        return net

    return one_layer


@pytest.fixture
def check_gradients():
    """Return check_gradients(net, top, ...), which compares backward with finite differences."""
    return _check_gradients


def _check_gradients(net, top="top", skip=(), step=1e-2, tolerance=2e-3, places=8):
    """Compare backward with central differences of sum(weight * top).

    Some random entries of each input and each weight are checked.
    """
    rng = np.random.default_rng(1)
    net.forward()
    weight = rng.normal(size=net.blobs[top].shape)

    def objective():
        net.forward()
        return float((net.blobs[top].data.astype(np.float64) * weight).sum())

    net.clear_param_diffs()
    net.blobs[top].diff[...] = weight
    net.backward()
    blobs = {name: net.blobs[name] for name in net.inputs if name not in skip}
    blobs |= {
        f"{layer}[{i}]": blob for layer, own in net.params.items() for i, blob in enumerate(own)
    }
    assert blobs
    for name, blob in blobs.items():
        got = blob.diff.copy().ravel()
        values = blob.data.reshape(-1)
        chosen = rng.choice(values.size, min(places, values.size), replace=False)
        wanted = []
        for k in chosen:
            value = values[k]
            values[k] = value + step
            above = objective()
            values[k] = value - step
            wanted.append((above - objective()) / (2 * step))
            values[k] = value
        scale = max(np.abs(wanted).max(), 1e-2)
        np.testing.assert_allclose(
            got[chosen], wanted, atol=tolerance * scale, rtol=0, err_msg=name
        )
