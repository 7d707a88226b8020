"""Weights under PyTorch's names: the same outputs as torch's modules, files, and errors."""

import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

import caffe
from caffe.errors import CaffeError, ShapeMismatch, WeightsError


def data(*shape):
    dims = " ".join(f"dim: {d}" for d in shape)
    return (
        f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {dims} }} }} }}'
    )


def net_of(make_net, shape, *layers, phase=caffe.TEST):
    text, bottom = data(*shape), "data"
    for name, layer in layers:
        text += f'layer {{ name: "{name}" bottom: "{bottom}" top: "{name}" {layer} }}'
        bottom = name
    return make_net(text, phase)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


CONV = 'type: "Convolution" convolution_param { num_output: 6 kernel_size: 3 group: 2 stride: 2 }'
COUNTERPARTS = {
    "Convolution": ((2, 4, 7, 8), CONV, lambda: nn.Conv2d(4, 6, 3, 2, groups=2)),
    "no bias": (
        (2, 4, 7, 8),
        'type: "Convolution" convolution_param { num_output: 6 '
        "kernel_h: 2 kernel_w: 3 bias_term: false }",
        lambda: nn.Conv2d(4, 6, (2, 3), bias=False),
    ),
    "Deconvolution": (
        (2, 4, 5, 6),
        'type: "Deconvolution" convolution_param { num_output: 6 '
        "kernel_size: 4 group: 2 stride: 2 pad: 1 }",
        lambda: nn.ConvTranspose2d(4, 6, 4, 2, 1, groups=2),
    ),
    "InnerProduct": (
        (3, 5),
        'type: "InnerProduct" inner_product_param { num_output: 4 }',
        lambda: nn.Linear(5, 4),
    ),
    "transposed": (
        (3, 5),
        'type: "InnerProduct" inner_product_param { num_output: 4 transpose: true }',
        lambda: nn.Linear(5, 4),
    ),
    "PReLU": ((2, 4, 3, 3), 'type: "PReLU"', lambda: nn.PReLU(4, 0.3)),
    "PReLU, one": (
        (2, 4, 3, 3),
        'type: "PReLU" prelu_param { channel_shared: true }',
        lambda: nn.PReLU(1, 0.3),
    ),
    "BatchNorm": (
        (3, 4, 3, 3),
        'type: "BatchNorm" batch_norm_param { eps: 1e-3 }',
        lambda: nn.BatchNorm2d(4, 1e-3, affine=False),
    ),
}


@pytest.mark.parametrize("kind", COUNTERPARTS)
def test_torchs_weights_give_torchs_output(make_net, kind):
    shape, layer, module = COUNTERPARTS[kind]
    module, net = module().eval(), net_of(make_net, shape, ("it", layer))
    if kind == "BatchNorm":
        module.running_mean.copy_(noise(4))
        module.running_var.copy_(noise(4, seed=1) ** 2 + 0.1)
    given = OrderedDict((f"it.{name}", t) for name, t in module.state_dict().items())
    assert net.load_state_dict(given) == ([], [])
    x = noise(*shape, seed=2)
    net.blobs["data"].data[...] = x
    np.testing.assert_allclose(net.forward()["it"], module(x).detach(), rtol=1e-5, atol=1e-6)
    back = net.state_dict()
    for key, tensor in given.items():
        if not key.endswith("num_batches_tracked"):
            assert torch.allclose(back[key].reshape(tensor.shape), tensor, rtol=1e-6)
    assert set(given) - set(back) <= {"it.num_batches_tracked"}
    assert set(back) - set(given) <= {"it.scale_factor"}


def test_embed_scale_and_bias(make_net):
    net = net_of(
        make_net,
        (3, 2),
        ("words", 'type: "Embed" embed_param { num_output: 4 input_dim: 5 }'),
        ("scale", 'type: "Scale" scale_param { axis: 2 bias_term: true }'),
        ("bias", 'type: "Bias" bias_param { axis: 1 }'),
    )
    given = {
        "words.weight": noise(5, 4),
        "words.bias": noise(4),
        "scale.weight": noise(4, seed=1),
        "scale.bias": noise(4, seed=2),
        "bias.bias": noise(2, seed=3),
    }
    net.load_state_dict(given)
    rows = torch.tensor([[0, 1], [2, 3], [4, 4]])
    net.blobs["data"].data[...] = rows
    wanted = nn.functional.embedding(rows, given["words.weight"]) + given["words.bias"]
    wanted = wanted * given["scale.weight"] + given["scale.bias"] + given["bias.bias"][:, None]
    np.testing.assert_allclose(net.forward()["bias"], wanted, rtol=1e-5, atol=1e-6)
    assert list(net.state_dict()) == list(given)


