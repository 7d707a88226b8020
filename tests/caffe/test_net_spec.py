"""A NetSpec becomes the NetParameter that one would write by hand."""

import re

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from caffe.errors import CaffeError
from caffe.net_spec import NetSpec, SpecError, to_proto
from caffe.net_spec import layers as L
from caffe.net_spec import params as P
from caffe.proto import caffe_pb2


def net_of(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def layer_of(top):
    return to_proto(top).layer[-1]


def test_a_net_by_hand():
    n = NetSpec()
    n.data, n.label = L.DummyData(shape=[dict(dim=[2, 1, 8, 8]), dict(dim=2)], ntop=2)
    n.conv = L.Convolution(
        n.data,
        kernel_size=3,
        num_output=4,
        weight_filler=dict(type="xavier"),
        param=[dict(lr_mult=1), dict(lr_mult=2, decay_mult=0)],
    )
    n.relu = L.ReLU(n.conv, in_place=True)
    n.pool = L.Pooling(n.relu, pool=P.Pooling.AVE, kernel_size=2, stride=2)
    n.loss = L.SoftmaxWithLoss(
        n.pool,
        n.label,
        loss_param=dict(ignore_label=255),
        include=dict(phase=caffe_pb2.TRAIN),
        loss_weight=2,
        name="the_loss",
    )
    assert n.to_proto() == net_of("""
        layer { name: "data" type: "DummyData" top: "data" top: "label"
                dummy_data_param { shape { dim: 2 dim: 1 dim: 8 dim: 8 } shape { dim: 2 } } }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
                convolution_param { num_output: 4 kernel_size: 3
                                    weight_filler { type: "xavier" } } }
        layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
        layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
                pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
        layer { name: "the_loss" type: "SoftmaxWithLoss" bottom: "pool" bottom: "label" top: "loss"
                loss_weight: 2 loss_param { ignore_label: 255 } include { phase: TRAIN } }""")


def test_layers_are_in_order_of_dependency_not_of_assignment():
    n = NetSpec()
    data = L.Input(shape=dict(dim=[1]))
    late = L.Power(data)
    n.out = L.Eltwise(late, data)
    n.late, n.data = late, data
    assert [layer.name for layer in n.to_proto().layer] == ["data", "late", "out"]


def test_unnamed_tops_are_numbered_by_type():
    data = L.Input(shape=dict(dim=[1]))
    a, b = L.Slice(L.ReLU(L.Power(L.Power(data)), in_place=True), ntop=2)
    net = to_proto(a, L.Silence(b, ntop=0))
    assert [layer.name for layer in net.layer] == [
        "Input1",
        "Power1",
        "Power2",
        "ReLU1",
        "Slice1",
        "Silence1",
    ]
    assert list(net.layer[3].top) == list(net.layer[3].bottom) == ["Power2"]
    assert list(net.layer[4].top) == ["Slice1", "Slice2"]
    assert a.to_proto().layer == net.layer[:-1]


def test_generated_names_avoid_given_ones():
    n = NetSpec()
    n.Power2 = L.Power(L.Power(L.Input(shape=dict(dim=[1])), scale=3))
    n.Power1 = L.Power(n.Power2)
    names = [layer.name for layer in n.to_proto().layer]
    assert names == ["Input1", "Power3", "Power2", "Power1"]


def test_a_layer_without_tops_takes_the_name_of_its_attribute():
    n = NetSpec()
    n.data = L.DummyData(shape=dict(dim=3))
    n.quiet = L.Silence(n.data, ntop=0)
    assert (
        n.to_proto().layer[1]
        == net_of('layer { name: "quiet" type: "Silence" bottom: "data" }').layer[0]
    )


def test_the_spec_as_a_mapping():
    n = NetSpec()
    n["data"] = top = L.Input(shape=dict(dim=[1]))
    assert n.data is n["data"] is n.tops["data"] is top and "data" in n
    n.update({"more": L.Power(top)})
    assert (n.keys(), n.vals()[0]) == (["data", "more"], top)
    del n["data"], n.more
    assert not n.tops and not n.to_proto().layer
    with pytest.raises(AttributeError, match="data"):
        _ = n.data


@pytest.mark.parametrize("value", [[3, 5], (3, 5), np.array([3, 5]), [np.int64(3), np.uint8(5)]])
def test_repeated_fields(value):
    assert list(layer_of(L.Convolution(kernel_size=value)).convolution_param.kernel_size) == [3, 5]


def test_other_ways_to_give_values():
    assert layer_of(L.Pooling(pool="AVE")).pooling_param.pool == P.Pooling.AVE == 1
    assert layer_of(L.Power(power=np.float32(0.5))).power_param.power == 0.5
    assert layer_of(L.Convolution(bias_term=np.bool_(False))).convolution_param.bias_term is False
    filler = caffe_pb2.FillerParameter(type="bilinear")
    layer = layer_of(L.Deconvolution(convolution_param=dict(weight_filler=filler)))
    assert layer.convolution_param.weight_filler == filler
    assert layer_of(L.Deconvolution(stride=2)).convolution_param.stride == [2]
    layer = layer_of(L.Python(module="m", layer="Data", param_str="{'a': 1}"))
    assert layer.python_param.param_str == "{'a': 1}"
    assert layer_of(L.ReLU(relu_param=dict())).HasField("relu_param")


def test_enums_of_params():
    assert (P.Pooling.MAX, P.Eltwise.SUM, P.Loss.VALID, P.Data.LMDB) == (0, 1, 1, 1)
    with pytest.raises(AttributeError, match="Pooing"):
        _ = P.Pooing


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: L.Convolution(kernel=3), "Convolution has no parameter 'kernel'.*kernel_size"),
        (lambda: L.Convolution(nmae="x"), "Convolution .*'nmae'.* name"),
        (lambda: L.Nonsense(stride=1), "Nonsense has no parameter 'stride'"),
        (
            lambda: L.Convolution(weight_filler=dict(tpye="msra")),
            "Convolution: Filler.*'tpye'.* type",
        ),
        (lambda: L.Convolution(weight_filler="msra"), "Convolution: weight_filler = 'msra'.*dict"),
        (lambda: L.Convolution(kernel_size="3"), "Convolution: kernel_size = '3'.* whole number"),
        (lambda: L.Convolution(stride=-1), "Convolution: stride = -1.* from 0"),
        (lambda: L.Power(power="x"), "Power: power = 'x'.* a number"),
        (lambda: L.Python(module=3), "Python: module = 3.* text"),
        (lambda: L.Pooling(pool="MAXX"), "Pooling: pool = 'MAXX'.* MAX"),
        (lambda: L.Pooling(pool=7), "Pooling: pool = 7.* one of MAX, AVE, STOCHASTIC"),
        (lambda: L.ReLU(in_place=True), "ReLU: in place"),
    ],
)
def test_wrong_parameters_fail_where_they_are_written(make, words):
    with pytest.raises(SpecError, match=words) as caught:
        make()
    assert isinstance(caught.value, CaffeError)


