"""The same prototxt and our .caffemodel in OpenCV's own Caffe importer and engine.

The nets are small versions of architectures from 2012 to 2017. Each blob that OpenCV can return is
compared, so a failure names the first layer that differs.
"""

import numpy as np
import pytest

import caffe
from tests.caffe.bridge_nets import data, layer

cv2 = pytest.importorskip("cv2")


def conv(name, bottom, text, kind="Convolution"):
    return layer(name, kind, bottom, f"convolution_param {{ {text} }}")


def fc(name, bottom, n, more=""):
    return layer(name, "InnerProduct", bottom, f"inner_product_param {{ num_output: {n} {more} }}")


def pool(name, bottom, text):
    return layer(name, "Pooling", bottom, f"pooling_param {{ {text} }}")


def relu(name):
    return layer(name + "_relu", "ReLU", name, top=name)


def bn(name):
    return layer(name + "_bn", "BatchNorm", name, top=name + "_bn") + layer(
        name + "_scale", "Scale", name + "_bn", "scale_param { bias_term: true }"
    )


NETS = {
    "alexnet": conv("conv1", "data", "num_output: 8 kernel_size: 5 stride: 2")
    + relu("conv1")
    + layer("norm1", "LRN", "conv1", "lrn_param { local_size: 5 alpha: 0.5 beta: 0.75 }")
    + pool("pool1", "norm1", "pool: MAX kernel_size: 3 stride: 2")
    + conv("conv2", "pool1", "num_output: 8 pad: 2 kernel_size: 3 group: 2")
    + relu("conv2")
    + fc("fc6", "conv2", 10)
    + relu("fc6")
    + layer("drop6", "Dropout", "fc6", top="fc6")
    + fc("fc8", "fc6", 5, "transpose: false")
    + layer("prob", "Softmax", "fc8"),
    "googlenet": conv("a1", "data", "num_output: 4 kernel_size: 1")
    + relu("a1")
    + conv("a3", "data", "num_output: 6 kernel_size: 3 pad: 1")
    + conv("a5", "data", "num_output: 2 kernel_size: 5 pad: 2")
    + pool("ap", "data", "pool: MAX kernel_size: 3 stride: 1 pad: 1")
    + layer("cat", "Concat", "a1 a3 a5 ap")
    + pool("down", "cat", "kernel_size: 3 stride: 2")
    + pool("mean", "down", "pool: AVE kernel_size: 4 stride: 3 pad: 1")
    + pool("end", "mean", "pool: AVE global_pooling: true")
    + layer("flat", "Flatten", "end"),
    "resnet": conv("c1", "data", "num_output: 4 kernel_size: 3 pad: 1 bias_term: false")
    + bn("c1")
    + layer("r1", "ReLU", "c1_scale", "relu_param { negative_slope: 0.1 }")
    + conv("c2", "r1", "num_output: 4 kernel_size: 3 pad: 1 bias_term: false")
    + bn("c2")
    + layer("add", "Eltwise", "c1_scale c2_scale", "eltwise_param { coeff: 1 coeff: -0.5 }")
    + layer("mul", "Eltwise", "add r1", "eltwise_param { operation: PROD }")
    + layer("max", "Eltwise", "mul add", "eltwise_param { operation: MAX }"),
    "fcn": conv("c1", "data", "num_output: 4 kernel_size: 3 pad: 5")
    + relu("c1")
    + pool("p1", "c1", "kernel_size: 2 stride: 2")
    + conv("c2", "p1", "num_output: 3 kernel_size: 3 dilation: 2 pad: 2")
    + conv("up", "c2", "num_output: 3 kernel_size: 4 stride: 2 bias_term: false", "Deconvolution")
    + conv("upg", "c2", "num_output: 3 group: 3 kernel_size: 4 stride: 2 pad: 1", "Deconvolution")
    + layer("score", "Crop", "up data", "crop_param { axis: 2 offset: 5 }")
    + layer("soft", "Softmax", "score", "softmax_param { axis: 1 }"),
    "neurons": layer("sig", "Sigmoid", "data")
    + layer("tan", "TanH", "data")
    + layer("abs", "AbsVal", "data")
    + layer("bnll", "BNLL", "data")
    + layer("elu", "ELU", "data")
    + layer("prelu", "PReLU", "data")
    + layer("power", "Power", "abs", "power_param { power: 1.5 scale: 2 shift: 0.5 }")
    + layer("all", "Concat", "sig tan bnll elu prelu power", "concat_param { axis: 1 }"),
    "shapes": layer("cut", "Slice", "data", "slice_param { axis: 1 slice_point: 1 }", "s1 s2")
    + layer("even", "Slice", "data", "slice_param { axis: 2 }", "e1 e2")
    + layer("view", "Reshape", "s2", "reshape_param { shape { dim: 0 dim: -1 dim: 6 } }")
    + layer("flat", "Flatten", "e2", "flatten_param { axis: 2 end_axis: 3 }")
    + layer("mvn", "MVN", "data")
    + layer("across", "MVN", "e1", "mvn_param { across_channels: true normalize_variance: false }"),
    "rest": layer(
        "within", "LRN", "data", "lrn_param { local_size: 3 alpha: 2 norm_region: WITHIN_CHANNEL }"
    )
    + fc("rows", "data", 4, "axis: 2"),
}


