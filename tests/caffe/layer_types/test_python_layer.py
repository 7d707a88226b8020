"""Python layers: the user's class in a net, its gradient, its weights and its errors."""

import sys

import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, LayerError, ShapeMismatch

MODULE = '''
import ast
import numpy as np
import caffe


class Scale(caffe.Layer):
    """top = factor * bottom; the factor is given as a literal."""
    def setup(self, bottom, top):
        if len(bottom) != 1:
            raise Exception("needs one bottom")
        self.factor = ast.literal_eval(self.param_str)["factor"]

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.factor * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            bottom[0].diff[...] = self.factor * top[0].diff


class Frames(caffe.Layer):
    """Data whose size changes from frame to frame."""
    def setup(self, bottom, top):
        self.t = 0

    def reshape(self, bottom, top):
        top[0].reshape(1, 1, 3 + self.t, 4)

    def forward(self, bottom, top):
        top[0].data[...] = self.t
        self.t += 1


class Weighted(caffe.Layer):
    """top = w * bottom, w learned."""
    def __init__(self):
        pass    # does not call caffe.Layer.__init__

    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = 2

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.blobs[0].data[0] * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0] += (top[0].diff * bottom[0].data).sum()
        bottom[0].diff[...] = self.blobs[0].data[0] * top[0].diff


class Loss(caffe.Layer):
    """Half the sum of squares."""
    def reshape(self, bottom, top):
        top[0].reshape(1)

    def forward(self, bottom, top):
        top[0].data[0] = (bottom[0].data ** 2).sum() / 2

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = bottom[0].data * top[0].diff[0]


class Broken(caffe.Layer):
    """Fails in the method that param_str names."""
    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "param_str"):
            def method(*args):
                raise KeyError("mine")
            method.__name__ = name
            return method
        return object.__getattribute__(self, name)


class NoLayer:
    pass
'''
DATA = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }\n'


def python(name, bottom="data", param_str="", module="user_layers", layer="Scale", more=""):
    bottom = f'bottom: "{bottom}"' if bottom else ""
    return (
        f'layer {{ name: "{name}" type: "Python" {bottom} top: "{name}" {more} python_param {{ '
        f'module: "{module}" layer: "{layer}" param_str: "{param_str}" }} }}\n'
    )


