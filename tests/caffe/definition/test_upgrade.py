"""Nets of older formats are equivalent once upgraded."""

import logging

import pytest
from google.protobuf import text_format

import caffe
from caffe.definition.prototxt import read_net
from caffe.definition.upgrade import UpgradeError, current_form, upgrade_net, upgrade_solver
from caffe.definition.upgrade_v0 import TYPES
from caffe.definition.upgrade_v1 import layer_type
from caffe.proto import caffe_pb2
from tests.caffe.named_blobs import named_blobs

V1_TYPES = """ABSVAL AbsVal ACCURACY Accuracy ARGMAX ArgMax BNLL BNLL CONCAT Concat
    CONTRASTIVE_LOSS ContrastiveLoss CONVOLUTION Convolution DATA Data DECONVOLUTION Deconvolution
    DROPOUT Dropout DUMMY_DATA DummyData ELTWISE Eltwise EUCLIDEAN_LOSS EuclideanLoss EXP Exp
    FLATTEN Flatten HDF5_DATA HDF5Data HDF5_OUTPUT HDF5Output HINGE_LOSS HingeLoss IM2COL Im2col
    IMAGE_DATA ImageData INFOGAIN_LOSS InfogainLoss INNER_PRODUCT InnerProduct LRN LRN
    MEMORY_DATA MemoryData MULTINOMIAL_LOGISTIC_LOSS MultinomialLogisticLoss MVN MVN
    POOLING Pooling POWER Power RELU ReLU SIGMOID Sigmoid
    SIGMOID_CROSS_ENTROPY_LOSS SigmoidCrossEntropyLoss SILENCE Silence SLICE Slice SOFTMAX Softmax
    SOFTMAX_LOSS SoftmaxWithLoss SPLIT Split TANH TanH THRESHOLD Threshold
    WINDOW_DATA WindowData""".split()


