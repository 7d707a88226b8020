"""Fields and layers of Caffe's forks are told to be that, never to be another field or layer."""

import re

import pytest

from caffe.definition import fork_fields
from caffe.definition.prototxt import PrototxtError, read_net, read_solver
from caffe.errors import UnknownLayerType
from caffe.layer_types import fork_layers, registry
from caffe.proto import caffe_pb2

MESSAGES = caffe_pb2.DESCRIPTOR.message_types_by_name
LAYER_FIELDS = caffe_pb2.LayerParameter.DESCRIPTOR.fields
ENTRIES = [
    *fork_fields.MOVED,
    *fork_fields.INSTEAD,
    *(
        (m, field)
        for m, forks in fork_fields.FORKS.items()
        for f in forks.values()
        for field in f.split()
    ),
]
TYPES = " ".join(fork_layers.FORKS.values()).split()


def text_with(message, field):
    """A definition that gives a field to a message, two spaces into the second line."""
    if message in ("NetParameter", "SolverParameter"):
        return "", f"{field}: 1", ""
    if message == "LayerParameter":
        return 'layer { name: "x"', f"{field}: 1", "}"
    group = next(f.name for f in LAYER_FIELDS if f.message_type and f.message_type.name == message)
    return f'layer {{ name: "x" {group} {{', f"{field}: 1", "} }"


def refusal(tmp_path, message, field):
    path = tmp_path / "x.prototxt"
    path.write_text("\n  ".join(text_with(message, field)))
    with pytest.raises(PrototxtError) as caught:
        (read_solver if message == "SolverParameter" else read_net)(path)
    assert (caught.value.line, caught.value.column) == (2, 3)
    return str(caught.value).split("\n")[0]


def foreign_words(text):
    """Names of fields and layer types in a message, but common English words."""
    fields = {f for m in MESSAGES.values() for f in m.fields_by_name if "_" in f}
    return set(re.findall(r"\w+", text)) & (fields | set(registry))


def test_no_entry_is_there_twice_or_is_a_field():
    assert len(set(ENTRIES)) == len(ENTRIES)
    for message, field in ENTRIES:
        assert field not in MESSAGES[message].fields_by_name


@pytest.mark.parametrize("message, field", ENTRIES)
def test_each_entry(tmp_path, message, field):
    error = refusal(tmp_path, message, field)
    assert f"{message} has no field {field}; " in error and "did you mean" not in error
    if (message, field) in fork_fields.MOVED:
        assert error.endswith(fork_fields.MOVED[message, field])
    elif (message, field) in fork_fields.INSTEAD:
        fork, fix = fork_fields.INSTEAD[message, field]
        assert "comes from a fork of Caffe" in error and fork in error and error.endswith(fix)
    else:
        assert "comes from a fork of Caffe" in error and "does not offer it" in error
        assert foreign_words(error) <= {field}


@pytest.mark.parametrize("name", TYPES)
def test_each_layer_type(tmp_path, make_net, name):
    assert name not in registry
    with pytest.raises(UnknownLayerType, match="comes from a fork of Caffe") as caught:
        make_net(f'layer {{ name: "x" type: "{name}" }}')
    error = str(caught.value)
    assert "did you mean" not in error and foreign_words(error) <= {"Convolution"}
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    told = refusal(tmp_path, "LayerParameter", f"{snake.lower()}_param")
    assert name.lower() in told.lower() and "comes from a fork" in told and "did you" not in told
    path = tmp_path / "old.prototxt"
    path.write_text(f'layers {{ name: "x" type: {snake.upper()} }}')
    with pytest.raises(PrototxtError, match="comes from a fork of Caffe"):
        read_net(path)


@pytest.mark.parametrize("name", fork_layers.INSTEAD)
def test_what_is_written_otherwise(make_net, name):
    assert name not in registry
    with pytest.raises(UnknownLayerType, match=f"{name}.*: write type: ") as caught:
        make_net(f'layer {{ name: "x" type: "{name}" }}')
    types = re.findall(r'type: "(\w+)"', str(caught.value))
    assert types and set(types) <= set(registry)


@pytest.mark.parametrize(
    "message, field, fork",
    [  # those that public definitions have most often, with where they come from
        ("PoolingParameter", "ceil_mode", "write round_mode: FLOOR for ceil_mode: false"),
        ("TransformationParameter", "resize_param", "SSD's"),
        ("TransformationParameter", "scale_factors", "PSPNet's and DeepLab's"),
        ("LayerParameter", "dense_image_data_param", "DenseImageData .* SegNet's"),
        ("LossParameter", "weight_by_label_freqs", "SegNet's"),
        ("LayerParameter", "yolov3_param", "Yolov3 .* a YOLO port's"),
        ("LayerParameter", "yolo_detection_output_param", "YoloDetectionOutput .* a YOLO port's"),
        ("LayerParameter", "crop_center_param", "CropCenter comes from a fork of Caffe;"),
        ("LayerParameter", "reorg_param", "Reorg .* a YOLO port's"),
        ("LayerParameter", "proposal_param", "Proposal .* Faster R-CNN's"),
        ("LayerParameter", "norm_param", "Normalize .* SSD's"),
        ("LayerParameter", "st_param", "SpatialTransformer"),
        ("LayerParameter", "bn_param", "BN .* SegNet's or PSPNet's"),
        ("LayerParameter", "multi_stage_meanfield_param", "CRF-RNN's"),
        ("ConvolutionParameter", "hole", "DeepLab's: write dilation"),
        ("SolverParameter", "eval_type", "SSD's: leave it out"),
    ],
)
def test_well_known_ones(tmp_path, message, field, fork):
    assert re.search(fork, refusal(tmp_path, message, field))


@pytest.mark.parametrize(
    "message, field, words",
    [
        ("LayerParameter", "saw_param", "no layer type of Caffe 1.0 has such settings"),
        ("LayerParameter", "foo", "there are name, type, bottom, top, .*as convolution_param$"),
        ("TransformationParameter", "foo", "there are scale, mirror, crop_size,"),
        ("SolverParameter", "foo", "none has a similar name"),
        ("NetParameter", "bottom", "belongs inside a layer { }: does a } above close that"),
        ("LayerParameter", "convolutin_param", "did you mean convolution_param"),
    ],
)
def test_fields_that_no_table_knows(tmp_path, message, field, words):
    assert re.search(words, refusal(tmp_path, message, field))


def test_a_net_spec_is_told_so_too(make_net):
    from caffe import layers as L
    from caffe.definition.spec_graph import SpecError

    for make, words in (
        (lambda: L.Normalize(L.Input(), norm_param=dict(across_spatial=False)), "SSD's"),
        (lambda: L.Permute(L.Input(), order=[0, 2, 3, 1]), "Permute comes from .* SSD's"),
        (lambda: L.Convolution(L.Input(), hole=2), "DeepLab's: write dilation"),
        (lambda: L.SoftmaxWithLoss(loss_param=dict(class_weighting=[1])), "SegNet's"),
        (lambda: L.Data(transform_param=dict(resize_param=dict(prob=1))), "SSD's"),
    ):
        with pytest.raises(SpecError, match=words) as caught:
            make()
        assert "did you mean" not in str(caught.value)
