"""`Net.to_module`: the same values and gradients as the Net, over the same memory."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import caffe
from caffe.errors import CaffeError, LayerError, ShapeMismatch
from tests.caffe.bridge_nets import CLASSIFIER, FCN, data, layer
from tests.caffe.training.small_solver import NET


@pytest.fixture
def filled(make_net):
    """Return filled(text, phase) -> a Net with noise in weights and inputs."""

    def filled(text, phase=caffe.TEST, **kwargs):
        net, rng = make_net(text, phase, **kwargs), np.random.default_rng(0)
        for blobs in net.params.values():
            for blob in blobs:
                blob.data[...] = 0.3 * rng.normal(size=blob.shape)
        for name in net.inputs:
            net.blobs[name].data[...] = rng.normal(size=net.blobs[name].shape)
        for name, blobs in net.params.items():
            if net.layer_dict[name].type == "BatchNorm":
                blobs[1].data[...] = np.abs(blobs[1].data) + 0.1
                blobs[2].data[...] = 2
        return net

    return filled


def inputs(net, module):
    return [torch.from_numpy(net.blobs[name].data.copy()) for name in module.input_names]


@pytest.mark.parametrize("text", [FCN, CLASSIFIER])
def test_same_values_and_gradients_as_the_net(filled, text):
    net = filled("force_backward: true " + text)
    module = net.to_module()
    assert module.input_names == net.inputs and module.output_names == net.outputs
    (x,) = inputs(net, module)
    x.requires_grad_()
    out, wanted = module(x), net.forward()[net.outputs[0]]
    np.testing.assert_allclose(out.detach(), wanted, rtol=1e-5, atol=1e-6)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    (out * weight).sum().backward()
    net.blobs[net.outputs[0]].diff[...] = weight
    net.clear_param_diffs()
    net.backward()
    pairs = [(x.grad, net.blobs[net.inputs[0]].diff)]
    for name, parameter in module.named_parameters():
        owner, _, what = name.rpartition(".")
        if parameter.requires_grad:
            theirs = net.params[owner][what == "bias"].diff
            pairs.append((parameter.grad, theirs.T if name == "fc2.weight" else theirs))
    assert len(pairs) > 10
    for mine, theirs in pairs:
        assert np.abs(theirs).max() > 0
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


def test_stages_composed_are_the_net(filled):
    """Clockwork stages: each module returns the blobs that later ones read."""
    net = filled(FCN)
    wanted = net.forward(blobs=["score"])["score"]
    shallow = net.to_module("conv1", "score_low")
    deep = net.to_module("conv2", "upscore")
    fuse = net.to_module("crop", "score")
    assert shallow.output_names == ["pool1", "score_low"] and deep.input_names == ["pool1"]
    assert fuse.input_names == ["upscore", "score_low", "data"]
    (x,) = inputs(net, net.to_module())
    low = shallow(x)
    assert list(low) == shallow.output_names
    high = deep(pool1=low["pool1"])
    out = fuse(high, data=x, score_low=low["score_low"])
    np.testing.assert_allclose(out.detach(), wanted, rtol=1e-5, atol=1e-5)


def test_a_stage_may_begin_or_end_next_to_an_in_place_layer(filled):
    net = filled(FCN)
    (x,) = inputs(net, net.to_module())
    module = net.to_module(end="conv1")
    assert module.output_names == ["conv1"]
    net.forward(end="conv1")
    low = module(x)
    np.testing.assert_allclose(low.detach(), net.blobs["conv1"].data, rtol=1e-5, atol=1e-5)
    assert low.min() < 0
    relu = net.to_module("relu1", "relu1")
    assert relu.input_names == relu.output_names == ["conv1"]
    assert torch.equal(relu(low), low.relu()) and low.min() < 0


def test_memory_is_shared_both_ways(filled):
    net = filled(FCN)
    module = net.to_module()
    parameter = dict(module.named_parameters())["conv1.weight"]
    with torch.no_grad():
        parameter.fill_(0.5)
    assert (net.params["conv1"][0].data == 0.5).all()
    net.params["conv1"][1].data[...] = 7
    assert (module._modules["conv1"].bias == 7).all()
    assert list(module.state_dict()) == list(net.state_dict())
    out = module(*inputs(net, module))
    np.testing.assert_allclose(out.detach(), net.forward()["score"], rtol=1e-5, atol=1e-5)
    module.load_state_dict({k: torch.ones_like(t) for k, t in module.state_dict().items()})
    assert (net.params["conv2"][0].data == 1).all()


def test_torch_optim_trains_the_net_as_the_solver_does(make_solver):
    """SGD without momentum is the same rule in both, if all lr_mult are equal."""
    text = NET.replace("lr_mult: 2", "lr_mult: 1").replace("lr_mult: 0.5", "lr_mult: 1")
    solver = make_solver('base_lr: 0.1 lr_policy: "fixed" random_seed: 1 ', text)
    net = make_solver('base_lr: 0.1 lr_policy: "fixed" random_seed: 1 ', text).net
    module = net.to_module()
    assert module.input_names == ["data", "label"] and module.training
    start = net.params["low"][0].data.copy()
    fixed = dict(module.named_parameters())["score.bias"]
    assert not fixed.requires_grad  # lr_mult 0
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.1)
    for _ in range(5):
        solver.step(1)
        optimizer.zero_grad()
        module(*inputs(net, module)).backward()
        optimizer.step()
    assert (net.params["low"][0].data != start).any()
    for name, blobs in solver.net.params.items():
        for mine, theirs in zip(net.params[name], blobs):
            np.testing.assert_allclose(mine.data, theirs.data, rtol=1e-4, atol=1e-6)


def test_weights_shared_by_name_are_one_parameter(make_net):
    params = 'param { name: "w" } inner_product_param { num_output: 3 bias_term: false }'
    net = make_net(
        data(2, 3)
        + layer("a", "InnerProduct", "data", params)
        + layer("b", "InnerProduct", "a", params)
    )
    module = net.to_module()
    assert len(list(module.parameters())) == 1
    assert module._modules["a"].weight is module._modules["b"].weight


NORMED = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 8 dim: 3 dim: 4 dim: 4 } } }
layer { name: "bn" type: "BatchNorm" bottom: "data" top: "bn" }
layer { name: "drop" type: "Dropout" bottom: "bn" top: "drop" }
"""


