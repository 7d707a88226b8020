"""The specification matches the recorded FCN-8s, and its geometry holds for all input sizes."""

import hypothesis.strategies as st
import pytest
from google.protobuf import text_format
from hypothesis import given, settings

import caffe
from caffe.coord_map import NegativeCropException
from caffe.proto import caffe_pb2
from nets import build
from nets.fcn8s import fcn8s, fcn_pool

STAGES = [
    ("conv1_1", "score_pool3"),
    ("conv4_1", "score_pool4"),
    ("conv5_1", "upscore2"),
    ("score_pool4c", "score"),
]
GEOMETRIES = {
    "published": {},
    "least-padded": {"pad": 69},
    "five": {"pad": 37, "fc_kernel": 5},
    "light": {"pad": 37, "fc_kernel": 3, "fc_dilation": 2},
}
SMALLEST = {"published": 1, "least-padded": 57, "five": 57, "light": 57}


def layers(net):
    return {layer.name: layer for layer in net.layer}


def make_net(tmp_path, message):
    path = tmp_path / "net.prototxt"
    path.write_text(text_format.MessageToString(message))
    return caffe.Net(str(path), caffe.TEST)


def test_staged_net_equals_the_recorded_one(shared):
    text = (shared / "golden/stage_voc_fcn8s/stage-voc-fcn8s.prototxt").read_text()
    recorded = text_format.Parse(text, caffe_pb2.NetParameter())
    assert [*fcn8s(21).layer] == [*recorded.layer]


def test_staging_changes_only_the_order_of_layers():
    staged, plain = fcn8s(21), fcn8s(21, staged=False)
    assert layers(staged) == layers(plain)
    names = [layer.name for layer in plain.layer]
    assert names.index("score_pool4") == names.index("upscore2") + 1
    assert names.index("score_pool3") == names.index("upscore_pool4") + 1


def test_stages_are_consecutive_ranges():
    names = [layer.name for layer in fcn8s(19).layer]
    bounds = [(names.index(start), names.index(end)) for start, end in STAGES]
    assert bounds[0][0] == 1 and bounds[-1][1] == len(names) - 1  # all layers but the input
    assert all(b[0] == a[1] + 1 for a, b in zip(bounds, bounds[1:], strict=False))


@pytest.mark.parametrize("pool, offset", [(3, 103), (4, 107)])
def test_truncated_nets_upsample_in_one_ungrouped_step(pool, offset):
    net = layers(fcn_pool(21, pool))
    upscore = net["upscore"].convolution_param
    assert (*upscore.kernel_size, *upscore.stride, upscore.group) == (2**pool * 2, 2**pool, 1)
    assert not upscore.bias_term
    assert [*net["score_fr"].bottom] == [f"pool{pool}"]
    assert [*net["score"].crop_param.offset] == [offset]


def test_train_net_adds_dropout_label_and_loss():
    train, test = layers(fcn8s(11, train=True, filler="msra")), layers(fcn8s(11))
    assert train.keys() - test.keys() == {"label", "drop6", "drop7", "loss"}
    assert train["loss"].loss_param.ignore_label == 255
    assert train["conv1_1"].convolution_param.weight_filler.type == "msra"
    for name in ("upscore2", "upscore_pool4", "upscore8"):
        assert train[name].convolution_param.weight_filler.type == "bilinear"
        assert [p.lr_mult for p in train[name].param] == [0]
    assert not train["score_fr"].convolution_param.HasField("weight_filler")


@pytest.fixture(scope="module", params=GEOMETRIES)
def narrow(request, tmp_path_factory):
    """Return a net with one of the geometries, and its smallest valid side."""
    geometry = GEOMETRIES[request.param]
    spec = fcn8s(2, 1 / 64, fc_width=1, size=(64, 64), **geometry)
    return make_net(tmp_path_factory.mktemp(request.param), spec), SMALLEST[request.param]


def resize(net, height, width):
    net.blobs["data"].reshape(1, 3, height, width)
    net.reshape()
    return net.blobs["score"].data.shape


@settings(max_examples=60)
@given(data=st.data())
def test_scores_have_the_size_of_the_input(narrow, data):
    net, smallest = narrow
    height, width = data.draw(st.tuples(*[st.integers(smallest, 400)] * 2), label="size")
    assert resize(net, height, width) == (1, 2, height, width)


def test_smallest_size(narrow):
    net, smallest = narrow
    assert resize(net, smallest, smallest) == (1, 2, smallest, smallest)
    if smallest > 1:
        with pytest.raises(caffe.CaffeError, match="fc6"):
            resize(net, smallest - 1, 400)


@pytest.mark.parametrize(
    "geometry",
    [{"pad": 36, "fc_kernel": 3, "fc_dilation": 2}, {"pad": 68}, {"pad": 4, "fc_kernel": 3}],
)
def test_one_pixel_less_padding_is_rejected(geometry):
    with pytest.raises(NegativeCropException):
        fcn8s(2, 1 / 64, fc_width=1, **geometry)


def test_undilated_kernel_of_three_fails_for_some_sizes(tmp_path):
    spec = fcn8s(2, 1 / 64, pad=5, fc_kernel=3, fc_width=1, size=(120, 120))
    net = make_net(tmp_path, spec)  # 120 works
    with pytest.raises(caffe.CaffeError, match="score_pool3c"):
        resize(net, 96, 96)


def test_dilated_kernel_has_the_crops_of_a_larger_kernel():
    dilated = fcn8s(2, pad=37, fc_kernel=3, fc_dilation=2)
    large = fcn8s(2, pad=37, fc_kernel=5)
    for name in ("score_pool4c", "score_pool3c", "score"):
        assert layers(dilated)[name] == layers(large)[name]


@pytest.mark.parametrize("name", [f"stage-{name}-fcn8s-light" for name in build.LIGHT_NETS])
def test_light_train_net_has_the_parameters_of_the_staged_net(name):
    stage = build.NETS[name]()
    train = build.TRAINED_NETS[name.removeprefix("stage-") + "-train"]()
    convolutions = {n: layer for n, layer in layers(stage).items() if layer.param}
    assert convolutions.keys() == {n for n, layer in layers(train).items() if layer.param}
    for name, layer in convolutions.items():
        other = caffe_pb2.ConvolutionParameter()
        other.CopyFrom(layers(train)[name].convolution_param)
        other.ClearField("weight_filler")
        assert layer.convolution_param == other