def net_of(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def same(net, text):
    return net == net_of(text)


def test_v1_types():
    expected = dict(zip(V1_TYPES[::2], V1_TYPES[1::2], strict=True))
    names = set(caffe_pb2.V1LayerParameter.LayerType.keys()) - {"NONE"}
    assert {name: layer_type(name) for name in names} == expected


def test_v1_layer():
    net = upgrade_net(
        net_of("""
        layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" loss_weight: 2
          param: "w" param: "b" blob_share_mode: PERMISSIVE
          blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 include { phase: TRAIN }
          blobs { num: 1 channels: 1 height: 1 width: 2 data: 3 data: 4 }
          convolution_param { num_output: 4 kernel_size: 3 } transform_param { scale: 2 } }""")
    )
    assert same(
        net,
        """
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" loss_weight: 2
          param { name: "w" share_mode: PERMISSIVE lr_mult: 1 decay_mult: 1 }
          param { name: "b" lr_mult: 2 decay_mult: 0 } include { phase: TRAIN }
          blobs { num: 1 channels: 1 height: 1 width: 2 data: 3 data: 4 }
          convolution_param { num_output: 4 kernel_size: 3 } transform_param { scale: 2 } }""",
    )


def test_v0_layers_with_padding():
    net = upgrade_net(
        net_of("""
        input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
        layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
        layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2 group: 1
                         biasterm: false blobs_lr: 1 weight_decay: 0 blobs { data: 1 }
                         weight_filler { type: "xavier" } } bottom: "pad1" top: "conv1" }
        layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 stride: 2 }
                 bottom: "conv1" top: "pool1" }
        layers { layer { name: "fc" type: "innerproduct" num_output: 2 } bottom: "pool1" top: "fc" }
        layers { layer { name: "loss" type: "softmax_loss" } bottom: "fc" bottom: "label" }""")
    )
    assert same(
        net,
        """
        layer { name: "input" type: "Input" top: "data"
                input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
        layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
                param { lr_mult: 1 decay_mult: 0 } blobs { data: 1 }
                convolution_param { num_output: 4 kernel_size: 5 stride: 2 group: 1 pad: 2
                                    bias_term: false weight_filler { type: "xavier" } } }
        layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
                pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
        layer { name: "fc" type: "InnerProduct" bottom: "pool1" top: "fc"
                inner_product_param { num_output: 2 } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" }""",
    )


def test_v0_data_layer():
    net = upgrade_net(
        net_of("""
        layers { layer { name: "d" type: "images" source: "list" batchsize: 2 scale: 0.5
                         meanfile: "m" cropsize: 7 mirror: true shuffle_images: true
                         new_height: 9 } top: "data" }""")
    )
    assert same(
        net,
        """
        layer { name: "d" type: "ImageData" top: "data"
                image_data_param { source: "list" batch_size: 2 shuffle: true new_height: 9 }
                transform_param { scale: 0.5 mean_file: "m" crop_size: 7 mirror: true } }""",
    )


V0_TYPES = [  # a layer in the first format, the same layer in the current one
    ('type: "accuracy"', 'type: "Accuracy"'),
    ('type: "bnll"', 'type: "BNLL"'),
    ('type: "concat" concat_dim: 2', 'type: "Concat" concat_param { concat_dim: 2 }'),
    (
        'type: "conv" num_output: 3 biasterm: false kernelsize: 2 pad: 1 stride: 3 group: 1 '
        "weight_filler { value: 1 } bias_filler { value: 2 }",
        'type: "Convolution" convolution_param { num_output: 3 bias_term: false kernel_size: '
        "2 pad: 1 stride: 3 group: 1 weight_filler { value: 1 } bias_filler { value: 2 } }",
    ),
    (
        'type: "data" source: "s" batchsize: 4 rand_skip: 2 scale: 3 meanfile: "m" cropsize: '
        "5 mirror: true",
        'type: "Data" data_param { source: "s" batch_size: 4 rand_skip: 2 } transform_param { '
        'scale: 3 mean_file: "m" crop_size: 5 mirror: true }',
    ),
    ('type: "dropout" dropout_ratio: 0.3', 'type: "Dropout" dropout_param { dropout_ratio: 0.3 }'),
    ('type: "euclidean_loss"', 'type: "EuclideanLoss"'),
    ('type: "flatten"', 'type: "Flatten"'),
    (
        'type: "hdf5_data" source: "s" batchsize: 4',
        'type: "HDF5Data" hdf5_data_param { source: "s" batch_size: 4 }',
    ),
    (
        'type: "hdf5_output" hdf5_output_param { file_name: "f" }',
        'type: "HDF5Output" hdf5_output_param { file_name: "f" }',
    ),
    (
        'type: "im2col" kernelsize: 2 pad: 1 stride: 3',
        'type: "Im2col" convolution_param { kernel_size: 2 pad: 1 stride: 3 }',
    ),
    (
        'type: "images" source: "s" batchsize: 4 rand_skip: 1 shuffle_images: true '
        "new_height: 2 new_width: 3",
        'type: "ImageData" image_data_param { source: "s" batch_size: 4 rand_skip: 1 shuffle: '
        "true new_height: 2 new_width: 3 }",
    ),
    (
        'type: "infogain_loss" source: "s"',
        'type: "InfogainLoss" infogain_loss_param { source: "s" }',
    ),
    (
        'type: "innerproduct" num_output: 3 biasterm: false weight_filler { value: 1 } '
        "bias_filler { value: 2 }",
        'type: "InnerProduct" inner_product_param { num_output: 3 bias_term: false '
        "weight_filler { value: 1 } bias_filler { value: 2 } }",
    ),
    (
        'type: "lrn" local_size: 3 alpha: 2 beta: 4 k: 5',
        'type: "LRN" lrn_param { local_size: 3 alpha: 2 beta: 4 k: 5 }',
    ),
    ('type: "multinomial_logistic_loss"', 'type: "MultinomialLogisticLoss"'),
    (
        'type: "pool" pool: STOCHASTIC kernelsize: 3 stride: 2 pad: 1',
        'type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 pad: 1 }',
    ),
    ('type: "relu"', 'type: "ReLU"'),
    ('type: "sigmoid"', 'type: "Sigmoid"'),
    ('type: "softmax"', 'type: "Softmax"'),
    ('type: "softmax_loss"', 'type: "SoftmaxWithLoss"'),
    ('type: "split"', 'type: "Split"'),
    ('type: "tanh"', 'type: "TanH"'),
    (
        'type: "window_data" source: "s" batchsize: 4 det_fg_threshold: 0.1 det_bg_threshold: '
        '0.2 det_fg_fraction: 0.3 det_context_pad: 5 det_crop_mode: "square" cropsize: 7 '
        "mirror: true",
        'type: "WindowData" window_data_param { source: "s" batch_size: 4 fg_threshold: 0.1 '
        'bg_threshold: 0.2 fg_fraction: 0.3 context_pad: 5 crop_mode: "square" } '
        "transform_param { crop_size: 7 mirror: true }",
    ),
]


@pytest.mark.parametrize("older, current", V0_TYPES)
def test_v0_types(older, current):
    net = upgrade_net(
        net_of(
            f'layers {{ layer {{ name: "x" {older} blobs_lr: 1 blobs_lr: 2 '
            'weight_decay: 3 weight_decay: 0 } bottom: "a" top: "b" }'
        )
    )
    assert same(
        net,
        f'layer {{ name: "x" {current} bottom: "a" top: "b" '
        "param { lr_mult: 1 decay_mult: 3 } param { lr_mult: 2 decay_mult: 0 } }",
    )


def test_all_v0_types_are_tested():
    assert {older.split('"')[1] for older, _ in V0_TYPES} == set(TYPES)


def test_input_shapes_become_one_input_layer_at_the_start():
    net = upgrade_net(
        net_of("""
        input: "data" input_shape { dim: 1 dim: 3 } input: "label" input_shape { dim: 1 }
        layer { name: "s" type: "Silence" bottom: "data" bottom: "label" }""")
    )
    assert same(
        net,
        """
        layer { name: "input" type: "Input" top: "data" top: "label"
                input_param { shape { dim: 1 dim: 3 } shape { dim: 1 } } }
        layer { name: "s" type: "Silence" bottom: "data" bottom: "label" }""",
    )


def test_preprocessing_moves_out_of_the_data_layer():
    net = upgrade_net(net_of('layer { type: "Data" data_param { scale: 2 crop_size: 5 } }'))
    assert same(
        net, 'layer { type: "Data" data_param { } transform_param { scale: 2 crop_size: 5 } }'
    )


def test_batch_norm_statistics_are_not_learned():
    text = 'layer { type: "BatchNorm" param { lr_mult: 1 } param { } param { } }'
    assert same(upgrade_net(net_of(text)), 'layer { type: "BatchNorm" }')


def test_a_net_in_the_current_format_is_unchanged():
    text = 'name: "n" layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 1 } } }'
    net = net_of(text)
    assert upgrade_net(net) is net and same(net, text)


@pytest.mark.parametrize(
    "text, words",
    [
        ("layer { } layers { }", "mixes"),
        (
            'layers { name: "new" type: RELU } layers { layer { type: "relu" } }',
            "layer new: .*mixed",
        ),
        ('layers { layer { name: "x" type: "conf" } }', "layer x: unknown .*'conf'.* conv"),
        (
            'layers { layer { type: "padding" pad: 1 } bottom: "a" top: "b" } '
            'layers { layer { name: "x" type: "relu" } bottom: "b" }',
            "layer x: only conv and pool",
        ),
        ('layers { layer { name: "x" type: "padding" pad: 1 } bottom: "a" }', "x: .* has 1 and 0"),
        ('layers { layer { name: "x" type: "padding" pad: 1 } top: "a" }', "x: .* has 0 and 1"),
        ('input: "a" input_dim: 1 input_dim: 2', "4 input_dim.* there are 2"),
        ('input: "a" input: "b" input_shape { dim: 1 }', "2 input_shape.* there are 1"),
        ('input: "a" input_dim: 1 input: "b" input_shape { dim: 1 }', "2 input_shape"),
        ('input: "a" layer { name: "r" bottom: "a" top: "r" }', "input 'a' has no size: add"),
    ],
)
def test_contradictions(text, words):
    with pytest.raises(UpgradeError, match=words):
        upgrade_net(net_of(text))


def test_solver_with_inline_nets():
    solver = upgrade_solver(
        text_format.Parse(
            "solver_type: ADAM train_net_param { layers { type: RELU } } test_net_param { "
            "layers { type: TANH } }",
            caffe_pb2.SolverParameter(),
        )
    )
    assert solver.type == "Adam"
    assert solver.train_net_param.layer[0].type == "ReLU"
    assert solver.test_net_param[0].layer[0].type == "TanH"
    with pytest.raises(UpgradeError, match="keep type"):
        upgrade_solver(caffe_pb2.SolverParameter(type="SGD", solver_type="ADAM"))


def test_recorded_upgrade(shared):
    """The result equals what Caffe itself made of the definition and of the weights."""
    folder = shared / "golden/legacy_v1"
    recorded = caffe_pb2.NetParameter.FromString(
        (folder / "net_upgraded_by_caffe.caffemodel").read_bytes()
    )
    weights = {layer.name: layer for layer in recorded.layer}
    split = weights.pop("pool1_pool1_0_split")  # added by Caffe after the upgrade

    net = read_net(folder / "net.prototxt")
    assert [layer.name for layer in net.layer] == list(weights)
    for layer in net.layer:
        theirs = caffe_pb2.LayerParameter.FromString(weights[layer.name].SerializeToString())
        theirs.ClearField("blobs")
        theirs.ClearField("phase")
        bottoms = [split.bottom[0] if b in split.top else b for b in theirs.bottom]
        theirs.ClearField("bottom")
        theirs.bottom.extend(bottoms)
        assert layer == theirs

    model = caffe_pb2.NetParameter.FromString((folder / "net.caffemodel").read_bytes())
    before = {name: [list(blob.data) for blob in blobs] for name, blobs in named_blobs(model)}
    for layer in upgrade_net(model).layer:
        values = [list(blob.data) for blob in weights[layer.name].blobs]
        assert [list(blob.data) for blob in layer.blobs] == values == before[layer.name] != []


IN_FRONT = 'layer { name: "input" type: "Input" top: "a" input_param { shape { dim: 2 } } } '
READER = ' layer { name: "r" type: "ReLU" bottom: "a" top: "r" }'
HEADERS = {  # header: what Caffe makes of it, a word of the warning
    'input: "a" input_shape { dim: 2 }': (IN_FRONT, None),
    'input: "a" input_shape { dim: 2 } input_shape { dim: 3 }': (IN_FRONT, "rest of 2 is ignored"),
    'input: "a" input_shape { dim: 2 } input_dim: 9': (IN_FRONT, "input_dim is ignored"),
    'input: "a" input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 6 input_dim: 7': (
        IN_FRONT.replace("dim: 2", "dim: 1 dim: 3 dim: 5 dim: 6"),
        "rest of 5 is ignored",
    ),
    "input_dim: 1": ("", "without an input are ignored"),
    "input_shape { dim: 1 }": ("", "without an input are ignored"),
    'input: "other"': ("", None),
}


@pytest.mark.parametrize("header", HEADERS)
def test_headers_as_caffe_takes_them(caplog, header):
    layer, warning = HEADERS[header]
    with caplog.at_level(logging.WARNING, "caffe"):
        assert same(upgrade_net(net_of(header + READER)), layer + READER)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == bool(warning) and all(warning in message for message in messages)


def test_an_input_without_a_size_beside_the_layer_that_makes_it(tmp_path, caplog):
    """As Caffe's UpgradeNetInput: no layer without sizes, and then the field is dropped."""
    path = tmp_path / "net.prototxt"
    path.write_text(
        'input: "a" layer { name: "i" type: "Input" top: "a" input_param { shape { dim: 1 dim: 3 } '
        "} } " + READER
    )
    net = caffe.Net(path, caffe.TEST)
    assert net.blobs["r"].data.shape == (1, 3) and net.inputs == ["a"] and not caplog.records


def test_an_input_that_a_layer_of_another_phase_reads(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'input: "a" layer { name: "s" type: "Silence" bottom: "a" include { phase: TRAIN } } '
        'layer { name: "i" type: "Input" top: "b" input_param { shape { dim: 1 } } }'
    )
    assert list(caffe.Net(path, caffe.TEST).blobs) == ["b"]


@pytest.mark.parametrize(
    "field",
    [
        "num_output: 1",
        "biasterm: true",
        "weight_filler { }",
        "kernelsize: 3",
        "group: 1",
        "stride: 1",
        "pad: 1",
        "pool: MAX",
        "dropout_ratio: 1",
        "local_size: 3",
        'source: "x"',
        "batchsize: 1",
        "rand_skip: 1",
        "shuffle_images: true",
        "new_height: 1",
        "new_num: 1",
        "concat_dim: 1",
        "det_fg_threshold: 0.5",
        'det_crop_mode: "warp"',
        'hdf5_output_param { file_name: "x" }',
    ],
)
def test_v0_settings_that_mean_nothing_are_ignored_with_a_warning(caplog, field):
    text = 'layers { layer { name: "x" type: "relu" %s } bottom: "a" top: "b" }'
    with caplog.at_level(logging.WARNING, "caffe"):
        net = upgrade_net(net_of(text % field))
    assert net == upgrade_net(net_of(text % ""))
    (record,) = caplog.records
    name = field.split(":")[0].split(" ")[0]
    assert record.getMessage() == f"layer x: {name} means nothing to type 'relu' and is ignored"


def test_v0_net_with_a_foreign_field(tmp_path, caplog):
    path = tmp_path / "net.prototxt"
    path.write_text("""
        name: "v0" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
        layers { layer { name: "conv1" type: "conv" num_output: 2 kernelsize: 3
                         det_fg_threshold: 0.5 } bottom: "data" top: "conv1" }""")
    assert caffe.Net(path, caffe.TEST).blobs["conv1"].data.shape == (1, 2, 6, 6)
    assert len(caplog.records) == 1


def test_v0_blob_called_like_a_padded_one():
    """Only what reads the padding's top is padded, not what reads a later blob of that name."""
    net = upgrade_net(
        net_of("""
        layers { layer { name: "p" type: "padding" pad: 2 } bottom: "a" top: "b" }
        layers { layer { name: "c" type: "conv" } bottom: "b" top: "b" }
        layers { layer { name: "d" type: "conv" } bottom: "b" top: "d" }""")
    )
    assert [list(layer.convolution_param.pad) for layer in net.layer] == [[2], []]
    assert [list(layer.bottom) for layer in net.layer] == [["a"], ["b"]]


def test_nets_of_all_formats_from_memory():
    for text in (
        'input: "a" input_shape { dim: 2 }' + READER,
        'input: "a" input_shape { dim: 2 } layers { name: "r" type: RELU bottom: "a" top: "r" }',
        IN_FRONT + READER,
    ):
        param = net_of(text)
        assert list(caffe.Net.from_param(param, caffe.TEST).blobs) == ["a", "r"]
        assert param == net_of(text)  # the caller's is left as it was
    assert current_form(param) is param
