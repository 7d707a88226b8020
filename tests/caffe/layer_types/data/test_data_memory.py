"""MemoryData and net.set_input_arrays: order, pycaffe's checks, and new arrays."""

import logging

import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, DataError, LayerError

LAYER = """layer { name: "data" type: "MemoryData" top: "data" top: "label" MORE
memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } }"""


def arrays(n=6, shape=(3, 4, 5)):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, *shape)).astype(np.float32), np.arange(n, dtype=np.float32)


@pytest.fixture
def net(make_net):
    return make_net(LAYER.replace("MORE", ""))


@pytest.mark.parametrize("axes", [1, 4])
def test_batches_in_order_and_wrap_around(net, axes):
    data, labels = arrays()
    assert net.blobs["data"].shape == (2, 3, 4, 5) and net.blobs["label"].shape == (2,)
    net.set_input_arrays(data, labels.reshape((-1,) + (1,) * (axes - 1)))
    for start in (0, 2, 4, 0, 2):
        out = net.forward()
        np.testing.assert_array_equal(out["data"], data[start : start + 2])
        np.testing.assert_array_equal(out["label"], labels[start : start + 2])


def test_new_arrays_start_again_and_may_differ_in_length(net):
    data, labels = arrays(6)
    net.set_input_arrays(data, labels)
    net.forward()
    net.set_input_arrays(data[::-1][:4].copy(), labels[::-1][:4].copy())
    np.testing.assert_array_equal(net.forward()["label"], [5, 4])
    np.testing.assert_array_equal(net.forward()["label"], [3, 2])
    np.testing.assert_array_equal(net.forward()["label"], [5, 4])


def test_arrays_are_referenced_and_never_written_to(make_net):
    net = make_net(
        LAYER.replace("MORE", "")
        + """
layer { name: "power" type: "ReLU" bottom: "data" top: "data" }"""
    )
    data, labels = arrays(2)
    before = data.copy()
    net.set_input_arrays(data, labels)
    net.forward()
    net.blobs["data"].data[...] = 7
    np.testing.assert_array_equal(data, before)
    data[...] = 3
    assert (net.forward()["data"] == 3).all()


def test_forward_before_arrays_are_given(net):
    with pytest.raises(DataError, match=r"'data' \(MemoryData\): .*call net.set_input_arrays"):
        net.forward()


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda d, t: (d.astype(float), t), "data array must be a float32 array, is float64"),
        (lambda d, t: (d, t.astype(int)), "labels array must be a float32 array, is int64"),
        (lambda d, t: (d.tolist(), t), "data array must be a float32 array, is list"),
        (lambda d, t: (d, t.tolist()), "labels array must be a float32 array, is list"),
        (lambda d, t: (d[:, :, ::-1], t), "data array must be C contiguous"),
        (lambda d, t: (d[0], t), r"data array must be 4-d, has shape \(3, 4, 5\)"),
        (lambda d, t: (d, t.reshape(-1, 1)), "labels array must be 4-d"),
        (lambda d, t: (d[:, :2].copy(), t), "data array has wrong number of channels: 2, not 3"),
        (lambda d, t: (d[:, :, :2].copy(), t), "data array has wrong height"),
        (lambda d, t: (d[..., :2].copy(), t), "data array has wrong width"),
        (
            lambda d, t: (d, np.ones((6, 2, 1, 1), np.float32)),
            "labels array has wrong number of chan",
        ),
        (lambda d, t: (d, t[:4]), "same first dimension"),
        (lambda d, t: (d[:5], t[:5]), "multiple of batch size 2, are 5"),
        (lambda d, t: (d[:0], t[:0]), "multiple of batch size"),
    ],
)
def test_pycaffes_checks(net, change, words):
    data, labels = arrays()
    net.set_input_arrays(data, labels)
    net.forward()
    with pytest.raises(RuntimeError, match=r"layer 'data' \(MemoryData\): .*" + words):
        net.set_input_arrays(*change(data, labels))
    np.testing.assert_array_equal(net.forward()["label"], [2, 3])  # the arrays before stay in use


def test_only_a_net_that_begins_with_memory_data(make_net):
    net = make_net('layer { name: "in" type: "Input" top: "in" input_param { shape { dim: 1 } } }')
    with pytest.raises(CaffeError, match=r"first layer is a MemoryData layer; it is 'in'"):
        net.set_input_arrays(*arrays())


def test_a_transform_has_no_effect_and_is_logged(make_net, caplog):
    net = make_net(LAYER.replace("MORE", "transform_param { scale: 2 }"))
    data, labels = arrays(2)
    with caplog.at_level(logging.WARNING, "caffe"):
        net.set_input_arrays(data, labels)
    assert "transform_param has no effect" in caplog.text
    np.testing.assert_array_equal(net.forward()["data"], data)


@pytest.mark.parametrize(
    "field, words",
    [
        ("channels: 3", "needs channels"),
        ("width: 5", "width"),
        ("batch_size: 2", "batch_size is 0"),
    ],
)
def test_sizes_must_be_given(make_net, field, words):
    with pytest.raises(LayerError, match=words):
        make_net(LAYER.replace("MORE", "").replace(field, ""))


def test_data_layers_are_in_the_list():
    assert {"Data", "ImageData", "HDF5Data", "HDF5Output", "MemoryData"} <= set(
        caffe.layer_type_list()
    )


def test_data_layers_of_the_second_generation(make_net):
    net = make_net(
        'layers { name: "data" type: MEMORY_DATA top: "data" top: "label" '
        "memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } }"
    )
    data, labels = arrays()
    net.set_input_arrays(data, labels)
    np.testing.assert_array_equal(net.forward()["data"], data[:2])


def test_a_memory_error_names_the_layer(net):
    layer = net._graph.layers[0]
    with (
        pytest.raises(DataError, match=r"'data' .MemoryData.: memory_data.* is 2, and "),
        layer.naming_errors(),
    ):
        raise MemoryError
