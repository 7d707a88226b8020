"""The registry as a whole: what is promised is there, and says what it computes and whence."""
import re

import pytest

import caffe
from caffe.errors import UnknownLayerType
from caffe.layer_types import registry

PROMISED = """
AbsVal Accuracy ArgMax BatchNorm BatchReindex Bias BNLL Clip Concat ContrastiveLoss Convolution Crop
Data Deconvolution Dropout DummyData Eltwise ELU Embed EuclideanLoss Exp Filter Flatten HDF5Data
HDF5Output HingeLoss Im2col ImageData InfogainLoss InnerProduct Input Log LRN MemoryData
MultinomialLogisticLoss MVN Parameter Pooling Power PReLU Python Reduction ReLU Reshape Scale
Sigmoid SigmoidCrossEntropyLoss Silence Slice Softmax SoftmaxWithLoss Split SPP Swish TanH
Threshold Tile
""".split()


def test_every_promised_layer_is_there():
    assert set(caffe.layer_type_list()) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_each_says_its_formula_and_source(name):
    doc = registry[name].__doc__
    assert re.search(r"Sources?: BVLC Caffe, \w+_layer", doc)
    assert len(doc.split("Source")[0].split()) > 3


@pytest.mark.parametrize("name, words", [
    ("LSTM", "does not offer recurrent nets"), ("RNN", "does not offer"),
    ("WindowData", "does not offer R-CNN"), ("Convolutoin", "did you mean 'Convolution'"),
    ("Qqq", "known are AbsVal")])
def test_other_types(make_net, name, words):
    with pytest.raises(UnknownLayerType, match=f"^layer 'x'.*{words}"):
        make_net(f'layer {{ name: "x" type: "{name}" }}')