@pytest.fixture
def both(write, tmp_path):
    """Return both(text, images) -> (our Net after forward, OpenCV's net with the input set)."""

    def both(text, images):
        prototxt, weights = write(text), tmp_path / "net.caffemodel"
        net = caffe.Net(prototxt, caffe.TEST)
        rng = np.random.default_rng(0)
        for blobs in net.params.values():
            for blob in blobs:
                blob.data[...] = rng.normal(0, 0.5, blob.shape)
            if len(blobs) == 3:  # the variances and the count of a BatchNorm
                for blob in blobs[1:]:
                    blob.data[...] = rng.uniform(0.5, 2, blob.shape)
        net.save(weights)
        net.blobs["data"].data[...] = images
        net.forward()
        other = cv2.dnn.readNetFromCaffe(str(prototxt), str(weights))
        other.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        other.enableFusion(False)  # fusion would remove blobs
        other.setInput(images)
        return net, other

    return both


def compare(net, other):
    """Compare each blob after the last layer that writes it.

    OpenCV finds a blob by the name of its layer, and only the layer's first top.
    """
    makers = {tops[0]: layer for layer, tops in net.top_names.items()}
    del makers["data"]
    for blob, maker in makers.items():
        mine, theirs = net.blobs[blob].data, other.forward(maker)
        assert mine.size == theirs.size, blob
        np.testing.assert_allclose(
            mine,
            theirs.reshape(mine.shape),
            rtol=0,
            err_msg=blob,
            atol=2e-5 * max(1, np.abs(mine).max()),
        )


@pytest.mark.parametrize("name", NETS)
def test_small_nets(both, name):
    images = np.random.default_rng(1).normal(size=(2, 4, 16, 18)).astype(np.float32)
    compare(*both(data(*images.shape) + NETS[name], images))


V1 = """input: "data" input_dim: 1 input_dim: 3 input_dim: 12 input_dim: 11
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
         convolution_param { num_output: 4 kernel_size: 3 stride: 2 } }
layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
layers { name: "pool1" type: POOLING bottom: "conv1" top: "pool1"
         pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layers { name: "fc" type: INNER_PRODUCT bottom: "pool1" top: "fc"
         inner_product_param { num_output: 5 } }
layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" }"""


def test_a_net_of_the_second_generation(both):
    """OpenCV reads `layers { }` itself; our weights are in today's form."""
    compare(*both(V1, np.random.default_rng(1).normal(size=(1, 3, 12, 11)).astype(np.float32)))
