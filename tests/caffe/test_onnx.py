"""Net modules exported to ONNX and run by onnxruntime, an independent engine."""

import logging
import warnings

import numpy as np
import pytest
import torch

import caffe
from tests.caffe.bridge_nets import CLASSIFIER, FCN, data, layer

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture
def run_as_onnx(tmp_path, capfd):
    """Return run_as_onnx(module, {input: array}) -> {output: array} of onnxruntime."""

    def run(module, given):
        path = str(tmp_path / "net.onnx")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(), capfd.disabled():
            warnings.simplefilter("ignore")  # torch warns about its own code
            torch.onnx.export(
                module,
                tuple(map(torch.from_numpy, given.values())),
                path,
                input_names=module.input_names,
                verbose=False,
                output_names=module.output_names,
            )
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        used = {i.name for i in session.get_inputs()}
        return dict(
            zip(
                [o.name for o in session.get_outputs()],
                session.run(None, {k: v for k, v in given.items() if k in used}),
            )
        )

    return run


@pytest.fixture
def agrees(make_net, run_as_onnx):
    """Return agrees(text), which compares all outputs of a net and its export on noise.

    It returns onnxruntime's outputs.
    """

    def agrees(text, **kwargs):
        net, rng = make_net(text), np.random.default_rng(0)
        for name, blobs in net.params.items():
            for blob in blobs:
                blob.data[...] = 0.3 * rng.normal(size=blob.shape)
            if net.layer_dict[name].type == "BatchNorm":
                blobs[1].data[...] = np.abs(blobs[1].data) + 0.1
                blobs[2].data[...] = 2
        module = net.to_module(**kwargs)
        given = {
            name: rng.normal(size=net.blobs[name].shape).astype(np.float32)
            for name in module.input_names
        }
        for name, array in given.items():
            net.blobs[name].data[...] = array
        theirs = run_as_onnx(module, given)
        assert set(theirs) == set(module.output_names)
        net.forward(**kwargs)
        for name, array in theirs.items():
            mine = net.blobs[name].data
            np.testing.assert_allclose(array, mine, atol=1e-5 * np.abs(mine).max(), err_msg=name)
        return theirs

    return agrees


@pytest.mark.slow
def test_fcn8s_against_caffe(root, run_as_onnx):
    """The small FCN-8s, exported, against the score that BVLC Caffe recorded."""
    folder = root / "tests/data/fcn8s_mini"
    recorded = np.load(folder / "pass.npz")
    net = caffe.Net(folder / "net.prototxt", folder / "net.caffemodel", caffe.TEST)
    score = run_as_onnx(net.to_module(), {"data": recorded["data"]})["score"]
    np.testing.assert_allclose(
        score, recorded["score"], atol=1e-5 * np.abs(recorded["score"]).max()
    )


@pytest.mark.slow
def test_a_segmentation_net(agrees):
    assert agrees(FCN)["score"].shape == (1, 3, 21, 17)


@pytest.mark.slow
def test_a_classification_net(agrees):
    np.testing.assert_allclose(agrees(CLASSIFIER)["prob"].sum(1), 1, rtol=1e-5)


def test_a_stage_with_two_outputs(agrees):
    assert set(agrees(FCN, start="conv1", end="score_low")) == {"pool1", "score_low"}


def pool(i, params):
    return layer(f"pool{i}", "Pooling", "data", f"pooling_param {{ {params} }}")


POOLS = [
    "pool: MAX kernel_size: 3 stride: 2",
    "pool: MAX kernel_size: 2 stride: 2 pad: 1",
    "pool: MAX kernel_size: 3 stride: 2 round_mode: FLOOR",
    "pool: MAX kernel_h: 2 kernel_w: 3 stride_h: 3 stride_w: 2 pad_h: 1 pad_w: 0",
    "pool: AVE kernel_size: 3 stride: 2",
    "pool: AVE kernel_size: 3 stride: 2 pad: 1",
    "pool: AVE kernel_size: 2 stride: 3 pad: 1",
    "pool: AVE global_pooling: true",
    "pool: MAX global_pooling: true",
    "pool: AVE kernel_size: 2 round_mode: FLOOR stride: 2",
]


@pytest.mark.slow
def test_pooling_with_all_roundings(agrees):
    """All in one net, as an export takes seconds; 10 x 9 cuts windows on one or both sides."""
    outputs = agrees(data(1, 2, 10, 9) + "".join(pool(i, p) for i, p in enumerate(POOLS)))
    assert outputs["pool0"].shape == (1, 2, 5, 4) and len(outputs) == len(POOLS)


OTHERS = [
    (
        "Deconvolution",
        "convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 2 }",
    ),
    (
        "Convolution",
        "convolution_param { num_output: 6 kernel_size: 3 dilation: 2 pad: 2 group: 2 "
        "bias_term: false }",
    ),
    ("LRN", "lrn_param { local_size: 5 alpha: 1 beta: 0.5 k: 2 }"),
    ("LRN", "lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL alpha: 2 }"),
    ("InnerProduct", "inner_product_param { num_output: 3 axis: 2 }"),
    ("InnerProduct", "inner_product_param { num_output: 3 transpose: true }"),
    ("Softmax", ""),
    ("Softmax", "softmax_param { axis: 2 }"),
    ("BatchNorm", ""),
    ("Scale", "scale_param { axis: 2 num_axes: 1 bias_term: true }"),
    ("Bias", ""),
    ("PReLU", ""),
    ("ELU", "elu_param { alpha: 0.5 }"),
    ("Sigmoid", ""),
    ("TanH", ""),
    ("AbsVal", ""),
    ("BNLL", ""),
    ("Exp", "exp_param { base: 2 scale: 0.5 }"),
    ("Power", "power_param { power: 2 scale: 0.5 shift: 1 }"),
    ("Threshold", "threshold_param { threshold: 0.2 }"),
    ("Dropout", ""),
    ("Flatten", ""),
    ("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 } }"),
    ("Tile", "tile_param { axis: 1 tiles: 2 }"),
    ("ArgMax", "argmax_param { axis: 1 }"),
    ("ArgMax", "argmax_param { out_max_val: true }"),
    ("MVN", ""),
    ("Clip", ""),
    ("Swish", ""),
    ("Log", "log_param { scale: 0.1 shift: 2 }"),
    ("Reduction", "reduction_param { axis: 1 }"),
    ("SPP", "spp_param { pyramid_height: 2 }"),
    ("Split", ""),
    ("Im2col", "convolution_param { kernel_size: 2 stride: 2 }"),
]


@pytest.mark.slow
def test_other_common_layers(agrees):
    text = data(2, 4, 6, 5) + layer("other", "Power", "data", "power_param { scale: -1 shift: 1 }")
    for i, (kind, params) in enumerate(OTHERS):
        text += layer(f"l{i}", kind, "data", params)
    for i, operation in enumerate(("SUM", "PROD", "MAX")):
        text += layer(
            f"e{i}", "Eltwise", "data other", f"eltwise_param {{ operation: {operation} }}"
        )
    text += layer("cat", "Concat", "data other", "concat_param { axis: 3 }")
    text += layer("slice", "Slice", "data", "slice_param { axis: 1 slice_point: 1 }", top="sa sb")
    text += layer("like", "Input", "", "input_param { shape { dim: 2 dim: 4 dim: 3 dim: 2 } }")
    text += layer("cut", "Crop", "data like", "crop_param { axis: 2 offset: 1 offset: 2 }")
    outputs = agrees(text)
    assert len(outputs) == len(OTHERS) + 3 + 1 + 2 + 1