def test_train_and_eval_are_the_phases(filled):
    train, test = filled(NORMED, caffe.TRAIN), filled(NORMED)
    module = test.to_module()
    assert not module.training and train.to_module().training
    (x,) = inputs(test, module)
    np.testing.assert_array_equal(module(x), test.forward()["drop"])
    module.train()
    scale = float(test.params["bn"][2].data[0])
    caffe.set_random_seed(3)
    mine = module(x)
    assert 140 < int((mine == 0).sum()) < 244  # of 384, about half
    assert float(test.params["bn"][2].data[0]) == pytest.approx(0.999 * scale + 1)
    caffe.set_random_seed(3)
    np.testing.assert_array_equal(mine, train.forward()["drop"])
    for ours, theirs in zip(test.params["bn"], train.params["bn"]):
        np.testing.assert_array_equal(ours.data, theirs.data)
    assert [n for n, _ in module.named_buffers()] == [
        "bn.sum_mean",
        "bn.sum_var",
        "bn.scale_factor",
    ]
    fixed = filled(NORMED.replace('top: "drop"', 'top: "drop" phase: TEST'), caffe.TRAIN)
    out = fixed.to_module()(x)
    assert not (out == 0).any()  # the prototxt fixes the phase


def test_gradients_in_double_precision_against_finite_differences(filled):
    module = copy.deepcopy(
        filled(CLASSIFIER.replace("dim: 13 dim: 11", "dim: 7 dim: 7")).to_module()
    ).double()
    x = torch.randn(2, 3, 7, 7, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(module, x.requires_grad_(), fast_mode=True)


def test_part_of_a_larger_model(filled):
    net = filled(FCN)
    body = net.to_module("conv1", "pool1")
    model = nn.Sequential(body, nn.Flatten(), nn.LazyLinear(2))
    (x,) = inputs(net, net.to_module())
    assert model(x).shape == (1, 2)
    assert "0.conv1.weight" in model.state_dict() and "Convolution, data -> conv1" in repr(model)


def test_a_copy_has_weights_of_its_own(filled):
    net = filled(FCN)
    module = copy.deepcopy(net.to_module())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert (net.params["conv1"][0].data != 0).any()


def test_names_that_pytorch_uses_or_refuses(filled):
    names = {"conv1": "type", "conv2": "a.b", "score_low": "inception_3a/1x1"}
    text = FCN
    for old, new in names.items():
        text = text.replace(f'name: "{old}"', f'name: "{new}"')
    net = filled(text)
    module = net.to_module()
    assert {"type.weight", "a.b.weight", "inception_3a/1x1.bias"} <= set(module.state_dict())
    out = module(*inputs(net, module)).detach()
    np.testing.assert_allclose(out, net.forward()["score"], rtol=1e-5, atol=1e-5)


def test_labels_may_be_integers(filled):
    net = filled(NET)
    module = net.to_module()
    rows = torch.from_numpy(net.blobs["data"].data.copy())
    label = torch.tensor([[0], [1], [2], [0]])
    net.blobs["label"].data[...] = label
    assert module(rows, label).item() == pytest.approx(float(net.forward()["loss"]), rel=1e-6)


SOURCE = (
    'layer { name: "source" type: "DummyData" top: "data" dummy_data_param { shape { dim: 2 } } }'
)
PYTHON = (
    'layer { name: "py" type: "Python" bottom: "data" top: "out" python_param { '
    'module: "identity_layers" layer: "Same" } }'
)


def test_sources_and_python_layers_are_refused(make_net, tmp_path, monkeypatch):
    (tmp_path / "identity_layers.py").write_text(
        "import caffe\n"
        "class Same(caffe.Layer):\n"
        "    def reshape(self, bottom, top):\n"
        "        top[0].reshape(*bottom[0].shape)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    relu = 'layer { name: "relu" type: "ReLU" bottom: "data" top: "relu" }'
    net = make_net(SOURCE + relu + PYTHON)
    with pytest.raises(LayerError, match="'source' .DummyData.*data of its own.*start="):
        net.to_module()
    with pytest.raises(LayerError, match="'py' .Python.*numpy"):
        net.to_module("relu")
    assert net.to_module("relu", "relu")(torch.tensor([-1.0, 2.0])).tolist() == [0, 2]


def test_inputs_that_do_not_fit_are_refused(filled):
    net = filled(CLASSIFIER)
    module, x = net.to_module(), torch.zeros(2, 3, 13, 11)
    for args, named in (((), {}), ((x, x), {}), ((), {"date": x}), ((x,), {"data": x})):
        with pytest.raises(CaffeError, match="takes the blobs data"):
            module(*args, **named)
    with pytest.raises(CaffeError, match="'data' is a ndarray"):
        module(x.numpy())
    with pytest.raises(ShapeMismatch, match="'fc1'.*weights are"):
        module(torch.zeros(2, 3, 17, 11))
    with pytest.raises(ShapeMismatch, match="'conv1'"):
        module(torch.zeros(2, 4, 13, 11))
    with pytest.raises(LayerError, match="cannot run on inputs"):
        module(x.bool().float().to("meta"))
    with pytest.raises(CaffeError, match="no layer of that name"):
        net.to_module("conv9")
    with pytest.raises(CaffeError, match="comes after"):
        net.to_module("prob", "conv1")


@pytest.mark.parametrize(
    "trace",
    [
        lambda module, x, path: torch.jit.trace(module, x),
        lambda module, x, path: torch.jit.trace(module, x, check_trace=False),
        lambda module, x, path: torch.onnx.export(module, (x,), path, dynamo=False),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tracing_is_refused(make_net, tmp_path, trace):
    """TorchScript takes some sizes for constants; a traced FCN gave 248 rows for 256."""
    module, x = make_net(FCN).to_module(), torch.zeros(1, 3, 21, 17)
    with pytest.raises(CaffeError, match=r"torch.onnx.export\(..., dynamo=True\)"):
        trace(module, x, str(tmp_path / "net.onnx"))
    assert not (tmp_path / "net.onnx").exists()
    assert module(x).shape[2:] == (21, 17)  # usable afterwards