@pytest.fixture(autouse=True)
def user_layers(tmp_path, monkeypatch):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "user_layers.py").write_text(MODULE)
    (folder / "broken_module.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("user_layers", None)


SCALE = python("p", param_str="{'factor': 3}")


def test_forward_and_backward(make_net, check_gradients):
    net = make_net("force_backward: true " + DATA + SCALE)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_allclose(net.forward()["p"], 3 * net.blobs["data"].data)
    check_gradients(net, "p")


def test_attributes_of_the_layer(make_net):
    net = make_net(DATA + SCALE, caffe.TRAIN)
    layer = net.layers[1]
    assert isinstance(layer, caffe.Layer) and net.layer_dict["p"] is layer
    assert (layer.type, layer.name, layer.phase) == ("Python", "p", caffe.TRAIN)
    assert layer.param_str == "{'factor': 3}" and "p" not in net.params


def test_param_str_is_never_evaluated(make_net, tmp_path):
    trap = tmp_path / "trap"
    with pytest.raises(ValueError):
        make_net(DATA + python("p", param_str=f"open('{trap}', 'w')"))
    assert not trap.exists()


def test_reshape_at_each_forward(make_net):
    net = make_net(
        python("f", bottom="", layer="Frames")
        + 'layer { name: "p" type: "Power" bottom: "f" top: "p" '
        "power_param { shift: 1 } }"
    )
    for t in range(3):
        out = net.forward()["p"]
        assert out.shape == (1, 1, 3 + t, 4) and (out == t + 1).all()


def test_learned_blobs(make_net, tmp_path):
    text = (
        "force_backward: true " + DATA + python("w", layer="Weighted", more="param { lr_mult: 2 }")
    )
    net = make_net(text)
    assert net.params["w"][0].data[0] == 2 and net._learned[0].lr_mult == 2
    net.blobs["data"].data[...] = 1
    net.forward()
    for n in (1, 2):
        net.backward(w=np.ones((2, 3)))
        assert net.params["w"][0].diff[0] == 6 * n
    net.params["w"][0].data[0] = 5
    net.save(tmp_path / "w.caffemodel")
    other = make_net(text, weights=tmp_path / "w.caffemodel")
    assert other.layers[1].blobs[0].data[0] == 5 and (other.forward()["w"] == 0).all()


def test_learned_blobs_shared_by_name(make_net):
    share = 'param { name: "w" }'
    net = make_net(
        DATA
        + python("a", layer="Weighted", more=share)
        + python("b", "a", layer="Weighted", more=share)
    )
    assert net.layer_dict["b"].blobs[0] is net.params["a"][0] is net.params["b"][0]
    net.params["a"][0].data[0] = 3
    net.blobs["data"].data[...] = 1
    assert (net.forward()["b"] == 9).all()


def test_a_python_loss_trains_a_python_weight(write, make_net):
    net = write(
        DATA
        + python("w", layer="Weighted")
        + python("loss", "w", layer="Loss", more="loss_weight: 0.5")
    )
    solver = caffe.SGDSolver(write(f'net: "{net}" base_lr: 0.1 lr_policy: "fixed"'))
    solver.net.blobs["data"].data[...] = 1
    solver.step(1)
    assert solver.net.blobs["loss"].data[0] == 12  # 6 values of (2 * 1)^2 / 2
    np.testing.assert_allclose(solver.net.params["w"][0].data, [2 - 0.1 * 0.5 * 12], rtol=1e-6)


def test_loss_weight_follows_a_reshape(make_net):
    net = make_net(python("f", bottom="", layer="Frames", more="loss_weight: 2"))
    for _ in range(3):
        net.forward()
        assert (net.blobs["f"].diff == 2).all()


def test_another_layer_reads_the_same_bottom(make_net):
    """A user's backward overwrites diffs; the net adds them up, in any order."""
    power = 'layer { name: "%s" type: "Power" bottom: "%s" top: "%s" power_param { scale: %d } }\n'
    for first, second in ((SCALE, power % ("q", "d", "q", 5)), (power % ("q", "d", "q", 5), SCALE)):
        net = make_net(
            "force_backward: true "
            + DATA
            + power % ("d", "data", "d", 1)
            + (first + second).replace('"data" top: "p"', '"d" top: "p"')
        )
        net.forward()
        for _ in range(2):
            net.backward(p=np.ones((2, 3)), q=np.ones((2, 3)))
            assert (net.blobs["d"].diff == 8).all()


@pytest.mark.parametrize("method", ["setup", "reshape", "forward", "backward"])
def test_the_users_exception_gets_a_note_that_names_the_layer(make_net, method):
    with pytest.raises(KeyError, match="mine") as caught:
        net = make_net(
            "force_backward: true " + DATA + python("p", layer="Broken", param_str=method)
        )
        net.forward()
        net.backward()
    assert f"in {method} of layer 'p' (Python): user_layers.Broken" in caught.value.__notes__


@pytest.mark.parametrize(
    "arguments, words",
    [
        (
            dict(module="no_such_module"),
            "no module 'no_such_module' on sys.path: add its folder to PYTHONPATH",
        ),
        (dict(module="user_layers.inner"), "no module 'user_layers.inner'"),
        (dict(module=""), "needs a module"),
        (dict(layer=""), "needs a module"),
        (dict(module=".relative"), "needs a module"),
        (dict(layer="Scales"), "no subclass of caffe.Layer called 'Scales'"),
        (dict(layer="NoLayer"), "no subclass"),
        (dict(layer="np"), "no subclass"),
    ],
)
def test_missing_modules_and_classes(make_net, arguments, words):
    with pytest.raises(LayerError, match=f"layer 'p' .*{words}"):
        make_net(DATA + python("p", **arguments))


def test_a_module_whose_own_import_fails_says_so(make_net):
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        make_net(DATA + python("p", module="broken_module"))


def test_a_top_too_large_is_refused(make_net, user_layers):
    (user_layers / "user_layers.py").write_text(MODULE.replace("1, 1, 3 + self.t, 4", "1 << 40"))
    with pytest.raises(CaffeError, match="make it smaller"):
        make_net(python("f", bottom="", layer="Frames"))


def test_a_layer_above_that_does_not_fit(make_net):
    with pytest.raises(ShapeMismatch, match="'s'"):
        make_net(
            DATA
            + python("f", bottom="", layer="Frames")
            + 'layer { name: "s" type: "Eltwise" bottom: "f" bottom: "data" top: "s" }'
        )
