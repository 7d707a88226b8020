"""Fixtures of the engine's tests: nets from text, and gradients against finite differences."""

import itertools

import numpy as np
import pytest

import caffe
from tests.caffe.training.small_solver import NET


@pytest.fixture(autouse=True)
def cpu_in_float32():
    """Mode and precision belong to the process: each test begins and ends with the defaults."""
    yield
    caffe.set_mode_cpu()
    caffe.set_precision("float32")


@pytest.fixture
def write(tmp_path):
    """write(text) -> path of a new prototxt that holds it."""
    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"{next(numbers)}.prototxt"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def make_net(write):
    """make_net(text, phase=TEST, ...) -> Net."""

    def make_net(text, phase=caffe.TEST, **kwargs):
        return caffe.Net(write(text), phase, **kwargs)

    return make_net


@pytest.fixture
def make_solver(write, tmp_path):
    """make_solver(parameters, net=NET) -> the solver of that type, its inputs filled."""

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
    """one_layer(layer, *shapes): a Net of Inputs `in0`, `in1`, ... filled with noise and one layer.

    layer: type and parameters of the prototxt; its tops are `top`, or those it names itself, or
    none where `tops` is False.
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
    """check_gradients(net, top, skip=(), step, tolerance): backward against finite differences."""
    return _check_gradients


def _check_gradients(net, top="top", skip=(), step=1e-2, tolerance=2e-3, places=8):
    """For the inputs and weights of a net: d(sum of weight times top)/d(entry) by central
    differences at some entries of each, against what backward gives."""
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
            kept = values[k]
            values[k] = kept + step
            above = objective()
            values[k] = kept - step
            wanted.append((above - objective()) / (2 * step))
            values[k] = kept
        scale = max(np.abs(wanted).max(), 1e-2)
        np.testing.assert_allclose(
            got[chosen], wanted, atol=tolerance * scale, rtol=0, err_msg=name
        )