def test_scale_of_two_bottoms_has_a_bias_only(make_net):
    net = make_net(
        data(2, 3) + 'layer { name: "s" type: "Scale" bottom: "data" '
        'bottom: "data" top: "s" scale_param { axis: 0 bias_term: true } }'
    )
    assert {k: tuple(t.shape) for k, t in net.state_dict().items()} == {"s.bias": (2, 3)}


def test_batch_norm_continues_training_as_in_pytorch(make_net):
    net = net_of(
        make_net,
        (6, 4, 3, 3),
        ("bn", 'type: "BatchNorm" batch_norm_param { moving_average_fraction: 0.9 }'),
        phase=caffe.TRAIN,
    )
    module = nn.BatchNorm2d(4, momentum=0.1, affine=False)
    module.running_mean.copy_(noise(4))
    net.load_state_dict({f"bn.{k}": t for k, t in module.state_dict().items()})
    for seed in range(4):
        x = noise(6, 4, 3, 3, seed=seed) * 2 + 1
        net.blobs["data"].data[...] = x
        np.testing.assert_allclose(net.forward()["bn"], module(x), rtol=1e-3, atol=1e-4)
    for name, tensor in net.state_dict().items():
        if name != "bn.scale_factor":
            np.testing.assert_allclose(tensor, getattr(module, name[3:]), rtol=1e-4)


def test_batch_norm_round_trip(make_net):
    net = net_of(make_net, (6, 4, 3, 3), ("bn", 'type: "BatchNorm"'), phase=caffe.TRAIN)
    for seed in range(3):
        net.blobs["data"].data[...] = noise(6, 4, 3, 3, seed=seed)
        net.forward()
    other = net_of(make_net, (6, 4, 3, 3), ("bn", 'type: "BatchNorm"'))
    other.load_state_dict(net.state_dict())
    for mine, theirs in zip(other.params["bn"], net.params["bn"]):
        np.testing.assert_allclose(mine.data, theirs.data, rtol=3e-7)
    mean = other.params["bn"][0].data.copy()
    other.load_state_dict({"bn.running_var": torch.ones(4)}, strict=False)
    scale = other.params["bn"][2].data
    np.testing.assert_allclose(
        other.params["bn"][0].data / scale, mean / net.params["bn"][2].data, rtol=1e-6
    )
    np.testing.assert_allclose(other.params["bn"][1].data / scale, 1, rtol=1e-6)


CONV_1 = 'type: "Convolution" convolution_param { num_output: 3 kernel_size: 1 }'
FC_CONV = 'type: "Convolution" convolution_param { num_output: 5 kernel_h: 4 kernel_w: 2 }'
FC_DENSE = 'type: "InnerProduct" inner_product_param { num_output: 5 }'


@pytest.mark.parametrize("layer", [FC_CONV, FC_DENSE])
@pytest.mark.parametrize("shape", [(5, 3, 4, 2), (5, 24)])
def test_dense_layers_as_convolutions_and_back(make_net, tmp_path, layer, shape):
    """fc6.weight of either form, as in files converted from the VGG nets of Caffe."""
    net = net_of(make_net, (2, 3, 4, 2), ("conv1_1", CONV_1), ("fc6", layer))
    given = {
        "conv1_1.weight": noise(3, 3, 1, 1),
        "conv1_1.bias": noise(3),
        "fc6.weight": noise(*shape, seed=1),
        "fc6.bias": noise(5, seed=1),
    }
    torch.save(given, tmp_path / "vgg.pth")
    net.load_state_dict(tmp_path / "vgg.pth")
    x = noise(2, 3, 4, 2, seed=3)
    net.blobs["data"].data[...] = x
    low = nn.functional.conv2d(x, given["conv1_1.weight"], given["conv1_1.bias"])
    wanted = low.flatten(1) @ given["fc6.weight"].reshape(5, 24).t() + given["fc6.bias"]
    np.testing.assert_allclose(net.forward()["fc6"].reshape(2, 5), wanted, rtol=1e-5, atol=1e-5)


