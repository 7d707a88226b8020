"""Layers of prototxts, and two small nets of common layers for tests of conversions."""


def layer(name, kind, bottoms, params="", top=None):
    """Return a layer with bottoms and tops separated by spaces; one top of its name by default."""
    bottoms = " ".join(f'bottom: "{b}"' for b in bottoms.split())
    tops = " ".join(f'top: "{t}"' for t in (top or name).split())
    return f'layer {{ name: "{name}" type: "{kind}" {bottoms} {tops} {params} }}\n'


def conv(name, bottom, outputs, kernel=3, more="pad: 1"):
    """Return a Convolution layer."""
    return layer(
        name,
        "Convolution",
        bottom,
        f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} {more} }}",
    )


def data(*shape):
    """Return an Input layer named data."""
    dims = " ".join(f"dim: {d}" for d in shape)
    return layer("data", "Input", "", f"input_param {{ shape {{ {dims} }} }}")


HALVED = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"

# a miniature FCN: padded input, ceil-mode pooling, skip, upsampling, crops by offset, fusion
FCN = (
    data(1, 3, 21, 17)
    + conv("conv1", "data", 4, more="pad: 5")
    + layer("relu1", "ReLU", "conv1", top="conv1")
    + layer("pool1", "Pooling", "conv1", HALVED)
    + conv("score_low", "pool1", 3, 1, "")
    + conv("conv2", "pool1", 5)
    + layer("relu2", "ReLU", "conv2", top="conv2")
    + layer("drop2", "Dropout", "conv2", top="conv2")
    + layer("pool2", "Pooling", "conv2", HALVED)
    + conv("score_high", "pool2", 3, 1, "")
    + layer(
        "upscore",
        "Deconvolution",
        "score_high",
        "convolution_param { num_output: 3 group: 3 kernel_size: 4 stride: 2 bias_term: false }",
    )
    + layer("crop", "Crop", "upscore score_low", "crop_param { axis: 2 offset: 1 }")
    + layer("fuse", "Eltwise", "score_low crop")
    + layer(
        "big",
        "Deconvolution",
        "fuse",
        "convolution_param { num_output: 3 group: 3 kernel_size: 4 stride: 2 bias_term: false }",
    )
    + layer("score", "Crop", "big data", "crop_param { axis: 2 offset: 3 offset: 4 }")
)

# the layers of AlexNet and ResNet in one net
CLASSIFIER = (
    data(2, 3, 13, 11)
    + conv("conv1", "data", 6, more="stride: 2 pad: 2")
    + layer("bn1", "BatchNorm", "conv1", top="conv1")
    + layer("scale1", "Scale", "conv1", "scale_param { bias_term: true }", top="conv1")
    + layer("relu1", "ReLU", "conv1", "relu_param { negative_slope: 0.1 }", top="conv1")
    + layer("norm1", "LRN", "conv1", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 }")
    + layer("pool1", "Pooling", "norm1", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")
    + conv("conv2", "pool1", 6, more="pad: 1 group: 2")
    + layer("ave2", "Pooling", "pool1", "pooling_param { pool: AVE kernel_size: 3 pad: 1 }")
    + layer("sum", "Eltwise", "conv2 ave2", "eltwise_param { coeff: 1 coeff: -0.5 }")
    + layer("both", "Concat", "sum pool1")
    + layer("within", "LRN", "both", "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 }")
    + layer("ave3", "Pooling", "within", "pooling_param { pool: AVE kernel_size: 2 stride: 2 }")
    + layer("fc1", "InnerProduct", "ave3", "inner_product_param { num_output: 7 }")
    + layer("slope", "PReLU", "fc1", top="fc1")
    + layer("drop", "Dropout", "fc1", top="fc1")
    + layer("fc2", "InnerProduct", "fc1", "inner_product_param { num_output: 5 transpose: true }")
    + layer("prob", "Softmax", "fc2")
)