def test_two_names_for_one_top():
    n = NetSpec()
    n.a = n.b = L.Power(L.Input(shape=dict(dim=[1])))
    with pytest.raises(SpecError, match="a and b are one and the same top of a Power layer"):
        n.to_proto()


def test_inputs_must_be_tops():
    pair = L.DummyData(ntop=2)
    message = f"Silence input 0 is not a Top (type is {tuple})"
    with pytest.raises(TypeError, match=re.escape(message)):
        L.Silence(pair, ntop=0)
    with pytest.raises(TypeError, match="Silence input 1 is not a Top"):
        L.Silence(pair[0], 3, ntop=0)
    with pytest.raises(TypeError, match="unpack"):
        NetSpec().both = pair


def test_a_spec_of_thousands_of_layers():
    top = L.Input(shape=dict(dim=[1]))
    for _ in range(3000):
        top = L.Power(top)
    assert len(top.to_proto().layer) == 3001


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), max_size=12))
def test_every_bottom_is_the_top_of_a_layer_before(edges):
    """For any graph and any choice of named tops."""
    n, tops = NetSpec(), [L.Input(shape=dict(dim=[1]))]
    for i, (a, b, named) in enumerate(edges):
        tops.append(L.Eltwise(tops[a % len(tops)], tops[b % len(tops)]))
        if named:
            n[f"t{i}"] = tops[-1]
    written = set()
    for layer in to_proto(*tops).layer:
        assert written.issuperset(layer.bottom) and written.isdisjoint(layer.top)
        written.update(layer.top)
    assert len(written) == len(tops)
    assert set(n.tops) <= {name for layer in n.to_proto().layer for name in layer.top}


def test_attributes_of_functions_and_tops():
    """coord_map and drawing tools read them."""
    data = L.Input(shape=dict(dim=[1]))
    top = L.Crop(data, data, axis=2, offset=[1, 2])
    fn = top.fn
    assert (fn.type_name, fn.inputs) == ("Crop", (data, data))
    assert fn.params == dict(axis=2, offset=[1, 2])
    assert (fn.tops, top.n, fn.ntop, fn.in_place) == ((top,), 0, 1, False)
