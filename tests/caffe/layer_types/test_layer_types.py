"""The registry as a whole: every promised type exists and documents its formula and source."""

import re

import numpy as np
import pytest
import torch

import caffe
from caffe.errors import UnknownLayerType
from caffe.layer_types import registry
from tests.caffe.layer_types.layer_cases import CASES, layer_and_values, name_of

PROMISED = """
AbsVal Accuracy ArgMax BatchNorm BatchReindex Bias BNLL Clip Concat ContrastiveLoss Convolution Crop
Data Deconvolution Dropout DummyData Eltwise ELU Embed EuclideanLoss Exp Filter Flatten HDF5Data
HDF5Output HingeLoss Im2col ImageData InfogainLoss InnerProduct Input Log LRN MemoryData
MultinomialLogisticLoss MVN Parameter Pooling Power PReLU Python Reduction ReLU Reshape Scale
Sigmoid SigmoidCrossEntropyLoss Silence Slice Softmax SoftmaxWithLoss Split SPP Swish TanH
Threshold Tile
""".split()


def test_every_promised_layer_exists():
    assert set(caffe.layer_type_list()) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_each_documents_its_formula_and_source(name):
    doc = registry[name].__doc__
    assert re.search(r"Sources?: BVLC Caffe, \w+_layer", doc)
    assert len(doc.split("Source")[0].split()) > 3


@pytest.mark.parametrize(
    "name, words",
    [
        ("LSTM", "does not offer recurrent nets"),
        ("RNN", "does not offer"),
        ("WindowData", "does not offer R-CNN"),
        ("Convolutoin", "did you mean 'Convolution'"),
        ("Qqq", "known are AbsVal"),
        ("ReLU6", "fork of Caffe, MobileNet v2's"),
        ("ROIPooling", "fork of Caffe, Fast R-CNN's; this package does not offer it"),
        ("DepthwiseConvolution", 'write type: "Convolution", and set group to'),
    ],
)
def test_other_types(make_net, name, words):
    with pytest.raises(UnknownLayerType, match=f"^layer 'x'.*{words}"):
        make_net(f'layer {{ name: "x" type: "{name}" }}')


@pytest.fixture(params=CASES, ids=name_of)
def ready(request, one_layer):
    """Return a net of one layer in TEST, with its inputs filled, and their values."""
    kind, options, shapes, *_ = request.param
    _, _, values, params = layer_and_values(*request.param)
    net = one_layer(f'type: "{kind}" {options}', *shapes)
    for i, value in enumerate(values):
        net.blobs[f"in{i}"].data[...] = value
    for blob, value in zip(net.params.get("layer", []), params, strict=True):
        blob.data[...] = value
    return net, values


def test_each_runs_in_bfloat16(ready):
    net, _ = ready
    exact = {name: top.copy() for name, top in net.forward().items()}
    caffe.set_precision("bfloat16")
    net.forward()
    net.backward()
    for name, wanted in exact.items():
        np.testing.assert_allclose(
            net.blobs[name].data,
            wanted,
            rtol=0.05,
            atol=0.05 * max(1, np.abs(wanted).max()),
            err_msg=name,
        )


def test_each_gives_the_same_as_a_torch_module(ready):
    net, values = ready
    wanted = {name: top.copy() for name, top in net.forward().items()}
    tops = net.to_module()(*(torch.tensor(v, dtype=torch.float32) for v in values))
    tops = {"top": tops} if torch.is_tensor(tops) else tops
    assert set(tops) == set(wanted)
    for name, top in tops.items():
        np.testing.assert_allclose(top.detach(), wanted[name], rtol=1e-5, atol=1e-6, err_msg=name)
