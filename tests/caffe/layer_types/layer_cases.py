"""Every differentiable layer type with its options, for tests that go through them all.

A case is (type, options, shapes of the bottoms, *fillers), with one filler per bottom. A bottom
without a filler holds normal noise. Fillers: `positive` (uniform in 0.5..1.5), `labels N` (whole
numbers below N), `fraction` (uniform in 0..1).
"""

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.layer_types import make
from caffe.proto import caffe_pb2

IMAGE = (2, 4, 5, 4)
SAME = [IMAGE]
LABELLED = [(3, 5, 2), (3, 2)]


def conv(text):
    return f"convolution_param {{ num_output: 4 {text} }}"


def pool(text):
    return f"pooling_param {{ {text} }}"


ELEMENTWISE = [
    ("AbsVal", "", SAME),
    ("BNLL", "", SAME),
    ("ELU", "", SAME),
    ("ELU", "elu_param { alpha: 2 }", SAME),
    ("Clip", "clip_param { min: -0.5 max: 1 }", SAME),
    ("ReLU", "", SAME),
    ("ReLU", "relu_param { negative_slope: 0.2 }", SAME),
    ("Sigmoid", "", SAME),
    ("TanH", "", SAME),
    ("Swish", "", SAME),
    ("Swish", "swish_param { beta: 2.5 }", SAME),
    ("Exp", "", SAME),
    ("Exp", "exp_param { base: 3 scale: -0.5 shift: 2 }", SAME),
    ("Exp", "exp_param { base: 1 shift: 2 }", SAME),
    ("Log", "", SAME, "positive"),
    ("Log", "log_param { base: 2 scale: 3 shift: 1 }", SAME, "positive"),
    ("Power", "", SAME),
    ("Power", "power_param { power: 3 scale: -2 shift: 1 }", SAME),
    ("Power", "power_param { power: 0.5 scale: 2 shift: 1 }", SAME, "positive"),
    ("Power", "power_param { power: 0 }", SAME),
    ("Power", "power_param { scale: 0 shift: 2 }", SAME),
    ("Dropout", "", SAME),
    ("Dropout", "dropout_param { dropout_ratio: 0.2 }", SAME),
    ("PReLU", "", SAME),
    ("PReLU", "prelu_param { channel_shared: true }", SAME),
    ("PReLU", "", [(3, 4)]),
]
SLIDING = [
    ("Convolution", conv("kernel_size: 3"), SAME),
    ("Convolution", conv("kernel_size: 3 stride: 2 pad: 1 bias_term: false"), SAME),
    (
        "Convolution",
        conv("kernel_h: 1 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 2"),
        SAME,
    ),
    ("Convolution", conv("kernel_size: 2 dilation: 2 group: 2"), SAME),
    ("Convolution", conv("kernel_size: 2 axis: 2"), [(2, 2, 3, 4, 4)]),
    ("Convolution", conv("kernel_size: 2"), [(2, 2, 5)]),
    ("Convolution", conv("kernel_size: 2 kernel_size: 1 kernel_size: 3"), [(1, 2, 3, 3, 4)]),
    ("Convolution", conv("axis: -1"), [(2, 3, 4)]),
    ("Deconvolution", conv("kernel_size: 4 stride: 2 pad: 1"), SAME),
    ("Deconvolution", conv("kernel_size: 2 dilation: 2 group: 4 bias_term: false"), SAME),
    ("Deconvolution", conv("kernel_size: 2 stride: 2"), [(2, 2, 5)]),
    ("Im2col", conv("kernel_size: 3 pad: 1 stride: 2 dilation: 1"), SAME),
    ("Im2col", conv("kernel_size: 2 dilation: 2"), [(2, 2, 3, 3, 4)]),
    ("Pooling", pool("kernel_size: 2 stride: 2"), SAME),
    ("Pooling", pool("kernel_size: 3 stride: 2 pad: 1"), SAME),
    ("Pooling", pool("kernel_size: 3 stride: 2 pad: 1 pool: AVE"), SAME),
    ("Pooling", pool("kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 round_mode: FLOOR"), SAME),
    ("Pooling", pool("global_pooling: true"), SAME),
    ("Pooling", pool("global_pooling: true pool: AVE"), SAME),
    ("Pooling", pool("kernel_size: 3 stride: 2 pool: STOCHASTIC"), SAME, "positive"),
    ("SPP", "spp_param { pyramid_height: 2 }", SAME),
    ("SPP", "spp_param { pyramid_height: 2 pool: AVE }", SAME),
    ("LRN", "lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 3 }", SAME),
    ("LRN", "lrn_param { local_size: 3 alpha: 2 norm_region: WITHIN_CHANNEL }", SAME),
]
WEIGHTED = [
    ("InnerProduct", "inner_product_param { num_output: 3 }", SAME),
    ("InnerProduct", "inner_product_param { num_output: 3 axis: 2 bias_term: false }", SAME),
    ("InnerProduct", "inner_product_param { num_output: 3 axis: -1 transpose: true }", SAME),
    ("Embed", "embed_param { num_output: 3 input_dim: 5 }", [(4, 2)], "labels 5"),
    ("Embed", "embed_param { num_output: 3 input_dim: 5 bias_term: false }", [(4,)], "labels 5"),
    ("Scale", "", SAME),
    ("Scale", "scale_param { axis: 2 num_axes: 2 bias_term: true }", SAME),
    ("Scale", "scale_param { num_axes: 0 }", SAME),
    ("Scale", "scale_param { axis: 0 num_axes: -1 }", SAME),
    ("Scale", "scale_param { axis: 1 bias_term: true }", [IMAGE, (4, 5)]),
    ("Bias", "", SAME),
    ("Bias", "bias_param { axis: 2 num_axes: -1 }", SAME),
    ("Bias", "bias_param { axis: 0 }", [IMAGE, (2, 4)]),
    ("BatchNorm", "", SAME),
    ("BatchNorm", "batch_norm_param { eps: 0.1 }", [(5, 3)]),
    ("BatchNorm", "batch_norm_param { use_global_stats: true }", SAME),
    ("Parameter", "parameter_param { shape { dim: 2 dim: 3 } }", []),
]
SHAPING = [
    ("BatchReindex", "", [(4, 3), (6,)], "", "labels 4"),
    ("Filter", "", [(4, 3), (4, 1)], "", "labels 2"),
    ("Concat", "", [IMAGE, (2, 1, 5, 4)]),
    ("Concat", "concat_param { axis: -1 }", [IMAGE, IMAGE]),
    ("Concat", "concat_param { concat_dim: 0 }", [IMAGE, IMAGE]),
    ("Concat", "", SAME),
    ("Slice", 'top: "top" top: "b"', SAME),
    ("Slice", 'top: "top" top: "b" slice_param { axis: 2 slice_point: 2 }', SAME),
    ("Slice", 'top: "top" top: "b" slice_param { slice_dim: 3 }', SAME),
    ("Split", 'top: "top" top: "b"', SAME),
    ("Flatten", "", SAME),
    ("Flatten", "flatten_param { axis: -3 end_axis: 2 }", SAME),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }", SAME),
    ("Reshape", "reshape_param { shape { dim: 20 } axis: 1 num_axes: 2 }", SAME),
    ("Tile", "tile_param { axis: 1 tiles: 3 }", SAME),
    ("Crop", "", [IMAGE, (2, 4, 3, 2)]),
    ("Crop", "crop_param { axis: 1 offset: 1 }", [IMAGE, (2, 2, 3, 2)]),
    ("Eltwise", "", [IMAGE] * 3),
    ("Eltwise", "eltwise_param { coeff: 2 coeff: -1 }", [IMAGE] * 2),
    ("Eltwise", "eltwise_param { operation: PROD }", [IMAGE] * 3),
    ("Eltwise", "eltwise_param { operation: PROD stable_prod_grad: false }", [IMAGE] * 3),
    ("Eltwise", "eltwise_param { operation: MAX }", [IMAGE] * 3),
    *[
        ("Reduction", f"reduction_param {{ operation: {op} axis: {axis} coeff: {coeff} }}", SAME)
        for op, axis, coeff in (("SUM", 0, 1), ("ASUM", 1, 2), ("SUMSQ", -1, 1), ("MEAN", 2, -3))
    ],
    ("Softmax", "", SAME),
    ("Softmax", "softmax_param { axis: -1 }", SAME),
    ("MVN", "", SAME),
    ("MVN", "mvn_param { across_channels: true }", SAME),
    ("MVN", "mvn_param { normalize_variance: false }", SAME),
]
LOSSES = [
    ("SoftmaxWithLoss", "", LABELLED, "", "labels 5"),
    ("SoftmaxWithLoss", "softmax_param { axis: 0 }", [(3, 4), (4,)], "", "labels 3"),
    *[
        (
            "SoftmaxWithLoss",
            f"loss_param {{ normalization: {n} ignore_label: 2 }} loss_weight: 3",
            LABELLED,
            "",
            "labels 5",
        )
        for n in ("FULL", "VALID", "BATCH_SIZE", "NONE")
    ],
    ("SoftmaxWithLoss", 'top: "top" top: "prob"', LABELLED, "", "labels 5"),
    ("EuclideanLoss", "", [IMAGE, IMAGE]),
    ("SigmoidCrossEntropyLoss", "", [IMAGE, IMAGE], "", "fraction"),
    (
        "SigmoidCrossEntropyLoss",
        "loss_param { normalization: FULL ignore_label: 1 }",
        [IMAGE, IMAGE],
        "",
        "labels 2",
    ),
    (
        "ContrastiveLoss",
        "contrastive_loss_param { margin: 4 }",
        [(6, 3), (6, 3), (6,)],
        "",
        "",
        "labels 2",
    ),
    (
        "ContrastiveLoss",
        "contrastive_loss_param { margin: 4 legacy_version: true }",
        [(6, 3), (6, 3), (6,)],
        "",
        "",
        "labels 2",
    ),
    ("HingeLoss", "", [(4, 5), (4,)], "", "labels 5"),
    ("HingeLoss", "hinge_loss_param { norm: L2 }", [(4, 5), (4,)], "", "labels 5"),
    ("MultinomialLogisticLoss", "", [(4, 5), (4,)], "positive", "labels 5"),
    ("InfogainLoss", "", [(4, 5, 2), (4, 2), (5, 5)], "", "labels 5", "positive"),
    (
        "InfogainLoss",
        "infogain_loss_param { axis: 2 } loss_param { ignore_label: 1 normalization: FULL }",
        [(4, 2, 3), (4, 2), (3, 3)],
        "",
        "labels 3",
        "positive",
    ),
]
CASES = ELEMENTWISE + SLIDING + WEIGHTED + SHAPING + LOSSES


def name_of(case):
    return f"{case[0]} {case[1]} {case[2]}"[:80]


def filled(how, shape, rng):
    """Return an array that a filler describes."""
    if how.startswith("labels"):
        return rng.integers(0, int(how.split()[1]), shape).astype(float)
    if how == "fraction":
        return rng.uniform(size=shape)
    return rng.uniform(0.5, 1.5, shape) if how == "positive" else rng.normal(size=shape)


def layer_and_values(kind, options, shapes, *how):
    """Return the LayerType, its Geometry, and arrays for its bottoms and its learned blobs."""
    rng = np.random.default_rng(3)
    spec = caffe_pb2.LayerParameter(name="layer", type=kind)
    text_format.Merge(options, spec)
    spec.bottom.extend(f"in{i}" for i in range(len(shapes)))
    if not spec.top:
        spec.top.append("top")
    layer = make(spec, caffe.TRAIN)
    how += ("",) * (len(shapes) - len(how))
    values = [filled(h, shape, rng) for h, shape in zip(how, shapes, strict=True)]
    positive = "positive" if kind == "BatchNorm" else ""
    params = [filled(positive, shape, rng) for shape, _ in layer.param_shapes(shapes)]
    return layer, layer.geometry(shapes), values, params
