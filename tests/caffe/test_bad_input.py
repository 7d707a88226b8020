"""Any bad input raises a CaffeError that names the place and the fix."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import caffe
from caffe.blobs import device
from caffe.errors import CaffeError
from tests.caffe.bridge_nets import data

DATA = data(1, 3, 8, 8)
CONV = (
    'layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
    "convolution_param { num_output: 2 kernel_size: 3 } }\n"
)
LOSS = (
    'layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 1 dim: 6 '
    'dim: 6 } } } layer { name: "loss" type: "SoftmaxWithLoss" bottom: "conv" bottom: "label" '
    'top: "loss" }\n'
)

BAD_NETS = {  # what is wrong: (the net, words in the message)
    "misspelt field": (
        DATA + CONV.replace("num_output", "num_ouput"),
        ["net.prototxt:2:", "num_ouput", "did you mean num_output"],
    ),
    "misspelt layer type": (
        DATA + CONV.replace("Convolution", "Convolusion"),
        ["layer 'conv'", "'Convolusion'", "did you mean 'Convolution'"],
    ),
    "unsupported layer type": (
        DATA + CONV.replace('"Convolution"', '"LSTM"'),
        ["layer 'conv'", "does not offer"],
    ),
    "missing bottom": (
        DATA + CONV.replace('"data"', '"dta"'),
        ["layer 'conv'", "'dta'", "did you mean 'data'"],
    ),
    "bottom produced later": (CONV + DATA, ["layer 'conv'", "no layer before it makes"]),
    "top produced twice": (
        DATA + CONV + CONV.replace('name: "conv"', 'name: "conv2"'),
        ["layer 'conv2'", "rename"],
    ),
    "too small an input": (data(1, 3, 2, 2) + CONV, ["layer 'conv'", "too small"]),
    "too few axes": (data(1, 3) + CONV, ["layer 'conv'", "spatial axes"]),
    "too many bottoms": (
        DATA + CONV.replace("type:", 'bottom: "data" type:'),
        ["layer 'conv'", "2 bottom"],
    ),
    "too large a blob": (
        DATA + CONV.replace("num_output: 2", "num_output: 2147483648"),
        ["layer 'conv'", "make it smaller"],
    ),
    "labels of another size": (
        DATA + CONV + LOSS.replace("dim: 6 dim: 6", "dim: 5 dim: 6"),
        ["layer 'loss'", "one label each"],
    ),
    "python module": (
        DATA + 'layer { name: "p" type: "Python" bottom: "data" python_param { '
        'module: "no_such" layer: "L" } }',
        ["layer 'p'", "'no_such'", "PYTHONPATH"],
    ),
    "both generations": (
        DATA + 'layers { name: "c" type: RELU bottom: "data" top: "c" }',
        ["net.prototxt", "layers"],
    ),
}


@pytest.mark.parametrize("what", BAD_NETS)
def test_nets(tmp_path, what):
    text, words = BAD_NETS[what]
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    with pytest.raises(CaffeError) as caught:
        caffe.Net(str(path), caffe.TEST)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "google" not in message and "torch" not in message


@pytest.mark.parametrize(
    "name, words",
    [
        ("nothing.prototxt", ["nothing.prototxt", "no such .prototxt file"]),
        ("nowhere/net.prototxt", ["nowhere", "does not exist"]),
        ("", ["folder"]),
    ],
)
def test_missing_files(tmp_path, name, words):
    with pytest.raises(CaffeError) as caught:
        caffe.Net(str(tmp_path / name), caffe.TEST)
    for word in words:
        assert word in str(caught.value)


def test_swapped_net_and_weights(tmp_path):
    net = tmp_path / "net.prototxt"
    net.write_text(DATA + CONV)
    caffe.Net(net, caffe.TEST).save(tmp_path / "net.caffemodel")
    with pytest.raises(CaffeError, match="the definition comes first"):
        caffe.Net(str(tmp_path / "net.caffemodel"), str(net), caffe.TEST)
    with pytest.raises(CaffeError, match="net.prototxt is not a .caffemodel"):
        caffe.Net(str(net), str(net), caffe.TEST)


def test_labels_outside_the_classes(make_net):
    net = make_net(DATA + CONV + LOSS)
    net.blobs["label"].data[0, 3, 3] = 255
    with pytest.raises(CaffeError, match="layer 'loss'.*label 255.*ignore_label"):
        net.forward()


def test_calls_with_unknown_names(make_net):
    net = make_net("force_backward: true " + DATA + CONV)
    for call in (
        lambda: net.forward(start="cnv"),
        lambda: net.forward(end="cnv"),
        lambda: net.forward(blobs=["cnv"]),
        lambda: net.forward(cnv=np.zeros(3)),
        lambda: net.backward(start="cnv"),
        lambda: net.backward(diffs=["cnv"]),
        lambda: net.backward(cnv=np.zeros(3)),
    ):
        with pytest.raises(CaffeError, match="cnv"):
            call()


def test_errors_from_torch_name_the_layer(make_net):
    """If memory runs out, torch says how many bytes and we say in which layer."""
    caffe.set_kernels("torch")
    net = make_net(DATA + CONV)
    net._graph.layers[1].compute = lambda *args: (_ for _ in ()).throw(RuntimeError("no memory"))
    with pytest.raises(CaffeError, match=r"layer 'conv'.*\(1, 3, 8, 8\).*no memory") as caught:
        net.forward()
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("index", [0, 7, -1])
def test_missing_gpus(index):
    import torch

    if torch.cuda.is_available() and 0 <= index < torch.cuda.device_count():
        pytest.skip("this GPU exists")
    for call in (lambda: caffe.set_device(index), caffe.set_mode_gpu):
        if torch.cuda.is_available() and call is caffe.set_mode_gpu:
            continue
        with pytest.raises(CaffeError, match="GPU .*set_mode_cpu"):
            call()
    assert device.device() == torch.device("cpu")


WORDS = re.findall(r'"\w+"|\w+|[{}:]', DATA + CONV + LOSS)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(WORDS) - 1),
            st.sampled_from(
                [*sorted(set(WORDS)), "", "0", "-1", "4294967295", "99999", '"x"', "true"]
            ),
        ),
        max_size=3,
    )
)
def test_mutated_nets_raise_only_caffe_errors(tmp_path, changes):
    """Words of a valid net are replaced randomly: it runs, or raises CaffeError."""
    words = list(WORDS)
    for place, word in changes:
        words[place] = word
    path = tmp_path / "net.prototxt"
    path.write_text(" ".join(words))
    try:
        caffe.Net(path, caffe.TEST).forward()
    except CaffeError:
        pass