def test_memory_is_shared_both_ways(make_net):
    net = net_of(make_net, (2, 4, 7, 8), ("conv", CONV))
    tensors = net.state_dict()
    assert list(tensors) == ["conv.weight", "conv.bias"]
    tensors["conv.weight"].fill_(2)
    assert (net.params["conv"][0].data == 2).all()
    net.params["conv"][1].data[...] = 3
    assert (tensors["conv.bias"] == 3).all()
    net.forward()
    tensors["conv.bias"].zero_()
    assert (net.params["conv"][1].data == 0).all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_and_arrays(make_net, dtype):
    net = net_of(make_net, (3, 5), ("fc", FC_DENSE))
    given = {"fc.weight": noise(5, 5).to(dtype), "fc.bias": np.arange(5.0)}
    net.load_state_dict(given)
    np.testing.assert_array_equal(net.params["fc"][0].data, given["fc.weight"].float())
    np.testing.assert_array_equal(net.params["fc"][1].data, given["fc.bias"])


def test_loose_loading(make_net):
    net = net_of(make_net, (2, 3, 4, 2), ("conv1_1", CONV_1), ("fc6", FC_DENSE))
    before = net.params["fc6"][0].data.copy()
    loaded = net.load_state_dict(
        {"conv1_1.weight": torch.ones(3, 3, 1, 1), "fc8.bias": noise(2)}, strict=False
    )
    assert loaded.missing_keys == ["conv1_1.bias", "fc6.weight", "fc6.bias"]
    assert loaded.unexpected_keys == ["fc8.bias"]
    assert (net.params["conv1_1"][0].data == 1).all()
    np.testing.assert_array_equal(net.params["fc6"][0].data, before)


SHARED = "".join(
    f'layer {{ name: "{name}" type: "InnerProduct" bottom: "data" top: "{name}" '
    'param { name: "w" } inner_product_param { num_output: 5 bias_term: false } }'
    for name in "ab"
)


def test_weights_shared_by_name(make_net):
    net = make_net(data(3, 5) + SHARED)
    assert list(net.state_dict()) == ["a.weight", "b.weight"]
    net.load_state_dict(net.state_dict())
    net.load_state_dict({"b.weight": torch.ones(5, 5)})  # one blob
    assert (net.params["a"][0].data == 1).all()
    with pytest.raises(WeightsError, match="'b.weight' differs"):
        net.load_state_dict({"a.weight": torch.zeros(5, 5), "b.weight": torch.ones(5, 5)})
    assert (net.params["a"][0].data == 1).all()


def test_layers_without_a_counterpart_number_their_blobs(make_net, tmp_path, monkeypatch):
    (tmp_path / "numbered_layers.py").write_text(
        "import caffe\n"
        "class Two(caffe.Layer):\n"
        "    def setup(self, bottom, top):\n"
        "        self.blobs.add_blob(2)\n"
        "        self.blobs.add_blob(3, 1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    net = net_of(
        make_net,
        (1,),
        ("p", 'type: "Python" python_param { module: "numbered_layers" layer: "Two" }'),
    )
    net.load_state_dict({"p.0": torch.ones(2), "p.1": torch.ones(3, 1)})
    assert [b.data.sum() for b in net.params["p"]] == [2, 3]


GOOD = {"conv.weight": (6, 2, 3, 3), "conv.bias": (6,), "fc.weight": (5, 54), "fc.bias": (5,)}


def with_(**changes):
    given = {k: torch.ones(s) for k, s in GOOD.items()}
    for key, value in changes.items():
        key = key.replace("__", ".")
        if value is None:
            del given[key]
        else:
            given[key] = torch.ones(value) if isinstance(value, tuple) else value
    return given


REFUSED = {
    "grouped": (
        with_(conv__weight=(6, 4, 3, 3)),
        ShapeMismatch,
        r"layer 'conv', conv.weight: shape \(6, 4, 3, 3\).*\(6, 2, 3, 3\) in the net: "
        "the net is grouped",
    ),
    "classes": (with_(fc__bias=(9,)), ShapeMismatch, r"'fc'.*\(9,\).*\(5,\).*another num_output"),
    "same count, another form": (with_(fc__weight=(54, 5)), ShapeMismatch, r"\(54, 5\).*\(5, 54\)"),
    "missing": (with_(fc__bias=None), WeightsError, "lacks fc.bias"),
    "unexpected": (with_(fc9__bias=(1,)), WeightsError, "has fc9.bias, which the net has not"),
    "torchvision's names": (
        {f"features.{i}.weight": torch.ones(1) for i in range(20)},
        WeightsError,
        "and 12 more.*names must be those of the Caffe layers",
    ),
    "DataParallel": ({"module." + k: t for k, t in with_().items()}, WeightsError, "DataParallel"),
    "checkpoint": ({"state_dict": with_()}, WeightsError, r"that\['state_dict'\]"),
    "epoch": ({**with_(), "epoch": 3}, WeightsError, "'epoch' is a int"),
    "not a dict": ([1, 2], WeightsError, "holds a list"),
    "whole numbers": (
        with_(fc__bias=torch.ones(5, dtype=torch.int64)),
        WeightsError,
        "floating-point",
    ),
    "complex": (with_(fc__bias=torch.ones(5, dtype=torch.complex64)), WeightsError, "floating"),
    "sparse": (with_(fc__bias=torch.ones(5).to_sparse()), WeightsError, "dense"),
    "text": (with_(fc__bias=np.array(["a"] * 5)), WeightsError, "floating-point"),
    "meta": (with_(fc__bias=torch.ones(5, device="meta")), WeightsError, "meta"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_and_nothing_copied(make_net, kind):
    given, error, words = REFUSED[kind]
    net = net_of(make_net, (2, 4, 7, 7), ("conv", CONV), ("fc", FC_DENSE))
    before = {k: t.clone() for k, t in net.state_dict().items()}
    with pytest.raises(error, match=words):
        net.load_state_dict(given)
    for key, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[key])


def test_a_batch_norm_with_weights_of_its_own(make_net):
    net = net_of(make_net, (2, 4, 3, 3), ("bn", 'type: "BatchNorm"'))
    with pytest.raises(WeightsError, match="bn.weight.*belong to the Scale layer"):
        net.load_state_dict({f"bn.{k}": t for k, t in nn.BatchNorm2d(4).state_dict().items()})


def test_files_that_are_refused(make_net, tmp_path):
    net = net_of(make_net, (3, 5), ("fc", FC_DENSE))
    good = tmp_path / "good.pth"
    torch.save(net.state_dict(), good)
    content = good.read_bytes()
    whole = tmp_path / "model.pth"
    torch.save(nn.Linear(5, 5), whole)
    with pytest.raises(WeightsError, match="model.pth is not a file of tensors"):
        net.load_state_dict(str(whole))
    with pytest.raises(WeightsError, match="no such weights file"):
        net.load_state_dict("nothing.pth")
    with pytest.raises(WeightsError, match="a PyTorch file: use net.load_state_dict"):
        net.copy_from(good)
    for i, damaged in enumerate(
        (b"", b"<html>", content[:200], content[:-300], content[300:], b"PK\3\4" + bytes(99))
    ):
        path = tmp_path / f"{i}.pth"
        path.write_bytes(damaged)
        with pytest.raises(CaffeError, match=f"{i}.pth"):
            net.load_state_dict(path)


def test_a_hostile_file_runs_nothing(make_net, tmp_path):
    marker, path = tmp_path / "ran", tmp_path / "hostile.pth"
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"""
import torch
class Hostile:
    def __reduce__(self):
        return open, ({str(marker)!r}, 'w')
torch.save({{'fc.weight': Hostile()}}, {str(path)!r})""",
        ],
        check=True,
    )
    with pytest.raises(WeightsError, match="would run their code"):
        net_of(make_net, (3, 5), ("fc", FC_DENSE)).load_state_dict(path)
    assert not marker.exists()
